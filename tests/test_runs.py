"""Joining runs: every start is in exactly one class, and a run that is gone is unknown, not missing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis.analysis.funnel import run_outcomes
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.invocations import invocations
from schedlog_analysis.matching.runs import STATUSES, join_runs
from schedlog_analysis.schema import BECAME, Invocations, Runs, Schedules, Starts

SEEDS = st.integers(0, 10_000)
BEGIN = pd.Timestamp("2026-05-01T00:00Z")


def at(seconds):
    return None if seconds is None else BEGIN + pd.Timedelta(seconds=seconds)


def told(*rows, schedule_id="a"):
    """Invocations from (seconds, outcome, n_errors, n_warnings, is_manual), of which all but the first may lack."""
    plain = [[*row, *("ok", 0, 0, False)[len(row) - 1 :]] for row in rows]
    frame = pd.DataFrame(plain, columns=["invoked_at", "outcome", "n_errors", "n_warnings", "is_manual"])
    frame = frame.assign(schedule_id=schedule_id, invoked_at=[at(row[0]) for row in plain], n_entries=1, message=None)
    return Invocations.cast(frame)


def ran(*rows, schedule_id="a"):
    """Runs from (id, started, scheduled, finished, status, actor_id); all but the first two may lack."""
    plain = [[*row, *(None, None, "SUCCEEDED", "actor")[len(row) - 2 :]] for row in rows]
    columns = ["run_id", "started_at", "scheduled_at", "finished_at", "status", "actor_id"]
    frame = pd.DataFrame(plain, columns=columns, dtype="object")
    for name in columns[1:4]:
        frame[name] = frame[name].map(at)
    return Runs.cast(frame.assign(schedule_id=schedule_id, origin="SCHEDULER", task_id=None, usage_usd=0.5))


def owners(starts):
    """Seconds of the invocation that each run belongs to, None without one."""
    found = starts[starts["run_id"].notna()]
    seconds = (found["invoked_at"] - BEGIN) / pd.Timedelta(seconds=1)
    return {run: None if pd.isna(second) else second for run, second in zip(found["run_id"], seconds, strict=True)}


@pytest.fixture(scope="module")
def draw_runs(draw_ticks):
    """Draw invocations of several schedules, and runs of which some are by hand, unlogged, twice or forgotten."""

    def draw(seed):
        rng = np.random.default_rng(seed)
        ticks = draw_ticks(seed)
        invoked = ticks[ticks["invoked_at"].notna()].reset_index(drop=True)
        n = len(invoked)
        known = invoked.assign(is_manual=invoked["status"] == "manual", n_entries=1, message=None)
        known = Invocations.cast(known.assign(n_errors=rng.integers(0, 3, n), n_warnings=rng.integers(0, 2, n)))
        of = rng.integers(0, n, 80)
        started = invoked["invoked_at"].iloc[of].reset_index(drop=True) + pd.to_timedelta(
            rng.integers(-3000, 90_000, 80), unit="ms"
        )
        length = pd.to_timedelta(rng.integers(1, 10**8, 80), unit="ms")
        runs = pd.DataFrame(
            {
                "run_id": [f"run {one}" for one in range(80)],
                "schedule_id": invoked["schedule_id"].iloc[of].to_numpy(),
                "scheduled_at": invoked["planned_at"].iloc[of].reset_index(drop=True).where(rng.random(80) < 0.7),
                "origin": "SCHEDULER",
                "actor_id": rng.choice(["x", "y"], 80),
                "task_id": rng.choice(np.array(["t", None], dtype=object), 80),
                "status": rng.choice([*STATUSES, "PAUSED"], 80),
                "started_at": started,
                "finished_at": (started + length).where(rng.random(80) < 0.8),
                "usage_usd": rng.random(80),
            }
        )
        runs.loc[rng.random(80) < 0.1, "schedule_id"] = None
        earlier = runs.sample(10, random_state=seed).assign(finished_at=pd.NaT, status="RUNNING")
        runs = pd.concat([runs, earlier[earlier["run_id"].isin(runs["run_id"][runs["finished_at"].notna()])]])
        return known.drop(index=rng.integers(0, n, 5)).reset_index(drop=True), Runs.cast(runs)

    return draw


# The sample


@pytest.fixture(scope="module")
def starts(sample):
    return join_runs(invocations(sample.log, sample.schedules), sample.runs, sample.schedules)


def test_runs_older_than_the_log_are_told_too(sample, starts):
    """A log cut off a week before its end leaves the runs before it without an invocation, and loses none."""
    cut = sample.log[sample.log["created_at"] >= sample.log["created_at"].max() - pd.Timedelta(days=7)]
    late = join_runs(invocations(cut, sample.schedules), sample.runs, sample.schedules)
    assert late["run_id"].notna().sum() == starts["run_id"].notna().sum() == len(sample.runs)
    assert 0 < late["invoked_at"].notna().sum() < late["invoked_at"].isna().sum()


def test_the_join_by_time_is_as_good(sample, starts):
    """Runs that do not name their tick are joined to the same invocations by time alone."""
    nameless = sample.runs.assign(scheduled_at=pd.Series(pd.NaT, index=sample.runs.index, dtype="datetime64[ms, UTC]"))
    by_time = join_runs(invocations(sample.log, sample.schedules), nameless, sample.schedules)
    pd.testing.assert_frame_equal(by_time.drop(columns="scheduled_at"), starts.drop(columns="scheduled_at"))


# Which invocation


def test_a_run_follows_its_invocation():
    """A run belongs to the last invocation before it, up to five seconds late and a minute early; else to none."""
    runs = ran(("early", 96), ("with", 100.5), ("slow", 159), ("lost", 161), ("lone", 94))
    assert owners(join_runs(told((100,)), runs)) == {"early": 100, "with": 100, "slow": 100, "lost": None, "lone": None}
    wide = owners(join_runs(told((100,)), runs, tolerance="2min"))
    assert wide["lost"] == 100


def test_a_named_tick_outranks_the_nearest_time():
    """A run for the tick at 0 that only starts after the next invocation at 12 still belongs to the first."""
    runs = ran(("first", 13, 0), ("second", 13, 12))
    assert owners(join_runs(told((0.1,), (12.1,)), runs)) == {"first": 0.1, "second": 12.1}


def test_the_invocation_may_be_a_second_ahead_of_the_named_tick():
    """A run for the tick at 100 that started late belongs by name to the invocation at 99.5, not to one at 98.5."""
    assert owners(join_runs(told((99.5,)), ran(("late", 170, 100)))) == {"late": 99.5}
    assert owners(join_runs(told((98.5,)), ran(("late", 170, 100)))) == {"late": None}


def test_a_duplicate_has_its_own_runs():
    """Two invocations of the same tick have one run each, although both name that tick."""
    runs = ran(("first", 0.9, 0), ("again", 30.9, 0))
    assert owners(join_runs(told((0.5,), (30.5,)), runs)) == {"first": 0.5, "again": 30.5}


def test_a_tick_made_up_for_later_keeps_its_runs():
    """An outage from 0 is made up for at 7300, after the tick at 3600 that another run names: time decides."""
    runs = ran(("late", 7300.6, 0), ("other", 7200.6, 3600))
    assert owners(join_runs(told((7200.2,), (7300.2,)), runs)) == {"late": 7300.2, "other": 7200.2}


def test_by_hand_has_no_tick():
    """A run without a tick belongs to the invocation by hand, one with a tick to the one by the clock."""
    both = told((100.0, "ok", 0, 0, True), (100.4,))
    runs = ran(("hand", 100.9), ("clock", 100.9, 100))
    assert owners(join_runs(both, runs)) == {"hand": 100.0, "clock": 100.4}
    table = join_runs(both, runs)
    assert dict(zip(table["run_id"], table["is_manual"], strict=True)) == {"hand": True, "clock": False}


def test_schedules_do_not_mix():
    """A run of another schedule is never joined, however near and however wide the tolerance."""
    runs = ran(("b's", 100.5), schedule_id="b")
    assert owners(join_runs(told((100,)), runs, tolerance="300D")) == {"b's": None}
    assert owners(join_runs(told((100,), schedule_id="c"), runs, tolerance="300D")) == {"b's": None}


# How many starts


def actions(make_schedules, *versions):
    rows = [("a", "@hourly", {"n_actions": n, "modified_at": at(seconds)}) for seconds, n in versions]
    return make_schedules(*rows)


@pytest.mark.parametrize(
    ("row", "n_starts"),
    [
        ((0, "ok", 0, 0), 3),
        ((0, "partial", 1, 0), 2),
        ((0, "partial", 1, 1), 1),
        ((0, "skipped", 0, 3), 0),
        ((0, "skipped", 0, 1), 2),
        ((0, "failed", 3, 0), 0),
        ((0, "failed", 1, 0), 0),  # such as an account that was not found
    ],
)
def test_what_neither_failed_nor_was_skipped_was_started(make_schedules, row, n_starts):
    """Of three actions, those without an ERROR or a WARNING are starts; without runs, all are unknown."""
    table = join_runs(told(row), Runs.empty(), actions(make_schedules, (-10, 3)))
    assert len(table) == n_starts
    assert (table["became"] == "unknown").all()


def test_the_definition_of_the_time_counts(make_schedules):
    """Before the second definition was saved there were two actions, from then on one; before the first, two too."""
    schedules = actions(make_schedules, (0, 2), (100, 1))
    table = join_runs(told((-50,), (50,), (100,), (150,)), Runs.empty(), schedules)
    assert table["invoked_at"].value_counts(sort=False).tolist() == [2, 2, 1, 1]


def test_without_a_definition_an_invocation_has_its_runs_and_at_least_one():
    """Of unknown actions, ok means one start at least, skipped and failed none."""
    table = join_runs(told((0,), (100,), (200, "skipped", 0, 1), (300, "failed", 1)), ran(("x", 0.5), ("y", 0.6)))
    assert table["run_id"].notna().tolist() == [True, True, False]


def test_more_runs_than_actions_are_all_told(make_schedules):
    """Runs that the definition does not explain are starts all the same."""
    table = join_runs(told((0, "failed", 1)), ran(("x", 0.5), ("y", 0.6)), actions(make_schedules, (-10, 1)))
    assert table["run_id"].tolist() == ["x", "y"]


# What became of it


@pytest.mark.parametrize(
    ("status", "became"),
    [
        ("SUCCEEDED", "succeeded"),
        ("FAILED", "failed"),
        ("TIMED-OUT", "timed_out"),
        ("TIMING-OUT", "timed_out"),
        ("ABORTED", "aborted"),
        ("ABORTING", "aborted"),
        ("RUNNING", "running"),
        ("READY", "running"),
        ("HIBERNATING", "unknown"),
    ],
)
def test_every_status_has_a_class(status, became):
    """The API's statuses are told apart; one that nobody knows is unknown."""
    assert join_runs(told((0,)), ran(("x", 1, 0, 2, status)))["became"].tolist() == [became]


