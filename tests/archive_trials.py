"""
Trials of an archive: children that append and compact, are killed at random moments, and what is left is counted.

Imported, this is the side that kills and counts, for the tests and for ``benchmarks/archive.py --faults``. Run as a
script it is the side that is killed: it imports once and forks a child for every line of JSON on stdin, so that a
kill costs milliseconds. What a child has done for sure it appends to its file `done`.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np
import pandas as pd

from schedlog_analysis.cli import main, network  # noqa: F401 - a child must not spend its time on loading
from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.client import Client
from schedlog_analysis.sources.files import Sample, load_sample
from schedlog_analysis.sources.server import serving
from schedlog_analysis.sources.sync import sync

START = pd.Timestamp("2026-01-01T00:00Z").as_unit("ms")
STEP, SIZE = 5, 100  # successive windows share 95 % of their instants
NOBODY = 65534


def history(first: int, last: int) -> pd.DataFrame:
    """Entries number `first` to before `last` of three schedules; every seventh instant holds two equal errors."""
    numbers = np.arange(first, last)
    numbers = np.tile(np.repeat(numbers, 1 + (numbers % 7 == 0)), 3)
    log = pd.DataFrame(
        {
            "schedule_id": np.repeat(["s0", "s1", "s2"], len(numbers) // 3),
            "created_at": START + numbers * pd.Timedelta(hours=6),
            "level": "ERROR",
            "message": np.array(["no a", "no b", "no c"])[numbers % 3],
        }
    )
    return log.astype({"created_at": "datetime64[ms, UTC]"})


def window(number: int) -> pd.DataFrame:
    """What the API shows at the time of fetch `number`."""
    return history(number * STEP, number * STEP + SIZE)


def fetched_at(number: int) -> pd.Timestamp:
    """When that is."""
    return START + pd.Timedelta(hours=6) * (number * STEP + SIZE)


def append(archive: Archive, done: int, first: int = 0, step: int = 1, n: int | None = None) -> None:
    """Append window after window and say so after each."""
    for number in islice(count(first, step), n):
        archive.append(window(number), fetched_at(number))
        os.write(done, f"{number}\n".encode())


def compact(archive: Archive, done: int, n: int = 1) -> None:
    """Compact, again and again."""
    for _ in range(n):
        archive.compact()
        os.write(done, b"compacted\n")


def fill(archive: Archive, done: int, limit: int = 0) -> None:
    """Append with a limit on the size of files, which fails like a full disk."""
    _limit_files(limit)
    _told(done, lambda: archive.append(window(1), fetched_at(1)))


def squeeze(archive: Archive, done: int, limit: int = 0) -> None:
    """Compact with a limit on the size of files."""
    _limit_files(limit)
    _told(done, archive.compact)


def intrude(archive: Archive, done: int) -> None:
    """Append as a user who may not."""
    _become_nobody()
    _told(done, lambda: archive.append(window(1), fetched_at(1)))


def peer(archive: Archive, done: int) -> None:
    """Read as a user who may not, then what is left when damaged parts are skipped."""
    _become_nobody()
    _told(done, archive.read_log)
    archive.errors = "skip"
    os.write(done, f"{len(archive.read_log())}\n".encode())


def _limit_files(limit: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def _become_nobody() -> None:
    """Give up what root may, which is everything."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)


def carry(archive: Archive, done: int, url: str, token: str) -> None:
    """Sync by the command line, and say its exit code and what it told on stderr."""
    os.environ |= {"APIFY_TOKEN": token, "APIFY_API_BASE_URL": url}
    with tempfile.TemporaryFile() as told, open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
        os.dup2(told.fileno(), 2)
        os.dup2(nothing.fileno(), 1)
        code = main(["sync", archive.location])
        told.seek(0)
        sentence = " ".join(told.read().decode().split())
    os.write(done, f"{code} {sentence}\n".encode())


def _told(done: int, work: Callable[[], object]) -> None:
    try:
        work()
    except SchedlogError as error:
        os.write(done, f"{type(error).__name__}: {error}\n".encode())


