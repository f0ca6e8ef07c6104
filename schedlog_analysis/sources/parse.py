"""
A table is read from the API's objects and turned back into them: the only place that knows which field is which column.

Two roads lead to the Log. The fast one is `bulk`; what it does not take goes the slow road, object by object, which
reads the rare shapes and says what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis._core.instants import MISSING, to_instants, to_ms
from schedlog_analysis._core.table import EARLIEST, LATEST, Table
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import Log, Runs, Schedules
from schedlog_analysis.sources.bodies import find_objects, quoted
from schedlog_analysis.sources.bulk import is_sane, read_bulk

UNKNOWN_SCHEDULE = "unknown"
"""Schedule id of entries that nobody named a schedule for."""

_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_LOWEST = (EARLIEST.to_pydatetime() - _EPOCH) // _MS
_ABSENT = object()
_DEFAULTS: dict[str, Callable[[dict[str, Any]], Any]] = {  # of a schedule, from what was read before
    "name": lambda row: row["schedule_id"],
    "timezone": lambda _: "UTC",  # the platform's own default
    "is_enabled": lambda _: True,
    "is_exclusive": lambda _: False,
    "created_at": lambda _: _LOWEST,
    "modified_at": lambda row: row["created_at"],
}
_OWNERS = {"Entry": "scheduleId", "Schedule": "id", "Run": "meta.scheduleId"}  # which schedule an object is of


@dataclass(frozen=True)
class Skipped:
    """
    One object that could not be read, or not all of it.

    Attributes
    ----------
    kind
        entry, schedule or run.
    id
        Its id; empty for an entry, or if not known.
    schedule_id
        Schedule that it is, or belongs to; empty if not known.
    sentence
        Which object it is, what came and what was expected.
    """

    kind: str
    id: str
    schedule_id: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def parse_log(
    body: object,
    schedule_id: str = UNKNOWN_SCHEDULE,
    *,
    tz: str | None = None,
    skipped: list[Skipped] | None = None,
) -> pd.DataFrame:
    """
    Turn one answer of the log endpoint into a Log.

    Parameters
    ----------
    body
        JSON as bytes or text, or the parsed objects: ``{"data": [...]}``, a bare array, one object, or what
        apify-client returns. JSON Lines are read too. Fields that the API may add later are ignored.
    schedule_id
        Schedule that the entries belong to; an entry's own ``scheduleId`` goes before it.
    tz
        IANA zone of instants and dates without an offset; None refuses them. Of a doubled hour the first is meant.
    skipped
        List to which what cannot be read is added, while the rest is kept; None makes the first such entry an error.

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
    return parse_logs({schedule_id: body}, tz=tz, skipped=skipped)


