"""An archive survives what really happens to it: kill -9, several writers, a full disk, damaged and foreign files."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import pandas as pd
import pytest

from schedlog_analysis.errors import ArchiveError, InputError
from schedlog_analysis.schema import Log
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.files import load_sample

if sys.platform == "win32":
    pytest.skip("the faults are made with fork and signals", allow_module_level=True)

_spec = importlib.util.spec_from_file_location("archive_trials", Path(__file__).with_name("archive_trials.py"))
trials = importlib.util.module_from_spec(_spec)
sys.modules["archive_trials"] = trials
_spec.loader.exec_module(trials)

T0 = pd.Timestamp("2026-11-01T00:00:00Z")


@pytest.fixture(scope="module")
def workers():
    """One process that forks all children of this file."""
    workers = trials.Workers()
    yield workers
    workers.close()


def test_kill_9_while_appending_loses_and_doubles_nothing(tmp_path, workers):
    """Whatever an append acknowledged is there, and at most one more; the next writer goes on where this one died."""
    tally = trials.kill_append(tmp_path, workers, 6)
    assert (tally.lost, tally.doubled, tally.unreadable) == (0, 0, 0)
    assert tally.tries == 7


def test_kill_9_while_compacting_changes_no_answer(tmp_path, workers):
    """After a killed compaction, and after the next one that ends, nothing is lost, doubled or unreadable."""
    tally = trials.kill_compact(tmp_path, workers, 6)
    assert (tally.tries, tally.lost, tally.doubled, tally.unreadable) == (6, 0, 0, 0)


@pytest.mark.parametrize("n_writers", [2, 4])
def test_concurrent_writers_and_a_compactor_give_the_union(tmp_path, workers, n_writers):
    """Several writers, a compactor among them and a reader beside: the union, and no reader ever sees less."""
    tally = trials.crowd(tmp_path, workers, n_writers, 3)
    assert (tally.lost, tally.doubled, tally.unreadable) == (0, 0, 0)
    assert tally.hits > 0, "no compaction ended meanwhile"


def test_the_trials_would_notice(tmp_path):
    """An archive that lost a month, or that holds an entry once too often, is counted as such."""
    archive, tally = Archive(tmp_path), trials.Tally()
    archive.append(trials.window(0), trials.fetched_at(0))
    tally.count(archive, 1, 1)
    assert (tally.lost, tally.doubled, tally.unreadable) == (0, 0, 0)
    tally.count(archive, 2, 2)
    assert tally.lost > 0
    archive.append(pd.concat([trials.window(0)] * 2), trials.fetched_at(0))
    tally.count(archive, 1, 1)
    assert tally.doubled > 0
    next(tmp_path.rglob("*.parquet")).write_bytes(b"torn")
    tally.count(archive, 1, 1)
    assert tally.unreadable == 1


@pytest.fixture
def archive(tmp_path):
    """An archive of the sample in several parts."""
    sample, archive = load_sample(), Archive(tmp_path / "archive")
    for number, rows in enumerate((sample.log.iloc[:2500], sample.log.iloc[2000:])):
        archive.append(rows, T0 + pd.Timedelta(number, "h"))
    return archive


def assert_untouched(archive: Archive, before: pd.DataFrame, message: str, *parts: str) -> None:
    """An ArchiveError of one sentence that names the path came, and what the archive had is still there."""
    assert message.startswith("ArchiveError: The archive cannot use ")
    for part in parts:
        assert part in message
    pd.testing.assert_frame_equal(archive.read_log(), before)
    assert archive.verify()["problem"].isna().all()


def test_a_file_that_cannot_grow_is_told_and_harms_nothing(tmp_path, workers, archive):
    """A write that fails in the middle leaves the archive as it was, without a torn file."""
    before = archive.read_log()
    trials.wait(workers.start(tmp_path / "done", do="fill", location=archive.location, limit=500))
    assert_untouched(archive, before, trials.told(tmp_path / "done")[-1], archive.location, "File too large")


@contextmanager
def tiny_disk(folder: Path):
    """Mount a file system of 128 kB, where this is allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_harms_nothing(tmp_path):
    """On a disk that is full, append says so, and everything that was in the archive is still there."""
    with tiny_disk(tmp_path / "disk") as disk:
        archive = Archive(disk / "archive")
        archive.append(trials.window(0), trials.fetched_at(0))
        before = archive.read_log()
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        with pytest.raises(ArchiveError) as caught:
            archive.append(trials.window(1), trials.fetched_at(1))
        assert_untouched(archive, before, f"ArchiveError: {caught.value}", archive.location, "No space left on device")


def test_a_disk_that_is_full_while_compacting_costs_nothing(tmp_path, workers, archive):
    """The merged part does not fit: the parts that it was to replace are all still there."""
    before, n = archive.read_log(), len(trials.files(archive))
    trials.wait(workers.start(tmp_path / "done", do="squeeze", location=archive.location, limit=500))
    assert_untouched(archive, before, trials.told(tmp_path / "done")[-1], archive.location, "File too large")
    assert len(trials.files(archive)) == n


