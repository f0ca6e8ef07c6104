"""Accounting is how many ticks of each schedule had which status and outcome, what each counts as, and why."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis.matching.policy import AccountingPolicy, judged
from schedlog_analysis.schema import Ticks

KEYS = ["schedule_id", "status", "outcome", "counted_as", "reason"]


def accounting(ticks: pd.DataFrame, policy: AccountingPolicy | None = None) -> pd.DataFrame:
    """
    Count the ticks of each schedule by what became of them and by how they count.

    Parameters
    ----------
    ticks
        Ticks of any number of schedules, see `schema.Ticks`.
    policy
        What counts as what. By default, the judgement that the ticks bring along, or that of `AccountingPolicy()`.

    Returns
    -------
    accounting
        schedule_id, status, outcome (missing where nothing was invoked), counted_as, reason and n. Sorted; combinations
        that did not occur are not there. Empty without ticks.

    Examples
    --------
    >>> accounting(Ticks.empty()).columns.tolist()
    ['schedule_id', 'status', 'outcome', 'counted_as', 'reason', 'n']
    """
    table = judged(ticks if policy is None else Ticks.accept(ticks), policy)
    counts = table.groupby(KEYS, observed=True, dropna=False).size().rename("n").reset_index()
    return counts.astype({"schedule_id": "str"}).sort_values(KEYS, ignore_index=True)
