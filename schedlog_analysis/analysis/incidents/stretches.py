"""
A stretch is a piece of a schedule's ticks where bad ones are so dense that chance does not explain it.

Pure array arithmetic: ticks come as one series sorted by schedule and time, stretches go out as positions in it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis._core.arrays import Mask, changes
from schedlog_analysis._core.instants import Int64

Float64 = NDArray[np.float64]

# What a stretch may look like, as the share of bad ticks in it, and the weight that each look gets: practically all of
# them, or most with good ones in between (flapping), which needs ten times the evidence.
LOOKS: Final = ((0.98, 1.0), (0.7, 0.1))
# What is known of a schedule before its first tick: one failure in twenty ticks.
PRIOR_BAD: Final = 1.0
PRIOR_TICKS: Final = 20.0


class Stretches(NamedTuple):
    """Positions of the first and of the last bad tick of each stretch, sorted."""

    first: Int64
    last: Int64


def find_streaks(schedule: Int64, is_bad: Mask, open_after: int, close_after: int) -> Stretches:
    """
    Find stretches by counting: so many bad ticks in a row open one, so many good ticks in a row close it.

    Parameters
    ----------
    schedule
        Number of each tick's schedule, sorted.
    is_bad
        Whether the tick is bad.
    open_after, close_after
        How many in a row.

    Returns
    -------
    stretches
        From the first of the bad ticks that opened it to the last bad tick before the good ones that closed it.

    Examples
    --------
    >>> is_bad = np.array([0, 1, 1, 1, 0, 1, 0, 0], dtype=bool)
    >>> find_streaks(np.zeros(8, dtype=np.int64), is_bad, 3, 2)
    Stretches(first=array([1]), last=array([5]))
    """
    bad = np.flatnonzero(is_bad)
    streak = _pieces(schedule, bad, 1)
    opens = changes(streak) & (np.bincount(streak)[streak] >= open_after)
    piece = _pieces(schedule, bad, close_after)
    opened, which = np.unique(piece[opens], return_index=True)
    return Stretches(bad[opens][which], bad[np.searchsorted(piece, opened, side="right") - 1])


def find_unlikely(schedule: Int64, is_bad: Mask, close_after: int, false_alarm: float, at_least: int = 3) -> Stretches:
    """
    Find stretches that chance does not explain, given how often the schedule fails anyway.

    Parameters
    ----------
    schedule, is_bad
        As for `find_streaks`.
    close_after
        Good ticks in a row that end a stretch, however bad it is on both sides of them.
    false_alarm
        How many stretches chance alone may make in one schedule, on average.
    at_least
        Bad ticks that a stretch has at least.

    Returns
    -------
    stretches
        From the first to the last bad tick.

    Notes
    -----
    Each tick is evidence that it belongs to a stretch in which a share q is bad, and not to the background, in which
    p is: a bad tick gives log(q / p), a good one log((1 - q) / (1 - p)), which is negative. A stretch is where the
    evidence adds up to the most, by the q of `LOOKS` that fits best; what is left and right of it is searched again.
    It starts with a bad tick after a good one, and in pure background the chance that the sum ever climbs by x is at
    most exp(-x) (Wald 1944, Page 1954). So n ticks make on average at most n (1 - p) q exp(-x) stretches with evidence
    x: for all looks with their weights together no more than `false_alarm` when x is
    ``log(n (1 - p) sum(q * weight) / false_alarm)``.

    Examples
    --------
    >>> find_unlikely(np.zeros(20, dtype=np.int64), np.arange(20) // 4 == 2, 3, 0.01)
    Stretches(first=array([8]), last=array([11]))
    """
    bad = np.flatnonzero(is_bad)
    p = background_rates(schedule, is_bad)
    n = np.bincount(schedule, minlength=len(p))
    bar = np.log(np.maximum(n, 1) * (1 - p) * sum(q * weight for q, weight in LOOKS) / false_alarm)[schedule[bad]]
    p = p[schedule[bad]]
    rows, piece = np.arange(len(bad)), _pieces(schedule, bad, close_after)
    found = Stretches(_NONE, _NONE)
    while len(rows):
        first, last, evidence = _best(bad[rows], piece, p[rows])
        is_enough = (evidence >= bar[rows[first]]) & (last - first + 1 >= at_least)
        found = Stretches(np.append(found.first, rows[first[is_enough]]), np.append(found.last, rows[last[is_enough]]))
        here = np.arange(len(rows))
        is_right = here > last[piece]
        rest = is_enough[piece] & (is_right | (here < first[piece]))
        rows, piece = rows[rest], _renumber(piece[rest], is_right[rest])
    order = np.argsort(found.first)
    return Stretches(bad[found.first[order]], bad[found.last[order]])


def background_rates(schedule: Int64, is_bad: Mask) -> Float64:
    """
    Estimate how often each schedule fails outside its stretches: the share of good ticks that a bad one follows.

    However long a stretch is, it follows one good tick only, so stretches hardly raise the estimate. One such start is
    left out, because whoever asks has a stretch in hand and wants to know what the rest looks like.

    Returns
    -------
    rates
        One per number of a schedule, more than 0 and less than 1; 1 in 20 where nothing is known.

    Examples
    --------
    >>> background_rates(np.zeros(100, dtype=np.int64), np.arange(100) > 79)
    array([0.01])
    """
    size = int(schedule[-1]) + 1 if len(schedule) else 0
    follows_good = ~is_bad[:-1] & (schedule[1:] == schedule[:-1])
    n_good = np.bincount(schedule[1:][follows_good], minlength=size)
    n_starts = np.bincount(schedule[1:][follows_good & is_bad[1:]], minlength=size)
    return (np.maximum(n_starts - 1, 0) + PRIOR_BAD) / (n_good + PRIOR_TICKS)


_NONE: Final = np.empty(0, dtype=np.int64)


def _best(position: Int64, piece: Int64, p: Float64) -> tuple[Int64, Int64, Float64]:
    """Give for each piece the first and last row of the stretch with the most evidence, and how much that is."""
    begin = np.flatnonzero(changes(piece))
    tried = [_densest(position, piece, begin, p, q, weight) for q, weight in LOOKS]
    first, last, evidence = (np.stack(columns) for columns in zip(*tried, strict=True))
    best = evidence.argmax(axis=0), np.arange(len(begin))
    return first[best], last[best], evidence[best]


def _densest(
    position: Int64, piece: Int64, begin: Int64, p: Float64, q: float, weight: float
) -> tuple[Int64, Int64, Float64]:
    """
    Give the stretches with the most evidence for one look.

    The evidence of a stretch is a difference of running sums; its best start is where the sum is lowest (Bentley 1984).
    """
    # Down is never so little that a single bad tick after a good one would prolong it, nor below the background.
    share = np.maximum.reduce([np.full(len(p), q), 1 - p / 2, (1 + p) / 2]) if q == LOOKS[0][0] else np.full(len(p), q)
    gain, cost = np.log(share / p), np.log((1 - p) / (1 - share))
    here = np.arange(len(piece))
    nth = here - begin[piece]
    total = gain * nth - cost * (position - position[begin][piece] - nth)
    lowest = pd.Series(total).groupby(piece).cummin().to_numpy()
    start = np.maximum.accumulate(np.where(total <= lowest, here, 0))
    evidence = np.where(gain > 0, total - lowest + gain + np.log(weight), -np.inf)
    best = np.maximum.reduceat(evidence, begin)
    ends = np.flatnonzero(evidence == best[piece])
    last = ends[np.unique(piece[ends], return_index=True)[1]]
    return start[last], last, best


def _pieces(schedule: Int64, bad: Int64, close_after: int) -> Int64:
    """Number the pieces into which `close_after` good ticks in a row, or another schedule, cut the bad ticks."""
    apart = (np.diff(bad) > close_after) | (np.diff(schedule[bad]) != 0)
    return np.concatenate([_NONE, np.zeros(min(len(bad), 1), dtype=np.int64), np.cumsum(apart)])


def _renumber(piece: Int64, part: Mask) -> Int64:
    """Number the parts of pieces from 0, in order."""
    apart = (np.diff(piece) != 0) | (np.diff(part) != 0)
    return np.concatenate([_NONE, np.zeros(min(len(piece), 1), dtype=np.int64), np.cumsum(apart)])
