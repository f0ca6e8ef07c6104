"""
An Archive is a folder that keeps what the API forgets: entries, fetches, definitions and runs, each a grow-only set.

Writing only ever adds parts; reading is the union of all parts. So nothing is locked, a writer may be killed at any
instant, several may write at once, and a copy of two archives into one folder is their union.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import reduce
from itertools import groupby
from operator import and_
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import fs

from schedlog_analysis._core.instants import InstantLike, instant_ms, to_instants
from schedlog_analysis.errors import ArchiveError, InputError
from schedlog_analysis.schema import Log, Runs, Schedules, is_full
from schedlog_analysis.sources.archive.merge import news, number, union
from schedlog_analysis.sources.archive.parts import (
    DAMAGE,
    END_MONTH,
    FETCHES,
    FIRST_MONTH,
    KINDS,
    LOG,
    RUNS,
    SCHEDULES,
    Kind,
    Part,
    Parts,
    digest,
    report,
    to_arrow,
    to_frame,
    without_keys,
)
from schedlog_analysis.sources.coverage import covered, extent
from schedlog_analysis.sources.parse import sort_log

_FEW = 16  # schedules for which skipping row groups is faster than reading everything as codes
_ATTEMPTS = 100
_DAY = 86_400  # seconds after which a temporary file belongs to nobody


class Archive:
    """
    What was fetched of an account, kept for good.

    Parameters
    ----------
    location
        Folder, or URL of an object store such as ``s3://bucket/prefix``; made by the first `append`.
    errors
        What a damaged file does to reading and compacting: ``"raise"`` an ArchiveError that names it, or ``"skip"`` it
        with a warning that names it. Appending never minds. A stray file that no archive wrote is always skipped so.
    filesystem
        A ``pyarrow.fs.FileSystem`` in which `location` is a path, for stores that need more than a URL.

    Examples
    --------
    >>> import tempfile
    >>> from schedlog_analysis.sources.parse import parse_log
    >>> entry = {"message": "Schedule invoked", "level": "INFO", "createdAt": "2026-01-01T00:00:00.000Z"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     archive = Archive(folder)
    ...     for minute in (1, 2):  # the same window twice is the same set; two true repeats stay two
    ...         new = archive.append(parse_log([entry, entry], "abc"), fetched_at=f"2026-01-01T00:0{minute}:00Z")
    ...     len(archive.read_log()), len(archive.read_fetches()), len(new)
    (2, 2, 0)
    """

    def __init__(
        self,
        location: str | os.PathLike[str],
        *,
        errors: Literal["raise", "skip"] = "raise",
        filesystem: fs.FileSystem | None = None,
    ) -> None:
        self.location = os.fspath(location)
        self.errors = errors
        self._parts = Parts(self.location, filesystem)

    def __repr__(self) -> str:
        return f"Archive({without_keys(self.location)!r})"

    def exists(self) -> bool:
        """Whether anything was ever written here; reading an archive that does not exist gives empty tables."""
        return self._parts.exists()

    def append(
        self, log: pd.DataFrame, fetched_at: InstantLike, schedules: Iterable[str] | Mapping[str, int] | None = None
    ) -> pd.DataFrame:
        """
        Add one fetch: of each schedule one answer of the API.

        Parameters
        ----------
        log
            Log of any number of schedules, each as one answer showed it.
        fetched_at
            When the API was asked: an instant just before, since the answer may miss what happened after it.
        schedules
            All schedules that were asked, so that an empty answer is remembered too; by default those in `log`. As a
            mapping, how many entries each answer had, where that is more than could be read: a full window is known
            by it.

        Returns
        -------
        new
            Log of the entries that the archive did not have; empty if it had all.

        Raises
        ------
        InputError
            If `fetched_at` is no instant from 2015 to 2099, as of a wrong clock.
        ArchiveError
            If the place cannot be written; what the archive had is untouched.
        """
        log = sort_log(Log.accept(log))
        looks = _fetches(log, _checked_fetch(fetched_at), schedules)
        new = self._add(LOG, number(log))
        # The fetch lands last: coverage must never claim an entry that is not there.
        self._add(FETCHES, looks)
        return new

    def append_runs(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Add states of runs and return the runs that are new; of a run seen in several states the latest counts."""
        return self._add(RUNS, Runs.accept(runs))

    def append_schedules(self, schedules: pd.DataFrame) -> pd.DataFrame:
        """Add definitions of schedules and return the versions (`modified_at`) that are new; all versions are kept."""
        return self._add(SCHEDULES, Schedules.accept(schedules))

    def read_log(
        self,
        schedules: Iterable[str] | None = None,
        since: InstantLike | None = None,
        until: InstantLike | None = None,
        *,
        categories: bool = False,
    ) -> pd.DataFrame:
        """
        Read entries; months and schedules that are not asked for are hardly touched.

        Parameters
        ----------
        schedules
            Ids of the schedules; all by default.
        since, until
            First instant, and the instant after the last; open by default.
        categories
            Whether text columns come as categoricals: much faster and smaller where there are millions of entries.

        Returns
        -------
        log
            Log, sorted by schedule and time, entries of one instant in the order in which the API showed them; empty
            if there are none.

        Raises
        ------
        ArchiveError
            If a file is damaged (see `errors`); the message names it.
        """
        rows = self._rows(LOG, schedules, *_bounds(since, until))
        return to_frame(union(rows, LOG.key), LOG, categories=categories)

    def read_runs(
        self, schedules: Iterable[str] | None = None, since: InstantLike | None = None, until: InstantLike | None = None
    ) -> pd.DataFrame:
        """Read Runs that started from `since` to before `until`, each in its latest state, sorted by start and id."""
        rows = self._rows(RUNS, schedules, *_bounds(since, until))
        runs = to_frame(union(rows, RUNS.key), RUNS)
        return runs.sort_values(["started_at", "run_id"], ignore_index=True)

    def read_schedules(self, *, latest: bool = False) -> pd.DataFrame:
        """Read all versions of all Schedules, sorted by id and `modified_at`, or only the latest of each."""
        versions = to_frame(union(self._rows(SCHEDULES), SCHEDULES.key), SCHEDULES)
        return versions.drop_duplicates("schedule_id", keep="last", ignore_index=True) if latest else versions

    def read_fetches(
        self, schedules: Iterable[str] | None = None, since: InstantLike | None = None, until: InstantLike | None = None
    ) -> pd.DataFrame:
        """Read what was fetched from `since` to before `until` (see `schema.Fetches`), sorted by schedule and time."""
        return to_frame(union(self._rows(FETCHES, schedules, *_bounds(since, until)), FETCHES.key), FETCHES)

    def coverage(self, schedules: Collection[str] | None = None) -> pd.DataFrame:
        """Say for each schedule what the archive can and cannot show, see `schema.Coverage`."""
        extents = [extent(log) for log in self._by_month(schedules)]  # a month at a time, to hold no more in memory
        table = pd.concat([extent(pd.DataFrame(Log.empty())), *extents]).groupby(level=0)
        whole = table.agg({"first_at": "min", "last_at": "max", "n_entries": "sum"})
        return covered(whole, self.read_fetches(schedules))

    def compact(self, min_parts: int = 2) -> int:
        """
        Merge the parts of every month that has at least `min_parts`, and sweep what killed writers left behind.

        Every append adds parts and every reading opens them: who syncs every few minutes calls this after each sync
        with, say, 50. No answer changes: the merged part is safe on disk before the first old one goes, and a crash in
        between leaves rows twice, which reading collapses.

        Returns
        -------
        removed
            Files that are gone.
        """
        old = time.time() - _DAY
        swept = [info.path for kind in KINDS for info in self._parts.left_overs(kind) if info.mtime.timestamp() < old]
        for path in swept:
            self._parts.remove(path)
        full = [(kind, month) for kind in KINDS for month, parts in self._months(kind) if len(parts) >= min_parts]
        return len(swept) + sum(self._merge(kind, month) for kind, month in full)

    def verify(self) -> pd.DataFrame:
        """
        Read every byte of the archive.

        Returns
        -------
        files
            One row per file: path, kind, n_bytes, n_rows, and problem, missing if there is none: damaged,
            not written by an archive, or left over from an interrupted write. Empty if nothing was ever written.
        """
        rows = []
        for part in (part for kind in KINDS for part in self._parts.find(kind)):
            with suppress(FileNotFoundError):  # a compaction has removed it since it was listed
                rows.append(self._examine(part))
        left = [info for kind in KINDS for info in self._parts.left_overs(kind)]
        rows += [(info.path, "", info.size, None, "was left by an interrupted write, harmless") for info in left]
        dtypes = {"path": "str", "kind": "str", "n_bytes": "Int64", "n_rows": "Int64", "problem": "str"}
        return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)

    def _add(self, kind: Kind, frame: pd.DataFrame) -> pd.DataFrame:
        """Write what the archive lacks, month by month, and return the rows whose key is new."""
        rows = to_arrow(frame, kind)
        new = [self._add_month(kind, month, part) for month, part in _by_month(rows, kind)]
        return to_frame(union(pa.concat_tables([rows.slice(0, 0), *new]).unify_dictionaries(), kind.key), kind)

    def _add_month(self, kind: Kind, month: str | None, rows: pa.Table) -> pa.Table:
        changed = new = rows
        if kind is not FETCHES:  # a fetch is news by its nature, and asking would open every part
            ids = pc.unique(rows["schedule_id"]).to_pylist() if kind is LOG else None
            times = rows[kind.at].cast("i8").to_numpy() if kind.at else None
            bounds = (None, None) if times is None else (int(times.min()), int(times.max()) + 1)
            changed, new = news(self._rows(kind, ids, *bounds, errors="ignore"), rows, kind.key)
        if len(changed):
            self._parts.write(kind, month, changed)
        return new

    def _by_month(self, schedules: Iterable[str] | None) -> Iterator[pd.DataFrame]:
        months = sorted({part.month for part in self._parts.find(LOG) if part.month})
        for first, last in map(_span, months) if months else [(None, None)]:
            yield to_frame(union(self._rows(LOG, schedules, first, last), LOG.key), LOG, categories=True)

    def _merge(self, kind: Kind, month: str | None) -> int:
        """Write the union of a month's parts as one part, then remove those; returns how many went."""
        for _ in range(_ATTEMPTS):
            parts = next((parts for name, parts in self._months(kind) if name == month), [])
            with suppress(FileNotFoundError):  # another compaction was faster
                parts, rows = self._read(parts, kind)
                if len(parts) < 2:  # noqa: PLR2004 - one part is merged already
                    return 0
                merged = self._parts.write(kind, month, union(rows, kind.key))
                gone = [part.path for part in parts if part.path != merged.path]
                for path in gone:
                    self._parts.remove(path)
                return len(gone)
        raise ArchiveError(_BUSY.format(without_keys(self.location)))

    def _months(self, kind: Kind) -> Iterator[tuple[str | None, list[Part]]]:
        parts = [part for part in self._parts.find(kind) if part.problem is None]
        parts.sort(key=lambda part: part.month or "")
        return ((month, list(group)) for month, group in groupby(parts, key=lambda part: part.month))

    def _rows(
        self,
        kind: Kind,
        schedules: Iterable[str] | None = None,
        first: int | None = None,
        last: int | None = None,
        *,
        errors: str | None = None,
    ) -> pa.Table:
        """Rows as they are in the parts, some of them twice; from `first` to before `last` [ms since 1970]."""
        ids = _ids(schedules)
        where = _where(kind, ids, first, last)
        for _ in range(_ATTEMPTS):
            parts = [part for part in self._parts.find(kind) if _overlaps(part.month, first, last)]
            with suppress(FileNotFoundError):  # a compaction has replaced a part since it was listed
                return self._read(parts, kind, where, errors, is_narrow=ids is not None and len(ids) <= _FEW)[1]
        raise ArchiveError(_BUSY.format(without_keys(self.location)))

    def _read(
        self,
        parts: list[Part],
        kind: Kind,
        where: ds.Expression | None = None,
        errors: str | None = None,
        *,
        is_narrow: bool = False,
    ) -> tuple[list[Part], pa.Table]:
        """Rows of the sound parts, and which those are; the others are told as `errors` says."""
        with ThreadPoolExecutor() as pool:
            flaws = list(pool.map(lambda part: part.problem or self._parts.mismatch(part), parts))
        problems = {part: flaw for part, flaw in zip(parts, flaws, strict=True) if flaw}
        sound = [part for part in parts if part not in problems]
        try:
            rows = self._parts.read(kind, sound, where, is_narrow=is_narrow)
        except FileNotFoundError:
            raise
        except DAMAGE:
            problems |= {part: damage for part in sound if (damage := self._parts.damage(part))}
            sound = [part for part in sound if part not in problems]
            rows = self._parts.read(kind, sound, where, is_narrow=is_narrow)
        for part, problem in problems.items():
            report(part, problem, errors or self.errors)
        return sound, rows

    def _examine(self, part: Part) -> tuple[str, str, int | None, int | None, str | None]:
        if not part.is_file:
            return part.path, part.kind.name, None, None, part.problem
        try:
            content = self._parts.content(part)
        except FileNotFoundError:
            raise
        except OSError as error:
            return part.path, part.kind.name, None, None, f"cannot be read: {error}"
        problem = part.problem or (
            None if digest(content) == part.hash else "is damaged: its content is not its name's"
        )
        rows = None if problem else self._parts.read(part.kind, [part])
        if rows is not None and part.month and any(month != part.month for month, _ in _by_month(rows, part.kind)):
            problem = "stands in the wrong month's folder, where reading does not look for its rows"
        return part.path, part.kind.name, len(content), None if rows is None else len(rows), problem


