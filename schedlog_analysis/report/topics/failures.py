"""Failures are actions that did not start, by what stopped them: their causes, and their clusters of one message."""

from __future__ import annotations

from schedlog_analysis._core.words import NONE, clean, count, listed, percent, say_instant, sentence, whole_number
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.failures.causes import CAUSES, OTHER
from schedlog_analysis.report.document import Block, Cell, Column, Picture, Section, Table, cell, place
from schedlog_analysis.report.values import Facts, iso, number, records

MOST_CLUSTERS = 40  # rows of a table; beyond, a sentence counts the rest


def cluster_facts(analysis: Analysis) -> list[Facts]:
    """List the failure clusters, the most frequent first and those that are gone last, with what to do about each."""
    tz, has_state = analysis.period.tz, analysis.previous is not None
    return [
        {
            "cluster_id": row["cluster_id"],
            "cause": row["cause"],
            "advice": CAUSES.get(row["cause"], CAUSES[OTHER]),
            "template": clean(str(row["template"]), 200),
            "n": int(row["n"]),
            "share": number(row["share"]),
            "share_text": percent(row["share"]) if row["n"] else "",
            "n_schedules": int(row["n_schedules"]),
            "n_previous": int(row["n_previous"]) if has_state else None,
            "state": str(row["state"]) if has_state else None,
            "first_seen": iso(row["first_seen"]),
            "last_seen": iso(row["last_seen"]),
            "first_text": say_instant(row["first_seen"], tz),
            "last_text": say_instant(row["last_seen"], tz),
            "example": clean(str(row["example"])),
        }
        for row in records(analysis.clusters)
    ]


def cause_facts(clusters: list[Facts]) -> list[Facts]:
    """Add up the clusters of each cause, the most frequent first, with the share that they make together."""
    n: dict[str, int] = {}
    for row in clusters:
        n[row["cause"]] = n.get(row["cause"], 0) + row["n"]
    total, so_far, rows = sum(n.values()), 0, []
    for cause, count_of in sorted(n.items(), key=lambda pair: (-pair[1], pair[0])):
        if count_of:
            so_far += count_of
            rows.append({"id": cause, "n": count_of, "share": count_of / total, "share_so_far": so_far / total})
    return rows


def failures_section(facts: Facts) -> Section | None:
    """List the failure clusters with cause and what to do, new ones marked, and those that are gone folded."""
    rows = facts["clusters"]
    now, gone = [row for row in rows if row["n"]], [row for row in rows if not row["n"]]
    tables: list[Block] = [_cluster_table(now, gone, facts)] if rows else []
    if not now:
        none = "No action failed to start."
        return Section("failures", "Failures", [none], tables) if facts["schedules"] else None
    total = count(sum(row["n"] for row in now), "failure")
    n_new = sum(row["state"] == "new" for row in now)
    text = f"{total} of {count(len(now), 'kind')}" + (f", {n_new:,} of them new" if n_new else "")
    by_cause = listed([f"{row['id']} {row['n']:,}" for row in facts["causes"]])
    pictures = [
        Picture("causes", "What stopped the actions", f"A bar per cause: {by_cause}."),
        Picture("clusters", "When each kind of failure struck", f"A row per kind over time; {total}, as in the table."),
    ]
    return Section("failures", "Failures", [sentence(text)], [*tables, *pictures])


def _cluster_table(now: list[Facts], gone: list[Facts], facts: Facts) -> Table:
    left = now[MOST_CLUSTERS:]
    rarer = f"{len(left):,} rarer kinds, with {sum(row['n'] for row in left):,} failures, are not listed."
    before = facts["comparison"]["name"] if facts["comparison"] else ""
    first = {row["cause"]: row["cluster_id"] for row in reversed(now)}
    return Table(
        "cluster-table",
        "Kinds of failures, the most frequent first",
        _CLUSTERS,
        [_cluster_row(row, is_first=first[row["cause"]] == row["cluster_id"]) for row in now[:MOST_CLUSTERS]],
        [_cluster_row(row, is_first=False) for row in gone[:MOST_CLUSTERS]],
        f"{count(len(gone), 'kind')} of {before} did not come back." if gone else "",
        rarer if left else "",
    )


_CLUSTERS = (
    Column("Cause", "cause"),
    Column("Message", "quote"),
    Column("Failures", "number"),
    Column("Share", "number", needs_room=True),
    Column("Before", "number"),
    Column("Schedules", "number", needs_room=True),
    Column("Seen", "time", needs_room=True),
)


def _cluster_row(row: Facts, *, is_first: bool) -> tuple[Cell, ...]:
    path = place("clusters", row["cluster_id"])
    return (
        Cell(row["cause"], f"{path}/cause", row["cause"], row["state"] or ""),
        Cell("", f"{path}/template", row["template"], row["advice"] if is_first else "", quote=row["template"]),
        cell(path, row, "n", whole_number),
        Cell(row["share_text"], f"{path}/share", row["share"]),
        Cell(NONE) if row["n_previous"] is None else cell(path, row, "n_previous", whole_number),
        cell(path, row, "n_schedules", whole_number),
        cell(path, row, "first_text", detail="" if row["n"] == 1 else f"to {row['last_text']}"),
    )
