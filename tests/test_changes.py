"""Change points: the likeliest cut of all, of no series by chance more often than stated, said with its uncertainty."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from schedlog_analysis.analysis.changes import change_points, find_cuts
from schedlog_analysis.analysis.rates import wilson
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.matching.policy import AccountingPolicy, Maintenance
from schedlog_analysis.schema import Changes, Invocations, Ticks

SERIES = st.lists(st.booleans(), max_size=40).map(lambda trials: np.array(trials, dtype=bool))
RUNS = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=6).map(
    lambda runs: np.repeat([bad for _, bad in runs], [length for length, _ in runs]).astype(bool)
)


def hourly(pattern, start="2026-05-01T00:00Z", schedule_id="a"):
    """Invocations of a schedule, a letter each: o is ok, f is failed."""
    outcome = ["failed" if letter == "f" else "ok" for letter in pattern]
    moments = pd.date_range(start, periods=len(pattern), freq="h")
    frame = pd.DataFrame({"schedule_id": schedule_id, "invoked_at": moments, "outcome": outcome, "is_manual": False})
    return Invocations.cast(frame.assign(n_entries=1, n_errors=0, n_warnings=0, message=None))


def loss(trials):
    """Negative log-likelihood of the rate that explains these trials best, trial by trial as SciPy has it."""
    return -stats.bernoulli.logpmf(trials, trials.mean()).sum() if len(trials) else 0.0


def cost_of(is_down, cuts, penalty):
    return sum(loss(is_down[begin:end]) for begin, end in pairwise([0, *cuts, len(is_down)])) + penalty * len(cuts)


def penalty_of(n, false_alarms=0.05):
    """The penalty that the docstring states."""
    return np.log(n) / 2 + np.log(1 / false_alarms) + 0.5


def least_cost(is_down, penalty):
    """Least cost of all ways to cut, by trying every last cut of every beginning."""
    n = len(is_down)
    best = [-penalty]
    for end in range(1, n + 1):
        best.append(min(best[begin] + loss(is_down[begin:end]) + penalty for begin in range(end)))
    return best[n]


# The cuts


@settings(max_examples=60)
@given(SERIES | RUNS)
def test_no_other_cuts_are_better(is_down):
    """Of all ways to cut a series, none has a greater likelihood less the stated penalty."""
    if len(is_down):
        penalty = penalty_of(len(is_down))
        assert cost_of(is_down, find_cuts(is_down), penalty) == pytest.approx(least_cost(is_down, penalty), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_the_cuts_are_those_of_ruptures(seed):
    """Dynamic programming of ruptures, for every number of cuts, ends at the same cuts."""
    rpt = pytest.importorskip("ruptures", reason="ruptures is not installed")

    class Bernoulli(rpt.base.BaseCost):
        model, min_size = "bernoulli", 1

        def fit(self, signal):
            self.signal = signal
            return self

        def error(self, start, end):
            return loss(self.signal[start:end, 0].astype(bool))

    rng = np.random.default_rng(seed)
    is_down = rng.random(70) < np.repeat([0.05, 0.9, 0.1], [30, 15, 25])
    search = rpt.Dynp(custom_cost=Bernoulli(), min_size=1, jump=1).fit(is_down[:, None].astype(float))
    ways = [[]] + [search.predict(n_bkps=n)[:-1] for n in range(1, 5)]
    penalty = penalty_of(len(is_down))
    assert find_cuts(is_down).tolist() == min(ways, key=lambda cuts: cost_of(is_down, cuts, penalty))


@given(SERIES | RUNS)
def test_good_and_bad_are_alike(is_down):
    """With good and bad swapped the cuts are the same; backwards they are as good."""
    assert find_cuts(~is_down).tolist() == find_cuts(is_down).tolist()
    n = len(is_down)
    if n:
        back = (n - find_cuts(is_down[::-1]))[::-1]
        there = find_cuts(is_down)
        penalty = penalty_of(n)
        assert cost_of(is_down, back, penalty) == pytest.approx(cost_of(is_down, there, penalty), abs=1e-9)


@pytest.mark.parametrize("stated", [0.01, 0.05, 0.2])
def test_constant_rates_are_cut_no_more_often_than_stated(stated):
    """Of 500 series each of five constant rates, at most the stated share is cut."""
    rng = np.random.default_rng(20261101)
    for n, rate in ((10, 0.3), (30, 0.1), (30, 0.5), (100, 0.3), (200, 0.03)):
        is_cut = [len(find_cuts(rng.random(n) < rate, stated)) > 0 for _ in range(500)]
        assert np.mean(is_cut) <= stated + 3 * np.sqrt(stated * (1 - stated) / 500), (n, rate)


def test_planted_changes_are_found():
    """From 2 % to 40 % and back in a month of hours: both changes, within 12 ticks, in 28 of 30 schedules and more."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(30):
        cuts = find_cuts(rng.random(720) < np.repeat([0.02, 0.4, 0.02], [300, 120, 300]))
        hits += len(cuts) == 2 and bool((np.abs(cuts - [300, 420]) <= 12).all())
    assert hits >= 28


