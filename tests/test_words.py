"""Words: how numbers, durations, instants and user text are said."""

import re
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis._core.redact import REDACTED
from schedlog_analysis._core.words import (
    NONE,
    SMALL,
    clean,
    count,
    duration,
    interval,
    k_of_n,
    listed,
    moment,
    money,
    percent,
    plain,
    say,
    seconds_words,
    sentence,
    whole_number,
)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_percent_is_near_and_never_pretends(k, n):
    """What is said is within half a digit of the share; only all is 100 %, and only none is 0 %."""
    k = min(k, n)
    shown = percent(k / n)
    assert (shown == "100 %") == (k == n)
    assert (shown == "0 %") == (k == 0)
    if shown[0] not in "<>":
        assert float(shown.removesuffix(" %")) == pytest.approx(100 * k / n, abs=0.0501)


def test_a_missing_share_is_a_dash():
    """Nothing was due has no share, whichever way it is missing."""
    assert (
        percent(None) == percent(float("nan")) == interval(None, None) == interval(float("nan"), float("nan")) == NONE
    )


@given(st.integers(0, 100), st.integers(0, 100))
def test_small_numbers_are_said_as_k_of_n(k, n):
    """Below twenty there is no percent sign; from twenty on there are both; of nothing there is neither."""
    shown = say(min(k, n), n)
    assert ("%" in shown) == (n >= SMALL)
    assert (k_of_n(min(k, n), n) in shown) == (n > 0 or shown == "nothing was due")
    if n == 0:
        assert shown == "nothing was due"


@given(st.integers(0, 10**9))
def test_counts_can_be_read_back(n):
    """A count loses no digit, and its noun agrees with it."""
    shown = count(n, "tick")
    assert int(shown.split()[0].replace(",", "")) == n == int(whole_number(n).replace(",", ""))
    assert shown.endswith(" tick") == (n == 1)
    assert count(2, "entry", "entries") == "2 entries"


@given(st.floats(0.001, 10**8))
def test_durations_are_near(seconds):
    """Read back, a duration is within five percent and within its smaller unit."""
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    shown = seconds_words(seconds)
    pairs = re.findall(r"([\d.,e-]+) (d|h|min|s)\b", shown)
    assert " ".join(f"{n} {unit}" for n, unit in pairs) == shown
    total = sum(float(n.replace(",", "")) * units[unit] for n, unit in pairs)
    assert total == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize(
    ("length", "shown"),
    [("0s", "0 s"), ("9.96s", "10 s"), ("59.7s", "1 min"), ("60s", "1 min"), ("90min", "1 h 30 min"), ("-2h", "-2 h"),
     ("8D 1s", "8 d 1 s"), (None, NONE)],
)  # fmt: skip
def test_durations_at_their_edges(length, shown):
    """Ten seconds, a minute, a sign, a missing one."""
    assert duration(length) == shown


def test_moments_are_local():
    """An instant is said in the zone's clock, on both sides of a change of the clock; a missing one is a dash."""
    summer, winter = pd.Timestamp("2026-10-25T00:30Z"), pd.Timestamp("2026-10-25T01:30Z")
    assert moment(summer, "Europe/Prague") == moment(winter, "Europe/Prague") == "2026-10-25 02:30"
    assert moment(winter, "UTC", seconds=True) == "2026-10-25 01:30:00"
    assert moment(pd.NaT, "UTC") == moment(None, "UTC") == NONE


def test_words_make_sentences():
    """Lists have one and; a sentence begins with a capital and ends with one stop; nothing stays nothing."""
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == sentence("") == ""
    assert sentence("at noon.") == "At noon."
    assert [money(usd) for usd in (None, 0, 0.001, 1234.5)] == [NONE, "$0.00", "< $0.01", "$1,234.50"]


@given(st.text(max_size=300), st.integers(2, 80))
def test_plain_text_is_one_harmless_line(text, limit):
    """No control, format or private character is left but the joiner of emoji, no line break, and never too long."""
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert all(not unicodedata.category(char).startswith("C") or char == "\u200d" for char in shown)
    assert "\n" not in shown
    assert shown == shown.strip()


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=60))
def test_plain_text_keeps_what_is_harmless(text):
    """Letters, digits and punctuation of any script stay as they are."""
    assert plain(text) == text


def test_bidirectional_tricks_are_gone():
    """Overrides and isolates go, the letters of right-to-left scripts stay, and so do emoji made of several."""
    assert plain("a\u202e\u2066b\u2069 שלום") == "a b שלום"
    assert plain("👩\u200d👩\u200d👧") == "👩\u200d👩\u200d👧"


def test_secrets_do_not_survive_the_cut():
    """A token is taken out before the text is cut, so that no part of it is left."""
    text = "x" * 90 + " apify_api_" + "A1b2C3d4" * 4
    assert "apify_api_A" not in clean(text, 110)
    assert REDACTED in clean(text)
    assert len(clean("x " * 10_000)) <= 400
