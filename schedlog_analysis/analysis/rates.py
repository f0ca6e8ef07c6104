"""
An error rate is the share of what was due that failed, never without its n and its interval.

Nothing was due is not 100 %: the rate of an empty window is missing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from schedlog_analysis._core.calendar import window_range, zone
from schedlog_analysis._core.groups import By, Groups, group, key_names
from schedlog_analysis._core.instants import Floats, InstantLike, Int8, Int64, instant_ms, to_instants, to_ms
from schedlog_analysis._core.zones import load_zone
from schedlog_analysis.analysis.failures.causes import MISSED, OTHER, find_causes
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.policy import DOWN, UP, AccountingPolicy, instants, judged, verdicts
from schedlog_analysis.schema import COUNTED, ErrorRates

# Keys read off the local clock: their unit [ms], what the first one of 1970 was, and how many values they have.
CALENDAR = {"weekday": (86_400_000, 3, 7), "hour": (3_600_000, 0, 24)}
CAUSE = "cause"


def error_rate(
    invocations_or_ticks: pd.DataFrame,
    freq: str | None = None,
    by: By = None,
    *,
    tz: str = "UTC",
    policy: AccountingPolicy | None = None,
    confidence: float = 0.95,
    start: InstantLike | None = None,
    end: InstantLike | None = None,
) -> pd.DataFrame:
    """
    Count how much of what was due failed, overall, per window and per group.

    Parameters
    ----------
    invocations_or_ticks
        `schema.Invocations`, or `schema.Ticks` when missed ticks shall count.
    freq
        Calendar window such as ``"D"``, ``"W"`` or ``"M"``, see `windows`.
    by
        Columns to group by, such as ``"schedule_id"``; further columns than the declared ones may stand in the table.
        ``"weekday"`` (0 is Monday) and ``"hour"`` are read off the local clock. ``"cause"`` tells what stopped the
        failed ones, from a column of that name, else from `message`; n is then still all that was due, so that the
        rates of the causes add up to the error rate. None pools everything.
    tz
        Time zone of windows, weekdays and hours.
    policy
        What counts as down and what is left out. By default, the judgement that the table brings along, or that of
        `AccountingPolicy()`.
    confidence
        Level of the Wilson interval. [0..1]
    start, end
        Half-open stretch to count; with `freq`, all groups then have all windows from `start` to `end`.

    Returns
    -------
    rates
        One row per group and window: the columns of `by`, then `schema.ErrorRates`, sorted by them. Every window from a
        group's first to its last exists, and every weekday and hour; where nothing was due, n = 0 and the rate is
        missing. Empty for an empty table, but for the one row of n = 0 when nothing is grouped.

    Raises
    ------
    InputError
        If a column of `by` is not there, or `freq`, `tz`, `confidence`, `start` or `end` make no sense.

    Notes
    -----
    The rate counts, it does not measure time: an hour of silence costs a schedule of every minute sixty ticks, and a
    daily one perhaps none. Pooled over schedules or over a change of the cron, frequent ticks dominate; see
    `average_error_rate` for the other figure. Failures that come in groups make the interval too narrow, because it
    takes ticks as independent.

    Examples
    --------
    >>> from schedlog_analysis import load_sample, invocations
    >>> sample = load_sample()
    >>> rates = error_rate(invocations(sample.log, sample.schedules), by="schedule_id")
    >>> bool((rates["low"] <= rates["error_rate"]).all())
    True
    """
    keys = key_names(by)
    table = _with_keys(judged(invocations_or_ticks, policy, [*keys, "message"]), keys, tz)
    verdict, when = verdicts(table), instants(table)
    bounds = _bounds(start, end)
    if start is not None or end is not None:
        inside = (when >= bounds[0]) & (when < bounds[1])
        table, verdict, when = table[inside], verdict[inside], when[inside]
    plain = [key for key in keys if key != CAUSE]
    groups = _whole_calendar(group(table, plain), plain)
    cells = _cells(groups, when, freq, tz, bounds)
    counts = _count(groups, cells, verdict)
    if CAUSE in keys:
        counts = _by_cause(counts, groups, cells, verdict, table[CAUSE])
        counts = counts.iloc[np.argsort(group(counts, keys).of_row, kind="stable")].reset_index(drop=True)
    return with_rates(counts, keys, confidence)


def with_rates(counts: pd.DataFrame, keys: list[str], confidence: float = 0.95) -> pd.DataFrame:
    """
    Turn counts into a table of error rates.

    Counts add up over parts of a fleet; rates and intervals do not, so they are computed last.

    Parameters
    ----------
    counts
        Frame with the key columns, `window_start`, `n` and `n_failed`.
    keys
        Key columns.
    confidence
        Level of the Wilson interval. [0..1]

    Returns
    -------
    rates
        Key columns, then `schema.ErrorRates`.
    """
    low, high = wilson(counts["n_failed"].to_numpy(), counts["n"].to_numpy(), confidence)
    rate = counts["n_failed"] / counts["n"].where(counts["n"] > 0)
    return pd.concat([counts[keys], ErrorRates.typed(counts.assign(error_rate=rate, low=low, high=high))], axis=1)


def wilson(n_failed: Any, n: Any, confidence: float = 0.95) -> tuple[Floats, Floats]:  # noqa: ANN401 - numbers or arrays
    """
    Interval of a share by Wilson's score.

    Parameters
    ----------
    n_failed, n
        Counts, which need not be whole; n = 0 gives a missing interval.
    confidence
        Level. [0..1]

    Returns
    -------
    low, high
        Bounds. [0..1]

    Notes
    -----
    Wilson 1927, doi:10.1080/01621459.1927.10502953, without continuity correction.

    Examples
    --------
    >>> [round(float(bound), 3) for bound in wilson(0, 3)]
    [0.0, 0.561]
    """
    require_share(confidence, "confidence", 0.95)
    failed, due = np.asarray(n_failed, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z2 = ndtri((1 + confidence) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = failed / due
        middle = (share + z2 / (2 * due)) / (1 + z2 / due)
        half = np.sqrt(z2 * (share * (1 - share) / due + z2 / (4 * due**2))) / (1 + z2 / due)
        low, high = np.where(failed == 0, 0.0, middle - half), np.where(failed == due, 1.0, middle + half)
    nothing = due == 0
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def require_share(share: object, name: str, example: float) -> None:
    """
    Refuse what is no share between 0 and 1, both outside.

    Raises
    ------
    InputError
        That names the argument and gives an example.
    """
    if not (isinstance(share, int | float | np.floating) and 0 < share < 1):
        raise InputError(f"`{name}` is {share!r}; expected a share such as {example}.")


def average_error_rate(rates: pd.DataFrame) -> float:
    """
    Average the rates of groups with equal weight: of a typical schedule, where the pooled rate is of a typical tick.

    Groups where nothing was due do not count; NaN if none remains.

    Examples
    --------
    >>> two = pd.DataFrame({"n": [990, 10], "n_failed": [0, 10], "error_rate": [0.0, 1.0]})
    >>> average_error_rate(two), pooled_error_rate(two)
    (0.5, 0.01)
    """
    return float(rates["error_rate"].mean())


def pooled_error_rate(rates: pd.DataFrame) -> float:
    """
    Pool the counts of groups, so that every tick has equal weight and frequent schedules dominate.

    NaN if nothing was due.

    Examples
    --------
    >>> pooled_error_rate(pd.DataFrame({"n": [90, 10], "n_failed": [0, 10]}))  # the mean of the rates is 0.5
    0.1
    """
    n = int(rates["n"].sum())
    return int(rates["n_failed"].sum()) / n if n else float("nan")


class _Cells(NamedTuple):
    """Windows of groups: a cell is one window of one group."""

    of_row: Int64
    group: Int64
    window_start: pd.DatetimeIndex


def _with_keys(table: pd.DataFrame, keys: list[str], tz: str) -> pd.DataFrame:
    """Add the keys that are computed."""
    zone(tz)  # complains of one that is none
    missing = CALENDAR.keys() & set(keys) - set(table)
    if missing:
        local = load_zone(tz).local_ms(instants(table))
        values = {key: (local // unit + first) % n for key, (unit, first, n) in CALENDAR.items() if key in missing}
        table = table.assign(**values)
    if CAUSE in keys and CAUSE not in table:
        table = table.assign(cause=_causes(table))
    return table


def _causes(table: pd.DataFrame) -> pd.Series[Any]:
    """Cause of every message; `missed` without one where the tick was missed."""
    if "message" not in table:
        raise InputError(
            "Causes are read from messages; expected Invocations, or Ticks with a column message or cause."
        )
    cause = pd.Series(OTHER, index=table.index, dtype="str")
    is_told = table["message"].notna().to_numpy()
    cause[is_told] = np.asarray(find_causes(table["message"][is_told]), dtype=object)
    if "status" in table:
        cause[(table["status"] == "missed").to_numpy()] = MISSED
    return cause


def _bounds(start: InstantLike | None, end: InstantLike | None) -> tuple[int, int]:
    limits = np.iinfo(np.int64)
    begins = limits.min if start is None else instant_ms(start, "start")
    ends = limits.max if end is None else instant_ms(end, "end")
    if ends < begins:
        raise InputError(f"`end` {end} lies before `start` {start}; expected a stretch that ends after it starts.")
    return begins, ends


def _whole_calendar(groups: Groups, keys: list[str]) -> Groups:
    """Let every weekday and hour exist."""
    for key in CALENDAR.keys() & set(keys):
        others = [name for name in keys if name != key]
        of_others = group(groups.keys, others)
        size = CALENDAR[key][2]
        full = of_others.keys.loc[np.repeat(np.arange(of_others.n), size)].reset_index(drop=True)
        full[key] = np.tile(np.arange(size), of_others.n)
        number = of_others.of_row * size + groups.keys[key].to_numpy(dtype=np.int64)
        order = np.argsort(group(full, keys).of_row)
        groups = Groups(np.argsort(order)[number[groups.of_row]], full[keys].iloc[order].reset_index(drop=True))
    return groups


def _cells(groups: Groups, when: Int64, freq: str | None, tz: str, bounds: tuple[int, int]) -> _Cells:
    """Lay out the windows of every group: from its first to its last, or all of the stretch that was asked for."""
    if freq is None:
        no_window = to_instants(np.full(groups.n, np.iinfo(np.int64).min))
        return _Cells(groups.of_row, np.arange(groups.n), no_window)
    limits = np.iinfo(np.int64)
    low, high = when.min(initial=limits.max), when.max(initial=limits.min)
    low = low if bounds[0] == limits.min else bounds[0]
    high = high if bounds[1] == limits.max else max(bounds[1] - 1, low)
    if low > high:
        return _Cells(groups.of_row, np.empty(0, np.int64), to_instants(np.empty(0, np.int64)))
    begin, end = to_instants(np.array([low, high]))
    windows = window_range(begin, end, freq, tz)
    # Windows leave no gap between them, so each moment is in the last one that begins at or before it.
    window = np.searchsorted(to_ms(windows), when, side="right") - 1
    first, last = np.full(groups.n, len(windows)), np.full(groups.n, -1)
    np.minimum.at(first, groups.of_row, window)
    np.maximum.at(last, groups.of_row, window)
    if bounds[0] != limits.min:
        first[:] = 0
    if bounds[1] != limits.max:
        last[:] = len(windows) - 1
    length = np.maximum(last - first + 1, 0)
    offset = np.cumsum(length) - length
    of_group = np.repeat(np.arange(groups.n), length)
    own = np.arange(len(of_group)) - offset[of_group] + first[of_group]
    return _Cells(window + (offset - first)[groups.of_row], of_group, windows[own])


def _count(groups: Groups, cells: _Cells, verdict: Int8) -> pd.DataFrame:
    counts = groups.keys.iloc[cells.group].reset_index(drop=True)
    counts["window_start"] = cells.window_start
    of_each = np.bincount(cells.of_row * len(COUNTED) + verdict, minlength=len(counts) * len(COUNTED))
    n = of_each.reshape(-1, len(COUNTED))
    counts["n"], counts["n_failed"] = n[:, UP] + n[:, DOWN], n[:, DOWN]
    return counts


def _by_cause(
    counts: pd.DataFrame, groups: Groups, cells: _Cells, verdict: Int8, cause: pd.Series[Any]
) -> pd.DataFrame:
    """Split the failed ones of every window by cause; a group has the causes that it met in any window."""
    is_down = verdict == DOWN
    met = pd.DataFrame({"group": groups.of_row[is_down], CAUSE: cause.to_numpy(dtype=object)[is_down]})
    met[CAUSE] = met[CAUSE].astype("str")
    pairs = group(met, ["group", CAUSE])
    # Rows: every cell of a group, once for each of its causes.
    n_causes = np.bincount(pairs.keys["group"], minlength=groups.n)
    first_pair = np.cumsum(n_causes) - n_causes
    of_cell = np.repeat(np.arange(len(counts)), n_causes[cells.group])
    begin = np.cumsum(n_causes[cells.group]) - n_causes[cells.group]
    nth = np.arange(len(of_cell)) - begin[of_cell]
    split = counts.iloc[of_cell].reset_index(drop=True)
    split[CAUSE] = pairs.keys[CAUSE].to_numpy()[first_pair[cells.group[of_cell]] + nth]
    cell = cells.of_row[is_down]
    row = begin[cell] + pairs.of_row - first_pair[cells.group[cell]]
    split["n_failed"] = np.bincount(row, minlength=len(split))
    return split
