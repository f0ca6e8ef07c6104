"""Coverage: what logs can and cannot show."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis import coverage, holes
from schedlog_analysis.schema import Coverage, Fetches, Log
from schedlog_analysis.sources.coverage import data_end

START = pd.Timestamp("2026-01-01T00:00Z")


def _hour(hour):
    return START + pd.Timedelta(hours=hour)


def _fetches(*rows):
    """Fetches from (hour, hour of the first entry shown, whether cut off)."""
    table = pd.DataFrame(rows, columns=["fetched_at", "first_at", "is_truncated"])
    for name in ("fetched_at", "first_at"):
        table[name] = START + pd.to_timedelta(table[name].astype(float), unit="h")
    table["last_at"], table["n_entries"], table["schedule_id"] = table["fetched_at"], 250, "a"
    return Fetches.cast(table)


def _spans(table):
    return [
        tuple(None if pd.isna(moment) else (moment - START) / pd.Timedelta(hours=1) for moment in row)
        for row in table[["started_at", "ended_at"]].itertuples(index=False)
    ]


def test_windows_that_touch_leave_no_hole():
    """What one fetch saw and the next saw too is seen; after the last fetch nobody looked."""
    fetches = _fetches((10, 0, False), (20, 9, True), (30, 19.5, True)).assign(n_entries=[240, 250, 250])
    assert _spans(holes(Log.empty(), fetches)) == [(30, None)]


def test_windows_that_do_not_touch_leave_a_hole():
    """Between the first fetch and the first entry of the next; before a first fetch that was cut off."""
    table = holes(Log.empty(), _fetches((10, 5, True), (20, 15, True)))
    assert _spans(table) == [(None, 5), (10, 15), (20, None)]


def test_a_later_window_may_close_an_earlier_hole():
    """A fetch that reaches far back has seen what an earlier one could not."""
    assert _spans(holes(Log.empty(), _fetches((10, 5, True), (20, 15, True), (21, 2, True)))) == [(None, 2), (21, None)]


def test_a_window_of_any_size_is_noticed_when_it_rolls():
    """Neither 250 nor 1000 entries, perhaps so many days: what was shown before and is not any more was cut off."""
    rolled, still = _fetches((10, 0, False), (20, 12, False)), _fetches((10, 0, False), (20, 0, False))
    assert _spans(holes(Log.empty(), rolled)) == [(None, 0), (10, 12), (20, None)]
    assert _spans(holes(Log.empty(), rolled.assign(n_entries=[50, 100]))) == [(10, 12), (20, None)]
    assert _spans(holes(Log.empty(), still)) == [(20, None)]


@pytest.mark.parametrize(("was", "now", "told"), [(0, 3, [(20, None)]), (3, 0, [(10, 20), (20, None)])])
def test_an_empty_answer_is_whole_unless_there_were_entries(was, now, told):
    """A new schedule's first entry cuts nothing off; entries that are all gone leave everything since in doubt."""
    looks = _fetches((10, 5, False), (20, 15, False)).assign(n_entries=[was, now])
    for name in ("first_at", "last_at"):
        looks[name] = looks[name].where(looks["n_entries"] > 0)
    assert _spans(holes(Log.empty(), Fetches.cast(looks))) == told


def test_a_clock_that_went_back_claims_nothing_unseen():
    """Fetches count in the order of their clocks; one that was set back moves no hole's end before its start."""
    for looks in (((20, 10, True), (12, 11, True)), ((20, 0, False), (12, 11, True)), ((20, 15, True), (12, 13, True))):
        found = _spans(holes(Log.empty(), _fetches(*looks)))
        assert found[-1] == (20, None)
        assert all(start is None or end is None or start < end for start, end in found)


MOMENTS = st.integers(0, 60)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS, st.booleans(), st.integers(1, 3)), min_size=1, max_size=6)


