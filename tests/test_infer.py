"""A cron is inferred from the times it caused, nothing is inferred from times without one, and doubts are told."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.expression import parse
from schedlog_analysis.cron.infer import CronCandidates, CronSegments, change_points, infer_cron, is_explained
from schedlog_analysis.cron.infer.changes import cheapest_cuts
from schedlog_analysis.cron.infer.code_length import Match, match, match_bits, null_bits
from schedlog_analysis.cron.infer.fields import DAY, HOUR, MINUTE, MONTH, WEEKDAY, field_texts, write
from schedlog_analysis.errors import CronError, InputError

REPOSITORY = Path(__file__).parents[1]
# Series of our own, and those of the same kind that lie beside the repository.
REAL = {path.stem: path for path in sorted(REPOSITORY.parent.glob("shared/cron/real/*.csv"))}
REAL |= {path.stem: path for path in sorted((Path(__file__).parent / "data" / "cron" / "real").glob("*.csv"))}
OWN = {"centos_vm_sa1_10min", "eb_hourly", "top_pypi_weekly_sun", "ubuntu_crondaily", "upptime089_summary"}
DAY_MS = 86_400_000
START = 1_735_689_600_000  # 2025-01-01, a Wednesday
TEST_SEED = 4711


def _load_benchmark():
    path = REPOSITORY / "benchmarks" / "infer.py"
    if not path.exists():
        pytest.skip("benchmarks/ is not part of this copy")
    spec = importlib.util.spec_from_file_location("benchmark_infer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _instants(ms):
    return pd.DatetimeIndex(np.asarray(ms, dtype=np.int64).astype("M8[ms]"), tz="UTC")


def _ticks(cron, tz="UTC", n=60, start=START, years=12):
    return Cron(cron, tz).tick_ms(start, start + years * 365 * DAY_MS)[:n]


def _late(ticks, seed=1, middle=0.35):
    rng = np.random.default_rng(seed)
    return ticks + (1000 * rng.lognormal(np.log(middle), 0.6, len(ticks))).astype(np.int64)


def _plans_the_same(cron, tz, best, start, end):
    return np.array_equal(Cron(cron, tz).tick_ms(start, end), Cron(best["cron"], best["tz"]).tick_ms(start, end))


CRONS = [
    *("* * * * *", "*/5 * * * *", "*/20 * * * *", "17 * * * *", "3,17,42 * * * *", "0 */6 * * *", "30 9 * * *"),
    *("0 9-17 * * 1-5", "*/15 8-18 * * 1-5", "5 6,12,18 * * *", "0 3 * * 0", "15 10 * * 0,6", "45 4 1 * *"),
    *("0 0 1,15 * *", "0 7 L * *", "30 8 * * 1#1", "0 8 * * 5L", "0 6 1 1,4,7,10 *", "0 8 1 * 1-5", "0 12 1,15 * 3"),
    *("*/15 * * * * *", "30 */5 * * * *", "30 5 16 * * 1", "10,40 0 * * * *"),
]


@pytest.mark.parametrize("cron", CRONS)
def test_a_cron_is_found_from_its_ticks(cron):
    """Two hundred ticks, slightly late and one in ten missing, lead back to the same ticks."""
    ticks = _ticks(cron, n=200)
    kept = np.random.default_rng(3).random(len(ticks)) > 0.1
    best = infer_cron(_instants(_late(ticks[kept]))).iloc[0]
    assert _plans_the_same(cron, "UTC", best, int(ticks[kept][0]), int(ticks[-1]))
    assert best["is_explained"]


@given(
    st.sampled_from(CRONS),
    st.sampled_from(["UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(0, 700),
    st.integers(0, 2**32 - 1),
)
def test_the_window_is_explained_whatever_its_start(cron, tz, days, seed):
    """With the zone given, the inferred ticks are the true ones from the first to the last time."""
    ticks = _ticks(cron, tz, n=120, start=START + days * DAY_MS)
    best = infer_cron(_instants(_late(ticks, seed)), tz).iloc[0]
    assert _plans_the_same(cron, tz, best, int(ticks[0]), int(ticks[-1]) + 1)
    assert (best["n"], best["n_planned"], best["n_missed"], best["n_duplicate"]) == (len(ticks), len(ticks), 0, 0)


def test_simulated_schedules_are_inferred():
    """Of sixty schedules with noise, at most one differs in the window, or later without being said to be open."""
    benchmark = _load_benchmark()
    table = benchmark.score(TEST_SEED, 60)
    share = {name: float(str(table[name]).removesuffix(" %")) for name in list(table)[:4]}
    assert share["same in the window"] >= 98
    assert share["or undetermined"] >= 98
    assert share["explained"] >= 98


SERVER_CRONS = ("vixie/cronie cron", "server cron")
OPEN = {
    "ca_fires_20min": "commits only when the data changed, which it hardly does at night: the hours look restricted",
}


@pytest.mark.parametrize("name", sorted(OWN | set(REAL)))
def test_real_series(name):
    """Crons of servers are inferred exactly, those of hosted runners up to a constant delay."""
    path = REAL[name]
    meta = json.loads(path.with_suffix(".json").read_text())
    cron, tz = meta["cron_history"][-1]["cron"][0], meta["timezone"]
    ms = np.sort(pd.read_csv(path).iloc[:, 0].to_numpy() * 1000)
    best = infer_cron(_instants(ms)).iloc[0]
    if meta["scheduler"] in SERVER_CRONS:
        assert _plans_the_same(cron, tz, best, int(ms[0]) - 60_000, int(ms[-1]))
        assert best["is_explained"]
    elif name in OPEN:
        assert not best["is_explained"]
    else:
        assert _load_benchmark().is_shifted(cron, tz, best, int(ms[0]), int(ms[-1]))


def test_order_and_repetition():
    """The order of the times does not matter, and a repeated time is a duplicate."""
    ms = _late(_ticks("*/10 7-19 * * 1-5"))
    shuffled = np.random.default_rng(5).permutation(np.append(ms, ms[:7]))
    table = infer_cron(_instants(shuffled))
    pd.testing.assert_frame_equal(table, infer_cron(_instants(np.sort(shuffled))))
    assert table["n_duplicate"].iloc[0] == 7
    assert table["n_missed"].iloc[0] == 0
    assert table["score"].is_monotonic_decreasing


@pytest.mark.parametrize("make", [pd.Series, pd.DatetimeIndex, list, lambda index: index.tz_convert("Asia/Tokyo")])
def test_what_times_may_be(make):
    """Instants may come as a column, an index or a list, in any zone, with missing ones in between."""
    index = _instants(_ticks("0 */4 * * *")).append(pd.DatetimeIndex([pd.NaT], tz="UTC"))
    assert infer_cron(make(index))["cron"].iloc[0] == "0 */4 * * *"


def test_missed_ticks_are_counted():
    """An outage and single misses cost little, and every missed tick counts."""
    ticks = _ticks("*/30 * * * *", n=400)
    kept = np.ones(400, dtype=bool)
    kept[100:220] = False
    kept[[10, 20, 30, 330]] = False
    best = infer_cron(_instants(_late(ticks[kept]))).iloc[0]
    assert best["cron"] in ("*/30 * * * *", "0,30 * * * *")
    assert (best["n_planned"], best["n_missed"]) == (400, 124)


@pytest.mark.parametrize("missing", [0.3, 0.5])
def test_half_of_the_ticks_may_be_missing(missing):
    """Thinning out does not make the cron sparser."""
    ticks = _ticks("*/15 * * * *", n=400)
    kept = np.random.default_rng(8).random(400) >= missing
    assert infer_cron(_instants(_late(ticks[kept])))["cron"].iloc[0] == "*/15 * * * *"


def test_a_constant_delay_is_an_offset():
    """Runs that start 13 minutes late and more, never the same, belong to the full hour."""
    ticks = _ticks("0 2 * * *", n=300)
    ms = ticks + 780_000 + (60_000 * np.random.default_rng(2).exponential(8, 300)).astype(np.int64)
    best = infer_cron(_instants(ms)).iloc[0]
    assert best["cron"] == "0 2 * * *"
    assert pd.Timedelta("12min") <= best["offset"] <= pd.Timedelta("14min")


def test_a_start_of_seconds_is_no_seconds_field():
    """A scheduler that always starts two seconds late does not make six fields."""
    best = infer_cron(_instants(_ticks("25 6 * * *") + 2000)).iloc[0]
    assert best["cron"] == "25 6 * * *"


def test_the_zone_shows_when_the_clocks_change():
    """A year of nine o'clock in Prague is nine o'clock in a zone that changes likewise, in the next year, too."""
    ticks = _ticks("0 9 * * *", "Europe/Prague", n=365)
    best = infer_cron(_instants(_late(ticks))).iloc[0]
    assert best["tz"] != "UTC"
    assert "tz" not in best["undetermined"]
    assert _plans_the_same("0 9 * * *", "Europe/Prague", best, int(ticks[-1]), int(ticks[-1]) + 365 * DAY_MS)


def test_the_zone_is_open_while_no_clock_changes():
    """Six weeks of winter are told in UTC, and the zone is said to be undetermined."""
    best = infer_cron(_instants(_late(_ticks("0 9 * * *", "Europe/Prague", n=42)))).iloc[0]
    assert (best["cron"], best["tz"]) == ("0 8 * * *", "UTC")
    assert "tz" in best["undetermined"].split(", ")


def test_a_year_without_change_tells_utc():
    """Nine o'clock in UTC through a year leaves no doubt about the zone."""
    best = infer_cron(_instants(_late(_ticks("0 9 * * *", n=365)))).iloc[0]
    assert (best["tz"], best["undetermined"]) == ("UTC", "")


