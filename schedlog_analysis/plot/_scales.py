"""A scale turns instants, durations and shares into positions on an axis, and into the words along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, Formatter, FuncFormatter, NullLocator, PercentFormatter

from schedlog_analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_UNITS = ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min"), (1.0, "s"), (0.001, "ms"))
_STEPS = np.array(
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
    + [_MINUTE * k for k in (1, 2, 5, 10, 15, 30)]
    + [_HOUR * k for k in (1, 2, 3, 6, 12)]
    + [_DAY * k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000)]
)
_DECADES = np.array(
    [0, 1, 10, _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY, 3650 * _DAY]
)
_SKEWED = 30  # the longest over the typical duration, from which on a linear axis would hide the typical


class _Dates(Formatter):
    """
    Ticks as "5 Oct" or "14:00", with the year or the day beneath where it changes.

    Matplotlib's ConciseDateFormatter writes that context once and from the last tick, so that October's days stand
    over "2026-Nov" when the axis ends with the first of November.
    """

    def __init__(self, tz: tzinfo) -> None:
        self.tz = tz

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002 - matplotlib's signature
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Words of all ticks together."""
        dates: list[datetime] = [mdates.num2date(value, self.tz) for value in values]  # type: ignore[no-untyped-call]
        years = [str(date.year) for date in dates]
        if any(date.hour or date.minute or date.second for date in dates):
            seconds = ":%S" if any(date.second for date in dates) else ""
            words = [date.strftime(f"%H:%M{seconds}") for date in dates]
            context = [f"{date.day} {date:%b} {date.year}" for date in dates]
        elif any(date.day != 1 for date in dates):
            words, context = [f"{date.day} {date:%b}" for date in dates], years
        else:
            words, context = [f"{date:%b}" for date in dates], years
        new = [i == 0 or context[i] != context[i - 1] for i in range(len(context))]
        return [f"{word}\n{below}" if is_new else word for word, below, is_new in zip(words, context, new, strict=True)]


def zone(tz: str) -> ZoneInfo:
    """Time zone of that name, or an error that says what a name looks like."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise InputError(f"tz is {tz!r}; expected the name of an IANA time zone such as Europe/Prague.") from error


def positions(instants: pd.Series[pd.Timestamp]) -> npt.NDArray[np.float64]:
    """Positions of instants on a date axis [days]; NaN where missing."""
    naive = instants.dt.tz_convert(None).to_numpy()
    return np.asarray(mdates.date2num(naive), dtype=np.float64)  # type: ignore[no-untyped-call]


def local_starts(instants: pd.Series[pd.Timestamp], tz: str, freq: str) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """
    Cut instants into local calendar windows.

    Parameters
    ----------
    instants
        Instants, none missing.
    tz
        Zone whose midnights count, DST-true: a day may have 23 or 25 hours.
    freq
        ``"D"`` for days or ``"W"`` for weeks from Monday.

    Returns
    -------
    codes
        Number of each instant's window.
    windows
        Row per window that holds an instant: `number` (whole windows since the first), `start`, `end` [position].
    """
    local = instants.dt.tz_convert(zone(tz)).dt.tz_localize(None)
    first = local.dt.to_period(freq).dt.start_time.astype("datetime64[ms]")
    codes, starts = pd.factorize(first, sort=True)
    length = pd.Timedelta(days=7 if freq == "W" else 1)
    bounds = [_localized(pd.DatetimeIndex(starts) + shift, tz) for shift in (pd.Timedelta(0), length)]
    numbers = (pd.DatetimeIndex(starts) - starts[0]) // length if len(starts) else np.empty(0, dtype=np.int64)
    columns = {"number": np.asarray(numbers), "start": positions(bounds[0]), "end": positions(bounds[1])}
    return codes, pd.DataFrame(columns)


def date_axis(ax: Axes, low: float, high: float, *, tz: str) -> None:
    """Make the x axis one of dates in a zone, from position `low` to `high` and a little more."""
    here = zone(tz)
    ax.xaxis_date(here)
    ax.xaxis.set_major_locator(mdates.AutoDateLocator(tz=here, minticks=3, maxticks=8))  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(_Dates(here))
    pad = 0.02 * (high - low) or 0.5
    ax.set_xlim(low - pad, high + pad)
    ax.set_xlabel(f"time ({tz})")


def duration_axis(
    ax: Axes, which: Literal["x", "y"], seconds: npt.NDArray[np.float64], *, label: str, from_zero: bool = True
) -> None:
    """Make an axis one of durations: ticks at round ones in words; linear, or logarithmic where a few are far out.

    A linear axis always begins at zero, a logarithmic one if told so.
    """
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = min(float(seconds.min()), 0.0), float(seconds.max())
    typical = max(float(np.median(np.abs(seconds))), 1.0)
    if max(high, -low) > _SKEWED * typical:
        (ax.set_xscale if which == "x" else ax.set_yscale)("symlog", linthresh=1.0, linscale=0.5)
        ticks = np.concatenate([-_DECADES[:0:-1], _DECADES])
        if not from_zero and seconds.min() > 1:
            low = float(seconds.min()) / 3
        bounds = (1.5 * low - 0.05, 1.7 * high)
        label = f"{label}, logarithmic"
    else:
        span = max(high - low, 0.001)
        step = float(_STEPS[np.searchsorted(_STEPS, span / 6).clip(0, len(_STEPS) - 1)])
        ticks = np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
        bounds = (low - 0.05 * span, high + 0.08 * span)
    axis.set_major_locator(FixedLocator(ticks[(ticks >= bounds[0]) & (ticks <= bounds[1])].tolist()))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: duration_words(value)))
    (ax.set_xlim if which == "x" else ax.set_ylim)(*bounds)
    axis.set_label_text(label)


def share_axis(axis: Axis, *, label: str) -> None:
    """Make an axis one of shares, written in percent."""
    axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axis.set_label_text(label)


def duration_words(seconds: float) -> str:
    """
    Write a duration in its largest fitting unit.

    Examples
    --------
    >>> [duration_words(s) for s in (0, 0.25, 90, 5400, 86400, -60)]
    ['0 s', '250 ms', '1.5 min', '1.5 h', '1 day', '-1 min']
    """
    size, unit = next((u for u in _UNITS if abs(seconds) >= u[0] * 0.9995), (1.0, "s"))
    number = f"{seconds / size:.3g}"
    return f"{number} {'day' if unit == 'days' and number == '1' else unit}"


def _localized(naive: pd.DatetimeIndex, tz: str) -> pd.Series[pd.Timestamp]:
    # Midnight may not exist (clocks leap at 24:00) or exist twice; the day then begins at its first instant.
    first = np.ones(len(naive), dtype=np.bool_)
    return naive.tz_localize(zone(tz), nonexistent="shift_forward", ambiguous=first).to_series()
