"""Combining parts: tables stand one after the other, counts are summed, and what needs all messages comes last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from schedlog_analysis._core.calendar import window_range, window_starts
from schedlog_analysis._core.instants import to_ms
from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.account.part import Part, Scope, Tables, touching
from schedlog_analysis.account.sums import Sums, durations_of, ticks_of
from schedlog_analysis.analysis.budget import burn_down_of
from schedlog_analysis.analysis.failures.clusters import compare_clusters, label_messages, labelled
from schedlog_analysis.analysis.funnel import funnel_of, run_outcomes_of
from schedlog_analysis.analysis.incidents.incidents import explain, fleet_incidents
from schedlog_analysis.analysis.incidents.problems import find_problems
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.analysis.rates import with_rates
from schedlog_analysis.analysis.slo import slo
from schedlog_analysis.schema import NOT_STARTED, FailureClusters, RunOutcomes

_AS_THEY_ARE = (
    *(
        "coverage",
        "holes",
        "cadence",
        "accounting",
        "previous_accounting",
        "rates",
        "previous_rates",
        "observed",
        "endings",
    ),
)


def combine(parts: Sequence[Part], sums: Sums, scope: Scope, objective: float | None) -> tuple[Tables, pd.DataFrame]:
    """
    Make an analysis' tables of what all parts contribute.

    Parameters
    ----------
    parts
        In the order of their schedules; at least one.
    sums
        Summed counts of all parts.
    scope
        What is wanted.
    objective
        Share of ticks that shall be up, if there is one.

    Returns
    -------
    tables, failures
        Tables by the names they have in `Analysis`, and the single failures of the period: schedule_id, invoked_at and
        cluster_id.
    """
    stacked = {name: stack([part.tables[name] for part in parts]) for name in parts[0].tables}
    summed = sums.tables()
    labels = _label(stacked["downs"]["message"])
    downs = labelled(stacked["downs"], labels)
    tables = {name: stacked[name] for name in _AS_THEY_ARE}
    tables |= _count_windows(summed, scope.period)
    tables |= _find_problems(stacked["incidents"], downs, summed["moments"], labels, scope)
    clusters, failures = _make_clusters(downs, scope)
    tables |= clusters | _combine_runs(stacked, summed)
    if objective is not None and len(tables["daily"]):
        ticks = ticks_of(_within(summed["moments"], scope.period))
        tables["slo"] = slo(ticks, objective, pace="7D", tz=scope.period.tz)
        tables["burn_down"] = burn_down_of(tables["daily"], objective)
    return tables, failures


def _within(moments: pd.DataFrame, period: Period) -> pd.DataFrame:
    start, end = to_ms(pd.DatetimeIndex([period.start, period.end]))
    kept: pd.DataFrame = moments[(moments["when"] >= start) & (moments["when"] < end)]
    return kept


def stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables one after the other; ids and messages as text, since parts do not share their categories."""
    typed = [_with_texts(table) for table in tables]
    some = [table for table in typed if len(table)]
    return pd.concat(some, ignore_index=True) if some else typed[0]