@pytest.mark.parametrize(
    ("cron", "n", "names"),
    [
        ("0 * * * *", 24 * 3, "day, month, weekday"),
        ("0 * * * *", 24 * 8, "day, month"),
        ("0 * * * *", 24 * 40, "month"),
        ("*/10 * * * *", 40, "hour, day, month, weekday"),
        ("30 */10 * * * *", 6, "minute, hour, day, month, weekday"),
        ("0 8 1 * *", 13, ""),
    ],
)
def test_what_the_window_cannot_tell(cron, n, names):
    """A field is undetermined until each of its values had a chance to show."""
    assert infer_cron(_instants(_ticks(cron, n=n)), "UTC")["undetermined"].iloc[0] == names


@given(st.integers(3, 400), st.sampled_from(["uniform", "office"]), st.integers(0, 2**32 - 1))
def test_clicks_are_not_explained(n, kind, seed):
    """Nobody's clicks, at random or in office hours, are called a cron."""
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 90, n)
    office = days[days % 7 < 5] * DAY_MS + rng.normal(13, 2.5, (days % 7 < 5).sum()).clip(8, 19) * 3_600_000
    ms = START + (rng.uniform(0, 90 * DAY_MS, n) if kind == "uniform" else office)
    assert not infer_cron(_instants(ms))["is_explained"].any()


