"""The README is run as a reader runs it: every line, on the sample, on an archive of it, and against a served API."""

import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from schedlog_analysis import Client, Cron, serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOKEN = "apify_api_S3cretThatNobodySees"


def _blocks(language):
    """Give the README's blocks of a language, "" for those that name none."""
    return [
        text for name, text in re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE) if name == language
    ]


def _block(language):
    """Give the only block of a language."""
    (text,) = _blocks(language)
    return text


LINES = [line.removeprefix("$ ").split("  #")[0].strip() for block in _blocks("console") for line in block.splitlines()]


@pytest.fixture(scope="module")
def api(sample):
    """The sample, served."""
    with serving(str(sample.path), token=TOKEN) as (address, _):
        yield address


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder with `schedlog`, and with a `sendmail` that keeps what it is given in a file."""
    folder = tmp_path_factory.mktemp("bin")
    for name, command in {
        "schedlog": f'exec {shlex.quote(sys.executable)} -m schedlog_analysis "$@"',
        "sendmail": "exec cat > sent.eml",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{command}\n")
        (folder / name).chmod(stat.S_IRWXU)
    return folder


@pytest.fixture
def shell(tmp_path, archive, api, programs, monkeypatch):
    """Run a line in a folder with the sample's `data` and `archive`, as somebody who has a token."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    environment |= {"APIFY_TOKEN": TOKEN, "APIFY_API_BASE_URL": api}

    def run(line, **env):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], env=environment | env, capture_output=True, check=False, text=True
        )
        assert "Traceback" not in done.stderr
        return done

    run.environment = environment
    assert Path(archive.location).parent == tmp_path
    return run


def _written(folder):
    """Give the files of a folder that hold something, without those that were there before."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    return {path.relative_to(folder).as_posix() for path in files if path.relative_to(folder).parts[0] != "archive"}


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith("schedlog serve")])
def test_a_line_of_the_console_runs(line, shell, tmp_path):
    """It ends well, and either says something or writes the file that it names."""
    done = shell(line)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr
    words = shlex.split(line)
    if "--output" in words and (target := words[words.index("--output") + 1]) != "-":
        assert any(name.split("/")[0] == target for name in _written(tmp_path))
    elif words[1] == "simulate":
        assert any(name.split("/")[0] == words[2] for name in _written(tmp_path))


def test_the_served_sample_is_the_api(shell, sample):
    """
    `schedlog serve data/sample` says where it serves, answers clients until it is interrupted, and keeps its token.

    Here it takes a port that is free; where it serves is known at once, also through a pipe.
    """
    (line,) = [line for line in LINES if line.startswith("schedlog serve")]
    environment = shell.environment | {"SCHEDLOG_SERVE_TOKEN": TOKEN}
    command = ["bash", "-c", f"exec {line} --port 0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://\S+:[1-9]\d*", server.stdout.readline())[0]
            assert TOKEN not in server.stdout.readline()
            assert len(Client(TOKEN, base_url=address).fetch_schedules()) == len(sample.schedules)
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) in (0, 130)


def test_the_configuration_is_understood(shell, tmp_path):
    """Every option of the README's schedlog.toml stands in the report that is made with it."""
    (tmp_path / "schedlog.toml").write_text(_block("toml"), encoding="utf-8")
    done = shell("schedlog report archive --format json --output -")
    assert done.returncode == 0, done.stderr
    options = tomllib.loads(_block("toml"))
    assert f'"objective": {options["slo"] / 100}' in done.stdout
    for text in (options["tz"], "October 2026", *options["maintenance"][0].split(" for ")):
        assert text in done.stdout


def test_the_crontab_works(shell, tmp_path):
    """Both lines are planned by cron, and do what they are for; the mail is a mail."""
    (tmp_path / "schedlog.toml").write_text(_block("toml"), encoding="utf-8")
    for line in _block("").splitlines():
        *fields, command = line.split(maxsplit=5)
        assert len(Cron(" ".join(fields)).next("2026-01-01T00:00Z", 3)) == 3
        for path, name in {"/var/lib/schedlog": "archive", "/etc/schedlog.toml": "schedlog.toml"}.items():
            command = command.replace(path, name)
        done = shell(command)
        assert done.returncode == 0, done.stderr
    mail = (tmp_path / "sent.eml").read_text(encoding="utf-8")
    assert re.search(r"^Subject: \S", mail, re.MULTILINE)
    assert "multipart/" in mail


def test_the_workflow_works(shell, tmp_path):
    """Its commands run one after the other; it fails below 99 %, as it says, and leaves the report that it uploads."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    workflow = yaml.safe_load(_block("yaml"))
    Cron(workflow[True]["schedule"][0]["cron"])  # YAML takes `on` for yes
    steps = workflow["jobs"]["report"]["steps"]
    install, *commands = [step["run"] for step in steps if "run" in step]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert install == f"pip install {project['name']}"
    codes = [shell(command).returncode for command in commands]
    assert codes == [0, 1]
    assert (tmp_path / steps[-1]["with"]["path"]).stat().st_size


def test_the_first_command_makes_the_report(shell, tmp_path):
    """What follows the installation in the README's first command; the continuous integration runs the second whole."""
    first, second = _blocks("sh")
    install, report = first.strip().rsplit(" && ", 1)
    assert install == "python3 -m venv .venv && .venv/bin/pip install ."
    done = shell(report.removeprefix(".venv/bin/"))
    assert done.returncode == 0, done.stderr
    assert "report.html" in _written(tmp_path)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith(second.strip())


def test_the_python_runs(tmp_path, monkeypatch):
    """The README's Python blocks run one after another, from the project's folder."""
    assert _blocks("python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    scope = {}
    for block in _blocks("python"):
        exec(compile(block, "README.md", "exec"), scope)


def test_no_block_is_left_out():
    """Every fenced block of the README is of a kind that is run above."""
    kinds = set(re.findall(r"^```(\w*)\n.*?^```", README, re.DOTALL | re.MULTILINE))
    assert kinds == {"sh", "python", "console", "toml", "yaml", ""}
    assert all(line.startswith("schedlog ") for line in LINES)
