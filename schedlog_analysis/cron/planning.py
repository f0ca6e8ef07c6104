"""Planning turns what an expression allows, in the local time of a zone, into ticks: milliseconds since the epoch."""

from __future__ import annotations

from calendar import isleap
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from schedlog_analysis._core.zones import LAST_YEAR, Segment, Zone
from schedlog_analysis.cron.expression import EXISTS, Pattern
from schedlog_analysis.errors import CronError

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

END_MS: Final = int(np.datetime64(f"{LAST_YEAR + 1}-01-01", "ms").astype(np.int64))
MAX_TICKS: Final = 2**25  # a leap year of every second, 256 MB
MAX_GAP_MS: Final = 60_000  # so that a minute without ticks always ends a chain

_EPOCH: Final = date(1970, 1, 1).toordinal()
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_HOUR: Final = 3600
_DAY: Final = 86_400


class Reading(NamedTuple):
    """One way to settle what the platform leaves open; the defaults are those of `Cron.ticks`."""

    version: Literal[4, 5] = 5
    """Of cron-parser: 4 counts values to tell a wildcard, and overlooks gaps that touch midnight."""
    is_fresh: bool = False
    """Whether a new parser is made after each tick, which then knows of no gap behind it."""
    odd: Literal["rule", "all", "none"] = "rule"
    """What fires on the day of an odd change (see `_is_odd`): what the rule says, all that could, or nothing."""


def plan(pattern: Pattern, zone: Zone, start_ms: int, end_ms: int, *, reading: Reading, min_gap_ms: int = 0) -> Int64:
    """
    Plan the ticks of a stretch of time.

    Parameters
    ----------
    pattern, zone
        What is allowed, and where.
    start_ms, end_ms
        The stretch, half-open, is clipped to what the calendar knows [ms since the epoch].
    reading
        How to settle what cron-parser's versions settle differently.
    min_gap_ms
        Drop each tick that comes sooner than this after the last one kept; at most a minute [ms].

    Returns
    -------
    ticks
        Ascending and distinct [ms since the epoch].

    Raises
    ------
    CronError
        The stretch holds too many ticks, or the distance is not allowed.
    """
    if not 0 <= min_gap_ms <= MAX_GAP_MS:
        raise CronError(f"The least gap between ticks is {min_gap_ms} ms; give 0 to {MAX_GAP_MS:,}.")
    start_ms, end_ms = max(start_ms, 0), min(end_ms, END_MS)
    if start_ms >= end_ms:
        return np.empty(0, dtype=np.int64)
    if min_gap_ms == 0 or _least_gap_ms(pattern.seconds) >= min_gap_ms:
        return _generate(pattern, zone, start_ms, end_ms, reading)
    return _generate_apart(pattern, zone, start_ms, end_ms, reading, min_gap_ms)


def readings_of(pattern: Pattern, zone: Zone, start_ms: int, end_ms: int) -> list[Reading]:
    """
    List the readings that may plan a stretch differently, the planned one first.

    Parameters
    ----------
    pattern, zone
        What is allowed, and where.
    start_ms, end_ms
        The stretch [ms since the epoch].

    Returns
    -------
    readings
        One where nothing is open, as in most stretches without a change of the clock.
    """
    begin, end = max(start_ms, 0) // 1000, min(end_ms, END_MS) // 1000
    segments = zone.segments(begin - 2 * _DAY, end + 2 * _DAY)
    changes = [(s.opened_at, s.previous, s.offset) for s in segments[1:]]
    has_gap = any(after > before for _, before, after in changes) and not pattern.has_all_hours
    planned = planned_reading(pattern)
    readings = [planned]
    if has_gap:
        readings.append(planned._replace(is_fresh=True))
    if not pattern.has_repeats and (has_gap or not np.array_equal(pattern.days, pattern.days_4)):
        readings.append(Reading(version=4))
    if any(_is_odd(*change) for change in changes):
        readings += [planned._replace(odd="all"), planned._replace(odd="none")]
    return readings


def planned_reading(pattern: Pattern) -> Reading:
    """Return the reading that is planned: cron-parser 5, unless only its version 4 takes the expression."""
    return Reading(version=4 if pattern.has_repeats else 5)


def union(arrays: list[Int64]) -> tuple[Int64, Int64]:
    """Return the distinct values of ascending arrays, ascending, and in how many arrays each is."""
    values = np.sort(np.concatenate(arrays), kind="stable")  # which merges what is sorted already
    first = np.flatnonzero(np.diff(values, prepend=values[:1] - 1))
    return values[first], np.diff(first, append=len(values))


def day_kinds(first: int, last: int) -> npt.NDArray[np.intp]:
    """
    Return the kind of every day of a stretch of the calendar, the index into `Pattern.days`.

    Parameters
    ----------
    first, last
        First day and last day, inclusive [days since the epoch].

    Returns
    -------
    kinds
        One number per day.

    Examples
    --------
    >>> from schedlog_analysis.cron.expression import parse
    >>> pattern = parse("0 9 29 2 *")
    >>> days = np.flatnonzero(pattern.days[day_kinds(0, 3000)])
    >>> [str(day) for day in days.astype("M8[D]")]
    ['1972-02-29', '1976-02-29']
    """
    years = range(_date(first).year, _date(last).year + 1)
    begins = date(years[0], 1, 1).toordinal() - _EPOCH
    kinds = [_kinds_of_year(isleap(year), date(year, 1, 1).isoweekday() % 7) for year in years]
    return np.concatenate(kinds)[first - begins : last + 1 - begins]


