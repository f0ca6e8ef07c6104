"""The funnel: planned, started, succeeded, with what is not known left out and said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis import plot
from schedlog_analysis.errors import InputError
from schedlog_analysis.funnel import _product, funnel, run_outcomes
from schedlog_analysis.invocations import invocations
from schedlog_analysis.policy import AccountingPolicy
from schedlog_analysis.rates import error_rate, wilson
from schedlog_analysis.runs import join_runs
from schedlog_analysis.schema import BECAME, PLANNED, Funnel, RunOutcomes, Starts, Ticks
from schedlog_analysis.ticks import ticks

SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def draw_starts(draw_ticks):
    """Draw ticks, and one to three starts of every answered one, of which some ends are not known."""

    def draw(seed, *, is_known=False):
        rng = np.random.default_rng(seed)
        table = draw_ticks(seed)
        of = np.repeat(
            np.flatnonzero(table["invoked_at"].notna()), rng.integers(1, 4, int(table["invoked_at"].notna().sum()))
        )
        n = len(of)
        classes = BECAME[:4] if is_known else BECAME
        length = pd.Series(pd.to_timedelta(rng.integers(1, 10**7, n), unit="ms"))
        started = table["invoked_at"].iloc[of].reset_index(drop=True)
        starts = pd.DataFrame(
            {
                "schedule_id": table["schedule_id"].iloc[of].to_numpy(),
                "invoked_at": started.where(rng.random(n) < (1.1 if is_known else 0.9)),
                "run_id": [f"run {one}" for one in range(n)],
                "became": rng.choice(classes, n),
                "scheduled_at": None,
                "actor_id": "x",
                "task_id": None,
                "started_at": started,
                "finished_at": started + length,
                "duration": length,
                "usage_usd": rng.random(n),
                "is_manual": False,
                "is_overlapping": rng.random(n) < 0.1,
                "overlap": None,
            }
        )
        return table, Starts.cast(starts)

    return draw


def starts_of(*became, duration="1min"):
    """Starts of one invocation, by what became of them."""
    rows = pd.DataFrame({"became": became, "duration": pd.Timedelta(duration)})
    rows = rows.assign(schedule_id="a", invoked_at="2026-05-01T00:00Z", started_at="2026-05-01T00:00Z", usage_usd=0.25)
    return Starts.cast(
        rows.assign(
            run_id=[f"{number}" for number in range(len(became))],
            scheduled_at=None,
            actor_id=None,
            task_id=None,
            finished_at=None,
            is_manual=False,
            is_overlapping=False,
            overlap=None,
        )
    )


def test_the_sample_is_followed_tick_by_tick(sample):
    """Planned and started are the policy's counts of ticks; succeeded are those whose runs all did, counted anew."""
    told = invocations(sample.log, sample.schedules)
    planned = ticks(told, sample.schedules, runs=sample.runs)
    starts = join_runs(told, sample.runs, sample.schedules)
    table = funnel(planned, starts).set_index("stage")
    rates = error_rate(planned[planned["status"].isin(PLANNED)])
    assert table.loc["planned", "n"] == rates["n"].item()
    assert table.loc["started", "n"] == (rates["n"] - rates["n_failed"]).item()
    up = planned[planned["status"].isin(["on_time", "late"]) & (planned["outcome"] == "ok")]
    n_actions = sample.schedules.set_index("schedule_id")["n_actions"]
    ends = sample.runs.groupby(["schedule_id", "scheduled_at"])["status"].agg(list).to_dict()
    n_known = n_good = 0
    duplicates = set(
        planned.loc[planned["status"] == "duplicate", ["schedule_id", "planned_at"]].itertuples(index=False)
    )
    for tick in up[["schedule_id", "planned_at"]].itertuples(index=False):
        found = ends.get(tuple(tick), [])
        if tick in duplicates:
            found = found[: len(found) // 2] if len(found) > n_actions[tick.schedule_id] else found
        is_known = len(found) == n_actions[tick.schedule_id] and "RUNNING" not in found
        n_known += is_known
        n_good += is_known and set(found) == {"SUCCEEDED"}
    assert abs(table.loc["succeeded", "n_known"] - n_known) <= len(duplicates)
    assert abs(table.loc["succeeded", "n"] - n_good) <= len(duplicates)
    assert table.loc["succeeded", "n_unknown"] == table.loc["started", "n"] - table.loc["succeeded", "n_known"]


# Laws


@settings(max_examples=20)
@given(SEEDS)
def test_every_stage_is_part_of_the_one_before(draw_starts, seed):
    """Counts fall from stage to stage, known and unknown make the stage before, and shares lie in their intervals."""
    table = funnel(*draw_starts(seed), "schedule_id")
    assert table["stage"].tolist() == ["planned", "started", "succeeded"] * table["schedule_id"].nunique()
    for _, mine in table.groupby("schedule_id"):
        planned, started, succeeded = mine["n"]
        assert planned >= started >= succeeded
        assert (mine["n_known"] + mine["n_unknown"]).tolist() == [planned, planned, started]
        assert succeeded <= mine["n_known"].iloc[2]
    known = table.dropna(subset=["low"])
    assert ((known["low"] <= known["share"] + 1e-12) & (known["share"] <= known["high"] + 1e-12)).all()
    assert known["low"].between(0, 1).all()
    assert known["high"].between(0, 1).all()


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.8, 0.95]))
def test_with_all_ends_known_the_share_is_plain(draw_starts, seed, confidence):
    """Where every end is known, the share is succeeded / planned, with Wilson's interval."""
    planned, _, succeeded = funnel(*draw_starts(seed, is_known=True), confidence=confidence).to_dict("records")
    assert succeeded["n_unknown"] == 0
    assert succeeded["share"] == pytest.approx(succeeded["n"] / planned["n"])
    low, high = wilson(succeeded["n"], planned["n"], confidence)
    assert (succeeded["low"], succeeded["high"]) == pytest.approx((float(low), float(high)))


