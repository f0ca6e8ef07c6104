"""What tests share: the sample, a log and definitions in a few words, and laws' settings."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

import schedlog_analysis
from schedlog_analysis.schema import OUTCOMES, STATUSES, Log, Schedules, Ticks

# The suite says the same thing each time; SCHEDLOG_EXAMPLES=5000 goes looking for new counterexamples instead.
EXAMPLES = os.environ.get("SCHEDLOG_EXAMPLES")
settings.register_profile("tests", deadline=None, max_examples=int(EXAMPLES or "60"), derandomize=not EXAMPLES)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def sample():
    """The sample data set that ships with the package."""
    return schedlog_analysis.load_sample()


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
