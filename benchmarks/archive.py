"""
What an archive costs: syncing into it and reading from it, at the size of a large account; and what it survives.

::

    python benchmarks/archive.py                      # 10 million entries: half a minute, and 1 GB to build them
    python benchmarks/archive.py --entries 1000000
    python benchmarks/archive.py --faults             # 50 kills each, concurrent writers, interrupted syncs

Each sync and each reading runs in a process of its own, so that its peak of memory (as Linux tells it) is its own;
"nothing, only loaded" is the process that does neither. The tables printed are Markdown.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis.schema import Schedules
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.client import Client
from schedlog_analysis.sources.fetched import Fetched

N_SCHEDULES = 1000
START = pd.Timestamp("2026-01-01T00:00Z").as_unit("ms")
END = pd.Timestamp("2026-07-01T00:00Z").as_unit("ms")
MESSAGES = np.array(
    ["Schedule invoked"]
    + [f'Cannot start Actor task "iEvfA6pm6DWjRTGxS": Field input.field{number} is required' for number in range(300)]
)
READINGS = {
    "nothing, only loaded": "()",
    "one schedule's month": "archive.read_log(['s00500'], '2026-03-01T00:00Z', '2026-04-01T00:00Z')",
    "one schedule, all months": "archive.read_log(['s00500'])",
    "fleet month, categoricals": "archive.read_log(None, '2026-03-01T00:00Z', '2026-04-01T00:00Z', categories=True)",
    "fleet month, plain text": "archive.read_log(None, '2026-03-01T00:00Z', '2026-04-01T00:00Z')",
    "everything, plain text": "archive.read_log()",
    "everything that a report reads": "Source.read(archive.location).log",
    "coverage of everything": "archive.coverage()",
}
PRELUDE = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
from archive import Account
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.account import Source
from schedlog_analysis.sources.sync import sync
Archive("nowhere").read_log()  # loads what is loaded late
archive = Archive({folder!r})

def peak():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024
"""


