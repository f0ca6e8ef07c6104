"""
An invocation is what happened around one tick: the entries that one firing of a schedule left in its log.

Both documented shapes of the log are read alike: one entry per tick, and several (an ERROR or WARNING per action, and
an INFO ``Schedule invoked`` first or last). ``Schedule invoked`` alone never means success.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, blocks, changes, decode, encode, is_sorted, slices
from schedlog_analysis._core.instants import FOREVER, Int64, duration_ms, to_instants, to_ms
from schedlog_analysis.matching.answers import are_close
from schedlog_analysis.matching.definitions import count_actions, definitions_by_id, plan
from schedlog_analysis.matching.grouping import Due, Entries, group_entries
from schedlog_analysis.schema import OUTCOMES, Invocations, Log, Schedules

SCHEDULED = "Schedule invoked"
MANUAL = "Schedule invoked manually"
SKIPPED = r"^Skipping Actor\b.*\bmust be exclusive\b"
# The schedule itself could not be invoked, so none of its actions was started, however many it has.
SCHEDULE_LEVEL = "Cannot invoke schedule"

OVERLAP: Final = 2  # instants in a row at which all stands twice are an overlap of two answers

LEVELS = ("INFO", "ERROR", "WARNING")
OK, PARTIAL, FAILED, SKIP = range(len(OUTCOMES))


def invocations(
    log: pd.DataFrame,
    schedules: pd.DataFrame | None = None,
    *,
    window: str | timedelta = "10s",
    tolerance: str | timedelta = "1s",
) -> pd.DataFrame:
    """
    Group the entries of a log into invocations and tell how each ended.

    Where `schedules` gives the cron, entries are assigned to ticks first, so that an invocation never reaches over the
    next tick. Then each ``Schedule invoked`` ends one: two such lines are two invocations, however close. What no such
    line ends lasts up to `window`. The entries of a click are those before its line, back to the line before; but an
    entry on a tick is the tick's, also where somebody clicked seconds later.

    Where the answers of two fetches that overlap were put one after the other, entries of the overlap count once: that
    is where all that was written at two or more instants in a row stands there twice.

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
        Longest silence inside an invocation, and longest invocation that no ``Schedule invoked`` ends.
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
    log, ids, entries = _sort_entries(log)
    width = duration_ms(window, "window")
    due = _find_ticks(entries, ids, definitions, width, duration_ms(tolerance, "tolerance"))
    return _summarise(entries, group_entries(entries, due, width), definitions, log, ids)


def _sort_entries(log: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index[Any], Entries]:
    """Sort by schedule and time, within an instant with the line that ends an invocation last."""
    codes, ids = encode(log["schedule_id"])
    created = to_ms(log["created_at"])
    order = None if is_sorted(codes, created) else np.lexsort((created, codes))
    if order is not None:
        log, codes, created = log.iloc[order], codes[order], created[order]
    kind = _kinds(log)
    is_tied = (created[1:] == created[:-1]) & (codes[1:] == codes[:-1])
    if is_tied.any():
        rank = kind["scheduled"].astype(np.int8) + 2 * kind["manual"].astype(np.int8)
        order = np.lexsort((rank, created, codes))
        order = order[_once(log.iloc[order], codes, created)]
        log, codes, created = log.iloc[order], codes[order], created[order]
        kind = {name: mask[order] for name, mask in kind.items()}
    return log, ids, Entries(codes, created, log["message"], kind)


