"""A group is the entries of one invocation; which entries share one is decided here."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, changes, keep_spaced
from schedlog_analysis._core.instants import FOREVER, Int64

AT_ONCE = 1_000  # [ms] an error so little before the line of a click is the click's, whatever was due


class Entries(NamedTuple):
    """A log as columns, sorted by schedule and time; within an instant, lines that end an invocation come last."""

    codes: Int64  # which schedule
    created: Int64  # [ms]
    message: pd.Series[Any]
    kind: dict[str, Mask]  # what each entry says


class Due(NamedTuple):
    """What was due when each entry was written."""

    tick: Int64  # number of the latest tick planned at or before it, 0 where none is known
    since: Int64  # time since that tick, FOREVER where none is known [ms]


def group_entries(entries: Entries, due: Due, window: int) -> Int64:
    """
    Number the invocation of each entry.

    Parameters
    ----------
    entries
        Entries of any number of schedules.
    due
        The tick that each of them is on.
    window
        Longest silence inside an invocation, and longest invocation that no INFO line ends. [ms]

    Returns
    -------
    group
        Numbers from 0, ascending; empty if there are no entries.

    Notes
    -----
    1. Entries of two ticks, and entries `window` apart, never share an invocation.
    2. ``Schedule invoked`` and ``Schedule invoked manually`` end theirs: it has what was written since the line before.
    3. What follows the last such line belongs to it, up to `window` after it: logs with this line first have one entry
       more behind it.
    4. Where there is no such line, an invocation lasts up to `window` from its first entry.
    5. Between a tick that has no line of its own and a click, an entry belongs to the nearer of the two.
    """
    is_break = changes(entries.codes, due.tick)
    is_break[1:] |= entries.created[1:] - entries.created[:-1] >= window
    is_shared = ~is_break
    is_shared[:-1] |= ~is_break[1:]
    rows = np.flatnonzero(is_shared)  # most entries are alone, and need no look
    if len(rows):
        is_break[rows] = _starts(entries, due, rows, is_break[rows], window)
    return np.cumsum(is_break) - 1


def _starts(entries: Entries, due: Due, rows: Int64, is_break: Mask, window: int) -> Mask:
    """Tell which of the entries that have neighbours begin an invocation."""
    created, place = entries.created[rows], np.arange(len(rows))
    is_line = (entries.kind["scheduled"] | entries.kind["manual"])[rows]
    chain = np.cumsum(is_break) - 1
    last_line = np.full(chain[-1] + 1, -1)
    last_line[chain[is_line]] = place[is_line]  # the last one of each chain stays
    last = last_line[chain]

    starts = is_break.copy()
    starts[1:] |= is_line[:-1] & (place[1:] <= last[1:])
    is_open = place >= last
    kept = keep_spaced(created[is_open], window, (is_break | (place == last))[is_open])
    starts[is_open] |= kept & (place != last)[is_open]

    stays = _stays_on_tick(entries, due, rows, is_line, chain)
    starts[1:] |= stays[:-1] & ~stays[1:]
    return starts


def _stays_on_tick(entries: Entries, due: Due, rows: Int64, is_line: Mask, chain: Int64) -> Mask:
    """Tell which entries before a click belong to the tick they are on, and not to the click."""
    place = np.arange(len(rows))
    following = np.minimum.accumulate(np.where(is_line, place, len(rows))[::-1])[::-1]
    stays = (following < len(rows)) & ~is_line
    following[~stays] = 0
    stays &= (chain[following] == chain) & entries.kind["manual"][rows][following] & (due.since[rows] != FOREVER)
    if not stays.any():
        return stays
    until_click = entries.created[rows][following] - entries.created[rows]
    stays &= (due.since[rows] <= until_click) & (until_click >= AT_ONCE)
    of_tick = np.cumsum(changes(entries.codes, due.tick)) - 1
    has_own_line = np.zeros(int(of_tick[-1]) + 1, dtype=bool)
    has_own_line[of_tick[entries.kind["scheduled"]]] = True
    return np.asarray(stays & ~has_own_line[of_tick[rows]])
