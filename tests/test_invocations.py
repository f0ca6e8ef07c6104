"""Invocations: which entries belong together, and how each tick ended."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from schedlog_analysis import invocations
from schedlog_analysis.schema import Invocations, Log

INFO = ("INFO", "Schedule invoked")
MANUAL = ("INFO", "Schedule invoked manually")
ERROR = ("ERROR", 'Cannot start Actor "x": Unknown error')
SKIP = ("WARNING", 'Skipping Actor "x", it must be exclusive but previous run is still running')
GONE = ("ERROR", "Cannot invoke schedule because its user was not found.")


def _at(second: float) -> str:
    return (pd.Timestamp("2026-01-01T00:00Z") + pd.Timedelta(seconds=second)).isoformat()


@pytest.mark.parametrize(
    ("n_actions", "kinds", "outcome"),
    [
        (1, [INFO], "ok"),
        (1, [ERROR], "failed"),
        (1, [ERROR, INFO], "failed"),
        (1, [INFO, ERROR], "failed"),
        (3, [ERROR, INFO], "partial"),
        (3, [ERROR, ERROR, ERROR, INFO], "failed"),
        (None, [ERROR, INFO], "failed"),
        (3, [GONE], "failed"),
        (1, [SKIP, INFO], "skipped"),
        (1, [SKIP], "skipped"),
        (2, [SKIP, ERROR, INFO], "partial"),
        (1, [("WARNING", "Something else"), INFO], "ok"),
        (1, [("NOTICE", "A level nobody knows"), INFO], "ok"),
        (1, [MANUAL], "ok"),
        (1, [ERROR, MANUAL], "failed"),
    ],
)
def test_outcomes(make_log, make_schedules, n_actions, kinds, outcome):
    """Both shapes of the log, INFO first or last, with and without the number of actions."""
    log = make_log(*(("a", _at(0.1 * i), *kind) for i, kind in enumerate(kinds)))
    table = invocations(log, make_schedules(("a", "0 * * * *", {"n_actions": n_actions})))
    assert table["outcome"].tolist() == [outcome]
    assert table["n_entries"].tolist() == [len(kinds)]
    assert table["is_manual"].tolist() == [MANUAL in kinds]


def test_clicks_do_not_hide_the_number_of_actions(make_log, make_schedules):
    """Clicks set apart from one schedule's invocations leave the outcomes of another's as they are."""
    clicks = (("a", _at(0.5 + 0.1 * i), *MANUAL) for i in range(20))
    log = make_log(("a", _at(0), *INFO), *clicks, ("b", _at(0), *ERROR), ("b", _at(0.1), *INFO))
    table = invocations(log, make_schedules(("a", "0 * * * *"), ("b", "0 * * * *", {"n_actions": 2})))
    assert table.loc[table["schedule_id"] == "b", "outcome"].tolist() == ["partial"]
    assert table.loc[table["schedule_id"] == "a", "is_manual"].tolist() == [False] + 20 * [True]


def test_the_published_example_is_one_ok_and_one_failed(make_log):
    """The documentation's own two entries, backslashes and all."""
    message = (
        'Cannot start Actor task \\"iEvfA6pm6DWjRTGxS\\": Provided input must be object, got \\"string\\" instead.'
    )
    log = make_log(
        ("seed", "2019-03-26T12:28:00.370Z", "INFO", "Schedule invoked"),
        ("seed", "2019-03-26T12:30:00.325Z", "ERROR", message),
    )
    table = invocations(log)
    assert table["outcome"].tolist() == ["ok", "failed"]
    assert table["message"].isna().tolist() == [True, False]
    assert table["message"].iloc[1] == message


def test_ten_seconds_are_the_limit(make_log):
    """An entry 9.999 s after the first belongs to it, one 10 s after starts anew, however close its predecessor."""
    log = make_log(*(("a", _at(second), *ERROR) for second in (0, 6, 9.999, 10, 12)))
    assert invocations(log)["n_entries"].tolist() == [3, 2]


def test_each_line_ends_an_invocation(make_log):
    """Two lines are two invocations, however close; each has what was written since the line before."""
    log = make_log(*(("a", _at(0.1 * i), *kind) for i, kind in enumerate([INFO, INFO, ERROR, ERROR, INFO, MANUAL])))
    table = invocations(log)
    assert table["n_entries"].tolist() == [1, 1, 3, 1]
    assert table["outcome"].tolist() == ["ok", "ok", "failed", "ok"]


def test_twenty_slow_starts_are_one_invocation(make_log, make_schedules):
    """As long as entries follow each other within the window, the line at the end has them all."""
    log = make_log(*(("a", _at(1.5 * i), *ERROR) for i in range(20)), ("a", _at(30), *INFO))
    table = invocations(log, make_schedules(("a", "0 * * * *", {"n_actions": 21})))
    assert (table["n_entries"].tolist(), table["outcome"].tolist()) == ([21], ["partial"])


def test_seconds_without_a_definition_are_told_apart(make_log):
    """A cron of every ten seconds that starts a little early now and then is not read as half as many."""
    seconds = [10 * i + 0.3 * (i % 3) for i in range(60)]
    assert len(invocations(make_log(*(("a", _at(second), *INFO) for second in seconds)))) == 60