def parse_logs(
    bodies: Mapping[str, object], *, tz: str | None = None, skipped: list[Skipped] | None = None
) -> pd.DataFrame:
    """
    Turn many answers of the log endpoint into one Log, several times faster than one by one.

    Parameters
    ----------
    bodies
        Answer of each schedule, by its id; as in `parse_log`.
    tz, skipped
        As in `parse_log`.

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
    table = read_bulk(ids, [bodies[schedule_id] for schedule_id in ids])
    if table is None:
        pieces = [_any_log(schedule_id, bodies[schedule_id], tz, skipped) for schedule_id in ids]
        table = pd.concat(pieces, ignore_index=True) if pieces else Log.empty()
    return sort_log(table)


def parse_schedules(body: object, *, tz: str | None = None, skipped: list[Skipped] | None = None) -> pd.DataFrame:
    """
    Turn schedule objects of the API into Schedules.

    An object needs no more than ``id`` and ``cronExpression``. What else it lacks is taken for what the platform makes
    of it: the id for the name, UTC, switched on, not exclusive; created before everything (2000) and never changed.

    Parameters
    ----------
    body
        One schedule, a list of them, or a page of them, as JSON or as parsed objects.
    tz, skipped
        As in `parse_log`. With `skipped` a schedule is kept as long as it has an id and a cron expression.

    Returns
    -------
    schedules
        Sorted by schedule and version (`modified_at`); empty if `body` is.

    Raises
    ------
    InputError
        If this is not JSON of that shape, or, without `skipped`, the same version of a schedule comes twice.
    SchemaError
        If a schedule lacks a field or holds what it must not.

    Examples
    --------
    >>> parse_schedules({"data": {"items": [], "total": 0}}).columns[3]
    'cron'
    >>> parse_schedules([{"id": "a", "cronExpression": "0 9 * * *"}]).loc[0, ["name", "timezone"]].tolist()
    ['a', 'UTC']
    """
    table = _read_table(Schedules, find_objects(body, "the list of schedules"), "Schedule", "the list", tz, skipped)
    table = table.sort_values(["schedule_id", "modified_at"], kind="stable", ignore_index=True)
    versions = ["schedule_id", "modified_at"]
    if skipped is not None:
        table = table.drop_duplicates(ignore_index=True)
    again = table.loc[table.duplicated(versions, keep="last"), "schedule_id"]
    for schedule_id in again:
        sentence = f"Schedule id {schedule_id!r} comes twice with the same modifiedAt"
        if skipped is None:
            raise InputError(f"{sentence}; expected every version of a schedule once.")
        skipped.append(
            Skipped("schedule", schedule_id, schedule_id, f"{sentence} and different content; the last is kept.")
        )
    return table.drop_duplicates(versions, keep="last", ignore_index=True)


def parse_runs(body: object, *, tz: str | None = None, skipped: list[Skipped] | None = None) -> pd.DataFrame:
    """
    Turn run objects of the API into Runs.

    Parameters
    ----------
    body
        One run, a list of them, or a page of them, as JSON or as parsed objects.
    tz, skipped
        As in `parse_log`.

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
    table = _read_table(Runs, find_objects(body, "the list of runs"), "Run", "the list", tz, skipped)
    return table.sort_values(["started_at", "run_id"], kind="stable", ignore_index=True)


def to_objects(frame: pd.DataFrame, table: type[Table]) -> list[dict[str, Any]]:
    """
    Turn a table back into the API's objects.

    Parameters
    ----------
    frame
        Log, Schedules or Runs.
    table
        Which of them.

    Returns
    -------
    objects
        One dictionary per row, with the API's names, nesting and timestamps; columns that are no field of the API are
        left out. Of actions only their number is known, so each is an empty object.

    Examples
    --------
    >>> entry = {"createdAt": "2026-01-01T00:00:00.370Z", "level": "INFO", "message": "…"}
    >>> to_objects(parse_log([entry]), Log) == [entry]
    True
    """
    frame, described = table.accept(frame), table.describe()
    fields = [(name, api) for name, api in zip(described["column"], described["api"], strict=True) if api]
    objects: list[dict[str, Any]] = [{} for _ in range(len(frame))]
    for name, api in fields:
        *parents, leaf = api.split(".")
        for target, value in zip(objects, _to_json(frame[name]), strict=True):
            for parent in parents:
                target = target.setdefault(parent, {})  # noqa: PLW2901 - one step down
            if name != "n_actions":
                target[leaf] = value
            elif value is not None:
                target[leaf] = [{} for _ in range(value)]
    return objects


def _to_json(column: pd.Series[Any]) -> list[Any]:
    """Give plain values that JSON can hold, None for missing."""
    values = column.tolist()
    if column.dtype.kind == "M":
        values = np.datetime_as_string(to_ms(column).view("datetime64[ms]"), timezone="UTC").tolist()
    return [None if missing else value for missing, value in zip(column.isna(), values, strict=True)]


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


def _any_log(schedule_id: str, body: object, tz: str | None, skipped: list[Skipped] | None) -> pd.DataFrame:
    """Read one answer, whatever its shape; by the fast road if another one was the odd one."""
    table = read_bulk([schedule_id], [body])
    if table is not None:
        return table
    name = f"the log of schedule {schedule_id!r}"
    objects = find_objects(body, name)
    entries = [{"scheduleId": schedule_id} | each if isinstance(each, dict) else each for each in objects]
    return _read_table(Log, entries, "Entry", name, tz, skipped)


