"""A delay is what lies between the planned moment and the invocation; here it is drawn, with the intervals between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from schedlog_analysis.plot._scales import date_axis, duration_axis, duration_words, positions, zone
from schedlog_analysis.plot._style import (
    AMBER,
    BLUE,
    GREY,
    MARKS,
    MAX_MARKS,
    MAX_ROWS,
    PURPLE,
    RED,
    add_legend,
    close_axes,
    name_rows,
    nothing,
    open_axes,
)
from schedlog_analysis.schema import Cadence, Intervals, Ticks

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_STRETCHES = 150  # of the time axis, when there are too many ticks to draw each
_BINS = 60
_RARE = 100  # the highest over the lowest bar, from which on a linear axis would hide the lowest


def delay(ticks: pd.DataFrame, *, cadence: pd.DataFrame | None = None, tz: str = "UTC", ax: Axes | None = None) -> Axes:
    """
    Draw the delay of each answered tick over time, with its median and 95th percentile, and with its drift if known.

    Above 1,500 ticks, each of 150 stretches of time is summed up by its median, its 5th to 95th percentile and its
    longest delay.

    Parameters
    ----------
    ticks
        Ticks of one schedule, or of several taken together. Only those on time or late have a delay that counts;
        without any, the axes say so.
    cadence
        Cadence of the schedule: its `drift` [ms per day] is drawn when both tables hold exactly one schedule.
    tz
        IANA time zone of the dates.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on; its y axis is in seconds, logarithmic where a few delays are far out.

    Raises
    ------
    InputError
        If `tz` is no time zone, or a table lacks a column.

    Examples
    --------
    >>> delay(Ticks.empty()).texts[0].get_text()
    'no tick with a delay in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table = Ticks.accept(ticks)
    table = table[table["status"].isin(("on_time", "late")) & table["delay"].notna() & table["planned_at"].notna()]
    if table.empty:
        return nothing(canvas, ax, "no tick with a delay in this period")
    table = table.sort_values("planned_at", kind="stable")
    x, seconds = positions(table["planned_at"]), _seconds(table["delay"])
    handles = _draw_stretches(canvas, x, seconds) if len(x) > MAX_MARKS else _draw_strip(canvas, table, x, seconds)
    for share, word, dashes in ((0.5, "median", "--"), (0.95, "95th percentile", ":")):
        value = float(np.quantile(seconds, share))
        label = f"{word}: {duration_words(value)}"
        handles.append(canvas.axhline(value, color=RED, linestyle=dashes, linewidth=1.4, label=label))
    handles += _draw_drift(canvas, table, cadence, x)
    duration_axis(canvas, "y", seconds, label="delay")
    date_axis(canvas, x[0], x[-1], tz=tz)
    add_legend(canvas, handles)
    return close_axes(canvas, ax)


