"""The accounting policy: what counts as up, as down, or not at all, and how that is said."""

from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis._core.instants import to_ms
from schedlog_analysis.analysis.changes import change_points
from schedlog_analysis.analysis.rates import error_rate
from schedlog_analysis.analysis.slo import burn_rates, slo
from schedlog_analysis.errors import ConfigError, SchedlogError, SchemaError
from schedlog_analysis.matching.policy import AccountingPolicy, Maintenance, instants
from schedlog_analysis.schema import COUNTED, REASONS, Invocations, Ticks

PLANNED, INVOKED = "2026-10-25T01:00:00Z", "2026-10-25T01:00:02Z"


def tick(status, outcome=None):
    """One tick, planned unless it is extra or manual, invoked if it has an outcome."""
    row = {
        "schedule_id": "a",
        "planned_at": None if status in ("extra", "manual") else PLANNED,
        "invoked_at": INVOKED if outcome else None,
        "delay": None,
        "status": status,
        "outcome": outcome,
        "is_ambiguous": False,
    }
    return Ticks.cast(pd.DataFrame([row], dtype="object"))


def invocation(outcome, *, is_manual=False):
    row = {"schedule_id": "a", "invoked_at": INVOKED, "outcome": outcome, "is_manual": is_manual, "message": None}
    return Invocations.cast(pd.DataFrame([row | {"n_entries": 1, "n_errors": 0, "n_warnings": 0}]))


def judged(table, **options):
    return AccountingPolicy(**options).judge(table)["counted_as"].item()


@pytest.mark.parametrize(
    ("status", "outcome", "verdict"),
    [
        ("on_time", "ok", "up"),
        ("on_time", "partial", "down"),
        ("on_time", "failed", "down"),
        ("on_time", "skipped", "left_out"),
        ("late", "ok", "up"),
        ("late", "failed", "down"),
        ("missed", None, "down"),
        ("unknown", None, "left_out"),
        ("duplicate", "failed", "left_out"),
        ("extra", "ok", "up"),
        ("extra", "failed", "down"),
        ("manual", "failed", "left_out"),
    ],
)
def test_the_defaults_are_as_stated(status, outcome, verdict):
    """Every status and outcome counts as the docstring says."""
    assert judged(tick(status, outcome)) == verdict


@pytest.mark.parametrize(
    ("status", "outcome", "options", "verdict"),
    [
        ("on_time", "partial", {"partial": "up"}, "up"),
        ("on_time", "partial", {"partial": "left out"}, "left_out"),
        ("missed", None, {"missed": "left out"}, "left_out"),
        ("missed", None, {"missed": "up"}, "up"),
        ("on_time", "skipped", {"skipped": "down"}, "down"),
        ("on_time", "skipped", {"skipped": "up"}, "up"),
        ("late", "ok", {"late": "down"}, "down"),
        ("late", "ok", {"late": "left out"}, "left_out"),
        ("late", "failed", {"late": "left out"}, "down"),
        ("duplicate", "failed", {"duplicate": "outcome"}, "down"),
        ("extra", "failed", {"extra": "left out"}, "left_out"),
        ("manual", "ok", {"manual": "outcome"}, "up"),
    ],
)
def test_every_choice_does_what_it_says(status, outcome, options, verdict):
    """Each option changes the verdict of what it names."""
    assert judged(tick(status, outcome), **options) == verdict


@pytest.mark.parametrize("outcome", ["ok", "partial", "failed", "skipped"])
def test_invocations_and_ticks_are_judged_alike(outcome):
    """A bare invocation counts as a tick on time would; by hand, it counts as a manual one."""
    assert judged(invocation(outcome)) == judged(tick("on_time", outcome))
    for manual in ("outcome", "left out"):
        by_hand = judged(invocation(outcome, is_manual=True), manual=manual)
        assert by_hand == judged(tick("manual", outcome), manual=manual)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from(COUNTED), st.sampled_from(COUNTED))
def test_unknown_is_never_counted(draw_ticks, seed, missed, partial):
    """Under every policy unknown ticks are left out, and nothing else changes with the order of the rows."""
    table, policy = draw_ticks(seed), AccountingPolicy(missed=missed, partial=partial)
    judgement = policy.judge(table)
    assert (judgement.loc[table["status"] == "unknown", "counted_as"] == "left_out").all()
    pd.testing.assert_frame_equal(policy.judge(table.iloc[::-1]), judgement.iloc[::-1])


