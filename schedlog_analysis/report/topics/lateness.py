"""Lateness is how long after the planned instants the schedules start, and whether that drifts."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.words import NONE, count, seconds_words
from schedlog_analysis.report.document import Cell, Column, Picture, Section, Table, cell, place, schedule_cell
from schedlog_analysis.report.values import Facts

MOST_LATE = 15  # rows of the table


def lateness_facts(schedules: list[Facts]) -> Facts | None:
    """Say how late the schedules usually are, and which drift; None where no delay is known."""
    known = [row for row in schedules if row["delay_median"] is not None]
    if not known:
        return None
    typical, p95 = (float(pd.Series([row[name] for row in known]).median()) for name in ("delay_median", "delay_p95"))
    worst = max(known, key=lambda row: (row["delay_max"], row["schedule_id"]))
    drifting = [row["schedule_id"] for row in known if row["is_drifting"]]
    return {
        "n_schedules": len(known),
        "delay_median": typical,
        "delay_p95": p95,
        "delay_max": worst["delay_max"],
        "worst_schedule_id": worst["schedule_id"],
        "drifting": drifting,
        "text": _say_lateness(typical, p95, worst, len(drifting)),
    }


def _say_lateness(typical: float, p95: float, worst: Facts, n_drifting: int) -> str:
    usual, rare = seconds_words(typical), seconds_words(p95)
    sentences = (
        f"A typical schedule started {usual} after it was due, and one time in twenty after {rare} or more.",
        f"The longest delay was {seconds_words(worst['delay_max'])}, of {worst['name']}.",
        f"The delay of {count(n_drifting, 'schedule')} drifted." if n_drifting else "No delay drifted clearly.",
    )
    return " ".join(sentences)


def lateness_section(facts: Facts) -> Section | None:
    """Show how late the schedules are, and which drift."""
    lateness = facts["lateness"]
    if lateness is None:
        return None
    known = [row for row in facts["schedules"] if row["delay_p95"] is not None]
    known.sort(key=lambda row: (not row["is_drifting"], -row["delay_p95"], row["name"]))
    left = len(known) - MOST_LATE
    more = f" {count(left, 'schedule')} with shorter delays {'is' if left == 1 else 'are'} not listed."
    table = Table(
        "lateness-table",
        "Delay by schedule, the latest first",
        (Column("Schedule", "name"), *(Column(label, "number") for label in _COLUMNS)),
        [_table_row(row, facts) for row in known[:MOST_LATE]],
        note="Jitter: from the median to the 95th percentile." + (more if left > 0 else ""),
    )
    alt = "A row per schedule with the median, the 95th percentile and the longest of its delays, as in the table."
    return Section("lateness", "Lateness", [lateness["text"]], [table, Picture("lateness", "Delay by schedule", alt)])


_COLUMNS = ("Median", "95th percentile", "Longest", "Jitter", "Drift a day")


def _table_row(row: Facts, facts: Facts) -> tuple[Cell, ...]:
    path = place("schedules", row["schedule_id"])
    times = ("delay_median", "delay_p95", "delay_max", "delay_spread")
    return (schedule_cell(row, facts), *(cell(path, row, key, seconds_words) for key in times), _drift_cell(path, row))


def _drift_cell(path: str, row: Facts) -> Cell:
    """Say the drift of a schedule's delay, or that there is none to speak of."""
    drift = row["drift"]
    if drift is None:
        return Cell(NONE)
    if not row["is_drifting"]:
        return Cell("none clear", f"{path}/drift", drift)
    bounds = f"{row['drift_low']:+,.0f} to {row['drift_high']:+,.0f} ms"
    return Cell(f"{drift:+,.0f} ms", f"{path}/drift", drift, bounds)
