"""Error rates: every due tick is counted once, in its window and group, with an interval that holds what it says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from schedlog_analysis._core.words import say
from schedlog_analysis.analysis.rates import average_error_rate, error_rate, pooled_error_rate, wilson, with_rates
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.invocations import invocations
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.matching.ticks import ticks
from schedlog_analysis.schema import ErrorRates, Invocations, Ticks

SEEDS = st.integers(0, 10_000)
GRID = [(k, n) for n in (1, 2, 3, 7, 19, 20, 100, 999, 10_000) for k in {0, 1, n // 3, n // 2, n - 1, n}]


@pytest.fixture(scope="module")
def told(sample):
    return invocations(sample.log, sample.schedules)


@pytest.fixture(scope="module")
def planned(sample, told):
    return ticks(told, sample.schedules)


def hourly(*starts, n=1, outcome="ok"):
    """Invocations of one schedule every hour from each start."""
    moments = [pd.Timestamp(start) + pd.Timedelta(hours=hour) for start in starts for hour in range(n)]
    frame = pd.DataFrame({"schedule_id": "a", "invoked_at": moments, "outcome": outcome, "is_manual": False})
    return Invocations.cast(frame.assign(n_entries=1, n_errors=0, n_warnings=0, message=None))


# Intervals


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_wilson_is_that_of_scipy(confidence):
    """The interval is SciPy's on a grid up to n = 10,000, k = 0 and k = n included."""
    k, n = np.array(GRID).T
    expected = [stats.binomtest(one, of).proportion_ci(confidence, "wilson") for one, of in GRID]
    np.testing.assert_allclose(wilson(k, n, confidence), np.array(expected).T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_wilson_is_that_of_statsmodels(confidence):
    """The interval is statsmodels' on the same grid."""
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    k, n = np.array(GRID).T
    expected = proportion.proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    np.testing.assert_allclose(wilson(k, n, confidence), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [10, 50, 200])
def test_wilson_covers_what_it_says(n):
    """Over all rates, the 95 % interval holds the true one in 95 % of cases on average, by the exact probabilities."""
    k, rate = np.arange(n + 1), np.linspace(0.001, 0.999, 999)[:, None]
    low, high = wilson(k, n)
    coverage = (stats.binom.pmf(k, n, rate) * ((low <= rate) & (rate <= high))).sum(axis=1)
    assert coverage.mean() == pytest.approx(0.95, abs=0.005)
    assert coverage.min() > 0.83


def test_wilson_of_nothing_is_missing():
    """Of nothing there is no interval."""
    assert np.isnan(wilson(0, 0)).all()


@pytest.mark.parametrize("confidence", [0, 1, 2, 95, -0.5, float("nan"), "0.95", None, True])
def test_a_confidence_is_a_share(confidence):
    """A level that is no share is refused."""
    with pytest.raises(InputError, match=r"expected a share such as 0\.95"):
        wilson(1, 2, confidence)


# Laws


@settings(max_examples=20)
@given(SEEDS, st.sampled_from(["h", "D", "W", "M"]), st.sampled_from(["UTC", "Europe/Prague", "Australia/Lord_Howe"]))
def test_windows_sum_to_the_whole(draw_ticks, seed, freq, tz):
    """Windows, groups and hours of the week each add up to the counts of everything."""
    table = draw_ticks(seed)
    whole = error_rate(table)[["n", "n_failed"]].sum()
    for keys in (None, "schedule_id", ["weekday", "hour"], ["schedule_id", "status"]):
        assert error_rate(table, freq, keys, tz=tz)[["n", "n_failed"]].sum().equals(whole)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([None, "D", "M"]))
def test_parts_are_the_whole(draw_ticks, seed, freq):
    """Schedules analysed one by one give the rows of all together, in any order of the rows, as text or coded."""
    table = draw_ticks(seed)
    whole = error_rate(table, freq, "schedule_id")
    ids = sorted(set(table["schedule_id"]))
    parts = [error_rate(table[table["schedule_id"] == one], freq, "schedule_id") for one in ids]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    shuffled = table.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(error_rate(shuffled, freq, "schedule_id"), whole)
    coded = error_rate(shuffled.astype({"schedule_id": "category"}), freq, "schedule_id")
    pd.testing.assert_frame_equal(coded.astype({"schedule_id": "str"}), whole)


@settings(max_examples=20)
@given(SEEDS)
def test_every_window_between_the_first_and_the_last_exists(draw_ticks, seed):
    """Of every group, windows follow each other without a gap; n = 0 has no rate, n > 0 has one inside its interval."""
    rates = error_rate(draw_ticks(seed, n=20), "D", "schedule_id", tz="America/New_York")
    for _, mine in rates.groupby("schedule_id"):
        local = mine["window_start"].dt.tz_convert("America/New_York").dt.tz_localize(None)
        assert (local.diff().dropna() == pd.Timedelta(days=1)).all()
    is_empty = rates["n"] == 0
    assert rates.loc[is_empty, ["error_rate", "low", "high"]].isna().all(axis=None)
    full = rates[~is_empty]
    assert ((full["low"] <= full["error_rate"]) & (full["error_rate"] <= full["high"])).all()


