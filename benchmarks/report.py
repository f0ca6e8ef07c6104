"""
What a report costs: time by stage, bytes by format, memory, and what the package adds to pandas.

``python benchmarks/report.py`` prints, for 100 schedules over three months, how long it takes to read, to analyse and
to write each format; how long ``import`` takes beside ``import pandas``, and what the core's packages weigh beside
those that pandas brings. Times are wall-clock seconds in a process of its own, the best of some turns.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

STAGES = """
import json, resource, sys, time
folder, turns = sys.argv[1], int(sys.argv[2])
begun = time.perf_counter()
from schedlog_analysis import Report
from schedlog_analysis.sources.account import Source
told = {"import": (time.perf_counter() - begun, 0)}
def timed(name, act):
    begun = time.perf_counter()
    made = act()
    took = time.perf_counter() - begun
    size = len(made) if isinstance(made, bytes) else 0
    told[name] = min((took, size), told.get(name, (took, size)))
    return made
for _ in range(turns):
    source = timed("read", lambda: Source.read(folder))
    tables = {"runs": source.runs, "fetches": source.fetches}
    report = timed("analyse", lambda: Report.build(source.log, source.schedules, **tables, objective=0.99))
    for form in ("html", "email", "md", "json", "csv"):
        timed(form, lambda form=form: report.to_bytes(form))
told["peak of memory"] = (0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
told["entries"] = (0, len(source.log))
print(json.dumps(told))
"""
IMPORTS = ("pandas", "schedlog_analysis")


def child(*words):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout


def import_seconds(name, turns):
    code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
    return min(float(child("-c", code)) for _ in range(turns))


def installed_bytes(name):
    """Weigh a package and all that it needs."""
    todo, seen = [name], set()
    while todo:
        one = canonicalize_name(todo.pop())
        if one not in seen:
            seen.add(one)
            needs = [Requirement(each) for each in distribution(one).requires or []]
            todo += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return sum(_weight(one) for one in seen)


def _weight(name):
    places = (Path(file.locate()) for file in distribution(name).files or [])
    return sum(place.stat().st_size for place in places if place.is_file() and place.suffix != ".pyc")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--seed", "5", "--start", "2026-08-01T00:00Z", "--end", "2026-11-01T00:00Z"]
        child("-m", "schedlog_analysis", "simulate", folder, "--schedules", str(given.schedules), *options)
        told = json.loads(child("-c", STAGES, folder, str(given.turns)))
    entries, peak = told.pop("entries")[1], told.pop("peak of memory")[1]
    print(
        f"{given.schedules:,} schedules over three months, {entries:,} entries, {peak / 1e6:,.0f} MB peak of memory\n"
    )
    for name, (seconds, size) in told.items():
        print(f"{name:10} {seconds:8.2f} s" + (f" {size / 1e3:10,.0f} kB" if size else ""))
    if told["html"][1] >= 1e6:
        print(f"behind: the page of {given.schedules} schedules has {told['html'][1] / 1e6:.2f} MB; 1 MB is promised")
    pandas, ours = (import_seconds(name, 2 * given.turns + 1) for name in IMPORTS)
    print(f"\nimport pandas {pandas:.2f} s, import schedlog_analysis {ours:.2f} s: {ours / pandas:.2f} times as long")
    alone, core = installed_bytes("pandas"), installed_bytes("schedlog-analysis")
    print(f"installed: pandas and what it needs {alone / 1e6:,.0f} MB, the core with all it needs {core / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
