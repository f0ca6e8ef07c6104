"""A batch is whole schedules whose entries fit in memory together; an archive is read one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import fs

from schedlog_analysis._core.arrays import blocks
from schedlog_analysis._core.instants import Int64, to_instants
from schedlog_analysis.schema import Log
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.archive.merge import union
from schedlog_analysis.sources.archive.parts import DAMAGE, KINDS, LOG, Part, Parts, report, require_sound, to_frame

_CODED = [field.name for field in LOG.coded if pa.types.is_dictionary(field.type)]
_ROWS = 65_536  # read at once
_GROUPS = 64  # row groups counted at once


class Batch(NamedTuple):
    """Some whole schedules, and where their entries stand."""

    ids: tuple[str, ...]
    """Ids, sorted."""
    n_entries: int
    """Entries in the files; fewer are left where some stand there twice."""
    places: tuple[tuple[str, tuple[int, ...]], ...]
    """Files, by month, each with the row groups to read."""
    filesystem: fs.FileSystem

    def read(self) -> pd.DataFrame:
        """Read the Log, its texts as categoricals."""
        if not self.places:
            return pd.DataFrame(Log.empty())
        log = _in_order(self._read_rows(Log.names()), self.ids)
        if log is not None:
            return log
        # Entries share an instant: what of them is doubled, and their order, the counters tell.
        return to_frame(union(self._read_rows(LOG.schema.names), LOG.key), LOG, categories=True)

    def _read_rows(self, names: list[str]) -> pa.Table:
        """Read the rows, file by file in order; several at a time where each may be far away."""
        ids = pa.array(self.ids, pa.string())
        with ThreadPoolExecutor(1 if isinstance(self.filesystem, fs.LocalFileSystem) else None) as pool:
            files = pool.map(lambda place: list(_rows(place, self.filesystem, names, ids)), self.places)
            return pa.Table.from_batches([rows for file in files for rows in file]).unify_dictionaries()

    def only(self, ids: Sequence[str]) -> Batch:
        """Keep some of the schedules."""
        return self._replace(ids=tuple(ids))


@dataclass(frozen=True)
class Contents:
    """
    Where in an archive the entries of each schedule stand: what it takes to read it batch by batch.

    Attributes
    ----------
    counts
        A row or more per schedule and row group: schedule_id (categorical), place (number of a file), row_group, n.
    paths
        Files of entries, by month.
    files
        All files of the archive, by kind.
    first_at, last_at
        First and last instant of any entry; None without entries.
    """

    counts: pd.DataFrame
    paths: tuple[str, ...]
    files: dict[str, tuple[str, ...]]
    filesystem: fs.FileSystem
    first_at: pd.Timestamp | None
    last_at: pd.Timestamp | None

    @classmethod
    def of(cls, archive: Archive) -> Contents:
        """Read which schedules have how many entries where: one column, some row groups at a time."""
        parts = archive._parts  # noqa: SLF001 - its files are what is read here
        found = {kind.name: parts.find(kind) for kind in KINDS}
        by_month = sorted(found[LOG.name], key=lambda part: (part.month or "", part.path))
        with ThreadPoolExecutor() as pool:
            counted = pool.map(lambda part: _count(part, parts, archive.errors), by_month)
            sound = {part.path: file for part, file in zip(by_month, counted, strict=True) if file is not None}
        paths, files = tuple(sound), list(sound.values())
        ids = pa.chunked_array([file.ids for file in files], pa.string()).dictionary_encode().combine_chunks()
        counts = pd.DataFrame(
            {
                "schedule_id": pd.Categorical.from_codes(ids.indices, pd.Index(ids.dictionary, dtype="str")),
                "place": np.repeat(np.arange(len(files)), [len(file.ids) for file in files]),
                "row_group": np.concatenate([np.empty(0, np.int64), *(file.row_group for file in files)]),
                "n": np.concatenate([np.empty(0, np.int64), *(file.n for file in files)]),
            }
        )
        bounds = to_instants(np.array([bound for file in files for bound in file.bounds], dtype=np.int64))
        first, last = (bounds.min(), bounds.max()) if len(bounds) else (None, None)
        every = {name: tuple(part.path for part in some) for name, some in found.items()}
        return cls(counts, paths, every, parts.filesystem, first, last)

    def extent(self) -> pd.DataFrame:
        """Give a Log that begins and ends as the whole one does, for those who need no more of it."""
        bounds = [bound for bound in (self.first_at, self.last_at) if bound is not None]
        return Log.cast(pd.DataFrame({"schedule_id": "", "created_at": bounds, "level": "", "message": ""}))

    def batches(self, ids: pd.Index[Any], size: int) -> list[Batch]:
        """Put all schedules, and `ids` too, in order into batches of at most `size` entries, or of one schedule."""
        n = self.counts.groupby("schedule_id", observed=True)["n"].sum()
        # `union` alone leaves one side as it came where the other is empty or the same.
        everyone = pd.Index(n.index.astype("str"), dtype="str").union(ids).sort_values()
        cuts = _cuts(n.reindex(everyone).fillna(0).to_numpy(dtype=np.int64), size)
        return [self.batch(tuple(everyone[begin:end])) for begin, end in zip(cuts[:-1], cuts[1:], strict=True)]

    def batch(self, ids: tuple[str, ...]) -> Batch:
        """Put some schedules, sorted, into one batch."""
        rows = self.counts[self.counts["schedule_id"].isin(ids)]
        place, group = rows[["place", "row_group"]].drop_duplicates().sort_values(["place", "row_group"]).to_numpy().T
        places = tuple((self.paths[number], tuple(group[place == number].tolist())) for number in np.unique(place))
        return Batch(ids, int(rows["n"].sum()), places, self.filesystem)


class _Counted(NamedTuple):
    """What one file adds to `Contents`: rows of `counts`, and the first and the last instant of each row group."""

    ids: pa.Array
    row_group: Int64
    n: Int64
    bounds: list[int]


def _count(part: Part, parts: Parts, errors: str) -> _Counted | None:
    """Count the entries of a file; None if it is no sound part of the archive and such files are to be skipped."""
    problem = part.problem or parts.mismatch(part)
    try:
        if problem is None:
            with _open(part.path, parts.filesystem) as file:
                require_sound(file.metadata, LOG.schema.names)
                return _count_groups(file)
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        problem = f"cannot be read: {str(error).partition(chr(10))[0].rstrip('. ')}"
    report(part, problem, errors)
    return None


def _count_groups(file: pq.ParquetFile) -> _Counted:
    """Count where a schedule's entries stand together, some row groups at a time."""
    sizes = np.array([file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)], np.int64)
    ids, numbers, counts = [pa.array([], pa.string())], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for begin in range(0, len(sizes), _GROUPS):
        some = np.arange(begin, min(begin + _GROUPS, len(sizes)))
        column = file.read_row_groups(some.tolist(), columns=["schedule_id"], use_threads=False)["schedule_id"]
        owner = column.unify_dictionaries().combine_chunks()
        codes, number = owner.indices.to_numpy(), np.repeat(some, sizes[some])
        first, n = blocks(codes, number)
        ids.append(owner.dictionary.take(pa.array(codes[first])))
        numbers.append(number[first])
        counts.append(n)
    bounds = [bound for number in range(len(sizes)) for bound in _bounds(file, number)]
    return _Counted(pa.concat_arrays(ids), np.concatenate(numbers), np.concatenate(counts), bounds)


