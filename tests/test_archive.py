"""Doors end in one typed table; an archive is a grow-only set, so that no order of events changes an answer."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis.errors import InputError, SchedlogError, SchemaError
from schedlog_analysis.schema import Fetches, Log, Runs, Schedules
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.coverage import coverage
from schedlog_analysis.sources.files import load_sample, read_log, read_runs, read_schedules, write_log
from schedlog_analysis.sources.parse import parse_log, parse_logs, parse_runs, parse_schedules

ENTRY = {"message": "Schedule invoked", "level": "INFO", "createdAt": "2019-03-26T12:28:00.370Z"}
SEED = {  # literally as the API's documentation publishes it, with its backslashes
    "data": [
        ENTRY,
        {
            "message": 'Cannot start Actor task \\"iEvfA6pm6DWjRTGxS\\": '
            'Provided input must be object, got \\"string\\" instead.',
            "level": "ERROR",
            "createdAt": "2019-03-26T12:30:00.325Z",
        },
    ]
}
LOG = parse_log(SEED, "abc")
WIRE = json.dumps(SEED).encode()
LINES = "\n".join(json.dumps(entry) for entry in SEED["data"]).encode()
T0, HOUR = pd.Timestamp("2026-01-31T22:00:00Z").as_unit("ms"), pd.Timedelta(1, "h")


def _parquet(log: pd.DataFrame) -> bytes:
    return log.to_parquet(None, index=False)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("abc.json", WIRE),
        ("abc.json", json.dumps(SEED["data"], indent=2).encode()),
        ("abc.2026-01-01.json", WIRE),
        ("abc.jsonl", LINES),
        ("abc.ndjson", LINES + b"\r\n"),
        ("abc.json.gz", gzip.compress(WIRE, mtime=0)),
        ("abc.jsonl.gz", gzip.compress(LINES, mtime=0)),
        ("abc.parquet", _parquet(LOG)),
        ("abc.parquet", _parquet(LOG.drop(columns="schedule_id"))),
        ("abc.parquet", _parquet(LOG.rename(columns={"created_at": "createdAt"}))),
        ("abc.parquet", _parquet(LOG.astype({"created_at": "datetime64[ns, Europe/Prague]", "level": "category"}))),
        ("abc", WIRE),
    ],
)
def test_every_kind_of_file_reads_alike(tmp_path, name, content):
    """JSON in all shapes, gzipped or not, and Parquet from any engine: one table, the schedule named by the file."""
    path = tmp_path / name
    path.write_bytes(content)
    pd.testing.assert_frame_equal(read_log(path), LOG)
    pd.testing.assert_frame_equal(read_log(str(path)), LOG)
    with path.open("rb") as file:
        pd.testing.assert_frame_equal(read_log(file), LOG)
    pd.testing.assert_frame_equal(read_log(content, "abc"), LOG)
    pd.testing.assert_frame_equal(read_log(io.BytesIO(content), "abc"), LOG)


def test_what_is_no_file_reads_alike():
    """Text, open text files, parsed objects, and frames; without a name the schedule is `unknown`."""
    for source in (SEED, SEED["data"], WIRE.decode(), io.StringIO(WIRE.decode()), bytearray(WIRE), memoryview(WIRE)):
        pd.testing.assert_frame_equal(read_log(source, "abc"), LOG)
    pd.testing.assert_frame_equal(read_log(LOG.iloc[::-1].astype({"created_at": "datetime64[ns, UTC]"})), LOG)
    assert read_log(WIRE)["schedule_id"].unique().tolist() == ["unknown"]


def test_an_explicit_schedule_goes_before_the_file_name(tmp_path):
    """The argument names the schedule; the file's name is only a default."""
    path = tmp_path / "abc.json"
    path.write_bytes(WIRE)
    assert read_log(path, "xyz")["schedule_id"].unique().tolist() == ["xyz"]


