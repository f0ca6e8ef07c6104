"""Comparison: intervals and tests are those of the books, and chance alone is called no clear change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from schedlog_analysis.analysis.compare import adjust, compare, mid_p, newcombe
from schedlog_analysis.analysis.rates import error_rate
from schedlog_analysis.errors import InputError
from schedlog_analysis.schema import Comparison, ErrorRates, Ticks

COUNTS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1), st.floats(0, 1)).map(
    lambda draw: (round(draw[0] * draw[2]), draw[0], round(draw[1] * draw[3]), draw[1])
)
SIZES = (1, 5, 20, 300, 10_000)
GRID = [(k, n, k0, n0) for n in SIZES for n0 in SIZES for k in {0, n // 10, n} for k0 in {0, n0 // 9, n0}]


def rates(*rows):
    """Error rates of schedules from (id, n_failed, n)."""
    frame = pd.DataFrame(rows, columns=["schedule_id", "n_failed", "n"])
    full = frame.assign(window_start=pd.NaT, error_rate=None, low=None, high=None)
    return pd.concat([frame[["schedule_id"]].astype("str"), ErrorRates.cast(full)], axis=1)


# Interval and test


def test_newcombe_is_that_of_the_paper():
    """Newcombe 1998, table II, method 10, to the four digits printed there."""
    cases = {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (5, 56, 0, 29): (-0.0381, 0.1926),
        (0, 10, 0, 20): (-0.1611, 0.2775),
        (10, 10, 0, 20): (0.6791, 1.0),
    }
    found = np.array([newcombe(*case) for case in cases])
    np.testing.assert_allclose(found, list(cases.values()), rtol=0, atol=5e-5)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_newcombe_is_that_of_statsmodels(confidence):
    """The interval is statsmodels' on a grid up to n = 10,000, counts of 0 and n included."""
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    how = {"compare": "diff", "method": "newcomb", "alpha": 1 - confidence}
    expected = [proportion.confint_proportions_2indep(*row, **how) for row in GRID]
    np.testing.assert_allclose(np.array(newcombe(*np.array(GRID).T, confidence)).T, expected, rtol=0, atol=1e-9)


def brute_mid_p(k, n, k0, n0):
    """Sum over all tables of the same totals: the less probable ones whole, the equally probable ones half."""
    tables = np.arange(max(0, k + k0 - n0), min(k + k0, n) + 1)
    probability = stats.hypergeom.pmf(tables, n + n0, n, k + k0)
    seen = stats.hypergeom.pmf(k, n + n0, n, k + k0)
    is_tied = np.isclose(probability, seen, rtol=1e-7, atol=0)
    less = probability[~is_tied & (probability < seen)].sum()
    return (1.0 if len(tables) == 1 else less + probability[is_tied].sum() / 2), probability[is_tied].sum()


def test_mid_p_is_fishers_less_half_of_the_ties():
    """On the grid the test is the sum over all tables, and SciPy's Fisher test less half of the tables like this."""
    found = mid_p(*np.array(GRID).T)
    for (k, n, k0, n0), p_value in zip(GRID, found, strict=True):
        expected, tied = brute_mid_p(k, n, k0, n0)
        assert p_value == pytest.approx(expected, abs=1e-9)
        if min(k + k0, n + n0 - k - k0) > 0 and n + n0 <= 10_300:  # SciPy takes its time
            fisher = stats.fisher_exact([[k, n - k], [k0, n0 - k0]])[1]
            assert p_value == pytest.approx(fisher - tied / 2, abs=1e-9)


@given(COUNTS)
def test_the_order_of_the_periods_changes_the_sign_only(counts):
    """Swapped periods have the same p and the mirrored interval; failed and good swapped have the same p too."""
    k, n, k0, n0 = counts
    np.testing.assert_allclose(mid_p(k, n, k0, n0), mid_p(k0, n0, k, n), atol=1e-12)
    np.testing.assert_allclose(mid_p(k, n, k0, n0), mid_p(n - k, n, n0 - k0, n0), atol=1e-12)
    (low, high), (low0, high0) = newcombe(k, n, k0, n0), newcombe(k0, n0, k, n)
    np.testing.assert_allclose([low, high], [-high0, -low0], atol=1e-12)


@given(COUNTS)
def test_mid_p_is_a_probability_and_nothing_shows_nothing(counts):
    """It lies between 0 and 1, is missing where nothing was due, and 1 where no other table was possible."""
    k, n, k0, n0 = counts
    p_value = float(mid_p(k, n, k0, n0))
    if n == 0 or n0 == 0:
        assert np.isnan(p_value)
    elif k + k0 in (0, n + n0):
        assert p_value == 1
    else:
        assert 0 < p_value <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_others(p_values):
    """Benjamini and Hochberg's correction is SciPy's and statsmodels'; missing values are skipped and stay missing."""
    given_p = np.array(p_values)
    np.testing.assert_allclose(adjust(given_p), stats.false_discovery_control(given_p), rtol=1e-12)
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    expected = multitest.multipletests(given_p, method="fdr_bh")[1]
    np.testing.assert_allclose(adjust(given_p), expected, rtol=0, atol=1e-9)
    holed = adjust(np.insert(given_p, 0, np.nan))
    assert np.isnan(holed[0])
    np.testing.assert_array_equal(holed[1:], adjust(given_p))


