"""Adding up shares: tables stand one after the other, counts are summed, and what needs all messages comes last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from schedlog_analysis._core.calendar import window_range
from schedlog_analysis.account.analysis import _total, _touching
from schedlog_analysis.account.part import Question, Tables
from schedlog_analysis.account.sums import durations_of, ticks_of
from schedlog_analysis.account.tallies import clusters_of
from schedlog_analysis.analysis.budget import burn_down_of
from schedlog_analysis.analysis.failures.clusters import compare_clusters, label_messages, labelled
from schedlog_analysis.analysis.funnel import funnel_of, run_outcomes_of
from schedlog_analysis.analysis.incidents.incidents import explain, fleet_incidents
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.analysis.rates import with_rates
from schedlog_analysis.analysis.slo import slo
from schedlog_analysis.schema import RunOutcomes

_PLAIN = ("coverage", "cadence", "accounting", "previous_accounting", "rates", "previous_rates", "observed")


def add_up(parts: Sequence[Tables], sums: Tables, asked: Question) -> tuple[Tables, pd.DataFrame]:
    """
    Make an analysis' tables of what all batches contribute.

    Parameters
    ----------
    parts
        Tables of the shares, in the order of their schedules; at least one.
    sums
        Summed counts of all shares.
    asked
        What was asked.

    Returns
    -------
    tables, labels
        Tables by the names they have in `Analysis`, and what `label_messages` says of the periods' failures.
    """
    whole = {name: _stack([part[name] for part in parts]) for name in parts[0]}
    tables = {name: whole[name] for name in _PLAIN}
    tables["holes"] = _stack([whole["holes"], whole["ended"]])
    tables["daily"] = _daily(sums["daily"], asked.period)
    no_window = pd.Series(pd.NaT, index=sums["clock"].index, dtype=tables["daily"]["window_start"].dtype)
    tables["clock"] = with_rates(sums["clock"].assign(window_start=no_window), ["weekday", "hour"])
    tallies = whole["failures"], whole["previous_failures"]
    distinct = [tally["message"].drop_duplicates().astype("str").fillna("") for tally in tallies]
    labels = _labels(pd.concat(distinct))
    failures, earlier = (labelled(tally, labels) for tally in tallies)
    clusters, before = clusters_of(failures), clusters_of(earlier)
    tables["clusters"] = compare_clusters(clusters, before) if asked.previous else clusters
    tables["trend"] = _total(_named(labelled(sums["trend"], labels)), ["cluster_id", "window_start"])
    tables["failures_by_schedule"] = _total(_named(failures), ["schedule_id", "cluster_id"])
    found = explain(whole["incidents"], whole["incident_messages"], _labels(sums["messages"]["message"]))
    tables["incidents"] = _touching(found, asked.period)
    tables["previous_incidents"] = _touching(found, asked.previous) if asked.previous else found.iloc[:0]
    tables["fleet_incidents"] = fleet_incidents(tables["incidents"])
    return tables | _runs(whole, sums), labels


def meet(objective: float | None, sums: Tables, daily: pd.DataFrame, asked: Question) -> Tables:
    """Tell how the objective was met, if there is one and anything was planned."""
    if objective is None or daily.empty:
        return {}
    options: dict[str, Any] = {"tz": asked.period.tz, "policy": asked.policy}
    own = slo(ticks_of(sums["moments"]), objective, pace="7D", **options)
    return {"slo": own, "burn_down": burn_down_of(daily, objective)}


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables one after the other; ids as text, since batches do not share their categories."""
    typed = [
        table.assign(schedule_id=table["schedule_id"].astype("str")) if _is_coded(table) else table for table in tables
    ]
    some = [table for table in typed if len(table)]
    return pd.concat(some, ignore_index=True) if some else typed[0]


def _labels(messages: pd.Series[Any]) -> pd.DataFrame:
    distinct = pd.Index(messages.unique(), dtype="str").sort_values()
    return label_messages(distinct).set_axis(distinct)


def _is_coded(table: pd.DataFrame) -> bool:
    return "schedule_id" in table and isinstance(table["schedule_id"].dtype, pd.CategoricalDtype)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Give names of clusters as text, in whose order tables stand."""
    return rows.astype({"cluster_id": "str"})


def _daily(sums: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Days on which no batch had anything are there, too."""
    counts = sums.set_index("window_start")
    if len(counts):
        days = window_range(counts.index[0], counts.index[-1], "D", period.tz)
        counts = counts.reindex(days, fill_value=0).rename_axis("window_start")
    return with_rates(counts.reset_index(), [])


def _runs(whole: Tables, sums: Tables) -> Tables:
    """Say what became of the runs of all, where there are any."""
    if "funnel" not in whole:
        return {}
    stages = whole["funnel"].groupby("stage")[["n", "n_known"]].sum()
    counts = {f"n_{stage}": [stages.loc[stage, "n"]] for stage in ("planned", "started", "succeeded")}
    counts["n_known"] = [stages.loc["succeeded", "n_known"]]
    by_schedule = whole["outcomes_by_schedule"]
    summed = [name for name in RunOutcomes.names() if name.startswith("n") or name.endswith("_usd")]
    outcomes = by_schedule[summed].sum().to_frame().T.astype(by_schedule[summed].dtypes)
    return {
        "funnel": funnel_of(pd.DataFrame(counts), []),
        "outcomes": run_outcomes_of(outcomes.assign(**durations_of(sums["durations"])), []),
        "outcomes_by_schedule": by_schedule,
    }
