"""
An invocation is what happened around one tick: the entries that one firing of a schedule left in its log.

Both documented shapes of the log are read alike: one entry per tick, and several (an ERROR or WARNING per action, and
an INFO ``Schedule invoked`` first or last). ``Schedule invoked`` alone never means success.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, changes, decode, encode, is_sorted, keep_spaced, slices
from schedlog_analysis._core.instants import Int64, duration_ms, to_instants, to_ms
from schedlog_analysis.matching.definitions import definitions_by_id, plan
from schedlog_analysis.schema import OUTCOMES, Invocations, Log, Schedules

SCHEDULED = "Schedule invoked"
MANUAL = "Schedule invoked manually"
SKIPPED = r"^Skipping Actor\b.*\bmust be exclusive\b"
# The schedule itself could not be invoked, so none of its actions was started, however many it has.
SCHEDULE_LEVEL = "Cannot invoke schedule"

LEVELS = ("INFO", "ERROR", "WARNING")
OK, PARTIAL, FAILED, SKIP = range(len(OUTCOMES))


class _Entries(NamedTuple):
    """The log as columns, sorted by schedule and time."""

    codes: Int64  # which schedule
    created: Int64  # [ms]
    message: pd.Series[Any]
    kind: dict[str, Mask]  # what each entry says


def invocations(
    log: pd.DataFrame,
    schedules: pd.DataFrame | None = None,
    *,
    window: str | timedelta = "10s",
    tolerance: str | timedelta = "1s",
) -> pd.DataFrame:
    """
    Group the entries of a log into invocations and tell how each ended.

    Entries of one schedule less than `window` after an invocation's first entry belong to it; Apify never plans two
    ticks closer than 10 s. Where `schedules` gives the cron, entries are assigned to ticks first, so that an invocation
    never reaches over the next tick.

    - failed: every action failed, or there is an ERROR and the number of actions is unknown, or the schedule itself
      could not be invoked
    - partial: some actions failed
    - skipped: no ERROR, and a WARNING that an exclusive run was still running
    - ok: none of these

    Parameters
    ----------
    log
        Log of any number of schedules, in any order, see `schema.Log`.
    schedules
        Their definitions, for ticks and numbers of actions, see `schema.Schedules`.
    window
        Longest time from an invocation's first entry to its last.
    tolerance
        How far the platform's clock may run ahead: an entry this long before a tick still belongs to the tick.

    Returns
    -------
    invocations
        One row per invocation, sorted by schedule and time, see `schema.Invocations`; empty if the log is.

    Raises
    ------
    SchemaError
        If a table lacks a column or holds what it must not.

    Examples
    --------
    >>> from schedlog_analysis.schema import Log
    >>> log = Log.cast(pd.DataFrame({
    ...     "schedule_id": "hourly", "level": ["ERROR", "INFO"],
    ...     "created_at": ["2026-01-01T00:00:00.300Z", "2026-01-01T00:00:00.350Z"],
    ...     "message": ['Cannot start Actor "x": Unknown error', "Schedule invoked"]}))
    >>> invocations(log)[["outcome", "n_entries"]].values.tolist()
    [['failed', 2]]
    """
    log = Log.accept(log)
    if log.empty:
        return pd.DataFrame(Invocations.empty())
    definitions = None if schedules is None else Schedules.accept(schedules)
    codes, ids = encode(log["schedule_id"])
    created = to_ms(log["created_at"])
    if not is_sorted(codes, created):
        order = np.lexsort((created, codes))
        log, codes, created = log.iloc[order], codes[order], created[order]

    entries = _Entries(codes, created, log["message"], _kinds(log))
    width = duration_ms(window, "window")
    tick = _tick_numbers(entries, ids, definitions, width, duration_ms(tolerance, "tolerance"))
    return _summarise(entries, _group(entries, tick, width), definitions, log, ids)


def _kinds(log: pd.DataFrame) -> dict[str, Mask]:
    """Tell what each entry says, as one mask per kind."""
    is_info, is_error, is_warning = ((log["level"] == level).to_numpy(dtype=bool) for level in LEVELS)
    message = log["message"]
    return {
        "scheduled": is_info & (message == SCHEDULED).to_numpy(dtype=bool),
        "manual": is_info & (message == MANUAL).to_numpy(dtype=bool),
        "error": is_error,
        "warning": is_warning,
        "skip": _matches(message, is_warning, SKIPPED),
        "whole": _matches(message, is_error, SCHEDULE_LEVEL),
    }


def _matches(message: pd.Series[Any], among: Mask, pattern: str) -> Mask:
    """Search only where it can matter, and each text once: errors and warnings are few, and their texts fewer."""
    found = np.zeros(len(message), dtype=bool)
    rows = np.flatnonzero(among)
    codes, texts = pd.factorize(message.iloc[rows])
    found[rows] = np.asarray(texts.astype("str").str.match(pattern), dtype=bool)[codes]
    return found


def _tick_numbers(
    entries: _Entries, ids: pd.Index[Any], schedules: pd.DataFrame | None, window: int, tolerance: int
) -> Int64:
    """
    Number the tick that each entry belongs to: the latest planned at or before it.

    The numbers are 0 where no plan is known, and where no entry is within the window of the one before it: a plan could
    part nothing there.
    """
    codes, created = entries.codes, entries.created
    tick = np.zeros(len(codes), dtype=np.int64)
    plans = {} if schedules is None else definitions_by_id(schedules)
    is_close = (created[1:] - created[:-1] < window) & (codes[1:] == codes[:-1])
    n_close = np.bincount(codes[1:][is_close], minlength=len(ids))
    for schedule_id, mine, n in zip(ids, slices(codes, len(ids)), n_close.tolist(), strict=True):
        if n and schedule_id in plans:
            seen = created[mine] + tolerance
            planned = plan(plans[schedule_id], int(seen[0]), int(seen[-1]) + 1).planned
            tick[mine] = np.searchsorted(planned, seen, side="right")
    return tick


def _group(entries: _Entries, tick: Int64, window: int) -> Int64:
    """Number the invocation of each entry; a click inside another invocation's window is one of its own."""
    starts = changes(entries.codes, tick)
    is_manual, is_apart = entries.kind["manual"], np.zeros(len(tick), dtype=bool)
    group = np.cumsum(keep_spaced(entries.created, window, starts)) - 1
    while is_manual.any() and (is_mixed := is_manual & ~is_apart & _any(group, entries.kind["scheduled"])[group]).any():
        # What follows a click is not spaced from the click, so each one set apart may free others.
        is_apart |= is_mixed
        series = np.cumsum(starts)[~is_apart]
        kept = keep_spaced(entries.created[~is_apart], window, changes(series))
        group = np.full(len(tick), -1)
        group[~is_apart] = np.cumsum(kept) - 1
        group[is_apart] = kept.sum() + np.arange(is_apart.sum())
    return group


