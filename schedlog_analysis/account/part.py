"""A part is what some whole schedules contribute to an analysis; an account is parts, combined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import pandas as pd

from schedlog_analysis._core.calendar import window_starts, zone
from schedlog_analysis._core.instants import to_ms
from schedlog_analysis.account.options import Options
from schedlog_analysis.account.sums import tally_durations, tally_moments
from schedlog_analysis.analysis.accounting import accounting
from schedlog_analysis.analysis.cadence import cadence
from schedlog_analysis.analysis.endings import endings
from schedlog_analysis.analysis.funnel import funnel, run_outcomes
from schedlog_analysis.analysis.incidents.incidents import find_incidents
from schedlog_analysis.analysis.incidents.reliability import observe
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.analysis.rates import error_rate
from schedlog_analysis.matching.invocations import invocations
from schedlog_analysis.matching.policy import AccountingPolicy, instants
from schedlog_analysis.matching.runs import join_runs
from schedlog_analysis.matching.seen_until import broken_clocks, seen_until
from schedlog_analysis.matching.ticks import ticks
from schedlog_analysis.schema import Holes
from schedlog_analysis.sources.coverage import covered, extent, find_holes

Tables = dict[str, pd.DataFrame]
MILLISECOND = pd.Timedelta(1, "ms")
NEVER = pd.Timestamp(0, unit="ms", tz="UTC")  # both bounds of an account without any sign of life
NO_ENTRIES = pd.Timedelta(days=31)  # how far back to look for ticks when there are no entries at all


class Clock(NamedTuple):
    """What the data of an account says of time: there is no other clock."""

    first: pd.Timestamp
    """Local day of the first entry."""
    end: pd.Timestamp | None
    """Until when anything is known of any schedule; None without any sign of life."""
    complete_until: pd.Timestamp
    """The same, or the midnight after it where nothing more was due that day: what decides which month is the last."""
    seen_until: pd.Series[pd.Timestamp]
    """Until when the log of each schedule is known, by id."""

    @classmethod
    def of(cls, log: pd.DataFrame, schedules: pd.DataFrame, fetches: pd.DataFrame | None, tz: str) -> Self:
        """Read the clock of an account."""
        seen = seen_until(log, schedules, fetches)
        is_believed = ~broken_clocks(log, schedules, fetches)
        entries = log.loc[is_believed.to_numpy(), "created_at"]
        end = max(
            (instant for instant in (seen.max(), entries.max() + MILLISECOND) if not pd.isna(instant)), default=None
        )
        if end is None:
            return cls(NEVER, None, NEVER, seen)
        first = entries.min() if len(entries) else end - NO_ENTRIES
        (start,) = window_starts(pd.DatetimeIndex([first]), "D", tz)
        return cls(start, end, _find_complete(end, schedules, tz), seen)

    @property
    def now(self) -> pd.Timestamp:
        """Until when anything is known, or never."""
        return self.end if self.end is not None else self.first


def _find_complete(end: pd.Timestamp, schedules: pd.DataFrame, tz: str) -> pd.Timestamp:
    """Give the midnight after the data's end, if nothing was due in between, else that end."""
    upcoming = newest(schedules)["next_run_at"]
    noon = pd.DatetimeIndex([end.tz_convert(zone(tz)).normalize() + pd.Timedelta(hours=36)])
    (midnight,) = window_starts(noon.tz_convert("UTC"), "D", tz)
    is_over = len(upcoming) > 0 and upcoming[upcoming >= end].min() >= midnight
    return midnight if is_over else end


class Scope(NamedTuple):
    """What is wanted of every part alike."""

    period: Period
    previous: Period | None
    since: pd.Timestamp
    policy: AccountingPolicy
    clock: Clock
    grace: str
    tolerance: str
    has_runs: bool

    @classmethod
    def of(cls, options: Options, clock: Clock, *, has_runs: bool) -> Self:
        """Apply options to the data that a clock is of."""
        return cls(
            *find_periods(options, clock),
            policy=options.policy,
            clock=clock,
            grace=options.grace,
            tolerance=options.tolerance,
            has_runs=has_runs,
        )


class Known(NamedTuple):
    """What is known of some schedules beside their log."""

    definitions: pd.DataFrame
    fetches: pd.DataFrame | None
    runs: pd.DataFrame
    everyone: pd.DataFrame
    """Definitions of the whole account: where there are any, a schedule without one was deleted."""


