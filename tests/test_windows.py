"""Windows: calendar stretches that leave no gap, also where the clock changes; checked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis.errors import InputError
from schedlog_analysis.windows import window_range, window_starts, zone

ZONES = ["UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "Australia/Lord_Howe"]
MOMENTS = st.integers(0, 20 * 366 * 24 * 60).map(
    lambda minutes: pd.Timestamp("2015-01-01T00:00Z") + pd.Timedelta(minutes=minutes)
)


@pytest.mark.parametrize(
    ("tz", "day", "hours"),
    [
        ("Europe/Prague", "2026-03-29", 23),
        ("Europe/Prague", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("UTC", "2026-10-25", 24),
    ],
)
def test_a_day_is_as_long_as_the_clock_says(tz, day, hours):
    """Days on which the clock changes have 23, 25, or half hours more or less."""
    noon = pd.Timestamp(f"{day} 12:00", tz=zone(tz))
    begin, end = window_range(noon, noon + pd.Timedelta(days=1), "D", tz)
    assert (end - begin) == pd.Timedelta(hours=hours)
    assert begin.tz_convert(zone(tz)).isoformat()[:16] == f"{day}T00:00"


def test_a_month_with_a_missing_hour_is_an_hour_shorter():
    """March 2026 in Prague has 743 hours, October 745."""
    starts = window_range(pd.Timestamp("2026-03-10T00:00Z"), pd.Timestamp("2026-11-10T00:00Z"), "M", "Europe/Prague")
    hours = (starts[1:] - starts[:-1]) / pd.Timedelta(hours=1)
    assert hours.tolist() == [743, 720, 744, 720, 744, 744, 720, 745]


def test_a_midnight_that_was_skipped_starts_when_the_clock_jumped():
    """In Cairo, 24 April 2026 begins at 01:00 local, which is 22:00 UTC of the day before."""
    (start,) = window_starts(pd.DatetimeIndex(["2026-04-24T10:00Z"]), "D", "Africa/Cairo")
    assert start.isoformat() == "2026-04-23T22:00:00+00:00"


def test_weeks_start_on_monday():
    """A Sunday belongs to the week of the Monday before."""
    (start,) = window_starts(pd.DatetimeIndex(["2026-10-25T12:00Z"]), "W", "Europe/Prague")
    assert start.tz_convert("Europe/Prague").isoformat() == "2026-10-19T00:00:00+02:00"


def test_a_repeated_hour_is_two_windows():
    """The two passes of 02:00 on 25 October are windows of their own."""
    halves = pd.date_range("2026-10-25T00:00Z", "2026-10-25T01:59Z", freq="30min")
    assert window_starts(halves, "h", "Europe/Prague").unique().tolist() == [halves[0], halves[2]]


@pytest.mark.parametrize(
    ("since", "starts"),
    [
        # At 02:00 the clock goes back to 01:30: 01:00, 01:30 again, 02:00.
        ("2026-04-04T14:00Z", ["2026-04-04T14:00Z", "2026-04-04T15:00Z", "2026-04-04T15:30Z", "2026-04-04T16:30Z"]),
        # At 02:00 it goes forward to 02:30: 01:00, 02:30, 03:00.
        ("2026-10-03T14:30Z", ["2026-10-03T14:30Z", "2026-10-03T15:30Z", "2026-10-03T16:00Z"]),
    ],
)
def test_a_change_by_half_an_hour_makes_half_hours(since, starts):
    """On Lord Howe Island the clock changes by half an hour; every window begins where the one before ends."""
    expected = list(pd.DatetimeIndex(starts))
    begin, end = pd.Timestamp(since), expected[-1] + pd.Timedelta(minutes=59)
    assert window_range(begin, end, "h", "Australia/Lord_Howe").tolist() == expected
    minutes = pd.date_range(begin, end, freq="min")
    places = np.searchsorted(pd.DatetimeIndex(expected), minutes, side="right") - 1
    assert window_starts(minutes, "h", "Australia/Lord_Howe").tolist() == [expected[place] for place in places]


@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(["D", "W", "M", "Q", "Y"]))
def test_a_window_holds_its_moment(moment, tz, freq):
    """A moment lies between the start of its window and the start of the next."""
    (start,) = window_starts(pd.DatetimeIndex([moment]), freq, tz)
    later = window_range(moment, moment + pd.Timedelta(days=400), freq, tz)
    assert later[0] == start <= moment
    assert later.is_monotonic_increasing
    assert later.is_unique
    assert len(later) == 1 or moment < later[1]


def test_missing_moments_stay_missing():
    """A missing instant has a missing window."""
    assert window_starts(pd.DatetimeIndex([pd.NaT], tz="UTC"), "D").isna().all()


@pytest.mark.parametrize(("freq", "tz"), [("fortnight", "UTC"), ("D", "Mars/Olympus"), ("D", ""), ("D", "../etc")])
def test_unknown_names_are_told(freq, tz):
    """An unknown window or zone is an input error that names it."""
    with pytest.raises(InputError, match="There is no"):
        window_starts(pd.DatetimeIndex(["2026-01-01T00:00Z"]), freq, tz)