@dataclass
class Tally:
    """What a trial left behind: all but the first two must be 0."""

    tries: int = 0
    hits: int = 0  # kills in the middle: something had landed on the disk, and the work was not done
    lost: int = 0
    doubled: int = 0
    unreadable: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Add up two trials."""
        return Tally(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    def count(self, archive: Archive, n: int, at_most: int) -> None:
        """Compare an archive with what happened: the first `n` windows for sure, no more than the first `at_most`."""
        self.tries += 1
        try:
            found = archive.read_log().value_counts()
            looked = set(archive.read_fetches()["fetched_at"])
        except SchedlogError:
            self.unreadable += 1
            return
        sure, possible = (history(0, (k - 1) * STEP + SIZE if k else 0).value_counts() for k in (n, at_most))
        self.lost += int((found.reindex(sure.index, fill_value=0) < sure).sum())
        self.lost += len({fetched_at(number) for number in range(n)} - looked)
        self.doubled += int((found > possible.reindex(found.index, fill_value=0)).sum())
        problems = archive.verify()["problem"].dropna()
        self.unreadable += int((~problems.str.startswith("was left by")).sum())


class Workers:
    """The process that forks all children."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, done: Path, **command) -> int:
        """Fork a child, wait until it has begun, and return its process id."""
        done.touch()
        before = len(told(done))
        self.process.stdin.write(json.dumps(command | {"done": str(done)}, default=str) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        while len(told(done)) == before:
            time.sleep(0.001)
        return pid

    def time(self, done: Path, **command) -> float:
        """Seconds that a child works if nobody kills it."""
        pid = self.start(done, **command)
        started = time.perf_counter()
        wait(pid)
        return time.perf_counter() - started

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def files(archive: Archive) -> list[Path]:
    """All files of an archive, temporary ones too."""
    return [Path(folder, name) for folder, _, names in os.walk(archive.location) for name in names]


def told(done: Path) -> list[str]:
    """What a child has done for sure."""
    return done.read_text().splitlines()


def wait(*pids: int) -> None:
    """Wait until all children are gone."""
    deadline = time.monotonic() + 120
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "a child hangs"
        time.sleep(0.002)


def is_alive(pid: int) -> bool:
    """Whether a child still runs."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def pause(chance: random.Random, duration: float, archive: Archive, *, is_aimed: bool) -> None:
    """Sleep for any part of the work, or, aimed, until a file comes or goes and any few milliseconds more."""
    deadline, before = time.monotonic() + duration, files(archive)
    while is_aimed and time.monotonic() < deadline and files(archive) == before:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.01 if is_aimed else duration))


def kill(pid: int) -> None:
    """End a child as rudely as there is."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait(pid)


def kill_append(folder: Path, workers: Workers, tries: int) -> Tally:
    """Kill a writer at a random moment, again and again in one archive; the next goes on where it died."""
    tally, chance, archive, first = Tally(), random.Random(1), Archive(folder / "archive"), 0
    duration = workers.time(folder / "timed", do="append", location=folder / "other", n=4)
    for number in range(tries):
        done = folder / f"done{number}"
        pid = workers.start(done, do="append", location=archive.location, first=first)
        pause(chance, duration, archive, is_aimed=number % 2 == 1)
        kill(pid)
        after = files(archive)
        first = max([first, *(int(line) + 1 for line in told(done) if line.isdigit())])
        tally.count(archive, first, first + 1)
        # An append that was acknowledged ends with a fetch; any file after the last one is of an unfinished append.
        tally.hits += bool(after) and "fetches" not in max(after, key=lambda file: file.stat().st_mtime_ns).parts
    archive.append(window(first), fetched_at(first))
    archive.compact()
    tally.count(archive, first + 1, first + 1)
    return tally


def kill_compact(folder: Path, workers: Workers, tries: int, n_windows: int = 6) -> Tally:
    """Kill a compaction of the same archive at a random moment; what is left must answer, and so after the next one."""
    tally, chance, origin = Tally(), random.Random(2), Archive(folder / "origin")
    for number in range(n_windows):
        origin.append(window(number), fetched_at(number))
    shutil.copytree(origin.location, folder / "other")
    duration = workers.time(folder / "timed", do="compact", location=folder / "other")
    for number in range(tries):
        done, copy = folder / f"done{number}", folder / f"copy{number}"
        shutil.copytree(origin.location, copy)
        pid = workers.start(done, do="compact", location=copy)
        pause(chance, duration, Archive(copy), is_aimed=number % 2 == 1)
        kill(pid)
        tally.hits += "compacted" not in told(done) and len(files(Archive(copy))) != len(files(origin))
        for _ in ("as it was left", "compacted again"):
            tally.count(Archive(copy), n_windows, n_windows)
            Archive(copy).compact()
        tally.tries -= 1
    return tally


def interrupt_sync(folder: Path, workers: Workers, tries: int) -> tuple[Tally, list[str]]:
    """
    Interrupt a sync by SIGINT and SIGTERM in turn, each in an archive of its own, then sync again and count.

    What each child told is given too: its exit code and sentence. A hit is a sync that did not end by itself.
    """
    tally, chance, ends = Tally(), random.Random(4), []
    sample = load_sample()
    with serving(str(sample.path)) as (url, token):
        duration = workers.time(folder / "timed", do="carry", location=folder / "other", url=url, token=token)
        for number in range(tries):
            done, archive = folder / f"done{number}", Archive(folder / f"archive{number}")
            pid = workers.start(done, do="carry", location=archive.location, url=url, token=token)
            time.sleep(duration / 10)  # before anything is asked or written there is nothing to interrupt
            pause(chance, duration, archive, is_aimed=number % 4 > 1)
            with suppress(ProcessLookupError):
                os.kill(pid, (signal.SIGINT, signal.SIGTERM)[number % 2])
            wait(pid)
            ends.append(told(done)[-1])
            tally.hits += not ends[-1].startswith("0")
            _count_sample(tally, archive, sample)
            sync(Client(token, base_url=url), archive)
            _count_sample(tally, archive, sample)
            tally.lost += len(sample.log) - len(archive.read_log()) + len(sample.runs) - len(archive.read_runs())
            tally.tries += 1
    return tally, ends


def _count_sample(tally: Tally, archive: Archive, sample: Sample) -> None:
    """Nothing is there that is not in the sample, or more often; nothing is unreadable, nothing is left behind."""
    try:
        found, runs = archive.read_log().value_counts(), archive.read_runs()["run_id"]
    except SchedlogError:
        tally.unreadable += 1
        return
    true = sample.log.value_counts()
    tally.doubled += int((found > true.reindex(found.index, fill_value=0)).sum()) + int(runs.duplicated().sum())
    tally.unreadable += int(archive.verify()["problem"].notna().sum())


def crowd(folder: Path, workers: Workers, n_writers: int, n_windows: int) -> Tally:
    """Let several writers and a compactor work at once, and read all the time: no reading may show less than before."""
    tally, location, seen = Tally(), folder / "archive", 0
    pids = [
        workers.start(folder / f"done{first}", do="append", location=location, first=first, step=n_writers, n=n_windows)
        for first in range(n_writers)
    ]
    compactor = workers.start(folder / "compacted", do="compact", location=location, n=100_000)
    while any(map(is_alive, pids)):
        n = len(Archive(location).read_log())
        tally.lost += max(seen - n, 0)
        seen = max(seen, n)
    tally.unreadable += not is_alive(compactor)  # it ends by itself only when something could not be read
    kill(compactor)
    tally.hits = told(folder / "compacted").count("compacted")
    tally.count(Archive(location), n_windows * n_writers, n_windows * n_writers)
    return tally


def obey() -> None:
    """Fork a child per command, after everything that is loaded late was loaded: kills must hit the work, not that."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(2):
            Archive(folder).append(window(number), fetched_at(number))
        Archive(folder).compact()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        command = json.loads(line)
        pid = os.fork()
        if not pid:
            done = os.open(command.pop("done"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(done, b"started\n")
            globals()[command.pop("do")](Archive(Path(command.pop("location"))), done, **command)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    obey()
