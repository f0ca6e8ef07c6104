"""A style is what all plots share: the colour, shape and word of each status and outcome, and the axes beneath."""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from schedlog_analysis._core.names import cut_name, name_schedules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.text import Text

# Six hues that stay apart (CIE76 difference of at least 20) with normal sight, protanopia, deuteranopia and tritanopia,
# each with a contrast of at least 3:1 on white and on #1b1b1f, as WCAG 2.2 asks of graphics. The usual palettes manage
# only one of the two. One hex code per meaning, in lower case as SVG has it, so that a report can swap them.
BLUE, AMBER, RED = "#1464e6", "#c98206", "#c0432c"
PURPLE, GREEN, GREY = "#c034aa", "#0ca562", "#78767a"

# Heat map tiles by share of failures, and the numbers upon them (at least 4.5:1 on each tile).
TILES = ("#fae1da", "#f2b8aa", "#e68d78", "#d9654c")
ON_TILE = "#1c1c1c"

# A good value for the rcParam `text.color` of reports: not pure black, which SVG leaves unwritten.
INK = "#1f2328"

WIDTH, HEIGHT = 8.0, 3.4  # [inch]
ROW = 0.25  # height of one row [inch]
MAX_ROWS = 40
MAX_MARKS = 1500  # above this many marks, plots aggregate: what overlaps tells nothing and fattens an SVG
MAX_LABEL = 30  # [characters]
_LETTER = 0.061  # mean width of a small letter [inch]

# Names and messages come from users: neither `$` nor TeX may mean anything in them.
PLAIN: MappingProxyType[str, Any] = MappingProxyType({"parse_math": False, "usetex": False})


class Mark(NamedTuple):
    """How one status or outcome is drawn; no two marks differ by colour alone."""

    word: str
    colour: str
    marker: str
    height: float
    """Height of its cell when ticks are aggregated, as a share of the row: the worse, the taller."""
    filled: bool = True
    hatch: str = ""

    def patch(self) -> dict[str, Any]:
        """Keywords of the patch that stands for it."""
        face = self.colour if self.filled else "none"
        return {"facecolor": face, "edgecolor": self.colour, "hatch": self.hatch, "linewidth": 0.6}

    def points(self) -> dict[str, Any]:
        """Keywords of the markers that stand for it."""
        face = self.colour if self.filled else "none"
        return {"marker": self.marker, "markerfacecolor": face, "markeredgecolor": self.colour, "linestyle": "none"}


MARKS = MappingProxyType(
    {
        "on_time": Mark("on time", BLUE, "|", 0.16),
        "late": Mark("late", AMBER, ">", 0.28, filled=False, hatch="//////"),
        "missed": Mark("missed", RED, "X", 0.46),
        "unknown": Mark("unknown", GREY, "o", 0.16, filled=False, hatch="------"),
        "duplicate": Mark("duplicate", GREEN, "P", 0.22, filled=False),
        "extra": Mark("extra", GREEN, "D", 0.22),
        "manual": Mark("manual", GREEN, "s", 0.22, filled=False, hatch="||||"),
        "ok": Mark("ok", BLUE, "|", 0.16),
        "partial": Mark("partly failed", PURPLE, "v", 0.16, filled=False, hatch="//////"),
        "failed": Mark("failed", PURPLE, "v", 0.28),
        "skipped": Mark("skipped", GREY, "_", 0.10),
    }
)


class _Sheet(Figure):
    """A figure that pyplot does not know and that grows with the rows drawn on it."""


def bare_ax() -> Axes:
    """
    Make axes on a figure of their own, unknown to pyplot: nothing is shown, nothing has to be closed, threads are safe.

    This is what reports draw on. The figure takes the size that suits what is drawn.

    Examples
    --------
    >>> ax = bare_ax()
    >>> ax.figure.get_size_inches().tolist()
    [8.0, 3.4]
    """
    return _Sheet(figsize=(WIDTH, HEIGHT), layout="constrained").subplots()


def open_axes(ax: Axes | None) -> Axes:
    """
    Return the given axes, or fresh ones: pyplot's where a picture is expected to appear, bare ones elsewhere.

    A figure appears under a notebook cell, or at `plt.show()`, only if pyplot made it. So pyplot makes it in IPython
    and wherever pyplot has been imported already; a plain script or a server gets a bare figure and nothing to close.
    """
    if ax is None:
        ax = _interactive_ax() if _is_interactive() else bare_ax()
    ink = str(mpl.rcParams["text.color"])
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_edgecolor(ink)
    ax.tick_params(which="both", colors=ink, labelsize="small")
    return ax


def close_axes(drawn: Axes, given: Axes | None, *, rows: int | None = None) -> Axes:
    """Put the ink on the labels and, where the figure is ours, fit its height to the `rows` drawn."""
    ink = str(mpl.rcParams["text.color"])
    for axis in (drawn.xaxis, drawn.yaxis):
        axis.label.set_color(ink)
        axis.label.set_fontsize("small")
        axis.offsetText.set_color(ink)
    figure = drawn.figure
    if rows is not None and isinstance(figure, Figure) and (given is None or isinstance(figure, _Sheet)):
        legend = drawn.get_legend()
        key = [] if legend is None else "\n".join(text.get_text() for text in legend.get_texts()).split("\n")
        figure.set_size_inches(WIDTH, max(0.8 + ROW * rows, 0.6 + 0.19 * len(key), 1.4))
    return drawn


