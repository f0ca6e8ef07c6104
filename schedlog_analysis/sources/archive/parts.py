"""
A part is one immutable Parquet file, named after its content: the archive's whole format is in this file.

::

    location/
    ├── log/month=2026-01/<hash>.parquet      entries, by the month of created_at; sorted by schedule and time
    ├── fetches/month=2026-01/<hash>.parquet  what was fetched when, by the month of fetched_at
    ├── runs/month=2026-01/<hash>.parquet     states of runs, by the month of started_at
    └── schedules/<hash>.parquet              versions of the schedules' definitions

Dask, Spark, DuckDB and Polars read these folders as they are; a row may come twice until `compact`, and the key of
its kind tells. A name is the hash of the bytes: equal content lands in one file, and a damaged file betrays itself.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

from schedlog_analysis._core.table import Table
from schedlog_analysis.errors import ArchiveError
from schedlog_analysis.schema import Fetches, Log, Runs, Schedules
from schedlog_analysis.sources.archive.merge import ENTRY

DAMAGE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What reading a damaged part raises."""

_ARROW = {
    "str": pa.string(),
    "datetime64[ms, UTC]": pa.timestamp("ms", "UTC"),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
}
_CODED = pa.dictionary(pa.int32(), pa.string())
_PART = re.compile(r"(?:month=(?P<month>\d{4}-(?:0[1-9]|1[0-2]))/)?(?P<hash>[0-9a-f]{32})\.parquet")
FIRST_MONTH, END_MONTH = "2015-01", "2100-01"
"""Months between which a log can have been fetched: Apify was founded in 2015."""

_ATTEMPTS = 100
_ROWS = 32_768  # of a row group: what reading one schedule's month costs at least


