"""
A plot is a picture of one analysis table: the table in, axes in, the same axes out.

Every plot follows these rules. The table comes first, all else by keyword. `ax` is where to draw; None makes axes,
through pyplot in IPython or where pyplot is imported already (so that the figure appears under the cell or at
`plt.show()`), else on a bare figure (`ax.figure.savefig(...)`). Nothing is shown or saved, no rcParam is set, no title
is written: these are the caller's. Dates and days are those of the zone `tz`. Without data the axes say so in words;
with very much of it, plots aggregate and say that too.

Colours come from a palette that the colour-blind can tell apart, and never speak alone: a shape, a hatch, a height or
a number says the same. Text and lines that are not data take the colour of the rcParam `text.color`, so that dark
styles and reports (`INK`) restyle them in one place; the colours of data are the constants named here, one hex code
per meaning.
"""

from schedlog_analysis.plot._delay import cadence, delay, intervals
from schedlog_analysis.plot._failures import causes, clusters, incidents
from schedlog_analysis.plot._fleet import fleet
from schedlog_analysis.plot._grids import calendar, hour_weekday
from schedlog_analysis.plot._rates import burn_down, error_rate, funnel
from schedlog_analysis.plot._style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    INK,
    MAX_ROWS,
    ON_TILE,
    PURPLE,
    RED,
    TILES,
    bare_ax,
)
from schedlog_analysis.plot._ticks import ticks

__all__ = [
    "AMBER",
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "MAX_ROWS",
    "ON_TILE",
    "PURPLE",
    "RED",
    "TILES",
    "bare_ax",
    "burn_down",
    "cadence",
    "calendar",
    "causes",
    "clusters",
    "delay",
    "error_rate",
    "fleet",
    "funnel",
    "hour_weekday",
    "incidents",
    "intervals",
    "ticks",
]
