"""The simulation keeps to the API's shapes, plants what it says, and counts it right."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import CronError, InputError
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.simulation import (
    SAMPLE,
    TEXTS,
    Recipe,
    Silence,
    Streak,
    draw_account,
    random_recipes,
    simulate,
    simulate_fleet,
)
from schedlog_analysis.simulation.recipes import MAX_ACTIONS

PROJECT = Path(__file__).parents[1]
SAMPLE_FOLDER = PROJECT / "data" / "sample"
CONTRACT = PROJECT / "tests" / "data" / "contract" / "apify-read.yaml"
STATUSES = ("n_on_time", "n_late", "n_missed", "n_unknown")
FAULTY = {"missed": 0.03, "late": 0.03, "duplicate": 0.02, "failed": 0.05, "partial": 0.03, "manual": 3}
EDGES = (
    Recipe("ten-seconds", "*/10 * * * * *", actions=("actor", "task"), **FAULTY),
    Recipe("macro", "@hourly", **FAULTY),
    Recipe("autumn", "*/15 2 * * *", "Europe/Prague", **FAULTY),
    Recipe("new", "7 * * * *", created=0.3, extra=2, **FAULTY),
    Recipe("paused", "0 */2 * * *", "Europe/Prague", paused=0.5, **FAULTY),
    Recipe("never", "0 0 29 2 *"),
    Recipe("gone", "0 * * * *", stopped=0.0),
    Recipe("exclusive", "*/20 * * * *", is_exclusive=True, skipped=0.1, stopped=0.9),
    Recipe("hopeless", "0 * * * *", streaks=(Streak(0, 1, "user"),)),
)


@pytest.fixture(scope="module")
def sample():
    return simulate(seed=7)


@pytest.fixture(scope="module")
def schemas():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    document = yaml.safe_load(CONTRACT.read_text())

    def check(name, value):
        root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(root).validate(value)

    return check


def ms(instant):
    return int(np.datetime64(instant.removesuffix("Z"), "ms").astype(np.int64))


def ticks_of(definition, offset, start, end):
    """Moments that an expression names in a window, and the one after it."""
    cron = Cron(definition["cronExpression"], definition["timezone"])
    window = [pd.Timestamp(at - offset, unit="ms", tz="UTC") for at in (start, end)]
    inside = [int(tick.value // 10**6) + offset for tick in cron.ticks(*window)]
    return inside, int(cron.next(window[1] - pd.Timedelta(1, "ms"))[0].value // 10**6) + offset


def group_slowly(log, ticks):
    """Collect the entries of each invocation: within ten seconds, and not across a tick."""
    groups = []
    for entry in log:
        at = ms(entry["createdAt"])
        tick = bisect_right(ticks, at) - 1
        if groups and at - groups[-1]["at"] < 10_000 and tick == groups[-1]["tick"]:
            groups[-1]["entries"].append(entry)
        else:
            groups.append({"at": at, "tick": tick, "entries": [entry]})
    return groups


def due_slowly(log, ticks):
    """Drop the ticks that come within ten seconds of the start for another one, which lies just after that."""
    answered = {group["tick"] for group in group_slowly(log, ticks)}
    due, last = [], -(10**6)
    for number, tick in enumerate(ticks):
        if tick > last + 10_000:
            due.append(tick)
            last = tick if number in answered else last
    return due


def read_slowly(account, definition):
    """Count one schedule entry by entry, by the design's definitions: slow and plain, so that it can be believed."""
    truth, log = account.truth["schedules"][definition["id"]], account.logs[definition["id"]]
    start, end = (ms(account.truth[key]) for key in ("start", "end"))
    until = end if definition["isEnabled"] else ms(definition["modifiedAt"])
    begin = max(start, ms(definition["createdAt"]))
    ticks, following = ticks_of(definition, truth["offset_ms"] or 0, begin, until)
    ticks = due_slowly(log, ticks)
    slack = [min(60_000, gap // 2) for gap in np.diff([*ticks, max(following, end)])]
    groups = group_slowly(log, ticks)
    found = Counter()
    answered = set()
    for group in groups:
        texts = [entry["message"] for entry in group["entries"]]
        levels = [entry["level"] for entry in group["entries"]]
        if "Schedule invoked manually" in texts:
            found["n_manual"] += 1
            continue
        is_whole = any(text.startswith("Cannot invoke schedule") for text in texts)
        if is_whole or levels.count("ERROR") >= len(definition["actions"]):
            found["failed"] += 1
        else:
            found["partial" if "ERROR" in levels else "skipped" if "WARNING" in levels else "ok"] += 1
        tick = group["tick"]
        if tick < 0:
            found["n_extra"] += 1
        elif tick in answered:
            found["n_duplicate"] += 1
        else:
            answered.add(tick)
            found["n_late" if group["at"] - ticks[tick] > slack[tick] else "n_on_time"] += 1
    for tick in set(range(len(ticks))) - answered:
        is_before = truth["is_truncated"] and ticks[tick] < groups[0]["at"]
        is_too_early = ticks[tick] + slack[tick] > end
        found["n_unknown" if is_before or is_too_early else "n_missed"] += 1
    found["n_planned"] = len(ticks)
    return found


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_a_slow_reading_of_the_sample_finds_the_truth(seed):
    """Reading the logs tick by tick, by the definitions, gives every count of the truth."""
    account = simulate(seed=seed)
    for definition in account.schedules:
        if definition["name"] == "price-alerts":
            continue  # its older definition is not among the answers; see the test of changed crons
        truth = account.truth["schedules"][definition["id"]]
        expected = {key: truth[key] for key in (*STATUSES, "n_planned", "n_duplicate", "n_extra", "n_manual")}
        expected |= truth["outcomes"]
        found = read_slowly(account, definition)
        assert {key: found[key] for key in expected} == expected, definition["name"]


@pytest.mark.parametrize("shape", [None, "several", "single"])
@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-10-24T05:17:03.123Z", "2026-10-25T11:03:47Z"), ("2026-08-01T00:00Z", "2026-08-01T00:00:01Z")],
)
@pytest.mark.parametrize("window", [1000, 1, None])
def test_a_slow_reading_of_odd_schedules_finds_the_truth(shape, start, end, window):
    """Seconds, macros, clock changes, windows of one entry and of one second: the truth keeps to the definitions."""
    account = simulate(3, start, end, EDGES, shape=shape, window=window)
    for definition in account.schedules:
        truth = account.truth["schedules"][definition["id"]]
        if definition["name"] == "ten-seconds" and truth["is_truncated"]:
            continue  # what ten seconds took away before the first entry, no log can tell
        found = read_slowly(account, definition)
        expected = {key: truth[key] for key in (*STATUSES, "n_planned", "n_duplicate", "n_extra", "n_manual")}
        expected |= truth["outcomes"]
        assert {key: found[key] for key in expected} == expected, definition["name"]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 6),
    days=st.integers(1, 40),
    shape=st.sampled_from([None, "several", "single"]),
    window=st.sampled_from([None, 1, 50, 1000]),
)
def test_the_truth_adds_up(seed, n, days, shape, window):
    """Planned is on time + late + missed + unknown, invocations are outcomes, starts are what became of them."""
    end = pd.Timestamp("2026-10-01", tz="UTC") + pd.Timedelta(days, "D")
    account = simulate(seed, "2026-10-01T00:00Z", end, n, shape=shape, window=window)
    assert len(account.schedules) == n
    for schedule_id, truth in account.truth["schedules"].items():
        for part in (truth, truth["planted"]):
            assert part["n_planned"] == sum(part[status] for status in STATUSES)
            n_invocations = sum(part["outcomes"].values())
            assert n_invocations == part["n_on_time"] + part["n_late"] + part["n_duplicate"] + part["n_extra"]
            assert part["n_manual"] == sum(part["outcomes_manual"].values()) == len(part["manual_at"])
            assert [len(part[f"{kind}_at"]) for kind in ("missed", "late", "duplicate", "extra")] == [
                part[f"n_{kind}"] for kind in ("missed", "late", "duplicate", "extra")
            ]
        log = account.logs[schedule_id]
        assert truth["n_entries"] == len(log) <= (window or len(log))
        assert sum(truth["causes"].values()) == sum(entry["level"] != "INFO" for entry in log)
        runs = truth["runs"]
        statuses = ("succeeded", "failed", "timed_out", "aborted", "running", "expired")
        assert runs["n_starts"] == sum(runs[status] for status in statuses)
        assert min(runs[status] for status in statuses) >= 0
        assert runs["n_runs"] == sum(run["meta"]["scheduleId"] == schedule_id for run in account.runs)
    totals = account.truth["totals"]
    assert totals.get("n_planned", 0) == sum(truth["n_planned"] for truth in account.truth["schedules"].values())


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    """Two simulations with one seed are equal to the byte, and another seed is another account."""
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate(seed, schedules=4).write(tmp_path / name)
    files = {
        name: {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.json")}
        for name in "abc"
    }
    assert files["a"] == files["b"]
    assert files["a"] != files["c"]


def test_the_sample_is_what_its_command_makes(sample, tmp_path):
    """`schedlog simulate data/sample --seed 7` makes the committed sample again, and it stays under 3 MB."""
    sample.write(tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json")}
    kept = {path.relative_to(SAMPLE_FOLDER): path.read_bytes() for path in SAMPLE_FOLDER.rglob("*.json")}
    assert made.keys() == kept.keys()
    assert made == kept
    assert sum(map(len, kept.values())) < 3_000_000


def test_the_sample_names_in_the_readme_are_its_schedules(sample):
    """The table in data/README.md lists each schedule of the sample with its cron and zone."""
    text = (PROJECT / "data" / "README.md").read_text()
    for definition in sample.schedules:
        assert f"| {definition['name']} | `{definition['cronExpression']}`, {definition['timezone']} |" in text


def test_objects_keep_to_the_contract(sample, schemas):
    """Schedules, logs and runs are valid by the schemas of Apify's own API description."""
    for definition in sample.schedules:
        schemas("ScheduleResponse", {"data": definition})
    for log in sample.logs.values():
        schemas("ScheduleLogResponse", {"data": log})
    page = {"total": len(sample.runs), "offset": 0, "limit": 1000, "desc": False, "count": 1000}
    for offset in range(0, len(sample.runs), 1000):
        schemas(
            "ListOfRunsResponse", {"data": {**page, "offset": offset, "items": sample.runs[offset : offset + 1000]}}
        )


@pytest.mark.parametrize("seed", range(5))
def test_drawn_accounts_keep_to_the_contract(seed, schemas):
    """Every version, every log and every run of a drawn account is valid as well."""
    account = draw_account(seed)
    for definition in account.versions:
        schemas("ScheduleResponse", {"data": definition})
    for log in account.logs.values():
        schemas("ScheduleLogResponse", {"data": log})
    page = {"total": len(account.runs), "offset": 0, "limit": 10_000, "desc": False, "count": len(account.runs)}
    schemas("ListOfRunsResponse", {"data": {**page, "items": account.runs}})


def test_the_seed_example_is_the_published_one():
    """The seed document's example is there to the letter: two entries, with backslashes before the quotes."""
    entries = json.loads((PROJECT / "data" / "seed-example.json").read_text())["data"]
    assert [entry["level"] for entry in entries] == ["INFO", "ERROR"]
    assert entries[1]["message"] == (
        'Cannot start Actor task \\"iEvfA6pm6DWjRTGxS\\": Provided input must be object, got \\"string\\" instead.'
    )


def test_definitions_agree_with_the_period(sample):
    """Nothing was due between creation and the period, the next run is the first tick after it, the last was logged."""
    start, end = (pd.Timestamp(sample.truth[key]) for key in ("start", "end"))
    for definition in sample.schedules:
        truth = sample.truth["schedules"][definition["id"]]
        cron = Cron(definition["cronExpression"], definition["timezone"])
        offset = pd.Timedelta(truth["offset_ms"] or 0, "ms")
        created = pd.Timestamp(definition["createdAt"])
        assert created >= start or cron.count(created - offset, start) == 0
        assert (definition["nextRunAt"] is None) == (not definition["isEnabled"])
        if definition["isEnabled"]:
            assert pd.Timestamp(definition["nextRunAt"]) == cron.next(end - offset - pd.Timedelta(1, "ms"))[0] + offset
        entries = [ms(entry["createdAt"]) for entry in sample.logs[definition["id"]]]
        assert any(0 < at - ms(definition["lastRunAt"]) < 1_000 for at in entries)


def test_logs_are_ordered_and_closed(sample):
    """Entries come oldest first, within the period, and some share their millisecond."""
    equal = 0
    for log in sample.logs.values():
        at = [ms(entry["createdAt"]) for entry in log]
        assert at == sorted(at)
        assert ms(sample.truth["start"]) <= at[0]
        assert at[-1] < ms(sample.truth["end"])
        equal += len(at) - len(set(at))
    assert equal > 0


def test_the_sample_holds_every_fault(sample):
    """All statuses, outcomes, causes and kinds of incident are in the sample, at an error rate of 2 to 4 percent."""
    totals = sample.truth["totals"]
    assert all(totals[key] > 0 for key in (*STATUSES, "n_duplicate", "n_extra", "n_manual"))
    assert all(totals["outcomes"].values())
    assert totals["causes"].keys() == {text.cause for text in TEXTS.values()}
    assert {truth["is_truncated"] for truth in sample.truth["schedules"].values()} == {True, False}
    assert any(truth["offset_ms"] for truth in sample.truth["schedules"].values())
    assert all(
        totals["runs"][status] > 0 for status in ("succeeded", "failed", "timed_out", "aborted", "running", "expired")
    )
    assert {incident["ended_at"] is None for incident in sample.truth["incidents"]} == {True, False}
    assert 0.02 <= totals["outcomes"]["failed"] / sum(totals["outcomes"].values()) <= 0.04


def test_the_sample_holds_every_text(sample):
    """Each known message is logged at least once, values aside."""
    messages = [entry["message"] for log in sample.logs.values() for entry in log]
    for text in TEXTS.values():
        fixed = max((part.split("}")[-1] for part in text.reason.split("{")), key=len)
        assert any(fixed in message for message in messages), text
    for kind in ("Actor was not found", "Actor task was not found", "Schedule invoked", "Schedule invoked manually"):
        assert any(message.endswith(kind) for message in messages)


def test_shape_can_be_forced():
    """With shape="single" no tick leaves two entries; what is planted stays the same."""
    several, single = (simulate(2, schedules=SAMPLE, shape=shape, window=None) for shape in ("several", "single"))
    for schedule_id, truth in single.truth["schedules"].items():
        n_invocations = sum(truth["outcomes"].values()) + truth["n_manual"]
        assert truth["n_entries"] == n_invocations
        assert truth["missed_at"] == several.truth["schedules"][schedule_id]["missed_at"]


def test_a_longer_window_only_adds_older_entries(sample):
    """The newest 1000 entries of the whole log are the log that is cut off, and runs do not depend on it."""
    whole = simulate(seed=7, window=None)
    assert whole.runs == sample.runs
    for schedule_id, log in whole.logs.items():
        assert log[-1000:] == sample.logs[schedule_id]
        assert whole.truth["schedules"][schedule_id]["planted"] == sample.truth["schedules"][schedule_id]["planted"]


def test_schedules_do_not_depend_on_each_other():
    """Adding a schedule changes nothing in those before it."""
    alone, both = simulate(4, schedules=SAMPLE[:1]), simulate(4, schedules=SAMPLE[:2])
    schedule_id = alone.schedules[0]["id"]
    assert both.logs[schedule_id] == alone.logs[schedule_id]
    assert both.truth["schedules"][schedule_id] == alone.truth["schedules"][schedule_id]


def test_runs_belong_to_ticks(sample):
    """A run starts before the INFO that ends its invocation, and is for a tick at or before that, or for a click."""
    infos = {
        schedule_id: np.array([ms(entry["createdAt"]) for entry in log if entry["level"] == "INFO"])
        for schedule_id, log in sample.logs.items()
    }
    planned = {(tick.schedule_id, tick.planned_at) for tick in sample.ticks}
    extra = {at for truth in sample.truth["schedules"].values() for at in truth["extra_at"]}
    n_clicks = 0
    assert [run["startedAt"] for run in sample.runs] == sorted(run["startedAt"] for run in sample.runs)
    assert len({run["id"] for run in sample.runs}) == len(sample.runs)
    for run in sample.runs:
        started, scheduled = ms(run["startedAt"]), ms(run["meta"]["scheduledAt"])
        after = infos[run["meta"]["scheduleId"]]
        assert 0 <= after[after.searchsorted(started)] - started < 1_000
        assert scheduled <= started
        n_clicks += (run["meta"]["scheduleId"], scheduled) not in planned
        assert (run["finishedAt"] is None) == (run["status"] == "RUNNING")
        assert run["finishedAt"] is None or started < ms(run["finishedAt"]) <= ms(sample.truth["end"])
    assert len(extra) == 1
    assert 0 < n_clicks < 9


def test_skipped_ticks_had_a_reason():
    """Where an exclusive schedule was skipped, one of its runs was still running; where it was invoked, none was."""
    recipe = Recipe("exclusive", "*/20 * * * *", is_exclusive=True, skipped=0.1, run_minutes=30)
    account = simulate(1, schedules=[recipe], window=None, run_retention="92D", outage=None, shortage=None)
    runs = np.array([[ms(run["startedAt"]), ms(run["finishedAt"] or account.truth["end"])] for run in account.runs])
    (log,) = account.logs.values()
    skips = {entry["createdAt"] for entry in log if entry["level"] == "WARNING"}
    assert len(skips) > 100
    for entry in log:
        at = ms(entry["createdAt"])
        is_running = bool(((runs[:, 0] < at - 2_000) & (runs[:, 1] > at)).any())
        assert is_running or entry["createdAt"] not in skips
    invoked = [run["startedAt"] for run in account.runs]
    assert all(previous <= ms(following) for previous, following in zip(runs[:-1, 1], invoked[1:], strict=True))


def test_planted_incidents_stand_alone():
    """A planted incident begins after good ticks and ends before good ones, so that its bounds are exact."""
    recipe = Recipe("hourly", "0 * * * *", missed=0.05, failed=0.1, streaks=(Streak(0.3, 0.32, "memory"),))
    account = simulate(9, schedules=[recipe], window=None)
    truth = next(iter(account.truth["schedules"].values()))
    errors = {entry["createdAt"][:13] for log in account.logs.values() for entry in log if entry["level"] == "ERROR"}
    bad = {tick[:13] for tick in truth["missed_at"]} | errors
    incidents = account.truth["incidents"]
    assert {incident["cause"] for incident in incidents} == {"capacity", "missed", "billing"}
    for incident in incidents:
        first, last = pd.Timestamp(incident["started_at"]), pd.Timestamp(incident["last_bad_at"])
        hours = pd.date_range(first, last, freq="h")
        assert len(hours) == incident["n_ticks"]
        assert all(f"{hour:%Y-%m-%dT%H}" in bad for hour in hours)
        around = [first - pd.Timedelta(hours, "h") for hours in (1, 2, 3)] + [
            last + pd.Timedelta(hours, "h") for hours in (1, 2, 3)
        ]
        assert not any(f"{hour:%Y-%m-%dT%H}" in bad for hour in around)
        assert pd.Timestamp(incident["ended_at"]) == last + pd.Timedelta(1, "h")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"start": "2026-11-01T00:00Z"}, "after"),
        ({"start": "2026-08-01"}, "offset"),
        ({"end": "soon"}, "end"),
        ({"shape": "double"}, "shape"),
        ({"window": 0}, "window"),
        ({"outage": (0.5, 0.4)}, "outage"),
        ({"schedules": -1}, "number"),
        ({"schedules": ["hourly"]}, "recipes"),
        ({"run_retention": "long"}, "run_retention"),
    ],
)
def test_senseless_arguments_are_refused(arguments, message):
    """Each wrong argument is named in one sentence."""
    with pytest.raises(InputError, match=message):
        simulate(**arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"actions": ()},
        {"actions": ("actor",) * (MAX_ACTIONS + 1)},
        {"shape": "both"},
        {"missed": -0.1},
        {"missed": 0.4, "failed": 0.4},
        {"skipped": 0.1},
        {"is_exclusive": True, "skipped": 0.1, "duplicate": 0.1},
        {"texts": ("gremlins",)},
        {"texts": ("exclusive",)},
        {"chronic": 1.0},
        {"hung": (0.1, 0.2)},
        {"is_exclusive": True, "hung": (0.2, 0.1)},
        {"fetched": ()},
        {"fetched": (0.5, 0.2)},
    ],
)
def test_senseless_recipes_are_refused(change):
    """A recipe that no platform could follow is refused where it is written."""
    with pytest.raises(InputError):
        replace(Recipe("hourly", "0 * * * *"), **change)


