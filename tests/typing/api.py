"""What users write, as type checkers see it: checked by mypy and pyright in test_typing.py, and never run."""

from typing import assert_type

import pandas as pd
from matplotlib.axes import Axes

import schedlog_analysis
from schedlog_analysis import Archive, Cron, Report, cadence, error_rate, invocations, load_sample, plot, ticks

sample = load_sample()
found = invocations(sample.log, sample.schedules)
due = ticks(found, sample.schedules)
for table in (found, due, cadence(due, sample.schedules), error_rate(due, by="schedule_id")):
    assert_type(table, pd.DataFrame)
assert_type(Cron("0 9 * * *", "Europe/Prague").next("2026-01-01T00:00Z", 3), pd.DatetimeIndex)
assert_type(Archive("archive").read_log(), pd.DataFrame)
assert_type(plot.ticks(due, tz="Europe/Prague"), Axes)
assert_type(Report.build(sample.log, sample.schedules, period="last-month", tz="Europe/Prague"), Report)
assert_type(schedlog_analysis.__version__, str)
