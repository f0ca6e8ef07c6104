"""Offsets: how much later than its text says a macro fires."""

import pandas as pd
import pytest

from schedlog_analysis import invocations, ticks


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
