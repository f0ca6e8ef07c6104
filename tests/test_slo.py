"""Objectives: attainment, what is left of the error budget, how fast it goes and until when it lasts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis.analysis.budget import burn_down
from schedlog_analysis.analysis.rates import error_rate, wilson
from schedlog_analysis.analysis.slo import burn_rates, slo
from schedlog_analysis.errors import ConfigError, InputError
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import BurnDown, BurnRates, Invocations, Slo, Ticks

SEEDS = st.integers(0, 10_000)
WINDOWS = st.sampled_from([None, "30d", "7d", "M", "W"])


def hourly(pattern, start="2026-05-01T00:00Z", schedule_id="a", freq="h"):
    """Invocations of a schedule, a letter each: o is ok, f is failed."""
    moments = pd.date_range(start, periods=len(pattern), freq=freq)
    outcome = ["failed" if letter == "f" else "ok" for letter in pattern]
    frame = pd.DataFrame({"schedule_id": schedule_id, "invoked_at": moments, "outcome": outcome, "is_manual": False})
    return Invocations.cast(frame.assign(n_entries=1, n_errors=0, n_warnings=0, message=None))


def one(table, objective, window=None, **options):
    return slo(table, objective, window, **options).iloc[0]


# Laws


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.5, 0.9, 0.995]), WINDOWS)
def test_the_budget_is_spent_left_and_counted_once(draw_ticks, seed, objective, window):
    """Budget = left + failed; attainment and its interval are those of the counts; met says whether it is enough."""
    table = slo(draw_ticks(seed), objective, window, "schedule_id", tz="Europe/Prague")
    np.testing.assert_allclose(table["budget"], table["budget_left"] + table["n_failed"])
    np.testing.assert_allclose(table["budget_left_share"], table["budget_left"] / table["budget"])
    np.testing.assert_allclose(table["attainment"], 1 - table["n_failed"] / table["n"])
    np.testing.assert_allclose(table[["low", "high"]].T, wilson(table["n"] - table["n_failed"], table["n"]))
    np.testing.assert_allclose(table["burn_rate"], (1 - table["attainment"]) / (1 - objective))
    assert (table["is_met"] == (table["attainment"] >= objective - 1e-12)).all()
    assert (table["ended_at"] > table["started_at"]).all()


@settings(max_examples=10)
@given(SEEDS, WINDOWS)
def test_parts_are_the_whole(draw_ticks, seed, window):
    """Schedules one by one, shuffled and coded give the rows of all together, in all three tables."""
    table = draw_ticks(seed, n=40)
    ids = sorted(set(table["schedule_id"]))
    for analysis in (
        lambda part: slo(part, 0.9, window, "schedule_id"),
        lambda part: burn_rates(part, 0.9, window, "schedule_id"),
        lambda part: burn_down(part, 0.9, "W", "schedule_id"),
    ):
        whole = analysis(table)
        parts = [analysis(table[table["schedule_id"] == one]) for one in ids]
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
        coded = analysis(table.sample(frac=1, random_state=seed).astype({"schedule_id": "category"}))
        pd.testing.assert_frame_equal(coded.astype({"schedule_id": "str"}), whole)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.6, 0.9]))
def test_the_budget_runs_out_with_the_tick_that_spends_it(draw_ticks, seed, objective):
    """Of all ticks given, the budget runs out at the first tick by which as many failed as may, one by one counted."""
    table = draw_ticks(seed, n_schedules=1)
    verdict = AccountingPolicy().judge(table)["counted_as"]
    counted = table.assign(at=table["planned_at"].fillna(table["invoked_at"]), is_down=verdict == "down")
    counted = counted[verdict != "left_out"].sort_values(["at", "is_down"])
    spent = counted[counted["is_down"] & (counted["is_down"].cumsum() >= (1 - objective) * len(counted) - 1e-9)]
    found = one(table, objective)["runs_out_at"]
    assert (pd.isna(found) and spent.empty) or found == spent["at"].iloc[0]


@settings(max_examples=15)
@given(SEEDS)
def test_the_burn_down_ends_with_what_is_left(draw_ticks, seed):
    """It starts at most at 1, never rises, ends at the share that is left, and counts every tick once."""
    table = draw_ticks(seed)
    steps, whole = burn_down(table, 0.9, "D", "schedule_id"), slo(table, 0.9, None, "schedule_id")
    left = steps.groupby("schedule_id")["budget_left"]
    np.testing.assert_allclose(left.last(), whole["budget_left_share"])
    assert (left.diff().dropna() <= 1e-12).all()
    assert steps.groupby("schedule_id")["n"].sum().tolist() == whole["n"].tolist()


# Windows and pace, by hand


def test_a_calendar_month_has_the_budget_of_the_whole_month():
    """After 5 of 31 days with 2 of 120 failed, 99 % of 744 allows 7.44, and 2 in 5 days make 7.44 on the 19th."""
    table = hourly("oof" + "o" * 60 + "f" + "o" * 56)
    row = one(table, 0.99, "M")
    assert (row["n"], row["n_failed"]) == (120, 2)
    assert row["started_at"] == pd.Timestamp("2026-05-01T00:00Z")
    assert row["ended_at"] == pd.Timestamp("2026-06-01T00:00Z")
    elapsed = (pd.Timestamp("2026-05-05T23:00Z") - pd.Timestamp("2026-05-01T00:00Z")) + pd.Timedelta(1, "ms")
    assert row["budget"] == pytest.approx(0.01 * 120 * (pd.Timedelta(days=31) / elapsed))
    expected = pd.Timestamp("2026-05-01T00:00Z") + elapsed * (row["budget"] / 2)
    assert abs(row["runs_out_at"] - expected) < pd.Timedelta("1s")
    assert not row["is_met"]


def test_months_are_local():
    """March 2026 in Prague begins an hour before UTC's and is an hour short."""
    row = one(hourly("o" * 30, "2026-03-14T00:00Z"), 0.99, "M", tz="Europe/Prague")
    assert row["started_at"] == pd.Timestamp("2026-02-28T23:00Z")
    assert row["ended_at"] - row["started_at"] == pd.Timedelta(hours=743)


