"""A sum is a table of whole numbers by key; sums of all batches together are kept while batches come and go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis._core.instants import MISSING, to_durations, to_instants, to_ms
from schedlog_analysis.matching.policy import DOWN, LEFT_OUT, instants, verdicts
from schedlog_analysis.schema import Starts, Ticks

_QUANTILES = {"duration_median": 0.5, "duration_p95": 0.95, "duration_max": 1.0}
_COUNTS = ("n", "n_failed")
_ENOUGH = 1_000_000  # rows that are worth being added up


class Sums:
    """Tables being added up: memory is that of the sums, not of what went into them."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pd.DataFrame]] = {}

    def add(self, tables: dict[str, pd.DataFrame]) -> None:
        """Add tables to those of the same name; their key is every column but the counts `n` and `n_failed`."""
        for name, table in tables.items():
            parts = self._parts.setdefault(name, [])
            parts.append(table)
            if sum(map(len, parts[1:])) > max(len(parts[0]), _ENOUGH):
                self._parts[name] = [_sum(parts)]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give all sums, sorted by their keys."""
        return {name: _sum(parts) for name, parts in self._parts.items()}


def _sum(parts: list[pd.DataFrame]) -> pd.DataFrame:
    keys = [column for column in parts[0] if column not in _COUNTS]
    some = [part for part in parts if len(part)]
    return pd.concat(some).groupby(keys, observed=True).sum().reset_index() if some else parts[0]


def tally_moments(ticks: pd.DataFrame) -> pd.DataFrame:
    """
    Count the judged ticks of each instant that were up and those that were down.

    Returns
    -------
    tally
        when [ms], is_down and n.
    """
    verdict, when = verdicts(ticks), instants(ticks)
    counts = verdict != LEFT_OUT
    return _counted({"when": when[counts], "is_down": verdict[counts] == DOWN})


def ticks_of(tally: pd.DataFrame) -> pd.DataFrame:
    """Make ticks of a tally of moments, with a column `n`, which count as those that were tallied."""
    at = to_instants(tally["when"].to_numpy(dtype=np.int64))
    made = {"schedule_id": "", "planned_at": at, "invoked_at": at, "delay": pd.Timedelta(0), "status": "on_time"}
    outcome = np.where(tally["is_down"].to_numpy(dtype=bool), "failed", "ok")
    table = pd.DataFrame(made | {"outcome": outcome, "is_ambiguous": False}, index=range(len(tally)))
    return Ticks.cast(table).assign(n=tally["n"].to_numpy())


def tally_durations(starts: pd.DataFrame) -> pd.DataFrame:
    """
    Count the runs that succeeded by how long they took.

    Returns
    -------
    tally
        ms and n.
    """
    table = Starts.accept(starts)
    succeeded = (table["became"] == "succeeded") & table["duration"].notna()
    return _counted({"ms": to_ms(table.loc[succeeded.to_numpy(), "duration"])})


def durations_of(tally: pd.DataFrame) -> dict[str, pd.TimedeltaIndex]:
    """Give the quantiles of a tally of durations, sorted, as `run_outcomes` gives those of the durations themselves."""
    values, rank = tally["ms"].to_numpy(dtype=np.float64), np.cumsum(tally["n"].to_numpy())
    found = {}
    for name, share in _QUANTILES.items():
        ms = MISSING
        if len(values):
            place = share * (rank[-1] - 1)
            low, high = (values[np.searchsorted(rank, at, side="right")] for at in (int(place), int(np.ceil(place))))
            ms = int(np.round(low + (high - low) * (place % 1)))
        found[name] = to_durations(np.array([ms]))
    return found


def _counted(keys: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(keys).value_counts(sort=False).rename("n").reset_index()