@dataclass(frozen=True)
class Kind:
    """One of the archive's sets: its table, an element's key, the instant that names its month, further columns."""

    name: str
    table: type[Table]
    key: tuple[str, ...]
    at: str | None
    counters: tuple[str, ...] = ()

    @cached_property
    def dtypes(self) -> dict[str, str]:
        """Dtypes of the table's columns, as pandas is told them."""
        described = self.table.describe()
        return dict(zip(described["column"], described["dtype"], strict=True))

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of a part, as Arrow is told them."""
        fields = [(name, _ARROW[dtype]) for name, dtype in self.dtypes.items()]
        return pa.schema([*fields, *((name, pa.int32()) for name in self.counters)])

    @cached_property
    def coded(self) -> pa.Schema:
        """The same in memory: entries repeat their texts so often that codes and a dictionary are worth it."""
        is_log = self.table is Log
        return pa.schema(
            [field.with_type(_CODED) if is_log and field.type == pa.string() else field for field in self.schema]
        )


LOG = Kind("log", Log, ENTRY, "created_at", ("n", "place"))
FETCHES = Kind("fetches", Fetches, ("schedule_id", "fetched_at"), "fetched_at")
RUNS = Kind("runs", Runs, ("run_id",), "started_at")
SCHEDULES = Kind("schedules", Schedules, ("schedule_id", "modified_at"), None)
KINDS = (LOG, FETCHES, RUNS, SCHEDULES)


@dataclass(frozen=True)
class Part:
    """Name of one file: its kind, where it is, the month and the hash that the name promises (none for a stranger)."""

    kind: Kind
    path: str
    month: str | None = None
    hash: str | None = None
    is_file: bool = True
    stamp: tuple[int, int] | None = None
    """Size and time of its last change, which tell whether it is still the file that was checked."""

    @property
    def is_stray(self) -> bool:
        """Whether it is somebody else's file, such as Thumbs.db: nothing of the archive's is missing because of it."""
        return self.is_file and self.hash is None

    @property
    def problem(self) -> str | None:
        """Why this is no part, in half a sentence; None if it is one."""
        if not self.is_file:
            return "is not a file, or a link to none"
        if self.hash is None:
            return "was not written by an archive"
        if (self.month is None) != (self.kind.at is None):
            return "stands in the wrong folder"
        if self.kind is FETCHES and self.month is not None and not FIRST_MONTH <= self.month < END_MONTH:
            return f"holds fetches of {self.month}, when a clock was wrong"
        return None


class Parts:
    """All parts at one location: list, read, write, remove; local disks and object stores alike."""

    def __init__(self, location: str | os.PathLike[str], filesystem: fs.FileSystem | None = None) -> None:
        text = os.fspath(location)
        if filesystem is not None:
            self.filesystem, self.root = filesystem, text.rstrip("/")
        elif "://" in text:
            # Without this option pyarrow needs three requests for every upload, however small.
            option = f"{'&' if '?' in text else '?'}allow_delayed_open=true" if text.startswith("s3://") else ""
            self.filesystem, self.root = _attempt(fs.FileSystem.from_uri, without_keys(text), text + option)
        else:
            self.filesystem, self.root = fs.LocalFileSystem(), str(Path(text).expanduser().absolute())

    def exists(self) -> bool:
        """Whether there is any part here."""
        return any(part.problem is None for kind in KINDS for part in self._scan(kind))

    def find(self, kind: Kind) -> list[Part]:
        """
        Name all files of a kind, strangers included, hidden ones not.

        A listing is no snapshot: while a compaction replaces parts, it may miss old and new ones. Two listings that
        agree did not.
        """
        before: list[Part] | None = None
        for _ in range(_ATTEMPTS):
            now = sorted(self._scan(kind), key=lambda part: part.path)
            if now == before:
                return now
            before = now
        raise ArchiveError(
            f"The files in {self.root}/{kind.name} keep changing; try again when fewer writers are busy."
        )

    def left_overs(self, kind: Kind) -> list[fs.FileInfo]:
        """Temporary files that an interrupted write may have left."""
        found = [info for info in self._found(kind) if info.type == fs.FileType.File]
        return [info for info in found if info.base_name.startswith(".") and info.extension == "tmp"]

    def read(
        self, kind: Kind, parts: Iterable[Part], where: ds.Expression | None = None, *, is_narrow: bool = False
    ) -> pa.Table:
        """
        Read rows of some parts; FileNotFoundError if a compaction has just replaced one of them.

        Codes are fastest for many rows; where little is asked for (`is_narrow`) plain texts let statistics skip most.
        """
        schema = kind.schema if is_narrow else kind.coded
        coded = [field.name for field in schema if field.type == _CODED]
        checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
        dataset = ds.dataset(
            [part.path for part in parts],
            schema=schema,
            format=ds.ParquetFileFormat(dictionary_columns=coded, default_fragment_scan_options=checked),
            filesystem=self.filesystem,
        )
        with ThreadPoolExecutor() as pool:  # here all footers are read, once; one after the other is slow far away
            list(pool.map(lambda part: require_sound(part.metadata, schema.names), dataset.get_fragments()))
        return _as_coded(dataset.to_table(filter=where), kind)

    def mismatch(self, part: Part) -> str | None:
        """
        Why the bytes of a part are not those that its name promises; None if they are.

        Every part on a disk is hashed once per process, and again when it has changed. Object stores check their own
        bytes; to read a part whole where a few of its rows are asked for would be most of the cost there.
        """
        if part.hash is None or not isinstance(self.filesystem, fs.LocalFileSystem):
            return None
        try:
            is_sound = _hash_file(part.path, part.stamp) == part.hash
        except FileNotFoundError:
            raise
        except OSError as error:
            return f"cannot be read: {_reason(error)}"
        return None if is_sound else "is damaged: its content is not its name's"

    def damage(self, part: Part) -> str | None:
        """Why a part cannot be read; None if it can."""
        try:
            self.read(part.kind, [part])
        except FileNotFoundError:
            raise
        except DAMAGE as error:
            return f"cannot be read: {_reason(error)}"
        return None

    def write(self, kind: Kind, month: str | None, rows: pa.Table) -> Part:
        """Make rows a part: on a disk written aside, synced and renamed; on an object store one upload."""
        data = _encode(rows.cast(kind.schema))
        name = digest(data)
        folder = f"{self.root}/{kind.name}" + (f"/month={month}" if month else "")
        path = f"{folder}/{name}.parquet"
        if isinstance(self.filesystem, fs.LocalFileSystem):
            _attempt(_write_durably, path, Path(path), data, Path(self.root))
        else:
            _attempt(self._upload, path, path, data)
        return Part(kind, path, month, name)

    def remove(self, path: str) -> None:
        """Delete a file; another compaction may have been faster."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(path)

    def content(self, part: Part) -> bytes:
        """All bytes of a file."""
        with self.filesystem.open_input_stream(part.path) as stream:
            return bytes(stream.read())

    def _upload(self, path: str, data: bytes) -> None:
        if not isinstance(self.filesystem, fs.S3FileSystem):
            self.filesystem.create_dir(path.rpartition("/")[0])
        with self.filesystem.open_output_stream(path) as stream:
            stream.write(data)

    def _scan(self, kind: Kind) -> Iterator[Part]:
        for info in self._found(kind):
            is_file = info.type == fs.FileType.File
            if info.type == fs.FileType.Directory and info.extension != "parquet":
                continue
            name = info.path.removeprefix(f"{self.root}/{kind.name}/")
            if not info.base_name.startswith((".", "_")):
                named = _PART.fullmatch(name)
                stamp = (info.size, info.mtime_ns) if is_file else None
                yield Part(kind, info.path, **(named.groupdict() if named else {}), is_file=is_file, stamp=stamp)

    def _found(self, kind: Kind) -> list[fs.FileInfo]:
        """Everything in a kind's folders: files, folders, links to nothing."""
        folder = f"{self.root}/{kind.name}"
        selector = fs.FileSelector(folder, allow_not_found=True, recursive=True)
        infos: list[fs.FileInfo] = _attempt(self._infos, folder, selector)
        return infos + (_dead_links(folder) if isinstance(self.filesystem, fs.LocalFileSystem) else [])

    def _infos(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # another writer made the folder just when it was found missing
                return list(self.filesystem.get_file_info(selector))
        return []


def digest(data: bytes) -> str:
    """Hash that names a part."""
    return hashlib.sha256(data).hexdigest()[:32]


@cache
def _hash_file(path: str, _: tuple[int, int] | None) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def report(part: Part, problem: str, errors: str) -> None:
    """
    Say what is wrong with a file, as `errors` asks: an error that names it, a warning, or nothing.

    A stray file is never more than a warning, since nothing is missing without it.
    """
    if errors == "raise" and not part.is_stray:
        raise ArchiveError(
            f"{part.path} {problem}; repair it, move it away, or open the archive with errors='skip' to read the rest."
        )
    if errors != "ignore":
        warnings.warn(f"{part.path} {problem}; it is {'passed over' if part.is_stray else 'skipped'}.", stacklevel=2)


def without_keys(location: str) -> str:
    """Name a location in a message: what may be secret in a URL, before an @ or after a question mark, is left out."""
    return re.sub(r"(?<=://)[^/@]*@|\?.*", "", location) if "://" in location else location


def to_arrow(frame: pd.DataFrame, kind: Kind) -> pa.Table:
    """Turn a kind's typed table, counters included, into rows."""
    plain = frame[kind.schema.names].astype(kind.dtypes)
    return _as_coded(pa.Table.from_pandas(plain, kind.schema, preserve_index=False), kind)


def to_frame(rows: pa.Table, kind: Kind, *, categories: bool = False) -> pd.DataFrame:
    """Turn rows into the kind's typed table, without the counters; coded texts become categoricals or plain texts."""
    names = list(kind.dtypes)
    if categories:
        columns = {name: _categorical(rows[name]) for name in names if rows.schema.field(name).type == _CODED}
        plain: pd.DataFrame = rows.select([name for name in names if name not in columns]).to_pandas()
        return plain.assign(**columns)[names]
    frame: pd.DataFrame = rows.cast(kind.schema).select(names).to_pandas()
    return frame.astype(kind.dtypes)


def _categorical(column: pa.ChunkedArray) -> pd.Categorical:
    """Keep only categories that occur, in the order of the alphabet, whichever parts the rows came from."""
    values = column.combine_chunks()
    used = values.indices.value_counts().field("values").to_numpy()
    texts = values.dictionary.take(pa.array(used))
    codes = np.empty(len(values.dictionary), "i4")
    codes[used[pc.sort_indices(texts)]] = np.arange(len(used), dtype="i4")
    return pd.Categorical.from_codes(codes[values.indices], pd.Index(texts.sort(), dtype="str"))


def require_sound(footer: pq.FileMetaData, names: list[str]) -> None:
    """Check what no checksum covers: a garbled name or count would quietly read as missing values or fewer rows."""
    counts = (footer.row_group(index).num_rows for index in range(footer.num_row_groups))
    if footer.schema.names != names or sum(counts) != footer.num_rows:
        raise pa.ArrowInvalid("its footer contradicts itself")


def _as_coded(rows: pa.Table, kind: Kind) -> pa.Table:
    for index, field in enumerate(kind.coded):
        if field.type == _CODED and rows.schema[index].type != _CODED:
            rows = rows.set_column(index, field, rows.column(index).dictionary_encode())
    return rows.unify_dictionaries()


def _encode(rows: pa.Table) -> bytes:
    texts = [field.name for field in rows.schema if field.type == pa.string()]
    numbers = [
        field.name for field in rows.schema if pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        compression="zstd",
        use_dictionary=texts,
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
        row_group_size=_ROWS,
        write_page_checksum=True,
        store_schema=False,  # Arrow's own copy of the schema would be half of a small part
    )
    return bytes(sink.getvalue())


def _write_durably(path: Path, data: bytes, root: Path) -> None:
    """After this the file is whole and survives a power cut, or it is not there; its folders likewise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    for folder in (path.parent, *path.parent.parents):
        if folder.is_relative_to(root):
            _sync_folder(folder)
    with suppress(OSError):  # it needs this only when it is new, and may belong to somebody else
        _sync_folder(root.parent)


def _dead_links(folder: str) -> list[fs.FileInfo]:
    """Links to nothing, as when a disk is not mounted: Arrow does not list them, but what they led to is missing."""
    paths = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)  # noqa: PTH118 - many
    return [fs.FileInfo(path) for path in paths if os.path.islink(path) and not os.path.exists(path)]  # noqa: PTH110, PTH114


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where the system can do that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot
            raise
    finally:
        os.close(descriptor)


def _attempt(operation: Callable[..., Any], path: str, *arguments: object) -> Any:  # noqa: ANN401 - what it returns
    """Do something to a file, and word what the system says against it."""
    try:
        return operation(*arguments)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ArchiveError(
            f"The archive cannot use {path}: {_reason(error)}; nothing that was in it is lost."
        ) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).partition("\n")[0].rstrip(". ")
