"""
How often the comparison of two periods is wrong by chance, how often it sees a real difference, what intervals cover.

``python benchmarks/compare.py`` prints: of 10,000 pairs of periods without a difference, how many are called different
before and after the correction for many schedules; by exact summation, the worst case of the test for equal rates; how
many real differences are seen; and how often the intervals of a rate and of a difference hold the true one.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from schedlog_analysis.analysis.compare import adjust, compare, mid_p, newcombe
from schedlog_analysis.analysis.rates import wilson
from schedlog_analysis.schema import ErrorRates

PAIRS = 10_000
LEVEL = 0.05
ACCOUNTS = (1, 10, 100, 1000)  # schedules in an account, over which the correction is made


def draw(rng: Any, size: int) -> tuple[Any, Any, Any]:
    """Draw ticks due in both periods and error rates as accounts have them: mostly small, few large."""
    n, n0 = rng.integers(20, 800, (2, size))
    return n, n0, rng.beta(0.5, 8, size)


def fisher(k: Any, n: Any, k0: Any, n0: Any) -> Any:
    """Fisher's exact test without mid-p, for comparison."""
    rows = zip(k.tolist(), n.tolist(), k0.tolist(), n0.tolist(), strict=True)
    return np.array([stats.fisher_exact([[a, b - a], [c, d - c]])[1] for a, b, c, d in rows])


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}\n")
    table = pd.DataFrame(rows).T
    print("| | " + " | ".join(table) + " |\n| --- |" + " ---: |" * table.shape[1])
    for name, row in table.iterrows():
        print(f"| {name} | " + " | ".join(f"{value:.4g}" for value in row) + " |")


def by_chance() -> None:
    rng = np.random.default_rng(20261101)
    n, n0, rate = draw(rng, PAIRS)
    counts = (rng.binomial(n, rate), n, rng.binomial(n0, rate), n0)
    p_values, cautious = mid_p(*counts), fisher(*counts)
    is_few = counts[0] + counts[2] <= 10
    rows = {}
    for level in (0.01, LEVEL, 0.1):
        rows[f"level {level:g}"] = {
            "mid-p, share called different": np.mean(p_values <= level),
            "Fisher without mid-p": np.mean(cautious <= level),
            "mid-p, at most 10 failures": np.mean(p_values[is_few] <= level),
            "Fisher, at most 10 failures": np.mean(cautious[is_few] <= level),
        } | {
            f"accounts of {size:,} with any, corrected": np.mean(
                [(adjust(account) <= level).any() for account in p_values.reshape(-1, size)]
            )
            for size in ACCOUNTS
        }
    show(f"{PAIRS:,} pairs without a difference", rows)


def by_rate() -> None:
    """Sum over all outcomes instead of drawing some: the share of pairs called different at equal rates."""
    rows = {}
    rates = np.linspace(0.002, 0.5, 250)
    for n, n0 in ((10, 10), (30, 30), (30, 100), (100, 100), (300, 300), (180, 744)):
        k, k0 = np.meshgrid(np.arange(n + 1), np.arange(n0 + 1), indexing="ij")
        is_called = mid_p(k, n, k0, n0) <= LEVEL
        sizes = np.array([_mass(rate, n) @ is_called @ _mass(rate, n0) for rate in rates])
        few = rates <= 0.1
        rows[f"{n} against {n0} ticks"] = {
            "worst rate": sizes.max(),
            "mean over rates 0..0.5": sizes.mean(),
            "mean over rates 0..0.1": sizes[few].mean(),
        }
    show(f"Exact share called different at level {LEVEL} where rates are equal", rows)


def _mass(rate: float, n: int) -> Any:
    return stats.binom.pmf(np.arange(n + 1), n, rate)


def by_difference() -> None:
    rng = np.random.default_rng(5)
    rows = {}
    cases = (
        (30, 0.0, 0.2),
        (90, 0.02, 0.1),
        (180, 0.02, 0.1),
        (744, 0.01, 0.02),
        (744, 0.01, 0.03),
        (744, 0.05, 0.1),
        (744, 0.1, 0.02),
        (2200, 0.01, 0.02),
    )
    for n, before, now in cases:
        k, k0 = rng.binomial(n, now, 1000), rng.binomial(n, before, 1000)
        p_values = mid_p(k, n, k0, n)
        # The schedule that changed among others that did not, as many as `size` in all.
        alone = {}
        for size in (10, 100):
            due, due0, rate = draw(rng, 1000 * (size - 1))
            others = mid_p(rng.binomial(due, rate), due, rng.binomial(due0, rate), due0).reshape(1000, -1)
            seen = [adjust(np.r_[own, rest])[0] <= LEVEL for own, rest in zip(p_values, others, strict=True)]
            alone[f"the only one among {size}, corrected"] = np.mean(seen)
        rows[f"{n:,} ticks, {before:.0%} to {now:.0%}"] = {"alone": np.mean(p_values <= LEVEL)} | alone
    show(f"Power: share of 1,000 real differences that are called different at level {LEVEL}", rows)


