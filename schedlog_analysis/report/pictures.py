"""
A picture is a plot that the document asks for by its id: SVG for pages, PNG for mail.

Its words and numbers are facts; of the analysis it takes only where single ticks, invocations and incidents stand.
"""

from __future__ import annotations

import re
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
from schedlog_analysis.report.document import Picture
from schedlog_analysis.report.svg import slim
from schedlog_analysis.report.values import Facts
from schedlog_analysis.schema import BurnDown, ErrorRates, FailureClusters, Funnel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 25  # schedules in one picture
MAX_LATE = 15
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
_COUNT = re.compile(r": [\d,]+$")  # behind a word of a key


def draw_svg(facts: Facts, analysis: Analysis, picture: Picture, prefix: str) -> str:
    """
    Draw a picture as SVG that is small, the same every time, and restyled by the page around it.

    Parameters
    ----------
    facts
        Its words and numbers.
    analysis
        Where single ticks stand.
    picture
        Which one, and what it shows in words.
    prefix
        Begins the ids inside, so that several pictures can stand in one page.
    """
    out = StringIO()
    with mpl.rc_context(STYLE):
        # Not `savefig`, which lays the figure out by drawing it once more.
        canvas = FigureCanvasSVG(_draw_alone(facts, analysis, picture.id))
        canvas.print_svg(out, metadata=NO_METADATA)  # type: ignore[no-untyped-call]
    return slim(out.getvalue(), alt=picture.alt, prefix=prefix)


def draw_png(facts: Facts, analysis: Analysis, picture_id: str, *, dpi: int = 96) -> bytes:
    """Draw a picture as PNG on white, for mail programs, which know no SVG; a palette makes it a third as large."""
    drawn, out = BytesIO(), BytesIO()
    with mpl.rc_context(STYLE):
        _draw_alone(facts, analysis, picture_id).savefig(drawn, format="png", dpi=dpi, facecolor="white")
    few = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(out, format="png", optimize=True)
    return out.getvalue()


def draw(facts: Facts, analysis: Analysis, picture_id: str, ax: Axes) -> Axes:
    """Draw the plot that a picture's id stands for; ids of single schedules end in theirs."""
    kind, _, schedule_id = picture_id.partition("-")
    drawn = _OF_ONE[kind](facts, analysis, schedule_id, ax) if schedule_id else _OF_ALL[kind](facts, analysis, ax)
    legend = drawn.get_legend()
    for text in legend.get_texts() if legend else []:
        text.set_text(_COUNT.sub("", text.get_text()))  # the tables have the numbers, as facts
    return drawn


def _draw_alone(facts: Facts, analysis: Analysis, picture_id: str) -> Figure:
    figure = draw(facts, analysis, picture_id, plot.bare_ax()).figure
    assert isinstance(figure, Figure)
    return figure


def _labels(facts: Facts) -> pd.DataFrame:
    """What schedules are called in pictures."""
    rows = facts["schedules"]
    names = {key: [row[source] for row in rows] for key, source in (("schedule_id", "schedule_id"), ("name", "label"))}
    return pd.DataFrame(names, dtype="str")


def _draw_timeline(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    return plot.ticks(analysis.ticks, schedules=_labels(facts), tz=analysis.period.tz, max_rows=MAX_ROWS, ax=ax)


def _draw_incidents(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    causes = {row["incident_id"]: row["cause"] for row in facts["incidents"]}
    table = analysis.incidents.assign(cause=analysis.incidents["incident_id"].map(causes).astype("str"))
    end, tz = analysis.data_end, analysis.period.tz
    return plot.incidents(table, schedules=_labels(facts), tz=tz, until=end, max_rows=MAX_ROWS, ax=ax)


def _cluster_table(facts: Facts) -> pd.DataFrame:
    return FailureClusters.cast(_frame([row for row in facts["clusters"] if row["n"]], FailureClusters.names()))


def _draw_clusters(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    tz = analysis.period.tz
    return plot.clusters(_cluster_table(facts), trend=_trend(analysis), tz=tz, max_rows=MAX_CLUSTERS, ax=ax)


def _draw_causes(facts: Facts, _: Analysis, ax: Axes) -> Axes:
    return plot.causes(_cluster_table(facts), ax=ax)


def _draw_lateness(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    return plot.cadence(analysis.cadence, schedules=_labels(facts), max_rows=MAX_LATE, ax=ax)


def _rates(rows: list[Facts], keys: list[str]) -> pd.DataFrame:
    """Error rates as the facts have them."""
    table = _frame(rows, [*keys, "n", "error_rate", "low", "high"]).assign(n_failed=[row["n_down"] for row in rows])
    starts = pd.Series([row.get("starts_at") for row in rows], dtype="str")
    return pd.concat([table[keys], ErrorRates.cast(table.assign(window_start=starts))], axis=1)


def _draw_calendar(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    return plot.calendar(_rates(facts["days"], []), tz=analysis.period.tz, ax=ax)


def _draw_hours(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    return plot.hour_weekday(_rates(facts["hours"], ["weekday", "hour"]), tz=analysis.period.tz, ax=ax)


def _draw_days(facts: Facts, analysis: Analysis, ax: Axes) -> Axes:
    return plot.error_rate(_rates(facts["days"], []), tz=analysis.period.tz, ax=ax)


def _draw_budget(_: Facts, analysis: Analysis, ax: Axes) -> Axes:
    table = BurnDown.empty() if analysis.burn_down is None else analysis.burn_down
    return plot.burn_down(table, tz=analysis.period.tz, ax=ax)


def _draw_runs(facts: Facts, _: Analysis, ax: Axes) -> Axes:
    stages = [{"stage": stage["id"]} | stage for stage in (facts["runs"] or {"stages": []})["stages"]]
    return plot.funnel(Funnel.cast(_frame(stages, Funnel.names())), ax=ax)


def _draw_ticks(facts: Facts, analysis: Analysis, schedule_id: str, ax: Axes) -> Axes:
    table = _of_schedule(analysis.ticks, schedule_id)
    return plot.ticks(table, schedules=_labels(facts), tz=analysis.period.tz, ax=ax)


def _draw_delay(_: Facts, analysis: Analysis, schedule_id: str, ax: Axes) -> Axes:
    ticks, cadence = (_of_schedule(table, schedule_id) for table in (analysis.ticks, analysis.cadence))
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


def _frame(rows: list[Facts], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({column: [row[column] for row in rows] for column in columns})


def _of_schedule(table: pd.DataFrame, schedule_id: str) -> pd.DataFrame:
    return table[(table["schedule_id"] == schedule_id).to_numpy()]


_OF_ALL: dict[str, Callable[[Facts, Analysis, Axes], Axes]] = {
    "timeline": _draw_timeline,
    "incidents": _draw_incidents,
    "clusters": _draw_clusters,
    "causes": _draw_causes,
    "lateness": _draw_lateness,
    "calendar": _draw_calendar,
    "hours": _draw_hours,
    "days": _draw_days,
    "budget": _draw_budget,
    "runs": _draw_runs,
}
_OF_ONE: dict[str, Callable[[Facts, Analysis, str, Axes], Axes]] = {"ticks": _draw_ticks, "delay": _draw_delay}
