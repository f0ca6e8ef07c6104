"""The report against the truth: what was planted is what is told, also for accounts nobody has looked at."""

import json
from collections import Counter

import pandas as pd
import pytest

from schedlog_analysis import Report, failure_clusters, read_log, read_runs, read_schedules, simulate

SEEDS = (1, 2, 3)
COUNTS = ("n_planned", "n_late", "n_missed", "n_unknown", "n_duplicate", "n_extra", "n_manual")


@pytest.fixture(scope="module", params=["sample", *SEEDS])
def account(request, sample, tmp_path_factory):
    """The report on an account, read from its files, the truth about it, and its log."""
    if request.param == "sample":
        folder, truth = sample.path, sample.truth
    else:
        folder = tmp_path_factory.mktemp("account")
        simulate(request.param).write(folder)
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    log = read_log(folder)
    return Report.build(log, read_schedules(folder), runs=read_runs(folder)), truth["schedules"], log


def test_the_ticks_of_every_schedule_are_counted_as_planted(account):
    """Planned, missed, late, unknown, duplicate, extra and manual, per schedule, in the report's own facts."""
    report, truth, _ = account
    told = {row["schedule_id"]: {name: row[name] for name in COUNTS} for row in report.facts["schedules"]}
    assert told == {one: {name: planted[name] for name in COUNTS} for one, planted in truth.items()}


def test_the_outcomes_of_every_schedule_are_counted_as_planted(account):
    """Ok, partial, failed and skipped, manual ones apart."""
    report, truth, _ = account
    table = report.analysis.invocations
    for is_manual, key in ((False, "outcomes"), (True, "outcomes_manual")):
        counts = table[table["is_manual"] == is_manual].groupby(["schedule_id", "outcome"], observed=False).size()
        told = counts.unstack(fill_value=0).reindex(list(truth), fill_value=0)
        planted = pd.DataFrame({one: told_of_it[key] for one, told_of_it in truth.items()}).T
        assert told[planted.columns.tolist()].astype(int).to_dict() == planted.astype(int).to_dict()


def test_the_missed_moments_are_the_planted_ones(account):
    """Not only how many were missed, but which."""
    report, truth, _ = account
    table = report.analysis.ticks
    for schedule_id, planted in truth.items():
        mine = table[(table["schedule_id"] == schedule_id) & (table["status"] == "missed")]
        assert mine["planned_at"].tolist() == pd.to_datetime(planted["missed_at"], utc=True).tolist()


def test_the_hidden_offset_is_found(account):
    """A macro's ticks are measured from the offset that nobody told."""
    report, truth, _ = account
    told = report.analysis.cadence.set_index("schedule_id")["offset"]
    planted = {one: planted["offset_ms"] for one, planted in truth.items() if planted["offset_ms"]}
    assert planted
    assert {one: told[one] / pd.Timedelta("1ms") for one in planted} == planted


def test_every_entry_has_the_cause_that_was_planted(account):
    """Errors and skips by cause, entry by entry; `other` is as large as the share of texts that nobody knows."""
    _, truth, log = account
    clusters = failure_clusters(log, include_skips=True)
    planted = Counter()
    for one in truth.values():
        planted.update(one["causes"])
    assert planted["other"] > 0
    assert clusters.groupby("cause")["n"].sum().to_dict() == dict(planted)