@pytest.mark.parametrize(
    ("status", "outcome", "options", "reason"),
    [
        ("on_time", "ok", {}, "started"),
        ("late", "ok", {}, "started"),
        ("late", "ok", {"late": "down"}, "late"),
        ("on_time", "failed", {}, "failed"),
        ("on_time", "partial", {"partial": "up"}, "partial"),
        ("on_time", "skipped", {}, "skipped"),
        ("missed", None, {}, "missed"),
        ("unknown", None, {}, "hole"),
        ("manual", "failed", {}, "manual"),
        ("manual", "failed", {"manual": "outcome"}, "failed"),
        ("duplicate", "ok", {}, "duplicate"),
        ("extra", "ok", {"extra": "left out"}, "extra"),
    ],
)
def test_every_judgement_has_its_reason(status, outcome, options, reason):
    """What became of it, or why it is left out."""
    assert AccountingPolicy(**options).judge(tick(status, outcome))["reason"].item() == reason


def test_maintenance_is_a_reason_only_for_what_would_count():
    """It leaves out what counts; a tick that nobody could see keeps the reason that the log gives."""
    policy = AccountingPolicy(maintenance=[Maintenance("2026-10-25T00:00Z", "2026-10-25T02:00Z")])
    assert policy.judge(tick("missed"))["reason"].item() == "maintenance"
    unseen = tick("unknown").assign(reason=pd.Categorical(["truncated"], categories=list(REASONS)))
    assert policy.judge(unseen)["reason"].item() == "truncated"
    assert policy.judge(policy.judge(unseen))["reason"].item() == "truncated"


def test_a_judgement_is_taken_along_unless_another_policy_judges():
    """Analyses read the two columns of the table; a policy given to them judges anew."""
    table = AccountingPolicy(missed="up").judge(tick("missed"))
    assert error_rate(table)["n_failed"].item() == 0
    assert error_rate(table, policy=AccountingPolicy())["n_failed"].item() == 1


# Maintenance


def test_a_maintenance_window_is_half_open():
    """What was planned at the start is left out, what was planned at the end counts; the invocation does not matter."""
    assert judged(tick("missed"), maintenance=[Maintenance(PLANNED, INVOKED)]) == "left_out"
    assert judged(tick("missed"), maintenance=[Maintenance("2026-10-25T00:00Z", PLANNED)]) == "down"
    inside = Maintenance("2026-10-25T01:00:01Z", "2026-10-25T01:00:03Z")
    assert judged(tick("on_time", "failed"), maintenance=[inside]) == "down"
    assert judged(tick("extra", "failed"), maintenance=[inside]) == "left_out"


@pytest.mark.parametrize(
    ("moment", "is_held"),
    [
        ("2026-03-22T00:59Z", False),  # Sunday, 01:59
        ("2026-03-22T01:00Z", True),  # 02:00
        ("2026-03-22T02:59Z", True),
        ("2026-03-22T03:00Z", False),
        ("2026-03-23T01:30Z", False),  # Monday
        ("2026-04-05T00:00Z", True),  # in summer, 02:00 is an hour earlier
        ("2026-04-05T02:00Z", False),
    ],
)
def test_a_rule_repeats_on_the_local_clock(moment, is_held):
    """Two hours from 02:00 every Sunday in Prague, in winter and in summer."""
    window = Maintenance(cron="0 2 * * SUN", duration="2h", tz="Europe/Prague")
    assert window.holds(to_ms(pd.DatetimeIndex([moment]))).tolist() == [is_held]


