"""An accounting policy says what counts as up, what as down and what is left out; it is printed in every report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask
from schedlog_analysis._core.instants import MISSING, InstantLike, Int8, Int64, duration_ms, instant_ms, to_ms
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.schema import COUNTED, OUTCOMES, REASONS, STATUSES, Invocations, Ticks

Verdict = Literal["up", "down", "left_out"]
UP, DOWN, LEFT_OUT = range(len(COUNTED))
_COUNTED, _REASONS = (pd.CategoricalDtype(pd.Index(names, dtype="str")) for names in (COUNTED, REASONS))
_REASON = {reason: code for code, reason in enumerate(REASONS)}


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
        ``"up"``, ``"down"`` or ``"left_out"``.
    duplicate, extra, manual
        Whether they count by their outcome (``"outcome"``) or are ``"left_out"``.
    open_after, open_for
        An incident opens with so many ticks in a row that are down, or with one when it took so long until the next
        good one.
    close_after
        An incident closes with the first of so many good ticks in a row.
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
    skipped: Verdict = "left_out"
    duplicate: Literal["outcome", "left_out"] = "left_out"
    extra: Literal["outcome", "left_out"] = "outcome"
    manual: Literal["outcome", "left_out"] = "left_out"
    open_after: int = 2
    open_for: str = "6h"
    close_after: int = 2
    maintenance: tuple[Maintenance, ...] = ()

    def __post_init__(self) -> None:
        given: Any = self.maintenance
        windows = tuple(given) if isinstance(given, list | tuple) else (given,)  # so that a list, or one, will do
        object.__setattr__(self, "maintenance", windows)
        wrong = [window for window in windows if not isinstance(window, Maintenance)]
        if wrong:
            raise ConfigError(f"The policy's `maintenance` has {wrong[0]!r}; expected windows such as {EXAMPLE!r}.")
        for name in ("open_after", "close_after"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise ConfigError(f"`{name}` is {getattr(self, name)!r}; expected 1 tick or more.")
        duration_ms(self.open_for, "open_for")
        for name in (*_STATED, *_BEYOND):
            allowed = COUNTED if name in _STATED else ("outcome", "left_out")
            value = str(getattr(self, name)).replace(" ", "_")  # people write "left out"
            object.__setattr__(self, name, value)
            if value not in allowed:
                raise ConfigError(f"The policy's `{name}` is {value!r}; expected one of {_say(', '.join(allowed))}.")

    def judge(self, table: pd.DataFrame) -> pd.DataFrame:
        """
        Add to each row of Ticks or Invocations what it counts as, and why.

        This is the only place where good and bad are told apart. The planned instant decides what lies in a
        maintenance window, or the invocation where nothing was planned.

        Parameters
        ----------
        table
            Ticks or Invocations. A `reason` that is there already is kept for ticks that are unknown: only the log
            tells why nobody knows.

        Returns
        -------
        judged
            The same rows with the columns `counted_as` and `reason`, see `schema.JudgedTicks`; empty if `table` is.

        Examples
        --------
        >>> AccountingPolicy().judge(Ticks.empty()).columns[-2:].tolist()
        ['counted_as', 'reason']
        """
        outcome = table["outcome"].cat.codes.to_numpy() + np.int8(1)  # in the order of OUTCOMES, 0 for none
        if "status" in table:
            counted, why = self._by_status()
            cell = table["status"].cat.codes.to_numpy() * np.int8(counted.shape[1]) + outcome
            verdict, reason = counted.ravel()[cell], why.ravel()[cell]
            if "reason" in table:
                is_unknown = (table["status"] == "unknown").to_numpy()
                reason = np.where(is_unknown, table["reason"].cat.codes.to_numpy(), reason)
        else:
            counted, why = self._by_outcome()
            verdict, reason = counted[outcome], why[outcome]
            if self.manual == "left_out":
                is_manual = table["is_manual"].to_numpy(dtype=bool)
                verdict[is_manual], reason[is_manual] = LEFT_OUT, _REASON["manual"]
        for window in self.maintenance:
            is_inside = window.holds(instants(table)) & (verdict != LEFT_OUT)
            verdict[is_inside], reason[is_inside] = LEFT_OUT, _REASON["maintenance"]
        return table.drop(columns=["counted_as", "reason"], errors="ignore").assign(
            counted_as=pd.Categorical.from_codes(verdict, dtype=_COUNTED),
            reason=pd.Categorical.from_codes(reason, dtype=_REASONS),
        )

    def _by_outcome(self) -> tuple[Int8, Int8]:
        """Say for each outcome what it counts as, and why; the first is that of none."""
        verdicts = (COUNTED.index(value) for value in (self.partial, "down", self.skipped))
        reasons = ("hole", "started", "partial", "failed", "skipped")
        return (
            np.array([LEFT_OUT, UP, *verdicts], dtype=np.int8),
            np.array([_REASON[reason] for reason in reasons], dtype=np.int8),
        )

    def _by_status(self) -> tuple[Int8, Int8]:
        """Say for each status, in rows, and outcome what it counts as, and why."""
        counted, why = (np.tile(row, (len(STATUSES), 1)) for row in self._by_outcome())
        row = {status: number for number, status in enumerate(STATUSES)}
        counted[row["missed"]], why[row["missed"]] = COUNTED.index(self.missed), _REASON["missed"]
        counted[row["unknown"]], why[row["unknown"]] = LEFT_OUT, _REASON["hole"]
        if self.late != "up":
            started = OUTCOMES.index("ok") + 1
            counted[row["late"], started], why[row["late"], started] = COUNTED.index(self.late), _REASON["late"]
        for status in _BEYOND:
            if getattr(self, status) == "left_out":
                counted[row[status]], why[row[status]] = LEFT_OUT, _REASON[status]
        return counted, why

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
            (
                f"Missed ticks are {_say(self.missed)}; late ones are {_say(self.late)};"
                " ticks that the log cannot show are left out."
            ),
            f"Ticks skipped because an exclusive run was still running are {_say(self.skipped)}.",
            (
                f"An incident opens with {self.open_after} ticks in a row that are down, or with one if the next"
                f" good one came {self.open_for} later or more; it closes with {self.close_after} good ones in a row."
            ),
            *(f"{name.capitalize()} invocations {_say_counted(getattr(self, name))}." for name in _BEYOND),
        ]
        return rules + [f"Left out as maintenance: {window}." for window in self.maintenance]


_STATED = ("partial", "missed", "late", "skipped")
_BEYOND = ("duplicate", "extra", "manual")
assert OUTCOMES == ("ok", "partial", "failed", "skipped")  # `_by_outcome` relies on their order


def judged(given: Any, policy: AccountingPolicy | None = None, further: Sequence[str] = ()) -> pd.DataFrame:  # noqa: ANN401 - whatever a user gave
    """
    Take a table of Ticks, or else of Invocations, judged by a policy.

    Parameters
    ----------
    given
        Ticks or Invocations.
    policy
        Who judges. None takes the judgement that the table brings along, or the default policy's where it has none.
    further
        Names of further columns to keep, where the table has them.

    Returns
    -------
    judged
        The declared columns, then `counted_as`, `reason` and the further ones.

    Raises
    ------
    SchemaError
        If it is neither.
    """
    is_ticks = isinstance(given, pd.DataFrame) and "status" in given
    table = (Ticks if is_ticks else Invocations).accept(given)
    is_judged = {"counted_as", "reason"} <= set(given)
    kept = [*further, *(("counted_as", "reason") if is_judged else ())]
    table = table.assign(**{name: given[name].array for name in kept if name in given and name not in table})
    if policy is None and is_judged:
        return table
    return (policy or AccountingPolicy()).judge(table)


def verdicts(table: pd.DataFrame) -> Int8:
    """Give the codes of `counted_as`: UP, DOWN or LEFT_OUT for each row of a judged table."""
    return np.asarray(table["counted_as"].cat.codes.to_numpy())


def instants(table: pd.DataFrame) -> Int64:
    """Give the instant that counts for each row of Ticks or Invocations, in milliseconds."""
    invoked = to_ms(table["invoked_at"])
    if "planned_at" not in table:
        return invoked
    planned = to_ms(table["planned_at"])
    is_beyond = planned == MISSING
    return np.where(is_beyond, invoked, planned) if is_beyond.any() else planned


def _say_counted(rule: str) -> str:
    return "are left out" if rule == "left_out" else "count by their outcome"


def _say(verdict: str) -> str:
    return verdict.replace("_", " ")
