"""Show prints a report's facts on one screen of a terminal, and what an archive holds."""

from __future__ import annotations

import textwrap
from typing import Any, Protocol

import pandas as pd
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from schedlog_analysis._core.words import SMALL, count, duration, k_of_n, moment, percent
from schedlog_analysis.sources.coverage import coverage
from schedlog_analysis.sources.sync import next_sync

MOST_SCHEDULES = 8  # rows that fit on one screen
MOST_INCIDENTS = 4
MOST_CLUSTERS = 4
MOST_HELD = 30  # rows of what an archive holds

# Each state has a sign and a word besides its colour.
_SIGNS = {
    "down": ("■", "bold red"),
    "down now": ("■", "bold red"),
    "failures": ("▲", "red"),
    "incidents": ("▲", "red"),
    "single failures": ("△", "yellow"),
    "not observed": ("?", "magenta"),
    "well": ("●", "green"),
    "healthy": ("●", "green"),
}


class HasFacts(Protocol):
    """A report."""

    @property
    def facts(self) -> dict[str, Any]:
        """All figures and sentences, see `report.facts`."""


def show(report: HasFacts | dict[str, Any], console: Console | None = None) -> None:
    """
    Print a report's summary: verdict, coverage, figures, the worst schedules, open incidents and the top causes.

    It fits a screen of 80 columns, and reads the same when piped into a file, where it has no colours.

    Parameters
    ----------
    report
        A `Report`, or its facts.
    console
        Where to print; by default standard output.

    Examples
    --------
    >>> from schedlog_analysis import Report, load_sample
    >>> sample = load_sample()
    >>> report = Report.build(sample.log, sample.schedules, period="2026-10")
    >>> show(report, Console(width=80))  # doctest: +ELLIPSIS
    ■ Down now · Schedule reliability, October 2026
    ...
    """
    facts = report if isinstance(report, dict) else report.facts
    out = console or Console()
    sign, style = _SIGNS.get(facts["state"], ("○", ""))
    title = f" · {facts['title']}, {facts['period']['name']}"
    out.print(Text.assemble((f"{sign} {facts['state_text']}", style), title))
    out.print(Text(facts["verdict"], style="bold"))
    out.print(Text("\n".join([facts["period"]["text"], facts["coverage"]["text"], *_notes(facts)]), style="dim"))
    parts = (_figures(facts), _schedules(facts), _incidents(facts, out.width), _causes(facts, out.width))
    for part in parts:
        if part is not None:
            out.print()
            out.print(part)
    if facts["objective"]:
        out.print()
        out.print(Text(facts["objective"]["text"]))


def show_archive(
    log: pd.DataFrame,
    fetches: pd.DataFrame,
    console: Console | None = None,
    *,
    schedules: pd.DataFrame | None = None,
) -> None:
    """
    Print what an archive holds, since when and with which holes, and by when to sync so that nothing is lost.

    Parameters
    ----------
    log, fetches
        See `schema.Log` and `schema.Fetches`.
    console
        Where to print; by default standard output.
    schedules
        See `schema.Schedules`: the names to print instead of ids.
    """
    out = console or Console()
    held = coverage(log, fetches).merge(next_sync(log, fetches), on="schedule_id")
    told = f"The archive holds {count(len(log), 'entry', 'entries')} of {count(len(held), 'schedule')}."
    if held["sync_by"].notna().any():
        first, often = held["sync_by"].min(), held["sync_every"].min()
        told += f" Sync next by {moment(first, 'UTC')} UTC, and at least every {duration(often)}."
    out.print()
    out.print(Text(told))
    if held.empty:
        return
    names = {} if schedules is None else schedules.set_index("schedule_id")["name"].dropna().to_dict()
    columns = ("entries", "since", "holes", "seen", "sync by (UTC)")
    table = _table(("archive", "left"), *((column, "right") for column in columns))
    held = held.sort_values(["sync_by", "schedule_id"])  # the most urgent first
    for one in held.head(MOST_HELD).to_dict("records"):
        since, by = moment(one["first_at"], "UTC")[:10], moment(one["sync_by"], "UTC")
        cells = (f"{one['n_entries']:,}", since, f"{one['n_holes']:,}", percent(one["observed_share"]), by)
        table.add_row(*map(Text, (names.get(one["schedule_id"], one["schedule_id"]), *cells)))
    out.print(table)
    if len(held) > MOST_HELD:
        out.print(Text(f"and {count(len(held) - MOST_HELD, 'more schedule')} with more time"))


