"""Ticks: every planned moment and every invocation once, with what the log can and cannot say of it."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from schedlog_analysis import coverage, holes, invocations, ticks
from schedlog_analysis.errors import CronError, InputError
from schedlog_analysis.schema import PLANNED, Invocations, JudgedTicks, Log


def _hour(hour: float) -> pd.Timestamp:
    return pd.Timestamp("2026-01-01T00:00Z") + pd.Timedelta(hours=hour)


@pytest.fixture(scope="module")
def match(make_log, make_schedules):
    """Match an hourly schedule, invoked at the given hours, over the first `end` hours of 2026."""

    def run(hours, end=6, more=None, **options):
        log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in hours))
        schedules = make_schedules(("a", "0 * * * *", more or {}))
        return ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(end), **options)

    return run


def _statuses(table):
    return table["status"].astype("str").tolist()


def test_answered_late_and_missed(match):
    """On time within the grace, late beyond it, missed without an answer."""
    table = match([0, 1 + 60 / 3600, 2 + 61 / 3600, 4])
    assert _statuses(table) == ["on_time", "on_time", "late", "missed", "on_time", "missed"]
    assert table["delay"].dt.total_seconds().dropna().tolist() == [0, 60, 61, 0]
    assert table["outcome"].isna().tolist() == [False, False, False, True, False, True]


def test_the_grace_is_never_more_than_half_the_gap(match):
    """With an hour's gap a grace of a day still calls 31 minutes late."""
    assert _statuses(match([0.5, 1.51], end=2, grace="1D")) == ["on_time", "late"]


def test_a_second_answer_is_a_duplicate(match):
    """The first invocation after a tick answers it, the next repeats it."""
    table = match([0, 30 / 3600, 1], end=2)
    assert _statuses(table) == ["on_time", "duplicate", "on_time"]
    assert table["planned_at"].iloc[1] == _hour(0)


def test_a_rare_cron_after_a_frequent_one_is_planned_at_its_own_pace(make_log, make_schedules):
    """The next tick is looked for as far as the new cron needs it, not among years of the old one's seconds."""
    schedules = make_schedules(
        ("a", "* * * * * *", {"created_at": "2020-01-01T00:00Z", "modified_at": "2020-01-01T00:00Z"}),
        ("a", "0 0 1 1 *", {"created_at": "2020-01-01T00:00Z", "modified_at": _hour(1).isoformat()}),
    )
    log = make_log(*(("a", _hour(0.5 + 10 * i / 3600).isoformat(), "INFO", "Schedule invoked") for i in range(90)))
    table = ticks(invocations(log, schedules), schedules, start=_hour(0.5), end="2027-06-01T00:00Z")
    assert _statuses(table) == ["on_time"] * 90 + ["missed"] * 90 + ["missed"]
    assert table["planned_at"].iloc[-1] == pd.Timestamp("2027-01-01T00:00Z")


def test_a_miss_before_a_duplicate_is_doubtful(match):
    """The duplicate may be the late answer to the miss before it; both say so."""
    table = match([0, 2, 2.01, 3], end=4)
    assert _statuses(table) == ["on_time", "missed", "on_time", "duplicate", "on_time"]
    assert table["is_ambiguous"].tolist() == [False, True, False, True, False]


def test_an_early_clock_still_answers(match):
    """An invocation up to the tolerance before a tick answers that tick, not the one before."""
    assert _statuses(match([0, 0.9999, 2], end=3)) == ["on_time", "on_time", "on_time"]


def test_a_catch_up_counts_once(match):
    """After an outage, one late invocation answers the latest tick; the ones before stay missed."""
    assert _statuses(match([0, 3.4, 4], end=5)) == ["on_time", "missed", "missed", "late", "on_time"]


def test_silence_to_the_end_is_missed(match):
    """A schedule that silently stopped misses every tick up to the end."""
    assert _statuses(match([0], end=6)) == ["on_time"] + ["missed"] * 5


def test_a_tick_that_may_still_come_is_unknown(match):
    """A tick whose grace has not passed when the data ends is not missed yet."""
    table = match([0, 1], end=2 + 30 / 3600)
    assert _statuses(table) == ["on_time", "on_time", "unknown"]


