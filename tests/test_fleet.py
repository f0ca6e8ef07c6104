"""The same figures for an archive in batches, in this process or on workers, as for a log in one piece."""

from dataclasses import fields

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import Archive, fleet, read_log, read_runs, read_schedules, simulate
from schedlog_analysis.analysis import Analysis

ALL = 10**6  # schedules whose single ticks are kept, when none shall be lost
SINGLE = ("ticks", "invocations", "failures", "runs")


def _filled(path, log, schedules, runs):
    """Fill an archive in two fetches that overlap; one schedule has no definition, and one no entries."""
    archive = Archive(path)
    middle = log["created_at"].quantile(0.5).floor("ms")
    for seen in (log[log["created_at"] < middle], log):
        archive.append(seen.reset_index(drop=True), seen["created_at"].max() + pd.Timedelta("1min"))
    ids = sorted(schedules["schedule_id"].unique())
    archive.append_schedules(schedules[schedules["schedule_id"] != ids[0]].reset_index(drop=True))
    archive.append_schedules(schedules[schedules["schedule_id"] == ids[1]].assign(schedule_id="zNeverRan"))
    archive.append_runs(runs)
    return archive


@pytest.fixture(scope="module", params=["sample", 1])
def archive(request, sample, tmp_path_factory):
    """Archive of an account: the sample, or one that nobody has looked at."""
    folder = tmp_path_factory.mktemp("fleet")
    account = sample.path
    if request.param != "sample":
        account = folder / "account"
        simulate(request.param, schedules=30).write(account)
    return _filled(folder / "archive", read_log(account), read_schedules(account), read_runs(account))


def _whole(archive, period="all", **options):
    options |= {"runs": archive.read_runs(), "fetches": archive.read_fetches(), "period": period}
    return Analysis.build(archive.read_log(), archive.read_schedules(), **options)


def _assert_same(parts, whole, leaving_out=()):
    assert parts.errors == {}
    for each in fields(Analysis):
        ours, theirs = getattr(parts, each.name), getattr(whole, each.name)
        if not isinstance(theirs, pd.DataFrame):
            assert ours == theirs, each.name
        elif each.name not in leaving_out:
            # Sums of money are not associative; everything else is the same to the last digit.
            exact = {"rtol": 1e-12} if each.name == "outcomes" else {"check_exact": True}
            assert_frame_equal(ours, theirs, obj=each.name, **exact)


@pytest.mark.parametrize("batch_entries", [777, 10**6])
def test_batches_of_any_size_end_in_the_tables_of_the_whole(archive, batch_entries):
    """Every field of the analysis is the same to the last digit, wherever the fleet is cut."""
    _assert_same(fleet.analyze(archive, batch_entries=batch_entries, worst=ALL), _whole(archive))


@pytest.mark.parametrize("period", ["last-month", "2026-10-05..2026-10-12", "2027"])
def test_periods_end_in_the_tables_of_the_whole(archive, period):
    """With a period before, one that is no calendar window, and one without data."""
    options = {"tz": "America/New_York", "grace": "5min", "objective": 0.99}
    parts = fleet.analyze(archive, period, batch_entries=777, worst=ALL, **options)
    _assert_same(parts, _whole(archive, period, **options))