def _any(group: Int64, mask: Mask) -> Mask:
    """Tell of each group whether the mask is true anywhere in it; the last number is that of the last group."""
    found = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
    found[group[mask]] = True
    return found


def _summarise(
    entries: _Entries, group: Int64, schedules: pd.DataFrame | None, log: pd.DataFrame, ids: pd.Index[Any]
) -> pd.DataFrame:
    kind = entries.kind
    is_in_order = is_sorted(group)  # a click set apart was numbered after all others
    first = np.flatnonzero(changes(group)) if is_in_order else np.unique(group, return_index=True)[1]
    codes, invoked = entries.codes[first], entries.created[first]
    n_errors, n_warnings = (np.bincount(group[kind[name]], minlength=len(first)) for name in ("error", "warning"))
    outcome = np.full(len(first), OK, dtype=np.int8)
    outcome[_any(group, kind["skip"])] = SKIP
    hit = np.flatnonzero(n_errors)  # in order: no click is an ERROR
    n_actions = _n_actions(codes[hit], invoked[hit], ids, schedules)
    is_failed = np.isnan(n_actions) | (n_errors[hit] >= n_actions) | _any(group, kind["whole"])[hit]
    outcome[hit] = np.where(is_failed, FAILED, PARTIAL)
    table = pd.DataFrame(
        {
            "schedule_id": decode(codes, ids, log["schedule_id"]),
            "invoked_at": to_instants(invoked),
            "outcome": pd.Categorical.from_codes(outcome, categories=pd.Index(OUTCOMES, dtype="str")),
            "is_manual": _any(group, kind["manual"]),
            "n_entries": np.bincount(group),
            "n_errors": n_errors,
            "n_warnings": n_warnings,
            "message": _first_messages(entries, group, len(first)),
        },
        copy=False,
    )
    return table if is_in_order else table.iloc[np.lexsort((invoked, codes))].reset_index(drop=True)


def _first_messages(entries: _Entries, group: Int64, n: int) -> pd.Series[Any]:
    """First error, else first warning; entries of one instant have no order, so their texts decide."""
    is_error = entries.kind["error"]
    told = np.flatnonzero(is_error | entries.kind["warning"])
    codes, texts = encode(entries.message.iloc[told])
    of_each = group[told]
    if (of_each[1:] <= of_each[:-1]).any():  # else each is the only one of its invocation
        order = np.lexsort((codes, entries.created[told], ~is_error[told], of_each))
        first = order[changes(of_each[order])]
        codes, of_each = codes[first], of_each[first]
    chosen = np.full(n, -1, dtype=np.int32)
    chosen[of_each] = codes
    return decode(chosen, texts, entries.message)


def _n_actions(
    codes: Int64, invoked: Int64, ids: pd.Index[Any], schedules: pd.DataFrame | None
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Number of actions that each invocation had, by the version of its schedule valid then; NaN if unknown."""
    found = np.full(len(codes), np.nan)
    if schedules is None or schedules["n_actions"].isna().all():
        return found
    owner = ids.get_indexer(pd.Index(schedules["schedule_id"], dtype="str"))
    versions = schedules.assign(owner=owner)[owner >= 0].sort_values(["owner", "modified_at"])
    # Before the first version we know of, that one is the best guess.
    n_actions = versions["n_actions"].astype("float64").groupby(versions["owner"]).bfill().to_numpy()
    modified = to_ms(versions["modified_at"])
    of_each = zip(slices(versions["owner"].to_numpy(), len(ids)), slices(codes, len(ids)), strict=True)
    for known, mine in of_each:
        if known.stop > known.start:
            valid = np.searchsorted(modified[known], invoked[mine], side="right") - 1
            found[mine] = n_actions[known][np.maximum(valid, 0)]
    return found
