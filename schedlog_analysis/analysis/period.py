"""A period is what a report is about: a half-open stretch of time with a name, in the calendar of a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from schedlog_analysis._core.calendar import window_starts, zone
from schedlog_analysis.errors import ConfigError

RELATIVE = {"last-day": "D", "last-week": "W", "last-month": "M", "last-quarter": "Q", "last-year": "Y"}
FORMS = "all, last-day, last-week, last-month, last-quarter, last-year, 2026, 2026-Q4, 2026-10, 2026-W43, 2026-10-05"


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
    is_all
        Whether it is everything that is known, from the first to the last sign of life.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    tz: str = "UTC"
    name: str = ""
    freq: str | None = None
    is_all: bool = False

    @classmethod
    def parse(cls, text: str, first: pd.Timestamp, end: pd.Timestamp, tz: str = "UTC") -> Self:
        """
        Read a period as users write it.

        Parameters
        ----------
        text
            ``"all"``, ``"last-month"`` (the last that is complete in the data; likewise day, week, quarter, year),
            ``"2026"``, ``"2026-Q4"``, ``"2026-10"``, ``"2026-W43"``, ``"2026-10-05"``, or two dates or instants
            ``"2026-10-01..2026-11-01"``, the second one outside.
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
            return cls(first.as_unit("ms"), end.as_unit("ms"), tz, "all data", is_all=True)
        if text in RELATIVE:
            return cls._last(RELATIVE[text], end, tz)
        if ".." in text:
            begin, _, stop = text.partition("..")
            start, finish = _instant(begin, tz, text), _instant(stop, tz, text)
            if finish <= start:
                raise ConfigError(f"The period {text!r} does not end after it starts; expected an earlier date first.")
            return cls(start, finish, tz, f"{begin} to {stop}")
        return cls._calendar(text, tz)

    @classmethod
    def _last(cls, freq: str, end: pd.Timestamp, tz: str) -> Self:
        """Take the last complete window: the one before that which holds the data's end."""
        (current,) = window_starts(pd.DatetimeIndex([end]), freq, tz)
        return cls._window(current - pd.Timedelta(1, "ms"), freq, tz)

    @classmethod
    def _calendar(cls, text: str, tz: str) -> Self:
        week = re.fullmatch(r"(\d{4})-W(\d\d)", text)
        unknown = ConfigError(f"There is no period {text!r}; expected {FORMS}, or 2026-10-01..2026-11-01.")
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


def _instant(text: str, tz: str, period: str) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(text)
    except ValueError as error:
        raise ConfigError(f"The period {period!r} has {text!r}; expected a date such as 2026-10-01.") from error
    if pd.isna(moment):
        raise ConfigError(f"The period {period!r} lacks a date; expected two, such as 2026-10-01..2026-11-01.")
    local = moment if moment.tzinfo else moment.tz_localize(zone(tz), ambiguous=True, nonexistent="shift_forward")
    return local.tz_convert("UTC").as_unit("ms")


def _name(local: pd.Timestamp, freq: str) -> str:
    if freq == "D":
        return f"{local:%A} {local.day} {local:%B %Y}"
    if freq == "Q":
        return f"quarter {local.quarter} of {local.year}"
    return local.strftime({"W": "week %V of %G", "M": "%B %Y", "Y": "%Y"}[freq])
