"""Incidents are found where they are, to the tick, and nowhere else; what schedules share is found across them."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis.analysis.failures.causes import RULES, Rule
from schedlog_analysis.analysis.failures.clusters import failure_clusters
from schedlog_analysis.analysis.incidents.incidents import fleet_incidents, incidents
from schedlog_analysis.analysis.incidents.reliability import reliability
from schedlog_analysis.errors import ConfigError, SchemaError
from schedlog_analysis.matching.policy import AccountingPolicy, Maintenance
from schedlog_analysis.schema import Incidents, Invocations, Ticks

START = pd.Timestamp("2026-03-01T00:00Z")
HOUR = pd.Timedelta(hours=1)
# One letter per tick: good, bad (failed), missed, unknown, partial, skipped.
OUTCOME = {"G": "ok", "B": "failed", "M": None, "U": None, "P": "partial", "S": "skipped"}
STATUS = {"M": "missed", "U": "unknown"}
MEMORY = "By launching this job you will exceed the memory limit of {}MB for all your Actor runs and builds"

PATTERNS = st.lists(st.text("GGGGBBMU", max_size=40), max_size=4)
MASKS = st.lists(st.lists(st.booleans(), min_size=1, max_size=40), min_size=1, max_size=4)


def make_ticks(*patterns):
    """Build Ticks of schedules "a", "b", … from a letter per hour."""
    rows = [
        (chr(97 + number), START + hour * HOUR, letter)
        for number, pattern in enumerate(patterns)
        for hour, letter in enumerate(pattern)
    ]
    if not rows:
        return Ticks.empty()
    table = pd.DataFrame(rows, columns=["schedule_id", "planned_at", "letter"])
    silent = table["letter"].isin(["M", "U"])
    return Ticks.cast(
        table.assign(
            invoked_at=table["planned_at"].mask(silent),
            delay=pd.Series(pd.Timedelta(0), index=table.index).mask(silent),
            status=table["letter"].map(STATUS).fillna("on_time"),
            outcome=table["letter"].map(OUTCOME),
            is_ambiguous=False,
        )
    )


def make_invocations(ticks, messages):
    """Build the invocations of the failed ticks, with these messages in turn."""
    failed = ticks[ticks["outcome"].isin(["failed", "partial"])].reset_index(drop=True)
    turn = [messages[i % len(messages)] for i in range(len(failed))]
    return Invocations.cast(
        failed[["schedule_id", "invoked_at", "outcome"]].assign(
            is_manual=False, n_entries=1, n_errors=1, n_warnings=0, message=pd.Series(turn, dtype="str")
        )
    )


def hours(found):
    """Show incidents as (schedule, hour of the start, hour of the end or None)."""
    shown = []
    for who, began, ended in zip(found["schedule_id"], found["started_at"], found["ended_at"], strict=True):
        shown.append((who, (began - START) // HOUR, None if pd.isna(ended) else (ended - START) // HOUR))
    return shown


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("GGGGGGBBBBGGGGGG", [("a", 6, 10)]),
        ("GGGGGGMMMMGGGGGG", [("a", 6, 10)]),
        ("GGGGGGBBMMGGGGGG", [("a", 6, 10)]),
        ("GGGGGGPPPPGGGGGG", [("a", 6, 10)]),
        ("BBBBGGGGGGGGGGGG", [("a", 0, 4)]),
        ("GGGGGGGGGGGGBBBB", [("a", 12, None)]),
        ("BBBBBBBB", [("a", 0, None)]),
        ("GBBGG", [("a", 1, 3)]),
        ("GBBG", [("a", 1, None)]),
        ("GGGGBGGGG", []),
        ("GGBGBGBGGG", []),
        ("GGGGGGBBUUBBUGGG", [("a", 6, 13)]),
        ("GGGGUUUUBBBBUUUU", [("a", 8, None)]),
        ("GGGGGGBBGBBGGGGG", [("a", 6, 11)]),
        ("GGGGGGBBGGBBGGGG", [("a", 6, 8), ("a", 10, 12)]),
        ("GGBUUUUUGG", [("a", 2, 8)]),
        ("GGBUUUUGG", []),
        ("GGGGBUUUUUUU", [("a", 4, None)]),
        ("GGGGSSSSGGGG", []),
        ("UUUU", []),
        ("", []),
    ],
)
def test_start_and_end_are_exact(pattern, expected):
    """Two down in a row, or one for six hours, open an incident; the first of two good ones in a row closes it."""
    assert hours(incidents(make_ticks(pattern))) == expected


def test_counts_and_duration():
    """Ticks count from the first bad to the last bad one, good ones among them, unknown ones not."""
    row = incidents(make_ticks("GGGGGGBBUMMGBBBGGGGG")).iloc[0]
    assert (row["n_ticks"], row["n_failed"], row["n_missed"]) == (8, 5, 2)
    assert row["duration"] == 9 * HOUR
    assert not row["is_flapping"]


def test_a_daily_schedule_is_down_for_a_day_after_one_failure():
    """One tick is an incident when the next good one comes six hours later or more."""
    ticks = make_ticks("GGBGGG")
    days = ticks.assign(planned_at=START + (ticks["planned_at"] - START) * 24)
    days["invoked_at"] = days["planned_at"]
    (found,) = incidents(Ticks.cast(days)).to_dict("records")
    assert found["started_at"] == START + 48 * HOUR
    assert found["duration"] == 24 * HOUR


def test_what_the_policy_leaves_out_makes_no_incident():
    """Maintenance over a failing stretch, or a policy that calls it up: no incident. Skipped is down if it says so."""
    ticks = make_ticks("GGGBBBBBGGG")
    window = Maintenance(START + 3 * HOUR, START + 8 * HOUR)
    assert incidents(ticks, policy=AccountingPolicy(maintenance=[window])).empty
    assert incidents(AccountingPolicy(maintenance=[window]).judge(ticks)).empty
    assert incidents(make_ticks("GGGPPPPPGGG"), policy=AccountingPolicy(partial="up")).empty
    skipped = incidents(make_ticks("GGGSSSSS"), policy=AccountingPolicy(skipped="down"))
    assert hours(skipped) == [("a", 3, None)]


def test_an_incident_ends_when_its_schedule_is_switched_off(make_schedules):
    """Nobody waits for a schedule that is off, or that is gone while others are defined."""
    ticks = make_ticks("GGGBBB", "GGGBBB")
    off = {"is_enabled": False, "created_at": "2026-02-01T00:00Z", "modified_at": "2026-03-01T05:30Z"}
    found = incidents(ticks, schedules=make_schedules(("a", "0 * * * *", off), ("c", "0 * * * *")))
    assert found["ended_at"].tolist() == [START + 5.5 * HOUR, START + 5 * HOUR + pd.Timedelta(1, "ms")]


def test_flapping_is_named():
    """An incident that seemed over at least twice is flapping."""
    quiet = "G" * 200
    found = incidents(make_ticks(quiet + "BBGBBGBGBBGBGBBGB"[1:] + quiet), open_after=1)
    assert hours(found) == [("a", 200, 216)]
    assert found["is_flapping"].tolist() == [True]


@pytest.mark.parametrize(
    ("open_after", "close_after", "expected"),
    [
        (1, 1, [(2, 4), (5, 6), (9, 12)]),
        (2, 1, [(2, 4), (9, 12)]),
        (3, 1, [(9, 12)]),
        (2, 2, [(2, 6), (9, 12)]),
        (1, 4, [(2, None)]),
        (4, 1, []),
    ],
)
def test_counting_rule(open_after, close_after, expected):
    """So many bad in a row open, so many good in a row close."""
    found = incidents(make_ticks("GGBBGBGGGBBBGG"), open_after=open_after, close_after=close_after)
    assert [span[1:] for span in hours(found)] == expected


def loop_streaks(is_bad, open_after, close_after):
    """Count in a row, tick by tick."""
    found, first, last, n_bad, n_good = [], None, None, 0, 0
    for position, bad in enumerate(is_bad):
        n_bad, n_good = (n_bad + 1, 0) if bad else (0, n_good + 1)
        if first is None and n_bad == open_after:
            first = position - open_after + 1
        if bad:
            last = position
        if first is not None and n_good == close_after:
            found.append((first, last))
            first = None
    return found + ([(first, last)] if first is not None else [])


@settings(max_examples=60, deadline=None)
@given(MASKS, st.integers(1, 4), st.integers(1, 4))
def test_counting_equals_a_loop(masks, open_after, close_after):
    """The array arithmetic gives what counting tick by tick gives, schedule by schedule."""
    ticks = make_ticks(*("".join("B" if is_bad else "G" for is_bad in mask) for mask in masks))
    policy = AccountingPolicy(open_after=open_after, open_for="999d", close_after=close_after)
    found = incidents(ticks, policy=policy)
    began = (found["started_at"] - START) // HOUR
    expected = [
        (chr(97 + number), first, last - first + 1)
        for number, mask in enumerate(masks)
        for first, last in loop_streaks(mask, open_after, close_after)
    ]
    assert list(zip(found["schedule_id"], began, found["n_ticks"], strict=True)) == expected


@settings(max_examples=20, deadline=None)
@given(PATTERNS, st.sampled_from([None, 1, 2]))
def test_laws_of_the_table(patterns, open_after):
    """Incidents of a schedule follow each other, begin with a bad tick, end with a good one, hold what they count."""
    ticks = make_ticks(*patterns)
    found = incidents(ticks, open_after=open_after)
    assert found["incident_id"].is_unique
    for who, began, ended in hours(found):
        pattern = patterns[ord(who) - 97]
        assert pattern[began] in "BM"
        assert ended is None or pattern[ended] == "G"
        if ended is None:
            assert "GG" not in pattern[began:].replace("U", "").rstrip("G")
    inside = found["n_failed"] + found["n_missed"]
    assert (inside <= found["n_ticks"]).all()
    for _, own in found.groupby("schedule_id"):
        assert (own["ended_at"].iloc[:-1].to_numpy() <= own["started_at"].iloc[1:].to_numpy()).all()


@settings(max_examples=8, deadline=None)
@given(PATTERNS, st.randoms(use_true_random=False))
def test_order_dtype_and_partition_do_not_matter(patterns, rng):
    """Shuffled rows, categoricals and one schedule at a time give the same incidents."""
    ticks = make_ticks(*patterns)
    invocations = make_invocations(ticks, [MEMORY.format(1), MEMORY.format(2), "Actor was not found"])
    found = incidents(ticks, invocations)
    order = list(range(len(ticks)))
    rng.shuffle(order)
    coded = {"schedule_id": "category"}
    shuffled = incidents(
        ticks.iloc[order].astype(coded), invocations.iloc[::-1].astype(coded | {"message": "category"})
    )
    pd.testing.assert_frame_equal(shuffled, found)
    parts = [
        incidents(own, invocations[invocations["schedule_id"] == who]) for who, own in ticks.groupby("schedule_id")
    ]
    if parts:
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), found)


def test_what_was_not_planned_is_left_out():
    """Duplicate and manual invocations make no incident and end none."""
    ticks = make_ticks("GGGGGGBBBBGGGGGG")
    others = pd.concat(
        [
            ticks.iloc[6:10].assign(status=status, outcome=outcome)
            for status in ("duplicate", "manual")
            for outcome in ("ok", "failed")
        ]
    ).assign(planned_at=lambda rows: rows["planned_at"].mask(rows["status"] != "duplicate"))
    mixed = Ticks.cast(
        pd.concat(
            [ticks.astype({"status": "str", "outcome": "str"}), others.astype({"status": "str", "outcome": "str"})]
        )
    )
    pd.testing.assert_frame_equal(incidents(mixed), incidents(ticks))


def test_cause_cluster_and_example_come_from_the_messages():
    """Most of its messages say what an incident was about, by the name that failure clusters use."""
    ticks = make_ticks("GGGGGGBBBBBGGGGGG", "GGGGGBBBBBGGGGGGG")
    messages = ["Quota of ada@example.com used up", MEMORY.format(1024), MEMORY.format(2048)]
    invocations = make_invocations(ticks, messages)
    found = incidents(ticks, invocations)
    assert found["cause"].tolist() == ["capacity", "capacity"]
    clusters = failure_clusters(invocations).set_index("cause")["cluster_id"]
    assert found["cluster_id"].tolist() == [clusters["capacity"]] * 2
    assert found["example"].tolist() == [MEMORY.format(1024), MEMORY.format(2048)]
    alone = incidents(
        ticks, invocations.assign(message="Quota of ada@example.com used up"), rules=[Rule("quota", "Quota"), *RULES]
    )
    assert alone["cause"].tolist() == ["quota", "quota"]
    assert alone["example"].tolist() == ["Quota of <e-mail> used up"] * 2


def test_silence_has_a_cause_of_its_own():
    """Where most ticks were missed the cause is `missed`; where they failed and no message is known it is missing."""
    ticks = make_ticks("GGGGGMMMMBGGGGG", "GGGGGBBBBMGGGGG", "GGGGGMMMMMGGGGG")
    with_messages = incidents(ticks, make_invocations(ticks, ["Actor was not found"]))
    assert with_messages["cause"].tolist() == ["missed", "missing target", "missed"]
    assert with_messages["cluster_id"].isna().tolist() == [True, False, True]
    without = incidents(ticks)
    assert without["cause"].fillna("?").tolist() == ["missed", "?", "missed"]
    assert without["example"].isna().all()


def make_incidents(rows):
    """Build Incidents of (schedule, start hour, end hour or None, cluster or None)."""
    table = pd.DataFrame(rows, columns=["schedule_id", "began", "ended", "cluster_id"])
    started = START + pd.to_timedelta(table["began"], unit="h")
    ended = START + pd.to_timedelta(table["ended"].astype("float64"), unit="h")
    return Incidents.cast(
        table.assign(
            incident_id=[str(number) for number in range(len(table))],
            started_at=started,
            ended_at=ended,
            duration=ended - started,
            n_ticks=3,
            n_failed=3,
            n_missed=0,
            cause=table["cluster_id"].notna().map({True: "capacity", False: "missed"}),
            example=None,
            is_flapping=False,
            cluster_id=table["cluster_id"].astype("str"),
            problem_id=None,
        )
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("a", 1, 5, "x"), ("b", 4, 9, "x")], [("a,b", 1, 9)]),
        ([("a", 1, 5, "x"), ("b", 5, 9, "x")], []),
        ([("a", 1, 5, "x"), ("b", 4, 9, "y")], []),
        ([("a", 1, 5, None), ("b", 4, 9, None)], [("a,b", 1, 9)]),
        ([("a", 1, 5, "x"), ("b", 4, None, "x")], [("a,b", 1, None)]),
        ([("a", 1, 5, "x"), ("b", 4, 9, "x"), ("c", 8, 12, "x")], [("a,b,c", 1, 12)]),
        ([("a", 1, 20, "x"), ("b", 2, 4, "x"), ("c", 6, 8, "x")], [("a,b,c", 1, 20)]),
        ([("a", 1, 5, "x"), ("a", 4, 9, "x")], []),
        (
            [("b", 30, 40, "x"), ("a", 31, 32, "x"), ("a", 1, 3, None), ("c", 2, 3, None)],
            [("a,c", 1, 3), ("a,b", 30, 40)],
        ),
    ],
)
def test_fleet_incidents(rows, expected):
    """Incidents that overlap in time and share a cluster, or silence, are one; touching or different ones are not."""
    found = fleet_incidents(make_incidents(rows).sample(frac=1, random_state=0))
    shown = [span[1:] for span in hours(found.assign(schedule_id=""))]
    assert [(who, *span) for who, span in zip(found["schedules"], shown, strict=True)] == expected


def test_fleet_incidents_add_up():
    """A fleet incident counts schedules once, its incidents and their ticks; alone ones come when asked for."""
    table = make_incidents([("a", 1, 5, "x"), ("a", 6, 8, "x"), ("b", 2, 9, "x"), ("c", 50, 60, "x")])
    both = fleet_incidents(table, min_schedules=1)
    assert both[["n_schedules", "n_incidents", "n_ticks"]].to_numpy().tolist() == [[2, 3, 9], [1, 1, 3]]
    assert both["duration"].tolist() == [8 * HOUR, 10 * HOUR]
    assert both["fleet_incident_id"].is_unique


def test_unknown_problems_are_not_shared():
    """Incidents whose messages are not known are nobody's common problem."""
    found = incidents(make_ticks("GGGGGBBBBGGGG", "GGGGGBBBBGGGG"))
    assert len(found) == 2
    assert len(fleet_incidents(found)) == 0


