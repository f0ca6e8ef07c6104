"""A life is what the platform does with one schedule by its own rules: invocation after invocation, and their runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import exp
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schedlog_analysis.simulation.definition import HOUR, MINUTE, SECOND, Period, Schedule
from schedlog_analysis.simulation.faults import LOST, Faults
from schedlog_analysis.simulation.texts import EXCLUSIVE, MANUAL, SCHEDULED, USER, render

Kind = Literal["scheduled", "duplicate", "extra", "manual"]

MIN_PAUSE: Final = 10 * SECOND  # between the start of an invocation and the tick after it
STATUSES: Final = ("SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED")
_UP_TO: Final = (0.945, 0.975, 0.99, 1.0)

# What became of a tick that no invocation answered, beside the reasons of `faults.LOST`.
NOT_DUE: Final = "not due"
OVERDUE: Final = "overdue"  # the tick before it began only after this one
SAVED_OVER: Final = "saved over"  # the schedule was saved before its invocation began
PENDING: Final = "pending"  # its invocation had not begun at the end


class Entry(NamedTuple):
    """One line of the log."""

    at: int  # [ms]
    level: str
    message: str
    text: str = ""  # key of `texts.TEXTS`, "" for INFO


class Run(NamedTuple):
    """What a started action became."""

    action: int
    scheduled_at: int  # [ms]
    started_at: int  # [ms]
    finished_at: int  # FOREVER where it hangs [ms]
    status: str
    usd_per_hour: float


class Invocation(NamedTuple):
    """One invocation; `tick` is the number of the planned tick that it answers, -1 for none."""

    kind: Kind
    tick: int
    began_at: int  # [ms]
    done_at: int  # [ms]
    entries: tuple[Entry, ...]
    runs: tuple[Run, ...]


@dataclass
class Life:
    """Everything that happened to one schedule."""

    faults: Faults
    invocations: list[Invocation] = field(default_factory=list)
    became: list[str] = field(default_factory=list)  # of each planned tick: "" where it was answered, else why not
    moves: list[tuple[int, int]] = field(default_factory=list)  # when `nextRunAt` was computed, and not before what


def live(schedule: Schedule, faults: Faults, period: Period, rng: np.random.Generator) -> Life:
    """
    Let the platform invoke a schedule.

    Notes
    -----
    The rules: the next tick is the first one that is not before now and at least ten seconds after the start of the
    last scheduled invocation; what is overdue is made up once; invocations of one schedule never overlap; a click
    changes neither the next nor the last tick; whoever saves the schedule has its next tick computed anew.
    """
    return _Platform(schedule, faults, period, rng).live()


def _draw_from(distribution: Callable[[int], NDArray[np.float64]]) -> Callable[[], float]:
    """Draw in batches: 0.1 us a number, where one by one it takes 0.6 us."""

    def draw() -> Iterator[float]:
        while True:
            yield from distribution(512).tolist()

    return draw().__next__


class _Platform:
    """What the platform knows of a schedule while time goes by."""

    def __init__(self, schedule: Schedule, faults: Faults, period: Period, rng: np.random.Generator) -> None:
        self.schedule, self.recipe, self.period = schedule, schedule.recipe, period
        self.life = Life(faults)
        self.planned: list[int] = faults.planned.tolist()
        self.faults = faults
        self.lasts = {int(tick): int(faults.lasts[tick]) for tick in np.flatnonzero(faults.lasts)}
        self.for_texts, for_runs = rng.spawn(2)
        self.draw = _draw_from(rng.random)
        self.draw_normal = _draw_from(for_runs.standard_normal)
        self.starts = ("",) * len(schedule.actions)
        self.free_at = 0  # when the invocation that holds the lock is over
        self.busy_until = [0] * len(schedule.actions)
        self.last: tuple[int, int, int] | None = None  # tick, start and end of the last scheduled invocation
        self.is_stuck = False

    def live(self) -> Life:
        """Go through all planned ticks in order of time."""
        faults, ends = self.faults, self.schedule.ends()
        rows = zip(
            self.planned,
            *(column.tolist() for column in (faults.version, faults.delay, faults.lost, faults.resumes, faults.again)),
            strict=True,
        )
        clicks = [(at, True) for at in faults.clicks] + [(at, False) for at in faults.early]
        clicks.sort(reverse=True)
        for tick, (planned, version, delay, lost, resumes, again) in enumerate(rows):
            why = self._pass_over(planned, lost) or self._lose(planned, lost)
            if not why:
                began = max(planned, resumes) + delay
                self._click(clicks, began)
                why = self._answer(tick, max(began, self.free_at), again, ends[version])
            self.life.became.append(why)
        self._click(clicks, self.period.end)
        self.life.moves += [(at, self._earliest(at)) for at in (v.saved_at for v in self.schedule.versions)]
        self.life.moves.sort()
        return self.life

    def _pass_over(self, planned: int, lost: int) -> str:
        """Say why `nextRunAt` never became this tick, if it did not."""
        if self.last is None:
            return ""
        tick, began, done = self.last
        if planned < tick + MIN_PAUSE or began < planned < max(done, began + MIN_PAUSE):
            return NOT_DUE
        return (LOST[lost] or OVERDUE) if planned <= began else ""

    def _lose(self, planned: int, lost: int) -> str:
        """Let a planted fault swallow the tick; unless the schedule is stuck, its next one is computed nevertheless."""
        why = LOST[lost]
        self.is_stuck |= why == "stuck"
        if why and not self.is_stuck:
            self.life.moves.append((planned + SECOND, planned + SECOND))
        return why

    def _answer(self, tick: int, began: int, again: int, ends: int) -> str:
        """Invoke the schedule for a tick, unless it is saved or the period is over before that."""
        if self.is_stuck or began >= self.period.end:
            self.is_stuck = True
            return PENDING
        if began >= ends:
            return SAVED_OVER
        texts = self.faults.texts.get(tick, self.starts)
        self._schedule("scheduled", tick, began, texts)
        if again:
            self._schedule("duplicate", tick, max(began + again, self.free_at), self.starts)
        return ""

    def _schedule(self, kind: Kind, tick: int, began: int, texts: tuple[str, ...]) -> None:
        scheduled_at = self.planned[tick] if tick >= 0 else began
        self._invoke(kind, tick, began, texts, scheduled_at)
        self.last = (scheduled_at, began, self.free_at)
        self.life.moves.append((self.free_at, began + MIN_PAUSE))

    def _earliest(self, saved: int) -> int:
        """Give what the next tick may not come before, for whoever saves the schedule at an instant."""
        starts = [each.began_at for each in self.life.invocations if each.kind != "manual" and each.began_at < saved]
        return max(saved, starts[-1] + MIN_PAUSE) if starts else saved

    def _click(self, clicks: list[tuple[int, bool]], until: int) -> None:
        """Invoke the schedule for every click, and for every early start, up to an instant."""
        while clicks and clicks[-1][0] <= until:
            at, is_manual = clicks.pop()
            began = max(at, self.free_at)
            if began >= min(self.period.end, self.schedule.deleted_at):
                continue
            if is_manual:
                self._invoke("manual", -1, began, self.starts, began)
            else:
                self._schedule("extra", -1, began, self.starts)

    def _invoke(self, kind: Kind, tick: int, began: int, texts: tuple[str, ...], scheduled_at: int) -> None:
        """Start the actions one after the other; INFO comes last, when all of them were tried."""
        at = began + 2 + int(10 * self.draw())
        entries, runs = [], []
        if USER in texts:
            entries.append(Entry(at, "ERROR", render(USER, self.schedule.actions[0], self.for_texts), USER))
        else:
            for number, (action, text) in enumerate(zip(self.schedule.actions, texts, strict=True)):
                if self.recipe.is_exclusive and self.busy_until[number] > at:
                    at += int(6 * self.draw())
                    entries.append(Entry(at, "WARNING", render(EXCLUSIVE, action, self.for_texts), EXCLUSIVE))
                    continue
                at += 40 + int(300 * self.draw())
                if text:
                    entries.append(Entry(at, "ERROR", render(text, action, self.for_texts), text))
                else:
                    runs.append(self._run(number, tick, at - int(20 * self.draw()), scheduled_at))
            at += int(4 * self.draw())
            entries.append(Entry(at, "INFO", MANUAL if kind == "manual" else SCHEDULED))
        self.free_at = at
        shown = entries[:1] if self.recipe.shape == "single" else entries
        self.life.invocations.append(Invocation(kind, tick, began, at, tuple(shown), tuple(runs)))

    def _run(self, action: int, tick: int, started: int, scheduled_at: int) -> Run:
        """Let a run last as long as its like do; one of an exclusive schedule ends before the next tick, as a rule."""
        status = STATUSES[bisect_right(_UP_TO, self.draw())]
        minutes = exp(0.5 * self.draw_normal()) * self.recipe.run_minutes
        if status == "TIMED-OUT":  # it took its whole allowance
            minutes = 4 * self.recipe.run_minutes
        elif status == "ABORTED":  # it was cut short
            minutes *= 0.4
        finished = started + int(minutes * MINUTE)
        lasts = self.lasts.get(tick, 0)
        if lasts:
            finished = lasts
            status = "ABORTED" if lasts - started > 2 * self.faults.interval[tick] else status
        elif self.recipe.is_exclusive:
            following = bisect_right(self.planned, started)
            room = (self.planned[following] if following < len(self.planned) else started + HOUR) - started
            finished = min(finished, started + int(0.8 * room))
        self.busy_until[action] = max(self.busy_until[action], finished)
        rate = self.recipe.usd_per_hour * (0.8 + 0.4 * self.draw())
        return Run(action, scheduled_at, started, finished, status, rate)
