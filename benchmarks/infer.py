"""
How well a cron is inferred: real series, simulated schedules, late ones, times without any cron, crons that change.

Run ``python benchmarks/infer.py`` for all tables, or name some: real, simulated, fresh, stress, zones, late, random,
changes.
Everything was developed with the seed DEV; of HELD_OUT only these tables were looked at. Times are of the CPU. The real
series lie beside the repository, in ``../shared/cron/real``, and are skipped where they do not.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.infer import change_points, infer_cron

REAL = Path(__file__).parents[2] / "shared" / "cron" / "real"
DAY = 86_400_000
START, SPAN = 1_640_995_200_000, 6 * 365 * DAY  # schedules begin in 2022 to 2024 and last six years at most
DEV, HELD_OUT, FRESH = 11, 20_011, range(9001, 9007)
PLACES = (
    "UTC",
    "UTC",
    "UTC",
    "Europe/Prague",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/Sao_Paulo",
)


# Schedules as people write them


def draw_cron(rng):
    """Draw an expression from a mix of what people schedule."""
    minute, hour, second = draw_minute(rng), rng.integers(24), rng.choice([15, 30, 45, 10, rng.integers(1, 60)])
    first, last = [(9, 17), (8, 18), (7, 19), (6, 22), (9, 16), (0, 6), (22, 23)][rng.integers(7)]
    weight_of = {
        f"*/{rng.choice([1, 2, 3, 5, 10, 15, 20, 30])} * * * *": 10,
        f"*/{rng.choice([5, 10, 15, 20, 30])} {first}-{last} * * {rng.choice(['*', '1-5', '1-5'])}": 8,
        f"{minute} * * * *": 8,
        f"{minute} */{rng.choice([2, 3, 4, 6, 8, 12])} * * *": 8,
        f"{minute} {first}-{last} * * {rng.choice(['*', '1-5', '1-5', '1-6'])}": 8,
        f"{minute} {hour} * * *": 14,
        f"{minute} {hour} * * 1-5": 10,
        f"{minute} {draw_list(rng, 24)} * * {rng.choice(['*', '*', '1-5'])}": 6,
        f"{draw_list(rng, 60)} * * * *": 4,
        f"{minute} {hour} * * {rng.integers(7)}": 8,
        f"{minute} {hour} * * {rng.choice(['0,6', '1,3,5', '2,4', '1,4', '2-6'])}": 4,
        f"{minute} {hour} {rng.choice(['1', '1', '15', '1,15', str(rng.integers(1, 29)), 'L'])} * *": 5,
        f"{minute} {hour} 1 {rng.choice(['1,4,7,10', '*/2', '*/6'])} *": 1,
        f"{minute} {hour} 1 * {rng.integers(7)}": 1,
        f"{second} {minute} {hour} * * {rng.choice(['*', '1-5', '1'])}": 2,
        f"{second} */{rng.choice([5, 10, 15, 30])} * * * *": 2,
        f"*/{rng.choice([10, 15, 20, 30])} * * * * *": 2,
    }
    weights = np.array(list(weight_of.values()), dtype=float)
    return str(rng.choice(list(weight_of), p=weights / weights.sum()))


def draw_minute(rng):
    return int(rng.choice([0, 0, 0, 30, 15, 45, 5 * rng.integers(12), *rng.integers(60, size=3)]))


def draw_list(rng, size):
    return ",".join(map(str, np.sort(rng.choice(size, rng.integers(2, 5), replace=False))))


def draw_ticks(rng, text, tz, n):
    """Draw the first `n` ticks, or those of six years, from a random instant on [ms]."""
    start = START + int(rng.integers(3 * 365 * DAY))
    return Cron(text, tz).tick_ms(start, start + SPAN)[:n]


def observe(rng, ticks, *, missing=0.1, delay=0.35, duplicates=0.02, outage=0.0):
    """Turn ticks into times: lognormal delays (median in seconds), a tail of one in a hundred with another 20 s."""
    is_seen = rng.random(len(ticks)) >= missing
    begin = rng.integers(len(ticks))
    is_seen[begin : begin + int(outage * len(ticks))] = False
    seen = ticks[is_seen]
    tail = np.where(rng.random(len(seen)) < 0.01, rng.exponential(20, len(seen)), 0)
    times = seen + (1000 * (rng.lognormal(np.log(delay), 0.6, len(seen)) + tail)).astype(np.int64)
    again = times[rng.random(len(times)) < duplicates]
    return np.concatenate([times, again + rng.integers(200, 5000, len(again))])


def draw_schedule(rng, places=PLACES, **noise):
    """Draw an expression, a zone, and 50 to 1000 times [ms]."""
    text, tz = draw_cron(rng), str(rng.choice(places))
    n = np.exp(rng.uniform(np.log(50), np.log(1000))) / (1 - noise.get("missing", 0.1))
    return text, tz, observe(rng, draw_ticks(rng, text, tz, round(n)), **noise)


def instants(ms):
    return pd.DatetimeIndex(np.asarray(ms, dtype=np.int64).astype("M8[ms]"), tz="UTC")


def timed(function, *args, **options):
    began = time.process_time()
    result = function(*args, **options)
    return result, (time.process_time() - began) * 1000


# What counts as right


def is_same(text, tz, best, start, end):
    """Tell whether a candidate plans the truth's ticks in a window [ms]; its constant delay does not count."""
    return np.array_equal(Cron(best["cron"], best["tz"]).tick_ms(start, end), Cron(text, tz).tick_ms(start, end))


