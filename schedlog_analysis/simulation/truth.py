"""The truth is what was planted and what came of it: what a right analysis of the simulated log must find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from schedlog_analysis._core.instants import FOREVER
from schedlog_analysis.simulation.answers import Seen, status_at, to_iso, usage_at
from schedlog_analysis.simulation.definition import HOUR, Period, Schedule
from schedlog_analysis.simulation.faults import GRACE
from schedlog_analysis.simulation.life import (
    MIN_PAUSE,
    NOT_DUE,
    Entry,
    Invocation,
    Life,
    Run,
)
from schedlog_analysis.simulation.life import STATUSES as RUN_STATUSES
from schedlog_analysis.simulation.texts import TEXTS, USER

Json = dict[str, Any]

STATUSES: Final = ("on_time", "late", "missed", "unknown")
OUTCOMES: Final = ("ok", "partial", "failed", "skipped")
# A schedule is down at the end after so many bad ticks in a row, or after a single one so long ago.
_OPEN_AFTER: Final = 2
_LONG: Final = 6 * HOUR

# Why a tick is unknown.
TRUNCATED: Final = "truncated"
HOLE: Final = "hole"
AFTER_LAST_LOOK: Final = "after the last look"
TOO_SOON: Final = "too soon"


class Tick(NamedTuple):
    """
    One tick that was due, and what became of it.

    `status` and `outcome` are what the log can show; `why` says of a missed tick what was planted, of an unknown one
    why the log cannot show it. `invocation` is the number of the one that answered it in truth, seen or not; else -1.
    """

    schedule_id: str
    planned_at: int  # [ms]
    invoked_at: int | None  # first entry seen [ms]
    status: str
    outcome: str | None
    why: str
    invocation: int

    @property
    def is_bad(self) -> bool:
        """Whether it was missed, or did not start all its actions."""
        return self.status == "missed" or self.outcome in OUTCOMES[1:]


def judge(schedule: Schedule, life: Life, seen: Seen, period: Period) -> list[Tick]:
    """List the ticks that were due in the period, with what the log shows of each."""
    answered: dict[int, int] = {}
    for number, each in enumerate(life.invocations):
        if each.kind == "scheduled":
            answered.setdefault(each.tick, number)
    shown, n_actions = seen.shown, len(schedule.actions)
    planned = life.faults.planned.tolist()
    due = [tick for tick, why in enumerate(life.became) if why != NOT_DUE]
    if not due:
        return []
    after_all = schedule.versions[-1].next_tick(max(planned[due[-1]] + MIN_PAUSE, period.end))
    ticks = []
    for tick, following in zip(due, [*(planned[tick] for tick in due[1:]), after_all], strict=True):
        at, number = planned[tick], answered.get(tick, -1)
        grace = min(GRACE, (following - at) // 2)
        if number in shown:
            entries = shown[number]
            status = "late" if entries[0].at - at > grace else "on_time"
            outcome = outcome_of(entries, n_actions)
            ticks.append(Tick(schedule.schedule_id, at, entries[0].at, status, outcome, "", number))
        else:
            why = _why_unknown(at, grace, seen)
            status = "unknown" if why else "missed"
            ticks.append(Tick(schedule.schedule_id, at, None, status, None, why or life.became[tick], number))
    return ticks


def outcome_of(entries: list[Entry], n_actions: int) -> str:
    """Say what the entries of one invocation tell about its actions."""
    if len(entries) == 1 and not entries[0].text:
        return "ok"
    levels = [entry.level for entry in entries]
    if any(entry.text == USER for entry in entries) or levels.count("ERROR") >= n_actions:
        return "failed"
    return "partial" if "ERROR" in levels else "skipped" if "WARNING" in levels else "ok"


def _why_unknown(planned: int, grace: int, seen: Seen) -> str:
    """Say why nobody can know what became of an unanswered tick; nothing where its silence is a miss."""
    if planned >= seen.until:
        return AFTER_LAST_LOOK
    if planned + grace > seen.until:
        return TOO_SOON
    for begin, end in seen.holes:
        if begin - grace < planned < end:
            return HOLE if begin else TRUNCATED
    return ""


def count(schedule: Schedule, life: Life, seen: Seen, ticks: list[Tick]) -> Json:
    """Count what was due and what was seen, and list where the faults are."""
    shown = seen.shown
    of_kind: dict[str, list[int]] = {"scheduled": [], "duplicate": [], "extra": [], "manual": []}
    for number in shown:
        of_kind[life.invocations[number].kind].append(number)
    duplicate = [int(life.faults.planned[life.invocations[number].tick]) for number in of_kind["duplicate"]]
    status = Counter(tick.status for tick in ticks)
    planned = [number for kind in ("scheduled", "duplicate", "extra") for number in of_kind[kind]]
    return {
        "n_entries": len(seen.rows),
        "n_planned": len(ticks),
        **{f"n_{name}": status[name] for name in STATUSES},
        **{f"n_{kind}": len(of_kind[kind]) for kind in ("duplicate", "extra", "manual")},
        "outcomes": _tally(planned, shown, schedule),
        "outcomes_manual": _tally(of_kind["manual"], shown, schedule),
        "causes": _count_causes(seen),
        "missed_at": to_iso([tick.planned_at for tick in ticks if tick.status == "missed"]),
        "late_at": to_iso([tick.planned_at for tick in ticks if tick.status == "late"]),
        "duplicate_at": to_iso(duplicate),
        "manual_at": to_iso([shown[number][0].at for number in of_kind["manual"]]),
        "extra_at": to_iso([shown[number][0].at for number in of_kind["extra"]]),
    }


def _tally(numbers: Iterable[int], shown: dict[int, list[Entry]], schedule: Schedule) -> dict[str, int]:
    found = Counter(outcome_of(shown[number], len(schedule.actions)) for number in numbers)
    return {name: found[name] for name in OUTCOMES}


def _count_causes(seen: Seen) -> dict[str, int]:
    return dict(sorted(Counter(TEXTS[entry.text].cause for _, entry in seen.rows if entry.text).items()))


def describe_end(schedule: Schedule, seen: Seen, ticks: list[Tick], period: Period) -> Json:
    """
    Say how the schedule stands at the end.

    Returns
    -------
    end
        `is_down_at_end`: whether it was switched on and its last ticks that were seen were all bad, at least two or for
        at least six hours; `down_since`: the first of them. `is_unseen_at_end`: whether ticks were due after the last
        look. `down` and `unseen` are both about schedules that still exist.
    """
    is_on = schedule.version_at(seen.until).is_enabled and schedule.deleted_at == FOREVER
    known = [tick for tick in ticks if tick.status != "unknown"]
    n_bad = next((n for n, tick in enumerate(reversed(known)) if not tick.is_bad), len(known))
    since = known[-n_bad].planned_at if n_bad else period.end
    is_down = is_on and (n_bad >= _OPEN_AFTER or (n_bad > 0 and seen.until - since >= _LONG))
    is_unseen = schedule.deleted_at == FOREVER and any(tick.why == AFTER_LAST_LOOK for tick in ticks)
    return {
        "is_down_at_end": is_down,
        "down_since": to_iso([since])[0] if is_down else None,
        "is_unseen_at_end": is_unseen,
        "seen_until": to_iso([seen.until])[0],
    }


def list_not_due(schedule: Schedule, life: Life, period: Period) -> list[Json]:
    """List what was not due: stretches in which the schedule was off or gone, and what the ten seconds took away."""
    stretches = [
        ("switched off", version.saved_at, min(end, period.end))
        for version, end in zip(schedule.versions, schedule.ends(), strict=True)
        if not version.is_enabled
    ]
    if schedule.created_at > period.start:
        stretches.append(("not yet created", period.start, schedule.created_at))
    if schedule.deleted_at < period.end:
        stretches.append(("deleted", schedule.deleted_at, period.end))
    found: list[Json] = [
        {"why": why, "from": to_iso([begin])[0], "to": to_iso([end])[0]} for why, begin, end in stretches
    ]
    taken = [tick for tick, why in zip(life.faults.planned.tolist(), life.became, strict=True) if why == NOT_DUE]
    if taken:
        bounds = to_iso([taken[0], taken[-1]])
        found.append({"why": "within ten seconds", "from": bounds[0], "to": bounds[1], "n_ticks": len(taken)})
    return found


def incidents(schedule: Schedule, life: Life, seen: Seen) -> list[Json]:
    """List the planted incidents: from the first bad tick to the first good one after it, which is null while open."""
    planned, became = life.faults.planned.tolist(), life.became
    answered = {each.tick for each in life.invocations if each.kind == "scheduled"}
    found = []
    for cause, hit in life.faults.incidents:
        bad = [tick for tick in hit.tolist() if became[tick] != NOT_DUE]
        bad = [tick for tick in bad if tick not in answered] if cause == "missed" else bad
        if not bad:
            continue
        after = next((planned[tick] for tick in range(bad[-1] + 1, len(planned)) if became[tick] != NOT_DUE), None)
        begin = planned[bad[0]]
        found.append(
            {
                "schedule_id": schedule.schedule_id,
                "cause": cause,
                "started_at": to_iso([begin])[0],
                "last_bad_at": to_iso([planned[bad[-1]]])[0],
                "ended_at": None if after is None else to_iso([after])[0],
                "n_ticks": len(bad),
                "is_visible": begin < seen.until and not any(start <= begin < end for start, end in seen.holes),
            }
        )
    return found


def count_runs(schedule: Schedule, life: Life, seen: Seen, kept: list[tuple[int, Invocation, Run]], look: int) -> Json:
    """
    Count what became of the starts that the log shows.

    A start is an action of a visible invocation for which nothing but success was logged; `expired` are the starts
    whose run the platform has forgotten (or that never were, where the log shows fewer failures than there were).
    """
    shown, n_actions = seen.shown, len(schedule.actions)
    n_starts = sum(
        0 if any(entry.text == USER for entry in entries) else n_actions - sum(entry.text != "" for entry in entries)
        for entries in shown.values()
    )
    names = (*RUN_STATUSES, "RUNNING")
    runs = [(status_at(run, look), usage_at(run, look)) for number, _, run in kept if number in shown]
    n_of, usage = Counter(status for status, _ in runs), Counter[str]()
    for status, usd in runs:
        usage[status] += round(usd * 1e6)
    keys = {name: name.lower().replace("-", "_") for name in names}
    return {
        "n_starts": n_starts,
        **{keys[name]: n_of[name] for name in names},
        "expired": n_starts - len(runs),
        "usage_usd": {keys[name]: usage[name] / 1e6 for name in names},
        "n_runs": len(kept),
        "planted_n_runs": sum(len(each.runs) for each in life.invocations),
    }


def add_up(parts: list[Json]) -> Json:
    """Sum all counts of several schedules."""
    total: Json = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, dict):
                total[key] = add_up([total.get(key, {}), value])
            elif isinstance(value, int | float) and not isinstance(value, bool) and key != "offset_ms":
                total[key] = round(total.get(key, 0) + value, 6)
    return total