def _read_table(
    table: type[Table], objects: list[Any], noun: str, name: str, tz: str | None, skipped: list[Skipped] | None
) -> pd.DataFrame:
    """Read every object; what is odd about one goes to `skipped`, or is an error where nobody keeps such a list."""
    rows = []
    for number, each in enumerate(objects, 1):
        row, odd = _read_row(table, each, tz)
        if odd and skipped is None:
            raise SchemaError(f"{noun if isinstance(each, dict) else 'Item'} {number} of {name} {odd[0]}.")
        if odd and skipped is not None:
            own, owner = (_find_text(each, field) for field in ("id", _OWNERS[noun]))
            skipped.append(Skipped(noun.lower(), own, owner, f"{noun} {number} of {name} {' and '.join(odd)}."))
        rows += [row] if row else []
    return pd.DataFrame(
        {column: _series([row[column] for row in rows], dtype) for column, dtype, *_ in _declared(table)}  # type: ignore[arg-type]
    )


def _find_text(value: object, field: str) -> str:
    found = _dig(value, field)
    return found if isinstance(found, str) else ""


def _read_row(table: type[Table], value: object, tz: str | None) -> tuple[dict[str, Any] | None, list[str]]:
    """Read every declared column and say what is odd; no row where something lacks that must be there."""
    if not isinstance(value, dict):
        return None, [f"is {quoted(value)}; expected an object"]
    row: dict[str, Any] = {}
    odd: list[str] = []
    for column, dtype, field, is_required in _declared(table):  # type: ignore[arg-type]  # a class is hashable
        came = _dig(value, field)
        default = _DEFAULTS.get(column) if table is Schedules else None
        if came is _ABSENT and default is not None:
            row[column] = default(row)
            continue
        try:
            row[column] = None if came in (None, _ABSENT) and not is_required else _READERS[dtype](came, tz)
        except (TypeError, ValueError, OverflowError) as error:
            odd.append((f"lacks {field}" if came is _ABSENT else f"has {field} {quoted(came)}") + str(error))
            if is_required and default is None:
                return None, odd
            row[column] = default(row) if default is not None else None
    return row, odd


@cache
def _declared(table: type[Table]) -> list[tuple[str, str, str, bool]]:
    rows = table.describe()
    fields = rows["api"].where(rows["api"] != "", "scheduleId")
    return list(zip(rows["column"], rows["dtype"], fields, rows["may be missing"] != "yes", strict=True))


def _dig(value: Any, field: str) -> Any:  # noqa: ANN401 - JSON
    for name in field.split("."):
        value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


def _read_text(value: object, _: str | None) -> str:
    if not isinstance(value, str):
        raise TypeError("; expected text")
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as JavaScript leaves when it cuts an emoji in two
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str(value)


def _read_instant(value: object, tz: str | None) -> int:
    """Milliseconds since 1970, cut, not rounded."""
    expected = "expected an instant such as 2019-03-26T12:28:00.370Z"
    if isinstance(value, int) and not isinstance(value, bool):
        return _checked_ms(value)
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"; {expected}") from None
    if isinstance(instant, date) and not isinstance(instant, datetime):
        instant = datetime.combine(instant, time())
    if not isinstance(instant, datetime):
        raise ValueError(f"; {expected}")  # noqa: TRY004 - caught and worded by the caller
    if instant.tzinfo is None:
        if tz is None:
            raise ValueError(f", which has no offset; {expected}")
        instant = pd.Timestamp(instant).tz_localize(tz, ambiguous=True, nonexistent="shift_forward")
    return _checked_ms((instant - _EPOCH) // _MS)


def _checked_ms(milliseconds: int) -> int:
    if not is_sane(milliseconds):
        raise ValueError(f"; expected an instant from {EARLIEST.year} to {LATEST.year - 1}")
    return milliseconds


def _read_flag(value: object, _: str | None) -> bool:
    if not isinstance(value, bool):
        raise TypeError("; expected true or false")
    return value


def _read_number(value: object, _: str | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("; expected a number")
    return float(value)


def _read_count(value: object, _: str | None) -> int:
    if not isinstance(value, list):
        raise TypeError("; expected a list")
    return len(value)


_READERS: dict[str, Callable[[Any, str | None], Any]] = {
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
