"""A candidate is a cron that may be behind given times, with how well it explains them and what it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from schedlog_analysis._core.instants import to_durations, to_instants
from schedlog_analysis._core.table import Count, Duration, Flag, Number, Table, Text, field
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.infer.code_length import EARLY_MS, match, null_bits
from schedlog_analysis.cron.infer.search import Found, search, ticks_around
from schedlog_analysis.cron.infer.undetermined import undetermined
from schedlog_analysis.errors import InputError

Int64 = npt.NDArray[np.int64]
Times = pd.DatetimeIndex | pd.Series | Sequence[datetime]

MIN_TIMES = 3  # fewer lie on some cron anyway
MIN_SCORE = 20.0  # bits: one in a million by chance
MIN_SHARE = 0.6  # of the times in the first half of the wait for the next tick, beyond chance
MAX_MISSED = 0.3  # share of the planned ticks outside outages
OUTAGE = 5  # ticks missed in a row, at least, that are an outage
MAX_DELAY_SHARE = 0.03  # of the time between two ticks, or else
MAX_DELAY_MS = 30_000


class CronCandidates(Table):
    """One row is one cron that may be behind the times, the best first."""

    cron: Text = field("expression, in five fields unless it needs seconds")
    tz: Text = field("IANA time zone in which `cron` is read")
    score: Number = field("what the cron saves against writing the times down without any", unit="bit")
    share_explained: Number = field("times sooner than halfway to the next tick, less the later ones, / n", ge=0, le=1)
    is_explained: Flag = field("whether the evidence is enough to say that this cron is behind the times")
    undetermined: Text = field("fields that the times cannot tell yet, such as `month, weekday`; empty if none")
    offset: Duration = field("constant delay by which the ticks are shifted", unit="ms")
    delay_median: Duration = field("median delay after the shifted tick", unit="ms")
    delay_p95: Duration = field("95th percentile of that delay", unit="ms")
    n: Count = field("times", ge=0)
    n_planned: Count = field("ticks from the first time's to the last time's", ge=0)
    n_missed: Count = field("planned ticks without a time", ge=0)
    n_duplicate: Count = field("further times of a tick that has one", ge=0)


def infer_cron(times: Times, tz: str | None = None, *, n_best: int = 3) -> pd.DataFrame:
    """
    Find the cron expressions that best explain when a schedule ran.

    Parameters
    ----------
    times
        Instants with an offset, in any order, duplicates allowed; missing ones are left out. Those of one schedule.
    tz
        IANA time zone of the schedule. None to infer it: UTC, unless the times keep to the wall clock of another zone
        across a change of daylight saving, or keep to its days. Zones that behave alike cannot be told apart; the
        best known one is named.
    n_best
        How many candidates to return at most.

    Returns
    -------
    candidates
        Table of :class:`CronCandidates`, best first; empty for fewer than `MIN_TIMES` times, and where no cron saves
        anything. Read only rows with `is_explained` as *the* cron: the others are the best of no good guesses.

    Raises
    ------
    InputError
        The times have no offset or are no instants.
    CronError
        There is no such zone.

    Notes
    -----
    The best cron is the one that makes the times shortest to write down [1]_. With T the times and C a cron,

    ``bits(T, C) = L(C) + L(steps | C) + L(delays | C)`` and ``score = bits(T, none) - bits(T, C)``.

    * ``L(C)``: the expression, its constant delay and its zone; what is rounder and more usual costs less.
    * ``steps``: how many ticks further each time is than the one before. 1 is the next tick, 0 a duplicate, more are
      missed ticks; an outage costs the logarithm of its length.
    * ``delays``: from each tick to its time. ``bits(T, none)`` codes the intervals between the times in the same way.

    Steps and delays fall in bins of doubling width, and cost ``-log2`` of the Dirichlet-multinomial probability of the
    bins plus the place inside them. The search improves one field of the cron after the other, among the ways of
    writing what was seen; for late times it looks for the phase first.

    References
    ----------
    .. [1] J. Rissanen, Modeling by shortest data description, Automatica 14 (1978).

    Examples
    --------
    >>> times = pd.date_range("2026-01-05 09:30:01", periods=60, freq="B", tz="UTC")
    >>> infer_cron(times)[["cron", "undetermined"]].head(1).values.tolist()
    [['30 9 * * 1-5', 'month, tz']]
    """
    ms = sorted_ms(times)
    if tz is not None:
        Cron("* * * * *", tz)  # says so if there is no such zone
    if len(ms) < MIN_TIMES:
        return typed_table(CronCandidates, [])
    null = null_bits(ms)
    found = [candidate for candidate in search(ms, tz) if candidate.bits < null][:n_best]
    rows = [describe(ms, candidate, null - candidate.bits, is_zone_free=tz is None) for candidate in found]
    return typed_table(CronCandidates, rows)


def is_explained(*, score: float, share: float, missed_share: float, delay_ms: float, gap_ms: float) -> bool:
    """
    Tell whether a cron explains times well enough to be called theirs.

    Parameters
    ----------
    score
        Bits saved.
    share
        Share of the times sooner than halfway to the next tick, less the share of the later ones: none by chance.
    missed_share
        Share of the planned ticks that were missed, outages left out.
    delay_ms, gap_ms
        Median delay, and median time between two planned ticks [ms].

    Returns
    -------
    is_explained
        True where all of `MIN_SCORE`, `MIN_SHARE`, `MAX_MISSED` hold and the delay is short, at most `MAX_DELAY_MS` or
        `MAX_DELAY_SHARE` of the gap. People who click at random, at work or in the evening fail one of them.
    """
    is_prompt = delay_ms <= max(MAX_DELAY_MS, MAX_DELAY_SHARE * gap_ms)
    return score >= MIN_SCORE and share >= MIN_SHARE and missed_share <= MAX_MISSED and is_prompt


def describe(ms: Int64, found: Found, score: float, *, is_zone_free: bool) -> dict[str, Any]:
    """Give one row of the table for sorted instants [ms]."""
    ticks = ticks_around(
        found.texts, found.tz, int(ms[0]) - found.offset + EARLY_MS, int(ms[-1]) - found.offset + EARLY_MS
    )
    if ticks is None:
        raise AssertionError("a candidate without ticks cannot have been found")
    matched = match(ms, ticks + found.offset)
    is_first = np.diff(matched.tick, prepend=-1) > 0
    n, n_hits, n_planned = len(ms), int(is_first.sum()), int(matched.tick[-1] - matched.tick[0]) + 1
    gaps = np.diff(ticks, append=2 * ticks[-1] - ticks[-2 if len(ticks) > 1 else -1])
    share = max(0.0, 2 * float((matched.delay <= gaps[matched.tick] / 2).mean()) - 1)
    delays = matched.delay[is_first]
    delay, late = np.quantile(delays, (0.5, 0.95)).tolist()
    missed_share, gap = _missed_share(matched.tick[is_first]), float(np.median(gaps))
    return {
        "planned_at": int(ticks[0]),
        "cron": found.cron,
        "tz": found.tz,
        "score": score,
        "share_explained": share,
        "is_explained": is_explained(score=score, share=share, missed_share=missed_share, delay_ms=delay, gap_ms=gap),
        "undetermined": ", ".join(undetermined(found, ticks[matched.tick[is_first]], is_zone_free=is_zone_free)),
        "offset": found.offset,
        "delay_median": round(delay),
        "delay_p95": round(late),
        "n": n,
        "n_planned": n_planned,
        "n_missed": n_planned - n_hits,
        "n_duplicate": n - n_hits,
    }


def _missed_share(answered: Int64) -> float:
    """
    Give the share of the ticks that were missed, between those answered, without outages.

    An outage is a long silence in a series most of whose times follow the one before at the next tick. Where ticks are
    skipped all the time, as every 7 hours skips six of an hourly cron, no silence is one.
    """
    skipped = answered[1:] - answered[:-1] - 1
    if len(skipped) and np.median(skipped) == 0:
        skipped = skipped[skipped < OUTAGE]
    return float(skipped.sum() / (skipped.sum() + len(answered)))


def typed_table(model: type[Table], rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make a typed table of rows, whose instants and durations are in milliseconds."""
    columns = {name: [row[name] for row in rows] for name in model.names()}
    return pd.DataFrame({name: _column(columns[name], column.dtype) for name, column in model.declared.items()})


def _column(values: list[Any], dtype: Any) -> Any:  # noqa: ANN401 - any of pandas' arrays
    if dtype.kind in "mM":
        ms = np.array(values, dtype=np.int64)
        return to_durations(ms) if dtype.kind == "m" else to_instants(ms)
    return pd.array(values, dtype=dtype)


def sorted_ms(times: Times) -> Int64:
    """Read instants as users hand them over [ms]."""
    try:
        index = pd.DatetimeIndex(cast("pd.Series[Any]", times))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`times` holds what is no instant ({error}); give instants with an offset, such as a column `invoked_at`."
        ) from error
    if index.tz is None and len(index):
        raise InputError(f"`times` is {index.dtype}, without an offset; say which zone it is in with `tz_localize`.")
    return np.sort(index.dropna().to_numpy(dtype="datetime64[ms]").view(np.int64))
