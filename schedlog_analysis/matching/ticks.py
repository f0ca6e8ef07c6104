"""
A tick is a moment at which a schedule was due; this matches what was planned with what happened.

Every planned tick and every invocation appears exactly once. What the log could not show is unknown, never missed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis._core.arrays import Mask, changes, decode, encode, is_sorted, slices
from schedlog_analysis._core.instants import (
    FOREVER,
    MISSING,
    InstantLike,
    Int8,
    Int64,
    duration_ms,
    instant_ms,
    to_durations,
    to_instants,
    to_ms,
)
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.infer import infer_cron
from schedlog_analysis.cron.planning import END_MS
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.definitions import (
    Definition,
    Plan,
    Version,
    definitions_by_id,
    plan,
    previous_tick,
)
from schedlog_analysis.matching.offsets import settle
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import REASONS, STATUSES, Holes, Invocations, JudgedTicks, Runs, Schedules, is_full

ON_TIME, LATE, MISSED, UNKNOWN, DUPLICATE, EXTRA, MANUAL = range(len(STATUSES))
# A run belongs to the last invocation before its start; how long the platform may take in between is not documented.
RUN_BEFORE, RUN_AFTER = 5_000, 60_000


class _Window(NamedTuple):
    """What `ticks` was asked for, in milliseconds."""

    start: int | None
    end: int | None
    grace: int
    tolerance: int


class _Seen(NamedTuple):
    """What is known of one schedule beside its plan: invocations in order, blind stretches, runs, in milliseconds."""

    first: int  # row of the first invocation in the whole table
    invoked: Int64
    is_manual: Mask
    holes: Int64  # n x 2, MISSING and FOREVER for open ends
    runs: Int64  # n x 2: started_at, scheduled_at, by start
    is_cut: bool  # whether older entries may have been cut off


class _Rows(NamedTuple):
    """Ticks of one schedule, as columns."""

    planned: Int64
    row: Int64  # which invocation, -1 for none
    status: Int8
    is_ambiguous: Mask
    why: Int8  # code of the reason why it is unknown, if it is

    @classmethod
    def of(cls, row: Int64, status: int) -> _Rows:
        """Invocations beyond the plan."""
        n = len(row)
        none = np.zeros(n, dtype=np.int8)
        return cls(np.full(n, MISSING), row, np.full(n, status, dtype=np.int8), none.astype(bool), none)

    @classmethod
    def joined(cls, parts: list[_Rows]) -> _Rows:
        return cls(*map(np.concatenate, zip(*parts, strict=True)))

    def at(self, rows: Int64 | slice) -> _Rows:
        return _Rows._make(column[rows] for column in self)


_NO_PAIRS = np.empty((0, 2), np.int64)
_NOTHING = _Seen(0, np.empty(0, np.int64), np.empty(0, bool), _NO_PAIRS, _NO_PAIRS, is_cut=False)


def ticks(
    invocations: pd.DataFrame,
    schedules: pd.DataFrame | None = None,
    *,
    start: InstantLike | None = None,
    end: InstantLike | None = None,
    holes: pd.DataFrame | None = None,
    runs: pd.DataFrame | None = None,
    grace: str | timedelta = "60s",
    tolerance: str | timedelta = "1s",
    policy: AccountingPolicy | None = None,
) -> pd.DataFrame:
    """
    Match every planned tick with the invocation that answered it.

    Each invocation answers the latest tick planned at or before it; the first is its answer, further ones are
    duplicates. An invocation before any tick is extra. A tick that nothing answered is missed, unless the log cannot
    show it: then it is unknown. Ticks of schedules without a definition follow the cron inferred from their
    invocations.

    Parameters
    ----------
    invocations
        Invocations of any number of schedules, see `schema.Invocations`.
    schedules
        Their definitions, all versions known, see `schema.Schedules`. A schedule that is here but has no invocation is
        missed at every tick, unless its `last_run_at` says that it ran and only its log was not read.
    start, end
        Half-open window of planned moments. By default each schedule's own: from its creation (or from the first tick
        that a truncated log shows) to its last sign of life: last invocation, last or next run known when it was
        fetched. Giving `end` says that the log was fetched at or after it.
    holes
        Stretches that the log cannot show, see `schema.Holes`. By default guessed from the number of entries.
    runs
        Runs, see `schema.Runs`; where `scheduled_at` names a tick, the invocation that started the run answers that
        one.
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
        If a definition's cron or time zone makes no sense.
    InputError
        If `end` lies before `start`, or a window cannot be read.

    Examples
    --------
    >>> from schedlog_analysis import load_sample, invocations, ticks
    >>> sample = load_sample()
    >>> result = ticks(invocations(sample.log, sample.schedules), sample.schedules)
    >>> bool((result["status"] == "missed").any())
    True
    """
    told = Invocations.accept(invocations)
    definitions = {} if schedules is None else definitions_by_id(Schedules.accept(schedules))
    window = _window(start, end, grace, tolerance)
    codes, ids = encode(told["schedule_id"])
    if not is_sorted(codes, to_ms(told["invoked_at"])):
        order = np.lexsort((to_ms(told["invoked_at"]), codes))
        told, codes = told.iloc[order], codes[order]
    silent = definitions.keys() - set(ids)  # `union` alone would not sort them where nobody else is
    everyone = ids.union(pd.Index(list(silent), dtype=ids.dtype)).sort_values() if silent else ids
    seen = _seen(told, codes, ids, holes, runs)
    parts = []
    for schedule_id in everyone:
        mine = seen.get(schedule_id, _NOTHING)
        definition = definitions.get(schedule_id) or _inferred(mine)
        parts.append(_ticks_of_one(definition, mine, window))
    return (policy or AccountingPolicy()).judge(_table(parts, everyone, told))


def _window(
    start: InstantLike | None, end: InstantLike | None, grace: str | timedelta, tolerance: str | timedelta
) -> _Window:
    first = None if start is None else instant_ms(start, "start")
    last = None if end is None else instant_ms(end, "end")
    if first is not None and last is not None and last < first:
        raise InputError(f"`end` {end} lies before `start` {start}; expected a window that ends after it starts.")
    return _Window(first, last, duration_ms(grace, "grace"), duration_ms(tolerance, "tolerance"))


def _seen(
    told: pd.DataFrame, codes: Int64, ids: pd.Index[Any], holes: pd.DataFrame | None, runs: pd.DataFrame | None
) -> dict[str, _Seen]:
    """Cut what is known by schedule."""
    invoked, is_manual = to_ms(told["invoked_at"]), told["is_manual"].to_numpy()
    n_entries = told["n_entries"].to_numpy()
    blind = _blind(holes)
    started = _started(runs)
    seen = {}
    for schedule_id, mine in zip(ids, slices(codes, len(ids)), strict=True):
        spots = blind.pop(schedule_id, _NO_PAIRS)
        is_cut = bool(is_full(n_entries[mine].sum())) if holes is None else bool((spots[:, 0] == MISSING).any())
        if holes is None and is_cut:
            spots = np.array([[MISSING, invoked[mine][0]]])
        runs_of_it = started.get(schedule_id, _NO_PAIRS)
        seen[schedule_id] = _Seen(mine.start, invoked[mine], is_manual[mine], spots, runs_of_it, is_cut)
    return seen | {schedule_id: _NOTHING._replace(holes=spots) for schedule_id, spots in blind.items()}


def _blind(holes: pd.DataFrame | None) -> dict[str, Int64]:
    if holes is None:
        return {}
    table = Holes.accept(holes)
    started, ended = to_ms(table["started_at"]), to_ms(table["ended_at"])
    return _pairs(table["schedule_id"], started, np.where(ended == MISSING, FOREVER, ended))


def _started(runs: pd.DataFrame | None) -> dict[str, Int64]:
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
    return {key: pairs[mine] for key, mine in zip(ids, slices(codes[order], len(ids)), strict=True)}


def _ticks_of_one(definition: Definition | None, seen: _Seen, window: _Window) -> _Rows:
    """Match one schedule: its plan, extended to the tick before its first invocation and the one after the window."""
    due = np.flatnonzero(~seen.is_manual)
    invoked = seen.invoked[due]
    manual = _Rows.of(np.flatnonzero(seen.is_manual), MANUAL)
    if definition is None:
        return _within(_Rows.joined([_Rows.of(due, EXTRA), manual]), seen, window)
    definition = settle(definition, invoked)
    start, end = _bounds(definition, seen, invoked, window)
    planned = _planned(definition, invoked + window.tolerance, start, end)
    answer = _latest(planned.planned, invoked + window.tolerance)
    if window.start is None and seen.is_cut and len(answer) and answer[0] >= 0:
        start = max(definition.created, int(planned.planned[answer[0]]))
    end = max(start, end)
    answer = _by_runs(answer, planned.planned, invoked, seen.runs, window.tolerance)
    if not is_sorted(answer):  # which only runs can have told
        order = np.lexsort((invoked, answer))
        answer, due, invoked = answer[order], due[order], invoked[order]
    is_extra = answer < 0
    is_first = ~is_extra & changes(answer)
    answered = answer[is_first]

    # Rows: every planned tick, then the invocations beyond the plan.
    row = np.full(len(planned.planned), -1)
    row[answered] = due[is_first]
    status = np.full(len(row), MISSED, dtype=np.int8)
    slack = _slack(planned.planned, window.grace)
    is_late = invoked[is_first] > (planned.planned + slack)[answered]
    status[answered] = np.where(is_late, LATE, ON_TIME)
    why = _find_why_unknown(definition, planned, slack, seen, end)
    status[(row < 0) & (why > 0)] = UNKNOWN
    again = ~is_first & ~is_extra
    is_doubted = _doubted(status, answer[again])
    on_plan = _Rows(planned.planned, row, status, planned.is_ambiguous & (row < 0) | is_doubted, why)
    duplicates = _Rows.of(due[again], DUPLICATE)._replace(
        planned=planned.planned[answer[again]], is_ambiguous=is_doubted[answer[again] - 1] & (answer[again] > 0)
    )
    extra = _Rows.of(due[is_extra], EXTRA)
    rows = _Rows.joined([on_plan, duplicates, extra, manual])
    return _within(rows, seen, window._replace(start=start, end=end))


def _bounds(definition: Definition, seen: _Seen, invoked: Int64, window: _Window) -> tuple[int, int]:
    """Fill in the window: from creation, or the first invocation shown, to the last sign of life."""
    start, end = window.start, window.end
    if start is None:
        start = definition.created
        if seen.is_cut and len(invoked):
            start = max(start, int(invoked[0]) + window.tolerance + 1)
    if end is None:
        signs = [seen.invoked[-1] + 1] if len(seen.invoked) else []
        signs += [moment for moment in (definition.next_run, definition.last_run + 1) if moment > 0]
        end = int(max(signs, default=start))
    return start, end


def _planned(definition: Definition, seen_by: Int64, start: int, end: int) -> Plan:
    """Plan at least the window, the tick that the first invocation answers, and the tick after the end, for its gap."""
    first, last = (min(start, int(seen_by[0])), max(end, int(seen_by[-1]) + 1)) if len(seen_by) else (start, end)
    before = after = min(version.cron.span_ms() for version in definition.versions)
    while True:
        planned = plan(definition, first - before, last + after)
        ticks_ms = planned.planned
        has_before = first - before <= definition.created or (len(ticks_ms) > 0 and ticks_ms[0] <= first)
        has_after = last + after >= END_MS or (len(ticks_ms) > 0 and ticks_ms[-1] >= last)
        if has_before and has_after:
            return planned
        before, after = before if has_before else 4 * before, after if has_after else 4 * after


def _latest(planned: Int64, moments: Int64) -> Int64:
    """Find the latest tick at or before each moment, -1 for none; where all gaps are the same, that is a division."""
    if len(planned) > 1 and (planned[1:] - planned[:-1] == (gap := planned[1] - planned[0])).all():
        return np.asarray(np.clip((moments - planned[0]) // gap, -1, len(planned) - 1))
    return np.searchsorted(planned, moments, side="right") - 1


def _by_runs(answer: Int64, planned: Int64, invoked: Int64, runs: Int64, tolerance: int) -> Int64:
    """Let the run that an invocation started say which tick it was for, where that is one of the plan's."""
    if not (len(runs) and len(planned) and len(invoked)):
        return answer
    started, scheduled = runs.T
    starter = np.searchsorted(invoked, started + RUN_BEFORE, side="right") - 1
    tick = np.clip(np.searchsorted(planned, scheduled - tolerance), 0, len(planned) - 1)
    is_told = (starter >= 0) & (started <= invoked[starter] + RUN_AFTER)
    is_told &= (np.abs(planned[tick] - scheduled) <= tolerance) & (planned[tick] <= invoked[starter] + tolerance)
    starter, tick = starter[is_told], tick[is_told]
    told = answer.copy()
    told[starter] = tick
    is_moved, is_confirmed = np.zeros(len(answer), dtype=bool), np.zeros(len(answer), dtype=bool)
    is_moved[starter] = True
    is_confirmed[starter[answer[starter] == tick]] = True
    is_moved &= ~is_confirmed
    # A run that started late may seem to be the next invocation's: then its tick has an answer that no run explains.
    while (is_late := is_moved & np.isin(told, answer[~is_moved & ~is_confirmed])).any():
        is_moved &= ~is_late
    return np.where(is_moved, told, answer)


