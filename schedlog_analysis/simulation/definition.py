"""A definition is one version of a schedule as its user saved it; together they are what a recipe leaves open."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from schedlog_analysis._core.instants import FOREVER, Int64
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.simulation.recipes import Change, Recipe
from schedlog_analysis.simulation.texts import Action

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# Offset of the five macros: least, most and step [s]. Any other text has none.
OFFSETS: Final = {
    "@hourly": (60, 1_800, 10),
    "@daily": (300, 21_600, 30),
    "@weekly": (300, 43_200, 60),
    "@monthly": (300, 86_400, 600),
    "@yearly": (300, 86_400, 600),
}
# How far before the period a schedule may have been created, at most.
_LOOK_BACK: Final = 6 * DAY
_SAVE_GUARD: Final = 2 * MINUTE
_ALPHABET: Final = np.array(list("23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"))
_ID_LENGTH: Final = 17

find_cron = lru_cache(1024)(Cron)


class Period(NamedTuple):
    """The simulated time, half-open."""

    start: int  # [ms]
    end: int  # [ms]

    def at(self, share: float) -> int:
        """Instant at this share of the period."""
        return self.start + round(share * (self.end - self.start))


class Version(NamedTuple):
    """One definition."""

    saved_at: int  # [ms]
    cron: str
    tz: str
    is_enabled: bool
    offset: int  # of a macro, else 0 [ms]

    def ticks(self, start: int, end: int) -> Int64:
        """Moments that the expression names in ``[start, end)``, those of a macro moved by its offset. [ms]."""
        if not self.is_enabled or start >= end:
            return np.empty(0, np.int64)
        return find_cron(self.cron, self.tz).tick_ms(start - self.offset, end - self.offset) + self.offset

    def next_tick(self, since: int) -> int:
        """First such moment at or after an instant. [ms]."""
        found = find_cron(self.cron, self.tz).next_ms(since - self.offset - 1)
        return int(found[0]) + self.offset if len(found) else FOREVER

    def last_tick(self, before: int) -> int:
        """Last such moment before an instant. [ms]."""
        found = find_cron(self.cron, self.tz).previous_ms(before - self.offset)
        return int(found[0]) + self.offset if len(found) else 0


class Schedule(NamedTuple):
    """A recipe with all that it leaves open."""

    recipe: Recipe
    schedule_id: str
    actions: tuple[Action, ...]
    versions: tuple[Version, ...]
    deleted_at: int  # [ms], FOREVER where it still exists

    @property
    def created_at(self) -> int:
        """When its first version was saved. [ms]."""
        return self.versions[0].saved_at

    def ends(self) -> list[int]:
        """Until when each version holds. [ms]."""
        return [*(version.saved_at for version in self.versions[1:]), self.deleted_at]

    def version_at(self, instant: int) -> Version:
        """Version that holds at an instant; before the first one, that one."""
        return [version for version in self.versions if version.saved_at <= instant or version is self.versions[0]][-1]


def offset_of(cron: str, coefficient: float) -> int:
    """
    Give the offset of a macro, which is the same point of its grid whenever the schedule is saved.

    Parameters
    ----------
    cron
        Expression, exactly as saved.
    coefficient
        The schedule's own number from 0 to 1.

    Returns
    -------
    offset
        0 for anything but the five macros. [ms]

    Examples
    --------
    >>> offset_of("@hourly", 0.5), offset_of("@daily", 0.0), offset_of("0 0 * * *", 0.5)
    (930000, 300000, 0)
    """
    if cron not in OFFSETS:
        return 0
    least, most, step = OFFSETS[cron]
    # Half a step counts up, so that the offsets of a month are whole multiples of 600 s, 600 at least.
    return int((least + coefficient * (most - least)) / step + 0.5) * step * SECOND


def new_ids(n: int, rng: np.random.Generator) -> list[str]:
    """Draw ids in the platform's alphabet, 17 letters each."""
    letters = _ALPHABET[rng.integers(0, len(_ALPHABET), (n, _ID_LENGTH))]
    return ["".join(row) for row in letters.tolist()]


def define(recipe: Recipe, period: Period, rng: np.random.Generator) -> Schedule:
    """
    Make up id, actions, the offset of macros, and when each version was saved.

    A schedule that was there from the start was created after the last tick before it: nobody needs to ask what became
    of ticks that the simulation does not contain.
    """
    schedule_id = new_ids(1, rng)[0]
    actions = tuple(
        Action(action_id, actor_id, task_id if kind == "task" else None)
        for kind in sorted(recipe.actions)  # the platform keeps Actors before tasks
        for action_id, actor_id, task_id in [new_ids(3, rng)]
    )
    wait, coefficient = float(rng.random()), float(rng.spawn(1)[0].random())
    first = Version(period.at(recipe.created), recipe.cron, recipe.tz, True, offset_of(recipe.cron, coefficient))  # noqa: FBT003
    if recipe.created <= 0:
        since = max(period.start - _LOOK_BACK, first.last_tick(period.start))
        first = first._replace(saved_at=since + round((0.2 + 0.6 * wait) * (period.start - since)))
    versions = [first]
    for change in sorted(recipe.all_changes(), key=lambda change: change.at):
        versions.append(_save(versions[-1], change, period, coefficient))
    deleted = FOREVER if recipe.deleted is None else _between_ticks(versions[-1], period.at(recipe.deleted))
    return Schedule(recipe, schedule_id, actions, tuple(versions), deleted)


def _save(version: Version, change: Change, period: Period, coefficient: float) -> Version:
    cron = change.cron or version.cron
    return Version(
        saved_at=_between_ticks(version, period.at(change.at)),
        cron=cron,
        tz=change.tz or version.tz,
        is_enabled=version.is_enabled if change.is_enabled is None else change.is_enabled,
        offset=offset_of(cron, coefficient),
    )


def _between_ticks(version: Version, instant: int) -> int:
    """Move an instant away from the tick before it, so that whoever saves meets no invocation that is under way."""
    tick = version.last_tick(instant + 1)
    room = version.next_tick(tick + 1) - tick
    return max(instant, tick + min(_SAVE_GUARD, room // 2), version.saved_at + SECOND)