@lru_cache(maxsize=14)
def _kinds_of_year(is_leap: bool, weekday: int) -> npt.NDArray[np.intp]:  # noqa: FBT001 - as isleap has it
    """Return the kinds of the days of a year whose first day is the given weekday; there are 14 such years."""
    days = np.flatnonzero(EXISTS[int(is_leap), :, :, 0])
    return (int(is_leap) * EXISTS[0, :, :, 0].size + days) * 7 + (np.arange(len(days)) + weekday) % 7


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


@lru_cache(maxsize=256)
def clock(hours: tuple[int, ...], minutes: tuple[int, ...], seconds: tuple[int, ...]) -> Int64:
    """Return the times of day that match [ms since midnight]."""
    h, m, s = (np.array(part, dtype=np.int64) for part in (hours, minutes, seconds))
    times: Int64 = (((h[:, None] * 60 + m)[:, :, None] * 60 + s) * 1000).ravel()
    times.flags.writeable = False
    return times


def _generate(pattern: Pattern, zone: Zone, start_ms: int, end_ms: int, reading: Reading) -> Int64:
    """List the matching local times, then move each segment of one UTC offset to UTC."""
    segments = zone.segments(-(-start_ms // 1000), -(-end_ms // 1000))
    matching = pattern.days_4 if reading.version == 4 else pattern.days  # noqa: PLR2004 - a version
    local = _local_ms(pattern, matching, segments)
    bounds = [(_first_local(pattern, s, reading) * 1000, _last_local(s, reading) * 1000) for s in segments]
    slices = local.searchsorted(np.array(bounds, dtype=np.int64)).tolist()
    pieces: list[tuple[Int64, int]] = []
    for segment, (low, high) in zip(segments, slices, strict=True):
        if segment.offset > segment.previous and segment.begins <= segment.opened_at + _DAY:
            pieces.append((_after_gap(pattern, matching, local, segment, reading), 0))
        pieces.append((local[low:high], segment.offset * 1000))
    ticks = _shift(pieces)
    return union([ticks])[0] if reading.odd == "all" else ticks


def _shift(pieces: list[tuple[Int64, int]]) -> Int64:
    """Join arrays, each less a number, in one pass over memory: years of every minute are made of this."""
    ticks = np.empty(sum(len(piece) for piece, _ in pieces), dtype=np.int64)
    begin = 0
    for piece, less in pieces:
        np.subtract(piece, less, out=ticks[begin : begin + len(piece)])
        begin += len(piece)
    return ticks


def _local_ms(pattern: Pattern, matching: Bools, segments: list[Segment]) -> Int64:
    """List the matching local times of the stretch, and of a gap just before it."""
    first = (segments[0].begins + min(min(s.offset, s.previous) for s in segments)) // _DAY
    last = (segments[-1].ends + max(s.offset for s in segments)) // _DAY
    days = np.flatnonzero(matching[day_kinds(first, last)]) + first
    times = clock(pattern.hours, pattern.minutes, pattern.seconds)
    _check_number(len(days) * len(times))
    local: Int64 = (days[:, None] * _DAY_MS + times).ravel()
    return local


def _check_number(n: int) -> None:
    if n > MAX_TICKS:
        raise CronError(
            f"About {n:,} ticks are planned in this time, more than the {MAX_TICKS:,} allowed; ask for a shorter one."
        )


def _is_odd(at: int, before: int, after: int) -> bool:
    """
    Whether an offset changes in a way that cron-parser does not foresee.

    That is by other than an hour, off the full hour, back to midnight or forward to it: there its versions lose a day,
    fire in the second pass or give up, depending on where the search came from.
    """
    if before == after:  # the zone's last segment, closed by nothing
        return False
    wall = at + max(before, after)
    return abs(after - before) != _HOUR or wall % _HOUR != 0 or wall % _DAY == (0 if after > before else _HOUR)


def _first_local(pattern: Pattern, segment: Segment, reading: Reading) -> int:
    """Return the first local time of a segment that fires, without those that fired before the change [s]."""
    begins, repeated_until = segment.begins + segment.offset, segment.opened_at + segment.previous
    if reading.odd != "rule" and _is_odd(segment.opened_at, segment.previous, segment.offset):
        if reading.odd == "all":
            return begins
        return max(begins, -(-max(repeated_until, segment.opened_at + segment.offset) // _DAY) * _DAY)
    return begins if pattern.has_all_hours else max(begins, repeated_until)


def _last_local(segment: Segment, reading: Reading) -> int:
    """Return the local time before which a segment fires [s]."""
    ends = segment.ends + segment.offset
    if reading.odd == "none" and _is_odd(segment.closed_at, segment.offset, segment.following):
        return min(ends, (segment.closed_at + min(segment.offset, segment.following)) // _DAY * _DAY)
    return ends


def _after_gap(pattern: Pattern, matching: Bools, local: Int64, segment: Segment, reading: Reading) -> Int64:
    """Return the ticks that stand in for those of a skipped stretch of local time."""
    begins, ends = segment.opened_at + segment.previous, segment.opened_at + segment.offset
    if reading.odd != "rule" and _is_odd(segment.opened_at, segment.previous, segment.offset):
        low, high = local.searchsorted((begins * 1000, ends * 1000))
        ticks = local[low:high] - segment.previous * 1000 if reading.odd == "all" else local[:0]
    else:
        ticks = _landing(pattern, matching, segment, reading)
    return ticks[(ticks >= segment.begins * 1000) & (ticks < segment.ends * 1000)]


def _landing(pattern: Pattern, matching: Bools, segment: Segment, reading: Reading) -> Int64:
    """
    Return the ticks of the first hour after a gap when it stands in for a skipped one, as cron-parser has it.

    An hour counts as skipped only when it is so as a whole. The hours are counted since the epoch, and modulo a day,
    which leaves out jumps over the date line.
    """
    before = (segment.opened_at + segment.previous - 1) // _HOUR
    after = (segment.opened_at + segment.offset) // _HOUR
    skipped = range(before + 1, before + 1 + (after - before - 1) % 24)

    def matches_day(hour: int) -> bool:
        return bool(matching[day_kinds(hour // 24, hour // 24)[0]])

    is_due = any(hour % 24 in pattern.hours and matches_day(hour) for hour in skipped)
    if reading.version == 4:  # noqa: PLR2004 - a version
        is_due = is_due and len(skipped) == 1 and before % 24 < after % 24
    if not is_due or after % 24 in pattern.hours or not matches_day(after):
        return np.empty(0, dtype=np.int64)
    ticks = after * _HOUR * 1000 + clock((0,), pattern.minutes, pattern.seconds) - segment.offset * 1000
    ticks = ticks[ticks >= segment.opened_at * 1000]
    return ticks[:1] if reading.is_fresh else ticks


@lru_cache(maxsize=256)
def _least_gap_ms(seconds: tuple[int, ...]) -> int:
    """Return the least distance between two ticks of which the second may be in the next minute."""
    return 1000 * min(b - a for a, b in zip(seconds, (*seconds[1:], seconds[0] + 60), strict=True))


def _generate_apart(
    pattern: Pattern, zone: Zone, start_ms: int, end_ms: int, reading: Reading, min_gap_ms: int
) -> Int64:
    """
    Keep the ticks that are no sooner than `min_gap_ms` after the last one kept.

    Which seconds of a minute are kept depends on the last tick kept in the minute before only: there are at most 60
    such states, and which one a minute is in depends on how many minutes it is away from the chain's beginning.
    """
    minutely = replace(pattern, seconds=(0,))
    minutes = _generate(minutely, zone, start_ms - _MINUTE_MS, end_ms, reading)
    if not len(minutes):
        return minutes
    _check_number(len(minutes) * len(pattern.seconds))
    begins = np.append(0, np.flatnonzero(np.diff(minutes) != _MINUTE_MS) + 1)
    chain_ms = minutes[begins]
    chain_ms[0] = _chain_begin(minutely, zone, int(minutes[0]), reading)
    lengths = np.diff(begins, append=len(minutes))
    age = (minutes - np.repeat(chain_ms, lengths)) // _MINUTE_MS
    kept, first = _states(pattern.seconds, min_gap_ms)
    state = np.where(age < len(kept), age, first + (age - first) % (len(kept) - first))
    ticks = (minutes[:, None] + clock((0,), (0,), pattern.seconds))[kept[state]]
    within: Int64 = ticks[(ticks >= start_ms) & (ticks < end_ms)]
    return within


def _chain_begin(pattern: Pattern, zone: Zone, minute_ms: int, reading: Reading) -> int:
    """Return the first minute of the unbroken run of minutes with ticks that `minute_ms` belongs to."""
    if pattern.is_every_minute:
        return 0
    span = 60 * _MINUTE_MS
    while True:
        begin = max(minute_ms - span, 0)
        run = np.append(_generate(pattern, zone, begin, minute_ms, reading), minute_ms)
        breaks = np.flatnonzero(np.diff(run) != _MINUTE_MS)
        if len(breaks):
            return int(run[breaks[-1] + 1])
        if run[0] > begin or begin == 0:
            return int(run[0])
        span *= 24


@lru_cache(maxsize=256)
def _states(seconds: tuple[int, ...], min_gap_ms: int) -> tuple[Bools, int]:
    """Return which seconds each successive minute of a chain keeps, and to which minute the chain returns at last."""
    kept: list[list[bool]] = []
    seen: dict[int, int] = {}
    last = -_MINUTE_MS
    while last not in seen:
        seen[last] = len(kept)
        row = []
        for second in seconds:
            row.append(second * 1000 - last >= min_gap_ms)
            last = second * 1000 if row[-1] else last
        kept.append(row)
        last -= _MINUTE_MS
    return np.array(kept), seen[last]