@pytest.mark.parametrize("sub", ["", "logs"])
def test_a_folder_is_the_union_of_its_answers(tmp_path, sub):
    """Overlapping answers of one schedule are united, true repeats kept, other files left alone."""
    folder = tmp_path / sub
    folder.mkdir(exist_ok=True)
    twice = [ENTRY, ENTRY, SEED["data"][1]]
    (folder / "abc.1.json").write_text(json.dumps(twice[:2]))
    (folder / "abc.2.json").write_text(json.dumps(twice))
    (folder / "xyz.json.gz").write_bytes(gzip.compress(WIRE, mtime=0))
    (folder / "empty.json").write_text('{"data": []}')
    for other in ("notes.txt", ".hidden.json", "schedules.json"):
        (folder / other).write_text("<html>")
    expected = parse_logs({"abc": twice, "xyz": SEED})
    pd.testing.assert_frame_equal(read_log(tmp_path), expected)
    pd.testing.assert_frame_equal(read_log(tmp_path, "xyz"), parse_log(SEED, "xyz"))


@pytest.mark.parametrize("read", [read_log, read_schedules, read_runs])
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("absent.json", None, "there is no such file"),
        ("torn.json", WIRE[:50], "no valid JSON"),
        ("page.json", b"<!DOCTYPE html><html>", "HTML"),
        ("empty.json", b"", "an empty body"),
        ("torn.json.gz", gzip.compress(WIRE, mtime=0)[:30], "gzip"),
        ("bad.json.gz", b"\x1f\x8bnonsense", "gzip"),
        ("bad.parquet", b"PAR1 nonsense PAR1", "Parquet file is damaged"),
        ("latin.json", '[{"message": "é"}]'.encode("latin-1"), "not valid utf-8"),
    ],
)
def test_bad_files_are_told_by_name_in_one_sentence(tmp_path, read, name, content, told):
    """An InputError names the file and what is wrong; no parser's traceback."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_entry_in_a_folder_is_told_with_its_file(tmp_path):
    """Also when all files are read at once, the message names the one that is bad, and the rest is read."""
    (tmp_path / "abc.json").write_bytes(WIRE)
    (tmp_path / "bad.json").write_text(json.dumps([ENTRY, ENTRY | {"createdAt": "2026-01-01T00:00:00"}]))
    with pytest.warns(UserWarning, match=r"bad\.json: Entry 2 .* no offset"):
        log = read_log(tmp_path)
    assert log["schedule_id"].value_counts()["bad"] == 1
    rest = log[log["schedule_id"] == "abc"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, read_log(tmp_path / "abc.json"))


def test_a_folder_without_logs_is_told(tmp_path):
    """An empty folder is a mistake, not an empty log; so is a folder that lacks its schedules or runs."""
    with pytest.raises(InputError, match="has no logs; expected"):
        read_log(tmp_path)
    with pytest.raises(InputError, match=r"schedules\.json: there is no such file"):
        read_schedules(tmp_path)
    with pytest.raises(InputError, match=r"runs\.json: there is no such file"):
        read_runs(tmp_path)


def test_a_frame_with_a_naive_clock_is_refused():
    """Times without a zone are an error, not UTC by assumption."""
    with pytest.raises(SchemaError, match="without a time zone"):
        read_log(LOG.assign(created_at=LOG["created_at"].dt.tz_localize(None)))


def test_the_sample_agrees_with_itself():
    """All three tables of the sample are there, typed, and name the same schedules."""
    sample = load_sample()
    for frame, table in ((sample.log, Log), (sample.schedules, Schedules), (sample.runs, Runs)):
        pd.testing.assert_frame_equal(frame, table.cast(frame))
        assert len(frame)
    assert set(sample.log["schedule_id"]) <= set(sample.schedules["schedule_id"])
    assert sample.truth
    pd.testing.assert_frame_equal(read_log(sample.path), sample.log)


instants = st.integers(0, 5).map(lambda step: T0 + step * HOUR)
entries = st.fixed_dictionaries(
    {
        "created_at": instants,
        "level": st.sampled_from(["INFO", "ERROR"]),
        "message": st.sampled_from(["a", "b\n", "é😀"]),
    }
)
histories = st.dictionaries(st.sampled_from(["s1", "s2", "s 3"]), st.lists(entries, max_size=8), max_size=3)


def _log(history: dict[str, list[dict]]) -> pd.DataFrame:
    rows = [
        {"schedule_id": key} | row
        for key, rows in history.items()
        for row in sorted(rows, key=lambda r: r["created_at"])
    ]
    frame = pd.DataFrame(rows, columns=Log.names())
    return Log.cast(frame).sort_values(["schedule_id", "created_at"], kind="stable", ignore_index=True)


@given(histories)
@settings(max_examples=12, deadline=None)
@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz", "log.parquet"])
def test_write_log_round_trips(tmp_path_factory, name, history):
    """What write_log writes, read_log reads: every id, millisecond, line break and emoji."""
    path, log = tmp_path_factory.mktemp("round") / name, _log(history)
    write_log(log, path)
    pd.testing.assert_frame_equal(read_log(path), log)


def test_json_lines_are_in_the_api_s_very_text(tmp_path):
    """Timestamps in milliseconds with Z, names in camelCase, so that other tools of the API read them."""
    write_log(LOG, tmp_path / "log.jsonl")
    first = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    assert first == ENTRY | {"scheduleId": "abc"}


# The laws of the archive. A window is what one answer shows: the newest entries of each schedule, cut anywhere.


def _windows(history, cuts):
    """Answers over time: each shows the entries up to some moment, the newest `size` of them."""
    for number, (upto, size) in enumerate(cuts):
        shown = {key: sorted(rows, key=lambda row: row["created_at"])[:upto][-size:] for key, rows in history.items()}
        yield _log(shown), T0 + number * HOUR


def _answers(archive: Archive) -> list[pd.DataFrame]:
    coded = archive.read_log(categories=True)
    return [archive.read_log(), archive.read_fetches(), archive.coverage(), coded]


def _assert_same(left: list[pd.DataFrame], right: list[pd.DataFrame]) -> None:
    for one, other in zip(left, right, strict=True):
        pd.testing.assert_frame_equal(one, other)


cuts = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), min_size=1, max_size=4)


@given(histories, cuts, st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_any_order_of_overlapping_windows_gives_their_union(tmp_path_factory, history, cuts, random):
    """Append is idempotent and commutative; the union holds of each entry the most copies that one window showed."""
    one, other = (Archive(tmp_path_factory.mktemp("archive")) for _ in range(2))
    windows = list(_windows(history, cuts))
    for log, at in windows:
        one.append(log, at, list(history))
    for log, at in random.sample(windows, len(windows)) + random.choices(windows, k=2):
        other.append(log, at, list(history))
    _assert_same(_answers(one), _answers(other))
    shown = [log.value_counts() for log, _ in windows]
    most = pd.concat(shown, axis=1).max(axis=1)
    pd.testing.assert_series_equal(
        one.read_log().value_counts().sort_index(), most.sort_index(), check_names=False, check_dtype=False
    )
    counted = [log.assign(n=log.groupby(Log.names()).cumcount()) for log, _ in windows]
    assert len(one.read_log()) == len(pd.concat(counted).drop_duplicates())


@given(histories, cuts)
@settings(max_examples=12, deadline=None)
def test_windows_that_all_begin_whole_give_back_the_history_in_its_order(tmp_path_factory, history, cuts):
    """Entries of one instant come back in the order in which the API showed them, however the windows overlapped."""
    archive = Archive(tmp_path_factory.mktemp("archive"))
    longest = max(upto for upto, _ in cuts)
    for log, at in _windows(history, [(upto, 100) for upto, _ in cuts]):
        archive.append(log, at)
    expected, _ = next(_windows(history, [(longest, 100)]))
    pd.testing.assert_frame_equal(archive.read_log(), expected)


@given(histories, cuts, st.integers(0, 4))
@settings(max_examples=12, deadline=None)
def test_append_is_associative(tmp_path_factory, history, cuts, split):
    """Two archives put together (files copied into one folder) answer like one that saw everything."""
    whole, left, right = (Archive(tmp_path_factory.mktemp("archive")) for _ in range(3))
    for number, (log, at) in enumerate(_windows(history, cuts)):
        whole.append(log, at)
        (left if number < split else right).append(log, at)
    for file in Path(right.location).rglob("*.parquet"):
        target = Path(left.location, file.relative_to(right.location))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    _assert_same(_answers(whole), _answers(left))


@given(histories, cuts)
@settings(max_examples=12, deadline=None)
def test_compaction_changes_no_answer_and_leaves_one_part_a_month(tmp_path_factory, history, cuts):
    """Before and after, and after once more, all tables are equal; what append calls new is so too."""
    archive = Archive(tmp_path_factory.mktemp("archive"))
    for log, at in _windows(history, cuts):
        archive.append(log, at)
    before = _answers(archive)
    archive.compact()
    _assert_same(before, _answers(archive))
    assert archive.compact() == 0
    files = archive.verify()
    assert files["problem"].isna().all()
    assert not files["path"].map(lambda path: Path(path).parent).duplicated().any()
    for log, at in _windows(history, cuts):
        assert archive.append(log, at).empty
    _assert_same(before, _answers(archive))


@given(histories, cuts)
@settings(max_examples=12, deadline=None)
def test_append_returns_exactly_what_the_archive_did_not_have(tmp_path_factory, history, cuts):
    """The new entries of all appends together are the archive's entries."""
    archive = Archive(tmp_path_factory.mktemp("archive"))
    new = [archive.append(log, at) for log, at in _windows(history, cuts)]
    together = pd.concat([Log.empty(), *new]).sort_values(Log.names(), ignore_index=True)
    pd.testing.assert_frame_equal(together, archive.read_log().sort_values(Log.names(), ignore_index=True))


