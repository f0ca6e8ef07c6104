"""
How often chance is taken for a burst, and how often a burst is seen: simulated schedules with fixed seeds.

Run ``python benchmarks/bursts.py``. Each schedule is one month of hours (or a week, or a quarter of a year) in which
ticks fail by chance alone at the given rate; no share of schedules with a burst may lie above the level that `bursts`
states. Beside it stands the upper end of the 95 % Wilson interval of that share. Below, one streak is put into each.
"""

from __future__ import annotations

import argparse

import numpy as np
from incidents import as_ticks

from schedlog_analysis.analysis.incidents.bursts import bursts
from schedlog_analysis.analysis.rates import wilson

LEVELS = (0.01, 0.05)
RATES = (0.01, 0.05, 0.20)
SPANS = {"week of hours": 168, "month of hours": 720, "quarter of hours": 2160}


def share_of_bursts(is_bad, level):
    """Tell in how many of the schedules, a row each, something is called a burst."""
    ticks = as_ticks(is_bad, [f"s{number:05d}" for number in range(len(is_bad))])
    return int(bursts(ticks, false_alarm=level)["is_burst"].sum())


def by_chance(n_schedules, rng):
    for span, n_ticks in SPANS.items():
        for rate in RATES:
            is_bad = rng.random((n_schedules, n_ticks)) < rate
            row = [span, f"{rate:.0%}"]
            for level in LEVELS:
                found = share_of_bursts(is_bad, level)
                row += [f"{found / n_schedules:.4f}", f"{wilson(found, n_schedules)[1]:.4f}"]
            yield row


def by_streak(n_schedules, rng, n_ticks=720):
    for rate in RATES:
        row = [f"{rate:.0%}"]
        for length in (3, 4, 6, 8, 12):
            is_bad = rng.random((n_schedules, n_ticks)) < rate
            begin = rng.integers(0, n_ticks - length, n_schedules)
            is_bad[np.arange(n_schedules)[:, None], begin[:, None] + np.arange(length)] = True
            row.append(f"{share_of_bursts(is_bad, LEVELS[0]) / n_schedules:.3f}")
        yield row


def show(title, head, rows):
    print(f"{title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--schedules", type=int, default=5000, help="how many schedules are simulated for each figure")
    options = parser.parse_args()
    rng = np.random.default_rng(20261124)
    head = ["schedule", "fails by chance"] + [text for level in LEVELS for text in (f"level {level}", "95 % below")]
    show("Nothing planted: share of schedules that are said to have a burst", head, by_chance(options.schedules, rng))
    head = ["fails by chance", *(f"{length} in a row" for length in (3, 4, 6, 8, 12))]
    title = f"One streak in a month of hours: share of schedules that are said to have a burst, level {LEVELS[0]}"
    show(title, head, by_streak(options.schedules // 5, rng))


if __name__ == "__main__":
    main()
