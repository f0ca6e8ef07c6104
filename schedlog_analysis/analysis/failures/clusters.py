"""A failure is an action that was not started; many of them are few problems, which is what failure clusters show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from schedlog_analysis._core.arrays import encode
from schedlog_analysis._core.calendar import window_range, window_starts
from schedlog_analysis._core.instants import InstantLike, instant_ms, to_instants
from schedlog_analysis._core.redact import redact_array, redact_texts, to_arrow
from schedlog_analysis._core.table import Table
from schedlog_analysis.analysis.failures.causes import RULES, Rule, find_causes, find_reasons
from schedlog_analysis.analysis.failures.known import KNOWN, Names
from schedlog_analysis.analysis.failures.templates import WILDCARD, Masked, mask_messages, mine_templates, mine_texts
from schedlog_analysis.analysis.failures.templates.codes import restore_codes
from schedlog_analysis.analysis.failures.templates.numbers import MARK
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import NOT_STARTED, FailureClusters, Failures, Invocations, Log

__all__ = [
    "STATES",
    "cluster_id",
    "cluster_trend",
    "compare_clusters",
    "failure_clusters",
    "label_messages",
    "labelled",
]
__all__ += ["mine_templates", "remember"]

STATES = ("new", "ongoing", "gone")


class _Failures(NamedTuple):
    """Failures as columns: of which schedule, when, with which of the distinct messages; and their labels, if known."""

    frame: pd.DataFrame  # schedule (number), at, message (number)
    messages: pd.Index[Any]
    labels: pd.DataFrame | None


def cluster_id(template: str) -> str:
    """
    Name the cluster of a template: ten hexadecimal digits of its BLAKE2b hash.

    Examples
    --------
    >>> cluster_id("Actor run <*> failed")
    'c8c6c3afcd'
    """
    return blake2b(template.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def label_messages(
    messages: Iterable[str], rules: Sequence[Rule] = RULES, *, remembered: pd.DataFrame | None = None
) -> pd.DataFrame:
    """
    Tell for each message to which cluster it belongs and what its cause is.

    Secrets are taken out first. Then messages of the platform that are known (`known.KNOWN`) get their names, then
    those that fit a name given before, and templates are mined for the rest. Templates are those of the reasons: the
    prefix ``Cannot start Actor "<id>": `` says what was hit, not by what.

    Parameters
    ----------
    messages
        Messages, best distinct ones, in any order.
    rules
        Rules for the causes, see `find_causes`. They are asked about one real message of each template, redacted.
    remembered
        Names given before, as `remember` returns them: a message that fits such a template keeps its name.

    Returns
    -------
    labels
        Columns cluster_id, template and cause (categoricals of text); a row per message, in the order of the messages.

    Raises
    ------
    InputError
        If a message is missing or no text.
    ConfigError
        If a rule is none.

    Examples
    --------
    >>> list(label_messages(["Actor was not found", 'Cannot start Actor "x": Unknown error'])["cause"])
    ['missing target', 'other']
    """
    texts = pd.Series(messages, dtype="str")
    if texts.isna().any():
        raise InputError("A message is missing; a cluster needs text, so drop or fill the missing ones first.")
    reasons = redact_array(to_arrow(find_reasons(texts)))
    text_of_message, masked = mask_messages(reasons)
    names = _name_texts(masked, remembered)
    code, pairs = names.groupby(["template", "cluster_id"], sort=True).ngroup().to_numpy(), names.drop_duplicates()
    pairs = pairs.sort_values(["template", "cluster_id"], ignore_index=True)
    code_of_message = code[text_of_message]
    examples = pa.table({"code": code_of_message, "reason": reasons}).group_by("code").aggregate([("reason", "min")])
    example = examples.sort_by("code")["reason_min"].to_pandas()
    return pd.DataFrame(
        {
            "cluster_id": _spread(pairs["cluster_id"], code_of_message),
            "template": _spread(pairs["template"], code_of_message),
            "cause": find_causes(example, rules).take(code_of_message),
        }
    )


def remember(labels: pd.DataFrame, remembered: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    List the names that a next log shall keep: those given before, and those that templates have now.

    Parameters
    ----------
    labels
        What `label_messages` says.
    remembered
        What was remembered before; what is in it stays.

    Returns
    -------
    names
        Columns cluster_id and template (text), sorted; without known messages, which need not be remembered.

    Examples
    --------
    >>> first = label_messages([f"mailbox of {name} is full" for name in "ada bob cyd dan eve fay gus hal".split()])
    >>> names = remember(first)
    >>> later = label_messages(["mailbox of ida is full"], remembered=names)
    >>> later["cluster_id"][0] == first["cluster_id"][0]
    True
    """
    now = labels[["cluster_id", "template"]].astype("str").drop_duplicates()
    before = [] if remembered is None else [remembered[["cluster_id", "template"]].astype("str")]
    names = pd.concat([*before, now], ignore_index=True)
    names = names[~names["cluster_id"].isin({known.name for known in KNOWN})]
    return names.drop_duplicates("template").sort_values(["cluster_id", "template"], ignore_index=True)