def test_a_window_cut_in_the_middle_of_an_instant_loses_nothing_and_doubles_nothing(tmp_path):
    """Of three equal failures in one millisecond a window shows two, a later one only one: the archive keeps two."""
    failure = ENTRY | {"level": "ERROR", "message": "Cannot start Actor"}
    archive = Archive(tmp_path)
    archive.append(parse_log([failure] * 2 + [ENTRY], "s"), T0)
    archive.append(parse_log([failure, ENTRY], "s"), T0 + HOUR)
    assert archive.read_log()["message"].tolist() == ["Cannot start Actor"] * 2 + ["Schedule invoked"]
    archive.append(parse_log([failure] * 3 + [ENTRY], "s"), T0 + 2 * HOUR)
    assert archive.read_log()["message"].tolist() == ["Cannot start Actor"] * 3 + ["Schedule invoked"]


def test_the_first_window_comes_back_as_it_was(tmp_path):
    """A sample appended is the sample read, in both kinds of text columns."""
    sample, archive = load_sample(), Archive(tmp_path)
    pd.testing.assert_frame_equal(archive.append(sample.log, T0), sample.log)
    pd.testing.assert_frame_equal(archive.read_log(), sample.log)
    pd.testing.assert_frame_equal(archive.read_log(categories=True).astype(sample.log.dtypes), sample.log)
    pd.testing.assert_frame_equal(read_log(tmp_path), sample.log)
    archive.append_runs(sample.runs)
    archive.append_schedules(sample.schedules)
    pd.testing.assert_frame_equal(read_runs(tmp_path), sample.runs)
    pd.testing.assert_frame_equal(read_schedules(tmp_path), sample.schedules)