class Matched(NamedTuple):
    """What happened to some schedules, and what should have, from before the previous period on."""

    invocations: pd.DataFrame
    ticks: pd.DataFrame
    """Judged."""
    holes: pd.DataFrame
    coverage: pd.DataFrame

    @classmethod
    def of(cls, log: pd.DataFrame, known: Known, scope: Scope) -> Self:
        """Match a log with its plan."""
        inv = invocations(log, known.definitions, tolerance=scope.tolerance)
        reach = extent(log)
        holes = find_holes(reach, known.fetches)
        all_holes = _end_deleted(reach, holes, known.everyone)
        matched = ticks(
            inv,
            known.definitions,
            start=scope.since,
            end=scope.clock.now,
            seen_until=scope.clock.seen_until,
            holes=all_holes,
            runs=known.runs,
            grace=scope.grace,
            tolerance=scope.tolerance,
            policy=scope.policy,
        )
        return cls(inv, matched, all_holes, covered(reach, known.fetches, holes))

    def within(self, period: Period | None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give the invocations and the ticks of a period, by their plan or else by when they were invoked."""
        return _cut(self.invocations, period), _cut(self.ticks, period)


class Part(NamedTuple):
    """What some schedules contribute to an analysis."""

    tables: Tables
    """Tables that stand one after the other, each sorted by schedule; most of them as in `Analysis`."""
    sums: Tables
    """Tables that are added up, see `Sums`."""
    details: Tables
    """Single invocations, ticks, failures and runs, where they are wanted."""

    @classmethod
    def of(cls, log: pd.DataFrame, known: Known, scope: Scope, *, with_details: bool = False) -> Self:
        """Compute what some schedules contribute."""
        matched = Matched.of(log, known, scope)
        inv, now = matched.within(scope.period)
        earlier = _cut(matched.ticks, scope.previous)
        schedules = known.definitions if len(known.everyone) else None
        found, downs = find_incidents(
            matched.ticks,
            matched.invocations,
            scope.policy,
            schedules=schedules,
            seen_until={str(key): instant for key, instant in scope.clock.seen_until.items()},
        )
        tables = {
            "coverage": matched.coverage,
            "holes": matched.holes,
            "cadence": cadence(now, schedules),
            "accounting": accounting(now),
            "previous_accounting": accounting(earlier),
            "rates": error_rate(now, by="schedule_id"),
            "previous_rates": error_rate(earlier, by="schedule_id"),
            "observed": observe(now),
            "endings": endings(now),
            "incidents": found,
            "downs": downs,
        }
        sums = _count_windows(now, scope) | {"moments": tally_moments(matched.ticks)}
        runs = known.runs[scope.period.holds(known.runs["started_at"])].reset_index(drop=True)
        if scope.has_runs:
            starts = join_runs(matched.invocations, known.runs, known.definitions)
            own = starts[scope.period.holds(starts["invoked_at"].fillna(starts["started_at"]))].reset_index(drop=True)
            tables |= {"funnel": funnel(now, starts), "outcomes_by_schedule": run_outcomes(own, "schedule_id")}
            sums["durations"] = tally_durations(own)
        details = {"invocations": inv, "ticks": now, "runs": runs} if with_details else {}
        return cls(tables, sums, details)


def _end_deleted(reach: pd.DataFrame, holes: pd.DataFrame, schedules: pd.DataFrame) -> pd.DataFrame:
    """Add to the holes that a schedule without a definition, where there are any, ended with its last entry."""
    last = reach.loc[~reach.index.isin(schedules["schedule_id"]), "last_at"]
    if schedules.empty or last.empty:
        return holes
    after = {"schedule_id": last.index.astype("str"), "started_at": last.array + MILLISECOND, "ended_at": pd.NaT}
    both = pd.concat([holes, Holes.typed(pd.DataFrame(after))])
    return both.sort_values(
        ["schedule_id", "started_at"], na_position="first", ignore_index=True
    )  # as in parts that are put together


def _cut(table: pd.DataFrame, period: Period | None) -> pd.DataFrame:
    """Keep the rows of a period."""
    if period is None:
        return table.iloc[:0]
    start, end = to_ms(pd.DatetimeIndex([period.start, period.end]))
    at = instants(table)
    kept: pd.DataFrame = table[(at >= start) & (at < end)]
    return kept.reset_index(drop=True)


def touching(incidents: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Keep the incidents that touch a period."""
    touches = (incidents["started_at"] < period.end) & ~(incidents["ended_at"] <= period.start)
    return incidents.loc[touches.to_numpy()].reset_index(drop=True)


def _count_windows(now: pd.DataFrame, scope: Scope) -> Tables:
    """Count what was due and what was down by local day, and by weekday and hour."""
    by_day = error_rate(now, freq="D", tz=scope.period.tz)
    by_hour = error_rate(now, by=["weekday", "hour"], tz=scope.period.tz)
    return {
        "daily": by_day[["window_start", "n", "n_failed"]],
        "clock": by_hour[["weekday", "hour", "n", "n_failed"]],
    }


class Made(NamedTuple):
    """Parts in the order of the schedules, and what went wrong, by schedule."""

    parts: list[Part]
    errors: dict[str, Exception]


def make_parts(ids: Sequence[str], make: Callable[[Sequence[str]], Part]) -> Made:
    """
    Make the part of some schedules; where that fails, those of both halves, down to the schedule that fails.

    Parameters
    ----------
    ids
        Ids of the schedules, sorted.
    make
        Makes the part of some of them.

    Returns
    -------
    made
        One part where nothing fails. A schedule that cannot be analysed costs no other one.
    """
    try:
        return Made([make(ids)], {})
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the other schedules
        if len(ids) <= 1:
            return Made([], {ids[0]: error} if ids else {"": error})
    middle = len(ids) // 2
    first, second = (make_parts(half, make) for half in (ids[:middle], ids[middle:]))
    return Made(first.parts + second.parts, first.errors | second.errors)


def find_periods(options: Options, clock: Clock) -> tuple[Period, Period | None, pd.Timestamp]:
    """Read the period and what it is compared with, and since when both need ticks."""
    wanted = _read_period(options.period, clock, options.tz)
    before = _find_previous(options.previous, wanted, clock)
    return wanted, before, clock.first if before is None else min(clock.first, before.start)


def _read_period(given: str | Period, clock: Clock, tz: str) -> Period:
    if isinstance(given, Period):
        return given
    end = clock.complete_until if given.startswith("last-") else clock.now
    return Period.parse(given, clock.first, end, tz)


def _find_previous(given: str | Period | None, period: Period, clock: Clock) -> Period | None:
    if given is not None:
        return _read_period(given, clock, period.tz)
    if period.end <= period.start:
        return None
    before = period.previous()
    return before if before.end > clock.first else None


def newest(schedules: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest definition of each schedule."""
    ordered = schedules.sort_values(["schedule_id", "modified_at"])
    return ordered.drop_duplicates("schedule_id", keep="last").reset_index(drop=True)