def test_a_paused_schedule_is_unknown_after_its_last_invocation(match):
    """Nobody knows since when a disabled schedule was disabled."""
    assert _statuses(match([0, 2], end=5, more={"is_enabled": False})) == [
        "on_time",
        "missed",
        "on_time",
        "unknown",
        "unknown",
    ]


def test_a_pause_before_the_first_version_that_was_kept_is_unknown(make_log, make_schedules):
    """Who began to keep versions during a pause, and saw it end, finds no miss in it."""
    paused = {"is_enabled": False, "modified_at": _hour(2.5).isoformat()}
    schedules = make_schedules(("a", "0 * * * *", paused), ("a", "0 * * * *", {"modified_at": _hour(5.5).isoformat()}))
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (0, 1, 6)))
    table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(8))
    assert _statuses(table) == ["on_time", "on_time", *["unknown"] * 4, "on_time", "missed"]


def test_a_click_does_not_end_a_pause(make_log, make_schedules):
    """A paused schedule that somebody clicks is still paused."""
    schedules = make_schedules(("a", "0 * * * *", {"is_enabled": False}))
    log = make_log(
        ("a", _hour(0).isoformat(), "INFO", "Schedule invoked"),
        ("a", _hour(2.5).isoformat(), "INFO", "Schedule invoked manually"),
    )
    table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(4))
    assert _statuses(table) == ["on_time", "unknown", "unknown", "manual", "unknown"]


def test_seconds_that_apify_skips_bound_nothing(make_log, make_schedules):
    """With a tick each 5 s, of which every second one is skipped, the first and the last one kept are judged alike."""
    schedules = make_schedules(("a", "*/5 * * * * *", {"created_at": "2025-01-01T00:00:00Z"}))
    moments = pd.date_range("2026-01-01T00:00:06Z", periods=250, freq="10s")
    log = make_log(*(("a", moment.isoformat(), "INFO", "Schedule invoked") for moment in moments))
    table = ticks(invocations(log, schedules), schedules)
    assert _statuses(table) == ["late"] * 250
    assert (table["delay"] == pd.Timedelta("6s")).all()


def test_nothing_is_due_before_creation(match):
    """Ticks before the schedule was created are not planned."""
    assert len(match([3, 4, 5], more={"created_at": _hour(2.5).isoformat()})) == 3


def test_silence_that_an_edit_ended_is_unknown(match):
    """A definition saved after a silence may have ended a pause; ticks before it are no misses."""
    table = match([0, 1, 4, 5], more={"modified_at": _hour(3.5).isoformat()})
    assert _statuses(table) == ["on_time", "on_time", "unknown", "unknown", "on_time", "on_time"]


def test_a_schedule_that_ran_but_has_no_entries_was_not_read(make_schedules):
    """last_run_at without entries means that the log was not read; without it, that the schedule never ran."""
    none = Invocations.empty()
    ran = make_schedules(("a", "0 * * * *", {"last_run_at": _hour(2).isoformat(), "next_run_at": _hour(3).isoformat()}))
    never = make_schedules(("a", "0 * * * *", {"next_run_at": _hour(3).isoformat()}))
    assert _statuses(ticks(none, ran)) == ["unknown"] * 3
    assert _statuses(ticks(none, never)) == ["missed"] * 3


def test_each_tick_follows_the_definition_valid_then(make_log, make_schedules):
    """A changed cron plans hourly before and half-hourly after; a paused version plans only unknowns."""
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (0, 1, 2, 2.5, 3)))
    versions = make_schedules(
        ("a", "0 * * * *"),
        ("a", "*/30 * * * *", {"modified_at": _hour(1.9).isoformat()}),
        ("a", "*/30 * * * *", {"modified_at": _hour(3.2).isoformat(), "is_enabled": False}),
    )
    table = ticks(invocations(log, versions), versions, start=_hour(0), end=_hour(4.2))
    assert (table["planned_at"] - _hour(0)).dt.total_seconds().div(3600).tolist() == [0, 1, 2, 2.5, 3, 3.5, 4]
    assert _statuses(table) == ["on_time"] * 5 + ["unknown"] * 2


