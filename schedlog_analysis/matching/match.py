"""A match says what became of every tick and of every invocation of one schedule: plan, assign, classify, assemble."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from schedlog_analysis._core.arrays import Mask, changes, is_sorted
from schedlog_analysis._core.instants import FOREVER, MISSING, Int8, Int64
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.planning import END_MS
from schedlog_analysis.matching.answers import USUAL, apply_runs, are_close, find_answers, find_due, find_slack
from schedlog_analysis.matching.definitions import Definition, Plan, Version, plan, previous_tick
from schedlog_analysis.matching.earlier import complete, infer_definition
from schedlog_analysis.matching.offsets import settle
from schedlog_analysis.schema import REASONS, STATUSES

ON_TIME, LATE, MISSED, UNKNOWN, DUPLICATE, EXTRA, MANUAL = range(len(STATUSES))
# Why a tick is unknown, as codes of REASONS; where several apply, the later one in this list is told.
KNOWN = 0
CLOCK_CHANGE, UNDEFINED, HOLE, TRUNCATED, AFTER_LAST_LOOK, NOT_READ = (
    REASONS.index(reason)
    for reason in (
        "clock change",
        "before the first definition",
        "hole",
        "truncated",
        "after the last look",
        "not read",
    )
)

CLOCKS: Final = 300_000  # [ms] how far the clock of whoever fetched may be behind the platform's
ABSURD: Final = 400 * 86_400_000  # [ms] an entry so long after all else that is known of a schedule is not believed
FEW: Final = 0.02  # share of the entries that may be so, at most; more are a schedule that woke up

NO_PAIRS = np.empty((0, 2), np.int64)


class Window(NamedTuple):
    """What to return, and how strictly, in milliseconds."""

    start: int | None
    end: int | None
    grace: int
    tolerance: int


class Seen(NamedTuple):
    """What is known of one schedule beside its definition: invocations in order, holes, runs, in milliseconds."""

    first: int = 0  # row of the first invocation in the whole table
    invoked: Int64 = np.empty(0, np.int64)
    is_manual: Mask = np.empty(0, bool)
    holes: Int64 = NO_PAIRS  # n x 2, MISSING and FOREVER for open ends
    runs: Int64 = NO_PAIRS  # n x 2: started_at, scheduled_at, by start
    is_cut: bool = False  # whether older entries may have been cut off
    is_dated: bool = False  # whether `holes` or `until` say when the log was looked at
    until: int = MISSING  # when it was last looked at, MISSING if only the entries tell
    last: int = MISSING  # its last entry that is believed


class Rows(NamedTuple):
    """Ticks of one schedule, as columns."""

    planned: Int64
    row: Int64  # which invocation, -1 for none
    status: Int8
    is_ambiguous: Mask
    why: Int8  # why it is unknown, a code of REASONS; 0 where it is not

    @classmethod
    def of(cls, row: Int64, status: int, *, is_ambiguous: bool = False) -> Rows:
        """Invocations beyond the plan."""
        n = len(row)
        doubts = np.full(n, is_ambiguous)
        return cls(np.full(n, MISSING), row, np.full(n, status, dtype=np.int8), doubts, np.zeros(n, dtype=np.int8))

    @classmethod
    def joined(cls, parts: list[Rows]) -> Rows:
        """Put rows one after the other."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))

    def at(self, rows: Int64 | slice) -> Rows:
        """Take some of the rows."""
        return Rows._make(column[rows] for column in self)


class Assigned(NamedTuple):
    """A plan without the ticks that were not due, and the scheduled invocations by the tick that each was for."""

    plan: Plan
    slack: Int64  # how late each tick may be [ms]
    row: Int64  # which invocation
    invoked: Int64
    tick: Int64  # position in the plan, -1 for none
    is_doubtful: Mask  # whether it was for none only because nothing is known of what was due


