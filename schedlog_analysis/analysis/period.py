"""A period is what a report is about: a half-open stretch of time with a name, in the calendar of a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd

from schedlog_analysis._core.calendar import window_starts, zone
from schedlog_analysis.errors import ConfigError

UNITS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
FORMS = "all, last-week (or day, month, quarter, year), this-month, last-7-days"
FORMS += ", 2026, 2026-Q4, 2026-10, 2026-W43, 2026-10-05"


@dataclass(frozen=True)
class Period:
    """
    A half-open stretch of time.

    Attributes
    ----------
    start, end
        Bounds (``datetime64[ms, UTC]``); the end is outside.
    tz
        Time zone of its calendar.
    name
        What to call it, such as ``"October 2026"``.
    freq
        The calendar window that it is (``"D"``, ``"W"``, ``"M"``, …); None for any other stretch.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    tz: str = "UTC"
    name: str = ""
    freq: str | None = None

    @classmethod
    def parse(cls, text: str, first: pd.Timestamp, end: pd.Timestamp, tz: str = "UTC") -> Self:
        """
        Read a period as users write it.

        Parameters
        ----------
        text
            ``"all"``, ``"last-month"`` (the last that is complete in the data; likewise day, week, quarter, year),
            ``"this-month"`` (the one that the data ends in, so far), ``"last-7-days"`` (the last whole ones),
            ``"2026"``, ``"2026-Q4"``, ``"2026-10"``, ``"2026-W43"``, ``"2026-10-05"``, or two of these
            ``"2026-10-01..2026-10-31"``, both inside. Of two instants, such as
            ``"2026-10-01T06:00Z..2026-10-02T06:00Z"``, the second one is outside.
        first, end
            Where the data begins and ends. No clock is read: the last month is the data's.
        tz
            Time zone of the calendar, and of instants without an offset.

        Raises
        ------
        ConfigError
            If it cannot be read, or ends before it starts.

        Examples
        --------
        >>> bounds = pd.Timestamp("2026-08-01T00:00Z"), pd.Timestamp("2026-11-01T00:00Z")
        >>> Period.parse("last-month", *bounds, "Europe/Prague")
        <Period October 2026: 2026-10-01 00:00 to 2026-11-01 00:00 Europe/Prague>
        """
        zone(tz)
        if not isinstance(text, str):
            raise ConfigError(f"The period is {text!r}; expected a text: {FORMS}.")
        if text == "all":
            return cls(first.as_unit("ms"), end.as_unit("ms"), tz, "all data")
        if ".." in text:
            return cls._between(text, tz)
        relative = re.fullmatch(r"(last|this)-([a-z]+)|last-(\d{1,4})-days", text)
        if relative and relative[3]:
            return cls._last_days(int(relative[3]), end, tz)
        if relative and relative[2] in UNITS:
            take = cls._last if relative[1] == "last" else cls._this
            return take(UNITS[relative[2]], end, tz)
        window = cls._calendar(text, tz)
        is_unfinished = window.start < end < window.end
        return replace(window, name=f"{window.name} so far") if is_unfinished else window

    @classmethod
    def _between(cls, text: str, tz: str) -> Self:
        """Take all from one date or instant to another; calendar windows are inside with both ends."""
        begin, _, stop = (part.strip() for part in text.partition(".."))
        start, finish = (_bounds(part, tz, text) for part in (begin, stop))
        if finish[1] <= start[0]:
            raise ConfigError(f"The period {text!r} does not end after it starts; expected an earlier date first.")
        return cls(start[0], finish[1], tz, f"{begin} to {stop}")

    @classmethod
    def _last(cls, freq: str, end: pd.Timestamp, tz: str) -> Self:
        """Take the last complete window: the one before that which holds the data's end."""
        (current,) = window_starts(pd.DatetimeIndex([end]), freq, tz)
        return cls._window(current - pd.Timedelta(1, "ms"), freq, tz)

    @classmethod
    def _this(cls, freq: str, end: pd.Timestamp, tz: str) -> Self:
        """Take the window that the data ends in, up to there."""
        window = cls._window(end - pd.Timedelta(1, "ms"), freq, tz)
        if end >= window.end:
            return window
        return cls(window.start, end.as_unit("ms"), tz, f"{window.name} so far")

    @classmethod
    def _last_days(cls, n: int, end: pd.Timestamp, tz: str) -> Self:
        """Take the last whole days that the data holds."""
        if n == 0:
            raise ConfigError("The period 'last-0-days' has no length; expected a number of days such as last-7-days.")
        (today,) = window_starts(pd.DatetimeIndex([end]), "D", tz)
        noon = (today - pd.Timedelta(days=n)).tz_convert(zone(tz)) + pd.Timedelta(hours=12)
        (start,) = window_starts(pd.DatetimeIndex([noon.tz_convert("UTC")]), "D", tz)
        return cls(start, today, tz, f"the last {n} days" if n > 1 else "the last day")

    @classmethod
    def _calendar(cls, text: str, tz: str) -> Self:
        week = re.fullmatch(r"(\d{4})-W(\d\d)", text)
        unknown = ConfigError(f"There is no period {text!r}; expected {FORMS}, or 2026-10-01..2026-10-31.")
        forms = {r"\d{4}": "Y", r"\d{4}-Q[1-4]": "Q", r"\d{4}-\d\d": "M", r"\d{4}-W\d\d": "W", r"\d{4}-\d\d-\d\d": "D"}
        freq = next((freq for form, freq in forms.items() if re.fullmatch(form, text)), None)
        if freq is None:
            raise unknown
        try:
            day = pd.Timestamp.fromisocalendar(int(week[1]), int(week[2]), 1) if week else pd.Period(text).start_time
        except ValueError as error:
            raise unknown from error
        # Noon is never skipped by a change of the clock.
        return cls._window((day + pd.Timedelta(hours=12)).tz_localize(zone(tz)), freq, tz)

    @classmethod
    def _window(cls, moment: pd.Timestamp, freq: str, tz: str) -> Self:
        """Take the calendar window around a moment."""
        (start,) = window_starts(pd.DatetimeIndex([moment]), freq, tz)
        later = (pd.Period(start.tz_convert(zone(tz)).tz_localize(None), freq=freq) + 1).start_time
        noon = pd.DatetimeIndex([later + pd.Timedelta(hours=12)]).tz_localize(zone(tz))
        (end,) = window_starts(noon, "D", tz)
        return cls(start, end, tz, _name(start.tz_convert(zone(tz)), freq), freq)

    def previous(self) -> Self:
        """
        Give the comparable period before: the calendar window before, else whole weeks back, as this one is long.

        Whole weeks keep the weekdays alike; a stretch shorter than a week is compared with the same days a week before.
        """
        if self.freq is not None:
            return self._window(self.start - pd.Timedelta(1, "ms"), self.freq, self.tz)
        length = self.end - self.start
        weeks = -(-length // pd.Timedelta(days=7))
        local_start, local_end = (moment.tz_convert(zone(self.tz)) for moment in (self.start, self.end))
        start, end = (_back(moment, weeks, self.tz) for moment in (local_start, local_end))
        return type(self)(start, end, self.tz, f"the same days {weeks} week{'s' if weeks > 1 else ''} before")

    def holds(self, moments: pd.Series[Any]) -> pd.Series[Any]:
        """Tell which instants lie inside."""
        return (moments >= self.start) & (moments < self.end)

    def __repr__(self) -> str:
        start, end = (f"{moment.tz_convert(zone(self.tz)):%Y-%m-%d %H:%M}" for moment in (self.start, self.end))
        return f"<Period {self.name}: {start} to {end} {self.tz}>"


def _back(local: pd.Timestamp, weeks: int, tz: str) -> pd.Timestamp:
    wall = local.tz_localize(None) - pd.Timedelta(days=7 * weeks)
    moment = wall.tz_localize(zone(tz), ambiguous=True, nonexistent="shift_forward")
    return moment.tz_convert("UTC").as_unit("ms")


def _bounds(text: str, tz: str, period: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Give begin and end of a calendar window, or an instant twice."""
    if "T" not in text and " " not in text:
        try:
            window = Period._calendar(text, tz)  # noqa: SLF001 - of the class above
        except ConfigError:
            raise ConfigError(f"The period {period!r} has {text!r}; expected a date such as 2026-10-01.") from None
        return window.start, window.end
    instant = read_instant(text, tz, period)
    return instant, instant


def read_instant(text: str, tz: str, whole: str) -> pd.Timestamp:
    """
    Read an instant as users write it: one without an offset is a local time.

    Raises
    ------
    ConfigError
        If it cannot be read; the message shows the whole text that it is a part of.

    Examples
    --------
    >>> read_instant("2026-10-05T06:00", "Europe/Prague", "").isoformat()
    '2026-10-05T04:00:00+00:00'
    """
    instant = pd.to_datetime(text, errors="coerce")
    if pd.isna(instant):
        raise ConfigError(f"{whole!r} has {text!r}; expected an instant such as 2026-10-01T06:00.")
    local = instant if instant.tzinfo else instant.tz_localize(zone(tz), ambiguous=True, nonexistent="shift_forward")
    return local.tz_convert("UTC").as_unit("ms")


def _name(local: pd.Timestamp, freq: str) -> str:
    if freq == "D":
        return f"{local:%A} {local.day} {local:%B %Y}"
    if freq == "Q":
        return f"quarter {local.quarter} of {local.year}"
    return local.strftime({"W": "week %V of %G", "M": "%B %Y", "Y": "%Y"}[freq])