@settings(max_examples=20)
@given(SEEDS)
def test_counts_of_parts_give_the_rates_of_the_whole(draw_ticks, seed):
    """Counts of two parts, added up and made into rates again, are the rates of the whole."""
    table = draw_ticks(seed)
    parts = pd.concat([error_rate(table.iloc[::2], by="schedule_id"), error_rate(table.iloc[1::2], by="schedule_id")])
    added = parts.groupby("schedule_id", as_index=False)[["n", "n_failed"]].sum().assign(window_start=pd.NaT)
    pd.testing.assert_frame_equal(with_rates(added, ["schedule_id"]), error_rate(table, by="schedule_id"))


# Causes, hours, keys


def test_causes_add_up_to_the_error_rate(told):
    """Each cause has all invocations as n; what failed of it adds up to what failed, per schedule and month."""
    whole = error_rate(told, "M", "schedule_id", tz="Europe/Prague").set_index(["schedule_id", "window_start"])
    split = error_rate(told, "M", ["schedule_id", "cause"], tz="Europe/Prague")
    added = split.groupby(["schedule_id", "window_start"])[["n_failed"]].sum()
    assert added["n_failed"].equals(whole["n_failed"].loc[added.index])
    assert (whole["n_failed"].drop(added.index) == 0).all()
    n = split.set_index(["schedule_id", "window_start"])["n"]
    assert (n == whole["n"].loc[n.index]).all()
    assert split.sort_values(["schedule_id", "cause", "window_start"]).index.is_monotonic_increasing


def test_a_missed_tick_is_a_cause_of_its_own(planned):
    """Ticks with messages beside them are split by cause; those that were missed have none but that."""
    split = error_rate(planned.assign(message=None), by="cause").set_index("cause")
    assert split.loc["missed", "n_failed"] == (planned["status"] == "missed").sum()
    with pytest.raises(InputError, match="expected Invocations, or Ticks with a column message or cause"):
        error_rate(planned, by="cause")


def test_every_hour_of_the_week_exists():
    """One failure on Monday at 07:00 in New York is in its cell of 168."""
    rates = error_rate(hourly("2026-10-26T11:00Z", outcome="failed"), by=["weekday", "hour"], tz="America/New_York")
    assert len(rates) == 168
    assert rates[rates["n"] > 0][["weekday", "hour", "n_failed"]].to_numpy().tolist() == [[0, 7, 1]]
    assert error_rate(Invocations.empty(), by=["weekday", "hour"]).empty


def test_rows_without_a_key_still_count(planned):
    """A missing value of a key is a group of its own."""
    table = planned.assign(team=pd.Series("a", index=planned.index).where(planned["schedule_id"] < "k"))
    rates = error_rate(table, by="team")
    assert rates["team"].isna().tolist() == [False, True]
    assert rates["n"].sum() == error_rate(planned)["n"].item()


def test_an_unknown_key_is_told(planned):
    """A key that is no column is named."""
    with pytest.raises(InputError, match="no column 'color'"):
        error_rate(planned, by="color")


# Windows in local time, by hand


@pytest.mark.parametrize(
    ("tz", "first", "hours"),
    [
        ("Europe/Prague", "2026-03-28", [24, 23, 24]),
        ("Europe/Prague", "2026-10-24", [24, 25, 24]),
        ("America/New_York", "2026-03-07", [24, 23, 24]),
        ("America/New_York", "2026-10-31", [24, 25, 24]),
        ("Australia/Sydney", "2026-10-03", [24, 23, 24]),
        ("Australia/Sydney", "2026-04-04", [24, 25, 24]),
    ],
)
def test_days_are_local_days(tz, first, hours):
    """Around both changes of the clock, an hourly schedule is due 23, 24 or 25 times a day."""
    start = pd.Timestamp(first, tz=tz)
    table = hourly(start.tz_convert("UTC"), n=sum(hours))
    rates = error_rate(table, "D", tz=tz)
    assert rates["n"].tolist() == hours
    local = rates["window_start"].dt.tz_convert(tz)
    assert (local.dt.normalize() == local).all()


