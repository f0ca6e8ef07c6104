"""The truth is what was planted, counted: what a right analysis of the simulated log must find, to the last tick."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schedlog_analysis.simulation.entries import ERROR, WARNING, Entries, causes, to_iso
from schedlog_analysis.simulation.planting import BY_HAND, EXTRA, GRACE, KEYS, Period, Planted
from schedlog_analysis.simulation.recipes import Recipe
from schedlog_analysis.simulation.runs import STATUSES as RUN_STATUSES
from schedlog_analysis.simulation.runs import Started
from schedlog_analysis.simulation.texts import TEXTS, USER

Int64 = NDArray[np.int64]

ON_TIME, LATE, MISSED, UNKNOWN = range(4)
_STATUSES: Final = ("on_time", "late", "missed", "unknown")
_OUTCOMES: Final = ("ok", "partial", "failed", "skipped")


def count(planted: Planted, entries: Entries, recipe: Recipe, period: Period, *, is_truncated: bool) -> dict[str, Any]:
    """
    Count what these entries show of what was planted.

    Parameters
    ----------
    planted
        What happened.
    entries
        All entries, or the newest ones if the log was cut off.
    recipe
        What the schedule is like.
    period
        When everything was fetched.
    is_truncated
        Whether older entries were cut off.

    Returns
    -------
    truth
        Counts of ticks, outcomes and causes, and where the faults are. Entries cut off in the middle of an invocation
        count for what is left of them.
    """
    invoked, n = planted.invoked, len(planted.planned)
    shown, first_entry = np.unique(entries.invocation, return_index=True)
    at, kind, tick = entries.at[first_entry], invoked.kind[shown], invoked.tick[shown]
    by_hand, extra = kind == BY_HAND, kind == EXTRA
    answers = np.flatnonzero(~by_hand & ~extra)
    answered, first_answer = np.unique(tick[answers], return_index=True)
    is_repeated = np.ones(len(answers), bool)
    is_repeated[first_answer] = False

    # Unanswered ticks: some the log could not show, and whether the last one is only late nobody can tell yet.
    grace = np.minimum(GRACE, planted.gap / 2)
    status = np.where(planted.planned + grace > period.end, UNKNOWN, MISSED)
    if is_truncated and len(at):
        status[planted.planned < at[0]] = UNKNOWN
    if recipe.paused is not None:
        status[planted.planned > (at[-1] if len(at) else -1)] = UNKNOWN
    delay = at[answers][first_answer] - planted.planned[answered]
    status[answered] = np.where(delay > grace[answered], LATE, ON_TIME)

    outcome = _outcomes(entries, shown, len(recipe.actions))
    return {
        "n_entries": len(entries.at),
        "n_planned": n,
        **{f"n_{name}": int((status == code).sum()) for code, name in enumerate(_STATUSES)},
        "n_duplicate": int(is_repeated.sum()),
        "n_extra": int(extra.sum()),
        "n_manual": int(by_hand.sum()),
        "outcomes": _tally(outcome[~by_hand]),
        "outcomes_manual": _tally(outcome[by_hand]),
        "causes": causes(entries.text),
        "missed_at": to_iso(planted.planned[status == MISSED]),
        "late_at": to_iso(planted.planned[status == LATE]),
        "duplicate_at": to_iso(planted.planned[tick[answers][is_repeated]]),
        "manual_at": to_iso(at[by_hand]),
        "extra_at": to_iso(at[extra]),
    }


def incidents(planted: Planted, schedule_id: str, entries: Entries, *, is_truncated: bool) -> list[dict[str, Any]]:
    """List the planted incidents: from the first bad tick to the first good one after it, which is null while open."""
    since = int(entries.at[0]) if is_truncated and len(entries.at) else -1
    found = []
    for text, hit in planted.incidents:
        begin, last = (int(planted.planned[index]) for index in (hit[0], hit[-1]))
        after = planted.planned[hit[-1] + 1 :][:1]
        found.append(
            {
                "schedule_id": schedule_id,
                "cause": "missed" if text == "missed" else TEXTS[text].cause,
                "started_at": to_iso(np.array([begin]))[0],
                "last_bad_at": to_iso(np.array([last]))[0],
                "ended_at": to_iso(after)[0] if len(after) else None,
                "n_ticks": len(hit),
                "is_visible": since < begin,
            }
        )
    return found


def count_runs(entries: Entries, runs: Started, kept: Started, recipe: Recipe) -> dict[str, Any]:
    """
    Count what became of the starts that the log shows.

    A start is an action of a visible invocation for which nothing but success was logged; `expired` are the starts
    whose run the platform has forgotten (or that never were, where the log shows fewer failures than there were).
    """
    shown = np.unique(entries.invocation)
    n_told = int((entries.action >= 0).sum())
    orphans = np.unique(entries.invocation[entries.text == KEYS.index(USER)])
    n_starts = len(shown) * len(recipe.actions) - n_told - len(orphans) * (len(recipe.actions) - 1)
    seen = kept.where(np.isin(kept.invocation, shown))
    of = {status.lower().replace("-", "_"): seen.status == code for code, status in enumerate(RUN_STATUSES)}
    return {
        "n_starts": n_starts,
        **{name: int(mask.sum()) for name, mask in of.items()},
        "expired": n_starts - len(seen.status),
        "usage_usd": {name: int(seen.usage[mask].sum()) / 1e6 for name, mask in of.items()},
        "n_runs": len(kept.status),
        "planted_n_runs": len(runs.status),
    }


def add_up(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum all counts of several schedules."""
    total: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, dict):
                total[key] = add_up([total.get(key, {}), value])
            elif isinstance(value, int | float) and not isinstance(value, bool) and key != "offset_ms":
                total[key] = round(total.get(key, 0) + value, 6)
    return total


def _outcomes(entries: Entries, shown: Int64, n_actions: int) -> Int64:
    size = int(shown.max(initial=-1)) + 1
    n_errors, n_warnings = (
        np.bincount(entries.invocation[entries.level == level], minlength=size)[shown] for level in (ERROR, WARNING)
    )
    is_whole = np.bincount(entries.invocation[entries.text == KEYS.index(USER)], minlength=size)[shown] > 0
    return np.select([(n_errors >= n_actions) | is_whole, n_errors > 0, n_warnings > 0], [2, 1, 3], default=0)


def _tally(outcome: Int64) -> dict[str, int]:
    return {name: int((outcome == code).sum()) for code, name in enumerate(_OUTCOMES)}
