"""Trouble is what went wrong and when: incidents, failure clusters, bad days and bad hours."""

from __future__ import annotations

from schedlog_analysis._core.words import clean, count, duration, listed, moment, percent, say
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.failures.causes import CAUSES, OTHER
from schedlog_analysis.report.values import Facts, is_missing, iso, number, records, seconds

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_LISTED = 6  # schedules of a shared incident that are named


def incident_facts(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """List every incident, the open ones first, then the latest first; the cause, what it means and a real message."""
    table = analysis.incidents
    ordered = table.assign(is_open=table["ended_at"].isna())
    ordered = ordered.sort_values(["is_open", "started_at", "schedule_id"], ascending=[False, False, True])
    return [_incident(row, names, analysis) for row in records(ordered)]


def _incident(row: Facts, names: dict[str, str], analysis: Analysis) -> Facts:
    tz, one = analysis.period.tz, str(row["schedule_id"])
    cause = _text(row["cause"])
    return {
        "incident_id": row["incident_id"],
        "schedule_id": one,
        "name": names[one],
        "is_open": bool(row["is_open"]),
        "started_at": iso(row["started_at"]),
        "ended_at": iso(row["ended_at"]),
        "started_text": moment(row["started_at"], tz),
        "ended_text": "still open" if row["is_open"] else moment(row["ended_at"], tz),
        "duration": seconds(row["duration"]),
        "duration_text": _lasting(row, analysis),
        "n_ticks": int(row["n_ticks"]),
        "n_failed": int(row["n_failed"]),
        "n_missed": int(row["n_missed"]),
        "hit_text": _hit(int(row["n_failed"]), int(row["n_missed"]), int(row["n_ticks"])),
        "is_flapping": bool(row.get("is_flapping", False)),
        "cluster_id": _text(row["cluster_id"]),
        "cause": cause,
        "advice": None if cause is None else CAUSES.get(cause),
        "example": _text(row["example"]),
    }


def _lasting(row: Facts, analysis: Analysis) -> str:
    """Say how long it lasted; an open one lasts at least to the end of the data."""
    if not row["is_open"]:
        return duration(row["duration"])
    if analysis.data_end is None:
        return "still open"
    return f"{duration(analysis.data_end - row['started_at'])} so far"


def _hit(n_failed: int, n_missed: int, n_ticks: int) -> str:
    told = [f"{n:,} {word}" for n, word in ((n_failed, "failed"), (n_missed, "missed")) if n]
    if len(told) == 1:
        return told[0].replace(" ", f" of {n_ticks:,} ", 1)
    return f"{listed(told)} of {n_ticks:,}"


def fleet_incident_facts(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """List incidents that several schedules shared, the latest first."""
    tz = analysis.period.tz
    table = analysis.fleet_incidents.sort_values(["started_at", "fleet_incident_id"], ascending=[False, True])
    rows = []
    for row in records(table):
        ids = str(row["schedules"]).split(",")
        named = sorted(names.get(one, one) for one in ids)
        more = len(named) - MOST_LISTED
        ended = "now, still open" if is_missing(row["ended_at"]) else moment(row["ended_at"], tz)
        rows.append(
            {
                "fleet_incident_id": row["fleet_incident_id"],
                "started_at": iso(row["started_at"]),
                "ended_at": iso(row["ended_at"]),
                "n_schedules": int(row["n_schedules"]),
                "schedule_ids": ids,
                "n_ticks": int(row["n_ticks"]),
                "n_failed": int(row["n_failed"]),
                "n_missed": int(row["n_missed"]),
                "cause": _text(row["cause"]),
                "advice": CAUSES.get(str(row["cause"])),
                "example": _text(row["example"]),
                "text": f"{moment(row['started_at'], tz)} to {ended}, {count(int(row['n_schedules']), 'schedule')}",
                "names_text": listed([*named[:MOST_LISTED], *([f"{more:,} more"] if more > 0 else [])]),
            }
        )
    return rows


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
            "first_text": moment(row["first_seen"], tz),
            "last_text": moment(row["last_seen"], tz),
            "example": clean(str(row["example"])),
        }
        for row in records(analysis.clusters)
    ]


def day_facts(analysis: Analysis) -> list[Facts]:
    """List the local days of the period with what counted and what of it was down."""
    table, tz = analysis.daily, analysis.period.tz
    return [{"day": moment(row["window_start"], tz)[:10], **_rate(row)} for row in records(table)]


def hour_facts(analysis: Analysis) -> list[Facts]:
    """List the local hours of the week in which something was due."""
    table = analysis.clock[analysis.clock["n"] > 0]
    return [{"weekday": int(row["weekday"]), "hour": int(row["hour"]), **_rate(row)} for row in records(table)]


def _rate(row: Facts) -> Facts:
    n, n_down = int(row["n"]), int(row["n_failed"])
    told = {"n": n, "n_down": n_down, "error_rate": number(row["error_rate"]), "text": say(n_down, n)}
    return told | {"low": number(row["low"]), "high": number(row["high"])}


def _text(value: object) -> str | None:
    return None if is_missing(value) else clean(str(value))