def test_of_several_states_the_last_counts():
    """A run that was fetched while it ran and again when it had ended is one start."""
    runs = pd.concat([ran(("x", 1, 0, 9, "FAILED")), ran(("x", 1, 0, None, "RUNNING"))], ignore_index=True)
    for order in (runs, runs.iloc[::-1]):
        assert join_runs(told((0,)), order)["became"].tolist() == ["failed"]


def test_overlaps_are_measured_by_action():
    """A run overlaps with an earlier one of the same action until either ends; one that still runs overlaps openly."""
    runs = ran(
        ("long", 0, None, 100),
        ("inside", 10, None, 30),
        ("beyond", 90, None, 130),
        ("other", 95, None, 99, "SUCCEEDED", "another actor"),
        ("after", 130, None, None, "RUNNING"),
        ("now", 140, None, None, "RUNNING"),
    )
    table = join_runs(told((0,)), runs).set_index("run_id")
    assert table["is_overlapping"].to_dict() == {
        "long": False,
        "inside": True,
        "beyond": True,
        "other": False,
        "after": False,
        "now": True,
    }
    seconds = table["overlap"] / pd.Timedelta(seconds=1)
    assert seconds.dropna().to_dict() == {"inside": 20, "beyond": 10}
    assert (table.loc["beyond", "duration"] / pd.Timedelta(seconds=1)) == 40


