"""CSV: one table of the facts at a time, a row per line, for spreadsheets."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.report.values import Facts

TABLES = ("schedules", "incidents", "clusters", "causes", "figures", "fates", "days", "hours")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate


def render(facts: Facts, _: Analysis | None = None, table: str = "schedules") -> str:
    """
    Render one table of the facts.

    Numbers are as in the facts: shares 0..1, durations in seconds, instants in UTC. What is missing is empty. Texts
    that a spreadsheet would take for a formula begin with an apostrophe.

    Parameters
    ----------
    facts
        What to say.
    table
        One of `TABLES`; by default a row per schedule, worst first.

    Raises
    ------
    ConfigError
        If there is no such table.
    """
    if table not in TABLES:
        raise ConfigError(f"There is no table {table!r}; expected one of {', '.join(TABLES)}.")
    held = facts[table]
    listed = [{"id": name} | row for name, row in held.items()] if isinstance(held, dict) else held
    rows = [_flatten(row) for row in listed]
    out = StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row)) or _names(table)
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _flatten(row: Facts) -> Facts:
    """Put what is nested beside the rest: the figures before as `previous_…`, lists as text."""
    flat: Facts = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{inner}": _plain(held) for inner, held in value.items()}
        elif isinstance(value, list):
            flat[name] = _plain(" ".join(_item(each) for each in value))
        elif not (name == "previous" and value is None):
            flat[name] = _plain(value)
    return flat


def _item(value: Any) -> str:  # noqa: ANN401 - a text, or a cluster with its count
    return f"{value['cluster_id']}:{value['n']}" if isinstance(value, dict) else str(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value of facts
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _names(table: str) -> list[str]:
    """Name the first columns of a table that has no rows."""
    return {
        "incidents": ["incident_id"],
        "clusters": ["cluster_id"],
        "causes": ["id"],
        "days": ["day"],
        "hours": ["weekday", "hour"],
    }.get(table, ["schedule_id"])
