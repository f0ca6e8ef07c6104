"""Arrays hold what a column has, as numbers: where rows change, which are far enough apart, and codes for texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis._core.instants import Int64

Mask = NDArray[np.bool_]


def changes(*columns: NDArray[Any]) -> Mask:
    """
    Tell which rows differ from the one before in any of some columns; the first row does.

    Examples
    --------
    >>> changes(np.array([1, 1, 2, 2])).tolist()
    [True, False, True, False]
    """
    is_new = np.ones(len(columns[0]), dtype=bool)
    for number, column in enumerate(columns):
        differs = column[1:] != column[:-1]
        is_new[1:] = is_new[1:] | differs if number else differs
    return is_new


def blocks(*columns: NDArray[Any]) -> tuple[Int64, Int64]:
    """
    Find where blocks of equal rows begin, and how many rows each has.

    Examples
    --------
    >>> first, n = blocks(np.array([1, 1, 2, 1]))
    >>> first.tolist(), n.tolist()
    ([0, 2, 3], [2, 1, 1])
    """
    first = np.flatnonzero(changes(*columns))
    return first, np.diff(np.append(first, len(columns[0])))


def keep_spaced(instants: Int64, distance: int, is_start: Mask | None = None) -> Mask:
    """
    Tell which instants remain when each that comes too soon after the last one kept is dropped.

    Entries that share an invocation, and ticks that Apify refuses to plan closer than ten seconds, follow this rule.

    Parameters
    ----------
    instants
        Sorted instants, of one series or of several one after another. [ms]
    distance
        An instant less than this after the last kept one is dropped. [ms]
    is_start
        True where a new series begins; the first instant always begins one.

    Returns
    -------
    is_kept
        A mask of the same length; empty if `instants` is.

    Notes
    -----
    The rule looks sequential. But each instant points at the first one at least `distance` after it; what is kept is
    what can be reached from the starts, and squaring the pointers reaches 1, 2, 4, … steps further: n instants need
    log2(n) rounds instead of n (pointer doubling).

    Examples
    --------
    >>> keep_spaced(np.array([0, 4, 9, 11, 12, 30]), 10).tolist()
    [True, False, False, True, False, True]
    """
    n = len(instants)
    starts = np.zeros(n, dtype=bool) if is_start is None else is_start.copy()
    if n == 0:
        return starts
    starts[0] = True
    if not ((instants[1:] - instants[:-1] < distance) & ~starts[1:]).any():
        return np.ones(n, dtype=bool)
    ends = _find_ends(starts)
    if starts.sum() == 1:
        target = np.searchsorted(instants, instants + distance)
    else:
        # One search for all series: shift each far enough from the last that no jump can reach into the next.
        rank = np.cumsum(starts) - 1
        span = int((instants[ends - 1] - instants[starts][rank]).max()) + distance + 1
        shifted = instants - instants[starts][rank] + rank * span
        target = np.minimum(np.searchsorted(shifted, shifted + distance), ends)
    return _reach(starts, target)


def _find_ends(starts: Mask) -> Int64:
    """Return for each instant where its series ends: the next start, or the length."""
    bounds = np.append(np.flatnonzero(starts), len(starts))
    return np.repeat(bounds[1:], np.diff(bounds))


def _reach(starts: Mask, target: Int64) -> Mask:
    """Mark what can be reached from the starts by jumping to targets, by pointer doubling."""
    jump = np.append(target, len(target))  # the end points at itself
    starts = np.append(starts, False)
    # A series' end is the next one's start, which is kept anyway.
    while True:
        grown = starts.copy()
        grown[jump[starts]] = True
        if (jump == len(target)).all() or (grown == starts).all():
            return grown[:-1]
        starts, jump = grown, jump[jump]


def encode(column: pd.Series[Any]) -> tuple[Int64, pd.Index[Any]]:
    """
    Number the values of a column in sorted order.

    Returns
    -------
    codes, values
        A number per row, and the sorted distinct values that the numbers point at.

    Examples
    --------
    >>> codes, values = encode(pd.Series(["b", "a", "b"], dtype="str"))
    >>> codes.tolist(), values.tolist()
    ([1, 0, 1], ['a', 'b'])
    """
    if not isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = pd.factorize(column, sort=True)
        return codes.astype(np.int64), pd.Index(values)
    stored = column.cat.codes.to_numpy()
    is_there = np.zeros(len(column.cat.categories), dtype=bool)
    is_there[stored[changes(stored)]] = True  # few where rows stand in order
    present = np.flatnonzero(is_there)
    values = column.cat.categories[present]
    order = np.argsort(values.to_numpy(dtype=object))
    if len(present) == len(column.cat.categories) and (order == present).all():
        return stored.astype(np.int64), pd.Index(values)
    rank = np.empty(len(column.cat.categories), dtype=np.int64)
    rank[present[order]] = np.arange(len(order))
    return rank[stored], pd.Index(values[order])


def decode(codes: NDArray[np.signedinteger[Any]], values: pd.Index[Any], like: pd.Series[Any]) -> pd.Series[Any]:
    """Turn numbers into a column again, -1 into a missing value: a categorical if `like` is one, else text."""
    if isinstance(like.dtype, pd.CategoricalDtype):
        small = codes.astype(np.min_scalar_type(-len(values) - 1))  # as it is kept; checking these is faster
        return pd.Series(pd.Categorical.from_codes(small, categories=pd.Index(values, dtype="str")))
    return pd.Series(pd.Index(values, dtype="str").array.take(codes, allow_fill=True), dtype="str")


def among(column: pd.Series[Any], values: Sequence[str]) -> Mask:
    """
    Tell which rows of a categorical have one of some values; by its codes, which is far faster than `isin`.

    Examples
    --------
    >>> among(pd.Series(["a", "b", None, "c"], dtype="category"), ["a", "c"]).tolist()
    [True, False, False, True]
    """
    codes = column.cat.codes.to_numpy()
    found = np.zeros(len(codes), dtype=bool)
    for value in values:
        found |= codes == column.cat.categories.get_loc(value)
    return found


def slices(codes: Int64, n: int) -> list[slice]:
    """
    Give for each of `n` keys the rows that have it, in codes that are sorted.

    Examples
    --------
    >>> slices(np.array([0, 0, 2]), 3)
    [slice(0, 2, None), slice(2, 2, None), slice(2, 3, None)]
    """
    bounds = np.searchsorted(codes, np.arange(n + 1)).tolist()
    return [slice(begin, end) for begin, end in zip(bounds[:-1], bounds[1:], strict=True)]


def is_sorted(*columns: Int64) -> bool:
    """
    Tell whether rows are sorted by the first column, within it by the second, and so on.

    Examples
    --------
    >>> is_sorted(np.array([0, 0, 1]), np.array([5, 7, 6]))
    True
    """
    *upper, lowest = columns
    is_tied = np.True_
    for column in upper:
        if (is_tied & (column[1:] < column[:-1])).any():
            return False
        is_tied = is_tied & (column[1:] == column[:-1])
    return not (is_tied & (lowest[1:] < lowest[:-1])).any()