def test_an_interval_that_is_no_cron_is_not_explained():
    """Every 37 minutes from start to start is no cron, as it drifts through the hour."""
    ms = START + 37 * 60_000 * np.arange(500)
    assert not infer_cron(_instants(ms))["is_explained"].any()


HOUR_MS = DAY_MS // 24


@pytest.mark.parametrize("every", [7, 36, 0.75, 1.5, 14 * 24])
@pytest.mark.parametrize("n", [20, 120, 700])
def test_a_rhythm_that_skips_most_ticks_is_no_cron(every, n):
    """Every 7 or 36 hours, 45 or 90 minutes and two weeks fit some cron that would have missed most of its ticks."""
    ms = _late(START + np.round(every * HOUR_MS * np.arange(n)).astype(np.int64))
    assert not infer_cron(_instants(ms))["is_explained"].any()


def test_an_outage_does_not_unsay_a_cron():
    """A week of silence in two weeks of hours is an outage; one tick in two missed all the time is another rhythm."""
    ticks = _ticks("0 * * * *", n=14 * 24)
    silent = np.delete(ticks, np.s_[100 : 100 + 7 * 24])
    assert infer_cron(_instants(_late(silent)))["is_explained"].iloc[0]
    best = infer_cron(_instants(_late(silent))).iloc[0]
    assert (best["n_missed"], best["n_planned"]) == (7 * 24, 14 * 24)


