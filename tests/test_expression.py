"""Expressions: what text is allowed, which days it means, and how it is said in words."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.expression import MACROS
from schedlog_analysis.errors import CronError

CASES = Path(__file__).parent / "data" / "cron" / "syntax_acceptance.jsonl"


def test_syntax_acceptance():
    """What is accepted is what cron-parser 5 accepts, apart from differences with a reason."""
    on_purpose = {
        "0 0 1,*/10 * 1": "a value that comes twice is harmless",
        "1,1,1 * * * *": "a value that comes twice is harmless",
        "0 0 * * 0,7": "a value that comes twice is harmless",
        "? ? * * *": "only its version 5 takes ? outside the day fields",
        "H * * * *": "the value depends on a seed",
        **dict.fromkeys(("* * * *", "5 * *", "5", ""), "too few fields are more likely a mistake"),
    }
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    assert len(cases) > 100
    for case in cases:
        try:
            Cron(case["expr"])
        except CronError:
            ours = False
        else:
            ours = True
        assert (ours == ("cp5" in case["accept"])) != (case["expr"] in on_purpose), case


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 24 * * *", r"hour field of '0 24 \* \* \*' has '24'; allowed are 0 to 23"),
        ("60 * * * *", "minute field .* has '60'; allowed are 0 to 59"),
        ("60 * * * * *", "second field .* has '60'"),
        ("0 0 0 * *", "day-of-month field .* has '0'; allowed are 1 to 31"),
        ("0 0 * 13 *", "month field .* has '13'; allowed are 1 to 12 or JAN to DEC"),
        ("0 0 * * 8", "day-of-week field .* has '8'; allowed are 0 to 7 or SUN to SAT"),
        ("0 0 * * Monday", "day-of-week field .* has 'Monday'"),
        ("1,2,,3 * * * *", "minute field .* has ''"),
        ("0 22-2 * * *", "hour field .* has '22-2', a range that runs backwards; write '22-23,0-2'"),
        ("0 0 * * FRI-SUN", "runs backwards; write '5-6,0'"),
        ("0 0 * * 7-1", "runs backwards; write '0-1'"),
        ("*/0 * * * *", r"minute field .* has '\*/0', a step of zero"),
        ("0 0 31 2,4 *", "day-of-month field .* has '31', which never comes in the months given"),
        ("0 0 15W * *", "day-of-month field .* has '15W'"),
        ("* * * *", "has 4 fields; give five"),
        ("0 0 * * * * 2025", "has 7 fields"),
        ("", "has 0 fields"),
        ("daily", "has 1 field; give five"),
        ("@reboot", "'@reboot' is no macro; the macros are @yearly"),
        ("@DAILY", "is no macro"),
        ("1-5-7 * * * *", "has '1-5-7'"),
        ("+5 * * * *", r"has '\+5'"),
        ("1.5 * * * *", "has '1.5'"),
        ("٣ * * * *", "has '٣'"),
        ("1," * 600, "at most 1024 characters"),
        (None, "The expression is None"),
        (["* * * * *"], "The expression is "),
    ],
)
def test_wrong_expression(expression, message):
    """The message is one sentence that names the field, the part and what is allowed."""
    with pytest.raises(CronError, match=message) as caught:
        Cron(expression)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@given(st.text(alphabet="0123456789*/-,?LW#@ SUNmonjan\t\né", max_size=40))
def test_any_text_is_read_or_refused(text):
    """No text does anything but give a cron or a CronError, and what is read plans ticks."""
    try:
        cron = Cron(text)
    except CronError:
        return
    assert cron.expression == " ".join(text.split())
    assert len(cron.next("2025-01-01T00:00Z")) == 1


# The next ticks after 2025-03-28T21:59:58Z in Prague, whose clocks go forward on 30 March, by cron-parser 5.10.6.
MACRO_TICKS = {
    "@yearly": ["2025-12-31 23:00:00", "2026-12-31 23:00:00", "2027-12-31 23:00:00"],
    "@annually": ["2025-12-31 23:00:00", "2026-12-31 23:00:00", "2027-12-31 23:00:00"],
    "@monthly": ["2025-03-31 22:00:00", "2025-04-30 22:00:00", "2025-05-31 22:00:00"],
    "@weekly": ["2025-03-29 23:00:00", "2025-04-05 22:00:00", "2025-04-12 22:00:00"],
    "@daily": ["2025-03-28 23:00:00", "2025-03-29 23:00:00", "2025-03-30 22:00:00"],
    "@hourly": ["2025-03-28 22:00:00", "2025-03-28 23:00:00", "2025-03-29 00:00:00"],
    "@minutely": ["2025-03-28 22:00:00", "2025-03-28 22:01:00", "2025-03-28 22:02:00"],
    "@secondly": ["2025-03-28 21:59:59", "2025-03-28 22:00:00", "2025-03-28 22:00:01"],
    "@weekdays": ["2025-03-30 22:00:00", "2025-03-31 22:00:00", "2025-04-01 22:00:00"],
    "@weekends": ["2025-03-28 23:00:00", "2025-03-29 23:00:00", "2025-04-04 22:00:00"],
}


@pytest.mark.parametrize("macro", MACROS)
def test_macros(macro):
    """Every macro of cron-parser 5 is read as cron-parser 5 reads it."""
    ticks = Cron(macro, "Europe/Prague").next("2025-03-28T21:59:58Z", 3)
    assert ticks.strftime("%Y-%m-%d %H:%M:%S").tolist() == MACRO_TICKS[macro]


@pytest.mark.parametrize("macro", ["@minutely", "@secondly", "@weekdays", "@weekends"])
def test_macros_that_fire_as_they_say(macro):
    """Only the macros of the calendar's own units have a hidden offset."""
    cron = Cron(macro, "Europe/Prague")
    assert not cron.is_macro
    assert cron.min_offset == cron.max_offset == timedelta(0)
    assert "hidden" not in cron.describe()


