"""A failure is drawn by what it shares with others: its template, its cause, its incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from schedlog_analysis._core.words import say_share
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.plot._scales import date_axis, positions, share_axis, zone
from schedlog_analysis.plot._style import (
    BLUE,
    MAX_ROWS,
    PURPLE,
    RED,
    add_legend,
    boxes,
    close_axes,
    label_rows,
    name_rows,
    nothing,
    open_axes,
    safe_text,
    write,
    write_beside,
)
from schedlog_analysis.schema import FailureClusters, Incidents

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MAX_CLUSTERS = 20
_MAX_TEMPLATE = 92  # [characters]
_MAX_TITLED = 80  # incidents that get their cause written beside them
_BASE, _HEIGHT = 0.3, 0.36  # of a cluster's marks: where in the row they stand, and how tall they are at most [rows]
_LETTER = 0.0125  # width of a letter of a cause, as a share of the axes
_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("failed", {"facecolor": PURPLE, "edgecolor": PURPLE}),
    ("missed", {"facecolor": RED, "edgecolor": RED}),
    ("failed and missed", {"facecolor": "none", "edgecolor": PURPLE, "hatch": "//////"}),
)


def clusters(
    clusters: pd.DataFrame,
    *,
    trend: pd.DataFrame | None = None,
    tz: str = "UTC",
    max_rows: int = _MAX_CLUSTERS,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw when each failure cluster struck, a row per template, the most frequent first.

    A thin line runs from the first to the last such failure. With `trend` bars on it tell how many there were in each
    window, each row in its own scale.

    Parameters
    ----------
    clusters
        FailureClusters. Without rows, the axes say so.
    trend
        Failures per cluster and window: `cluster_id`, `window_start`, `n`, as `cluster_trend` counts them.
    tz
        IANA time zone of the dates.
    max_rows
        How many clusters to draw at most; the rest is counted in the last row.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on.

    Raises
    ------
    InputError
        If `tz` is no time zone, or a table lacks a column.

    Examples
    --------
    >>> clusters(FailureClusters.empty()).texts[0].get_text()
    'no failures in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    table = FailureClusters.accept(clusters).sort_values(["n", "cluster_id"], ascending=[False, True])
    if table.empty:
        return nothing(canvas, ax, "no failures in this period")
    shown = table.head(max_rows).reset_index(drop=True)
    x0, x1 = positions(shown["first_seen"]), positions(shown["last_seen"])
    base = shown.index.to_numpy() + _BASE
    canvas.hlines(base, x0, x1, color=PURPLE, linewidth=1)
    first, last = x0.min(), x1.max()
    if trend is None:
        canvas.plot(np.r_[x0, x1], np.r_[base, base], "|", color=PURPLE, markersize=6)
        date_axis(canvas, first, last, tz=tz)
    else:
        low, high = _draw_trend(canvas, shown, trend)
        date_axis(canvas, min(first, low), max(last, high), tz=tz)
        canvas.set_xlabel(f"{canvas.get_xlabel()}\nheight: failures per window, each row in its own scale")
    for row, (template, n, share) in enumerate(zip(shown["template"], shown["n"], shown["share"], strict=True)):
        words = safe_text(template, limit=_MAX_TEMPLATE)
        write(canvas, 0.01, row - 0.3, words, transform=canvas.get_yaxis_transform())
        write(canvas, 1.01, row + 0.12, f"{n:,} = {say_share(share)}", transform=canvas.get_yaxis_transform())
    n_more = len(table) - len(shown)
    more = [f"… and {n_more:,} more"] if n_more else []
    label_rows(canvas, [*(safe_text(cause) for cause in shown["cause"]), *more])
    return close_axes(canvas, ax, rows=2 * (len(shown) + len(more)))


def causes(clusters: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """
    Draw what stopped the actions: a bar per cause, the most frequent first, and the share that they make together.

    Parameters
    ----------
    clusters
        FailureClusters; clusters of one cause are added up. Without rows, the axes say so.
    ax
        Axes to draw on; None makes them.

    Returns
    -------
    ax
        The axes drawn on.

    Raises
    ------
    SchemaError
        If `clusters` lacks a column.

    Examples
    --------
    >>> causes(FailureClusters.empty()).texts[0].get_text()
    'no failures in this period'
    """
    canvas = open_axes(ax)
    table = FailureClusters.accept(clusters)
    if table.empty:
        return nothing(canvas, ax, "no failures in this period")
    counted = table["n"].groupby(table["cause"].astype("str")).sum().sort_index()
    counted = counted.sort_values(ascending=False, kind="stable")
    rows, share = np.arange(len(counted)), counted.to_numpy() / counted.sum()
    together = share.cumsum()
    canvas.barh(rows, share, height=0.6, color=BLUE)
    (line,) = canvas.plot(together, rows, "o--", color=RED, markersize=4, linewidth=1.2, label="with those above")
    label_rows(canvas, [safe_text(str(cause)) for cause in counted.index])
    numbers = zip(counted, share, together, strict=True)
    words = [f"{n:,} = {say_share(each)}, together {say_share(total)}" for n, each, total in numbers]
    write_beside(canvas, [words[0].split(", together")[0], *words[1:]])
    share_axis(canvas.xaxis, label=f"share of {counted.sum():,} failure{'s' if counted.sum() > 1 else ''}")
    add_legend(canvas, [Patch(color=BLUE, label="this cause"), line])
    return close_axes(canvas, ax, rows=round(1.4 * len(counted)))


def incidents(
    incidents: pd.DataFrame,
    *,
    schedules: pd.DataFrame | None = None,
    tz: str = "UTC",
    until: datetime | None = None,
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw each incident as a bar from its start to its end, a row per schedule, those with the most bad ticks first.

    An incident that is still open ends in an arrow. The cause stands beside a bar where there is room.

    Parameters
    ----------
    incidents
        Incidents. Without rows, the axes say so.
    schedules
        Schedules, for their titles; None labels the rows with ids.
    tz
        IANA time zone of the dates.
    until
        Instant to which open incidents reach, such as the end of the data; None takes the last one in the table.
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
        If `tz` is no time zone, `until` has none, or `incidents` lacks a column.

    Examples
    --------
    >>> incidents(Incidents.empty()).texts[0].get_text()
    'no incidents in this period'
    """
    canvas = open_axes(ax)
    zone(tz)
    if until is not None and until.tzinfo is None:
        raise InputError(f"until is {until}, without a time zone; expected an instant such as 2026-11-01T00:00Z.")
    table = Incidents.accept(incidents)
    if table.empty:
        return nothing(canvas, ax, "no incidents in this period")
    bad = (table["n_failed"] + table["n_missed"]).groupby(table["schedule_id"].astype("str")).sum()
    ids = [str(each) for each in bad.sort_index().sort_values(ascending=False, kind="stable").index]
    n_more = max(len(ids) - max_rows, 0)
    row = pd.Index(ids[:max_rows]).get_indexer(pd.Index(table["schedule_id"].astype("str")))
    shown = table.assign(row=row)[row >= 0].sort_values(["row", "started_at"], kind="stable")
    _draw_incidents(canvas, shown, _last(table, until), tz)
    name_rows(canvas, ids[:max_rows], schedules=schedules, n_more=n_more)
    return close_axes(canvas, ax, rows=min(len(ids), max_rows) + bool(n_more))