def test_an_outage_of_the_platform_is_one_fleet_incident():
    """Schedules that fall silent together share one incident."""
    found = fleet_incidents(incidents(make_ticks("GGGGGMMMMGGGG", "GGGGGGMMMMGGG", "GGGGGGGGGGGGG")))
    assert found[["schedules", "cause", "n_missed"]].to_numpy().tolist() == [["a,b", "missed", 8]]


def test_reliability():
    """Repair time is the mean of what ended, time between failures the time outside incidents over their number."""
    ticks = make_ticks("GGGGGBBBBGGGGGGGGBBBBBBGG", "GGGGGGGGGGGGBBBB", "GGGGUUU", "UU")
    table = reliability(incidents(ticks), ticks).set_index("schedule_id")
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["n_incidents"].tolist() == [2, 1, 0]
    assert table["n_open"].tolist() == [0, 1, 0]
    assert table["observed"].tolist() == [24 * HOUR, 15 * HOUR, 3 * HOUR]
    assert table["downtime"].tolist() == [10 * HOUR, 3 * HOUR, 0 * HOUR]
    assert table.loc["a", ["mttr", "n_repaired", "mtbf"]].tolist() == [5 * HOUR, 2, 7 * HOUR]
    assert table.loc["b", "mtbf"] == 12 * HOUR
    assert table["mttr"].isna().tolist() == [False, True, True]
    assert table["mtbf"].isna().tolist() == [False, False, True]