def _once(log: pd.DataFrame, codes: Int64, created: Int64) -> Int64:
    """
    Give the rows that stay where answers of the API that overlap were put one after the other.

    In the overlap every entry stands twice, instant after instant; what one answer itself says twice stands alone.
    """
    is_new = changes(codes, created)
    tied = np.flatnonzero(~(is_new & np.append(is_new[1:], True)))
    instant = np.cumsum(is_new) - 1
    same = [instant[tied], *(pd.factorize(log[name].iloc[tied])[0] for name in ("level", "message"))]
    order = np.lexsort(same[::-1])  # which leaves equal rows in their order
    first, n = blocks(*(column[order] for column in same))
    is_repeated = np.zeros(instant[-1] + 1, dtype=bool)
    is_repeated[instant[tied]] = True
    is_repeated[same[0][order][first[n == 1]]] = False
    owner = codes[is_new]
    begins, length = blocks(owner, is_repeated)
    is_overlap = np.repeat(is_repeated[begins] & (length >= OVERLAP), length)
    again = np.delete(order, first)
    again = tied[again][is_overlap[instant[tied[again]]]]
    return np.delete(np.arange(len(codes)), again)


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


def _find_ticks(
    entries: Entries, ids: pd.Index[Any], schedules: pd.DataFrame | None, window: int, tolerance: int
) -> Due:
    """
    Find the tick that each entry is on: the latest planned at or before it.

    None is looked for where no entry is within the window of the one before it: a plan could part nothing there. And
    none where ticks are so close that a usual delay reaches over the next one.
    """
    codes, created = entries.codes, entries.created
    due = Due(np.zeros(len(codes), dtype=np.int64), np.full(len(codes), FOREVER))
    plans = {} if schedules is None else definitions_by_id(schedules)
    is_close = (created[1:] - created[:-1] < window) & (codes[1:] == codes[:-1])
    n_close = np.bincount(codes[1:][is_close], minlength=len(ids))
    for schedule_id, of_it, n in zip(ids, slices(codes, len(ids)), n_close.tolist(), strict=True):
        if n and schedule_id in plans:
            definition, seen = plans[schedule_id], created[of_it] + tolerance
            planned = plan(definition, int(seen[0]) - definition.span(), int(seen[-1]) + 1).planned
            planned = planned[planned >= definition.versions[0].modified]  # before it was saved it parts nothing
            if len(planned) and not are_close(planned):
                tick = np.searchsorted(planned, seen, side="right")
                due.tick[of_it] = tick
                due.since[of_it] = np.where(tick, created[of_it] - planned[tick - 1], FOREVER)
    return due


def _any(group: Int64, mask: Mask) -> Mask:
    """Tell of each group whether the mask is true anywhere in it; the last number is that of the last group."""
    found = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
    found[group[mask]] = True
    return found


def _summarise(
    entries: Entries, group: Int64, schedules: pd.DataFrame | None, log: pd.DataFrame, ids: pd.Index[Any]
) -> pd.DataFrame:
    kind = entries.kind
    first = np.flatnonzero(changes(group))
    codes, invoked = entries.codes[first], entries.created[first]
    n_errors, n_warnings = (np.bincount(group[kind[name]], minlength=len(first)) for name in ("error", "warning"))
    outcome = np.full(len(first), OK, dtype=np.int8)
    outcome[_any(group, kind["skip"])] = SKIP
    hit = np.flatnonzero(n_errors)
    n_actions = count_actions(schedules, ids, codes[hit], invoked[hit])
    is_failed = np.isnan(n_actions) | (n_errors[hit] >= n_actions) | _any(group, kind["whole"])[hit]
    outcome[hit] = np.where(is_failed, FAILED, PARTIAL)
    return pd.DataFrame(
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


def _first_messages(entries: Entries, group: Int64, n: int) -> pd.Series[Any]:
    """First error, else first warning; entries of one instant have no order, so their texts decide."""
    is_error = entries.kind["error"]
    rows = np.flatnonzero(is_error | entries.kind["warning"])
    codes, texts = encode(entries.message.iloc[rows])
    of_each = group[rows]
    if (of_each[1:] <= of_each[:-1]).any():  # else each is the only one of its invocation
        order = np.lexsort((codes, entries.created[rows], ~is_error[rows], of_each))
        first = order[changes(of_each[order])]
        codes, of_each = codes[first], of_each[first]
    chosen = np.full(n, -1, dtype=np.int32)
    chosen[of_each] = codes
    return decode(chosen, texts, entries.message)
