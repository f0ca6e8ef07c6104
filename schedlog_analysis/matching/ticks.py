"""
A tick is an instant at which a schedule was due; this matches what was planned with what happened.

Every planned tick and every invocation appears exactly once. What the log could not show is unknown, never missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis._core.arrays import Mask, decode, encode, is_sorted, slices
from schedlog_analysis._core.instants import (
    FOREVER,
    MISSING,
    InstantLike,
    Int64,
    duration_ms,
    instant_ms,
    to_durations,
    to_instants,
    to_ms,
)
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.definitions import definitions_by_id
from schedlog_analysis.matching.match import (
    EXTRA,
    LATE,
    MISSED,
    NO_PAIRS,
    ON_TIME,
    Rows,
    Seen,
    Window,
    match_schedule,
)
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import REASONS, STATUSES, Holes, Invocations, JudgedTicks, Runs, Schedules, is_full

__all__ = ["EXTRA", "LATE", "MISSED", "ON_TIME", "ticks"]


def ticks(  # noqa: PLR0913 - all but the first two by name
    invocations: pd.DataFrame,
    schedules: pd.DataFrame | None = None,
    *,
    start: InstantLike | None = None,
    end: InstantLike | None = None,
    holes: pd.DataFrame | None = None,
    runs: pd.DataFrame | None = None,
    seen_until: Mapping[str, InstantLike] | pd.Series[Any] | None = None,
    cron: str | None = None,
    tz: str = "UTC",
    grace: str | timedelta = "60s",
    tolerance: str | timedelta = "1s",
    policy: AccountingPolicy | None = None,
) -> pd.DataFrame:
    """
    Match every planned tick with the invocation that answered it.

    Each invocation answers the latest tick planned at or before it; the first is its answer, further ones are
    duplicates. An invocation before any tick is extra. A tick that nothing answered is missed, unless the log cannot
    show it: then it is unknown. While a schedule is switched off nothing is due, nor less than ten seconds after a
    start. Before the first definition known, and for schedules without one, ticks follow what the log itself shows: the
    cron known later where it explains the invocations, else one that is inferred from them.

    Parameters
    ----------
    invocations
        Invocations of any number of schedules, see `schema.Invocations`.
    schedules
        Their definitions, all versions known, see `schema.Schedules`. A schedule that is here but has no invocation is
        missed at every tick, unless its `last_run_at` says that it ran and only its log was not read.
    start, end
        Half-open window of planned instants. By default each schedule's own: from its creation (or from the first tick
        that a truncated log shows) to `seen_until`, else to its last sign of life: last invocation, last or next run
        known when it was fetched. Giving `end` says that the log was fetched at or after it.
    holes
        Stretches that the log cannot show, see `schema.Holes`. By default guessed from the number of entries.
    runs
        Runs, see `schema.Runs`; where `scheduled_at` names a tick, the invocation that started the run answers that
        one.
    seen_until
        Until when each schedule's log is known, by schedule id, see `seen_until.seen_until`: what was due up to then
        and left no trace is missed. An invocation after it is from a broken clock, and extra.
    cron, tz
        What schedules without a definition follow, for who knows no more; by default it is inferred.
    grace
        A delay longer than this is late; never more than half the gap to the next tick.
    tolerance
        How far the platform's clock may run ahead of the plan.
    policy
        What each tick counts as; by default `AccountingPolicy()`.

    Returns
    -------
    ticks
        One row per planned tick and per invocation without one, sorted by schedule and time, see `schema.JudgedTicks`.

    Raises
    ------
    CronError
        If a cron or time zone makes no sense.
    InputError
        If `end` lies before `start`, or an instant or a duration cannot be read.

    Examples
    --------
    >>> from schedlog_analysis import load_sample, invocations, ticks
    >>> sample = load_sample()
    >>> result = ticks(invocations(sample.log, sample.schedules), sample.schedules)
    >>> bool((result["status"] == "missed").any())
    True
    """
    inv = Invocations.accept(invocations)
    definitions = {} if schedules is None else definitions_by_id(Schedules.accept(schedules))
    window = _read_window(start, end, grace, tolerance)
    given, looks = None if cron is None else Cron(cron, tz), _read_looks(seen_until)
    codes, ids = encode(inv["schedule_id"])
    if not is_sorted(codes, to_ms(inv["invoked_at"])):
        order = np.lexsort((to_ms(inv["invoked_at"]), codes))
        inv, codes = inv.iloc[order], codes[order]
    silent = definitions.keys() - set(ids)  # `union` alone would not sort them where nobody else is
    everyone = ids.union(pd.Index(list(silent), dtype=ids.dtype)).sort_values() if silent else ids
    seen = _cut_by_schedule(inv, codes, ids, holes, runs)
    parts = []
    for schedule_id in everyone:
        of_it = seen.get(schedule_id, Seen())
        if schedule_id in looks:
            of_it = of_it._replace(until=looks[schedule_id], is_dated=True)
        parts.append(match_schedule(definitions.get(schedule_id), given, of_it, window))
    return (policy or AccountingPolicy()).judge(_table(parts, everyone, inv))[JudgedTicks.names()]


def _read_window(
    start: InstantLike | None, end: InstantLike | None, grace: str | timedelta, tolerance: str | timedelta
) -> Window:
    first = None if start is None else instant_ms(start, "start")
    last = None if end is None else instant_ms(end, "end")
    if first is not None and last is not None and last < first:
        raise InputError(f"`end` {end} lies before `start` {start}; expected a window that ends after it starts.")
    return Window(first, last, duration_ms(grace, "grace"), duration_ms(tolerance, "tolerance"))


def _read_looks(seen_until: Mapping[str, InstantLike] | pd.Series[Any] | None) -> dict[str, int]:
    if seen_until is None:
        return {}
    return {str(key): instant_ms(instant, "seen_until") for key, instant in seen_until.items() if not pd.isna(instant)}


def _cut_by_schedule(
    inv: pd.DataFrame, codes: Int64, ids: pd.Index[Any], holes: pd.DataFrame | None, runs: pd.DataFrame | None
) -> dict[str, Seen]:
    """Cut what is known by schedule."""
    invoked, is_manual = to_ms(inv["invoked_at"]), inv["is_manual"].to_numpy()
    n_entries = inv["n_entries"].to_numpy()
    holes_of, runs_of = _cut_holes(holes), _cut_runs(runs)
    seen = {}
    for schedule_id, of_it in zip(ids, slices(codes, len(ids)), strict=True):
        pairs = holes_of.pop(schedule_id, NO_PAIRS)
        is_cut = bool(is_full(n_entries[of_it].sum())) if holes is None else bool((pairs[:, 0] == MISSING).any())
        if holes is None and is_cut:
            pairs = np.array([[MISSING, invoked[of_it][0]]])
        of_runs = runs_of.get(schedule_id, NO_PAIRS)
        seen[schedule_id] = Seen(
            of_it.start, invoked[of_it], is_manual[of_it], pairs, of_runs, is_cut, is_dated=holes is not None
        )
    return seen | {schedule_id: Seen(holes=pairs, is_dated=True) for schedule_id, pairs in holes_of.items()}


def _cut_holes(holes: pd.DataFrame | None) -> dict[str, Int64]:
    if holes is None:
        return {}
    table = Holes.accept(holes)
    started, ended = to_ms(table["started_at"]), to_ms(table["ended_at"])
    return _pairs(table["schedule_id"], started, np.where(ended == MISSING, FOREVER, ended))


def _cut_runs(runs: pd.DataFrame | None) -> dict[str, Int64]:
    if runs is None:
        return {}
    table = Runs.accept(runs)
    table = table[table["schedule_id"].notna() & table["scheduled_at"].notna()]
    return _pairs(table["schedule_id"], to_ms(table["started_at"]), to_ms(table["scheduled_at"]))


def _pairs(keys: pd.Series[Any], left: Int64, right: Int64) -> dict[str, Int64]:
    """Give for each key its pairs, by the left one."""
    codes, ids = encode(keys)
    order = np.lexsort((right, left, codes))
    pairs = np.column_stack([left, right])[order]
    return {key: pairs[of_it] for key, of_it in zip(ids, slices(codes[order], len(ids)), strict=True)}


def _table(parts: list[Rows], everyone: pd.Index[Any], inv: pd.DataFrame) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(JudgedTicks.empty())
    rows = Rows.joined(parts)
    owner = np.repeat(np.arange(len(parts)), [len(part.row) for part in parts])
    is_alone = rows.row < 0
    invoked = _taken(to_ms(inv["invoked_at"]), rows.row, is_alone, MISSING)
    outcome = _taken(inv["outcome"].cat.codes.to_numpy(), rows.row, is_alone, -1)
    delay = invoked - rows.planned
    delay[is_alone | (rows.planned == MISSING)] = MISSING
    return pd.DataFrame(
        {
            "schedule_id": decode(owner, everyone, inv["schedule_id"]),
            "planned_at": to_instants(rows.planned),
            "invoked_at": to_instants(invoked),
            "delay": to_durations(delay),
            "status": pd.Categorical.from_codes(rows.status, categories=pd.Index(STATUSES, dtype="str")),
            "outcome": pd.Categorical.from_codes(outcome, categories=inv["outcome"].cat.categories),
            "is_ambiguous": rows.is_ambiguous,
            "reason": pd.Categorical.from_codes(rows.why, categories=pd.Index(REASONS, dtype="str")),
        },
        copy=False,
    )


def _taken(values: NDArray[Any], row: Int64, is_alone: Mask, missing: int) -> NDArray[Any]:
    """Take a value for each tick from the row that answered it."""
    if not len(values):
        return np.full(len(row), missing, dtype=values.dtype)
    taken = values[row]
    taken[is_alone] = missing
    return taken
