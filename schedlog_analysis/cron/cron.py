"""
A cron is an expression and a time zone, which together plan the ticks of a schedule.

Apify parses expressions with the JavaScript library cron-parser; which version, and whether it keeps the parser between
two ticks, is not documented. Ticks therefore follow cron-parser 5, and those that another reading would plan elsewhere
or not at all are marked as ambiguous. An expression that names a value twice follows cron-parser 4, as 5 refuses it.

=============================  =============================================================================
case                           ticks
=============================  =============================================================================
fields                         5, or 6 with the seconds first
day of month and of week       either matches, unless one is exactly ``*`` or ``?``
``L``, ``5L``, ``5#2``, ``?``  in the day fields
skipped hour (spring)          its minutes in the first hour after it, unless the hours cover the whole day
repeated hour (autumn)         the first pass only, unless the hours cover the whole day
=============================  =============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from schedlog_analysis._core.instants import InstantLike, to_instants
from schedlog_analysis._core.zones import LAST_YEAR, load_zone
from schedlog_analysis.cron.describe import words
from schedlog_analysis.cron.expression import Pattern, parse
from schedlog_analysis.cron.planning import END_MS, MAX_TICKS, Reading, clock, plan, planned_reading, readings_of, union
from schedlog_analysis.errors import CronError

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# What fires later than its text says, between which bounds: seen in Apify's own tools, not in its documentation.
_HIDDEN_OFFSETS: Final = {
    "@hourly": (timedelta(minutes=1), timedelta(minutes=30)),
    "@daily": (timedelta(minutes=5), timedelta(hours=6)),
    "@weekly": (timedelta(minutes=5), timedelta(hours=12)),
    "@monthly": (timedelta(minutes=5), timedelta(hours=24)),
    "@yearly": (timedelta(minutes=5), timedelta(hours=24)),
    "@annually": (timedelta(minutes=5), timedelta(hours=24)),
}


@dataclass(frozen=True, repr=False)
class Cron:
    """
    A cron expression in a time zone: a value that is compared, hashed and never changed.

    Parameters
    ----------
    expression
        Five fields (minute, hour, day of month, month, day of week), six with the seconds first, or a macro such as
        ``"@daily"``.
    tz
        IANA time zone.
    offset
        Constant by which every tick comes later, for the macros' hidden offset (whole milliseconds, at most a day).

    Raises
    ------
    CronError
        The expression, the time zone or the offset makes no sense; the message names the field and what is allowed.

    Notes
    -----
    Ticks are planned from 1970 to 2199. All methods take instants with a UTC offset and return UTC.

    Examples
    --------
    >>> cron = Cron("30 2 * * *", "Europe/Prague")
    >>> [str(tick) for tick in cron.ticks("2025-03-29T00:00Z", "2025-03-31T00:00Z")]
    ['2025-03-29 01:30:00+00:00', '2025-03-30 01:30:00+00:00']
    >>> print(cron.describe())
    at 02:30 every day, Europe/Prague time
    """

    expression: str
    tz: str = "UTC"
    offset: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        _require(self.expression, str, "The expression", "a text such as '0 9 * * 1-5'")
        _require(self.tz, str, "The time zone", "a name such as 'Europe/Prague'")
        _require(self.offset, timedelta, "The offset", "a timedelta of at most a day either way")
        if not abs(self.offset) <= timedelta(days=1):
            raise CronError(f"The offset is {self.offset}; give a timedelta of at most a day either way.")
        parse(self.expression)
        load_zone(self.tz)
        object.__setattr__(self, "expression", " ".join(self.expression.split()))

    def __repr__(self) -> str:
        offset = f", offset={self.offset!r}" if self.offset else ""
        return f"Cron({self.expression!r}, tz={self.tz!r}{offset})"

    @property
    def is_macro(self) -> bool:
        """Whether the expression is a macro that Apify fires later than it says, by a constant of the schedule."""
        return self.expression in _HIDDEN_OFFSETS

    @property
    def min_offset(self) -> timedelta:
        """Least hidden offset of the macro; zero where there is none."""
        return _HIDDEN_OFFSETS[self.expression][0] if self.is_macro else timedelta(0)

    @property
    def max_offset(self) -> timedelta:
        """Greatest hidden offset of the macro; zero where there is none."""
        return _HIDDEN_OFFSETS[self.expression][1] if self.is_macro else timedelta(0)

    def describe(self) -> str:
        """
        Say in plain words when the ticks are.

        Examples
        --------
        >>> Cron("*/15 9-16 * * 1-5", "Europe/Prague").describe()
        'every 15 minutes in hours 9 to 16, on Monday to Friday, Europe/Prague time'
        """
        text = f"{words(self._pattern)}, {self.tz}{'' if self.tz == 'UTC' else ' time'}"
        if self.offset:
            return f"{text}, {timedelta(0) + self.offset} later"
        if self.is_macro:
            least, most = (offset // timedelta(minutes=1) for offset in (self.min_offset, self.max_offset))
            return f"{text}, later by a hidden constant of {least} to {most} minutes"
        return text

    def ticks(self, start: InstantLike, end: InstantLike, *, min_gap: timedelta | None = None) -> pd.DatetimeIndex:
        """
        Plan the ticks of a stretch of time.

        Parameters
        ----------
        start, end
            The stretch, half-open: a tick at `start` is in it, a tick at `end` is not.
        min_gap
            Drop each tick that comes sooner than this after the last one kept (at most a minute; Apify: 10 s).

        Returns
        -------
        ticks
            ``datetime64[ms, UTC]``, ascending and distinct; empty where nothing is planned.

        Raises
        ------
        CronError
            An instant is no instant, has no UTC offset or lies outside 1970 to 2199, the stretch ends before it
            starts, or it holds more than 33,554,432 ticks.

        Notes
        -----
        What `min_gap` keeps depends on where the chain of kept ticks began. Here it begins where a minute without
        ticks came before, or at the epoch where there is no such minute; never at `start`, so that the ticks of two
        adjoining stretches are those of their union.

        Examples
        --------
        >>> cron = Cron("*/5 * * * * *")
        >>> len(cron.ticks("2025-01-01T00:00Z", "2025-01-01T00:01Z"))
        12
        >>> len(cron.ticks("2025-01-01T00:00Z", "2025-01-01T00:01Z", min_gap=timedelta(seconds=10)))
        6
        """
        return to_instants(self.tick_ms(*_read_stretch(start, end), min_gap_ms=_gap_ms(min_gap)))

    def count(self, start: InstantLike, end: InstantLike, *, min_gap: timedelta | None = None) -> int:
        """
        Count the ticks of a stretch, as :meth:`ticks` has them.

        Examples
        --------
        >>> Cron("0 9 * * 1-5", "Europe/Prague").count("2025-01-01T00:00Z", "2026-01-01T00:00Z")
        261
        """
        return len(self.tick_ms(*_read_stretch(start, end), min_gap_ms=_gap_ms(min_gap)))

    def next(self, after: InstantLike, n: int = 1) -> pd.DatetimeIndex:
        """
        Return the first `n` ticks strictly after an instant.

        Parameters
        ----------
        after
            The instant.
        n
            How many, at least one.

        Returns
        -------
        ticks
            Ascending; fewer than `n` only where 2199 ends.

        Examples
        --------
        >>> Cron("@monthly").next("2025-01-01T00:00Z")[0].isoformat()
        '2025-02-01T00:00:00+00:00'
        """
        return to_instants(self.next_ms(_instant_ms(after, "after")[0], n))

    def previous(self, before: InstantLike, n: int = 1) -> pd.DatetimeIndex:
        """
        Return the last `n` ticks strictly before an instant.

        Parameters
        ----------
        before
            The instant.
        n
            How many, at least one.

        Returns
        -------
        ticks
            Ascending; fewer than `n` only where 1970 begins.

        Examples
        --------
        >>> Cron("@monthly").previous("2025-01-01T00:00Z")[0].isoformat()
        '2024-12-01T00:00:00+00:00'
        """
        return to_instants(self.previous_ms(_instant_ms(before, "before")[1], n))

    def readings(self, start: InstantLike, end: InstantLike, *, min_gap: timedelta | None = None) -> pd.DataFrame:
        """
        Plan the ticks of a stretch under every reading of what the platform leaves open.

        The readings are cron-parser 5, the same with a parser made anew for each tick, and cron-parser 4; where a
        zone's offset changes by other than whole hours, at which every version is irregular, also the widest and the
        narrowest. They differ around DST changes, and for a few day fields (``1-31``, ``*/1`` or ``1-7/2``).

        Parameters
        ----------
        start, end, min_gap
            As in :meth:`ticks`.

        Returns
        -------
        readings
            `planned_at` (``datetime64[ms, UTC]``, ascending and distinct) and `is_ambiguous`: true where some reading
            plans no such tick. A superset of :meth:`ticks`, equal to it where nothing is ambiguous.

        Examples
        --------
        >>> cron = Cron("0 0 * * *", "Africa/Cairo")  # the night of 2025-04-25 has no midnight
        >>> cron.readings("2025-04-24T00:00Z", "2025-04-26T00:00Z")["is_ambiguous"].tolist()
        [True, False]
        """
        ms, is_ambiguous = self.reading_ms(*_read_stretch(start, end), min_gap_ms=_gap_ms(min_gap))
        return pd.DataFrame({"planned_at": to_instants(ms), "is_ambiguous": is_ambiguous})

    def tick_ms(self, start_ms: int, end_ms: int, *, min_gap_ms: int = 0) -> Int64:
        """
        Plan the ticks of a stretch as an array, as :meth:`ticks` does as an index.

        Parameters
        ----------
        start_ms, end_ms
            The stretch, half-open [ms since the epoch]; empty where it ends before it starts.
        min_gap_ms
            As `min_gap` in :meth:`ticks` [ms].

        Returns
        -------
        ticks
            Ascending [ms since the epoch].

        Examples
        --------
        >>> Cron("0 * * * *").tick_ms(0, 7_200_000).tolist()
        [0, 3600000]
        """
        return self._plan(planned_reading(self._pattern), start_ms, end_ms, min_gap_ms)

    def next_ms(self, after_ms: int, n: int = 1) -> Int64:
        """
        Return the first `n` ticks strictly after an instant as an array, as :meth:`next` does as an index.

        Examples
        --------
        >>> Cron("0 * * * *").next_ms(0).tolist()
        [3600000]
        """
        begin, span = after_ms + 1, self.span_ms(n)
        while True:
            found = self.tick_ms(begin, min(begin + span, END_MS))
            if len(found) >= n or begin + span >= END_MS:
                return found[:n]
            span *= 4

    def previous_ms(self, before_ms: int, n: int = 1) -> Int64:
        """
        Return the last `n` ticks strictly before an instant as an array, as :meth:`previous` does as an index.

        Examples
        --------
        >>> Cron("0 * * * *").previous_ms(7_200_000).tolist()
        [3600000]
        """
        span = self.span_ms(n)
        while True:
            found = self.tick_ms(max(before_ms - span, 0), before_ms)
            if len(found) >= n or before_ms - span <= 0:
                return found[-n:]
            span *= 4

    def span_ms(self, n: int = 1) -> int:
        """
        Return a span that likely holds `n` ticks [ms]; at least an hour.

        Examples
        --------
        >>> Cron("0 * * * *").span_ms() >= 3_600_000
        True
        """
        wanted = f"a whole number from 1 to {MAX_TICKS:,}"
        _require(n, int, "`n`", wanted)
        if not 1 <= n <= MAX_TICKS:
            raise CronError(f"`n` is {n}; give {wanted}.")
        pattern = self._pattern
        per_day = len(clock(pattern.hours, pattern.minutes, pattern.seconds)) * pattern.days_per_year / 365.25
        return int(max(n / per_day * 1.1, 1 / 24) * 86_400_000)

    def reading_ms(self, start_ms: int, end_ms: int, *, min_gap_ms: int = 0) -> tuple[Int64, Bools]:
        """
        Plan a stretch under every reading as arrays, as :meth:`readings` does as a table.

        Parameters
        ----------
        start_ms, end_ms, min_gap_ms
            As in :meth:`tick_ms` [ms].

        Returns
        -------
        ticks, is_ambiguous
            Ascending [ms since the epoch], and whether some reading plans no such tick.

        Examples
        --------
        >>> Cron("0 0 1-31 * 1").reading_ms(0, 5 * 86_400_000)[1].tolist()
        [True, True, True, True, False]
        """
        offset = self._offset_ms
        readings = readings_of(self._pattern, load_zone(self.tz), start_ms - offset, end_ms - offset)
        planned = [self._plan(reading, start_ms, end_ms, min_gap_ms) for reading in readings]
        if len(planned) == 1:
            return planned[0], np.zeros(len(planned[0]), dtype=np.bool_)
        ticks, n = union(planned)
        return ticks, n < len(planned)

    @property
    def _pattern(self) -> Pattern:
        return parse(self.expression)

    @property
    def _offset_ms(self) -> int:
        return self.offset // timedelta(milliseconds=1)

    def _plan(self, reading: Reading, start_ms: int, end_ms: int, min_gap_ms: int) -> Int64:
        """Plan the stretch as if there were no offset, then move the ticks."""
        offset = self._offset_ms
        zone = load_zone(self.tz)
        ticks = plan(self._pattern, zone, start_ms - offset, end_ms - offset, reading=reading, min_gap_ms=min_gap_ms)
        return ticks + offset if offset else ticks


def _read_stretch(start: InstantLike, end: InstantLike) -> tuple[int, int]:
    """Read the ends of a stretch of time [ms]."""
    start_ms, end_ms = _instant_ms(start, "start")[1], _instant_ms(end, "end")[1]
    if end_ms < start_ms:
        raise CronError(
            f"The time to plan ends at {end!s}, before it starts at {start!s}; give them the other way round."
        )
    return start_ms, end_ms


def _instant_ms(instant: InstantLike, name: str) -> tuple[int, int]:
    """Return the last whole millisecond at or before an instant, and the first at or after it."""
    try:
        stamp = pd.Timestamp(instant)
    except (ValueError, TypeError, OverflowError) as error:
        raise CronError(f"`{name}` is {instant!r}; give an instant such as '2025-01-31T12:00Z'.") from error
    if stamp.tzinfo is None:  # so has NaT
        raise CronError(f"`{name}` is {instant!r}, without a UTC offset; give an instant such as '2025-01-31T12:00Z'.")
    if not 1969 <= stamp.year <= LAST_YEAR + 1 or not 0 <= stamp.value <= END_MS * 1_000_000:  # noqa: PLR2004 - a year
        raise CronError(f"`{name}` is {instant!s}; give an instant from 1970 to {LAST_YEAR}.")
    return stamp.value // 1_000_000, -(-stamp.value // 1_000_000)  # from nanoseconds


def _gap_ms(min_gap: timedelta | None) -> int:
    if min_gap is None:
        return 0
    _require(min_gap, timedelta, "`min_gap`", "a timedelta of at most a minute")
    return -(-min_gap // timedelta(milliseconds=1))


def _require(value: object, kind: type, name: str, wanted: str) -> None:
    if not isinstance(value, kind):
        raise CronError(f"{name} is {value!r}; give {wanted}.")
