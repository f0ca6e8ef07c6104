"""
A search finds the crons behind the times of one schedule: those with the least code length.

It is a coordinate descent over the fields of an expression: one field after the other takes the best of the ways in
which it may be written, until the times cannot be written down any shorter. It begins from each way in which times may
come from ticks: on the minute, on the second, long after the tick, and in each likely zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import log2
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.expression import parse
from schedlog_analysis.cron.infer.code_length import (
    EARLY_MS,
    Match,
    delay_spread,
    match,
    match_bits,
    null_bits,
    offset_bits,
)
from schedlog_analysis.cron.infer.fields import (
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    WORKING_DAYS,
    Field,
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
    disorder,
    distinct,
    local_ms,
)
from schedlog_analysis.cron.infer.zones import ZONES
from schedlog_analysis.errors import CronError

Int64 = npt.NDArray[np.int64]
Option = tuple[tuple[int, ...], list[tuple[str, ...]]]

SECOND_MS, MINUTE_MS, HOUR_MS = 1000, 60_000, 3_600_000

# what is tried
MOST_TICKS = 10_000_000  # of one candidate: 19 years of every minute, 80 MB
_SPARSEST = 64  # a cron with more ticks per time than this is out of the question
_DENSEST = 4  # ticks per time of the whole series that are still looked at
_N_BLOCKS, _BLOCK = 20, 200  # what is looked at of longer series
_N_AGAIN = 20  # candidates that are then measured on all
_SWEEPS = 4  # enough: a third one hardly ever improves anything

# what it costs
ZONE_BITS = 6.0  # one zone among some sixty
_SECONDS_BITS = 2.0  # six fields are rare
_SPAN = re.compile(r"(\d+)-(\d+)(?:/\d+)?$")
_WORKING_HOURS = (7, 19)
# Of 50 expressions in public code with such a range of hours, 35 run from Monday to Friday, and 10 every day.
_WEEKDAY_BITS = {WORKING_DAYS: log2(50 / 35), "*": log2(50 / 10)}

# zones
_NIGHT_MS = 6 * HOUR_MS  # without a time that may be the plan in some zone
_N_ZONES, _ALIKE_BITS = 8, 30.0  # that are looked at closely; a cron may move a tick at a change of the clocks

# seconds
_MAX_SECONDS = 12  # values in a seconds field that leave the times clustered
_FREQUENT = 0.4  # of the most frequent second
_CLUSTERED = 0.6  # share of the times within two seconds of those values

# late schedules
_LATE_MS = 10_000  # a larger median delay calls for a look
_SECONDS = (10, 15, 20, 30)  # periods in a minute, with phases at whole seconds
_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)  # in a day, whole minutes
_STRAGGLERS = 0.02  # share of the times that may lie in the emptiest arc
_ONSETS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)  # shares of the times that may lie before the phase
_N_PERIODS = 3  # that are looked at closely
_START_SECONDS = 5  # a scheduler may take so long to start; more is what the expression says
_GRAINS = (5, 10, 15, 30, 60)  # minutes or seconds that a value may be rounded down to


def search(times: Int64, tz: str | None) -> list[Found]:
    """
    Look for the crons behind the times of one schedule.

    Parameters
    ----------
    times
        Sorted instants [ms].
    tz
        The zone; None to infer it.

    Returns
    -------
    found
        Every candidate tried, best first.
    """
    some, most = _sample_blocks(times), _DENSEST * len(times)
    found = _search_zone(some, tz or "UTC", 0.0, most)
    if tz is None and found and found[0].bits < null_bits(some) and not _is_around_the_clock(some, found[0]):
        for zone in _rank_zones(some):
            found = _rank([*found, *_search_zone(some, zone, ZONE_BITS, most)])
    return found if some is times else _measure_again(times, found[:_N_AGAIN])


def _is_around_the_clock(times: Int64, best: Found) -> bool:
    """Whether a zone does not matter: every hour of every day is planned, and no night was left out."""
    return set(best.texts[2:]) == {"*"} and int(np.diff(times).max()) < _NIGHT_MS


def _rank_zones(times: Int64) -> list[str]:
    """Give the zones in whose wall clock the times keep to fewer hours and days than in UTC, the likeliest first."""
    most = disorder(times, "UTC") - ZONE_BITS
    ranked = sorted((bits, i) for i, zone in enumerate(ZONES) if (bits := disorder(times, zone)) < most)
    return [ZONES[i] for bits, i in ranked[:_N_ZONES] if bits <= ranked[0][0] + _ALIKE_BITS]


def _sample_blocks(times: Int64) -> Int64:
    """Keep blocks of neighbours, evenly spread, of what is too much to try everything on."""
    if len(times) <= _N_BLOCKS * _BLOCK:
        return times
    starts = np.linspace(0, len(times) - _BLOCK, _N_BLOCKS).astype(np.intp)
    sample: Int64 = times[np.unique(starts[:, None] + np.arange(_BLOCK))]
    return sample


def _measure_again(times: Int64, found: list[Found]) -> list[Found]:
    """Measure candidates that were found in a sample on all the times."""
    measured = []
    for candidate in found:
        descent = Descent(times, candidate.tz, 0.0 if candidate.tz == "UTC" else ZONE_BITS)
        measured.append(candidate._replace(bits=descent.bits(candidate.texts, candidate.offset)))
    return _rank(measured)


def _rank(found: list[Found]) -> list[Found]:
    """Sort the best first; the order of the zones settles ties."""
    return sorted(found, key=lambda candidate: round(candidate.bits, 6))


def _search_zone(times: Int64, tz: str, zone_bits: float, most: int) -> list[Found]:
    descent = Descent(times, tz, zone_bits, most)
    local = descent.local
    descent.descend(local - local % MINUTE_MS)
    seconds = _find_seconds(local)
    if seconds != "0":
        descent.descend(local - local % SECOND_MS, seconds)
    found = descent.found()
    if not found or _is_late(descent, found[0]):
        _search_late(descent)
    _search_rounder(descent)
    return descent.found()


def _find_seconds(local: Int64) -> str:
    """Give the seconds field around whose values the times cluster; ``0`` if they do not."""
    counts = np.bincount(local // SECOND_MS % 60, minlength=60)
    top = np.flatnonzero(counts > _FREQUENT * counts.max())
    near = counts[np.unique((top[:, None] + np.arange(2)) % 60)].sum()
    is_clustered = len(top) <= _MAX_SECONDS and near >= _CLUSTERED * len(local)
    return write(tuple(top[np.diff(top, prepend=-9) > 1].tolist()), SECOND) if is_clustered else "0"


def _is_late(descent: Descent, best: Found) -> bool:
    """Whether the best candidate so far leaves long delays."""
    matched = descent.match(best.texts)
    return matched is None or bool(np.median(matched.delay) > _LATE_MS)


def _search_late(descent: Descent) -> None:
    """
    Look for crons whose schedule starts long after its ticks.

    Their phase is not that of the times: for each period the likeliest phases are
    measured, and the descent begins at the best.
    """
    local = descent.local
    units = [(period, SECOND_MS) for period in _SECONDS] + [(period, MINUTE_MS) for period in _MINUTES]
    ranked = sorted(_scan_phases(local, period * unit, unit) for period, unit in units)
    for _, period, phase in ranked[:_N_PERIODS]:
        seconds = tuple(range(phase // SECOND_MS, 60, period // SECOND_MS)) if period < MINUTE_MS else (0,)
        descent.descend(local - (local - phase) % period, write(seconds, SECOND))


def _search_rounder(descent: Descent) -> None:
    """Try rounder minutes or seconds with a constant delay, which the delays may show only roughly."""
    for found in descent.found()[:_N_PERIODS]:
        pattern = parse(found.cron)
        second = found.texts[0]
        for text, shift in _round_down(pattern.seconds, SECOND):
            if shift <= _START_SECONDS:
                descent.bits((text, *found.texts[1:]), shift * SECOND_MS)
        matched = descent.match(found.texts) if second == "0" else None
        if matched and delay_spread(matched) >= MINUTE_MS:
            for text, shift in _round_down(pattern.minutes, MINUTE):
                descent.bits((second, text, *found.texts[2:]), shift * MINUTE_MS)


def _scan_phases(local: Int64, period: int, unit: int) -> tuple[float, int, int]:
    """Give the code length, the period and the best phase of one period, at whole units [ms]."""
    return min(
        (match_bits(Match((local - phase) // period, (local - phase) % period)), period, phase)
        for phase in _propose_phases(local % period, period, unit)
    )


def _propose_phases(places: Int64, period: int, unit: int) -> list[int]:
    """Propose where delays begin on the circle of a period: after its emptiest arc, some times left out as too late."""
    places = np.sort(places)
    few = max(1, round(_STRAGGLERS * len(places)))
    arcs = (np.roll(places, -few) - places) % period
    first = int(places[(int(arcs.argmax()) + few) % len(places)])
    since = np.quantile((places - first) % period, _ONSETS)
    phases = np.unique((first + since).astype(np.int64) % period // unit)
    return [int(phase) * unit for phase in phases]


def _round_down(values: tuple[int, ...], field: Field) -> list[tuple[str, int]]:
    """Move values down to rounder ones; give each text with the shift."""
    shifts = sorted({values[0] % grain for grain in _GRAINS} - {0})
    return [(write(tuple(value - shift for value in values), field), shift) for shift in shifts]


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
    ticks = Cron(text, tz).tick_ms(max(first - _bound_wait(texts), 0), last + 1)
    ticks = ticks[max(int(ticks.searchsorted(first, side="right")) - 1, 0) :]
    return ticks if len(ticks) else None


def _bound_wait(texts: Texts) -> int:
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
    """Coordinate descent over the fields of a cron: the times of one schedule in one zone, and each candidate tried."""

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
            known = self.tried[texts, offset] = self._measure(texts, offset)
        return known

    def match(self, texts: Texts, offset: int = 0) -> Match | None:
        """Match the times to the shifted ticks of a candidate; None where it is out of the question."""
        first, last = int(self.times[0]) - offset + EARLY_MS, int(self.times[-1]) - offset + EARLY_MS
        ticks = ticks_around(texts, self.tz, first, last, max(_SPARSEST * len(self.times), self.most))
        return None if ticks is None else match(self.times, ticks + offset)

    def _measure(self, texts: Texts, offset: int) -> float:
        matched = self.match(texts, offset)
        if matched is None:
            return np.inf
        shift_bits = offset_bits(offset, delay_spread(matched)) if offset else 0.0
        return match_bits(matched) + prior_bits(texts) + shift_bits + self.zone_bits

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
        best: Texts = (seconds, write(_list_seen(counts[1]), MINUTE), write(_list_seen(counts[2]), HOUR), "*", "*", "*")
        options = _propose_options(snapped, counts, with_seconds=seconds != "0")
        for _ in range(_SWEEPS):
            before = best
            for slots, texts in options:
                best = min((best, *(_replace_fields(best, slots, text) for text in texts)), key=self.bits)
            if best == before:
                return


def _propose_options(snapped: Int64, counts: tuple[Int64, Int64, Int64], *, with_seconds: bool) -> list[Option]:
    days = days_of(distinct(snapped // DAY_MS))
    month = np.bincount(days.month, minlength=13)
    options: list[Option] = [
        ((1,), [(text,) for text in field_texts(counts[1], MINUTE)]),
        ((2,), [(text,) for text in field_texts(counts[2], HOUR)]),
        ((3, 5), [*day_texts(days)]),
        ((4,), [(text,) for text in field_texts(month, MONTH)]),
    ]
    return [*options, ((0,), [(text,) for text in field_texts(counts[0], SECOND)])] if with_seconds else options


def _list_seen(counts: Int64) -> tuple[int, ...]:
    return tuple(np.flatnonzero(counts).tolist())


def _replace_fields(texts: Texts, slots: tuple[int, ...], by: tuple[str, ...]) -> Texts:
    new = list(texts)
    for slot, text in zip(slots, by, strict=True):
        new[slot] = text
    second, minute, hour, dom, month, dow = new
    return second, minute, hour, dom, month, dow