@given(
    st.lists(st.sampled_from(["5BQ8JSJbnZPWXMGZe", "snt8GCEAZRbXrzNJE", "none"]), max_size=2) | st.none(),
    st.none() | st.datetimes(pd.Timestamp("2026-07-20"), pd.Timestamp("2026-11-10")),
    st.none() | st.datetimes(pd.Timestamp("2026-07-20"), pd.Timestamp("2026-11-10")),
)
@settings(max_examples=15, deadline=None)
def test_reading_a_part_is_filtering_the_whole(sample_archive, ids, since, until):
    """Schedules and half-open bounds select exactly what a filter on the whole selects."""
    since, until = (None if at is None else pd.Timestamp(at, tz="UTC") for at in (since, until))
    tables = [
        (sample_archive.read_log, "created_at"),
        (sample_archive.read_runs, "started_at"),
        (sample_archive.read_fetches, "fetched_at"),
    ]
    for read, at in tables:
        whole = read()
        wanted = whole["schedule_id"].isin(whole["schedule_id"] if ids is None else ids)
        wanted &= True if since is None else whole[at] >= since
        wanted &= True if until is None else whole[at] < until
        pd.testing.assert_frame_equal(read(ids, since, until), whole[wanted].reset_index(drop=True))


@pytest.fixture(scope="module")
def sample_archive(tmp_path_factory):
    """The sample in an archive of several parts a month."""
    sample, archive = load_sample(), Archive(tmp_path_factory.mktemp("sample"))
    for number, start in enumerate(range(0, len(sample.log), 1500)):
        archive.append(sample.log.iloc[start : start + 1500], pd.Timestamp("2026-09-01T00:00Z") + number * 720 * HOUR)
    archive.append_runs(sample.runs)
    return archive