def _bounds(file: pq.ParquetFile, number: int) -> tuple[int, int]:
    """Give the first and the last instant of a row group [ms], which its footer mostly tells."""
    statistics = file.metadata.row_group(number).column(file.schema_arrow.names.index("created_at")).statistics
    if statistics is not None and statistics.has_min_max:
        return statistics.min_raw, statistics.max_raw
    found = pc.min_max(file.read_row_group(number, columns=["created_at"])["created_at"].cast(pa.int64()))
    return found["min"].as_py(), found["max"].as_py()


def _open(path: str, filesystem: fs.FileSystem) -> pq.ParquetFile:
    source = filesystem.open_input_file(path)
    return pq.ParquetFile(source, read_dictionary=_CODED, page_checksum_verification=True, pre_buffer=True)


def _rows(
    place: tuple[str, tuple[int, ...]], filesystem: fs.FileSystem, names: list[str], ids: pa.Array
) -> Iterator[pa.RecordBatch]:
    """Read row groups of a file and drop at once what other schedules have there, which may be most of them."""
    path, groups = place
    with _open(path, filesystem) as file:
        for rows in file.iter_batches(_ROWS, groups, columns=names, use_threads=False):
            owner = rows["schedule_id"]
            is_own = pc.is_in(owner.dictionary, ids)
            # Files are sorted by schedule, so all of a row group is the batch's but where the batch begins and ends.
            yield rows if pc.all(is_own).as_py() else rows.filter(is_own.take(owner.indices))


