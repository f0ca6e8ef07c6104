"""
A tally is failures counted by schedule and message.

Tallies of parts of a fleet add up, clusters do not: templates come from all messages together. So messages are counted
first, labelled once, and clusters are made of labelled tallies last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import among
from schedlog_analysis._core.calendar import window_starts
from schedlog_analysis._core.groups import group
from schedlog_analysis._core.instants import FOREVER, MISSING, to_instants, to_ms
from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.schema import NOT_STARTED, FailureClusters


def tally_failures(invocations: pd.DataFrame) -> pd.DataFrame:
    """
    Count the failed invocations of each schedule by message.

    Returns
    -------
    tally
        schedule_id, message (missing where none was told), n, first_seen and last_seen. Sorted.
    """
    keys = ["schedule_id", "message"]
    rows = np.flatnonzero(among(invocations["outcome"], NOT_STARTED))
    failed = pd.DataFrame({name: invocations[name].take(rows) for name in [*keys, "invoked_at"]})
    groups, at = group(failed, keys), to_ms(failed["invoked_at"])
    first, last = np.full(groups.n, FOREVER), np.full(groups.n, MISSING)
    np.minimum.at(first, groups.of_row, at)
    np.maximum.at(last, groups.of_row, at)
    return groups.keys.astype({"schedule_id": "str"}).assign(
        n=groups.tally(), first_seen=to_instants(first), last_seen=to_instants(last)
    )


def tally_days(invocations: pd.DataFrame, tz: str) -> pd.DataFrame:
    """
    Count the failed invocations of all schedules by message and local day.

    Returns
    -------
    tally
        message (empty where none was told), window_start and n.
    """
    rows = np.flatnonzero(among(invocations["outcome"], NOT_STARTED))
    days = window_starts(pd.DatetimeIndex(invocations["invoked_at"].take(rows)), "D", tz)
    failed = pd.DataFrame({"message": invocations["message"].take(rows).array, "window_start": days})
    groups = group(failed, ["message", "window_start"])
    return groups.keys.astype({"message": "str"}).fillna({"message": ""}).assign(n=groups.tally())


def clusters_of(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Make failure clusters of a tally, as `failure_clusters` makes them of the failures themselves.

    Parameters
    ----------
    rows
        Tally of any number of schedules, see `tally_failures`, with the labels of its messages, see `labelled`.
    """
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


def _most(rows: pd.DataFrame, value: str) -> pd.Series[Any]:
    """Give each cluster the value of most of its failures; of equal ones the first."""
    votes = rows.groupby(["cluster_id", value], observed=True)["n"].sum().reset_index()
    votes = votes.astype({"cluster_id": "str", value: "str"})
    votes = votes.sort_values(["cluster_id", "n", value], ascending=[True, False, True]).drop_duplicates("cluster_id")
    return votes.set_index("cluster_id")[value]
