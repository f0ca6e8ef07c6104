"""Show prints a report's facts on one screen of a terminal, and what an archive holds."""

from __future__ import annotations

import textwrap
from typing import Any, Protocol

import pandas as pd
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from schedlog_analysis._core.names import name_schedules
from schedlog_analysis._core.words import SMALL, count, duration, k_of_n, percent, say_day, say_instant
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
    "mostly failing": ("▲", "red"),
    "skipped": ("▲", "yellow"),
    "unknown": ("?", "magenta"),
    "stale": ("?", "magenta"),
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
    text = f"The archive holds {count(len(log), 'entry', 'entries')} of {count(len(held), 'schedule')}."
    if held["sync_by"].notna().any():
        first, often = held["sync_by"].min(), held["sync_every"].min()
        text += f" Sync next by {say_instant(first, 'UTC')} UTC, and at least every {duration(often)}."
    out.print()
    out.print(Text(text))
    if held.empty:
        return
    names = name_schedules(schedules, held["schedule_id"])
    columns = ("entries", "since", "holes", "seen", "sync by (UTC)")
    table = _table(("archive", "left"), *((column, "right") for column in columns))
    held = held.sort_values(["sync_by", "schedule_id"])  # the most urgent first
    for row in held.head(MOST_HELD).to_dict("records"):
        since, by = say_day(row["first_at"]), say_instant(row["sync_by"], "UTC")
        cells = (f"{row['n_entries']:,}", since, f"{row['n_holes']:,}", percent(row["observed_share"]), by)
        table.add_row(*map(Text, (names[row["schedule_id"]], *cells)))
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
    for figure in facts["figures"].values():
        of_n = k_of_n(figure["k"], figure["n"]) if figure.get("n") and "k" in figure else ""
        before = "" if figure["previous"] is None else _say_before(figure)
        table.add_row(*map(Text, (figure["label"], figure["headline"], of_n)), Text(before, style="dim"))
    return table


def _say_before(figure: dict[str, Any]) -> str:
    before = figure["previous"]
    is_share = before.get("n", SMALL) >= SMALL and isinstance(before["value"], float)
    text = percent(before["value"]) if is_share else str(before["text"])
    return f"{text}, {figure['change']}" if figure["change"] else text


def _schedules(facts: dict[str, Any]) -> Group | None:
    if not facts["schedules"]:
        return None
    shown, left = facts["schedules"][:MOST_SCHEDULES], facts["schedules"][MOST_SCHEDULES:]
    table = _table(("schedule", "left"), ("state", "left"), ("failed or missed", "right"), ("share", "right"))
    for row in shown:
        share = percent(row["error_rate"]) if row["n"] >= SMALL else ""
        table.add_row(Text(row["name"]), _state(row), Text(k_of_n(row["n_down"], row["n"])), Text(share))
    states = [row["state"] for row in left]
    counts = ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))
    return Group(table, *([Text(f"and {count(len(left), 'more schedule')}: {counts}")] if left else []))


def _state(row: dict[str, Any]) -> Text:
    sign, style = _SIGNS.get(row["state"], ("○", ""))
    return Text(f"{sign} {', '.join([row['state'], *row['flags']])}", style=style)


def _incidents(facts: dict[str, Any], width: int) -> Text | None:
    still = [row for row in facts["incidents"] if row["is_open"]]
    lines = [f"- {row['name']}: since {row['started_text']}, {row['hit_text']}" for row in still]
    more = [f"- and {len(still) - MOST_INCIDENTS:,} more"] if len(still) > MOST_INCIDENTS else []
    return _titled("Open incidents", [*lines[:MOST_INCIDENTS], *more], width)


def _causes(facts: dict[str, Any], width: int) -> Text | None:
    now = [row for row in facts["clusters"] if row["n"]]
    left = now[MOST_CLUSTERS:]
    lines = [
        f"- {row['n']:,} {row['cause']}{', new' if row['state'] == 'new' else ''}: {row['template']}"
        for row in now[:MOST_CLUSTERS]
    ]
    if left:
        n = sum(row["n"] for row in left)
        lines.append(f"- and {count(n, 'failure')} of {count(len(left), 'more kind')}")
    return _titled("Why actions did not start", lines, width)


def _titled(title: str, lines: list[str], width: int) -> Text | None:
    """Put a title above lines, which are cut between words where they do not fit."""
    if not lines:
        return None
    fitting = [textwrap.shorten(line, max(width, 40), placeholder=" …") for line in lines]
    return Text("\n").join([Text(title, style="dim"), *map(Text, fitting)])
