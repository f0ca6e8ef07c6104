"""Cadence: how regularly schedules ran, by hand-checked examples and by laws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy.stats import theilslopes

from schedlog_analysis import cadence, intervals, outages
from schedlog_analysis.analysis.cadence import _quantile, _theil_sen, _thinned
from schedlog_analysis.schema import PLANNED, STATUSES, Cadence, Ticks

START = pd.Timestamp("2026-01-01T00:00Z")


def _ticks(*rows):
    """Ticks from (schedule, planned hour or None, delay in seconds or None, status)."""
    table = pd.DataFrame(rows, columns=["schedule_id", "hour", "seconds", "status"])
    planned = START + pd.to_timedelta(table["hour"].astype(float), unit="h")
    delay = pd.to_timedelta(table["seconds"].astype(float), unit="s")
    invoked = planned + delay
    is_beyond = table["status"].isin(["extra", "manual"])
    return Ticks.cast(
        pd.DataFrame(
            {
                "schedule_id": table["schedule_id"],
                "planned_at": planned.mask(is_beyond).astype("datetime64[ms, UTC]"),
                "invoked_at": invoked.astype("datetime64[ms, UTC]"),
                "delay": delay.mask(is_beyond),
                "status": table["status"],
                "outcome": pd.Series("ok", index=table.index).where(invoked.notna()),
                "is_ambiguous": False,
            }
        )
    )


def _one(*rows, **options):
    (row,) = cadence(_ticks(*rows), **options).to_dict("records")
    return row


def test_counts_delays_and_intervals():
    """Five planned ticks and what happened beyond the plan, checked by hand."""
    row = _one(
        ("a", 0, 1, "on_time"),
        ("a", 1, 3, "on_time"),
        ("a", 1, 30, "duplicate"),
        ("a", 2, None, "missed"),
        ("a", 3, 65, "late"),
        ("a", 4, None, "unknown"),
        ("a", 2.5, 0, "manual"),
        ("a", 3.5, 0, "extra"),
    )
    counts = {name: row[f"n_{name}"] for name in ("planned", "observed", *STATUSES[1:])}
    assert counts == {
        "planned": 5, "observed": 3, "late": 1, "missed": 1, "unknown": 1, "duplicate": 1, "extra": 1, "manual": 1,
    }  # fmt: skip
    assert row["on_time_share"] == pytest.approx(2 / 4)
    assert row["delay_median"] == pd.Timedelta("3s")
    assert row["delay_max"] == pd.Timedelta("65s")
    assert row["delay_mad"] == pd.Timedelta("2s")
    assert row["delay_p95"] == pd.Timedelta(milliseconds=round(np.quantile([1000, 3000, 65000], 0.95)))
    # 0:00:01, 1:00:03, 3:01:05 and the extra one at 3:30.
    assert row["interval_median"] == pd.Timedelta("1h 2s")
    assert row["longest_gap"] == pd.Timedelta("2h 1min 2s")


def test_the_silence_of_a_stopped_schedule_counts():
    """The longest gap reaches to the last missed tick, and two misses in a row are an outage."""
    rows = [("a", 0, 0, "on_time"), ("a", 1, 0, "on_time"), *(("a", hour, None, "missed") for hour in (2, 3, 4, 5))]
    row = _one(*rows)
    assert row["longest_gap"] == pd.Timedelta("4h")
    assert (row["longest_gap_ticks"], row["n_outages"]) == (4, 1)
    (outage,) = outages(_ticks(*rows)).to_dict("records")
    assert (outage["started_at"], outage["n_ticks"]) == (START + pd.Timedelta(hours=2), 4)
    assert outage["ended_at"] is pd.NaT


def test_an_outage_ends_with_the_next_tick():
    """Single misses are no outage; unknown ticks end one."""
    table = _ticks(
        ("a", 0, None, "missed"),
        ("a", 1, 0, "on_time"),
        ("a", 2, None, "missed"),
        ("a", 3, None, "missed"),
        ("a", 4, None, "unknown"),
        ("b", 0, None, "missed"),
    )
    (outage,) = outages(table).to_dict("records")
    assert (outage["schedule_id"], outage["n_ticks"]) == ("a", 2)
    assert outage["ended_at"] == START + pd.Timedelta(hours=4)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-5, 50)), min_size=3, max_size=40))
def test_slope_and_interval_are_those_of_scipy(points):
    """Theil and Sen's slope with ties in x and y, to the last digit but one."""
    x, y = (np.array(column, dtype=np.float64) for column in zip(*sorted(points), strict=True))
    if x[0] < x[-1]:
        with np.errstate(invalid="ignore"):  # where ties leave no interval
            slope, _, low, high = theilslopes(y, x, 0.95)
        assert _theil_sen(x, y) == pytest.approx((slope, low, high), rel=1e-12, nan_ok=True)


