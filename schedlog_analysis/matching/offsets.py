"""
An offset is the constant by which the platform fires a macro such as @daily later than its text says.

It is fixed for each schedule and lies on a grid, so it is never a mean of delays: the next run known tells it exactly,
so do runs that name their tick; else it is the last point of the grid before the promptest starts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import exp
from typing import Final, NamedTuple

import numpy as np

from schedlog_analysis._core.instants import MISSING, Int64
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.matching.definitions import Definition, Version, previous_tick

SECOND: Final = 1_000
STEPS: Final = {"@hourly": 10 * SECOND, "@daily": 30 * SECOND, "@weekly": 60 * SECOND}
LONG_STEP: Final = 600 * SECOND  # of months and years
USUAL: Final = 60 * SECOND  # how late a start may be without being odd
EARLY: Final = SECOND  # how far the platform's clock may run ahead
DOUBT: Final = 0.01  # chance of another point of the grid from which on the log does not tell


class Offset(NamedTuple):
    """The offset of one macro of one schedule, in milliseconds."""

    value: int
    uncertainty: int = 0
    """How much greater it may be, or less: 0 where it is known."""


def settle(definition: Definition, invoked: Int64, scheduled: Int64) -> Definition:
    """
    Shift the macros of a schedule by the offset at which the platform fires them.

    Parameters
    ----------
    definition
        All versions known of one schedule.
    invoked
        Its scheduled invocations, sorted. [ms]
    scheduled
        Ticks that its runs name, in any order. [ms]

    Returns
    -------
    definition
        Same definition; each macro has an offset of its own, and `uncertainty` where the log cannot tell it.
    """
    macros = {version.cron for version in definition.versions if version.cron.is_macro and not version.cron.offset}
    if not macros:
        return definition
    offsets = {cron: _find_offset(cron, definition, invoked, scheduled) for cron in macros}
    return replace(definition, versions=tuple(_shift(version, offsets) for version in definition.versions))


def _shift(version: Version, offsets: dict[Cron, Offset]) -> Version:
    if version.cron not in offsets:
        return version
    offset = offsets[version.cron]
    cron = replace(version.cron, offset=timedelta(milliseconds=offset.value))
    # A first tick that is truly a little sooner was not due: it lay before the version.
    doubts = ((version.begins, version.begins + USUAL),) if offset.uncertainty else ()
    return version._replace(cron=cron, uncertainty=offset.uncertainty, doubts=(*version.doubts, *doubts))


def _find_offset(cron: Cron, definition: Definition, invoked: Int64, scheduled: Int64) -> Offset:
    """Take the best witness there is: the next run, then runs, then starts."""
    if definition.next_run != MISSING and definition.current.cron == cron:
        offset = definition.next_run - previous_tick(cron, definition.next_run + 1)
        if _is_possible(cron, np.array([offset]))[0]:
            return Offset(offset)
    named = _delays(cron, _of_cron(cron, definition, scheduled))
    if len(named := named[_is_possible(cron, named)]):
        values, n = np.unique(named, return_counts=True)
        return Offset(int(values[np.argmax(n)]))
    delays = _delays(cron, _of_cron(cron, definition, invoked) + EARLY) - EARLY
    return _fit_grid(cron, delays[_is_possible(cron, delays + EARLY)])


def _bounds(cron: Cron) -> tuple[int, int]:
    return cron.min_offset // timedelta(milliseconds=1), cron.max_offset // timedelta(milliseconds=1)


def _is_possible(cron: Cron, offsets: Int64) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    least, most = _bounds(cron)
    return (offsets >= least) & (offsets <= most + USUAL)


def _of_cron(cron: Cron, definition: Definition, instants: Int64) -> Int64:
    """Take the instants at which a version with this macro was valid; before it was saved if there are no others."""
    is_valid, is_sure = np.zeros(len(instants), dtype=bool), np.zeros(len(instants), dtype=bool)
    for version in definition.versions:
        if version.cron == cron:
            is_valid |= (instants >= version.begins) & (instants < version.ends)
            is_sure |= (instants >= max(version.begins, version.modified)) & (instants < version.ends)
    return instants[is_sure if is_sure.any() else is_valid]


def _delays(cron: Cron, instants: Int64) -> Int64:
    """Measure how long after the macro's own time each instant is."""
    if not len(instants):
        return instants
    first, last = int(instants.min()), int(instants.max())
    nominal = cron.tick_ms(previous_tick(cron, first + 1), last + 1)
    return np.asarray(instants - nominal[np.searchsorted(nominal, instants, side="right") - 1])


def _fit_grid(cron: Cron, delays: Int64) -> Offset:
    """
    Find the last point of the grid before the promptest starts.

    Most starts are at most a minute late: the minute that holds most of them shows where they begin. Others, hours
    late, count in no way. A few starts just before a point are a clock that runs ahead, where many more follow it.
    """
    least, most = _bounds(cron)
    if not len(delays):
        return Offset(least, most - least)
    step = STEPS.get(cron.expression, LONG_STEP)
    usual = take_usual(np.sort(delays))
    point = least + max(int(usual[0]) - least, 0) // step * step
    n_early = int(np.searchsorted(usual, point + step))
    if usual[0] >= point + step - EARLY and n_early < len(usual) / 20:
        point += step
    return Offset(min(point, most), USUAL if _is_open(usual, step) else 0)


def take_usual(delays: Int64) -> Int64:
    """
    Take those of some sorted delays that lie in the minute that holds most of them.

    Examples
    --------
    >>> take_usual(np.array([7_000, 240_000, 250_000, 299_000, 900_000])).tolist()
    [240000, 250000, 299000]
    """
    n = np.searchsorted(delays, delays + USUAL, side="right") - np.arange(len(delays))
    begin = int(np.argmax(n))
    return delays[begin : begin + int(n[begin])]


def _is_open(usual: Int64, step: int) -> bool:
    """Tell whether all of these starts may have been later by a step, as they are few and spread widely."""
    n = len(usual)
    width = (int(usual[-1]) - int(usual[0])) * (n + 1) / (n - 1) if n > 1 else USUAL
    return step < USUAL and exp(-n * step / max(width, 1)) > DOUBT
