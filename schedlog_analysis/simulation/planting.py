"""Planting decides what becomes of every planned tick of one schedule: its fate, and the invocations around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis._core.arrays import Mask
from schedlog_analysis.simulation.recipes import Recipe, Streak
from schedlog_analysis.simulation.texts import TEXTS, USER

Int64 = NDArray[np.int64]

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
GRACE: Final = MINUTE
NO_TEXT: Final = -1
KEYS: Final = tuple(TEXTS)

SCHEDULED, DUPLICATE, BY_HAND, EXTRA = range(4)

# Ticks around a planted incident stay good, so that its start and end are exact.
_GUARD: Final = 3
# Whether a tick this close to the end was missed, nobody could tell yet.
_UNDECIDED: Final = 10 * MINUTE
_DST_GUARD: Final = 3 * HOUR


class Period(NamedTuple):
    """The simulated time, half-open; its end is when everything was fetched."""

    start: int  # [ms]
    end: int  # [ms]

    def at(self, share: float) -> int:
        """Instant at this share of the period."""
        return self.start + round(share * (self.end - self.start))


class Due(NamedTuple):
    """What one schedule should do in the period."""

    created: int  # [ms]
    planned: Int64  # ticks since it was created [ms]
    gap: Int64  # from each tick to the next one [ms]


class Invoked(NamedTuple):
    """Invocations of one schedule as columns, in order of time."""

    tick: Int64  # index of the planned tick, -1 for none
    at: Int64  # first entry [ms]
    kind: Int64
    n_failed: Int64  # actions that could not be started
    n_skipped: Int64
    text: Int64  # index in KEYS


@dataclass(frozen=True)
class Planted:
    """Everything that happened to one schedule."""

    planned: Int64  # [ms]
    gap: Int64  # from each tick to the next one [ms]
    invoked: Invoked
    incidents: tuple[tuple[str, Int64], ...]  # text key, or "missed", and the indices of its ticks


class _Ticks:
    """What has been decided of each tick so far; `is_free` tells which are still plain ones."""

    def __init__(self, due: Due, period: Period, tz: str, rng: np.random.Generator) -> None:
        _, planned, gap = due
        n = len(planned)
        self.planned, self.gap = planned, gap
        grace = np.minimum(GRACE, gap // 2)
        drawn = np.exp(rng.standard_normal(n) * 0.8) * 350
        room = np.minimum(0.3 * grace, (period.end - planned) / 2)
        self.delay = np.minimum(drawn, room).astype(np.int64)
        self.is_silent = np.zeros(n, bool)
        self.n_failed = np.zeros(n, np.int64)
        self.n_skipped = np.zeros(n, np.int64)
        self.text = np.full(n, NO_TEXT)
        self.is_free = ~_is_near_change(planned, tz) & (planned < period.end - _UNDECIDED)

    def take(self, share: float, where: Mask, rng: np.random.Generator) -> Int64:
        """Choose that share of all ticks, at least one, among the free ones where `where` holds, and reserve them."""
        pool = np.flatnonzero(self.is_free & where)
        wanted = max(1, round(share * len(self.planned))) if share > 0 else 0
        chosen = np.sort(rng.permutation(pool)[:wanted])
        self.is_free[chosen] = False
        return chosen

    def reserve(self, chosen: Int64, guard: int = 0) -> None:
        """Let no other fault touch these ticks or `guard` neighbours on either side."""
        near = chosen[:, None] + np.arange(-guard, guard + 1)
        self.is_free[near[(near >= 0) & (near < len(self.planned))]] = False


def plant(
    recipe: Recipe,
    due: Due,
    period: Period,
    fleet: tuple[tuple[float, float] | None, Streak | None],
    rng: np.random.Generator,
) -> Planted:
    """
    Plant the faults of a recipe.

    Parameters
    ----------
    recipe
        What to plant.
    due
        What the schedule should do.
    period
        Bounds of the simulation.
    fleet
        What hits all schedules: an outage (shares of the period), and a streak of failures.
    rng
        Source of chance.
    """
    if not len(due.planned):
        return Planted(due.planned, due.gap, Invoked(*[due.planned] * 6), ())
    outage, shortage = fleet
    ticks = _Ticks(due, period, recipe.tz, rng)
    incidents = _plant_silence(ticks, recipe, period, outage, rng)
    incidents += _plant_streaks(ticks, recipe, period, shortage)
    doubled, by_hand = _plant_single(ticks, recipe, rng)
    invoked = _invoke(ticks, recipe, due.created, doubled, by_hand, rng)
    return Planted(due.planned, due.gap, invoked, tuple(incidents))


def _is_near_change(planned: Int64, tz: str) -> Mask:
    """Tell which ticks lie so near to a clock change that another cron engine might plan them otherwise."""
    before, after = (_utc_offset(planned + shift, tz) for shift in (-_DST_GUARD, _DST_GUARD))
    is_near: Mask = before != after
    return is_near


def _utc_offset(instants: Int64, tz: str) -> Int64:
    utc = pd.DatetimeIndex(instants.view("datetime64[ms]"))
    wall: Any = utc.tz_localize("UTC").tz_convert(tz).tz_localize(None)
    shift: Int64 = (wall - utc).to_numpy(dtype="timedelta64[ms]").view(np.int64)
    return shift


def _plant_silence(
    ticks: _Ticks, recipe: Recipe, period: Period, outage: tuple[float, float] | None, rng: np.random.Generator
) -> list[tuple[str, Int64]]:
    """Plant what leaves no entry for long: a pause, a silent stop, a fleet-wide outage."""
    found = []
    if recipe.paused is not None:
        off = np.flatnonzero(ticks.planned >= period.at(recipe.paused))
        ticks.is_silent[off] = True
        ticks.reserve(off, _GUARD)
    if recipe.stopped is not None:
        gone = np.flatnonzero(ticks.planned >= period.at(recipe.stopped))
        ticks.is_silent[gone] = True
        ticks.reserve(gone, _GUARD)
        found.append(("missed", gone))
    if outage is not None:
        begin, end = period.at(outage[0]), period.at(outage[1])
        down = np.flatnonzero((ticks.planned >= begin) & (ticks.planned < end) & ~ticks.is_silent)
        ticks.is_silent[down] = True
        ticks.reserve(down, _GUARD)
        if recipe.catches_up and len(down):
            last = down[-1]
            delay = end + int(rng.integers(SECOND, 30 * SECOND)) - int(ticks.planned[last])
            if 75 * SECOND < delay < 0.45 * ticks.gap[last]:  # else the next tick is as good an explanation
                ticks.is_silent[last], ticks.delay[last] = False, delay
                down = down[:-1]
        found.append(("missed", down))
    return [(cause, hit) for cause, hit in found if len(hit)]


def _plant_streaks(ticks: _Ticks, recipe: Recipe, period: Period, shortage: Streak | None) -> list[tuple[str, Int64]]:
    """Plant successive failures of all actions; where two faults want the same tick, the first one keeps it."""
    found = []
    for streak in (*recipe.streaks, *([shortage] if shortage else [])):
        inside = (ticks.planned >= period.at(streak.begin)) & (ticks.planned < period.at(streak.end))
        hit = np.flatnonzero(inside & ~ticks.is_silent & (ticks.text == NO_TEXT))
        # An incident has one beginning and one end: what another fault cut off is left alone.
        hit = hit[: int(np.argmax(np.diff(hit, append=-1) != 1)) + 1] if len(hit) else hit
        _fail(ticks, hit, len(recipe.actions), KEYS.index(streak.text))
        ticks.reserve(hit, _GUARD)
        found.append((streak.text, hit))
    return [(text, hit) for text, hit in found if len(hit)]


def _fail(ticks: _Ticks, hit: Int64, n_failed: int | Int64, text: int | Int64) -> None:
    ticks.n_failed[hit], ticks.text[hit] = n_failed, text


def _plant_single(ticks: _Ticks, recipe: Recipe, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Plant the faults of single ticks; return those with a second invocation and those with one by hand after."""
    n, n_actions = len(ticks.planned), len(recipe.actions)
    everywhere = np.ones(n, bool)
    is_last = np.arange(n) == n - 1
    # A skip needs a run that still runs: the tick before it must have started one.
    follows = np.append(False, ticks.is_free[:-1])
    skipped = ticks.take(recipe.skipped, follows, rng)
    ticks.reserve(skipped - 1)
    ticks.n_skipped[skipped] = n_actions

    ticks.is_silent[ticks.take(recipe.missed, everywhere, rng)] = True
    late = ticks.take(recipe.late, (ticks.gap >= 4 * MINUTE) & ~is_last, rng)
    most = np.minimum(0.45 * ticks.gap[late], 40 * MINUTE)
    ticks.delay[late] = (75 * SECOND + rng.random(len(late)) * (most - 75 * SECOND)).astype(np.int64)
    doubled = ticks.take(recipe.duplicate, (ticks.gap >= 3 * MINUTE) & ~is_last, rng)

    keys = np.array([KEYS.index(key) for key in recipe.texts])
    failed = ticks.take(recipe.failed, everywhere, rng)
    partial = ticks.take(recipe.partial if n_actions > 1 else 0, everywhere, rng)
    texts = np.resize(rng.permutation(keys), len(failed) + len(partial))
    _fail(ticks, failed, n_actions, texts[: len(failed)])
    _fail(ticks, partial, rng.integers(1, max(2, n_actions), len(partial)), texts[len(failed) :])
    # The user is looked up before any action, so that this text is never one of several.
    whole = ticks.text == KEYS.index(USER)
    ticks.n_failed[whole] = n_actions

    by_hand = ticks.take(recipe.manual / n, (ticks.gap >= 5 * MINUTE) & ~is_last, rng)
    return doubled, by_hand


