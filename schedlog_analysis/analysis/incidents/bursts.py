"""
A burst is failures closer together than chance puts them, whatever the schedule's error rate is.

Incidents say what went wrong and when; bursts answer one question with a stated error: are the failures clumped at all?
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from schedlog_analysis._core.instants import MISSING, Int64, to_instants
from schedlog_analysis.analysis.counted import read_counted
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.matching.policy import AccountingPolicy

Float64 = NDArray[np.float64]

MIN_BAD: Final = 3  # two failures in a row are no burst, however rare failures are
GROWTH: Final = 1.15  # beyond small numbers, only every so many failures are tried


class _Densest(NamedTuple):
    """The least likely piece so far of each schedule: rows of its first and last bad trial, how many are bad, and p."""

    first: Int64
    last: Int64
    n_bad: Int64
    p_value: Float64


def bursts(table: pd.DataFrame, *, false_alarm: float = 0.01, policy: AccountingPolicy | None = None) -> pd.DataFrame:
    """
    Tell for each schedule whether its failures are clumped beyond chance, and where most.

    The question is asked of the order alone: given that k of n ticks were bad, would a random order put so many of them
    so close together? A schedule that fails evenly often has no burst, and three failures in a row of a schedule that
    fails in 5 % of 720 ticks are none. If the order is random, no more than `false_alarm` of the schedules are said to
    have one, whatever their error rates are.

    Parameters
    ----------
    table
        Ticks or Invocations of any number of schedules.
    false_alarm
        Share of schedules without clumps in which chance may be taken for a burst, above 0 and below 1.
    policy
        What counts as down and what is left out, see `error_rate`.

    Returns
    -------
    bursts
        One row per schedule: schedule_id, n (ticks that count), n_bad, started_at and ended_at (first and last bad
        tick of the densest piece; missing with fewer than 3 bad ticks), n_ticks and n_burst (ticks and bad ticks in
        it), p_value (1 with fewer than 3 bad ticks) and is_burst. Sorted by schedule; empty without ticks.

    Raises
    ------
    ConfigError
        If `false_alarm` is not above 0 and below 1.
    SchemaError
        If the table is neither Ticks nor Invocations.

    Notes
    -----
    A scan statistic, conditional on k. A window of w ticks that begins with a bad one holds at least m bad ticks with
    the chance P(H >= m - 1), H hypergeometric: w - 1 draws from n - 1 ticks with k - 1 bad ones; k windows begin so,
    which bounds the chance that any of them does. Every m from 3 on is tried and may use up 2 / (m (m - 1)) of the
    false alarms, which adds up to 1.

    Examples
    --------
    >>> hours = pd.date_range("2026-01-01", periods=200, freq="h", tz="UTC")
    >>> ticks = pd.DataFrame({
    ...     "schedule_id": "a", "planned_at": hours, "invoked_at": hours, "delay": pd.Timedelta(0), "status": "on_time",
    ...     "outcome": np.where(np.arange(200) // 6 == 10, "failed", "ok"), "is_ambiguous": False})
    >>> bursts(ticks)[["n_bad", "n_burst", "is_burst"]].values.tolist()
    [[6, 6, True]]
    """
    if not 0 < false_alarm < 1:
        raise ConfigError(f"`false_alarm` is {false_alarm}; expected a share above 0 and below 1, such as 0.01.")
    counted = read_counted(table, policy)
    present, schedule = np.unique(counted.schedule, return_inverse=True)
    n = np.bincount(schedule, minlength=len(present))
    bad = np.flatnonzero(counted.is_down)
    densest = _grow(_scan(bad, schedule[bad], n), bad, schedule[bad])
    is_there = densest.n_bad > 0
    first, last = (np.append(bad, 0)[np.where(is_there, rows, 0)] for rows in (densest.first, densest.last))
    at = np.append(counted.instant, MISSING)
    return pd.DataFrame(
        {
            "schedule_id": pd.Series(counted.schedule_ids.take(present), dtype="str"),
            "n": n,
            "n_bad": np.bincount(schedule[bad], minlength=len(present)),
            "started_at": to_instants(np.where(is_there, at[first], MISSING)),
            "ended_at": to_instants(np.where(is_there, at[last], MISSING)),
            "n_ticks": np.where(is_there, last - first + 1, 0),
            "n_burst": densest.n_bad,
            "p_value": densest.p_value,
            "is_burst": densest.p_value <= false_alarm,
        }
    )


def _scan(bad: Int64, schedule: Int64, n: Int64) -> _Densest:
    """Try every number of bad trials on every schedule, and keep what chance explains least."""
    k = np.bincount(schedule, minlength=len(n))
    best = _Densest(np.zeros_like(n), np.zeros_like(n), np.zeros_like(n), np.ones(len(n)))
    m = MIN_BAD
    while m <= k.max(initial=0):
        first = np.flatnonzero(schedule[: len(bad) - m + 1] == schedule[m - 1 :])
        span = bad[first + m - 1] - bad[first] + 1
        order = np.lexsort((first, span, schedule[first]))
        who, tightest = np.unique(schedule[first[order]], return_index=True)
        first, span = first[order][tightest], span[order][tightest]
        chance = k[who] * _tail(m - 1, n[who] - 1, k[who] - 1, span - 1) * m * (m - 1) / 2
        is_rarer = (chance < best.p_value[who]) | (best.n_bad[who] == 0)
        who, first = who[is_rarer], first[is_rarer]
        for column, value in zip(best, (first, first + m - 1, m, np.minimum(chance[is_rarer], 1)), strict=True):
            column[who] = value
        m = max(m + 1, int(m * GROWTH))
    return best


def _tail(least: int, n: Int64, k: Int64, draws: Int64) -> Float64:
    """Chance of `least` or more of `k` bad ones among `draws` out of `n` (hypergeometric); 1 where that is expected."""
    x = np.full(len(n), least)
    term = np.exp(_log_choose(k, x) + _log_choose(n - k, draws - x) - _log_choose(n, draws))
    is_expected = least * n <= draws * k
    total = term.copy()
    while ((term > total * np.finfo(float).eps) & ~is_expected).any():
        term = term * (k - x) * (draws - x) / ((x + 1) * np.maximum(n - k - draws + x + 1, 1))
        x = x + 1
        total += term
    return np.where(is_expected, 1.0, np.minimum(total, 1.0))


def _log_choose(n: Int64, k: Int64) -> Float64:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)


def _grow(densest: _Densest, bad: Int64, schedule: Int64) -> _Densest:
    """Let a piece reach to the ends of the streaks that it begins and ends in."""
    some = np.flatnonzero(densest.n_bad)
    cut = np.flatnonzero((np.diff(bad) > 1) | (np.diff(schedule) != 0)) + 1
    bounds = np.concatenate([[0], cut, [len(bad)]])
    first, last = densest.first.copy(), densest.last.copy()
    first[some] = bounds[np.searchsorted(bounds, first[some], side="right") - 1]
    last[some] = bounds[np.searchsorted(bounds, last[some], side="right")] - 1
    return densest._replace(first=first, last=last, n_bad=np.where(densest.n_bad > 0, last - first + 1, 0))
