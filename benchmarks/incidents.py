"""
Accuracy and speed of incidents and bursts on fleets whose incidents were planted.

``python benchmarks/incidents.py`` prints how many planted incidents are found with start and end exact to the tick,
by their length, by how bad they are and by the rule, what chance alone makes where nothing was planted, and how long
a year of a large fleet takes.

Each schedule is hourly and fails in 5 % of its ticks anyway. An incident starts with its first bad tick, so a
background failure that touches a planted one belongs to it: nobody can tell them apart. Against the planted bounds
themselves no rule can be exact in more than 0.95 ** 2 = 90 % of the cases; the last column shows that figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis.analysis.incidents.bursts import bursts
from schedlog_analysis.analysis.incidents.incidents import incidents
from schedlog_analysis.schema import OUTCOMES, STATUSES

SEEDS = 20
START = np.datetime64("2026-01-01T00:00", "ms")
HOUR = np.timedelta64(3_600_000, "ms")
MIXED = (4, 5, 6, 8, 10, 15, 20, 30, 50)


class Fleet(NamedTuple):
    """Ticks with planted incidents, and two truths: as planted, and from the first to the last bad tick in a row."""

    ticks: pd.DataFrame
    planted: set[tuple[str, int, int]]
    visible: set[tuple[str, int, int]]


def plant(
    seed: int,
    *,
    n_schedules: int = 50,
    n_ticks: int = 720,
    background: float = 0.05,
    lengths: tuple[int, ...] = MIXED,
    bad_share: float = 1.0,
    apart: int = 10,
    per_schedule: int = 2,
) -> Fleet:
    """Make up a fleet: a random background and, in each schedule, incidents at random places, well apart."""
    rng = np.random.default_rng(seed)
    is_bad = rng.random((n_schedules, n_ticks)) < background
    spans = [
        (row, begin, begin + length)
        for row in range(n_schedules)
        for begin, length in _places(rng, rng.choice(lengths, per_schedule), n_ticks, apart)
    ]
    for row, begin, end in spans:
        is_bad[row, begin:end] = rng.random(end - begin) < bad_share
        is_bad[row, [begin, end - 1]] = True
    ids = [f"s{number:05d}" for number in range(n_schedules)]
    planted = {(ids[row], begin, end) for row, begin, end in spans}
    visible = {(ids[row], *_grow(is_bad[row], begin, end)) for row, begin, end in spans}
    return Fleet(as_ticks(is_bad, ids), planted, visible)


def _places(rng: Any, lengths: Any, n_ticks: int, apart: int) -> list[tuple[int, int]]:
    """Share the room that is left out between the incidents at random."""
    room = n_ticks - int(lengths.sum()) - apart * (len(lengths) + 1)
    cuts = np.sort(rng.integers(0, room + 1, len(lengths)))
    begins = cuts + apart + np.cumsum(lengths) - lengths + apart * np.arange(len(lengths))
    return [(int(begin), int(length)) for begin, length in zip(begins, lengths, strict=True)]


def _grow(is_bad: Any, begin: int, end: int) -> tuple[int, int]:
    while begin > 0 and is_bad[begin - 1]:
        begin -= 1
    while end < len(is_bad) and is_bad[end]:
        end += 1
    return begin, end


def as_ticks(is_bad: Any, ids: list[str]) -> pd.DataFrame:
    """Turn a mask, a row per schedule, into Ticks; in every other schedule the bad ticks were missed."""
    n_schedules, n_ticks = is_bad.shape
    planned = pd.DatetimeIndex(np.tile(START + np.arange(n_ticks) * HOUR, n_schedules)).tz_localize("UTC")
    is_missed = (is_bad & (np.arange(n_schedules) % 2 == 1)[:, None]).ravel()
    outcome = np.where(is_missed, -1, np.where(is_bad.ravel(), OUTCOMES.index("failed"), OUTCOMES.index("ok")))
    status = np.where(is_missed, STATUSES.index("missed"), STATUSES.index("on_time"))
    delay = pd.Series(np.zeros(len(planned), dtype="timedelta64[ms]"))
    return pd.DataFrame(
        {
            "schedule_id": pd.Categorical.from_codes(
                np.repeat(np.arange(n_schedules), n_ticks), pd.Index(ids, dtype="str")
            ),
            "planned_at": planned,
            "invoked_at": pd.Series(planned).mask(is_missed),
            "delay": delay.mask(is_missed),
            "status": pd.Categorical.from_codes(status, pd.Index(STATUSES, dtype="str")),
            "outcome": pd.Categorical.from_codes(outcome, pd.Index(OUTCOMES, dtype="str")),
            "is_ambiguous": np.zeros(len(planned), dtype=bool),
        }
    )


def as_spans(found: pd.DataFrame, n_ticks: int) -> set[tuple[str, int, int]]:
    """Turn incidents back into (schedule, first tick, first good tick)."""
    began, ended = (
        (found[name].dt.tz_localize(None) - START) // pd.Timedelta(HOUR) for name in ("started_at", "ended_at")
    )
    return set(zip(found["schedule_id"].astype(str), began, ended.fillna(n_ticks).astype(int), strict=True))


def score(find: Callable[[pd.DataFrame], pd.DataFrame], *, seeds: int = SEEDS, **fleet: Any) -> dict[str, float]:
    """Tell precision and recall to the tick, share found at all, pieces per incident and share as planted."""
    n = {"planted": 0, "found": 0, "exact": 0, "as planted": 0, "hit": 0, "pieces": 0}
    for seed in range(seeds):
        made = plant(seed, **fleet)
        spans = as_spans(find(made.ticks), fleet.get("n_ticks", 720))
        n["planted"] += len(made.visible)
        n["found"] += len(spans)
        n["exact"] += len(spans & made.visible)
        n["as planted"] += len(spans & made.planted)
        hits = [sum(who == one and a < end and begin < b for who, a, b in spans) for one, begin, end in made.visible]
        n["hit"] += sum(hit > 0 for hit in hits)
        n["pieces"] += sum(hits)
    return {
        "incidents": n["planted"],
        "precision": n["exact"] / max(n["found"], 1),
        "recall": n["exact"] / n["planted"],
        "found at all": n["hit"] / n["planted"],
        "pieces": n["pieces"] / max(n["hit"], 1),
        "bounds as planted": n["as planted"] / n["planted"],
    }


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}")
    print(pd.DataFrame(rows).T.to_string(float_format="{:.3f}".format))


def by_length() -> None:
    cases = {"4 to 50 mixed": MIXED} | {f"{length} ticks": (length,) for length in (3, 4, 5, 10, 50)}
    show("All ticks bad, by length", {name: score(incidents, lengths=lengths) for name, lengths in cases.items()})
    weeks = {f"{length} ticks": score(incidents, lengths=(length,), n_ticks=168) for length in (3, 4, 5)}
    show("The same in one week of hours", weeks)
    calm = {f"{length} ticks": score(incidents, lengths=(length,), background=0.01) for length in (3, 4, 5)}
    show("The same in a month with 1 % background failures", calm)


def by_share() -> None:
    rows = {
        f"{share:.0%} bad, {length} ticks": score(incidents, lengths=(length,), bad_share=share, seeds=5)
        for share in (0.9, 0.8, 0.7)
        for length in (5, 10, 50)
    }
    show("Good ticks inside", rows)


def by_rule() -> None:
    rules = {
        "default": incidents,
        "3 in a row, 1 closes": partial(incidents, open_after=3),
        "4 in a row, 1 closes": partial(incidents, open_after=4),
        "3 in a row, 2 close": partial(incidents, open_after=3, close_after=2),
        "2 in a row, 1 closes": partial(incidents, open_after=2),
    }
    show("Other rules, 4 to 50 ticks mixed", {name: score(find) for name, find in rules.items()})
    rare = {name: score(find, per_schedule=1, n_ticks=2160, seeds=5) for name, find in rules.items()}
    show("Other rules, one incident in a quarter of a year", rare)


def by_chance() -> None:
    rows = {}
    for n_ticks in (168, 720, 2160):
        for background in (0.01, 0.05, 0.2):
            fleets = [
                plant(seed, n_schedules=200, n_ticks=n_ticks, background=background, per_schedule=0)
                for seed in range(10)
            ]
            rows[f"{n_ticks} ticks, {background:.0%} bad"] = {
                "incidents per schedule (0.05 stated)": np.mean([len(incidents(one.ticks)) / 200 for one in fleets]),
                "bursts per schedule (0.01 stated)": np.mean([bursts(one.ticks)["is_burst"].mean() for one in fleets]),
            }
    show("Nothing planted: what chance makes", rows)


def by_burst() -> None:
    rows = {}
    for length in (3, 4, 5, 6, 8):
        fleets = [plant(seed, lengths=(length,), per_schedule=1) for seed in range(SEEDS)]
        rows[f"{length} in a row"] = {
            "called a burst": np.mean([bursts(one.ticks)["is_burst"].mean() for one in fleets])
        }
    show("One streak in a month of hours with 5 % background failures", rows)


def speed() -> None:
    ticks = plant(0, n_schedules=1000, n_ticks=8760).ticks
    for name, find in {"incidents": incidents, "bursts": bursts}.items():
        began = time.process_time()
        find(ticks)
        print(f"{name}: {time.process_time() - began:.1f} s of CPU for 1000 schedules x 8760 ticks")


if __name__ == "__main__":
    for part in (by_length, by_share, by_rule, by_chance, by_burst):
        part()
    print()
    speed()