def _invoke(
    ticks: _Ticks, recipe: Recipe, created: int, doubled: Int64, by_hand: Int64, rng: np.random.Generator
) -> Invoked:
    """Collect all invocations of the schedule in order of time."""
    told = np.flatnonzero(~ticks.is_silent)
    first = ticks.planned + ticks.delay
    again = first[doubled] + (15 + 35 * rng.random(len(doubled))) * SECOND
    between = ticks.planned[by_hand] + (0.3 + 0.4 * rng.random(len(by_hand))) * ticks.gap[by_hand]
    room = int(ticks.planned[0]) - created
    early = created + (0.2 + 0.6 * rng.random(recipe.extra)) * room if room > 10 * MINUTE else np.empty(0)
    nowhere, zeros = (
        np.full(len(by_hand) + len(early), -1),
        np.zeros(len(doubled) + len(by_hand) + len(early), np.int64),
    )
    columns = Invoked(
        tick=np.concatenate([told, doubled, nowhere]),
        at=np.concatenate([first[told], again, between, early]).astype(np.int64),
        kind=np.repeat([SCHEDULED, DUPLICATE, BY_HAND, EXTRA], [len(told), len(doubled), len(by_hand), len(early)]),
        n_failed=np.concatenate([ticks.n_failed[told], zeros]),
        n_skipped=np.concatenate([ticks.n_skipped[told], zeros]),
        text=np.concatenate([ticks.text[told], np.full(len(zeros), NO_TEXT)]),
    )
    order = np.argsort(columns.at, kind="stable")
    return Invoked(*(column[order] for column in columns))