_BUSY = "The files in {} change too fast to be read together; try again when fewer writers are busy."


def _checked_fetch(fetched_at: InstantLike) -> int:
    """Refuse the time of a fetch [ms since 1970] that only a wrong clock gives: it would spoil every later report."""
    at = instant_ms(fetched_at, "fetched_at")
    if not FIRST_MONTH <= str(np.datetime64(at, "ms"))[:7] < END_MONTH:
        raise InputError(f"`fetched_at` is {fetched_at}; expected an instant from 2015 to 2099, so set the clock.")
    return at


def _fetches(log: pd.DataFrame, at: int, schedules: Iterable[str] | Mapping[str, int] | None) -> pd.DataFrame:
    grouped = log.groupby("schedule_id", observed=True)["created_at"]
    seen = pd.DataFrame(grouped.agg(n_entries="size", first_at="min", last_at="max"))
    looks = seen.reindex(sorted({*seen.index, *(_ids(schedules) or ())}))
    looks["n_entries"] = looks["n_entries"].fillna(0).astype("int64")
    if isinstance(schedules, Mapping):
        answered = pd.Series(schedules, dtype="int64").reindex(looks.index)
        looks["n_entries"] = answered.fillna(looks["n_entries"]).astype("int64")
    when = to_instants(np.full(len(looks), at))
    looks = looks.assign(fetched_at=when, is_truncated=is_full(looks["n_entries"]))
    return looks.rename_axis("schedule_id").reset_index()


