"""Sections about what went wrong: incidents, failure clusters, bad days and hours."""

from __future__ import annotations

from schedlog_analysis._core.words import NONE, count, listed, percent, sentence, whole_number
from schedlog_analysis.report.document import Block, Cell, Column, Picture, Section, Table, cell, place
from schedlog_analysis.report.topics.schedule_sections import schedule_cell
from schedlog_analysis.report.topics.trouble import DAYS
from schedlog_analysis.report.values import Facts

MOST_INCIDENTS = 100  # rows of a table; beyond, a sentence counts the rest
MOST_CLUSTERS = 40
MOST_DAYS = 62


def incidents_section(facts: Facts) -> Section | None:
    """List every incident, and those that schedules shared."""
    rows, shared = facts["incidents"], facts["fleet_incidents"]
    if not rows:
        told = "No stretch of bad ticks was longer than chance explains."
        return Section("incidents", "Incidents", [told]) if facts["schedules"] else None
    n_open, n_schedules = sum(one["is_open"] for one in rows), len({one["schedule_id"] for one in rows})
    told = f"{count(len(rows), 'incident')} in {count(n_schedules, 'schedule')}; {n_open or 'none'} still open."
    left = len(rows) - MOST_INCIDENTS
    table = Table(
        "incident-table",
        "Incidents, the open ones first",
        _INCIDENTS,
        [_incident_row(one, facts) for one in rows[:MOST_INCIDENTS]],
        note=f"{left:,} older incidents are not listed." if left > 0 else "",
    )
    alt = sentence(f"a bar per incident from its start to its end, a row per schedule; {told[:-1]}, as in the table")
    blocks: list[Block] = [table, Picture("incidents", "Incidents over time", alt)]
    if shared:
        blocks.insert(1, _shared_table(shared))
    return Section("incidents", "Incidents", [told], blocks)


_INCIDENTS = (
    Column("Schedule", "name"),
    Column("From", "moment"),
    Column("To", "moment"),
    Column("Lasted", "moment"),
    Column("Ticks hit", "moment"),
    Column("Cause", "cause"),
)


def _incident_row(one: Facts, facts: Facts) -> tuple[Cell, ...]:
    path = place("incidents", one["incident_id"])
    return (
        schedule_cell(one, facts),
        cell(path, one, "started_text"),
        cell(path, one, "ended_text"),
        cell(path, one, "duration_text"),
        cell(path, one, "hit_text", detail="flapping" if one["is_flapping"] else ""),
        _cause_cell(path, one),
    )


def _cause_cell(path: str, one: Facts) -> Cell:
    """Name the cause of an incident, and quote a message of it, or say what silence may mean."""
    advice = "" if one["example"] else one["advice"] or ""
    return Cell(one["cause"] or "not known", f"{path}/cause", one["cause"], advice, quote=one["example"] or "")


def _shared_table(shared: list[Facts]) -> Table:
    columns = (
        Column("When", "name"),
        Column("Schedules", "name"),
        Column("Ticks hit", "number"),
        Column("Cause", "cause"),
    )
    rows = []
    for one in shared:
        path = place("fleet_incidents", one["fleet_incident_id"])
        said = (cell(path, one, "text"), cell(path, one, "names_text"), cell(path, one, "n_ticks", whole_number))
        rows.append((*said, _cause_cell(path, one)))
    return Table("shared", "Incidents that several schedules shared", columns, rows)


def failures_section(facts: Facts) -> Section | None:
    """List the failure clusters with cause and what to do, new ones marked, and those that are gone folded."""
    rows = facts["clusters"]
    now, gone = ([one for one in rows if (one["n"] > 0) is there] for there in (True, False))
    if not now:
        told = "No action failed to start."
        return Section("failures", "Failures", [told], _clusters(now, gone, facts)) if facts["schedules"] else None
    total = sum(one["n"] for one in now)
    n_new = sum(one["state"] == "new" for one in now)
    told = f"{count(total, 'failure')} of {count(len(now), 'kind')}"
    told += f", {n_new:,} of them new" if n_new else ""
    alt = f"A row per failure cluster over time; {count(total, 'failure')}, told in the table."
    pictures: list[Block] = [
        Picture("causes", "What stopped the actions", f"A bar per cause: {_by_cause(now)}."),
        Picture("clusters", "When each failure cluster struck", alt),
    ]
    return Section("failures", "Failures", [sentence(told)], [*_clusters(now, gone, facts), *pictures])