def test_many_schedules_are_read_like_few(sample_archive):
    """Asking for more schedules than it pays to look up one by one takes another road to the same rows."""
    ids = [*sample_archive.read_log()["schedule_id"].unique(), *(f"none{number}" for number in range(20))]
    pd.testing.assert_frame_equal(sample_archive.read_log(ids), sample_archive.read_log())


@pytest.mark.parametrize("ids", [None, [], ["snt8GCEAZRbXrzNJE", "none"]])
def test_coverage_month_by_month_is_that_of_the_whole(sample_archive, ids):
    """The archive holds no more than a month in memory, and says what it would say of everything at once."""
    whole = coverage(sample_archive.read_log(ids), sample_archive.read_fetches(ids))
    pd.testing.assert_frame_equal(sample_archive.coverage(ids), whole)


def test_a_single_id_is_one_schedule(sample_archive):
    """A text is one id, not a list of letters."""
    pd.testing.assert_frame_equal(
        sample_archive.read_log("snt8GCEAZRbXrzNJE"), sample_archive.read_log(["snt8GCEAZRbXrzNJE"])
    )
    assert len(sample_archive.read_log("snt8GCEAZRbXrzNJE"))


def test_months_that_are_not_asked_for_are_not_opened(tmp_path):
    """Damage in one month does not concern the reading of another."""
    archive = Archive(tmp_path)
    archive.append(load_sample().log, T0)
    next(tmp_path.glob("log/month=2026-08/*.parquet")).write_bytes(b"damaged")
    assert len(archive.read_log(since="2026-09-01T00:00Z"))
    with pytest.raises(SchedlogError, match="month=2026-08"):
        archive.read_log(since="2026-08-31T23:59:59.999Z")


def test_an_archive_that_does_not_exist_is_empty_and_stays_unmade(tmp_path):
    """Reading makes nothing and gives the empty tables; the door called read_log calls it a missing file."""
    archive = Archive(tmp_path / "none")
    assert not archive.exists()
    for frame, table in zip(
        (archive.read_log(), archive.read_fetches(), archive.read_runs(), archive.read_schedules()),
        (Log, Fetches, Runs, Schedules),
        strict=True,
    ):
        pd.testing.assert_frame_equal(frame, table.empty())
    assert (archive.coverage().empty, archive.verify().empty, archive.compact()) == (True, True, 0)
    assert not (tmp_path / "none").exists()
    with pytest.raises(InputError, match="no such file"):
        read_log(tmp_path / "none")


def test_a_fetch_without_entries_is_remembered(tmp_path):
    """Coverage needs to know that somebody looked, though there was nothing to see."""
    archive = Archive(tmp_path)
    archive.append(LOG, T0, schedules=["abc", "silent"])
    fetches = archive.read_fetches().set_index("schedule_id")
    assert fetches["n_entries"].to_dict() == {"abc": 2, "silent": 0}
    assert fetches.loc["silent", ["first_at", "last_at"]].isna().all()
    assert fetches.loc["abc", "first_at"] == LOG["created_at"].min()
    assert fetches["fetched_at"].eq(T0).all()
    assert archive.exists()


@pytest.mark.parametrize(("n", "is_truncated"), [(249, False), (250, True), (251, False), (999, False), (1000, True)])
def test_a_full_window_may_be_truncated(tmp_path, n, is_truncated):
    """250 is what the emulator's source says, 1000 what the documentation says."""
    times = [(T0 + number * HOUR).isoformat() for number in range(n)]
    Archive(tmp_path).append(parse_log([ENTRY | {"createdAt": time} for time in times], "s"), T0)
    assert Archive(tmp_path).read_fetches()["is_truncated"].tolist() == [is_truncated]


def test_coverage_shows_the_hole_between_two_full_windows(tmp_path):
    """Two windows that do not touch leave a hole; the archive says so."""
    times = [(T0 + number * HOUR).isoformat() for number in range(3000)]
    archive = Archive(tmp_path)
    for start in (0, 2000):
        window = [ENTRY | {"createdAt": time} for time in times[start : start + 1000]]
        archive.append(parse_log(window, "s"), T0 + (start + 1000) * HOUR)
    table = archive.coverage()
    assert table.loc[0, ["n_entries", "n_holes", "is_truncated"]].tolist() == [2000, 1, True]
    assert table.loc[0, "observed_share"] == pytest.approx(2 / 3, abs=0.01)