def test_chance_alone_stays_at_the_stated_level():
    """Of 10,000 pairs without a difference 5 % have p <= 0.05; of 100 accounts of 100, at most 5 % name a schedule."""
    rng = np.random.default_rng(20261101)
    n, n0 = rng.integers(20, 800, (2, 10_000))
    rate = rng.beta(0.5, 8, 10_000)
    p_values = mid_p(rng.binomial(n, rate), n, rng.binomial(n0, rate), n0)
    error = 3 * np.sqrt(0.05 * 0.95 / 10_000)
    assert (p_values <= 0.05).mean() <= 0.05 + error
    named = [(adjust(account) <= 0.05).any() for account in p_values.reshape(100, 100)]
    assert np.mean(named) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)
    assert (adjust(p_values) <= 0.05).sum() <= 1


# The table


def test_clear_changes_are_told_with_their_sign():
    """Far more failures are worse, far fewer better, about as many no clear change, none due nothing to compare."""
    now = rates(("a", 40, 100), ("b", 0, 100), ("c", 6, 100), ("d", 0, 0), ("e", 1, 10))
    before = rates(("a", 5, 100), ("b", 30, 100), ("c", 5, 100), ("d", 1, 50), ("f", 0, 10))
    table = compare(now, before, "schedule_id").set_index("schedule_id")
    nothing = "nothing to compare"
    assert table["change"].tolist() == ["worse", "better", "no clear change", nothing, nothing, nothing]
    assert table.loc["a", "difference"] == pytest.approx(0.35)
    assert table.loc["a", "low"] < 0.35 < table.loc["a", "high"]
    assert table.loc[["d", "e", "f"], ["difference", "low", "high", "p_value", "p_adjusted"]].isna().all(axis=None)


def test_the_sentences_say_what_was_counted():
    """Counts come first where n is small; the difference is said only where there is one."""
    told = compare(rates(("a", 3, 7), ("b", 60, 100)), rates(("a", 1, 8), ("b", 2, 19)), "schedule_id")["text"].tolist()
    assert told[0] == "No clear change: 3 of 7 failed or were missed, 1 of 8 before."
    assert told[1].startswith("Worse: 60.0 % (60 of 100) failed or were missed, 2 of 19 before; between ")
    assert told[1].endswith(" percentage points more.")
    never = compare(rates(("a", 0, 0)), rates(("a", 1, 8)))["text"].item()
    assert never == "Nothing was due in this period, so there is nothing to compare."


def test_one_among_many_must_be_clearer():
    """The same counts that are worse alone are no clear change among a hundred others."""
    one, before = rates(("a", 12, 100)), rates(("a", 4, 100))
    assert compare(one, before, "schedule_id")["change"].tolist() == ["worse"]
    others = [(f"b{number:03}", 5, 100) for number in range(99)]
    many = compare(rates(("a", 12, 100), *others), rates(("a", 4, 100), *others), "schedule_id")
    assert set(many["change"]) == {"no clear change"}
    assert many.loc[0, "p_value"] < 0.05 < many.loc[0, "p_adjusted"]


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_rows_do_not_depend_on_each_other(draw_ticks, seed):
    """But for the correction, a schedule alone gives its row of all; rows may come in any order, coded, or as ticks."""
    now, before = draw_ticks(seed), draw_ticks(seed + 1, n_schedules=4)
    whole = compare(error_rate(now, "W", "schedule_id"), error_rate(before, by="schedule_id"), "schedule_id")
    pd.testing.assert_frame_equal(compare(now, before.sample(frac=1, random_state=1), "schedule_id"), whole)
    coded = compare(*(table.astype({"schedule_id": "category"}) for table in (now, before)), "schedule_id")
    pd.testing.assert_frame_equal(coded.astype({"schedule_id": "str"}), whole)
    own = ["n", "n_failed", "n_previous", "n_failed_previous", "low", "high", "p_value"]
    for one in whole["schedule_id"]:
        alone = compare(*(table[table["schedule_id"] == one] for table in (now, before)))
        pd.testing.assert_frame_equal(alone[own], whole.loc[whole["schedule_id"] == one, own].reset_index(drop=True))


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_a_period_is_not_clearly_different_from_itself(draw_ticks, seed):
    """Compared with itself, nothing has changed, and the interval lies evenly around 0."""
    table = compare(draw_ticks(seed), draw_ticks(seed), "schedule_id")
    assert (table["change"] == "no clear change").all()
    assert (table["difference"] == 0).all()
    np.testing.assert_allclose(table["low"], -table["high"], atol=1e-12)


def test_nothing_gives_the_columns():
    """Two empty tables give an empty one with every dtype, or the one row that says so."""
    empty = compare(Ticks.empty(), Ticks.empty(), "schedule_id")
    assert empty.empty
    assert empty[Comparison.names()].dtypes.equals(Comparison.empty().dtypes)
    assert compare(Ticks.empty(), Ticks.empty())["text"].tolist() == [
        "Nothing was due in either period, so there is nothing to compare."
    ]


@pytest.mark.parametrize("options", [{"false_alarms": 5}, {"false_alarms": "5 %"}, {"confidence": 95}, {"by": "color"}])
def test_what_makes_no_sense_is_told(options):
    """Shares beyond 0..1 and unknown keys are refused."""
    with pytest.raises(InputError, match="expected"):
        compare(rates(("a", 1, 2)), rates(("a", 1, 2)), **options)
