"""
A declared table: what one declaration of columns gives for free, namely cast, check, empty table and documentation.

Frames stay plain DataFrames; nothing is subclassed. Instants are ``datetime64[ms, UTC]`` and durations
``timedelta64[ms]``, and all columns exist with their dtypes also when there are no rows. A text column may also be a
categorical of text, which is how large archives save memory.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Annotated, Any, cast

import numpy as np
import pandas as pd
from pyarrow import array as arrow_array

from schedlog_analysis.errors import SchemaError

# Where PySpark is installed pandera imports it, and PySpark warns of pandas 3 whether or not anybody uses it.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)
    import pandera.pandas as pa
    import pandera.typing
    from pandera import dtypes
    from pandera.engines import pandas_engine

# Apify was founded in 2015; an instant outside these years is a broken clock or a broken file, not a schedule.
EARLIEST, LATEST = pd.Timestamp("2000-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")


@pandas_engine.Engine.register_dtype
@dtypes.immutable
class DurationType(pandas_engine.DataType):
    """``timedelta64[ms]``; pandera knows only nanoseconds, which overflow and differ from the instants' unit."""

    type = np.dtype("timedelta64[ms]")

    def check(self, pandera_dtype: dtypes.DataType, data_container: Any = None) -> bool:  # noqa: ANN401 - pandera's signature
        """Compare the data's own dtype: pandera's has already forgotten the unit."""
        came = pandera_dtype.type if data_container is None else data_container.dtype
        return bool(came == self.type)


Series = pandera.typing.Series
Text = Series[Annotated[pd.StringDtype, "pyarrow", np.nan]]
Instant = Series[Annotated[pd.DatetimeTZDtype, "ms", "UTC"]]
Duration = Series[DurationType]
Count = Series[np.int64]
Number = Series[np.float64]
Flag = Series[np.bool_]


def field(meaning: str, *, api: str = "", unit: str = "", nullable: bool = False, **checks: Any) -> Any:  # noqa: ANN401 - pandera's own types
    """Declare a column: what it means, which field of the API it was, its unit, and what it may hold."""
    return pa.Field(nullable=nullable, description=meaning, metadata={"api": api, "unit": unit}, **checks)


class Table(pa.DataFrameModel):
    """What all tables share: cast, empty and describe, made from the declaration."""

    @classmethod
    def names(cls) -> list[str]:
        """Columns in their declared order."""
        return list(_columns(cls))

    @classmethod
    def empty(cls, *_: object) -> Any:  # noqa: ANN401 - pandera declares a typed frame here; it is a plain DataFrame
        """
        Table without rows, every column there with its dtype.

        Examples
        --------
        >>> from schedlog_analysis.schema import Log
        >>> Log.empty().dtypes["created_at"]
        datetime64[ms, UTC]
        """
        return _empty(cls).copy()

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
        columns = _columns(cls)
        missing = [name for name in columns if name not in frame]
        if missing:
            raise SchemaError(f"{cls.__name__} lacks {', '.join(missing)}; expected the columns {', '.join(columns)}.")
        table = cls.typed(frame)
        _validate(cls, table)
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
        columns = _columns(cls).items()
        typed = {name: _coerce(f"{cls.__name__}.{name}", frame[name], column) for name, column in columns}
        return pd.DataFrame(typed).reset_index(drop=True)

    @classmethod
    def accept(cls, frame: pd.DataFrame) -> pd.DataFrame:
        """
        Return `frame` itself when it already has the declared columns and dtypes, else cast it.

        This is what analyses call on their arguments: microseconds for a table of ours, a full
        check for anybody else's.
        """
        _require_frame(cls, frame)
        columns = _columns(cls)
        known = all(name in frame and _fits(frame[name].dtype, column.dtype.type) for name, column in columns.items())
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
                "dtype": _dtype_name(column.dtype.type),
                "unit": column.metadata["unit"],
                "may be missing": "yes" if column.nullable else "",
                "meaning": column.description,
                "api": column.metadata["api"],
            }
            for name, column in _columns(cls).items()
        ]
        return pd.DataFrame(rows, dtype="str")

    @classmethod
    def markdown(cls) -> str:
        """Give the documentation as a table in Markdown, under a heading."""
        table = cls.describe()
        lines = [table.columns.tolist(), ["---"] * len(table.columns), *table.to_numpy().tolist()]
        rows = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"## {cls.__name__}\n\n{(cls.__doc__ or '').strip()}\n\n{rows}\n"


