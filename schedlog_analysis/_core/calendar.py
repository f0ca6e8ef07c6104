"""
A window is an hour, a day, a week, a month, a quarter or a year of the calendar of a time zone.

Windows follow each other without a hole. Days are local days, of 23 or 25 hours where the clock changes; the hour that
a clock repeats makes two windows.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from schedlog_analysis.errors import InputError

# What users write -> pandas' period alias. Weeks start on Monday.
PERIODS = {
    "h": "h",
    "hour": "h",
    "D": "D",
    "day": "D",
    "W": "W-SUN",
    "week": "W-SUN",
    "M": "M",
    "MS": "M",
    "ME": "M",
    "month": "M",
    "Q": "Q",
    "quarter": "Q",
    "Y": "Y",
    "year": "Y",
}


def zone(tz: str) -> ZoneInfo:
    """
    Look up a time zone.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> zone("Europe/Prague").key
    'Europe/Prague'
    """
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise InputError(f"There is no time zone {tz!r}; expected an IANA name such as 'Europe/Prague'.") from error


def window_starts(instants: pd.DatetimeIndex, freq: str, tz: str = "UTC") -> pd.DatetimeIndex:
    """
    Return for each instant the start of its window.

    Parameters
    ----------
    instants
        Instants with a time zone; missing ones stay missing.
    freq
        ``"h"``, ``"D"``, ``"W"`` (from Monday), ``"M"``, ``"Q"`` or ``"Y"``.
    tz
        Time zone whose calendar counts.

    Returns
    -------
    starts
        Instants (``datetime64[ms, UTC]``) of the same length.

    Raises
    ------
    InputError
        If `freq` or `tz` is not known.

    Examples
    --------
    >>> window_starts(pd.DatetimeIndex(["2026-10-25T12:00Z"]), "D", "Europe/Prague")[0].isoformat()
    '2026-10-24T22:00:00+00:00'
    """
    local = pd.DatetimeIndex(instants).tz_convert(zone(tz))
    if _find_alias(freq) == "h":
        return _floor_hours(local)
    return _localize(local.tz_localize(None).to_period(_find_alias(freq)).start_time, tz)


def window_range(first: pd.Timestamp, last: pd.Timestamp, freq: str, tz: str = "UTC") -> pd.DatetimeIndex:
    """
    List the starts of all windows from the one that holds `first` to the one that holds `last`.

    Examples
    --------
    >>> first, last = pd.Timestamp("2026-10-24T22:00Z"), pd.Timestamp("2026-10-25T22:59Z")
    >>> len(window_range(first, last, "h", "Europe/Prague"))
    25
    """
    begin, end = window_starts(pd.DatetimeIndex([first, last]), freq, tz)
    if _find_alias(freq) == "h":
        return window_starts(pd.date_range(begin, end, freq="30min", tz="UTC"), freq, tz).unique()
    first_day, last_day = (start.tz_convert(zone(tz)).tz_localize(None) for start in (begin, end))
    days = _localize(pd.period_range(first_day, last_day, freq=_find_alias(freq)).start_time, tz)
    return window_starts(days, freq, tz).unique()  # some zones have skipped a whole day


def _find_alias(freq: str) -> str:
    """Look up pandas' alias of a frequency."""
    if freq not in PERIODS:
        raise InputError(f"There is no window {freq!r}; expected one of {', '.join(PERIODS)}.")
    return PERIODS[freq]


def _floor_hours(local: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Go back to the full hour that the clock shows, but not beyond a change of the clock: each pass has its start."""
    wall = local.tz_localize(None)
    full = local - (wall - wall.floor("h"))
    has_changed = full.tz_localize(None) != wall.floor("h")  # by half an hour, as on Lord Howe Island
    return full.where(~has_changed, local.tz_convert("UTC").floor("30min")).tz_convert("UTC").as_unit("ms")


def _localize(wall: pd.DatetimeIndex, tz: str) -> pd.DatetimeIndex:
    """Read clock times in a zone: a skipped midnight is when the clock jumped, a repeated one its first pass."""
    first_pass = np.ones(len(wall), dtype=bool)
    local = wall.tz_localize(zone(tz), ambiguous=first_pass, nonexistent="shift_forward")
    return local.tz_convert("UTC").as_unit("ms")
