"""Two thousand failures are a few problems: counted right, named alike everywhere, told with their cause."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis import failures
from schedlog_analysis.analysis.failures.causes import RULES, Rule
from schedlog_analysis.analysis.failures.clusters import STATES, cluster_trend, compare_clusters, failure_clusters
from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import FailureClusters, Invocations, Log

MEMORY = (
    'Cannot start Actor "jF8GGEvbEg4Au3NL{0}": By launching this job you will exceed the memory limit of {1}MB for all '
    "your Actor runs and builds (currently used: 4096MB, requested: 8192MB)."
)
RUNS = (
    'Cannot start Actor task "iEvfA6pm6DWjRTGx{0}": By launching this job you will exceed your limit of {1} concurrent '
    "Actor runs."
)
USAGE = (
    'Cannot start Actor "jF8GGEvbEg4Au3NL{0}": By launching this job you will exceed your remaining usage of $0.{1}.'
)
GONE = 'Cannot start Actor "jF8GGEvbEg4Au3NL{0}": Actor was not found'
ODD = "The weather is bad today"
TEXTS = [MEMORY, RUNS, USAGE, GONE, ODD]
START = pd.Timestamp("2026-03-01T00:00Z")

ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 60 * 24),
        st.sampled_from(["ERROR", "ERROR", "ERROR", "INFO", "WARNING", "NOTICE"]),
        st.sampled_from(TEXTS),
        st.integers(1, 3),
    ),
    max_size=30,
)


def make_log(entries):
    """Build a Log of (schedule, hour, level, text, variant)."""
    rows = [
        (who, START + pd.Timedelta(hours=hour), level, text.format(i, 1024 * i))
        for who, hour, level, text, i in entries
    ]
    return Log.cast(pd.DataFrame(rows, columns=Log.names())) if rows else Log.empty()


def test_many_failures_are_few_problems():
    """Messages that differ in ids and numbers are one cluster; the three texts with one beginning are three."""
    log = make_log([("a", i, "ERROR", text, i) for text in (MEMORY, RUNS, USAGE) for i in range(1, 8)])
    table = failure_clusters(log)
    assert sorted(zip(table["cause"], table["n"], strict=True)) == [("billing", 7), ("capacity", 7), ("capacity", 7)]
    assert table["share"].tolist() == [1 / 3] * 3


def test_actors_and_tasks_share_a_problem():
    """What was hit is not what is wrong: the same reason is one cluster for Actors and tasks, backslashes or not."""
    reason = "Monthly usage hard limit exceeded"
    prefixes = ['Cannot start Actor "x": ', 'Cannot start Actor task "y": ', 'Cannot start Actor \\"z\\": ', ""]
    table = failure_clusters(make_log([("a", i, "ERROR", prefix + reason, 1) for i, prefix in enumerate(prefixes)]))
    assert table[["cause", "template", "n"]].to_numpy().tolist() == [["billing", reason, 4]]


@settings(max_examples=20, deadline=None)
@given(ENTRIES)
def test_every_error_is_counted_once(entries):
    """The counts add up to the ERROR entries, per schedule and in time, and nothing else counts."""
    log = make_log(entries)
    table = failure_clusters(log)
    errors = log[log["level"] == "ERROR"]
    assert table["n"].sum() == len(errors)
    assert table["cluster_id"].is_unique
    assert table["n"].is_monotonic_decreasing
    if len(errors):
        assert table["share"].sum() == pytest.approx(1)
        assert table["first_seen"].min() == errors["created_at"].min()
        assert table["last_seen"].max() == errors["created_at"].max()
        assert table["n_schedules"].max() <= errors["schedule_id"].nunique()
        assert len(table) == len({text for _, _, level, text, _ in entries if level == "ERROR"})


@settings(max_examples=10, deadline=None)
@given(ENTRIES, st.randoms(use_true_random=False))
def test_order_and_dtype_do_not_matter(entries, rng):
    """Shuffled entries and categoricals of text give the same table, to the bit."""
    log = make_log(entries)
    order = list(range(len(log)))
    rng.shuffle(order)
    coded = log.iloc[order].astype({"message": "category", "schedule_id": "category", "level": "category"})
    pd.testing.assert_frame_equal(failure_clusters(coded), failure_clusters(log))
    pd.testing.assert_frame_equal(cluster_trend(coded), cluster_trend(log))


@settings(max_examples=10, deadline=None)
@given(ENTRIES, ENTRIES)
def test_new_ongoing_and_gone(entries, earlier):
    """Against an earlier period each cluster is new, ongoing or gone, by the texts of both periods."""
    now, before = ({text for _, _, level, text, _ in some if level == "ERROR"} for some in (entries, earlier))
    log, past = make_log(entries), make_log(earlier)
    table = failure_clusters(log, past)
    assert table["state"].value_counts().reindex(STATES).tolist() == [
        len(now - before),
        len(now & before),
        len(before - now),
    ]
    assert table["n_previous"].sum() == (past["level"] == "ERROR").sum()
    assert (table.loc[table["state"] == "gone", ["n", "share", "n_schedules"]] == 0).all(axis=None)
    pd.testing.assert_frame_equal(table, failure_clusters(log, failure_clusters(past)))
    pd.testing.assert_frame_equal(table, compare_clusters(failure_clusters(log), failure_clusters(past)))


def test_ids_are_the_same_in_every_period_and_process(run_python):
    """A cluster's name depends on its template alone: not on its neighbours, nor on the interpreter's hash seed."""
    alone = failure_clusters(make_log([("a", 1, "ERROR", GONE, 1)]))["cluster_id"].item()
    table = failure_clusters(make_log([("b", 900 + i, "ERROR", text, i) for i, text in enumerate(TEXTS, 1)]))
    assert table.loc[table["cause"] == "missing target", "cluster_id"].item() == alone
    program = (
        "import pandas as pd; from schedlog_analysis.analysis.failures.labels import label_messages;"
        "print(label_messages(pd.Index(['Cannot start Actor \"a\": Actor was not found'])).cluster_id[0])"
    )
    for seed in ("1", "2"):
        assert run_python(program, PYTHONHASHSEED=seed) == alone


def test_ids_do_not_depend_on_the_company():
    """Words of a failure that are values elsewhere, and many failures like it, leave its name alone."""
    reasons = [text.partition(": ")[2].format(1, 2) for text in (MEMORY, RUNS, USAGE, GONE)]
    reasons += ["Monthly usage hard limit exceeded", "Actor task was not found", "Unknown error", ODD]
    words = sorted({word for reason in reasons for word in reason.split() if word.isalpha()})
    company = [f"mailbox of {word} is full" for word in words]
    company += [f"session closed for user {word}" for word in words]
    company += [text.format(i % 10, 1000 + i) for text in TEXTS for i in range(300)]
    log = make_log([("a", i, "ERROR", text, 1) for i, text in enumerate(company)])
    among = set(failure_clusters(log)["cluster_id"])
    for hour, reason in enumerate(reasons):
        alone = failure_clusters(make_log([("b", hour, "ERROR", reason, 1)]))["cluster_id"].item()
        together = make_log([("a", i, "ERROR", text, 1) for i, text in enumerate([*company, reason])])
        now = set(failure_clusters(together)["cluster_id"])
        assert alone in now
        assert now - among <= {alone}


def test_invocations_count_once_by_their_message():
    """From Invocations, each that failed in whole or in part counts once; skips only when asked for."""
    skip = 'Skipping Actor "jF8GGEvbEg4Au3NLA", it must be exclusive but previous run is still running'
    rows = [
        ("failed", MEMORY.format(1, 1)),
        ("partial", MEMORY.format(2, 2)),
        ("failed", None),
        ("ok", None),
        ("skipped", skip),
    ]
    table = pd.DataFrame(rows, columns=["outcome", "message"]).assign(
        schedule_id="a", invoked_at=START, is_manual=False, n_entries=1, n_errors=1, n_warnings=0
    )
    invocations = Invocations.cast(table)
    found = failure_clusters(invocations)
    assert found[["cause", "n"]].to_numpy().tolist() == [["capacity", 2], ["other", 1]]
    with_skips = failure_clusters(invocations, include_skips=True)
    assert set(with_skips["cause"]) == {"capacity", "other", "exclusive"}


def test_skips_and_unknown_levels_are_no_failures():
    """WARNING entries count only when asked for; a level that nobody knows never does."""
    log = make_log([("a", 1, "WARNING", GONE, 1), ("a", 2, "FATAL", GONE, 1)])
    assert len(failure_clusters(log)) == 0
    assert failure_clusters(log, include_skips=True)["n"].tolist() == [1]


def test_no_secret_reaches_the_table():
    """Neither the example nor the template shows a token or an address, and messages that differ only there are one."""
    log = make_log(
        [
            ("a", i, "ERROR", f"Refused {name}@example.com with token=abc{name}", 1)
            for i, name in enumerate(["ada", "bob"])
        ]
    )
    table = failure_clusters(log)
    assert table["n"].tolist() == [2]
    assert table["example"].item() == "Refused <e-mail> with token=<redacted>"
    assert "@" not in table["template"].item()


def test_the_example_is_the_most_frequent_message():
    """The example does not depend on the order: the message that came most, of equal ones the first in the alphabet."""
    log = make_log(
        [("a", 1, "ERROR", GONE, 2), ("a", 2, "ERROR", GONE, 3), ("a", 3, "ERROR", GONE, 3), ("a", 4, "ERROR", GONE, 1)]
    )
    assert failure_clusters(log)["example"].item() == GONE.format(3)
    assert failure_clusters(log.iloc[:2])["example"].item() == GONE.format(2)


def test_own_rules_reach_the_clusters():
    """A rule of the user's names the cause of a cluster that was `other`."""
    log = make_log([("a", 1, "ERROR", ODD, 1)])
    assert failure_clusters(log)["cause"].item() == "other"
    assert failure_clusters(log, rules=[Rule("weather", r"The weather"), *RULES])["cause"].item() == "weather"