def test_senseless_streaks_and_crons_are_refused():
    """A streak lies inside the period, and a cron must be one."""
    with pytest.raises(InputError, match="share"):
        Streak(0.5, 0.5, "memory")
    with pytest.raises(InputError, match="silence"):
        Silence(0.5, 0.4)
    with pytest.raises(InputError, match="gremlins"):
        Streak(0.1, 0.2, "gremlins")
    with pytest.raises(CronError):
        simulate(schedules=[Recipe("broken", "every day")])
    with pytest.raises(InputError, match="error_rate"):
        random_recipes(1, 0, error_rate=0.9)


def test_write_touches_no_foreign_logs(tmp_path):
    """A folder with other logs is refused before anything is written, and so is a file."""
    account = simulate(1, schedules=1)
    account.write(tmp_path)
    account.write(tmp_path)
    with pytest.raises(InputError, match="empty folder"):
        simulate(2, schedules=1).write(tmp_path)
    assert json.loads((tmp_path / "truth.json").read_text())["seed"] == 1
    with pytest.raises(InputError, match="cannot be written"):
        account.write(tmp_path / "truth.json")


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(0, 5), n_ticks=st.integers(0, 300))
def test_a_fleet_is_typed_sorted_and_whole(seed, n, n_ticks):
    """A fleet's tables are typed and sorted, deterministic, and with nothing missed every tick has one entry."""
    log, schedules = simulate_fleet(n, n_ticks, seed, missed_rate=0)
    again, _ = simulate_fleet(n, n_ticks, seed, missed_rate=0)
    pd.testing.assert_frame_equal(log, again)
    assert Log.accept(log) is log
    assert Schedules.accept(schedules) is schedules
    assert len(log) == n * n_ticks
    assert log.equals(log.sort_values(["schedule_id", "created_at"], kind="stable"))
    for row in schedules.itertuples():
        created = pd.DatetimeIndex(log.loc[log["schedule_id"] == row.schedule_id, "created_at"])
        ticks = Cron(row.cron).ticks(row.created_at, row.next_run_at)
        assert len(ticks) == n_ticks
        assert (created >= ticks).all()
        assert (created < ticks + pd.Timedelta("60s")).all()


def test_a_fleet_has_the_rates_it_was_given():
    """Errors and missed ticks are as frequent as asked for, and there are as many texts."""
    log, _ = simulate_fleet(20, 2000, seed=3, error_rate=0.1, missed_rate=0.05, n_texts=40)
    assert abs(len(log) / 40_000 - 0.95) < 0.01
    assert abs((log["level"] == "ERROR").mean() - 0.1) < 0.01
    assert log.loc[log["level"] == "ERROR", "message"].nunique() == 40
    for arguments in ({"n_schedules": -1}, {"n_texts": 0}, {"error_rate": 2}, {"end": "2026-11-01T00:30Z"}):
        with pytest.raises(InputError):
            simulate_fleet(**{"n_schedules": 1, "n_ticks": 1, **arguments})