def test_before_a_full_window_is_unknown(make_log, make_schedules):
    """A log of 1000 entries may have been cut off: what was planned before its first entry is unknown."""
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in range(100, 1100)))
    schedules = make_schedules(("a", "0 * * * *"))
    told = invocations(log, schedules)
    table = ticks(told, schedules, start=_hour(90), end=_hour(1100))
    assert table["status"].value_counts()[["unknown", "on_time", "missed"]].tolist() == [10, 1000, 0]
    assert len(ticks(told, schedules)) == 1000


def test_between_two_fetches_is_unknown(make_log, make_schedules, make_fetches):
    """Ticks in a hole between two fetches, and after the last one, are unknown; holes hide nothing that was seen."""
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (0, 1, 4, 5)))
    fetches = make_fetches(
        ("a", _hour(1.5), _hour(0), {"last_at": _hour(1), "n_entries": 2}),
        ("a", _hour(5.5), _hour(4), {"last_at": _hour(5), "n_entries": 2, "is_truncated": True}),
    )
    schedules = make_schedules(("a", "0 * * * *"))
    options = {"start": _hour(0), "end": _hour(7), "holes": holes(log, fetches)}
    table = ticks(invocations(log, schedules), schedules, **options)
    assert _statuses(table) == ["on_time", "on_time", "unknown", "unknown", "on_time", "on_time", "unknown"]
    (row,) = coverage(log, fetches).to_dict("records")
    # Two entries fell out of a window of two, so the first fetch, which shows two as well, may be cut off too.
    assert (row["n_holes"], row["is_truncated"]) == (1, True)
    assert row["observed_share"] == pytest.approx(3 / 5.5)


@pytest.fixture
def ran(make_runs):
    """Build Runs of one schedule from (scheduled hour, hour of the start)."""
    return lambda *rows: make_runs(*(("a", _hour(start), {"scheduled_at": _hour(due)}) for due, start in rows))


def test_runs_say_which_tick_they_were_for(match, ran):
    """Where a run names its tick, a start later than the next tick still answers its own."""
    hours = [0, 2, 2.01, 3]
    assert _statuses(match(hours, end=4))[1:4] == ["missed", "on_time", "duplicate"]
    assert _statuses(match(hours, end=4, runs=ran((1, 2.01)))) == ["on_time", "late", "on_time", "on_time"]


def test_runs_move_a_whole_row_of_late_answers(match, ran):
    """Where each answer comes after the next tick, each run puts its own right."""
    table = match([0, 2.1, 3.1, 4.1], end=5, runs=ran((1, 2.1), (2, 3.1), (3, 4.1)))
    assert _statuses(table) == ["on_time", "late", "late", "late", "missed"]


@pytest.mark.parametrize("more", [[], [(1, 1)]])
def test_a_run_that_started_late_takes_no_answer_from_the_next_tick(match, more, ran):
    """The run of tick 0 starts just after the invocation of tick 1, which failed or has a run of its own."""
    assert _statuses(match([0, 1, 2], end=3, runs=ran(*more, (0, 1.001)))) == ["on_time"] * 3


def test_a_macro_is_measured_from_its_hidden_offset(make_log, make_schedules):
    """@daily fires at a constant offset that nobody tells; delay is measured from there, by the log or the next run."""
    days = [_hour(24 * day + 3.25) + pd.Timedelta(milliseconds=350) for day in range(5)]
    log = make_log(*(("a", day.isoformat(), "INFO", "Schedule invoked") for day in days if day != days[2]))
    for more in ({}, {"next_run_at": _hour(24 * 5 + 3.25).isoformat()}):
        schedules = make_schedules(("a", "@daily", more))
        table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(120))
        assert _statuses(table) == ["on_time", "on_time", "missed", "on_time", "on_time"]
        assert table["delay"].max() == pd.Timedelta(milliseconds=350)


def test_without_a_definition_the_cron_is_inferred(make_log):
    """The rhythm of the invocations themselves tells what was missed."""
    hours = [hour for hour in range(200) if hour not in (50, 51)]
    log = make_log(*(("a", _hour(hour + 0.0001).isoformat(), "INFO", "Schedule invoked") for hour in hours))
    table = ticks(invocations(log))
    assert table.loc[table["status"] == "missed", "planned_at"].tolist() == [_hour(50), _hour(51)]


