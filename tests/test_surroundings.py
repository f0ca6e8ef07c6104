"""Surroundings: what else is installed, and the user's environment, are none of this package's business."""

import json
import os
import subprocess
import sys

import pytest

STRANGERS = ("pyspark", "dask", "hypothesis", "pandera")
PROGRAM = """
import json, os, sys
before = dict(os.environ)
from schedlog_analysis.cli import main
code = main(["show", sys.argv[1]])
after = dict(os.environ)
print(json.dumps({"code": code, "environment_is_kept": before == after}))
"""


@pytest.fixture
def run(tmp_path):
    """Run a program in a process where the strangers can be imported; give its result and which of them it imported."""
    log = tmp_path / "imported"
    for name in STRANGERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"open({str(log)!r}, 'a').write('{name} ')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(program, *arguments):
        command = [sys.executable, "-c", program, *arguments]
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
        return done, log.read_text(encoding="utf-8").split() if log.exists() else []

    return run


def test_a_command_takes_no_notice_of_packages_that_merely_are_installed(run, sample):
    """`schedlog show` imports none of them, prints nothing to stderr and leaves the environment as it was."""
    done, imported = run(PROGRAM, str(sample.path))
    assert done.stderr == ""
    assert json.loads(done.stdout.splitlines()[-1]) == {"code": 0, "environment_is_kept": True}
    assert imported == []


def test_what_is_imported_would_be_noticed(run):
    """The trap of the test above snaps."""
    assert run("import dask, pyspark")[1] == ["dask", "pyspark"]