@pytest.mark.parametrize("ms", [[], [START], [START, START + DAY_MS]])
def test_too_few_times(ms):
    """Less than three times give the typed empty table."""
    table = infer_cron(_instants(ms))
    pd.testing.assert_frame_equal(table, CronCandidates.empty())
    pd.testing.assert_frame_equal(change_points(_instants(ms)), CronSegments.empty())


@pytest.mark.parametrize(
    "ms",
    [
        [START] * 5,
        [START, START + 1, START + 10**12],
        [-5, 0, 5],
        [0, 1, 2, 7 * 10**12],
        [8 * 10**12 + i for i in range(9)],
    ],
)
def test_strange_times(ms):
    """Times that are all equal, ages apart or beyond what crons plan give no explanation and no error."""
    assert not infer_cron(_instants(ms))["is_explained"].any()
    assert change_points(_instants(ms))["n"].sum() == len(ms)


def test_tables_are_typed():
    """Filled tables have the declared types, too."""
    times = _instants(_ticks("*/5 * * * *"))
    for table, model in ((infer_cron(times), CronCandidates), (change_points(times), CronSegments)):
        assert model.accept(table) is table
        pd.testing.assert_frame_equal(model.cast(table), table)


@pytest.mark.parametrize(
    ("times", "tz", "error", "words"),
    [
        (pd.date_range("2026-01-01", periods=5), None, InputError, "without an offset"),
        (["yesterday", "today?"], None, InputError, "no instant"),
        (_instants([START] * 5), "Europe/Nowhere", CronError, "time zone"),
    ],
)
@pytest.mark.parametrize("function", [infer_cron, change_points])
def test_bad_input(function, times, tz, error, words):
    """What has no offset, is no instant or no zone is said."""
    with pytest.raises(error, match=words):
        function(times, tz)


def test_working_hours_make_working_days_likely():
    """Two days of office hours are taken for working days, and said to be open; nights and weekends tell otherwise."""
    hours = infer_cron(_instants(_ticks("*/10 9-17 * * *", n=108)), "UTC").iloc[0]
    assert (hours["cron"], hours["undetermined"]) == ("*/10 9-17 * * 1-5", "day, month, weekday")
    assert infer_cron(_instants(_ticks("*/10 9-17 * * *", n=54 * 5)), "UTC")["cron"].iloc[0] == "*/10 9-17 * * *"
    assert infer_cron(_instants(_ticks("*/10 0-6 * * *", n=84)), "UTC")["cron"].iloc[0] == "*/10 0-6 * * *"


def test_long_series_are_sampled():
    """Ten thousand times are looked at in blocks, and counted in full."""
    ticks = _ticks("* 9-16 * * 1-5", n=10_000)
    best = infer_cron(_instants(_late(ticks)), "UTC").iloc[0]
    assert (best["cron"], best["n"], best["n_missed"]) == ("* 9-16 * * 1-5", 10_000, 0)


def test_is_explained_needs_everything():
    """Each of the conditions is needed, and the best values meet them."""
    good = {"score": 100.0, "share": 1.0, "missed_share": 0.0, "delay_ms": 300.0, "gap_ms": 60_000.0}
    assert is_explained(**good)
    for bad in ({"score": 5.0}, {"share": 0.2}, {"missed_share": 0.99}, {"delay_ms": 40_000.0}):
        assert not is_explained(**(good | bad))


# Fields and code lengths


