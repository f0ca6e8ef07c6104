"""A rate is drawn with its interval and its n, because a rate without them says less than it seems to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from schedlog_analysis._core.words import say_share
from schedlog_analysis.errors import InputError
from schedlog_analysis.plot._scales import date_axis, positions, share_axis, zone
from schedlog_analysis.plot._style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    MAX_ROWS,
    PURPLE,
    RED,
    add_legend,
    boxes,
    close_axes,
    label_rows,
    nothing,
    open_axes,
    safe_text,
    schedule_labels,
    write,
    write_beside,
)
from schedlog_analysis.schema import BurnDown, ErrorRates, Funnel

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LINES = ((BLUE, "o", "-"), (RED, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", ":"), (AMBER, "v", (0, (5, 1))))
_MAX_WHISKERS = 45  # windows; beyond, their intervals are one band
_MAX_COUNTS = 14  # windows whose n fits above them


def error_rate(
    rates: pd.DataFrame,
    *,
    schedules: pd.DataFrame | None = None,
    tz: str = "UTC",
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw error rates with their intervals: over time where the table has windows, else a row per group.

    Over time, a window in which nothing was due is a hatched gap, never 0 %; with several groups, the five with the
    most failures are drawn. As rows, the highest rate stands first.

    Parameters
    ----------
    rates
        ErrorRates; columns beyond the declared ones are the groups' keys. A point stands at its window's start.
        Without rows, or with n = 0 throughout, the axes say that nothing was due.
    schedules
        Schedules, for the titles of groups by `schedule_id`.
    tz
        IANA time zone of the dates.
    max_rows
        How many groups to draw at most when there are no windows; the rest is counted in the last row.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on.

    Raises
    ------
    InputError
        If `tz` is no time zone, or `rates` lacks a column.

    Examples
    --------
    >>> error_rate(ErrorRates.empty()).texts[0].get_text()
    'nothing was due in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table, keys = keyed(rates)
    if not table["n"].sum():
        return nothing(canvas, ax, "nothing was due in this period")
    table["group"] = _group_labels(table, keys, schedules)
    if table["window_start"].isna().all():
        return close_axes(canvas, ax, rows=_draw_groups(canvas, table, max_rows))
    table = table[table["window_start"].notna()].sort_values("window_start", kind="stable")
    by_failures = table.groupby("group")["n_failed"].sum().sort_index().sort_values(ascending=False, kind="stable")
    handles: list[Artist] = []
    for name, style in zip(by_failures.index, _LINES, strict=False):
        handles.append(_draw_line(canvas, table[table["group"].eq(name)], style, str(name)))
    if len(by_failures) == 1:
        handles += _draw_gaps(canvas, table)
    elif len(by_failures) > len(_LINES):
        handles.append(Patch(visible=False, label=f"… and {len(by_failures) - len(_LINES):,} more"))
    x = positions(table["window_start"])
    date_axis(canvas, x.min(), x.max(), tz=tz)
    if len(by_failures) == 1:
        _write_counts(canvas, table)
    _rate_axis(canvas, table)
    add_legend(canvas, handles if len(handles) > 1 else [])
    return close_axes(canvas, ax)


def burn_down(budget: pd.DataFrame, *, tz: str = "UTC", ax: Axes | None = None) -> Axes:
    """
    Draw how much of the error budget is left over time; below zero, where it is overspent, the area is hatched.

    Parameters
    ----------
    budget
        BurnDown of one group: `budget_left` is a share of the whole budget, negative where overspent. Without a
        row in which it is known, the axes say so.
    tz
        IANA time zone of the dates.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on.

    Raises
    ------
    InputError
        If `tz` is no time zone, or `budget` lacks a column or holds several groups.

    Examples
    --------
    >>> burn_down(BurnDown.empty()).texts[0].get_text()
    'no error budget in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table = BurnDown.accept(budget).dropna(subset=["budget_left"])
    _require_one_group(table["window_start"])
    if table.empty:
        return nothing(canvas, ax, "no error budget in this period")
    table = table.sort_values("window_start", kind="stable")
    x, left = positions(table["window_start"]), table["budget_left"].to_numpy(dtype=np.float64)
    canvas.plot(x, left, color=BLUE, drawstyle="steps-post", linewidth=2)
    canvas.axhline(0, color=RED, linestyle="--", linewidth=1.4)
    if left.min() < 0:
        overspent = canvas.fill_between(x, np.minimum(left, 0), 0, step="post", facecolor="none", linewidth=0)
        overspent.set(edgecolor=RED, hatch="////")
    ahead = 0.015 * max(x[-1] - x[0], 1.0)
    canvas.plot(x[-1], left[-1], "o", color=BLUE, clip_on=False)
    write(canvas, x[-1] + ahead, left[-1], _say_left(left[-1]))
    write(canvas, x[0], 0, "budget spent", va="bottom")
    date_axis(canvas, x[0], x[-1] + 12 * ahead, tz=tz)
    bottom, top = min(left.min(), 0.0), max(left.max(), 1.0)
    canvas.set_ylim(bottom - 0.05 * (top - bottom), top + 0.05 * (top - bottom))
    share_axis(canvas.yaxis, label="error budget left")
    return close_axes(canvas, ax)