def test_a_part_that_may_not_be_read_is_named_and_the_rest_is_read(workers, archive):
    """To somebody who may not read one file, it is as good as damaged, and the others are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        copy = Path(folder, "archive")
        shutil.copytree(archive.location, copy)
        locked = min(copy.glob("log/month=2026-10/*.parquet"))
        locked.chmod(0)
        done = Path(folder, "done")
        trials.wait(workers.start(done, do="peer", location=copy))
        refused, rest = trials.told(done)[-2:]
        assert refused.startswith("ArchiveError: ")
        assert locked.name in refused
        assert "Permission denied" in refused
        assert 0 < int(rest) < len(archive.read_log())


def test_a_folder_that_may_not_be_written_is_told(workers, archive):
    """A read-only archive is read, and appending to it is refused in one sentence."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        copy = Path(folder, "archive")
        shutil.copytree(archive.location, copy)
        for each in (copy, *copy.rglob("*")):
            each.chmod(0o555)
        done = Path(folder, "done")
        trials.wait(workers.start(done, do="intrude", location=copy))
        assert_untouched(Archive(copy), archive.read_log(), trials.told(done)[-1], str(copy), "Permission denied")
        for each in (copy, *copy.rglob("*")):
            each.chmod(0o755)


def test_a_location_that_is_a_file_is_told(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match=r"cannot use .*file"):
        Archive(tmp_path / "file").append(load_sample().log, T0)
    with pytest.raises(ArchiveError, match=r"cannot use .*file"):
        Archive(tmp_path / "file" / "below").append(load_sample().log, T0)


def _halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 4] ^= 16
    file.write_bytes(content)


def _replace(file: Path) -> None:
    Log.empty().to_parquet(file)


