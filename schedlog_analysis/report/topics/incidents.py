"""Incidents are stretches in which a schedule was down, of one schedule or of several at once."""

from __future__ import annotations

from schedlog_analysis._core.words import clean, count, duration, listed, say_instant, sentence, whole_number
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.failures.causes import CAUSES
from schedlog_analysis.report.document import Block, Cell, Column, Picture, Section, Table, cell, place, schedule_cell
from schedlog_analysis.report.values import Facts, is_missing, iso, records, seconds

MOST_INCIDENTS = 100  # rows of a table; beyond, a sentence counts the rest
MOST_LISTED = 6  # schedules of a shared incident that are named


def incident_facts(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """List every incident, the open ones first, then the latest first; the cause, what it means and a real message."""
    table = analysis.incidents
    ordered = table.assign(is_open=table["ended_at"].isna())
    ordered = ordered.sort_values(["is_open", "started_at", "schedule_id"], ascending=[False, False, True])
    return [_incident(row, names, analysis) for row in records(ordered)]


def _incident(row: Facts, names: dict[str, str], analysis: Analysis) -> Facts:
    tz, schedule_id = analysis.period.tz, str(row["schedule_id"])
    return {
        "incident_id": row["incident_id"],
        "schedule_id": schedule_id,
        "name": names[schedule_id],
        "is_open": bool(row["is_open"]),
        "started_at": iso(row["started_at"]),
        "ended_at": iso(row["ended_at"]),
        "started_text": say_instant(row["started_at"], tz),
        "ended_text": "still open" if row["is_open"] else say_instant(row["ended_at"], tz),
        "duration": seconds(row["duration"]),
        "duration_text": _say_length(row, analysis),
        "n_ticks": int(row["n_ticks"]),
        "n_failed": int(row["n_failed"]),
        "n_missed": int(row["n_missed"]),
        "hit_text": _say_hit(int(row["n_failed"]), int(row["n_missed"]), int(row["n_ticks"])),
        "is_flapping": bool(row.get("is_flapping", False)),
        "cluster_id": _clean(row["cluster_id"]),
    } | _cause(row)


def _cause(row: Facts) -> Facts:
    cause = _clean(row["cause"])
    return {"cause": cause, "advice": CAUSES.get(cause or ""), "example": _clean(row["example"])}


def _say_length(row: Facts, analysis: Analysis) -> str:
    """Say how long it lasted; an open one lasts at least to the end of the data."""
    if not row["is_open"]:
        return duration(row["duration"])
    if analysis.data_end is None:
        return "still open"
    return f"{duration(analysis.data_end - row['started_at'])} so far"


def _say_hit(n_failed: int, n_missed: int, n_ticks: int) -> str:
    if not (n_failed and n_missed):
        return f"{n_failed or n_missed:,} of {n_ticks:,} {'failed' if n_failed else 'missed'}"
    return f"{n_failed:,} failed and {n_missed:,} missed of {n_ticks:,}"


def fleet_incident_facts(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """List incidents that several schedules shared, the latest first."""
    tz = analysis.period.tz
    table = analysis.fleet_incidents.sort_values(["started_at", "fleet_incident_id"], ascending=[False, True])
    rows = []
    for row in records(table):
        ids = str(row["schedules"]).split(",")
        named = sorted(names.get(schedule_id, schedule_id) for schedule_id in ids)
        more = [f"{len(named) - MOST_LISTED:,} more"] if len(named) > MOST_LISTED else []
        ended = "now, still open" if is_missing(row["ended_at"]) else say_instant(row["ended_at"], tz)
        shared = {
            "fleet_incident_id": row["fleet_incident_id"],
            "started_at": iso(row["started_at"]),
            "ended_at": iso(row["ended_at"]),
            "n_schedules": int(row["n_schedules"]),
            "schedule_ids": ids,
            "n_ticks": int(row["n_ticks"]),
            "n_failed": int(row["n_failed"]),
            "n_missed": int(row["n_missed"]),
            "text": f"{say_instant(row['started_at'], tz)} to {ended}, {count(int(row['n_schedules']), 'schedule')}",
            "names_text": listed([*named[:MOST_LISTED], *more]),
        }
        rows.append(shared | _cause(row))
    return rows


def _clean(value: object) -> str | None:
    return None if is_missing(value) else clean(str(value))


def incidents_section(facts: Facts) -> Section | None:
    """List every incident, and those that schedules shared."""
    rows, shared = facts["incidents"], facts["fleet_incidents"]
    if not rows:
        none = "No schedule was down for a stretch of time."
        return Section("incidents", "Incidents", [none]) if facts["schedules"] else None
    n_open, n_schedules = sum(row["is_open"] for row in rows), len({row["schedule_id"] for row in rows})
    text = f"{count(len(rows), 'incident')} in {count(n_schedules, 'schedule')}; {n_open or 'none'} still open."
    left = len(rows) - MOST_INCIDENTS
    table = Table(
        "incident-table",
        "Incidents, the open ones first",
        _INCIDENTS,
        [_incident_row(row, facts) for row in rows[:MOST_INCIDENTS]],
        note=f"{left:,} older incidents are not listed." if left > 0 else "",
    )
    alt = sentence(f"a bar per incident from its start to its end, a row per schedule; {text[:-1]}, as in the table")
    blocks: list[Block] = [table, *([_shared_table(shared)] if shared else [])]
    return Section("incidents", "Incidents", [text], [*blocks, Picture("incidents", "Incidents over time", alt)])


_INCIDENTS = (
    Column("Schedule", "name"),
    Column("From", "time"),
    Column("To", "time"),
    Column("Lasted", "time", needs_room=True),
    Column("Starts hit", "time"),
    Column("Cause", "cause"),
)


def _incident_row(row: Facts, facts: Facts) -> tuple[Cell, ...]:
    path = place("incidents", row["incident_id"])
    return (
        schedule_cell(row, facts),
        cell(path, row, "started_text"),
        cell(path, row, "ended_text"),
        cell(path, row, "duration_text"),
        cell(path, row, "hit_text", detail="flapping" if row["is_flapping"] else ""),
        _cause_cell(path, row),
    )


def _cause_cell(path: str, row: Facts) -> Cell:
    """Name the cause of an incident, and quote a message of it, or say what silence may mean."""
    advice = "" if row["example"] else row["advice"] or ""
    return Cell(row["cause"] or "not known", f"{path}/cause", row["cause"], advice, quote=row["example"] or "")


_SHARED = (
    Column("When", "name"),
    Column("Schedules", "name"),
    Column("Starts hit", "number"),
    Column("Cause", "cause"),
)


def _shared_table(shared: list[Facts]) -> Table:
    rows = []
    for row in shared:
        path = place("fleet_incidents", row["fleet_incident_id"])
        cells = (cell(path, row, "text"), cell(path, row, "names_text"), cell(path, row, "n_ticks", whole_number))
        rows.append((*cells, _cause_cell(path, row)))
    return Table("shared", "Incidents that several schedules shared", _SHARED, rows)
