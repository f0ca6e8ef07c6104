"""A failure is an action that an invocation did not start: an ERROR entry of a log, with the invocation it is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import pyarrow.compute as pc

from schedlog_analysis._core.arrays import encode
from schedlog_analysis._core.redact import to_arrow
from schedlog_analysis.analysis.failures.causes import RULES, Rule
from schedlog_analysis.analysis.failures.clusters import label_messages, labelled
from schedlog_analysis.matching.invocations import invocations as find_invocations
from schedlog_analysis.schema import Failures, Invocations, Log, Ticks

# How messages name what was not started; literal backslashes before quotes are left out first.
_TARGET: Final = r'^[\s\p{So}\x{FE0F}]*(?:Cannot start|Skipping)? ?Actor(?: task)? (?:with ID )?"(?P<target>[^"]+)"'


def failures(
    log: pd.DataFrame,
    invocations: pd.DataFrame | None = None,
    ticks: pd.DataFrame | None = None,
    *,
    rules: Sequence[Rule] = RULES,
    remembered: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """
    List every action that was not started, with its invocation, its tick, what was hit, and why.

    An invocation with three actions of which two failed counts once among invocations, as partly failed, and twice
    here. `failure_clusters` and `cluster_trend` take this table and count actions.

    Parameters
    ----------
    log
        Log of any number of schedules, see `schema.Log`.
    invocations
        Its invocations, see `schema.Invocations`; made of the log if not given. Entries of invocations that are not
        among them are left out, which is how a period is chosen.
    ticks
        Ticks of the same invocations, see `schema.Ticks`, for `planned_at`.
    rules, remembered
        As for `label_messages`.

    Returns
    -------
    failures
        See `schema.Failures`, sorted by schedule and time; empty if no entry is an ERROR.

    Raises
    ------
    SchemaError
        If a table lacks a column or holds what it must not.

    Examples
    --------
    >>> log = Log.cast(pd.DataFrame({
    ...     "schedule_id": "hourly", "level": ["ERROR", "ERROR", "INFO"],
    ...     "created_at": ["2026-01-01T00:00:00.300Z", "2026-01-01T00:00:00.310Z", "2026-01-01T00:00:00.350Z"],
    ...     "message": ['Cannot start Actor "x": Unknown error',
    ...                 'Cannot start Actor task "y": Actor task was not found', "Schedule invoked"]}))
    >>> failures(log)[["target", "cause"]].values.tolist()
    [['x', 'other'], ['y', 'missing target']]
    """
    log = Log.accept(log)
    inv = find_invocations(log) if invocations is None else Invocations.accept(invocations)
    errors = log[(log["level"] == "ERROR").to_numpy(dtype=bool)]
    placed = _place(errors, inv[inv["n_errors"].to_numpy() > 0])
    table = placed.assign(planned_at=_find_planned(placed, ticks))
    texts = pd.Index(encode(table["message"])[1], dtype="str")
    table = labelled(table, label_messages(texts, rules, remembered=remembered).set_axis(texts))
    table["target"] = find_targets(table["message"])
    ordered = table.sort_values(["schedule_id", "created_at", "message"], kind="stable", ignore_index=True)
    return Failures.cast(ordered[Failures.names()])


def find_targets(messages: pd.Series[Any]) -> pd.Series[Any]:
    r"""
    Read from messages which Actor or task they speak of: its id, or its name as the message has it.

    Parameters
    ----------
    messages
        Messages, as ``str`` or as a categorical.

    Returns
    -------
    targets
        Column of ``str`` with the same index; missing where a message names none.

    Examples
    --------
    >>> find_targets(pd.Series(['Cannot start Actor task "ada/news": Unknown error', "Quota gone"])).tolist()
    ['ada/news', nan]
    """
    codes, values = pd.factorize(messages.astype("str"))
    plain = pc.replace_substring(to_arrow(values), '\\"', '"')
    found = pc.struct_field(pc.extract_regex(plain, _TARGET), "target")
    targets = pd.Series(found.to_pandas(), dtype="str")
    return targets.reindex(codes).set_axis(messages.index)


def _place(errors: pd.DataFrame, inv: pd.DataFrame) -> pd.DataFrame:
    """Find the invocation of each entry: the last that begins at or before it, for as many entries as it has."""
    keys = ["schedule_id", "created_at"]
    entries = errors[[*keys, "message"]].astype({"schedule_id": "str"}).sort_values("created_at", kind="stable")
    begun = inv[["schedule_id", "invoked_at", "n_errors"]].astype({"schedule_id": "str"})
    begun = begun.sort_values("invoked_at", kind="stable")
    placed = pd.merge_asof(entries, begun, left_on="created_at", right_on="invoked_at", by="schedule_id")
    placed = placed[placed["invoked_at"].notna().to_numpy()]
    # An invocation that is not among them would give its entries to the one before.
    rank = placed.groupby(["schedule_id", "invoked_at"]).cumcount()
    return placed[(rank < placed["n_errors"]).to_numpy()].reset_index(drop=True)


def _find_planned(placed: pd.DataFrame, ticks: pd.DataFrame | None) -> pd.Series[Any]:
    """Give each entry the tick that its invocation answered."""
    if ticks is None or placed.empty:
        return pd.Series(pd.NaT, placed.index, dtype=placed["created_at"].dtype)
    known = Ticks.accept(ticks)[["schedule_id", "invoked_at", "planned_at"]].astype({"schedule_id": "str"})
    known = known.dropna(subset=["invoked_at", "planned_at"]).drop_duplicates(["schedule_id", "invoked_at"])
    found = placed[["schedule_id", "invoked_at"]].merge(known, how="left", on=["schedule_id", "invoked_at"])
    return pd.Series(found["planned_at"].array, placed.index)