# Laws


@settings(max_examples=20)
@given(SEEDS)
def test_every_start_is_in_exactly_one_class(draw_runs, seed):
    """Every run of a schedule and every invocation's expected start is a row; classes sum to the rows."""
    known, runs = draw_runs(seed)
    table = join_runs(known, runs)
    assert sorted(table["run_id"].dropna()) == sorted(set(runs.loc[runs["schedule_id"].notna(), "run_id"]))
    assert table["became"].notna().all()
    assert (table.loc[table["run_id"].isna(), "became"] == "unknown").all()
    started = known[known["outcome"].isin(["ok", "partial"])]
    keys = ["schedule_id", "invoked_at"]
    assert set(started[keys].itertuples(index=False)) <= set(table[keys].itertuples(index=False))
    outcomes = run_outcomes(table)
    assert outcomes[[f"n_{name}" for name in BECAME]].sum(axis=1).item() == outcomes["n"].item() == len(table)


@settings(max_examples=15)
@given(SEEDS)
def test_parts_are_the_whole(draw_runs, seed):
    """Schedules joined one by one, shuffled and coded give the rows of all together."""
    known, runs = draw_runs(seed)
    whole = join_runs(known, runs)
    ids = sorted({*known["schedule_id"], *runs["schedule_id"].dropna()})
    parts = [join_runs(*(table[table["schedule_id"] == one] for table in (known, runs))) for one in ids]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    coded = [table.sample(frac=1, random_state=seed).astype({"schedule_id": "category"}) for table in (known, runs)]
    pd.testing.assert_frame_equal(join_runs(*coded).astype({"schedule_id": "str"}), whole)