def is_shifted(text, tz, best, start, end):
    """Tell whether a candidate plans the truth's ticks, all of them moved by the same time."""
    truth = Cron(text, tz).tick_ms(start - 40 * DAY, end + 40 * DAY)
    planned = Cron(best["cron"], best["tz"]).tick_ms(start, end)
    after = int(truth.searchsorted(planned[0], side="right")) if len(planned) else 0
    shifted = (truth[first : first + len(planned)] for first in range(max(after - 30, 0), after + 1))
    return any(len(same) == len(planned) and np.ptp(planned - same) == 0 for same in shifted if len(planned))


def summary(rows, columns):
    """Shares in per cent, and the time it took."""
    table = pd.DataFrame(rows, columns=[*columns, "ms"])
    ms = table.pop("ms")
    shares = {name: f"{100 * share:.1f} %" for name, share in table.mean().items()}
    return {**shares, "n": len(table), "median ms": round(ms.median(), 1), "p95 ms": round(ms.quantile(0.95), 1)}


# The tables


def real(_n, _show):
    """Every real series: what was inferred without its zone, beside its last definition."""
    rows = [_real(path) for path in sorted(REAL.glob("*.csv"))]
    print(pd.DataFrame(rows).to_string(index=False) if rows else f"no series in {REAL.name}")
    for row in rows:
        if row["is"] not in ("exact", "but for a delay"):
            print(f"behind: the cron of the real series {row['series']} is {row['is']}")


def _real(path):
    meta = json.loads(path.with_suffix(".json").read_text())
    history = [version for version in meta["cron_history"] if version["cron"]]
    text, tz = history[-1]["cron"][0], meta["timezone"]
    ms = np.sort(pd.read_csv(path).iloc[:, 0].to_numpy() * 1000)
    found, took = timed(infer_cron, instants(ms))
    best = found.iloc[0] if len(found) else {"cron": "0 0 29 2 *", "tz": "UTC"}
    verdict = "wrong"
    for check, name in ((is_shifted, "but for a delay"), (is_same, "exact")):
        verdict = name if check(text, tz, best, int(ms[0]), int(ms[-1])) else verdict
    if not len(found):
        return {"series": path.stem, "truth": text, "zone": tz, "is": "nothing found", "ms": round(took)}
    return {
        "series": path.stem,
        "truth": text,
        "zone": tz,
        "inferred": best["cron"],
        "in zone": best["tz"],
        "offset": str(best["offset"]).removeprefix("0 days "),
        "is": verdict,
        "n": best["n"],
        "missed": best["n_missed"],
        "duplicates": best["n_duplicate"],
        "delay p50": best["delay_median"].total_seconds(),
        "p95 s": best["delay_p95"].total_seconds(),
        "bits/time": round(best["score"] / best["n"], 1),
        "explained": best["is_explained"],
        "ms": round(took),
    }


def simulated(n, show):
    """10 % missing, 2 % duplicates, 50 to 1000 times, zone given."""
    print(pd.DataFrame({"dev": score(DEV, n, show=show), "held-out": score(HELD_OUT, n)}).T.to_string())


def fresh(n, _show):
    """The same with six more seeds, none of which anything was developed with."""
    print(pd.DataFrame({seed: score(seed, n) for seed in FRESH}).T.to_string())


