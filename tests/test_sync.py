"""A sync adds what is new whatever happened before, says what was lost, and may be interrupted at any moment."""

from __future__ import annotations

import importlib.util
import logging
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
from schedlog_analysis import Archive, Client, read_log
from schedlog_analysis._core.names import name_schedules
from schedlog_analysis.cli import main, network
from schedlog_analysis.errors import NotFoundError
from schedlog_analysis.schema import WINDOWS, Fetches, Log, Runs
from schedlog_analysis.sources import sync as module
from schedlog_analysis.sources.server import serving
from schedlog_analysis.sources.sync import next_sync, sync

TOKEN = "apify_api_S3cretThatNobodySees"
T0 = pd.Timestamp("2026-01-01T00:00Z")


@pytest.fixture(scope="module")
def api(sample):
    """The sample, served."""
    with serving(str(sample.path), token=TOKEN) as (address, _):
        yield address


@pytest.fixture
def client(api):
    with Client(TOKEN, base_url=api) as client:
        yield client


@pytest.fixture
def told(api, monkeypatch, capfd):
    """Run `schedlog` as a person with a token does; gives exit code, standard output and standard error."""
    monkeypatch.setenv("APIFY_TOKEN", TOKEN)
    monkeypatch.setenv("APIFY_API_BASE_URL", api)

    def run(*argv):
        code = main([str(each) for each in argv])
        return code, *capfd.readouterr()

    return run


