"""Text: a brief in plain letters, for mail programs that show nothing else."""

from __future__ import annotations

import textwrap

from schedlog_analysis.report.document import Block, Cell, Pairs, Picture, Points, Section, Table
from schedlog_analysis.report.sections import notes, tiles
from schedlog_analysis.report.values import Facts

WIDTH = 78
_BOUND = "\N{NO-BREAK SPACE}%"


def render_text(facts: Facts, parts: list[Section]) -> str:
    """
    Render plain text of lines that are not too long.

    Parameters
    ----------
    facts
        What to say.
    parts
        Sections to render after the figures, see `brief`.
    """
    period, source = facts["period"], facts["source"]
    lines = [facts["verdict"], "", f"{facts['state_text']}. {facts['title']}, {period['name']}: {period['text']}"]
    compared = [facts["comparison"]["text"]] if facts["comparison"] else []
    lines += [*filter(None, [period["data_end_text"], *compared]), "", facts["coverage"]["text"], *notes(facts)]
    lines += ["", *_heading("Figures")] if facts["schedules"] else []
    lines += [
        f"- {tile.label}: {tile.cell.text} ({'; '.join(tile.lines)})"
        for tile in tiles(facts).tiles
        if facts["schedules"]
    ]
    for one in parts:
        lines += ["", *_heading(one.title), *one.sentences]
        for block in one.blocks:
            lines += _block(block)
    lines += ["", "-- ", f"{source['text']}. Made by {source['package']} {source['version']}."]
    return "\n".join(_wrapped(line) for line in lines) + "\n"


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
    told = [f"{label} {_cell(cell)}" for label, cell in zip(labels[1:], cells[1:], strict=True)]
    return f"- {_cell(cells[0])}: {'; '.join(told)}"


def _cell(cell: Cell) -> str:
    parts = [cell.text, f"“{cell.quote}”" if cell.quote else "", f"({cell.detail})" if cell.detail else ""]
    return " ".join(part for part in parts if part)


def _wrapped(line: str) -> str:
    if len(line) <= WIDTH:
        return line
    indent = "  " if line.startswith("- ") else ""
    # A number keeps its sign.
    bound = line.replace(" %", _BOUND)
    told = textwrap.fill(bound, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return told.replace(_BOUND, " %")
