"""A fault is what is planted at one planned tick of a schedule; beside the ticks stand clicks and early invocations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask
from schedlog_analysis._core.instants import FOREVER, Int64
from schedlog_analysis.simulation.definition import HOUR, MINUTE, SECOND, Period, Schedule
from schedlog_analysis.simulation.recipes import Recipe, Silence, Streak
from schedlog_analysis.simulation.texts import EXCLUSIVE, TEXTS, USER

GRACE: Final = MINUTE

# Why a tick leaves nothing, as an index; 0 is none of them.
LOST: Final = ("", "dropped", "stopped", "silence", "chronic", "mute hours", "stuck")
_DROPPED, _STOPPED, _SILENCE, _CHRONIC, _MUTE, _STUCK = range(1, len(LOST))

# Ticks around a planted incident stay good, so that its start and end are exact.
_GUARD: Final = 3
# Whether a tick this close to the end was missed, nobody could tell yet.
_UNDECIDED: Final = 10 * MINUTE
_DST_GUARD: Final = 3 * HOUR


@dataclass
class Faults:
    """What is planted in one schedule, by planned tick."""

    planned: Int64  # [ms]
    version: Int64  # number of the version that plans it
    interval: Int64  # from each tick to the next one [ms]
    delay: Int64  # from the tick to the start of its invocation [ms]
    lost: Int64  # index in LOST
    resumes: Int64  # when the silence that held it up is over; 0: there was none [ms]
    lasts: Int64  # until when its runs last; 0: as long as they happen to [ms]
    again: Int64  # how long after its start it is invoked once more; 0: it is not [ms]
    is_free: Mask  # still without any fault
    texts: dict[int, tuple[str, ...]] = field(default_factory=dict)  # of each action, "" where it starts
    clicks: list[int] = field(default_factory=list)  # when somebody presses the button [ms]
    early: list[int] = field(default_factory=list)  # invocations that answer no tick [ms]
    incidents: list[tuple[str, Int64]] = field(default_factory=list)  # cause, and its ticks

    def inside(self, begin: int, end: int) -> Mask:
        """Tell which ticks lie in ``[begin, end)``."""
        return (self.planned >= begin) & (self.planned < end)

    def take(self, share: float, where: Mask, rng: np.random.Generator) -> Int64:
        """Choose that share of all ticks, at least one, among the free ones where `where` holds, and reserve them."""
        pool = np.flatnonzero(self.is_free & where)
        wanted = max(1, round(share * len(self.planned))) if share > 0 else 0
        chosen = np.sort(rng.permutation(pool)[:wanted])
        self.is_free[chosen] = False
        return chosen

    def reserve(self, chosen: Int64, guard: int = _GUARD) -> None:
        """Let no other fault touch these ticks or `guard` neighbours on either side."""
        near = chosen[:, None] + np.arange(-guard, guard + 1)
        self.is_free[near[(near >= 0) & (near < len(self.planned))]] = False

    def lose(self, chosen: Int64, why: int, cause: str = "") -> None:
        """Let nothing happen at these ticks; with a cause they are an incident."""
        self.lost[chosen] = why
        self.reserve(chosen)
        if cause and len(chosen):
            self.incidents.append((cause, chosen))


def plant(
    schedule: Schedule,
    period: Period,
    silences: tuple[Silence, ...],
    shortage: Streak | None,
    rng: np.random.Generator,
) -> Faults:
    """
    Plant the faults of a recipe.

    Parameters
    ----------
    schedule
        What it is like, and when its ticks are.
    period
        Bounds of the simulation.
    silences, shortage
        What hits all schedules of the account.
    rng
        Source of chance.
    """
    recipe = schedule.recipe
    faults = _plan(schedule, period, rng)
    if not len(faults.planned):
        return faults
    _plant_stop(faults, recipe, period)
    for silence in (*recipe.silences, *silences):
        _plant_silence(faults, silence, period, catches_up=recipe.catches_up, rng=rng)
    _plant_hang(faults, recipe, period)
    for streak in (*recipe.streaks, *([shortage] if shortage else [])):
        _plant_streak(faults, streak, len(recipe.actions), period)
    _plant_chronic(faults, recipe, rng)
    _plant_single(faults, recipe, rng)
    _plant_invocations(faults, schedule, rng)
    return faults


def _plan(schedule: Schedule, period: Period, rng: np.random.Generator) -> Faults:
    """Plan the ticks of all versions, each answered after a small delay."""
    parts = [
        version.ticks(max(version.saved_at, period.start), min(end, period.end))
        for version, end in zip(schedule.versions, schedule.ends(), strict=True)
    ]
    planned, n = np.concatenate(parts), sum(map(len, parts))
    interval = np.diff(planned, append=schedule.versions[-1].next_tick(period.end))
    longest = min(schedule.recipe.longest_delay * SECOND, 0.9 * GRACE)
    drawn = np.exp(rng.standard_normal(n) * 0.8) * schedule.recipe.delay * SECOND
    # A quarter of what would be late where ticks are dense, and never after the end.
    delay = np.minimum(np.minimum(drawn, longest), np.minimum(interval / 8, (period.end - planned) / 2))
    zeros = np.zeros((4, n), np.int64)
    return Faults(
        planned=planned,
        version=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        interval=interval,
        delay=delay.astype(np.int64),
        lost=zeros[0],
        resumes=zeros[1],
        lasts=zeros[2],
        again=zeros[3],
        is_free=~_is_near_change(planned, schedule.recipe.tz)
        & ~_is_near_save(planned, schedule)
        & (planned < period.end - _UNDECIDED),
    )


def _is_near_save(planned: Int64, schedule: Schedule) -> Mask:
    """Tell which ticks are among the first or last ones of a version that was replaced or replaces another."""
    bounds = np.searchsorted(planned, [version.saved_at for version in schedule.versions[1:]])
    near = (bounds[:, None] + np.arange(-_GUARD, _GUARD)).ravel()
    found = np.zeros(len(planned), bool)
    found[near[(near >= 0) & (near < len(planned))]] = True
    return found


def _is_near_change(planned: Int64, tz: str) -> Mask:
    """Tell which ticks lie so near to a clock change that another cron engine might plan them otherwise."""
    if tz == "UTC":
        return np.zeros(len(planned), bool)
    before, after = utc_offset(np.concatenate([planned - _DST_GUARD, planned + _DST_GUARD]), tz).reshape(2, -1)
    is_near: Mask = before != after
    return is_near


def utc_offset(instants: Int64, tz: str) -> Int64:
    """Give by how much the clocks of a zone are ahead of UTC at each instant. [ms]."""
    utc = pd.DatetimeIndex(instants.view("datetime64[ms]"))
    wall: Any = utc.tz_localize("UTC").tz_convert(tz).tz_localize(None)
    shift: Int64 = (wall - utc).to_numpy(dtype="timedelta64[ms]").view(np.int64)
    return shift


def _plant_stop(faults: Faults, recipe: Recipe, period: Period) -> None:
    if recipe.stopped is not None:
        gone = np.flatnonzero(faults.planned >= period.at(recipe.stopped))
        faults.lose(gone, _STUCK if recipe.is_stuck else _STOPPED, "missed")


def _plant_silence(
    faults: Faults, silence: Silence, period: Period, *, catches_up: bool, rng: np.random.Generator
) -> None:
    """Let nothing be invoked for a while; what was overdue first is made up at its end, or is lost as well."""
    begin, end = period.at(silence.begin), period.at(silence.end)
    hit = np.flatnonzero(faults.inside(begin, end) & (faults.lost == 0))
    if end >= period.end:
        faults.lose(hit, _STUCK, "missed")
        return
    faults.lose(hit, _SILENCE, "missed")
    if catches_up and len(hit):
        faults.lost[hit[0]], faults.delay[hit[0]] = 0, 0
        faults.resumes[hit[0]] = end + int(rng.integers(SECOND, 30 * SECOND))


def _plant_hang(faults: Faults, recipe: Recipe, period: Period) -> None:
    """Let the runs of one tick hang, so that all later ones are skipped until somebody aborts them, if ever."""
    if recipe.hung is None:
        return
    begin, end = recipe.hung
    until = FOREVER if end >= 1 else period.at(end)
    hit = np.flatnonzero(faults.inside(period.at(begin), min(until, period.end)) & (faults.lost == 0))
    if len(hit) < 2:  # noqa: PLR2004 - one that hangs, one that is skipped
        return
    faults.lasts[hit[0]] = until
    faults.reserve(hit)
    faults.incidents.append((EXCLUSIVE, hit[1:]))


def _plant_streak(faults: Faults, streak: Streak, n_actions: int, period: Period) -> None:
    """Plant successive failures; where two faults want the same tick, the first one keeps it."""
    is_taken = faults.lost > 0
    is_taken[list(faults.texts)] = True
    for cause, ticks in faults.incidents:
        is_taken[ticks] |= cause == EXCLUSIVE
    hit = np.flatnonzero(faults.inside(period.at(streak.begin), period.at(streak.end)) & ~is_taken)
    if not len(hit):
        return
    # An incident has one beginning and one end: what another fault cut off is left alone.
    hit = hit[: int(np.argmax(np.diff(hit, append=-1) != 1)) + 1]
    n_failed = n_actions if streak.n_actions is None or streak.text == USER else min(streak.n_actions, n_actions)
    texts = ("",) * (n_actions - n_failed) + (streak.text,) * n_failed
    faults.texts |= dict.fromkeys(hit.tolist(), texts)
    faults.reserve(hit)
    faults.incidents.append((TEXTS[streak.text].cause, hit))


def _plant_chronic(faults: Faults, recipe: Recipe, rng: np.random.Generator) -> None:
    """Let a schedule miss a large share of its ticks all the time, or those of some hours of the day."""
    is_plain = faults.is_free & (faults.lost == 0)
    if recipe.chronic:
        chosen = np.flatnonzero(is_plain & (rng.random(len(is_plain)) < recipe.chronic))
        faults.lost[chosen] = _CHRONIC
        faults.is_free[chosen] = False
    if recipe.mute_hours:
        hour = (faults.planned + utc_offset(faults.planned, recipe.tz)) // HOUR % 24
        chosen = np.flatnonzero(is_plain & np.isin(hour, range(*recipe.mute_hours)))
        faults.lost[chosen] = _MUTE
        faults.is_free[chosen] = False


def _plant_single(faults: Faults, recipe: Recipe, rng: np.random.Generator) -> None:
    """Plant the faults of single ticks."""
    n, n_actions, interval = len(faults.planned), len(recipe.actions), faults.interval
    everywhere, is_last = np.ones(n, bool), np.arange(n) == n - 1
    # A skip needs a run that still runs: the tick before it must have started one.
    skipped = faults.take(recipe.skipped, np.append(False, faults.is_free[:-1]), rng)
    faults.reserve(skipped - 1, 0)
    faults.lasts[skipped - 1] = faults.planned[skipped] + 3 * interval[skipped] // 10

    faults.lost[faults.take(recipe.missed, everywhere, rng)] = _DROPPED
    late = faults.take(recipe.late, (interval >= 4 * MINUTE) & ~is_last, rng)
    most = np.minimum(0.45 * interval[late], 40 * MINUTE)
    faults.delay[late] = (75 * SECOND + rng.random(len(late)) * (most - 75 * SECOND)).astype(np.int64)
    faults.again[faults.take(recipe.duplicate, (interval >= 3 * MINUTE) & ~is_last, rng)] = 1

    failed = faults.take(recipe.failed, everywhere, rng).tolist()
    partial = faults.take(recipe.partial if n_actions > 1 else 0, everywhere, rng).tolist()
    texts = np.resize(rng.permutation(np.array(recipe.texts)), (len(failed) + len(partial)) * n_actions)
    some = rng.integers(1, max(2, n_actions), len(partial)).tolist()
    draw = iter(texts.tolist())
    for tick in failed:
        faults.texts[tick] = _whole(tuple(next(draw) for _ in range(n_actions)))
    for tick, n_failed in zip(partial, some, strict=True):
        is_hit = [(action - tick) % n_actions < n_failed for action in range(n_actions)]
        faults.texts[tick] = _whole(tuple(next(draw) if is_one else "" for is_one in is_hit))


def _whole(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Let a text of the whole schedule stand alone: the user is looked up before any action."""
    return (USER,) * len(texts) if USER in texts else texts


