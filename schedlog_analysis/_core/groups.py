"""A group is all rows that share the values of some key columns; groups stand in the order of those values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import encode
from schedlog_analysis._core.instants import Int64
from schedlog_analysis.errors import InputError

By = str | list[str] | None


class Groups(NamedTuple):
    """Groups of a table's rows."""

    of_row: Int64
    """Number of each row's group."""
    keys: pd.DataFrame
    """Key columns with their dtypes, one row per group."""

    @property
    def n(self) -> int:
        """How many groups there are."""
        return len(self.keys)

    def tally(self, mask: Any | None = None) -> Int64:  # noqa: ANN401 - any mask of the rows
        """Count each group's rows, or those for which `mask` is true."""
        rows = self.of_row if mask is None else self.of_row[np.asarray(mask, dtype=bool)]
        return np.bincount(rows, minlength=self.n)


def group(table: pd.DataFrame, by: By) -> Groups:
    """
    Number the groups of a table's rows.

    Parameters
    ----------
    table
        Any table.
    by
        Key columns; a missing value is a group of its own. None makes one group, also of no rows.

    Raises
    ------
    InputError
        If a key is no column of the table.

    Examples
    --------
    >>> group(pd.DataFrame({"schedule_id": ["b", "a", "b"]}, dtype="str"), "schedule_id").of_row.tolist()
    [1, 0, 1]
    """
    keys = key_names(by)
    if not keys:
        return Groups(np.zeros(len(table), dtype=np.int64), pd.DataFrame(index=range(1)))
    for key in keys:
        if key not in table:
            raise InputError(f"There is no column {key!r} to group by; expected one of {', '.join(map(str, table))}.")
    numbers, _ = _codes(table[keys[0]])
    for key in keys[1:]:
        codes, size = _codes(table[key])
        numbers = _dense(numbers * size + codes)
    first = np.empty(int(numbers.max(initial=-1)) + 1, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]  # the last one written is the first row
    return Groups(numbers, table[keys].iloc[first].reset_index(drop=True))


def key_names(by: By) -> list[str]:
    """
    List the key columns.

    Examples
    --------
    >>> key_names("schedule_id"), key_names(None)
    (['schedule_id'], [])
    """
    return [by] if isinstance(by, str) else list(by or [])


def _dense(numbers: Int64) -> Int64:
    """Number the distinct values of numbers from 0, in their order; few enough are counted, which needs no sorting."""
    largest = int(numbers.max(initial=-1))
    if largest > 2 * len(numbers):
        return np.unique(numbers, return_inverse=True)[1]
    is_there = np.bincount(numbers, minlength=largest + 1) > 0
    ranks: Int64 = (np.cumsum(is_there) - 1)[numbers]
    return ranks


def _codes(column: pd.Series[Any]) -> tuple[Int64, int]:
    """Number a column's values in sorted order, the missing one last, and tell how many numbers there are."""
    is_known = column.notna().to_numpy()
    if is_known.all():
        codes, values = encode(column)
        return codes, len(values)
    codes = np.empty(len(column), dtype=np.int64)
    codes[is_known], values = encode(column[is_known])
    codes[~is_known] = len(values)
    return codes, len(values) + 1