def _with_texts(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({name: "str" for name in ("schedule_id", "message") if name in table})


def _label(messages: pd.Series[str]) -> pd.DataFrame:
    """Label all distinct messages at once: templates come from all of them together."""
    distinct = pd.Index(messages.dropna().unique(), dtype="str").sort_values()
    return label_messages(distinct).set_axis(distinct)


def _count_windows(summed: Tables, period: Period) -> Tables:
    """Give the rates by local day, also of days on which no part had anything, and by weekday and hour."""
    daily = summed["daily"].set_index("window_start")
    if len(daily):
        days = window_range(daily.index[0], daily.index[-1], "D", period.tz)
        daily = daily.reindex(days, fill_value=0).rename_axis("window_start")
    daily = with_rates(daily.reset_index(), [])
    no_window = pd.Series(pd.NaT, index=summed["clock"].index, dtype=daily["window_start"].dtype)
    return {"daily": daily, "clock": with_rates(summed["clock"].assign(window_start=no_window), ["weekday", "hour"])}


def _make_clusters(downs: pd.DataFrame, scope: Scope) -> tuple[Tables, pd.DataFrame]:
    """Give the failure clusters of the period, and its single failures."""
    failed = downs[downs["reason"].isin(NOT_STARTED)]
    now, before = (_cut(failed, period) for period in (scope.period, scope.previous))
    clusters = summarise_clusters(_tally(now))
    days = window_starts(pd.DatetimeIndex(now["instant"]), "D", scope.period.tz)
    by_day = now.assign(window_start=days, n=1)
    tables = {
        "clusters": compare_clusters(clusters, summarise_clusters(_tally(before))) if scope.previous else clusters,
        "trend": _total(by_day, ["cluster_id", "window_start"]),
        "failures_by_schedule": _total(by_day, ["schedule_id", "cluster_id"]),
    }
    return tables, now[["schedule_id", "invoked_at", "cluster_id"]].astype({"cluster_id": "str"})


def _cut(rows: pd.DataFrame, period: Period | None) -> pd.DataFrame:
    """Keep the rows of a period."""
    return rows.iloc[:0] if period is None else rows[period.holds(rows["instant"])].reset_index(drop=True)


def _tally(failures: pd.DataFrame) -> pd.DataFrame:
    """Count failures by schedule and message, with the first and the last of them."""
    keys = ["schedule_id", "message", "cluster_id", "template", "cause"]
    groups = failures.groupby(keys, observed=True)["instant"]
    return groups.agg(n="size", first_seen="min", last_seen="max").reset_index()


def _total(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add up n by some keys, of which the names of clusters are given as text."""
    total: pd.DataFrame = rows.astype({"cluster_id": "str"}).groupby(keys)["n"].sum().reset_index()
    return total


def summarise_clusters(tally: pd.DataFrame) -> pd.DataFrame:
    """
    Make failure clusters of failures that are counted by schedule and message.

    Parameters
    ----------
    tally
        schedule_id, message, n, first_seen and last_seen, with the labels of the messages, see `labelled`.

    Returns
    -------
    clusters
        See `schema.FailureClusters`; the cause is that of most failures, the example their most frequent message.
    """
    groups = tally.groupby("cluster_id", observed=True)
    table = groups.agg(
        n=("n", "sum"),
        n_schedules=("schedule_id", "nunique"),
        first_seen=("first_seen", "min"),
        last_seen=("last_seen", "max"),
        template=("template", "first"),
    )
    table = table.assign(
        cause=_most(tally, "cause"),
        example=redact_texts(_most(tally, "message")),
        share=table["n"] / max(int(table["n"].sum()), 1),
    )
    named = table.reset_index().astype({"cluster_id": "str", "template": "str"})
    return FailureClusters.cast(named.sort_values(["n", "cluster_id"], ascending=[False, True], ignore_index=True))


def _most(tally: pd.DataFrame, value: str) -> pd.Series[str]:
    """Give each cluster the value of most of its failures; of equal ones the first."""
    votes = tally.astype({"cluster_id": "str", value: "str"}).groupby(["cluster_id", value])["n"].sum().reset_index()
    votes = votes.sort_values(["cluster_id", "n", value], ascending=[True, False, True]).drop_duplicates("cluster_id")
    return votes.set_index("cluster_id")[value]


def _find_problems(
    incidents: pd.DataFrame, downs: pd.DataFrame, moments: pd.DataFrame, labels: pd.DataFrame, scope: Scope
) -> Tables:
    """Explain the incidents, and find the problems that they are of; give those that touch the periods."""
    found = explain(incidents, downs, labels)
    due = np.repeat(moments["when"].to_numpy(), moments["n"].to_numpy())
    problems, owned = find_problems(found, downs, due)
    of_incident = owned.dropna(subset="incident_id").drop_duplicates("incident_id").set_index("incident_id")
    found = found.assign(problem_id=found["incident_id"].map(of_incident["problem_id"]).astype("str"))
    in_period = _cut(owned, scope.period)
    n_now = in_period["problem_id"].value_counts()
    problems = problems.assign(n_now=problems["problem_id"].map(n_now).fillna(0).astype("int64"))
    problems["share"] = problems["n_now"] / max(len(in_period), 1)
    now = touching(found, scope.period)
    return {
        "incidents": now,
        "previous_incidents": touching(found, scope.previous) if scope.previous else found.iloc[:0],
        "fleet_incidents": fleet_incidents(now),
        "problems": touching(problems, scope.period),
        "previous_problems": touching(problems, scope.previous) if scope.previous else problems.iloc[:0],
    }


def _combine_runs(stacked: Tables, summed: Tables) -> Tables:
    """Say what became of the runs of all, where there are any."""
    if "funnel" not in stacked:
        return {}
    stages = stacked["funnel"].groupby("stage")[["n", "n_known"]].sum()
    counts = {f"n_{stage}": [stages.loc[stage, "n"]] for stage in ("planned", "started", "succeeded")}
    counts["n_known"] = [stages.loc["succeeded", "n_known"]]
    by_schedule = stacked["outcomes_by_schedule"]
    added = [name for name in RunOutcomes.names() if name.startswith("n") or name.endswith("_usd")]
    outcomes = by_schedule[added].sum().to_frame().T.astype(by_schedule[added].dtypes)
    return {
        "funnel": funnel_of(pd.DataFrame(counts, dtype=np.int64), []),
        "outcomes": run_outcomes_of(outcomes.assign(**durations_of(summed["durations"])), []),
        "outcomes_by_schedule": by_schedule,
    }
