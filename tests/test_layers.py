"""The house stands on its floors: a module imports only from floors beneath its own."""

import ast
from pathlib import Path

import pytest

import schedlog_analysis

PACKAGE = Path(schedlog_analysis.__file__).parent
FLOORS = [
    {"errors", "files", "progress", "redact", "shares", "spacing"},
    {"causes", "expression", "instants", "table", "templates", "token", "windows", "zones"},
    {"keys", "schema"},
    {"clusters", "coverage", "objects", "parse", "period", "planning", "stretches", "transport", "wording"},
    {"apify", "archive", "cron", "groups", "trials"},
    {"infer", "plan", "policy", "source", "sync"},
    {"bursts", "failures", "incidents", "invocations", "offsets", "plot", "rates", "reliability"},
    {"budget", "ticks"},
    {"cadence", "changes", "compare", "funnel", "runs", "simulate", "slo"},
    {"analysis"},
    {"accessor", "fleet", "report"},
    {"server", "show"},
    {"cli"},
    {"__main__"},
]


def _rooms() -> list[str]:
    return sorted(
        {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")} - {"__init__"}
    )


def _imported(room: str) -> set[str]:
    files = [PACKAGE / f"{room}.py", *sorted((PACKAGE / room).rglob("*.py"))]
    found = set()
    for file in files:
        if file.exists():
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                found |= {name.split(".")[1] for name in names if name.startswith("schedlog_analysis.")}
    return found - {room}


@pytest.mark.parametrize("room", _rooms())
def test_a_room_imports_only_from_floors_beneath(room):
    """A room has a floor, and what it imports lies beneath it."""
    level = {name: number for number, floor in enumerate(FLOORS) for name in floor}
    assert room in level, f"{room} has no floor; add it to FLOORS"
    above = {other for other in _imported(room) if level[other] >= level[room]}
    assert not above, f"{room} imports {above}, which are not beneath it"
