"""
A document is a report in reading order: sections of sentences, tables and pictures, before any format is chosen.

Every number is a `Cell` that says where in the facts it stands, so that no format can have a number of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, unquote

from schedlog_analysis.report.values import Facts

Kind = Literal["text", "number", "time", "name", "state", "cause", "quote"]


@dataclass(frozen=True)
class Cell:
    """
    One figure or text.

    Attributes
    ----------
    text
        What to show.
    fact, value
        Where in the facts it stands, such as ``"schedules/<id>/n_missed"``, and what stands there; empty for labels.
    detail
        Small print beneath it.
    href
        What it links to.
    quote
        Text that the platform or a user wrote, such as a message.
    """

    text: str
    fact: str = ""
    value: Any = None
    detail: str = ""
    href: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table; its kind says how to set it, and whether it only stands where there is room."""

    label: str
    kind: Kind = "text"
    needs_room: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns; those `folded` need no attention, and `fold_text` says what they are."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    folded: Sequence[tuple[Cell, ...]] = ()
    fold_text: str = ""
    note: str = ""
    has_total: bool = False  # whether the last row sums up the others


@dataclass(frozen=True)
class Picture:
    """A drawing, by its id; what it shows in words; and the same as a table, if none stands beside it."""

    id: str
    caption: str
    alt: str
    data: Table | None = None


@dataclass(frozen=True)
class Pairs:
    """Labels and what they say."""

    rows: list[tuple[str, Cell]]


@dataclass(frozen=True)
class Tile:
    """One figure to remember, with the lines that qualify it."""

    label: str
    cell: Cell
    lines: list[str]


@dataclass(frozen=True)
class Tiles:
    """The few figures to remember."""

    tiles: list[Tile]


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    sentences: list[str]


Block = Table | Picture | Pairs | Tiles | Points


@dataclass(frozen=True)
class Section:
    """A heading, sentences and blocks; `parts` are sections beneath it."""

    id: str
    title: str
    sentences: list[str]
    blocks: list[Block] = field(default_factory=list)
    parts: list[Section] = field(default_factory=list)
    state: str = ""


def cell(path: str, row: Facts, key: str, say: Callable[[Any], str] = str, **more: str) -> Cell:
    """
    Make the cell of one fact.

    Parameters
    ----------
    path
        Where the row stands in the facts.
    row, key
        The row, and which of its values.
    say
        How to put the value into words.
    more
        Detail and link of the cell.

    Examples
    --------
    >>> cell("fates/missed", {"n": 1204}, "n", "{:,}".format)
    Cell(text='1,204', fact='fates/missed/n', value=1204, detail='', href='', quote='')
    """
    return Cell(say(row[key]), f"{path}/{key}", row[key], **more)


def schedule_cell(row: Facts, facts: Facts, detail: str = "") -> Cell:
    """Name a schedule, with a link to its page if it has one."""
    schedule_id = row["schedule_id"]
    href = f"#schedule-{schedule_id}" if schedule_id in facts["pages"]["schedule_ids"] else ""
    return Cell(row["name"], place("schedules", schedule_id, "name"), row["name"], detail, href)


def place(*steps: str) -> str:
    """
    Say where in the facts something stands.

    Examples
    --------
    >>> place("schedules", "me/my schedule", "n")
    'schedules/me%2Fmy%20schedule/n'
    """
    return "/".join(quote(step, safe="~", errors="surrogatepass") for step in steps)


def lookup(facts: Facts, path: str) -> Any:  # noqa: ANN401 - whatever stands there
    """
    Find a value of the facts by its path; rows of lists are found by their ids.

    Raises
    ------
    KeyError
        If nothing stands there.

    Examples
    --------
    >>> lookup({"days": [{"day": "2026-10-05", "n": 3}]}, "days/2026-10-05/n")
    3
    """
    value: Any = facts
    for step in map(unquote, path.split("/")):
        if isinstance(value, list):
            found = [row for row in value if _key(row) == step]
        else:
            found = [value[step]] if step in value else []
        if not found:
            raise KeyError(path)
        value = found[0]
    return value


def _key(row: Facts) -> str:
    if "weekday" in row:
        return f"{row['weekday']}-{row['hour']}"
    keys = ("id", "incident_id", "fleet_incident_id", "cluster_id", "schedule_id", "day")
    return str(next(row[name] for name in keys if name in row))