def labelled(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """
    Add to a table that has a column `message` what `label_messages` says of each; a missing message is an empty one.

    Parameters
    ----------
    table
        Any table; its messages become a categorical.
    labels
        Labels, indexed by their messages.

    Examples
    --------
    >>> labels = label_messages(["Unknown error"]).set_axis(["Unknown error"])
    >>> labelled(pd.DataFrame({"message": ["Unknown error"] * 2, "n": [1, 2]}), labels)["template"].tolist()
    ['Unknown error', 'Unknown error']
    """
    codes, known = pd.factorize(table["message"])
    texts = pd.Index(known, dtype="str")
    texts = texts if "" in texts else texts.append(pd.Index([""], dtype="str"))
    codes = np.where(codes < 0, texts.get_loc(""), codes)
    found = table.assign(message=pd.Categorical.from_codes(codes, categories=texts))
    for name, column in labels.reindex(texts).items():
        found[name] = column.array.take(codes)
    return found


def failure_clusters(
    entries: pd.DataFrame,
    previous: pd.DataFrame | None = None,
    *,
    rules: Sequence[Rule] = RULES,
    include_skips: bool = False,
) -> pd.DataFrame:
    """
    Group failures that are the same problem, over all schedules.

    A failure is an action that was not started: an ERROR entry of a log, or a row of Failures. Of Invocations each that
    failed in whole or in part counts once, by its first error. Two are the same problem when their reasons share a
    template, whichever Actor or task could not be started. Entries of unknown levels are not failures, and a skipped
    exclusive run is none unless `include_skips` says so.

    Parameters
    ----------
    entries
        Log, Invocations or Failures of any number of schedules.
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
    if previous is None or _is(previous, FailureClusters):
        current = _summarise(now, _labels(now, now.messages, rules))
        return current if previous is None else compare_clusters(current, previous)
    before = _failures(previous, include_skips=include_skips)
    union = now.messages.union(before.messages)
    return compare_clusters(*(_summarise(some, _labels(some, union, rules)) for some in (now, before)))


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
        Log, Invocations or Failures of any number of schedules.
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
    labels = _labels(failures, failures.messages, rules)
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


def _labels(failures: _Failures, company: pd.Index[Any], rules: Sequence[Rule]) -> pd.DataFrame:
    """Label the distinct messages among others, unless they have labels already."""
    if failures.labels is not None:
        return failures.labels
    return label_messages(company, rules).iloc[company.get_indexer(failures.messages)]


def _spread(values: pd.Series[Any], code_of_row: np.ndarray[Any, Any]) -> pd.Categorical:
    """Give each row its value, as a categorical in sorted order."""
    codes, names = pd.factorize(values, sort=True)
    return pd.Categorical.from_codes(codes[code_of_row], categories=pd.Index(names, dtype="str"))


def _name_texts(masked: Masked, remembered: pd.DataFrame | None) -> pd.DataFrame:
    """Give each masked text its template and the name of its cluster: known, remembered, or mined."""
    rows = () if remembered is None else remembered[["cluster_id", "template"]].itertuples(index=False, name=None)
    names = Names(remembered=rows)
    named = [names.recognise(restore_codes(text).replace(MARK, WILDCARD)) for text in masked.texts]
    left = [at for at, found in enumerate(named) if found is None]
    mined = mine_texts(Masked([masked.texts[at] for at in left], masked.n_messages[left]))
    templates = dict(zip(left, mined, strict=True))
    pairs = [(None, templates[at]) if found is None else found for at, found in enumerate(named)]
    table = pd.DataFrame(pairs, columns=["cluster_id", "template"], dtype="str")
    hashes = {template: cluster_id(template) for template in table.loc[table["cluster_id"].isna(), "template"].unique()}
    return table.assign(cluster_id=table["cluster_id"].fillna(table["template"].map(hashes)))


def _is(frame: pd.DataFrame, table: type[Table]) -> bool:
    return set(table.names()) <= set(frame.columns)


def _failures(entries: pd.DataFrame, *, include_skips: bool) -> _Failures:
    if _is(entries, Failures):
        rows, at = Failures.accept(entries), "created_at"
    elif {"created_at", "level"} <= set(entries.columns):
        table, at = Log.accept(entries), "created_at"
        rows = table[table["level"].isin(["ERROR", "WARNING"] if include_skips else ["ERROR"]).to_numpy()]
    elif {"invoked_at", "outcome"} <= set(entries.columns):
        table, at = Invocations.accept(entries), "invoked_at"
        rows = table[table["outcome"].isin([*NOT_STARTED, "skipped"] if include_skips else NOT_STARTED).to_numpy()]
    else:
        came = ", ".join(map(str, entries.columns[:8]))
        raise SchemaError(
            f"Failures are found in a Log or in Invocations, or come as Failures; this has the columns {came}."
        )
    schedule, _ = encode(rows["schedule_id"])
    message, messages = encode(_filled(rows["message"]))
    frame = pd.DataFrame({"schedule": schedule, "at": rows[at].array, "message": message})
    return _Failures(frame, pd.Index(messages, dtype="str"), _given_labels(rows, message))


def _given_labels(rows: pd.DataFrame, message: np.ndarray[Any, Any]) -> pd.DataFrame | None:
    """Take the labels that failures have, one row per distinct message."""
    if "cluster_id" not in rows:
        return None
    labels = rows[["cluster_id", "template", "cause"]].iloc[np.unique(message, return_index=True)[1]]
    return labels.astype("str").astype("category").reset_index(drop=True)


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