def _draw_trend(ax: Axes, shown: pd.DataFrame, trend: pd.DataFrame) -> tuple[float, float]:
    """Draw a bar per cluster and window with failures, and return the bounds of all windows."""
    missing = [name for name in ("cluster_id", "window_start", "n") if name not in trend]
    if missing:
        raise SchemaError(f"trend lacks {', '.join(missing)}; expected the columns of cluster_trend.")
    starts = np.unique(positions(trend["window_start"]))
    if not len(starts):
        return np.inf, -np.inf
    edges = np.r_[starts, starts[-1] + (np.diff(starts)[-1] if len(starts) > 1 else 1.0)]
    row = pd.Index(shown["cluster_id"].astype("str")).get_indexer(pd.Index(trend["cluster_id"].astype("str")))
    chosen = (row >= 0) & trend["n"].gt(0).to_numpy()
    row, n = row[chosen], trend["n"].to_numpy()[chosen]
    window = starts.searchsorted(positions(trend["window_start"])[chosen])
    # A single failure in one window of thousands in another must still be seen.
    height = (_HEIGHT * n / pd.Series(n).groupby(row).transform("max")).clip(lower=0.06).to_numpy()
    bounds = (row + _BASE - height, row + _BASE)
    boxes(ax, (edges[window], edges[window + 1]), bounds, facecolor=PURPLE, linewidth=0, gid="failures")
    return float(edges[0]), float(edges[-1])


