"""Periods: what a report is about, in the calendar of a zone and never by today's date."""

import pandas as pd
import pytest

from schedlog_analysis import Period
from schedlog_analysis.errors import ConfigError, InputError

FIRST, END = pd.Timestamp("2026-08-01T00:00Z"), pd.Timestamp("2026-11-01T00:00Z")


def _parse(text, tz="Europe/Prague", end=END):
    period = Period.parse(text, FIRST, end, tz)
    return [moment.tz_convert(tz).strftime("%Y-%m-%d %H:%M") for moment in (period.start, period.end)]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01 00:00", "2027-01-01 00:00"),
        ("2026-Q4", "2026-10-01 00:00", "2027-01-01 00:00"),
        ("2026-10", "2026-10-01 00:00", "2026-11-01 00:00"),
        ("2026-W43", "2026-10-19 00:00", "2026-10-26 00:00"),
        ("2026-10-25", "2026-10-25 00:00", "2026-10-26 00:00"),
        ("2026-10-01..2026-10-31", "2026-10-01 00:00", "2026-11-01 00:00"),
        ("2026-10..2026-11", "2026-10-01 00:00", "2026-12-01 00:00"),
        ("2026-10-01T06:00Z..2026-10-02", "2026-10-01 08:00", "2026-10-03 00:00"),
        ("2026-10-01T06:00..2026-10-02T06:00", "2026-10-01 06:00", "2026-10-02 06:00"),
        ("this-month", "2026-11-01 00:00", "2026-11-01 01:00"),
        ("last-7-days", "2026-10-25 00:00", "2026-11-01 00:00"),
        ("last-30-days", "2026-10-02 00:00", "2026-11-01 00:00"),
        ("last-day", "2026-10-31 00:00", "2026-11-01 00:00"),
        ("last-week", "2026-10-19 00:00", "2026-10-26 00:00"),
        ("last-month", "2026-10-01 00:00", "2026-11-01 00:00"),
        ("last-quarter", "2026-07-01 00:00", "2026-10-01 00:00"),
        ("last-year", "2025-01-01 00:00", "2026-01-01 00:00"),
    ],
)
def test_forms(text, start, end):
    """Every way to write a period, in local time; the last of anything is the last that the data holds whole."""
    assert _parse(text) == [start, end]


def test_the_last_month_is_complete_only_when_its_last_moment_is_there():
    """A millisecond before the month ends, the last complete one is the month before."""
    assert _parse("last-month", "UTC", END) == ["2026-10-01 00:00", "2026-11-01 00:00"]
    assert _parse("last-month", "UTC", END - pd.Timedelta(1, "ms")) == ["2026-09-01 00:00", "2026-10-01 00:00"]


def test_all_is_the_data():
    """`all` spans what there is, to the millisecond."""
    period = Period.parse("all", FIRST, END, "Asia/Kolkata")
    assert (period.start, period.end) == (FIRST, END)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-10", "2026-09-01 00:00", "2026-10-01 00:00"),
        ("2026-W43", "2026-10-12 00:00", "2026-10-19 00:00"),
        ("2026-03", "2026-02-01 00:00", "2026-03-01 00:00"),
        ("2026-10-20..2026-10-22", "2026-10-13 00:00", "2026-10-16 00:00"),
        ("2026-10-01..2026-10-14", "2026-09-17 00:00", "2026-10-01 00:00"),
        ("2026-10-01..2026-10-15", "2026-09-10 00:00", "2026-09-25 00:00"),
    ],
)
def test_the_comparable_period(text, start, end):
    """The calendar window before, or the same weekdays whole weeks before, also across a change of the clock."""
    before = Period.parse(text, FIRST, END, "Europe/Prague").previous()
    assert [moment.tz_convert("Europe/Prague").strftime("%Y-%m-%d %H:%M") for moment in (before.start, before.end)] == [
        start,
        end,
    ]
    assert (
        before.start.tz_convert("Europe/Prague").day_of_week
        == Period.parse(text, FIRST, END, "Europe/Prague").start.tz_convert("Europe/Prague").day_of_week
        or before.freq == "M"
    )


def test_a_window_that_is_not_over_says_so():
    """Of a month that the data ends in, everything is so far."""
    end = pd.Timestamp("2026-10-13T00:00Z")
    assert Period.parse("2026-10", FIRST, end).name == "October 2026 so far"
    assert Period.parse("this-month", FIRST, end).name == "October 2026 so far"
    assert Period.parse("2026-09", FIRST, end).name == "September 2026"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "last",
        "last-0-days",
        "this-time",
        "2026-13",
        "2026-W54",
        "2026-02-30",
        "..",
        "2026-10-01..",
        "x..y",
        "26-10",
    ],
)
def test_what_is_no_period_is_told(text):
    """The text that came and the forms that are expected."""
    with pytest.raises(ConfigError, match="period"):
        Period.parse(text, FIRST, END)


def test_a_period_must_end_after_it_starts():
    """Dates in the wrong order are told, not swapped."""
    with pytest.raises(ConfigError, match="earlier date first"):
        Period.parse("2026-10-02..2026-10-01", FIRST, END)


def test_an_unknown_zone_is_told():
    """The zone's name stands in the message."""
    with pytest.raises(InputError, match="Mars"):
        Period.parse("all", FIRST, END, "Mars/Olympus")


@pytest.mark.parametrize("given", [None, 2026, 5.0])
def test_a_period_that_is_no_text_is_told(given):
    """A number or nothing is refused in one sentence."""
    with pytest.raises(ConfigError, match="expected a text: all, last-week"):
        Period.parse(given, FIRST, END)
