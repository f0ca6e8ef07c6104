"""
A plan is what the definitions of a schedule say should have happened: its ticks.

A schedule may have several definitions over time (another cron, another zone, a pause); each tick follows the one that
was valid then. The first definition known is taken to hold from the schedule's creation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, encode, slices
from schedlog_analysis._core.instants import FOREVER, MISSING, Int64, to_ms
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import CronError, InputError

MIN_GAP = 10_000  # [ms] "If the schedule would fire sooner, its next run will be skipped", says Apify


class Version(NamedTuple):
    """One definition of a schedule and the time it was valid, in milliseconds."""

    cron: Cron
    is_enabled: bool
    begins: int
    ends: int
    modified: int


@dataclass(frozen=True)
class Definition:
    """All that is known of what one schedule was meant to do."""

    versions: tuple[Version, ...]
    next_run: int  # next tick at the time of fetching, MISSING if unknown [ms]
    last_run: int

    @property
    def created(self) -> int:
        """When nothing was due before, in milliseconds."""
        return self.versions[0].begins

    @property
    def current(self) -> Version:
        """The definition valid now."""
        return self.versions[-1]


class Plan(NamedTuple):
    """Ticks of one schedule, sorted, with what is known of each."""

    planned: Int64  # [ms]
    is_ambiguous: Mask  # exists under one reading of an unsettled rule only
    is_paused: Mask  # the schedule was disabled then


def definitions_by_id(schedules: pd.DataFrame) -> dict[str, Definition]:
    """
    Read the rows of `schedules` as one definition per schedule id.

    Raises
    ------
    CronError
        If an expression or a time zone makes no sense; the message names the schedule.
    InputError
        If two rows are the same version of a schedule.
    """
    if schedules.empty:
        return {}
    codes, ids = encode(schedules["schedule_id"])
    created, modified, next_run, last_run = (
        to_ms(schedules[name]) for name in ("created_at", "modified_at", "next_run_at", "last_run_at")
    )
    order = np.lexsort((modified, codes))
    codes, modified = codes[order], modified[order]
    is_again = (codes[1:] == codes[:-1]) & (modified[1:] == modified[:-1])
    if is_again.any():
        schedule_id = ids[codes[1:][is_again][0]]
        msg = f"Schedule {schedule_id!r} is defined twice with the same modified_at; expected each version once."
        raise InputError(msg)
    rows = schedules[["cron", "timezone", "is_enabled"]].iloc[order]
    columns = [*(rows[name].tolist() for name in rows), modified.tolist()]
    created, next_run, last_run = (values[order].tolist() for values in (created, next_run, last_run))
    found = {}
    for schedule_id, mine in zip(ids, slices(codes, len(ids)), strict=True):
        begins = [min(created[mine]), *columns[-1][mine][1:]]
        ends = [*begins[1:], FOREVER]
        versions = tuple(
            Version(_cron(schedule_id, cron, zone), bool(enabled), begin, end, changed)
            for cron, zone, enabled, changed, begin, end in zip(
                *(column[mine] for column in columns), begins, ends, strict=True
            )
        )
        found[schedule_id] = Definition(versions, next_run[mine.stop - 1], last_run[mine.stop - 1])
    return found


def plan(definition: Definition, start: int, end: int) -> Plan:
    """Plan the ticks of one schedule in ``[start, end)``, in milliseconds."""
    parts = []
    for version in definition.versions:
        begin, stop = max(start, version.begins), min(end, version.ends)
        if begin < stop:
            planned, is_ambiguous = version.cron.reading_ms(begin, stop, min_gap_ms=MIN_GAP)
            # Since when the first version known was disabled, if it is, nobody knows.
            is_paused = not version.is_enabled and version is not definition.versions[0]
            parts.append(Plan(planned, is_ambiguous, np.full(len(planned), is_paused)))
    if not parts:
        return Plan(np.empty(0, np.int64), np.empty(0, bool), np.empty(0, bool))
    return parts[0] if len(parts) == 1 else Plan(*map(np.concatenate, zip(*parts, strict=True)))


def previous_tick(cron: Cron, moment: int) -> int:
    """Give the last moment before another that an expression names, in milliseconds; `MISSING` if there is none."""
    before = cron.previous_ms(moment)
    return int(before[0]) if len(before) else MISSING


def _cron(schedule_id: str, expression: str, zone: str) -> Cron:
    try:
        return _known(expression, zone)
    except CronError as error:
        raise CronError(f"Schedule {schedule_id!r}: {error}") from error


_known = lru_cache(maxsize=4096)(Cron)  # many schedules share few crons, and each analysis of them asks again
