"""
An answer is the invocation of a tick: which tick each invocation was for, and which ticks were due at all.

The platform plans the next tick when an invocation has started: it is the first one that is at least ten seconds away.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from schedlog_analysis._core.arrays import Mask, keep_spaced
from schedlog_analysis._core.instants import Int64
from schedlog_analysis.matching.definitions import MIN_GAP

# A run belongs to the last invocation before its start; how long the platform may take in between is not documented.
RUN_BEFORE, RUN_AFTER = 5_000, 60_000
USUAL: Final = 60_000  # [ms] how late a start may be and still be that of the tick before the latest


def are_close(planned: Int64) -> bool:
    """Tell whether a usual delay may reach over the next tick."""
    return bool((planned[1:] - planned[:-1] <= USUAL + MIN_GAP).any())


def find_slack(planned: Int64, grace: int, *, is_close: bool) -> Int64:
    """Find how late each tick may be: the grace, but never more than half the gap to the next one that may be due."""
    slack = np.full(len(planned), grace, dtype=np.int64)  # the last has all of it: the next is not known
    if not is_close:
        np.minimum(grace, (planned[1:] - planned[:-1]) // 2, out=slack[:-1])
        return slack
    following = np.searchsorted(planned, planned + MIN_GAP)
    has_next = following < len(planned)
    slack[has_next] = np.minimum(grace, (planned[following[has_next]] - planned[has_next]) // 2)
    return slack


def find_answers(planned: Int64, invoked: Int64, tolerance: int, *, is_close: bool) -> Int64:
    """
    Find the tick that each invocation was for, by its time; -1 where it came before all.

    Parameters
    ----------
    planned
        Planned ticks, sorted. [ms]
    invoked
        Scheduled invocations, sorted. [ms]
    tolerance
        How far the platform's clock may run ahead. [ms]
    is_close
        What `are_close` says of the ticks.

    Notes
    -----
    It is the latest tick. But where ticks are so close that a usual delay reaches over the next one, it is the first
    tick that was due after the invocation before, unless that would make it later than is usual. An invocation less
    than ten seconds after another was not planned after it, so it is not early either.
    """
    latest = _find_latest(planned, invoked + tolerance)
    if not (is_close and len(invoked)):
        return latest
    before = np.append(planned[0] - MIN_GAP, invoked[:-1])
    first_due = np.minimum(np.searchsorted(planned, before + MIN_GAP), len(planned) - 1)
    is_usual = (planned[first_due] <= invoked + tolerance) & (invoked - planned[first_due] <= USUAL)
    is_again = invoked - before < MIN_GAP - tolerance
    by_time = np.where(is_again, np.searchsorted(planned, invoked, side="right") - 1, latest)
    return np.where(is_usual, first_due, by_time)


def _find_latest(planned: Int64, instants: Int64) -> Int64:
    """Find the latest tick at or before each instant, -1 for none; where all gaps are the same, that is a division."""
    if len(planned) > 1 and (planned[1:] - planned[:-1] == (gap := planned[1] - planned[0])).all():
        return np.asarray(np.clip((instants - planned[0]) // gap, -1, len(planned) - 1))
    return np.searchsorted(planned, instants, side="right") - 1


def apply_runs(answer: Int64, planned: Int64, invoked: Int64, runs: Int64, tolerance: int) -> Int64:
    """
    Let the runs that an invocation started say which tick it was for, where that is one of the plan's.

    Parameters
    ----------
    answer
        Tick of each invocation, by its time.
    planned, invoked
        Ticks and scheduled invocations, sorted. [ms]
    runs
        A row per run, by start: when it started, and the tick that it names. [ms]
    tolerance
        How far the platform's clock may run ahead. [ms]
    """
    if not (len(runs) and len(planned) and len(invoked)):
        return answer
    started, scheduled = runs.T
    tick = np.clip(np.searchsorted(planned, scheduled - tolerance), 0, len(planned) - 1)
    starter = _find_starters(invoked, started, scheduled)
    is_named = (starter >= 0) & (started <= invoked[starter] + RUN_AFTER)
    is_named &= (np.abs(planned[tick] - scheduled) <= tolerance) & (planned[tick] <= invoked[starter] + tolerance)
    starter, tick = starter[is_named], tick[is_named]
    named = answer.copy()
    named[starter] = tick
    is_moved, is_confirmed = np.zeros(len(answer), dtype=bool), np.zeros(len(answer), dtype=bool)
    is_moved[starter] = True
    is_confirmed[starter[answer[starter] == tick]] = True
    is_moved &= ~is_confirmed
    # A run that started late may seem to be the next invocation's: then its tick has an answer that no run explains.
    while (is_late := is_moved & np.isin(named, answer[~is_moved & ~is_confirmed])).any():
        is_moved &= ~is_late
    return np.where(is_moved, named, answer)


def _find_starters(invoked: Int64, started: Int64, scheduled: Int64) -> Int64:
    """
    Find the invocation that started each run: the last one before its start, another one for each tick.

    Where a queue drains, invocations follow each other faster than runs start; the runs' ticks tell them apart.
    """
    starter = np.searchsorted(invoked, started + RUN_BEFORE, side="right") - 1
    names, first, number = np.unique(scheduled, return_index=True, return_inverse=True)
    of_name = starter[first]  # runs are in order of their start, so that is the earliest
    place = np.arange(len(names))
    apart = np.minimum.accumulate((of_name - place)[::-1])[::-1] + place
    is_near = (apart >= 0) & (np.abs(invoked[np.maximum(apart, 0)] - invoked[of_name]) <= RUN_BEFORE)
    return np.where((number >= 0) & is_near[number], apart[number], starter)


def find_due(planned: Int64, rows: Int64, invoked: Int64, answer: Int64, *, is_close: bool) -> Mask:
    """
    Tell which ticks without an answer were due: not less than ten seconds after a start.

    Nor, where ticks are close, those before a start that is not unusually late for them: it was for one of them.

    Parameters
    ----------
    planned
        Planned ticks, sorted. [ms]
    rows
        Positions of those that nothing answered.
    invoked, answer
        Scheduled invocations, sorted [ms], and the position of the tick that each was for.
    is_close
        What `are_close` says of the ticks.
    """
    if not (len(rows) and len(invoked)):
        return np.ones(len(rows), dtype=bool)
    silent = planned[rows]
    before = np.searchsorted(invoked, silent, side="right") - 1
    is_due = (before < 0) | (silent - invoked[before] >= MIN_GAP)
    if not is_close:
        return np.asarray(is_due)
    after = np.minimum(before + 1, len(invoked) - 1)
    is_due &= (before + 1 == len(invoked)) | (invoked[after] - silent > USUAL)
    is_answer = answer >= 0
    promptest = int((invoked - planned[answer])[is_answer].min(initial=MIN_GAP))
    is_due[is_due] = _are_apart(silent[is_due], invoked, MIN_GAP + max(promptest, 0))
    return np.asarray(is_due)


def _are_apart(silent: Int64, invoked: Int64, gap: int) -> Mask:
    """Tell which silent ticks would have been due, had each been started as promptly as the promptest one."""
    instants = np.concatenate([invoked, silent])
    is_start = np.arange(len(instants)) < len(invoked)
    order = np.argsort(instants, kind="stable")
    kept = np.zeros(len(instants), dtype=bool)
    kept[order] = keep_spaced(instants[order], gap, is_start[order])
    return kept[len(invoked) :]
