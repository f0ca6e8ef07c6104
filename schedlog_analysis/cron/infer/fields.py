"""A field is one part of a cron expression: which values it may allow, how it is written, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from math import comb, gcd, log2
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


class Field(NamedTuple):
    """
    A part of an expression.

    `favourites` are sets of values that people prefer, the most preferred first: a value costs as many bits as it takes
    to name one among those that are at least as round.
    """

    low: int
    high: int
    favourites: tuple[tuple[int, ...], ...] = ()

    @property
    def size(self) -> int:
        """Number of values."""
        return self.high - self.low + 1

    @property
    def values(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(range(self.low, self.high + 1))


_SIXTIETHS = ((0,), (0, 30), (0, 15, 30, 45), tuple(range(0, 60, 10)), tuple(range(0, 60, 5)))
SECOND = Field(0, 59, _SIXTIETHS)
MINUTE = Field(0, 59, _SIXTIETHS)
HOUR = Field(0, 23, ((0,), (0, 12), (0, 6, 12, 18)))
DAY = Field(1, 31, ((1,), (1, 15)))
MONTH = Field(1, 12, ((1,), (1, 7), (1, 4, 7, 10)))
WEEKDAY = Field(0, 6, ((1,),))

_SHARES = (0.0, 0.1, 0.4)  # a value seen less often than this share of the most frequent one may be noise
_COMMA_BITS = 3.0
WORKING_DAYS = "1-5"


def field_texts(counts: Counts, field: Field) -> list[str]:
    """
    Propose how a field may be written, given how often each value was seen.

    Parameters
    ----------
    counts
        How often each value was seen; the index is the value.
    field
        The field.

    Returns
    -------
    texts
        Distinct and in a fixed order, ``*`` first: the values seen, without rare ones, without those that only follow
        another and may be late, their hull, and the steps that go through them.

    Examples
    --------
    >>> field_texts(np.bincount([0, 15, 45], minlength=60), MINUTE)
    ['*', '0,15,45', '0-45', '*/15']
    """
    found: dict[tuple[int, ...], None] = {field.values: None}
    for values in _likely(counts):
        found[values] = None
        found.update(dict.fromkeys(_closures(values, field)))
    return list(dict.fromkeys(write(values, field) for values in found))


def _likely(counts: Counts) -> Iterable[tuple[int, ...]]:
    """Give the values seen, with more and more of the rare ones left out."""
    if not counts.any():
        return
    for share in _SHARES:
        seen = np.flatnonzero(counts > share * counts.max())
        yield tuple(seen.tolist())
        follows = np.diff(seen, prepend=-9) == 1
        yield tuple(seen[~(follows & (counts[seen] < counts[seen - 1]))].tolist())
        yield tuple(seen[~follows].tolist())


def _closures(values: tuple[int, ...], field: Field) -> Iterable[tuple[int, ...]]:
    """Give the progressions that go through all the values: within their hull, and through the whole field."""
    if len(values) > 1:
        step = gcd(*(b - a for a, b in pairwise(values)))
        yield tuple(range(values[0], values[-1] + 1))
        yield tuple(range(values[0], values[-1] + 1, step))
        yield tuple(range(field.low + (values[0] - field.low) % step, field.high + 1, step))


@lru_cache(maxsize=65536)
def write(values: tuple[int, ...], field: Field) -> str:
    """
    Write a set of values as a field, in the cheapest of its ways.

    Examples
    --------
    >>> [write(values, MINUTE) for values in [(0, 20, 40), (6, 26, 46), (1, 2, 3, 7), tuple(range(60))]]
    ['*/20', '6-59/20', '1-3,7', '*']
    """
    if values == field.values:
        return "*"
    ways = [_write_runs(values)]
    steps = {b - a for a, b in pairwise(values)}
    if len(values) > 2 and len(steps) == 1 and steps != {1}:  # noqa: PLR2004 - three values make a progression
        step = steps.pop()
        is_open = values[-1] + step > field.high
        whole = is_open and values[0] == field.low
        ways.append(f"*/{step}" if whole else f"{values[0]}-{field.high if is_open else values[-1]}/{step}")
    return min(ways, key=lambda text: (text_bits(text, field), len(text)))


def _write_runs(values: Sequence[int]) -> str:
    array = np.array(values)
    runs = np.split(array, np.flatnonzero(np.diff(array) != 1) + 1)
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run))  # noqa: PLR2004 - 1,2 but 1-3
        for run in runs
    )


@lru_cache(maxsize=65536)
def text_bits(text: str, field: Field) -> float:
    """
    Cost of writing a field so, in bits: what is rounder, more usual or shorter costs less.

    Examples
    --------
    >>> [round(text_bits(text, MINUTE), 1) for text in ["*", "0", "30", "17", "*/5", "0,17"]]
    [1.0, 2.0, 3.0, 7.9, 6.3, 12.9]
    """
    if text == "*":
        return 1.0
    items = text.split(",")
    return sum(_item_bits(item, field) for item in items) + _COMMA_BITS * (len(items) - 1)


def _item_bits(item: str, field: Field) -> float:
    if item.isdecimal():
        same = next((len(round_) for round_ in field.favourites if int(item) in round_), field.size)
        return 2 + log2(same)
    if item == WORKING_DAYS and field is WEEKDAY:
        return 4.0
    if "L" in item or "#" in item:
        return 5 + log2(field.size)
    span, _, step = item.partition("/")
    bits = 3 + (0 if span == "*" else log2(comb(field.size, 2)))
    if not step:
        return bits
    return bits + log2(10 if field.size % int(step) == 0 else field.size)
