"""Reliability is how long a schedule stays well between incidents, and how long repairs take."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import blocks
from schedlog_analysis._core.instants import MISSING, Int64, to_durations, to_instants, to_ms
from schedlog_analysis.analysis.counted import read_counted
from schedlog_analysis.schema import Incidents


def reliability(incidents: pd.DataFrame, ticks: pd.DataFrame) -> pd.DataFrame:
    """
    Tell for each schedule how long it stayed well between incidents and how long repairs took.

    Parameters
    ----------
    incidents
        Incidents of these schedules, see `schema.Incidents`.
    ticks
        The ticks in which they were found, see `schema.Ticks`: they say how long each schedule was observed.

    Returns
    -------
    reliability
        One row per schedule that has ticks: schedule_id, n_ticks (ticks that are known to be good or bad), observed
        (from the first to the last of them), n_incidents, n_open, downtime (inside incidents; an open one lasts to the
        last known tick), mttr (mean time to repair: mean duration of the incidents that ended), n_repaired (how many
        those are) and mtbf (mean time between failures: time observed outside incidents / n_incidents). mttr is missing
        when nothing was repaired, mtbf when nothing happened. Sorted by schedule; empty without ticks.

    Examples
    --------
    >>> from schedlog_analysis.schema import Ticks
    >>> reliability(Incidents.empty(), Ticks.empty()).columns[-3:].tolist()
    ['mttr', 'n_repaired', 'mtbf']
    """
    return repairs(incidents, observe(ticks))


def observe(ticks: pd.DataFrame) -> pd.DataFrame:
    """
    Tell how many ticks of each schedule are known to be good or bad, and the first and the last of them.

    Returns
    -------
    observed
        schedule_id, n_ticks, first_at and last_at (instants of the plan), one row per schedule that has such ticks.

    Examples
    --------
    >>> from schedlog_analysis.schema import Ticks
    >>> observe(Ticks.empty()).columns.tolist()
    ['schedule_id', 'n_ticks', 'first_at', 'last_at']
    """
    counted = read_counted(ticks)
    first, n_ticks = blocks(counted.schedule)
    return pd.DataFrame(
        {
            "schedule_id": pd.Series(counted.schedule_ids.take(counted.schedule[first]), dtype="str"),
            "n_ticks": n_ticks,
            "first_at": to_instants(counted.instant[first]),
            "last_at": to_instants(counted.instant[first + n_ticks - 1]),
        }
    )


def repairs(incidents: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Do what `reliability` does, with no more of the ticks than what `observe` tells of them."""
    schedule_ids = pd.Index(observed["schedule_id"], dtype="str")
    begin, end = to_ms(observed["first_at"]), to_ms(observed["last_at"])
    table = Incidents.accept(incidents)
    who = schedule_ids.get_indexer(pd.Index(table["schedule_id"], dtype="str"))
    table, who = table[who >= 0], who[who >= 0]
    started, ended = to_ms(table["started_at"]), to_ms(table["ended_at"])
    is_open = ended == MISSING
    length = np.where(is_open, end[who], ended) - started
    n = np.bincount(who, minlength=len(schedule_ids))
    n_repaired = np.bincount(who[~is_open], minlength=len(schedule_ids))
    downtime, mended = (_sums(who[rows], length[rows], len(schedule_ids)) for rows in (slice(None), ~is_open))
    return pd.DataFrame(
        {
            "schedule_id": pd.Series(schedule_ids, dtype="str"),
            "n_ticks": observed["n_ticks"].to_numpy(),
            "observed": to_durations(end - begin),
            "n_incidents": n,
            "n_open": n - n_repaired,
            "downtime": to_durations(downtime),
            "mttr": to_durations(_ratio(mended, n_repaired)),
            "n_repaired": n_repaired,
            "mtbf": to_durations(_ratio(np.maximum(end - begin - downtime, 0), n)),
        }
    )


def _sums(who: Int64, length: Int64, n: int) -> Int64:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, who, length)
    return total


def _ratio(total: Int64, n: Int64) -> Int64:
    """Divide durations by counts, to the millisecond; missing where the count is 0."""
    return np.where(n > 0, total // np.maximum(n, 1), MISSING)
