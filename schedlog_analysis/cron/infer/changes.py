"""A change point is the tick at which a schedule began to follow another cron."""

from __future__ import annotations

from itertools import pairwise
from math import log2
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schedlog_analysis._core.instants import MISSING
from schedlog_analysis._core.table import Count, Duration, Flag, Instant, Number, Table, Text, field
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.infer.candidates import MIN_TIMES, Times, describe, sorted_ms, typed_table
from schedlog_analysis.cron.infer.code_length import EARLY_MS, Match, delay_shares, each_bits, match, null_bits
from schedlog_analysis.cron.infer.search import Found, prior_bits, search, ticks_around

Int64 = npt.NDArray[np.int64]
Span = tuple[int, int]
"""Positions of times, half-open."""
Bits = npt.NDArray[np.float64]

_N_TIMES, _N_PIECES = 24, 40  # least times of a piece in which a cron is looked for, and most pieces, about
_ROUNDS = 3  # of cutting, and inferring each segment anew
_CUT_BITS = 10.0  # what a change has to save beyond its own cost


class CronSegments(Table):
    """One row is one stretch of time in which a schedule followed one cron."""

    started_at: Instant = field("first tick that was answered; the first time where there is no cron")
    ended_at: Instant = field("start of the next segment; missing for the last", nullable=True)
    cron: Text = field("expression; missing where none saves anything", nullable=True)
    tz: Text = field("IANA time zone in which `cron` is read", nullable=True)
    score: Number = field("what the cron saves against writing the times down without any", unit="bit")
    share_explained: Number = field("times sooner than halfway to the next tick, less the later ones, / n", ge=0, le=1)
    is_explained: Flag = field("whether the evidence is enough to say that this cron is behind the times")
    offset: Duration = field("constant delay by which the ticks are shifted", unit="ms")
    n: Count = field("times", ge=0)
    n_missed: Count = field("planned ticks without a time", ge=0)


def change_points(times: Times, tz: str | None = None) -> pd.DataFrame:
    """
    Cut the history of a schedule where its cron changed.

    Parameters
    ----------
    times
        As for :func:`infer_cron`.
    tz
        IANA time zone of the schedule; None to infer it, for each segment.

    Returns
    -------
    segments
        Table of :class:`CronSegments` in order of time, one row where nothing changed; empty for too few times.

    Raises
    ------
    InputError
        The times have no offset or are no instants.
    CronError
        There is no such zone.

    Notes
    -----
    Crons are inferred in overlapping pieces of the history. Then it is cut where following another of them saves more
    bits than it costs to say so, by dynamic programming over all cuts (optimal partitioning [1]_). Segments are
    inferred anew and the cut repeated until it stays. A tick that both crons plan may fall to either side.

    References
    ----------
    .. [1] I. E. Auger, C. E. Lawrence, Algorithms for the optimal identification of segment neighborhoods, Bulletin of
       Mathematical Biology 51 (1989).

    Examples
    --------
    >>> daily = pd.date_range("2026-01-01 09:00", periods=30, tz="UTC")
    >>> hourly = pd.date_range("2026-02-01 00:30", periods=60, freq="h", tz="UTC")
    >>> change_points(daily.append(hourly))[["started_at", "cron"]].astype(str).values.tolist()
    [['2026-01-01 09:00:00+00:00', '0 9 * * *'], ['2026-02-01 00:30:00+00:00', '30 * * * *']]
    """
    ms = sorted_ms(times)
    if tz is not None:
        Cron("* * * * *", tz)  # says so if there is no such zone
    if len(ms) < MIN_TIMES:
        return typed_table(CronSegments, [])
    rows = [_row(ms[begin:end], tz) for begin, end in _segments(ms, tz)]
    rows = [
        row | {"ended_at": after}
        for row, after in zip(rows, [*(r["started_at"] for r in rows[1:]), MISSING], strict=True)
    ]
    return typed_table(CronSegments, rows)


def _row(ms: Int64, tz: str | None) -> dict[str, Any]:
    """Describe one segment."""
    found = _best(ms, tz)
    if found is None:
        empty = {"cron": None, "tz": None, "score": 0.0, "share_explained": 0.0, "is_explained": False}
        return {"started_at": ms[0], **empty, "offset": 0, "n": len(ms), "n_missed": 0}
    row = describe(ms, found, null_bits(ms) - found.bits, is_zone_free=tz is None)
    return {"started_at": row["planned_at"], **row}


