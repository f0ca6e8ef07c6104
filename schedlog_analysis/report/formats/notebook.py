"""A notebook with the report's analysis: the same figures, to go on from; its first code cell holds the parameters."""

from __future__ import annotations

import json
from typing import Any

from schedlog_analysis.account.options import Options
from schedlog_analysis.account.settings import SETTINGS

INTRODUCTION = """\
# Periodic report: the same analysis, to go on from

`schedlog report SOURCE --format ipynb` writes this notebook. Its parameters are those of the command; run it monthly
with papermill (`papermill report.ipynb october.ipynb -p period 2026-10`), or open it and change what you like."""

BUILD = f"""\
from schedlog_analysis import Options, Report, Source, plot

options = Options.from_mapping(
    {{
{chr(10).join(f"        {name!r}: {name}," for name in SETTINGS).replace("'", '"')}
    }}
)
read = Source.read(source, options.schedule_ids)
report = Report.build(
    read.log,
    read.schedules,
    runs=read.runs,
    fetches=read.fetches,
    source=read.name,
    options=options,
)
analysis = report.analysis
print(report.verdict)"""

CELLS = (
    ("markdown", INTRODUCTION),
    ("parameters", ""),
    ("code", BUILD),
    ("markdown", '## The report\n\nAs a fragment; `report.write("report.html")` writes the whole page.'),
    ("code", "report"),
    ("markdown", "## Behind it: what ran when"),
    ("code", "ax = plot.ticks(analysis.ticks, schedules=analysis.schedules, tz=tz)"),
    ("markdown", "## How often it failed, with intervals"),
    ("code", "ax = plot.error_rate(analysis.daily, tz=tz)"),
    ("code", 'analysis.rates.sort_values("error_rate", ascending=False).head()'),
    ("markdown", "## Why"),
    ("code", 'analysis.clusters[["cause", "template", "n", "n_schedules"]].head()'),
    ("markdown", "## Incidents"),
    ("code", 'analysis.incidents[["schedule_id", "started_at", "ended_at", "n_ticks", "cause"]]'),
)


def render_notebook(source: str, options: Options) -> str:
    """
    Write the notebook, not yet executed.

    Parameters
    ----------
    source
        Where to read from, see `Source.read`.
    options
        What the analysis and its report shall be like.

    Returns
    -------
    notebook
        JSON of Jupyter's format 4.5.

    Examples
    --------
    >>> cells = json.loads(render_notebook("archive", Options(period="last-month")))["cells"]
    >>> cells[1]["source"].splitlines()[:2]
    ["source = 'archive'", "period = 'last-month'"]
    """
    given: dict[str, Any] = {"source": source} | options.to_mapping()
    values = "\n".join(f"{name}{': list[str]' if value == [] else ''} = {value!r}" for name, value in given.items())
    cells = [_cell(number, kind, values if kind == "parameters" else text) for number, (kind, text) in enumerate(CELLS)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}, "source": text}
    if kind == "markdown":
        return cell
    tags = {"tags": ["parameters"]} if kind == "parameters" else {}
    return cell | {"cell_type": "code", "metadata": tags, "execution_count": None, "outputs": []}
