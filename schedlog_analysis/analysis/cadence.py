"""Cadence is how regularly a schedule ran: ticks counted by status, and how its delays and intervals are spread."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from schedlog_analysis._core.arrays import Mask, blocks, changes, decode, encode, is_sorted, slices
from schedlog_analysis._core.instants import MISSING, Int8, Int64, duration_ms, to_durations, to_instants, to_ms
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.infer import infer_cron
from schedlog_analysis.matching.definitions import Definition, definitions_by_id, previous_tick
from schedlog_analysis.matching.policy import instants
from schedlog_analysis.matching.ticks import EXTRA, LATE, MISSED, ON_TIME
from schedlog_analysis.schema import PLANNED, STATUSES, Cadence, Schedules, Ticks

Float64 = NDArray[np.float64]

DAY = 86_400_000
# Theil-Sen compares all pairs; beyond this many points, medians of equally many neighbours stand for them.
MOST_POINTS = 200
CONFIDENCE = 0.95
ENOUGH = 500  # planned moments that show their cron


def cadence(
    ticks: pd.DataFrame, schedules: pd.DataFrame | None = None, *, on_time: str | timedelta | None = None
) -> pd.DataFrame:
    """
    Measure how regularly each schedule ran.

    Parameters
    ----------
    ticks
        Ticks of any number of schedules, see `schema.Ticks`.
    schedules
        Their definitions, see `schema.Schedules`; without one the cron is read off the planned moments, and called
        inferred.
    on_time
        Delay up to which a tick counts into `on_time_share`; by default what `ticks` called on time.

    Returns
    -------
    cadence
        One row per schedule, see `schema.Cadence`; empty if there are no ticks. Manual invocations count in no figure
        but `n_manual`, duplicates in no interval and no delay.

    Notes
    -----
    Quantiles are the linear ones (Hyndman and Fan's type 7). Jitter is robust, because delays have long tails: the
    median absolute deviation, and the distance from the median to the 95th percentile. Drift is the Theil-Sen slope of
    delay over planned time with Sen's 95 % interval (Sen 1968, doi:10.1080/01621459.1968.10480934).

    Examples
    --------
    >>> from schedlog_analysis import load_sample, invocations, ticks
    >>> sample = load_sample()
    >>> table = cadence(ticks(invocations(sample.log, sample.schedules), sample.schedules), sample.schedules)
    >>> planned = table["n_observed"] + table["n_missed"] + table["n_unknown"]
    >>> bool((table["n_planned"] == planned).all())
    True
    """
    ticks = Ticks.accept(ticks)
    definitions = {} if schedules is None else definitions_by_id(Schedules.accept(schedules))
    limit = None if on_time is None else duration_ms(on_time, "on_time")
    sorted_ticks, codes, ids = _sorted(ticks)
    columns = _columns_ms(sorted_ticks)
    rows = []
    for schedule_id, mine in zip(ids, slices(codes, len(ids)), strict=True):
        of_it = {name: values[mine] for name, values in columns.items()}
        rows.append(_cron_of(definitions.get(schedule_id), of_it) | _cadence_of_one(of_it, limit))
    if not rows:
        return pd.DataFrame(Cadence.empty())
    table = pd.DataFrame(rows)
    table["schedule_id"] = decode(np.arange(len(ids)), ids, ticks["schedule_id"])
    for name in (name for name, dtype in Cadence.empty().dtypes.items() if dtype.kind == "m"):
        table[name] = to_durations(table[name].to_numpy(dtype=np.int64))
    return Cadence.typed(table)


def intervals(ticks: pd.DataFrame) -> pd.DataFrame:
    """
    Measure the time between successive scheduled invocations of each schedule.

    Manual invocations and duplicates are no part of the rhythm and left out.

    Returns
    -------
    intervals
        One row per invocation but the first of each schedule, see `schema.Intervals`.

    Examples
    --------
    >>> from schedlog_analysis import invocations, load_sample, ticks
    >>> sample = load_sample()
    >>> told = intervals(ticks(invocations(sample.log, sample.schedules), sample.schedules))
    >>> told["interval"].min() >= pd.Timedelta("1min")
    True
    """
    sorted_ticks, codes, ids = _sorted(Ticks.accept(ticks))
    columns = _columns_ms(sorted_ticks)
    counts = np.flatnonzero(_is_scheduled(columns["status"]))
    counts = counts[np.lexsort((columns["invoked"][counts], codes[counts]))]
    invoked, owner = columns["invoked"][counts], codes[counts]
    follows = np.flatnonzero(np.diff(owner) == 0) + 1
    return pd.DataFrame(
        {
            "schedule_id": decode(owner[follows], ids, ticks["schedule_id"]),
            "invoked_at": to_instants(invoked[follows]),
            "interval": to_durations(invoked[follows] - invoked[follows - 1]),
        }
    )


def outages(ticks: pd.DataFrame, *, at_least: int = 2) -> pd.DataFrame:
    """
    List runs of successive missed ticks.

    Parameters
    ----------
    at_least
        Shortest run that is an outage. [ticks]

    Returns
    -------
    outages
        One row per run, see `schema.Outages`: from the first missed tick to the next tick that was answered.

    Examples
    --------
    >>> outages(Ticks.empty()).columns.tolist()
    ['schedule_id', 'started_at', 'ended_at', 'n_ticks']
    """
    sorted_ticks, codes, ids = _sorted(Ticks.accept(ticks))
    columns = _columns_ms(sorted_ticks)
    planned = np.flatnonzero(columns["status"] < len(PLANNED))
    owner, moment = codes[planned], columns["planned"][planned]
    first, length = _runs(np.flatnonzero(columns["status"][planned] == MISSED), owner)
    first, length = first[length >= at_least], length[length >= at_least]
    after = first + length
    is_followed = (after < len(owner)) & (owner[np.minimum(after, len(owner) - 1)] == owner[first])
    ended = np.where(is_followed, moment[np.minimum(after, len(owner) - 1)], MISSING) if len(first) else first
    return pd.DataFrame(
        {
            "schedule_id": decode(owner[first], ids, ticks["schedule_id"]),
            "started_at": to_instants(moment[first]),
            "ended_at": to_instants(ended),
            "n_ticks": length,
        }
    )


def _sorted(ticks: pd.DataFrame) -> tuple[pd.DataFrame, Int64, pd.Index[Any]]:
    codes, ids = encode(ticks["schedule_id"])
    moment, invoked = instants(ticks), to_ms(ticks["invoked_at"])
    if is_sorted(codes, moment, invoked):
        return ticks, codes, ids
    order = np.lexsort((invoked, moment, codes))
    return ticks.iloc[order], codes[order], ids


def _columns_ms(ticks: pd.DataFrame) -> dict[str, Any]:
    return {
        "planned": to_ms(ticks["planned_at"]),
        "invoked": to_ms(ticks["invoked_at"]),
        "delay": to_ms(ticks["delay"]),
        "status": ticks["status"].cat.codes.to_numpy(),
        "is_ambiguous": ticks["is_ambiguous"].to_numpy(dtype=bool),
    }


def _cron_of(definition: Definition | None, of_it: dict[str, Any]) -> dict[str, Any]:
    """Tell which cron the ticks follow, and by how much they are offset from it."""
    planned = of_it["planned"][of_it["status"] < len(PLANNED)]
    if definition is not None:
        cron = definition.current.cron
        return {"cron": cron.expression, "cron_source": "given", "offset": _offset(cron, planned)}
    # Ticks without a definition were planned by an inferred cron, so what they show is that very cron.
    best = infer_cron(to_instants(planned[-ENOUGH:]))
    if best.empty:
        return {"cron": None, "cron_source": "none", "offset": MISSING}
    return {"cron": str(best["cron"].iloc[0]), "cron_source": "inferred", "offset": MISSING}


def _offset(cron: Cron, planned: Int64) -> int:
    if not cron.is_macro or not len(planned):
        return MISSING
    nominal = previous_tick(cron, int(planned[-1]) + 1)
    return MISSING if nominal == MISSING else int(planned[-1]) - nominal


def _cadence_of_one(of_it: dict[str, Any], limit: int | None) -> dict[str, Any]:
    status = of_it["status"]
    n = dict(zip(STATUSES, np.bincount(status, minlength=len(STATUSES)).tolist(), strict=True))
    is_answered = _is_answered(status)
    planned, delay = of_it["planned"][is_answered], of_it["delay"][is_answered]
    scheduled = np.sort(of_it["invoked"][_is_scheduled(status)], kind="stable")  # mostly sorted, which this kind sees
    silent_until = int(of_it["planned"][status == MISSED].max(initial=MISSING))
    of_plan = status if sum(n[name] for name in PLANNED) == len(status) else status[status < len(PLANNED)]
    _, misses = _runs(np.flatnonzero(of_plan == MISSED))
    due = n["on_time"] + n["late"] + n["missed"]
    n_on_time = n["on_time"] if limit is None else int((delay <= limit).sum())
    return (
        {f"n_{name}": n[name] for name in ("missed", "late", "duplicate", "extra", "manual", "unknown")}
        | {"n_planned": sum(n[name] for name in PLANNED), "n_observed": n["on_time"] + n["late"]}
        | {"on_time_share": n_on_time / due if due else np.nan}
        | {"longest_gap_ticks": int(misses.max(initial=0)), "n_outages": int((misses >= 2).sum())}  # noqa: PLR2004
        | {"n_ambiguous": int(of_it["is_ambiguous"].sum())}
        | _interval_figures(np.diff(scheduled))
        | {"longest_gap": _longest_gap(scheduled, silent_until)}
        | _delay_figures(delay)
        | _drift(planned, delay)
    )


def _is_answered(status: Int8) -> Mask:
    return np.asarray((status == ON_TIME) | (status == LATE))


def _is_scheduled(status: Int8) -> Mask:
    return np.asarray(_is_answered(status) | (status == EXTRA))


def _interval_figures(between: Int64) -> dict[str, int]:
    return {
        "interval_median": _median(between),
        "interval_mad": _deviation(between),
    }


def _longest_gap(invoked: Int64, silent_until: int) -> int:
    """Longest silence; a schedule that stopped is silent up to the last tick it missed."""
    if not len(invoked):
        return MISSING
    moments = np.append(invoked, max(silent_until, int(invoked[-1])))
    return int(np.diff(moments).max()) if moments[-1] > invoked[0] else MISSING


def _delay_figures(delay: Int64) -> dict[str, int]:
    middle, p95 = _median(delay), _quantile(delay, 0.95)
    return {
        "delay_median": middle,
        "delay_p95": p95,
        "delay_max": int(delay.max(initial=MISSING)),
        "delay_mad": _deviation(delay),
        "delay_spread": p95 - middle if len(delay) else MISSING,
    }


def _median(values: Int64) -> int:
    return _quantile(values, 0.5)


def _quantile(values: Int64, share: float) -> int:
    """Give a quantile in whole milliseconds as numpy does, but pick one place, which it does several times faster."""
    if not len(values):
        return MISSING
    place = share * (len(values) - 1)
    after = -int(-place // 1)
    parted = np.partition(values, after)
    high = int(parted[after])
    low = high if after == place else int(parted[:after].max())
    beyond = place % 1
    return round(low + (high - low) * beyond if beyond < 0.5 else high - (high - low) * (1 - beyond))  # noqa: PLR2004 - as numpy interpolates


def _deviation(values: Int64) -> int:
    return _median(np.abs(values - _median(values)))


def _drift(planned: Int64, delay: Int64) -> dict[str, float]:
    """Slope of the delay, in milliseconds a day; at least three ticks are needed."""
    if len(planned) < 3:  # noqa: PLR2004
        return dict.fromkeys(("drift", "drift_low", "drift_high"), np.nan)
    since, values = planned - planned[0], delay.astype(np.float64)
    if len(since) > MOST_POINTS:
        since, values = (_thinned(column, MOST_POINTS) for column in (since, values))
    slope, low, high = _theil_sen(since / DAY, values)
    return {"drift": slope, "drift_low": low, "drift_high": high}


def _thinned(values: Int64 | Float64, n: int) -> Float64:
    """Medians of `n` parts of the same length, the first ones longer by one where they do not come out even."""
    length, n_longer = divmod(len(values), n)
    cut = n_longer * (length + 1)
    parts = (values[:cut].reshape(n_longer, length + 1), values[cut:].reshape(n - n_longer, length))
    in_order = [np.sort(part, axis=1) for part in parts if len(part)]  # far faster than `np.median` of short rows
    return np.concatenate([(part[:, (k := part.shape[1]) // 2] + part[:, (k - 1) // 2]) / 2 for part in in_order])


def _theil_sen(x: Float64, y: Float64) -> tuple[float, float, float]:
    """Median of the slopes of all pairs, `x` ascending, and Sen's interval; missing where too many are equal."""
    times, before = _pairs(len(x))
    dx, dy = (np.repeat(column, times) - column[before] for column in (x, y))
    is_pair = dx > 0
    slopes = dy / dx if is_pair.all() else dy[is_pair] / dx[is_pair]
    n, n_pairs = len(x), len(slopes)
    if not n_pairs:
        return np.nan, np.nan, np.nan
    ties = _ties(x) + _ties(np.sort(y))
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    if variance < 0:
        return float(np.median(slopes)), np.nan, np.nan
    width = ndtri((1 + CONFIDENCE) / 2) * np.sqrt(variance)
    lowest = max(round((n_pairs - width) / 2) - 1, 0)
    highest = min(round((n_pairs + width) / 2), n_pairs - 1)
    half = n_pairs // 2
    slopes.partition(half)  # one place at a time, in smaller and smaller parts, is faster than sorting
    left, right = slopes[:half], slopes[half:]
    middle = right[0] if n_pairs % 2 else (left.max() + right[0]) / 2
    low = _nth(left, lowest) if lowest < half else float(right[0])
    return float(middle), low, _nth(right, highest - half)


def _nth(values: Float64, n: int) -> float:
    return float(np.partition(values, n)[n])


def _ties(values: Float64) -> int:
    """Give what equal ones among sorted values take from the variance."""
    _, k = blocks(values)
    return int((k * (k - 1) * (2 * k + 5)).sum())


@lru_cache(maxsize=8)
def _pairs(n: int) -> tuple[Int64, Int64]:
    """Of `n` points, how many come before each, and their positions; most schedules have the most points there are."""
    return np.arange(n), np.tril_indices(n, -1)[1]


def _runs(rows: Int64, owner: Int64 | None = None) -> tuple[Int64, Int64]:
    """Find runs of successive rows, of one owner where there are several: where each starts and how long it is."""
    is_new = np.diff(rows, prepend=-2) != 1
    if owner is not None:
        is_new |= changes(owner[rows])
    starts = np.flatnonzero(is_new)
    return rows[starts], np.diff(starts, append=len(rows))
