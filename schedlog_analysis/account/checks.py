"""A check takes what was given for an option, or refuses it in one sentence; readers and writers turn text into it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from schedlog_analysis._core.calendar import zone
from schedlog_analysis._core.instants import InstantLike, duration_ms, instant_ms
from schedlog_analysis.analysis.budget import require_objective
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.errors import ConfigError, InputError
from schedlog_analysis.matching.policy import AccountingPolicy, Maintenance

Check = Callable[[Any, str], Any]  # takes a value and what a message calls it
Label = Callable[[str], str]  # what a message calls an option
Plain = dict[str, Any]

RULES = {rule.name: rule.default for rule in fields(AccountingPolicy) if rule.name != "maintenance"}
WINDOW = "2026-10-05T00:00Z..2026-10-05T04:00Z, or '0 2 * * SUN for 2h'"
_ALL = 100  # [%]
_HAS_OFFSET = re.compile(r"T.*(?:Z|[+-]\d\d:?\d\d)$")
_CENTURY = pd.Timestamp("1970-01-01T00:00Z"), pd.Timestamp("2070-01-01T00:00Z")  # data to try a period on


def check_text(value: Any, label: str) -> str:  # noqa: ANN401 - whatever was given
    """Take a text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{label} is {value!r}; expected a text.")
    return value


def check_period(value: Any, label: str) -> str | Period:  # noqa: ANN401 - whatever was given
    """Take a `Period`, or a text that `Period.parse` can read."""
    if isinstance(value, Period):
        return value
    Period.parse(check_text(value, label), *_CENTURY)  # complains of what it cannot read
    return str(value)


def check_previous(value: Any, label: str) -> str | Period | None:  # noqa: ANN401 - whatever was given
    """Take what `check_period` does, or None."""
    return None if value is None else check_period(value, label)


def check_zone(value: Any, label: str) -> str:  # noqa: ANN401 - whatever was given
    """Take the name of a time zone."""
    return zone(check_text(value, label)).key


def check_duration(value: Any, label: str) -> str:  # noqa: ANN401 - whatever was given
    """Take a duration from 0; one of Python's own becomes text."""
    try:
        ms = duration_ms(value)
    except InputError as error:
        raise ConfigError(f"{label} is {value!r}; expected a duration from 0, such as '60s' or '5min'.") from error
    return value if isinstance(value, str) else f"{ms}ms"


def check_objective(value: Any, _: str) -> float | None:  # noqa: ANN401 - whatever was given
    """Take an objective as a share, or None."""
    return None if value is None else require_objective(value)


def read_percent(value: Any, label: str, *, ends: bool = False) -> float:  # noqa: ANN401 - whatever was given
    """
    Read a share that people write in percent.

    Parameters
    ----------
    value
        Such as 99.5. [%]
    label
        What a message calls it.
    ends
        Whether 0 and 100 make sense.

    Raises
    ------
    ConfigError
        If it is no percentage, or looks like a share.

    Examples
    --------
    >>> read_percent(99.5, "`--slo`")
    0.995
    >>> read_percent(0.995, "`--slo`")
    Traceback (most recent call last):
    ...
    schedlog_analysis.errors.ConfigError: `--slo` is 0.995; expected percent, such as 99.5; did you mean 99.5?
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    percent = Decimal(str(value)) if is_number else Decimal(-1)
    is_share = 0 < percent < 1
    if is_share or not (0 <= percent <= _ALL if ends else 0 < percent < _ALL):
        hint = f"; did you mean {float(percent * 100):g}?" if is_share else "."
        raise ConfigError(f"{label} is {value!r}; expected percent, such as 99.5{hint}")
    return float(percent / 100)


def write_percent(share: float | None) -> float | None:
    """Write a share in percent, so that `read_percent` gives it back; None stays None."""
    return None if share is None else float(Decimal(str(share)) * 100)


def check_ids(value: Any, label: str) -> tuple[str, ...]:  # noqa: ANN401 - whatever was given
    """Take schedules as a tuple; one alone will do, and None is none."""
    ids = (value,) if isinstance(value, str) else () if value is None else tuple(value)
    if not all(isinstance(each, str) and each.strip() for each in ids):
        raise ConfigError(f"{label} is {value!r}; expected a list of schedules.")
    return ids


def check_pages(value: Any, label: str) -> int:  # noqa: ANN401 - whatever was given
    """Take a whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"{label} is {value!r}; expected a whole number from 0.")
    return value


