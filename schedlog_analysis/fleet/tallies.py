"""
A tally is failures counted by schedule and message, or by incident and message.

Tallies of parts of a fleet add up, clusters do not: templates come from all messages together. So messages are counted
first, labelled once, and clusters are made of labelled tallies last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis.causes import MISSED
from schedlog_analysis.groups import group
from schedlog_analysis.instants import MISSING, to_instants, to_ms
from schedlog_analysis.plan import FOREVER
from schedlog_analysis.redact import redact_texts
from schedlog_analysis.schema import PLANNED, FailureClusters

FAILED = ["failed", "partial"]


def tally_failures(invocations: pd.DataFrame) -> pd.DataFrame:
    """
    Count the failed invocations of each schedule by message.

    Returns
    -------
    tally
        schedule_id, message (missing where none was told), n, first_seen and last_seen. Sorted.
    """
    keys = ["schedule_id", "message"]
    rows = np.flatnonzero(invocations["outcome"].isin(FAILED))
    failed = pd.DataFrame({name: invocations[name].take(rows) for name in [*keys, "invoked_at"]})
    groups, at = group(failed, keys), to_ms(failed["invoked_at"])
    first, last = np.full(groups.n, FOREVER), np.full(groups.n, MISSING)
    np.minimum.at(first, groups.of_row, at)
    np.maximum.at(last, groups.of_row, at)
    return groups.keys.astype({"schedule_id": "str"}).assign(
        n=groups.tally(), first_seen=to_instants(first), last_seen=to_instants(last)
    )


def tally_incidents(incidents: pd.DataFrame, ticks: pd.DataFrame, invocations: pd.DataFrame) -> pd.DataFrame:
    """
    Count the messages of the bad ticks of each incident.

    Returns
    -------
    tally
        incident_id, message and n.
    """
    is_bad = ticks["status"].isin(PLANNED) & (ticks["outcome"] == "failed")
    bad = ticks.loc[is_bad.to_numpy(), ["schedule_id", "planned_at", "invoked_at"]].astype({"schedule_id": "str"})
    spans = incidents[["incident_id", "schedule_id", "started_at", "ended_at"]].sort_values("started_at")
    bad = bad.sort_values("planned_at")
    inside = pd.merge_asof(bad, spans, left_on="planned_at", right_on="started_at", by="schedule_id")
    inside = inside[(inside["incident_id"].notna() & ~(inside["planned_at"] >= inside["ended_at"])).to_numpy()]
    is_told = invocations["outcome"].isin(FAILED) & invocations["message"].notna()
    told = invocations.loc[is_told.to_numpy(), ["schedule_id", "invoked_at", "message"]]
    told = told.astype({"schedule_id": "str"}).drop_duplicates(["schedule_id", "invoked_at"])
    rows = inside.merge(told, on=["schedule_id", "invoked_at"])[["incident_id", "message"]].astype("str")
    return rows.groupby(["incident_id", "message"]).size().rename("n").reset_index()


def clusters_of(tally: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """
    Make failure clusters of a tally, as `failure_clusters` makes them of the failures themselves.

    Parameters
    ----------
    tally
        Of any number of schedules, see `tally_failures`.
    labels
        What `label_messages` says of the messages, indexed by them.
    """
    codes, known = pd.factorize(tally["message"])
    texts = pd.Index([*known, ""], dtype="str")  # the last is that of a missing message, whose code is -1
    rows = tally.assign(message=pd.Categorical.from_codes(np.where(codes < 0, len(known), codes), categories=texts))
    for name, column in labels.reindex(texts).items():
        rows[name] = column.array.take(codes)
    groups = rows.groupby("cluster_id", observed=True)
    table = groups.agg(
        n=("n", "sum"),
        n_schedules=("schedule_id", "nunique"),
        first_seen=("first_seen", "min"),
        last_seen=("last_seen", "max"),
        template=("template", "first"),
    )
    table["template"] = table["template"].astype("str")
    table["cause"] = _most(rows, "cause")
    table["example"] = redact_texts(_most(rows, "message"))
    table["share"] = table["n"] / max(int(table["n"].sum()), 1)
    named = table.reset_index().astype({"cluster_id": "str"})
    ordered = named.sort_values(["n", "cluster_id"], ascending=[False, True], ignore_index=True)
    return FailureClusters.cast(ordered)


def explain(incidents: pd.DataFrame, tally: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """
    Give each incident the cluster, cause and example of most of its messages, as `incidents` does of its own.

    Parameters
    ----------
    incidents
        Incidents of any number of schedules.
    tally
        Their messages, see `tally_incidents`.
    labels
        What `label_messages` says of the messages, indexed by them.
    """
    votes = tally.join(labels, on="message").astype({"cluster_id": "str"})
    votes["n_cluster"] = votes.groupby(["incident_id", "cluster_id"])["n"].transform("sum")
    votes = votes.sort_values(["n_cluster", "n", "cluster_id", "message"], ascending=[False, False, True, True])
    chosen = votes.drop_duplicates("incident_id").set_index("incident_id").reindex(incidents["incident_id"])
    chosen = chosen.reset_index(drop=True)
    is_silent = (incidents["n_missed"] > incidents["n_failed"]).reset_index(drop=True)
    own = {
        "cluster_id": chosen["cluster_id"].astype("str").mask(is_silent),
        "cause": chosen["cause"].astype("str").mask(is_silent, MISSED),
        "example": redact_texts(chosen["message"].astype("str")).mask(is_silent),
    }
    return incidents.reset_index(drop=True).assign(**own)


def _most(rows: pd.DataFrame, value: str) -> pd.Series[Any]:
    """Give each cluster the value of most of its failures; of equal ones the first."""
    votes = rows.groupby(["cluster_id", value], observed=True)["n"].sum().reset_index()
    votes = votes.astype({"cluster_id": "str", value: "str"})
    votes = votes.sort_values(["cluster_id", "n", value], ascending=[True, False, True]).drop_duplicates("cluster_id")
    return votes.set_index("cluster_id")[value]
