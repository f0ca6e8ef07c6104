"""
The same figures for an archive in batches, in this process or on workers, as for a log in one piece.

Also when a worker dies, when the analysis is interrupted and resumed, and for all others when a schedule or a file is
damaged; and memory is that of the batches at work, not of the archive.
"""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from schedlog_analysis import Archive, fleet, read_log, read_runs, read_schedules, simulate
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.account.batches import Contents, _bounds
from schedlog_analysis.cli import main
from schedlog_analysis.errors import ArchiveError, CronError
from schedlog_analysis.report.facts import facts
from schedlog_analysis.report.pictures import _trend
from schedlog_analysis.simulation import simulate_fleet

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
        if isinstance(theirs, pd.Series):
            assert_series_equal(ours, theirs, obj=each.name)
        elif not isinstance(theirs, pd.DataFrame):
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


@pytest.fixture(scope="module")
def sample_archive(sample, tmp_path_factory):
    """Archive of the sample with its runs."""
    return _filled(tmp_path_factory.mktemp("sample"), sample.log, sample.schedules, sample.runs)


@pytest.mark.parametrize("period", ["all", "2026-10"])
def test_a_streamed_report_says_what_the_other_says(sample_archive, tmp_path, period):
    """Every fact of `schedlog report --scheduler stream` is that of the report without it: runs and objective, too."""
    told = []
    for name, how in {"whole": [], "streamed": ["--scheduler", "stream"]}.items():
        target = tmp_path / f"{name}.json"
        options = ["--period", period, "--tz", "Europe/Prague", "--slo", "99.5", "--output", str(target)]
        options += ["--now", "2026-11-01T02:00Z"]
        assert main(["report", sample_archive.location, *options, *how]) == 0
        told.append(json.loads(target.read_text(encoding="utf-8")))
    whole, streamed = told
    assert whole["runs"]
    assert whole["objective"]
    assert streamed == whole


def test_only_pages_are_fewer_in_the_report_of_a_fleet(tmp_path):
    """Every fact is the same, also of the schedules that have no page."""
    log, schedules = simulate_fleet(40, 500, seed=3, error_rate=0.1)
    archive = Archive(tmp_path)
    archive.append(log, "2026-11-01T00:00Z")
    archive.append_schedules(schedules)
    parts = fleet.analyze(archive, objective=0.9, batch_entries=2000, worst=5)
    streamed, whole = facts(parts), facts(_whole(archive, objective=0.9))
    assert set(streamed["pages"]["schedule_ids"]) == set(parts.worst)
    for told in (streamed, whole):
        told.pop("pages")
    assert len(parts.worst) == 5
    assert streamed == whole
    unseen = [one for one in whole["schedules"] if one["schedule_id"] not in parts.worst]
    assert any(one["clusters"] for one in unseen)
    assert any(one["downtime"] is not None for one in unseen)
    assert_frame_equal(_trend(parts), _trend(_whole(archive, objective=0.9)))


# Workers


def test_two_processes_end_in_the_tables_of_one(sample_archive):
    """Real worker processes, with everything that can be asked, give every table to the last digit."""
    options = {"tz": "America/New_York", "objective": 0.99}
    parts = fleet.analyze(sample_archive, "2026-10", scheduler=2, batch_entries=777, worst=ALL, **options)
    _assert_same(parts, _whole(sample_archive, "2026-10", **options))


def test_a_killed_worker_costs_nothing(sample_archive, tmp_path):
    """The first batch that is worked on kills its worker (SIGKILL); another takes it over, and the result is whole."""
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - slow to import, and used here only

    mark = str(tmp_path / "killed")

    def arm():  # runs in a worker, which cannot import this file
        import os  # noqa: PLC0415
        import signal  # noqa: PLC0415

        from schedlog_analysis.account import workers  # noqa: PLC0415

        class Deadly(workers.Part):
            @classmethod
            def of(cls, *arguments, **options):
                try:
                    os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    return living.of(*arguments, **options)
                return os.kill(os.getpid(), signal.SIGKILL)

        living, workers.Part = workers.Part, Deadly
        return os.getpid()

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        before = set(client.run(arm).values())
        parts = fleet.analyze(sample_archive, scheduler=client, batch_entries=777, worst=ALL)
        client.wait_for_workers(2)
        after = set(client.run(os.getpid).values())
    assert Path(mark).exists()
    assert len(before & after) == 1
    _assert_same(parts, _whole(sample_archive))


# Damage


def _without(archive, lost, **options):
    """Whole analysis of all schedules but some."""
    everyone = {*archive.read_log()["schedule_id"], *archive.read_schedules()["schedule_id"]}
    return _whole(archive, "2026-10", schedule_ids=sorted(everyone - set(lost)), **options)


