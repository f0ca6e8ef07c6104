"""Options: one declaration, checked in one place, that comes back from every way of writing it."""

import inspect
import tomllib
from dataclasses import fields
from datetime import timedelta
from typing import get_type_hints

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis import AccountingPolicy, Maintenance, Period, Report
from schedlog_analysis.account.options import Changes, Options, takes_options
from schedlog_analysis.account.settings import SETTINGS
from schedlog_analysis.errors import InputError

ZONES = st.sampled_from(["UTC", "Europe/Prague", "America/New_York"])
VERDICTS = st.sampled_from(["up", "down", "left_out"])
COUNTED = st.sampled_from(["outcome", "left_out"])
PERIODS = st.sampled_from(["all", "last-month", "2026", "2026-Q4", "2026-10", "2026-W43", "2026-10-01..2026-10-09"])
DURATIONS = st.sampled_from(["0s", "1s", "90s", "5min", "2h", "1d"])
WINDOWS = st.one_of(
    st.builds(Maintenance, start=st.just("2026-10-03T22:00Z"), end=st.just("2026-10-04T02:00+01:00")),
    st.builds(Maintenance, cron=st.sampled_from(["0 2 * * SUN", "@daily"]), duration=st.just("2h"), tz=ZONES),
)
TEXTS = st.text(min_size=1, max_size=12).filter(str.strip)
POLICIES = st.builds(
    AccountingPolicy, partial=VERDICTS, missed=VERDICTS, late=VERDICTS, skipped=VERDICTS, duplicate=COUNTED,
    extra=COUNTED, manual=COUNTED, open_after=st.integers(1, 9), open_for=DURATIONS, close_after=st.integers(1, 9),
    maintenance=st.lists(WINDOWS, max_size=3).map(tuple),
)  # fmt: skip
OPTIONS = st.builds(
    Options, period=PERIODS, previous=st.none() | PERIODS, tz=ZONES, policy=POLICIES, grace=DURATIONS,
    objective=st.none() | st.integers(1_000_000, 99_999_999).map(lambda n: n / 100_000_000), tolerance=DURATIONS,
    schedule_ids=st.lists(TEXTS, max_size=3).map(tuple), title=TEXTS, pages=st.integers(0, 50),
    now=st.none() | st.just("2026-11-01T00:00Z"),
)  # fmt: skip


@given(OPTIONS)
def test_options_come_back_from_what_is_written_of_them(options):
    """A mapping of text, numbers, lists and tables holds all that there is to say."""
    assert Options.from_mapping(options.to_mapping()) == options


@given(OPTIONS)
def test_options_come_back_from_toml(options):
    """Each setting, written as TOML writes it, is read back by TOML's own reader."""
    lines = [
        f"{name} = {SETTINGS[name].show(value)}" for name, value in options.to_mapping().items() if value is not None
    ]
    assert Options.from_mapping(tomllib.loads("\n".join(lines))) == options


def test_every_option_is_declared_with_its_meaning():
    """Each has a setting, with a sentence of help, whose default is that in Python."""
    assert Options().to_mapping() == {name: setting.default for name, setting in SETTINGS.items()}
    assert Options.from_mapping({}) == Options.from_mapping(dict.fromkeys(SETTINGS)) == Options()
    assert all(setting.meaning.endswith(".") for setting in SETTINGS.values())
    for option in fields(Options):
        assert f"\n    {option.name}\n        " in Options.__doc__


def test_keywords_are_the_options():
    """What type checkers see of `**changes`, and what `help` shows, are the fields."""

    def build(log, **changes):
        return log, changes

    names = [option.name for option in fields(Options)]
    assert list(get_type_hints(Changes)) == names
    signature = inspect.signature(takes_options(build))
    assert list(signature.parameters) == ["log", *names]
    assert signature.parameters["grace"].default == "60s"


