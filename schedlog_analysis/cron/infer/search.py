"""A search tries the ways in which times may come from a cron: on the minute or second, late, in another zone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schedlog_analysis.cron.infer.code_length import null_bits
from schedlog_analysis.cron.infer.descent import HOUR_MS, MINUTE_MS, SECOND_MS, Descent, Found
from schedlog_analysis.cron.infer.fields import SECOND, write
from schedlog_analysis.cron.infer.late import is_late, search_late, search_rounder
from schedlog_analysis.cron.infer.observed import disorder
from schedlog_analysis.cron.infer.zones import ZONES

Int64 = npt.NDArray[np.int64]

ZONE_BITS = 6.0  # one zone among some sixty
_N_BLOCKS, _BLOCK = 20, 200  # what is looked at of longer series
_DENSEST = 4  # ticks per time of the whole series that are still looked at
_N_AGAIN = 20  # candidates that are then measured on all
_NIGHT_MS = 6 * HOUR_MS  # without a time that may be the plan in some zone
_N_ZONES, _ALIKE_BITS = 8, 30.0  # that are looked at closely; a cron may move a tick at a change of the clocks
_MAX_SECONDS = 12  # values in a seconds field that leave the times clustered
_FREQUENT = 0.4  # of the most frequent second
_CLUSTERED = 0.6  # share of the times within two seconds of those values


def search(times: Int64, tz: str | None) -> list[Found]:
    """
    Look for the crons behind the times of one schedule.

    Parameters
    ----------
    times
        Sorted instants [ms].
    tz
        The zone; None to infer it.

    Returns
    -------
    found
        Every candidate tried, best first.
    """
    some, most = _sample(times), _DENSEST * len(times)
    found = _search_zone(some, tz or "UTC", 0.0, most)
    if tz is None and found and found[0].bits < null_bits(some) and not _is_around_the_clock(some, found[0]):
        for zone in _likely_zones(some):
            found = _ranked([*found, *_search_zone(some, zone, ZONE_BITS, most)])
    return found if some is times else _again(times, found[:_N_AGAIN])


def _is_around_the_clock(times: Int64, best: Found) -> bool:
    """Whether a zone does not matter: every hour of every day is planned, and no night was left out."""
    return set(best.texts[2:]) == {"*"} and int(np.diff(times).max()) < _NIGHT_MS


def _likely_zones(times: Int64) -> list[str]:
    """Give the zones in whose wall clock the times keep to fewer hours and days than in UTC, the likeliest first."""
    most = disorder(times, "UTC") - ZONE_BITS
    ranked = sorted((bits, i) for i, zone in enumerate(ZONES) if (bits := disorder(times, zone)) < most)
    return [ZONES[i] for bits, i in ranked[:_N_ZONES] if bits <= ranked[0][0] + _ALIKE_BITS]


def _sample(times: Int64) -> Int64:
    """Keep blocks of neighbours, evenly spread, of what is too much to try everything on."""
    if len(times) <= _N_BLOCKS * _BLOCK:
        return times
    starts = np.linspace(0, len(times) - _BLOCK, _N_BLOCKS).astype(np.intp)
    sample: Int64 = times[np.unique(starts[:, None] + np.arange(_BLOCK))]
    return sample


def _again(times: Int64, found: list[Found]) -> list[Found]:
    """Measure candidates on all the times."""
    measured = []
    for candidate in found:
        descent = Descent(times, candidate.tz, 0.0 if candidate.tz == "UTC" else ZONE_BITS)
        measured.append(candidate._replace(bits=descent.bits(candidate.texts, candidate.offset)))
    return _ranked(measured)


def _ranked(found: list[Found]) -> list[Found]:
    """Sort the best first; the order of the zones settles ties."""
    return sorted(found, key=lambda candidate: round(candidate.bits, 6))


def _search_zone(times: Int64, tz: str, zone_bits: float, most: int) -> list[Found]:
    descent = Descent(times, tz, zone_bits, most)
    local = descent.local
    descent.descend(local - local % MINUTE_MS)
    seconds = _clustered_seconds(local)
    if seconds != "0":
        descent.descend(local - local % SECOND_MS, seconds)
    found = descent.found()
    if not found or is_late(descent, found[0]):
        search_late(descent)
    search_rounder(descent)
    return descent.found()


def _clustered_seconds(local: Int64) -> str:
    """Give the seconds field around whose values the times cluster; ``0`` if they do not."""
    counts = np.bincount(local // SECOND_MS % 60, minlength=60)
    top = np.flatnonzero(counts > _FREQUENT * counts.max())
    near = counts[np.unique((top[:, None] + np.arange(2)) % 60)].sum()
    is_clustered = len(top) <= _MAX_SECONDS and near >= _CLUSTERED * len(local)
    return write(tuple(top[np.diff(top, prepend=-9) > 1].tolist()), SECOND) if is_clustered else "0"
