"""A frame of any library and with any type of instants is the same Log, or one sentence says what it lacks."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import invocations, read_log, read_schedules
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import Log

FRAME = pd.DataFrame(
    {
        "schedule_id": ["a", "a"],
        "created_at": pd.to_datetime(["2026-01-01T00:00:00.300Z", "2026-01-01T01:00:00.300Z"]),
        "level": "INFO",
        "message": "Schedule invoked",
    }
)


class _Stream:
    """A table of some library: it speaks Arrow, and nothing else is known of it."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def _with_codes(table):
    return table.set_column(3, "message", table["message"].dictionary_encode())


def _in_ms(frame):
    return frame.assign(created_at=frame["created_at"].astype("datetime64[ms, UTC]").astype("int64"))


ARROW = pa.Table.from_pandas(FRAME, preserve_index=False)
SAME = {
    "pandas": FRAME,
    "Arrow": ARROW,
    "a library that speaks Arrow": _Stream(ARROW),
    "a dictionary": _with_codes(ARROW),
    "Arrow-backed pandas": FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "an Arrow-backed dictionary": _with_codes(ARROW).to_pandas(types_mapper=pd.ArrowDtype),
    "milliseconds": _in_ms(FRAME),
    "milliseconds in Arrow": pa.Table.from_pandas(_in_ms(FRAME)),
    "nullable milliseconds": _in_ms(FRAME).convert_dtypes(),
    "names of the API": FRAME.rename(columns={"created_at": "createdAt", "schedule_id": "scheduleId"}),
}


@pytest.mark.parametrize("kind", SAME)
def test_every_kind_of_frame_is_the_same_log(kind):
    """Whatever holds the columns, the table is ours."""
    assert_frame_equal(read_log(SAME[kind]), Log.cast(FRAME))


def test_arrow_backed_columns_go_straight_into_an_analysis():
    """`convert_dtypes` in a notebook changes no result."""
    log = read_log(FRAME)
    assert_frame_equal(invocations(log.convert_dtypes(dtype_backend="pyarrow")), invocations(log))


def test_frames_of_polars_and_duckdb_are_read():
    """Where they are installed."""
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    assert_frame_equal(read_log(polars.from_arrow(ARROW)), Log.cast(FRAME))
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    assert_frame_equal(read_log(duckdb.from_arrow(ARROW)), Log.cast(FRAME))


NAIVE = FRAME["created_at"].dt.tz_localize(None)
CLOCKS = {
    "datetimes": NAIVE,
    "text": NAIVE.astype("str"),
    "objects": pd.Series(NAIVE.dt.to_pydatetime(), dtype="object"),
    "Arrow": NAIVE.convert_dtypes(dtype_backend="pyarrow"),
}


@pytest.mark.parametrize("kind", CLOCKS)
def test_instants_without_an_offset_are_read_in_the_zone_that_is_given(kind):
    """Without a zone nobody knows what they mean, so they are refused."""
    frame = FRAME.assign(created_at=CLOCKS[kind])
    expected = Log.cast(FRAME.assign(created_at=FRAME["created_at"] - pd.Timedelta(1, "h")))
    assert_frame_equal(read_log(frame, tz="Europe/Prague"), expected)
    with pytest.raises(SchemaError, match=r"without a time zone|no offset"):
        read_log(frame)


@pytest.mark.parametrize("make", [lambda rows: rows, pd.DataFrame], ids=["objects", "frame"])
def test_dates_and_odd_hours_have_one_meaning(make):
    """A date is its midnight; of a doubled hour the first is meant, and a skipped one moves on to its end."""
    instants = [dt.date(2026, 1, 2), "2026-10-25 02:30", "2026-03-29T02:30", "2026-01-01T00:00Z"]
    log = read_log(make([{"createdAt": at, "level": "INFO", "message": "x"} for at in instants]), tz="Europe/Prague")
    expected = ["2026-01-01T00:00Z", "2026-01-01T23:00Z", "2026-03-29T01:00Z", "2026-10-25T00:30Z"]
    assert log["created_at"].tolist() == [pd.Timestamp(at) for at in expected]


def test_what_is_no_instant_is_said():
    """Seconds instead of milliseconds, words, and a zone that does not exist."""
    in_seconds = _in_ms(FRAME).assign(created_at=lambda frame: frame["created_at"] // 1000)
    with pytest.raises(SchemaError, match="expected an instant from 2000 to 2099"):
        read_log(in_seconds)
    with pytest.raises(SchemaError, match="has 'soon' in row 0"):
        read_log(FRAME.assign(created_at="soon"), tz="UTC")
    with pytest.raises(InputError, match="expected an IANA time zone"):
        read_log(FRAME.assign(created_at=NAIVE), tz="Nowhere/Land")


@pytest.mark.parametrize("make", [lambda rows: rows, pd.DataFrame], ids=["objects", "frame"])
def test_who_knows_only_the_cron_has_schedules(make):
    """The rest is what the platform makes of a schedule that says no more; it was there before everything."""
    (row,) = read_schedules(make([{"id": "a", "cronExpression": "0 9 * * *", "timezone": "Europe/Prague"}])).to_dict(
        "records"
    )
    assert (row["name"], row["cron"], row["timezone"], row["is_enabled"]) == ("a", "0 9 * * *", "Europe/Prague", True)
    assert row["created_at"] == row["modified_at"] == pd.Timestamp("2000-01-01T00:00Z")
    assert pd.isna(row["next_run_at"])
    assert pd.isna(row["n_actions"])
