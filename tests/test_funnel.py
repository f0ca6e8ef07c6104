"""The funnel: planned, started, succeeded, with what is not known left out and said."""

import json
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis import plot, read_log, read_runs, read_schedules, simulate
from schedlog_analysis.analysis.funnel import _product, funnel, run_outcomes
from schedlog_analysis.analysis.rates import wilson
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.invocations import invocations
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.matching.runs import join_runs
from schedlog_analysis.matching.ticks import ticks
from schedlog_analysis.schema import BECAME, Funnel, RunOutcomes, Starts, Ticks

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


@pytest.fixture(scope="module", params=["sample", 1, 2, 3])
def account(request, sample, tmp_path_factory):
    """An account as the API's own objects in files, what is planted in it, and our tables of it."""
    folder = sample.path
    if request.param != "sample":
        folder = tmp_path_factory.mktemp("account")
        simulate(request.param).write(folder)
    schedules, runs = read_schedules(folder), read_runs(folder)
    told = invocations(read_log(folder), schedules)
    return folder, ticks(told, schedules, runs=runs), join_runs(told, runs, schedules)


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def followed(folder):
    """
    Count the funnel of every schedule anew, tick by tick, from what was planted and the API's own run objects.

    Where a tick was invoked twice the first invocation answers it; only plain ticks were doubled, so everything but ok
    is of a first invocation. Runs name their tick, and those of the first invocation start first. Those of a click, or
    of a start that nothing planned, name its own start, whose place within the minute no other tick shares.
    """
    runs = defaultdict(list)
    for run in sorted(load(folder / "runs.json"), key=lambda run: run["startedAt"]):
        runs[run["meta"].get("scheduleId"), run["meta"].get("scheduledAt")].append(run)
    n_at = Counter((owner, tick[17:]) for owner, tick in runs if tick)
    counts = {}
    for schedule in load(folder / "schedules.json"):
        one, n_actions = schedule["id"], len(schedule["actions"])
        truth = load(folder / "truth.json")["schedules"][one]
        log = load(folder / "logs" / f"{one}.json")["data"]
        since = log[0]["createdAt"] if truth["is_truncated"] else ""
        answered = truth["n_on_time"] + truth["n_late"] - truth["outcomes"]["skipped"]
        ends = [
            {run["status"] for run in found[:n_actions]}
            for (owner, tick), found in runs.items()
            if owner == one and tick and (tick[17:] == "00.000Z" or n_at[one, tick[17:]] > 1)
            if len(found) >= n_actions and found[0]["startedAt"] >= since
        ]
        counts[one] = {
            "planned": answered + truth["n_missed"],
            "started": answered - truth["outcomes"]["failed"] - truth["outcomes"]["partial"],
            "known": sum("RUNNING" not in status for status in ends),
            "succeeded": sum(status == {"SUCCEEDED"} for status in ends),
        }
    return counts


def test_the_funnel_is_that_of_the_truth(account):
    """Of every schedule, exactly as many ticks were planned, started, known to have ended and succeeded as planted."""
    folder, planned, starts = account
    table = funnel(planned, starts, "schedule_id").set_index(["schedule_id", "stage"])
    n = table["n"].unstack().assign(known=table["n_known"].unstack()["succeeded"])
    expected = followed(folder)
    assert n.to_dict("index") == expected
    whole = funnel(planned, starts).set_index("stage")["n"].to_dict()
    assert whole == {name: sum(one[name] for one in expected.values()) for name in whole}


def test_the_starts_become_what_the_truth_says(account):
    """Of every schedule, starts, their ends, the forgotten ones and the cost by end are those of truth.json."""
    folder, _, starts = account
    starts = starts[starts["invoked_at"].notna()]
    table = run_outcomes(starts, "schedule_id").set_index("schedule_id")
    usage = starts.groupby(["schedule_id", "became"], observed=False)["usage_usd"].sum()
    names = dict(zip(BECAME, ("succeeded", "failed", "timed_out", "aborted", "running", "expired"), strict=True))
    truth = load(folder / "truth.json")["schedules"]
    assert set(table.index) == {one for one in truth if truth[one]["runs"]["n_starts"]}
    for schedule_id in table.index:
        expected, row = truth[schedule_id]["runs"], table.loc[schedule_id]
        assert row["n"] == expected["n_starts"]
        assert {names[name]: row[f"n_{name}"] for name in BECAME} == {name: expected[name] for name in names.values()}
        assert usage[schedule_id].drop("unknown").to_dict() == pytest.approx(expected["usage_usd"], abs=1e-9)
        wasted = sum(expected["usage_usd"][name] for name in ("failed", "timed_out", "aborted"))
        assert row["wasted_usd"] == pytest.approx(wasted, abs=1e-9)


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
        "Of the runs that ended, 2 of 4 succeeded; 1 failed, 1 timed out, 1 still running; of 1 start no run is known."
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
