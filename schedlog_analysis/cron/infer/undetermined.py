"""A field is undetermined while some value of it was never due, so that nobody can say whether the cron has it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schedlog_analysis.cron.infer.observed import DAY_MS, FIELDS, Texts, days_of, distinct, local_ms
from schedlog_analysis.cron.infer.search import Found, ticks_around
from schedlog_analysis.cron.infer.zones import ZONES

Int64 = npt.NDArray[np.int64]

NAMES = ("second", "minute", "hour", "day", "month", "weekday")
_SECOND, _HOUR, _DAY, _MONTH, _WEEKDAY = 0, 2, 3, 4, 5
_UNIT_MS = (1000, 60_000, 3_600_000)  # of second, minute and hour
_YEAR = 366  # days


def undetermined(found: Found, hits: Int64, *, is_zone_free: bool) -> list[str]:
    """
    Name the fields that the times cannot tell yet.

    Parameters
    ----------
    found
        The candidate.
    hits
        Its ticks that were answered, without its constant delay; sorted [ms].
    is_zone_free
        Whether the zone was inferred, too.

    Returns
    -------
    names
        Of `NAMES` and ``"tz"``, in this order; empty if all are determined.
    """
    first = _SECOND + (found.texts[_SECOND] == "0")
    local = local_ms(hits, found.tz)
    names = [NAMES[part] for part in range(first, len(FIELDS)) if _is_open(part, found, hits, local)]
    return [*names, "tz"] if is_zone_free and _is_zone_open(found, hits) else names


def _is_open(part: int, found: Found, hits: Int64, local: Int64) -> bool:
    """Whether some value would not have been due even with ``*`` in the field, or was due by ``*`` and never came."""
    every = set(FIELDS[part].values)
    if part in (_DAY, _WEEKDAY):
        due = np.arange(local[0] // DAY_MS, local[-1] // DAY_MS + 1) * DAY_MS
        is_star = found.texts[_DAY] == found.texts[_WEEKDAY] == "*"
    else:
        ticks = ticks_around(_starred(found.texts, part), found.tz, int(hits[0]), int(hits[-1]))
        due = local if ticks is None else local_ms(ticks, found.tz)
        is_star = found.texts[part] == "*"
    return not every <= _values(part, due) or (is_star and not every <= _values(part, local))


def _starred(texts: Texts, part: int) -> Texts:
    second, minute, hour, dom, month, dow = ("*" if i == part else text for i, text in enumerate(texts))
    return second, minute, hour, dom, month, dow


def _values(part: int, local: Int64) -> set[int]:
    if part <= _HOUR:
        return set(np.flatnonzero(np.bincount(local // _UNIT_MS[part] % FIELDS[part].size)).tolist())
    days = days_of(distinct(local // DAY_MS))
    return set({_DAY: days.dom, _MONTH: days.month, _WEEKDAY: days.dow}[part].tolist())


def _is_zone_open(found: Found, hits: Int64) -> bool:
    """Whether the zone matters, and another zone has had the same clock changes so far but will not in a year."""
    if set(found.texts[_HOUR:]) == {"*"}:
        return False
    seen = distinct(hits // DAY_MS) * DAY_MS if len(hits) > _YEAR else hits
    ahead = hits[-1] + np.arange(_YEAR) * DAY_MS
    return any(_moves_with(zone, found.tz, seen) and not _moves_with(zone, found.tz, ahead) for zone in ("UTC", *ZONES))


def _moves_with(zone: str, other: str, instants: Int64) -> bool:
    return int(np.ptp(local_ms(instants, zone) - local_ms(instants, other))) == 0
