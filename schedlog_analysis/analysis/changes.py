"""A change is a tick from which on a schedule failed at another rate, by more than chance explains."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import xlogy

from schedlog_analysis._core.arrays import Mask, slices
from schedlog_analysis._core.calendar import zone
from schedlog_analysis._core.instants import Floats, Int64, to_instants
from schedlog_analysis._core.words import say
from schedlog_analysis.analysis.counted import Counted, read_counted
from schedlog_analysis.analysis.rates import require_share, wilson
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import CHANGES, Changes


def change_points(
    invocations_or_ticks: pd.DataFrame,
    *,
    policy: AccountingPolicy | None = None,
    tz: str = "UTC",
    confidence: float = 0.95,
    false_alarms: float = 0.05,
) -> pd.DataFrame:
    """
    Find when the error rate of each schedule changed.

    Parameters
    ----------
    invocations_or_ticks
        `schema.Invocations`, or `schema.Ticks` when missed ticks shall count.
    policy
        What counts as down and what is left out; by default `AccountingPolicy()`.
    tz
        Time zone of moments in the sentences.
    confidence
        Level of the intervals. [0..1]
    false_alarms
        Share of schedules with a constant rate in which a change may be found. [0..1]

    Returns
    -------
    changes
        One row per change, see `schema.Changes`, sorted by schedule and time. Empty if the rates are constant.

    Raises
    ------
    InputError
        If an argument makes no sense.

    Notes
    -----
    The ticks of a schedule are cut so that the likelihood of constant rates between the cuts, less a penalty for each
    cut, is the greatest of all possible cuts (exactly: optimal partitioning with the pruning of Killick, Fearnhead and
    Eckley 2012, doi:10.1080/01621459.2012.737745). The penalty for n ticks is ½ ln n + ln(1 / `false_alarms`) + ½ in
    units of the log-likelihood; `benchmarks/changes.py` shows that false alarms then keep to their share. Where else a
    change may have been are the ticks whose log-likelihood is at most ln(1 / (1 - `confidence`)) below the best.

    Ticks are taken as independent: of failures that come in groups, each group may be two changes. The intervals of the
    rates do not know that the cuts were chosen to make the rates differ.

    Examples
    --------
    >>> from schedlog_analysis import invocations, load_sample, ticks
    >>> sample = load_sample()
    >>> planned = ticks(invocations(sample.log, sample.schedules), sample.schedules)
    >>> changes = change_points(planned[planned["schedule_id"] == "wAkdiDXsEiDKv4884"])
    >>> changes.iloc[-1][["changed_at", "n_failed_after", "n_after"]].astype("str").tolist()
    ['2026-10-24 04:10:00+00:00', '63', '63']
    """
    require_share(false_alarms, "false_alarms", 0.05)
    require_share(confidence, "confidence", 0.95)
    zone(tz)
    counted = read_counted(invocations_or_ticks, policy)
    parts = []
    for rows in slices(counted.schedule, len(counted.schedule_ids)):
        cuts = find_cuts(counted.is_down[rows], false_alarms)
        if len(cuts):
            parts.append(_stretches(counted.is_down[rows], cuts, confidence).moved(rows.start))
    return _table(parts, counted, confidence, tz)


def find_cuts(is_down: Mask, false_alarms: float = 0.05) -> Int64:
    """
    Cut a series of good and bad trials where their rate changed.

    Parameters
    ----------
    is_down
        Whether each trial was bad, in the order of time.
    false_alarms
        Share of series with a constant rate that may be cut. [0..1]

    Returns
    -------
    cuts
        Numbers of the first trials with a new rate.

    Examples
    --------
    >>> find_cuts(np.repeat([False, True, False], [40, 15, 45])).tolist()
    [40, 55]
    """
    if not is_down.any() or is_down.all():
        return np.empty(0, np.int64)
    penalty = np.log(len(is_down)) / 2 - np.log(false_alarms) + 0.5
    # A best cut never lies inside a stretch of equal trials, because the cost is concave there.
    ends = np.flatnonzero(np.diff(is_down, append=~is_down[-1])) + 1
    at = np.concatenate([[0], ends])
    n_down = np.concatenate([[0], np.cumsum(is_down)[ends - 1]])
    best, before = np.zeros(len(at)), np.zeros(len(at), dtype=np.int64)
    open_ = np.array([0])
    for end in range(1, len(at)):
        total = best[open_] + _cost(at[end] - at[open_], n_down[end] - n_down[open_])
        least = total.argmin()
        best[end], before[end] = total[least] + penalty, open_[least]
        open_ = np.append(open_[total <= best[end]], end)
    cuts = []
    last = before[-1]
    while last > 0:
        cuts.append(at[last])
        last = before[last]
    return np.array(cuts[::-1], dtype=np.int64)


class _Stretches(NamedTuple):
    """Cuts of one schedule or of several: rows of the trials, and counts on either side."""

    cut: Int64
    earliest: Int64
    latest: Int64
    n: Int64  # two columns, before and after
    n_failed: Int64

    def moved(self, rows: int) -> _Stretches:
        return self._replace(cut=self.cut + rows, earliest=self.earliest + rows, latest=self.latest + rows)


def _cost(n: Int64, n_down: Int64) -> Floats:
    """Least negative log-likelihood of a constant rate."""
    good = n - n_down
    cost = xlogy(n, n) - xlogy(n_down, n_down) - xlogy(good, good)
    return np.asarray(cost, dtype=np.float64)


def _stretches(is_down: Mask, cuts: Int64, confidence: float) -> _Stretches:
    bounds = np.concatenate([[0], cuts, [len(is_down)]])
    so_far = np.concatenate([[0], np.cumsum(is_down)])
    n, n_failed = np.diff(bounds), np.diff(so_far[bounds])
    ranges = [
        _range(so_far, begin, end, confidence)
        for begin, end in zip(bounds[:-2].tolist(), bounds[2:].tolist(), strict=True)
    ]
    earliest, latest = np.array(ranges, dtype=np.int64).T
    sides = (np.column_stack([counts[:-1], counts[1:]]) for counts in (n, n_failed))
    return _Stretches(cuts, earliest, latest, *sides)


def _range(so_far: Int64, begin: int, end: int, confidence: float) -> tuple[int, int]:
    """First and last place between two cuts where the one in the middle is nearly as likely."""
    place = np.arange(begin + 1, end)
    down = so_far[place]
    cost = _cost(place - begin, down - so_far[begin]) + _cost(end - place, so_far[end] - down)
    likely = place[cost <= cost.min() - np.log(1 - confidence)]
    return int(likely[0]), int(likely[-1])


def _table(parts: list[_Stretches], counted: Counted, confidence: float, tz: str) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(Changes.empty())
    cut, earliest, latest, n, n_failed = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    low, high = wilson(n_failed, n, confidence)
    rate = n_failed / n
    sides: dict[str, Any] = {
        f"{name}_{side}": values[:, column]
        for name, values in {"n": n, "n_failed": n_failed, "rate": rate, "low": low, "high": high}.items()
        for column, side in enumerate(("before", "after"))
    }
    found = pd.DataFrame(
        {
            "schedule_id": pd.Series(counted.schedule_ids.take(counted.schedule[cut]), dtype="str"),
            "changed_at": to_instants(counted.instant[cut]),
            "earliest_at": to_instants(counted.instant[earliest]),
            "latest_at": to_instants(counted.instant[latest]),
            **sides,
            "change": pd.Categorical.from_codes(
                np.where(rate[:, 1] > rate[:, 0], 0, 1), categories=pd.Index(CHANGES, dtype="str")
            ),
        }
    )
    found["text"] = pd.Series([_sentence(row, tz) for row in found.to_dict("records")], dtype="str")
    return Changes.cast(found)


def _sentence(row: dict[Any, Any], tz: str) -> str:
    since, first, last = (
        f"{row[name].tz_convert(zone(tz)):%Y-%m-%d %H:%M}" for name in ("changed_at", "earliest_at", "latest_at")
    )
    after, before = (say(row[f"n_failed_{side}"], row[f"n_{side}"]) for side in ("after", "before"))
    told = f"{row['change'].capitalize()} from {since} on: {after} failed or were missed, {before} before"
    return f"{told}." if first == last else f"{told}; it may have begun between {first} and {last}."