def _clusters(now: list[Facts], gone: list[Facts], facts: Facts) -> list[Block]:
    if not (now or gone):
        return []
    left = now[MOST_CLUSTERS:]
    rarer = f"{len(left):,} rarer clusters, with {sum(one['n'] for one in left):,} failures, are not listed."
    before = facts["comparison"]["name"] if facts["comparison"] else ""
    first = {one["cause"]: one["cluster_id"] for one in reversed(now)}
    return [
        Table(
            "cluster-table",
            "Failure clusters, the most frequent first",
            _CLUSTERS,
            [_cluster_row(one, is_first=first[one["cause"]] == one["cluster_id"]) for one in now[:MOST_CLUSTERS]],
            [_cluster_row(one, is_first=False) for one in gone[:MOST_CLUSTERS]],
            f"{count(len(gone), 'kind')} of {before} did not come back." if gone else "",
            rarer if left else "",
        )
    ]


_CLUSTERS = (
    Column("Cause", "cause"),
    Column("Message", "quote"),
    Column("Failures", "number"),
    Column("Share", "number"),
    Column("Before", "number"),
    Column("Schedules", "number"),
    Column("Seen", "moment"),
)


def _cluster_row(one: Facts, *, is_first: bool) -> tuple[Cell, ...]:
    path = place("clusters", one["cluster_id"])
    return (
        Cell(one["cause"], f"{path}/cause", one["cause"], one["state"] or ""),
        Cell("", f"{path}/template", one["template"], one["advice"] if is_first else "", quote=one["template"]),
        cell(path, one, "n", whole_number),
        Cell(one["share_text"], f"{path}/share", one["share"]),
        Cell(NONE) if one["n_previous"] is None else cell(path, one, "n_previous", whole_number),
        cell(path, one, "n_schedules", whole_number),
        cell(path, one, "first_text", detail="" if one["n"] == 1 else f"to {one['last_text']}"),
    )


def _by_cause(clusters: list[Facts]) -> str:
    counts: dict[str, int] = {}
    for one in clusters:
        counts[one["cause"]] = counts.get(one["cause"], 0) + one["n"]
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return listed([f"{cause} {n:,}" for cause, n in ordered])


def calendar_section(facts: Facts) -> Section | None:
    """Show on which days and at which hours it happened, in the report's zone."""
    days, hours = facts["days"], facts["hours"]
    if not hours:
        return None
    bad = [one for one in days if one["n_down"]]
    if not bad:
        return Section("calendar", "When", [f"Nothing failed or was missed on any of {count(len(days), 'day')}."])
    worst = max(bad, key=lambda one: (one["error_rate"], one["n_down"]))
    hour = max(hours, key=lambda one: (one["n_down"], one["error_rate"]))
    tz = facts["period"]["tz"]
    told = [
        f"On {len(bad):,} of {count(len(days), 'day')} something failed or was missed.",
        f"The worst day was {worst['day']}, with {worst['text']}.",
        f"The worst hour of the week was {DAYS[hour['weekday']]} {hour['hour']:02}:00 ({tz}), with {hour['text']}.",
    ]
    blocks: list[Block] = [
        Picture("calendar", "Failed or missed by day", told[1], _day_table(bad, len(days) - len(bad))),
        Picture("hours", "Failed or missed by hour and weekday", told[2], _hour_table(hours, tz)),
    ]
    if len(days) > 1:
        blocks.append(Picture("days", "Share that failed or was missed by day, with its 95 % interval", told[1]))
    return Section("calendar", "When", told, blocks)


def _day_table(bad: list[Facts], n_good: int) -> Table:
    columns = (Column("Day", "moment"), Column("Failed or missed", "number"), Column("Of", "number"))
    worst = sorted(bad, key=lambda one: (-one["error_rate"], one["day"]))[:MOST_DAYS]
    rows = [
        (
            Cell(one["day"]),
            cell(place("days", one["day"]), one, "n_down", whole_number),
            cell(place("days", one["day"]), one, "n", whole_number),
            cell(place("days", one["day"]), one, "error_rate", percent),
        )
        for one in sorted(worst, key=lambda one: one["day"])
    ]
    left = len(bad) - len(worst)
    note = (f"{left:,} days with lower shares are not listed. " if left else "") + (
        f"On {count(n_good, 'other day')} there were none." if n_good else ""
    )
    caption = "Days with failed or missed ticks"
    return Table("day-table", caption, (*columns, Column("Share", "number")), rows, note=note.strip())


def _hour_table(hours: list[Facts], tz: str) -> Table:
    known = {(one["weekday"], one["hour"]): one for one in hours}
    rows = [
        (Cell(f"{hour:02}:00"), *(_hour_cell(known.get((weekday, hour))) for weekday in range(len(DAYS))))
        for hour in range(24)
    ]
    columns = (Column("Hour", "moment"), *(Column(day[:3], "number") for day in DAYS))
    return Table("hour-table", f"Failed or missed of all that counts, by hour ({tz})", columns, rows)


def _hour_cell(one: Facts | None) -> Cell:
    if one is None:
        return Cell(NONE)
    path = place("hours", f"{one['weekday']}-{one['hour']}", "n_down")
    return Cell(f"{one['n_down']:,}/{one['n']:,}", path, one["n_down"])
