"""Text: a brief in plain letters, for mail programs that show nothing else."""

from __future__ import annotations

import textwrap

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Block, Cell, Pairs, Picture, Points, Table, Tile
from schedlog_analysis.report.formats.brief import brief
from schedlog_analysis.report.sections import notes
from schedlog_analysis.report.topics.figures import tiles
from schedlog_analysis.report.values import Facts

WIDTH = 78
_BOUND = "\N{NO-BREAK SPACE}%"


def render(facts: Facts, _: Analysis | None = None) -> str:
    """Render plain text of lines that are not too long."""
    period, source = facts["period"], facts["source"]
    lines = [facts["verdict"], "", f"{facts['state_text']}. {facts['title']}, {period['name']}: {period['text']}"]
    compared = facts["comparison"]["text"] if facts["comparison"] else ""
    lines += [*filter(None, [period["data_end_text"], compared]), "", facts["coverage"]["text"], *notes(facts)]
    if facts["schedules"]:
        lines += ["", *_heading("Figures"), *map(_tile, tiles(facts).tiles)]
    for section in brief(facts):
        lines += ["", *_heading(section.title), *section.sentences]
        for block in section.blocks:
            lines += _block(block)
    lines += ["", "-- ", f"{source['text']}. Made by {source['package']} {source['version']}."]
    return "\n".join(map(_wrap, lines)) + "\n"


def _tile(tile: Tile) -> str:
    return f"- {tile.label}: {tile.cell.text} ({'; '.join(tile.lines)})"


def _heading(title: str) -> list[str]:
    return [title, "=" * len(title)]


def _block(block: Block) -> list[str]:
    if isinstance(block, Table):
        return ["", *(_row(cells, block) for cells in block.rows), *([block.note] if block.note else [])]
    if isinstance(block, Points):
        return [f"- {sentence}" for sentence in block.sentences]
    if isinstance(block, Pairs):
        return [f"- {label}: {_cell(cell)}" for label, cell in block.rows]
    return [f"[{block.caption}: {block.alt}]"] if isinstance(block, Picture) else []


def _row(cells: tuple[Cell, ...], table: Table) -> str:
    labels = [column.label.lower() for column in table.columns]
    parts = [f"{label} {_cell(cell)}" for label, cell in zip(labels[1:], cells[1:], strict=True)]
    return f"- {_cell(cells[0])}: {'; '.join(parts)}"


def _cell(cell: Cell) -> str:
    parts = [cell.text, f"“{cell.quote}”" if cell.quote else "", f"({cell.detail})" if cell.detail else ""]
    return " ".join(part for part in parts if part)


def _wrap(line: str) -> str:
    if len(line) <= WIDTH:
        return line
    indent = "  " if line.startswith("- ") else ""
    # A number keeps its sign.
    bound = line.replace(" %", _BOUND)
    filled = textwrap.fill(bound, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return filled.replace(_BOUND, " %")
