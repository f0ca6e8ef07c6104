"""The house stands on its floors: a folder imports only from those above it, and nothing in it grows out of hand."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from operator import itemgetter
from pathlib import Path

import pytest

import schedlog_analysis

PACKAGE = Path(schedlog_analysis.__file__).parent
# `accessor` is the door of pandas: it loads what is asked for by name, and imports nothing.
FLOORS = ["errors", "_core", "schema", "cron", "sources", "matching", "analysis", "account", "fleet"]
FLOORS += ["plot", "report", "simulation", "cli", "__main__", "accessor"]

MOST_ENTRIES = 18  # in the package's root
LONGEST_FILE = 450  # lines
LONGEST_BODY = 60  # lines of a function without its signature and docstring
# What is longer for the time being, as "folder/file.py" or "folder/file.py:function". Shorten it, then take it out.
STILL_TOO_LONG: set[str] = set()


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _label(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _names(nodes) -> set[str]:
    """Give the dotted names, without the package's own, that import statements take from this package."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "schedlog_analysis":
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("schedlog_analysis.")}
    return {name.removeprefix("schedlog_analysis.") for name in found}


def _home(name: str) -> Path | None:
    """Give the file in which a dotted name lives, None for a name of the root."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        path = PACKAGE.joinpath(*parts[:n])
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.exists():
                return file
    return None


def _private(file: Path) -> set[str]:
    """Give what a file takes of another folder that is private there: a name, a file, or an attribute of a file."""
    names = {name for name in _names(ast.walk(_tree(file))) if name.split(".")[0] != _room(file)}
    modules = {name.rsplit(".", 1)[-1] for name in names if (home := _home(name)) and home.stem == name.split(".")[-1]}
    found = {name for name in names if any(part.startswith("_") for part in name.removeprefix("_core.").split("."))}
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found |= {f"{node.value.id}.{node.attr}"} if node.attr.startswith("_") else set()
    return found - {"__version__"}


@pytest.mark.parametrize("room", sorted({_room(file) for file in _files()} - {"__init__"}))
def test_a_folder_imports_only_from_floors_above(room):
    """Imports, wherever they stand, go only to folders earlier in the list, and take nothing private along."""
    level = {name: number for number, name in enumerate(FLOORS)}
    assert room in level, f"{room} has no floor; add it to FLOORS"
    for file in [file for file in _files() if _room(file) == room]:
        folders = {_room(home) for name in _names(ast.walk(_tree(file))) if (home := _home(name))} - {room}
        wrong = {folder for folder in folders if level[folder] >= level[room]}
        assert not wrong, f"{_label(file)} imports {wrong}, which are not above it"
        assert not _private(file), f"{_label(file)} takes {_private(file)} from another folder"


def test_no_file_waits_for_itself():
    """What files import when they are loaded makes no circle."""
    graph = {
        _label(file): {_label(home) for name in _names(_tree(file).body) if (home := _home(name)) and home != file}
        for file in _files()
    }
    print(f"{len(graph)} files, {sum(map(len, graph.values()))} imports between them, 0 circles")  # noqa: T201
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the files


def _bodies(file: Path):
    """Give each function of a file with the number of lines of its body."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            yield node.name, body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_nothing_is_too_long():
    """The root has few entries, files are read in one go, and functions fit on a screen; exceptions are listed."""
    entries = [path for path in PACKAGE.iterdir() if path.name not in {"__pycache__", "sample"}]
    lines = {_label(file): len(file.read_text(encoding="utf-8").splitlines()) for file in _files()}
    bodies = dict(
        sorted(((f"{_label(file)}:{name}", n) for file in _files() for name, n in _bodies(file)), key=itemgetter(1))
    )
    print(f"{len(entries)} entries in the root, {sum(lines.values())} lines in {len(lines)} files")  # noqa: T201
    for what, sizes in {"file": lines, "function body": bodies}.items():
        longest = max(sizes, key=sizes.get)
        print(f"longest {what}: {longest}, {sizes[longest]} lines")  # noqa: T201
    assert len(entries) <= MOST_ENTRIES, sorted(path.name for path in entries)
    too_long = {name for name, n in lines.items() if n > LONGEST_FILE}
    too_long |= {name for name, n in bodies.items() if n > LONGEST_BODY}
    assert too_long == STILL_TOO_LONG
