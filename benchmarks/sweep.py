"""
Whether ticks are read right: random schedules by the platform's own rules, of which half the truth is withheld.

    python benchmarks/sweep.py [--schedules 1000] [--days 90] [--seed 1] [--show]

Macros (a third) fire at an offset on the platform's grid; the next tick is the first one at least ten seconds after the
actual start of the last; starts come 0.3 to 60 s late; one tick in two hundred is lost. Half of the schedules were
changed or paused once, and only the newest definition is known; of half the next run is known. What is counted is what
is told wrongly, and how much is told to be unknown or ambiguous.
"""

import argparse
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis import Cron, invocations, ticks
from schedlog_analysis.schema import Log, Schedules

MINUTE, DAY = 60_000, 86_400_000
BEGIN = 1_767_225_600_000  # 2026-01-01
GRID = {
    "@hourly": (60, 1800, 10),
    "@daily": (300, 21_600, 30),
    "@weekly": (300, 43_200, 60),
    "@monthly": (300, 86_400, 600),
    "@yearly": (300, 86_400, 600),
}
CRONS = (
    *("* * * * *", "*/5 * * * *", "*/15 * * * *", "0 * * * *", "17 * * * *", "0,30 * * * *", "0 */6 * * *"),
    *("30 9 * * *", "0 10 * * *", "0 9-17 * * 1-5", "*/20 8-18 * * 1-5", "45 4 1 * *", "0 7 * * 1", "5 6,12,18 * * *"),
    *("*/10 * * * * *", "*/5 * * * * *", "*/30 * * * * *", "15 * * * * *"),
)
ZONES = ("UTC", "UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata")
MOST = 1500  # invocations of one schedule


class Truth(NamedTuple):
    """What one schedule truly did."""

    cron: Cron
    kind: str  # kept, changed, paused or off
    is_known: bool  # whether the next run is
    modified: int
    ticks: np.ndarray  # tick of each invocation [ms]
    invoked: np.ndarray  # when it began to write [ms]
    slack: np.ndarray  # how late each may be: a minute, or half the gap [ms]
    lost: frozenset  # ticks that were lost
    begins: int
    ends: int