def match_schedule(definition: Definition | None, given: Cron | None, seen: Seen, window: Window) -> Rows:
    """
    Match one schedule.

    Parameters
    ----------
    definition
        All versions known; None if there is none.
    given
        What to follow where there is no definition; None to infer it.
    seen
        What is known beside it.
    window
        What to return.
    """
    is_believed = _are_believed(definition, seen)
    manual = Rows.of(np.flatnonzero(seen.is_manual), MANUAL)
    odd = Rows.of(np.flatnonzero(~seen.is_manual & ~is_believed), EXTRA, is_ambiguous=True)
    row = np.flatnonzero(~seen.is_manual & is_believed)
    definition = _define(definition, given, seen.invoked[row], seen.runs)
    if definition is None:
        return _cut(Rows.joined([Rows.of(row, EXTRA), manual, odd]), seen, window.start, window.end)
    seen = seen._replace(last=int(seen.invoked[is_believed].max(initial=MISSING)))
    start, end = _find_bounds(definition, seen, window)
    planned = _plan_around(definition, seen.invoked[row] + window.tolerance, start, end)
    found = _assign(definition, planned, row, seen, window)
    start, end = _extend(start, end, found, seen, window)
    seen = seen._replace(until=max(seen.last, end if seen.until == MISSING else seen.until))
    rows = [*_classify(definition, found, seen, window.tolerance), manual]
    return Rows.joined([_cut(Rows.joined(rows), seen, start, end), _cut(odd, seen, window.start, window.end)])


# Plan ---------------------------------------------------------------------------------------------------------------


def _are_believed(definition: Definition | None, seen: Seen) -> Mask:
    """Tell which invocations are not from a clock gone wrong: after the log was looked at, or years after all else."""
    invoked = seen.invoked
    if seen.until != MISSING:
        return np.asarray(invoked <= seen.until + CLOCKS)
    is_believed = np.ones(len(invoked), dtype=bool)
    if not len(invoked) or invoked[-1] - invoked[0] <= ABSURD:
        return is_believed
    jumps = np.flatnonzero(invoked[1:] - invoked[:-1] > ABSURD)
    if len(jumps):
        after = int(jumps[-1]) + 1
        known, least = int(invoked[after - 1]), ABSURD
        if definition is not None:
            known = max(known, definition.next_run, definition.last_run, definition.current.modified)
            least = max(ABSURD, 3 * definition.current.cron.span_ms())
        is_few = len(invoked) - after <= max(1, FEW * len(invoked))
        is_believed[after:] = not (is_few and invoked[after] - known > least)
    return is_believed


def _define(definition: Definition | None, given: Cron | None, invoked: Int64, runs: Int64) -> Definition | None:
    """Complete what is known of the definition by what the log shows of it."""
    if definition is None:
        if not len(invoked):
            return None
        if given is None:
            return infer_definition(invoked)
        first = previous_tick(given, int(invoked[0]) + 1)
        begins = first if first != MISSING else int(invoked[0])
        definition = Definition((Version(given, True, begins, FOREVER, begins),), MISSING, MISSING)  # noqa: FBT003
    return complete(settle(definition, invoked, runs[:, 1]), invoked)


def _find_bounds(definition: Definition, seen: Seen, window: Window) -> tuple[int, int]:
    """Fill in the window: from creation, or the first entry shown, to the last sign of life or the last look."""
    start, end = window.start, window.end
    if start is None:
        start = definition.created
        if seen.is_cut and seen.last != MISSING:
            start = max(start, int(seen.invoked[0]) + window.tolerance + 1)
    if end is None:
        signs = [seen.until] if seen.until != MISSING else [definition.next_run, definition.last_run + 1]
        signs = [instant for instant in (*signs, seen.last + 1) if instant > 0]
        end = max(signs, default=start)
    return start, max(start, end)


def _plan_around(definition: Definition, seen_by: Int64, start: int, end: int) -> Plan:
    """Plan at least the window, the tick that the first invocation answers, and the tick after the end, for its gap."""
    first, last = (min(start, int(seen_by[0])), max(end, int(seen_by[-1]) + 1)) if len(seen_by) else (start, end)
    before = after = definition.span()
    while True:
        planned = plan(definition, first - before, last + after)
        ticks_ms = planned.planned
        has_before = first - before <= definition.created or (len(ticks_ms) > 0 and ticks_ms[0] <= first)
        has_after = last + after >= END_MS or (len(ticks_ms) > 0 and ticks_ms[-1] >= last)
        if has_before and has_after:
            return planned
        before, after = before if has_before else 4 * before, after if has_after else 4 * after


# Assign -------------------------------------------------------------------------------------------------------------


