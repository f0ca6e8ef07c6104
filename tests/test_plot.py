"""Plots are tested by their artists: what stands where, in which words, for data whose picture is known."""

from __future__ import annotations

import io
import itertools
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from schedlog_analysis import plot
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.plot import _style
from schedlog_analysis.schema import (
    BurnDown,
    Cadence,
    ErrorRates,
    FailureClusters,
    Funnel,
    Incidents,
    Intervals,
    Schedules,
    Ticks,
)

EMPTY = {
    "burn_down": BurnDown.empty(),
    "cadence": Cadence.empty(),
    "calendar": ErrorRates.empty(),
    "causes": FailureClusters.empty(),
    "clusters": FailureClusters.empty(),
    "delay": Ticks.empty(),
    "error_rate": ErrorRates.empty(),
    "fleet": Cadence.empty(),
    "funnel": Funnel.empty(),
    "hour_weekday": ErrorRates.empty().assign(weekday=[], hour=[]),
    "incidents": Incidents.empty(),
    "intervals": Intervals.empty(),
    "ticks": Ticks.empty(),
}
FUNNEL = pd.DataFrame(
    {
        "stage": ["planned", "started"],
        "n": [50, 48],
        "share": [1, 0.96],
        "low": [None, 0.87],
        "high": [None, 0.99],
        "n_known": 50,
        "n_unknown": 0,
        "text": "",
    }
)
T0, T1 = pd.Timestamp("2026-10-01", tz="UTC"), pd.Timestamp("2026-10-02", tz="UTC")


def at(text):
    return float(date2num(pd.Timestamp(text, tz="UTC").tz_localize(None).to_datetime64()))


def make_ticks(planned, *, schedule_id="a", status="on_time", outcome="ok", delay="2s"):
    frame = pd.DataFrame({"planned_at": pd.to_datetime(planned, utc=True), "schedule_id": schedule_id})
    frame["status"], frame["outcome"], frame["is_ambiguous"] = status, outcome, False
    answered = frame["status"].isin(("on_time", "late"))
    frame["delay"] = pd.to_timedelta(delay).as_unit("ms") if isinstance(delay, str) else delay
    frame["delay"] = frame["delay"].where(answered)
    frame["invoked_at"] = frame["planned_at"] + frame["delay"]
    frame["outcome"] = frame["outcome"].where(answered)
    return Ticks.cast(frame)


def make_schedules(titles):
    frame = pd.DataFrame({"schedule_id": list(titles), "title": list(titles.values())})
    return Schedules.cast(
        frame.assign(
            name="name", cron="@daily", timezone="UTC", is_enabled=True, is_exclusive=False, created_at=T0,
            modified_at=T0, next_run_at=T0, last_run_at=T0, n_actions=1,
        )
    )  # fmt: skip


def make_rates(starts, n, n_failed, **keys):
    frame = pd.DataFrame(
        {**keys, "window_start": pd.Series(pd.to_datetime(starts, utc=True, format="ISO8601")), "n": n}
    )
    frame["n_failed"] = n_failed
    with np.errstate(invalid="ignore"):
        rate = frame["n_failed"] / frame["n"].where(frame["n"].gt(0))
    return frame.assign(error_rate=rate, low=(rate - 0.1).clip(0, 1), high=(rate + 0.1).clip(0, 1))


def make_cadence(**columns):
    frame = pd.DataFrame({"schedule_id": columns.pop("schedule_id", ["a"])})
    for name, dtype in Cadence.empty().dtypes.items():
        if name != "schedule_id":
            default = {"int64": 0, "float64": np.nan, "timedelta64[ms]": np.timedelta64("NaT", "ms")}.get(str(dtype))
            frame[name] = columns.get(name, "none" if name == "cron_source" else default)
            frame[name] = frame[name].astype(dtype)
    return Cadence.cast(frame)


def make_clusters(rows):
    """Build clusters from (cluster_id, cause, template, n, first, last)."""
    frame = pd.DataFrame(rows, columns=["cluster_id", "cause", "template", "n", "first_seen", "last_seen"])
    frame["first_seen"], frame["last_seen"] = (pd.to_datetime(frame[c], utc=True) for c in ("first_seen", "last_seen"))
    return FailureClusters.cast(frame.assign(share=frame["n"] / frame["n"].sum(), n_schedules=1, example=""))


def make_incidents(rows):
    """Build incidents from (schedule_id, started, ended, n_failed, n_missed, cause)."""
    frame = pd.DataFrame(rows, columns=["schedule_id", "started_at", "ended_at", "n_failed", "n_missed", "cause"])
    frame["started_at"], frame["ended_at"] = (pd.to_datetime(frame[c], utc=True) for c in ("started_at", "ended_at"))
    frame["duration"] = (frame["ended_at"] - frame["started_at"]).astype("timedelta64[ms]")
    frame["incident_id"], frame["n_ticks"] = frame.index.astype("str"), frame["n_failed"] + frame["n_missed"]
    return Incidents.cast(frame.assign(cluster_id="c", problem_id="p", example="", is_flapping=False))