def _plant_invocations(faults: Faults, schedule: Schedule, rng: np.random.Generator) -> None:
    """Plant invocations that no tick asks for: clicks, between ticks and within seconds of one, doubles, early ones."""
    recipe, n, interval = schedule.recipe, len(faults.planned), faults.interval
    is_last = np.arange(n) == n - 1
    between = faults.take(recipe.manual / n, (interval >= 5 * MINUTE) & ~is_last, rng)
    doubled = np.flatnonzero(faults.again)
    faults.again[doubled] = ((15 + 35 * rng.random(len(doubled))) * SECOND).astype(np.int64)
    at = faults.planned[between] + (0.3 + 0.4 * rng.random(len(between))) * interval[between]
    room = int(faults.planned[0]) - schedule.created_at
    if room > 10 * MINUTE:
        early = schedule.created_at + (0.2 + 0.6 * rng.random(recipe.extra)) * room
        faults.early = np.sort(early).astype(np.int64).tolist()
    near = np.flatnonzero((faults.lost == 0) & (faults.resumes == 0) & (interval >= MINUTE) & ~is_last)
    near = np.sort(rng.permutation(near)[: recipe.near_manual])
    close = faults.planned[near] + rng.uniform(-2, 8, len(near)) * SECOND
    faults.clicks = sorted(np.concatenate([at, close]).astype(np.int64).tolist())