def intervals(intervals: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """
    Draw how long it was from each invocation to the next of the same schedule, as a histogram.

    Parameters
    ----------
    intervals
        Intervals of one schedule or of many. Without rows, the axes say so.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on; its x axis is in seconds. Either axis is logarithmic where the rare would be hidden.

    Raises
    ------
    SchemaError
        If `intervals` lacks a column.

    Examples
    --------
    >>> intervals(Intervals.empty()).texts[0].get_text()
    'no interval in this period'
    """
    canvas = open_axes(ax)
    seconds = _seconds(Intervals.accept(intervals)["interval"])
    if not len(seconds):
        return nothing(canvas, ax, "no interval in this period")
    duration_axis(canvas, "x", seconds, label="interval from one invocation to the next", from_zero=False)
    axis = canvas.xaxis.get_transform()
    low, high, left, right = axis.transform(np.array([seconds.min(), seconds.max(), *canvas.get_xlim()]))
    pad = 0.006 * (right - left)
    edges = axis.inverted().transform(np.linspace(low - pad, high + pad, _BINS + 1))
    counts = np.histogram(seconds, edges)[0]
    bars = canvas.stairs(counts, edges, fill=True, color=BLUE, label=f"intervals: {len(seconds):,}")
    median, longest = float(np.median(seconds)), float(seconds.max())
    line = canvas.axvline(median, color=RED, linestyle="--", label=f"median: {duration_words(median)}")
    (point,) = canvas.plot(
        longest, counts[-1] or 1, "v", color=PURPLE, clip_on=False, label=f"longest: {duration_words(longest)}"
    )
    _count_axis(canvas, counts)
    add_legend(canvas, [bars, line, point])
    return close_axes(canvas, ax)


def cadence(
    cadence: pd.DataFrame,
    *,
    schedules: pd.DataFrame | None = None,
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw how late each schedule usually is: a dot at the median, a line to the 95th percentile, a cross at the longest.

    Rows stand by 95th percentile, the latest first. Schedules without a known delay are counted below the axis.

    Parameters
    ----------
    cadence
        Cadence. Without any delay in it, the axes say so.
    schedules
        Schedules, for their titles; None labels the rows with ids.
    max_rows
        How many schedules to draw at most; the rest is counted in the last row.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on; its x axis is in seconds, logarithmic where a few delays are far out.

    Raises
    ------
    SchemaError
        If `cadence` lacks a column.

    Examples
    --------
    >>> cadence(Cadence.empty()).texts[0].get_text()
    'no schedule with a known delay'
    """
    canvas = open_axes(ax)
    table = Cadence.accept(cadence)
    known = table[table[["delay_median", "delay_p95", "delay_max"]].notna().all(axis=1)]
    if known.empty:
        return nothing(canvas, ax, "no schedule with a known delay")
    shown = known.sort_values(["delay_p95", "schedule_id"], ascending=[False, True]).head(max_rows)
    rows = np.arange(len(shown))
    median, p95, longest = (_seconds(shown[f"delay_{name}"]) for name in ("median", "p95", "max"))
    canvas.hlines(rows, median, p95, color=BLUE, linewidth=2.5)
    (dots,) = canvas.plot(median, rows, "o", color=BLUE, label="median")
    (caps,) = canvas.plot(p95, rows, "|", color=BLUE, markersize=9, markeredgewidth=2.5, label="95th percentile")
    (crosses,) = canvas.plot(longest, rows, "x", color=RED, markersize=5, label="longest")
    duration_axis(canvas, "x", np.concatenate([median, p95, longest]), label=_delay_label(len(table) - len(known)))
    n_more = len(known) - len(shown)
    name_rows(canvas, shown["schedule_id"].tolist(), schedules=schedules, n_more=n_more)
    add_legend(canvas, [dots, caps, crosses])
    return close_axes(canvas, ax, rows=len(shown) + bool(n_more))


def _seconds(durations: pd.Series[pd.Timedelta]) -> npt.NDArray[np.float64]:
    return np.asarray(durations.dt.total_seconds(), dtype=np.float64)


def _draw_strip(
    ax: Axes, table: pd.DataFrame, x: npt.NDArray[np.float64], seconds: npt.NDArray[np.float64]
) -> list[Artist]:
    handles: list[Artist] = []
    for name, marker, colour in (("on_time", "o", BLUE), ("late", "^", AMBER)):
        chosen = table["status"].eq(name).to_numpy()
        if chosen.any():
            label = f"{MARKS[name].word}: {chosen.sum():,}"
            handles += ax.plot(x[chosen], seconds[chosen], marker, color=colour, markersize=3, label=label)
    return handles


def _draw_stretches(ax: Axes, x: npt.NDArray[np.float64], seconds: npt.NDArray[np.float64]) -> list[Artist]:
    stretch = np.linspace(x[0], x[-1], _STRETCHES + 1)[1:-1].searchsorted(x, side="right")
    groups = pd.Series(seconds).groupby(stretch)
    at = pd.Series(x).groupby(stretch).median().to_numpy()
    low, high = groups.quantile(0.05).to_numpy(), groups.quantile(0.95).to_numpy()
    band = ax.fill_between(at, low, high, color=BLUE, alpha=0.3, linewidth=0, label="5th to 95th percentile")
    middle = ax.plot(at, groups.median().to_numpy(), color=BLUE, linewidth=1.6, label=f"median of {len(x):,} ticks")
    tops = ax.plot(at, groups.max().to_numpy(), "x", color=GREY, markersize=4, label="longest of each stretch")
    return [band, *middle, *tops]


def _draw_drift(
    ax: Axes, table: pd.DataFrame, cadence: pd.DataFrame | None, x: npt.NDArray[np.float64]
) -> list[Line2D]:
    if cadence is None or len(cadence) != 1 or table["schedule_id"].ne(table["schedule_id"].iloc[0]).any():
        return []
    known = Cadence.accept(cadence).iloc[0]
    if known["schedule_id"] != table["schedule_id"].iloc[0] or pd.isna(known["drift"]):
        return []
    # A robust slope has no intercept of its own: its line passes through the medians.
    at = np.linspace(x[0], x[-1], 50)
    line = float(np.median(_seconds(table["delay"]))) + known["drift"] / 1000 * (at - np.median(x))
    label = f"drift: {known['drift']:+.3g} ms a day"
    if pd.notna(known["drift_low"]) and pd.notna(known["drift_high"]):
        label += f"\n({known['drift_low']:+.3g} to {known['drift_high']:+.3g})"
    return ax.plot(at, line, color=PURPLE, linestyle="-.", linewidth=1.8, label=label)


def _delay_label(n_unknown: int) -> str:
    return f"delay ({n_unknown:,} more without a known one)" if n_unknown else "delay"


def _count_axis(ax: Axes, counts: npt.NDArray[np.int64]) -> None:
    label = "number of intervals"
    if counts.max() > _RARE * counts[counts > 0].min():
        ax.set_yscale("log")
        ax.set_ylim(0.5, 2.0 * counts.max())
        ax.yaxis.set_minor_formatter(NullFormatter())
        label = f"{label}, logarithmic"
    else:
        ax.set_ylim(0, 1.08 * counts.max())
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_ylabel(label)