def _draw_cron(rng, tz):
    if rng.random() < 1 / 3:
        macro = str(rng.choice(list(GRID)))
        least, most, step = GRID[macro]
        offset = least + step * int(rng.integers(0, (most - least) // step + 1))
        return Cron(macro, tz, offset=timedelta(seconds=offset))
    return Cron(str(rng.choice(CRONS)), tz)


def _fire(rng, cron, begins, ends, slowest):
    """Let a schedule run: tick, start and slack of each invocation, and the ticks that were lost."""
    planned = cron.tick_ms(begins, ends + cron.span_ms(2))
    found, lost, now, free = [], [], begins, begins
    # A single tick of a cron of seconds cannot be lost: the next start makes up for it. An outage loses several.
    is_close = len(planned) > 1 and np.diff(planned).min() <= 70_000
    while len(found) < MOST:
        place = int(np.searchsorted(planned, max(now, free)))
        if place == len(planned) or planned[place] >= ends:
            break
        tick = int(planned[place])
        if rng.random() < 0.005:
            now = tick + (200_000 if is_close else 1)
            lost += planned[(planned >= tick) & (planned < now)].tolist()
            continue
        start = tick + int(rng.uniform(300, slowest))
        following = planned[np.searchsorted(planned, tick + 10_000) :][:1]
        found.append((tick, start, min(MINUTE, int(following[0] - tick) // 2) if len(following) else MINUTE))
        now, free = start + 1, start + 10_000
    return found, lost


def draw(seed, days):
    """Draw one schedule and its truth."""
    rng = np.random.default_rng(seed)
    tz = str(rng.choice(ZONES))
    slowest = float(rng.choice([1_000, 5_000, 20_000, 60_000]))
    now, before = _draw_cron(rng, tz), _draw_cron(rng, tz)
    kind = str(
        rng.choice(["kept", "kept", "changed", "paused", "changed", "off"], p=[0.25, 0.25, 0.2, 0.2, 0.05, 0.05])
    )
    begins = BEGIN + int(rng.integers(0, 200 * DAY))
    per_day = max(len(cron.tick_ms(begins, begins + 7 * DAY)) / 7 for cron in (now, before))
    ends = begins + int(min(days * DAY, DAY * MOST / max(per_day, 1) * 0.9))
    edit, pause = begins + int((ends - begins) * rng.uniform(0.2, 0.8)), (ends - begins) // 10
    first = before if kind == "changed" else now
    found, lost = _fire(rng, first, begins, {"kept": ends, "paused": edit - pause}.get(kind, edit), slowest)
    if kind in ("changed", "paused"):
        since = max(edit, found[-1][1] + 1) if found else edit
        more, gone = _fire(rng, now, since, ends, slowest)
        found, lost = found + more, lost + gone
    modified = begins if kind == "kept" else edit
    # Ticks lost just before the end, or whose start comes after it, are not settled yet.
    found = [pair for pair in found if pair[1] < ends]
    arrays = [np.array(column, dtype=np.int64) for column in (zip(*found, strict=True) if found else ([], [], []))]
    return Truth(now, kind, bool(rng.random() < 0.5), modified, *arrays, frozenset(lost), begins, ends)


def _instants(ms):
    return pd.DatetimeIndex(np.asarray(ms, dtype=np.int64).astype("M8[ms]"), tz="UTC")


def build(truths):
    """Write the log and the newest definitions of drawn schedules."""
    log = pd.DataFrame(
        {
            "schedule_id": np.repeat([f"s{i:05}" for i in range(len(truths))], [len(t.invoked) for t in truths]),
            "created_at": _instants(np.concatenate([t.invoked for t in truths])),
            "level": "INFO",
            "message": "Schedule invoked",
        }
    )
    failed = log[np.random.default_rng(len(log)).random(len(log)) < 0.05]
    errors = failed.assign(level="ERROR", message='Cannot start Actor "x": Unknown error')
    later = log.assign(
        created_at=log["created_at"] + pd.to_timedelta(np.where(log.index.isin(failed.index), 150, 0), "ms")
    )
    upcoming = [int(t.cron.next_ms(t.ends - 1)[0]) if t.is_known and t.kind != "off" else None for t in truths]
    schedules = pd.DataFrame(
        {
            "schedule_id": [f"s{i:05}" for i in range(len(truths))],
            "name": "x",
            "title": None,
            "cron": [t.cron.expression for t in truths],
            "timezone": [t.cron.tz for t in truths],
            "is_enabled": [t.kind != "off" for t in truths],
            "is_exclusive": False,
            "created_at": _instants([t.begins for t in truths]),
            "modified_at": _instants([t.modified for t in truths]),
            "next_run_at": pd.Series([None if at is None else _instants([at])[0] for at in upcoming], dtype="object"),
            "last_run_at": None,
            "n_actions": 1,
        }
    )
    return Log.cast(pd.concat([errors, later]).sort_values(["schedule_id", "created_at"])), Schedules.cast(schedules)


def _is_near(tick, others):
    """Tell whether one of the others is the same tick; where a cron was inferred they may lie a few seconds apart."""
    return bool(len(others) and np.abs(others - tick).min() < MINUTE / 2)


def score(truths, table):
    """Count what is told wrongly, per schedule."""
    table = table.assign(
        planned=table["planned_at"].to_numpy("datetime64[ms]").astype(np.int64),
        invoked=table["invoked_at"].to_numpy("datetime64[ms]").astype(np.int64),
        status=table["status"].astype("str"),
    )
    rows = []
    for schedule_id, own in table.groupby("schedule_id", observed=True):
        number = int(str(schedule_id)[1:])
        truth = truths[number]
        lost = np.array(sorted(truth.lost))
        of_invocation = dict(zip(truth.invoked.tolist(), truth.ticks.tolist(), strict=True))
        allowed = dict(zip(truth.invoked.tolist(), truth.slack.tolist(), strict=True))
        missed = own.loc[own["status"] == "missed", "planned"]
        late = own[own["status"] == "late"]
        answered = own[own["status"].isin(["on_time", "late"]) & (own["planned"] >= truth.modified)]
        is_right = [
            of_invocation[at] == tick for at, tick in zip(answered["invoked"], answered["planned"], strict=True)
        ]
        rows.append(
            {
                "schedule": number,
                "kind": truth.kind,
                "is_macro": truth.cron.is_macro,
                "is_known": truth.is_known,
                "planned": int(own["status"].isin(["on_time", "late", "missed", "unknown"]).sum()),
                "false_missed": sum(not _is_near(tick, lost) for tick in missed),
                "false_late": sum(at - of_invocation[at] <= allowed[at] for at in late["invoked"]),
                "false_duplicates": int((own["status"] == "duplicate").sum()),
                "extra": int((own["status"] == "extra").sum()),
                "lost": len(truth.lost),
                "lost_told": sum(_is_near(tick, missed.to_numpy()) for tick in truth.lost),
                "unknown": int((own["status"] == "unknown").sum()),
                "ambiguous": int(own["is_ambiguous"].sum()),
                "is_offset_right": all(is_right),
                "is_open": bool(answered["is_ambiguous"].all()),
                "has_answers": len(answered) > 0,
            }
        )
    return pd.DataFrame(rows)


def main(n, days, seed, *, show=False):
    """Run the sweep in batches and print what was told wrongly."""
    parts = []
    for first in range(0, n, 500):
        truths = [draw([seed, i], days) for i in range(first, min(first + 500, n))]
        log, schedules = build(truths)
        ends = {f"s{i:05}": _instants([truth.ends])[0] for i, truth in enumerate(truths)}
        table = ticks(invocations(log, schedules), schedules, seen_until=ends)
        parts.append(score(truths, table).assign(seed=lambda part, first=first: part["schedule"] + first))
    rows = pd.concat(parts, ignore_index=True)
    names = [
        "planned",
        "false_missed",
        "false_late",
        "false_duplicates",
        "extra",
        "lost",
        "lost_told",
        "unknown",
        "ambiguous",
    ]
    print(rows.groupby("kind")[names].sum().assign(schedules=rows.groupby("kind").size()).T.to_string())
    macros = rows[rows["is_macro"] & rows["has_answers"]]
    print("macros by whether the next run is known, and whether their ticks are told to be ambiguous:")
    print(macros.groupby(["is_known", "is_open"])["is_offset_right"].agg(["sum", "count"]).to_string())
    if show:
        wrong = rows[(rows[["false_missed", "false_late", "false_duplicates"]].sum(axis=1) > 0)]
        print(wrong.drop(columns=["schedule"]).to_string())
        print(macros[~macros["is_offset_right"]].to_string())
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    main(given.schedules, given.days, given.seed, show=given.show)
