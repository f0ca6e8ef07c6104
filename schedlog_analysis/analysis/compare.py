"""A comparison tells whether the error rates of two periods differ by more than chance, or shows no clear change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from scipy.special import gammaln

from schedlog_analysis._core.groups import By, group, key_names
from schedlog_analysis._core.instants import Floats, Int64
from schedlog_analysis._core.words import say
from schedlog_analysis.analysis.rates import error_rate, require_share, wilson
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import CHANGES, Comparison, ErrorRates

WORSE, BETTER, NO_CHANGE, NOTHING = range(len(CHANGES))
TIE = 1e-7  # tables whose probabilities differ by less, relatively, are equally probable; rounding makes such


def compare(
    current: pd.DataFrame,
    previous: pd.DataFrame,
    by: By = None,
    *,
    policy: AccountingPolicy | None = None,
    confidence: float = 0.95,
    false_alarms: float = 0.05,
) -> pd.DataFrame:
    """
    Compare the error rates of two periods, of everything together or of every group.

    Choose comparable periods (`Period.previous` does): as long, with the same weekdays.

    Parameters
    ----------
    current, previous
        `schema.ErrorRates` of the two periods, whose counts are added up over windows and over all keys but `by`; or
        `schema.Ticks` or `schema.Invocations`.
    by
        Key columns, such as ``"schedule_id"``. None takes the keys that both tables of rates have; ``[]`` compares
        everything together, as None does for ticks and invocations.
    policy
        What counts, where ticks or invocations were given; by default `AccountingPolicy()`.
    confidence
        Level of the intervals. [0..1]
    false_alarms
        Share of false ones that may be among what is called worse or better. [0..1]

    Returns
    -------
    comparison
        One row per group that is in either period: the columns of `by`, then `schema.Comparison`. `p_adjusted` depends
        on all rows, everything else on its own row only. Empty if both are and something is grouped.

    Raises
    ------
    InputError
        If a column of `by` is not there, or a share makes no sense.

    Notes
    -----
    The interval is Newcombe's hybrid score interval (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873). The test is
    Fisher's with mid-p, two-sided by the probability of the tables: Fisher's own is so cautious that with few failures
    it hardly ever speaks (of pairs with at most ten failures it calls 1 % different where 5 % are stated), and the
    unconditional tests (Barnard, Boschloo) search a nuisance parameter for every pair to end at nearly the same values
    (Lydersen, Fagerland and Laake 2009, doi:10.1002/sim.3531). The price: at some rates mid-p calls a little more than
    stated different, 5.7 % at the worst where 5 % are stated. Many groups are corrected for by Benjamini and Hochberg
    (1995): of those called worse or better, at most the share `false_alarms` is so by chance. `benchmarks/compare.py`
    measures all of this.

    Ticks are taken as independent. One incident makes many failures, so "worse" may be the word for a single incident:
    look at the incidents before drawing conclusions.

    Examples
    --------
    >>> rates = pd.DataFrame({"window_start": [pd.NaT], "n": [200], "n_failed": [30]})
    >>> before = rates.assign(n_failed=10)
    >>> compare(rates, before)["change"].item(), compare(rates, rates)["text"].item()
    ('worse', 'No clear change: 15.0 % (30 of 200) failed or were missed, 15.0 % (30 of 200) before.')
    """
    require_share(false_alarms, "false_alarms", 0.05)
    keys = _shared_keys(current, previous) if by is None else key_names(by)
    pairs = _pairs(_counts(current, keys, policy), _counts(previous, keys, policy), keys)
    k, n, k0, n0 = (pairs[name].to_numpy() for name in ("n_failed", "n", "n_failed_previous", "n_previous"))
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, rate0 = (np.where(due > 0, failed / due, np.nan) for failed, due in ((k, n), (k0, n0)))
    low, high = newcombe(k, n, k0, n0, confidence)
    p_value = mid_p(k, n, k0, n0)
    p_adjusted = adjust(p_value)
    change = np.where(rate > rate0, WORSE, BETTER)
    change = np.select([np.isnan(p_value), ~(p_adjusted <= false_alarms)], [NOTHING, NO_CHANGE], default=change)
    found = pairs.assign(
        error_rate=rate,
        error_rate_previous=rate0,
        difference=rate - rate0,
        low=low,
        high=high,
        p_value=p_value,
        p_adjusted=p_adjusted,
        change=pd.Categorical.from_codes(change, categories=pd.Index(CHANGES, dtype="str")),
    )
    counts, bounds = zip(k, n, k0, n0, strict=True), zip(low, high, strict=True)
    found["text"] = pd.Series(list(map(_sentence, change, counts, bounds)), dtype="str")
    return pd.concat([found[keys], Comparison.cast(found)], axis=1)


def _shared_keys(current: pd.DataFrame, previous: pd.DataFrame) -> list[str]:
    """Give the columns that stand before the rates in both tables; ticks and invocations have none."""
    if not all({"n", "n_failed"} <= set(table) for table in (current, previous)):
        return []
    return [str(name) for name in current if name in previous and name not in ErrorRates.names()]


def newcombe(
    n_failed: Any,  # noqa: ANN401 - numbers or arrays, as in `wilson`
    n: Any,  # noqa: ANN401
    n_failed_previous: Any,  # noqa: ANN401
    n_previous: Any,  # noqa: ANN401
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """
    Interval of the difference of two shares by Newcombe's hybrid score, without continuity correction.

    Missing where either n is 0.

    Examples
    --------
    >>> [round(float(bound), 4) for bound in newcombe(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    (k, n1), (k0, n0) = (
        (np.asarray(failed, dtype=np.float64), np.asarray(due, dtype=np.float64))
        for failed, due in ((n_failed, n), (n_failed_previous, n_previous))
    )
    (low, high), (low0, high0) = wilson(k, n1, confidence), wilson(k0, n0, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, rate0 = k / n1, k0 / n0
    down = np.hypot(rate - low, high0 - rate0)
    up = np.hypot(high - rate, rate0 - low0)
    return rate - rate0 - down, rate - rate0 + up


def mid_p(n_failed: Any, n: Any, n_failed_previous: Any, n_previous: Any) -> Floats:  # noqa: ANN401 - as above
    """
    Probability that chance alone makes two shares differ at least so much, by Fisher's exact test with mid-p.

    All tables with the same totals that are less probable than this one count whole, those as probable count half.
    Missing where either n is 0.

    Examples
    --------
    >>> mid_p([3, 0], [10, 0], [0, 1], [10, 5]).round(4).tolist()
    [0.1053, nan]
    """
    # Heavy, and needed by nobody who only counts: importing it takes longer than the rest of the package.
    from scipy.stats import hypergeom  # noqa: PLC0415

    k, n1, k0, n0 = np.broadcast_arrays(
        *(np.asarray(counts, dtype=np.int64) for counts in (n_failed, n, n_failed_previous, n_previous))
    )
    total, failed = n1 + n0, k + k0
    first, last = np.maximum(0, failed - n0), np.minimum(failed, n1)
    mode = np.clip((failed + 1) * (n1 + 1) // (total + 2), first, last)

    def log_probability(x: Int64) -> Floats:
        """Up to a constant."""
        inside = np.clip(x, first, last)
        parts = (inside, failed - inside, n1 - inside, n0 - failed + inside)
        return np.where(inside == x, -sum(gammaln(part + 1) for part in parts), -np.inf)

    # Tables less probable than this one are two tails, because the probability falls from the mode to either side.
    seen = log_probability(k)
    left = _last_below(lambda x: log_probability(x) < seen - TIE, first - 1, mode)
    right = -_last_below(lambda x: log_probability(-x) < seen - TIE, -last - 1, -mode)
    less = hypergeom.cdf(left, total, n1, failed) + hypergeom.sf(right - 1, total, n1, failed)
    is_twin = (right - 1 > left + 1) & (np.abs(log_probability(right - 1) - log_probability(left + 1)) <= TIE)
    half = hypergeom.pmf(k, total, n1, failed) * np.where(is_twin, 1.0, 0.5)
    p_value = np.where(first == last, 1.0, np.clip(less + half, 0.0, 1.0))  # one possible table shows nothing
    return np.where((n1 == 0) | (n0 == 0), np.nan, p_value)


def adjust(p_values: Floats) -> Floats:
    """
    Correct p-values for their number by Benjamini and Hochberg; missing ones stay missing and do not count.

    Examples
    --------
    >>> adjust(np.array([0.01, 0.04, 0.03, np.nan])).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(-p_values[known], kind="stable")]
    rank = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum.accumulate(np.minimum(p_values[order] * len(order) / rank, 1.0))
    return adjusted


def _counts(table: pd.DataFrame, keys: list[str], policy: AccountingPolicy | None) -> pd.DataFrame:
    """Counts of one period by group."""
    rates = table if "n_failed" in table else error_rate(table, by=keys, policy=policy)
    missing = {"n", "n_failed"} - set(rates)
    if missing:
        raise InputError(f"A comparison needs ErrorRates, Ticks or Invocations; this table lacks {', '.join(missing)}.")
    groups = group(rates, keys)
    counts = {name: np.bincount(groups.of_row, rates[name], groups.n).astype(np.int64) for name in ("n", "n_failed")}
    return groups.keys.assign(**counts)


def _pairs(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Counts of both periods side by side; a group that is in one only has n = 0 in the other."""
    both = pd.DataFrame({key: _joined(now[key], before[key]) for key in keys}, index=range(len(now) + len(before)))
    groups = group(both, keys)
    counts = {}
    for name in ("n", "n_failed"):
        counts[name] = np.bincount(groups.of_row[: len(now)], now[name], groups.n).astype(np.int64)
        counts[f"{name}_previous"] = np.bincount(groups.of_row[len(now) :], before[name], groups.n).astype(np.int64)
    return groups.keys.assign(**counts)


def _joined(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[Any]:
    """One column below the other; of two categoricals, the categories of both."""
    if isinstance(one.dtype, pd.CategoricalDtype) and isinstance(other.dtype, pd.CategoricalDtype):
        return pd.Series(union_categoricals([one, other], sort_categories=True, ignore_order=True))
    plain = (side.astype(getattr(side.dtype, "categories", side).dtype) for side in (one, other))
    return pd.concat(plain, ignore_index=True)


def _last_below(is_below: Any, low: Int64, high: Int64) -> Int64:  # noqa: ANN401 - a test of numbers
    """Largest x of each interval [low, high] for which the test holds, as it holds from `low` on up to some x."""
    low, high = low.copy(), high + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        holds = is_below(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low


def _sentence(change: int, counts: tuple[int, int, int, int], bounds: tuple[float, float]) -> str:
    k, n, k0, n0 = counts
    if change == NOTHING:
        when = "in either period" if n == n0 == 0 else "in this period" if n == 0 else "in the period before"
        return f"Nothing was due {when}, so there is nothing to compare."
    told = f"{say(k, n)} failed or were missed, {say(k0, n0)} before"
    if change == NO_CHANGE:
        return f"No clear change: {told}."
    small, large = sorted(abs(100 * bound) for bound in bounds)
    much = f"between {small:.1f} and {large:.1f}" if bounds[0] * bounds[1] > 0 else f"{100 * abs(k / n - k0 / n0):.1f}"
    return f"{CHANGES[change].capitalize()}: {told}; {much} percentage points {'more' if change == WORSE else 'less'}."