def stress(n, show):
    """The same, harder."""
    cases = {
        "30 % missing": {"missing": 0.3},
        "50 % missing": {"missing": 0.5},
        "delay 3 s": {"delay": 3},
        "delay 20 s": {"delay": 20},
        "outage of 30 %": {"outage": 0.3},
        "20 % duplicates": {"duplicates": 0.2},
    }
    rows = {
        f"{name}, {kind}": score(seed + 1 + i, n // 3, show=show if seed == DEV else 0, **case)
        for i, (name, case) in enumerate(cases.items())
        for kind, seed in (("dev", DEV), ("held-out", HELD_OUT))
    }
    print(pd.DataFrame(rows).T.to_string())


def zones(n, show):
    """The same, zone not given; what differs in the next year should be said to be undetermined."""
    places = (
        "UTC",
        "Europe/Prague",
        "America/New_York",
        "America/Los_Angeles",
        "Asia/Tokyo",
        "Australia/Sydney",
        "Pacific/Auckland",
    )
    rows = {
        kind: score(seed, n, None, show=show if seed == DEV else 0, places=places)
        for kind, seed in (("dev", DEV), ("held-out", HELD_OUT))
    }
    print(pd.DataFrame(rows).T.to_string())


def score(seed, n, tz="given", *, show=0, **noise):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        text, zone, ms = draw_schedule(rng, **noise)
        found, took = timed(infer_cron, instants(rng.permutation(ms)), zone if tz else None)
        if found.empty:
            rows.append((False, False, True, False, took))
            continue
        best, begin, end = found.iloc[0], int(ms.min()) - 60_000, int(ms.max())
        window = is_same(text, zone, best, begin, end)
        year = window and is_same(text, zone, best, end, end + 365 * DAY)
        rows.append((window, year, year or best["undetermined"] != "", best["is_explained"], took))
        if show and not year:
            print(
                "   ", text, zone, len(ms), *best[["cron", "tz", "undetermined"]], "" if window else "window", sep=" | "
            )
    return summary(rows, ["same in the window", "over the next year", "or undetermined", "explained"])


LATE = (
    *("0 * * * *", "17 * * * *", "*/30 * * * *", "6,26,46 * * * *", "0 */6 * * *", "20 */2 * * *", "0 0 * * *"),
    *("30 9 * * *", "0 12 * * 1-5", "15 3 * * 0", "0 0,12 * * *", "0 9-17 * * 1-5", "0 2 1 * *"),
)


def late(n, show):
    """Delays of 2 to 30 minutes (median) that spread widely, as those of hosted runners; up to half are missing."""
    print(pd.DataFrame({"dev": _late(DEV, n, show), "held-out": _late(HELD_OUT, n, 0)}).T.to_string())


def _late(seed, n, show):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        text, missing = str(rng.choice(LATE)), rng.choice([0.0, 0.05, 0.2, 0.5])
        ticks = draw_ticks(rng, text, "UTC", int(np.exp(rng.uniform(np.log(60), np.log(1500)))))
        middle = min(rng.uniform(120, 1800), np.median(np.diff(ticks)) / 4000)
        seen = ticks[rng.random(len(ticks)) >= missing]
        ms = seen + (rng.lognormal(np.log(middle), rng.uniform(0.2, 0.6), len(seen)) * 1000).astype(np.int64)
        found, took = timed(infer_cron, instants(ms), "UTC")
        right = len(found) and is_shifted(text, "UTC", found.iloc[0], int(ms.min()), int(ms.max()))
        rows.append((bool(right), bool(len(found)) and found["is_explained"].iloc[0], took))
        if show and not right:
            print(
                "   ",
                text,
                len(ms),
                missing,
                round(middle),
                found[["cron", "offset"]].head(1).to_dict("records"),
                sep=" | ",
            )
    return summary(rows, ["right but for a constant delay", "explained"])


def random(n, show):
    """Times that no cron is behind, 3 to 1000: whether there is a candidate, and whether it is called explained."""
    kinds = {
        "at random": lambda rng, n: rng.uniform(0, 90 * DAY, n),
        "in office hours": _office_hours,
        "in bursts": lambda rng, n: np.repeat(rng.uniform(0, 90 * DAY, n), 3) + rng.exponential(60_000, 3 * n),
        "around 8 p.m.": lambda rng, n: rng.choice(2 * n, n, replace=False) * DAY + rng.normal(20, 1, n) * 3_600_000,
        "every 37 minutes": lambda rng, n: 37 * 60_000 * np.arange(n) + rng.normal(0, 2000, n).cumsum(),
        "an hour after the last": lambda rng, n: (3_600_000 + rng.lognormal(10, 1, n)).cumsum(),
    }
    rows = {
        f"{name}, {kind}": _random(seed, n // 3, draw, show)
        for name, draw in kinds.items()
        for kind, seed in (("dev", DEV), ("held-out", HELD_OUT))
    }
    print(pd.DataFrame(rows).T.to_string())


def _random(seed, n, draw, show):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        ms = START + draw(rng, int(np.exp(rng.uniform(np.log(3), np.log(1000)))))
        found, took = timed(infer_cron, instants(ms))
        is_explained = bool(len(found)) and bool(found["is_explained"].iloc[0])
        rows.append((len(found) > 0, is_explained, took))
        if show and is_explained:
            print("   ", len(ms), found.iloc[0].tolist(), sep=" | ")
    return summary(rows, ["a candidate", "explained"])


def _office_hours(rng, n):
    days = rng.integers(0, 90, 2 * n)
    days = days[days % 7 < 5][:n]
    return days * DAY + rng.normal(13, 2.5, len(days)).clip(8, 19) * 3_600_000


def changes(n, show):
    """One to three crons in a row, 40 to 300 ticks each, zone given: changes found at their tick."""
    rows = {"dev": _changes(DEV, n // 5, show), "held-out": _changes(HELD_OUT, n // 5, 0)}
    print(pd.DataFrame(rows).T.to_string())


def _changes(seed, n, show):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        tz, ms, starts, crons = _draw_changes(rng)
        found, took = timed(change_points, instants(rng.permutation(ms)), tz)
        at = pd.DatetimeIndex(found["started_at"]).as_unit("ms").asi8[1:]
        right = sum(any(_is_between(start, at_, *crons[i : i + 2], tz) for at_ in at) for i, start in enumerate(starts))
        rows.append((len(starts), right, len(at), took))
        if show and not right == len(starts) == len(at):
            print(
                "   ",
                tz,
                crons,
                instants(starts).astype(str).tolist(),
                found[["started_at", "cron"]].astype(str).to_dict("records"),
                sep=" | ",
            )
    table = pd.DataFrame(rows, columns=["planted", "right", "found", "ms"])
    is_right = (table["planted"] == table["right"]) & (table["found"] == table["right"])
    return {
        **table[["planted", "right", "found"]].sum(),
        "histories": n,
        "all right": is_right.sum(),
        "median ms": round(table["ms"].median()),
    }


def _draw_changes(rng):
    """Draw the zone, the times, the first tick seen of each new cron, and the crons."""
    tz, start = str(rng.choice(PLACES)), START + int(rng.integers(2 * 365 * DAY))
    times, starts, crons = [], [], []
    for _ in range(int(rng.integers(1, 4))):
        text = draw_cron(rng)
        ticks = Cron(text, tz).tick_ms(start, start + SPAN)[: rng.integers(40, 300)]
        if crons and np.isin(ticks, Cron(crons[-1], tz).tick_ms(int(ticks[0]), int(ticks[-1]) + 1)).mean() > 0.5:
            continue  # hardly a change: the cron before plans most of these ticks, too
        ms = observe(rng, ticks)
        starts += [int(ticks[ticks.searchsorted(ms.min(), side="right") - 1])] if crons else []
        times, crons, start = [*times, ms], [*crons, text], int(ticks[-1]) + 1000
    return tz, np.concatenate(times), starts, crons


def _is_between(start, at, before, after, tz):
    """Tell whether both crons plan the same between the true and the found tick, so that nothing could tell them."""
    low, high = sorted((start, at))
    return np.array_equal(Cron(before, tz).tick_ms(low, high), Cron(after, tz).tick_ms(low, high))


TABLES = {f.__name__: f for f in (real, simulated, fresh, stress, zones, late, random, changes)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help=", ".join(TABLES))
    parser.add_argument("-n", type=int, default=500, help="schedules in a table, or in proportion to it")
    parser.add_argument("--show", action="store_true", help="list what went wrong with the seed DEV")
    args = parser.parse_args()
    for name in args.tables or TABLES:
        print(f"\n{name}: {TABLES[name].__doc__}")
        TABLES[name](args.n, args.show)


if __name__ == "__main__":
    main()
