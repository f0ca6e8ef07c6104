"""A frame is anybody's table, of pandas, Polars, Arrow or DuckDB; it becomes one of ours, with its types and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from schedlog_analysis._core.table import Table
from schedlog_analysis.errors import InputError
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.sources.parse import parse_schedules, sort_log

_OFFSET = r"(?:Z|UTC|[+-]\d\d:?\d\d)$"


def to_pandas(source: object) -> pd.DataFrame | None:
    """
    Give a table of any library that speaks Arrow (``__arrow_c_stream__``) as a frame of pandas; None if it is no table.

    Examples
    --------
    >>> to_pandas(pa.table({"a": [1]}))["a"].tolist(), to_pandas(b"[]")
    ([1], None)
    """
    if isinstance(source, pd.DataFrame):
        return source
    if not hasattr(source, "__arrow_c_stream__"):
        return None
    try:
        frame: pd.DataFrame = pa.table(source).to_pandas()
    except (pa.ArrowException, ValueError, TypeError) as error:
        kind = type(source).__name__
        raise InputError(f"The {kind} cannot be read as a table ({error}); expected columns of a Log.") from None
    return frame


def read_frame(
    frame: pd.DataFrame, table: type[Table], absent: Mapping[str, str], tz: str | None = None
) -> pd.DataFrame:
    """
    Type a frame that came from anywhere.

    Parameters
    ----------
    frame
        Its columns may have our names or the API's; instants may be milliseconds since 1970.
    table
        Which table it is to be.
    absent
        Constants for columns that it lacks.
    tz
        IANA zone of instants and dates without an offset; None refuses them. Of a doubled hour the first is meant.

    Raises
    ------
    SchemaError
        If a column lacks or holds what it must not.

    Examples
    --------
    >>> frame = pd.DataFrame({"createdAt": ["2026-01-01 09:00"], "level": ["INFO"], "message": ["…"]})
    >>> read_frame(frame, Log, {"schedule_id": "a"}, "Europe/Prague").loc[0, "created_at"].isoformat()
    '2026-01-01T08:00:00+00:00'
    """
    described = table.describe()
    dtypes = dict(zip(described["column"], described["dtype"], strict=True))
    named = frame.rename(columns={api: name for name, api in api_names(table).items() if api in frame})
    filled = named.assign(**{name: value for name, value in absent.items() if name not in named})
    instants = [name for name, dtype in dtypes.items() if dtype == "datetime64[ms, UTC]" and name in filled]
    filled = filled.assign(**{name: _place_instants(filled[name], tz) for name in instants})
    if table is Schedules and not set(dtypes) <= set(filled):
        return parse_schedules(_to_schedules(filled))
    typed = table.cast(filled).astype(dtypes)
    return sort_log(typed) if table is Log else typed


def api_names(table: type[Table]) -> dict[str, str]:
    """
    Name each column as the API does.

    Examples
    --------
    >>> api_names(Log)["created_at"]
    'createdAt'
    """
    described = table.describe()
    return dict(zip(described["column"], described["api"].where(described["api"] != "", "scheduleId"), strict=True))


def _place_instants(values: pd.Series[Any], tz: str | None) -> pd.Series[Any]:
    """Read milliseconds since 1970, and what has no offset by the clock of the zone; leave everything else."""
    if isinstance(values.dtype, pd.ArrowDtype):
        values = pd.Series(pa.array(values).to_pandas(), index=values.index)
    if pd.api.types.is_integer_dtype(values.dtype):
        return pd.Series(pd.to_datetime(values, unit="ms", utc=True, errors="coerce")).where(values.notna())
    if tz is None or isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    text = values.astype("str")
    is_naive = values.notna() & ~text.str.contains(_OFFSET, regex=True).astype(bool)
    naive = pd.DatetimeIndex(pd.to_datetime(text[is_naive], errors="coerce", format="ISO8601").astype("datetime64[ms]"))
    try:
        placed = naive.tz_localize(tz, ambiguous=np.ones(len(naive), bool), nonexistent="shift_forward")
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InputError(f"`tz` is {tz!r}; expected an IANA time zone such as Europe/Prague.") from error
    written = pd.Series(placed.tz_convert("UTC"), index=text[is_naive].index).astype("str")
    read = written.where(written.notna(), text[is_naive])  # what is no instant is left for the table to refuse
    return cast("pd.Series[Any]", text.mask(is_naive, read).where(values.notna()))


def _to_schedules(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a frame that lacks columns of Schedules as objects, whose reader knows what is meant then."""
    names = api_names(Schedules)
    if "n_actions" in frame:
        actions: list[Any] = [None if pd.isna(n) else [{}] * int(n) for n in frame["n_actions"]]
        frame = frame.assign(n_actions=pd.Series(actions, index=frame.index, dtype="object"))
    plain = frame.astype("object").where(frame.notna(), None).rename(columns=names)
    return [{str(name): value for name, value in row.items() if value is not None} for row in plain.to_dict("records")]
