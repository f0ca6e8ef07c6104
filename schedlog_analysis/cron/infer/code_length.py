"""A code length is how many bits it takes to write down when a schedule ran, given a cron: fewer bits, better cron."""

from __future__ import annotations

from math import lgamma, log, log2
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Bits = npt.NDArray[np.float64]

EARLY_MS = 250  # clocks disagree: an invocation this little before a tick belongs to it
PROMPT_MS = 2000  # delays below are one bin: a constant second of delay must not look like a seconds field
_BINS = (1 / 32,) * 32  # prior counts of the bins: nothing is known of them
_KINDS = (1.0, 16.0, 2.0)  # of a duplicate, the next tick, a later one: a schedule is believed to run until it does not
_LOG2 = log(2)


class Match(NamedTuple):
    """Which tick each time belongs to, and how long after it it came."""

    tick: Int64
    """Position of the tick, per time."""
    delay: Int64
    """Time after the tick, per time [ms]."""


def match(times: Int64, ticks: Int64) -> Match:
    """
    Give each time the latest tick at or before it, or the first tick where there is none.

    Parameters
    ----------
    times, ticks
        Sorted instants [ms]; at least one tick.

    Returns
    -------
    match
        As long as `times`.
    """
    tick = np.maximum(ticks.searchsorted(times + EARLY_MS, side="right") - 1, 0)
    return Match(tick, np.abs(times - ticks[tick]))


def match_bits(found: Match) -> float:
    """
    Bits for times that were matched to ticks: from tick to tick, and from each tick to its time.

    Notes
    -----
    ``bits = L(steps) + L(delays of first times) + L(delays of duplicates)``. A step is how many ticks further the next
    time is: 0 is a duplicate, 1 the next tick, s > 1 means s - 1 missed ticks. First comes which of the three it is,
    with prior counts of 1, 16 and 2. The number of missed ticks and the delays are coded in bins that double in width,
    so that an outage costs the logarithm of its length: the bin with prior counts of 1/32, the place in it uniformly.
    Labels x with prior counts a cost ``-log2`` of ``Gamma(A) / Gamma(N + A)`` times the product of
    ``Gamma(n_x + a_x) / Gamma(a_x)``, where n_x counts the label, and A and N are sums: what was frequent is cheap.
    """
    steps = np.diff(found.tick, prepend=found.tick[0] - 1)
    return _step_bits(steps[1:]) + _delay_bits(found.delay[steps > 0]) + _delay_bits(found.delay[steps == 0])


def null_bits(times: Int64) -> float:
    """Bits for the same times without any cron: every interval coded as a delay is."""
    return _delay_bits(np.diff(times, prepend=times[0]))


def each_bits(found: Match, shares: Bits) -> Bits:
    """
    Bits of each time on its own, as :func:`match_bits` but with fixed shares of the delay bins, so that they add up.

    Parameters
    ----------
    found
        Times matched to ticks.
    shares
        Probability of each delay bin, as :func:`delay_shares` gives it.

    Returns
    -------
    bits
        As long as the times; the first has no step.
    """
    steps = np.diff(found.tick, prepend=found.tick[0] - 1)
    kinds = -np.log2(np.array(_KINDS) / sum(_KINDS))[steps.clip(0, 2)]
    missed = np.where(steps > 1, 2 * np.frexp((steps - 1).clip(1))[1] - 1, 0)  # Elias gamma code
    bins = _delay_bins(found.delay)
    bits: Bits = kinds + missed - np.log2(shares[bins]) + log2(PROMPT_MS) + (bins - 1).clip(0)
    return bits


def delay_shares(delays: Int64) -> Bits:
    """Share of each delay bin, none of them zero."""
    counts = np.bincount(_delay_bins(delays), minlength=len(_BINS)) + np.array(_BINS)
    shares: Bits = counts / counts.sum()
    return shares


def _delay_bins(delays: Int64) -> npt.NDArray[np.int32]:
    """0 below PROMPT_MS, b from PROMPT_MS * 2**(b-1) to PROMPT_MS * 2**b."""
    bins: npt.NDArray[np.int32] = np.frexp(delays / PROMPT_MS)[1].clip(0, len(_BINS) - 1)
    return bins


def _delay_bits(delays: Int64) -> float:
    bins = _delay_bins(delays)
    inside = len(bins) * log2(PROMPT_MS) + float((bins - 1).clip(0).sum())
    return _adaptive_bits(bins, _BINS) + inside


def _step_bits(steps: Int64) -> float:
    bins = np.frexp(steps[steps > 1] - 1)[1] - 1  # of the number of missed ticks: 1, 2 to 3, 4 to 7, ...
    return _adaptive_bits(steps.clip(0, 2), _KINDS) + _adaptive_bits(bins, _BINS) + float(bins.sum())


def _adaptive_bits(labels: npt.NDArray[np.integer[Any]], prior: tuple[float, ...]) -> float:
    """Give ``-log2`` of the Dirichlet-multinomial probability of a sequence of labels 0, 1, ..."""
    counts = np.bincount(labels, minlength=len(prior)).tolist()
    nats = lgamma(len(labels) + sum(prior)) - lgamma(sum(prior))
    nats -= sum(lgamma(count + p) - lgamma(p) for count, p in zip(counts, prior, strict=True) if count)
    return nats / _LOG2


def delay_spread(found: Match) -> float:
    """Interquartile range of the delays [ms]."""
    low, high = np.quantile(found.delay, (0.25, 0.75)).tolist()
    return float(high - low)


def offset_bits(offset_ms: int, spread_ms: float) -> float:
    """Bits for a constant delay, written only as precisely as the delays spread (Elias gamma code)."""
    return 2 * log2(1 + offset_ms / max(spread_ms, EARLY_MS)) + 1