@settings(max_examples=10, deadline=None)
@given(ENTRIES, st.sampled_from(["h", "D", "W", "M"]), st.sampled_from(["UTC", "Europe/Prague", "America/New_York"]))
def test_the_trend_counts_every_failure_in_its_window(entries, freq, tz):
    """Each cluster has every window once, empty ones too, and the windows add up to the cluster's count."""
    log = make_log(entries)
    trend, table = cluster_trend(log, freq, tz), failure_clusters(log)
    assert trend.groupby("cluster_id")["n"].sum().to_dict() == table.set_index("cluster_id")["n"].to_dict()
    assert not trend.duplicated(["cluster_id", "window_start"]).any()
    if len(trend):
        windows = trend.groupby("cluster_id")["window_start"].agg(list)
        assert all(windows.iloc[0] == other for other in windows)


def test_the_trend_keeps_to_its_period():
    """With start and end the windows cover the period, half-open, whether or not something failed at its edges."""
    log = make_log([("a", hour, "ERROR", GONE, 1) for hour in (0, 50, 72)])
    trend = cluster_trend(log, "D", start=START, end=START + pd.Timedelta(days=3))
    assert trend["n"].tolist() == [1, 0, 1]
    with pytest.raises(InputError, match="not before"):
        cluster_trend(log, start=START, end=START)


