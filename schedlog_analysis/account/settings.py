"""
A setting is an option as people write it: in ``schedlog.toml``, the environment, a notebook, or after ``--name``.

It is declared once, in `SETTINGS`: a new one needs a line there and a field of `Options`. Nothing heavy is imported,
so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from schedlog_analysis.errors import ConfigError

Kind = Literal["text", "number", "whole number", "list of texts", "table"]
_TYPES: dict[Kind, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "whole number": (int,),
    "list of texts": (list, tuple),
    "table": (dict,),
}


@dataclass(frozen=True)
class Setting:
    """
    An option as people write it: in ``schedlog.toml``, as ``SCHEDLOG_NAME``, after ``--name``, in a notebook.

    Attributes
    ----------
    name
        What it is called there.
    default
        What it is where nobody says otherwise; None where it is nothing at all.
    meaning
        One sentence of help.
    kind
        What it holds.
    """

    name: str
    default: Any
    meaning: str
    kind: Kind = "text"

    def parse(self, text: str, label: str) -> Any:  # noqa: ANN401 - as `kind` says
        """
        Read it from one text, where there is no other way to write it.

        Raises
        ------
        ConfigError
            If the text is no number, or lacks a `=`.

        Examples
        --------
        >>> Setting("schedule", [], "Only these.", "list of texts").parse("prices-hourly; Backup", "$X")
        ['prices-hourly', 'Backup']
        """
        if self.kind == "text":
            return text
        if self.kind in ("number", "whole number"):
            return _parse_number(text, self.kind, label)
        parts = [part.strip() for part in text.split(";") if part.strip()]
        return parts if self.kind == "list of texts" else parse_rules(parts, label)

    def take(self, value: Any, label: str) -> Any:  # noqa: ANN401 - whatever a file or a notebook holds
        """Refuse what is not of its kind."""
        items = value if isinstance(value, list | tuple) else value.values() if isinstance(value, dict) else ()
        inner = (str, int) if self.kind == "table" else (str,)
        is_fit = isinstance(value, _TYPES[self.kind]) and not isinstance(value, bool)
        if not is_fit or not all(isinstance(item, inner) and not isinstance(item, bool) for item in items):
            raise ConfigError(f"{label} is {value!r}; expected a {self.kind}.")
        return value

    def show(self, value: Any) -> str:  # noqa: ANN401 - as `kind` says
        """
        Write a value as TOML does.

        Examples
        --------
        >>> Setting("accounting", {}, "What counts.", "table").show({"skipped": "down"})
        '{ skipped = "down" }'
        """
        if isinstance(value, dict):
            inner = ", ".join(f"{name} = {self.show(text)}" for name, text in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # which TOML must have escaped


def parse_rules(texts: Iterable[str], label: str) -> dict[str, str]:
    """
    Read rules of accounting.

    Examples
    --------
    >>> parse_rules(["skipped=down", "partial = left out"], "`--accounting`")
    {'skipped': 'down', 'partial': 'left out'}
    """
    rules = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found:
            raise ConfigError(f"{label} is {text!r}; expected a rule and what it is, such as skipped=down.")
        rules[name.strip()] = value.strip()
    return rules


def _parse_number(text: str, kind: Kind, label: str) -> float:
    try:
        return int(text) if kind == "whole number" else float(text)
    except ValueError as error:
        raise ConfigError(f"{label} is {text!r}; expected a {kind}.") from error


_USUAL = {
    "partial": "down",
    "missed": "down",
    "late": "up",
    "skipped": "left_out",
    "duplicate": "left_out",
    "extra": "outcome",
    "manual": "left_out",
    "open_after": 2,
    "open_for": "6h",
    "close_after": 2,
}

SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "period",
            "all",
            "last-month, this-month, last-7-days, 2026-10, 2026-W43, 2026-10-01..2026-10-15, all; of the data.",
        ),
        Setting("previous", None, "What to compare with, where the period before is wrong."),
        Setting("tz", "UTC", "Time zone of days, weeks and clock times."),
        Setting("slo", None, "Objective in percent, such as 99.5.", "number"),
        Setting("grace", "60s", "Delay up to which a tick is on time."),
        Setting("tolerance", "1s", "How far the platform's clock may run ahead of the plan."),
        Setting("schedule", [], "Only this schedule, by id, name, title or how one of these begins.", "list of texts"),
        Setting("maintenance", [], "Time to leave out: START..END, or 'CRON for DURATION' in --tz.", "list of texts"),
        Setting("accounting", _USUAL, "What counts how: RULE=VALUE, such as skipped=down.", "table"),
        Setting("title", "Schedule reliability", "What the report is called."),
        Setting("pages", 20, "Schedules with a page of their own at most: the worst.", "whole number"),
        Setting("now", None, "When the report is made, such as 2026-11-01T06:30Z; by default the clock says."),
    )
}
