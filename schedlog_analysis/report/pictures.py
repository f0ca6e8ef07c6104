"""A drawing is a plot of the analysis, found by the id that the document gives it: SVG for pages, PNG for mail."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image  # what matplotlib itself writes PNG with

from schedlog_analysis import plot
from schedlog_analysis._core.calendar import window_range, window_starts
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.svg import slim
from schedlog_analysis.schema import BurnDown, Funnel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 25  # schedules in one drawing
MAX_CLUSTERS = 12
COLOURS = 64  # of a PNG
LONGEST_BY_DAY = pd.Timedelta(days=130)
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
STYLE: Any = {
    "svg.fonttype": "none",  # letters stay letters: small, searchable, in the page's own font
    "svg.hashsalt": "schedlog",  # ids without chance
    "text.color": plot.INK,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so widths are the same everywhere
    "font.size": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify": True,
}


def draw_svg(analysis: Analysis, picture: str, alt: str, prefix: str) -> str:
    """
    Draw a picture as SVG that is small, the same every time, and restyled by the page around it.

    Parameters
    ----------
    analysis
        What to draw.
    picture
        Id of a `document.Picture`.
    alt
        What it shows, in words.
    prefix
        Begins the ids inside, so that several pictures can stand in one page.
    """
    out = StringIO()
    with mpl.rc_context(STYLE):
        # Not `savefig`, which lays the figure out by drawing it once more.
        FigureCanvasSVG(_drawn(analysis, picture)).print_svg(out, metadata=NO_METADATA)  # type: ignore[no-untyped-call]
    return slim(out.getvalue(), alt=alt, prefix=prefix)


def draw_png(analysis: Analysis, picture: str, *, dpi: int = 96) -> bytes:
    """Draw a picture as PNG on white, for mail programs, which know no SVG; a palette makes it a third as large."""
    drawn, out = BytesIO(), BytesIO()
    with mpl.rc_context(STYLE):
        _drawn(analysis, picture).savefig(drawn, format="png", dpi=dpi, facecolor="white")
    few = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(out, format="png", optimize=True)
    return out.getvalue()


def draw(analysis: Analysis, picture: str, ax: Axes) -> Axes:
    """Draw the plot that a picture's id stands for; ids of single schedules end in theirs."""
    kind, _, schedule_id = picture.partition("-")
    if schedule_id:
        return _OF_ONE[kind](analysis, schedule_id, ax)
    return _OF_ALL[picture](analysis, ax)


def _drawn(analysis: Analysis, picture: str) -> Figure:
    figure = draw(analysis, picture, plot.bare_ax()).figure
    assert isinstance(figure, Figure)
    return figure


def _timeline(analysis: Analysis, ax: Axes) -> Axes:
    return plot.ticks(analysis.ticks, schedules=analysis.schedules, tz=analysis.period.tz, max_rows=MAX_ROWS, ax=ax)


def _incidents(analysis: Analysis, ax: Axes) -> Axes:
    table, tz = analysis.incidents, analysis.period.tz
    return plot.incidents(table, schedules=analysis.schedules, tz=tz, until=analysis.data_end, max_rows=MAX_ROWS, ax=ax)


def _clusters(analysis: Analysis, ax: Axes) -> Axes:
    table = analysis.clusters[analysis.clusters["n"] > 0]
    return plot.clusters(table, trend=_trend(analysis), tz=analysis.period.tz, max_rows=MAX_CLUSTERS, ax=ax)


def _causes(analysis: Analysis, ax: Axes) -> Axes:
    return plot.causes(analysis.clusters[analysis.clusters["n"] > 0], ax=ax)


def _lateness(analysis: Analysis, ax: Axes) -> Axes:
    return plot.cadence(analysis.cadence, schedules=analysis.schedules, max_rows=15, ax=ax)


def _calendar(analysis: Analysis, ax: Axes) -> Axes:
    return plot.calendar(analysis.daily, tz=analysis.period.tz, ax=ax)


def _hours(analysis: Analysis, ax: Axes) -> Axes:
    return plot.hour_weekday(analysis.clock, tz=analysis.period.tz, ax=ax)


def _days(analysis: Analysis, ax: Axes) -> Axes:
    return plot.error_rate(analysis.daily, tz=analysis.period.tz, ax=ax)


def _budget(analysis: Analysis, ax: Axes) -> Axes:
    return plot.burn_down(
        BurnDown.empty() if analysis.burn_down is None else analysis.burn_down, tz=analysis.period.tz, ax=ax
    )


def _runs(analysis: Analysis, ax: Axes) -> Axes:
    return plot.funnel(Funnel.empty() if analysis.funnel is None else analysis.funnel, ax=ax)


def _ticks_of_one(analysis: Analysis, schedule_id: str, ax: Axes) -> Axes:
    mine = _of(analysis.ticks, schedule_id)
    return plot.ticks(mine, schedules=analysis.schedules, tz=analysis.period.tz, ax=ax)


def _delay_of_one(analysis: Analysis, schedule_id: str, ax: Axes) -> Axes:
    tables = (_of(table, schedule_id) for table in (analysis.ticks, analysis.cadence))
    ticks, cadence = tables
    return plot.delay(ticks, cadence=cadence, tz=analysis.period.tz, ax=ax)


def _trend(analysis: Analysis) -> pd.DataFrame | None:
    """Count failures by cluster and local day (or week, where the days are many); windows without any are there."""
    table, tz = analysis.trend, analysis.period.tz
    if table.empty:
        return None
    span = table["window_start"].max() - table["window_start"].min()
    freq = "D" if span <= LONGEST_BY_DAY else "W"
    own = window_starts(pd.DatetimeIndex(table["window_start"]), freq, tz)
    every = window_range(own.min(), own.max(), freq, tz)
    full = pd.MultiIndex.from_product(
        [sorted(table["cluster_id"].unique()), every], names=["cluster_id", "window_start"]
    )
    counts = table.groupby(["cluster_id", own])["n"].sum().rename_axis(full.names)
    return counts.reindex(full, fill_value=0).rename("n").reset_index()


def _of(table: pd.DataFrame, schedule_id: str) -> pd.DataFrame:
    return table[(table["schedule_id"] == schedule_id).to_numpy()]


_OF_ALL: dict[str, Callable[[Analysis, Axes], Axes]] = {
    "timeline": _timeline,
    "incidents": _incidents,
    "clusters": _clusters,
    "causes": _causes,
    "lateness": _lateness,
    "calendar": _calendar,
    "hours": _hours,
    "days": _days,
    "budget": _budget,
    "runs": _runs,
}
_OF_ONE: dict[str, Callable[[Analysis, str, Axes], Axes]] = {"ticks": _ticks_of_one, "delay": _delay_of_one}
