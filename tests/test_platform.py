"""The simulated platform keeps to Apify's rules: one rule, one literal, one test."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from schedlog_analysis.errors import InputError
from schedlog_analysis.simulation import KINDS, Change, Recipe, Silence, Streak, draw_account, simulate
from schedlog_analysis.simulation.definition import OFFSETS, Period, define, offset_of
from schedlog_analysis.simulation.faults import plant
from schedlog_analysis.simulation.life import live
from schedlog_analysis.simulation.texts import USER

HOUR = 3_600_000


def make(*recipes, start="2026-08-01T00:00Z", end="2026-08-11T00:00Z", seed=1, **arguments):
    """Simulate nothing but these recipes."""
    return simulate(seed, start, end, recipes, **{"outage": None, "shortage": None, "run_retention": "92D"} | arguments)


def only(account):
    """Definition, log, runs and truth of an account's only schedule."""
    (definition,), (log,), (truth,) = account.schedules, account.logs.values(), account.truth["schedules"].values()
    return definition, log, account.runs, truth


def plan(recipe):
    """Give what `live` takes for a recipe over ten days: schedule, period, faults and chance."""
    period = Period(*(pd.Timestamp(f"2026-08-{day}T00:00Z").value // 10**6 for day in ("01", "11")))
    schedule = define(recipe, period, np.random.default_rng(1))
    return schedule, period, plant(schedule, period, (), None, np.random.default_rng(2)), np.random.default_rng(3)


def seconds(instant, start="2026-08-01T00:00:00.000Z"):
    """Seconds since the start."""
    return (pd.Timestamp(instant) - pd.Timestamp(start)).total_seconds()


def chunks(log):
    """Entries of each invocation: up to its INFO."""
    found = [[]]
    for entry in log:
        found[-1].append(entry)
        if entry["level"] == "INFO":
            found.append([])
    return found[:-1]


@pytest.mark.parametrize(
    ("macro", "least", "middle", "most"),
    [
        ("@hourly", 60, 930, 1_800),
        ("@daily", 300, 10_950, 21_600),
        ("@weekly", 300, 21_780, 43_200),
        ("@monthly", 600, 43_800, 86_400),
        ("@yearly", 600, 43_800, 86_400),
    ],
)
def test_offsets_lie_on_the_grid_of_their_macro(macro, least, middle, most):
    """The offset is a whole number of the macro's steps, from its least to its most; no other text has any."""
    offsets = [offset_of(macro, number / 1000) // 1000 for number in range(1001)]
    assert (offsets[0], offsets[-1]) == (least, most)
    assert abs(offsets[500] - middle) <= OFFSETS[macro][2]
    assert all(offset % OFFSETS[macro][2] == 0 for offset in offsets)
    assert [offset_of(text, 0.5) for text in ("@annually", "@midnight", "0 0 * * *", " @daily")] == [0, 0, 0, 0]


def test_a_macro_runs_its_offset_after_its_cron_time():
    """Of @daily all of nextRunAt, planned_at and scheduledAt are midnight plus one and the same offset."""
    account = make(Recipe("daily", "@daily"))
    definition, _, runs, truth = only(account)
    offset = truth["offset_ms"] / 1000
    assert 300 <= offset <= 21_600
    assert offset % 30 == 0
    assert seconds(definition["nextRunAt"]) == 10 * 86_400 + offset
    assert [tick.planned_at / 1000 % 86_400 for tick in account.ticks] == [offset] * 10
    assert [seconds(run["meta"]["scheduledAt"]) for run in runs] == [day * 86_400 + offset for day in range(10)]


def test_who_saves_a_macro_before_its_offset_has_passed_keeps_the_tick():
    """Saved two minutes after midnight, @daily still runs in the same night."""
    account = make(Recipe("daily", "@daily", changes=(Change(5 / 10 + 2 / 14_400),)))
    assert account.truth["totals"]["n_planned"] == account.truth["totals"]["n_on_time"] == 10


@pytest.mark.parametrize(
    ("cron", "step", "n_due", "n_not_due"), [("*/10 * * * * *", 20, 30, 30), ("*/5 * * * * *", 15, 40, 80)]
)
def test_the_next_tick_is_ten_seconds_after_the_actual_start(cron, step, n_due, n_not_due):
    """A start lies just after its tick, so every ten seconds becomes every twenty, and every five every fifteen."""
    account = make(Recipe("dense", cron), end="2026-08-01T00:10Z")
    _, _, runs, truth = only(account)
    ticks = [tick.planned_at / 1000 for tick in account.ticks]
    assert np.diff(ticks).tolist() == [step] * (n_due - 1)
    assert len(runs) == truth["n_on_time"] == n_due
    assert truth["not_due"] == [
        {
            "why": "within ten seconds",
            "from": f"2026-08-01T00:00:{step // (2 if step == 20 else 3):02d}.000Z",
            "to": f"2026-08-01T00:09:{50 if step == 20 else 55}.000Z",
            "n_ticks": n_not_due,
        }
    ]


def test_what_is_overdue_is_made_up_once():
    """After five silent hours one invocation is for the first of them; the other four are missed."""
    silence = Silence(5.4 / 240, 10.4 / 240)
    account = make(Recipe("hourly", "0 * * * *", silences=(silence,), catches_up=True))
    made_up = [run for run in account.runs if seconds(run["startedAt"]) - seconds(run["meta"]["scheduledAt"]) > 60]
    assert [seconds(run["meta"]["scheduledAt"]) for run in made_up] == [6 * 3600]
    assert 10.4 * 3600 < seconds(made_up[0]["startedAt"]) < 10.4 * 3600 + 60
    assert [tick.why for tick in account.ticks if tick.status == "missed"] == ["silence"] * 4
    assert [tick.planned_at // HOUR % 24 for tick in account.ticks if tick.status == "late"] == [6]


def test_entries_of_an_invocation_come_one_after_the_other_and_info_last():
    """Three actions that fail leave three ERRORs in the order of the actions, some time apart, then INFO."""
    recipe = Recipe("three", "0 * * * *", actions=("task", "actor", "task"), streaks=(Streak(0, 1, "memory"),))
    definition, log, _, _ = only(make(recipe))
    ids = [action.get("actorId") or action["actorTaskId"] for action in definition["actions"]]
    assert [action["type"] for action in definition["actions"]] == ["RUN_ACTOR", "RUN_ACTOR_TASK", "RUN_ACTOR_TASK"]
    found = chunks(log)
    assert len(found) == 240
    for entries in found:
        assert [entry["level"] for entry in entries] == ["ERROR", "ERROR", "ERROR", "INFO"]
        assert all(f'"{name}"' in entry["message"] for name, entry in zip(ids, entries, strict=False))
        at = [seconds(entry["createdAt"]) for entry in entries]
        assert all(0.04 <= step <= 0.35 for step in np.diff(at)[:2])
        assert entries[-1]["message"] == "Schedule invoked"


def test_actions_that_fail_at_one_tick_fail_for_reasons_of_their_own():
    """Of three actions that fail at once not all say the same."""
    recipe = Recipe("three", "0 * * * *", actions=("actor",) * 3, failed=0.1, texts=("memory", "rental", "build.tag"))
    _, log, _, _ = only(make(recipe))
    failed = [entries for entries in chunks(log) if len(entries) == 4]
    reasons = [{entry["message"].split(":", 1)[1].split('"')[0][:20] for entry in entries[:3]} for entries in failed]
    assert len(failed) == 24
    assert all(len(each) == 3 for each in reasons)


def test_clicks_and_ticks_never_interleave():
    """With clicks around their ticks each invocation is whole, one ends before the next, and clicks say so last."""
    recipe = Recipe("busy", "0 * * * *", actions=("actor",) * 10, near_manual=200, streaks=(Streak(0, 1, "memory"),))
    _, log, _, truth = only(make(recipe, window=None))
    found = chunks(log)
    assert truth["n_manual"] == 200
    texts = Counter(entries[-1]["message"] for entries in found)
    assert texts == {"Schedule invoked": 240, "Schedule invoked manually": 200}
    # No action of a click is planted to fail, so those entries stand alone; those of a tick are ten and one.
    sizes = {(entries[-1]["message"], len(entries)) for entries in found}
    assert sizes == {("Schedule invoked", 11), ("Schedule invoked manually", 1)}
    assert [entry["createdAt"] for entry in log] == sorted(entry["createdAt"] for entry in log)


def test_a_click_leaves_last_and_next_run_alone():
    """The lastRunAt is the start of the last tick's invocation, also where somebody clicked after it."""
    recipe = Recipe("weekly", "0 8 * * 1", manual=1)
    definition, log, runs, truth = only(make(recipe, end="2026-08-12T00:00Z"))
    assert truth["n_manual"] == 1
    assert 0 < seconds(definition["lastRunAt"]) - (9 * 86_400 + 8 * 3600) < 5
    assert definition["nextRunAt"] == "2026-08-17T08:00:00.000Z"
    assert len(log) == 3
    click = next(run for run in runs if run["meta"]["scheduledAt"][11:19] != "08:00:00")
    assert seconds(click["meta"]["scheduledAt"]) < seconds(click["startedAt"])


@pytest.mark.parametrize("window", [250, 1000])
def test_a_log_shows_its_newest_entries(window):
    """Of a log of 2,400 entries the API shows 250 or 1000, and the truth tells which ticks that hides."""
    account = make(Recipe("ten-minutely", "*/10 * * * *"), end="2026-08-17T16:00Z", window=window)
    _, log, _, truth = only(account)
    assert len(log) == truth["n_entries"] == window
    assert truth["is_truncated"]
    assert truth["n_unknown"] == 2400 - window
    assert Counter(tick.why for tick in account.ticks) == {"truncated": 2400 - window, "": window}


def test_what_lay_between_two_looks_is_a_hole():
    """With a window of 250, what 300 hours brought between two looks leaves a hole of 50."""
    recipe = Recipe("hourly", "30 * * * *", fetched=(100 / 400, 1))
    account = make(recipe, end=pd.Timestamp("2026-08-01T00:00Z") + pd.Timedelta(400, "h"), window=250)
    assert Counter(tick.why for tick in account.ticks) == {"": 350, "hole": 50}
    assert [fetch["n_entries"] for fetch in account.fetches] == [100, 250]
    assert [fetch["is_truncated"] for fetch in account.fetches] == [False, True]


def test_next_run_is_null_while_switched_off_and_computed_when_saved():
    """Each look shows the version of that day: on, off, and on again, from when nextRunAt counts."""
    changes = (Change(0.3, is_enabled=False), Change(0.7, is_enabled=True))
    account = make(Recipe("daily", "0 12 * * *", changes=changes, fetched=(0.1, 0.5, 0.71)))
    assert [(version["isEnabled"], version["nextRunAt"]) for version in account.versions] == [
        (True, "2026-08-02T12:00:00.000Z"),
        (False, None),
        (True, "2026-08-08T12:00:00.000Z"),
    ]
    assert [version["modifiedAt"] for version in account.versions[1:]] == [
        "2026-08-04T00:00:00.000Z",
        "2026-08-08T00:00:00.000Z",
    ]
    (truth,) = account.truth["schedules"].values()
    assert (truth["n_planned"], truth["n_missed"]) == (6, 0)
    assert truth["not_due"] == [
        {"why": "switched off", "from": "2026-08-04T00:00:00.000Z", "to": "2026-08-08T00:00:00.000Z"}
    ]


def test_a_definition_holds_from_when_it_was_saved():
    """Changed on the sixth day from 09:00 UTC to 10:00, and then to 10:00 in India."""
    changes = (Change(0.5, cron="0 10 * * *"), Change(0.8, tz="Asia/Kolkata"))
    account = make(Recipe("daily", "0 9 * * *", changes=changes))
    hours = [tick.planned_at / HOUR % 24 for tick in account.ticks]
    assert hours == [9] * 5 + [10] * 3 + [4.5] * 2
    assert {tick.status for tick in account.ticks} == {"on_time"}
    (definition,) = account.schedules
    assert (definition["cronExpression"], definition["timezone"]) == ("0 10 * * *", "Asia/Kolkata")
    assert definition["modifiedAt"] == "2026-08-09T00:00:00.000Z"


def test_a_deleted_schedule_is_known_from_before():
    """Nothing is due after it was deleted; it is not listed any more, but its log and its definition were kept."""
    account = make(Recipe("gone", "0 * * * *", deleted=0.5), Recipe("kept", "0 * * * *"))
    assert [definition["name"] for definition in account.schedules] == ["kept"]
    assert {version["name"] for version in account.versions} == {"gone", "kept"}
    truth = {each["name"]: each for each in account.truth["schedules"].values()}["gone"]
    assert truth["n_planned"] == truth["n_on_time"] == 121
    assert truth["not_due"][0]["why"] == "deleted"
    assert not truth["is_down_at_end"]


def test_last_run_is_the_start_of_the_last_invocation():
    """The lastRunAt lies between its tick and the first entry of its invocation."""
    definition, log, _, _ = only(make(Recipe("slow", "0 * * * *", delay=5)))
    last = seconds(definition["lastRunAt"])
    assert 239 * 3600 < last < seconds(log[-1]["createdAt"])


def test_a_hung_run_skips_its_action_for_ever_and_info_is_still_written():
    """From the hung run on each action leaves a WARNING at every tick, then INFO, and no run is started."""
    recipe = Recipe("hung", "0 * * * *", is_exclusive=True, actions=("actor", "task"), hung=(0.5, 1))
    account = make(recipe)
    _, log, runs, truth = only(account)
    after = [entries for entries in chunks(log) if seconds(entries[0]["createdAt"]) > 121 * 3600]
    assert {tuple(entry["level"] for entry in entries) for entries in after} == {("WARNING", "WARNING", "INFO")}
    assert len(after) == truth["outcomes"]["skipped"] == 119
    assert {run["status"] for run in runs if seconds(run["startedAt"]) > 120 * 3600} == {"RUNNING"}
    assert len(runs) == 242
    assert (truth["is_down_at_end"], truth["down_since"]) == (True, "2026-08-06T01:00:00.000Z")


def test_a_run_skips_only_its_own_action():
    """Where the second action could not be started at the tick whose run hangs, only the first one is skipped after."""
    recipe = Recipe("half", "0 * * * *", is_exclusive=True, actions=("actor", "task"), hung=(0.5, 1))
    schedule, period, faults, rng = plan(recipe)
    faults.texts[120] = ("", "memory")
    life = live(schedule, faults, period, rng)
    assert [entry.level for entry in life.invocations[120].entries] == ["ERROR", "INFO"]
    assert [entry.level for entry in life.invocations[121].entries] == ["WARNING", "INFO"]
    assert [run.action for run in life.invocations[121].runs] == [1]


def test_a_start_that_is_overdue_passes_over_the_ticks_before_it():
    """A tick that begins 150 minutes late answers for itself; the two after it are missed, the third is on time."""
    schedule, period, faults, rng = plan(Recipe("hourly", "0 * * * *"))
    faults.delay[5] = 150 * 60_000
    life = live(schedule, faults, period, rng)
    assert life.became[4:10] == ["", "", "overdue", "overdue", "", ""]
    assert [invocation.tick for invocation in life.invocations[4:7]] == [4, 5, 8]


def test_a_start_that_comes_after_a_save_does_not_come():
    """Whoever saves the schedule while a tick is overdue has nextRunAt computed anew, and that tick is lost."""
    recipe = Recipe("hourly", "0 * * * *", changes=(Change(5.5 / 240, cron="30 * * * *"),))
    schedule, period, faults, rng = plan(recipe)
    faults.delay[5] = 40 * 60_000
    life = live(schedule, faults, period, rng)
    assert life.became[4:8] == ["", "saved over", "", ""]
    assert faults.planned[6] - faults.planned[5] == HOUR // 2


def test_a_click_that_runs_into_a_tick_makes_it_wait():
    """The tick begins when the click's invocation is over, and a click at a tick that runs waits as well."""
    schedule, period, faults, rng = plan(Recipe("slow", "0 * * * *", actions=("actor",) * 20))
    faults.clicks = [int(faults.planned[3]) - 500, int(faults.planned[4]) + 1_500]
    faults.delay[3:5] = 1_000
    life = live(schedule, faults, period, rng)
    assert [invocation.kind for invocation in life.invocations[3:7]] == ["manual", "scheduled", "scheduled", "manual"]
    first, second, third, fourth = life.invocations[3:7]
    assert second.began_at == first.done_at > faults.planned[3] + 1_000
    assert fourth.began_at == third.done_at > faults.planned[4] + 1_500
    assert {run.scheduled_at for run in fourth.runs} == {fourth.began_at}
    assert {run.scheduled_at for run in second.runs} == {int(faults.planned[3])}


def test_a_user_that_is_gone_leaves_one_error_and_no_info():
    """However many actions there are, the log says once that there is no user."""
    recipe = Recipe("orphan", "0 * * * *", actions=("actor",) * 5, streaks=(Streak(0.5, 1, USER),))
    _, log, _, truth = only(make(recipe))
    late = [entry for entry in log if seconds(entry["createdAt"]) > 120 * 3600]
    assert {(entry["level"], entry["message"]) for entry in late} == {
        ("ERROR", "Cannot invoke schedule because its user was not found.")
    }
    assert len(late) == truth["outcomes"]["failed"] == 120


def test_runs_name_the_tick_and_the_action_that_started_them():
    """A run's scheduledAt is a tick, not its start, and its action's id stands under the key of its kind."""
    definition, _, runs, _ = only(make(Recipe("two", "0 * * * *", actions=("task", "actor"))))
    actor, task = definition["actions"]
    assert len(runs) == 480
    for run in runs:
        assert seconds(run["meta"]["scheduledAt"]) % 3600 == 0
        key, action = ("scheduledActorTaskId", task) if "actorTaskId" in run else ("scheduledAct2Id", actor)
        assert run["meta"][key] == action["id"]


def test_next_run_of_a_stuck_schedule_lies_in_the_past():
    """Where invocations are lost nextRunAt moves on; where nothing happens at all it stands still."""
    stuck, lost = (only(make(Recipe("a", "0 * * * *", stopped=0.5, is_stuck=is_stuck))) for is_stuck in (True, False))
    assert stuck[0]["nextRunAt"] == "2026-08-06T00:00:00.000Z"
    assert lost[0]["nextRunAt"] == "2026-08-11T00:00:00.000Z"
    assert stuck[3]["n_missed"] == lost[3]["n_missed"] == 120
    assert stuck[3]["down_since"] == lost[3]["down_since"] == "2026-08-06T00:00:00.000Z"


def test_a_silent_account_is_silent_in_every_schedule():
    """An outage of the whole account is listed once, with what it took from each schedule."""
    account = make(Recipe("a", "0 * * * *"), Recipe("b", "30 */2 * * *"), outage=(0.5, 0.52))
    assert account.truth["silences"] == [
        {"from": "2026-08-06T00:00:00.000Z", "to": "2026-08-06T04:48:00.000Z", "n_missed": 8, "n_schedules": 2}
    ]
    assert {tick.why for tick in account.ticks if tick.status == "missed"} == {"silence"}


def test_a_stale_look_leaves_the_rest_unknown():
    """Fetched at half time, all later ticks are unknown, and the truth says that nobody looked."""
    account = make(Recipe("stale", "0 * * * *", fetched=(0.5,)))
    definition, _, _, truth = only(account)
    assert Counter(tick.why for tick in account.ticks) == {"": 120, "after the last look": 120}
    assert (truth["is_unseen_at_end"], truth["is_down_at_end"]) == (True, False)
    assert definition["nextRunAt"] == truth["seen_until"] == "2026-08-06T00:00:00.000Z"


def test_a_schedule_can_miss_ticks_all_the_time():
    """Chronic misses are as many as wanted, and mute hours are those of its own zone."""
    account = make(
        Recipe("bad", "0 * * * *", chronic=0.8), Recipe("nights", "0 * * * *", "Asia/Tokyo", mute_hours=(1, 4))
    )
    bad, nights = sorted(account.truth["schedules"].values(), key=lambda truth: truth["name"])
    assert 0.7 < bad["n_missed"] / 240 < 0.9
    assert {at[11:13] for at in nights["missed_at"]} == {"16", "17", "18"}
    assert nights["n_missed"] == 30


@pytest.mark.parametrize("seed", range(40))
def test_ticks_of_a_drawn_account_are_those_that_its_counts_count(seed):
    """Every count of the truth is the number of such ticks, and each miss and each unknown has its reason."""
    account = draw_account(seed)
    assert account.truth["totals"]["n_planned"] == len(account.ticks)
    for schedule_id, truth in account.truth["schedules"].items():
        ticks = [tick for tick in account.ticks if tick.schedule_id == schedule_id]
        planned = [tick.planned_at for tick in ticks]
        status = Counter(tick.status for tick in ticks)
        assert planned == sorted(set(planned))
        assert {f"n_{name}": status[name] for name in ("on_time", "late", "missed", "unknown")} == {
            name: truth[name] for name in ("n_on_time", "n_late", "n_missed", "n_unknown")
        }
        assert all(bool(tick.why) == (tick.status in {"missed", "unknown"}) for tick in ticks)
        assert truth["is_unseen_at_end"] == (
            any(tick.why == "after the last look" for tick in ticks) and "deleted" not in truth["name"]
        )
        assert len(account.logs[schedule_id]) == truth["n_entries"]


def test_a_drawn_account_is_the_same_for_the_same_seed():
    """Same seed, same answers and truth; the tables are what the package reads from them."""
    account = draw_account(5)
    assert account == draw_account(5)
    assert account != draw_account(6)
    tables = account.tables()
    assert len(tables.log) == account.truth["totals"]["n_entries"]
    assert len(tables.fetches) == len(account.fetches)
    assert len(tables.runs) == len(account.runs)


def test_every_state_of_an_end_is_drawn():
    """Among a hundred accounts there are down ones, unseen ones, both and neither, each often."""
    ends = Counter()
    for seed in range(100):
        truth = draw_account(seed).truth["schedules"].values()
        ends[any(each["is_down_at_end"] for each in truth), any(each["is_unseen_at_end"] for each in truth)] += 1
    assert len(ends) == 4
    assert min(ends.values()) >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_drawn_alone(kind):
    """Each kind of trouble makes an account of one schedule that has it, and nothing else."""
    account = draw_account(2, [kind])
    (truth,) = account.truth["schedules"].values()
    assert truth["name"] == f"s0-{kind}"
    if kind in {"healthy", "slow", "clicked", "doubled", "rescheduled", "moved", "edited", "new", "paused", "resumed"}:
        assert truth["n_missed"] == truth["n_unknown"] == 0
        assert not truth["is_down_at_end"]
    assert truth["is_down_at_end"] or kind not in {"stopped", "stuck", "userless"}
    assert truth["is_unseen_at_end"] == (kind == "stale")
    assert account.truth["silences"] == []


def test_a_kind_that_is_none_is_refused():
    """A kind that does not exist is named."""
    with pytest.raises(InputError, match="gremlin"):
        draw_account(1, ["gremlin"])
