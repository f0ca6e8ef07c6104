"""Failures are called a burst when chance does not put them so close, and not more often than stated when it does."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from schedlog_analysis.analysis.counted import read_counted
from schedlog_analysis.analysis.incidents.bursts import _tail, bursts
from schedlog_analysis.errors import ConfigError, SchemaError
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import OUTCOMES, STATUSES, Invocations, Ticks

START = np.datetime64("2026-03-01T00:00", "ms")
HOUR = np.timedelta64(3_600_000, "ms")


def make_ticks(masks):
    """Build Ticks, a schedule per mask and an hour per tick; True failed."""
    n_ticks = [len(mask) for mask in masks]
    is_bad = np.concatenate([np.zeros(0, dtype=bool), *map(np.asarray, masks)])
    hours = np.concatenate([np.zeros(0, dtype=np.int64), *map(np.arange, n_ticks)])
    planned = pd.Series(pd.DatetimeIndex(START + hours * HOUR).tz_localize("UTC"))
    ids = pd.Index([f"{number:05d}" for number in range(len(masks))], dtype="str")
    outcome = np.where(is_bad, OUTCOMES.index("failed"), OUTCOMES.index("ok"))
    return Ticks.cast(
        pd.DataFrame(
            {
                "schedule_id": pd.Series(ids.take(np.repeat(np.arange(len(masks)), n_ticks)), dtype="str"),
                "planned_at": planned,
                "invoked_at": planned.copy(),
                "delay": pd.Series(np.zeros(len(hours), dtype="timedelta64[ms]")),
                "status": pd.Series("on_time", index=planned.index, dtype="str").astype(pd.CategoricalDtype(STATUSES)),
                "outcome": pd.Categorical.from_codes(outcome, pd.Index(OUTCOMES, dtype="str")),
                "is_ambiguous": np.zeros(len(hours), dtype=bool),
            }
        )
    )


@pytest.mark.parametrize(("n", "k"), [(12, 3), (12, 5), (14, 4), (9, 8)])
def test_no_order_is_called_a_burst_too_often(n, k):
    """Over every order of k bad ticks among n, p-values up to any level are no more frequent than the level."""
    orders = [np.isin(np.arange(n), chosen) for chosen in combinations(range(n), k)]
    p = np.sort(bursts(make_ticks(orders))["p_value"].to_numpy())
    share = np.arange(1, len(p) + 1) / len(p)
    assert (share[np.append(p[1:] > p[:-1], True)] <= np.unique(p) + 1e-12).all()


@pytest.mark.parametrize(("n", "rate"), [(100, 0.05), (720, 0.01), (720, 0.05), (720, 0.2), (300, 0.3)])
def test_chance_makes_no_more_bursts_than_stated(n, rate):
    """Where failures come at random, no more schedules than stated are said to have a burst."""
    rng = np.random.default_rng(5)
    ticks = make_ticks(rng.random((500, n)) < rate)
    for false_alarm in (0.01, 0.05):
        assert bursts(ticks, false_alarm=false_alarm)["is_burst"].mean() <= false_alarm


def test_three_in_a_row_are_no_burst_of_a_restless_schedule():
    """In a month of hours with 5 % failures three in a row are none, and eight in a row are one, found where it is."""
    even = np.arange(720) % 20 == 3
    for length, expected in ((3, False), (8, True)):
        mask = even.copy()
        mask[360:368] = np.arange(8) < length
        row = bursts(make_ticks([mask])).iloc[0]
        assert row["is_burst"] == expected
    assert (row["n"], row["n_bad"]) == (720, mask.sum())
    assert (row["n_ticks"], row["n_burst"]) == (8, 8)
    assert row["started_at"] == pd.Timestamp("2026-03-16T00:00Z")
    assert row["ended_at"] == pd.Timestamp("2026-03-16T07:00Z")


def test_failures_at_even_distances_are_no_burst():
    """However often it fails, a schedule that fails evenly has no burst; one that never or always fails has none."""
    masks = [np.arange(400) % step == 0 for step in (2, 3, 7, 50)]
    masks += [np.zeros(400, dtype=bool), np.ones(400, dtype=bool)]
    assert not bursts(make_ticks(masks))["is_burst"].any()


def test_a_cloud_of_failures_is_a_burst():
    """Failures need not be in a row: half of two days in a month that is calm otherwise are a burst."""
    mask = np.zeros(720, dtype=bool)
    mask[300:348:2] = True
    mask[[10, 500]] = True
    row = bursts(make_ticks([mask])).iloc[0]
    assert row["is_burst"]
    assert 20 <= row["n_burst"] <= 24


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 60), st.integers(1, 20))
def test_the_tail_is_the_hypergeometric(n, k, draws, least):
    """The tail equals scipy's, or is 1 where so many are expected anyway; it is only asked for what can happen."""
    k, draws = min(k, n), min(draws, n)
    least = max(least, draws - (n - k))
    if least <= min(k, draws):
        ours = _tail(least, *(np.array([value]) for value in (n, k, draws)))[0]
        theirs = hypergeom.sf(least - 1, n, k, draws)
        assert ours == pytest.approx(theirs, rel=1e-9) or (ours == 1 and least * n <= draws * k)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=60), max_size=5), st.randoms(use_true_random=False))