@pytest.mark.parametrize("macro", ["@WEEKDAYS", "@reboot", "@midnight", "@"])
def test_what_is_no_macro(macro):
    """What cron-parser 5 refuses is refused, with the list of those that there are."""
    with pytest.raises(CronError, match=f"'{macro}' is no macro; the macros are @yearly, .*, @weekdays, @weekends"):
        Cron(macro)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 13 * 5", [3, 10, 13, 17, 24, 31]),
        ("0 0 */10 * 1", [1, 6, 11, 13, 20, 21, 27, 31]),
        ("0 0 ? * 1", [6, 13, 20, 27]),
        ("0 0 1 * ?", [1]),
        ("0 0 L * *", [31]),
        ("0 0 15,L * *", [15, 31]),
        ("0 0 * * FRIL", [31]),
        ("0 0 * * 1,5L", [6, 13, 20, 27, 31]),
        ("0 0 * * MON#2", [13]),
        ("0 0 * * 7", [5, 12, 19, 26]),
        ("0 0 * * 3/2", [1, 3, 5, 8, 10, 12, 15, 17, 19, 22, 24, 26, 29, 31]),
        ("0 0 * * 5-7", [3, 4, 5, 10, 11, 12, 17, 18, 19, 24, 25, 26, 31]),
    ],
)
def test_days(expression, days):
    """Day of month and day of week combine as cron-parser has them (January 2025, whose first is a Wednesday)."""
    ticks = Cron(expression).ticks("2025-01-01T00:00Z", "2025-02-01T00:00Z")
    assert ticks.day.tolist() == days


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute, UTC"),
        ("*/5 * * * *", "every 5 minutes, UTC"),
        ("5 * * * *", "at minute 5 of every hour, UTC"),
        ("0 0 * * *", "at 00:00 every day, UTC"),
        ("0 9,17 * * 1-5", "at 09:00 and 17:00, on Monday to Friday, UTC"),
        ("*/10 * * * * *", "every 10 seconds, UTC"),
        ("30 5 16 * * 1", "at 16:05:30, on Monday, UTC"),
        ("0 0 1,L * *", "at 00:00, on day 1 and the last day of the month, UTC"),
        ("0 0 13 * FRI", "at 00:00, on day 13 of the month or on Friday, UTC"),
        ("0 0 * 6-8 5#2", "at 00:00, on the second Friday of the month in June to August, UTC"),
        ("7 3-5 * * *", "at 03:07, 04:07 and 05:07 every day, UTC"),
        ("10-20 9 * * 0", "at minutes 10 to 20 in hour 9, on Sunday, UTC"),
        ("@daily", "at 00:00 every day, UTC, later by a hidden constant of 5 to 360 minutes"),
    ],
)
def test_describe(expression, words):
    """The words say when."""
    assert Cron(expression).describe() == words
