"""
An analysis is every table that a report is made of, for one period of one account.

It is the one place where the rooms meet: a log goes in, small tables come out, and every format of the report reads
those. The tables add up over parts of a fleet, so a fleet too large for one machine ends in the same object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import among, encode
from schedlog_analysis._core.calendar import window_starts
from schedlog_analysis._core.instants import to_ms
from schedlog_analysis.analysis.budget import burn_down, require_objective
from schedlog_analysis.analysis.cadence import cadence
from schedlog_analysis.analysis.failures.clusters import failure_clusters, label_messages
from schedlog_analysis.analysis.funnel import funnel, run_outcomes
from schedlog_analysis.analysis.incidents.incidents import fleet_incidents, incidents
from schedlog_analysis.analysis.incidents.reliability import observe
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.analysis.rates import error_rate
from schedlog_analysis.analysis.slo import slo
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.invocations import invocations
from schedlog_analysis.matching.policy import VERDICTS, AccountingPolicy, moments
from schedlog_analysis.matching.runs import join_runs
from schedlog_analysis.matching.ticks import ticks
from schedlog_analysis.schema import NOT_STARTED, OUTCOMES, STATUSES, Holes, Log, Runs, Schedules, Ticks
from schedlog_analysis.sources.coverage import covered, data_end, extent, unseen

NEVER = pd.Timestamp(0, unit="ms", tz="UTC")  # both bounds of an account without any sign of life
MOMENT = pd.Timedelta(1, "ms")
BLIND_SPAN = pd.Timedelta(days=31)  # how far back to look for ticks when there are no entries at all


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
        How many ticks counted how, see `accounting`.
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
    incidents, previous_incidents, fleet_incidents
        Incidents that touch the period, see `schema.Incidents`, those that touch the previous one, and those of the
        period that several schedules share.
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
    incidents: pd.DataFrame
    previous_incidents: pd.DataFrame
    fleet_incidents: pd.DataFrame
    runs: pd.DataFrame = field(default_factory=Runs.empty)
    data_end: pd.Timestamp | None = None
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
    def build(  # noqa: PLR0913 - the options of a report, all but the log by keyword
        cls,
        log: pd.DataFrame,
        schedules: pd.DataFrame | None = None,
        *,
        runs: pd.DataFrame | None = None,
        fetches: pd.DataFrame | None = None,
        period: str | Period = "all",
        previous: str | Period | None = None,
        tz: str = "UTC",
        policy: AccountingPolicy | None = None,
        objective: float | None = None,
        grace: str = "60s",
        schedule_ids: Iterable[str] | None = None,
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
        period
            What to analyse, see `Period.parse`.
        previous
            What to compare with; by default the comparable period before, where there is data of it.
        tz
            Time zone of the calendar.
        policy
            What counts; by default `AccountingPolicy()`.
        objective
            Share of ticks that shall be up, such as 0.995. [0..1]
        grace
            Delay up to which a tick is on time, see `ticks`.
        schedule_ids
            Schedules to analyse; by default all.

        Raises
        ------
        InputError
            If an argument cannot be read, or there is no schedule of that id.

        Examples
        --------
        >>> from schedlog_analysis import load_sample
        >>> sample = load_sample()
        >>> Analysis.build(sample.log, sample.schedules, period="2026-10")
        <Analysis of 13 schedules, October 2026>
        """
        log, definitions = Log.accept(log), Schedules.empty() if schedules is None else Schedules.accept(schedules)
        if schedule_ids is not None:
            log, definitions, runs, fetches = _only(list(schedule_ids), log, definitions, runs, fetches)
        first, end = _extent(log, definitions, tz)
        asked, before, since = _spans(period, previous, first, end or first, tz)
        policy = policy or AccountingPolicy()

        told = invocations(log, definitions)
        seen = extent(log)
        gaps = unseen(seen, fetches)
        blind = _blind(seen, gaps, definitions)
        matched = ticks(told, definitions, start=since, end=end or first, holes=blind, runs=runs, grace=grace)
        now, earlier = (_within(matched, one) for one in (asked, before))
        told_now, told_before = (_within(told, one) for one in (asked, before))
        found = incidents(matched, told)
        touching = _touching(found, asked)
        ran = Runs.empty() if runs is None else Runs.accept(runs)
        return cls(
            period=asked,
            previous=before,
            policy=policy,
            schedules=_newest(definitions),
            coverage=covered(seen, fetches, gaps),
            holes=blind,
            invocations=told_now,
            ticks=now,
            cadence=cadence(now, definitions if len(definitions) else None),
            clusters=failure_clusters(told_now, told_before if before else None),
            observed=observe(now),
            incidents=touching,
            previous_incidents=_touching(found, before) if before else found.iloc[:0],
            fleet_incidents=fleet_incidents(touching),
            runs=ran[asked.holds(ran["started_at"])].reset_index(drop=True),
            data_end=end,
            objective=objective,
            grace=grace,
            **_failures(told_now, told_before, asked.tz),
            **_counts(now, earlier, asked.tz, policy),
            **_objective_tables(now, objective, asked, policy),
            **_run_tables(now, told_now, ran, definitions, policy),
        )

    def __repr__(self) -> str:
        n = len(self.cadence)
        return f"<Analysis of {n:,} schedule{'' if n == 1 else 's'}, {self.period.name}>"


