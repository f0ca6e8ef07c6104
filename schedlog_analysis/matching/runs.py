"""
A start is an action that an invocation started; joining the runs tells what became of it.

Runs are forgotten on another clock than entries, so a start without a run is unknown, neither failed nor missing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, decode, encode
from schedlog_analysis._core.groups import group
from schedlog_analysis._core.instants import (
    FOREVER,
    MISSING,
    InstantLike,
    Int64,
    duration_ms,
    instant_ms,
    to_durations,
    to_ms,
)
from schedlog_analysis.matching.answers import RUN_BEFORE
from schedlog_analysis.matching.definitions import count_actions
from schedlog_analysis.schema import BECAME, Invocations, Runs, Schedules, Starts

CLOCK: Final = 1_000  # how far an invocation may run ahead of the tick that its runs name, in milliseconds
SUCCEEDED, FAILED, TIMED_OUT, ABORTED, RUNNING, UNKNOWN = range(len(BECAME))
# The API's statuses; any other is unknown. One that is about to time out or to be aborted will not succeed any more.
STATUSES: Final = {
    "SUCCEEDED": SUCCEEDED,
    "FAILED": FAILED,
    "TIMED-OUT": TIMED_OUT,
    "TIMING-OUT": TIMED_OUT,
    "ABORTED": ABORTED,
    "ABORTING": ABORTED,
    "RUNNING": RUNNING,
    "READY": RUNNING,
}


def join_runs(
    invocations: pd.DataFrame,
    runs: pd.DataFrame,
    schedules: pd.DataFrame | None = None,
    *,
    start: InstantLike | None = None,
    end: InstantLike | None = None,
    tolerance: str | timedelta = "60s",
) -> pd.DataFrame:
    """
    Tell for every start which run it became, and how that ended.

    Parameters
    ----------
    invocations
        Invocations of any number of schedules, see `schema.Invocations`.
    runs
        Runs, see `schema.Runs`. Those that no schedule started are left out; of several states of a run, the one with
        an end counts.
    schedules
        Definitions, all versions known, see `schema.Schedules`: they tell how many actions an invocation has. Without
        them an invocation that is ok has as many starts as runs, and at least one.
    start, end
        Half-open stretch of the starts to return, by their invocation, else by the start of the run. Give all
        invocations and runs all the same: a run whose invocation is left out has none.
    tolerance
        How long after its invocation a run may start, where it does not name its tick.

    Returns
    -------
    starts
        One row per start, see `schema.Starts`, sorted by schedule and time: for each invocation its runs, and as many
        rows without a run as are lacking to its actions that neither failed to start nor were skipped; then the runs
        of which no invocation is known, because the log was cut off. Empty if there are neither.

    Raises
    ------
    InputError
        If `tolerance`, `start` or `end` make no sense.

    Notes
    -----
    A run that names its tick (`scheduled_at`) belongs to the last invocation before its start that was not by hand,
    from that tick until the next one that runs name. All others belong to the last invocation before their start, by
    hand if there is one, within `tolerance`. Entries may be written up to 5 s after the run has started.

    Examples
    --------
    >>> from schedlog_analysis import invocations, load_sample
    >>> sample = load_sample()
    >>> starts = join_runs(invocations(sample.log, sample.schedules), sample.runs, sample.schedules)
    >>> starts["became"].eq("timed_out").sum() >= 33
    np.True_
    """
    told, ran = Invocations.accept(invocations), _newest(Runs.accept(runs))
    timeline = _Timeline.of(told, ran)
    told = told.iloc[timeline.order]
    owner = _owners(timeline, told["is_manual"].to_numpy(), duration_ms(tolerance, "tolerance"))
    n_runs = np.bincount(owner[owner >= 0], minlength=len(told))
    lacking = np.maximum(_expected(told, n_runs, schedules) - n_runs, 0)
    invocation = np.concatenate([owner, np.repeat(np.arange(len(told)), lacking)])
    run = np.concatenate([np.arange(len(ran)), np.full(int(lacking.sum()), -1)])
    starts = _table(timeline, told, ran, invocation, run)
    if start is None and end is None:
        return starts
    began = to_ms(starts["invoked_at"].fillna(starts["started_at"]))
    since = MISSING if start is None else instant_ms(start, "start")
    until = FOREVER if end is None else instant_ms(end, "end")
    return starts[(began >= since) & (began < until)].reset_index(drop=True)


class _Timeline(NamedTuple):
    """Moments of all schedules on one axis, a stretch for each, so that one search serves them all."""

    ids: pd.Index[Any]
    of_run: Int64
    """Number of each run's schedule."""
    order: Int64
    """Rows of the invocations by schedule and time; what follows on invocations is in that order."""
    of_invocation: Int64
    invoked: Int64
    started: Int64
    scheduled: Int64
    """MISSING where the run does not name its tick."""
    floor: Int64
    """Where the stretch of each run's schedule begins."""

    @classmethod
    def of(cls, invocations: pd.DataFrame, runs: pd.DataFrame) -> _Timeline:
        names = pd.concat([invocations["schedule_id"].astype("str"), runs["schedule_id"].astype("str")])
        (code, ids), n = encode(names), len(invocations)
        invoked, started, scheduled = map(to_ms, (invocations["invoked_at"], runs["started_at"], runs["scheduled_at"]))
        is_named = scheduled != MISSING
        known = np.concatenate([invoked, started, scheduled[is_named]])
        first, last = known.min(initial=FOREVER), known.max(initial=0)
        span = max(last - first, 0) + 2 * RUN_BEFORE
        base = code * span - first
        order = np.lexsort((invoked, code[:n]))
        named = np.where(is_named, scheduled + base[n:], MISSING)
        at = (invoked + base[:n])[order]
        return cls(ids, code[n:], order, code[:n][order], at, started + base[n:], named, code[n:] * span)

    def last(self, rows: Int64, since: Int64, until: Int64) -> Int64:
        """Last of these invocations in each stretch of time, both ends included; -1 if there is none."""
        at = self.invoked[rows]
        place = np.searchsorted(at, until, side="right") - 1
        is_in = place >= 0
        is_in[is_in] = at[place[is_in]] >= np.maximum(since, self.floor)[is_in]
        found = np.full(len(until), -1)
        found[is_in] = rows[place[is_in]]
        return found


