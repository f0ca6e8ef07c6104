"""A timeline shows the ticks of each schedule as a row over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from schedlog_analysis.matching.policy import judged
from schedlog_analysis.plot._scales import date_axis, local_starts, positions, zone
from schedlog_analysis.plot._style import (
    MARKS,
    MAX_MARKS,
    MAX_ROWS,
    add_legend,
    boxes,
    close_axes,
    key_patch,
    name_rows,
    nothing,
    open_axes,
    strokes,
)
from schedlog_analysis.schema import Ticks

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# From harmless to bad: what comes later is drawn on top and wins a cell.
_STATUSES = ("manual", "on_time", "extra", "duplicate", "unknown", "late", "missed")
_OUTCOMES = ("skipped", "partial", "failed")
_STATUS_LINE, _OUTCOME_LINE = 0.08, 0.14  # statuses stand above the row's middle, outcomes hang below it [rows]
_MAX_DAYS = 130  # columns that can still be told apart; beyond, a cell is a week


def ticks(
    ticks: pd.DataFrame,
    *,
    schedules: pd.DataFrame | None = None,
    tz: str = "UTC",
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw the ticks of each schedule over time: upper line by status, lower line by outcome where it was not ok.

    Rows stand worst first: by the ticks that count as down. Above 1,500 ticks a mark is a local day, or a
    week where the days are many, and shows the worst that happened in it; the legend still counts ticks.

    Parameters
    ----------
    ticks
        Ticks; those without a plan (extra, manual) stand where they were invoked. Without rows, the axes say so.
    schedules
        Schedules, for their titles; None labels the rows with ids.
    tz
        IANA time zone of the dates and days.
    max_rows
        How many schedules to draw at most; the rest is counted in the last row.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on.

    Raises
    ------
    InputError
        If `tz` is no time zone, or `ticks` no table of ticks.

    Examples
    --------
    >>> ticks(Ticks.empty()).texts[0].get_text()
    'no ticks in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table = judged(Ticks.accept(ticks))
    at = table["planned_at"].fillna(table["invoked_at"])
    table = table[at.notna()].assign(at=at)
    if table.empty:
        return nothing(canvas, ax, "no ticks in this period")
    ids = _worst_first(table)
    table["row"] = pd.Index(ids[:max_rows]).get_indexer(pd.Index(table["schedule_id"].astype("str")))
    shown = table[table["row"].ge(0)].sort_values(["row", "at"], kind="stable")
    (_draw_cells if len(shown) > MAX_MARKS else _draw_marks)(canvas, shown, tz)
    n_more = max(len(ids) - max_rows, 0)
    name_rows(canvas, ids[:max_rows], schedules=schedules, n_more=n_more)
    return close_axes(canvas, ax, rows=min(len(ids), max_rows) + bool(n_more))


def _worst_first(table: pd.DataFrame) -> list[str]:
    n_bad = table["counted_as"].eq("down").groupby(table["schedule_id"].astype("str")).sum()
    return [str(each) for each in n_bad.sort_index().sort_values(ascending=False, kind="stable").index]


def _draw_marks(ax: Axes, table: pd.DataFrame, tz: str) -> None:
    x, row = positions(table["at"]), table["row"].to_numpy()
    handles: list[Artist] = []
    for name, chosen, line in _layers(table):
        mark = MARKS[name]
        style = mark.points() | {"markersize": 5.5, "label": f"{mark.word}: {chosen.sum():,}"}
        at, y = x[chosen], row[chosen] + line
        if mark.marker == "|":  # the many: as one path they take a third of the room in an SVG
            strokes(ax, at, y - 0.12, y + 0.12, edgecolor=mark.colour, linewidth=1.2, gid=name)
            handles.append(Line2D([], [], **style))
        else:
            handles += ax.plot(at, y, gid=name, **style)
    date_axis(ax, x.min(), x.max(), tz=tz)
    add_legend(ax, _by_meaning(handles), title="ticks")


def _draw_cells(ax: Axes, table: pd.DataFrame, tz: str) -> None:
    codes, windows = local_starts(table["at"], tz, "D")
    is_weekly = windows["number"].iloc[-1] >= _MAX_DAYS
    if is_weekly:
        codes, windows = local_starts(table["at"], tz, "W")
    cells = pd.DataFrame({"row": table["row"].to_numpy(), "code": codes, "status": 0, "outcome": 0})
    handles: list[Artist] = []
    for name, chosen, _ in _layers(table):
        column, order = ("status", _STATUSES) if name in _STATUSES else ("outcome", _OUTCOMES)
        cells.loc[chosen, column] = order.index(name) + 1
        handles.append(key_patch(MARKS[name], int(chosen.sum())))
    worst = cells.groupby(["row", "code"], as_index=False).max()
    for column, order in (("status", _STATUSES), ("outcome", _OUTCOMES)):
        for place, name in enumerate(order, start=1):
            _draw_runs(ax, worst[worst[column].eq(place)], windows, name, is_upper=column == "status")
    date_axis(ax, windows["start"].min(), windows["end"].max(), tz=tz)
    add_legend(ax, _by_meaning(handles), title="ticks")
    unit = "week" if is_weekly else "day"
    ax.set_xlabel(f"{ax.get_xlabel()}\neach cell is a {unit} and shows the worst tick in it; the key counts ticks")


def _draw_runs(ax: Axes, cells: pd.DataFrame, windows: pd.DataFrame, name: str, *, is_upper: bool) -> None:
    """Draw neighbouring cells of one kind as one box."""
    if cells.empty:
        return
    mark, number = MARKS[name], windows["number"].to_numpy()[cells["code"]]
    row = cells["row"].to_numpy()
    begins = np.r_[True, (np.diff(row) != 0) | (np.diff(number) != 1)]
    ends = np.r_[begins[1:], True]
    left = windows["start"].to_numpy()[cells["code"].to_numpy()[begins]]
    right = windows["end"].to_numpy()[cells["code"].to_numpy()[ends]]
    base = row[begins] + _STATUS_LINE
    top, low = (base - mark.height, base) if is_upper else (base + 0.06, base + 0.06 + mark.height)
    boxes(ax, (left, right), (top, low), gid=name, **mark.patch())


def _layers(table: pd.DataFrame) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.bool_]], float]]:
    status, outcome = table["status"].astype("str").to_numpy(), table["outcome"].astype("str").to_numpy()
    layers = [(name, status == name, -_STATUS_LINE) for name in _STATUSES]
    layers += [(name, outcome == name, _OUTCOME_LINE) for name in _OUTCOMES]
    return [layer for layer in layers if layer[1].any()]


def _by_meaning(handles: list[Artist]) -> list[Artist]:
    words = [mark.word for mark in MARKS.values()]
    return sorted(handles, key=lambda handle: words.index(str(handle.get_label()).rsplit(":", 1)[0]))
