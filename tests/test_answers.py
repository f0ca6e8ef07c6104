"""Answers that overlap are united as an archive unites them, and a concatenation of them is noticed where it can be."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from schedlog_analysis import Archive, has_duplicate_answers, read_log, unite_logs
from schedlog_analysis.schema import Log

ENTRIES = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("xy")), max_size=14)


def _log(entries, schedule_id="a"):
    """Make a Log from (hour, message) pairs."""
    rows = [{"createdAt": f"2026-01-01T{hour:02d}:00:00Z", "level": "INFO", "message": text} for hour, text in entries]
    return read_log(rows, schedule_id)


def test_what_two_answers_both_show_counts_once_and_true_repeats_stay():
    """Three equal entries of one instant are three, however many answers show them."""
    earlier, later = _log([(1, "x"), (2, "x"), (2, "x"), (2, "x")]), _log([(2, "x"), (2, "x"), (2, "x"), (3, "x")])
    assert unite_logs(earlier, later)["created_at"].dt.hour.tolist() == [1, 2, 2, 2, 3]
    assert len(pd.concat([earlier, later])) == 8


@given(ENTRIES, st.integers(0, 6), st.integers(0, 6))
def test_windows_of_a_log_unite_to_what_they_show(entries, first, last):
    """Two windows of one log, in either order and more than once, are the entries of either."""
    entries = sorted(entries, key=lambda entry: entry[0])
    whole = _log(entries)
    hour = whole["created_at"].dt.hour
    early, late = (whole[keep].reset_index(drop=True) for keep in (hour <= last, hour >= first))
    expected = whole[(hour <= last) | (hour >= first)].reset_index(drop=True)
    for answers in ((early, late), (late, early), (early, late, early), (unite_logs(early, late), late)):
        found = unite_logs(*answers)
        columns = ["created_at", "message"]
        assert sorted(found[columns].itertuples(index=False)) == sorted(expected[columns].itertuples(index=False))


def test_it_is_the_law_of_the_archive(sample, tmp_path):
    """An archive to which the same answers are appended reads the same Log."""
    log = sample.log
    answers = [log[log["created_at"] < "2026-09-20"], log[log["created_at"] >= "2026-09-10"]]
    archive = Archive(tmp_path)
    for day, answer in enumerate(answers, 1):
        archive.append(answer, f"2026-11-0{day}T00:00:00Z")
    assert_frame_equal(unite_logs(*answers), archive.read_log())
    assert_frame_equal(unite_logs(*answers), log)


def test_nothing_is_united_to_nothing():
    """No answer, or empty ones, give the empty Log."""
    assert_frame_equal(unite_logs(), Log.empty())
    assert_frame_equal(unite_logs(Log.empty(), Log.empty()), Log.empty())


def test_several_answers_are_read_as_one_log(tmp_path):
    """A list of paths or frames is a list of answers; a list of entries is one."""
    entries = [{"createdAt": f"2026-01-01T0{hour}:00:00Z", "level": "INFO", "message": "x"} for hour in range(4)]
    paths = [tmp_path / "a.1.json", tmp_path / "a.2.json"]
    for path, part in zip(paths, (entries[:3], entries[1:]), strict=True):
        path.write_text(json.dumps(part))
    expected = read_log(entries, "a")
    for several in (paths, [str(path) for path in paths], [read_log(path) for path in paths]):
        assert_frame_equal(read_log(several, "a"), expected)


@pytest.mark.parametrize("overlap", [2, 5])
def test_answers_laid_end_to_end_are_noticed(overlap):
    """Two instants in a row that stand there twice are no accident, in whatever order the rows are."""
    whole = [(hour, "x") for hour in range(10)]
    log = pd.concat([_log(whole[: 5 + overlap]), _log(whole[5:]), _log(whole, "b")], ignore_index=True)
    assert has_duplicate_answers(log)
    assert has_duplicate_answers(log.sample(frac=1, random_state=0))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [(1, "x")],
        [(1, "x"), (1, "x"), (1, "x"), (2, "x"), (3, "x"), (3, "x")],
        [(1, "x"), (1, "y"), (2, "x"), (2, "y")],
        [(1, "x"), (1, "x"), (1, "y"), (2, "x"), (2, "x"), (2, "y")],
    ],
)
def test_true_repeats_are_not_taken_for_answers(entries):
    """Equal errors of one instant are a log's own as long as something around them stands there once."""
    assert not has_duplicate_answers(_log(entries))


def test_two_schedules_do_not_make_a_row():
    """The last instant of one schedule and the first of the next are no neighbours."""
    log = pd.concat([_log([(0, "x"), (1, "x"), (1, "x")]), _log([(2, "x"), (2, "x"), (3, "x")], "b")])
    assert not has_duplicate_answers(log)