def test_tables_without_rows_keep_their_columns():
    """Nothing in, nothing out, and every column is there with its dtype."""
    ticks = make_ticks("GGGGGBBBBGGGG", "GGGGGBBBBGGGG")
    full = incidents(ticks, make_invocations(ticks, ["Actor was not found"]))
    for some in (Ticks.empty(), make_ticks("GGG"), make_ticks("UUU")):
        none = incidents(some, Invocations.empty())
        assert len(none) == 0
        assert none.dtypes.equals(full.dtypes)
        assert incidents(some, open_after=2).dtypes.equals(full.dtypes)
        assert fleet_incidents(none).dtypes.equals(fleet_incidents(full).dtypes)
        assert reliability(none, some).dtypes.equals(reliability(full, ticks).dtypes)


@pytest.mark.parametrize("wrong", [{"open_after": 0}, {"close_after": 0}, {"open_after": -1}])
def test_rules_that_make_no_sense_are_refused(wrong):
    """A rule below one tick is an error that says what was expected."""
    with pytest.raises(ConfigError, match="expected"):
        incidents(Ticks.empty(), **wrong)


def test_other_tables_are_refused():
    """A table that is not Ticks is an error."""
    with pytest.raises(SchemaError):
        incidents(pd.DataFrame({"n": [1]}))
