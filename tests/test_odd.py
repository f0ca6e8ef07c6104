"""One odd object costs none of the others: what can be read is kept, and the rest is counted and said."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from schedlog_analysis import Archive, read_log, read_runs, read_schedules
from schedlog_analysis.errors import SchemaError
from schedlog_analysis.sources.account import Source
from schedlog_analysis.sources.parse import parse_log, parse_runs, parse_schedules

ENTRY = {"message": "Schedule invoked", "level": "INFO", "createdAt": "2026-03-26T12:28:00.370Z"}
SCHEDULE = {
    "id": "a", "name": "hourly", "cronExpression": "0 * * * *", "timezone": "Europe/Prague", "isEnabled": False,
    "isExclusive": True, "createdAt": "2026-01-01T00:00:00.000Z", "modifiedAt": "2026-02-01T00:00:00.000Z",
    "nextRunAt": None, "lastRunAt": "2026-03-01T00:00:00.000Z", "title": None, "actions": [],
}  # fmt: skip
RUN = {"id": "r", "actId": "x", "status": "SUCCEEDED", "startedAt": "2026-03-30T07:34:24.202Z", "meta": {}}
# What stands in the table where the object holds something odd; None where the whole schedule is left out.
READ_AS = {
    ("name", None): ("name", "a"),
    ("timezone", None): ("timezone", "UTC"),
    ("isEnabled", None): ("is_enabled", True),
    ("isEnabled", "no"): ("is_enabled", True),
    ("isExclusive", None): ("is_exclusive", False),
    ("createdAt", None): ("created_at", pd.Timestamp("2000-01-01T00:00Z")),
    ("modifiedAt", None): ("modified_at", pd.Timestamp("2026-01-01T00:00Z")),
    ("lastRunAt", ""): ("last_run_at", pd.NaT),
    ("nextRunAt", "soon"): ("next_run_at", pd.NaT),
    ("actions", 3): ("n_actions", pd.NA),
    ("cronExpression", None): None,
    ("id", None): None,
}


@pytest.mark.parametrize("odd", READ_AS)
def test_an_odd_schedule_is_kept_as_far_as_it_can_be_read(odd):
    """Without an id or a cron it is left out; anything else has what it would have had. One sentence says so."""
    field, value = odd
    skipped = []
    other = SCHEDULE | {"id": "b"}
    table = parse_schedules([SCHEDULE | {field: value}, other], skipped=skipped).set_index("schedule_id")
    assert [each.kind for each in skipped] == ["schedule"]
    assert str(skipped[0]).startswith(f"Schedule 1 of the list has {field} ")
    assert table.loc["b"].equals(parse_schedules([other]).set_index("schedule_id").loc["b"])
    if READ_AS[odd] is None:
        assert table.index.tolist() == ["b"]
        return
    column, expected = READ_AS[odd]
    found = table.loc["a", column]
    assert pd.isna(found) if pd.isna(expected) else found == expected
    rest = table.loc[["a"]].drop(columns=column)
    assert rest.equals(parse_schedules([SCHEDULE]).set_index("schedule_id").drop(columns=column))


def test_a_schedule_twice_in_a_page_is_kept_once():
    """The same twice is no news; of two that differ the last is kept, and that is said."""
    skipped = []
    assert len(parse_schedules([SCHEDULE, SCHEDULE], skipped=skipped)) == 1
    assert skipped == []
    renamed = SCHEDULE | {"name": "other"}
    assert parse_schedules([SCHEDULE, renamed], skipped=skipped)["name"].tolist() == ["other"]
    assert "'a' comes twice" in str(skipped[0])


ODD_ENTRIES = [None, 7, [], "x", {}, ENTRY | {"createdAt": "soon"}, ENTRY | {"level": None}, ENTRY | {"message": 5}]


@pytest.mark.parametrize("odd", ODD_ENTRIES)
@pytest.mark.parametrize("wire", [json.dumps, lambda value: json.dumps(value).encode(), lambda value: value])
def test_an_odd_entry_costs_no_other(odd, wire):
    """On every road, and the sentence says which of them it is."""
    skipped = []
    log = parse_log(wire([ENTRY, odd, ENTRY]), "a", skipped=skipped)
    assert len(log) == 2
    (each,) = skipped
    assert each.kind == "entry"
    assert " 2 of the log of schedule 'a' " in str(each)
    with pytest.raises(SchemaError):
        parse_log(wire([ENTRY, odd, ENTRY]), "a")


@pytest.mark.parametrize("field", ["id", "actId", "status", "startedAt"])
def test_an_odd_run_costs_no_other(field):
    """A run without what makes it one is left out; one with an odd price or end keeps the rest."""
    skipped = []
    assert len(parse_runs([RUN | {field: None}, RUN], skipped=skipped)) == 1
    runs = parse_runs([RUN | {"usageTotalUsd": "much", "finishedAt": ""}], skipped=skipped)
    assert runs[["finished_at", "usage_usd"]].isna().all(axis=None)
    assert len(skipped) == 2
    assert "usageTotalUsd 'much'" in str(skipped[1])


def test_a_reader_warns_where_nobody_keeps_a_list_and_refuses_what_is_all_odd():
    """A file of which nothing can be read is more likely another file."""
    with pytest.warns(UserWarning, match="Entry 2 of the log of schedule 'a' has level null"):
        assert len(read_log([ENTRY, ENTRY | {"level": None}], "a")) == 1
    with pytest.warns(UserWarning, match="Schedule 1 of the list has timezone null"):
        assert len(read_schedules([SCHEDULE | {"timezone": None}])) == 1
    for read in (read_log, read_runs):
        with pytest.raises(SchemaError, match="1 of"):
            read([SCHEDULE])


def test_a_source_keeps_the_rest_of_an_account_and_says_what_it_left_out(tmp_path):
    """Each file has something odd; the sentences name the files, and go with their schedule."""
    (tmp_path / "logs").mkdir()
    for name in ("a", "b"):
        (tmp_path / "logs" / f"{name}.json").write_text(json.dumps([ENTRY, ENTRY | {"createdAt": None}]))
    (tmp_path / "schedules.json").write_text(json.dumps([SCHEDULE | {"name": None}, SCHEDULE | {"id": "b"}]))
    (tmp_path / "runs.json").write_text(json.dumps([RUN, RUN | {"status": None}]))
    source = Source.read(str(tmp_path))
    assert [len(table) for table in (source.log, source.schedules, source.runs)] == [2, 2, 1]
    assert [each.kind for each in source.skipped] == ["entry", "entry", "schedule", "run"]
    assert "schedules.json" in str(source.skipped[2])
    assert [each.kind for each in source.only(["b"]).skipped] == ["entry", "run"]


@pytest.mark.parametrize("place", ["file:///no/such/place", "nowhere", "empty"])
def test_a_mistyped_place_is_refused(tmp_path, monkeypatch, place):
    """Nothing there is never "no data": it is a sentence that names the place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for read in (Source.read, read_log):
        with pytest.raises(ValueError, match=r"(There is no|no such|the folder has no).*; (expected|check)"):
            read(place)


def test_an_answer_with_odd_entries_still_fills_its_window(tmp_path):
    """The archive counts what the API answered, so that a full window is known although one entry was odd."""
    archive = Archive(tmp_path)
    entries = [ENTRY | {"createdAt": f"2026-03-{1 + n // 24:02d}T{n % 24:02d}:00:00Z"} for n in range(249)]
    archive.append(parse_log(entries, "a"), "2026-04-01T00:00:00Z", {"a": 250, "b": 0})
    assert archive.read_fetches()[["n_entries", "is_truncated"]].to_numpy().tolist() == [[250, True], [0, False]]
