"""What counts is every tick or invocation judged up or down; those of all schedules stand in one series."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, encode, is_sorted
from schedlog_analysis._core.instants import Int64, to_ms
from schedlog_analysis.matching.policy import DOWN, LEFT_OUT, AccountingPolicy, instants, judged, verdicts


class Counted(NamedTuple):
    """What counts, sorted by schedule and time; instants in milliseconds."""

    schedule: Int64
    """Number of the schedule."""
    schedule_ids: pd.Index[Any]
    """What the numbers stand for."""
    instant: Int64
    """When it was planned; when it was invoked where nothing was planned."""
    invoked: Int64
    """When it was invoked."""
    is_down: Mask
    reason: pd.Categorical
    """Why it counts as it does."""

    @property
    def is_missed(self) -> Mask:
        """Whether nothing was invoked."""
        return np.asarray(self.reason == "missed")

    def take(self, rows: Int64) -> Counted:
        """Give those at some places."""
        own = {name: getattr(self, name)[rows] for name in self._fields if name != "schedule_ids"}
        return self._replace(**own)


def read_counted(table: pd.DataFrame, policy: AccountingPolicy | None = None) -> Counted:
    """
    Read from Ticks or Invocations what is judged up or down; what is left out is not there.

    Parameters
    ----------
    table
        Ticks or Invocations of any number of schedules, in any order.
    policy
        Who judges, see `matching.policy.judged`.

    Returns
    -------
    counted
        Sorted by schedule and time; empty if nothing counts.

    Examples
    --------
    >>> from schedlog_analysis.schema import Ticks
    >>> read_counted(Ticks.empty()).instant
    array([], dtype=int64)
    """
    rows = judged(table, policy)
    verdict = verdicts(rows)
    schedule, ids = encode(rows["schedule_id"])
    reason = pd.Categorical(rows["reason"])
    counted = Counted(schedule, ids, instants(rows), to_ms(rows["invoked_at"]), verdict == DOWN, reason)
    counts = verdict != LEFT_OUT
    counted = counted if counts.all() else counted.take(np.flatnonzero(counts))
    # Of ticks at one instant the good ones come first, so that the order of the rows says nothing.
    keys = counted.schedule, counted.instant, counted.is_down.astype(np.int64)
    return counted if is_sorted(*keys) else counted.take(np.lexsort(keys[::-1]))
