"""The house stands on its floors: a folder imports only from those above it in the list."""

import ast
from pathlib import Path

import pytest

import schedlog_analysis

PACKAGE = Path(schedlog_analysis.__file__).parent
# `accessor` is the door of pandas: it loads what is asked for by name, and imports nothing.
FLOORS = ["errors", "_core", "schema", "cron", "sources", "matching", "analysis", "account", "fleet"]
FLOORS += ["plot", "report", "simulation", "cli", "__main__", "accessor"]


def _imported(file: Path) -> set[tuple[str, str]]:
    """Give folder and name of everything that a file imports from this package."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("schedlog_analysis."):
            found |= {(node.module.split(".")[1], alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "schedlog_analysis":
            found |= {(alias.name, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found |= {(name.split(".")[1], name) for name in names if name.startswith("schedlog_analysis.")}
    return found


def _rooms() -> list[str]:
    return sorted(
        {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")} - {"__init__"}
    )


@pytest.mark.parametrize("room", _rooms())
def test_a_folder_imports_only_from_floors_above(room):
    """Imports go only to folders earlier in the list, and take no private name along."""
    level = {name: number for number, name in enumerate(FLOORS)}
    assert room in level, f"{room} has no floor; add it to FLOORS"
    for file in [PACKAGE / f"{room}.py", *sorted((PACKAGE / room).rglob("*.py"))]:
        if file.exists():
            others = {(folder, name) for folder, name in _imported(file) if folder != room}
            wrong = {folder for folder, _ in others if level[folder] >= level[room]}
            assert not wrong, f"{file} imports {wrong}, which are not above it"
            private = {name for folder, name in others if name.startswith("_")}
            assert not private, f"{file} takes {private} from another folder"
