"""Cron: what is planned, in the local time of a zone, and what two readings plan differently."""

import dataclasses
import importlib.resources
import itertools
import json
import random
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis._core.zones import load_zone
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.expression import MACROS
from schedlog_analysis.errors import CronError

# Our own cases, and all of them where they lie beside the repository.
CASES = [Path(__file__).parent / "data" / "cron", *Path(__file__).parents[2].glob("shared/cron")]
DAY = 86_400_000
ZONES = ("UTC", "Europe/Prague", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "America/St_Johns")


def _lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _next(case):
    """Return as many ticks as the case has [s]."""
    start = pd.Timestamp(case["start"], unit="ms", tz="UTC")
    return Cron(case["expr"], case["tz"]).next(start, len(case["ticks"])).as_unit("s").view("int64").tolist()


def _ms(*args, zone="UTC", fold=0):
    return int(datetime(*args, tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).timestamp() * 1000)


def _local(cron, *day, days=1):
    """Return the local times of a day's ticks as texts, the UTC offset's hours behind."""
    begin = datetime(*day, tzinfo=zoneinfo.ZoneInfo(cron.tz))
    ticks = cron.ticks(begin, datetime(*day, tzinfo=zoneinfo.ZoneInfo(cron.tz)) + timedelta(days=days))
    return [tick.strftime("%H:%M") for tick in ticks.tz_convert(cron.tz)]


# --- given cases ----------------------------------------------------------------------------------------------------