def test_rules_that_overlap_themselves_hold_everything():
    """An hour from every half hour leaves nothing out; no moments give no answers."""
    window = Maintenance(cron="*/30 * * * *", duration=timedelta(hours=1))
    minutes = to_ms(pd.date_range("2026-10-24", "2026-10-26", freq="7min", tz="UTC"))
    assert window.holds(minutes).all()
    assert window.holds(minutes[:0]).tolist() == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "needs `start` and `end`, or `cron` and `duration`"),
        ({"start": PLANNED}, "needs `start` and `end`, or"),
        ({"start": PLANNED, "end": INVOKED, "cron": "0 2 * * *"}, "needs `start` and `end`, or"),
        ({"start": PLANNED, "cron": "0 2 * * *", "duration": "2h"}, "needs `start` and `end`, or"),
        ({"start": INVOKED, "end": PLANNED}, "not after its start"),
        ({"start": PLANNED, "end": PLANNED}, "not after its start"),
        ({"start": "2026-10-25", "end": INVOKED}, "without an offset"),
        ({"cron": "0 2 * * *", "duration": "0h"}, "has no length"),
        ({"cron": "0 2 * * *", "duration": "long"}, "expected a duration"),
        ({"cron": "often", "duration": "2h"}, "often"),
        ({"cron": "0 2 * * *", "duration": "2h", "tz": "Mars/Olympus"}, "Mars/Olympus"),
    ],
)
def test_a_window_that_makes_no_sense_is_told_at_once(options, told):
    """Half windows, windows of both kinds, without length or that cannot be read are refused when made."""
    with pytest.raises(SchedlogError, match=told):
        Maintenance(**options)


# As an object, and in words


def test_policies_are_values():
    """Equal rules are equal policies, which can be keys; a list of windows will do, and a single one."""
    window = Maintenance(cron="0 2 * * SUN", duration="2h")
    one, same = AccountingPolicy(maintenance=[window]), AccountingPolicy(maintenance=(window,))
    assert one == same == AccountingPolicy(maintenance=window)
    assert len({one, same, AccountingPolicy()}) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"missed": "maybe"}, "`missed` is 'maybe'"),
        ({"duplicate": "down"}, "expected one of outcome, left out"),
        ({"maintenance": "Sundays"}, "has 'Sundays'; expected windows such as Maintenance"),
        ({"maintenance": None}, "has None; expected windows"),
        ({"maintenance": [(PLANNED, INVOKED)]}, "expected windows such as Maintenance"),
    ],
)
def test_unknown_rules_are_refused(options, told):
    """A value that is no verdict is told with those that are."""
    with pytest.raises(ConfigError, match=told):
        AccountingPolicy(**options)


@pytest.mark.parametrize("name", ["partial", "missed", "late", "skipped"])
@pytest.mark.parametrize("verdict", COUNTED)
def test_sentences_say_every_rule(name, verdict):
    """Each choice of a rule gives other sentences than every other choice of it."""
    told = {one: AccountingPolicy(**{name: one}).sentences() for one in COUNTED}
    assert sum(told[verdict] == other for other in told.values()) == 1


def test_sentences_name_what_is_beyond_the_plan_and_maintenance():
    """Duplicates, extra and manual invocations and every window of maintenance are said."""
    policy = AccountingPolicy(manual="outcome", maintenance=[Maintenance(PLANNED, INVOKED)])
    told = " ".join(policy.sentences())
    for words in ("Duplicate invocations are left out", "Extra invocations count", "Manual invocations count", INVOKED):
        assert words in told


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pd.DataFrame({"a": [1]}), "lacks schedule_id, invoked_at, outcome"),
        (pd.DataFrame({"status": ["missed"]}), "Ticks lacks schedule_id, planned_at"),
        (tick("missed").assign(planned_at=pd.Timestamp("2026-05-01")), "without a time zone"),
        (invocation("ok").assign(invoked_at=pd.Timestamp("2026-05-01")), "without a time zone"),
        (tick("missed").astype({"status": "str"}).assign(status="lost"), "status has 'lost' in row 0"),
        (None, "came a NoneType; expected a DataFrame"),
        ([1, 2], "came a list; expected a DataFrame"),
    ],
)
def test_other_tables_are_told_by_their_columns(table, told):
    """Wrong columns, times without a zone, unknown words and what is no table: one sentence from every analysis."""
    for analysis in (error_rate, change_points, lambda one: slo(one, 0.9), lambda one: burn_rates(one, 0.9)):
        with pytest.raises(SchemaError, match=told) as refused:
            analysis(table)
        assert "\n" not in str(refused.value)


def test_the_planned_moment_counts(draw_ticks):
    """A tick counts where it was planned, and where it was invoked if nothing was planned."""
    table = draw_ticks(3)
    at = pd.DatetimeIndex(instants(table).view("datetime64[ms]"), tz="UTC")
    assert (at == table["planned_at"].fillna(table["invoked_at"])).all()
