"""Observed counts say how often each value of each field occurs among local times, and so what to try for it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schedlog_analysis._core.zones import load_zone
from schedlog_analysis.cron.infer.fields import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    WORKING_DAYS,
    Field,
    field_texts,
    text_bits,
)

Int64 = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
Texts = tuple[str, str, str, str, str, str]
"""The six fields: second, minute, hour, day of month, month, day of week."""

FIELDS: tuple[Field, ...] = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)
DAY_MS = 86_400_000
_WEEK = 7
_DEAR = 60.0  # a day rule that costs more bits is a list of accidents
_MOST = 0.8  # share of the days that a rule such as "first Monday" must fit to be tried


class Days(NamedTuple):
    """The distinct local days with at least one time, as the calendar sees them."""

    dom: Int64
    month: Int64
    dow: Int64
    left: Int64
    """Days to the end of the month, 1 on the last one."""


def local_ms(times: Int64, tz: str) -> Int64:
    """Shift instants to the wall clock of a zone [ms]."""
    changes, offsets = _zone_ms(tz)
    local: Int64 = times + offsets[changes.searchsorted(times, side="right")]
    return local


@lru_cache(maxsize=128)
def _zone_ms(tz: str) -> tuple[Int64, Int64]:
    zone = load_zone(tz)
    return np.array(zone.changes, dtype=np.int64) * 1000, np.array(zone.offsets, dtype=np.int64) * 1000


def distinct(values: Int64) -> Int64:
    """Drop repetitions that follow each other, all of them where `values` are sorted."""
    kept: Int64 = values[np.diff(values, prepend=values[0] - 1) != 0]
    return kept


def days_of(numbers: Int64) -> Days:
    """Look up days [days since the epoch] in the calendar."""
    days = numbers.astype("M8[D]")
    months = days.astype("M8[M]")
    next_month = (months + 1).astype("M8[D]")
    dom = (days - months.astype("M8[D]")).astype(np.int64) + 1
    left = (next_month - days).astype(np.int64)
    dow = (numbers + 4) % _WEEK  # 1970-01-01 was a Thursday, day 4
    return Days(dom, months.astype(np.int64) % 12 + 1, dow, left)


def clock_counts(local: Int64) -> tuple[Counts, Counts, Counts]:
    """Count seconds, minutes and hours of wall-clock times."""
    second = local // 1000
    return (
        np.bincount(second % 60, minlength=60),
        np.bincount(second // 60 % 60, minlength=60),
        np.bincount(second // 3600 % 24, minlength=24),
    )


def disorder(times: Int64, tz: str) -> float:
    """
    Entropy of the quarter of an hour, the weekday and the day from either end of the month, in bits for all times.

    A zone in which the times keep to fewer of them is the zone that they were planned in.
    """
    local = local_ms(times, tz)
    days = days_of(local // DAY_MS)
    return _entropy(local % DAY_MS // 900_000) + _entropy(days.dow) + min(_entropy(days.dom), _entropy(days.left))


def _entropy(values: Int64) -> float:
    counts = np.bincount(values)
    counts = counts[counts > 0]
    return float(counts @ np.log2(len(values) / counts))


def day_texts(days: Days) -> list[tuple[str, str]]:
    """Propose pairs of (day of month, day of week): no rule, one, working days, n-th weekday, or cron's OR of two."""
    dom, dow = np.bincount(days.dom, minlength=32), np.bincount(days.dow, minlength=7)
    doms, dows = (_affordable(counts, field) for counts, field in ((dom, DAY), (dow, WEEKDAY)))
    if not dow[[0, 6]].any():
        dows = [WORKING_DAYS, *dows]
    pairs = [("*", "*"), *(("*", text) for text in dows), *((text, "*") for text in doms)]
    return list(dict.fromkeys([*pairs, *_special_days(days), *_either_days(days, dom, dow)]))


def _affordable(counts: Counts, field: Field) -> list[str]:
    return [text for text in field_texts(counts, field) if text != "*" and text_bits(text, field) < _DEAR]


def _special_days(days: Days) -> Iterable[tuple[str, str]]:
    """Give the last day of the month, the last Friday, the first Monday, where most days are such."""
    if (days.left == 1).mean() >= _MOST:
        yield "L", "*"
    weekday, share = _commonest(days.dow)
    if share < _MOST:
        return
    if (days.left <= _WEEK).mean() >= _MOST:
        yield "*", f"{weekday}L"
    week, share = _commonest((days.dom + 6) // 7)
    if share >= _MOST:
        yield "*", f"{weekday}#{week}"


def _commonest(values: Int64) -> tuple[int, float]:
    counts = np.bincount(values)
    top = int(counts.argmax())
    return top, counts[top] / len(values)


def _either_days(days: Days, dom: Counts, dow: Counts) -> Iterable[tuple[str, str]]:
    """Give pairs where one of the two stands out and explains what the other leaves over."""
    often = np.flatnonzero(dow > dow.mean())
    rest = days.dom[~np.isin(days.dow, often)]
    if len(often) and len(rest):
        for text in _affordable(np.bincount(rest, minlength=32), DAY):
            yield text, field_texts(np.bincount(often, minlength=7), WEEKDAY)[1]
    often = np.flatnonzero(dom > 2 * dom.sum() / 30.4)
    rest = days.dow[~np.isin(days.dom, often)]
    if len(often) and len(rest):
        monthly = field_texts(np.bincount(often, minlength=32), DAY)[1]
        for text in _affordable(np.bincount(rest, minlength=7), WEEKDAY):
            yield monthly, text
