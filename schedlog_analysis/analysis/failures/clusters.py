"""A failure is an action that was not started; many of them are few problems, which is what failure clusters show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import encode
from schedlog_analysis._core.calendar import window_range, window_starts
from schedlog_analysis._core.instants import InstantLike, instant_ms, to_instants
from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.analysis.failures.causes import RULES, Rule
from schedlog_analysis.analysis.failures.labels import label_messages
from schedlog_analysis.analysis.failures.templates import mine_templates
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import NOT_STARTED, FailureClusters, Invocations, Log

__all__ = ["STATES", "cluster_trend", "compare_clusters", "failure_clusters", "mine_templates"]

STATES = ("new", "ongoing", "gone")


class _Failures(NamedTuple):
    """Failures as columns: of which schedule, when, with which of the distinct messages."""

    frame: pd.DataFrame  # schedule (number), at, message (number)
    messages: pd.Index[Any]


def failure_clusters(
    entries: pd.DataFrame,
    previous: pd.DataFrame | None = None,
    *,
    rules: Sequence[Rule] = RULES,
    include_skips: bool = False,
) -> pd.DataFrame:
    """
    Group failures that are the same problem, over all schedules.

    A failure is an ERROR entry of a log, or an invocation that failed in whole or in part (counted once, by its first
    error). Two are the same problem when their reasons share a template, whichever Actor or task could not be started.
    Entries of unknown levels are not failures, and a skipped exclusive run is none unless `include_skips` says
    so.

    Parameters
    ----------
    entries
        Log or Invocations of any number of schedules.
    previous
        The same of an earlier period, or that period's failure clusters. With entries, the templates of both periods
        are mined together, so that a message has one template in both; prefer that.
    rules
        Rules for the causes, see `find_causes`.
    include_skips
        Count WARNING entries and skipped invocations too.

    Returns
    -------
    clusters
        See `schema.FailureClusters`; most frequent first; empty without failures. The cause is that of most of the
        cluster's messages, the example its most frequent message, redacted. With `previous`, two more columns as
        `compare_clusters` describes them.

    Raises
    ------
    SchemaError
        If `entries` is neither a Log nor Invocations.

    Examples
    --------
    >>> log = pd.DataFrame({
    ...     "schedule_id": ["a", "b"], "created_at": ["2026-01-01T00:00Z", "2026-01-01T01:00Z"], "level": "ERROR",
    ...     "message": ['Cannot start Actor "jF8GGEvbEg4Au3NLA": Actor was not found',
    ...                 'Cannot start Actor "moJRLRc85AitArpNN": Actor was not found']})
    >>> failure_clusters(log)[["cause", "n", "n_schedules"]].values.tolist()
    [['missing target', 2, 2]]
    """
    now = _failures(entries, include_skips=include_skips)
    if previous is None:
        return _summarise(now, label_messages(now.messages, rules))
    if _is(previous, FailureClusters):
        return compare_clusters(_summarise(now, label_messages(now.messages, rules)), previous)
    before = _failures(previous, include_skips=include_skips)
    union = now.messages.union(before.messages)
    labels = label_messages(union, rules)
    tables = [_summarise(some, labels.iloc[union.get_indexer(some.messages)]) for some in (now, before)]
    return compare_clusters(*tables)


def compare_clusters(current: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """
    Tell which clusters are new, ongoing or gone against an earlier period.

    Parameters
    ----------
    current, previous
        Failure clusters of two periods.

    Returns
    -------
    clusters
        The rows of `current`, then those of `previous` that are gone, with two more columns: `n_previous` and
        `state` (new, ongoing or gone). A cluster that is gone keeps its text and when it was seen; its n, share and
        n_schedules are 0.

    Examples
    --------
    >>> compare_clusters(FailureClusters.empty(), FailureClusters.empty()).columns[-2:].tolist()
    ['n_previous', 'state']
    """
    now, before = FailureClusters.accept(current), FailureClusters.accept(previous)
    gone = before[~before["cluster_id"].isin(now["cluster_id"]).to_numpy()]
    gone = gone.assign(n=np.int64(0), share=0.0, n_schedules=np.int64(0))
    table = pd.concat([_plain(now), _plain(gone)], ignore_index=True)
    earlier = before.set_index(before["cluster_id"].astype("str"))["n"]
    table["n_previous"] = table["cluster_id"].map(earlier).fillna(0).astype(np.int64)
    state = np.select([table["n"] == 0, table["n_previous"] == 0], [2, 0], default=1)
    table["state"] = pd.Categorical.from_codes(state, categories=pd.Index(STATES, dtype="str"))
    return table


def cluster_trend(
    entries: pd.DataFrame,
    freq: str = "D",
    tz: str = "UTC",
    *,
    start: InstantLike | None = None,
    end: InstantLike | None = None,
    rules: Sequence[Rule] = RULES,
    include_skips: bool = False,
) -> pd.DataFrame:
    """
    Count the failures of each cluster per window; windows without any are there, with 0.

    Parameters
    ----------
    entries
        Log or Invocations of any number of schedules.
    freq
        Window: ``"h"``, ``"D"``, ``"W"``, ``"M"``, ``"Q"`` or ``"Y"``, see `windows`.
    tz
        Time zone of the windows.
    start, end
        Period that the windows cover, half-open; from the first to the last failure if not given.
    rules, include_skips
        As for `failure_clusters`.

    Returns
    -------
    trend
        cluster_id, window_start (``datetime64[ms, UTC]``) and n, sorted by cluster and window; empty without failures.

    Raises
    ------
    InputError
        If `freq` or `tz` is not known, or `start` is not before `end`.

    Examples
    --------
    >>> cluster_trend(Log.empty()).columns.tolist()
    ['cluster_id', 'window_start', 'n']
    """
    failures = _failures(entries, include_skips=include_skips)
    frame = failures.frame
    labels = label_messages(failures.messages, rules)
    first, last = _bounds(frame["at"], start, end)
    inside = ((frame["at"] >= first) & (frame["at"] <= last)).to_numpy()
    ids = labels["cluster_id"].cat
    present, row = np.unique(ids.codes.to_numpy()[frame["message"].to_numpy()[inside]], return_inverse=True)
    own = window_starts(pd.DatetimeIndex(frame["at"][inside]), freq, tz)
    windows = window_range(first, last, freq, tz) if len(present) else own
    counts = np.bincount(row * len(windows) + windows.get_indexer(own), minlength=len(present) * len(windows))
    return pd.DataFrame(
        {
            "cluster_id": pd.Series(ids.categories[present].repeat(len(windows)), dtype="str"),
            "window_start": windows.take(np.tile(np.arange(len(windows)), len(present))),
            "n": counts.astype(np.int64),
        }
    )


def _plain(clusters: pd.DataFrame) -> pd.DataFrame:
    return clusters[FailureClusters.names()].astype(
        dict.fromkeys(["cluster_id", "cause", "template", "example"], "str")
    )


def _bounds(
    at: pd.Series[Any], start: InstantLike | None, end: InstantLike | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last instant of a half-open period; where it is not given, of the failures."""
    first = at.min() if start is None else to_instants(np.array([instant_ms(start, "start")]))[0]
    last = at.max() if end is None else to_instants(np.array([instant_ms(end, "end") - 1]))[0]
    if first > last:
        raise InputError(f"`start` {first} is not before `end` {last}; expected a period with some length.")
    return first, last


