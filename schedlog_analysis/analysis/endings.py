"""An ending is how the ticks of a schedule went last: their reason, since when it has been the same, and how often."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.instants import to_instants
from schedlog_analysis.matching.policy import instants, judged
from schedlog_analysis.schema import PLANNED


def endings(ticks: pd.DataFrame) -> pd.DataFrame:
    """
    Tell how the planned ticks of each schedule went last.

    Parameters
    ----------
    ticks
        Ticks of any number of schedules, see `schema.Ticks`.

    Returns
    -------
    endings
        schedule_id, reason (of the last planned tick), since (the first of the ticks with that reason up to the end)
        and n (how many those are). Sorted by schedule; empty without planned ticks.

    Examples
    --------
    >>> from schedlog_analysis.schema import Ticks
    >>> endings(Ticks.empty()).columns.tolist()
    ['schedule_id', 'reason', 'since', 'n']
    """
    table = judged(ticks)
    table = table[table["status"].isin(PLANNED)]
    rows = pd.DataFrame(
        {
            "schedule_id": table["schedule_id"].astype("str"),
            "reason": table["reason"].astype("str"),
            "since": to_instants(instants(table)),
        }
    ).sort_values(["schedule_id", "since"], ignore_index=True)
    is_new = (rows["schedule_id"] != rows["schedule_id"].shift()) | (rows["reason"] != rows["reason"].shift())
    runs = rows.groupby(is_new.cumsum()).agg(
        schedule_id=("schedule_id", "first"), reason=("reason", "first"), since=("since", "first"), n=("since", "size")
    )
    return runs.drop_duplicates("schedule_id", keep="last").reset_index(drop=True)
