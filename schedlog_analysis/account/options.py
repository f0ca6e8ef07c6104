"""
Options say what an analysis and its report shall be like.

Each is declared once: its name, its default, what it means, and how text becomes it. Python, the command line,
``schedlog.toml``, the environment and the written notebook all read this declaration.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Self, TypedDict, TypeVar

from schedlog_analysis._core.instants import InstantLike
from schedlog_analysis.account.checks import (
    Check,
    Label,
    Plain,
    check_duration,
    check_ids,
    check_now,
    check_objective,
    check_pages,
    check_period,
    check_policy,
    check_previous,
    check_text,
    check_zone,
    read_percent,
    read_policy,
    write_percent,
    write_period,
    write_policy,
)
from schedlog_analysis.account.settings import SETTINGS
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.matching.policy import AccountingPolicy

_USUAL = AccountingPolicy()
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _declare(setting: str, check: Check, read: Check | None = None, write: Callable[[Any], Any] | None = None) -> Plain:
    """Say which `Setting` an option is for people, how it is checked, and how it becomes the setting and back."""
    return {"setting": setting, "check": check, "read": read or check, "write": write or (lambda value: value)}


@dataclass(frozen=True)
class Options:
    """
    What an analysis and its report shall be like.

    Parameters
    ----------
    period
        What to analyse, see `Period.parse`.
    previous
        What to compare with; by default the comparable period before, where there is data of it.
    tz
        Time zone of days, weeks and clock times.
    policy
        What counts as up, down or not at all, maintenance included; by default `AccountingPolicy()`.
    objective
        Share of ticks that shall be up, such as 0.995; None where nobody promised one. [0..1]
    grace
        Delay up to which a tick is on time, see `ticks`.
    tolerance
        How far the platform's clock may run ahead of the plan, see `ticks`.
    schedule_ids
        Schedules to analyse; by default all. Where a `Source` is read, names and titles do as well.
    title
        What the report is called.
    pages
        How many schedules get a page of their own at most: the worst.
    now
        When the report is made; None where nobody looked at a clock. Only the command line looks at one.

    Raises
    ------
    InputError
        If an option cannot be read.

    Examples
    --------
    >>> options = Options(period="2026-10", tz="Europe/Prague", objective=0.995)
    >>> options.to_mapping()["slo"]
    99.5
    >>> Options.from_mapping({"period": "2026-10", "tz": "Europe/Prague", "slo": 99.5}) == options
    True
    """

    period: str | Period = field(default="all", metadata=_declare("period", check_period, write=write_period))
    previous: str | Period | None = field(
        default=None, metadata=_declare("previous", check_previous, write=write_period)
    )
    tz: str = field(default="UTC", metadata=_declare("tz", check_zone))
    policy: AccountingPolicy = field(default=_USUAL, metadata=_declare("accounting", check_policy))  # and maintenance
    objective: float | None = field(
        default=None, metadata=_declare("slo", check_objective, read_percent, write_percent)
    )
    grace: str = field(default="60s", metadata=_declare("grace", check_duration))
    tolerance: str = field(default="1s", metadata=_declare("tolerance", check_duration))
    schedule_ids: tuple[str, ...] = field(default=(), metadata=_declare("schedule", check_ids, write=list))
    title: str = field(default="Schedule reliability", metadata=_declare("title", check_text))
    pages: int = field(default=20, metadata=_declare("pages", check_pages))
    now: str | None = field(default=None, metadata=_declare("now", check_now))

    def __post_init__(self) -> None:
        for option in fields(self):
            value = option.metadata["check"](getattr(self, option.name), f"`{option.name}`")
            object.__setattr__(self, option.name, value)

    @classmethod
    def of(cls, options: Options | None, changes: Mapping[str, object]) -> Options:
        """
        Change some options; None are those by default.

        Raises
        ------
        InputError
            If one cannot be read.
        TypeError
            If there is none of that name.

        Examples
        --------
        >>> Options.of(None, {"tz": "Europe/Prague"}).tz
        'Europe/Prague'
        """
        keywords: Plain = dict(changes)
        return replace(options or cls(), **keywords)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], label: Label = "`{}`".format) -> Self:
        """
        Read options as they stand in a file or a notebook.

        Parameters
        ----------
        mapping
            Values by the names of `SETTINGS`; what is missing or None is as by default.
        label
            What a message calls an option.

        Raises
        ------
        InputError
            If there is no option of that name, or one cannot be read.
        """
        for name in mapping.keys() - SETTINGS.keys():
            raise ConfigError(f"There is no option {name!r}; expected one of {', '.join(SETTINGS)}.")
        given = {name: SETTINGS[name].take(value, label(name)) for name, value in mapping.items() if value is not None}
        plain: Plain = {"policy": read_policy(given, label)}
        for option in fields(cls):
            name = option.metadata["setting"]
            if option.name != "policy" and name in given:
                plain[option.name] = option.metadata["read"](given[name], label(name))
        return cls(**plain)

    def to_mapping(self) -> Plain:
        """
        Write options as they stand in a file or a notebook: text, numbers, lists, tables and None.

        `from_mapping` gives equal options back. But a `Period` loses its name, and an objective below 1 % is refused
        as a mistake; one of more than 15 digits may be rounded.
        """
        plain = write_policy(self.policy, self.tz)
        for option in fields(self):
            if option.name != "policy":
                plain[option.metadata["setting"]] = option.metadata["write"](getattr(self, option.name))
        return {name: plain[name] for name in SETTINGS}


class Changes(TypedDict, total=False):
    """Options as keywords: what type checkers and editors see of ``**changes``."""

    period: str | Period
    previous: str | Period | None
    tz: str
    policy: AccountingPolicy | None
    objective: float | None
    grace: str | timedelta
    tolerance: str | timedelta
    schedule_ids: Iterable[str] | None
    title: str
    pages: int
    now: InstantLike | None


def takes_options(function: _Function) -> _Function:
    """Show the options in the signature of a function that takes them as ``**changes``, for `help` and completion."""
    signature = inspect.signature(function)
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    further = [
        inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=option.type)
        for option in fields(Options)
        if option.name not in signature.parameters
    ]
    function.__signature__ = signature.replace(parameters=[*own, *further])  # type: ignore[attr-defined]
    return function
