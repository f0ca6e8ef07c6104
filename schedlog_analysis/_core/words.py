"""Words are how figures and texts are said, the same in every format."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import pandas as pd

from schedlog_analysis._core.calendar import zone
from schedlog_analysis._core.redact import redact

SMALL = 20  # below so many, a share of a hundred says more than was seen: "2 of 7" comes first
NONE = "–"  # noqa: RUF001 - an en dash is the sign for "no figure" in tables
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def count(n: int, noun: str, plural: str | None = None) -> str:
    """
    Say a number of things.

    Examples
    --------
    >>> count(1, "tick"), count(4231, "tick")
    ('1 tick', '4,231 ticks')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def whole_number(n: int) -> str:
    """
    Say a number.

    Examples
    --------
    >>> whole_number(4231)
    '4,231'
    """
    return f"{n:,}"


def percent(share: float | None, digits: int = 1) -> str:
    """
    Say a share, or that there is none.

    Examples
    --------
    >>> percent(0.99996), percent(1.0), percent(0.0312), percent(None) == NONE
    ('> 99.9 %', '100 %', '3.1 %', True)
    """
    return NONE if share is None or math.isnan(share) else say_share(share, digits)


def money(usd: float | None) -> str:
    """
    Say an amount of US dollars.

    Examples
    --------
    >>> money(1371.4383), money(0.004), money(0)
    ('$1,371.44', '< $0.01', '$0.00')
    """
    if usd is None:
        return NONE
    return "< $0.01" if 0 < usd < 0.005 else f"${usd:,.2f}"  # noqa: PLR2004 - rounds to nothing


def k_of_n(k: int, n: int) -> str:
    """
    Say k of n.

    Examples
    --------
    >>> k_of_n(90, 1000), k_of_n(0, 0)
    ('90 of 1,000', 'nothing was due')
    """
    return f"{k:,} of {n:,}" if n else "nothing was due"


def interval(low: float | None, high: float | None) -> str:
    """
    Say an interval of a share.

    Examples
    --------
    >>> interval(0.0414, 0.0543)
    '4.1 % to 5.4 %'
    >>> interval(0.0017, 0.0021)
    '0.17 % to 0.21 %'
    """
    if low is None or high is None or math.isnan(low):
        return NONE
    pairs = [(percent(low, digits), percent(high, digits)) for digits in (1, 2, 3)]
    return " to ".join(next((pair for pair in pairs if pair[0] != pair[1]), pairs[0]))


def duration(length: Any) -> str:  # noqa: ANN401 - whatever pandas takes for a duration
    """
    Say a duration with two digits below ten seconds, else with its two largest units.

    Examples
    --------
    >>> duration(pd.Timedelta("349ms")), duration(pd.Timedelta("90min")), duration(pd.NaT) == NONE
    ('0.35 s', '1 h 30 min', True)
    """
    if length is None or pd.isna(length):
        return NONE
    seconds = pd.Timedelta(length).total_seconds()
    if abs(seconds) < 9.95:  # noqa: PLR2004 - from here on whole seconds have two digits
        return f"{float(f'{seconds:.2g}'):g} s"
    sign, rest = ("-" if seconds < 0 else ""), round(abs(seconds))
    parts = []
    for size, unit in _UNITS:
        n, rest = divmod(rest, size)
        parts += [f"{n:,} {unit}"] if n else []
    return sign + " ".join(parts[:2])


def seconds_words(seconds: float | None) -> str:
    """
    Say a number of seconds as a duration.

    Examples
    --------
    >>> seconds_words(5400.0)
    '1 h 30 min'
    """
    return duration(None if seconds is None else pd.Timedelta(seconds, "s"))


def moment(instant: Any, tz: str, *, seconds: bool = False) -> str:  # noqa: ANN401 - whatever pandas takes for an instant
    """
    Say an instant in a zone's clock.

    Examples
    --------
    >>> moment(pd.Timestamp("2026-10-24T02:10Z"), "Europe/Prague")
    '2026-10-24 04:10'
    """
    if instant is None or pd.isna(instant):
        return NONE
    return f"{pd.Timestamp(instant).tz_convert(zone(tz)):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}}"


def listed(words: list[str]) -> str:
    """
    Join words as a sentence does.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def sentence(text: str) -> str:
    """
    Begin a clause with a capital and end it with a full stop.

    Examples
    --------
    >>> sentence("at 04:05 every day")
    'At 04:05 every day.'
    """
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def clean(text: str, limit: int = 400) -> str:
    r"""
    Make user text fit to be shown: without secrets, and `plain`.

    Examples
    --------
    >>> clean("GET https://api.apify.com?token=abc\nfailed")
    'GET https://api.apify.com?token=<redacted> failed'
    """
    return plain(redact(text), limit)


def plain(text: str, limit: int = 400) -> str:
    r"""
    Make user text fit for one line: no control characters, no tricks with the direction of writing, not too long.

    Examples
    --------
    >>> plain("one\ntwo\u202e!")
    'one two !'
    """
    shown = " ".join("".join(map(_replace_invisible, text[: 4 * limit])).split())
    return shown if len(shown) <= limit and len(text) <= 4 * limit else shown[: limit - 1].rstrip() + "…"


def _replace_invisible(char: str) -> str:
    """Keep a character unless it is invisible; a joiner stays, because emoji are made with it."""
    return " " if unicodedata.category(char).startswith("C") and char != "\u200d" else char


def say_share(share: float, digits: int = 1) -> str:
    """
    Say a share; never 100 % or 0 % for what is only nearly so.

    Examples
    --------
    >>> say_share(0.0312), say_share(0.99996), say_share(1.0), say_share(0.0)
    ('3.1 %', '> 99.9 %', '100 %', '0 %')
    """
    shown, step = round(100 * share, digits), 10**-digits
    if share in {0, 1}:
        return f"{shown:.0f} %"
    if shown >= 100:  # noqa: PLR2004 - percent
        return f"> {100 - step:.{digits}f} %"
    if share > 0 and shown <= 0:
        return f"< {step:.{digits}f} %"
    return f"{shown:.{digits}f} %"


def say(k: int, n: int) -> str:
    """
    Say k of n as a share, or as it is when n is small.

    Examples
    --------
    >>> say(2, 7), say(90, 1000), say(0, 0)
    ('2 of 7', '9.0 % (90 of 1,000)', 'nothing was due')
    """
    if n == 0:
        return "nothing was due"
    counts = f"{k:,} of {n:,}"
    return counts if n < SMALL else f"{say_share(k / n)} ({counts})"