@given(st.lists(st.integers(-1000, 1000), min_size=7, max_size=60))
def test_many_points_are_thinned_to_medians_of_neighbours(values):
    """As numpy would split them."""
    expected = [np.median(part) for part in np.array_split(np.array(values, dtype=np.float64), 7)]
    assert _thinned(np.array(values, dtype=np.float64), 7).tolist() == expected


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.0, 1.0, 0.3]))
def test_quantiles_are_those_of_numpy(values, share):
    """In whole milliseconds, of any number of delays."""
    assert _quantile(np.array(values, dtype=np.int64), share) == round(float(np.quantile(values, share)))


def test_drift_is_the_slope_of_the_delay():
    """Ten milliseconds a day, with an interval around it; noise that does not grow is no drift."""
    row = _one(*(("a", 24 * day, 1 + 0.01 * day, "on_time") for day in range(30)))
    assert row["drift"] == pytest.approx(10, abs=0.5)
    assert row["drift_low"] <= row["drift"] <= row["drift_high"]
    rng = np.random.default_rng(0)
    still = _one(*(("a", hour, delay, "on_time") for hour, delay in enumerate(rng.exponential(1, 500))))
    assert still["drift_low"] < 0 < still["drift_high"]


def test_a_longer_tolerance_takes_more_as_on_time():
    """`on_time` counts delays against a duration of the caller's."""
    rows = [("a", 0, 1, "on_time"), ("a", 1, 59, "on_time"), ("a", 2, 100, "late"), ("a", 3, None, "missed")]
    assert _one(*rows, on_time="2s")["on_time_share"] == pytest.approx(1 / 4)
    assert _one(*rows, on_time="2min")["on_time_share"] == pytest.approx(3 / 4)


def test_the_cron_is_given_or_read_off_the_plan(make_schedules):
    """A definition is given; else the planned moments tell; without any there is none."""
    table = _ticks(*(("a", hour, 0, "on_time") for hour in range(100)), ("b", 5.123, 0, "extra"))
    told = cadence(table, make_schedules(("a", "0 */1 * * *"))).set_index("schedule_id")
    assert told["cron_source"].astype("str").to_dict() == {"a": "given", "b": "none"}
    assert cadence(table).set_index("schedule_id").loc["a", ["cron", "cron_source"]].tolist() == [
        "0 * * * *",
        "inferred",
    ]


def test_no_ticks_no_cadence():
    """An empty table gives an empty table with all columns."""
    assert_frame_equal(cadence(Ticks.empty()), Cadence.empty())
    assert intervals(Ticks.empty()).empty
    assert outages(Ticks.empty()).empty


ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.integers(0, 200), st.sampled_from(STATUSES)).map(
        lambda row: (row[0], row[1], None if row[3] in {"missed", "unknown"} else row[2], row[3])
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: (row[0], row[1]),
)


@given(ROWS, st.randoms(use_true_random=False))
def test_laws(make_schedules, rows, random):
    """Counts add up; order does not matter; schedules do not touch each other."""
    table = _ticks(*rows)
    hourly = make_schedules(("a", "0 * * * *"), ("b", "0 * * * *"))
    told = cadence(table, hourly)
    assert (told["n_planned"] == told["n_observed"] + told["n_missed"] + told["n_unknown"]).all()
    assert told["n_planned"].sum() == table["status"].isin(PLANNED).sum()
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert_frame_equal(cadence(_ticks(*shuffled), hourly), told)
    parts = [cadence(table[table["schedule_id"] == name], hourly) for name in sorted(set(table["schedule_id"]))]
    assert_frame_equal(pd.concat(parts, ignore_index=True), told, check_categorical=False)