def test_a_rolling_window_forgets():
    """What failed eight days ago is in no window of seven days; the pace looks back as far as it is told."""
    table = hourly("f" * 10 + "o" * 200 + "f" + "o" * 9)
    row = one(table, 0.9, "7d")
    assert (row["n"], row["n_failed"]) == (168, 1)
    assert row["ended_at"] - row["started_at"] == pd.Timedelta(days=7)
    assert pd.isna(row["runs_out_at"])  # 16.8 are allowed, and the pace is 1 a week
    quick = one(table, 0.9, "7d", pace="12h")["runs_out_at"]  # 1 in 12 hours: 15.8 more take 189.6 hours
    assert pd.isna(quick)
    quick = one(table, 0.95, "7d", pace="12h")["runs_out_at"]  # 8.4 are allowed: 7.4 more take 88.8 hours
    assert quick - row["ended_at"] == pytest.approx(pd.Timedelta(hours=88.8), abs=pd.Timedelta("1s"))


def test_an_end_cuts_the_data():
    """What comes at or after the end does not count; the window reaches back from there."""
    table = hourly("o" * 48 + "f" * 10)
    row = one(table, 0.9, "1d", end="2026-05-03T00:00Z")
    assert (row["n"], row["n_failed"]) == (24, 0)
    assert row["ended_at"] == pd.Timestamp("2026-05-03T00:00Z")


def test_a_budget_in_decimals_is_exact():
    """1 of 1,000 failed is 99.9 %, which is met though binary numbers have no 0.999; the budget is then used up."""
    row = one(hourly("f" + "o" * 999), 0.999)
    assert row["is_met"]
    assert row["budget"] == 1
    assert row["runs_out_at"] == pd.Timestamp("2026-05-01T00:00Z")


