"""A fleet is all schedules of an account, seen at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from schedlog_analysis.errors import SchemaError
from schedlog_analysis.plot._rates import keyed
from schedlog_analysis.plot._scales import share_axis
from schedlog_analysis.plot._style import (
    MARKS,
    MAX_ROWS,
    add_legend,
    boxes,
    close_axes,
    key_patch,
    name_rows,
    nothing,
    open_axes,
    write_beside,
)
from schedlog_analysis.schema import Cadence

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_PARTS = ("on_time", "late", "missed", "unknown")


def fleet(
    cadence: pd.DataFrame,
    *,
    rates: pd.DataFrame | None = None,
    schedules: pd.DataFrame | None = None,
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw one row per schedule, worst first: how its planned ticks divide by status, and below that what share failed.

    Worst is the highest sum of the missed share (of ticks that are not unknown) and the failed share.

    Parameters
    ----------
    cadence
        Cadence. Without rows, the axes say so.
    rates
        ErrorRates by `schedule_id`; windows of one schedule are added up. None draws statuses only.
    schedules
        Schedules, for their titles; None labels the rows with ids.
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
    SchemaError
        If a table lacks a column.

    Examples
    --------
    >>> fleet(Cadence.empty()).texts[0].get_text()
    'no schedules'
    """
    canvas = open_axes(ax)
    table = _joined(Cadence.accept(cadence), rates)
    if table.empty:
        return nothing(canvas, ax, "no schedules")
    judged = (table["n_planned"] - table["n_unknown"]).clip(lower=1)
    badness = table["n_missed"] / judged + table["n_failed"] / table["n"].clip(lower=1)
    order = table.assign(badness=badness).sort_values(["badness", "schedule_id"], ascending=[False, True])
    shown = order.head(max_rows)
    handles = _draw_statuses(canvas, shown)
    if rates is not None:
        handles += _draw_failed(canvas, shown)
    write_beside(canvas, _row_words(shown))
    label = "share of planned ticks" if rates is None else "share of planned ticks; below: error rate"
    share_axis(canvas.xaxis, label=label)
    n_more = len(order) - len(shown)
    name_rows(canvas, shown["schedule_id"].tolist(), schedules=schedules, n_more=n_more)
    add_legend(canvas, handles)
    return close_axes(canvas, ax, rows=round(1.2 * (len(shown) + bool(n_more))))


def _joined(cadence: pd.DataFrame, rates: pd.DataFrame | None) -> pd.DataFrame:
    table = cadence.assign(on_time=cadence["n_observed"] - cadence["n_late"], late=cadence["n_late"])
    table = table.assign(
        missed=table["n_missed"], unknown=table["n_unknown"], schedule_id=table["schedule_id"].astype("str")
    )
    if rates is None:
        return table.assign(n=0, n_failed=0)
    counted, keys = keyed(rates)
    if "schedule_id" not in keys:
        raise SchemaError("fleet got rates without schedule_id; expected rates by schedule.")
    by_schedule = counted[["n", "n_failed"]].groupby(counted["schedule_id"].astype("str")).sum()
    table = table.join(by_schedule, on="schedule_id")
    return table.fillna({"n": 0, "n_failed": 0}).astype({"n": "int64", "n_failed": "int64"})


def _draw_statuses(ax: Axes, shown: pd.DataFrame) -> list[Artist]:
    rows = np.arange(len(shown))
    shares = shown[list(_PARTS)].to_numpy() / shown["n_planned"].clip(lower=1).to_numpy()[:, None]
    right = shares.cumsum(axis=1)
    handles: list[Artist] = []
    for i, name in enumerate(_PARTS):
        chosen = shares[:, i] > 0
        if chosen.any():
            bounds = (right[chosen, i] - shares[chosen, i], right[chosen, i])
            boxes(ax, bounds, (rows[chosen] - 0.32, rows[chosen] + 0.08), gid=name, **MARKS[name].patch())
            handles.append(key_patch(MARKS[name], int(shown[name].sum())))
    return handles


def _draw_failed(ax: Axes, shown: pd.DataFrame) -> list[Artist]:
    rows, share = np.arange(len(shown)), (shown["n_failed"] / shown["n"].clip(lower=1)).to_numpy()
    if not share.any():
        return []
    boxes(
        ax,
        (0.0, share[share > 0]),
        (rows[share > 0] + 0.14, rows[share > 0] + 0.32),
        gid="failed",
        **MARKS["failed"].patch(),
    )
    return [key_patch(MARKS["failed"]._replace(word="errors"), int(shown["n_failed"].sum()))]


def _row_words(shown: pd.DataFrame) -> list[str]:
    missed = [
        f"{missed:,} of {planned:,} missed" if planned else "nothing was planned"
        for missed, planned in zip(shown["n_missed"], shown["n_planned"], strict=True)
    ]
    numbers = zip(shown["n_failed"], shown["n"], strict=True)
    errors = [f", errors {failed:,} of {n:,}" if n else "" for failed, n in numbers]
    return [first + second for first, second in zip(missed, errors, strict=True)]
