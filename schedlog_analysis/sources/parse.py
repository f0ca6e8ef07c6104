"""
A body is what the API answers, as bytes or as parsed objects; here, and nowhere else, it becomes a typed table.

Two roads lead to the Log. The fast one hands whole responses to Arrow's JSON reader and takes them as documented;
whatever it does not like goes the slow road, object by object, which reads the rare shapes and says what is wrong.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from schedlog_analysis._core.instants import MISSING, to_instants
from schedlog_analysis._core.table import EARLIEST, LATEST, Table
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import Log, Runs, Schedules

UNKNOWN_SCHEDULE = "unknown"
"""Schedule id of entries that nobody named a schedule for."""

_TEXT = pa.large_string()  # what pandas' `str` is made of, so that no column is copied on the way
_ENTRY = pa.struct([("createdAt", pa.string()), ("level", _TEXT), ("message", _TEXT)])
_ANSWER = pa.schema([("data", pa.list_(_ENTRY)), *_ENTRY, ("scheduleId", _TEXT)])  # a response, or an entry on a line
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_LOWEST, _HIGHEST = ((bound.to_pydatetime() - _EPOCH) // _MS for bound in (EARLIEST, LATEST))
_ABSENT = object()


def parse_log(body: object, schedule_id: str = UNKNOWN_SCHEDULE) -> pd.DataFrame:
    """
    Turn one answer of the log endpoint into a Log.

    Parameters
    ----------
    body
        JSON as bytes or text, or the parsed objects: ``{"data": [...]}``, a bare array, one object, or what
        apify-client returns. JSON Lines are read too. Fields that the API may add later are ignored.
    schedule_id
        Schedule that the entries belong to; an entry's own ``scheduleId`` goes before it.

    Returns
    -------
    log
        Sorted by schedule and time, entries of the same instant as they came; empty if the answer is.

    Raises
    ------
    InputError
        If this is not JSON of that shape.
    SchemaError
        If an entry lacks a field or holds what it must not; the message names the entry, counted from 1.

    Examples
    --------
    >>> body = b'{"data": [{"message": "Schedule invoked", "level": "INFO", "createdAt": "2019-03-26T12:28:00.370Z"}]}'
    >>> parse_log(body, "asdLZtadYvn4mBZmm").loc[0, "created_at"]
    Timestamp('2019-03-26 12:28:00.370000+0000', tz='UTC')
    """
    return parse_logs({schedule_id: body})


def parse_logs(bodies: Mapping[str, object]) -> pd.DataFrame:
    """
    Turn many answers of the log endpoint into one Log, several times faster than one by one.

    Parameters
    ----------
    bodies
        Answer of each schedule, by its id; as in `parse_log`.

    Returns
    -------
    log
        Sorted by schedule and time; empty if all answers are.

    Raises
    ------
    InputError, SchemaError
        As `parse_log`; the message also names the schedule.

    Examples
    --------
    >>> len(parse_logs({"a": b'{"data": []}', "b": b"[]"}))
    0
    """
    ids = sorted(bodies)
    table = _fast_log(ids, [bodies[schedule_id] for schedule_id in ids])
    if table is None:
        pieces = [_slow_log(schedule_id, bodies[schedule_id]) for schedule_id in ids]
        table = pd.concat(pieces, ignore_index=True) if pieces else Log.empty()
    return sort_log(table)


def parse_schedules(body: object) -> pd.DataFrame:
    """
    Turn schedule objects of the API into Schedules.

    Parameters
    ----------
    body
        One schedule, a list of them, or a page of them, as JSON or as parsed objects.

    Returns
    -------
    schedules
        Sorted by schedule and version (`modified_at`); empty if `body` is.

    Raises
    ------
    InputError
        If this is not JSON of that shape, or the same version of a schedule comes twice.
    SchemaError
        If a schedule lacks a field or holds what it must not.

    Examples
    --------
    >>> parse_schedules({"data": {"items": [], "total": 0}}).columns[3]
    'cron'
    """
    table = _table(Schedules, _objects(body, "the list of schedules"), "Schedule", "the list")
    table = table.sort_values(["schedule_id", "modified_at"], kind="stable", ignore_index=True)
    again = table.duplicated(["schedule_id", "modified_at"])
    if again.any():
        raise InputError(
            f"Schedule id {table.loc[again, 'schedule_id'].iloc[0]!r} comes twice with the same modifiedAt; "
            "expected every version of a schedule once."
        )
    return table


def parse_runs(body: object) -> pd.DataFrame:
    """
    Turn run objects of the API into Runs.

    Parameters
    ----------
    body
        One run, a list of them, or a page of them, as JSON or as parsed objects.

    Returns
    -------
    runs
        Sorted by start and id, each run as often as it came; empty if `body` is.

    Raises
    ------
    InputError
        If this is not JSON of that shape.
    SchemaError
        If a run lacks a field or holds what it must not.

    Examples
    --------
    >>> run = {"id": "HG7ML", "actId": "HDSas", "status": "RUNNING", "startedAt": "2019-11-30T07:34:24.202Z"}
    >>> parse_runs([run | {"meta": {"origin": "SCHEDULER", "scheduleId": "asdLZ"}}]).loc[0, "schedule_id"]
    'asdLZ'
    """
    table = _table(Runs, _objects(body, "the list of runs"), "Run", "the list")
    return table.sort_values(["started_at", "run_id"], kind="stable", ignore_index=True)


def sort_log(log: pd.DataFrame) -> pd.DataFrame:
    """
    Sort a Log by schedule and time and keep the order of arrival among equals; a sorted one comes back as it is.

    Examples
    --------
    >>> sort_log(Log.empty()).empty
    True
    """
    times, ranks = log["created_at"].astype("int64").to_numpy(), _ranks(log["schedule_id"])
    later = np.diff(ranks) > 0
    if (later | ((np.diff(ranks) == 0) & (np.diff(times) >= 0))).all():
        return log
    return log.take(np.lexsort((times, ranks))).reset_index(drop=True)


def _ranks(texts: pd.Series[Any]) -> Any:  # noqa: ANN401 - int64s
    """Place of each text in the alphabet, through the codes where it is a categorical."""
    if not isinstance(texts.dtype, pd.CategoricalDtype):
        return pd.factorize(texts, sort=True)[0]
    return texts.dtype.categories.argsort().argsort()[texts.cat.codes]


def _fast_log(ids: list[str], bodies: list[object]) -> pd.DataFrame | None:
    """All answers in one pass of Arrow's reader; None if any of them is not exactly what is documented."""
    lines = [_as_line(body) for body in bodies]
    if not lines or not all(lines):
        return None
    try:
        table = pj.read_json(
            pa.BufferReader(b"\n".join(lines)),
            pj.ReadOptions(use_threads=len(lines) > 1, block_size=max(1 << 20, max(map(len, lines)) + 1)),
            pj.ParseOptions(explicit_schema=_ANSWER, unexpected_field_behavior="ignore"),
        )
        owner, entries = _entries(table, ids)
        created, *texts = entries.flatten()
        for column in texts:
            column.validate(full=True)  # the reader lets invalid UTF-8 pass
        instants = pc.cast(created, pa.timestamp("us", "UTC")).cast("i8").to_numpy(zero_copy_only=False) // 1000
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return None
    holes = any(column.null_count for column in (entries, owner, created, *texts))
    return None if holes or not _is_sane(instants).all() else _log(owner, instants, *texts)