def _last(table: pd.DataFrame, until: datetime | None) -> float:
    known = pd.concat([table["started_at"], table["ended_at"]]).dropna()
    told = known.iloc[:0] if until is None else pd.Series([pd.Timestamp(until).tz_convert("UTC").as_unit("ms")])
    return float(positions(pd.concat([known, told])).max())


def _draw_incidents(ax: Axes, shown: pd.DataFrame, last: float, tz: str) -> None:
    start, end = positions(shown["started_at"]), positions(shown["ended_at"])
    is_open = np.isnan(end)
    low, span = start.min(), max(last - start.min(), 1 / 24)
    # What lasted minutes must still be seen in a year.
    until = np.maximum(np.where(is_open, last, end), start + 0.004 * span)
    kind = np.where(shown["n_missed"].eq(0), 0, np.where(shown["n_failed"].eq(0), 1, 2))
    row = shown["row"].to_numpy()
    handles: list[Artist] = []
    for each, (word, style) in enumerate(_KINDS):
        chosen = kind == each
        if chosen.any():
            half = 0.16 if word == "missed" else 0.26
            boxes(
                ax,
                (start[chosen], until[chosen]),
                (row[chosen] - half, row[chosen] + half),
                gid=word.replace(" ", "_"),
                **style,
            )
            handles.append(Patch(label=f"{word}: {chosen.sum():,}", **style))
    if is_open.any():
        arrows = ax.plot(until[is_open] + 0.008 * span, row[is_open], ">", markersize=6, clip_on=False)
        arrows[0].set(color=mpl.rcParams["text.color"], gid="still_open", label=f"still open: {is_open.sum():,}")
        handles += arrows
    date_axis(ax, low, low + 1.02 * span, tz=tz)
    add_legend(ax, handles, title="incidents")
    if len(shown) <= _MAX_TITLED:
        _write_causes(ax, shown["cause"], row, np.where(is_open, until + 0.016 * span, until), start)


def _write_causes(
    ax: Axes,
    cause: pd.Series[str],
    row: npt.NDArray[np.int64],
    end: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
) -> None:
    """Write the cause to the right of its bar where it hits neither the next bar of the row nor the border."""
    left, right = ax.get_xlim()
    # An incident may lie within a longer one of its schedule: beside its bar is not free then.
    reach = pd.Series(end).groupby(row).cummax().to_numpy()
    free = np.where(np.r_[np.diff(row) == 0, False], np.r_[start[1:], right], right) - reach
    for words, at, y, room in zip(cause.fillna(""), end, row, np.where(end < reach, 0, free), strict=True):
        text = safe_text(words)
        if text and (len(text) + 1.5) * _LETTER * (right - left) <= room:
            write(ax, at + 0.006 * (right - left), y, text, fontsize="x-small")
