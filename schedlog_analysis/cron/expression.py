"""An expression is the text of a schedule, read into the seconds, minutes, hours and days that it allows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schedlog_analysis.errors import CronError

Bools = npt.NDArray[np.bool_]

# as cron-parser 5 has them
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
    "@minutely": "* * * * *",
    "@secondly": "* * * * * *",
    "@weekdays": "0 0 * * 1-5",
    "@weekends": "0 0 * * 0,6",
}

_MAX_LENGTH = 1024  # as in cron-parser; every value of every field needs about half of it
_ITEM = re.compile(r"(?:(?P<any>[*?])|(?P<low>[0-9A-Za-z]+)(?:-(?P<high>[0-9A-Za-z]+))?)(?:/(?P<step>[0-9]+))?")
LAST_WEEKDAY = re.compile(r"([0-7]|[A-Za-z]{3})L")
NTH_WEEKDAY = re.compile(r"([0-7]|[A-Za-z]{3})#([1-5])")


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wild: str = "*"
    more: str = ""
    """What else is allowed, in words; empty where nothing is."""


_SECOND = _Field("second", 0, 59)
_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day-of-month", 1, 31, wild="*?", more=", L for the last one")
_MONTH = _Field("month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"))
_WEEKDAY = _Field(
    "day-of-week",
    0,
    7,
    names=("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
    wild="*?",
    more=", 5L for the last and 5#2 for the second of a month",
)

# Every kind of calendar day there is, as axes: leap year, month, day of month, day of week.
_LENGTHS = np.array(
    [[31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]]
)
_LAST = _LENGTHS[:, :, None, None]
_DOM = np.arange(1, 32)[None, None, :, None]
_WEEK = (_DOM + 6) // 7
EXISTS = np.ascontiguousarray(np.broadcast_to(_DOM <= _LAST, (2, 12, 31, 7)))


@dataclass(frozen=True, eq=False)
class Pattern:
    """
    What an expression allows.

    `days` and `days_4` tell for each kind of calendar day whether it matches, as cron-parser 5 and as cron-parser 4
    read it. The kinds are numbered by leap year, month, day of month and day of week, the last fastest.
    """

    texts: tuple[str, ...]
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    doms: tuple[int, ...]
    months: tuple[int, ...]
    dows: tuple[int, ...]
    days: Bools
    days_per_year: float
    has_repeats: bool
    """Whether some field names a value twice: cron-parser 4 takes that, cron-parser 5 refuses it."""

    @cached_property
    def days_4(self) -> Bools:
        """The days as cron-parser 4 reads them: by count it tells a wildcard, and it expands Sunday in its own way."""
        return _flat(_days_4(self.texts, self.months) & EXISTS)

    @property
    def has_all_hours(self) -> bool:
        """Whether the hours cover the whole day."""
        return len(self.hours) == 24  # noqa: PLR2004 - hours in a day

    @property
    def is_every_minute(self) -> bool:
        """Whether no minute is without a tick."""
        return self.has_all_hours and len(self.minutes) == 60 and self.days_per_year > 365.1  # noqa: PLR2004


@lru_cache(maxsize=4096)
def parse(expression: str) -> Pattern:
    """
    Read an expression.

    Parameters
    ----------
    expression
        Five fields, or six with the seconds first or a macro.

    Returns
    -------
    pattern
        What it allows.

    Raises
    ------
    CronError
        It makes no sense, or names a day that never comes.
    """
    texts = _split(expression)
    seconds, minutes, hours, months = (
        _values(text, field, expression)
        for text, field in zip((*texts[:3], texts[4]), (_SECOND, _MINUTE, _HOUR, _MONTH), strict=True)
    )
    doms, dom = _days_of_month(texts[3], expression)
    dows, dow = _days_of_week(texts[5], expression)
    both = texts[3] in ("*", "?") or texts[5] in ("*", "?")
    days = _in_months(months) & ((dom & dow) if both else (dom | dow)) & EXISTS
    n_days = np.count_nonzero(days[0]) * 0.7575 + np.count_nonzero(days[1]) * 0.2425  # 97 leap years in 400
    if not n_days:
        raise CronError(
            f"The day-of-month field of {_show(expression)} has {texts[3]!r}, which never comes in the months given."
        )
    return Pattern(
        texts,
        seconds,
        minutes,
        hours,
        doms,
        months,
        dows,
        _flat(days),
        days_per_year=n_days / 7,
        has_repeats=any(map(_has_repeats, texts, (_SECOND, _MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY))),
    )


def _has_repeats(text: str, field: _Field) -> bool:
    """Tell whether two parts of a list overlap; Sunday is one day, as 0 and as 7."""
    if "," not in text:
        return False
    modulus = 7 if field.name == _WEEKDAY.name else 60
    parts = [item for item in text.split(",") if item != "L" and not LAST_WEEKDAY.fullmatch(item)]
    sets = [{value % modulus for value in _range(item, field, text)} for item in parts]
    return sum(map(len, sets)) > len(set().union(*sets))


def _in_months(months: tuple[int, ...]) -> Bools:
    return _mask(months, 13)[1:].reshape(1, 12, 1, 1)


def _mask(values: Iterable[int], size: int) -> Bools:
    mask = np.zeros(size, dtype=np.bool_)
    mask[list(values)] = True
    return mask


def _weekdays(values: Iterable[int]) -> Bools:
    return _mask({value % 7 for value in values}, 7).reshape(1, 1, 1, 7)


def _flat(days: Bools) -> Bools:
    flat = days.ravel()
    flat.flags.writeable = False
    return flat


def _split(expression: str) -> tuple[str, ...]:
    """Return six field texts, the seconds first."""
    if not isinstance(expression, str):
        raise CronError(f"A cron expression is a text such as '0 9 * * 1-5', but {type(expression).__name__} came.")
    if len(expression) > _MAX_LENGTH:
        raise CronError(f"A cron expression has at most {_MAX_LENGTH} characters, but {len(expression)} came.")
    text = expression.strip()
    if text.startswith("@"):
        if text not in MACROS:
            raise CronError(f"{_show(expression)} is no macro; the macros are {', '.join(MACROS)}.")
        text = MACROS[text]
    fields = text.split()
    if len(fields) not in (5, 6):
        raise CronError(
            f"The expression {_show(expression)} has {len(fields)} field{'s' * (len(fields) != 1)}; give five"
            " (minute hour day-of-month month day-of-week), or six with the seconds first."
        )
    return ("0", *fields) if len(fields) == 5 else tuple(fields)  # noqa: PLR2004 - without seconds


def _days_of_month(text: str, expression: str) -> tuple[tuple[int, ...], Bools]:
    """Return the values, and which kinds of days match."""
    items = text.split(",")
    has_last = "L" in items
    numbers = [item for item in items if item != "L"] if has_last else items
    values = {value for item in numbers for value in _range(item, _DAY, expression)}
    matches = _mask(values, 32)[1:].reshape(1, 1, 31, 1)
    return tuple(sorted(values)), (matches | (_DOM == _LAST)) if has_last else matches


def _days_of_week(text: str, expression: str) -> tuple[tuple[int, ...], Bools]:
    """Return the values, and which kinds of days match."""
    nth = NTH_WEEKDAY.fullmatch(text)
    if nth:
        values = {value % 7 for value in _range(nth[1], _WEEKDAY, expression)}
        return tuple(values), _weekdays(values) & np.equal(_WEEK, int(nth[2]))
    plain: set[int] = set()
    last: set[int] = set()
    for item in text.split(","):
        end = LAST_WEEKDAY.fullmatch(item)
        (last if end else plain).update(value % 7 for value in _range(end[1] if end else item, _WEEKDAY, expression))
    matches = _weekdays(plain)
    return tuple(sorted(plain)), (matches | (_weekdays(last) & (_DOM > _LAST - 7))) if last else matches


def _days_4(texts: tuple[str, ...], months: tuple[int, ...]) -> Bools:
    """
    Match days as cron-parser 4 does.

    It takes a field for a wildcard when it lists enough values, puts Sunday before every range that ends on Sunday
    whatever its step, and lets `#` narrow the day of month too.
    """
    doms = [value for item in texts[3].split(",") if item != "L" for value in _range(item, _DAY, texts[3])]
    longest = int(_LENGTHS[1, months[0] - 1]) if len(months) == 1 else _DAY.high
    n_doms = sum(value <= longest for value in doms) + texts[3].count("L")
    dom = _days_of_month(texts[3], texts[3])[1]
    nth = NTH_WEEKDAY.fullmatch(texts[5])
    text = nth[1] if nth else texts[5]
    dow = _days_of_week(text, text)[1]
    n_dows = 0
    for item in text.split(","):
        if not LAST_WEEKDAY.fullmatch(item):
            values = _range(item, _WEEKDAY, text)
            adds_sunday = not item.isalnum() and values.stop - 1 in (0, 7)
            n_dows += len({*values, 0} if adds_sunday else values)
            dow = dow | _weekdays([0]) if adds_sunday else dow
    any_dom, any_dow = n_doms >= _LENGTHS[1].reshape(1, 12, 1, 1), n_dows == 8  # noqa: PLR2004 - its 0 to 7
    days = dom if any_dow else np.where(any_dom, dow, dom | dow)
    days = _in_months(months) & days
    return days & np.equal(_WEEK, int(nth[2])) if nth else days


def _values(text: str, field: _Field, expression: str) -> tuple[int, ...]:
    """Expand a list to its distinct values in order."""
    return tuple(sorted({value for item in text.split(",") for value in _range(item, field, expression)}))


def _range(item: str, field: _Field, expression: str) -> range:
    """Expand one part of a list: ``*``, ``7``, ``MON``, ``a-b``, each with an optional ``/step``."""
    match = _ITEM.fullmatch(item)
    if match is None or (match["any"] and match["any"] not in field.wild):
        raise _wrong(item, field, expression)
    step = int(match["step"] or 1)
    if match["any"]:
        low, high = field.low, field.high
    else:
        low = _number(match["low"], item, field, expression)
        high = field.high if match["step"] else low
        high = _number(match["high"], item, field, expression) if match["high"] else high
    if step == 0:
        raise CronError(f"The {field.name} field of {_show(expression)} has {item!r}, a step of zero; give at least 1.")
    if low > high:
        top = 6 if field.name == _WEEKDAY.name else field.high  # 7 is Sunday again
        parts = [(low, top)] * (low <= top) + [(field.low, high)]
        raise CronError(
            f"The {field.name} field of {_show(expression)} has {item!r}, a range that runs backwards;"
            f" write '{','.join(f'{a}-{b}' if a < b else str(a) for a, b in parts)}'."
        )
    return range(low, high + 1, step)


def _number(text: str, item: str, field: _Field, expression: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.low
    if not text.isdecimal() or not field.low <= int(text) <= field.high:
        raise _wrong(item, field, expression)
    return int(text)


def _wrong(item: str, field: _Field, expression: str) -> CronError:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return CronError(
        f"The {field.name} field of {_show(expression)} has {item!r}; allowed are {field.low} to {field.high}{names},"
        f" as numbers, ranges a-b, steps */n or a-b/n{field.more}, and lists of these with commas."
    )


def _show(expression: str) -> str:
    return repr(expression if len(expression) <= 80 else expression[:77] + "...")  # noqa: PLR2004 - one line
