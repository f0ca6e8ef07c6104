"""An entry is one line of a schedule's log; this writes the entries of planted invocations in the documented shapes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schedlog_analysis.simulation.planting import BY_HAND, KEYS, NO_TEXT, Invoked
from schedlog_analysis.simulation.recipes import Recipe
from schedlog_analysis.simulation.texts import EXCLUSIVE, MANUAL, SCHEDULED, TEXTS, USER, Action, render

Int64 = NDArray[np.int64]

INFO, WARNING, ERROR = range(3)
LEVELS = ("INFO", "WARNING", "ERROR")


class Entries(NamedTuple):
    """Entries of one schedule as columns, oldest first."""

    at: Int64  # [ms]
    invocation: Int64  # row of the invocation that it belongs to
    level: Int64
    text: Int64  # index in KEYS, NO_TEXT for INFO
    action: Int64  # index of the action, -1 for INFO

    def newest(self, window: int | None) -> Entries:
        """Keep what the API still shows: the newest `window` entries."""
        return self if window is None else Entries(*(column[max(0, len(column) - window) :] for column in self))


def write_entries(invoked: Invoked, recipe: Recipe, rng: np.random.Generator) -> Entries:
    """Write all entries that these invocations leave in the log."""
    is_whole = invoked.text == KEYS.index(USER)
    n_told = np.where(is_whole, 1, invoked.n_failed + invoked.n_skipped)
    has_info = ~is_whole
    if recipe.shape == "single":
        n_told, has_info = np.minimum(n_told, 1), n_told == 0
    count = n_told + has_info
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)  # 0, 1, … within each invocation
    is_info = has_info[row] & (place == (0 if recipe.info == "first" else count[row] - 1))
    turn = place - (has_info[row] if recipe.info == "first" else 0)
    first_action = rng.integers(0, len(recipe.actions), len(count))
    action = (first_action[row] + turn) % len(recipe.actions)
    is_skip = invoked.n_skipped[row] > 0
    return Entries(
        at=invoked.at[row] + _since_first(place, rng),
        invocation=row,
        level=np.select([is_info, is_skip], [INFO, WARNING], default=ERROR),
        text=np.select([is_info, is_skip], [NO_TEXT, KEYS.index(EXCLUSIVE)], default=invoked.text[row]),
        action=np.where(is_info, -1, action),
    )


def to_api(
    entries: Entries, invoked: Invoked, actions: tuple[Action, ...], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Write entries as the API's own objects."""
    by_hand = invoked.kind[entries.invocation] == BY_HAND
    rows = zip(
        to_iso(entries.at),
        *(column.tolist() for column in (entries.level, entries.text, entries.action, by_hand)),
        strict=True,
    )
    return [
        {
            "message": render(KEYS[text], actions[action], rng) if level else MANUAL if is_manual else SCHEDULED,
            "level": LEVELS[level],
            "createdAt": at,
        }
        for at, level, text, action, is_manual in rows
    ]


def to_iso(instants: Int64) -> list[str]:
    """Write instants as the API does, such as ``2026-08-01T00:00:00.370Z``."""
    return [f"{text}Z" for text in np.datetime_as_string(instants.view("datetime64[ms]"), unit="ms").tolist()]


def causes(text: Int64) -> dict[str, int]:
    """Count entries by the cause that they were planted for."""
    names = [TEXTS[KEYS[key]].cause for key in text[text != NO_TEXT].tolist()]
    return {name: names.count(name) for name in sorted(set(names))}


def _since_first(place: Int64, rng: np.random.Generator) -> Int64:
    """Draw how long after the invocation's first entry each is written; now and then two share their millisecond."""
    step = np.where(place == 0, 0, np.maximum(0, rng.integers(-8, 90, len(place))))
    total = np.cumsum(step)
    return total - np.maximum.accumulate(np.where(place == 0, total, 0))