def test_changes_are_checked_and_leave_the_rest():
    """Options are frozen: a change gives new ones; a name that is none is Python's own error."""
    options = Options(tz="Europe/Prague")
    assert Options.of(options, {"objective": 0.9}) == Options(tz="Europe/Prague", objective=0.9)
    assert Options.of(None, {"policy": None, "schedule_ids": None}) == Options()
    with pytest.raises(TypeError, match="colour"):
        Options.of(options, {"colour": "red"})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"period": "yesterday-ish"}, "no period 'yesterday-ish'"),
        ({"period": 3}, "`period` is 3; expected a text"),
        ({"period": "2026-11-01..2026-10-01"}, "does not end after it starts"),
        ({"previous": "then"}, "no period 'then'"),
        ({"tz": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"tz": None}, "`tz` is None; expected a text"),
        ({"policy": "strict"}, "`policy` is 'strict'; expected an AccountingPolicy"),
        ({"objective": 99.5}, "did you mean 0.995?"),
        ({"objective": float("nan")}, "objective is nan"),
        ({"grace": "soon"}, "`grace` is 'soon'; expected a duration"),
        ({"grace": 60}, "`grace` is 60; expected a duration"),
        ({"tolerance": "-1s"}, "`tolerance` is '-1s'; expected a duration from 0"),
        ({"schedule_ids": [3]}, "`schedule_ids` is .3.; expected a list of schedules"),
        ({"title": ""}, "`title` is ''; expected a text"),
        ({"pages": -1}, "`pages` is -1; expected a whole number from 0"),
        ({"now": "2026-11-01T00:00"}, "`now` is '2026-11-01T00:00'; expected an instant with an offset"),
    ],
)
def test_a_wrong_option_is_one_sentence(changes, sentence):
    """What came and what was expected, by the name it has in Python."""
    with pytest.raises(InputError, match=sentence) as caught:
        Options(**changes)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"colour": "red"}, "no option 'colour'; expected one of period"),
        ({"slo": 0.995}, r"`slo` is 0.995; expected percent, such as 99.5; did you mean 99.5"),
        ({"slo": 995}, "`slo` is 995; expected percent"),
        ({"slo": True}, "`slo` is True; expected a number"),
        ({"slo": float("nan")}, "`slo` is nan; expected percent"),
        ({"period": 3}, "`period` is 3; expected a text"),
        ({"schedule": "a"}, "`schedule` is 'a'; expected a list of texts"),
        ({"maintenance": ["sometimes"]}, "'sometimes' cannot be read"),
        ({"maintenance": [3]}, "expected a list of texts"),
        ({"accounting": {"weather": "up"}}, "`accounting.weather` is no rule"),
        ({"accounting": {"partial": "maybe"}}, "'maybe'; expected one of up, down, left"),
        ({"accounting": {"open_after": "many"}}, "`accounting.open_after` is 'many'; expected a whole number"),
        ({"accounting": {"partial": 1.5}}, "expected a table"),
    ],
)
def test_a_wrong_setting_is_one_sentence(mapping, sentence):
    """What came and what was expected, by the name it has for people."""
    with pytest.raises(InputError, match=sentence):
        Options.from_mapping(mapping)


def test_objects_become_text():
    """A period, a duration and an instant of Python's own types are written so that the same is analysed."""
    start, end = pd.Timestamp("2026-10-01T00:00Z"), pd.Timestamp("2026-10-08T00:00Z")
    window = Maintenance(start=start, end=end)
    again = Maintenance(cron="0 2 * * *", duration=timedelta(hours=2))
    options = Options(
        period=Period(start, end),
        grace=timedelta(minutes=2),
        now=end,
        policy=AccountingPolicy(maintenance=(window, again)),
    )
    written = options.to_mapping()
    assert written["period"] == "2026-10-01T00:00:00+00:00..2026-10-08T00:00:00+00:00"
    assert (written["grace"], written["now"]) == ("120000ms", "2026-10-08T00:00:00+00:00")
    assert written["maintenance"] == [written["period"], "0 2 * * * for 7200000ms"]
    assert Options.from_mapping(written).to_mapping() == written


def test_title_and_pages_reach_the_report(sample):
    """They are options like all others, and the clock that was looked at is handed on."""
    options = Options(title="Night shift\n", pages=1, period="2026-10", now="2026-11-01T06:30Z")
    report = Report.build(sample.log, sample.schedules, options=options)
    assert (report.facts["title"], len(report.facts["pages"]["schedule_ids"])) == ("Night shift", 1)
    assert report.now == "2026-11-01T06:30Z"
    assert Report.build(sample.log, sample.schedules, options=options, pages=2).pages == 2