@settings(max_examples=10)
@given(SEEDS)
def test_parts_are_the_whole(draw_starts, seed):
    """Schedules one by one, shuffled and coded give the rows of all together, of the funnel and of the outcomes."""
    table, starts = draw_starts(seed)
    whole, outcomes = funnel(table, starts, "schedule_id"), run_outcomes(starts, "schedule_id")
    ids = sorted(set(table["schedule_id"]))
    mine = [[one[one["schedule_id"] == name] for one in (table, starts)] for name in ids]
    pd.testing.assert_frame_equal(pd.concat([funnel(*one, "schedule_id") for one in mine], ignore_index=True), whole)
    parts = [run_outcomes(one, "schedule_id") for _, one in mine]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), outcomes)
    coded = [one.sample(frac=1, random_state=seed).astype({"schedule_id": "category"}) for one in (table, starts)]
    pd.testing.assert_frame_equal(funnel(*coded, "schedule_id").astype({"schedule_id": "str"}), whole)
    found = run_outcomes(coded[1], "schedule_id").astype({"schedule_id": "str"})
    pd.testing.assert_frame_equal(found, outcomes)


@settings(max_examples=20)
@given(SEEDS)
def test_outcomes_add_up(draw_starts, seed):
    """Groups sum to the whole, classes to all starts, and what is wasted is part of what was used."""
    starts = draw_starts(seed)[1]
    whole, parts = run_outcomes(starts), run_outcomes(starts, ["schedule_id", "became"])
    counts = [name for name in RunOutcomes.names() if name == "n" or name.startswith("n_")]
    assert parts[counts].sum().equals(whole[counts].sum())
    assert whole[[f"n_{name}" for name in BECAME]].sum(axis=1).item() == len(starts) == whole["n"].item()
    assert parts["usage_usd"].sum() == pytest.approx(starts["usage_usd"].sum())
    is_bad = starts["became"].isin(["failed", "timed_out", "aborted"])
    assert whole["wasted_usd"].item() == pytest.approx(starts.loc[is_bad, "usage_usd"].sum())
    good = starts.loc[starts["became"] == "succeeded", "duration"]
    for name, share in (("median", 0.5), ("p95", 0.95), ("max", 1.0)):
        expected = good.astype("int64").quantile(share)
        assert whole[f"duration_{name}"].astype("int64").item() == pytest.approx(expected, abs=0.5)


def test_the_product_covers_what_it_says():
    """Simulated, 95 % intervals of a share known for a part of the started hold the true one 93 to 98 times in 100."""
    rng = np.random.default_rng(7)
    for n, start, success, known in ((100, 0.95, 0.9, 0.5), (400, 0.99, 0.97, 0.3), (60, 0.7, 0.6, 0.7)):
        held = []
        for _ in range(400):
            n_started = rng.binomial(n, start)
            n_known = rng.binomial(n_started, known)
            planned = [(f"2026-05-01T00:00:{0:02}Z", number) for number in range(n)]
            held.append(_holds(planned, n_started, n_known, rng.binomial(n_known, success), start * success))
        assert 0.93 <= np.mean(held) <= 0.99, (n, start, success, known, np.mean(held))


