"""What tests share: the sample, an archive of it, tables in a few words, programs run apart, and laws' settings."""

import os
import shutil
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

import schedlog_analysis
from schedlog_analysis.schema import OUTCOMES, STATUSES, Fetches, Log, Runs, Schedules, Ticks

# The suite says the same thing each time; SCHEDLOG_EXAMPLES=5000 goes looking for new counterexamples instead.
EXAMPLES = os.environ.get("SCHEDLOG_EXAMPLES")
settings.register_profile("tests", deadline=None, max_examples=int(EXAMPLES or "60"), derandomize=not EXAMPLES)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def sample():
    """The sample data set that ships with the package."""
    return schedlog_analysis.load_sample()


@pytest.fixture(scope="session")
def sample_archive(sample, tmp_path_factory):
    """The sample as an archive, fetched once a minute after its last entry; many tests read it, none writes to it."""
    archive = schedlog_analysis.Archive(tmp_path_factory.mktemp("sample") / "archive")
    archive.append(sample.log, sample.log["created_at"].max() + pd.Timedelta("1min"), sample.schedules["schedule_id"])
    archive.append_schedules(sample.schedules)
    archive.append_runs(sample.runs)
    return archive


@pytest.fixture
def archive(sample_archive, tmp_path):
    """An archive of the sample that a test may write to."""
    shutil.copytree(sample_archive.location, tmp_path / "archive")
    return schedlog_analysis.Archive(tmp_path / "archive")


@pytest.fixture(scope="session")
def make_log():
    """Build a Log from (schedule, instant, level, message) rows."""

    def make(*rows):
        columns = ["schedule_id", "created_at", "level", "message"]
        return Log.cast(pd.DataFrame([list(row) for row in rows], columns=columns, dtype="object"))

    return make


@pytest.fixture(scope="session")
def make_schedules():
    """Build Schedules from an id, a cron and whatever differs from an enabled UTC schedule of the start of 2026."""

    def make(*rows):
        plain = {
            "timezone": "UTC",
            "is_enabled": True,
            "is_exclusive": False,
            "created_at": "2026-01-01T00:00:00Z",
            "title": None,
            "next_run_at": None,
            "last_run_at": None,
            "n_actions": 1,
        }
        full = []
        for schedule_id, cron, *more in rows:
            row = plain | {"schedule_id": schedule_id, "name": schedule_id, "cron": cron} | (more[0] if more else {})
            full.append({"modified_at": row["created_at"]} | row)
        return Schedules.cast(pd.DataFrame(full, columns=Schedules.names(), dtype="object"))

    return make


@pytest.fixture(scope="session")
def make_runs():
    """Build Runs from a schedule, a start, and whatever differs from an Actor's run that succeeded a minute later."""

    def make(*rows):
        plain = {"origin": "SCHEDULER", "actor_id": "actor", "status": "SUCCEEDED", "usage_usd": 0.5}
        full = []
        for number, (schedule_id, started_at, *more) in enumerate(rows):
            finished_at = pd.Timestamp(started_at) + pd.Timedelta("1min")
            row = {"run_id": f"run {number}", "schedule_id": schedule_id, "started_at": started_at}
            full.append(plain | row | {"finished_at": finished_at} | (more[0] if more else {}))
        return Runs.cast(pd.DataFrame(full, columns=Runs.names(), dtype="object"))

    return make


@pytest.fixture(scope="session")
def make_fetches():
    """Build Fetches from a schedule, the instant, the first entry's instant, and whatever differs from one entry."""

    def make(*rows):
        full = []
        for schedule_id, fetched_at, first_at, *more in rows:
            row = {"schedule_id": schedule_id, "fetched_at": fetched_at, "first_at": first_at, "last_at": first_at}
            full.append({"n_entries": 1, "is_truncated": False} | row | (more[0] if more else {}))
        return Fetches.cast(pd.DataFrame(full, columns=Fetches.names(), dtype="object"))

    return make


class Done(NamedTuple):
    """How a program of its own ended."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def run_cli():
    """Run `schedlog` in a process of its own; gives exit code, standard output and standard error as texts."""

    def run(*words, cwd=None, env=None):
        command = [sys.executable, "-m", "schedlog_analysis", *map(str, words)]
        environment = os.environ | {"PYTHONUTF8": "1", "COLUMNS": "160"} | (env or {})
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, check=False, encoding="utf-8", errors="replace"
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def run_python():
    """Run a piece of code in a Python of its own, with these environment variables more; gives what it prints."""

    def run(code, **env):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=os.environ | env, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture(scope="session")
def draw_ticks():
    """Draw Ticks of a few schedules from a seed: every status and outcome, at uneven moments, in any order."""

    def draw(seed, n_schedules=3, n=60, days=40):
        rng = np.random.default_rng(seed)
        begin = pd.Timestamp("2026-03-01T00:00Z").value // 1_000_000
        planned = pd.DatetimeIndex((begin + rng.integers(0, days * 86_400_000, n)).astype("datetime64[ms]"), tz="UTC")
        delay = pd.TimedeltaIndex(rng.integers(0, 5_000, n).astype("timedelta64[ms]"))
        status = pd.Series(rng.choice(STATUSES, n, p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]))
        is_answered, is_planned = ~status.isin(["missed", "unknown"]), ~status.isin(["extra", "manual"])
        table = pd.DataFrame(
            {
                "schedule_id": pd.Series(rng.choice([f"schedule {one}" for one in range(n_schedules)], n), dtype="str"),
                "planned_at": planned.to_series(index=range(n)).where(is_planned),
                "invoked_at": (planned + delay).to_series(index=range(n)).where(is_answered),
                "delay": delay.to_series(index=range(n)).where(is_answered & is_planned),
                "status": status,
                "outcome": pd.Series(rng.choice(OUTCOMES, n, p=[0.6, 0.1, 0.2, 0.1])).where(is_answered),
                "is_ambiguous": False,
            }
        )
        return Ticks.cast(table)

    return draw
