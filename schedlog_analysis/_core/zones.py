"""A zone is one IANA time zone as numbers: the instants at which its UTC offset changes, and the offsets between."""

from __future__ import annotations

import bisect
import re
import struct
import zoneinfo
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schedlog_analysis.errors import CronError

Int64 = npt.NDArray[np.int64]

LAST_YEAR = 2199

_YEAR = 31_556_952  # s, on average

_HEADER = struct.Struct(">4sc15x6I")
_RULE_DATE = re.compile(r"(?:M(\d+)\.(\d+)\.(\d+)|(J?)(\d+))(?:/([+-]?[\d:]+))?")
_FOOTER = re.compile(
    r"(?:[A-Za-z]{3,}|<[^>]+>)(?P<std>[+-]?[\d:]+)"
    r"(?:(?:[A-Za-z]{3,}|<[^>]+>)(?P<dst>[+-]?[\d:]+)?,(?P<start>[^,]+),(?P<end>[^,]+))?"
)


class Segment(NamedTuple):
    """A stretch of a window with one UTC offset, and the changes around it, which may lie outside the window."""

    begins: int
    """Where it begins in the window [s since the epoch]."""
    ends: int
    """Where it ends in the window, exclusive [s since the epoch]."""
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
    """The UTC offsets of one time zone from 1970 to `LAST_YEAR`."""

    name: str
    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    def segments(self, begins: int, ends: int) -> list[Segment]:
        """
        Cut a window into stretches of one UTC offset.

        Parameters
        ----------
        begins, ends
            The window, half-open [s since the epoch].

        Returns
        -------
        segments
            In order and without holes; one where the window holds no change.

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

    def local_ms(self, moments: Int64) -> Int64:
        """
        Return what clocks show at moments, as if it were UTC [ms since the epoch].

        Examples
        --------
        >>> load_zone("Asia/Tokyo").local_ms(np.array([0])).tolist()
        [32400000]
        """
        if not len(moments):
            return moments
        segments = self.segments(int(moments.min()) // 1000, int(moments.max()) // 1000 + 1)
        opened = np.array([segment.begins for segment in segments[1:]], dtype=np.int64) * 1000
        offsets = np.array([segment.offset for segment in segments], dtype=np.int64) * 1000
        return moments + (offsets[np.searchsorted(opened, moments, side="right")] if len(opened) else offsets[0])


@lru_cache(maxsize=1024)
def load_zone(name: str) -> Zone:
    """
    Read a time zone once per process.

    The system's time zone database comes first and the `tzdata` package second, as in :mod:`zoneinfo`; after the last
    change stored there, the rule in the file's footer holds [1]_.

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

    References
    ----------
    .. [1] RFC 9636, The Time Zone Information Format (TZif).

    Examples
    --------
    >>> load_zone("Asia/Tokyo").offsets
    (32400,)
    """
    try:
        zoneinfo.ZoneInfo(name)  # refuses what is no zone, and names that leave the database's folder
        changes, offsets, footer = _parse_tzif(_read_tzif(name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise CronError(
            f"There is no time zone {str(name)[:80]!r}; give an IANA name such as 'Europe/Prague' or 'UTC'."
        ) from error
    return Zone(name, *_tidy(*_extend(changes, offsets, footer)))


def _read_tzif(name: str) -> bytes:
    """Find the zone's file where :mod:`zoneinfo` would, which keeps its arrays to itself."""
    for root in zoneinfo.TZPATH:
        path = Path(root, name)
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def _parse_tzif(data: bytes) -> tuple[Int64, Int64, str]:
    """Return the changes, the offsets (one more than the changes) and the footer of a TZif file."""
    _, version, *counts = _HEADER.unpack_from(data)
    position, width = _HEADER.size, 4
    if version >= b"2":  # the second block repeats the first in 64 bits
        position += _block_size(counts, width)
        _, _, *counts = _HEADER.unpack_from(data, position)
        position, width = position + _HEADER.size, 8
    n_changes, n_types = counts[3], counts[4]
    changes = np.frombuffer(data, f">i{width}", n_changes, position).astype(np.int64)
    kinds = np.frombuffer(data, "u1", n_changes, position + n_changes * width)
    types = np.frombuffer(
        data, [("offset", ">i4"), ("is_dst", "u1"), ("name", "u1")], n_types, position + n_changes * (width + 1)
    )
    offsets = types["offset"][np.concatenate([[0], kinds]).astype(np.intp)].astype(np.int64)
    footer = data[position + _block_size(counts, width) :].decode("ascii").strip("\n")
    return changes, offsets, footer


def _block_size(counts: list[int], width: int) -> int:
    n_ut, n_std, n_leaps, n_changes, n_types, n_chars = counts
    return n_changes * (width + 1) + n_types * 6 + n_chars + n_leaps * (width + 4) + n_std + n_ut


def _extend(changes: Int64, offsets: Int64, footer: str) -> tuple[Int64, Int64]:
    """Apply the footer's rule to the years after the last stored change."""
    rule = _FOOTER.fullmatch(footer)
    if rule is None or rule["start"] is None:
        return changes, offsets
    standard = -_seconds(rule["std"])  # POSIX counts west of Greenwich as positive
    summer = -_seconds(rule["dst"]) if rule["dst"] else standard + 3600
    last = int(changes[-1]) if len(changes) else -(2**62)
    first_year = 1970 + max(0, last // _YEAR - 1)
    years = np.arange(first_year, LAST_YEAR + 1) - 1970
    at = np.concatenate([_rule_instants(rule["start"], years) - standard, _rule_instants(rule["end"], years) - summer])
    to = np.repeat(np.array([summer, standard], dtype=np.int64), len(years))
    order = np.argsort(at, kind="stable")
    order = order[at[order] > last]
    return np.concatenate([changes, at[order]]), np.concatenate([offsets, to[order]])


def _rule_instants(text: str, years: Int64) -> Int64:
    """Return the local seconds since the epoch of a POSIX rule such as ``M3.5.0/2`` in each year since 1970."""
    match = _RULE_DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    month, week, weekday, julian, day, time = match.groups()
    if month is None:
        start = years.astype("M8[Y]").astype("M8[D]").astype(np.int64)
        leap = (years + 1970) % 4 == 0  # true of every year from 1970 to LAST_YEAR but 2100, put right below
        leap &= years + 1970 != 2100  # noqa: PLR2004 - the one century in range that has no leap day
        days = start + int(day) - (1 if julian else 0) + (leap & bool(julian) & (int(day) > 59))  # noqa: PLR2004 - 28 Feb
    else:
        months = years * 12 + int(month) - 1
        start, following = (m.astype("M8[M]").astype("M8[D]").astype(np.int64) for m in (months, months + 1))
        days = start + (int(weekday) - start - 4) % 7 + 7 * (int(week) - 1)  # 1970-01-01 was a Thursday, day 4
        days -= 7 * (days >= following)
    instants: Int64 = days * 86_400 + (_seconds(time) if time else 7200)
    return instants


def _seconds(text: str) -> int:
    """Read ``[+-]h[h][h][:mm[:ss]]``."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _tidy(changes: Int64, offsets: Int64) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Drop changes of the name alone, which leave the offset as it is, and those long before the epoch."""
    real = np.flatnonzero(np.diff(offsets))
    real = real[np.searchsorted(changes[real], -_YEAR) :]
    before = offsets[real[0]] if len(real) else offsets[-1]
    return tuple(changes[real].tolist()), (int(before), *offsets[real + 1].tolist())