def accounting(ticks: pd.DataFrame, policy: AccountingPolicy | None = None) -> pd.DataFrame:
    """
    Count how many ticks of each schedule had which status and outcome, and what the policy took them for.

    Parameters
    ----------
    ticks
        Ticks of any number of schedules, see `schema.Ticks`.
    policy
        What counts; by default `AccountingPolicy()`.

    Returns
    -------
    accounting
        schedule_id, status, outcome (missing where nothing was invoked), verdict (up, down, left out) and n. Sorted;
        combinations that did not occur are not there. Empty without ticks.

    Examples
    --------
    >>> accounting(Ticks.empty()).columns.tolist()
    ['schedule_id', 'status', 'outcome', 'verdict', 'n']
    """
    table = Ticks.accept(ticks)
    code, ids = encode(table["schedule_id"])
    status, outcome = (table[name].cat.codes.to_numpy() for name in ("status", "outcome"))
    verdict = (policy or AccountingPolicy()).judge(table)
    shape = (len(ids), len(STATUSES), len(OUTCOMES) + 1, len(VERDICTS))
    # A missing outcome sorts last, as in every table. What is not the schedule has few values, which fit in a byte.
    last = (status * np.int8(shape[2]) + np.where(outcome < 0, np.int8(len(OUTCOMES)), outcome)) * np.int8(shape[3])
    n = np.bincount(code * int(np.prod(shape[1:])) + (last + verdict), minlength=int(np.prod(shape)))
    (found,) = np.nonzero(n)
    codes, statuses, outcomes, verdicts = np.unravel_index(found, shape)
    return pd.DataFrame(
        {
            "schedule_id": pd.Series(ids.astype("str").take(codes), dtype="str"),
            "status": pd.Categorical.from_codes(statuses, categories=pd.Index(STATUSES, dtype="str")),
            "outcome": pd.Categorical.from_codes(
                np.where(outcomes < len(OUTCOMES), outcomes, -1), categories=pd.Index(OUTCOMES, dtype="str")
            ),
            "verdict": pd.Categorical.from_codes(verdicts, categories=pd.Index(VERDICTS, dtype="str")),
            "n": n[found],
        }
    )


def _counts(now: pd.DataFrame, earlier: pd.DataFrame, tz: str, policy: AccountingPolicy) -> dict[str, Any]:
    return {
        "accounting": accounting(now, policy),
        "previous_accounting": accounting(earlier, policy),
        "rates": error_rate(now, by="schedule_id", policy=policy),
        "previous_rates": error_rate(earlier, by="schedule_id", policy=policy),
        "daily": error_rate(now, freq="D", tz=tz, policy=policy),
        "clock": error_rate(now, by=["weekday", "hour"], tz=tz, policy=policy),
    }


def _objective_tables(
    now: pd.DataFrame, objective: float | None, period: Period, policy: AccountingPolicy
) -> dict[str, Any]:
    if objective is None or now.empty:
        return {}
    options: dict[str, Any] = {"tz": period.tz, "policy": policy}
    return {"slo": slo(now, objective, pace="7D", **options), "burn_down": burn_down(now, objective, **options)}


def _run_tables(
    now: pd.DataFrame, told: pd.DataFrame, runs: pd.DataFrame, schedules: pd.DataFrame, policy: AccountingPolicy
) -> dict[str, Any]:
    if runs.empty:
        return {}
    starts = join_runs(told, runs, schedules)
    by_schedule = run_outcomes(starts, "schedule_id")
    return {
        "funnel": funnel(now, starts, policy=policy),
        "outcomes": run_outcomes(starts),
        "outcomes_by_schedule": by_schedule,
    }


