"""
An object is a row of a table in the API's own shape: the way back from `parse`.

The names come from the tables' declarations, where every column says which field of the API it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis._core.instants import to_ms
from schedlog_analysis._core.table import Table


def to_objects(frame: pd.DataFrame, table: type[Table]) -> list[dict[str, Any]]:
    """
    Turn a table into the API's objects.

    Parameters
    ----------
    frame
        Log, Schedules or Runs.
    table
        Which of them.

    Returns
    -------
    objects
        One dictionary per row, with the API's names, nesting and timestamps; columns that are no field of the API are
        left out. Of actions only their number is known, so each is an empty object.

    Examples
    --------
    >>> from schedlog_analysis.schema import Log
    >>> log = Log.cast(pd.DataFrame({
    ...     "schedule_id": ["a"], "created_at": ["2026-01-01T00:00:00.370Z"], "level": ["INFO"], "message": ["…"]}))
    >>> to_objects(log, Log)
    [{'createdAt': '2026-01-01T00:00:00.370Z', 'level': 'INFO', 'message': '…'}]
    """
    frame = table.accept(frame)
    described = table.describe()
    fields = [(name, api) for name, api in zip(described["column"], described["api"], strict=True) if api]
    columns = [_values(frame[name]) for name, _ in fields]
    objects = []
    for row in zip(*columns, strict=True):
        told: dict[str, Any] = {}
        for (name, api), value in zip(fields, row, strict=True):
            *parents, leaf = api.split(".")
            place = told
            for parent in parents:
                place = place.setdefault(parent, {})
            if name == "n_actions":
                if value is not None:
                    place[leaf] = [{} for _ in range(int(value))]
            else:
                place[leaf] = value
        objects.append(told)
    return objects


def _values(column: pd.Series[Any]) -> list[Any]:
    """Give plain values that JSON can hold, None for missing."""
    is_missing = column.isna().to_numpy()
    if column.dtype.kind == "M":
        text = np.datetime_as_string(to_ms(column).view("datetime64[ms]"), timezone="UTC")
        return [None if missing else instant for missing, instant in zip(is_missing, text.tolist(), strict=True)]
    return [None if missing else value for missing, value in zip(is_missing, column.tolist(), strict=True)]
