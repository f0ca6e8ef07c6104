"""An instant is a point in time; in array arithmetic it is a whole number of milliseconds since 1970 in UTC."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis.errors import InputError

Int64 = NDArray[np.int64]
Int8 = NDArray[np.int8]  # codes of few values
Floats = NDArray[np.float64]
MISSING = np.iinfo(np.int64).min  # what pandas stores for a missing instant
FOREVER = np.iinfo(np.int64).max  # the end of what has none

_INSTANT = pd.DatetimeTZDtype("ms", "UTC")

InstantLike = str | date | pd.Timestamp


def to_ms(values: pd.Series[Any] | pd.DatetimeIndex) -> Int64:
    """
    Turn instants or durations of a table into milliseconds.

    Examples
    --------
    >>> to_ms(pd.Series(pd.to_datetime(["2026-01-01T00:00Z"]))).tolist()
    [1767225600000]
    """
    kind = "timedelta64[ms]" if values.dtype.kind == "m" else "datetime64[ms]"
    return values.to_numpy(dtype=kind).view(np.int64)


def to_instants(ms: Int64) -> pd.DatetimeIndex:
    """
    Turn milliseconds into instants (``datetime64[ms, UTC]``), which share their memory; `MISSING` becomes NaT.

    Examples
    --------
    >>> to_instants(np.array([0]))[0].isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    return pd.DatetimeIndex(ms, dtype=_INSTANT, copy=False)  # of whole numbers, which need no conversion


def to_durations(ms: Int64) -> pd.TimedeltaIndex:
    """Turn milliseconds into durations (``timedelta64[ms]``), which share their memory; `MISSING` becomes NaT."""
    return pd.TimedeltaIndex(ms.view("timedelta64[ms]"), copy=False)


def instant_ms(instant: InstantLike, name: str = "instant") -> int:
    """
    Read one instant given by a user, in milliseconds.

    Raises
    ------
    InputError
        If it cannot be read or has no offset.

    Examples
    --------
    >>> instant_ms("2026-01-01T01:00+01:00")
    1767225600000
    """
    try:
        stamp = pd.Timestamp(instant)
    except (ValueError, TypeError) as error:
        raise InputError(f"`{name}` is {instant!r}; expected an instant such as 2026-01-01T00:00Z.") from error
    if pd.isna(stamp):
        raise InputError(f"`{name}` is missing; expected an instant such as 2026-01-01T00:00Z.")
    if stamp.tzinfo is None:
        raise InputError(f"`{name}` is {instant!r}, without an offset; expected an instant such as 2026-01-01T00:00Z.")
    return int(stamp.tz_convert("UTC").tz_localize(None).to_datetime64().astype("datetime64[ms]").astype(np.int64))


def duration_ms(duration: str | timedelta | pd.Timedelta, name: str = "duration") -> int:
    """
    Read one duration given by a user, such as ``"60s"``, in milliseconds.

    Raises
    ------
    InputError
        If it cannot be read or is negative.

    Examples
    --------
    >>> duration_ms("60s"), duration_ms("7d")
    (60000, 604800000)
    """
    unknown = InputError(f"`{name}` is {duration!r}; expected a duration such as '60s' or '5min'.")
    given: object = duration
    # A bare number, also as text, would be nanoseconds to pandas, which nobody means.
    is_bare = isinstance(given, str) and re.fullmatch(r"[\s\d.+-]*", given)
    if not isinstance(given, str | timedelta | np.timedelta64) or is_bare or pd.isna(duration):
        raise unknown
    try:
        readable = (
            re.sub(r"(?<=\d)d\b", "D", duration) if isinstance(duration, str) else duration
        )  # pandas wants days so
        ms = int(pd.Timedelta(readable).to_timedelta64().astype("timedelta64[ms]").astype(np.int64))
    except (ValueError, TypeError, AttributeError) as error:
        raise unknown from error
    if ms < 0:
        raise InputError(f"`{name}` is {duration!r}; expected a duration that is not negative.")
    return ms