def _nul(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _reorder(file: Path) -> None:
    rows = pd.read_parquet(file)
    rows[rows.columns[::-1]].to_parquet(file, index=False)


def _be_json(file: Path) -> None:
    file.write_text('{"data": []}')


def _be_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _lead_nowhere(file: Path) -> None:
    file.unlink()
    file.symlink_to("/nowhere/part.parquet")


def _be_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGES = [_halve, _empty, _flip, _replace, _nul, _reorder, _be_json, _be_folder, _lead_nowhere, _be_pipe]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_is_named_and_the_rest_is_read(archive, damage):
    """Reading raises with the file's name; told to skip, it warns with the name and reads what is whole."""
    whole = archive.read_log()
    victim = min(Path(archive.location).glob("log/month=2026-10/*.parquet"))
    damage(victim)
    with pytest.raises(ArchiveError, match=victim.name) as caught:
        archive.read_log()
    assert str(caught.value).count("\n") == 0
    lenient = Archive(archive.location, errors="skip")
    with pytest.warns(UserWarning, match=victim.name):
        rest = lenient.read_log()
    assert 0 < len(rest) < len(whole)
    assert len(rest.merge(whole, how="left", indicator=True).query("_merge != 'both'")) == 0
    problems = archive.verify().dropna(subset="problem")
    assert problems["path"].tolist() == [str(victim)]
    # Compacting reads what it merges, and leaves alone what is no file at all.
    with pytest.warns(UserWarning, match=victim.name) if victim.is_file() else nullcontext():
        lenient.compact()
    assert os.path.lexists(victim)
    if victim.is_dir():
        victim.rmdir()  # which nothing can be written in place of
    archive.append(load_sample().log, T0)  # the lost entries are written again, maybe under the very same name
    for path in archive.verify().dropna(subset="problem")["path"]:
        Path(path).unlink()
    pd.testing.assert_frame_equal(archive.read_log(), whole)


STRAY = {
    "notes.txt": True,
    "Thumbs.db": True,
    "month=2026-10/copy of a part.parquet": True,
    "month=2026-10/0123456789abcdef0123456789abcdef (conflicted copy).parquet": True,
    "0123456789abcdef0123456789abcdef.parquet": False,
    "month=2026-99/0123456789abcdef0123456789abcdef.parquet": True,
    "month=0000-00/0123456789abcdef0123456789abcdef.parquet": True,
}


@pytest.mark.parametrize("name", STRAY)
def test_a_foreign_file_is_named_and_the_rest_is_read(archive, name):
    """A file that no archive wrote is named, not read by accident and not deleted; a part elsewhere is an error."""
    whole = archive.read_log()
    stranger = Path(archive.location, "log", name)
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(next(Path(archive.location).rglob("*.parquet")).read_bytes())
    if not STRAY[name]:
        with pytest.raises(ArchiveError, match=stranger.name):
            archive.read_log()
    for reader in (archive, Archive(archive.location, errors="skip"))[0 if STRAY[name] else 1 :]:
        with pytest.warns(UserWarning, match=re.escape(stranger.name)):
            pd.testing.assert_frame_equal(reader.read_log(), whole)
    assert archive.verify().dropna(subset="problem")["path"].tolist() == [str(stranger)]
    assert archive.append(load_sample().log, T0).empty
    archive.compact()
    assert stranger.exists()


@pytest.mark.parametrize("year", [1970, 2014, 2100, 2200])
def test_the_clock_of_a_fetch_must_be_of_this_age(archive, year):
    """Such a fetch is not added; where an older version added it, the file that must go is named."""
    with pytest.raises(InputError, match=r"`fetched_at` is .*; expected an instant from 2015 to 2099"):
        archive.append(Log.empty(), f"{year}-01-01T00:00:00Z", ["a"])
    old = next(Path(archive.location).glob("fetches/*/*.parquet"))
    wrong = Path(archive.location, "fetches", f"month={year}-01", old.name)
    wrong.parent.mkdir()
    wrong.write_bytes(old.read_bytes())
    with pytest.raises(ArchiveError, match=f"{wrong.name} holds fetches of {year}-01, when a clock was wrong"):
        archive.read_fetches()


def test_a_part_that_was_moved_to_another_month_is_found(archive):
    """Reading by month would pass it by, so verify says where it should not stand."""
    part = next(Path(archive.location).glob("log/month=2026-10/*.parquet"))
    moved = Path(archive.location, "log", "month=2027-01", part.name)
    moved.parent.mkdir()
    part.rename(moved)
    problems = archive.verify().dropna(subset="problem")
    assert problems["path"].tolist() == [str(moved)]
    assert "wrong month" in problems["problem"].iloc[0]


def test_hidden_files_are_nobody_s_business(archive):
    """What operating systems and engines leave (.DS_Store, _SUCCESS) is ignored, as all readers of Parquet do."""
    whole = archive.read_log()
    for name in (".DS_Store", "_SUCCESS", "month=2026-10/._copy.parquet"):
        Path(archive.location, "log", name).write_bytes(b"")
    pd.testing.assert_frame_equal(archive.read_log(), whole)
    assert archive.verify()["problem"].isna().all()


def test_what_a_killed_writer_left_is_swept_after_a_day(archive):
    """A fresh temporary file may belong to a living writer; one that is a day old belongs to nobody."""
    fresh, old = (Path(archive.location, "log", f".{name}.1.tmp") for name in ("fresh", "old"))
    for file in (fresh, old):
        file.write_bytes(b"torn")
    yesterday = time.time() - 100_000
    os.utime(old, (yesterday, yesterday))
    assert archive.verify()["problem"].notna().sum() == 2
    archive.compact()
    assert (fresh.exists(), old.exists()) == (True, False)


def test_every_flipped_bit_is_noticed(tmp_path):
    """Any flipped bit of a part is found by verify and by reading, which names the part and returns at once."""
    archive = Archive(tmp_path)
    archive.append(trials.window(0).iloc[:20], T0)
    before = archive.read_log()
    part = next(tmp_path.glob("log/*/*.parquet"))
    content = part.read_bytes()
    for position in random.Random(3).sample(range(len(content)), 60):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        part.write_bytes(damaged)
        assert archive.verify()["problem"].notna().sum() == 1
        with pytest.raises(ArchiveError, match=f"{part.name} is damaged"):
            archive.read_log()
    part.write_bytes(content)
    pd.testing.assert_frame_equal(archive.read_log(), before)


@pytest.fixture(scope="module")
def bucket():
    """A bucket on a real local server that speaks S3."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[server]'")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: it comes with moto")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="bucket")
    yield f"s3://key:secret@bucket/{{}}?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    client.close()
    server.stop()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of moto's own server
def test_an_object_store_holds_the_same_archive(bucket):
    """On S3: the union of overlapping windows, runs, versions, compaction that changes nothing, no complaints."""
    sample, archive = load_sample(), Archive(bucket.format("a/b"))
    assert not archive.exists()
    for number, start in enumerate((0, 1000, 500, 2600)):
        archive.append(sample.log.iloc[start : start + 2000], T0 + pd.Timedelta(number, "h"))
    archive.append_runs(sample.runs)
    archive.append_schedules(sample.schedules)
    pd.testing.assert_frame_equal(archive.read_log(), sample.log)
    assert archive.compact() > 0
    pd.testing.assert_frame_equal(archive.read_log(), sample.log)
    pd.testing.assert_frame_equal(archive.read_runs(), sample.runs)
    pd.testing.assert_frame_equal(archive.read_schedules(), sample.schedules)
    assert archive.verify()["problem"].isna().all()
    assert archive.append(sample.log, T0).empty
    assert len(archive.read_log(since="2026-10-01T00:00Z")) == (sample.log["created_at"] >= "2026-10-01T00:00Z").sum()


def test_a_store_that_cannot_be_reached_is_told_without_its_keys():
    """One sentence that names the store; the keys in its URL are not in it."""
    url = "s3://key:secret@bucket/a?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1&connect_timeout=1"
    with pytest.raises(ArchiveError, match="bucket/a") as caught:
        Archive(url).append(load_sample().log, T0)
    assert "secret" not in str(caught.value)