def many_ticks(n):
    """Build n ticks of 20 schedules over a year, every status and outcome among them."""
    rng = np.random.default_rng(0)
    planned = T0 + pd.to_timedelta(np.sort(rng.integers(0, 365 * 86400, n)), unit="s")
    return make_ticks(
        planned.astype("datetime64[ms, UTC]"),
        schedule_id=pd.Series(rng.integers(0, 20, n)).astype("str"),
        status=rng.choice(["on_time", "late", "missed", "unknown"], n, p=[0.9, 0.05, 0.04, 0.01]),
        outcome=rng.choice(["ok", "failed", "partial", "skipped"], n, p=[0.9, 0.05, 0.04, 0.01]),
        delay=pd.Series(pd.to_timedelta(rng.lognormal(8, 1, n).astype("int64"), unit="ms")).dt.as_unit("ms"),
    )


def artist_of(ax, gid):
    (artist,) = [artist for artist in ax.get_children() if artist.get_gid() == gid]
    return artist


def boxes_of(ax, gid):
    """Bounds of the boxes of that name: left, top, right, bottom in data coordinates."""
    corners = artist_of(ax, gid).get_path().vertices.reshape(-1, 5, 2)[:, :4]
    return np.column_stack([corners.min(axis=1), corners.max(axis=1)])


def strokes_of(ax, gid):
    """Positions of the strokes of that name: x and the middle of y."""
    return artist_of(ax, gid).get_path().vertices.reshape(-1, 2, 2).mean(axis=1)


def points_of(ax, gid):
    """Positions of the markers of that name: x and y."""
    return np.column_stack(artist_of(ax, gid).get_data())


def labelled(ax, start):
    """Return the line whose entry in the key starts with these words."""
    (line,) = [line for line in ax.lines if str(line.get_label()).startswith(start)]
    return line


def rows_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def key_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def svg(ax):
    out = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "x", "text.color": plot.INK}):
        ax.figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue().decode()


# What holds for all of them.


@pytest.mark.parametrize("name", sorted(EMPTY))
def test_empty(name):
    """Without rows a plot says so in words, in the axes that it was given and returns."""
    ax = Figure().subplots()
    assert getattr(plot, name)(EMPTY[name], ax=ax) is ax
    (sentence,) = texts_of(ax)
    assert re.match(r"(no|nothing) \w+", sentence)
    assert len(ax.get_xticks()) == 0
    svg(ax)


def test_every_plot_is_tried_empty():
    """The list of empty tables knows every plot there is."""
    plots = {name for name in plot.__all__ if not name.isupper()} - {"bare_ax"}
    assert plots == set(EMPTY)


def test_script_has_nothing_to_close(run_python):
    """In a script, plots neither import pyplot nor change an rcParam."""
    code = """
import io, sys, matplotlib as mpl
settings = [name for name in mpl.rcParams if name != "backend"]  # reading the backend imports pyplot
before = [mpl.rcParams[name] for name in settings]
from schedlog_analysis import plot
from schedlog_analysis.schema import Ticks
plot.ticks(Ticks.empty()).figure.savefig(io.BytesIO())
print([mpl.rcParams[name] for name in settings] == before, "matplotlib.pyplot" in sys.modules)
"""
    assert run_python(code) == "True False"


@pytest.mark.parametrize(
    "start",
    [
        "from matplotlib import pyplot",
        "from IPython.core.interactiveshell import InteractiveShell; InteractiveShell.instance()",
    ],
)
def test_interactive_figures_appear(start, run_python):
    """With pyplot imported, or in IPython, pyplot knows the figure and can show it; but not one that was given."""
    code = f"""
import matplotlib
matplotlib.use("agg")
{start}
from schedlog_analysis import plot
from schedlog_analysis.schema import Ticks
ax = plot.ticks(Ticks.empty())
plot.ticks(Ticks.empty(), ax=plot.bare_ax())
from matplotlib import pyplot
print(pyplot.get_fignums(), pyplot.gcf() is ax.figure)
"""
    assert run_python(code) == "[1] True"


def test_only_own_figures_are_resized():
    """A figure of ours grows with its rows; a caller's keeps its size."""
    table = make_cadence(schedule_id=list("abcdefghijklmnopqrstuvwxyz"), n_planned=1, n_observed=1)
    ax = Figure(figsize=(3, 3)).subplots()
    assert plot.fleet(table, ax=ax).figure.get_size_inches().tolist() == [3, 3]
    small, large = (plot.fleet(each, ax=plot.bare_ax()).figure.get_size_inches()[1] for each in (table.head(2), table))
    assert small < 2
    assert large > 6


@pytest.mark.parametrize("name", ["burn_down", "calendar", "clusters", "delay", "error_rate", "hour_weekday", "ticks"])
def test_unknown_zone(name):
    """A zone that does not exist is told, even without rows."""
    with pytest.raises(InputError, match=r"'Mars'.*Europe/Prague"):
        getattr(plot, name)(EMPTY[name], tz="Mars", ax=plot.bare_ax())


