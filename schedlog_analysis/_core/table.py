"""
A table is declared once, column by column; the declaration gives its cast, check, empty table and documentation.

Frames stay plain DataFrames; nothing is subclassed. Instants are ``datetime64[ms, UTC]`` and durations
``timedelta64[ms]``, and all columns exist with their dtypes also when there are no rows. A text column may also be a
categorical of text, which is how large archives save memory.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, ClassVar, cast, get_args, get_type_hints

import numpy as np
import pandas as pd
from pyarrow import array as arrow_array

from schedlog_analysis.errors import SchemaError

# Apify was founded in 2015; an instant outside these years is a broken clock or a broken file, not a schedule.
EARLIEST, LATEST = pd.Timestamp("2000-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")

Text = Annotated[pd.Series, pd.StringDtype("pyarrow", np.nan)]
Instant = Annotated[pd.Series, pd.DatetimeTZDtype("ms", "UTC")]
Duration = Annotated[pd.Series, np.dtype("timedelta64[ms]")]
Count = Annotated[pd.Series, np.dtype("int64")]
Number = Annotated[pd.Series, np.dtype("float64")]
Flag = Annotated[pd.Series, np.dtype("bool")]
# the same with missing values
CountOrMissing = Annotated[pd.Series, pd.Int64Dtype()]
FlagOrMissing = Annotated[pd.Series, pd.BooleanDtype()]

_LIMITS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "ge": (operator.ge, "at least"),
    "gt": (operator.gt, "more than"),
    "le": (operator.le, "at most"),
    "lt": (operator.lt, "less than"),
}


@dataclass(frozen=True)
class Column:
    """What is declared about one column."""

    meaning: str
    api: str
    unit: str
    nullable: bool
    limits: dict[str, float]
    dtype: Any = None


def field(meaning: str, *, api: str = "", unit: str = "", nullable: bool = False, **limits: float) -> Any:  # noqa: ANN401 - stands where a Series is declared
    """
    Declare a column: what it means, which field of the API it was, its unit, and what it may hold.

    `limits` are `ge`, `gt`, `le` and `lt`, as in the :mod:`operator` module.
    """
    unknown = limits.keys() - _LIMITS.keys()
    if unknown:
        raise TypeError(f"A column has no limit called {', '.join(sorted(unknown))}; expected {', '.join(_LIMITS)}.")
    return Column(meaning, api, unit, nullable, limits)


class Table:
    """What all tables share: cast, empty and describe, made from the declaration."""

    declared: ClassVar[dict[str, Column]]

    def __init_subclass__(cls) -> None:
        """Collect the declared columns, after those inherited, each with the dtype that its annotation holds."""
        fields = {name: value for name, value in vars(cls).items() if isinstance(value, Column)}
        hints = get_type_hints(cls, include_extras=True)
        own = {name: replace(column, dtype=get_args(hints[name])[1]) for name, column in fields.items()}
        cls.declared = getattr(cls, "declared", {}) | own

    @classmethod
    def names(cls) -> list[str]:
        """Columns in their declared order."""
        return list(cls.declared)

    @classmethod
    def empty(cls) -> pd.DataFrame:
        """
        Table without rows, every column there with its dtype.

        Examples
        --------
        >>> from schedlog_analysis.schema import Log
        >>> Log.empty().dtypes["created_at"]
        datetime64[ms, UTC]
        """
        return cls._make_empty().copy()

    @classmethod
    @cache  # copying takes 0.04 ms, making 1 ms
    def _make_empty(cls) -> pd.DataFrame:
        return pd.DataFrame({name: pd.Series(dtype=column.dtype) for name, column in cls.declared.items()})

    @classmethod
    def cast(cls, frame: pd.DataFrame) -> pd.DataFrame:
        """
        Turn any frame with these columns into the typed table: dtypes, column order, a fresh index.

        Parameters
        ----------
        frame
            Frame that has at least the declared columns; others are dropped.

        Returns
        -------
        table
            Typed and validated; empty if `frame` is.

        Raises
        ------
        SchemaError
            If a column is missing or holds what it must not; the message names it, what came and what was expected.

        Examples
        --------
        >>> from schedlog_analysis.schema import Log
        >>> Log.cast(pd.DataFrame({"schedule_id": ["a"], "created_at": ["2026-01-01 00:00"], "level": ["INFO"], "message": [""]}))
        Traceback (most recent call last):
            ...
        schedlog_analysis.errors.SchemaError: Log.created_at has '2026-01-01 00:00' in row 0, which has no offset; expected instants such as 2026-01-01T00:00:00.000Z.
        """  # noqa: E501 - the message is one sentence
        _require_frame(cls, frame)
        missing = [name for name in cls.names() if name not in frame]
        if missing:
            expected = ", ".join(cls.names())
            raise SchemaError(f"{cls.__name__} lacks {', '.join(missing)}; expected the columns {expected}.")
        table = cls.typed(frame)
        for name, column in cls.declared.items():
            _check_values(f"{cls.__name__}.{name}", table[name], column)
        return table

    @classmethod
    def typed(cls, frame: pd.DataFrame) -> pd.DataFrame:
        """
        Do as `cast` does, but check no ranges and no missing values: for frames that this package has just made.

        Examples
        --------
        >>> from schedlog_analysis.schema import Intervals
        >>> Intervals.typed(Intervals.empty()).columns.tolist()
        ['schedule_id', 'invoked_at', 'interval']
        """
        columns = cls.declared.items()
        typed = {name: _coerce(f"{cls.__name__}.{name}", frame[name], column.dtype) for name, column in columns}
        return pd.DataFrame(typed).reset_index(drop=True)

    @classmethod
    def accept(cls, frame: pd.DataFrame) -> pd.DataFrame:
        """
        Return `frame` itself when it already has the declared columns and dtypes, else cast it.

        This is what analyses call on their arguments: microseconds for a table of ours, a full
        check for anybody else's.
        """
        _require_frame(cls, frame)
        known = all(name in frame and _fits(frame[name].dtype, column.dtype) for name, column in cls.declared.items())
        return frame if known else cls.cast(frame)

    @classmethod
    def describe(cls) -> pd.DataFrame:
        """
        Documentation of the table: a row per column with dtype, unit, whether it may be missing, meaning and API field.

        Examples
        --------
        >>> from schedlog_analysis.schema import Log
        >>> Log.describe().loc[1, ["column", "dtype", "api"]].tolist()
        ['created_at', 'datetime64[ms, UTC]', 'createdAt']
        """
        rows = [
            {
                "column": name,
                "dtype": _dtype_name(column.dtype),
                "unit": column.unit,
                "may be missing": "yes" if column.nullable else "",
                "meaning": column.meaning,
                "api": column.api,
            }
            for name, column in cls.declared.items()
        ]
        return pd.DataFrame(rows, dtype="str")

    @classmethod
    def markdown(cls) -> str:
        """Give the documentation as a table in Markdown, under a heading."""
        table = cls.describe()
        lines = [table.columns.tolist(), ["---"] * len(table.columns), *table.to_numpy().tolist()]
        rows = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"## {cls.__name__}\n\n{(cls.__doc__ or '').strip()}\n\n{rows}\n"


def _require_frame(table: type[Table], frame: object) -> None:
    if not isinstance(frame, pd.DataFrame):
        kind = type(frame).__name__
        raise SchemaError(f"Instead of the table {table.__name__} came a {kind}; expected a DataFrame.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise SchemaError(f"{table.__name__} has the column {twice!r} twice; expected each column once.")


def _dtype_name(dtype: object) -> str:
    return "category" if isinstance(dtype, pd.CategoricalDtype) else str(dtype).replace("<m8", "timedelta64")


def _fits(came: object, declared: object) -> bool:
    if isinstance(declared, pd.StringDtype) and isinstance(came, pd.CategoricalDtype):
        return isinstance(came.categories.dtype, pd.StringDtype)
    if isinstance(declared, pd.CategoricalDtype):
        # To pandas the order is no part of an unordered categorical; to code that counts codes it is everything.
        return isinstance(came, pd.CategoricalDtype) and came.categories.equals(declared.categories)
    return bool(came == declared)


def _coerce(where: str, values: pd.Series[Any], declared: Any) -> pd.Series[Any]:  # noqa: ANN401 - pandas has no one type of dtypes
    if isinstance(values.dtype, pd.ArrowDtype):
        values = pd.Series(arrow_array(values).to_pandas(), index=values.index)
    if isinstance(declared, pd.DatetimeTZDtype):
        return _coerce_instants(where, values)
    if _fits(values.dtype, declared):
        return values
    if isinstance(declared, pd.StringDtype):
        return _coerce_text(where, values)
    if isinstance(declared, pd.CategoricalDtype):
        foreign = values.notna() & ~values.isin(declared.categories)
        if foreign.any():
            raise SchemaError(_word_fault(where, values[foreign], " or ".join(map(str, declared.categories))))
        return cast("pd.Series[Any]", values.astype("str").astype(declared))
    try:
        return values.astype(declared)
    except (TypeError, ValueError) as error:
        raise SchemaError(_word_fault(where, values, _dtype_name(declared))) from error


def _coerce_text(where: str, values: pd.Series[Any]) -> pd.Series[Any]:
    plain = values.astype("object")
    foreign = ~plain.map(lambda value: isinstance(value, str)).astype(bool) & plain.notna()
    if foreign.any():
        raise SchemaError(_word_fault(where, values[foreign], "text"))
    return cast("pd.Series[Any]", plain.astype("str"))


def _coerce_instants(where: str, values: pd.Series[Any]) -> pd.Series[Any]:
    expected = "instants such as 2026-01-01T00:00:00.000Z"
    dtype = values.dtype
    if not isinstance(dtype, pd.DatetimeTZDtype):
        if dtype.kind == "M" and values.notna().any():
            raise SchemaError(f"{where} is {dtype}, without a time zone; expected {expected}.")
        text = values.astype("str")
        naive = values.notna() & ~text.str.contains(r"(?:Z|UTC|[+-]\d\d:?\d\d)$", regex=True).astype(bool)
        if naive.any():
            raise SchemaError(_word_fault(where, values[naive], expected, ", which has no offset"))
        instants = pd.to_datetime(text.where(values.notna()), utc=True, errors="coerce", format="ISO8601")
        broken = instants.isna() & values.notna()
        if broken.any():
            raise SchemaError(_word_fault(where, values[broken], expected))
        values = instants
    absurd = (values < EARLIEST) | (values >= LATEST)
    if absurd.any():
        raise SchemaError(_word_fault(where, values[absurd], f"an instant from {EARLIEST.year} to {LATEST.year - 1}"))
    return cast("pd.Series[Any]", values.astype("datetime64[ms, UTC]"))


def _word_fault(where: str, bad: pd.Series[Any], expected: str, because: str = "") -> str:
    """Say what came, in which row, and what was expected."""
    shown = repr(bad.tolist()[0]) if len(bad) else str(bad.dtype)
    row = f" in row {bad.index[0]}" if len(bad) else ""
    return f"{where} has {shown[:100]}{row}{because}; expected {expected}."


def _check_values(where: str, values: pd.Series[Any], column: Column) -> None:
    """Refuse missing values and values beyond the limits where the declaration has none of them."""
    missing = values.isna()
    if missing.any() and not column.nullable:
        raise SchemaError(f"{where} is missing in row {int(missing.to_numpy().argmax())}; expected {column.meaning}.")
    for name, limit in column.limits.items():
        holds, words = _LIMITS[name]
        bad = ~holds(values, limit).astype("boolean").fillna(True).astype("bool") & ~missing  # noqa: FBT003 - what is missing is not beyond
        if bad.any():
            raise SchemaError(_word_fault(where, values[bad], f"{words} {limit}"))
