"""Notebooks: each runs offline, and its stored outputs are what it says today."""

import re
from pathlib import Path

import pandas as pd
import pytest

from schedlog_analysis import Options
from schedlog_analysis.report.formats.notebook import render_notebook

nbclient = pytest.importorskip("nbclient", reason="the extra `test` is not installed")
nbformat = pytest.importorskip("nbformat", reason="the extra `test` is not installed")

FOLDER = Path(__file__).parents[1] / "notebooks"
LONGEST = 60  # seconds a notebook may take
SMALL = 400_000  # bytes a notebook may have
# pandas before 3.1 prints milliseconds with six digits, which moves columns and breaks lines elsewhere.
PRINTS_AS_STORED = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)


def _texts(notebook):
    """What each code cell shows as text; pictures and addresses in memory are not compared."""
    told = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            outputs = [
                output.get("text") or output.get("data", {}).get("text/plain", "")
                for output in cell.get("outputs", [])
                if not _is_progress(output)
            ]
            told.append(re.sub(r"0x[0-9a-f]+|127\.0\.0\.1:\d+", "…", "".join(outputs)))
    return told


def _is_progress(output):
    """A bar tells how fast a machine is, as text or as a widget."""
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return "%|" in text and (output.get("name") == "stderr" or output["output_type"] == "display_data")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # the kernel is another process, and says things of its own on the way
def test_notebooks_say_today_what_they_said(path):
    """Executed from their folder, the stored text is reproduced, small, and without errors or warnings."""
    stored = nbformat.read(path, as_version=4)
    assert path.stat().st_size < SMALL
    assert stored.cells[0].cell_type == "markdown"
    again = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(again, timeout=LONGEST, resources={"metadata": {"path": str(FOLDER)}}).execute()
    if PRINTS_AS_STORED:
        assert _texts(again) == _texts(stored)
    assert [bool(text) for text in _texts(again)] == [bool(text) for text in _texts(stored)]
    streams = [output for cell in again.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"]
    assert all(_is_progress(output) for output in streams)


def test_the_periodic_notebook_is_what_the_command_writes():
    """`schedlog report --format ipynb` writes the cells of notebook 06, which papermill can parameterise."""
    stored = nbformat.read(FOLDER / "06-periodic-report.ipynb", as_version=4)
    options = Options(period="last-month", tz="Europe/Prague", objective=0.995)
    written = nbformat.reads(render_notebook("../data/sample", options), as_version=4)
    nbformat.validate(written)
    assert [cell.source for cell in stored.cells] == [cell.source for cell in written.cells]
    assert [cell.metadata.get("tags") for cell in written.cells].count(["parameters"]) == 1


@pytest.mark.filterwarnings("default")  # papermill and the kernel say things of their own
def test_papermill_runs_it_with_other_parameters(tmp_path):
    """Another period, another verdict."""
    papermill = pytest.importorskip("papermill", reason="papermill is not installed")
    made = papermill.execute_notebook(
        FOLDER / "06-periodic-report.ipynb",
        tmp_path / "september.ipynb",
        parameters={"period": "2026-09", "source": str(FOLDER.parent / "data" / "sample")},
        progress_bar=False,
    )
    assert any("September 2026" in text for text in _texts(made))