def _is(frame: pd.DataFrame, table: type[FailureClusters]) -> bool:
    return set(table.names()) <= set(frame.columns)


def _failures(entries: pd.DataFrame, *, include_skips: bool) -> _Failures:
    if {"created_at", "level"} <= set(entries.columns):
        table, at, kind = Log.accept(entries), "created_at", "level"
        counted = ["ERROR", "WARNING"] if include_skips else ["ERROR"]
    elif {"invoked_at", "outcome"} <= set(entries.columns):
        table, at, kind = Invocations.accept(entries), "invoked_at", "outcome"
        counted = [*NOT_STARTED, "skipped"] if include_skips else [*NOT_STARTED]
    else:
        came = ", ".join(map(str, entries.columns[:8]))
        raise SchemaError(f"Failures are found in a Log or in Invocations; this table has the columns {came}.")
    rows = table[table[kind].isin(counted).to_numpy()]
    schedule, _ = encode(rows["schedule_id"])
    message, messages = encode(_filled(rows["message"]))
    frame = pd.DataFrame({"schedule": schedule, "at": rows[at].array, "message": message})
    return _Failures(frame, pd.Index(messages, dtype="str"))


def _filled(messages: pd.Series[Any]) -> pd.Series[Any]:
    return messages.astype("str").fillna("") if messages.isna().any() else messages


def _summarise(failures: _Failures, labels: pd.DataFrame) -> pd.DataFrame:
    """Count failures per cluster; `labels` has a row per distinct message."""
    frame = failures.frame
    labels = labels.reset_index(drop=True)
    cluster = labels["cluster_id"].cat.codes.to_numpy()
    groups = frame.groupby(cluster[frame["message"].to_numpy()], sort=True)
    table = groups.agg(
        n=("at", "size"), n_schedules=("schedule", "nunique"), first_seen=("at", "min"), last_seen=("at", "max")
    )
    count = np.bincount(frame["message"].to_numpy(), minlength=len(labels))
    per_message = labels.assign(cluster=cluster, n=count, message=failures.messages.astype("str"))
    table["cluster_id"] = labels["cluster_id"].cat.categories[table.index]
    table["cause"] = _major_cause(per_message).reindex(table.index)
    by_rank = per_message.sort_values(["cluster", "n", "message"], ascending=[True, False, True])
    chosen = by_rank.drop_duplicates("cluster").set_index("cluster").reindex(table.index)
    table["template"] = chosen["template"].astype("str")
    table["example"] = redact_texts(chosen["message"])
    table["share"] = table["n"] / max(len(frame), 1)
    ordered = table.sort_values(["n", "cluster_id"], ascending=[False, True])
    return FailureClusters.accept(ordered.reset_index(drop=True)[FailureClusters.names()])


def _major_cause(per_message: pd.DataFrame) -> pd.Series[Any]:
    """Give each cluster the cause of most of its failures; of equal ones the first of the table of causes."""
    votes = per_message.groupby(["cluster", "cause"], observed=True)["n"].sum().reset_index()
    votes = votes.sort_values(["cluster", "n", "cause"], ascending=[True, False, True])
    return votes.drop_duplicates("cluster").set_index("cluster")["cause"].astype("str")