@pytest.mark.parametrize("name", sorted(EMPTY))
def test_missing_column(name):
    """A table without its columns is an error that names one."""
    with pytest.raises(SchemaError, match="expected"):
        getattr(plot, name)(pd.DataFrame({"nonsense": [1]}), ax=plot.bare_ax())


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
@example("$\\frac{1}$ $$ x^2_3")
@example("\U0001f680 \u65e5\u672c\u8a9e")
@example("\u062a\u0642\u0631\u064a\u0631 \u05d9\u05d5\u05de")
@example("a\x00b\x1b[31m\n\tc")
def test_any_name_can_be_drawn(title):
    """Whatever users call their schedules is drawn without a warning, with a box for what the font lacks."""
    ax = plot.ticks(make_ticks(["2026-10-01"]), schedules=make_schedules({"a": title}), ax=plot.bare_ax())
    svg(ax)
    assert 0 < len(rows_of(ax)[0]) <= _style.MAX_LABEL


def test_dollars_are_no_mathematics():
    """A name with dollars appears to the letter, in labels and in texts."""
    cluster = make_clusters([("c", "$a$", "costs $x^2$ of $<*>", 1, "2026-10-01", "2026-10-01")])
    assert "costs $x^2$ of $&lt;*&gt;" in svg(plot.clusters(cluster, ax=plot.bare_ax()))
    table = make_ticks(["2026-10-01"])
    assert "$a$ b" in svg(plot.ticks(table, schedules=make_schedules({"a": "$a$ b"}), ax=plot.bare_ax()))


def test_title_then_name_then_id():
    """A row is labelled by title, else by name, else by id; the title is skipped where the font has no letter of it."""
    schedules = make_schedules({"a": "Alpha", "b": "", "c": "\u65e5\u672c"})
    assert _style.schedule_labels(["a", "b", "c", "d"], schedules) == ["Alpha", "name (b)", "name (c)", "d"]


def contrast(one, other):
    def luminance(colour):
        part = np.array(mpl.colors.to_rgb(colour))
        return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


HUES = [plot.BLUE, plot.AMBER, plot.RED, plot.PURPLE, plot.GREEN, plot.GREY]
# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(colour, sight):
    part = np.array(mpl.colors.to_rgb(colour))
    seen = np.clip(np.array(sight) @ np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHTS)
def test_hues_stay_apart(sight):
    """Any two hues differ by at least 20 (CIE76) to normal and to colour-blind eyes."""
    seen = [lab(hue, SIGHTS[sight]) for hue in HUES]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= 20


def test_contrast():
    """Hues stand out 3:1 on white and on dark, numbers 4.5:1 on their tiles, ink 7:1 on white."""
    assert all(contrast(hue, ground) >= 3 for hue in HUES for ground in ("white", "#1b1b1f"))
    assert all(contrast(plot.ON_TILE, tile) >= 4.5 for tile in plot.TILES)
    assert contrast(plot.INK, "white") >= 7


@pytest.mark.parametrize("group", [("on_time", "late", "missed", "unknown", "duplicate", "extra", "manual"),
                                   ("ok", "partial", "failed", "skipped")])  # fmt: skip
def test_never_colour_alone(group):
    """Two marks of one picture differ in shape or filling, as points and as boxes."""
    marks = [_style.MARKS[name] for name in group]
    assert len({(mark.marker, mark.filled) for mark in marks}) == len(marks)
    assert len({(mark.height, mark.filled, mark.hatch) for mark in marks}) == len(marks)


def test_few_colours_in_svg():
    """An SVG holds the declared colours and no other, so that a report can swap them all."""
    known = {*HUES, *plot.TILES, plot.ON_TILE, plot.INK, "#ffffff"}
    rates = make_rates(pd.date_range("2026-10-01", periods=20, tz="UTC"), 10, [0, 1] * 10)
    incidents = make_incidents([("a", "2026-10-01", None, 1, 1, "input"), ("b", "2026-10-01", "2026-10-02", 1, 0, "x")])
    clusters = make_clusters(CLUSTERS)
    with mpl.rc_context({"text.color": plot.INK}):
        pictures = [
            plot.ticks(many_ticks(3000), ax=plot.bare_ax()),
            plot.ticks(many_ticks(300), ax=plot.bare_ax()),
            plot.delay(many_ticks(3000), ax=plot.bare_ax()),
            plot.calendar(rates, ax=plot.bare_ax()),
            plot.error_rate(rates, ax=plot.bare_ax()),
            plot.error_rate(rates.head(5), ax=plot.bare_ax()),
            plot.incidents(incidents, ax=plot.bare_ax()),
            plot.clusters(clusters, ax=plot.bare_ax()),
            plot.causes(clusters, ax=plot.bare_ax()),
            plot.ticks(Ticks.empty(), ax=plot.bare_ax()),
            plot.funnel(FUNNEL, ax=plot.bare_ax()),
            plot.fleet(make_cadence(n_planned=1, n_missed=1), ax=plot.bare_ax()),
            plot.cadence(make_cadence(**dict.fromkeys(("delay_median", "delay_p95", "delay_max"), T1 - T0))),
        ]
    for ax in pictures:
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg(ax))) <= known


