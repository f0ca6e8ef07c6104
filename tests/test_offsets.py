"""Offsets: how much later than its text says a macro fires."""

import time

import numpy as np
import pandas as pd
import pytest

from schedlog_analysis import invocations, ticks
from schedlog_analysis.schema import Invocations, Log


def _log(make_log, instants):
    return make_log(*(("a", instant, "INFO", "Schedule invoked") for instant in instants))


def _days(days, time):
    return [f"2026-01-{day:02d}T{time}Z" for day in days]


@pytest.mark.parametrize(
    ("after", "times"),
    [
        ("0 12 * * *", _days(range(4, 9), "12:00:00.3")),
        ("@hourly", [f"2026-01-04T{hour}:07:00.3Z" for hour in range(10, 20)]),
    ],
)
def test_each_macro_has_an_offset_of_its_own(make_log, make_schedules, after, times):
    """A macro that was replaced is measured by its own invocations, and lends its offset to nothing else."""
    schedules = make_schedules(("a", "@daily"), ("a", after, {"modified_at": "2026-01-04T10:00:00Z"}))
    log = _log(make_log, _days(range(1, 5), "03:17:00.3") + times)
    table = ticks(invocations(log, schedules), schedules)
    assert set(table["status"]) == {"on_time"}
    assert (table["delay"] == pd.Timedelta("300ms")).all()


def test_an_edit_of_the_title_does_not_hide_the_offset(make_log, make_schedules):
    """Versions with the same macro are measured together, however few invocations each has."""
    edit = {"modified_at": "2026-01-04T10:00:00Z", "next_run_at": "2026-01-05T03:17:00Z"}
    schedules = make_schedules(("a", "@daily"), ("a", "@daily", edit))
    table = ticks(invocations(_log(make_log, _days(range(1, 5), "03:17:00.3")), schedules), schedules)
    assert table["status"].tolist() == ["on_time"] * 4


def _daily(offset, delays, skip=()):
    """Starts of @daily so many seconds after its hidden time, day after day."""
    days = pd.date_range("2026-01-01", periods=len(delays), tz="UTC") + pd.Timedelta(seconds=offset)
    return [
        str(day + pd.Timedelta(seconds=delay))
        for n, (day, delay) in enumerate(zip(days, delays, strict=True))
        if n not in skip
    ]


OFFSET = 9_420  # 02:37, in seconds: a point of the daily grid, 300 s and so many times 30 s


def _first(table):
    return (table["planned_at"] - table["planned_at"].dt.normalize()).dt.total_seconds().unique().tolist()


@pytest.mark.parametrize(
    "delays",
    [
        [0.4] * 5,
        list(np.random.default_rng(1).uniform(0.3, 10, 60)),
        list(np.random.default_rng(2).uniform(0.3, 60, 60)),
        [*np.random.default_rng(3).uniform(0.3, 20, 40), -0.01],
        [*np.random.default_rng(4).uniform(0.3, 20, 40), 75_000, 3_000],
    ],
)
def test_the_offset_is_on_the_grid_before_the_promptest_starts(make_log, make_schedules, delays):
    """Whatever the delays, a start just before its time, or some hours late, nothing is missed and nothing twice."""
    schedules = make_schedules(("a", "@daily"))
    table = ticks(invocations(_log(make_log, _daily(OFFSET, delays)), schedules), schedules)
    assert _first(table) == [OFFSET]
    assert set(table["status"]) <= {"on_time", "late"}
    assert (table["status"] == "late").sum() == sum(delay > 60 for delay in delays)


def test_the_next_run_is_trusted_however_late_the_starts_are(make_log, make_schedules):
    """Starts 90 s late do not move the offset that the next run tells; they are late."""
    times = {"next_run_at": "2026-03-02T02:37:00Z"}
    schedules, delays = make_schedules(("a", "@daily", times)), [90] * 30 + [0.4] * 30
    table = ticks(invocations(_log(make_log, _daily(OFFSET, delays)), schedules), schedules)
    assert _first(table) == [OFFSET]
    assert table["status"].value_counts()[["on_time", "late", "missed"]].tolist() == [30, 30, 0]


def test_a_next_run_out_of_bounds_is_no_offset(make_log, make_schedules):
    """A next run 20 hours after midnight is not the macro's, whose offset is at most six hours."""
    schedules = make_schedules(("a", "@daily", {"next_run_at": "2026-01-31T20:00:00Z"}))
    table = ticks(invocations(_log(make_log, _daily(OFFSET, [0.4] * 30)), schedules), schedules)
    assert _first(table) == [OFFSET]


def test_runs_tell_the_offset(make_log, make_schedules, make_runs):
    """A run that names its tick tells the offset exactly, where all starts are late."""
    schedules = make_schedules(("a", "@daily"))
    log, due = _log(make_log, _daily(OFFSET, [95] * 10)), pd.Timestamp("2026-01-04T02:37:00Z")
    runs = make_runs(("a", due + pd.Timedelta("95s"), {"scheduled_at": due}))
    assert _first(ticks(invocations(log, schedules), schedules, runs=runs)) == [OFFSET]


@pytest.mark.parametrize(("delays", "is_open"), [([12.0], True), ([0.4] * 4, False), ([2.0, 50.0], True)])
def test_an_offset_that_the_log_cannot_tell_is_ambiguous(make_log, make_schedules, delays, is_open):
    """One start, or two that lie far apart, fit several points of the grid."""
    schedules = make_schedules(("a", "@daily"))
    table = ticks(invocations(_log(make_log, _daily(OFFSET, delays)), schedules), schedules)
    assert set(table["is_ambiguous"]) == {is_open}


def test_without_a_start_the_offset_is_within_its_bounds(make_schedules):
    """Nobody knows the hidden time of a silent macro: what may still come is not missed, and all is ambiguous."""
    schedules = make_schedules(("a", "@daily"))
    end = pd.Timestamp("2026-01-03T03:00:00Z")
    table = ticks(Invocations.empty(), schedules, end=end)
    assert _first(table) == [300]
    assert table["status"].tolist() == ["missed", "missed", "unknown"]
    assert table["is_ambiguous"].all()


def test_twenty_thousand_late_starts_are_read_at_once(make_schedules):
    """Late starts cost no search: a second is ample."""
    planned = pd.date_range("2026-01-01", periods=20_000, freq="h", tz="UTC")
    late = planned + pd.to_timedelta(np.random.default_rng(5).integers(70_000, 1_500_000, 20_000), "ms")
    log = Log.cast(
        pd.DataFrame({"schedule_id": "a", "created_at": late, "level": "INFO", "message": "Schedule invoked"})
    )
    for schedules in (
        make_schedules(("a", "@hourly")),
        make_schedules(("a", "0 * * * *", {"modified_at": "2027-06-01T00:00Z"})),
    ):
        begun = time.process_time()
        ticks(invocations(log, schedules), schedules)
        assert time.process_time() - begun < 2
