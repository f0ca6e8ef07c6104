"""
A trial is a planned tick, or an invocation, that turned out good or bad; trials of all schedules stand in one series.

A tick is bad when it was missed or its invocation failed; what the log cannot show is neither good nor bad.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, among, encode, is_sorted
from schedlog_analysis._core.instants import MISSING, Int64, to_ms
from schedlog_analysis.errors import SchemaError
from schedlog_analysis.schema import NOT_STARTED, PLANNED, Invocations, Ticks


class Trials(NamedTuple):
    """Trials sorted by schedule and time; instants in milliseconds."""

    schedule: Int64
    """Number of the schedule."""
    schedule_ids: pd.Index[Any]
    """What the numbers stand for."""
    planned: Int64
    """When it was planned; for invocations, when it was invoked."""
    invoked: Int64
    """When it was invoked."""
    is_bad: Mask
    is_missed: Mask
    is_known: Mask

    def known(self) -> Trials:
        """Leave out what is neither good nor bad."""
        return self.at(np.flatnonzero(self.is_known))

    def at(self, rows: Int64) -> Trials:
        """Give the trials at some places."""
        own = {name: getattr(self, name)[rows] for name in self._fields if name != "schedule_ids"}
        return self._replace(**own)


def read_trials(table: pd.DataFrame, *, include_partial: bool = False) -> Trials:
    """
    Read Ticks or Invocations as trials.

    Of ticks, only planned ones are trials: duplicates, extra and manual invocations are left out. Of invocations, those
    by hand are left out.

    Parameters
    ----------
    table
        Ticks or Invocations of any number of schedules, in any order.
    include_partial
        Whether a trial is bad when only some of its actions failed.

    Returns
    -------
    trials
        Sorted by schedule and time; empty if there are none.

    Raises
    ------
    SchemaError
        If the table is neither.

    Examples
    --------
    >>> read_trials(Ticks.empty()).planned
    array([], dtype=int64)
    """
    if {"planned_at", "status"} <= set(table.columns):
        rows = Ticks.accept(table)
        at = to_ms(rows["planned_at"])
        is_missed = (rows["status"] == "missed").to_numpy(dtype=np.bool_)
        is_shown = (rows["status"] != "unknown").to_numpy(dtype=np.bool_)
        is_trial = among(rows["status"], PLANNED) & (at != MISSING)
    elif {"invoked_at", "outcome", "is_manual"} <= set(table.columns):
        rows = Invocations.accept(table)
        at = to_ms(rows["invoked_at"])
        is_missed = np.zeros(len(rows), dtype=np.bool_)
        is_shown = ~is_missed
        is_trial = ~rows["is_manual"].to_numpy(dtype=np.bool_)
    else:
        came = ", ".join(map(str, table.columns[:8]))
        raise SchemaError(f"Good and bad are told apart in Ticks or Invocations; this table has the columns {came}.")
    schedule, ids = encode(rows["schedule_id"])
    bad = NOT_STARTED if include_partial else ("failed",)
    is_bad = is_missed | (is_shown & among(rows["outcome"], bad))
    is_known = is_missed | (is_shown & rows["outcome"].notna().to_numpy(dtype=np.bool_))
    trials = Trials(schedule, ids, at, to_ms(rows["invoked_at"]), is_bad, is_missed, is_known)
    trials = trials if is_trial.all() else trials.at(np.flatnonzero(is_trial))
    if is_sorted(trials.schedule, trials.planned):
        return trials
    return trials.at(np.lexsort((trials.planned, trials.schedule)))
