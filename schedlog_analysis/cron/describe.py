"""Wording says in plain English when an expression fires."""

from __future__ import annotations

import calendar
from collections.abc import Sequence

from schedlog_analysis.cron.expression import LAST_WEEKDAY, NTH_WEEKDAY, Pattern

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
_MANY = 6  # times of day that are still listed one by one


def words(pattern: Pattern) -> str:
    """
    Say when a pattern fires, the time zone left to the caller.

    Parameters
    ----------
    pattern
        What an expression allows.

    Returns
    -------
    text
        One clause without a full stop.

    Examples
    --------
    >>> from schedlog_analysis.cron.expression import parse
    >>> words(parse("5 4 13 * FRI"))
    'at 04:05, on day 13 of the month or on Friday'
    """
    times, days = _times(pattern), _days(pattern)
    if not days:
        return f"{times} every day" if times.startswith("at ") and ":" in times else times
    return f"{times}, {days}"


def _times(pattern: Pattern) -> str:
    seconds, minutes, hours = pattern.seconds, pattern.minutes, pattern.hours
    if len(seconds) * len(minutes) * len(hours) <= _MANY:
        show_seconds = seconds != (0,)
        return "at " + _join(
            [
                f"{h:02}:{m:02}:{s:02}" if show_seconds else f"{h:02}:{m:02}"
                for h in hours
                for m in minutes
                for s in seconds
            ]
        )
    parts = []
    if seconds != (0,):
        parts.append(_every(seconds, 60, "second"))
    if len(minutes) < 60 or not parts:  # noqa: PLR2004 - minutes in an hour
        parts.append(_every(minutes, 60, "minute"))
    if len(hours) < 24:  # noqa: PLR2004 - hours in a day
        parts.append(f"in hour{'s' * (len(hours) > 1)} {_runs([str(hour) for hour in hours], hours)}")
    elif parts[-1].startswith("at minute"):
        parts.append("of every hour")
    return " ".join(parts)


def _every(values: tuple[int, ...], size: int, unit: str) -> str:
    """Say ``every 5 minutes`` where the values are that, else list them."""
    step = size // len(values)
    if values == tuple(range(0, size, step)):
        return f"every {unit}" if step == 1 else f"every {step} {unit}s" if len(values) > 1 else f"at {unit} 0"
    return f"at {unit}{'s' * (len(values) > 1)} {_runs([str(value) for value in values], values)}"


def _days(pattern: Pattern) -> str:
    """Say which days, or nothing where every day matches."""
    dom, _, dow = pattern.texts[3:]
    parts = [
        *([_days_of_month(dom.split(","), pattern.doms)] if dom not in ("*", "?") else []),
        *([_days_of_week(dow.split(","), pattern.dows)] if dow not in ("*", "?") else []),
    ]
    text = " or ".join(f"on {part}" for part in parts)
    if len(pattern.months) < 12:  # noqa: PLR2004 - months in a year
        months = _runs([calendar.month_name[month] for month in pattern.months], pattern.months)
        text = f"{text}{' ' * bool(text)}in {months}"
    return text


def _days_of_month(items: list[str], values: tuple[int, ...]) -> str:
    names = [f"day{'s' * (len(values) > 1)} {_runs([str(value) for value in values], values)}"] if values else []
    return _join([*names, *(["the last day"] if "L" in items else [])]) + " of the month"


def _days_of_week(items: list[str], values: tuple[int, ...]) -> str:
    names = [_weekday(value) for value in values]
    nth = NTH_WEEKDAY.fullmatch(items[0])
    if nth:
        return f"the {_ORDINALS[int(nth[2])]} {names[0]} of the month"
    last = [f"the last {_weekday(int(m[1]) % 7)} of the month" for m in map(LAST_WEEKDAY.fullmatch, items) if m]
    return _join([*([_runs(names, values)] if values else []), *last])


def _weekday(value: int) -> str:
    return calendar.day_name[(value - 1) % 7]


def _runs(names: Sequence[str], values: tuple[int, ...]) -> str:
    """List names, three and more in a row as ``a to b``."""
    parts: list[str] = []
    begin = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[i - 1] + 1:
            long = i - begin > 2  # noqa: PLR2004 - two are no range
            parts += [f"{names[begin]} to {names[i - 1]}"] if long else names[begin:i]
            begin = i
    return _join(parts)


def _join(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
