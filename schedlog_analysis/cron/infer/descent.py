"""A descent improves a cron field by field, until the times of one schedule cannot be written down any shorter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import log2
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.expression import parse
from schedlog_analysis.cron.infer.code_length import EARLY_MS, Match, delay_spread, match, match_bits, offset_bits
from schedlog_analysis.cron.infer.fields import (
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    WORKING_DAYS,
    field_texts,
    text_bits,
    write,
)
from schedlog_analysis.cron.infer.observed import (
    DAY_MS,
    FIELDS,
    Texts,
    clock_counts,
    day_texts,
    days_of,
    distinct,
    local_ms,
)
from schedlog_analysis.errors import CronError

Int64 = npt.NDArray[np.int64]
Option = tuple[tuple[int, ...], list[tuple[str, ...]]]

SECOND_MS, MINUTE_MS, HOUR_MS = 1000, 60_000, 3_600_000
_SECONDS_BITS = 2.0  # six fields are rare
_SPARSEST = 64  # a cron with more ticks per time than this is out of the question
MOST_TICKS = 10_000_000  # of one candidate: 19 years of every minute, 80 MB
_SPAN = re.compile(r"(\d+)-(\d+)(?:/\d+)?$")
_WORKING_HOURS = (7, 19)
# Of 50 expressions in public code with such a range of hours, 35 run from Monday to Friday, and 10 every day.
_WEEKDAY_BITS = {WORKING_DAYS: log2(50 / 35), "*": log2(50 / 10)}
_SWEEPS = 4  # enough: a third one hardly ever improves anything


class Found(NamedTuple):
    """One candidate and its code length."""

    texts: Texts
    tz: str
    offset: int
    """Constant delay [ms]."""
    bits: float

    @property
    def cron(self) -> str:
        """The expression, in five fields unless it needs seconds."""
        return expression(self.texts)


def expression(texts: Texts) -> str:
    """
    Join six fields, without the seconds where they are zero.

    Examples
    --------
    >>> expression(("0", "30", "9", "*", "*", "1-5"))
    '30 9 * * 1-5'
    """
    return " ".join(texts[1:] if texts[0] == "0" else texts)


def prior_bits(texts: Texts) -> float:
    """
    Bits for the expression itself: those of its fields, where working hours make working days likely.

    Examples
    --------
    >>> working, daily = ("0", "0", "9-17", "*", "*", "1-5"), ("0", "0", "9-17", "*", "*", "*")
    >>> prior_bits(working) < prior_bits(daily)
    True
    """
    bits = _SECONDS_BITS + text_bits(texts[0], SECOND) if texts[0] != "0" else 0.0
    bits += sum(text_bits(text, part) for text, part in zip(texts[1:], FIELDS[1:], strict=True))
    if texts[3] == "*" and texts[5] in _WEEKDAY_BITS and _is_working_hours(texts[2]):
        bits += _WEEKDAY_BITS[texts[5]] - text_bits(texts[5], WEEKDAY)
    return bits


def _is_working_hours(hours: str) -> bool:
    """Whether hours are one range within the working day."""
    span = _SPAN.match(hours)
    return span is not None and _WORKING_HOURS[0] <= int(span[1]) < int(span[2]) <= _WORKING_HOURS[1]


def ticks_around(texts: Texts, tz: str, first: int, last: int, most: int = MOST_TICKS) -> Int64 | None:
    """
    Plan the ticks from the one at or before `first` to `last` [ms].

    Returns
    -------
    ticks
        Sorted [ms]; None if there are none, if there would be more than `most`, or if such a cron never fires.
    """
    text = expression(texts)
    try:
        pattern = parse(text)
    except CronError:
        return None
    per_day = len(pattern.seconds) * len(pattern.minutes) * len(pattern.hours) * pattern.days_per_year / 365
    if per_day * (last - first) / DAY_MS > min(most, MOST_TICKS):
        return None
    ticks = Cron(text, tz).tick_ms(max(first - _longest_wait(texts), 0), last + 1)
    ticks = ticks[max(int(ticks.searchsorted(first, side="right")) - 1, 0) :]
    return ticks if len(ticks) else None


def _longest_wait(texts: Texts) -> int:
    """Bound the time between two ticks [ms], so that one lies before the first time."""
    _, minute, hour, dom, month, dow = texts
    if month != "*":
        return 366 * DAY_MS
    if dom != "*" or "#" in dow or "L" in dow:
        return 62 * DAY_MS
    if dow != "*":
        return 8 * DAY_MS
    if hour != "*":
        return 2 * DAY_MS
    return 4 * HOUR_MS if minute != "*" else 2 * MINUTE_MS  # a change of daylight saving may skip an hour


@dataclass
class Descent:
    """The times of one schedule in one zone, and every candidate that was tried on them."""

    times: Int64
    """Sorted instants [ms]."""
    tz: str
    zone_bits: float = 0.0
    """Bits for naming the zone."""
    most: int = 0
    """Ticks that a candidate may have, where that is more than 64 per time."""
    tried: dict[tuple[Texts, int], float] = field(default_factory=dict)
    """Bits of each candidate, by its fields and its constant delay."""

    @property
    def local(self) -> Int64:
        """The times on the zone's wall clock [ms]."""
        return local_ms(self.times + EARLY_MS, self.tz)

    def found(self) -> list[Found]:
        """Candidates tried so far, best first; a tie goes to the smaller delay and the shorter text."""
        found = [Found(texts, self.tz, offset, bits) for (texts, offset), bits in self.tried.items() if bits < np.inf]
        return sorted(found, key=lambda f: (round(f.bits, 6), f.offset, len(f.cron), f.cron))

    def bits(self, texts: Texts, offset: int = 0) -> float:
        """Code length of the times under one candidate; infinite where it is out of the question."""
        known = self.tried.get((texts, offset))
        if known is None:
            known = self.tried[texts, offset] = self._bits(texts, offset)
        return known

    def match(self, texts: Texts, offset: int = 0) -> Match | None:
        """Match the times to the shifted ticks of a candidate; None where it is out of the question."""
        first, last = int(self.times[0]) - offset + EARLY_MS, int(self.times[-1]) - offset + EARLY_MS
        ticks = ticks_around(texts, self.tz, first, last, max(_SPARSEST * len(self.times), self.most))
        return None if ticks is None else match(self.times, ticks + offset)

    def _bits(self, texts: Texts, offset: int) -> float:
        matched = self.match(texts, offset)
        if matched is None:
            return np.inf
        told = offset_bits(offset, delay_spread(matched)) if offset else 0.0
        return match_bits(matched) + prior_bits(texts) + told + self.zone_bits

    def descend(self, snapped: Int64, seconds: str = "0") -> None:
        """
        Improve one field after the other, the two day fields together, until nothing improves.

        Parameters
        ----------
        snapped
            Wall-clock times, moved back to where their ticks may be [ms].
        seconds
            The seconds field to begin with.
        """
        snapped = distinct(snapped)
        counts = clock_counts(snapped)
        best: Texts = (seconds, write(_seen(counts[1]), MINUTE), write(_seen(counts[2]), HOUR), "*", "*", "*")
        options = _options(snapped, counts, with_seconds=seconds != "0")
        for _ in range(_SWEEPS):
            before = best
            for slots, texts in options:
                best = min((best, *(_replaced(best, slots, text) for text in texts)), key=self.bits)
            if best == before:
                return


def _options(snapped: Int64, counts: tuple[Int64, Int64, Int64], *, with_seconds: bool) -> list[Option]:
    days = days_of(distinct(snapped // DAY_MS))
    month = np.bincount(days.month, minlength=13)
    options: list[Option] = [
        ((1,), [(text,) for text in field_texts(counts[1], MINUTE)]),
        ((2,), [(text,) for text in field_texts(counts[2], HOUR)]),
        ((3, 5), [*day_texts(days)]),
        ((4,), [(text,) for text in field_texts(month, MONTH)]),
    ]
    return [*options, ((0,), [(text,) for text in field_texts(counts[0], SECOND)])] if with_seconds else options


def _seen(counts: Int64) -> tuple[int, ...]:
    return tuple(np.flatnonzero(counts).tolist())


def _replaced(texts: Texts, slots: tuple[int, ...], by: tuple[str, ...]) -> Texts:
    new = list(texts)
    for slot, text in zip(slots, by, strict=True):
        new[slot] = text
    second, minute, hour, dom, month, dow = new
    return second, minute, hour, dom, month, dow