@given(st.sampled_from([MINUTE, HOUR, DAY, MONTH]), st.data())
def test_a_written_field_reads_back(field, data):
    """Whatever way a set of values is written, it is read as that set."""
    values = tuple(sorted(data.draw(st.sets(st.integers(field.low, field.high), min_size=1))))
    fields = ["0", "0", "1", "1", "*"]
    place = {id(MINUTE): 0, id(HOUR): 1, id(DAY): 2, id(MONTH): 3}[id(field)]
    fields[place] = write(values, field)
    pattern = parse(" ".join(fields))
    assert (pattern.minutes, pattern.hours, pattern.doms, pattern.months)[place] == values


def test_proposed_fields():
    """The star, what was seen, and the steps through it are proposed; noise is left out in one of them."""
    assert set(field_texts(np.bincount([1, 2, 3, 4, 5] * 20 + [6], minlength=7), WEEKDAY)) == {"*", "1-6", "1-5", "1"}
    assert {"*", "0,30"} <= set(field_texts(np.bincount([0] * 50 + [1] * 2 + [30] * 50, minlength=60), MINUTE))


def test_the_truth_is_shorter():
    """Ticks that are twice or half as frequent need more bits than the true ones."""
    times = _late(_ticks("*/30 * * * *", n=200))
    grids = {step: np.arange(START, times[-1] + 1, step * 60_000) for step in (15, 30, 60)}
    bits = {step: match_bits(match(times, grid)) for step, grid in grids.items()}
    assert bits[30] < min(bits[15], bits[60], null_bits(times))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 10**9))
def test_bits_are_a_code(steps, delay):
    """A code length is positive, and grows with every further miss at the end."""
    tick = np.cumsum(np.array([0, *steps]))
    delays = np.full(len(tick), delay)
    longer = tick.copy()
    longer[-1] += 5000
    assert 0 < match_bits(Match(tick, delays)) < match_bits(Match(longer, delays))


# Change points


def test_a_planted_change_is_found():
    """A schedule that turns from daily to hourly, and back, is cut at the first tick of each."""
    first, second = _ticks("0 9 * * *", n=40), _ticks("30 * * * *", n=80, start=START + 40 * DAY_MS)
    third = _ticks("0 9 * * *", n=40, start=START + 50 * DAY_MS)
    table = change_points(_instants(_late(np.concatenate([first, second, third]))), "UTC")
    assert table["cron"].tolist() == ["0 9 * * *", "30 * * * *", "0 9 * * *"]
    assert table["started_at"].tolist() == _instants([first[0], second[0], third[0]]).tolist()
    assert table["ended_at"].tolist()[:2] == table["started_at"].tolist()[1:]
    assert table["ended_at"].isna().tolist() == [False, False, True]
    assert table["n"].tolist() == [40, 80, 40]


@pytest.mark.parametrize("cron", ["*/15 * * * *", "0 9-17 * * 1-5", "0 3 1 * *"])
def test_no_change_is_one_segment(cron):
    """Misses and an outage are no change of the cron."""
    ticks = _ticks(cron, n=200)
    kept = np.random.default_rng(4).random(len(ticks)) > 0.1
    kept[50:80] = False
    table = change_points(_instants(_late(ticks[kept])), "UTC")
    assert len(table) == 1
    assert table["cron"].iloc[0] == infer_cron(_instants(_late(ticks[kept])), "UTC")["cron"].iloc[0]


def test_simulated_changes_are_found():
    """Of ten histories with one to three crons, at least nine are cut at the right ticks and nowhere else."""
    assert _load_benchmark()._changes(TEST_SEED, 10, show=False)["all right"] >= 9


@given(st.integers(1, 3), st.integers(1, 8), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_cuts_are_the_cheapest(n_candidates, n_times, price, seed):
    """No other way to cut and to choose is cheaper."""
    bits = np.random.default_rng(seed).integers(0, 9, (n_candidates, n_times)).astype(float)
    prices = np.full(n_candidates, float(price))

    def cost(begins):
        ends = [*begins[1:], n_times]
        return sum(price + bits[:, a:b].sum(axis=1).min() for a, b in zip(begins, ends, strict=True))

    every = [[0, *(i + 1 for i in range(n_times - 1) if mask >> i & 1)] for mask in range(2 ** (n_times - 1))]
    assert cost(cheapest_cuts(bits, prices)) == min(map(cost, every))
