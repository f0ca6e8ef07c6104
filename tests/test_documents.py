"""Documents are promises: docstrings and the command line's help run, links lead somewhere, or they fail here."""

import doctest
import importlib
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

import schedlog_analysis
from schedlog_analysis import plot, schema
from schedlog_analysis.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NEEDS_EXTRA = {"schedlog_analysis.sources.server": "uvicorn", "schedlog_analysis.fleet": "dask"}


def _modules() -> list[str]:
    walked = pkgutil.walk_packages(schedlog_analysis.__path__, "schedlog_analysis.")
    return ["schedlog_analysis", *(module.name for module in walked if not module.name.endswith("__main__"))]


@pytest.mark.parametrize("name", _modules())
def test_docstring_examples_run(name):
    """Every example in a docstring gives what it says."""
    if name in NEEDS_EXTRA:
        pytest.importorskip(NEEDS_EXTRA[name], reason="an extra that is not installed")
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def _public() -> list[str]:
    return [name for name in schedlog_analysis.__all__ if callable(getattr(schedlog_analysis, name))]


@pytest.mark.parametrize("name", _public())
def test_public_names_are_described_with_an_example(name):
    """What users can type is described, and shows an example unless it is an error or only asks the network."""
    thing = getattr(schedlog_analysis, name)
    assert thing.__doc__
    if not (name.startswith("fetch_") or name.endswith("Error")):
        texts = [thing.__doc__, *(getattr(member, "__doc__", None) or "" for member in vars(thing).values())]
        assert any(">>>" in text for text in texts), f"{name} has no example"


def test_the_two_commands_stand_on_the_first_screen():
    """A newcomer sees how to make the report and how to run the tests without scrolling."""
    screen = "\n".join(README.splitlines()[:45])
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/schedlog report data/sample" in screen
    assert 'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/pytest' in screen


def test_the_gallery_shows_every_plot():
    """The README shows each plot function by a picture of its own, and no others."""
    drawn = set(runpy.run_path(str(ROOT / "docs" / "gallery.py"))["pictures"]())
    assert drawn == {path.stem for path in (ROOT / "docs" / "plots").glob("*.png")}
    assert drawn == set(plot.__all__) - {"bare_ax"} - {name for name in plot.__all__ if name.isupper()}
    assert set(re.findall(r"\[`plot\.(\w+)`\]\(docs/plots/\1\.png\) !", README)) == drawn


def test_links_of_the_readme_lead_somewhere():
    """Every relative link and picture of the README and CONTRIBUTING exists."""
    for document in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.__name__)
def test_the_tables_are_documented_as_declared(table):
    """CONTRIBUTING shows each table's columns as the declaration has them, in order."""
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert table.markdown() in text, "run `python -m schedlog_analysis.schema > docs/tables.md`"


COMMANDS = ("report", "show", "config", "fetch", "sync", "serve", "simulate")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_line_in_the_readme(command, capsys):
    """--help answers, and the README mentions the command."""
    assert main([command, "--help"]) == 0
    assert len(capsys.readouterr().out) > 300
    assert f"schedlog {command}" in README
