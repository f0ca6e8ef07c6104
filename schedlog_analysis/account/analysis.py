"""
An analysis is every table that a report is made of, for one period of one account.

It is the one place where the rooms meet: a log goes in, small tables come out, and every format of the report reads
those. The tables add up over parts of a fleet, so a fleet too large for one machine ends in the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self, Unpack

import pandas as pd

from schedlog_analysis.account.combine import combine, stack
from schedlog_analysis.account.options import Changes, Options, takes_options
from schedlog_analysis.account.part import Clock, Known, Part, Scope, make_parts, newest
from schedlog_analysis.account.sums import Sums
from schedlog_analysis.analysis.budget import require_objective
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import Fetches, Log, Runs, Schedules
from schedlog_analysis.sources.account import Source


@dataclass(frozen=True, repr=False)
class Analysis:
    """
    Every table that a report is made of.

    All but `ticks`, `invocations` and `failures` are small. Of a fleet too large for one machine, these three may be
    those of some schedules only: only pictures and the pages of single schedules are made of them.

    Attributes
    ----------
    period, previous
        What it is about, and what it is compared with; None where there is nothing to compare with.
    seen_until
        Until when the log of each schedule is known, by id.
    data_end
        Until when anything is known; None without any sign of life.
    policy, objective, grace
        What counted as up, down and not at all; which share shall be up (None if nobody said); what was late.
    schedules
        The newest definition of each schedule, see `schema.Schedules`.
    coverage, holes
        What the logs could show, see `schema.Coverage`, and the stretches that they could not, see `schema.Holes`.
    invocations, ticks
        Those of the period, see `schema.Invocations` and `schema.Ticks`.
    cadence
        See `schema.Cadence`.
    accounting, previous_accounting
        How many ticks counted as what, and why, see `accounting`.
    rates, previous_rates
        Error rate by schedule, see `schema.ErrorRates`.
    daily
        Error rate of all schedules together, by local day.
    clock
        Error rate of all schedules together, by local weekday and hour.
    clusters
        Failure clusters, with `n_previous` and `state` (new, ongoing, gone) if there is a previous period.
    failures
        Failed invocations of the period: schedule_id, invoked_at, cluster_id.
    trend, failures_by_schedule
        Their number n by cluster_id and local day (window_start, days without any left out), and by schedule_id and
        cluster_id.
    observed
        How many ticks of each schedule are known to be good or bad, and the first and the last, see `observe`.
    endings
        How the ticks of each schedule went last, see `endings`.
    incidents, previous_incidents, fleet_incidents
        Incidents that touch the period, see `schema.Incidents`, those that touch the previous one, and those of the
        period that several schedules share. Their `problem_id` says of which problem they are.
    problems, previous_problems
        Problems that touch the period, or the previous one, see `schema.Problems`; `n_now` of their ticks, which are
        `share` of all that were down, lie in the period.
    runs
        Runs of the period, see `schema.Runs`; empty if none were given.
    slo, burn_down
        How the objective was met, see `schema.Slo` and `schema.BurnDown`; None without an objective.
    funnel, outcomes, outcomes_by_schedule
        What became of the ticks and of the runs, see `schema.Funnel` and `schema.RunOutcomes`; None without runs.
    errors
        What went wrong, by id of the schedule; those schedules are in no table.
    """

    period: Period
    previous: Period | None
    policy: AccountingPolicy
    schedules: pd.DataFrame
    coverage: pd.DataFrame
    holes: pd.DataFrame
    invocations: pd.DataFrame
    ticks: pd.DataFrame
    cadence: pd.DataFrame
    accounting: pd.DataFrame
    previous_accounting: pd.DataFrame
    rates: pd.DataFrame
    previous_rates: pd.DataFrame
    daily: pd.DataFrame
    clock: pd.DataFrame
    clusters: pd.DataFrame
    failures: pd.DataFrame
    trend: pd.DataFrame
    failures_by_schedule: pd.DataFrame
    observed: pd.DataFrame
    endings: pd.DataFrame
    incidents: pd.DataFrame
    previous_incidents: pd.DataFrame
    fleet_incidents: pd.DataFrame
    problems: pd.DataFrame
    previous_problems: pd.DataFrame
    runs: pd.DataFrame = field(default_factory=Runs.empty)
    data_end: pd.Timestamp | None = None
    seen_until: pd.Series[pd.Timestamp] = field(default_factory=lambda: pd.Series(dtype="datetime64[ms, UTC]"))
    objective: float | None = None
    grace: str = "60s"
    slo: pd.DataFrame | None = None
    burn_down: pd.DataFrame | None = None
    funnel: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    outcomes_by_schedule: pd.DataFrame | None = None
    errors: dict[str, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.objective is not None:
            require_objective(self.objective)

    @classmethod
    @takes_options
    def build(
        cls,
        log: pd.DataFrame,
        schedules: pd.DataFrame | None = None,
        *,
        runs: pd.DataFrame | None = None,
        fetches: pd.DataFrame | None = None,
        options: Options | None = None,
        **changes: Unpack[Changes],
    ) -> Self:
        """
        Compute every table.

        Parameters
        ----------
        log
            Log of any number of schedules, see `schema.Log`.
        schedules, runs, fetches
            What else is known, see `schema.Schedules`, `schema.Runs` and `schema.Fetches`. Where there are
            definitions, a schedule without one was probably deleted: nothing is expected of it after its last entry.
        options
            What the analysis shall be like, see `Options`; those by default otherwise.
        changes
            Single options, which win: ``Analysis.build(log, period="2026-10", objective=0.995)``.

        Raises
        ------
        InputError
            If an argument cannot be read, or there is no schedule of that id.

        Examples
        --------
        >>> from schedlog_analysis import load_sample
        >>> sample = load_sample()
        >>> Analysis.build(sample.log, sample.schedules, period="2026-10")
        <Analysis of 14 schedules, October 2026>
        """
        chosen = Options.of(options, changes)
        account = _Account.of(log, schedules, runs, fetches, chosen.schedule_ids)
        clock = Clock.of(account.log, account.definitions, account.fetches, chosen.tz)
        scope = Scope.of(chosen, clock, has_runs=len(account.runs) > 0)
        made = make_parts(account.ids, account.make_part(scope))
        if made.errors and not made.parts:
            raise next(iter(made.errors.values()))
        sums = Sums()
        for part in made.parts:
            sums.add(part.sums)
        tables, failures = combine(made.parts, sums, scope, chosen.objective)
        details = {name: stack([part.details[name] for part in made.parts]) for name in made.parts[0].details}
        return cls(
            period=scope.period,
            previous=scope.previous,
            policy=scope.policy,
            schedules=newest(account.definitions),
            **tables,
            **details,
            failures=failures,
            data_end=clock.end,
            seen_until=clock.seen_until,
            objective=chosen.objective,
            grace=chosen.grace,
            errors=made.errors,
        )

    def __repr__(self) -> str:
        n = len(self.cadence)
        return f"<Analysis of {n:,} schedule{'' if n == 1 else 's'}, {self.period.name}>"


class _Account(NamedTuple):
    """The tables of one account, typed."""

    log: pd.DataFrame
    definitions: pd.DataFrame
    runs: pd.DataFrame
    fetches: pd.DataFrame | None

    @classmethod
    def of(
        cls,
        log: pd.DataFrame,
        schedules: pd.DataFrame | None,
        runs: pd.DataFrame | None,
        fetches: pd.DataFrame | None,
        wanted: Sequence[str],
    ) -> Self:
        """Check the tables, and keep the schedules that are wanted."""
        account = cls(
            Log.accept(log),
            Schedules.empty() if schedules is None else Schedules.accept(schedules),
            Runs.empty() if runs is None else Runs.accept(runs),
            None if fetches is None else Fetches.accept(fetches),
        )
        if not wanted:
            return account
        source = Source("the log and the definitions", account.log, account.definitions, fetches=account.fetches)
        return account.only(sorted(source.find_ids(wanted)))

    def only(self, ids: Sequence[str]) -> Self:
        """Keep some schedules."""

        def cut(table: pd.DataFrame) -> pd.DataFrame:
            return table[table["schedule_id"].isin(ids)].reset_index(drop=True)

        fetches = None if self.fetches is None else cut(self.fetches)
        return type(self)(cut(self.log), cut(self.definitions), cut(self.runs), fetches)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all schedules that anything is known of, sorted."""
        tables = [table for table in (self.log, self.definitions, self.fetches) if table is not None]
        return tuple(sorted(set().union(*(table["schedule_id"].astype("str").unique() for table in tables))))

    def make_part(self, scope: Scope) -> Callable[[Sequence[str]], Part]:
        """Give the function that makes the part of some of the schedules."""

        def make(ids: Sequence[str]) -> Part:
            some = self if len(ids) == len(self.ids) else self.only(ids)
            known = Known(some.definitions, some.fetches, some.runs, self.definitions)
            return Part.of(some.log, known, scope, with_details=True)

        return make
