"""
How fast entries become invocations, and invocations ticks: one log, and a fleet.

    python benchmarks/ticks.py [--schedules 1000] [--each 10000]

Times are medians of the process's own CPU seconds; a log of 1,000 entries is what one answer of the API holds.
"""

import argparse
import statistics
import time

import numpy as np
import pandas as pd

from schedlog_analysis import cadence, invocations, ticks
from schedlog_analysis.matching.definitions import definitions_by_id, plan
from schedlog_analysis.simulation import simulate_fleet


def _cpu(work, n=7):
    spent = []
    for _ in range(n):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return statistics.median(spent)


def one_log():
    """A log of 1,000 entries: the match itself (plan, search, count), and the whole way from table to table."""
    log, schedules = simulate_fleet(1, 1000, 1)
    told = invocations(log, schedules)
    definition = next(iter(definitions_by_id(schedules).values()))
    invoked = told["invoked_at"].to_numpy("datetime64[ms]").astype(np.int64)

    def match():
        planned = plan(definition, int(invoked[0]) - 86_400_000, int(invoked[-1]) + 1).planned
        answer = np.searchsorted(planned, invoked + 1000, side="right") - 1
        n_missed = len(planned) - len(np.unique(answer))
        return n_missed, (np.diff(answer) == 0).sum()

    print(f"1,000 entries, plan + match + count     {_cpu(match, 101) * 1000:8.2f} ms")
    print(f"1,000 entries -> Invocations            {_cpu(lambda: invocations(log, schedules)) * 1000:8.2f} ms")
    print(f"1,000 invocations -> Ticks              {_cpu(lambda: ticks(told, schedules)) * 1000:8.2f} ms")


def fleet(n_schedules, each):
    """Many schedules at once."""
    log, schedules = simulate_fleet(n_schedules, each, 1)
    begun = time.process_time()
    told = invocations(log, schedules)
    middle = time.process_time()
    due = ticks(told, schedules)
    matched = time.process_time()
    table = cadence(due, schedules)
    done = time.process_time()
    print(f"{n_schedules} schedules, {len(log):,} entries, {len(due):,} ticks, {int(table['n_missed'].sum()):,} missed")
    for name, seconds in (("Invocations", middle - begun), ("Ticks", matched - middle), ("Cadence", done - matched)):
        print(f"  -> {name:12} {seconds:6.2f} s   {len(log) / seconds / 1e6:6.2f} M entries/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--each", type=int, default=10_000)
    given = parser.parse_args()
    print(f"pandas {pd.__version__}, numpy {np.__version__}")
    one_log()
    fleet(given.schedules, given.each)