@pytest.mark.skipif(sys.platform == "win32", reason="interrupted by signals")
def test_an_interrupted_sync_is_told_and_the_next_one_completes_it(tmp_path):
    """SIGINT or SIGTERM at any moment: nothing doubled or unreadable, a sentence, 130 or 143; then all is there."""
    spec = importlib.util.spec_from_file_location("archive_trials", Path(__file__).with_name("archive_trials.py"))
    trials = sys.modules.setdefault("archive_trials", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(trials)
    workers = trials.Workers()
    tally, ends = trials.interrupt_sync(tmp_path, workers, 4)
    workers.close()
    assert (tally.tries, tally.lost, tally.doubled, tally.unreadable) == (4, 0, 0, 0)
    assert tally.hits
    assert set(ends) <= {f"{code} {network.INTERRUPTED}" for code in (130, 143)} | {"0 "}


def test_a_failing_schedule_is_exit_code_1_and_costs_no_other(sample, tmp_path, told, monkeypatch):
    """The others are in the archive, the one that failed is named with its reason, whatever is in its name."""
    bad = "[/red]x[bold]"

    class Partly(Client):
        def fetch_logs(self, schedule_ids=None):
            fetched = super().fetch_logs(schedule_ids)
            fetched.failures[bad] = NotFoundError(404, "record-not-found", "There is no [/such] schedule.")
            return fetched

    monkeypatch.setattr(network, "Client", Partly)
    code, out, err = told("sync", tmp_path)
    assert code == 1
    assert err == f"{bad} failed: The Apify API answered 404 record-not-found: There is no [/such] schedule.\n"
    assert "Competitor prices, hourly" in out
    assert_frame_equal(read_log(tmp_path), sample.log)


def test_a_hole_is_told_with_how_often_to_sync(sample, tmp_path, told):
    """When a window rolled past what the archive has, a sentence names the schedule and its own pace."""
    name = "prices-hourly"
    schedule_id = sample.schedules.set_index("name").loc[name, "schedule_id"]
    entries = sample.log[sample.log["schedule_id"] == schedule_id]
    old = entries.head(250).assign(created_at=entries["created_at"] - pd.Timedelta(30, "D"))
    Archive(tmp_path).append(old, old["created_at"].max())
    code, _, err = told("sync", tmp_path, "--no-runs")
    assert code == 0
    pattern = r"Competitor prices, hourly: entries were lost .* a hole opened; sync at least every 1?\d d( \d+ h)?\.\n"
    assert re.fullmatch(pattern, err)
    assert told("sync", tmp_path, "--no-runs")[2] == "", "a hole is told once"


KINDS = ["log", "fetches", "runs", "schedules"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_archive_still_takes_what_is_new(sample, tmp_path, client, kind):
    """A file torn long ago is told by name, and what the API shows now is kept all the same, whichever file it is."""
    archive = Archive(tmp_path)
    old = sample.log[sample.log["created_at"] < "2026-10-01"]
    archive.append(old, pd.Timestamp("2026-10-01T00:00Z"))
    archive.append_runs(sample.runs[sample.runs["started_at"] < "2026-10-15"])
    archive.append_schedules(sample.schedules.head(3))
    torn = next(Path(tmp_path, kind).rglob("*.parquet"))
    torn.write_bytes(b"torn")
    failures = sync(client, archive).failures
    assert set(failures) <= {"archive"}
    assert all(torn.name in str(error) for error in failures.values())
    for path in archive.verify().dropna(subset="problem")["path"]:  # unless it was written again under the same name
        Path(path).unlink()
    assert len(archive.read_log()) == len(sample.log)
    assert len(archive.read_runs()) == len(sample.runs)
    assert len(archive.read_schedules(latest=True)) == len(sample.schedules)


def test_many_syncs_leave_few_files(sample, tmp_path, client, monkeypatch):
    """Every sync adds files; once a month has many of them they are merged, and no answer changes."""
    monkeypatch.setattr(module, "MANY_PARTS", 3)
    archive = Archive(tmp_path)
    for _ in range(8):
        sync(client, archive, with_runs=False)
    assert len(list(tmp_path.glob("fetches/*/*.parquet"))) < 3
    assert len(archive.read_fetches()) == 8 * len(sample.schedules)
    assert_frame_equal(archive.read_log(), sample.log)


class Known(Client):
    """A client that answers with tables it was given, and remembers since when it was asked for runs."""

    def __init__(self, fetched, runs):
        self.fetched, self.runs, self.asked = fetched, runs, []

    def fetch_logs(self, _=None):
        """Answer with what was fetched."""
        return self.fetched

    def fetch_runs(self, since, _=None, **_options):
        """Answer with the runs since then."""
        self.asked.append(since)
        return self.runs[self.runs["started_at"] >= since]


def test_a_run_is_asked_for_until_it_has_ended(sample, tmp_path, client):
    """A run that lasts for days is seen through; one that never ends does not make every sync ask for everything."""
    fetched, archive = client.fetch_logs(), Archive(tmp_path)
    begin = fetched.fetched_at.floor("h")
    starts = [begin - pd.Timedelta(days, "D") for days in (40, 9, 0)]
    runs = sample.runs.head(3).assign(started_at=pd.DatetimeIndex(starts).as_unit("ms"), status="RUNNING")
    runs["finished_at"] = pd.Series([None] * 3, dtype="datetime64[ms, UTC]")
    known = Known(fetched, Runs.cast(runs))
    assert sync(known, archive).n_new_runs == 3
    assert known.asked == [fetched.log["created_at"].min()]
    known.runs = Runs.cast(runs.assign(status="SUCCEEDED", finished_at=begin))
    assert sync(known, archive).n_new_runs == 0
    assert known.asked[1] == starts[1]
    assert archive.read_runs()["status"].tolist() == ["RUNNING", "SUCCEEDED", "SUCCEEDED"]
    sync(known, archive)
    assert known.asked[2] == starts[2] - module.OVERLAP


def test_two_accounts_share_an_archive(sample, tmp_path, client):
    """What is known of one account's runs does not keep another's from being asked for as far back as its log."""
    archive, mine = Archive(tmp_path), sample.schedules["schedule_id"].iloc[:6]
    halves = []
    for is_mine in (True, False):
        with serving_some(sample, tmp_path, sample.schedules["schedule_id"].isin(mine) == is_mine) as (url, token):
            halves.append(sync(Client(token, base_url=url), archive))
    assert not halves[0].failures | halves[1].failures
    assert_frame_equal(archive.read_log(), sample.log)
    assert_frame_equal(archive.read_runs(), client.fetch_runs(sample.log["created_at"].min() - pd.Timedelta(1, "h")))
    assert archive.coverage()["n_holes"].sum() == 0


def serving_some(sample, tmp_path, chosen):
    """Serve an archive of some of the sample's schedules."""
    ids = sample.schedules.loc[chosen, "schedule_id"]
    folder = tmp_path.with_name(f"{tmp_path.name}-{ids.iloc[0]}")
    account = Archive(folder)
    account.append(sample.log[sample.log["schedule_id"].isin(ids)], pd.Timestamp("2026-11-01T00:00Z"))
    account.append_schedules(sample.schedules[chosen])
    account.append_runs(sample.runs[sample.runs["schedule_id"].isin(ids)])
    return serving(str(folder))


def test_a_schedule_that_was_deleted_and_made_again_is_two(sample, tmp_path, client):
    """The new one has a new id and an own log; of the old one nothing is claimed after it was last seen."""
    archive, (old, new) = Archive(tmp_path), sample.schedules["schedule_id"].iloc[:2]
    fetched = client.fetch_logs([old])
    sync(Known(fetched, sample.runs.head(0)), archive)
    again = client.fetch_logs([new])
    again.schedules["name"] = fetched.schedules["name"].iloc[0]
    second = sync(Known(again, sample.runs.head(0)), archive)
    assert second.schedules["schedule_id"].tolist() == [new]
    assert not second.schedules["has_hole"].any()
    definitions = archive.read_schedules(latest=True)
    assert set(definitions["schedule_id"]) == {old, new}
    assert len(set(definitions["name"])) == 1
    gaps = module.holes(Log.empty(), archive.read_fetches([old]))
    assert gaps["started_at"].tolist() == [fetched.fetched_at]
    assert gaps["ended_at"].isna().all()


def _look(fetched_at, n_entries):
    return Fetches.cast(
        pd.DataFrame(
            {
                "schedule_id": ["a"], "fetched_at": [fetched_at], "n_entries": [n_entries], "first_at": [T0],
                "last_at": [fetched_at], "is_truncated": [n_entries in WINDOWS],
            }
        )
    )  # fmt: skip


@pytest.mark.parametrize(("n_entries", "days"), [(100, 10.5), (250, 10.5), (1000, 42)])
def test_the_time_to_sync_is_that_in_which_the_window_fills(make_log, n_entries, days):
    """Hour by hour a schedule fills 250 entries in ten days; an account that shows more gives as much more time."""
    step = pd.Timedelta(60.48, "min")  # 250 of these are ten and a half days
    hours = [(T0 + number * step).isoformat() for number in range(n_entries)]
    log = make_log(*(("a", at, "INFO", "Schedule invoked") for at in hours))
    (row,) = next_sync(log, _look(log["created_at"].max(), n_entries)).to_dict("records")
    assert abs(row["sync_by"] - log["created_at"].max() - pd.Timedelta(days, "D")) <= pd.Timedelta(2, "s")
    assert abs(row["sync_every"] - pd.Timedelta(days / 3, "D")) <= pd.Timedelta(2, "s")


def test_one_tick_tells_no_pace(make_log):
    """The entries of a single tick are milliseconds apart; that is no reason to sync every second."""
    log = make_log(("a", T0.isoformat(), "ERROR", "no"), ("a", "2026-01-01T00:00:00.005Z", "INFO", "Schedule invoked"))
    table = next_sync(log, _look(T0, 2))
    assert table[["sync_by", "sync_every"]].isna().all(axis=None)
    assert next_sync(log.head(0), Fetches.empty()).empty


def test_show_tells_what_the_archive_has(sample, tmp_path, told):
    """Of each schedule: entries, since when, holes, how much was seen, and by when to sync; the most urgent first."""
    archive = Archive(tmp_path)
    for moment in ("2026-08-20T00:00Z", "2026-09-20T00:00Z", "2026-11-01T00:00Z"):
        seen = sample.log[sample.log["created_at"] < moment].groupby("schedule_id").tail(250)
        archive.append(seen, moment)
    archive.append_schedules(sample.schedules)
    code, out, _ = told("show", tmp_path)
    assert code == 0
    held = out[out.index("The archive holds") :]
    covered = archive.coverage().set_index("schedule_id")
    names = name_schedules(sample.schedules, covered.index)
    for schedule_id, row in covered.iterrows():
        since = f"{row['first_at'].day} {row['first_at']:%b %Y}"
        begin = re.escape(names[schedule_id][:12])  # long names go on in the line beneath
        assert re.search(rf"^{begin}.* {row['n_entries']:,} +{since} +{row['n_holes']} ", held, re.MULTILINE)
    assert held.splitlines()[-1].startswith("Invoices of suppliers")
    assert max(map(len, out.splitlines())) <= 80


def test_the_token_is_in_no_file_and_no_word(tmp_path, told, caplog):
    """After fetch, sync, report and show, with every logger wide open: not in a file, a log line or an output."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    words = [told("sync", tmp_path / "archive", "--token", TOKEN)]
    words += [told("fetch", "--output", tmp_path / "fetched", "--token", TOKEN)]
    for form in ("html", "email", "md", "json", "csv", "ipynb"):
        words.append(told("report", tmp_path / "archive", "--format", form, "--output", tmp_path / f"report.{form}"))
    words.append(told("show", tmp_path / "archive"))
    wrong = TOKEN[::-1]
    words.append(told("sync", tmp_path / "archive", "--token", wrong))
    assert [code for code, *_ in words] == [0] * 9 + [2]
    assert "user-or-token-not-found" in words[-1][2]
    assert "urllib3" in caplog.text, "the loggers were not open"
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 20
    for secret in (TOKEN, wrong):
        assert not [file for file in files if secret.encode() in file.read_bytes()]
        assert secret not in caplog.text + repr(words)


def test_a_sync_that_cannot_write_says_so_in_a_sentence(tmp_path, told):
    """An archive's place that is a file: exit code 2, one sentence that names it, no traceback."""
    (tmp_path / "file").write_text("")
    code, out, err = told("sync", tmp_path / "file")
    assert (code, out) == (2, "")
    assert err.startswith(f"schedlog: The archive cannot use {tmp_path / 'file'}")
    assert len(err.splitlines()) == 1