def test_tables_without_rows_keep_their_columns():
    """Nothing in, nothing out, and every column is there with its dtype."""
    full = make_log([("a", 1, "ERROR", GONE, 1)])
    for frame in (Log.empty(), Invocations.empty(), full.assign(level="INFO")):
        assert len(failure_clusters(frame)) == 0
        assert failure_clusters(frame).dtypes.equals(FailureClusters.empty().dtypes)
        assert cluster_trend(frame).dtypes.equals(cluster_trend(full).dtypes)
        assert failure_clusters(frame, frame).dtypes.equals(failure_clusters(full, full).dtypes)


def test_other_tables_are_refused():
    """A table that holds no failures is an error that says what was expected."""
    with pytest.raises(SchemaError, match="in a Log or in Invocations"):
        failure_clusters(pd.DataFrame({"n": [1]}))


def test_mining_is_at_hand():
    """`failures.mine_templates` is the template mining that the clusters use."""
    assert list(failures.mine_templates(["run 1", "run 2"])) == ["run <*>", "run <*>"]


def test_large_logs_come_out_whole():
    """Two hundred thousand failures of a thousand schedules are still five problems, and none is lost."""
    rng = np.random.default_rng(0)
    n = 200_000
    ids = pd.Index(map(str, range(1000)), dtype="str")
    texts = pd.Index({text.format(i, 100 * i) for text in TEXTS for i in range(1, 40)}, dtype="str")
    log = pd.DataFrame(
        {
            "schedule_id": pd.Categorical.from_codes(rng.integers(0, len(ids), n), ids),
            "created_at": (START + pd.to_timedelta(rng.integers(0, 10**9, n), unit="ms")).as_unit("ms"),
            "level": pd.Categorical.from_codes(np.zeros(n, dtype=np.int64), pd.Index(["ERROR"], dtype="str")),
            "message": pd.Categorical.from_codes(rng.integers(0, len(texts), n), texts),
        }
    )
    table = failure_clusters(log)
    assert table["n"].sum() == n
    assert len(table) == len(TEXTS)
