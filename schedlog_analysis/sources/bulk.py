"""
A bulk is many answers of the log endpoint, read as bytes in one pass of Arrow's JSON reader.

It takes what is documented, to the letter, and nothing else: what is odd is for `parse`, which reads object by object.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from schedlog_analysis._core.instants import to_instants
from schedlog_analysis._core.table import EARLIEST, LATEST
from schedlog_analysis.schema import Log

_TEXT = pa.large_string()  # what pandas' `str` is made of, so that no column is copied on the way
_ENTRY = pa.struct([("createdAt", pa.string()), ("level", _TEXT), ("message", _TEXT)])
_ANSWER = pa.schema([("data", pa.list_(_ENTRY)), *_ENTRY, ("scheduleId", _TEXT)])  # a response, or an entry on a line
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_LOWEST, _HIGHEST = (int(bound.timestamp() * 1000) for bound in (EARLIEST, LATEST))


def read_bulk(ids: list[str], bodies: list[object]) -> pd.DataFrame | None:
    """
    Read one answer for each id, in the order of the ids.

    Returns
    -------
    log
        Rows in the order in which they came; None if any of the answers is not exactly what is documented.

    Examples
    --------
    >>> read_bulk(["a"], [b'{"data": []}']).empty, read_bulk(["a"], [b'{"data": [{}]}'])
    (True, None)
    """
    lines = [_as_line(body) for body in bodies]
    if not lines or not all(lines):
        return None
    try:
        table = pj.read_json(
            pa.BufferReader(b"\n".join(lines)),
            pj.ReadOptions(use_threads=len(lines) > 1, block_size=max(1 << 20, max(map(len, lines)) + 1)),
            pj.ParseOptions(explicit_schema=_ANSWER, unexpected_field_behavior="ignore"),
        )
        owner, entries = _find_entries(table, ids)
        created, *texts = entries.flatten()
        for column in texts:
            column.validate(full=True)  # the reader lets invalid UTF-8 pass
        instants = pc.cast(created, pa.timestamp("us", "UTC")).cast("i8").to_numpy(zero_copy_only=False) // 1000
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return None
    holes = any(column.null_count for column in (entries, owner, created, *texts))
    return None if holes or not is_sane(instants).all() else _make_log(owner, instants, *texts)


def _as_line(body: object) -> bytes:
    """Make an answer one line: in JSON a raw line break is white space. Empty if it is no object and no array."""
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    line = body.strip() if isinstance(body, bytes) else b""
    if b"\n" in line or b"\r" in line:
        line = line.translate(_ONE_LINE)
    if line[:1] == b"[" and line[-1:] == b"]":
        line = b'{"data":' + line + b"}"
    return line if line[:1] == b"{" and line[-1:] == b"}" else b""


def _find_entries(table: pa.Table, ids: list[str]) -> tuple[pa.Array, pa.StructArray]:
    """Owner and content of every entry: lists, one in a row per answer, or, in JSON Lines, the rows themselves."""
    data, *fields, owner = (column.combine_chunks() for column in table.columns)
    if len(ids) == 1 and data.null_count == len(data):
        return owner.fill_null(ids[0]), pa.StructArray.from_arrays(fields, fields=list(_ENTRY))
    if len(data) != len(ids) or data.null_count:
        raise pa.ArrowInvalid("Not one list of entries per answer.")
    codes = np.repeat(np.arange(len(ids)), pc.list_value_length(data))
    return pa.array(ids, _TEXT).take(pa.array(codes)), data.flatten()


def _make_log(owner: pa.Array, instants: Any, level: pa.Array, message: pa.Array) -> pd.DataFrame:  # noqa: ANN401 - int64s
    columns = [pd.Series(owner, dtype="str"), pd.Series(to_instants(instants))]
    columns += [pd.Series(texts, dtype="str") for texts in (level, message)]
    return pd.DataFrame(dict(zip(Log.names(), columns, strict=True)))


def is_sane(milliseconds: Any) -> Any:  # noqa: ANN401 - an int or int64s
    """
    Tell which instants [ms since 1970] a schedule can be of, and not a broken clock.

    Examples
    --------
    >>> is_sane(0), is_sane(1767225600000)
    (False, True)
    """
    return (milliseconds >= _LOWEST) & (milliseconds < _HIGHEST)
