"""A share is what one batch of whole schedules contributes to an analysis; shares add up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import among
from schedlog_analysis.account.analysis import _blind, _touching, _within, accounting
from schedlog_analysis.account.sums import tally_durations, tally_moments
from schedlog_analysis.account.tallies import tally_days, tally_failures
from schedlog_analysis.analysis.cadence import cadence
from schedlog_analysis.analysis.funnel import funnel, run_outcomes
from schedlog_analysis.analysis.incidents.incidents import find_incidents
from schedlog_analysis.analysis.incidents.reliability import observe
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.analysis.rates import error_rate
from schedlog_analysis.matching.invocations import invocations
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.matching.runs import join_runs
from schedlog_analysis.matching.ticks import ticks
from schedlog_analysis.schema import NOT_STARTED
from schedlog_analysis.sources.coverage import covered, extent, find_holes

Tables = dict[str, pd.DataFrame]


class Question(NamedTuple):
    """What is asked of every batch alike."""

    period: Period
    previous: Period | None
    policy: AccountingPolicy
    since: pd.Timestamp
    end: pd.Timestamp
    grace: str
    has_objective: bool
    has_runs: bool


class Known(NamedTuple):
    """What is known of some schedules beside their log."""

    definitions: pd.DataFrame
    fetches: pd.DataFrame
    runs: pd.DataFrame
    everyone: pd.DataFrame
    """Definitions of the whole fleet: where there are any, a schedule without one was deleted."""


class Matched(NamedTuple):
    """What happened to some schedules, and what should have, from before the previous period on."""

    told: pd.DataFrame
    ticks: pd.DataFrame
    holes: pd.DataFrame
    ended: pd.DataFrame
    coverage: pd.DataFrame

    @classmethod
    def of(cls, log: pd.DataFrame, known: Known, asked: Question) -> Matched:
        """Match a log with its plan, as `Analysis.build` does."""
        told = invocations(log, known.definitions)
        seen = extent(log)
        gaps = find_holes(seen, known.fetches)
        blind = _blind(seen, gaps, known.everyone)
        matched = ticks(
            told,
            known.definitions,
            start=asked.since,
            end=asked.end,
            holes=blind,
            runs=known.runs,
            grace=asked.grace,
        )
        return cls(told, matched, gaps, blind.iloc[len(gaps) :], covered(seen, known.fetches, gaps))

    def within(self, period: Period | None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give the invocations and the ticks of a period."""
        return _within(self.told, period), _within(self.ticks, period)


class Share(NamedTuple):
    """What some schedules contribute to an analysis."""

    tables: Tables
    """Tables that stand one after the other, each sorted by schedule; most of them as in `Analysis`."""
    counts: Tables
    """Tables that are summed, see `Sums`."""

    @classmethod
    def of(cls, log: pd.DataFrame, known: Known, asked: Question) -> Share:
        """Compute what some schedules contribute."""
        matched = Matched.of(log, known, asked)
        (told, now), (told_before, earlier) = (matched.within(one) for one in (asked.period, asked.previous))
        policy = asked.policy
        tables = {
            "coverage": matched.coverage,
            "holes": matched.holes,
            "ended": matched.ended,
            "cadence": cadence(now, known.definitions),
            "accounting": accounting(now, policy),
            "previous_accounting": accounting(earlier, policy),
            "rates": error_rate(now, by="schedule_id", policy=policy),
            "previous_rates": error_rate(earlier, by="schedule_id", policy=policy),
            "failures": tally_failures(told),
            "previous_failures": tally_failures(told_before),
            "observed": observe(now),
        }
        starts = join_runs(told, known.runs, known.definitions) if asked.has_runs else None
        if starts is not None:
            tables["funnel"] = funnel(now, starts, policy=policy)
            tables["outcomes_by_schedule"] = run_outcomes(starts, "schedule_id")
        sums = _counts(matched.told, now, starts, asked) | {"trend": tally_days(told, asked.period.tz)}
        return cls(tables | _incidents(matched, asked), sums)


def _incidents(matched: Matched, asked: Question) -> Tables:
    """Give the incidents that touch one of the two periods, and the messages of their ticks."""
    found, messages = find_incidents(matched.ticks, matched.told)
    periods = [period for period in (asked.period, asked.previous) if period]
    ids = {one for period in periods for one in _touching(found, period)["incident_id"]}
    kept = (table[table["incident_id"].isin(ids).to_numpy()].reset_index(drop=True) for table in (found, messages))
    return dict(zip(("incidents", "incident_messages"), kept, strict=True))


def _counts(told: pd.DataFrame, now: pd.DataFrame, starts: pd.DataFrame | None, asked: Question) -> Tables:
    options: dict[str, Any] = {"tz": asked.period.tz, "policy": asked.policy}
    by_day, by_hour = error_rate(now, freq="D", **options), error_rate(now, by=["weekday", "hour"], **options)
    failed = told["message"].take(np.flatnonzero(among(told["outcome"], NOT_STARTED))).dropna()
    codes, texts = pd.factorize(failed)
    counts = {
        "daily": by_day[["window_start", "n", "n_failed"]],
        "clock": by_hour[["weekday", "hour", "n", "n_failed"]],
        "messages": pd.DataFrame({"message": texts.astype("str"), "n": np.bincount(codes, minlength=len(texts))}),
    }
    if asked.has_objective:
        counts["moments"] = tally_moments(now, asked.policy)
    if starts is not None:
        counts["durations"] = tally_durations(starts)
    return counts