@pytest.mark.parametrize("pattern", ["", "o", "f", "ooooo", "fffff", "of", "fo"])
def test_too_little_to_tell_and_nothing_to_tell(pattern):
    """No tick, one tick, none or all of them failed, or one of each: no change, and every column with its dtype."""
    found = change_points(hourly(pattern * (1 if len(pattern) < 5 else 100)))
    assert found.empty
    assert found.dtypes.equals(Changes.empty().dtypes)


# The table


def test_a_change_by_hand():
    """40 good ticks, then 15 bad, then 45 good: worse at the 41st, better at the 56th, with counts and intervals."""
    found = change_points(hourly("o" * 40 + "f" * 15 + "o" * 45))
    assert found["changed_at"].tolist() == [pd.Timestamp("2026-05-02T16:00Z"), pd.Timestamp("2026-05-03T07:00Z")]
    assert found["change"].tolist() == ["worse", "better"]
    counts = ["n_failed_before", "n_before", "n_failed_after", "n_after"]
    assert found[counts].to_numpy().tolist() == [[0, 40, 15, 15], [15, 15, 0, 45]]
    assert found[["rate_before", "rate_after"]].to_numpy().tolist() == [[0, 1], [1, 0]]
    for side in ("before", "after"):
        bounds = wilson(found[f"n_failed_{side}"], found[f"n_{side}"])
        np.testing.assert_array_equal(found[[f"low_{side}", f"high_{side}"]].T, bounds)


TOLD = {
    "o" * 60 + "f" * 12: "Worse from 2026-05-03 14:00 on: 12 of 12 failed or were missed, 0 % (0 of 60) before.",
    "o" * 60 + "fofffofffffff" * 2: "Worse from 2026-05-03 14:00 on: 84.6 % (22 of 26) failed or were missed,"
    " 0 % (0 of 60) before; it may have begun between 2026-05-03 13:00 and 2026-05-03 14:00.",
}


@pytest.mark.parametrize("pattern", TOLD)
def test_the_sentence_says_when_how_much_and_how_sure(pattern):
    """Counts come first where n is small, moments are local, and where else it may have begun is said."""
    assert change_points(hourly(pattern), tz="Europe/Prague")["text"].tolist() == [TOLD[pattern]]