def check_now(value: Any, label: str) -> str | None:  # noqa: ANN401 - whatever was given
    """Take an instant with an offset, or None; one of Python's own becomes text."""
    if value is None:
        return None
    try:
        instant_ms(value)
    except InputError as error:
        raise ConfigError(
            f"{label} is {value!r}; expected an instant with an offset, such as 2026-11-01T00:00Z."
        ) from error
    return value if isinstance(value, str) else pd.Timestamp(value).isoformat()


def check_policy(value: Any, label: str) -> AccountingPolicy:  # noqa: ANN401 - whatever was given
    """Take a policy; None is the usual one."""
    if value is None:
        return AccountingPolicy()
    if not isinstance(value, AccountingPolicy):
        raise ConfigError(f"{label} is {value!r}; expected an AccountingPolicy.")
    return value


def maintenance_window(text: str, tz: str) -> Maintenance:
    """
    Read a maintenance window: two instants, or a cron and a duration.

    Parameters
    ----------
    text
        ``START..END``, read as a period is, ``CRON for DURATION`` or ``CRON for DURATION in ZONE``.
    tz
        Time zone of dates, of instants without an offset and of a cron without a zone.

    Raises
    ------
    ConfigError
        If it is neither.

    Examples
    --------
    >>> str(maintenance_window("0 2 * * SUN for 2h", "Europe/Prague"))
    '2h from 0 2 * * SUN (Europe/Prague)'
    >>> str(maintenance_window("2026-10-05..2026-10-06", "Europe/Prague"))
    '2026-10-04T22:00:00+00:00 to 2026-10-06T22:00:00+00:00'
    """
    if ".." in text:
        start, _, end = (part.strip() for part in text.partition(".."))
        if not (_HAS_OFFSET.search(start) and _HAS_OFFSET.search(end)):
            window = Period.parse(text, *_CENTURY, tz)  # dates and local times, as in a period
            start, end = window.start.isoformat(), window.end.isoformat()
        return Maintenance(start=start, end=end)
    cron, found, rest = text.rpartition(" for ")
    if not found:
        raise ConfigError(f"The maintenance window {text!r} cannot be read; expected {WINDOW}.")
    duration, _, own = rest.partition(" in ")
    return Maintenance(cron=cron.strip(), duration=duration.strip(), tz=own.strip() or tz)


def read_policy(given: Plain, label: Label) -> AccountingPolicy:
    """Read the policy out of what stands as `accounting` and `maintenance`."""
    table = given.get("accounting", {})
    rules = {name: _read_rule(name, value, label(f"accounting.{name}")) for name, value in table.items()}
    windows = (maintenance_window(text, given.get("tz", "UTC")) for text in given.get("maintenance", ()))
    return AccountingPolicy(**rules, maintenance=tuple(windows))


def _read_rule(name: str, value: Any, label: str) -> Any:  # noqa: ANN401 - texts and numbers
    if name not in RULES:
        raise ConfigError(f"{label} is no rule; expected one of {', '.join(RULES)}.")
    if not isinstance(RULES[name], int):
        return value
    try:
        return int(value)
    except ValueError as error:
        raise ConfigError(f"{label} is {value!r}; expected a whole number from 1.") from error


def write_policy(policy: AccountingPolicy, tz: str) -> Plain:
    """Write the policy as `ACCOUNTING` and `MAINTENANCE`."""
    windows = [_write_window(window, tz) for window in policy.maintenance]
    return {"accounting": {name: getattr(policy, name) for name in RULES}, "maintenance": windows}


def _write_window(window: Maintenance, tz: str) -> str:
    if window.cron is None:
        return f"{_write_instant(window.start)}..{_write_instant(window.end)}"
    length = window.duration if isinstance(window.duration, str) else f"{duration_ms(window.duration or '0s')}ms"
    return f"{window.cron} for {length}" + ("" if window.tz == tz else f" in {window.tz}")


def _write_instant(instant: InstantLike | None) -> str:
    return instant.isoformat() if isinstance(instant, date) else str(instant)


def write_period(period: str | Period | None) -> str | None:
    """Write a period as text; that of a `Period` names its bounds."""
    return f"{period.start.isoformat()}..{period.end.isoformat()}" if isinstance(period, Period) else period