def _run(**changes):
    run = {
        "id": "r1",
        "actId": "a",
        "status": "RUNNING",
        "startedAt": "2026-01-01T00:00:00.000Z",
        "meta": {"origin": "SCHEDULER"},
    }
    return run | changes


RUN_STATES = [
    _run(status="READY"),
    _run(),
    _run(usageTotalUsd=0.1),
    _run(status="TIMING-OUT", usageTotalUsd=0.1),
    _run(status="TIMED-OUT", usageTotalUsd=0.2, finishedAt="2026-01-01T01:00:00.000Z"),
]


@given(st.permutations(range(len(RUN_STATES))), st.booleans())
@settings(max_examples=10, deadline=None)
def test_a_run_is_read_in_its_latest_state(tmp_path_factory, order, compacts):
    """In whatever order its states were seen, and compacted or not, the most advanced one counts."""
    archive = Archive(tmp_path_factory.mktemp("runs"))
    for position in order:
        archive.append_runs(parse_runs([RUN_STATES[position]]))
        if compacts:
            archive.compact()
        latest = max(order[: list(order).index(position) + 1])
        pd.testing.assert_frame_equal(archive.read_runs(), parse_runs([RUN_STATES[latest]]))


SCHEDULE = {
    "id": "s",
    "name": "n",
    "cronExpression": "@daily",
    "timezone": "UTC",
    "isEnabled": True,
    "isExclusive": False,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "modifiedAt": "2026-01-01T00:00:00.000Z",
    "lastRunAt": "2026-01-02T00:00:00.000Z",
}
VERSIONS = [
    SCHEDULE,
    SCHEDULE | {"lastRunAt": "2026-01-03T00:00:00.000Z"},
    SCHEDULE | {"modifiedAt": "2026-02-01T00:00:00.000Z", "cronExpression": "@hourly"},
]


@given(st.permutations(VERSIONS))
@settings(max_examples=10, deadline=None)
def test_every_version_of_a_schedule_is_kept_in_its_latest_state(tmp_path_factory, order):
    """Ticks use the cron that was valid then; of one version the latest view counts, in any order of arrival."""
    archive = Archive(tmp_path_factory.mktemp("schedules"))
    new = [len(archive.append_schedules(parse_schedules([version]))) for version in order]
    assert sum(new) == 2
    pd.testing.assert_frame_equal(archive.read_schedules(), parse_schedules(VERSIONS[1:]))
    archive.compact()
    pd.testing.assert_frame_equal(archive.read_schedules(), parse_schedules(VERSIONS[1:]))
    pd.testing.assert_frame_equal(archive.read_schedules(latest=True), parse_schedules(VERSIONS[2:]))


def test_other_engines_read_the_folders_as_they_are(sample_archive):
    """Arrow's own dataset, DuckDB, Polars and Dask see the columns and the months without any help."""
    pattern = f"{sample_archive.location}/log/**/*.parquet"
    n = ds.dataset(f"{sample_archive.location}/log", partitioning="hive").count_rows()
    assert n == len(sample_archive.read_log())
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    rows = duckdb.sql(
        f"select count(*), count(distinct month), epoch_ms(min(created_at)) from read_parquet('{pattern}')"
    ).fetchall()[0]
    assert rows[:2] == (n, 3)
    assert pd.Timestamp(rows[2], unit="ms", tz="UTC") == sample_archive.read_log()["created_at"].min()
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    assert polars.scan_parquet(pattern, hive_partitioning=True).select(polars.len()).collect().item() == n


@pytest.mark.parametrize("at", ["2026-01-01", "2026-01-01T00:00:00", "soon", None])
def test_a_fetch_without_a_proper_instant_is_refused_before_anything_is_written(tmp_path, at):
    """The caller says when, with an offset; no clock is read inside."""
    with pytest.raises(InputError, match="fetched_at"):
        Archive(tmp_path).append(LOG, at)
    assert list(tmp_path.iterdir()) == []


def test_the_repr_hides_the_query_of_a_url():
    """A URL's query may hold keys; they are not shown."""
    url = "s3://key:secret@bucket/archive?region=us-east-1&endpoint_override=http%3A%2F%2F127.0.0.1%3A1"
    assert "secret" not in repr(Archive(url))
    assert "127.0.0.1" not in repr(Archive(url))