@pytest.mark.parametrize(
    ("entries", "manual"),
    [
        ([(0.3, ERROR), (5, MANUAL)], [False, True]),
        ([(0.3, ERROR), (0.6, ERROR), (4.9, ERROR), (5, MANUAL)], [False, True]),
        ([(0.3, INFO), (4.7, ERROR), (5, MANUAL)], [False, True]),
        ([(4.8, ERROR), (5, MANUAL), (6, INFO)], [True, False]),
        ([(1800, ERROR), (1805, MANUAL)], [True]),
    ],
)
def test_a_click_near_a_tick_has_its_own_entries(make_log, make_schedules, entries, manual):
    """An entry on a tick without a line of its own is the tick's; else what comes before a click is the click's."""
    log = make_log(*(("a", _at(second), *kind) for second, kind in entries))
    table = invocations(log, make_schedules(("a", "0 * * * *")))
    assert table["is_manual"].tolist() == manual
    assert table["n_entries"].sum() == len(entries)


def test_the_overlap_of_two_answers_counts_once(make_log):
    """Answers put one after the other have some entries twice; the figures are those of their union."""
    entries = [("a", _at(3600 * i + second), *kind) for i in range(6) for second, kind in ((0.3, ERROR), (0.4, INFO))]
    union = invocations(make_log(*entries))
    for answers in (entries[:8] + entries[4:], entries + entries):
        assert_frame_equal(invocations(make_log(*answers)), union)


def test_what_an_answer_says_twice_stays_twice(make_log):
    """Two errors of one text and one instant, from two actions alike, are two."""
    log = make_log(*(("a", _at(3600 * i), *kind) for i in range(4) for kind in (ERROR, ERROR, INFO)))
    assert invocations(log)["n_errors"].tolist() == [2] * 4


def test_a_tick_is_a_border(make_log, make_schedules):
    """With a known cron an invocation never reaches over the next tick, not even a second before it."""
    log = make_log(("a", _at(3595), *ERROR), ("a", _at(3600.3), *INFO))
    assert len(invocations(log)) == 1
    assert len(invocations(log, make_schedules(("a", "0 * * * *")))) == 2


def test_a_click_next_to_a_tick_is_an_invocation_of_its_own(make_log):
    """A manual invocation seconds before or after a scheduled one does not make that one manual."""
    for order in ([MANUAL, INFO], [INFO, MANUAL]):
        table = invocations(make_log(*(("a", _at(3 * i), *kind) for i, kind in enumerate(order))))
        assert sorted(table["is_manual"]) == [False, True]
        assert table["invoked_at"].is_monotonic_increasing


def test_a_click_just_before_a_tick_does_not_cut_it_in_two(make_log):
    """Ten seconds count from the tick's own first entry, not from the click's."""
    log = make_log(
        ("a", "2026-01-01T11:59:55Z", "INFO", "Schedule invoked manually"),
        ("a", "2026-01-01T12:00:00.3Z", "INFO", "Schedule invoked"),
        ("a", "2026-01-01T12:00:06Z", "ERROR", 'Cannot start Actor "x": Unknown error'),
    )
    table = invocations(log)
    assert table["is_manual"].tolist() == [True, False]
    assert table["outcome"].tolist() == ["ok", "failed"]
    assert table["n_entries"].tolist() == [1, 2]


def test_the_message_is_the_first_error_else_the_first_warning(make_log):
    """Warnings do not hide errors, and entries of one instant are ordered by their text."""
    log = make_log(
        ("a", _at(0), *SKIP), ("a", _at(1), "ERROR", "z"), ("a", _at(1), "ERROR", "b"), ("a", _at(2), "ERROR", "a")
    )
    assert invocations(log)["message"].tolist() == ["b"]
    assert invocations(log.iloc[:1])["message"].tolist() == [SKIP[1]]


def test_no_entries_no_invocations():
    """An empty log has no invocations, and all their columns."""
    assert_frame_equal(invocations(Log.empty()), Invocations.empty())


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 40_000).map(lambda ms: _at(ms / 1000)),
        st.sampled_from([INFO, MANUAL, ERROR, SKIP, ("ERROR", "other")]),
    ).map(lambda entry: (entry[0], entry[1], *entry[2])),
    max_size=30,
    unique=True,
)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_order_does_not_matter(make_log, entries, random):
    """Shuffling a log changes nothing."""
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert_frame_equal(invocations(make_log(*entries)), invocations(make_log(*shuffled)))


@given(ENTRIES)
def test_schedules_do_not_touch(make_log, entries):
    """Analysing each schedule alone and concatenating equals analysing them together, and no entry is lost."""
    log = make_log(*entries)
    whole = invocations(log)
    parts = [invocations(log[log["schedule_id"] == name]) for name in "abc"]
    assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    assert whole["n_entries"].sum() == len(log)


@given(ENTRIES)
def test_categoricals_give_the_same(make_log, entries):
    """Text columns may be categoricals, in any order of their categories."""
    log = make_log(*entries)
    coded = log.assign(
        schedule_id=pd.Categorical(log["schedule_id"], categories=pd.Index(["c", "unused", "a", "b"], dtype="str")),
        level=log["level"].astype("category"),
        message=log["message"].astype("category"),
    )
    assert_frame_equal(invocations(coded).astype({"schedule_id": "str", "message": "str"}), invocations(log))