def _assign(definition: Definition, planned: Plan, row: Int64, seen: Seen, window: Window) -> Assigned:
    """Find the tick of each scheduled invocation, and drop those that were not due."""
    invoked, is_close = seen.invoked[row], are_close(planned.planned)
    slack = find_slack(planned.planned, window.grace, is_close=is_close)
    by_time = find_answers(planned.planned, invoked, window.tolerance, is_close=is_close)
    tick = apply_runs(by_time, planned.planned, invoked, seen.runs, window.tolerance)
    is_doubtful = _are_beyond(definition, planned, slack, invoked, tick)
    tick = np.where(is_doubtful, -1, tick) if is_doubtful.any() else tick
    is_open = np.ones(len(slack), dtype=bool)
    is_open[tick[tick >= 0]] = False
    silent = np.flatnonzero(is_open)
    dropped = silent[~find_due(planned.planned, silent, invoked, tick, is_close=is_close)]
    if len(dropped):
        planned = Plan._make(np.delete(column, dropped) for column in planned)
        slack = np.delete(slack, dropped)
        tick = tick - np.searchsorted(dropped, tick)
    if not is_sorted(tick):
        order = np.lexsort((invoked, tick))
        row, invoked, tick, is_doubtful = row[order], invoked[order], tick[order], is_doubtful[order]
    return Assigned(planned, slack, row, invoked, tick, is_doubtful)


def _are_beyond(definition: Definition, planned: Plan, slack: Int64, invoked: Int64, tick: Int64) -> Mask:
    """Tell which invocations answer no tick: those of a time of which nothing is known, or after a switch-off."""
    is_beyond = np.zeros(len(invoked), dtype=bool)
    if all(version.is_enabled and not version.is_guess for version in definition.versions) or not len(slack):
        return is_beyond
    version = planned.version[tick]
    delay = invoked - planned.planned[tick]
    for number, each in enumerate(definition.versions):
        if each.is_guess:
            is_beyond |= (version == number) & ((delay > slack[tick]) | ~changes(tick))
        elif not each.is_enabled:
            is_off = (invoked >= each.begins) & (invoked < each.ends)
            is_beyond |= is_off & (version < number) & (delay > USUAL)
    return np.asarray(is_beyond & (tick >= 0))


def _extend(start: int, end: int, found: Assigned, seen: Seen, window: Window) -> tuple[int, int]:
    """Take in the ticks of the first and of the last invocation shown, where the window is not given."""
    answered = np.flatnonzero(found.tick >= 0)
    if not len(answered):
        return start, end
    first, last = answered[0], answered[-1]
    if window.start is None and seen.is_cut and found.row[first] == 0:
        start = min(start, int(found.plan.planned[found.tick[first]]))
    if window.end is None:
        end = max(end, int(found.plan.planned[found.tick[last]]) + 1)
    return start, end


# Classify -----------------------------------------------------------------------------------------------------------


def _classify(definition: Definition, found: Assigned, seen: Seen, tolerance: int) -> list[Rows]:
    """Give every tick and every scheduled invocation its status."""
    planned, tick = found.plan.planned, found.tick
    is_extra = tick < 0
    is_first = ~is_extra & changes(tick)
    answered = tick[is_first]
    row = np.full(len(planned), -1)
    row[answered] = found.row[is_first]
    silent = np.flatnonzero(row < 0)

    status = np.full(len(planned), MISSED, dtype=np.int8)
    status[answered] = np.where(found.invoked[is_first] - planned[answered] > found.slack[answered], LATE, ON_TIME)
    why, is_ambiguous = np.zeros(len(planned), dtype=np.int8), np.zeros(len(planned), dtype=bool)
    why[silent] = _explain(definition, found, silent, seen, tolerance)
    status[silent[why[silent] > KNOWN]] = UNKNOWN
    is_ambiguous[silent] = found.plan.is_ambiguous[silent]
    for number, version in enumerate(definition.versions):
        if version.uncertainty:
            is_ambiguous |= found.plan.version == number
    is_ambiguous |= _are_cut(row, seen)

    again = ~is_first & ~is_extra
    is_doubted = _are_doubted(status, tick[again])
    duplicates = Rows.of(found.row[again], DUPLICATE)._replace(
        planned=planned[tick[again]], is_ambiguous=is_doubted[tick[again] - 1] & (tick[again] > 0)
    )
    extra = Rows.of(found.row[is_extra], EXTRA)._replace(is_ambiguous=found.is_doubtful[is_extra])
    return [Rows(planned, row, status, is_ambiguous | is_doubted, why), duplicates, extra]