def _slack(planned: Int64, grace: int) -> Int64:
    """How late each tick may be: the grace, but never more than half the gap to the next tick."""
    slack = np.full(len(planned), grace, dtype=np.int64)  # the last has all of it: the next is not known
    np.minimum(grace, (planned[1:] - planned[:-1]) // 2, out=slack[:-1])
    return slack


def _find_why_unknown(definition: Definition, planned: Plan, slack: Int64, seen: _Seen, end: int) -> Int8:
    """Tell why the log could not have shown each tick, had it been missed; 0 where it could have."""
    ticks_ms = planned.planned
    last = int(seen.invoked[-1]) if len(seen.invoked) else MISSING
    why = np.zeros(len(ticks_ms), dtype=np.int8)
    first = definition.versions[0]
    if first.modified > first.begins:  # what was saved then may have ended a pause, or replaced another cron
        why[_silent_before(first.modified, ticks_ms, seen)] = REASONS.index("before the first definition")
    if not first.is_enabled:  # nobody knows since when
        why[_silent_before(first.ends, ticks_ms, seen)] = REASONS.index("before the first definition")
    why[planned.is_ambiguous] = REASONS.index("clock change")
    why[planned.is_paused] = REASONS.index("switched off")
    why[ticks_ms + slack > max(end, last)] = REASONS.index("after the last look")
    for started, ended in seen.holes:
        reason = "truncated" if started == MISSING else "after the last look" if ended == FOREVER else "hole"
        why[(ticks_ms + slack > started) & (ticks_ms < ended)] = REASONS.index(reason)
    if last == MISSING and definition.last_run != MISSING:  # it ran, so its log was not read
        why[:] = REASONS.index("not read")
    return why


def _silent_before(moment: int, ticks_ms: Int64, seen: _Seen) -> Mask:
    """Tell which ticks lie in the silence before a moment; a click ends no silence, as paused schedules take it too."""
    before = seen.invoked[~seen.is_manual & (seen.invoked < moment)]
    since = int(before[-1]) if len(before) else MISSING
    return np.asarray((ticks_ms > since) & (ticks_ms < moment))


def _doubted(status: Int8, repeated: Int64) -> Mask:
    """Tell which misses are doubtful: the next tick was answered twice, and one answer may have been for this one."""
    doubted = np.zeros(len(status), dtype=bool)
    doubted[repeated[repeated > 0] - 1] = True
    return np.asarray(doubted & (status == MISSED))


def _within(rows: _Rows, seen: _Seen, window: _Window) -> _Rows:
    """Sort the rows, by the plan, beyond the plan by the invocation, and keep those of the window."""
    is_beyond = rows.planned == MISSING
    moment = rows.planned.copy()
    moment[is_beyond] = seen.invoked[rows.row[is_beyond]]
    if not (moment[1:] > moment[:-1]).all():
        invoked = np.where(rows.row < 0, MISSING, seen.invoked[rows.row])
        order = np.lexsort((invoked, moment))
        rows, moment = rows.at(order), moment[order]
    begin = None if window.start is None else int(np.searchsorted(moment, window.start))
    end = None if window.end is None else int(np.searchsorted(moment, window.end))
    kept = rows.at(slice(begin, end))
    return kept._replace(row=np.where(kept.row < 0, -1, kept.row + seen.first))


def _inferred(seen: _Seen) -> Definition | None:
    """Take the cron that the invocations themselves show, where they show one and mostly kept it."""
    invoked = seen.invoked[~seen.is_manual]
    best = infer_cron(to_instants(invoked), n_best=1)
    if best.empty or not bool(best["is_explained"].iloc[0]) or 2 * best["n_missed"].iloc[0] > best["n_planned"].iloc[0]:
        return None
    offset = best["offset"].fillna(pd.Timedelta(0)).iloc[0].to_pytimedelta()
    cron = Cron(str(best["cron"].iloc[0]), str(best["tz"].iloc[0]), offset=offset)
    first = previous_tick(cron, int(invoked[0]) + 1)
    begins = first if first != MISSING else int(invoked[0])
    return Definition((Version(cron, is_enabled=True, begins=begins, ends=FOREVER, modified=begins),), MISSING, MISSING)


def _table(parts: list[_Rows], everyone: pd.Index[Any], told: pd.DataFrame) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(JudgedTicks.empty())
    rows = _Rows.joined(parts)
    owner = np.repeat(np.arange(len(parts)), [len(part.row) for part in parts])
    is_alone = rows.row < 0
    invoked = _taken(to_ms(told["invoked_at"]), rows.row, is_alone, MISSING)
    outcome = _taken(told["outcome"].cat.codes.to_numpy(), rows.row, is_alone, -1)
    delay = invoked - rows.planned
    delay[is_alone | (rows.planned == MISSING)] = MISSING
    return pd.DataFrame(
        {
            "schedule_id": decode(owner, everyone, told["schedule_id"]),
            "planned_at": to_instants(rows.planned),
            "invoked_at": to_instants(invoked),
            "delay": to_durations(delay),
            "status": pd.Categorical.from_codes(rows.status, categories=pd.Index(STATUSES, dtype="str")),
            "outcome": pd.Categorical.from_codes(outcome, categories=told["outcome"].cat.categories),
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
