"""Ticks: every planned moment and every invocation once, with what the log can and cannot say of it."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from schedlog_analysis import Cron, coverage, holes, invocations, ticks
from schedlog_analysis.errors import CronError, InputError
from schedlog_analysis.matching.definitions import switched_off
from schedlog_analysis.matching.seen_until import broken_clocks, seen_until
from schedlog_analysis.schema import PLANNED, Fetches, Holes, Invocations, JudgedTicks, Log


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


def test_nothing_is_due_while_a_schedule_is_switched_off(match):
    """What ran after all was not switched off yet; from then on no tick is planned, so none is missed or unknown."""
    hours = [hour for hour in range(12) if hour != 5]
    statuses = ["on_time"] * 5 + ["missed"] + ["on_time"] * 6
    assert _statuses(match(hours, end=15, more={"is_enabled": False})) == statuses


def test_a_pause_known_to_the_minute_is_no_hole(make_log, make_schedules):
    """Between the version that switched it off and the one that switched it on again nothing was due."""
    off, on = (
        {"modified_at": _hour(2.2).isoformat(), "is_enabled": False},
        {"modified_at": _hour(5.2).isoformat()},
    )
    schedules = make_schedules(("a", "0 * * * *"), ("a", "0 * * * *", off), ("a", "0 * * * *", on))
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (0, 1, 6, 7)))
    table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(8))
    assert _statuses(table) == ["on_time", "on_time", "missed", "on_time", "on_time"]
    (row,) = switched_off(schedules).to_dict("records")
    assert (row["started_at"], row["ended_at"]) == (_hour(2.2), _hour(5.2))


def test_a_pause_before_the_first_version_that_was_kept_is_unknown(make_log, make_schedules):
    """Who began to keep versions during a pause does not know when it began: up to then silence is no miss."""
    paused = {"is_enabled": False, "modified_at": _hour(2.5).isoformat()}
    schedules = make_schedules(("a", "0 * * * *", paused), ("a", "0 * * * *", {"modified_at": _hour(5.5).isoformat()}))
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (0, 1, 6)))
    table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(8))
    assert _statuses(table) == ["on_time", "on_time", "unknown", "on_time", "missed"]


def test_a_click_does_not_end_a_pause(make_log, make_schedules):
    """A paused schedule that somebody clicks is still paused."""
    schedules = make_schedules(("a", "0 * * * *", {"is_enabled": False}))
    log = make_log(
        ("a", _hour(0).isoformat(), "INFO", "Schedule invoked"),
        ("a", _hour(2.5).isoformat(), "INFO", "Schedule invoked manually"),
    )
    table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(4))
    assert _statuses(table) == ["on_time", "manual"]


@pytest.mark.parametrize(("cron", "first", "every"), [("*/10", 0, 20), ("*/5", 0, 15), ("*/5", 5, 10), ("*", 7, 11)])
def test_ten_seconds_count_from_the_actual_start(make_log, make_schedules, cron, first, every):
    """A tick sooner than ten seconds after a start is not due, whatever the seconds since the epoch."""
    begin = pd.Timestamp("2026-01-01T00:00:00.3Z") + pd.Timedelta(seconds=first)
    created = {"created_at": (begin - pd.Timedelta("1s")).isoformat()}
    schedules = make_schedules(("a", f"{cron} * * * * *", created))
    log = make_log(
        *(
            ("a", instant.isoformat(), "INFO", "Schedule invoked")
            for instant in pd.date_range(begin, periods=250, freq=f"{every}s")
        )
    )
    table = ticks(invocations(log, schedules), schedules)
    assert _statuses(table) == ["on_time"] * 250
    assert (table["delay"] == pd.Timedelta("300ms")).all()


def test_an_outage_of_a_cron_of_seconds_counts_what_was_due(make_log, make_schedules):
    """Of `*/10`, which fires every 20 s, a silent stretch misses a tick every 20 s, but for a last minute.

    In that minute lie the ticks that the start at its end may have been for.
    """
    schedules = make_schedules(("a", "*/10 * * * * *", {"created_at": "2026-01-01T00:00:00Z"}))
    seconds = [second for second in range(0, 600, 20) if not 300 <= second < 480]
    log = make_log(*(("a", _hour((s + 0.3) / 3600).isoformat(), "INFO", "Schedule invoked") for s in seconds))
    table = ticks(invocations(log, schedules), schedules)
    missed = table.loc[table["status"] == "missed", "planned_at"]
    assert ((missed - _hour(0)).dt.total_seconds()).tolist() == [300, 320, 340, 360, 380, 400, 420]
    assert (table["status"] == "on_time").sum() == len(seconds)


def test_a_start_so_late_that_the_next_tick_was_not_due(make_log, make_schedules):
    """A start 59.6 s late answers its own minute; the next minute begins less than 10 s after it and is not due."""
    schedules = make_schedules(("a", "* * * * *"))
    seconds = [0.3, 60.3, 120 + 59.6, 240.3, 300.3]
    log = make_log(*(("a", _hour(second / 3600).isoformat(), "INFO", "Schedule invoked") for second in seconds))
    table = ticks(invocations(log, schedules), schedules)
    assert _statuses(table) == ["on_time", "on_time", "late", "on_time", "on_time"]
    assert table["delay"].dt.total_seconds().tolist() == pytest.approx([0.3, 0.3, 59.6, 0.3, 0.3], abs=0.002)


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
    """A changed cron plans hourly before and half-hourly after; a paused version plans nothing."""
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (0, 1, 2, 2.5, 3)))
    versions = make_schedules(
        ("a", "0 * * * *"),
        ("a", "*/30 * * * *", {"modified_at": _hour(1.9).isoformat()}),
        ("a", "*/30 * * * *", {"modified_at": _hour(3.2).isoformat(), "is_enabled": False}),
    )
    table = ticks(invocations(log, versions), versions, start=_hour(0), end=_hour(4.2))
    assert (table["planned_at"] - _hour(0)).dt.total_seconds().div(3600).tolist() == [0, 1, 2, 2.5, 3]
    assert _statuses(table) == ["on_time"] * 5


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


# What is known until when ---------------------------------------------------------------------------------------------


def _hourly(make_log, *hours, schedule_id="a"):
    return make_log(*((schedule_id, _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in hours))


def test_a_tick_that_last_run_names_is_not_missed(make_log, make_schedules):
    """The log was read before that run: what came after its last entry is unknown; with a date only that tick is."""
    times = {"last_run_at": _hour(4.0001).isoformat(), "next_run_at": _hour(5).isoformat()}
    schedules, log = make_schedules(("a", "0 * * * *", times)), _hourly(make_log, 0.0001, 1.0001)
    told = invocations(log, schedules)
    table = ticks(told, schedules)
    assert _statuses(table) == ["on_time", "on_time", "unknown", "unknown", "unknown"]
    assert set(table["reason"][2:]) == {"not read"}
    dated = ticks(told, schedules, seen_until={"a": _hour(4.5)})
    assert _statuses(dated) == ["on_time", "on_time", "missed", "missed", "unknown"]


def test_unknown_ticks_say_why(make_log, make_schedules):
    """Each way of not knowing has its reason, and what is known has none of them."""
    times = {"modified_at": _hour(4.5).isoformat()}
    schedules = make_schedules(("a", "0 * * * *", times))
    spots = pd.DataFrame(
        {"schedule_id": "a", "started_at": [None, _hour(6.5), _hour(9.5)], "ended_at": [_hour(0.5), _hour(7.5), None]}
    )
    log = _hourly(make_log, 1, 2, 3, 5, 6, 8, 9)
    table = ticks(invocations(log, schedules), schedules, start=_hour(0), end=_hour(11), holes=Holes.cast(spots))
    unknown = table[table["status"] == "unknown"].set_index("planned_at")["reason"].astype("str")
    assert unknown.to_dict() == {
        _hour(0): "truncated",
        _hour(4): "before the first definition",
        _hour(7): "hole",
        _hour(10): "after the last look",
    }
    assert set(table.loc[table["status"] != "unknown", "reason"]) == {"started"}


def test_a_tick_that_a_run_names_is_not_missed(match, ran):
    """A run is proof of a start, also where the log lacks its entries."""
    assert _statuses(match([0, 2], end=3, runs=ran((1, 1.001)))) == ["on_time", "unknown", "on_time"]


def test_a_queue_that_drains_late_missed_nothing_that_ran(match, ran):
    """Three ticks start within a second, three hours late: the runs say which was for which."""
    hours = [0, 3.5, 3.50005, 3.5001]
    runs = ran((1, 3.5001), (2, 3.50015), (3, 3.5002))
    assert _statuses(match(hours, end=4)) == ["on_time", "missed", "missed", "late", "duplicate", "duplicate"]
    assert _statuses(match(hours, end=4, runs=runs)) == ["on_time", "late", "late", "late"]


def test_a_start_just_before_its_tick_stays_in_the_table(make_log, make_schedules):
    """The last entry may come 10 ms before its tick; its tick is still part of the default window."""
    schedules = make_schedules(("a", "0 * * * *"))
    table = ticks(invocations(_hourly(make_log, 0, 1, 2 - 1 / 360_000), schedules), schedules)
    assert _statuses(table) == ["on_time"] * 3


def test_a_broken_clock_is_not_believed(make_log, make_schedules):
    """One entry of 2035 is extra, plans nothing, and is told."""
    schedules = make_schedules(("a", "0 * * * *"))
    log = pd.concat([_hourly(make_log, *range(60)), make_log(("a", "2035-01-01T00:00Z", "INFO", "Schedule invoked"))])
    for options in ({}, {"seen_until": seen_until(log, schedules)}):
        table = ticks(invocations(log, schedules), schedules, **options)
        assert table["status"].value_counts()[["on_time", "extra", "missed"]].tolist() == [60, 1, 0]
        assert table.loc[table["status"] == "extra", "is_ambiguous"].all()
    assert broken_clocks(log, schedules).tolist() == [False] * 60 + [True]


def test_a_schedule_that_slept_for_years_is_believed(make_log, make_schedules):
    """Entries long after the others are believed where they are many, or the definition was saved after them."""
    log = pd.concat([_hourly(make_log, 0, 1, 2), _hourly(make_log, *range(20_000, 20_010))])
    assert not broken_clocks(log).any()
    woken = make_schedules(("a", "0 * * * *", {"modified_at": _hour(19_999).isoformat()}))
    assert not broken_clocks(log.iloc[:4], woken).any()


def test_seen_until_is_the_newest_fetch_else_the_last_sign_of_life(make_log, make_schedules):
    """A sign of life of one schedule shows that another was silent, but not beyond its own next run."""
    log = pd.concat([_hourly(make_log, 0, 1), _hourly(make_log, 9, schedule_id="b")])
    schedules = make_schedules(
        ("a", "0 * * * *"), ("b", "0 * * * *"), ("c", "0 * * * *", {"next_run_at": _hour(5).isoformat()})
    )
    assert seen_until(log, schedules).to_dict() == {"a": _hour(9), "b": _hour(9), "c": _hour(5)}
    fetches = Fetches.cast(
        pd.DataFrame({"schedule_id": ["a"], "fetched_at": [_hour(3)], "n_entries": 2, "first_at": [_hour(0)]}).assign(
            last_at=_hour(1), is_truncated=False
        )
    )
    assert seen_until(log, schedules, fetches)["a"] == _hour(3)
    table = ticks(invocations(log, schedules), schedules, seen_until=seen_until(log, schedules))
    assert table[table["schedule_id"] == "a"]["status"].value_counts()[["on_time", "missed", "unknown"]].tolist() == [
        2,
        7,
        0,
    ]


def test_the_earliest_next_run_is_a_sign_of_life(make_log, make_schedules):
    """Where every schedule tells its next run, what was due before the earliest of them was due when they were read."""
    log = _hourly(make_log, 0, 1)
    times = {"a": 9.5, "b": 12}
    schedules = make_schedules(
        *((key, "0 * * * *", {"next_run_at": _hour(hour).isoformat()}) for key, hour in times.items())
    )
    assert seen_until(log, schedules).to_dict() == {"a": _hour(9.5), "b": _hour(9.5)}


def test_an_entry_after_the_fetch_that_brought_it_is_broken(make_log):
    """It is not believed, however little later it is."""
    log = _hourly(make_log, 0, 1, 2)
    fetches = Fetches.cast(
        pd.DataFrame({"schedule_id": ["a"], "fetched_at": [_hour(1.5)], "n_entries": 3, "first_at": [_hour(0)]}).assign(
            last_at=_hour(2), is_truncated=False
        )
    )
    assert broken_clocks(log, fetches=fetches).tolist() == [False, False, True]


def test_the_end_of_the_window_is_not_the_end_of_the_log(match):
    """A miss in the last minute of the window is one where the log goes on."""
    assert _statuses(match([0, 1, 3], end=2 + 30 / 3600)) == ["on_time", "on_time", "missed"]


def test_a_late_answer_may_lie_in_a_hole(match):
    """A tick whose answer may have come in a hole, late, is unknown."""
    spot = pd.DataFrame({"schedule_id": ["a"], "started_at": [_hour(1.5)], "ended_at": [_hour(1.9)]})
    assert _statuses(match([0, 2], end=3, holes=Holes.cast(spot))) == ["on_time", "unknown", "on_time"]


def test_a_window_that_begins_with_a_click_shows_the_misses_after_it(make_log, make_schedules):
    """The click is the first entry of a full window: what was due after it and did not come is missed."""
    rows = [("a", _hour(99.5).isoformat(), "INFO", "Schedule invoked manually")]
    rows += [("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in range(103, 103 + 999)]
    schedules = make_schedules(("a", "0 * * * *"))
    table = ticks(invocations(make_log(*rows), schedules), schedules)
    assert _statuses(table)[:5] == ["missed", "missed", "missed", "on_time", "on_time"]


def test_the_oldest_tick_of_a_full_window_is_doubtful(make_log, make_schedules):
    """Its errors may have been cut off, so that it only seems to be ok."""
    schedules = make_schedules(("a", "0 * * * *"))
    table = ticks(invocations(_hourly(make_log, *range(100, 1100)), schedules), schedules)
    assert table["is_ambiguous"].tolist() == [True] + [False] * 999


def test_who_knows_only_the_cron_can_give_it(make_log):
    """`cron` and `tz` stand in for a definition, and are read as one."""
    log = _hourly(make_log, 8.0001, 32.0001, 80.0001)
    table = ticks(invocations(log), cron="0 9 * * *", tz="Europe/Prague")
    assert _statuses(table) == ["on_time", "on_time", "missed", "on_time"]
    with pytest.raises(CronError, match="61"):
        ticks(invocations(log), cron="61 * * * *")


# Before the first definition ------------------------------------------------------------------------------------------


def _changed(make_log, make_schedules, before, after, edit, end, **options):
    """Ticks of a schedule of which only the newest definition is known, all of whose ticks were answered."""
    instants = Cron(before).ticks(_hour(0), _hour(edit)).append(Cron(after).ticks(_hour(edit), _hour(end)))
    log = make_log(*(("a", (at + pd.Timedelta("300ms")).isoformat(), "INFO", "Schedule invoked") for at in instants))
    schedules = make_schedules(("a", after, {"modified_at": _hour(edit).isoformat()}))
    return len(instants), ticks(invocations(log, schedules), schedules, **options)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0 * * * *", "*/30 * * * *"),
        ("*/15 * * * *", "0 * * * *"),
        ("0 9 * * *", "0 10 * * *"),
        ("0 9 * * *", "*/20 * * * *"),
        ("*/20 9-17 * * 1-5", "*/20 * * * *"),
        ("17 * * * *", "17 * * * *"),
    ],
)
def test_a_definition_does_not_hold_before_it_was_saved(make_log, make_schedules, before, after):
    """What the log itself shows holds before: every start answers a tick, none is late or twice, none is missed."""
    n, table = _changed(make_log, make_schedules, before, after, 24 * 24 + 7.2, 24 * 40)
    counts = table["status"].value_counts()
    assert counts[["missed", "late", "duplicate", "extra"]].tolist() == [0, 0, 0, 0]
    assert counts["on_time"] == n
    assert counts["unknown"] <= 2


def test_what_explains_nothing_is_unknown(make_log, make_schedules):
    """Starts without any rhythm before the definition was saved: no tick of that time is missed, and none late."""
    hours = [1.1, 2.73, 9.4, 11.9, 12.2, 30.6, 31.17, 47.77]
    schedules = make_schedules(("a", "0 * * * *", {"modified_at": _hour(48.5).isoformat()}))
    log = _hourly(make_log, *hours, 49, 50, 52)
    table = ticks(invocations(log, schedules), schedules, end=_hour(53))
    early = table["planned_at"].fillna(table["invoked_at"]) < _hour(48.5)
    assert set(table.loc[early, "status"]) == {"unknown", "extra"}
    assert _statuses(table[~early]) == ["on_time", "on_time", "missed", "on_time"]


def test_silence_inside_what_the_log_shows_is_missed(make_log, make_schedules):
    """Before the edit the same cron explains the starts: silence is missed, but not that up to the edit."""
    hours = [hour for hour in range(40) if not 10 <= hour < 22]
    schedules = make_schedules(("a", "0 * * * *", {"modified_at": _hour(45.5).isoformat()}))
    table = ticks(invocations(_hourly(make_log, *hours, 46, 47), schedules), schedules)
    counts = table["status"].value_counts()
    assert counts[["on_time", "missed", "unknown"]].tolist() == [30, 12, 6]


def test_silence_that_ends_with_an_edit_of_a_known_version_is_missed(make_log, make_schedules):
    """Where the version before the edit is known to have been switched on, its silent ticks are missed."""
    schedules = make_schedules(("a", "0 * * * *"), ("a", "0 * * * *", {"modified_at": _hour(15.5).isoformat()}))
    table = ticks(invocations(_hourly(make_log, 0, 1, 2, 3, 16, 17), schedules), schedules)
    assert table["status"].value_counts()[["on_time", "missed", "unknown"]].tolist() == [6, 12, 0]


def test_a_changed_cron_is_not_inferred_as_both(make_log):
    """Without any definition, daily at nine and later at ten is two crons one after the other, not one of both."""
    instants = [_hour(24 * day + (9 if day < 15 else 10)) for day in range(31)]
    log = make_log(*(("a", instant.isoformat(), "INFO", "Schedule invoked") for instant in instants))
    table = ticks(invocations(log))
    assert set(table["status"]) == {"on_time"}
    assert len(table) == 31


def test_fired_twice_is_a_duplicate(make_log, make_schedules):
    """Two lines 0.4 s apart are two invocations, and the second answers nothing."""
    schedules = make_schedules(("a", "0 * * * *"))
    hours = [hour + second / 3600 for hour in range(6) for second in (0.3, 0.7)]
    assert (
        _statuses(ticks(invocations(_hourly(make_log, *hours), schedules), schedules)) == ["on_time", "duplicate"] * 6
    )
