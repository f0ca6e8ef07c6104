"""Tables: declared once; cast, check, empty table and documentation agree with the declaration."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import cadence, invocations, schema, ticks
from schedlog_analysis._core.table import Number, Table, field
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.errors import SchedlogError, SchemaError
from schedlog_analysis.schema import OUTCOMES, STATUSES, TABLES, Coverage, Holes, Log, Schedules, Ticks

GOOD = {
    "schedule_id": ["a", "b"],
    "created_at": ["2026-01-01T00:00:00.370Z", "2026-01-01T01:00:00+01:00"],
    "level": ["INFO", "A LEVEL NOBODY KNOWS"],
    "message": ["", "<b>🙂</b> שלום"],
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_an_empty_table_is_a_table(table):
    """It has every column with its dtype, survives a cast, and is accepted as it is."""
    empty = table.empty()
    assert list(empty) == table.names() == table.describe()["column"].tolist()
    assert_frame_equal(table.cast(empty), empty)
    assert table.accept(empty) is empty


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_instants_and_durations_have_milliseconds(table):
    """Every instant is in UTC and every time has milliseconds, whatever pandas would infer."""
    for name, dtype in table.empty().dtypes.items():
        if name.endswith("_at"):
            assert str(dtype) == "datetime64[ms, UTC]"
        if dtype.kind == "m":
            assert str(dtype) == "timedelta64[ms]"


def test_cast_makes_a_log():
    """Texts with any offset become instants in UTC; unknown levels and odd messages stay to the letter."""
    log = Log.cast(pd.DataFrame(GOOD | {"more": [1, 2]}))
    assert list(log) == Log.names()
    assert log["created_at"].dt.tz_convert("UTC").dt.strftime("%H:%M:%S.%f").tolist() == [
        "00:00:00.370000",
        "00:00:00.000000",
    ]
    assert log["level"].tolist() == GOOD["level"]
    assert log["message"].tolist() == GOOD["message"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_any_resolution_is_taken(unit):
    """Engines hand over seconds, micro- or nanoseconds; the table has milliseconds."""
    instants = pd.Series(pd.to_datetime(GOOD["created_at"], utc=True, format="ISO8601")).dt.as_unit(unit)
    assert str(Log.cast(pd.DataFrame(GOOD | {"created_at": instants}))["created_at"].dtype) == "datetime64[ms, UTC]"


def test_categoricals_of_text_are_text():
    """A categorical is accepted where text is declared, and stays one."""
    log = Log.cast(pd.DataFrame(GOOD)).astype({"level": "category"})
    assert Log.accept(log) is log
    assert str(Log.cast(log)["level"].dtype) == "category"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"created_at": ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00"]},
            "created_at has '2026-01-01T00:00:00' in row 1",
        ),
        (
            {"created_at": ["2026-01-01T00:00:00Z", "2026-02-31T00:00:00Z"]},
            "created_at has '2026-02-31T00:00:00Z' in row 1",
        ),
        ({"created_at": ["2026-01-01T00:00:00Z", "1815-12-10T00:00:00Z"]}, "expected an instant from 2000 to 2099"),
        ({"created_at": pd.to_datetime(["2026-01-01", "2026-01-02"])}, "without a time zone"),
        ({"created_at": [1, 2]}, "created_at has"),
        ({"created_at": ["2026-01-01T00:00:00Z", None]}, "created_at is missing in row 1"),
        ({"message": ["x", None]}, "message is missing in row 1"),
        ({"level": ["INFO", 3]}, "level has 3 in row 1; expected text"),
        ({"level": [b"INFO", "x"]}, "level has b'INFO' in row 0; expected text"),
    ],
)
def test_a_bad_value_is_refused_by_column_and_row(change, sentence):
    """What came, where, and what was expected, in one sentence."""
    with pytest.raises(SchemaError, match="Log") as caught:
        Log.cast(pd.DataFrame(GOOD | change))
    assert sentence in str(caught.value)
    assert str(caught.value).count("\n") == 0
    assert isinstance(caught.value, SchedlogError | ValueError)


def test_a_lacking_column_is_named():
    """All columns that lack, and all that are expected."""
    with pytest.raises(SchemaError, match="Log lacks level, message; expected the columns schedule_id"):
        Log.cast(pd.DataFrame({"schedule_id": [], "created_at": []}))


def test_ranges_and_choices_are_checked():
    """A negative count, a share over 1 and an unknown status are refused."""
    row = {"schedule_id": ["a"], "first_at": [None], "last_at": [None], "is_truncated": [False], "n_holes": [0]}
    with pytest.raises(SchemaError, match="n_entries has -1"):
        Coverage.cast(pd.DataFrame(row | {"n_entries": [-1], "observed_share": [0.5]}))
    with pytest.raises(SchemaError, match=r"observed_share has 1\.5"):
        Coverage.cast(pd.DataFrame(row | {"n_entries": [1], "observed_share": [1.5]}))
    tick = {name: [None] for name in Ticks.names()} | {
        "schedule_id": ["a"],
        "status": ["vanished"],
        "is_ambiguous": [False],
    }
    with pytest.raises(SchemaError, match=r"status has 'vanished' in row 0; expected on_time or late"):
        Ticks.cast(pd.DataFrame(tick))


def test_missing_is_allowed_where_it_is_declared(make_schedules):
    """A schedule without title, next or last run and number of actions is a schedule."""
    table = make_schedules(("a", "0 * * * *", {"n_actions": None}))
    assert table[["title", "next_run_at", "n_actions"]].isna().all(axis=None)
    assert Schedules.accept(table) is table
    holes = Holes.cast(pd.DataFrame({"schedule_id": ["a"], "started_at": pd.NaT, "ended_at": pd.NaT}))
    assert holes["ended_at"].isna().all()


def test_full_windows():
    """Exactly 250, or 1000 and more."""
    assert [n for n in (0, 249, 250, 251, 999, 1000, 1001) if schema.is_full(n)] == [250, 1000, 1001]


def test_categories_in_another_order_are_put_in_order(sample):
    """A status that went through a file comes back with sorted categories, and counts as before."""
    due = ticks(invocations(sample.log, sample.schedules), sample.schedules)
    again = due.assign(
        status=due["status"].cat.set_categories(sorted(STATUSES)),
        outcome=due["outcome"].cat.set_categories(sorted(OUTCOMES)),
    )
    assert_frame_equal(Ticks.accept(again), due[Ticks.names()])
    assert_frame_equal(cadence(again, sample.schedules), cadence(due, sample.schedules))


def test_analyses_give_what_their_tables_declare(sample):
    """What analyses make is typed without a check, and would pass it."""
    found = Analysis.build(sample.log, sample.schedules, runs=sample.runs, period="2026-10")
    tables = {
        schema.Coverage: found.coverage,
        schema.Holes: found.holes,
        schema.Cadence: found.cadence,
        schema.ErrorRates: found.rates[schema.ErrorRates.names()],
        schema.Incidents: found.incidents,
        schema.FailureClusters: found.clusters[schema.FailureClusters.names()],
        schema.JudgedTicks: found.ticks,
        schema.Invocations: found.invocations,
    }
    for declared, table in tables.items():
        assert len(table), declared
        assert_frame_equal(declared.cast(table), table, obj=declared.__name__)


@pytest.mark.parametrize("came", [None, [1], pd.Series(["a"]), {"schedule_id": []}])
def test_what_is_no_frame_is_refused(came):
    """A column, a list or nothing at all is refused in one sentence by every analysis."""
    with pytest.raises(SchemaError, match=f"Instead of the table Log came a {type(came).__name__}; expected a DataFr"):
        invocations(came)


def test_a_column_that_is_there_twice_is_refused(sample):
    """Which of two columns is meant is the user's to say."""
    with pytest.raises(SchemaError, match="Log has the column 'message' twice; expected each column once"):
        invocations(pd.concat([sample.log, sample.log[["message"]]], axis=1))


@pytest.mark.parametrize(
    ("limits", "value", "expected"),
    [
        ({"ge": 0}, -0.5, r"has -0\.5 in row 1; expected at least 0"),
        ({"gt": 0}, 0.0, r"has 0\.0 in row 1; expected more than 0"),
        ({"le": 1}, 1.5, r"has 1\.5 in row 1; expected at most 1"),
        ({"lt": 1}, 1.0, r"has 1\.0 in row 1; expected less than 1"),
    ],
)
def test_limits_of_a_column(limits, value, expected):
    """A value beyond a limit is refused by column and row; one within it passes, and so does a missing one."""
    declared = type(
        "Shares", (Table,), {"__annotations__": {"share": Number}, "share": field("a", nullable=True, **limits)}
    )
    assert len(declared.cast(pd.DataFrame({"share": [0.5, None]}))) == 2
    with pytest.raises(SchemaError, match=f"Shares.share {expected}"):
        declared.cast(pd.DataFrame({"share": [0.5, value]}))


def test_a_limit_that_there_is_not():
    """A limit misspelt in a declaration is found where it is declared."""
    with pytest.raises(TypeError, match="no limit called min; expected ge, gt, le, lt"):
        field("a count", min=0)