def _explain(definition: Definition, found: Assigned, silent: Int64, seen: Seen, tolerance: int) -> Int8:
    """Say of each silent tick why the log could not have shown an answer; 0 where it could."""
    planned, slack, version = found.plan.planned[silent], found.slack[silent], found.plan.version[silent]
    why = np.where(found.plan.is_ambiguous[silent], CLOCK_CHANGE, KNOWN).astype(np.int8)
    uncertainty = np.zeros(len(silent), dtype=np.int64)
    for number, each in enumerate(definition.versions):
        uncertainty[version == number] = each.uncertainty
        for since, until in each.doubts:
            why[(version == number) & (planned >= since) & (planned < until)] = UNDEFINED
    following = np.append(found.plan.planned, MISSING)[silent + 1]
    for started, ended in seen.holes:
        if started == MISSING:
            why[planned < ended] = TRUNCATED
        elif ended == FOREVER:
            why[planned + slack > started] = AFTER_LAST_LOOK
        else:  # also the tick before: it may have been answered in the hole, late
            why[(np.maximum(following, planned + slack) > started) & (planned < ended)] = HOLE
    why[planned + np.maximum(slack, USUAL) + uncertainty > seen.until] = AFTER_LAST_LOOK
    why[_were_run(definition, planned, found, seen, tolerance)] = NOT_READ
    return why


def _were_run(definition: Definition, planned: Int64, found: Assigned, seen: Seen, tolerance: int) -> Mask:
    """
    Tell which silent ticks were started, or may have been, though the log that was read does not show it.

    Runs name their ticks. `last_run` is when the last invocation began; a log that lacks its entries was read before.
    """
    were_run = np.zeros(len(planned), dtype=bool)
    if not len(planned):
        return were_run
    scheduled = seen.runs[:, 1]
    tick = np.clip(np.searchsorted(planned, scheduled - tolerance), 0, len(planned) - 1)
    were_run[tick[np.abs(planned[tick] - scheduled) <= tolerance]] = True
    if definition.last_run == MISSING:
        return were_run
    if seen.last == MISSING:
        return np.ones(len(planned), dtype=bool)
    run = int(np.searchsorted(found.plan.planned, definition.last_run + tolerance, side="right")) - 1
    is_named = (planned == found.plan.planned[run]) & (run >= 0)
    is_unread = is_named.any() and not seen.is_dated
    return np.asarray(were_run | is_named | (is_unread & (planned > seen.last)))


def _are_cut(row: Int64, seen: Seen) -> Mask:
    """Tell which ticks were answered by the first entry after a hole: it may have lost errors that came before it."""
    begins = seen.holes[:, 1]
    place = np.searchsorted(seen.invoked, begins)
    cut = place[place < len(seen.invoked)]
    cut = cut[seen.invoked[cut] == begins[place < len(seen.invoked)]]
    return np.isin(row, cut) if len(cut) else np.zeros(len(row), dtype=bool)


def _are_doubted(status: Int8, repeated: Int64) -> Mask:
    """Tell which misses are doubtful: the next tick was answered twice, and one answer may have been for this one."""
    doubted = np.zeros(len(status), dtype=bool)
    doubted[repeated[repeated > 0] - 1] = True
    return np.asarray(doubted & (status == MISSED))


# Assemble -----------------------------------------------------------------------------------------------------------


def _cut(rows: Rows, seen: Seen, start: int | None, end: int | None) -> Rows:
    """Sort the rows, by the plan, beyond the plan by the invocation, and keep those of the window."""
    is_beyond = rows.planned == MISSING
    instant = rows.planned.copy()
    instant[is_beyond] = seen.invoked[rows.row[is_beyond]]
    if not (instant[1:] > instant[:-1]).all():
        invoked = np.where(rows.row < 0, MISSING, seen.invoked[rows.row]) if len(seen.invoked) else instant
        order = np.lexsort((invoked, instant))
        rows, instant = rows.at(order), instant[order]
    begin = None if start is None else int(np.searchsorted(instant, start))
    stop = None if end is None else int(np.searchsorted(instant, end))
    kept = rows.at(slice(begin, stop))
    return kept._replace(row=np.where(kept.row < 0, -1, kept.row + seen.first))
