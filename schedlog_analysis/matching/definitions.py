"""
A definition says what a schedule was meant to do; it may have changed, and each tick follows the version valid then.

A version holds from the moment it was saved. What was due before the first one known is not known from it: there only
the log itself can show something (`earlier`). While a schedule is switched off nothing is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, encode, slices
from schedlog_analysis._core.instants import FOREVER, MISSING, Floats, Int64, to_ms
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import CronError, InputError
from schedlog_analysis.schema import Holes, Schedules

MIN_GAP = 10_000  # [ms] "If the schedule would fire sooner, its next run will be skipped", says Apify

Stretch = tuple[int, int]
"""Half-open, in milliseconds."""


class Version(NamedTuple):
    """One definition of a schedule and the time it was valid, in milliseconds."""

    cron: Cron
    is_enabled: bool
    begins: int
    ends: int
    modified: int
    doubts: tuple[Stretch, ...] = ()
    """Stretches in which silence is no miss, as it is not known that this version was valid."""
    is_guess: bool = False
    """Whether it is only assumed, against what the log shows: then it explains what was on time, and nothing else."""
    uncertainty: int = 0
    """How much later the ticks may truly be, where the offset of a macro is not known. [ms]"""


@dataclass(frozen=True)
class Definition:
    """All that is known of what one schedule was meant to do."""

    versions: tuple[Version, ...]
    next_run: int  # next tick at the time of fetching, MISSING if unknown [ms]
    last_run: int  # when the last scheduled invocation began, by then

    @property
    def created(self) -> int:
        """When nothing was due before, in milliseconds."""
        return self.versions[0].begins

    @property
    def current(self) -> Version:
        """The definition valid now."""
        return self.versions[-1]

    def span(self) -> int:
        """Give a time that likely holds a tick of the most frequent version, in milliseconds."""
        return min(version.cron.span_ms() for version in self.versions)


class Plan(NamedTuple):
    """Ticks of one schedule, sorted, with what is known of each."""

    planned: Int64  # [ms]
    is_ambiguous: Mask  # exists under one reading of an unsettled rule only
    version: Int64  # position of the version that it follows


def definitions_by_id(schedules: pd.DataFrame) -> dict[str, Definition]:
    """
    Read the rows of `schedules` as one definition per schedule id.

    The first version known is taken to hold from the schedule's creation; `earlier` puts that right.

    Raises
    ------
    CronError
        If an expression or a time zone makes no sense; the message names the schedule.
    InputError
        If two rows are the same version of a schedule.
    """
    if schedules.empty:
        return {}
    rows = schedules.sort_values(["schedule_id", "modified_at"], kind="stable")
    codes, ids = encode(rows["schedule_id"])
    created, modified, next_run, last_run = (
        to_ms(rows[name]).tolist() for name in ("created_at", "modified_at", "next_run_at", "last_run_at")
    )
    cron, zone, is_enabled = (rows[name].tolist() for name in ("cron", "timezone", "is_enabled"))
    found = {}
    for schedule_id, of_it in zip(ids, slices(codes, len(ids)), strict=True):
        begins = [min(created[of_it]), *modified[of_it][1:]]
        if len(set(modified[of_it])) < len(begins):
            msg = f"Schedule {schedule_id!r} is defined twice with the same modified_at; expected each version once."
            raise InputError(msg)
        versions = tuple(
            Version(_read_cron(schedule_id, cron[row], zone[row]), bool(is_enabled[row]), begin, end, modified[row])
            for row, begin, end in zip(range(of_it.start, of_it.stop), begins, [*begins[1:], FOREVER], strict=True)
        )
        found[schedule_id] = Definition(versions, next_run[of_it.stop - 1], last_run[of_it.stop - 1])
    return found


def plan(definition: Definition, start: int, end: int) -> Plan:
    """
    Plan the ticks of one schedule in ``[start, end)``, in milliseconds; none while it is switched off.

    Of ticks closer than ten seconds all are planned: which of them are due depends on when invocations started.
    """
    parts = []
    for number, version in enumerate(definition.versions):
        begin, stop = max(start, version.begins), min(end, version.ends)
        if version.is_enabled and begin < stop:
            planned, is_ambiguous = version.cron.reading_ms(begin, stop)
            parts.append(Plan(planned, is_ambiguous, np.full(len(planned), number)))
    if not parts:
        return Plan(np.empty(0, np.int64), np.empty(0, bool), np.empty(0, np.int64))
    return parts[0] if len(parts) == 1 else Plan(*map(np.concatenate, zip(*parts, strict=True)))


def previous_tick(cron: Cron, instant: int) -> int:
    """Give the last instant before another that an expression names, in milliseconds; `MISSING` if there is none."""
    before = cron.previous_ms(instant)
    return int(before[0]) if len(before) else MISSING


def switched_off(schedules: pd.DataFrame) -> pd.DataFrame:
    """
    List the stretches in which a schedule is known to have been switched off, and nothing of it was due.

    Parameters
    ----------
    schedules
        Definitions, all versions known, see `schema.Schedules`.

    Returns
    -------
    stretches
        One row per stretch, see `schema.Holes`: from the version that switched it off to the one that switched it on
        again, which is missing while it is off. Empty if none was.

    Examples
    --------
    >>> switched_off(Schedules.empty()).columns.tolist()
    ['schedule_id', 'started_at', 'ended_at']
    """
    rows = Schedules.accept(schedules).sort_values(["schedule_id", "modified_at"], kind="stable")
    ids = rows["schedule_id"].astype("str")
    is_on = rows["is_enabled"].astype(bool)
    began_on = is_on.groupby(ids).shift(fill_value=True)
    switched = rows[(is_on != began_on).to_numpy()]
    off = ~switched["is_enabled"].to_numpy(dtype=bool)
    ended = switched.groupby(switched["schedule_id"].astype("str"))["modified_at"].shift(-1)
    table = {"schedule_id": switched["schedule_id"], "started_at": switched["modified_at"], "ended_at": ended}
    return Holes.typed(pd.DataFrame(table)[off].reset_index(drop=True))


def count_actions(schedules: pd.DataFrame | None, ids: pd.Index[Any], codes: Int64, instants: Int64) -> Floats:
    """
    Count the actions that schedules had at given instants: by the last version saved before, else by the first known.

    Parameters
    ----------
    schedules
        Definitions, all versions known; None if there are none.
    ids
        Ids of the schedules.
    codes, instants
        Of each row, the position of its schedule in `ids`, and when [ms].

    Returns
    -------
    n_actions
        NaN where it is not known.
    """
    if schedules is None or not len(codes):
        return np.full(len(codes), np.nan)
    owner = ids.get_indexer(pd.Index(schedules["schedule_id"], dtype="str"))
    n_actions = schedules["n_actions"].to_numpy(dtype=np.float64, na_value=np.nan)
    versions = pd.DataFrame({"code": owner, "at": to_ms(schedules["modified_at"]), "n_actions": n_actions})
    versions = versions[owner >= 0].dropna().sort_values(["at", "n_actions"])
    wanted = pd.DataFrame({"code": codes, "at": instants}).sort_values("at", kind="stable")
    found = np.full(len(codes), np.nan)
    for direction in ("forward", "backward"):
        joined = pd.merge_asof(wanted, versions, on="at", by="code", direction=direction)["n_actions"].to_numpy()
        rows = wanted.index.to_numpy()
        found[rows] = np.where(np.isnan(joined), found[rows], joined)
    return found


def _read_cron(schedule_id: str, expression: str, zone: str) -> Cron:
    try:
        return _known(expression, zone)
    except CronError as error:
        raise CronError(f"Schedule {schedule_id!r}: {error}") from error


_known = lru_cache(maxsize=4096)(Cron)  # many schedules share few crons, and each analysis reads them again