def _only(
    wanted: list[str],
    log: pd.DataFrame,
    schedules: pd.DataFrame,
    runs: pd.DataFrame | None,
    fetches: pd.DataFrame | None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]:
    """Keep some schedules."""
    known = {*log["schedule_id"].astype("str"), *schedules["schedule_id"].astype("str")}
    lost = sorted(set(wanted) - known)
    if lost:
        raise InputError(f"There is no schedule {lost[0]!r}; expected ids of the log or of the definitions.")
    tables = (None if one is None else one[one["schedule_id"].isin(wanted)] for one in (log, schedules, runs, fetches))
    kept_log, kept_schedules, kept_runs, kept_fetches = (
        None if one is None else one.reset_index(drop=True) for one in tables
    )
    return kept_log, kept_schedules, kept_runs, kept_fetches  # type: ignore[return-value]  # the first two were given


def _extent(log: pd.DataFrame, schedules: pd.DataFrame, tz: str) -> tuple[pd.Timestamp, pd.Timestamp | None]:
    """Where the data begins and ends: from the local day of the first entry to the last sign of life, if any."""
    end = data_end(log, schedules)
    if end is None:
        return NEVER, None
    first = log["created_at"].min() if len(log) else end - BLIND_SPAN
    (start,) = window_starts(pd.DatetimeIndex([first]), "D", tz)
    return start, end


def _spans(
    period: str | Period, previous: str | Period | None, first: pd.Timestamp, end: pd.Timestamp, tz: str
) -> tuple[Period, Period | None, pd.Timestamp]:
    """Read what is asked for and what it is compared with, and since when both need ticks."""
    asked = period if isinstance(period, Period) else Period.parse(period, first, end, tz)
    before = _previous(previous, asked, first, end)
    return asked, before, first if before is None else min(first, before.start)


def _previous(given: str | Period | None, period: Period, first: pd.Timestamp, end: pd.Timestamp) -> Period | None:
    if isinstance(given, Period):
        return given
    if given is not None:
        return Period.parse(given, first, end, period.tz)
    if period.end <= period.start:
        return None
    before = period.previous()
    return before if before.end > first else None


def _blind(seen: pd.DataFrame, gaps: pd.DataFrame, schedules: pd.DataFrame) -> pd.DataFrame:
    """Add to the holes that a schedule without a definition, where there are any, ended with its last entry."""
    last = seen.loc[~seen.index.isin(schedules["schedule_id"]), "last_at"]
    if schedules.empty or last.empty:
        return gaps
    after = {"schedule_id": last.index.astype("str"), "started_at": last.array + MOMENT, "ended_at": pd.NaT}
    return pd.concat([gaps, Holes.typed(pd.DataFrame(after))], ignore_index=True)


def _within(table: pd.DataFrame, period: Period | None) -> pd.DataFrame:
    """Keep the ticks or invocations of a period: by their plan, or their moment where nothing was planned."""
    if period is None:
        return table.iloc[:0]
    start, end = to_ms(pd.DatetimeIndex([period.start, period.end]))
    when = moments(table)
    kept: pd.DataFrame = table[(when >= start) & (when < end)]
    return kept.reset_index(drop=True)


def _touching(found: pd.DataFrame, period: Period) -> pd.DataFrame:
    touches = (found["started_at"] < period.end) & ~(found["ended_at"] <= period.start)
    return found.loc[touches.to_numpy()].reset_index(drop=True)


def _failures(now: pd.DataFrame, before: pd.DataFrame, tz: str) -> dict[str, Any]:
    """Name the cluster of each failed invocation, as `failure_clusters` does for both periods together, and count."""
    failed, earlier = (one[among(one["outcome"], NOT_STARTED)] for one in (now, before))
    texts = failed["message"].astype("str").fillna("")
    messages = pd.Index(texts).union(pd.Index(earlier["message"].astype("str").fillna(""))).unique()
    labels = label_messages(messages)["cluster_id"].astype("str")
    row = messages.get_indexer(pd.Index(texts))
    table = failed[["schedule_id", "invoked_at"]].reset_index(drop=True)
    table = table.assign(cluster_id=labels.to_numpy()[row]).astype({"schedule_id": "str", "cluster_id": "str"})
    by_day = table.assign(window_start=window_starts(pd.DatetimeIndex(table["invoked_at"]), "D", tz), n=1)
    return {
        "failures": table,
        "trend": _total(by_day, ["cluster_id", "window_start"]),
        "failures_by_schedule": _total(by_day, ["schedule_id", "cluster_id"]),
    }


def _total(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add up n by some keys."""
    total: pd.DataFrame = counts.groupby(keys, observed=True)["n"].sum().reset_index()
    return total


def _newest(schedules: pd.DataFrame) -> pd.DataFrame:
    ordered = schedules.sort_values(["schedule_id", "modified_at"])
    return ordered.drop_duplicates("schedule_id", keep="last").reset_index(drop=True)