@pytest.mark.parametrize("n", [1, 100_000])
def test_size_of_svg(n):
    """One tick or 100,000: the picture is some ten artists and its SVG is small."""
    table = many_ticks(n)
    for draw in (plot.ticks, plot.delay):
        ax = draw(table.assign(status="on_time").pipe(Ticks.cast) if n == 1 else table, ax=plot.bare_ax())
        assert len(ax.lines) + len(ax.patches) + len(ax.collections) + len(ax.artists) < 25
        assert len(svg(ax)) < 250_000


def test_order_does_not_matter():
    """Shuffled rows make the same picture, byte for byte."""
    table = many_ticks(2000)
    for chosen in (table, table.head(500)):
        shuffled = chosen.sample(frac=1, random_state=1)
        assert svg(plot.ticks(chosen, ax=plot.bare_ax())) == svg(plot.ticks(shuffled, ax=plot.bare_ax()))


# What each of them draws.


def test_ticks_marks():
    """A mark per tick: statuses on the upper line of the row, bad outcomes on the lower, the key counts them."""
    table = make_ticks(
        ["2026-10-01 00:00", "2026-10-01 01:00", "2026-10-01 02:00", "2026-10-01 03:00"],
        status=["on_time", "late", "missed", "on_time"],
        outcome=["ok", "failed", None, "ok"],
    )
    ax = plot.ticks(table, ax=plot.bare_ax())
    assert strokes_of(ax, "on_time")[:, 0].tolist() == [at("2026-10-01 00:00"), at("2026-10-01 03:00")]
    assert points_of(ax, "late")[:, 0].tolist() == [at("2026-10-01 01:00")]
    assert points_of(ax, "missed")[0, 1] < 0 < points_of(ax, "failed")[0, 1]
    assert key_of(ax) == ["on time: 2", "late: 1", "missed: 1", "failed: 1"]
    assert ax.get_xlabel() == "time (UTC)"


def test_ticks_without_plan():
    """Extra and manual invocations stand where they were invoked."""
    table = make_ticks(["2026-10-01", "2026-10-02"]).assign(
        status=pd.Categorical(["extra", "manual"], ["extra", "manual"])
    )
    table["invoked_at"], table["planned_at"] = table["planned_at"], pd.Series(pd.NaT, [0, 1], "datetime64[ms, UTC]")
    ax = plot.ticks(table, ax=plot.bare_ax())
    assert points_of(ax, "extra")[0, 0] == at("2026-10-01")
    assert points_of(ax, "manual")[0, 0] == at("2026-10-02")