def _is_doubted_where_apart(case, ours):
    """Tell whether each tick that only one side plans is marked as ambiguous."""
    last = min(ours[-1], case["ticks"][-1])
    apart = {tick for tick in set(ours) ^ set(case["ticks"]) if tick <= last}
    planned, is_ambiguous = Cron(case["expr"], case["tz"]).reading_ms(case["start"] + 1, last * 1000 + 1)
    return apart <= set((planned[is_ambiguous] // 1000).tolist())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.parent.name)
def test_conformance_cases(folder):
    """
    Every case is met, but for ticks that are marked as ambiguous.

    Those are Lord Howe's, at whose half-hour changes cron-parser loses ticks or fires them in the second pass.
    """
    apart = [(case, ours) for case in _lines(folder / "cases.jsonl") if (ours := _next(case)) != case["ticks"]]
    assert {case["tz"] for case, _ in apart} <= {"Australia/Lord_Howe"}
    assert [case for case, ours in apart if not _is_doubted_where_apart(case, ours)] == []


def test_what_the_platform_plans():
    """
    The next ticks are those of a cron-parser 5 made anew for every tick, or else of one that goes on.

    The two differ in the hour after a skipped one. Both are readings, and the ticks that only one plans are ambiguous.
    """
    cases = _lines(CASES[0] / "planned.jsonl")
    assert len(cases) > 300
    apart = [(case, ours) for case in cases if (ours := _next(case)) != case["ticks"]]
    assert [case for case, ours in apart if not _is_doubted_where_apart(case, ours)] == []
    zones = {case["tz"] for case, ours in apart if ours != case.get("iterated")}
    assert zones <= {"Australia/Lord_Howe"}
    assert len(apart) <= 4


# --- changes of the clock --------------------------------------------------------------------------------------------

# Expression, ticks of 2025-03-30 (02:00 becomes 03:00) and of 2025-10-26 (03:00 becomes 02:00) in Prague.
MATRIX = [
    ("30 2 * * *", ["03:30"], ["02:30"]),
    ("30 2,3 * * *", ["03:30"], ["02:30", "03:30"]),
    ("*/15 2 * * *", ["03:00", "03:15", "03:30", "03:45"], ["02:00", "02:15", "02:30", "02:45"]),
    ("0 */2 1-30 * *", ["00:00", "03:00", "04:00"], ["00:00", "02:00", "04:00"]),
    ("0 30 2 * * *", ["03:30"], ["02:30"]),
    ("30 1-4 * * *", ["01:30", "03:30", "04:30"], ["01:30", "02:30", "03:30", "04:30"]),
]


@pytest.mark.parametrize(("expression", "spring", "autumn"), MATRIX)
def test_clock_change_matrix(expression, spring, autumn):
    """A skipped and a repeated hour do what cron-parser does."""
    cron = Cron(expression, "Europe/Prague")
    assert [t for t in _local(cron, 2025, 3, 30) if t < "05:00"] == spring
    assert [t for t in _local(cron, 2025, 10, 26) if t < "05:00"] == autumn


@pytest.mark.parametrize("expression", ["*/30 * * * *", "30 * * * *"])
def test_every_hour_is_every_hour_that_there_is(expression):
    """An expression of all hours fires in 23 hours in spring and in 25 in autumn."""
    per_hour = 2 if "/" in expression else 1
    cron = Cron(expression, "Europe/Prague")
    assert len(_local(cron, 2025, 3, 30)) == 23 * per_hour
    assert len(_local(cron, 2025, 10, 26)) == 25 * per_hour


@pytest.mark.parametrize(
    ("tz", "day"), [("Africa/Cairo", (2025, 4, 25)), ("Asia/Beirut", (2025, 3, 30)), ("America/Havana", (2025, 3, 9))]
)
def test_gap_at_midnight(tz, day):
    """Where midnight is skipped, what was due then fires at one; only cron-parser 4 leaves it out."""
    begin = _ms(*day, zone=tz)
    one_o_clock = _ms(*day, 1, zone=tz)
    assert Cron("0 0 * * *", tz).tick_ms(begin, begin + DAY // 2).tolist() == [one_o_clock]
    ticks, is_ambiguous = Cron("0 0 * * *", tz).reading_ms(begin, begin + DAY // 2)
    assert ticks[is_ambiguous].tolist() == [one_o_clock]


def test_a_day_that_never_was():
    """Apia had no 30 December 2011: nothing of that day fires on another."""
    begin = _ms(2011, 12, 29, 12, zone="Pacific/Apia")
    ticks = Cron("30 5 * * *", "Pacific/Apia").tick_ms(begin, begin + 2 * DAY)
    assert ticks.tolist() == [
        _ms(2011, 12, 31, 5, 30, zone="Pacific/Apia"),
        _ms(2012, 1, 1, 5, 30, zone="Pacific/Apia"),
    ]


def test_a_gap_that_ends_at_midnight():
    """Nuuk skips 23:00 to 24:00 of a Saturday: the next day's first hour stands in, if that day matches too."""
    begin = _ms(2025, 3, 29, 12, zone="America/Nuuk")
    sunday = _ms(2025, 3, 30, 0, 30, zone="America/Nuuk")
    assert sunday in Cron("30 23 * * *", "America/Nuuk").tick_ms(begin, begin + DAY // 2)
    assert not len(Cron("30 23 * * 6", "America/Nuuk").tick_ms(begin, begin + DAY // 2))


def test_year_2040_follows_the_rule_of_the_zone():
    """Beyond the last stored change the zone's rule holds."""
    cron = Cron("0 12 * * *", "Europe/Prague")
    assert cron.count("2040-01-01T00:00Z", "2041-01-01T00:00Z") == 366
    assert cron.next("2040-07-01T00:00Z")[0] == pd.Timestamp("2040-07-01T10:00Z")
    assert cron.next("2040-12-01T00:00Z")[0] == pd.Timestamp("2040-12-01T11:00Z")


def test_bugs_of_others():
    """What croniter and cronsim get wrong is right here."""
    hour = ("2025-01-01T00:00Z", "2025-01-01T01:00Z")
    assert Cron("5-5 * * * *").count(*hour) == 1  # croniter 7.0.0: every minute
    assert Cron("51-51/1 * * * *").ticks(*hour).minute.tolist() == [51]  # cronsim 2.8: 51 to 59
    cairo = Cron("* 1 * * *", "Africa/Cairo")  # cronsim 2.8 skips the hour after the midnight gap
    assert _local(cairo, 2025, 4, 25) == [f"01:{minute:02}" for minute in range(60)]


# --- laws ------------------------------------------------------------------------------------------------------------


@st.composite
def _fields(draw, low, high):
    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    step = draw(st.integers(1, 20))
    shapes = ("*", f"*/{step}", str(first), f"{first}-{last}", f"{first}-{last}/{step}", f"{first},{last}")
    return draw(st.sampled_from(shapes))


@st.composite
def _crons(draw, zones=ZONES):
    hours = draw(st.sampled_from(("*", "2", "1-3", "0", "23", "*/2", "0-22")) | _fields(0, 23))
    texts = [
        draw(_fields(0, 59)),
        hours,
        draw(_fields(1, 28)),
        draw(st.just("*") | _fields(1, 12)),
        draw(_fields(0, 6)),
    ]
    if draw(st.booleans()):
        texts.insert(0, draw(st.sampled_from(("0", "30", "*/20", "*/7", "5,9,50"))))
    return Cron(" ".join(texts), draw(st.sampled_from(zones)))


@st.composite
def _moments(draw):
    """Instants, half of them within a day of a change in 2025 [ms]."""
    near = [_ms(2025, *day) for day in ((3, 9), (3, 30), (4, 6), (4, 25), (10, 5), (10, 26), (10, 31), (11, 2))]
    anywhere = st.integers(_ms(2000, 1, 1), _ms(2045, 1, 1))
    return draw(st.sampled_from(near) | anywhere) + draw(st.integers(-DAY, DAY))


@given(_crons(), _moments(), st.tuples(st.integers(0, DAY), st.integers(0, DAY)), st.sampled_from([0, 10_000, 60_000]))
def test_windows_concatenate(cron, begin, lengths, gap):
    """The ticks of two adjoining windows are those of their union, under every reading, and with a least gap."""
    middle, end = begin + lengths[0], begin + sum(lengths)
    parts = [cron.reading_ms(*window, min_gap_ms=gap) for window in ((begin, middle), (middle, end))]
    whole = cron.reading_ms(begin, end, min_gap_ms=gap)
    for one, two, both in zip(*parts, whole, strict=True):
        assert np.array_equal(np.concatenate([one, two]), both)


@given(_crons(), _moments(), st.integers(0, 2 * DAY))
def test_ticks_ascend_within_the_window(cron, begin, length):
    """Ticks are distinct, ascending whole seconds of the half-open window, and are counted as they are listed."""
    ticks = cron.tick_ms(begin, begin + length)
    assert ticks.dtype == np.int64
    assert (np.diff(ticks) > 0).all()
    assert not (ticks % 1000).any()
    assert ((ticks >= begin) & (ticks < begin + length)).all()
    start, end = pd.to_datetime([begin, begin + length], unit="ms", utc=True)
    index = cron.ticks(start, end)
    assert str(index.dtype) == "datetime64[ms, UTC]"
    assert np.array_equal(index.as_unit("ms").view("int64"), ticks)
    assert cron.count(start, end) == len(ticks)


@given(_crons(), _moments(), st.integers(1, 30))
def test_next_and_previous_agree_with_ticks(cron, at, n):
    """`next` and `previous` are the neighbours of an instant among the ticks, which is none of them."""
    moment = pd.Timestamp(at, unit="ms", tz="UTC")
    following, before = cron.next(moment, n), cron.previous(moment, n)
    assert len(following) == n
    if len(before) < n:  # only where 1970 begins
        n = cron.count("1970-01-01T00:00Z", moment)
        assert len(before) == n
    assert following[0] > moment > before[-1]
    assert cron.ticks(before[0], following[-1]).tolist() == [
        *before,
        *cron.ticks(moment, moment + timedelta(milliseconds=1)),
        *following[:-1],
    ]
    assert cron.previous(following[-1] + timedelta(microseconds=1), len(following)).tolist() == following.tolist()
    assert cron.next(before[0] - timedelta(microseconds=1), n).tolist() == before.tolist()


@given(_crons(), _moments())
def test_readings_hold_the_ticks(cron, begin):
    """The readings are a superset of the ticks, and what they add is ambiguous."""
    ticks = cron.tick_ms(begin, begin + 2 * DAY)
    readings, is_ambiguous = cron.reading_ms(begin, begin + 2 * DAY)
    assert (np.diff(readings) > 0).all()
    assert np.isin(ticks, readings).all()
    assert is_ambiguous[~np.isin(readings, ticks)].all()


@given(st.sets(st.integers(0, 59), min_size=1), st.integers(0, 60_000), st.sampled_from(["* 5-6", "1-58 *", "*/2 3"]))
def test_least_gap_is_the_greedy_chain(seconds, gap, times):
    """With a least gap, each tick kept is the first that is far enough from the one kept before."""
    cron = Cron(f"{','.join(map(str, sorted(seconds)))} {times} * * *")
    begin = _ms(2025, 1, 1)
    expected, last = [], -(10**9)
    for tick in cron.tick_ms(begin, begin + DAY // 3).tolist():
        if tick - last >= gap:
            expected.append(tick)
            last = tick
    assert cron.tick_ms(begin, begin + DAY // 3, min_gap_ms=gap).tolist() == expected


def test_least_gap_of_ten_seconds():
    """What is planned every 5 seconds comes every 10; what never comes sooner is left alone."""
    window = ("2025-03-01T00:00Z", "2025-03-01T00:10Z")
    gap = timedelta(seconds=10)
    assert np.unique(np.diff(Cron("*/5 * * * * *").ticks(*window, min_gap=gap).view("int64"))).tolist() == [10_000]
    apart = np.diff(Cron("*/7 * * * * *").ticks(*window, min_gap=gap).view("int64"))
    assert apart.min() >= 10_000
    assert Cron("*/10 * * * * *").count(*window, min_gap=gap) == 60
    assert Cron("* * * * *").count(*window, min_gap=gap) == 10


# --- the wall clock, once more ---------------------------------------------------------------------------------------


def _judge():
    path = Path(__file__).parents[1] / "benchmarks" / "cron.py"
    spec = importlib.util.spec_from_file_location("cron_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Judge


@pytest.mark.parametrize(
    "tz", ["Europe/Prague", "Africa/Cairo", "Australia/Lord_Howe", "America/St_Johns", "Antarctica/Troll"]
)
def test_ticks_are_what_the_wall_clock_shows(tz):
    """Around clock changes the ticks are those that a slow walk along the zone's wall clock finds."""
    judge, rng = _judge(), random.Random(tz)
    year = 2008 if tz == "America/St_Johns" else 2025
    changes = [at for at in load_zone(tz).changes if _ms(year, 1, 1) <= at * 1000 < _ms(year + 1, 1, 1)]
    hours = ("*", "*/2", "0", "1", "2", "3", "1,2", "2-3", "23", "0-22", "22,0")
    minutes = ("*", "*/20", "0", "30", "59", "10-40/15")
    days = ("* * *", "* * 0", "1-31 * 6", "26-30 * *", "*/2 * */3")
    cases = rng.sample(list(itertools.product(minutes, hours, days)), 20)
    for at, (minute, hour, day) in itertools.product(changes, cases):
        begin, end = (at - 26 * 3600) * 1000, (at + 26 * 3600) * 1000
        expression = f"{minute} {hour} {day}"
        found = judge(expression, tz).ticks(begin, end)
        assert Cron(expression, tz).tick_ms(begin, end).tolist() == found, (expression, at)


# --- the value -------------------------------------------------------------------------------------------------------


def test_a_cron_is_a_value():
    """Equal parts make equal crons, whatever the spaces between fields; none can be changed."""
    cron = Cron(" 0  9 * *\t1-5", "Europe/Prague")
    assert cron == Cron("0 9 * * 1-5", "Europe/Prague")
    assert len({cron, Cron("0 9 * * 1-5", "Europe/Prague"), Cron("0 9 * * 1-5")}) == 2
    assert repr(cron) == "Cron('0 9 * * 1-5', tz='Europe/Prague')"
    with pytest.raises(dataclasses.FrozenInstanceError):
        cron.tz = "UTC"
    shifted = dataclasses.replace(cron, offset=timedelta(minutes=3))
    assert eval(repr(shifted), {"Cron": Cron, "datetime": __import__("datetime")}) == shifted


@pytest.mark.parametrize("macro", ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"])
def test_macros(macro):
    """A macro plans what its documented expression plans, and tells how far off Apify may fire it."""
    cron = Cron(macro, "America/New_York")
    window = ("2024-01-01T00:00Z", "2026-01-01T00:00Z")
    assert cron.is_macro
    assert timedelta(0) < cron.min_offset < cron.max_offset <= timedelta(days=1)
    plain = Cron(MACROS[macro], "America/New_York")
    assert cron.ticks(*window).equals(plain.ticks(*window))
    assert not plain.is_macro
    assert plain.min_offset == plain.max_offset == timedelta(0)


@given(_crons(), _moments(), st.integers(-DAY, DAY))
def test_an_offset_moves_every_tick(cron, begin, offset):
    """With an offset the ticks are the same, later by it, wherever the window is cut."""
    moved = dataclasses.replace(cron, offset=timedelta(milliseconds=offset))
    expected = cron.tick_ms(begin - offset, begin + DAY - offset) + offset
    assert np.array_equal(moved.tick_ms(begin, begin + DAY), expected)


def test_no_ticks():
    """A window without ticks, and one without length, give the same type as any other."""
    cron = Cron("0 0 29 2 *")
    for end in ("2025-12-31T00:00Z", "2025-01-01T00:00Z"):
        empty = cron.ticks("2025-01-01T00:00Z", end)
        assert len(empty) == 0
        assert str(empty.dtype) == "datetime64[ms, UTC]"
    readings = cron.readings("2025-01-01T00:00Z", "2025-01-01T00:00Z")
    assert readings.dtypes.astype(str).to_dict() == {"planned_at": "datetime64[ms, UTC]", "is_ambiguous": "bool"}
    assert len(cron.tick_ms(5, 4)) == 0


def test_readings_of_versions():
    """Day fields that cron-parser 4 and 5 read apart are ambiguous where they differ, and only there."""
    readings = Cron("0 0 1-31 * 1").readings("2025-01-06T00:00Z", "2025-01-13T00:00Z")
    assert readings["is_ambiguous"].tolist() == [False, *[True] * 6]
    readings = Cron("0 0 * * 1-7/4").readings("2025-01-06T00:00Z", "2025-01-13T00:00Z")  # 4 adds Sunday
    assert readings["planned_at"].dt.day_of_week.tolist() == [0, 4, 6]
    assert readings["is_ambiguous"].tolist() == [False, False, True]
    assert not Cron("0 0 1-30 * 1").readings("2025-01-01T00:00Z", "2025-02-01T00:00Z")["is_ambiguous"].any()


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0,0 * * *", [24, 26]),
        ("0 0 24,25,24-26 * *", [24, 26]),
        ("0 1 1-31,5 4 5", [25]),
        ("0 1 * * 5,1-7/2,7", [25]),
    ],
)
def test_a_value_twice(expression, days):
    """
    What names a value twice, which cron-parser 5 refuses, is planned as its version 4 plans it, without a doubt.

    That one leaves out what a gap at midnight skips (Cairo, 2025-04-25), counts values to tell a wildcard, and adds
    Sunday to a range that ends on it.
    """
    window = [_ms(2025, 4, day, zone="Africa/Cairo") for day in (24, 27)]
    ticks, is_ambiguous = Cron(expression, "Africa/Cairo").reading_ms(*window)
    assert pd.to_datetime(ticks, unit="ms", utc=True).tz_convert("Africa/Cairo").day.tolist() == days
    assert not is_ambiguous.any()
    assert Cron(expression, "Africa/Cairo").tick_ms(*window).tolist() == ticks.tolist()


def test_readings_in_a_gap():
    """A parser made anew after each tick knows the gap only once."""
    day = (_ms(2025, 3, 30), _ms(2025, 3, 30, 12))
    _, is_ambiguous = Cron("*/15 2 * * *", "Europe/Prague").reading_ms(*day)
    assert is_ambiguous.tolist() == [False, True, True, True]
    assert not Cron("30 2 * * *", "Europe/Prague").reading_ms(*day)[1].any()


def test_horizon():
    """Where the calendar of the package begins and ends there are fewer ticks than asked for, not wrong ones."""
    cron = Cron("0 0 1 1 *")
    assert cron.previous("1970-06-01T00:00Z", 5).year.tolist() == [1970]
    assert cron.next("2197-06-01T00:00Z", 5).year.tolist() == [2198, 2199]
    assert len(cron.next("2199-06-01T00:00Z")) == 0
    assert Cron("0 0 29 2 *").next("2096-03-01T00:00Z", 2).year.tolist() == [2104, 2108]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.ticks("2025-01-01", "2025-02-01T00:00Z"), "`start` is '2025-01-01', without a UTC offset"),
        (lambda c: c.ticks("2025-01-01T00:00Z", datetime(2025, 2, 1)), "`end` is .* without a UTC offset"),  # noqa: DTZ001
        (lambda c: c.next("tomorrow-ish"), "`after` is 'tomorrow-ish'; give an instant"),
        (lambda c: c.next(None), "`after` is None, without a UTC offset"),
        (lambda c: c.previous("1969-12-31T23:59Z"), "`before` is .*; give an instant from 1970 to 2199"),
        (lambda c: c.next("9999-12-31T23:59Z"), "give an instant from 1970"),
        (
            lambda c: c.ticks(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)),
            "give an instant from 1970",
        ),
        (lambda c: c.ticks("2025-02-01T00:00Z", "2025-01-01T00:00Z"), "before it starts"),
        (lambda c: c.ticks("1970-01-01T00:00Z", "2199-01-01T00:00Z"), "more than the 33,554,432 allowed"),
        (lambda c: c.count("1970-01-01T00:00Z", "2199-01-01T00:00Z"), "more than the 33,554,432 allowed"),
        (
            lambda c: c.count("2000-01-01T00:00Z", "2030-01-01T00:00Z", min_gap=timedelta(seconds=10)),
            "more than the 33,554,432 allowed",
        ),
        (lambda c: c.next("2025-01-01T00:00Z", 0), "`n` is 0; give a whole number"),
        (lambda c: c.next("2025-01-01T00:00Z", 10**12), "give a whole number from 1 to 33,554,432"),
        (lambda c: c.next("2025-01-01T00:00Z", 1.5), "`n` is 1.5"),
        (lambda c: c.ticks("2025-01-01T00:00Z", "2025-01-02T00:00Z", min_gap=timedelta(hours=1)), "0 to 60,000"),
        (lambda c: c.ticks("2025-01-01T00:00Z", "2025-01-02T00:00Z", min_gap=timedelta(-1)), "0 to 60,000"),
        (lambda c: c.ticks("2025-01-01T00:00Z", "2025-01-02T00:00Z", min_gap=10), "`min_gap` is 10"),
        (lambda _: Cron("* * * * *", None), "The time zone is None"),
        (lambda _: Cron("* * * * *", offset=5), "The offset is 5"),
        (lambda _: Cron("* * * * *", offset=pd.NaT), "The offset is NaT"),
        (lambda _: Cron("* * * * *", offset=timedelta(days=2)), "at most a day"),
    ],
)
def test_wrong_use(call, message):
    """What makes no sense is refused in one sentence that says what would do."""
    with pytest.raises(CronError, match=message) as caught:
        call(Cron("* * * * * *"))
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


def test_instants_of_every_kind():
    """Timestamps, datetimes and texts with an offset mean the same instant; parts of a millisecond count."""
    cron = Cron("0 * * * *")
    prague = datetime(2025, 1, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Prague"))
    for instant in (prague, "2025-01-01T12:00+01:00", pd.Timestamp(prague), pd.Timestamp("2025-01-01T11:00Z")):
        assert cron.next(instant)[0] == pd.Timestamp("2025-01-01T12:00Z")
    tick = pd.Timestamp("2025-01-01T12:00Z")
    just_after = tick + pd.Timedelta(1, "ns")
    assert cron.next(tick - pd.Timedelta(1, "ns"))[0] == tick
    assert cron.previous(just_after)[0] == tick
    assert cron.previous(tick)[0] == tick - pd.Timedelta(hours=1)
    assert cron.count(tick, just_after) == 1
    assert cron.count(just_after, just_after + pd.Timedelta(minutes=1)) == 0