def _say_left(left: float) -> str:
    """Say how much of the budget is left, or was spent too much; that can be more than all of it."""
    if left >= 0:
        return f"{say_share(left)} left"
    return f"{say_share(-left) if left >= -1 else f'{-100 * left:,.0f} %'} overspent"


def funnel(stages: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """
    Draw what became of the planned ticks, a bar per stage: planned, started, succeeded.

    Parameters
    ----------
    stages
        Funnel of one group, in the order of the stages. A share with an interval gets whiskers. Without rows or with
        n = 0 throughout, the axes say so.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on.

    Raises
    ------
    InputError
        If `stages` lacks a column or holds several groups.

    Examples
    --------
    >>> funnel(Funnel.empty()).texts[0].get_text()
    'nothing was planned in this period'
    """
    canvas = open_axes(ax)
    table = Funnel.accept(stages)
    _require_one_group(table["stage"])
    if not table["n"].sum():
        return nothing(canvas, ax, "nothing was planned in this period")
    rows, share = np.arange(len(table)), table["share"].to_numpy()
    canvas.barh(rows, share, height=0.6, color=[BLUE, *[GREEN] * (len(table) - 1)])
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    canvas.hlines(rows, low, high, color=mpl.rcParams["text.color"], linewidth=1.6)
    words = [f"{table['n'].iloc[0]:,}", *(_stage_words(row) for row in table.iloc[1:].itertuples())]
    label_rows(canvas, [safe_text(stage) for stage in table["stage"]])
    write_beside(canvas, words, inches=6.8)
    share_axis(canvas.xaxis, label=f"share of {safe_text(table['stage'].iloc[0])}")
    return close_axes(canvas, ax, rows=2 * len(table))


def _stage_words(stage: Any) -> str:  # noqa: ANN401 - a row of a frame
    """Say a stage's number, of how many known ones where some are not known, and its share with the interval."""
    told = f"{stage.n:,}" + (f" of {stage.n_known:,} known" if stage.n_unknown else "")
    if not np.isfinite(stage.share):
        return told
    told += f"{',' if stage.n_unknown else ' ='} {say_share(stage.share)}"
    return f"{told} ({say_share(stage.low)} to {say_share(stage.high)})" if np.isfinite(stage.low) else told


def keyed(rates: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Typed error rates with their key columns still before them, and the keys' names."""
    keys = [name for name in rates.columns if name not in ErrorRates.names()]
    typed = ErrorRates.accept(rates)[ErrorRates.names()].reset_index(drop=True)
    return pd.concat([rates[keys].reset_index(drop=True), typed], axis=1), keys


def _require_one_group(key: pd.Series[Any]) -> None:
    again = key[key.duplicated()]
    if len(again):
        raise InputError(f"{key.name} {again.iloc[0]} stands in several rows; expected one group, so choose one first.")


def _group_labels(table: pd.DataFrame, keys: list[str], schedules: pd.DataFrame | None) -> pd.Series[str]:
    if not keys:
        return pd.Series("all", index=table.index, dtype="str")
    parts = []
    for key in keys:
        codes, values = pd.factorize(table[key].astype("str"))
        is_id = key == "schedule_id"
        words = schedule_labels(list(values), schedules) if is_id else [safe_text(str(value)) for value in values]
        parts.append(pd.Series(words, dtype="str").take(codes).reset_index(drop=True))
    label = parts[0]
    for part in parts[1:]:
        label = label + " · " + part
    return label


def _draw_line(ax: Axes, table: pd.DataFrame, style: tuple[str, str, Any], name: str) -> Artist:
    colour, marker, dashes = style
    x, rate = positions(table["window_start"]), table["error_rate"].to_numpy()
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    is_band = len(table) > _MAX_WHISKERS
    if is_band:
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    else:
        ax.vlines(x, low, high, color=colour, linewidth=1.2)
    # A point between two gaps has no line: its marker must be seen.
    size = 2.5 if is_band else 5
    # On a line of its own, because numbers after a right-to-left name would be read as part of it.
    label = f"{name}\n{table['n_failed'].sum():,} of {table['n'].sum():,}"
    return ax.plot(x, rate, marker=marker, color=colour, linestyle=dashes, markersize=size, label=label)[0]


def _draw_gaps(ax: Axes, table: pd.DataFrame) -> list[Artist]:
    """Hatch the windows in which nothing was due; a run of them is one box."""
    x, is_empty = positions(table["window_start"]), table["n"].eq(0).to_numpy()
    if not is_empty.any():
        return []
    width = float(np.median(np.diff(x))) if len(x) > 1 else 1.0
    begins = np.flatnonzero(is_empty & ~np.r_[False, is_empty[:-1]])
    ends = np.flatnonzero(is_empty & ~np.r_[is_empty[1:], False])
    style = {"facecolor": "none", "edgecolor": GREY, "hatch": "////", "linewidth": 0, "label": "nothing was due"}
    spans = (x[begins] - width / 2, x[ends] + width / 2)
    return [boxes(ax, spans, (0.0, 1.0), transform=ax.get_xaxis_transform(), **style)]


def _write_counts(ax: Axes, table: pd.DataFrame) -> None:
    """Write each window's n above it, or their range below the axis where they are too many."""
    n = table["n"]
    if len(n) > _MAX_COUNTS:
        ax.set_xlabel(f"{ax.get_xlabel()}\nn per window: {n.min():,} to {n.max():,}")
        return
    # An axis of its own, because a title of the caller's makes way for an axis but not for texts.
    above = ax.secondary_xaxis("top")
    above.set_xticks(positions(table["window_start"]), [f"n = {n.iloc[0]:,}", *(f"{each:,}" for each in n.iloc[1:])])
    above.tick_params(length=0, labelsize="small", labelcolor=mpl.rcParams["text.color"])
    above.spines[:].set_visible(False)


def _draw_groups(ax: Axes, table: pd.DataFrame, max_rows: int) -> int:
    """Draw a point with whiskers per group and return the number of rows."""
    order = table.sort_values(["error_rate", "n", "group"], ascending=[False, False, True], na_position="last")
    shown = order.head(max_rows)
    rows = np.arange(len(shown))
    ax.hlines(rows, shown["low"].to_numpy(), shown["high"].to_numpy(), color=BLUE, linewidth=1.6)
    ax.plot(shown["error_rate"].to_numpy(), rows, "o", color=BLUE)
    _rate_axis(ax, table, is_vertical=False)
    for row, (failed, n) in enumerate(zip(shown["n_failed"], shown["n"], strict=True)):
        words = f"{failed:,} of {n:,}" if n else "nothing was due"
        write(ax, 1.01, row, words, transform=ax.get_yaxis_transform())
    n_more = len(order) - len(shown)
    more = [f"… and {n_more:,} more"] if n_more else []
    label_rows(ax, [*shown["group"], *more])
    return len(shown) + len(more)


def _rate_axis(ax: Axes, table: pd.DataFrame, *, is_vertical: bool = True) -> None:
    top = min(1.0, 1.15 * float(np.nanmax(table["high"].fillna(table["error_rate"]).to_numpy())) or 0.1)
    bounds = (-0.02 * top, top * 1.02)
    share_axis(ax.yaxis if is_vertical else ax.xaxis, label="error rate")
    (ax.set_ylim if is_vertical else ax.set_xlim)(*bounds)
