"""Analysis: every table of a report, from a log; they add up, whatever the order, the cut and the period."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import AccountingPolicy, Period
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.accounting import accounting
from schedlog_analysis.errors import ConfigError, InputError
from schedlog_analysis.schema import Fetches, Log, Runs, Ticks

TABLES = (
    "cadence",
    "accounting",
    "rates",
    "daily",
    "clock",
    "clusters",
    "incidents",
    "ticks",
    "invocations",
    "coverage",
)
WHOLE = "2026-08-01..2026-10-31"


def _hours(schedule_id, *hours):
    start = pd.Timestamp("2026-01-01T00:00:00.2Z")
    return [(schedule_id, (start + pd.Timedelta(hours=hour)).isoformat(), "INFO", "Schedule invoked") for hour in hours]


@pytest.fixture(scope="module")
def whole(sample):
    """The sample over all its time."""
    return Analysis.build(sample.log, sample.schedules, runs=sample.runs, period=WHOLE)


def test_it_agrees_with_the_truth(whole, sample):
    """Each schedule has exactly the planted number of ticks of every status."""
    counts = whole.accounting.pivot_table(
        index="schedule_id", columns="status", values="n", aggfunc="sum", observed=False
    )
    for schedule_id, truth in sample.truth["schedules"].items():
        for status in ("on_time", "late", "missed", "unknown", "duplicate", "extra", "manual"):
            assert counts.loc[schedule_id, status] == truth[f"n_{status}"], (schedule_id, status)


def test_the_accounting_adds_up(whole):
    """Every tick is accounted for once; up and down are those of the error rates, statuses those of the cadence."""
    table = whole.accounting
    assert table["n"].sum() == len(whole.ticks)
    by_schedule = table.groupby("schedule_id")
    rates = whole.rates.set_index("schedule_id")
    judged = (
        table[table["counted_as"] != "left_out"].groupby("schedule_id")["n"].sum().reindex(rates.index, fill_value=0)
    )
    down = table[table["counted_as"] == "down"].groupby("schedule_id")["n"].sum().reindex(rates.index, fill_value=0)
    assert judged.tolist() == rates["n"].tolist()
    assert down.tolist() == rates["n_failed"].tolist()
    cadence = whole.cadence.set_index("schedule_id")
    for status in ("missed", "late", "duplicate", "extra", "manual", "unknown"):
        counted = by_schedule.apply(lambda one, status=status: one.loc[one["status"] == status, "n"].sum())
        assert counted.reindex(cadence.index).tolist() == cadence[f"n_{status}"].tolist()


def test_the_policy_decides_what_is_down(whole):
    """A policy that forgives misses moves exactly the missed ticks from down to up."""
    table = accounting(whole.ticks, AccountingPolicy(missed="up"))
    missed = table[table["status"] == "missed"]
    assert (missed["counted_as"] == "up").all()
    strict = whole.accounting
    assert missed["n"].sum() == strict.loc[(strict["status"] == "missed") & (strict["counted_as"] == "down"), "n"].sum()


def test_the_order_of_the_log_does_not_matter(sample, whole):
    """A shuffled log, shuffled definitions and runs give the same tables."""
    shuffled = [table.sample(frac=1, random_state=3) for table in (sample.log, sample.schedules, sample.runs)]
    other = Analysis.build(shuffled[0], shuffled[1], runs=shuffled[2], period=WHOLE)
    for name in TABLES:
        assert_frame_equal(getattr(other, name), getattr(whole, name), obj=name)


def test_schedules_are_separable(sample, whole):
    """Analysing two halves of the fleet and putting them together gives what the whole gives."""
    ids = sorted(sample.schedules["schedule_id"])
    halves = [
        Analysis.build(sample.log, sample.schedules, runs=sample.runs, period=WHOLE, schedule_ids=some)
        for some in (ids[:6], ids[6:])
    ]
    for name in ("cadence", "accounting", "rates", "coverage"):
        both = pd.concat([getattr(half, name) for half in halves]).sort_values("schedule_id", ignore_index=True)
        expected = getattr(whole, name).sort_values("schedule_id", ignore_index=True)
        columns = [name for name in expected if name not in ("status", "outcome", "counted_as")]
        assert_frame_equal(both[columns], expected[columns], obj=name)


def test_periods_are_separable(sample, whole):
    """The ticks of three months are the ticks of each month, together."""
    months = [Analysis.build(sample.log, sample.schedules, period=month) for month in ("2026-08", "2026-09", "2026-10")]
    assert sum(month.accounting["n"].sum() for month in months) == whole.accounting["n"].sum()
    assert sum(month.rates["n_failed"].sum() for month in months) == whole.rates["n_failed"].sum()


def test_the_previous_period_is_the_comparable_one(sample):
    """A month is compared with the month before; all data with nothing; another comparison can be asked for."""
    october = Analysis.build(sample.log, sample.schedules, period="2026-10")
    assert october.previous is not None
    assert october.previous.name == "September 2026"
    assert "state" in october.clusters
    assert october.previous_rates["n"].sum() > 0
    everything = Analysis.build(sample.log, sample.schedules)
    assert everything.previous is None
    assert everything.previous_accounting.empty
    asked = Analysis.build(sample.log, sample.schedules, period="2026-10", previous="2026-08")
    assert asked.previous is not None
    assert asked.previous.name == "August 2026"
    whole = Period(pd.Timestamp("2026-08-01", tz="UTC"), pd.Timestamp("2026-09-01", tz="UTC"))
    assert Analysis.build(sample.log, sample.schedules, period="2026-10", previous=whole).previous == whole


def test_failures_are_named_as_their_clusters(sample):
    """Each failed invocation of the period carries the id of a cluster, and the clusters count just these."""
    october = Analysis.build(sample.log, sample.schedules, period="2026-10")
    counted = october.failures["cluster_id"].value_counts()
    now = october.clusters[october.clusters["n"] > 0].set_index("cluster_id")["n"]
    assert counted.sort_index().to_dict() == now.sort_index().to_dict()


def test_incidents_touch_their_period(sample):
    """An incident of two months is in both; one that ended before the period began is in neither table."""
    october = Analysis.build(sample.log, sample.schedules, period="2026-10")
    started, ended = october.incidents["started_at"], october.incidents["ended_at"]
    assert (started < october.period.end).all()
    assert not (ended <= october.period.start).any()
    assert set(october.previous_incidents["incident_id"]) & set(october.incidents["incident_id"])


def test_a_deleted_schedule_is_not_expected_to_run(make_log, make_schedules):
    """Where others have a definition, a schedule without one ended with its last entry; without any, it fell silent."""
    log = make_log(*_hours("gone", *range(30)), *_hours("here", *range(60)))
    known = Analysis.build(log, make_schedules(("here", "0 * * * *")))
    status = known.ticks.loc[known.ticks["schedule_id"] == "gone", "status"].astype("str")
    assert set(status) == {"on_time", "unknown"}
    assert known.incidents.empty
    unknown = Analysis.build(log)
    assert "missed" in set(unknown.ticks.loc[unknown.ticks["schedule_id"] == "gone", "status"])
    assert unknown.incidents["schedule_id"].tolist() == ["gone"]


def test_fetches_bound_what_was_seen(make_log, make_schedules):
    """What lies between two fetches that do not overlap is unknown, and a hole of the coverage."""
    log = make_log(*_hours("a", *range(5), *range(10, 15)))
    looks = pd.DataFrame(
        {
            "schedule_id": ["a", "a"],
            "fetched_at": ["2026-01-01T04:30Z", "2026-01-01T14:30Z"],
            "n_entries": [5, 5],
            "first_at": ["2026-01-01T00:00:00.2Z", "2026-01-01T10:00:00.2Z"],
            "last_at": ["2026-01-01T04:00:00.2Z", "2026-01-01T14:00:00.2Z"],
            "is_truncated": [False, True],
        }
    )
    found = Analysis.build(log, make_schedules(("a", "0 * * * *")), fetches=Fetches.cast(looks))
    assert found.ticks["status"].eq("unknown").sum() == 5
    assert found.coverage["n_holes"].tolist() == [1]


def test_it_is_empty_with_all_its_columns(sample):
    """Nothing in, typed tables out; there is no end of data and no period to speak of."""
    full = Analysis.build(sample.log, sample.schedules)
    empty = Analysis.build(Log.empty(), runs=Runs.empty())
    assert empty.data_end is None
    assert empty.previous is None
    for name in (
        "cadence",
        "accounting",
        "rates",
        "coverage",
        "ticks",
        "invocations",
        "incidents",
        "failures",
        "holes",
    ):
        assert getattr(empty, name).empty
        assert list(getattr(empty, name)) == list(getattr(full, name)), name
    assert accounting(Ticks.empty()).dtypes.equals(full.accounting.dtypes)


def test_only_some_schedules(sample):
    """Only those asked for are anywhere; an id that nobody knows is an error that names it."""
    (one,) = sample.schedules.loc[sample.schedules["name"] == "nightly-crawl", "schedule_id"]
    alone = Analysis.build(sample.log, sample.schedules, runs=sample.runs, schedule_ids=[one])
    for name in ("cadence", "rates", "coverage", "schedules", "ticks", "invocations", "runs"):
        assert set(getattr(alone, name)["schedule_id"]) == {one}, name
    with pytest.raises(InputError, match="'nobody'"):
        Analysis.build(sample.log, sample.schedules, schedule_ids=["nobody", one])


def test_an_objective_is_a_share_below_one(sample):
    """Percent, nought and one are refused in one sentence; without one there are no tables about it."""
    for objective in (99.5, 0.0, 1.0, np.nan):
        with pytest.raises(ConfigError, match="objective"):
            Analysis.build(sample.log, sample.schedules, objective=objective)
    plain = Analysis.build(sample.log, sample.schedules)
    assert plain.slo is None
    assert plain.burn_down is None
    held = Analysis.build(sample.log, sample.schedules, objective=0.995)
    assert held.slo is not None
    assert held.slo["n"].item() == held.rates["n"].sum()


def test_runs_are_followed_where_there_are_any(sample, whole):
    """With runs there is a funnel that begins with what counts; without, there is none."""
    assert whole.funnel is not None
    assert whole.funnel["n"].iloc[0] <= whole.rates["n"].sum()
    assert whole.outcomes_by_schedule is not None
    assert whole.outcomes_by_schedule["n"].sum() == whole.outcomes["n"].item()
    assert Analysis.build(sample.log, sample.schedules).funnel is None


def test_its_repr_says_what_it_is_about(whole):
    """The number of schedules and the period."""
    assert repr(whole) == "<Analysis of 15 schedules, 2026-08-01 to 2026-10-31>"