def by_share() -> None:
    """Let a part of an account of 100 schedules have changed: of those called different, how many are so by chance."""
    rng = np.random.default_rng(6)
    rows = {}
    for n_changed in (1, 5, 20, 50):
        n_called, by_chance, n_seen, n_signs = [], [], 0, 0
        for _ in range(300):
            n, n0, rate = draw(rng, 100)
            later = rate.copy()
            later[:n_changed] = np.minimum(rate[:n_changed] + 0.15, 1)
            k, k0 = rng.binomial(n, later), rng.binomial(n0, rate)
            is_called = adjust(mid_p(k, n, k0, n0)) <= LEVEL
            n_called.append(is_called.sum())
            by_chance.append(is_called[n_changed:].sum())
            n_seen += is_called[:n_changed].sum()
            n_signs += (is_called & (k / n < k0 / n0))[:n_changed].sum()
        share = np.array(by_chance) / np.maximum(n_called, 1)
        rows[f"{n_changed} of 100 fail 15 points more"] = {
            "false among those called (at most 0.05)": share.mean(),
            "real ones seen": n_seen / (300 * n_changed),
            "called better instead of worse": n_signs / (300 * n_changed),
        }
    show("Corrected by Benjamini and Hochberg, 300 accounts of 100 schedules a row", rows)


def coverage() -> None:
    rows = {}
    rates = np.linspace(0.001, 0.999, 999)
    for n in (5, 10, 20, 50, 200, 1000, 5000):
        k = np.arange(n + 1)
        low, high = wilson(k, n)
        mass = stats.binom.pmf(k, n, rates[:, None])
        held = (mass * ((low <= rates[:, None]) & (rates[:, None] <= high))).sum(axis=1)
        rows[f"n = {n:,}"] = {
            "mean over all rates": held.mean(),
            "mean over rates to 0.1": held[rates <= 0.1].mean(),
            "least": held.min(),
            "at rate": rates[held.argmin()],
        }
    show("Exact coverage of the 95 % Wilson interval", rows)


def coverage_of_difference() -> None:
    rng = np.random.default_rng(8)
    rows = {}
    for least, most in ((5, 20), (20, 100), (100, 800), (800, 10_000)):
        n, n0 = rng.integers(least, most, (2, PAIRS))
        for name, rate, rate0 in (
            ("small rates", *rng.beta(0.5, 8, (2, PAIRS))),
            ("all rates", *rng.random((2, PAIRS))),
        ):
            low, high = newcombe(rng.binomial(n, rate), n, rng.binomial(n0, rate0), n0)
            is_held = (low <= rate - rate0) & (rate - rate0 <= high)
            rows[f"n from {least:,} to {most:,}, {name}"] = {"held": is_held.mean()}
    show(f"Coverage of the 95 % Newcombe interval, {PAIRS:,} pairs a row", rows)


def speed() -> None:
    rng = np.random.default_rng(9)
    n, n0, rate = draw(rng, PAIRS)
    ids = pd.DataFrame({"schedule_id": pd.Series([f"s{number:05}" for number in range(PAIRS)], dtype="str")})
    now, before = (
        pd.concat([ids, ErrorRates.cast(ErrorRates.empty().reindex(range(PAIRS)).assign(n=due, n_failed=down))], axis=1)
        for due, down in ((n, rng.binomial(n, rate)), (n0, rng.binomial(n0, rate)))
    )
    compare(now.head(2), before.head(2))
    began = time.process_time()
    compare(now, before)
    print(f"\n`compare` of {PAIRS:,} schedules: {time.process_time() - began:.2f} s of CPU")


if __name__ == "__main__":
    for part in (by_chance, by_rate, by_difference, by_share, coverage, coverage_of_difference, speed):
        part()
