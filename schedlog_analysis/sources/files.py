"""
A door is a way in: a path, a folder, an open file, bytes, API objects or a frame all end in the same typed table.

What a file is, its first bytes tell and not its name: Parquet, gzip, JSON in any of the API's shapes, JSON Lines.
"""

from __future__ import annotations

import gzip
import json
import os
import warnings
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from schedlog_analysis._core.table import Table
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import Log, Runs, Schedules
from schedlog_analysis.sources.answers import unite_logs
from schedlog_analysis.sources.archive.parts import LOG, without_keys
from schedlog_analysis.sources.archive.store import Archive
from schedlog_analysis.sources.frames import api_names, read_frame, to_pandas
from schedlog_analysis.sources.parse import (
    UNKNOWN_SCHEDULE,
    Skipped,
    parse_log,
    parse_logs,
    parse_runs,
    parse_schedules,
)

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".parquet", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_NO_LOGS = ("schedules.json", "runs.json", "truth.json")


@dataclass(frozen=True)
class Sample:
    """The sample data: a dozen simulated schedules over three months, and what really happened to them."""

    log: pd.DataFrame
    schedules: pd.DataFrame
    runs: pd.DataFrame
    truth: dict[str, Any]
    path: Path


def read_log(
    source: object, schedule_id: str | None = None, *, tz: str | None = None, skipped: list[Skipped] | None = None
) -> pd.DataFrame:
    """
    Read the log of one schedule, or of many.

    Parameters
    ----------
    source
        One of these:

        - a path to a file: an answer of the API, a bare array of entries, JSON Lines, any of them gzipped, or Parquet;
        - a path to a folder of such files, one or several answers per schedule, in it or in its subfolder ``logs``;
        - a path to an `Archive`;
        - an open file, bytes, or JSON as text;
        - parsed JSON, or what apify-client's ``get_log()`` returns;
        - a frame with the columns of a Log, of pandas or of any library that speaks Arrow, such as Polars and DuckDB;
        - a list of paths or frames, each one answer.
    schedule_id
        Schedule whose log this is. By default the file's name up to its first dot, and ``"unknown"`` where there is no
        name; an entry's own ``scheduleId`` goes before both. Of a folder or an archive: the only schedule to read.
    tz
        IANA zone of instants and dates without an offset; None refuses them. Of a doubled hour the first is meant.
    skipped
        List to which the entries that cannot be read are added; None warns of them.

    Returns
    -------
    log
        Log, sorted by schedule and time; answers of one schedule that overlap are united. Empty if there is no entry.

    Raises
    ------
    InputError
        If there is no such file, or it holds something else.
    SchemaError
        If no entry can be read; the message names file, entry and field.

    Examples
    --------
    >>> read_log(b'[{"message": "Schedule invoked", "level": "INFO", "createdAt": "2026-01-01T00:00:00.000Z"}]', "abc")
      schedule_id                created_at level           message
    0         abc 2026-01-01 00:00:00+00:00  INFO  Schedule invoked
    """
    if archive := find_archive(source):
        return archive.read_log(schedule_id and [schedule_id])
    if isinstance(source, list) and source and all(_is_answer(each) for each in source):
        return unite_logs(*(read_log(each, schedule_id, tz=tz, skipped=skipped) for each in source))
    path = _path(source)
    found: list[Skipped] = []
    if path is not None and path.is_dir():
        log = _read_folder(path, schedule_id, tz, found)
    else:
        name = schedule_id or _stem(path or getattr(source, "name", None))
        log = _read(source, Log, partial(parse_log, schedule_id=name), tz, found, schedule_id=name)
    _keep_or_warn(found, skipped)
    return log


def read_schedules(source: object, *, tz: str | None = None, skipped: list[Skipped] | None = None) -> pd.DataFrame:
    """
    Read definitions of schedules.

    Parameters
    ----------
    source
        As in `read_log`: schedule objects of the API, one, a list or a page of them; of a folder its
        ``schedules.json``; of an `Archive` all versions. ``id`` and ``cronExpression`` are enough: what else lacks is
        taken as `parse.parse_schedules` says, UTC, switched on, created before everything.
    tz
        IANA zone of instants and dates without an offset; None refuses them.
    skipped
        List to which the schedules that cannot be read, or not wholly, are added; None warns of them.

    Returns
    -------
    schedules
        Schedules, sorted by id and `modified_at`; empty if there are none.

    Raises
    ------
    InputError
        If there is no such file, or it holds something else.

    Examples
    --------
    >>> read_schedules([{"id": "a", "cronExpression": "0 9 * * *", "timezone": "Europe/Prague"}]).loc[0, "cron"]
    '0 9 * * *'
    """
    if archive := find_archive(source):
        return archive.read_schedules()
    found: list[Skipped] = []
    schedules = _read(_in_folder(source, "schedules.json"), Schedules, parse_schedules, tz, found)
    _keep_or_warn(found, skipped)
    return schedules