def nothing(drawn: Axes, given: Axes | None, sentence: str) -> Axes:
    """Say in the axes that there is nothing to draw, and close them."""
    drawn.text(0.5, 0.5, sentence, transform=drawn.transAxes, ha="center", va="center", **PLAIN)
    drawn.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    drawn.spines[:].set_visible(False)
    return close_axes(drawn, given, rows=1)


def add_legend(ax: Axes, handles: Iterable[Artist], *, title: str | None = None) -> None:
    """Put the key to the right of the axes, where it covers no data and leaves the title to the caller."""
    shown = list(handles)
    if not shown:
        return
    legend = ax.legend(
        handles=shown,
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0,
        frameon=False,
        fontsize="small",
        title_fontsize="small",
        labelcolor=mpl.rcParams["text.color"],
        handlelength=1.4,
        alignment="left",
    )
    for text in legend.get_texts():
        text.set(**PLAIN)


def key_patch(mark: Mark, n: int) -> Patch:
    """Legend entry of a mark that is drawn as a box."""
    return Patch(label=f"{mark.word}: {n:,}", **mark.patch())


def name_rows(ax: Axes, ids: Sequence[str], *, schedules: pd.DataFrame | None, n_more: int) -> None:
    """Write one label per row, the first on top, and tell how many more there are."""
    labels = schedule_labels(ids, schedules)
    if n_more:
        labels.append(f"… and {n_more:,} more")
    label_rows(ax, labels)


def label_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Write one label per row, the first on top."""
    ax.set_yticks(np.arange(len(labels)), labels, **PLAIN)
    ax.tick_params(axis="y", length=0)
    # A single row would fill the figure: it gets the room of two.
    ax.set_ylim(max(len(labels), 2) - 0.4, -0.6)


def schedule_labels(ids: Sequence[str], schedules: pd.DataFrame | None) -> list[str]:
    """Name each schedule, as `name_schedules` does, in letters that the font has."""
    names = name_schedules(schedules, ids, limit=MAX_LABEL, readable=_in_font)
    return [names[str(each)] for each in ids]


def _in_font(text: str) -> str:
    """Give a name in letters that can be drawn; nothing where the font has none of it, which is worse than an id."""
    shown = _draw_letters(text)
    return shown if any(char.isalnum() for char in shown) else ""


def safe_text(text: str, *, limit: int = MAX_LABEL) -> str:
    r"""
    One line of text that the font can draw: what it lacks becomes □, what is too long is cut in the middle.

    Parameters
    ----------
    text
        Any text, such as a message.
    limit
        Longest result [characters].

    Examples
    --------
    >>> safe_text("Load\n$prices$ 🚀")
    'Load $prices$ □'
    >>> safe_text("a very long name of a schedule, number 17", limit=20)
    'a very lon…number 17'
    """
    return cut_name(_draw_letters(text[: 20 * limit]), limit)


def _draw_letters(text: str) -> str:
    known = "".join(_drawable(char) for char in " ".join(text.split()))
    while "□□" in known:
        known = known.replace("□□", "□")
    return known


def boxes(
    ax: Axes, x: tuple[npt.ArrayLike, npt.ArrayLike], y: tuple[npt.ArrayLike, npt.ArrayLike], **style: object
) -> PathPatch:
    """Draw many rectangles as one artist, which stays small in an SVG; `x` and `y` are their bounds."""
    left, right, low, high = np.broadcast_arrays(*x, *y)
    corners = np.stack([left, low, right, low, right, high, left, high], axis=-1).reshape(-1, 4, 2)
    patch = PathPatch(Path.make_compound_path_from_polys(corners), **style)
    ax.add_artist(patch)
    return patch


def strokes(ax: Axes, x: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, **style: object) -> PathPatch:
    """Draw many upright strokes as one artist."""
    ends = np.broadcast_arrays(x, low, high)
    points = np.stack([ends[0], ends[1], ends[0], ends[2]], axis=-1).reshape(-1, 2)
    path = Path(points, np.tile([Path.MOVETO, Path.LINETO], len(points) // 2))
    patch = PathPatch(path, **{"fill": False, "capstyle": "butt", **style})
    ax.add_artist(patch)
    return patch


def write(ax: Axes, x: float, y: float, words: str, **options: object) -> Text:
    """Write small text that is taken to the letter."""
    text = ax.text(x, y, words, fontsize="small", va="center", **PLAIN)
    text.set(**options)
    return text


def write_beside(ax: Axes, words: Sequence[str], *, inches: float = 4.6) -> None:
    """Write a text to the right of each row's bar of at most 100 %, on axes about so many inches wide."""
    room = _LETTER * max(map(len, words)) + 0.2
    ax.set_xlim(0, 1 / max(1 - room / inches, 0.25))
    ax.set_xticks(np.linspace(0, 1, 5))
    for row, each in enumerate(words):
        write(ax, 1.04, row, each)


def _is_interactive() -> bool:
    ipython = sys.modules.get("IPython")
    return "matplotlib.pyplot" in sys.modules or (ipython is not None and ipython.get_ipython() is not None)


def _interactive_ax() -> Axes:
    # Imported here, because importing pyplot chooses a backend: only the interactive may want that.
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt.subplots(figsize=(WIDTH, HEIGHT), layout="constrained")[1]


def _drawable(char: str) -> str:
    if unicodedata.category(char) in ("Cc", "Cf", "Cs"):
        return ""
    return char if ord(char) in _glyphs(tuple(mpl.rcParams["font.family"])) else "□"


@lru_cache(maxsize=8)
def _glyphs(families: tuple[str, ...]) -> frozenset[int]:
    paths = [findfont(FontProperties(family=[family])) for family in families]
    return frozenset(code for path in paths for code in get_font(path).get_charmap())