def test_ticks_worst_first_and_capped():
    """The schedule with most bad ticks stands on top; those beyond the limit are counted."""
    good, bad = (
        make_ticks(["2026-10-01"], schedule_id="good"),
        make_ticks(["2026-10-01"], schedule_id="bad", status="missed"),
    )
    fine = make_ticks(["2026-10-01"], schedule_id="fine")
    ax = plot.ticks(pd.concat([good, bad, fine]), max_rows=2, ax=plot.bare_ax())
    assert rows_of(ax) == ["bad", "fine", "… and 1 more"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


@pytest.mark.parametrize(("tz", "n_days"), [("UTC", 1), ("Europe/Prague", 2)])
def test_ticks_cells_are_local_days(tz, n_days):
    """Aggregated, a tick late in the evening of UTC belongs to the next day of Prague; each cell shows the worst."""
    minutes = pd.date_range("2026-07-01 20:00", periods=2000, freq="6s", tz="UTC")
    status = np.where(np.arange(2000) == 1500, "missed", "on_time")
    ax = plot.ticks(make_ticks(minutes, status=status), tz=tz, ax=plot.bare_ax())
    (missed,) = boxes_of(ax, "missed")
    midnight = pd.Timestamp("2026-07-02" if n_days == 2 else "2026-07-01", tz=tz).tz_convert("UTC").tz_localize(None)
    assert missed[0] == date2num(midnight.to_datetime64())
    assert missed[2] - missed[0] == 1
    gids = [child.get_gid() for child in ax.get_children()]
    assert gids.count("on_time") == n_days - 1
    assert key_of(ax) == ["on time: 1,999", "missed: 1"]
    assert "worst start" in ax.get_xlabel()


def test_ticks_cells_follow_dst():
    """The day on which the clocks go back is a cell of 25 hours; neighbouring cells are one box."""
    minutes = pd.date_range("2026-10-24 22:00", "2026-10-26 22:00", freq="1min", tz="UTC")
    ax = plot.ticks(make_ticks(minutes), tz="Europe/Prague", ax=plot.bare_ax())
    (box,) = boxes_of(ax, "on_time")
    assert (box[2] - box[0]) * 24 == pytest.approx(25 + 24)


def test_ticks_cells_become_weeks():
    """Over more days than can be told apart, a cell is a week from Monday."""
    ax = plot.ticks(many_ticks(3000), ax=plot.bare_ax())
    edges = boxes_of(ax, "missed")
    assert "each cell is a week" in ax.get_xlabel()
    assert {pd.Timestamp(edge, unit="D").day_name() for edge in edges[:, 0]} == {"Monday"}


def test_ticks_counts_are_conserved():
    """Statuses in the key add up to the ticks, aggregated or not."""
    for n in (1000, 5000):
        ax = plot.ticks(many_ticks(n), ax=plot.bare_ax())
        counts = {word: int(count.replace(",", "")) for word, count in (text.split(": ") for text in key_of(ax))}
        assert sum(counts[word] for word in ("on time", "late", "missed", "unknown")) == n


def test_delay():
    """Points at planned moment and delay in seconds; lines at median and 95th percentile; missed ticks have none."""
    days = pd.date_range("2026-10-01", periods=5, tz="UTC")
    delays = pd.Series(pd.to_timedelta([1, 2, 3, 4, 5], unit="s")).dt.as_unit("ms")
    table = make_ticks(days, delay=delays, status=["on_time", "on_time", "on_time", "late", "missed"])
    ax = plot.delay(table, ax=plot.bare_ax())
    assert labelled(ax, "on time: 3").get_ydata().tolist() == [1, 2, 3]
    assert labelled(ax, "late: 1").get_xdata().tolist() == [at("2026-10-04")]
    assert labelled(ax, "median: 2.5 s").get_ydata() == [2.5, 2.5]
    assert labelled(ax, "95th percentile").get_ydata()[0] == pytest.approx(3.85)


def test_delay_drift():
    """The drift of the schedule's cadence is a line of that slope through the medians."""
    table = make_ticks(pd.date_range("2026-10-01", periods=11, tz="UTC"), delay="10s")
    slope = make_cadence(drift=2000.0, drift_low=1000.0, drift_high=3000.0)
    ax = plot.delay(table, cadence=slope, ax=plot.bare_ax())
    line = labelled(ax, "drift")
    assert np.ptp(line.get_ydata()) / np.ptp(line.get_xdata()) == pytest.approx(2)
    assert np.median(line.get_ydata()) == pytest.approx(10)
    other = make_cadence(schedule_id=["b"], drift=1.0)
    assert not [text for text in key_of(plot.delay(table, cadence=other, ax=plot.bare_ax())) if "drift" in text]


def test_delay_of_many():
    """Too many to draw, delays become a band with its median; its longest are the longest of the table."""
    table = many_ticks(10_000)
    ax = plot.delay(table, ax=plot.bare_ax())
    seconds = table.loc[table["status"].isin(["on_time", "late"]), "delay"].dt.total_seconds()
    assert labelled(ax, "longest of each").get_ydata().max() == seconds.max()
    assert labelled(ax, f"median of {len(seconds):,}").get_xdata().size <= 150


def test_intervals():
    """Each interval falls in a bar that holds it; the key tells how many, the median and the longest."""
    gaps = pd.to_timedelta([3600, 3600, 7200], unit="s")
    frame = pd.DataFrame({"schedule_id": ["a", "a", "b"], "invoked_at": T0, "interval": gaps})
    ax = plot.intervals(Intervals.cast(frame), ax=plot.bare_ax())
    (bars,) = [patch for patch in ax.patches if patch.get_label() == "intervals: 3"]
    counts, edges, _ = bars.get_data()
    chosen = np.flatnonzero(counts)
    assert counts[chosen].tolist() == [2, 1]
    assert all(edges[i] <= gap <= edges[i + 1] for i, gap in zip(chosen, (3600, 7200), strict=True))
    assert key_of(ax)[1:] == ["median: 1 h", "longest: 2 h"]


def test_rare_intervals_are_seen():
    """One long interval among thousands of short ones turns both axes logarithmic, and they say so."""
    gaps = pd.to_timedelta([60] * 5000 + [86400], unit="s")
    frame = pd.DataFrame({"schedule_id": "a", "invoked_at": T0, "interval": gaps})
    ax = plot.intervals(Intervals.cast(frame), ax=plot.bare_ax())
    assert (ax.get_xscale(), ax.get_yscale()) == ("symlog", "log")
    assert "logarithmic" in ax.get_xlabel()
    assert "logarithmic" in ax.get_ylabel()
    assert ax.get_ylim()[0] < 1


def test_cadence():
    """A dot at the median, a cap at the 95th percentile, a cross at the longest; the unknown are counted."""
    table = make_cadence(
        schedule_id=["a", "b", "c"],
        delay_median=pd.to_timedelta([1, 2, None], unit="s"),
        delay_p95=pd.to_timedelta([3, 9, None], unit="s"),
        delay_max=pd.to_timedelta([5, 10, None], unit="s"),
    )
    ax = plot.cadence(table, ax=plot.bare_ax())
    assert rows_of(ax) == ["b", "a"]
    assert labelled(ax, "median").get_xdata().tolist() == [2, 1]
    assert labelled(ax, "95th").get_xdata().tolist() == [9, 3]
    assert labelled(ax, "longest").get_xdata().tolist() == [10, 5]
    assert "1 more without" in ax.get_xlabel()


def test_error_rate_gap():
    """A window in which nothing was due is a hatched gap in the line, not 0 %; every n is written above."""
    ax = plot.error_rate(
        make_rates(["2026-10-01", "2026-10-02", "2026-10-03"], [10, 0, 20], [1, 0, 4]), ax=plot.bare_ax()
    )
    rate = labelled(ax, "all").get_ydata()
    assert np.isnan(rate[1])
    assert rate[[0, 2]].tolist() == [0.1, 0.2]
    assert [tick.get_text() for tick in ax.child_axes[0].get_xticklabels()] == ["n = 10", "0", "20"]
    (low, high) = ax.collections[0].get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((0.0, 0.2))
    assert key_of(ax) == ["all\n5 of 30", "nothing was due"]


def test_error_rate_many_windows():
    """Of many windows, n is a range below the axis and the intervals are a band."""
    ax = plot.error_rate(
        make_rates(pd.date_range("2026-01-01", periods=60, tz="UTC"), range(1, 61), 0), ax=plot.bare_ax()
    )
    assert "n per window: 1 to 60" in ax.get_xlabel()
    assert not ax.child_axes


def test_error_rate_of_groups_over_time():
    """Of seven groups, the five with the most failures are drawn, each with a marker and dashes of its own."""
    groups = [make_rates(["2026-10-01", "2026-10-02"], 10, i, schedule_id=[f"s{i}"] * 2) for i in range(7)]
    ax = plot.error_rate(pd.concat(groups), ax=plot.bare_ax())
    assert [text.split("\n")[0] for text in key_of(ax)] == ["s6", "s5", "s4", "s3", "s2", "… and 2 more"]
    assert len({line.get_marker() for line in ax.lines}) == len({line.get_color() for line in ax.lines}) == 5


def test_error_rate_without_windows():
    """Without windows there is a row per group, the worst first; a group in which nothing was due says so."""
    table = make_rates([None] * 3, [10, 20, 0], [1, 10, 0], schedule_id=["a", "b", "c"])
    ax = plot.error_rate(table, schedules=make_schedules({"b": "Bees"}), ax=plot.bare_ax())
    assert rows_of(ax) == ["Bees", "a", "c"]
    assert ax.lines[0].get_xdata()[:2].tolist() == [0.5, 0.1]
    assert texts_of(ax) == ["10 of 20", "1 of 10", "nothing was due"]


@pytest.mark.parametrize(("tz", "column", "row"), [("UTC", 0, 2), ("Europe/Prague", 0, 3)])
def test_calendar_is_local(tz, column, row):
    """A window that begins on Wednesday at 23:00 UTC is a tile of Thursday in Prague."""
    ax = plot.calendar(make_rates(["2026-10-28 23:00"], 10, 5), tz=tz, ax=plot.bare_ax())
    (box,) = boxes_of(ax, "tile_4")
    assert [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] == pytest.approx([column, row])
    assert texts_of(ax) == ["5/10"]
    assert rows_of(ax)[row] == {"UTC": "Wed", "Europe/Prague": "Thu"}[tz]


def test_calendar_adds_up_days():
    """Hours of one day are one tile; a day without failures is a small one; nothing due is none; weeks are columns."""
    starts = ["2026-10-05 01:00", "2026-10-05 02:00", "2026-10-06", "2026-10-07", "2026-10-12"]
    ax = plot.calendar(make_rates(starts, [50, 50, 9, 0, 10], [1, 1, 0, 0, 1]), ax=plot.bare_ax())
    assert key_of(ax) == ["none failed: 1", "1 to 5 % failed: 1", "5 to 20 % failed: 1"]
    assert texts_of(ax) == ["2/100", "1/10"]
    assert boxes_of(ax, "tile_3")[0, [0, 2]].mean() == pytest.approx(1)


def test_calendar_of_years():
    """Where numbers do not fit, a worse day is a taller tile; the oldest weeks are left out and counted."""
    days = pd.date_range("2023-01-02", periods=7 * 150, tz="UTC")
    ax = plot.calendar(make_rates(days, 100, np.tile([0, 1, 3, 10, 50, 0, 0], 150)), ax=plot.bare_ax())
    assert not ax.texts
    assert "the last 106 of 150" in ax.get_xlabel()
    heights = [np.ptp(boxes_of(ax, f"tile_{grade}")[0, [1, 3]]) for grade in range(5)]
    assert heights == sorted(heights)
    assert len(set(heights)) == 5


def test_hour_weekday():
    """Hour is the column and weekday the row; windows of one cell are added up."""
    table = make_rates(
        ["2026-10-01", "2026-10-08", "2026-10-01"], [2, 2, 4], [1, 0, 0], weekday=[6, 6, 0], hour=[3, 3, 23]
    )
    ax = plot.hour_weekday(table, tz="Asia/Tokyo", ax=plot.bare_ax())
    (failed,), (fine,) = boxes_of(ax, "tile_4"), boxes_of(ax, "tile_0")
    assert [failed[[0, 2]].mean(), failed[[1, 3]].mean()] == pytest.approx([3, 6])
    assert [fine[[0, 2]].mean(), fine[[1, 3]].mean()] == pytest.approx([23, 0])
    assert texts_of(ax) == ["1"]
    assert ax.get_xlabel() == "hour of the day (Asia/Tokyo)"


CLUSTERS = [
    ("c1", "input", "bad <*>", 3, "2026-10-01", "2026-10-03"),
    ("c2", "billing", "no money", 1, "2026-10-02", "2026-10-02"),
    ("c3", "input", "worse", 1, "2026-10-05", "2026-10-05"),
]


def test_clusters():
    """The most frequent template first, between its first and last failure; with counts and shares beside."""
    ax = plot.clusters(make_clusters(CLUSTERS), max_rows=2, ax=plot.bare_ax())
    assert rows_of(ax) == ["input", "billing", "… and 1 more"]
    assert texts_of(ax) == ["bad <*>", "3 = 60.0 %", "no money", "1 = 20.0 %"]
    first, second = ax.collections[0].get_segments()
    assert first[:, 0].tolist() == [at("2026-10-01"), at("2026-10-03")]
    assert np.ptp(second[:, 0]) == 0


def test_clusters_with_trend():
    """A bar per window with failures, as wide as the window, each row in its own scale; none without."""
    days = pd.to_datetime(["2026-10-01", "2026-10-02", "2026-10-03"] * 2, utc=True)
    trend = pd.DataFrame({"cluster_id": ["c1"] * 3 + ["c2"] * 3, "window_start": days, "n": [100, 0, 50, 0, 2, 0]})
    ax = plot.clusters(make_clusters(CLUSTERS), trend=trend, ax=plot.bare_ax())
    bars = boxes_of(ax, "failures")
    assert bars[:, 0].tolist() == [at("2026-10-01"), at("2026-10-03"), at("2026-10-02")]
    assert (bars[:, 2] - bars[:, 0]).tolist() == [1, 1, 1]
    heights = bars[:, 3] - bars[:, 1]
    assert heights[0] == pytest.approx(2 * heights[1]) == pytest.approx(heights[2])
    assert "per window" in ax.get_xlabel()
    plot.clusters(make_clusters(CLUSTERS), trend=trend.head(0), ax=plot.bare_ax())
    with pytest.raises(SchemaError, match="cluster_trend"):
        plot.clusters(make_clusters(CLUSTERS), trend=trend[["n"]], ax=plot.bare_ax())


def test_causes():
    """Clusters of one cause are one bar; the line adds the shares up to one."""
    ax = plot.causes(make_clusters(CLUSTERS), ax=plot.bare_ax())
    assert rows_of(ax) == ["input", "billing"]
    assert [bar.get_width() for bar in ax.patches] == [0.8, 0.2]
    assert ax.lines[0].get_xdata().tolist() == pytest.approx([0.8, 1.0])
    assert texts_of(ax) == ["4 = 80.0 %", "1 = 20.0 %, together 100 %"]
    assert ax.get_xlabel() == "share of 5 failures"


def test_incidents():
    """A bar from start to end; an open incident reaches the last instant known and bears an arrow."""
    table = make_incidents([
        ("a", "2026-10-01", "2026-10-03", 2, 0, "input"),
        ("b", "2026-10-02", None, 0, 9, None),
        ("c", "2026-10-04", "2026-10-05", 1, 1, "billing"),
    ])  # fmt: skip
    ax = plot.incidents(table, ax=plot.bare_ax())
    assert rows_of(ax) == ["b", "a", "c"]
    (failed,), (missed,) = boxes_of(ax, "failed"), boxes_of(ax, "missed")
    assert failed[[0, 2]].tolist() == [at("2026-10-01"), at("2026-10-03")]
    assert missed[[0, 2]].tolist() == [at("2026-10-02"), at("2026-10-05")]
    assert points_of(ax, "still_open")[:, 1].tolist() == [0]
    assert key_of(ax) == ["failed: 1", "missed: 1", "failed and missed: 1", "still open: 1"]
    assert texts_of(ax) == ["input"]


def test_open_incidents_reach_until():
    """Told until when the data go, an open incident reaches so far; an instant without a zone is refused."""
    table = make_incidents([("b", "2026-10-02", None, 0, 9, None)])
    ax = plot.incidents(table, until=pd.Timestamp("2026-10-09", tz="Asia/Tokyo"), ax=plot.bare_ax())
    assert boxes_of(ax, "missed")[0, 2] == at("2026-10-08 15:00")
    with pytest.raises(InputError, match="without a time zone"):
        plot.incidents(table, until=pd.Timestamp("2026-10-09"), ax=plot.bare_ax())


def test_burn_down():
    """A line through the budget left, told at its end; overspent is told and hatched."""
    days = pd.date_range("2026-10-01", periods=3, tz="UTC").as_unit("ms")
    budget = pd.DataFrame({"window_start": days, "n": 10, "n_failed": 1, "budget_left": [1, 0.5, -0.25]})
    ax = plot.burn_down(budget, ax=plot.bare_ax())
    assert ax.lines[0].get_ydata().tolist() == [1, 0.5, -0.25]
    assert texts_of(ax) == ["25.0 % overspent", "budget spent"]
    assert ax.collections[0].get_hatch()
    spared = plot.burn_down(budget.head(2), ax=plot.bare_ax())
    assert texts_of(spared)[0] == "50.0 % left"
    assert not spared.collections


def test_funnel():
    """A bar per stage, with whiskers where the share has an interval."""
    ax = plot.funnel(FUNNEL, ax=plot.bare_ax())
    assert rows_of(ax) == ["planned", "started"]
    assert [bar.get_width() for bar in ax.patches] == [1, 0.96]
    assert ax.collections[0].get_segments()[-1][:, 0].tolist() == [0.87, 0.99]
    assert texts_of(ax) == ["50", "48 = 96.0 % (87.0 % to 99.0 %)"]
    ends = FUNNEL.assign(stage=["planned", "succeeded"], n=[50, 12], n_known=[50, 20], n_unknown=[0, 28])
    ends = ends.assign(share=[1, 0.58])
    told = texts_of(plot.funnel(ends, ax=plot.bare_ax()))
    assert told == ["50", "12 of 20 known, 58.0 % (87.0 % to 99.0 %)"]
    assert ax.get_xlabel() == "share of planned"


def test_one_group_at_a_time():
    """A budget or funnel of several groups cannot be one line: an error says to choose."""
    with pytest.raises(InputError, match="choose one first"):
        plot.funnel(pd.concat([FUNNEL, FUNNEL]), ax=plot.bare_ax())
    budget = pd.DataFrame({"window_start": [T0, T0], "n": 1, "n_failed": 0, "budget_left": 1.0})
    with pytest.raises(InputError, match="choose one first"):
        plot.burn_down(budget, ax=plot.bare_ax())


def test_fleet():
    """Shares of each schedule add up to one; the worst first by missed and failed; numbers beside."""
    table = make_cadence(
        schedule_id=["fine", "fails", "misses", "new"],
        n_planned=[10, 10, 10, 0],
        n_observed=[10, 10, 4, 0],
        n_late=[0, 5, 0, 0],
        n_missed=[0, 0, 4, 0],
        n_unknown=[0, 0, 2, 0],
    )
    rates = make_rates([None, None], [10, 10], [9, 0], schedule_id=["fails", "fine"])
    ax = plot.fleet(table, rates=rates, max_rows=4, ax=plot.bare_ax())
    assert rows_of(ax) == ["fails", "misses", "fine", "new"]
    widths = {name: boxes_of(ax, name)[:, [0, 2]].tolist() for name in ("on_time", "late", "missed", "unknown")}
    assert widths["on_time"] == [[0, 0.5], [0, 0.4], [0, 1]]
    assert widths["late"] == [[0.5, 1]]
    assert widths["missed"] == [[0.4, 0.8]]
    assert widths["unknown"] == [[0.8, 1]]
    assert boxes_of(ax, "failed")[:, [0, 2]].tolist() == [[0, 0.9]]
    assert texts_of(ax)[0] == "0 of 10 missed, errors 9 of 10"
    assert texts_of(ax)[3] == "nothing was planned"
    with pytest.raises(SchemaError, match="by schedule"):
        plot.fleet(table, rates=make_rates([None], 1, 0), ax=plot.bare_ax())


# What the axes say.


def test_dates_name_their_year():
    """Days stand as such, with the year beneath the first and wherever it changes, in the zone asked for."""
    days = pd.date_range("2026-12-20 12:00", "2027-01-10", freq="1D", tz="UTC")
    ax = plot.ticks(make_ticks(days), ax=plot.bare_ax())
    ax.figure.canvas.draw()
    words = [label.get_text() for label in ax.get_xticklabels()]
    assert [word.split("\n")[-1] for word in words if "\n" in word] == ["2026", "2027"]
    assert all(re.match(r"\d+ (Dec|Jan)", word) for word in words)


@pytest.mark.parametrize(("tz", "first"), [("UTC", "1 Oct 2026"), ("Pacific/Auckland", "2 Oct 2026")])
def test_hours_name_their_day(tz, first):
    """Hours bear the day beneath the first of them, in the zone asked for."""
    hours = pd.date_range("2026-10-01 12:00", periods=6, freq="1h", tz="UTC")
    ax = plot.ticks(make_ticks(hours), tz=tz, ax=plot.bare_ax())
    ax.figure.canvas.draw()
    assert ax.get_xticklabels()[0].get_text().split("\n")[1] == first


def test_durations_far_apart():
    """A delay far beyond the others turns the axis logarithmic, and it says so; negative ones are kept."""
    seconds = pd.Series(pd.to_timedelta([-1, 1, 2, 3, 86400], unit="s")).dt.as_unit("ms")
    ax = plot.delay(make_ticks(pd.date_range("2026-10-01", periods=5, tz="UTC"), delay=seconds), ax=plot.bare_ax())
    ax.figure.canvas.draw()
    assert ax.get_yscale() == "symlog"
    assert "logarithmic" in ax.get_ylabel()
    assert {"0 s", "1 min", "1 h", "1 day"} <= {label.get_text() for label in ax.get_yticklabels()}
    assert ax.get_ylim()[0] < -1