# Burning


def test_the_thresholds_are_those_of_the_workbook():
    """For 30 days: 14.4 over an hour and 5 minutes, 6 over 6 hours and 30 minutes, 1 over 3 days and 6 hours."""
    table = burn_rates(hourly("o" * 1000), 0.999, "30d")
    hours = (table["lookback"] / pd.Timedelta(hours=1)).tolist()
    assert list(zip(hours, table["threshold"], table["urgency"], strict=True)) == [
        (1, pytest.approx(14.4), "now"),
        (6, pytest.approx(6), "now"),
        (72, pytest.approx(1), "soon"),
    ]
    assert (table["short_lookback"] / pd.Timedelta(minutes=1)).tolist() == [5, 30, 360]
    assert not table["is_burning"].any()


def test_a_silent_schedule_is_urgent():
    """Three failures in the last six hours burn 99 % fifty times too fast, and the last tick failed too: look now."""
    table = hourly("o" * 700 + "foofof")
    rates = burn_rates(table, 0.99).set_index("urgency")
    assert rates["is_burning"].tolist() == [False, True, True]
    assert rates["burn_rate"].tolist() == pytest.approx([100, 50, 3 / 72 / 0.01])
    assert one(table, 0.99, "30d")["urgency"] == "now"


def test_without_a_tick_lately_the_last_one_counts():
    """40 minutes after the last tick nothing was due in the half hour: it burns if that tick failed, else not."""
    end = pd.Timestamp("2026-05-01T00:00Z") + pd.Timedelta(hours=705, minutes=40)
    for pattern, is_burning in (("foofof", True), ("foffoo", False)):
        rules = burn_rates(hourly("o" * 700 + pattern), 0.99, end=end).set_index("threshold")
        assert rules.loc[6, "is_burning"] == is_burning, pattern


def test_what_is_over_is_not_urgent():
    """Once the last ticks are good again, the short look-backs are, and nothing burns."""
    assert one(hourly("o" * 700 + "f" * 6 + "o" * 8), 0.99, "30d")["urgency"] == "none"


def test_one_failure_is_no_pace():
    """A single failure at the last tick is no reason to run, and two in three days of a daily schedule are one soon."""
    assert one(hourly("o" * 700 + "f"), 0.99, "30d")["urgency"] == "none"
    assert one(hourly("o" * 28 + "ff", freq="D"), 0.9, "30d")["urgency"] == "soon"


# Nothing, and words


@pytest.mark.parametrize("table", [Ticks, Invocations])
def test_nothing_due_is_neither_met_nor_missed(table):
    """Without ticks the one row says so, a table by schedule is empty, and every column has its dtype."""
    for window in (None, "30d", "M"):
        row = one(table.empty(), 0.99, window)
        assert row["text"] == "Nothing was due, so the objective was neither met nor missed."
        assert row[["attainment", "low", "high", "is_met", "budget", "budget_left", "runs_out_at"]].isna().all()
        empty = slo(table.empty(), 0.99, window, "schedule_id")
        assert empty.empty
        assert empty[Slo.names()].dtypes.equals(Slo.empty().dtypes)
    assert burn_rates(table.empty(), 0.99)["burn_rate"].isna().all()
    assert burn_rates(table.empty(), 0.99, by="schedule_id")[BurnRates.names()].dtypes.equals(BurnRates.empty().dtypes)
    assert burn_down(table.empty(), 0.99)[BurnDown.names()].dtypes.equals(BurnDown.empty().dtypes)


def test_what_was_left_out_is_nothing_due(draw_ticks):
    """A schedule with unknown ticks only has a row, in which nothing was due."""
    table = draw_ticks(1, n_schedules=1)
    unknown = table[table["status"] == "unknown"]
    assert slo(unknown, 0.99, "M", "schedule_id")["n"].tolist() == [0]
    steps = burn_down(unknown, 0.99, "M")
    assert steps["budget_left"].isna().all()
    assert len(steps) > 0