def test_without_any_rhythm_everything_is_extra(make_log):
    """Two invocations show no cron: nothing was planned, so nothing was missed."""
    log = make_log(("a", _hour(0.1).isoformat(), "INFO", "Schedule invoked"), ("a", _hour(5).isoformat(), "INFO", "x"))
    assert _statuses(ticks(invocations(log))) == ["extra", "extra"]


def test_no_invocations_no_ticks():
    """Without invocations and definitions there are no ticks, and all their columns."""
    assert_frame_equal(ticks(invocations(Log.empty())), JudgedTicks.empty())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cron": "61 * * * *"}, "'a'.*61"),
        ({"timezone": "Mars/Olympus"}, "'a'.*Mars/Olympus"),
    ],
)
def test_a_bad_definition_is_told_by_schedule(make_schedules, change, sentence):
    """A wrong cron or zone names the schedule and what is wrong."""
    with pytest.raises(CronError, match=sentence):
        ticks(Invocations.empty(), make_schedules(("a", change.get("cron", "0 * * * *"), change)))


def test_a_window_must_end_after_it_starts(match):
    """An end before the start is an error that says so."""
    with pytest.raises(InputError, match="before"):
        match([0], end=-1)


HOURS = st.lists(st.integers(0, 8 * 3600).map(lambda second: second / 3600), max_size=12)
CRONS = st.sampled_from(["0 * * * *", "*/20 * * * *", "@hourly", "30 */2 * * *", "15 3 * * *"])


@given(st.dictionaries(st.sampled_from("abc"), st.tuples(CRONS, HOURS), max_size=3))
def test_laws(make_log, make_schedules, fleet):
    """Counts add up, every invocation appears once, and schedules do not touch each other."""
    log = make_log(
        *(
            (name, _hour(hour).isoformat(), "INFO", "Schedule invoked")
            for name, (_, hours) in fleet.items()
            for hour in hours
        )
    )
    schedules = make_schedules(*((name, cron) for name, (cron, _) in fleet.items())) if fleet else None
    told = invocations(log, schedules)
    options = {"start": _hour(0), "end": _hour(9)}
    table = ticks(told, schedules, **options)
    assert sorted(told["invoked_at"]) == sorted(table["invoked_at"].dropna())
    planned = table[table["status"].isin(PLANNED)]
    assert not planned.duplicated(["schedule_id", "planned_at"]).any()
    parts = [
        ticks(told[told["schedule_id"] == name], schedules[schedules["schedule_id"] == name], **options)
        for name in sorted(fleet)
    ]
    if parts:
        assert_frame_equal(pd.concat(parts, ignore_index=True), table)


@given(HOURS, st.integers(1, 7))
def test_windows_concatenate(match, hours, cut):
    """Ticks up to a moment and from it on are the ticks of the whole."""
    first, second = match(hours, end=cut), match(hours, end=8)
    assert_frame_equal(second[second["planned_at"] < _hour(cut)], first, check_like=True)


def test_a_guess_that_was_mostly_not_kept_plans_nothing(make_log):
    """Delays in steps of 20 s suggest a cron of seconds that would have missed five ticks of six: no plan is better."""
    moments = [_hour(hour) + pd.Timedelta(seconds=420.3 + 20 * (hour % 7)) for hour in range(300)]
    log = make_log(*(("a", moment.isoformat(), "INFO", "Schedule invoked") for moment in moments))
    status = ticks(invocations(log))["status"]
    assert (status == "missed").sum() <= len(moments) // 2


def test_a_constant_delay_of_an_inferred_cron_is_no_delay(make_log):
    """Where the rhythm is always some seconds late, ticks are planned there, and the delay is what varies."""
    moments = [_hour(hour) + pd.Timedelta(seconds=4 + 0.1 * (hour % 5)) for hour in range(300)]
    log = make_log(*(("a", moment.isoformat(), "INFO", "Schedule invoked") for moment in moments))
    table = ticks(invocations(log))
    assert (table["status"] == "on_time").all()
    assert len(table) == len(moments)