def _notes(facts: dict[str, Any]) -> list[str]:
    caution = facts["comparison"]["caution"] if facts["comparison"] else ""
    return [*facts["coverage"]["notes"], *([caution] if caution else [])]


def _table(*headers: tuple[str, str]) -> Table:
    """Make a table without lines, whose names wrap between words and whose numbers do not."""
    has_head = any(label for label, _ in headers)
    table = Table(box=None, pad_edge=False, show_header=has_head, header_style="dim")
    for label, justify in headers:
        is_number = justify == "right"
        table.add_column(label, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return table


def _figures(facts: dict[str, Any]) -> Table | None:
    if not facts["schedules"]:
        return None
    name = facts["comparison"]["name"] if facts["comparison"] else ""
    table = _table(("", "left"), ("", "right"), ("", "right"), (name, "left"))
    for one in facts["figures"]:
        of_n = k_of_n(one["k"], one["n"]) if one.get("n") and "k" in one else ""
        before = one["previous"]
        told = "" if before is None else _before(one)
        table.add_row(*map(Text, (one["label"], one["headline"], of_n)), Text(told, style="dim"))
    return table


def _before(one: dict[str, Any]) -> str:
    before = one["previous"]
    is_share = before.get("n", SMALL) >= SMALL and isinstance(before["value"], float)
    told = percent(before["value"]) if is_share else str(before["text"])
    return f"{told}, {one['change']}" if one["change"] else told


def _schedules(facts: dict[str, Any]) -> Group | None:
    if not facts["schedules"]:
        return None
    shown = facts["schedules"][:MOST_SCHEDULES]
    table = _table(("schedule", "left"), ("state", "left"), ("failed or missed", "right"), ("share", "right"))
    for one in shown:
        share = percent(one["error_rate"]) if one["n"] >= SMALL else ""
        table.add_row(Text(one["name"]), _state(one), Text(k_of_n(one["n_down"], one["n"])), Text(share))
    left = [one["state"] for one in facts["schedules"][MOST_SCHEDULES:]]
    if left:
        told = ", ".join(f"{left.count(state):,} {state}" for state in dict.fromkeys(left))
        return Group(table, Text(f"and {count(len(left), 'more schedule')}: {told}"))
    return Group(table)


def _state(one: dict[str, Any]) -> Text:
    sign, style = _SIGNS.get(one["state"], ("○", ""))
    flags = f", {', '.join(one['flags'])}" if one["flags"] else ""
    return Text(f"{sign} {one['state']}{flags}", style=style)


def _incidents(facts: dict[str, Any], width: int) -> Text | None:
    still = [one for one in facts["incidents"] if one["is_open"]]
    if not still:
        return None
    lines = ["Open incidents"]
    for one in still[:MOST_INCIDENTS]:
        told = f"since {one['started_text']}, {one['hit_text']}"
        lines.append(_shortened(f"- {one['name']}: {told}", width))
    if len(still) > MOST_INCIDENTS:
        lines.append(f"- and {len(still) - MOST_INCIDENTS:,} more")
    return _titled(lines)


def _causes(facts: dict[str, Any], width: int) -> Text | None:
    now = [one for one in facts["clusters"] if one["n"]]
    if not now:
        return None
    lines = ["Why actions did not start"]
    for one in now[:MOST_CLUSTERS]:
        new = ", new" if one["state"] == "new" else ""
        lines.append(_shortened(f"- {one['n']:,} {one['cause']}{new}: {one['template']}", width))
    left = now[MOST_CLUSTERS:]
    if left:
        n = sum(one["n"] for one in left)
        lines.append(f"- and {count(n, 'failure')} in {count(len(left), 'more cluster')}")
    return _titled(lines)


def _shortened(line: str, width: int) -> str:
    """Cut a line between words where it does not fit."""
    return textwrap.shorten(line, max(width, 40), placeholder=" …")


def _titled(lines: list[str]) -> Text:
    return Text("\n").join([Text(lines[0], style="dim"), *map(Text, lines[1:])])
