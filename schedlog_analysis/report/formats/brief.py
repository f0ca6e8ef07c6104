"""A brief is the document cut down to what fits a mail: the worst of everything, and what to know of the rest."""

from __future__ import annotations

from dataclasses import replace

from schedlog_analysis._core.words import count
from schedlog_analysis.report.document import Block, Cell, Picture, Section, Table, lookup
from schedlog_analysis.report.sections import sections
from schedlog_analysis.report.values import Facts

# Sections of a mail, their tables' columns that fit its width, and how many rows of each.
_TABLES = {
    "fleet": (("Schedule", "State", "Failed or missed", "Share", "Before"), 12),
    "incident-table": (("Schedule", "From", "To", "Ticks hit", "Cause"), 10),
    "shared": (("When", "Schedules", "Ticks hit", "Cause"), 5),
    "cluster-table": (("Cause", "Message", "Failures", "Before"), 10),
    "fates": (("What happened", "Ticks", "Up", "Down", "Left out"), 20),
}
_SECTIONS = ("schedules", "incidents", "failures", "ticks", "runs", "objective", "counting")
_PICTURES = ("timeline",)


def brief(facts: Facts) -> list[Section]:
    """Cut the document down."""
    found = {one.id: one for one in sections(facts)}
    return [replace(found[name], blocks=_blocks(found[name], facts)) for name in _SECTIONS if name in found]


def _blocks(section: Section, facts: Facts) -> list[Block]:
    blocks: list[Block] = []
    for block in section.blocks:
        if isinstance(block, Table):
            blocks += [_cut(block, facts)] if block.id in _TABLES else []
        elif not isinstance(block, Picture) or block.id in _PICTURES:
            blocks.append(block)
    return blocks


def _cut(table: Table, facts: Facts) -> Table:
    labels, most = _TABLES[table.id]
    places = [i for i, column in enumerate(table.columns) if column.label in labels]
    rows = [tuple(_linked(cells[i], facts) for i in places) for cells in table.rows[:most]]
    left = len(table.rows) - len(rows)
    notes = [f"{count(left, 'more row')} in the full report." if left else "", table.fold_text]
    columns = tuple(table.columns[i] for i in places)
    return replace(table, columns=columns, rows=rows, folded=(), fold_text="", note=" ".join(filter(None, notes)))


def _linked(cell: Cell, facts: Facts) -> Cell:
    """Let the name of a schedule lead to Apify Console, because its page is not there."""
    if cell.fact.startswith("schedules/") and cell.fact.endswith("/name"):
        return replace(cell, href=lookup(facts, cell.fact.removesuffix("/name"))["url"])
    return replace(cell, href="")