TOLD = {
    ("ooooooo", 0.9, None): "Met: 7 of 7 were up and the objective is 90 %, which allows no failure among so few.",
    ("oooooof", 0.9, None): "Not met: 6 of 7 were up and the objective is 90 %, which allows no failure among so few;"
    " the first came on 2026-05-01 06:00.",
    (
        "o" * 30 + "f" * 5 + "o" * 65,
        0.95,
        None,
    ): "Met: 95.0 % (95 of 100) were up and the objective is 95 %, which allows"
    " 5 failures, of which none is left; that was used up on 2026-05-02 10:00.",
    (
        "f" + "o" * 199,
        0.95,
        "30d",
    ): "Met: 99.5 % (199 of 200) were up and the objective is 95 %, which allows 10 failures,"
    " of which 9 are left;"
    " at the pace of the last 7 days that is enough.",
    ("o" * 92 + "f" * 8, 0.95, None): "Not met: 92.0 % (92 of 100) were up and the objective is 95 %, which allows"
    " 5 failures, and there were 8; that was used up on 2026-05-05 00:00;"
    " lately failures come so fast that somebody should look soon.",
    ("o" * 9 + "f", 0.8, None): "Met: 9 of 10 were up and the objective is 80 %, which allows 2 failures,"
    " of which 1 is left.",
    (
        "o" * 198 + "ff",
        0.98,
        "10d",
    ): "Met: 99.0 % (198 of 200) were up and the objective is 98 %, which allows 4 failures,"
    " of which 2 are left;"
    " at the pace of the last 7 days that is used up on 2026-05-16 07:00;"
    " lately failures come so fast that somebody should look now.",
}


@pytest.mark.parametrize(("pattern", "objective", "window"), TOLD)
def test_the_state_is_one_sentence(pattern, objective, window):
    """The sentence says whether it is met, by what counts, and when the allowed failures were or will be used up."""
    assert one(hourly(pattern), objective, window)["text"] == TOLD[pattern, objective, window]


@pytest.mark.parametrize(
    ("objective", "told"),
    [
        (99.5, r"is 99\.5; .*; did you mean 0\.995\?"),
        (1.5, r"did you mean 0\.015\?"),
        (100, r"is 100; expected a share between 0 and 1, both outside\.$"),
        (1.0, r"both outside\.$"),
        (0.0, r"both outside\.$"),
        (-1, "share"),
        ("0.995", "is '0.995'; expected a share"),
        (None, "is None; expected a share"),
        (float("nan"), "is nan; expected a share"),
    ],
)
def test_an_objective_is_a_share(objective, told):
    """Percent, all, nothing and what is no number are no objectives; percent are recognised."""
    for analysis in (slo, burn_rates, burn_down):
        with pytest.raises(ConfigError, match=told):
            analysis(Ticks.empty(), objective)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"window": "fortnight"}, "`window` is 'fortnight'; expected a calendar window such as 'M' or a duration"),
        ({"window": "30"}, "`window` is '30'; expected"),
        ({"window": "0d"}, "`window` is '0d', which is no time"),
        ({"pace": "slow"}, "`pace` is 'slow'; expected a duration such as '7d'"),
        ({"pace": "0d"}, "`pace` is '0d', which is no time"),
        ({"confidence": 1}, "`confidence` is 1; expected a share"),
        ({"end": "2026-05-01"}, "without an offset"),
        ({"by": "color"}, "no column 'color'"),
        ({"tz": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_what_makes_no_sense_is_told(options, told):
    """Bad arguments are input errors that name what came."""
    with pytest.raises(InputError, match=told):
        slo(hourly("oo"), 0.9, **options)


def test_rates_and_objectives_count_alike(draw_ticks):
    """The counts of all ticks are those of the error rate."""
    table = draw_ticks(5)
    counts = ["n", "n_failed"]
    pd.testing.assert_frame_equal(
        slo(table, 0.9, by="schedule_id")[counts], error_rate(table, by="schedule_id")[counts]
    )
