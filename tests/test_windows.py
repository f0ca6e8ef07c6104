"""Windows: calendar stretches that leave no gap, also where the clock changes; checked by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis._core.calendar import window_range, window_starts, zone
from schedlog_analysis.errors import InputError

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


# Windows around both changes of the clock in 2026: zone, window, and their starts as literal instants. By UTC, Prague
# changes on 29 March and 25 October at 01:00, New York on 8 March at 07:00 and 1 November at 06:00, Sydney on 4 April
# and 3 October at 16:00.
BY_HAND = [
    ("Europe/Prague", "h", ["2026-03-29T00:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"]),
    ("Europe/Prague", "h", ["2026-10-24T23:00Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"]),
    ("Europe/Prague", "D", ["2026-03-27T23:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-30T22:00Z"]),
    ("Europe/Prague", "D", ["2026-10-23T22:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"]),
    ("Europe/Prague", "W", ["2026-03-22T23:00Z", "2026-03-29T22:00Z", "2026-04-05T22:00Z"]),
    ("Europe/Prague", "W", ["2026-10-18T22:00Z", "2026-10-25T23:00Z", "2026-11-01T23:00Z"]),
    ("Europe/Prague", "M", ["2026-02-28T23:00Z", "2026-03-31T22:00Z", "2026-04-30T22:00Z"]),
    ("Europe/Prague", "M", ["2026-09-30T22:00Z", "2026-10-31T23:00Z", "2026-11-30T23:00Z"]),
    ("America/New_York", "h", ["2026-03-08T06:00Z", "2026-03-08T07:00Z", "2026-03-08T08:00Z"]),
    ("America/New_York", "h", ["2026-11-01T05:00Z", "2026-11-01T06:00Z", "2026-11-01T07:00Z"]),
    ("America/New_York", "D", ["2026-03-07T05:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z", "2026-03-10T04:00Z"]),
    ("America/New_York", "D", ["2026-10-31T04:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z", "2026-11-03T05:00Z"]),
    ("America/New_York", "W", ["2026-03-02T05:00Z", "2026-03-09T04:00Z", "2026-03-16T04:00Z"]),
    ("America/New_York", "W", ["2026-10-26T04:00Z", "2026-11-02T05:00Z", "2026-11-09T05:00Z"]),
    ("America/New_York", "M", ["2026-03-01T05:00Z", "2026-04-01T04:00Z", "2026-05-01T04:00Z"]),
    ("America/New_York", "M", ["2026-11-01T04:00Z", "2026-12-01T05:00Z", "2027-01-01T05:00Z"]),
    ("Australia/Sydney", "h", ["2026-04-04T15:00Z", "2026-04-04T16:00Z", "2026-04-04T17:00Z"]),
    ("Australia/Sydney", "h", ["2026-10-03T15:00Z", "2026-10-03T16:00Z", "2026-10-03T17:00Z"]),
    ("Australia/Sydney", "D", ["2026-04-03T13:00Z", "2026-04-04T13:00Z", "2026-04-05T14:00Z", "2026-04-06T14:00Z"]),
    ("Australia/Sydney", "D", ["2026-10-02T14:00Z", "2026-10-03T14:00Z", "2026-10-04T13:00Z", "2026-10-05T13:00Z"]),
    ("Australia/Sydney", "W", ["2026-03-29T13:00Z", "2026-04-05T14:00Z", "2026-04-12T14:00Z"]),
    ("Australia/Sydney", "W", ["2026-09-27T14:00Z", "2026-10-04T13:00Z", "2026-10-11T13:00Z"]),
    ("Australia/Sydney", "M", ["2026-03-31T13:00Z", "2026-04-30T14:00Z", "2026-05-31T14:00Z"]),
    ("Australia/Sydney", "M", ["2026-09-30T14:00Z", "2026-10-31T13:00Z", "2026-11-30T13:00Z"]),
    ("Australia/Sydney", "Q", ["2026-03-31T13:00Z", "2026-06-30T14:00Z", "2026-09-30T14:00Z", "2026-12-31T13:00Z"]),
    ("Europe/Prague", "Y", ["2025-12-31T23:00Z", "2026-12-31T23:00Z"]),
    # In Havana, November 2026 begins with the hour that comes twice; in Asuncion, October 2017 lacks its first hour.
    ("America/Havana", "h", ["2026-11-01T04:00Z", "2026-11-01T05:00Z", "2026-11-01T06:00Z"]),
    ("America/Havana", "D", ["2026-10-31T04:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"]),
    ("America/Havana", "M", ["2026-10-01T04:00Z", "2026-11-01T04:00Z", "2026-12-01T05:00Z"]),
    ("America/Asuncion", "D", ["2017-09-30T04:00Z", "2017-10-01T04:00Z", "2017-10-02T03:00Z"]),
    ("America/Asuncion", "M", ["2017-09-01T04:00Z", "2017-10-01T04:00Z", "2017-11-01T03:00Z"]),
    # Samoa had no 30 December 2011.
    ("Pacific/Apia", "D", ["2011-12-29T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"]),
]


@pytest.mark.parametrize(("tz", "freq", "starts"), BY_HAND)
def test_windows_across_a_change_of_the_clock(tz, freq, starts):
    """Each window begins at the literal instant, and its first and last moment and all between belong to it."""
    expected = list(pd.DatetimeIndex(starts))
    assert window_range(expected[0], expected[-1], freq, tz).tolist() == expected
    for begin, end in pairwise(expected):
        inside = pd.date_range(begin, end, periods=50, inclusive="left").append(
            pd.DatetimeIndex([end - pd.Timedelta("1ms")])
        )
        assert window_starts(inside, freq, tz).unique().tolist() == [begin]


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
