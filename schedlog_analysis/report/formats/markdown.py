"""Markdown: the document as text with tables, as GitHub and others render it; pictures stay in the page."""

from __future__ import annotations

import re

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Block, Cell, Pairs, Picture, Points, Section, Table, Tiles
from schedlog_analysis.report.sections import notes, sections
from schedlog_analysis.report.topics.figures import tiles
from schedlog_analysis.report.values import Facts


def render(facts: Facts, _: Analysis | None = None) -> str:
    """Render the document in reading order."""
    period = facts["period"]
    compared = facts["comparison"]["text"] if facts["comparison"] else ""
    parts = [f"# {escape(facts['verdict'])}", f"**{facts['state_text']}.** {facts['title']}, {escape(period['name'])}."]
    parts += [escape(" ".join(filter(None, (period["text"], period["data_end_text"], compared))))]
    parts += ["## What could be seen", escape(facts["coverage"]["text"]), *map(escape, notes(facts))]
    parts += ["## Figures", _block(tiles(facts))] if facts["schedules"] else []
    for section in sections(facts):
        parts += _section(section, 2)
    source = facts["source"]
    read = f" Read from {source['name']}." if source["name"] else ""
    parts += ["---", escape(f"{source['text']}.{read} Made by {source['package']} {source['version']}.")]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    r"""
    Make a text mean itself in Markdown.

    Examples
    --------
    >>> escape("*/5 <b>")
    '\\*/5 \\<b\\>'
    """
    return _MARKS.sub(r"\\\1", text)


def code(text: str) -> str:
    """
    Set a text in a code span, in which nothing has a meaning, not even backticks.

    Examples
    --------
    >>> code("a `b`")
    '`` a `b` ``'
    """
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", r"\|")


_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def _section(section: Section, level: int) -> list[str]:
    parts = [f"{'#' * level} {escape(section.title)}", f"**{section.state}**" if section.state else ""]
    parts += [*map(escape, section.sentences), *map(_block, section.blocks)]
    for part in section.parts:
        parts += _section(part, level + 1)
    return parts


def _block(block: Block) -> str:
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Picture):
        return "" if block.data is None else _table(block.data)
    if isinstance(block, Pairs):
        return "\n".join(f"- {label}: {_cell(cell)}" for label, cell in block.rows)
    if isinstance(block, Points):
        return "\n".join(f"- {escape(sentence)}" for sentence in block.sentences)
    return _tiles(block)


def _tiles(block: Tiles) -> str:
    return "\n".join(
        f"- {escape(tile.label)}: **{escape(tile.cell.text)}** ({escape('; '.join(tile.lines))})"
        for tile in block.tiles
    )


def _table(table: Table) -> str:
    head = [f"**{escape(table.caption)}**", ""] if table.rows else []
    labels = "| " + " | ".join(escape(column.label) for column in table.columns) + " |"
    rule = "| " + " | ".join("---:" if column.kind == "number" else "---" for column in table.columns) + " |"
    lines = [*head, labels, rule, *map(_row, table.rows)] if table.rows else []
    if table.folded:
        lines += ["", escape(table.fold_text), "", labels, rule, *map(_row, table.folded)]
    return "\n".join([*lines, *(["", escape(table.note)] if table.note else [])]).strip()


def _row(cells: tuple[Cell, ...]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(cell: Cell) -> str:
    text = f"[{escape(cell.text)}]({cell.href})" if cell.href.startswith("https://") else escape(cell.text)
    parts = [text, code(cell.quote) if cell.quote else "", f"({escape(cell.detail)})" if cell.detail else ""]
    return " ".join(part for part in parts if part)