def _best(ms: Int64, tz: str | None) -> Found | None:
    """Give the best candidate that saves anything."""
    found = search(ms, tz) if len(ms) >= MIN_TIMES else []
    return found[0] if found and found[0].bits < null_bits(ms) else None


def _matched(ms: Int64, found: Found) -> tuple[Match, Int64] | None:
    """Match times to the shifted ticks of a candidate; None where it has too many."""
    first, last = int(ms[0]) - found.offset + EARLY_MS, int(ms[-1]) - found.offset + EARLY_MS
    ticks = ticks_around(found.texts, found.tz, first, last)
    return None if ticks is None else (match(ms, ticks + found.offset), ticks + found.offset)


def _segments(ms: Int64, tz: str | None) -> list[Span]:
    """Cut the times into segments."""
    width = max(_N_TIMES, 2 * len(ms) // _N_PIECES)
    spans = [(0, len(ms)), *((begin, begin + width) for begin in range(0, len(ms) - width + 1, width // 2))]
    pool: dict[tuple[str, str, int], Found] = {}
    for _ in range(_ROUNDS):
        fits = [(ms[begin:end], _best(ms[begin:end], tz)) for begin, end in spans]
        pool |= {(found.cron, found.tz, found.offset): found for _, found in fits if found}
        before, spans = spans, _cut_all(ms, list(pool.values()), _delay_shares(fits))
        if spans == before:
            break
    return spans


def _delay_shares(fits: list[tuple[Int64, Found | None]]) -> Bits:
    """Say how long delays are when each stretch is explained by its own cron."""
    matched = [_matched(ms, found) for ms, found in fits if found]
    return delay_shares(np.concatenate([np.empty(0, np.int64), *(each[0].delay for each in matched if each)]))


def _cut_all(ms: Int64, pool: list[Found], shares: Bits) -> list[Span]:
    """Cut where following another candidate of the pool saves more than it costs."""
    matched = [(found, each[0]) for found in pool if (each := _matched(ms, found)) is not None]
    if not matched:
        return [(0, len(ms))]
    bits = np.array([each_bits(each, shares) for _, each in matched])
    prices = np.array([prior_bits(found.texts) for found, _ in matched]) + 2 * log2(len(ms)) + _CUT_BITS
    return list(pairwise([*cheapest_cuts(bits, prices), len(ms)]))


def cheapest_cuts(bits: Bits, prices: Bits) -> list[int]:
    """
    Find the beginnings of the segments that make the whole cheapest.

    Parameters
    ----------
    bits
        What each time costs under each candidate: a row per candidate, a column per time.
    prices
        What it costs to begin a segment with each candidate.

    Returns
    -------
    begins
        Positions of times, the first of them 0.

    Notes
    -----
    With S the running sums of `bits` and T[k, i] the least cost of the first i times in k + 1 segments,
    ``T[k, i] = min over c, j <= i of T[k-1, j] + prices[c] + S[c, i] - S[c, j]``: one running minimum per k. It ends
    where so many segments would cost more than the best so far even if each time had its own cheapest candidate.

    Examples
    --------
    >>> cheapest_cuts(np.array([[0, 0, 9, 9, 0], [9, 9, 0, 0, 9]]), np.array([5, 5]))
    [0, 2, 4]
    """
    sums = np.concatenate([np.zeros((len(bits), 1)), np.cumsum(bits, axis=1)], axis=1)
    prices = prices[:, None]
    floor, least_price = bits.min(axis=0).sum(), prices.min()
    layers = [np.append(0.0, np.full(bits.shape[1], np.inf))]
    while floor + len(layers) * least_price < min(layer[-1] for layer in layers):
        least = np.minimum.accumulate(layers[-1] + prices - sums, axis=1)
        layers.append((least + sums).min(axis=0))
    begins, end = [], bits.shape[1]
    for layer in reversed(layers[: int(np.argmin([layer[-1] for layer in layers]))]):
        costs = layer[: end + 1] + prices - sums[:, : end + 1] + sums[:, [end]]
        end = int(np.unravel_index(int(costs.argmin()), costs.shape)[1])
        begins.append(end)
    return begins[::-1]