def _holds(planned, n_started, n_known, n_good, truth):
    first, second = (np.array([n_started]), np.array([len(planned)])), (np.array([n_good]), np.array([n_known]))
    _, low, high = _product(first, second, 0.95)
    return low.item() <= truth <= high.item()


# By hand


def tick(outcome="ok", status="on_time", invoked="2026-05-01T00:00Z"):
    row = {
        "schedule_id": "a",
        "planned_at": "2026-05-01T00:00Z",
        "invoked_at": invoked,
        "delay": None,
        "status": status,
    }
    return Ticks.cast(pd.DataFrame([row | {"outcome": outcome, "is_ambiguous": False}], dtype="object"))


@pytest.mark.parametrize(
    ("became", "n", "n_unknown"),
    [
        (("succeeded", "succeeded"), 1, 0),
        (("succeeded", "failed"), 0, 0),
        (("succeeded", "timed_out"), 0, 0),
        (("succeeded", "aborted"), 0, 0),
        (("succeeded", "running"), 0, 1),
        (("failed", "unknown"), 0, 1),
        ((), 0, 1),
    ],
)
def test_a_tick_succeeds_when_all_its_runs_do(became, n, n_unknown):
    """All runs succeeded: it did. One did not: it did not. One has no known end: it is not known."""
    table = funnel(tick(), starts_of(*became))
    assert table["n"].tolist() == [1, 1, n]
    assert table["n_unknown"].tolist() == [0, 0, n_unknown]
    assert np.isnan(table["share"].iloc[2]) == bool(n_unknown)


def test_what_failed_to_start_did_not_succeed():
    """With nothing started, nothing succeeded: the share is 0 of those planned, and known."""
    table = funnel(tick("failed"), starts_of())
    assert table["share"].tolist() == [1, 0, 0]
    assert table["high"].iloc[2] == wilson(0, 1)[1]


def test_only_planned_ticks_that_count_are_in_the_funnel():
    """Unknown, skipped and manual ones are left out; a policy can count the skipped ones."""
    rows = [tick(None, "unknown", None), tick("skipped"), tick("ok", "duplicate"), tick("ok")]
    table = pd.concat(rows, ignore_index=True)
    assert funnel(table, starts_of("succeeded"))["n"].tolist() == [1, 1, 1]
    strict = funnel(table, starts_of("succeeded"), policy=AccountingPolicy(skipped="down"))
    assert strict["n"].tolist() == [2, 1, 1]


def test_the_sentences_say_what_is_known():
    """Small counts come first, and what is not known is said."""
    table = pd.concat([tick(), tick("failed"), tick(None, "missed", None)], ignore_index=True)
    assert funnel(table, starts_of("succeeded"))["text"].tolist() == [
        "3 planned ticks count.",
        "Of the planned ticks, 1 of 3 started.",
        "Of the started ones whose runs are known, 1 of 1 succeeded.",
    ]
    unknown = funnel(tick(), starts_of("unknown"))["text"].iloc[2]
    assert unknown == "Of none of the started ones the runs are known."
    told = run_outcomes(starts_of("succeeded", "succeeded", "failed", "timed_out", "running", "unknown"))["text"].item()
    assert told == (
        "Of the runs that ended, 2 of 4 succeeded; 1 failed, 1 timed out, 1 still running; of 1 starts no run is known."
    )


def test_nothing_gives_the_columns():
    """Without ticks and starts every column has its dtype, and no share is claimed."""
    table = funnel(Ticks.empty(), Starts.empty())
    assert table["n"].tolist() == [0, 0, 0]
    assert table[["share", "low", "high"]].isna().all(axis=None)
    assert funnel(Ticks.empty(), Starts.empty(), "schedule_id")[Funnel.names()].dtypes.equals(Funnel.empty().dtypes)
    outcomes = run_outcomes(Starts.empty(), "schedule_id")
    assert outcomes.empty
    assert outcomes[RunOutcomes.names()].dtypes.equals(RunOutcomes.empty().dtypes)
    assert np.isnan(run_outcomes(Starts.empty())["success_rate"].item())


def test_the_plot_takes_the_funnel(draw_starts):
    """What the funnel gives, the plot of the same name draws."""
    table = funnel(*draw_starts(3))
    words = [text.get_text() for text in plot.funnel(table).texts]
    assert words[0] == str(table["n"].iloc[0])


def test_an_unknown_key_is_told():
    """A key that is no column is named."""
    with pytest.raises(InputError, match="no column 'color'"):
        funnel(tick(), starts_of(), "color")