def entries(schedules: range, first: int, last: int, step: pd.Timedelta) -> pd.DataFrame:
    """Entries number `first` to before `last` of some schedules; 5 % fail, jitter below 1024 ms; the same each time."""
    number = np.tile(np.arange(first, last), len(schedules))
    owner = np.repeat(np.array(schedules), last - first)
    mixed = (number + owner * 1_000_003).astype("u8") * np.uint64(0x9E3779B97F4A7C15)
    mixed = ((mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(33)).astype("i8")
    fails = mixed % 20 == 0
    at = START.value // 10**6 + number * (step // pd.Timedelta(1, "ms")) + owner * 37 % 60_000 + mixed // 20 % 1024
    return pd.DataFrame(
        {
            "schedule_id": pd.Categorical.from_codes(owner - schedules[0], [f"s{each:05d}" for each in schedules]),
            "created_at": pd.DatetimeIndex(at.astype("M8[ms]")).tz_localize("UTC"),
            "level": pd.Categorical.from_codes(fails.astype("i1"), ["INFO", "ERROR"]),
            "message": pd.Categorical.from_codes(np.where(fails, 1 + mixed // 20480 % 300, 0), MESSAGES),
        }
    )


def window(each: int) -> tuple[pd.DataFrame, pd.Timestamp]:
    """What 100 schedules show a little later: windows of 1000 entries of which 50 are new."""
    step = (END - START) / each
    return entries(range(100), each - 950, each + 50, step), (END + 50 * step).floor("ms").as_unit("ms")


class Account(Client):
    """A client whose answers are already there, so that a sync costs what the archive costs."""

    def __init__(self, each: int) -> None:
        log, at = window(each)
        names = log["schedule_id"].cat.categories.astype("str")
        schedules = Schedules.cast(
            pd.DataFrame(
                {
                    "schedule_id": names, "name": names, "title": None, "cron": "* * * * *", "timezone": "UTC",
                    "is_enabled": True, "is_exclusive": False, "created_at": START, "modified_at": START,
                    "next_run_at": None, "last_run_at": at, "n_actions": 1,
                }
            )
        )  # fmt: skip
        self.fetched = Fetched(log, schedules, dict.fromkeys(names, 1000), {}, at)

    def fetch_logs(self, _: object = None) -> Fetched:
        """Answer at once."""
        return self.fetched


def build(folder: Path, n_entries: int) -> int:
    """Fill an archive, 100 schedules at a time, and compact it; returns the entries of each schedule."""
    archive, each = Archive(folder), n_entries // N_SCHEDULES
    step = (END - START) / each
    started = time.perf_counter()
    for block in range(0, N_SCHEDULES, 100):
        archive.append(entries(range(block, block + 100), 0, each, step), END)
        print(f"\r{block + 100} schedules", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    middle = time.perf_counter()
    archive.compact()
    n_bytes, n_files = size(folder)
    print(
        f"{n_entries:,} entries of {N_SCHEDULES:,} schedules: appended in {middle - started:.1f} s, compacted in "
        f"{time.perf_counter() - middle:.1f} s to {n_bytes / 1e6:.1f} MB in {n_files} files.",
        flush=True,
    )
    return each


def size(folder: Path) -> tuple[int, int]:
    """Bytes and files in a folder."""
    files = [file.stat().st_size for file in folder.rglob("*.parquet")]
    return sum(files), len(files)


def child(folder: Path, code: str) -> list[float]:
    """Run code in a fresh process; the list that it prints."""
    text = PRELUDE.format(here=str(Path(__file__).parent), folder=str(folder)) + code
    done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, check=True)
    return list(json.loads(done.stdout))


def write(folder: Path, each: int) -> None:
    """Sync windows of which 5 % are new, by `append` alone, once more, and as `schedlog sync` does."""
    head("100 schedules x 1000 entries, 95 % known", "seconds", "CPU seconds", "new entries", "KB written", "peak MB")
    calls = {
        "`append`": "len(archive.append(account.fetched.log, account.fetched.fetched_at))",
        "`append` once more": "len(archive.append(account.fetched.log, account.fetched.fetched_at))",
        "all that `sync` does": "int(sync(account, archive, with_runs=False).schedules['n_new'].sum())",
    }
    origin = folder.with_name("origin")
    shutil.copytree(folder, origin)
    for name, call in calls.items():
        if name.startswith("all"):
            shutil.rmtree(folder)
            shutil.copytree(origin, folder)
        before, _ = size(folder)
        code = f"""
account = Account({each})
started = time.perf_counter(), time.process_time()
new = {call}
print(json.dumps([time.perf_counter() - started[0], time.process_time() - started[1], new, peak()]))
"""
        wall, work, new, peak = child(folder, code)
        n_bytes = size(folder)[0] - before
        print(f"| {name} | {wall:.2f} | {work:.2f} | {new:,} | {n_bytes / 1e3:,.1f} | {peak:.0f} |", flush=True)


def read(folder: Path) -> None:
    """Time every reading, the best of three calls, and its peak of memory."""
    head("reading", "seconds", "CPU seconds", "rows", "peak MB")
    for name, call in READINGS.items():
        code = f"""
seconds = []
for _ in range(3):
    started = time.perf_counter(), time.process_time()
    rows = len({call})
    seconds.append((time.perf_counter() - started[0], time.process_time() - started[1]))
print(json.dumps([*min(seconds), rows, peak()]))
"""
        wall, work, rows, peak = child(folder, code)
        print(f"| {name} | {wall:.3f} | {work:.3f} | {rows:,} | {peak:.0f} |", flush=True)


def head(*columns: str) -> None:
    """Print the head of a table."""
    print(f"\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)


def faults(n_tries: int) -> None:
    """Kill and crowd: the tests' own trials, many times over."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import archive_trials as trials  # noqa: PLC0415 - of the tests, so only from a checkout and for this table

    workers = trials.Workers()
    rows = [
        ("kill -9 of append", trials.kill_append, (n_tries,)),
        ("kill -9 of compact", trials.kill_compact, (n_tries,)),
        ("SIGINT or SIGTERM of `schedlog sync`", lambda *given: trials.interrupt_sync(*given)[0], (n_tries,)),
        ("2 concurrent writers, a compactor and a reader", repeated(trials.crowd), (n_tries // 5, 2, 10)),
        ("4 concurrent writers, a compactor and a reader", repeated(trials.crowd), (n_tries // 5, 4, 10)),
    ]
    head("trial", "tries", "ended in the middle, or compactions meanwhile", "lost", "doubled", "unreadable")
    for name, trial, arguments in rows:
        with tempfile.TemporaryDirectory() as folder:
            told = trial(Path(folder), workers, *arguments)
        print(f"| {name} | {told.tries} | {told.hits} | {told.lost} | {told.doubled} | {told.unreadable} |", flush=True)
    workers.close()


def repeated(trial: Callable[..., Any]) -> Callable[..., Any]:
    """Do a trial several times, each in a folder of its own, and add up."""

    def trials(folder: Path, workers: object, n_tries: int, *arguments: int) -> Any:
        total = None
        for number in range(n_tries):
            (folder / str(number)).mkdir()
            told = trial(folder / str(number), workers, *arguments)
            total = told if total is None else total + told
        return total

    return trials


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--tries", type=int, default=50)
    options = parser.parse_args()
    if options.faults:
        faults(options.tries)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "archive")
        each = build(folder, options.entries)
        read(folder)
        write(folder, each)


if __name__ == "__main__":
    main()