def _newest(runs: pd.DataFrame) -> pd.DataFrame:
    """Leave out what no schedule started, and all states of a run but the last."""
    started = runs[runs["schedule_id"].notna()].sort_values(["finished_at", "status"], na_position="first")
    return (
        started.drop_duplicates(["schedule_id", "run_id"], keep="last")
        .sort_values(["started_at", "run_id"])
        .reset_index(drop=True)
    )


def _owners(timeline: _Timeline, is_manual: Mask, tolerance: int) -> Int64:
    """Row of the invocation that started each run, -1 if the log does not show it."""
    every, due, by_hand = np.arange(len(is_manual)), np.flatnonzero(~is_manual), np.flatnonzero(is_manual)
    started, scheduled = timeline.started, timeline.scheduled
    is_named = scheduled != MISSING
    ticks = np.unique(scheduled[is_named])
    following = np.append(ticks, FOREVER)[np.searchsorted(ticks, scheduled, side="right")]
    until = started + RUN_BEFORE
    named_since = np.where(is_named, scheduled - CLOCK, FOREVER)
    by_tick = timeline.last(due, named_since, np.minimum(until, following - CLOCK - 1))
    since = started - tolerance
    manual = timeline.last(by_hand, np.where(is_named, FOREVER, since), until)
    near = timeline.last(every, np.where(is_named, np.maximum(named_since, since), since), until)
    return np.select([by_tick >= 0, manual >= 0], [by_tick, manual], default=near)


def _expected(told: pd.DataFrame, n_runs: Int64, schedules: pd.DataFrame | None) -> Int64:
    """How many actions each invocation started, as far as the log tells."""
    codes, ids = encode(told["schedule_id"].astype("str"))
    definitions = None if schedules is None else Schedules.accept(schedules)
    n_actions = count_actions(definitions, ids, codes, to_ms(told["invoked_at"]))
    outcome = told["outcome"].astype("str").to_numpy()
    n_told = told["n_errors"].to_numpy() + told["n_warnings"].to_numpy()
    guess = np.where(outcome == "skipped", n_runs, np.maximum(n_runs, 1))
    expected = np.where(np.isnan(n_actions), guess, np.maximum(np.nan_to_num(n_actions) - n_told, 0))
    return np.where(outcome == "failed", 0, expected).astype(np.int64)


def _table(timeline: _Timeline, told: pd.DataFrame, ran: pd.DataFrame, invocation: Int64, run: Int64) -> pd.DataFrame:
    """Lay out starts: of each, the rows of its invocation and of its run, -1 for none."""
    is_logged, is_run = invocation >= 0, run >= 0
    schedule, began = np.empty(len(run), np.int64), np.empty(len(run), np.int64)
    schedule[is_run], began[is_run] = timeline.of_run[run[is_run]], to_ms(ran["started_at"])[run[is_run]]
    schedule[is_logged] = timeline.of_invocation[invocation[is_logged]]
    began[is_logged] = to_ms(told["invoked_at"])[invocation[is_logged]]
    order = np.lexsort((np.where(is_run, run, FOREVER), began, schedule))
    its, mine = told.reset_index(drop=True).reindex(invocation[order]), _with_ends(ran).reindex(run[order])
    became = mine["became"].fillna(UNKNOWN).to_numpy(dtype=np.int64)
    starts = mine.reset_index(drop=True).assign(
        schedule_id=decode(schedule[order], timeline.ids, told["schedule_id"]),
        invoked_at=its["invoked_at"].to_numpy(),
        became=pd.Categorical.from_codes(became, categories=pd.Index(BECAME, dtype="str")),
        is_manual=its["is_manual"].eq(True).to_numpy(),  # noqa: FBT003 - missing is not true
        is_overlapping=mine["is_overlapping"].eq(True).to_numpy(),  # noqa: FBT003
    )
    return Starts.cast(starts)


def _with_ends(ran: pd.DataFrame) -> pd.DataFrame:
    """Runs with what became of them, how long they took, and whether they met an earlier run of the same action."""
    became = ran["status"].astype("str").map(STATUSES).fillna(UNKNOWN).to_numpy(dtype=np.int64)
    started, finished = to_ms(ran["started_at"]), to_ms(ran["finished_at"])
    has_end = finished != MISSING
    busy_until = np.select([has_end, became == RUNNING], [finished, FOREVER], default=started)
    frame = pd.DataFrame({"action": group(ran, ["schedule_id", "actor_id", "task_id"]).of_row, "until": busy_until})
    earlier = frame.groupby("action")["until"].cummax().groupby(frame["action"]).shift(fill_value=MISSING).to_numpy()
    is_overlapping = earlier > started
    both_until = np.minimum(earlier, np.where(has_end, finished, FOREVER))
    is_measured = is_overlapping & (both_until != FOREVER)
    return ran.assign(
        became=became,
        duration=to_durations(np.where(has_end, finished - started, MISSING)),
        is_overlapping=is_overlapping,
        overlap=to_durations(np.where(is_measured, both_until - started, MISSING)),
    )