def _as_line(body: object) -> bytes:
    """Make an answer one line: in JSON a raw line break is white space. Empty if it is no object and no array."""
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    line = body.strip() if isinstance(body, bytes) else b""
    if b"\n" in line or b"\r" in line:
        line = line.translate(_ONE_LINE)
    if line[:1] == b"[" and line[-1:] == b"]":
        line = b'{"data":' + line + b"}"
    return line if line[:1] == b"{" and line[-1:] == b"}" else b""


def _entries(table: pa.Table, ids: list[str]) -> tuple[pa.Array, pa.StructArray]:
    """Owner and content of every entry: lists, one in a row per answer, or, in JSON Lines, the rows themselves."""
    data, *fields, owner = (column.combine_chunks() for column in table.columns)
    if len(ids) == 1 and data.null_count == len(data):
        return owner.fill_null(ids[0]), pa.StructArray.from_arrays(fields, fields=list(_ENTRY))
    if len(data) != len(ids) or data.null_count:
        raise pa.ArrowInvalid("Not one list of entries per answer.")
    codes = np.repeat(np.arange(len(ids)), pc.list_value_length(data))
    return pa.array(ids, _TEXT).take(pa.array(codes)), data.flatten()


def _log(owner: pa.Array, instants: Any, level: pa.Array, message: pa.Array) -> pd.DataFrame:  # noqa: ANN401 - int64s
    columns = [pd.Series(owner, dtype="str"), pd.Series(to_instants(instants))]
    columns += [pd.Series(texts, dtype="str") for texts in (level, message)]
    return pd.DataFrame(dict(zip(Log.names(), columns, strict=True)))


def _slow_log(schedule_id: str, body: object) -> pd.DataFrame:
    name = f"the log of schedule {schedule_id!r}"
    entries = [{"scheduleId": schedule_id} | entry for entry in _objects(body, name)]
    return _table(Log, entries, "Entry", name)