@cache
def _columns(table: type[Table]) -> dict[str, Any]:
    return dict(table.to_schema().columns)


@cache
def _empty(table: type[Table]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=column.dtype.type) for name, column in _columns(table).items()})


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


def _coerce(where: str, values: pd.Series[Any], column: Any) -> pd.Series[Any]:  # noqa: ANN401 - pandera's Column
    declared = column.dtype.type
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
            raise SchemaError(_told(where, values[foreign], " or ".join(map(str, declared.categories))))
        return cast("pd.Series[Any]", values.astype("str").astype(declared))
    try:
        return values.astype(declared)
    except (TypeError, ValueError) as error:
        raise SchemaError(_told(where, values, _dtype_name(declared))) from error


def _coerce_text(where: str, values: pd.Series[Any]) -> pd.Series[Any]:
    plain = values.astype("object")
    foreign = ~plain.map(lambda value: isinstance(value, str)).astype(bool) & plain.notna()
    if foreign.any():
        raise SchemaError(_told(where, values[foreign], "text"))
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
            raise SchemaError(_told(where, values[naive], expected, ", which has no offset"))
        instants = pd.to_datetime(text.where(values.notna()), utc=True, errors="coerce", format="ISO8601")
        broken = instants.isna() & values.notna()
        if broken.any():
            raise SchemaError(_told(where, values[broken], expected))
        values = instants
    absurd = (values < EARLIEST) | (values >= LATEST)
    if absurd.any():
        raise SchemaError(_told(where, values[absurd], f"an instant from {EARLIEST.year} to {LATEST.year - 1}"))
    return cast("pd.Series[Any]", values.astype("datetime64[ms, UTC]"))


def _told(where: str, bad: pd.Series[Any], expected: str, because: str = "") -> str:
    shown = repr(bad.iloc[0]) if len(bad) else str(bad.dtype)
    row = f" in row {bad.index[0]}" if len(bad) else ""
    return f"{where} has {shown[:100]}{row}{because}; expected {expected}."


def _validate(table: type[Table], frame: pd.DataFrame) -> None:
    """Check nulls, and ranges by pandera, worded by us; dtypes are what the columns were just coerced to."""
    for name, column in _columns(table).items():
        values = frame[name]
        if not column.nullable and values.isna().any():
            row = int(values.isna().to_numpy().argmax())
            raise SchemaError(f"{table.__name__}.{name} is missing in row {row}; expected {column.description}.")
    schema = _ranges(table)
    try:
        schema.validate(frame[list(schema.columns)])
    except pa.errors.SchemaError as error:
        cases = error.failure_cases
        came = cases["failure_case"].iloc[0] if isinstance(cases, pd.DataFrame) and len(cases) else cases
        bound = _BOUNDS.get(str(getattr(error.check, "name", "")))
        limits = getattr(error.check, "statistics", None) or {}
        expected = f"{bound} {next(iter(limits.values()))}" if bound else error.check
        raise SchemaError(f"{table.__name__}.{error.schema.name} has {came}; expected {expected}.") from error


@cache
def _ranges(table: type[Table]) -> Any:  # noqa: ANN401 - pandera's schema
    """Select what of the schema is left to check: asking pandera for every column again is most of a small table."""
    return table.to_schema().select_columns([name for name, column in _columns(table).items() if column.checks])


_BOUNDS = {"greater_than_or_equal_to": "at least", "less_than_or_equal_to": "at most"}
