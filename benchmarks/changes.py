"""
Accuracy and speed of change points on schedules whose changes were planted.

``python benchmarks/changes.py`` prints how far from the planted changes the found ones lie, how many were missed and
how many were found where nothing changed, what is found in schedules of a constant rate, and how long it takes.

A found change is that planted one which lies nearest, if it lies no further away than half of the shorter stretch
beside it; any other found change is a false alarm, and a planted one without a found one was missed.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from incidents import START, as_ticks

from schedlog_analysis.analysis.changes import change_points, find_cuts

SCHEDULES = 200
STATED = (0.01, 0.05, 0.2)
SHARES = (0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 0.99)
HOUR = pd.Timedelta(hours=1)


class Planted(NamedTuple):
    """One schedule: the numbers of the first ticks with a new rate, and which ticks failed."""

    cuts: Any
    is_down: Any


class Found(NamedTuple):
    """A change and the stretch in which it may have been, in ticks."""

    cut: int
    earliest: int
    latest: int


def plant(rng: Any, n: int, rates: tuple[float, ...]) -> Planted:
    """Draw ticks that change from rate to rate, no stretch shorter than a tenth of an even share."""
    least = n // (10 * len(rates))
    room = np.sort(rng.integers(0, n - least * len(rates) + 1, len(rates) - 1))
    cuts = room + least * np.arange(1, len(rates))
    lengths = np.diff(np.r_[0, cuts, n])
    return Planted(cuts, rng.random(n) < np.repeat(rates, lengths))


def mixed(rng: Any) -> Planted:
    """Draw a week, a month or a quarter of hours with one to three changes, each by ten percentage points or more."""
    rates = [rng.choice([0.0, 0.01, 0.05, 0.2])]
    for _ in range(rng.integers(1, 4)):
        others = [rate for rate in (0.0, 0.02, 0.1, 0.3, 0.6, 1.0) if abs(rate - rates[-1]) >= 0.1]
        rates.append(rng.choice(others))
    return plant(rng, int(rng.choice([168, 720, 2160])), tuple(rates))


def find(schedules: list[Planted]) -> list[list[Found]]:
    """Find the changes by the public function, schedule by schedule, and turn moments back into numbers of ticks."""
    found = []
    for one in schedules:
        table = change_points(as_ticks(one.is_down[None, :], ["s"]))
        numbers = [
            ((table[name].dt.tz_localize(None) - START) // HOUR).tolist()
            for name in ("changed_at", "earliest_at", "latest_at")
        ]
        found.append([Found(*row) for row in zip(*numbers, strict=True)])
    return found


def match(one: Planted, found: list[Found]) -> list[tuple[int, Found]]:
    """Pair planted and found changes, the nearest pair first."""
    bounds = np.r_[0, one.cuts, len(one.is_down)]
    reach = np.minimum(np.diff(bounds)[:-1], np.diff(bounds)[1:]) / 2
    pairs = sorted(
        (abs(its.cut - cut), cut, its)
        for cut, far in zip(one.cuts.tolist(), reach, strict=True)
        for its in found
        if abs(its.cut - cut) <= far
    )
    matched: list[tuple[int, Found]] = []
    for _, cut, its in pairs:
        if all(cut != other and its != another for other, another in matched):
            matched.append((cut, its))
    return matched


def score(schedules: list[Planted]) -> dict[str, float]:
    """Count what was found, missed and made up, and measure how far the found ones lie from the planted."""
    found = find(schedules)
    matched = [pair for one, its in zip(schedules, found, strict=True) for pair in match(one, its)]
    planted = sum(len(one.cuts) for one in schedules)
    errors = np.array([abs(its.cut - cut) for cut, its in matched])
    median, p90 = np.quantile(errors, [0.5, 0.9]) if len(errors) else (np.nan, np.nan)
    return {
        "planted": planted,
        "missed": planted - len(matched),
        "false alarms": sum(map(len, found)) - len(matched),
        "exact to the tick": np.mean(errors == 0),
        "error median [ticks]": median,
        "error 90 % [ticks]": p90,
        "within earliest to latest": np.mean([its.earliest <= cut <= its.latest for cut, its in matched]),
    }


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}\n")
    table = pd.DataFrame(rows).T
    print("| | " + " | ".join(table) + " |\n| --- |" + " ---: |" * table.shape[1])
    for name, row in table.iterrows():
        print(f"| {name} | " + " | ".join(f"{value:.3g}" for value in row) + " |")


def by_change() -> None:
    rng = np.random.default_rng(20261101)
    rows = {"one to three changes, mixed": score([mixed(rng) for _ in range(SCHEDULES)])}
    cases = {
        "720 ticks, 1 % to 5 %": (720, (0.01, 0.05)),
        "720 ticks, 1 % to 10 %": (720, (0.01, 0.1)),
        "720 ticks, 1 % to 30 %": (720, (0.01, 0.3)),
        "720 ticks, 5 % to 100 %": (720, (0.05, 1.0)),
        "720 ticks, 30 % to 1 %": (720, (0.3, 0.01)),
        "90 ticks, 5 % to 50 %": (90, (0.05, 0.5)),
        "8,760 ticks, 1 % to 3 %": (8760, (0.01, 0.03)),
        "720 ticks, 2 % to 40 % and back": (720, (0.02, 0.4, 0.02)),
    }
    for name, (n, rates) in cases.items():
        rows[name] = score([plant(rng, n, rates) for _ in range(SCHEDULES)])
    show(f"Planted changes, {SCHEDULES} schedules a row", rows)


def by_chance(repeats: int = 2000) -> None:
    rng = np.random.default_rng(7)
    rows: dict[str, dict[str, float]] = {}
    for n in (5, 10, 30, 100, 300, 1000):
        for stated in STATED:
            found = [
                np.mean([len(find_cuts(rng.random(n) < share, stated)) > 0 for _ in range(repeats)]) for share in SHARES
            ]
            told = {f"rate {share:.1%}": value for share, value in zip(SHARES, found, strict=True)}
            rows[f"{n:,} ticks, {stated:.0%} stated"] = told | {"worst": max(found)}
    show(f"Constant rates: share of {repeats:,} schedules in which a change was found", rows)


def speed() -> None:
    rng = np.random.default_rng(1)
    rows = {}
    for n_schedules, n, share in ((1000, 720, 0.05), (1000, 8760, 0.02), (1, 43_200, 0.05), (1, 525_600, 0.01)):
        table = as_ticks(rng.random((n_schedules, n)) < share, [f"s{number:04}" for number in range(n_schedules)])
        began = time.process_time()
        change_points(table)
        rows[f"{n_schedules:,} x {n:,} ticks, {share:.0%} failed"] = {"seconds of CPU": time.process_time() - began}
    show("Speed", rows)


if __name__ == "__main__":
    for part in (by_change, by_chance, speed):
        part()
