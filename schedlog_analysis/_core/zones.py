"""A zone is one IANA time zone as numbers: the instants at which its UTC offset changes, and the offsets between."""

from __future__ import annotations

import bisect
import zoneinfo
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate, repeat
from operator import add
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from schedlog_analysis.errors import CronError

Int64 = npt.NDArray[np.int64]

LAST_YEAR = 2199

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - counts local time
_WEEK = timedelta(weeks=1)  # since 1969 no zone has changed its offset and changed it back in less
_WEEKS = list(accumulate(repeat(_WEEK, 12_053), add, initial=_EPOCH - 52 * _WEEK))  # to the end of LAST_YEAR
_STEPS = [timedelta(seconds=2**n) for n in reversed(range(20))]  # adding these is faster than making new ones


class Segment(NamedTuple):
    """Some time with one UTC offset, and the changes around it, which may lie outside the stretch that was cut."""

    begins: int
    """Where it begins in the stretch [s since the epoch]."""
    ends: int
    """Where it ends in the stretch, exclusive [s since the epoch]."""
    offset: int
    """Local time minus UTC [s]."""
    opened_at: int
    """The change that opened it [s since the epoch]."""
    previous: int
    """The offset before that change; equal to `offset` where there was no change [s]."""
    closed_at: int
    """The change that closes it [s since the epoch]."""
    following: int
    """The offset after that change; equal to `offset` where no change comes [s]."""


@dataclass(frozen=True)
class Zone:
    """
    The UTC offsets of one time zone from 1970 to `LAST_YEAR`.

    `changes` are the instants [s since the epoch] and `offsets` hold before, between and after them [s].
    """

    name: str
    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    def segments(self, begins: int, ends: int) -> list[Segment]:
        """
        Cut a stretch of time into segments of one UTC offset.

        Parameters
        ----------
        begins, ends
            The stretch, half-open [s since the epoch].

        Returns
        -------
        segments
            In order and without holes; one where the stretch holds no change.

        Examples
        --------
        >>> [s.offset for s in load_zone("Europe/Prague").segments(1743200000, 1743300000)]
        [3600, 7200]
        """
        first = bisect.bisect_right(self.changes, begins)
        last = bisect.bisect_left(self.changes, ends)
        # a change that is none stands at either end, where no change is known
        at = (*(self.changes[first - 1 : first] or (begins,)), *self.changes[first : last + 1], ends)
        to = (*(self.offsets[first - 1 : first] or self.offsets[:1]), *self.offsets[first : last + 2], self.offsets[-1])
        return [
            Segment(max(begins, at[i]), min(ends, at[i + 1]), to[i + 1], at[i], to[i], at[i + 1], to[i + 2])
            for i in range(last - first + 1)
        ]

    def local_ms(self, instants: Int64) -> Int64:
        """
        Return what clocks show at instants, as if it were UTC [ms since the epoch].

        Examples
        --------
        >>> load_zone("Asia/Tokyo").local_ms(np.array([0])).tolist()
        [32400000]
        """
        if not len(instants):
            return instants
        segments = self.segments(int(instants.min()) // 1000, int(instants.max()) // 1000 + 1)
        opened = np.array([segment.begins for segment in segments[1:]], dtype=np.int64) * 1000
        offsets = np.array([segment.offset for segment in segments], dtype=np.int64) * 1000
        return instants + (offsets[np.searchsorted(opened, instants, side="right")] if len(opened) else offsets[0])


@lru_cache(maxsize=1024)
def load_zone(name: str) -> Zone:
    """
    Read a time zone once per process.

    The database is that of :mod:`zoneinfo`, which shows offsets but not when they change; those instants are searched.

    Parameters
    ----------
    name
        IANA name, such as ``"Europe/Prague"``.

    Returns
    -------
    zone
        Its offsets; a zone without changes has one offset and no change.

    Raises
    ------
    CronError
        There is no such zone.

    Examples
    --------
    >>> load_zone("Asia/Tokyo").offsets
    (32400,)
    """
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise CronError(
            f"There is no time zone {str(name)[:80]!r}; give an IANA name such as 'Europe/Prague' or 'UTC'."
        ) from error
    return Zone(name, *_find_changes(zone))


def _find_changes(zone: zoneinfo.ZoneInfo) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """
    Return the changes and the offsets, one more than the changes.

    :mod:`zoneinfo` knows the offset of a local time; while clocks skip or repeat a stretch, that is the offset before.
    So the offsets of successive weeks are compared, and the last second before a change is found by binary search.
    """
    offsets, changes = [zone.utcoffset(_WEEKS[0])], []
    for week, following, last in zip(_WEEKS, _WEEKS[1:], map(zone.utcoffset, _WEEKS[1:]), strict=False):
        at = week
        while offsets[-1] != last:  # twice where two changes fall into one week
            for step in _STEPS:
                if (later := at + step) < following and zone.utcoffset(later) == offsets[-1]:
                    at = later
            at += _STEPS[-1]
            offsets.append(zone.utcoffset(at))
            changes.append((at - _EPOCH) // _STEPS[-1] - max(_seconds(offset) for offset in offsets[-2:]))
    return tuple(changes), tuple(map(_seconds, offsets))


def _seconds(offset: timedelta | None) -> int:
    return cast("timedelta", offset) // timedelta(seconds=1)
