"""A brief is the document cut down to what fits a mail: the worst of everything, and what to know of the rest."""

from __future__ import annotations

from dataclasses import replace

from schedlog_analysis._core.words import count
from schedlog_analysis.report.document import Block, Cell, Picture, Section, Table, lookup
from schedlog_analysis.report.sections import sections
from schedlog_analysis.report.values import Facts

SECTIONS = ("schedules", "incidents", "failures", "ticks", "runs", "objective", "counting")
PICTURES = ("timeline",)
MOST_ROWS = {"fleet": 12, "incident-table": 10, "shared": 5, "cluster-table": 10, "fates": 20}  # by table


def brief(facts: Facts) -> list[Section]:
    """Cut the document down."""
    found = {section.id: section for section in sections(facts)}
    return [replace(found[name], blocks=_pick_blocks(found[name], facts)) for name in SECTIONS if name in found]


def _pick_blocks(section: Section, facts: Facts) -> list[Block]:
    blocks: list[Block] = []
    for block in section.blocks:
        if isinstance(block, Table):
            blocks += [_cut(block, facts)] if block.id in MOST_ROWS else []
        elif not isinstance(block, Picture) or block.id in PICTURES:
            blocks.append(block)
    return blocks


def _cut(table: Table, facts: Facts) -> Table:
    places = [place for place, column in enumerate(table.columns) if not column.needs_room]
    rows = [tuple(_link(cells[place], facts) for place in places) for cells in table.rows[: MOST_ROWS[table.id]]]
    left = len(table.rows) - len(rows)
    notes = [f"{count(left, 'more row')} in the full report." if left else "", table.fold_text]
    columns = tuple(table.columns[place] for place in places)
    return replace(table, columns=columns, rows=rows, folded=(), fold_text="", note=" ".join(filter(None, notes)))


def _link(cell: Cell, facts: Facts) -> Cell:
    """Let the name of a schedule lead to Apify Console, because its page is not there."""
    if cell.fact.startswith("schedules/") and cell.fact.endswith("/name"):
        return replace(cell, href=lookup(facts, cell.fact.removesuffix("/name"))["url"])
    return replace(cell, href="")