def _cuts(n: Int64, size: int) -> list[int]:
    """Give the positions between which so many rows add up to at most `size`, each piece having one at least."""
    total, cuts = np.append(0, np.cumsum(n)), [0]
    while cuts[-1] < len(n):
        fits = int(np.searchsorted(total, total[cuts[-1]] + size, side="right")) - 1
        cuts.append(max(fits, cuts[-1] + 1))
    return cuts


def _in_order(rows: pa.Table, ids: tuple[str, ...]) -> pd.DataFrame | None:
    """
    Sort the entries of some schedules, and no others; None if two of them share an instant.

    Files stand in the order of their months, and each is sorted by schedule and time. So mostly it is enough to put
    the stretches of each schedule together.
    """
    chunks = rows.to_batches()
    pieces, owners = _stretches(chunks, ids)
    owner = np.repeat(owners, [piece.stop - piece.start for _, piece in pieces])

    def joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([columns[number][piece] for number, piece in pieces])

    created = joined([chunk["created_at"].cast(pa.int64()).to_numpy() for chunk in chunks])
    codes = {name: joined([chunk[name].indices.to_numpy() for chunk in chunks]) for name in ("level", "message")}
    if not _is_rising(owner, created):
        order = np.lexsort((created, owner))
        owner, created, codes = owner[order], created[order], {name: code[order] for name, code in codes.items()}
        if not _is_rising(owner, created):
            return None
    known = pd.Categorical.from_codes(owner, categories=pd.Index(ids, dtype="str"))
    texts = {
        name: pd.Categorical.from_codes(code, pd.Index(chunks[0][name].dictionary, dtype="str"))
        for name, code in codes.items()
    }
    return pd.DataFrame({"schedule_id": known, "created_at": to_instants(created), **texts}, copy=False)


def _stretches(chunks: list[pa.RecordBatch], ids: tuple[str, ...]) -> tuple[list[tuple[int, slice]], NDArray[Any]]:
    """List where entries of one schedule stand together, by schedule: number of the chunk and its rows; and whose."""
    positions = pc.index_in(chunks[0]["schedule_id"].dictionary, pa.array(ids, pa.string()))
    number_of = positions.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.min_scalar_type(-len(ids)))
    pieces, owners = [], []
    for number, chunk in enumerate(chunks):
        codes = chunk["schedule_id"].indices.to_numpy()
        first, n = blocks(codes)
        owners.append(number_of[codes[first]])
        pieces += [(number, slice(begin, begin + k)) for begin, k in zip(first.tolist(), n.tolist(), strict=True)]
    whose = np.concatenate(owners)
    order = np.argsort(whose, kind="stable")
    return [pieces[place] for place in order.tolist()], whose[order]


def _is_rising(owner: NDArray[Any], created: Int64) -> bool:
    """Tell whether each entry comes after the one before it, where owners stand in order."""
    return bool(((created[1:] > created[:-1]) | (owner[1:] > owner[:-1])).all())
