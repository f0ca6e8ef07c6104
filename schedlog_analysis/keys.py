"""
A key is the column that rows are grouped by, as whole numbers in the order of its sorted values.

Text and categoricals of text give the same numbers for the same values, so analyses need not know which they were
given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis.instants import Int64
from schedlog_analysis.spacing import Mask, changes


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
