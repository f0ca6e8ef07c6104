"""An accounting policy says what counts as up, what as down and what is left out; it is printed in every report."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask
from schedlog_analysis._core.instants import MISSING, InstantLike, Int8, Int64, duration_ms, instant_ms, to_ms
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.schema import OUTCOMES, STATUSES, Invocations, Ticks

Verdict = Literal["up", "down", "left out"]
VERDICTS = ("up", "down", "left out")
UP, DOWN, LEFT_OUT = range(3)


@dataclass(frozen=True)
class Maintenance:
    """
    A stretch of time that nobody is held to: an interval, or a rule that repeats.

    Give `start` and `end`, or `cron` (with `tz`) and `duration`: ``Maintenance(cron="0 2 * * SUN", duration="2h")``
    is two hours from 02:00 on every Sunday.

    Raises
    ------
    ConfigError
        If it is neither or both, or has no length.

    Examples
    --------
    >>> print(Maintenance("2026-10-03T22:00Z", "2026-10-04T02:00Z"))
    2026-10-03T22:00Z to 2026-10-04T02:00Z
    """

    start: InstantLike | None = None
    end: InstantLike | None = None
    cron: str | None = None
    duration: str | timedelta | None = None
    tz: str = "UTC"

    def __post_init__(self) -> None:
        once, again = (self.start, self.end), (self.cron, self.duration)
        is_either = None not in once if again == (None, None) else None not in again and once == (None, None)
        if not is_either:
            raise ConfigError(f"A maintenance window needs `start` and `end`, or `cron` and `duration`; got {self!r}.")
        if self.cron is not None:
            Cron(self.cron, self.tz)  # complains of what it cannot read
            if duration_ms(self.duration or "0s", "duration") == 0:
                raise ConfigError(f"The maintenance window {self} has no length; expected a duration such as '2h'.")
        elif instant_ms(self.end or "", "end") <= instant_ms(self.start or "", "start"):
            raise ConfigError(f"The maintenance window ends at {self.end}, not after its start {self.start}.")

    def holds(self, moments: Int64) -> Mask:
        """Tell which moments lie inside, in milliseconds; ends are outside."""
        if self.cron is None:
            start, end = instant_ms(self.start or "", "start"), instant_ms(self.end or "", "end")
            return (moments >= start) & (moments < end)
        if not len(moments):
            return np.zeros(0, dtype=bool)
        length = duration_ms(self.duration or "0s", "duration")
        begins = Cron(self.cron, self.tz).tick_ms(max(int(moments.min()) - length, 0), int(moments.max()) + 1)
        latest = np.append(MISSING // 2, begins)[np.searchsorted(begins, moments, side="right")]
        return np.asarray(moments - latest < length)

    def __str__(self) -> str:
        if self.cron is None:
            return f"{self.start} to {self.end}"
        return f"{self.duration} from {self.cron} ({self.tz})"


EXAMPLE = Maintenance(cron="0 2 * * SUN", duration="2h")


@dataclass(frozen=True)
class AccountingPolicy:
    """
    What counts as up, down, or not at all.

    The defaults hold the schedule to what its owner wanted: that it starts what it should, when it should.

    - `failed` is down and `ok` is up; these two are not up for choice.
    - `partial` is down: something that should have started did not.
    - `missed` is down: silence is the worst failure. It counts only where ticks are counted, not for bare invocations.
    - `late` is up: it ran. Lateness has figures of its own. Late and failed is down.
    - `skipped` is left out: the owner asked for exclusive runs, so the skip is the schedule doing as it was told. A run
      that hangs skips every tick after it, so where runs may hang, ``"down"`` is the honest choice.
    - `duplicate` is left out: its tick is already counted once. Of bare invocations nobody knows which are duplicates.
    - `extra` counts by its outcome: something was invoked. Without a known cron, that is all there is.
    - `manual` is left out: a person pressing a button says nothing about the schedule.
    - unknown is always left out: what the log cannot show is neither up nor down.
    - `maintenance` is left out, whatever happened in it. The planned moment decides, not that of the invocation.

    Parameters
    ----------
    partial, missed, late, skipped
        ``"up"``, ``"down"`` or ``"left out"``.
    duplicate, extra, manual
        Whether they count by their outcome (``"outcome"``) or are ``"left out"``.
    maintenance
        Windows that are left out, see `Maintenance`; one or several.

    Raises
    ------
    ConfigError
        If a value is none of these.

    Examples
    --------
    >>> AccountingPolicy(skipped="down").skipped
    'down'
    """

    partial: Verdict = "down"
    missed: Verdict = "down"
    late: Verdict = "up"
    skipped: Verdict = "left out"
    duplicate: Literal["outcome", "left out"] = "left out"
    extra: Literal["outcome", "left out"] = "outcome"
    manual: Literal["outcome", "left out"] = "left out"
    maintenance: tuple[Maintenance, ...] = ()

    def __post_init__(self) -> None:
        given: Any = self.maintenance
        windows = tuple(given) if isinstance(given, list | tuple) else (given,)  # so that a list, or one, will do
        object.__setattr__(self, "maintenance", windows)
        wrong = [window for window in windows if not isinstance(window, Maintenance)]
        if wrong:
            raise ConfigError(f"The policy's `maintenance` has {wrong[0]!r}; expected windows such as {EXAMPLE!r}.")
        for field in fields(self)[:-1]:
            allowed = VERDICTS if field.name in ("partial", "missed", "late", "skipped") else ("outcome", "left out")
            value = getattr(self, field.name)
            if value not in allowed:
                raise ConfigError(f"The policy's `{field.name}` is {value!r}; expected one of {', '.join(allowed)}.")

    def judge(self, table: pd.DataFrame) -> Int8:
        """
        Judge each row of a table of Ticks or Invocations: 0 up, 1 down, 2 left out.

        The moment that counts is the planned one, or the invocation where nothing was planned.
        """
        outcome = table["outcome"].cat.codes.to_numpy()  # in the order of OUTCOMES, -1 for none
        if "status" in table:
            rules = self._rules()
            status = table["status"].cat.codes.to_numpy()
            verdict = rules.ravel()[status * np.int8(rules.shape[1]) + outcome + np.int8(1)]
        else:
            verdict = self._by_outcome()[outcome + np.int8(1)]
            if self.manual == "left out":
                verdict[table["is_manual"].to_numpy(dtype=bool)] = LEFT_OUT
        return self._less_maintenance(verdict, moments(table))

    def _by_outcome(self) -> Int8:
        """Verdict of each outcome; the first is that of none."""
        chosen = (VERDICTS.index(value) for value in (self.partial, "down", self.skipped))
        return np.array([LEFT_OUT, UP, *chosen], dtype=np.int8)

    def _rules(self) -> Int8:
        """Verdict of each status, in rows, with each outcome."""
        rules = np.tile(self._by_outcome(), (len(STATUSES), 1))
        of = {name: rules[number] for number, name in enumerate(STATUSES)}
        of["missed"][:] = VERDICTS.index(self.missed)
        of["unknown"][:] = LEFT_OUT
        of["late"][of["late"] == UP] = VERDICTS.index(self.late)
        for name in _BEYOND:
            if getattr(self, name) == "left out":
                of[name][:] = LEFT_OUT
        return rules

    def _less_maintenance(self, verdict: Int8, when: Int64) -> Int8:
        for window in self.maintenance:
            verdict[window.holds(when)] = LEFT_OUT
        return verdict

    def sentences(self) -> list[str]:
        """
        Say the policy in words, one sentence a rule.

        Examples
        --------
        >>> AccountingPolicy().sentences()[0]
        'A tick is up when every action started, down when one or all failed to start.'
        """
        partly = {"down": "down when one or all failed", "up": "down only when all failed"}
        told = partly.get(self.partial, "down when all failed, left out when only some failed")
        rules = [
            f"A tick is up when every action started, {told} to start.",
            f"Missed ticks are {self.missed}; late ones are {self.late}; ticks that the log cannot show are left out.",
            f"Ticks skipped because an exclusive run was still running are {self.skipped}.",
            *(f"{name.capitalize()} invocations {_counted(getattr(self, name))}." for name in _BEYOND),
        ]
        return rules + [f"Left out as maintenance: {window}." for window in self.maintenance]


_BEYOND = ("duplicate", "extra", "manual")
assert OUTCOMES == ("ok", "partial", "failed", "skipped")  # `_by_outcome` relies on their order


def take(given: Any, further: list[str]) -> pd.DataFrame:  # noqa: ANN401 - whatever a user gave
    """Take a table of Ticks, or else of Invocations, with those of these further columns that it has."""
    is_ticks = isinstance(given, pd.DataFrame) and "status" in given
    table = (Ticks if is_ticks else Invocations).accept(given)
    return table.assign(**{name: given[name].to_numpy() for name in further if name in given and name not in table})


def moments(table: pd.DataFrame) -> Int64:
    """Give the moment that counts for each row of Ticks or Invocations, in milliseconds."""
    invoked = to_ms(table["invoked_at"])
    if "planned_at" not in table:
        return invoked
    planned = to_ms(table["planned_at"])
    is_beyond = planned == MISSING
    return np.where(is_beyond, invoked, planned) if is_beyond.any() else planned


def _counted(rule: str) -> str:
    return "are left out" if rule == "left out" else "count by their outcome"
