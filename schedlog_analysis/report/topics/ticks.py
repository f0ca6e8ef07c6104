"""Ticks are the scheduled starts: what became of every one of them, and what each counted as."""

from __future__ import annotations

from schedlog_analysis._core.words import listed, sentence, whole_number
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Cell, Column, Section, Table, cell
from schedlog_analysis.report.values import ANSWERED, Facts, add_up
from schedlog_analysis.schema import COUNTED, REASONS, STATUSES

# What became of a scheduled start: its statuses and its reasons; every row of an accounting is in one of these.
FATES: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("started", "Started on time, every action", ("on_time",), ("started",)),
    ("started_late", "Started late, every action", ("late",), ("started", "late")),
    ("partial", "Partly failed: some actions did not start", ("on_time", "late"), ("partial",)),
    ("failed", "Failed to start: no action did", ("on_time", "late"), ("failed",)),
    ("skipped", "Skipped: the previous run still ran", ("on_time", "late"), ("skipped",)),
    ("missed", "Missed: due, but nothing was logged", ("missed",), ("missed",)),
    ("maintenance", "Within maintenance, whatever happened", STATUSES, ("maintenance",)),
    ("unknown", "Unknown: the log could not show it", ("unknown",), REASONS),
    ("duplicate", "Duplicate: started once more", ("duplicate",), (*ANSWERED, "duplicate")),
    ("extra", "Extra: started when nothing was due", ("extra",), (*ANSWERED, "extra")),
    ("manual", "Manual: started by hand", ("manual",), (*ANSWERED, "manual")),
)


def fate_facts(analysis: Analysis) -> list[Facts]:
    """Say what became of every scheduled start, and what it counted as; the rows add up to everything."""
    now, before = analysis.accounting, analysis.previous_accounting
    rows = []
    for name, label, status, reason in FATES:
        which = {"status": status, "reason": reason}
        counted = {f"n_{verdict}": add_up(now, counted_as=verdict, **which) for verdict in COUNTED}
        previous = None if analysis.previous is None else add_up(before, **which)
        rows.append({"id": name, "label": label, "n": add_up(now, **which), **counted, "n_previous": previous})
    return rows


def ticks_section(facts: Facts) -> Section | None:
    """Tell apart missed, late, duplicate and extra, and what each counted as."""
    rows = [row for row in facts["fates"] if row["id"] != "maintenance" or row["n"] or row["n_previous"]]
    if not any(row["n"] for row in rows):
        return None
    columns = {"n": "Number", "n_up": "Up", "n_down": "Down", "n_left_out": "Left out"}
    if facts["comparison"] is not None:
        columns |= {"n_previous": facts["comparison"]["name"]}
    body = [
        (Cell(row["label"]), *(cell(f"fates/{row['id']}", row, key, whole_number) for key in columns)) for row in rows
    ]
    total = (Cell("All"), *(Cell(whole_number(sum(row[key] for row in rows))) for key in columns))
    table = Table(
        "fates",
        "What became of every scheduled start",
        (
            Column("What happened", "name"),
            *(Column(label, "number", needs_room=key == "n_previous") for key, label in columns.items()),
        ),
        [*body, total],
        note="Up, down and left out: what each was counted as.",
        has_total=True,
    )
    n = {row["id"]: row["n"] for row in rows} | {"late": facts["figures"]["late_rate"]["k"]}
    text = listed([f"{n[name]:,} {name}" for name in ("missed", "late", "duplicate", "extra", "manual")])
    return Section("ticks", "Missed, late, duplicate and extra", [sentence(text)], [table])