def test_the_stretch_holds_the_planted_change_as_often_as_stated():
    """Of 150 changes from 5 % to 60 %, at least 90 % lie between the earliest and the latest moment at 95 %."""
    rng = np.random.default_rng(3)
    planted = pd.Timestamp("2026-05-01T00:00Z") + pd.Timedelta(hours=80)
    patterns = [rng.random(140) < np.repeat([0.05, 0.6], [80, 60]) for _ in range(150)]
    table = pd.concat(
        [hourly(np.where(one, "f", "o"), schedule_id=f"{number:03}") for number, one in enumerate(patterns)]
    )
    found = change_points(table)
    nearest = found.iloc[(found["changed_at"] - planted).abs().argsort(kind="stable")].drop_duplicates("schedule_id")
    assert len(nearest) >= 149
    assert ((nearest["earliest_at"] <= planted) & (planted <= nearest["latest_at"])).mean() >= 0.9
    narrow = change_points(table, confidence=0.5)
    assert (narrow["earliest_at"] >= found["earliest_at"]).all()
    assert (narrow["latest_at"] <= found["latest_at"]).all()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_order_and_company_change_nothing(draw_ticks, seed):
    """Shuffled rows, coded ids and other schedules in the table give the same changes."""
    table = changing(draw_ticks(seed, n=150))
    whole = change_points(table)
    assert len(whole)
    pd.testing.assert_frame_equal(change_points(table.sample(frac=1, random_state=seed)), whole)
    coded = change_points(table.astype({"schedule_id": "category"}))
    pd.testing.assert_frame_equal(coded.astype({"schedule_id": "str"}), whole)
    parts = [change_points(table[table["schedule_id"] == one]) for one in sorted(set(table["schedule_id"]))]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_the_order_of_what_happened_at_once_changes_nothing():
    """Of a good and a bad tick at the same moment, it does not matter which row comes first."""
    table = pd.concat([hourly("o" * 40 + "f" * 15), hourly("o" * 5 + "f", "2026-05-02T15:00Z")])
    found = change_points(table)
    assert len(found)
    pd.testing.assert_frame_equal(change_points(table.iloc[::-1]), found)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_stretches_count_every_tick_once(draw_ticks, seed):
    """The stretches between the changes of a schedule hold all that counts of it, each with its own failures."""
    table = changing(draw_ticks(seed, n=150))
    verdict = AccountingPolicy().judge(table)["counted_as"]
    due = table.assign(is_down=verdict == "down")[verdict != "left_out"]
    found = change_points(table)
    assert len(found)
    for schedule_id, mine in found.groupby("schedule_id"):
        counts = due[due["schedule_id"] == schedule_id]["is_down"].agg(["size", "sum"]).tolist()
        for name, count in zip(("n", "n_failed"), counts, strict=True):
            assert mine[f"{name}_before"].iloc[0] + mine[f"{name}_after"].sum() == count
            assert mine[f"{name}_before"].iloc[1:].tolist() == mine[f"{name}_after"].iloc[:-1].tolist()
    assert (found["earliest_at"] <= found["changed_at"]).all()
    assert (found["changed_at"] <= found["latest_at"]).all()
    assert ((found["rate_after"] > found["rate_before"]) == (found["change"] == "worse")).all()


def changing(table):
    """Let everything fail that was invoked in the second half."""
    is_later = table["invoked_at"] > pd.Timestamp("2026-03-21T00:00Z")
    codes = table["outcome"].cat.codes.mask(is_later, 2).mask(~is_later & table["outcome"].notna(), 0)
    return table.assign(outcome=pd.Categorical.from_codes(codes, dtype=table["outcome"].dtype))


def test_the_policy_decides_what_changed():
    """What maintenance or the policy leaves out is no change."""
    table = hourly("o" * 40 + "f" * 15 + "o" * 45)
    quiet = AccountingPolicy(maintenance=[Maintenance("2026-05-02T16:00Z", "2026-05-03T07:00Z")])
    assert change_points(table, policy=quiet).empty
    partial = table.assign(outcome=table["outcome"].cat.rename_categories({"failed": "partial", "partial": "failed"}))
    partial = Invocations.cast(partial.astype({"outcome": "str"}))
    assert len(change_points(partial)) == 2
    assert change_points(partial, policy=AccountingPolicy(partial="up")).empty


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"false_alarms": 0}, "`false_alarms` is 0"),
        ({"false_alarms": 1}, "`false_alarms` is 1"),
        ({"confidence": 95}, "`confidence` is 95"),
        ({"tz": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_what_makes_no_sense_is_told(options, told):
    """Bad arguments are input errors that name what came, also where there is nothing to analyse."""
    for table in (Ticks.empty(), hourly("of")):
        with pytest.raises(InputError, match=told):
            change_points(table, **options)


def test_another_table_is_refused():
    """A table that is neither Ticks nor Invocations is told by its columns."""
    with pytest.raises(SchemaError, match="invoked_at"):
        change_points(pd.DataFrame({"n": [1]}))
