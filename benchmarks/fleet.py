"""
Fleets: what an archive of millions of entries costs, beside Polars and pandas, as it grows, and on workers.

::

    python benchmarks/fleet.py                                                     # 1 million entries: a minute
    python benchmarks/fleet.py --entries 10000000 --repeat 3 --stages peers workers report start
    python benchmarks/fleet.py --entries 30000000 --stages growth                  # 1, 3, 10 and 30 million
    python benchmarks/fleet.py --entries 100000000 --stages large

The archives (`simulate.simulate_fleet`: 1000 schedules, 3 % errors, 300 texts; some 3 bytes an entry) are made in a
temporary folder and removed. Every contender runs in a process of its own, in turns; figures are the best of all
turns, without the time to import, which the stage `start` shows. The sums of what they found must agree, else the exit
code is 1. The tables printed are Markdown; the tasks are in `fleet_tasks.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

TASKS = Path(__file__).with_name("fleet_tasks.py")
STAGES = ("peers", "growth", "large", "workers", "report", "start")
CONTENDERS = {
    "everything": "`fleet.analyze`: all tables of a report",
    "three": "cadence, error rates and clusters only",
    "polars": "the same in Polars",
    "counting": "the same in Polars, misses counted but not dated",
    "pandas": "the same in pandas",
}
LEFT_OUT = """\
The peers' code does less. They take the plan as "every n minutes" in UTC: no cron, no change of the clock, no tick that
the log cannot show, no definition that changed. They mask what looks like an id or a number instead of mining
templates, and compute no jitter, drift, outages, causes or intervals of confidence."""
MODEL = 500_000_000


def run(task, folder, number=0):
    """Do a task in a process of its own."""
    words = [sys.executable, str(TASKS), task, str(folder), str(number)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{task}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def best(task, folder, repeat, number=0):
    """Repeat a task; give the fastest."""
    return min((run(task, folder, number) for _ in range(repeat)), key=lambda told: told["seconds"])


@contextmanager
def archive(n):
    """Make an archive of n entries for a while."""
    with tempfile.TemporaryDirectory(prefix="schedlog-fleet-") as folder:
        yield folder, run("build", folder, n)


def show(title, head, rows):
    print(f"\n### {title}\n")
    for row in (head, ["---"] + ["---:"] * (len(head) - 1), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def mib(n):
    return f"{n / 2**20:,.0f} MiB"


def peers(folder, built, options):
    """Show us beside Polars and pandas; whether all found the same."""
    known = {
        name: title for name, title in CONTENDERS.items() if name not in ("polars", "counting") or find_spec("polars")
    }
    turns = [{name: run(name, folder) for name in known} for _ in range(options.repeat)]
    told = {name: min((turn[name] for turn in turns), key=lambda one: one["seconds"]) for name in known}
    ours = told["three"]
    rows = [
        [
            CONTENDERS[name],
            *(f"{one['seconds']:.2f} s", f"{one['cpu']:.2f} s", mib(one["peak"])),
            *(f"{one['seconds'] / ours['seconds']:.2f}", f"{one['peak'] / ours['peak']:.2f}"),
        ]
        for name, one in told.items()
    ]
    head = ["", "time", "processor time", "peak memory", "time, ours (only these) = 1", "memory, ours = 1"]
    show(f"{built['entries']:,} entries, {built['bytes'] / 2**20:,.0f} MiB of Parquet", head, rows)
    print(f"\n{LEFT_OUT}")
    promises = dict.fromkeys(("polars", "counting"), ("seconds", 1, "as fast as"))
    promises |= {"pandas": ("seconds", 3, "3 times as fast as")}
    checks = [(name, *promise) for name, promise in promises.items()] + [("pandas", "peak", 2, "half the memory of")]
    for name, what, factor, words in checks:
        if name in told and told[name][what] < factor * ours[what]:
            ratio = told[name][what] / ours[what]
            print(f"behind: {words} {CONTENDERS[name]!r} was the aim, and that takes {ratio:.2f} times ours")
    differing = [name for name in known if not agree(told[name]["figures"], ours["figures"])]
    if differing:
        print(f"\n**Figures differ from ours: {', '.join(differing)}.** {[told[name]['figures'] for name in known]}")
    return not differing


def agree(theirs, ours):
    """Compare sums: our durations are whole milliseconds, and a tick due at the very end is not yet missed to us."""
    return all(math.isclose(theirs[name], ours[name], rel_tol=1e-4, abs_tol=10) for name in ours)


def growth(options):
    """Show the cost of four sizes, the exponent of its growth, and what that means for very many entries."""
    told = []
    for part in (30, 10, 3, 1):
        with archive(options.entries // part) as (folder, built):
            told.append(built | best("everything", folder, options.repeat))
    rows = [
        [
            *(f"{one['entries']:,}", f"{one['seconds']:.2f} s", f"{one['cpu']:.2f} s"),
            *(f"{one['seconds'] / one['entries'] * 1e6:.2f} µs", mib(one["peak"])),
            f"{one['bytes'] / one['entries']:.1f}",
        ]
        for one in told
    ]
    head = ["entries", "time", "processor time", "time per entry", "peak memory", "bytes per entry on disk"]
    show("Growth: all tables of a report", head, rows)
    fixed, slope = line([one["entries"] for one in told], [one["seconds"] for one in told])
    exponent = line(*([math.log(one[name]) for one in told] for name in ("entries", "seconds")))[1]
    upper = line(*([math.log(one[name]) for one in told[-2:]] for name in ("entries", "seconds")))[1]
    print(f"\nTime grows as entries to the power of {exponent:.2f}; from the third size to the fourth, {upper:.2f}.")
    minutes, disk = (fixed + slope * MODEL) / 60, told[-1]["bytes"] / told[-1]["entries"] * MODEL / 2**30
    print(f"Model: {fixed:.1f} s and {slope * 1e6:.2f} µs an entry: {MODEL:,} entries take {minutes:.0f} minutes here,")
    print(f"and {disk:.1f} GiB of disk.")


def line(x, y):
    """Fit a straight line by least squares: intercept and slope."""
    mean_x, mean_y = (sum(values) / len(values) for values in (x, y))
    products = [((a - mean_x) * (b - mean_y), (a - mean_x) ** 2) for a, b in zip(x, y, strict=True)]
    slope = sum(one for one, _ in products) / sum(square for _, square in products)
    return mean_y - slope * mean_x, slope


def large(folder, built, options):
    told = best("everything", folder, options.repeat)
    head = ["entries", "time", "processor time", "peak memory", "on disk"]
    row = [
        f"{built['entries']:,}",
        f"{told['seconds']:.1f} s",
        f"{told['cpu']:.1f} s",
        mib(told["peak"]),
        mib(built["bytes"]),
    ]
    show("All tables of a report of one large archive", head, [row])


def workers(folder, built, options):
    told = {n: best("workers", folder, options.repeat, n) for n in (1, 2)}
    told[0] = best("everything", folder, options.repeat)
    names = {1: "one worker process", 2: "two worker processes", 0: "none: this process, two threads"}
    rows = [
        [
            title,
            f"{told[n]['seconds']:.2f} s",
            f"{told[1]['seconds'] / told[n]['seconds']:.2f}",
            told[n].get("equal", ""),
        ]
        for n, title in names.items()
    ]
    show(
        f"Workers (Dask), {built['entries']:,} entries",
        ["", "time", "speed-up", "tables equal to this process's"],
        rows,
    )


def report(folder, built, options):
    told = best("report", folder, options.repeat)
    rows = [[name, f"{seconds:.2f} s"] for name, seconds in told["stages"].items()]
    rows.append(["all", f"{told['seconds']:.2f} s"])
    what = f"{told['schedules']:,} schedules, {built['entries']:,} entries, {told['html'] / 1000:,.0f} kB of HTML"
    show(f"Report of a year: {what}", ["stage", "time"], rows)


def start(options):
    """Show what an import costs, and how much is installed, beside pandas alone."""
    codes = {
        "pandas": "import pandas",
        "schedlog-analysis": "import schedlog_analysis",
        "and all it offers": "import schedlog_analysis as s; [getattr(s, name) for name in dir(s)]",
    }
    sizes = {"pandas": installed("pandas"), "schedlog-analysis": installed("schedlog-analysis")}
    rows = [
        [
            name,
            f"{min(importing(code) for _ in range(5 * options.repeat)):.2f} s",
            mib(sizes[name]) if name in sizes else "",
        ]
        for name, code in codes.items()
    ]
    show("Import, and what is installed with all that it needs", ["", "import", "installed"], rows)


def importing(code):
    timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    return float(done.stdout)


def installed(name):
    """Give the bytes of a distribution and of all that it requires."""
    found, wanted = {}, [(name, frozenset())]
    while wanted:
        one, extras = wanted.pop()
        key = re.sub(r"[-_.]+", "-", one).lower()
        if (key, extras) in found:
            continue
        try:
            known = distribution(one)
        except PackageNotFoundError:
            continue
        files = [Path(known.locate_file(file)) for file in known.files or []]
        is_first = all(seen != key for seen, _ in found)
        found[key, extras] = sum(file.stat().st_size for file in files if file.is_file()) if is_first else 0
        wanted += [needed for text in known.requires or [] for needed in requirement(text, extras)]
    return sum(found.values())


def requirement(text, extras):
    from packaging.requirements import Requirement  # noqa: PLC0415 - comes with what else is measured here

    needed = Requirement(text)
    if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
        yield needed.name, frozenset(needed.extras)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the archive, or of the largest of four")
    parser.add_argument("--repeat", type=int, default=1, help="turns; the best counts")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=["peers", "workers", "report", "start"])
    options = parser.parse_args()
    is_right = True
    alike = {"peers": peers, "large": large, "workers": workers, "report": report}
    if wanted := [alike[name] for name in STAGES if name in options.stages and name in alike]:
        with archive(options.entries) as (folder, built):
            results = [stage(folder, built, options) for stage in wanted]
        is_right = False not in results
    if "growth" in options.stages:
        growth(options)
    if "start" in options.stages:
        start(options)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
