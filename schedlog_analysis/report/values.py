"""A value is a number or an instant as facts hold it: plain, finite, in a unit that its name tells; missing is None."""

from __future__ import annotations

from typing import Any

import pandas as pd

Facts = dict[str, Any]

# Reasons, see `schema.REASONS`: what became of a start that an invocation answered, and of any that is known.
ANSWERED = ("started", "partial", "failed", "skipped", "late")
KNOWN = (*ANSWERED, "missed")


def records(table: pd.DataFrame) -> list[Facts]:
    """Give the rows of a table as dictionaries."""
    return table.to_dict("records")  # type: ignore[return-value]  # columns are named by text


def by_schedule(table: pd.DataFrame) -> dict[str, list[Facts]]:
    """Give the rows of each schedule."""
    rows: dict[str, list[Facts]] = {}
    for row in records(table):
        rows.setdefault(str(row["schedule_id"]), []).append(row)
    return rows


def add_up(table: pd.DataFrame, **wanted: str | tuple[str, ...]) -> int:
    """
    Add up the counts of an accounting, of those rows that have one of the wanted values in each column named.

    Examples
    --------
    >>> table = pd.DataFrame({"status": ["late", "missed"], "n": [3, 4]})
    >>> add_up(table, status="late"), add_up(table, status=("late", "missed")), add_up(table)
    (3, 7, 7)
    """
    chosen = pd.Series(data=True, index=table.index)
    for column, values in wanted.items():
        chosen &= table[column].isin([values] if isinstance(values, str) else values)
    return int(table.loc[chosen, "n"].sum())


def is_missing(value: Any) -> bool:  # noqa: ANN401 - a scalar
    """Tell whether a value of a table is missing."""
    return bool(pd.isna(value))


def iso(instant: Any) -> str | None:  # noqa: ANN401 - an instant or NaT
    """
    Write an instant as ISO 8601 in UTC.

    Examples
    --------
    >>> iso(pd.Timestamp("2026-10-24T04:10+02:00"))
    '2026-10-24T02:10:00.000Z'
    """
    if instant is None or pd.isna(instant):
        return None
    return pd.Timestamp(instant).tz_convert("UTC").isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(length: Any) -> float | None:  # noqa: ANN401 - a duration or NaT
    """Give a duration in seconds."""
    return None if pd.isna(length) else float(pd.Timedelta(length).total_seconds())


def number(value: Any) -> float | None:  # noqa: ANN401 - a number, NaN or NA
    """Give a finite number."""
    return None if pd.isna(value) else float(value)


def whole(value: Any) -> int | None:  # noqa: ANN401 - a number, NaN or NA
    """Give a whole number."""
    return None if pd.isna(value) else int(value)