@settings(max_examples=15)
@given(SEEDS, st.integers(0, 40))
def test_stretches_sum_to_the_whole(draw_runs, seed, day):
    """Cut at any moment, the starts before and after are all starts; each is on the side of its invocation."""
    known, runs = draw_runs(seed)
    moment = pd.Timestamp("2026-03-01T00:00Z") + pd.Timedelta(days=day)
    whole, before, after = (join_runs(known, runs, **cut) for cut in ({}, {"end": moment}, {"start": moment}))
    assert len(before) + len(after) == len(whole)
    assert (before["invoked_at"].dropna() < moment).all()
    assert (after["invoked_at"].dropna() >= moment).all()


@settings(max_examples=15)
@given(SEEDS)
def test_overlaps_are_those_of_pairs(draw_runs, seed):
    """A run overlaps where any earlier run of its action ends after its start, compared pair by pair."""
    known, runs = draw_runs(seed)
    table = join_runs(known, runs)
    table = table[table["run_id"].notna()].sort_values(["started_at", "run_id"], ignore_index=True)
    until = table["finished_at"].where(
        table["finished_at"].notna() | (table["became"] != "running"), BEGIN + pd.Timedelta(days=9999)
    )
    action = table["schedule_id"].str.cat([table["actor_id"], table["task_id"].fillna("")], sep=" ")
    expected = [
        bool(((action[:row] == action[row]) & (until[:row] > table.loc[row, "started_at"])).any())
        for row in table.index
    ]
    assert table["is_overlapping"].tolist() == expected


def test_nothing_gives_the_columns():
    """Without invocations and runs there are no starts, and every column has its dtype."""
    for empty in (
        join_runs(Invocations.empty(), Runs.empty()),
        join_runs(Invocations.empty(), Runs.empty(), Schedules.empty(), start="2026-05-01T00:00Z"),
    ):
        assert empty.empty
        assert empty.dtypes.equals(Starts.empty().dtypes)
    assert owners(join_runs(Invocations.empty(), ran(("x", 0)))) == {"x": None}


def test_a_tolerance_that_makes_no_sense_is_told():
    """A tolerance that is no duration is refused."""
    with pytest.raises(InputError, match="`tolerance` is 'near'"):
        join_runs(Invocations.empty(), Runs.empty(), tolerance="near")