def _objects(body: object, name: str) -> list[dict[str, Any]]:
    """Find the objects inside whatever came: bytes, text, envelopes, pages, models of apify-client."""
    body = _json(body, name) if isinstance(body, str | bytes | bytearray) else _plain(body)
    if isinstance(body, dict) and "error" in body and "data" not in body:
        raise InputError(f"Instead of {name} came an error of the API, {_shown(body['error'])}; ask for it again.")
    for envelope in ("data", "items"):
        if isinstance(body, dict) and envelope in body:
            body = _plain(body[envelope])
    if isinstance(body, str) or not isinstance(body, Iterable):
        raise InputError(f"Instead of {name} came {_shown(body)}; expected an array of objects.")
    objects = [_plain(each) for each in ([body] if isinstance(body, dict) else body)]
    for number, each in enumerate(objects, 1):
        if not isinstance(each, dict):
            raise SchemaError(f"Item {number} of {name} is {_shown(each)}; expected an object.")
    return objects


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON, or a model of it
    """Undress what apify-client wraps around JSON: pydantic models (3.x) and pages (2.x)."""
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True)
    if isinstance(value, Mapping):
        return dict(value)
    items = getattr(value, "items", None)
    return value if items is None or callable(items) else items


def _json(body: str | bytes | bytearray, name: str) -> Any:  # noqa: ANN401 - JSON
    if not body.strip():
        raise InputError(f"Instead of {name} came nothing, an empty body; expected JSON.")
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body))
        return _json_or_lines(text.removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"Byte {error.start} of {name} is not valid {error.encoding}; expected JSON in UTF-8."
        ) from None
    except RecursionError:
        raise InputError(f"The JSON of {name} is nested too deeply; expected an array of flat objects.") from None
    except ValueError as error:
        kind = "HTML" if text.lstrip()[:1] == "<" else "no valid JSON"
        raise InputError(f"Instead of {name} came {kind}, {_shown(text)} ({error}); expected JSON.") from None


def _json_or_lines(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _table(table: type[Table], objects: list[dict[str, Any]], noun: str, name: str) -> pd.DataFrame:
    """Read every declared column from the objects, as the declaration says: API field, dtype, may it be missing."""
    columns = {}
    for column, dtype, field, is_required in _declared(table):  # type: ignore[arg-type]  # mypy takes a class for unhashable
        read = _READERS[dtype]
        values = [_dig(each, field) for each in objects]
        for row, value in enumerate(values):
            try:
                values[row] = None if value in (None, _ABSENT) and not is_required else read(value)
            except (TypeError, ValueError, OverflowError) as error:
                came = f"lacks {field}" if value is _ABSENT else f"has {field} {_shown(value)}"
                raise SchemaError(f"{noun} {row + 1} of {name} {came}{error}.") from None
        columns[column] = _series(values, dtype)
    return pd.DataFrame(columns)


@cache
def _declared(table: type[Table]) -> list[tuple[str, str, str, bool]]:
    rows = table.describe()
    fields = rows["api"].where(rows["api"] != "", "scheduleId")
    return list(zip(rows["column"], rows["dtype"], fields, rows["may be missing"] != "yes", strict=True))


def _dig(value: Any, field: str) -> Any:  # noqa: ANN401 - JSON
    for name in field.split("."):
        value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("; expected text")
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as JavaScript leaves when it cuts an emoji in two
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str(value)


def _read_instant(value: object) -> int:
    """Milliseconds since 1970, cut, not rounded."""
    expected = "expected an instant such as 2019-03-26T12:28:00.370Z"
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"; {expected}") from None
    if not isinstance(instant, datetime):
        raise ValueError(f"; {expected}")  # noqa: TRY004 - caught and worded by the caller
    if instant.tzinfo is None:
        raise ValueError(f", which has no offset; {expected}")
    milliseconds = (instant - _EPOCH) // _MS
    if not _is_sane(milliseconds):
        raise ValueError(f"; expected an instant from {EARLIEST.year} to {LATEST.year - 1}")
    return milliseconds


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("; expected true or false")
    return value


def _read_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("; expected a number")
    return float(value)


def _read_count(value: object) -> int:
    if not isinstance(value, list):
        raise TypeError("; expected a list")
    return len(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": _read_text,
    "datetime64[ms, UTC]": _read_instant,
    "bool": _read_flag,
    "float64": _read_number,
    "Int64": _read_count,
}


def _series(values: list[Any], dtype: str) -> pd.Series[Any]:
    if dtype != "datetime64[ms, UTC]":
        return pd.Series(values, dtype=dtype)
    return pd.Series(to_instants(np.array([MISSING if value is None else value for value in values], dtype="i8")))


def _is_sane(milliseconds: Any) -> Any:  # noqa: ANN401 - an int or int64s
    return (milliseconds >= _LOWEST) & (milliseconds < _HIGHEST)


def _shown(value: object) -> str:
    """Quote a value as JSON would write it, cut short; safe for values of any size and depth."""
    return json.dumps(value) if value is None or isinstance(value, bool) else reprlib.repr(value)
