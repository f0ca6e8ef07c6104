"""A section is one part of the report's reading order, made of facts; a section without facts does not exist."""

from __future__ import annotations

from schedlog_analysis._core.words import seconds_words, sentence, whole_number
from schedlog_analysis.report.document import (
    Block,
    Cell,
    Column,
    Picture,
    Points,
    Section,
    Table,
    Tile,
    Tiles,
    cell,
    place,
)
from schedlog_analysis.report.topics.pages import pages_section
from schedlog_analysis.report.topics.schedule_sections import (
    lateness_section,
    runs_section,
    schedules_section,
    ticks_section,
)
from schedlog_analysis.report.topics.trouble_sections import calendar_section, failures_section, incidents_section
from schedlog_analysis.report.values import Facts

CHANGES = (
    "A change is called worse or better where chance alone makes one so large less than once in twenty;"
    " a single incident can make it."
)


def sections(facts: Facts) -> list[Section]:
    """Put the facts into reading order; what there are no facts of is left out."""
    makers = (
        schedules_section,
        incidents_section,
        failures_section,
        ticks_section,
        runs_section,
        lateness_section,
        calendar_section,
        objective_section,
        pages_section,
        counting_section,
    )
    return [made for made in (make(facts) for make in makers) if made is not None]


def tiles(facts: Facts) -> Tiles:
    """Show the figures to remember."""
    return Tiles(
        [
            Tile(
                one["label"],
                Cell(one["headline"], f"figures/{one['id']}/value", one["value"]),
                [line for line in (one["of_what"], one["note"], one["change_text"]) if line],
            )
            for one in facts["figures"]
        ]
    )


def notes(facts: Facts) -> list[str]:
    """Say what restricts the figures."""
    caution = facts["comparison"]["caution"] if facts["comparison"] else ""
    return [*facts["coverage"]["notes"], *([caution] if caution else [])]


def objective_section(facts: Facts) -> Section | None:
    """Say whether the objective was met."""
    objective = facts["objective"]
    if objective is None:
        return None
    told = [objective["text"], *([objective["schedules_text"]] if objective["schedules_text"] else [])]
    picture = Picture("budget", "Error budget left", objective["text"])
    return Section("objective", "Objective", told, [picture] if objective["days"] else [])


def counting_section(facts: Facts) -> Section:
    """Say what counted how, what was taken for granted, and what the logs could not show."""
    coverage = facts["coverage"]
    changes = [CHANGES] if facts["comparison"] else []
    grace = seconds_words(facts["grace"])
    late = f"Late is what ran more than {grace} after its tick, or more than half the time to the next one."
    blocks: list[Block] = [Points([*facts["policy"], late, *changes, *facts["assumptions"]])]
    if coverage["gaps"]:
        blocks.append(_gaps_table(coverage["gaps"]))
    return Section("counting", "How this was counted", [coverage["text"]], blocks)


def _gaps_table(gaps: list[Facts]) -> Table:
    columns = (Column("Schedule", "name"), Column("Unknown", "number"), Column("Of planned", "number"), Column("Why"))
    rows = []
    for one in gaps:
        path = place("schedules", one["schedule_id"])
        counts = (cell(path, one, key, whole_number) for key in ("n_unknown", "n_planned"))
        rows.append((Cell(one["name"]), *counts, Cell(sentence(one["text"]))))
    return Table("gaps", "Ticks that the logs could not show", columns, rows)