@given(SPANS)
def test_holes_are_what_no_fetch_saw(spans):
    """Hour by hour: a moment lies in a hole if and only if no fetch's window holds it."""
    spans = sorted(((min(a, b), max(a, b), cut, n) for a, b, cut, n in spans), key=lambda span: span[1])
    fetches = _fetches(*((looked, first, cut) for first, looked, cut, _ in spans))
    found = _spans(holes(Log.empty(), fetches.assign(n_entries=[n for *_, n in spans])))
    # What an earlier fetch showed and this one does not was cut off, and so was every answer as long as this one.
    firsts = [first for first, *_ in spans]
    lengths = [n for k, (first, *_, n) in enumerate(spans) if first > min(firsts[: k + 1])]
    spans = [(a, b, cut or n >= min(lengths, default=9)) for a, b, cut, n in spans]
    for half in range(-1, 125):
        moment = half / 2 + 0.25
        is_seen = any((not cut or a <= moment) and moment <= b for a, b, cut in spans)
        is_hole = any((start is None or start <= moment) and (end is None or moment < end) for start, end in found)
        assert is_seen != is_hole, moment


def test_a_log_alone_tells_by_its_length(make_log):
    """A full window may have been cut off; what is shorter is taken for complete."""
    for n, is_cut in ((249, False), (250, True), (999, False), (1000, True)):
        log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in range(n)))
        (row,) = coverage(log).to_dict("records")
        assert (row["n_entries"], row["is_truncated"], row["observed_share"]) == (n, is_cut, 1.0)
        assert len(holes(log)) == is_cut


def test_a_fetch_of_an_empty_log_is_remembered():
    """A schedule without entries is covered when its log was fetched."""
    fetches = _fetches((10, 0, False)).assign(n_entries=0, first_at=pd.NaT, last_at=pd.NaT)
    (row,) = coverage(Log.empty(), Fetches.cast(fetches)).to_dict("records")
    assert (row["schedule_id"], row["n_entries"], row["n_holes"]) == ("a", 0, 0)
    assert pd.isna(row["first_at"])


def test_nothing_is_covered_by_nothing():
    """No log, no fetches, no rows."""
    assert coverage(Log.empty()).equals(Coverage.empty())
    assert holes(Log.empty()).empty


def test_the_data_ends_with_what_was_surely_seen(make_log, make_schedules):
    """The last entry is inside; ticks before the earliest next run were due; no clock is read."""
    log = make_log(("a", _hour(5).isoformat(), "INFO", "Schedule invoked"))
    assert data_end(log) == _hour(5) + pd.Timedelta(1, "ms")
    schedules = make_schedules(
        ("a", "0 * * * *", {"next_run_at": _hour(6).isoformat(), "last_run_at": _hour(5).isoformat()}),
        ("b", "0 0 1 * *", {"next_run_at": _hour(744).isoformat()}),
    )
    assert data_end(log, schedules) == _hour(6)
    assert data_end(Log.empty()) is None
    assert data_end(Log.empty(), schedules) == _hour(6)


def test_a_schedule_that_does_not_tell_its_next_run_is_judged_by_entries_only(make_log, make_schedules):
    """The next run of a yearly schedule says nothing about an hourly one, and old versions say nothing at all."""
    log = make_log(("a", _hour(5).isoformat(), "INFO", "Schedule invoked"))
    yearly = ("b", "0 0 1 1 *", {"next_run_at": "2027-01-01T00:00:00Z"})
    assert data_end(log, make_schedules(("a", "0 * * * *"), yearly)) == _hour(5) + pd.Timedelta(1, "ms")
    edited = {"modified_at": _hour(4).isoformat(), "next_run_at": _hour(9).isoformat()}
    versions = make_schedules(("a", "0 * * * *", {"next_run_at": _hour(2).isoformat()}), ("a", "0 * * * *", edited))
    assert data_end(log, versions) == _hour(9)


def test_a_hole_before_the_first_entry_takes_nothing_away(make_log):
    """The share is that of the time since the first entry."""
    log = make_log(*(("a", _hour(hour).isoformat(), "INFO", "Schedule invoked") for hour in (19, 20)))
    (row,) = coverage(log, _fetches((10, 9, False), (20, 19, True))).to_dict("records")
    assert (row["n_holes"], row["observed_share"]) == (1, 1.0)