@pytest.mark.parametrize("scheduler", [None, 1])
def test_a_damaged_schedule_is_named_and_costs_the_others_nothing(sample, tmp_path, scheduler):
    """A definition whose cron makes no sense is an error of that schedule; all tables are those of the others."""
    archive = _filled(tmp_path, sample.log, sample.schedules, sample.runs)
    lost = sample.schedules["schedule_id"].iloc[3]
    newest = sample.schedules[sample.schedules["schedule_id"] == lost]
    later = newest["modified_at"] + pd.Timedelta("1D")
    archive.append_schedules(newest.assign(cron="61 * * * *", modified_at=later))
    parts = fleet.analyze(archive, "2026-10", batch_entries=2000, worst=ALL, scheduler=scheduler)
    assert list(parts.errors) == [lost]
    assert isinstance(parts.errors[lost], CronError)
    whole = _without(archive, [lost])
    for name in ("coverage", "cadence", "rates", "daily", "clock", "clusters", "incidents", "funnel", "ticks"):
        assert_frame_equal(getattr(parts, name), getattr(whole, name), obj=name)


def test_a_damaged_file_is_named_before_anything_is_made_of_it(tmp_path):
    """Bytes garbled in one row group: the part is not what its name says, and no figure is made of the rest."""
    log, schedules = simulate_fleet(60, 2000, seed=4)
    archive = Archive(tmp_path)
    archive.append(log, "2026-11-01T00:00Z")
    archive.append_schedules(schedules)
    assert _garble(tmp_path / "log" / "month=2026-10")
    with pytest.raises(ArchiveError, match="is damaged: its content is not its name's"):
        fleet.analyze(archive, "2026-10", batch_entries=10_000, worst=0)


def _garble(folder):
    """Spoil the messages in a month's first row group; give the schedules that have entries there."""
    (path,) = folder.iterdir()
    file = pq.ParquetFile(path)
    assert file.num_row_groups > 1
    column = file.metadata.row_group(0).column(file.schema_arrow.get_field_index("message"))
    content = bytearray(path.read_bytes())
    middle = (column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size // 2
    content[middle : middle + 8] = bytes(8 * [255])
    path.write_bytes(content)
    return set(file.read_row_group(0, ["schedule_id"])["schedule_id"].to_pylist())


def test_schedules_stand_in_order_whether_or_not_they_are_defined(make_log, tmp_path):
    """A later month may begin with a schedule of a smaller name; unsorted batches would read all files many times."""
    archive = Archive(tmp_path)
    january, february = ("b", "2026-01-05T00:00Z", "INFO", ""), ("a", "2026-02-05T00:00Z", "INFO", "")
    archive.append(make_log(january, february), "2026-03-01T00:00Z")
    contents = Contents.of(archive)
    for others in ([], ["a", "b"], ["c"]):
        ids = [one for batch in contents.batches(pd.Index(others, dtype="str"), 1) for one in batch.ids]
        assert ids == sorted({"a", "b", *others})


def test_footers_without_statistics_are_made_up_for(tmp_path):
    """The first and the last instant of a row group are in its footer, or else are read."""
    instants = pd.to_datetime(["2026-01-05T00:00Z", "2026-01-03T00:00Z", "2026-01-04T00:00Z"]).astype(
        "datetime64[ms, UTC]"
    )
    table = pd.DataFrame({"schedule_id": "a", "created_at": instants, "level": "INFO", "message": ""})
    for has_statistics in (True, False):
        table.to_parquet(tmp_path / "part.parquet", write_statistics=has_statistics)
        file = pq.ParquetFile(tmp_path / "part.parquet")
        assert _bounds(file, 0) == (instants.min().value // 10**6, instants.max().value // 10**6)


# Memory

_CHILD = """
import sys
from schedlog_analysis import fleet

def peak():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024

small, large, size = sys.argv[1:]
fleet.analyze(small, batch_entries=int(size), worst=0)  # everything is imported, and every path taken once
before = peak()
fleet.analyze(large, batch_entries=int(size), worst=0)
print(peak() - before)
"""
# What the docstring promises: bytes for each entry of two batches, and a fixed amount.
_BATCH, _PER_ENTRY, _FIXED = 100_000, 300, 200_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_memory_is_that_of_the_batches_and_not_of_the_archive(tmp_path):
    """Peak memory grows by at most 300 bytes for each entry of the two batches at work, however many there are."""
    sizes = {"small": 100, "large": 20_000}
    for name, n_ticks in sizes.items():
        log, schedules = simulate_fleet(100, n_ticks, seed=2)
        archive = Archive(tmp_path / name)
        archive.append(log, "2026-11-01T00:00Z")
        archive.append_schedules(schedules)
    child = [sys.executable, "-c", _CHILD, *(str(tmp_path / name) for name in sizes), str(_BATCH)]
    grown = int(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
    bound = 2 * _BATCH * _PER_ENTRY + _FIXED
    assert bound < len(log) * _PER_ENTRY / 2
    assert grown <= bound