def _ids(schedules: Iterable[str] | None) -> list[str] | None:
    """Sort ids; a single text is one id, not many letters."""
    return [schedules] if isinstance(schedules, str) else None if schedules is None else sorted(set(schedules))


def _by_month(rows: pa.Table, kind: Kind) -> Iterator[tuple[str | None, pa.Table]]:
    if kind.at is None:
        return iter([(None, rows)] if len(rows) else [])
    months = rows[kind.at].cast("i8").to_numpy().view("M8[ms]").astype("M8[M]")
    return ((str(month), rows.filter(pa.array(months == month))) for month in np.unique(months))


def _bounds(since: InstantLike | None, until: InstantLike | None) -> tuple[int | None, int | None]:
    return None if since is None else instant_ms(since, "since"), None if until is None else instant_ms(until, "until")


def _where(kind: Kind, ids: list[str] | None, first: int | None, last: int | None) -> ds.Expression | None:
    """What a row must fulfil, in terms that Parquet's statistics can answer for whole row groups."""
    terms = []
    if ids is not None:
        terms.append(pc.field("schedule_id").isin(pa.array(ids, pa.string())))
    if first is not None:
        terms.append(pc.field(kind.at) >= pa.scalar(first, pa.timestamp("ms", "UTC")))
    if last is not None:
        terms.append(pc.field(kind.at) < pa.scalar(last, pa.timestamp("ms", "UTC")))
    return reduce(and_, terms) if terms else None


def _overlaps(month: str | None, first: int | None, last: int | None) -> bool:
    """Whether a part of this month may hold rows from `first` to before `last`."""
    if month is None:
        return True
    begin, end = _span(month)
    return (last is None or begin < last) and (first is None or end > first)


def _span(month: str) -> tuple[int, int]:
    """First instant of a month and of the next [ms since 1970]."""
    start = np.datetime64(month, "M")
    return int(start.astype("M8[ms]").astype("i8")), int((start + 1).astype("M8[ms]").astype("i8"))