def test_order_dtype_and_partition_do_not_matter(masks, rng):
    """Shuffled rows, categoricals and one schedule at a time give the same table."""
    ticks = make_ticks(masks)
    found = bursts(ticks)
    order = list(range(len(ticks)))
    rng.shuffle(order)
    pd.testing.assert_frame_equal(bursts(ticks.iloc[order].astype({"schedule_id": "category"})), found)
    parts = [bursts(own) for _, own in ticks.groupby("schedule_id")]
    if parts:
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), found)


def test_invocations_are_trials_too():
    """Invocations give the same answer as their ticks; those by hand are left out."""
    mask = np.isin(np.arange(200), [50, 51, 52, 53, 54, 55])
    ticks = make_ticks([mask])
    invocations = Invocations.cast(
        ticks[["schedule_id", "invoked_at", "outcome"]].assign(
            is_manual=False, n_entries=1, n_errors=0, n_warnings=0, message=None
        )
    )
    by_hand = invocations.assign(is_manual=True)
    both = Invocations.cast(pd.concat([invocations, by_hand], ignore_index=True))
    pd.testing.assert_frame_equal(bursts(both), bursts(ticks))


def test_unknown_ticks_are_no_trials():
    """What the log cannot show is left out; missed, failed and partly failed ticks are down."""
    ticks = make_ticks([np.zeros(6, dtype=bool)])
    ticks["status"] = pd.Categorical(["on_time", "missed", "unknown", "on_time", "late", "extra"], categories=STATUSES)
    ticks["outcome"] = pd.Categorical(["failed", None, "failed", None, "partial", "failed"], categories=OUTCOMES)
    ticks["planned_at"] = ticks["planned_at"].where(ticks.index < 5)
    counted = read_counted(ticks)
    assert counted.is_down.tolist() == [True, True, True, True]
    assert counted.is_missed.tolist() == [False, True, False, False]
    assert read_counted(ticks, AccountingPolicy(partial="up")).is_down.tolist() == [True, True, False, True]
    assert len(read_counted(ticks, AccountingPolicy(extra="left_out")).instant) == 3


def test_tables_without_rows_keep_their_columns():
    """Nothing in, nothing out, and every column is there with its dtype."""
    full = bursts(make_ticks([np.ones(5, dtype=bool)]))
    assert len(bursts(Ticks.empty())) == 0
    assert bursts(Ticks.empty()).dtypes.equals(full.dtypes)
    assert bursts(Invocations.empty()).dtypes.equals(full.dtypes)
    few = bursts(make_ticks([np.arange(5) < 2]))
    assert few.dtypes.equals(full.dtypes)
    assert few["started_at"].isna().all()
    assert few["p_value"].tolist() == [1.0]


def test_bad_input_is_named():
    """A rate that is no share and a table that holds no ticks are errors that say what was expected."""
    for wrong in (0, 1, -0.1):
        with pytest.raises(ConfigError, match="above 0 and below 1"):
            bursts(Ticks.empty(), false_alarm=wrong)
    with pytest.raises(SchemaError, match="Invocations lacks schedule_id"):
        bursts(pd.DataFrame({"n": [1]}))