def read_runs(source: object, *, tz: str | None = None, skipped: list[Skipped] | None = None) -> pd.DataFrame:
    """
    Read runs.

    Parameters
    ----------
    source
        As in `read_log`: run objects of the API, one, a list or a page of them; of a folder its ``runs.json``; of an
        `Archive` all runs in their latest state.
    tz
        IANA zone of instants and dates without an offset; None refuses them.
    skipped
        List to which the runs that cannot be read, or not wholly, are added; None warns of them.

    Returns
    -------
    runs
        Runs, sorted by start and id; empty if there are none.

    Raises
    ------
    InputError
        If there is no such file, or it holds something else.

    Examples
    --------
    >>> read_runs([]).empty
    True
    """
    if archive := find_archive(source):
        return archive.read_runs()
    found: list[Skipped] = []
    runs = _read(_in_folder(source, "runs.json"), Runs, parse_runs, tz, found)
    _keep_or_warn(found, skipped)
    return runs


def write_log(log: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """
    Write a Log to one file that `read_log` reads back: Parquet or JSON Lines.

    Parameters
    ----------
    log
        Log of any number of schedules.
    path
        A name that ends in ``.parquet`` makes it Parquet; any other JSON Lines in the API's very text, with the
        schedule's id in ``scheduleId``; a further ``.gz`` compresses them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_log(Log.empty(), Path(folder, "log.jsonl.gz"))
    ...     read_log(Path(folder, "log.jsonl.gz")).empty
    True
    """
    target, log = Path(path), Log.accept(log)[Log.names()].astype(LOG.dtypes)
    if target.suffix == ".parquet":
        log.to_parquet(target, index=False)
        return
    text = log.rename(columns=api_names(Log)).to_json(orient="records", lines=True, date_format="iso")
    lines = b"[]\n" if log.empty else text.encode()
    target.write_bytes(gzip.compress(lines, mtime=0) if target.suffix == ".gz" else lines)


def load_sample() -> Sample:
    """
    Load the sample data that comes with the package: simulated, with planted faults and their exact truth.

    Returns
    -------
    sample
        Its `log`, `schedules`, `runs`, the `truth` about them and the `path` of the folder with the API's answers.

    Examples
    --------
    >>> sample = load_sample()
    >>> set(sample.log["schedule_id"]) <= set(sample.schedules["schedule_id"])
    True
    """
    package = Path(__file__).parents[1]  # where the sample is installed; in a checkout, beside it
    path = next((each for each in (package / "sample", package.parent / "data" / "sample") if each.is_dir()), None)
    if path is None:
        raise InputError(
            f"There is no sample data in {package / 'sample'}; expected it there, install the package again."
        )
    truth = json.loads((path / "truth.json").read_text(encoding="utf-8"))
    return Sample(read_log(path), read_schedules(path), read_runs(path), truth, path)


def find_archive(source: object) -> Archive | None:
    """
    Open the archive that a user means; None if a place or an object is none.

    Raises
    ------
    InputError
        If a URL leads to nothing that can be read.

    Examples
    --------
    >>> find_archive("file:///no/such/place")
    Traceback (most recent call last):
        ...
    schedlog_analysis.errors.InputError: There is no archive at file:///no/such/place; check the spelling of the URL.
    """
    if isinstance(source, Archive):
        return source
    path = _path(source)
    if path is not None and isinstance(source, str) and "://" in source:
        archive = Archive(source)
        if not archive.exists():
            raise InputError(f"There is no archive at {without_keys(source)}; check the spelling of the URL.")
        return archive
    found = Archive(path) if path is not None and path.is_dir() else None
    return found if found is not None and found.exists() else None


class _Parse(Protocol):
    def __call__(self, body: object, *, tz: str | None, skipped: list[Skipped]) -> pd.DataFrame: ...


def _read(
    source: object, table: type[Table], parse: _Parse, tz: str | None, skipped: list[Skipped], **absent: str
) -> pd.DataFrame:
    """What all doors share: take the bytes from wherever they are, then read Parquet or an answer of the API."""
    path = _path(source)
    found: list[Skipped] = []
    try:
        body = _gunzipped(_content(path or source))
        if isinstance(body, bytes) and body.startswith(b"PAR1"):
            body = _parquet(body)
        frame = to_pandas(body)
        read = parse(body, tz=tz, skipped=found) if frame is None else read_frame(frame, table, absent, tz)
        if found and read.empty:  # then it is more likely something else than odd
            raise SchemaError(found[0].sentence)
    except InputError as error:
        if path is None:
            raise
        raise type(error)(f"{path}: {error}") from error
    skipped += found if path is None else [replace(each, sentence=f"{path}: {each}") for each in found]
    return read


def _keep_or_warn(found: Iterable[Skipped], skipped: list[Skipped] | None) -> None:
    """Add what could not be read to the caller's list, or say it where nobody keeps one."""
    if skipped is not None:
        skipped.extend(found)
        return
    for each in found:
        warnings.warn(f"{each.sentence} The rest was read.", stacklevel=3)


def _is_answer(source: object) -> bool:
    """Whether an element of a list is a path or a frame, and not an entry."""
    return isinstance(source, str | os.PathLike | pd.DataFrame) or hasattr(source, "__arrow_c_stream__")


def _content(source: object) -> object:
    """Bytes or text of a file, open or not; anything else is its own content."""
    try:
        if isinstance(source, Path):
            return source.read_bytes()
        read = getattr(source, "read", None)
        return read() if callable(read) else source
    except FileNotFoundError:
        raise InputError("there is no such file; expected a file or a folder.") from None
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror}); expected a readable file.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"Byte {error.start} of the file is not valid {error.encoding}; open it in binary mode."
        ) from None