@pytest.mark.parametrize(
    ("tz", "month", "hours"),
    [
        ("Europe/Prague", "2026-03", 743),
        ("Europe/Prague", "2026-10", 745),
        ("America/New_York", "2026-03", 743),
        ("America/New_York", "2026-11", 721),
        ("Australia/Sydney", "2026-10", 743),
        ("Australia/Sydney", "2026-04", 721),
        ("UTC", "2026-03", 744),
    ],
)
def test_a_month_has_the_hours_of_its_clock(tz, month, hours):
    """A month in which the clock loses an hour has one tick less, and one in which it gains an hour one more."""
    start = pd.Timestamp(f"{month}-01", tz=tz)
    end = start + pd.DateOffset(months=1)
    table = hourly((start - pd.DateOffset(days=2)).tz_convert("UTC"), n=800)
    rates = error_rate(table, "M", tz=tz, start=start, end=end)
    assert rates["n"].tolist() == [hours]
    assert rates["window_start"].tolist() == [start]


def test_both_passes_of_an_hour_are_windows():
    """02:00 in Prague comes twice on 25 October; both are hours of their own, and both have the local hour 2."""
    table = hourly("2026-10-25T00:30Z", n=2)
    assert error_rate(table, "h", tz="Europe/Prague")["n"].tolist() == [1, 1]
    by_hour = error_rate(table, by="hour", tz="Europe/Prague")
    assert by_hour.loc[by_hour["hour"] == 2, "n"].tolist() == [2]


def test_groups_share_the_windows_of_a_stretch():
    """From start to end every group has every window; what lies outside does not count."""
    table = pd.concat(
        [hourly("2026-05-02T12:00Z"), hourly("2026-05-04T00:00Z", "2026-05-09T00:00Z").assign(schedule_id="b")]
    )
    rates = error_rate(table, "D", "schedule_id", start="2026-05-01T00:00Z", end="2026-05-05T00:00Z")
    assert rates["n"].tolist() == [0, 1, 0, 0, 0, 0, 0, 1]
    assert rates["schedule_id"].tolist() == ["a"] * 4 + ["b"] * 4
    nothing = error_rate(Invocations.empty(), "D", start="2026-05-01T00:00Z", end="2026-05-05T00:00Z")
    assert nothing["n"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"freq": "fortnight"}, "no window 'fortnight'"),
        ({"tz": "Mars/Olympus"}, "no time zone"),
        ({"start": "2026-05-02T00:00Z", "end": "2026-05-01T00:00Z"}, "lies before `start`"),
        ({"start": "2026-05-02"}, "without an offset"),
        ({"confidence": 95}, "expected a share"),
    ],
)
def test_what_makes_no_sense_is_told(options, told):
    """Bad arguments are input errors that name what came."""
    with pytest.raises(InputError, match=told):
        error_rate(hourly("2026-05-01T00:00Z"), **options)


# Nothing, little, and the two ways to put schedules together


@pytest.mark.parametrize("table", [Ticks, Invocations])
@pytest.mark.parametrize("by", [None, "schedule_id"])
@pytest.mark.parametrize("freq", [None, "D"])
def test_nothing_due_is_not_a_rate(table, by, freq):
    """Without rows every column is there with its dtype; the one row of everything has n = 0 and no rate."""
    rates = error_rate(table.empty(), freq, by)
    assert rates[ErrorRates.names()].dtypes.equals(ErrorRates.empty().dtypes)
    assert rates["n"].tolist() == ([0] if by is freq is None else [])
    assert rates["error_rate"].isna().all()


def test_pooled_and_averaged_are_two_figures(planned):
    """Pooled, every tick weighs the same; averaged, every schedule does."""
    rates = error_rate(planned, by="schedule_id")
    assert pooled_error_rate(rates) == pytest.approx(error_rate(planned)["error_rate"].item())
    assert average_error_rate(rates) == pytest.approx((rates["n_failed"] / rates["n"]).mean())
    assert np.isnan(pooled_error_rate(rates.iloc[:0]))
    assert np.isnan(average_error_rate(rates.iloc[:0]))


def test_invocations_count_by_their_outcome(told):
    """On the sample, invocations that are not manual or skipped are due, and the failed and partial ones down."""
    counts = told[~told["is_manual"]]["outcome"].value_counts()
    rates = error_rate(told)
    assert rates["n"].item() == counts.sum() - counts["skipped"]
    assert rates["n_failed"].item() == counts["failed"] + counts["partial"]


def test_a_policy_changes_what_counts(told):
    """Skipped ones counted as down are due and failed."""
    plain, strict = error_rate(told), error_rate(told, policy=AccountingPolicy(skipped="down"))
    skipped = (told["outcome"] == "skipped").sum()
    assert (strict - plain)[["n", "n_failed"]].to_numpy().tolist() == [[skipped, skipped]]


def test_below_twenty_counts_come_first():
    """Below 20 the words are k of n; from 20 on a share stands before them."""
    assert say(3, 19) == "3 of 19"
    assert say(3, 20) == "15.0 % (3 of 20)"
    assert say(1, 20_000).startswith("< 0.1 %")
    assert say(19_999, 20_000).startswith("> 99.9 %")
    assert say(0, 0) == "nothing was due"
