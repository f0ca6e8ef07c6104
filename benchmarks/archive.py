"""
What an archive costs: syncing into it and reading from it, at the size of a large account; and what it survives.

::

    python benchmarks/archive.py                      # 10 million entries: minutes, and 1 GB of memory to build them
    python benchmarks/archive.py --entries 1000000
    python benchmarks/archive.py --faults             # 50 kills of append, 50 of compact, 2 and 4 concurrent writers

Each reading runs in a process of its own, so that its peak of memory (as Linux tells it) is its own; ``import`` is the
process that reads nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from schedlog_analysis.archive import Archive

N_SCHEDULES, N_MONTHS = 1000, 6
START = pd.Timestamp("2026-01-01T00:00Z").as_unit("ms")
END = pd.Timestamp("2026-07-01T00:00Z").as_unit("ms")
MESSAGES = np.array(
    ["Schedule invoked"]
    + [f'Cannot start Actor task "iEvfA6pm6DWjRTGxS": Field input.field{number} is required' for number in range(300)]
)
READINGS = {
    "import": "()",
    "one schedule's month": "archive.read_log(['s00500'], '2026-03-01T00:00Z', '2026-04-01T00:00Z')",
    "one schedule, all months": "archive.read_log(['s00500'])",
    "fleet month, categoricals": "archive.read_log(None, '2026-03-01T00:00Z', '2026-04-01T00:00Z', categories=True)",
    "fleet month, plain text": "archive.read_log(None, '2026-03-01T00:00Z', '2026-04-01T00:00Z')",
    "coverage of everything": "archive.coverage()",
}


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


def build(folder: Path, n_entries: int) -> tuple[Archive, pd.Timedelta, int]:
    """Fill an archive, 100 schedules at a time, and compact it."""
    archive, each = Archive(folder), n_entries // N_SCHEDULES
    step = (END - START) / each
    started = clocks()
    for block in range(0, N_SCHEDULES, 100):
        archive.append(entries(range(block, block + 100), 0, each, step), END)
        print(f"\r{block + 100} schedules, {clocks()[0] - started[0]:.0f} s", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    report("build: append", started, folder)
    started = clocks()
    archive.compact()
    report("build: compact", started, folder)
    return archive, step, each


def size(folder: Path) -> tuple[int, int]:
    """Bytes and files in a folder."""
    files = [file.stat().st_size for file in folder.rglob("*.parquet")]
    return sum(files), len(files)


def clocks() -> tuple[float, float]:
    """Seconds on the wall and seconds of work; on a busy machine only the latter compare."""
    return time.perf_counter(), time.process_time()


def report(name: str, started: tuple[float, float], folder: Path, before: tuple[int, int] = (0, 0)) -> None:
    """Print a line of the table."""
    wall, work = (now - then for now, then in zip(clocks(), started, strict=True))
    n_bytes, n_files = (now - then for now, then in zip(size(folder), before, strict=True))
    print(f"{name:40} {wall:8.2f} s {work:8.2f} s CPU {n_bytes / 1e6:8.2f} MB in {n_files} files", flush=True)


def sync(archive: Archive, folder: Path, step: pd.Timedelta, each: int, name: str) -> None:
    """Append what 100 schedules show a little later: windows of 1000 entries of which 50 are new."""
    window = entries(range(100), each - 950, each + 50, step)
    before, started = size(folder), clocks()
    new = archive.append(window, END + 50 * step)
    report(f"{name}: {len(window)} entries, {len(new)} new", started, folder, before)


def read(folder: Path) -> None:
    """Time every reading in a fresh process, the best of three calls, and its peak of memory."""
    for name, call in READINGS.items():
        code = f"""
import json, time
from pathlib import Path
from schedlog_analysis.archive import Archive
Archive("nowhere").read_log()  # loads what is loaded late
archive, seconds = Archive({str(folder)!r}), []
for _ in range(3):
    started = time.perf_counter(), time.process_time()
    rows = len({call})
    seconds.append((time.perf_counter() - started[0], time.process_time() - started[1]))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([*min(seconds), rows, int(status["VmHWM"].split()[0])]))
"""
        wall, work, rows, peak = json.loads(
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        )
        print(f"{name:40} {wall:8.3f} s {work:8.3f} s CPU {rows:9,} rows {peak / 1024:6.0f} MB peak", flush=True)


def faults(n_tries: int) -> None:
    """Kill and crowd: the tests' own trials, many times over."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import archive_trials as trials  # noqa: PLC0415 - of the tests, so only from a checkout and for this table

    workers = trials.Workers()
    rows = [
        (f"kill -9 of append, {n_tries} times", trials.kill_append, (n_tries,)),
        (f"kill -9 of compact, {n_tries} times", trials.kill_compact, (n_tries,)),
        ("2 concurrent writers, compactor, reader", trials.crowd, (2, 25)),
        ("4 concurrent writers, compactor, reader", trials.crowd, (4, 25)),
    ]
    for name, trial, arguments in rows:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name:42} {trial(Path(folder), workers, *arguments)}", flush=True)
    workers.close()


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
        archive, step, each = build(folder, options.entries)
        sync(archive, folder, step, each, "sync")
        sync(archive, folder, step, each, "the same again")
        read(folder)


if __name__ == "__main__":
    main()