def _gunzipped(body: object) -> object:
    if isinstance(body, bytearray | memoryview):
        body = bytes(body)
    if not isinstance(body, bytes) or not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the gzip data is torn ({error}); expected the whole file.") from None


def _parquet(body: bytes) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pq.read_table(pa.BufferReader(body)).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"the Parquet file is damaged ({str(error)[:100].rstrip('.')}); expected a whole one."
        ) from None
    return frame


def _path(source: object) -> Path | None:
    """Path that a user means; text that begins like JSON is JSON."""
    if isinstance(source, str) and source.lstrip()[:1] in ("{", "[", "<", ""):
        return None
    return Path(source).expanduser() if isinstance(source, str | os.PathLike) else None


def _in_folder(source: object, name: str) -> object:
    path = _path(source)
    return path / name if path is not None and path.is_dir() else source


def _stem(name: object) -> str:
    return Path(name).name.partition(".")[0] if isinstance(name, str | os.PathLike) else UNKNOWN_SCHEDULE


def _read_folder(folder: Path, schedule_id: str | None, tz: str | None, skipped: list[Skipped]) -> pd.DataFrame:
    """All answers in a folder; those of one schedule are united like windows in an archive."""
    logs = folder / "logs" if (folder / "logs").is_dir() else folder
    files = [file for file in sorted(logs.iterdir()) if file.name.endswith(_SUFFIXES) and file.name not in _NO_LOGS]
    files = [file for file in files if schedule_id in (None, _stem(file)) and not file.name.startswith(".")]
    if not files:
        which = "logs" if schedule_id is None else f"log of schedule {schedule_id!r}"
        raise InputError(f"{logs}: the folder has no {which}; expected files such as <schedule id>.json.")
    alone = {_stem(file): file for file in files}
    if len(alone) == len(files) and all(file.suffix == ".json" for file in files):
        found: list[Skipped] = []
        with suppress(InputError):  # said below, with the file's name
            log = parse_logs({name: file.read_bytes() for name, file in alone.items()}, tz=tz, skipped=found)
            skipped += [replace(each, sentence=f"{alone.get(each.schedule_id, logs)}: {each}") for each in found]
            return log
    return unite_logs(*(read_log(file, tz=tz, skipped=skipped) for file in files))
