"""A grid shows on which days, or at which hours of the week, invocations failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from schedlog_analysis.errors import SchemaError
from schedlog_analysis.plot._rates import keyed
from schedlog_analysis.plot._scales import zone
from schedlog_analysis.plot._style import (
    BLUE,
    ON_TILE,
    RED,
    ROW,
    TILES,
    add_legend,
    boxes,
    close_axes,
    label_rows,
    nothing,
    open_axes,
    write,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LIMITS = (0.0, 0.01, 0.05, 0.2)  # upper bounds of the classes of the failed share; fixed, so that months compare
_WORDS = ("none failed", "up to 1 % failed", "1 to 5 % failed", "5 to 20 % failed", "over 20 % failed")
_HEIGHTS = (0.12, 0.3, 0.5, 0.72, 0.94)  # of a tile by class, where there is no room for a number
_NONE, _TILE = 0.25, 0.92  # side of a tile with no failure, and with some, where there is room
_MIN_COLUMNS = 6  # fewer would make tiles too wide to be taken for tiles
_MAX_WEEKS = 106
_DIGIT = 0.07  # width of a digit of the numbers on tiles [inch]


class _Room(NamedTuple):
    """How wide a tile is [inch], and hence what can be written on it."""

    width: float

    def words(self, n_failed: npt.NDArray[np.int64], n: npt.NDArray[np.int64]) -> list[str]:
        """Write "3/24", else "3", else nothing."""
        long = [f"{failed:,}/{all_:,}" for failed, all_ in zip(n_failed, n, strict=True)]
        short = [f"{failed:,}" for failed in n_failed]
        return next((words for words in (long, short) if self._fits(words)), [])

    def _fits(self, words: list[str]) -> bool:
        return (max(map(len, words)) + 1) * _DIGIT <= self.width


def calendar(rates: pd.DataFrame, *, tz: str = "UTC", ax: Axes | None = None) -> Axes:
    """
    Draw the share of failures of each local day as a tile: weeks from left to right, Monday on top.

    Where tiles are wide enough they bear numbers (failed, or failed / all); else a taller tile is a worse day.

    Parameters
    ----------
    rates
        ErrorRates in windows of a day or less; windows of one local day, and all groups, are added up. What counts
        as failed, missed ticks or not, is what the table counts. No tile where nothing was due; without rows,
        or with n = 0 throughout, the axes say so.
    tz
        IANA time zone of the days.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on. Of more than 106 weeks, the last 106 are drawn and the axis says so.

    Raises
    ------
    InputError
        If `tz` is no time zone, or `rates` lacks a column.

    Examples
    --------
    >>> from schedlog_analysis.schema import ErrorRates
    >>> calendar(ErrorRates.empty()).texts[0].get_text()
    'nothing was due in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table, _ = keyed(rates)
    table = table[table["n"].gt(0) & table["window_start"].notna()]
    if table.empty:
        return nothing(canvas, ax, "nothing was due in this period")
    day = table["window_start"].dt.tz_convert(tz).dt.tz_localize(None).dt.normalize()
    days = table[["n", "n_failed"]].groupby(day).sum().reset_index(names="day")
    monday = days["day"] - pd.to_timedelta(days["day"].dt.day_of_week, unit="D")
    last = monday.max()
    n_weeks = int((last - monday.min()).days // 7) + 1
    n_drawn = min(n_weeks, _MAX_WEEKS)
    first = last - pd.Timedelta(weeks=n_drawn - 1)
    days = days[monday.ge(first)].assign(x=(monday - first).dt.days // 7, y=days["day"].dt.day_of_week)
    room = _draw_tiles(canvas, days, max(n_drawn, _MIN_COLUMNS), of="days")
    label_rows(canvas, _DAYS)
    _label_weeks(canvas, pd.date_range(first, periods=n_drawn, freq="7D"))
    note = f", the last {n_drawn} of {n_weeks:,}" if n_weeks > n_drawn else ""
    canvas.set_xlabel(f"week ({tz}{note})")
    return close_axes(canvas, ax, rows=round(7 * min(max(room.width, 0.14), ROW) / ROW))


def hour_weekday(rates: pd.DataFrame, *, tz: str = "UTC", ax: Axes | None = None) -> Axes:
    """
    Draw the share of failures by local hour and weekday, to see whether things break at some hour of the week.

    Where tiles are wide enough they bear numbers (failed, or failed / all); else a taller tile is a worse hour.

    Parameters
    ----------
    rates
        ErrorRates with the key columns `weekday` (0 is Monday) and `hour` (0..23), both local; further groups and
        windows are added up. No tile where nothing was due; without rows, or with n = 0 throughout, the axes say so.
    tz
        IANA time zone in which `rates` was counted; it is only written on the axis.
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
    >>> from schedlog_analysis.schema import ErrorRates
    >>> hour_weekday(ErrorRates.empty().assign(weekday=[], hour=[])).texts[0].get_text()
    'nothing was due in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table, keys = keyed(rates)
    missing = {"weekday", "hour"} - set(keys)
    if missing:
        raise SchemaError(
            f"hour_weekday got rates without {', '.join(sorted(missing))}; expected the keys weekday and hour."
        )
    table = table[table["n"].gt(0)].astype({"weekday": "int64", "hour": "int64"})
    if table.empty:
        return nothing(canvas, ax, "nothing was due in this period")
    cells = table.groupby(["weekday", "hour"], as_index=False)[["n", "n_failed"]].sum()
    _draw_tiles(canvas, cells.rename(columns={"hour": "x", "weekday": "y"}), 24, of="hours of the week")
    label_rows(canvas, _DAYS)
    canvas.set_xticks(np.arange(0, 24, 3), [f"{hour:02}:00" for hour in range(0, 24, 3)])
    canvas.set_xlabel(f"hour of the day ({tz})")
    return close_axes(canvas, ax, rows=7)


def _draw_tiles(ax: Axes, cells: pd.DataFrame, n_columns: int, *, of: str) -> _Room:
    """Draw a tile per cell, by class; with numbers where they fit, else by height."""
    # The axes' final width is not known before layout: labels and key take about a fifth.
    room = _Room(0.8 * ax.bbox.width / ax.figure.dpi / n_columns)
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    n, n_failed = cells["n"].to_numpy(), cells["n_failed"].to_numpy()
    words = room.words(n_failed, n)
    grade = np.searchsorted(_LIMITS, n_failed / n)
    handles = []
    for each in np.unique(grade):
        chosen = grade == each
        width, height, colour = _shape(int(each), room, has_words=bool(words))
        bounds = (x[chosen] - width / 2, x[chosen] + width / 2)
        foot = y[chosen] + (height / 2 if words else _TILE / 2)
        boxes(ax, bounds, (foot - height, foot), facecolor=colour, linewidth=0, gid=f"tile_{each}")
        edge = RED if words and each else colour
        key = Line2D([], [], linestyle="none", marker="s", color=colour, label=f"{_WORDS[each]}: {chosen.sum():,}")
        key.set(markersize=11 * height, markeredgecolor=edge)
        handles.append(key)
    for column, row, word, failed in zip(x, y, words, n_failed, strict=False):
        if failed:
            write(ax, column, row, word, ha="center", fontsize="x-small", color=ON_TILE)
    ax.set_xlim(-0.6, n_columns - 0.4)
    ax.tick_params(axis="x", length=0)
    add_legend(ax, handles, title=of)
    return room


def _shape(grade: int, room: _Room, *, has_words: bool) -> tuple[float, float, str]:
    """Width, height [cells] and colour of a tile."""
    if has_words and grade == 0:
        return _NONE * min(ROW / room.width, 1), _NONE, BLUE
    if has_words:
        return _TILE, _TILE, TILES[grade - 1]
    return 0.8, _HEIGHTS[grade], BLUE if grade == 0 else RED


def _label_weeks(ax: Axes, mondays: pd.DatetimeIndex) -> None:
    """Label each week by its Monday, or only the first of each month (or quarter) where weeks are many."""
    n, month = len(mondays), np.asarray(mondays.month)
    is_each = n <= 10  # noqa: PLR2004 - what fits side by side
    begins = np.ones(n, dtype=np.bool_) if is_each else np.r_[True, month[1:] != month[:-1]]
    if n > 60:  # noqa: PLR2004 - months of much more than a year do not fit
        begins &= month % 3 == 1
    at = np.flatnonzero(begins)
    if not is_each and len(at) > 1 and at[1] - at[0] < n / 15:
        at = at[1:]  # the end of a month just before the next: their labels would collide
    shown = mondays[at]
    words = [f"{day.day} {day:%b}" if is_each else f"{day:%b}" for day in shown]
    new_year = [i == 0 or day.year != shown[i - 1].year for i, day in enumerate(shown)]
    ax.set_xticks(
        at, [f"{word}\n{day.year}" if new else word for word, day, new in zip(words, shown, new_year, strict=True)]
    )
