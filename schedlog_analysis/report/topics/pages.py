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
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Block, Cell, Column, Pairs, Picture, Section, Table, cell, place
from schedlog_analysis.report.topics.states import QUIET
from schedlog_analysis.report.values import Facts

PAGES = 20  # schedules that get a page of their own, unless asked otherwise


def page_facts(schedules: list[Facts], analysis: Analysis, most: int) -> Facts:
    """Choose the schedules that get a page of their own: the worst; a healthy one only if it is the only one."""
    drawable = set(analysis.ticks["schedule_id"].astype("str"))
    wanted = [row["schedule_id"] for row in schedules if row["state"] not in QUIET or len(schedules) == 1]
    shown = [schedule_id for schedule_id in wanted if schedule_id in drawable][: max(most, 0)]
    left_out = len(wanted) - len(shown)
    more = count(left_out, "more schedule with failures", "more schedules with failures")
    return {
        "schedule_ids": shown,
        "n_left_out": left_out,
        "n_drawable": len(drawable),
        "text": f"{more} {'has' if left_out == 1 else 'have'} no page here." if left_out else "",
    }


def pages_section(facts: Facts) -> Section | None:
    """Give the worst schedules a page each."""
    shown, rows = facts["pages"]["schedule_ids"], {row["schedule_id"]: row for row in facts["schedules"]}
    if not shown:
        return None
    more = [facts["pages"]["text"]] if facts["pages"]["text"] else []
    parts = [_page(rows[schedule_id], facts) for schedule_id in shown]
    return Section("pages", "Single schedules", more, parts=parts)


def _page(row: Facts, facts: Facts) -> Section:
    schedule_id = row["schedule_id"]
    blocks: list[Block] = [Pairs(_pairs(row, facts))]
    blocks.append(Picture(f"ticks-{schedule_id}", "Scheduled starts over time", _ticks_alt(row)))
    if row["clusters"]:
        blocks.append(_message_table(row, facts))
    if row["n_late"] or row["is_drifting"]:
        blocks.append(Picture(f"delay-{schedule_id}", "Delay of each start", _delay_alt(row)))
    return Section(f"schedule-{schedule_id}", row["name"], _sentences(row), blocks, state=row["state"])


def _sentences(row: Facts) -> list[str]:
    sentences = [sentence(f"due {row['cron_text']}")] if row["cron_text"] else []
    if row["n"]:
        bad, bounds = k_of_n(row["n_down"], row["n"]), interval(row["low"], row["high"])
        sentences.append(f"{bad} failed or missed, 95 % interval {bounds}.")
    return [*sentences, *([sentence(", ".join(row["flags"]))] if row["flags"] else [])]


def _pairs(row: Facts, facts: Facts) -> list[tuple[str, Cell]]:
    path, schedule_id = place("schedules", row["schedule_id"]), row["schedule_id"]
    pairs = [("Schedule", Cell(schedule_id, f"{path}/schedule_id", schedule_id, href=row["url"]))]
    if row["previous"] is not None and facts["comparison"] is not None:
        text = f"{row['previous']['text']} in {facts['comparison']['name']}"
        pairs.append(("Before", Cell(text, f"{path}/previous/error_rate", row["previous"]["error_rate"])))
    pairs += [(label, cell(path, row, key, whole_number)) for key, label in _COUNTS if row[key]]
    pairs += [(label, cell(path, row, key, seconds_words)) for key, label in _TIMES if row[key]]
    if row["runs"]:
        pairs += [(label, cell(f"{path}/runs", row["runs"], key, say)) for key, label, say in _RUNS]
    return pairs


_COUNTS = (
    ("n_planned", "Planned"),
    ("n_on_time", "On time"),
    ("n_late", "Late"),
    ("n_missed", "Missed"),
    ("n_maintenance", "In maintenance"),
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


def _message_table(row: Facts, facts: Facts) -> Table:
    clusters = {cluster["cluster_id"]: cluster for cluster in facts["clusters"]}
    rows = []
    for counted in row["clusters"]:
        known = clusters.get(counted["cluster_id"])
        if known is not None:
            path = place("schedules", row["schedule_id"], "clusters", counted["cluster_id"])
            n = cell(path, counted, "n", whole_number)
            rows.append((Cell(known["cause"]), Cell("", quote=known["example"]), n))
    columns = (Column("Cause", "cause"), Column("Message, as an example", "quote"), Column("Failures", "number"))
    return Table(f"messages-{row['schedule_id']}", f"Why {row['name']} failed", columns, rows)


def _ticks_alt(row: Facts) -> str:
    parts = [f"{row[key]:,} {label.lower()}" for key, label in _COUNTS[1:9] if row[key]]
    n = count(row["n_planned"], "scheduled start")
    return sentence(f"the {n} over time: {', '.join(parts) or 'none'}")


def _delay_alt(row: Facts) -> str:
    labels = (("delay_median", "median"), ("delay_p95", "95th percentile"), ("delay_max", "longest"))
    times = [f"{label} {seconds_words(row[key])}" for key, label in labels]
    return sentence(f"the delay of each start over time: {', '.join(times)}")
