"""The written notebook: every option stands in it, and executed, it says the figures of every other format."""

import json
import os
import shutil
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis import AccountingPolicy, Maintenance, Options, Report, Source
from schedlog_analysis.account.settings import SETTINGS
from schedlog_analysis.cli import main
from schedlog_analysis.report.formats.notebook import render_notebook

SOME = ("prices-hourly", "daily-backup", "nightly-crawl", "leads-sync", "tide", "ads-watch")
WINDOWS = st.sampled_from(
    [
        Maintenance(start="2026-10-03T22:00Z", end="2026-10-12T02:00Z"),
        Maintenance(cron="0 2 * * SUN", duration="6h"),
        Maintenance(cron="0 0 * * *", duration="12h", tz="America/New_York"),
    ]
)
OPTIONS = st.builds(
    Options,
    period=st.sampled_from(["all", "last-month", "2026-W43", "2026-10-01..2026-10-20"]),
    previous=st.sampled_from([None, "2026-08", "2026-09-01..2026-09-15"]),
    tz=st.sampled_from(["UTC", "Europe/Prague", "Australia/Lord_Howe"]),
    policy=st.builds(
        AccountingPolicy,
        partial=st.sampled_from(["up", "down"]),
        skipped=st.sampled_from(["down", "left_out"]),
        late=st.sampled_from(["up", "down"]),
        maintenance=st.lists(WINDOWS, max_size=2).map(tuple),
    ),
    objective=st.sampled_from([None, 0.9, 0.995]),
    grace=st.sampled_from(["60s", "0s", "2h"]),
    tolerance=st.sampled_from(["1s", "0s"]),
    schedule_ids=st.sampled_from([(), ("prices-hourly",), ("backup", "Ads of competitors")]),
    pages=st.integers(0, 3),
    now=st.just("2026-11-02T08:00Z"),
)


@pytest.fixture(scope="module")
def few(sample, tmp_path_factory):
    """A folder of the API's answers about six of the sample's schedules."""
    folder = tmp_path_factory.mktemp("few")
    schedules = json.loads((sample.path / "schedules.json").read_text())
    kept = [each for each in schedules if each["name"] in SOME]
    (folder / "schedules.json").write_text(json.dumps(kept))
    (folder / "logs").mkdir()
    for each in kept:
        shutil.copy(sample.path / "logs" / f"{each['id']}.json", folder / "logs")
    runs = json.loads((sample.path / "runs.json").read_text())
    ids = {each["id"] for each in kept}
    (folder / "runs.json").write_text(json.dumps([run for run in runs if run["meta"].get("scheduleId") in ids]))
    return str(folder)


def _codes(notebook):
    return [cell["source"] for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]


def _executed(notebook):
    """Give the facts of the notebook's report, from its parameters and the cell that builds it."""
    scope = {}
    for code in _codes(notebook)[:2]:
        exec(compile(code, "notebook", "exec"), scope)
    return json.loads(scope["report"].to_json())


@settings(max_examples=int(os.environ.get("SCHEDLOG_EXAMPLES", "12")))
@given(options=OPTIONS)
def test_the_executed_notebook_says_the_same_figures(few, options):
    """All facts, whatever was asked for: no option is lost on the way into the notebook."""
    read = Source.read(few, options.schedule_ids)
    tables = {"schedules": read.schedules, "runs": read.runs, "fetches": read.fetches}
    report = Report.build(read.log, **tables, source=read.name, options=options)
    assert _executed(render_notebook(few, options)) == json.loads(report.to_json())


def test_the_command_writes_every_option_into_the_notebook(few, tmp_path, capsys):
    """From flags, the environment and a file: the notebook's figures are those of the JSON that the command writes."""
    (tmp_path / "c.toml").write_text('tz = "Europe/Prague"\n[accounting]\npartial = "up"\nskipped = "down"\n')
    flags = ["--config", str(tmp_path / "c.toml"), "--previous", "2026-08", "--schedule", "Competitor prices, hourly"]
    flags += ["--maintenance", "0 2 * * SUN for 6h", "--accounting", "partial=down", "--now", "2026-11-02T08:00Z"]
    with mock.patch.dict(os.environ, {"SCHEDLOG_PERIOD": "2026-10", "SCHEDLOG_SLO": "99.5"}):
        for form in ("json", "ipynb"):
            assert main(["report", few, "-q", "--format", form, "-o", str(tmp_path / f"r.{form}"), *flags]) == 0
    assert capsys.readouterr() == ("", "")
    facts = json.loads((tmp_path / "r.json").read_text())
    notebook = (tmp_path / "r.ipynb").read_text()
    assert _executed(notebook) == facts
    assert facts["objective"]
    assert "slo = 99.5" in _codes(notebook)[0]
    assert [line.split(" = ")[0] for line in _codes(notebook)[0].splitlines()] == ["source", *SETTINGS]


@pytest.mark.filterwarnings("default")  # the kernel is another process, and says things of its own on the way
def test_a_kernel_runs_the_written_notebook(few, tmp_path):
    """Every cell runs, and the sentence that it prints is the report's."""
    nbclient = pytest.importorskip("nbclient", reason="the extra `test` is not installed")
    nbformat = pytest.importorskip("nbformat", reason="the extra `test` is not installed")
    policy = AccountingPolicy(maintenance=(Maintenance(cron="0 2 * * SUN", duration="6h"),))
    options = Options(period="last-month", tz="Europe/Prague", policy=policy, schedule_ids=("Competitor",))
    notebook = nbformat.reads(render_notebook(few, options), as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    read = Source.read(few, options.schedule_ids)
    report = Report.build(read.log, read.schedules, runs=read.runs, options=options)
    printed = [output["text"] for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output]
    assert printed == [f"{report.verdict}\n"]
