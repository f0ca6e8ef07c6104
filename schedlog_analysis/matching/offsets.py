"""An offset is the constant by which the platform fires a macro such as @daily later than its text says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from schedlog_analysis._core.instants import MISSING, Int64
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.matching.definitions import Definition, previous_tick

MINUTE = 60_000


def settle(definition: Definition, invoked: Int64) -> Definition:
    """
    Shift the macros of a schedule by the offset at which the platform fires them, which it does not tell.

    Parameters
    ----------
    definition
        All versions known of one schedule.
    invoked
        Its scheduled invocations, sorted. [ms]

    Returns
    -------
    definition
        Same definition; each macro has an offset of its own where invocations or the next run known show one.

    Notes
    -----
    The next run known gives the offset exactly where the log agrees to a minute; else it is the median delay, in whole
    seconds. Offsets under a minute are not known to exist, so a schedule that answers within one is taken to have none.
    """
    macros = {version.cron for version in definition.versions if version.cron.is_macro}
    offsets = {cron: timedelta(milliseconds=_offset(cron, definition, invoked)) for cron in macros}
    if not any(offsets.values()):
        return definition
    versions = tuple(
        version._replace(cron=replace(version.cron, offset=offsets.get(version.cron, version.cron.offset)))
        for version in definition.versions
    )
    return replace(definition, versions=versions)


def _offset(cron: Cron, definition: Definition, invoked: Int64) -> int:
    """Estimate the offset of one macro in milliseconds, 0 where none is seen."""
    offset = _median_delay(cron, definition, invoked)
    if definition.next_run != MISSING and definition.current.cron == cron:
        told = definition.next_run - previous_tick(cron, definition.next_run + 1)
        offset = told if offset is None or abs(told - offset) < MINUTE else offset
    return offset if offset is not None and MINUTE <= offset <= cron.max_offset / timedelta(milliseconds=1) else 0


def _median_delay(cron: Cron, definition: Definition, invoked: Int64) -> int | None:
    """Measure how late the invocations of all versions with this macro were, in whole seconds."""
    is_its = np.zeros(len(invoked), dtype=bool)
    for version in definition.versions:
        if version.cron == cron:
            is_its |= (invoked >= version.begins) & (invoked < version.ends)
    its = invoked[is_its]
    if not len(its):
        return None
    nominal = cron.tick_ms(previous_tick(cron, int(its[0]) + 1), int(its[-1]) + 1)
    answer = np.searchsorted(nominal, its, side="right") - 1
    delays = (its - nominal[answer])[answer >= 0]
    return int(np.median(delays)) // 1000 * 1000 if len(delays) else None
