"""
Spark reads an archive as it is, and the package's own functions run in `applyInPandas`: no wrapper, the same tables.

PySpark takes half a gigabyte, so no extra brings it; where it is installed, this is tested (``pip install pyspark``,
with Java 17 or later). PySpark 4.3 says that it does not fully support pandas 3: what is used here works, and one has
to know three things. A row may stand twice until `Archive.compact`, and its key tells. Spark hands instants over in
the session's time zone, and without it. Text and categoricals are both its ``string``.
"""

import shutil
import sys

import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import Archive, cadence, error_rate, invocations, ticks
from schedlog_analysis.schema import Cadence, ErrorRates, Invocations, Log

pytestmark = pytest.mark.filterwarnings(
    "ignore:PySpark does not yet fully support pandas",
    "ignore:The copy keyword is deprecated",  # PySpark uses it
)

SPARK_TYPES = {
    "str": "string",
    "category": "string",
    "bool": "boolean",
    "int64": "bigint",
    "float64": "double",
    "datetime64[ms, UTC]": "timestamp",
    "timedelta64[ms]": "interval day to second",
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """Give a session on two threads of this machine, its clock in UTC."""
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # else its workers take whatever Python the PATH names
        session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


@pytest.fixture(scope="module")
def archive(sample, tmp_path_factory):
    """Archive that is the union of two by copying files: half of the entries stand in it twice."""
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    middle = sample.log["created_at"].quantile(0.5).floor("ms")
    early = sample.log[sample.log["created_at"] < middle].reset_index(drop=True)
    Archive(first).append(early, middle)
    Archive(second).append(sample.log, "2026-11-01T00:00Z")
    Archive(second).append_schedules(sample.schedules)
    shutil.copytree(first, second, dirs_exist_ok=True)
    return Archive(second)


def columns(table):
    """Columns of one of the package's tables in Spark's words."""
    described = table.describe()[["column", "dtype"]].to_numpy()
    return ", ".join(f"{column} {SPARK_TYPES[dtype]}" for column, dtype in described)


def plain(table):
    """Categoricals as text: Spark knows no others."""
    coded = table.select_dtypes("category").columns
    return table.astype(dict.fromkeys(coded, "object"))


def told_of(entries, definitions):
    """Group one schedule's entries: what a user of Spark writes around `invocations`."""
    log = entries.assign(created_at=entries["created_at"].dt.tz_localize("UTC"))
    return invocations(Log.cast(log), definitions)


def assert_same(frame, expected, key):
    """Collect a table from Spark; its rows have no order there."""
    found = frame.toPandas()
    instants = found.select_dtypes("datetime").columns
    found = found.assign(**{name: found[name].dt.tz_localize("UTC") for name in instants}).astype(expected.dtypes)
    ours, theirs = (table.sort_values(key, ignore_index=True) for table in (found, expected))
    assert_frame_equal(ours, theirs, check_exact=True)


def test_an_archive_read_by_spark_gives_the_tables_of_one_process(spark, archive):
    """Invocations, Cadence and ErrorRates, each computed schedule by schedule on Spark, are those of this process."""
    definitions = archive.read_schedules()
    rows = spark.read.parquet(f"{archive.location}/log")
    entries = rows.dropDuplicates(["schedule_id", "created_at", "level", "message", "n"]).groupBy("schedule_id")

    def mine(key):
        return definitions[definitions["schedule_id"] == key[0]].reset_index(drop=True)

    def own_invocations(key, entries):
        return plain(told_of(entries, mine(key)))

    def own_cadence(key, entries):
        return plain(cadence(ticks(told_of(entries, mine(key)), mine(key)), mine(key)))

    def own_rates(key, entries):
        due = ticks(told_of(entries, mine(key)), mine(key))
        return plain(error_rate(due, freq="MS", by="schedule_id"))

    log = archive.read_log()
    assert rows.count() > len(log)
    told = invocations(log, definitions)
    due = ticks(told, definitions)
    due = due[due["schedule_id"].isin(log["schedule_id"])].reset_index(drop=True)
    spread = entries.applyInPandas
    assert_same(spread(own_invocations, columns(Invocations)), told, ["schedule_id", "invoked_at"])
    assert_same(spread(own_cadence, columns(Cadence)), cadence(due, definitions), ["schedule_id"])
    rates = error_rate(due, freq="MS", by="schedule_id")
    assert_same(spread(own_rates, f"schedule_id string, {columns(ErrorRates)}"), rates, ["schedule_id", "window_start"])
