"""A page is all there is to say about one schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schedlog_analysis._core.words import (
    count,
    interval,
    k_of_n,
    money,
    percent,
    seconds_words,
    sentence,
    whole_number,
)
from schedlog_analysis.report.document import Block, Cell, Column, Pairs, Picture, Section, Table, cell, place
from schedlog_analysis.report.values import Facts


def pages_section(facts: Facts) -> Section | None:
    """Give the worst schedules a page each."""
    shown, rows = facts["pages"]["schedule_ids"], {one["schedule_id"]: one for one in facts["schedules"]}
    if not shown:
        return None
    told = [facts["pages"]["text"]] if facts["pages"]["text"] else []
    return Section("pages", "Single schedules", told, parts=[_page(rows[one], facts) for one in shown])


def _page(one: Facts, facts: Facts) -> Section:
    schedule_id = one["schedule_id"]
    picture = Picture(f"ticks-{schedule_id}", "Ticks over time", _ticks_alt(one))
    blocks: list[Block] = [Pairs(_pairs(one, facts)), picture]
    mine = {row["cluster_id"]: row for row in facts["clusters"]}
    if one["clusters"]:
        blocks.append(_messages(one, mine))
    if one["n_late"] or one["is_drifting"]:
        blocks.append(Picture(f"delay-{schedule_id}", "Delay of each tick", _delay_alt(one)))
    return Section(f"schedule-{schedule_id}", one["name"], _sentences(one), blocks, state=one["state"])


def _sentences(one: Facts) -> list[str]:
    told = []
    if one["cron_text"]:
        told.append(sentence(f"due {one['cron_text']}"))
    if one["n"]:
        told.append(
            f"{k_of_n(one['n_down'], one['n'])} failed or missed, 95 % interval {interval(one['low'], one['high'])}."
        )
    if one["flags"]:
        told.append(sentence(", ".join(one["flags"])))
    return told


def _pairs(one: Facts, facts: Facts) -> list[tuple[str, Cell]]:
    path = place("schedules", one["schedule_id"])
    told = [("Schedule", Cell(one["schedule_id"], f"{path}/schedule_id", one["schedule_id"], href=one["url"]))]
    if one["previous"] is not None and facts["comparison"] is not None:
        before = one["previous"]
        text = f"{before['text']} in {facts['comparison']['name']}"
        told.append(("Before", Cell(text, f"{path}/previous/error_rate", before["error_rate"])))
    for key, label in _COUNTS:
        if one[key]:
            told.append((label, cell(path, one, key, whole_number)))
    for key, label in _TIMES:
        if one[key]:
            told.append((label, cell(path, one, key, seconds_words)))
    if one["runs"]:
        told += [(label, cell(f"{path}/runs", one["runs"], key, say)) for key, label, say in _RUNS]
    return told


_COUNTS = (
    ("n_planned", "Planned"),
    ("n_on_time", "On time"),
    ("n_late", "Late"),
    ("n_missed", "Missed"),
    ("n_unknown", "Unknown"),
    ("n_duplicate", "Duplicate"),
    ("n_extra", "Extra"),
    ("n_manual", "Manual"),
    ("n_ok", "All actions started"),
    ("n_partial", "Partly failed"),
    ("n_failed", "Failed"),
    ("n_skipped", "Skipped"),
    ("n_incidents", "Incidents"),
)
_RUNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("n_ended", "Runs that ended", whole_number),
    ("success_rate", "Runs that succeeded", percent),
    ("duration_median", "Median run", seconds_words),
    ("usage_usd", "Cost of the runs", money),
)
_TIMES = (
    ("downtime", "Time in incidents"),
    ("mttr", "Mean time to repair"),
    ("mtbf", "Mean time between incidents"),
    ("longest_gap", "Longest silence"),
    ("delay_median", "Median delay"),
    ("delay_p95", "Delay, 95th percentile"),
    ("delay_max", "Longest delay"),
    ("offset", "Hidden offset of its cron"),
)


def _messages(one: Facts, clusters: dict[str, Facts]) -> Table:
    rows = []
    for row in one["clusters"]:
        known = clusters.get(row["cluster_id"])
        if known is not None:
            path = place("schedules", one["schedule_id"], "clusters", row["cluster_id"])
            rows.append((Cell(known["cause"]), Cell("", quote=known["example"]), cell(path, row, "n", whole_number)))
    columns = (Column("Cause", "cause"), Column("Message, as an example", "quote"), Column("Failures", "number"))
    return Table(f"messages-{one['schedule_id']}", f"Why {one['name']} failed", columns, rows)


def _ticks_alt(one: Facts) -> str:
    told = [f"{one[key]:,} {label.lower()}" for key, label in _COUNTS[1:8] if one[key]]
    return sentence(f"the {count(one['n_planned'], 'planned tick')} over time: {', '.join(told) or 'none'}")


def _delay_alt(one: Facts) -> str:
    times = [
        f"{label} {seconds_words(one[key])}"
        for key, label in (("delay_median", "median"), ("delay_p95", "95th percentile"), ("delay_max", "longest"))
    ]
    return sentence(f"the delay of each tick over time: {', '.join(times)}")
