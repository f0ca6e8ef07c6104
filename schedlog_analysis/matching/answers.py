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


def find_latest(planned: Int64, instants: Int64) -> Int64:
    """
    Find the latest tick at or before each instant, -1 for none; where all gaps are the same, that is a division.

    Examples
    --------
    >>> find_latest(np.array([0, 10, 20]), np.array([-1, 0, 19, 50])).tolist()
    [-1, 0, 1, 2]
    """
    if len(planned) > 1 and (planned[1:] - planned[:-1] == (gap := planned[1] - planned[0])).all():
        return np.asarray(np.clip((instants - planned[0]) // gap, -1, len(planned) - 1))
    return np.searchsorted(planned, instants, side="right") - 1


def are_close(planned: Int64) -> bool:
    """Tell whether a usual delay may reach over the next tick."""
    return bool((planned[1:] - planned[:-1] <= USUAL + MIN_GAP).any())


def find_answers(planned: Int64, invoked: Int64, tolerance: int) -> Int64:
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

    Notes
    -----
    It is the latest tick. But where ticks are so close that a usual delay reaches over the next one, it is the first
    tick that was due after the invocation before, unless that would make it later than is usual. An invocation less
    than ten seconds after another was not planned after it, so it is not early either.
    """
    latest = find_latest(planned, invoked + tolerance)
    if not len(invoked) or not are_close(planned):
        return latest
    before = np.append(planned[0] - MIN_GAP, invoked[:-1])
    first_due = np.minimum(np.searchsorted(planned, before + MIN_GAP), len(planned) - 1)
    is_usual = (planned[first_due] <= invoked + tolerance) & (invoked - planned[first_due] <= USUAL)
    is_again = invoked - before < MIN_GAP - tolerance
    by_time = np.where(is_again, np.searchsorted(planned, invoked, side="right") - 1, latest)
    return np.where(is_usual, first_due, by_time)


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
    is_near = (apart >= 0) & (np.abs(invoked[apart] - invoked[of_name]) <= RUN_BEFORE)
    return np.where((number >= 0) & is_near[number], apart[number], starter)


def find_due(planned: Int64, is_answered: Mask, invoked: Int64, answer: Int64) -> Mask:
    """
    Tell which ticks were due: not those less than ten seconds after a start, nor those that a start came too late for.

    Parameters
    ----------
    planned
        Planned ticks, sorted. [ms]
    is_answered
        Which of them an invocation answered.
    invoked, answer
        Scheduled invocations, sorted [ms], and the position of the tick that each was for.
    """
    rows = np.flatnonzero(~is_answered)
    is_due = np.ones(len(planned), dtype=bool)
    if not len(rows):
        return is_due
    open_ = planned[rows]
    before = np.searchsorted(invoked, open_, side="right") - 1
    is_due[rows] = (before < 0) | (open_ - invoked[before] >= MIN_GAP) if len(invoked) else True
    if are_close(planned):
        after = np.minimum(before + 1, len(invoked) - 1)
        if len(invoked):
            is_overtaken = (before + 1 < len(invoked)) & (answer[after] < rows) & (answer[after] >= 0)
            is_due[rows[is_overtaken]] = False
        is_due &= is_answered | _keep_apart(planned, is_due & ~is_answered, invoked)
    return is_due


def _keep_apart(planned: Int64, is_silent: Mask, invoked: Int64) -> Mask:
    """Keep silent ticks as far apart as if each had been started just after its time."""
    instants = np.concatenate([invoked, planned[is_silent]])
    is_start = np.arange(len(instants)) < len(invoked)
    order = np.argsort(instants, kind="stable")
    kept = np.zeros(len(instants), dtype=bool)
    kept[order] = keep_spaced(instants[order], MIN_GAP + 1, is_start[order])
    found = is_silent.copy()
    found[is_silent] = kept[len(invoked) :]
    return found
