"""Every door's last step: API objects become typed tables, or one sentence says why not."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from schedlog_analysis.errors import InputError, SchemaError
from schedlog_analysis.schema import Log, Runs, Schedules
from schedlog_analysis.sources import bulk
from schedlog_analysis.sources.parse import parse_log, parse_logs, parse_runs, parse_schedules, sort_log

CONTRACT = Path(__file__).parent / "data" / "contract" / "apify-read.yaml"
ENTRY = {"message": "Schedule invoked", "level": "INFO", "createdAt": "2019-03-26T12:28:00.370Z"}
SCHEDULE = {
    "id": "asdLZtadYvn4mBZmm",
    "userId": "wRsJZtadYvn4mBZmm",
    "name": "my-schedule",
    "cronExpression": "* * * * *",
    "timezone": "UTC",
    "isEnabled": True,
    "isExclusive": False,
    "createdAt": "2019-12-12T07:34:14.202Z",
    "modifiedAt": "2019-12-20T06:33:11.202Z",
    "nextRunAt": "2019-04-12T07:34:10.202Z",
    "lastRunAt": None,
    "title": "Mine",
    "actions": [{"id": "c6", "type": "RUN_ACTOR", "actorId": "jF8", "runInput": {"body": "{}"}}],
}
RUN = {
    "id": "HG7ML7M8z78YcAPEB",
    "actId": "HDSasDasz78YcAPEB",
    "actorTaskId": None,
    "status": "SUCCEEDED",
    "startedAt": "2019-11-30T07:34:24.202Z",
    "finishedAt": "2019-12-12T09:30:12.202Z",
    "meta": {"origin": "SCHEDULER", "scheduleId": "asdLZ", "scheduledAt": "2019-11-30T07:34:00.000Z"},
    "usageTotalUsd": 0.2,
}
SHAPES = {
    "response": lambda entries: {"data": entries},
    "array": lambda entries: entries,
    "page": lambda entries: {"data": {"items": entries, "total": len(entries), "offset": 0}},
    "client's page": lambda entries: {"items": entries, "total": len(entries)},
}


def _bytes(value) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "wire", [lambda value: value, json.dumps, _bytes, lambda value: json.dumps(value, indent=2).encode()]
)
def test_every_shape_and_wire_ends_in_the_same_table(shape, wire):
    """Envelopes, pages and bare arrays, parsed or as text, bytes or pretty-printed bytes, read alike."""
    expected = Log.cast(
        pd.DataFrame({"schedule_id": "s", "created_at": [ENTRY["createdAt"]], "level": "INFO", "message": ['é " 😀']})
    )
    log = parse_log(wire(SHAPES[shape]([ENTRY | {"message": 'é " 😀'}])), "s")
    pd.testing.assert_frame_equal(log, expected)


MANY = [
    ENTRY | {"createdAt": f"2026-01-0{day}T00:00:{second:02d}.000Z", "level": level}
    for day in (1, 2)
    for second, level in enumerate(("INFO", "WARNING", "ERROR", "CRITICAL", "info", ""))
]
READINGS = {
    "newest first": lambda entries: entries[::-1],
    "in no order": lambda entries: entries[::2] + entries[1::2],
    "a page": lambda entries: {"items": entries, "count": len(entries), "total": 7},
    "no milliseconds": lambda entries: [each | {"createdAt": each["createdAt"][:19] + "Z"} for each in entries],
    "microseconds": lambda entries: [each | {"createdAt": each["createdAt"][:23] + "999Z"} for each in entries],
    "an offset": lambda entries: [each | {"createdAt": each["createdAt"][:23] + "+00:00"} for each in entries],
    "mixed precision": lambda entries: [entries[0] | {"createdAt": entries[0]["createdAt"][:19] + "Z"}, *entries[1:]],
    "new fields": lambda entries: [
        each | {"id": n, "runs": [{"a": None}], "Level": 3} for n, each in enumerate(entries)
    ],
    "a new field in one": lambda entries: [entries[0] | {"actorTaskId": None}, *entries[1:]],
    "fields in another order": lambda entries: [dict(reversed(each.items())) for each in entries],
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("wire", [lambda value: value, _bytes])
def test_whichever_reading_of_the_documentation_is_right_the_log_is_the_same(reading, wire):
    """Order, envelope, precision, later fields and unknown levels are not promised: none of them changes the table."""
    expected = parse_log({"data": MANY}, "s")
    assert expected["level"].tolist() == [each["level"] for each in MANY]
    changed = {"s": wire({"data": READINGS[reading](MANY)}), "t": wire({"data": MANY})}
    assert_frame_equal(parse_logs(changed).iloc[: len(MANY)], expected)


@pytest.mark.parametrize("body", [None, {"data": None}, {"data": {"items": None}}, b'{"data": null}', b"null"])
def test_no_list_is_not_an_empty_list(body):
    """An answer without entries is empty only if it says so: null would be remembered as "nothing happened"."""
    with pytest.raises(InputError, match="came null; expected an array"):
        parse_log(body)


def test_one_object_is_a_list_of_one():
    """An object outside any array reads as one row, in each of the three tables."""
    assert len(parse_log(ENTRY)) == len(parse_log(_bytes(ENTRY))) == 1
    assert len(parse_schedules(_bytes({"data": SCHEDULE}))) == len(parse_runs(RUN)) == 1


@pytest.mark.parametrize(("read", "table"), [(parse_log, Log), (parse_schedules, Schedules), (parse_runs, Runs)])
@pytest.mark.parametrize("body", [b"[]", b'{"data": []}', '{"data": {"items": []}}', [], {"data": []}, ()])
def test_empty_answers_keep_every_column_and_dtype(read, table, body):
    """No rows, but all columns with their dtypes."""
    pd.testing.assert_frame_equal(read(body), table.empty())


def test_json_lines_keep_the_schedule_that_they_name():
    """In JSON Lines an entry's own scheduleId goes before the one that was given; both roads agree."""
    lines = [json.dumps(ENTRY), json.dumps(ENTRY | {"scheduleId": "mine"}), ""]
    for ending in ("\n", "\r\n"):
        fast = parse_log(ending.join(lines).encode(), "given")
        assert fast["schedule_id"].tolist() == ["given", "mine"]
        pd.testing.assert_frame_equal(fast, parse_log(ending.join(lines), "given"))


def test_the_log_is_sorted_and_equal_instants_keep_their_order():
    """Sorted by schedule and time; what came first at one instant stays first."""
    late = ENTRY | {"createdAt": "2020-01-01T00:00:00.000Z"}
    bodies = {"b": _bytes([late, ENTRY, ENTRY | {"message": "second"}]), "a": _bytes([late])}
    log = parse_logs(bodies)
    assert log["schedule_id"].tolist() == ["a", "b", "b", "b"]
    assert log["message"].tolist()[1:3] == ["Schedule invoked", "second"]
    assert log["created_at"].is_monotonic_increasing is False
    pd.testing.assert_frame_equal(log, parse_logs({key: bodies[key].decode() for key in reversed(bodies)}))


def test_sort_log_ranks_categories_by_their_text():
    """A categorical's own order of categories does not decide the order of the schedules."""
    log = parse_logs({"b": [ENTRY], "a": [ENTRY]})
    coded = log.iloc[::-1].assign(schedule_id=lambda t: pd.Categorical(t["schedule_id"], categories=["b", "a"]))
    assert sort_log(coded)["schedule_id"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2019-03-26T12:28:00.370Z", "2019-03-26T12:28:00.370Z"),
        ("2019-03-26T14:28:00.370+02:00", "2019-03-26T12:28:00.370Z"),
        ("2019-03-26T12:28:00Z", "2019-03-26T12:28:00.000Z"),
        ("2019-03-26T12:28:00.370999Z", "2019-03-26T12:28:00.370Z"),
        ("2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"),
        ("2000-01-01T00:00:00.000Z", "2000-01-01T00:00:00.000Z"),
    ],
)
def test_instants_are_read_with_their_offset_and_cut_to_milliseconds(text, instant):
    """On both roads; nothing is rounded up into the next tick."""
    for body in (_bytes([ENTRY | {"createdAt": text}]), [ENTRY | {"createdAt": text}]):
        assert parse_log(body).loc[0, "created_at"] == pd.Timestamp(instant)


BAD_ENTRIES = [
    ({"createdAt": "2026-01-01T00:00:00"}, "has createdAt '2026-01-01T00:00:00', which has no offset; expected an ins"),
    ({"createdAt": "2026-02-30T00:00:00Z"}, "has createdAt '2026-02-30T00:00:00Z'; expected an instant such as"),
    ({"createdAt": "yesterday"}, "has createdAt 'yesterday'; expected an instant"),
    ({"createdAt": "1970-01-01T00:00:00Z"}, "expected an instant from 2000 to 2099"),
    ({"createdAt": "9999-12-31T23:59:59Z"}, "expected an instant from 2000 to 2099"),
    ({"createdAt": "0001-01-01T00:00:00+23:59"}, "expected an instant from 2000 to 2099"),
    ({"createdAt": "+275760-09-13T00:00:00.000Z"}, "expected an instant such as"),
    ({"createdAt": 1553603280}, "has createdAt 1553603280; expected an instant"),
    ({"createdAt": True}, "has createdAt true; expected an instant"),
    ({"createdAt": None}, "has createdAt null; expected an instant"),
    ({"message": None}, "has message null; expected text"),
    ({"message": 5}, "has message 5; expected text"),
    ({"message": {"a": [1]}}, "has message {'a': [1]}; expected text"),
    ({"level": True}, "has level true; expected text"),
]


@pytest.mark.parametrize("road", [_bytes, lambda value: value])
@pytest.mark.parametrize(("change", "told"), BAD_ENTRIES)
def test_a_bad_entry_is_told_by_number_field_and_expectation(road, change, told):
    """One sentence names the entry, counted from 1, the field, what came and what was expected."""
    with pytest.raises(SchemaError) as caught:
        parse_log(road([ENTRY, ENTRY | change]), "abc")
    assert str(caught.value).startswith("Entry 2 of the log of schedule 'abc' has ")
    assert told in str(caught.value)


@pytest.mark.parametrize("field", ["createdAt", "level", "message"])
def test_a_missing_field_is_told(field):
    """A lacking field is an error, never a missing value."""
    entry = {name: value for name, value in ENTRY.items() if name != field}
    with pytest.raises(SchemaError, match=f"Entry 1 of the log of schedule 'unknown' lacks {field}; expected"):
        parse_log(_bytes([entry]))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "an empty body"),
        (b" \n ", "an empty body"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        ("  <html></html>", "HTML"),
        (b'{"data": [{"message": "Schedule invo', "no valid JSON"),
        (b"null", "came null"),
        (b"5", "came 5"),
        (b'"text"', "came 'text'"),
        (b'{"data": null}', "came null"),
        (b'{"data": 7}', "came 7"),
        (b'{"error": {"type": "record-not-found", "message": "Schedule was not found"}}', "record-not-found"),
        (b"[[1]]", "Item 1 of"),
        (b"[null]", "Item 1 of"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"data":' * 5000 + b"[]" + b"}" * 5000, "nested too deeply"),
        (b'[{"message": "\xff"}]', "is not valid utf-8"),
        (b"[" + b"9" * 5000 + b"]", "no valid JSON"),
        (5, "came 5"),
        (None, "came null"),
    ],
)
@pytest.mark.parametrize("read", [parse_log, parse_schedules, parse_runs])
def test_what_is_no_answer_at_all_is_told_in_a_sentence(read, body, told):
    """HTML, torn or absent JSON, an error of the API, bottomless nesting: one sentence, no traceback of a parser."""
    with pytest.raises(InputError, match=r"^[^\n]*\.$") as caught:
        read(body)
    assert told in str(caught.value)


def test_oddities_of_json_do_not_lose_an_entry():
    """Half a surrogate pair is replaced, of duplicate keys the last counts, NaN in an unknown field is ignored."""
    entry = '{"message": "a\\ud800", "level": "x", "level": "INFO", "createdAt": "2019-03-26T12:28:00.370Z", "n": NaN}'
    log = parse_log(f"[{entry}]".encode())
    assert log.loc[0, ["level", "message"]].tolist() == ["INFO", "a\ufffd"]
    assert (
        len(parse_log(b"\xef\xbb\xbf" + _bytes([ENTRY]))) == len(parse_log(json.dumps([ENTRY]).encode("utf-16"))) == 1
    )


entries = st.fixed_dictionaries(
    {
        "message": st.text(max_size=20),
        "level": st.sampled_from(["INFO", "ERROR", "WARNING", "DEBUG", ""]),
        "createdAt": st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds the zone
            lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ),
    },
    optional={"extra": st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=3)},
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.lists(entries, max_size=5), max_size=4))
@settings(max_examples=100, deadline=None)
def test_the_fast_road_and_the_slow_road_agree(answers):
    """Many answers at once as bytes, and one by one as objects, are the same table; the fast road was really taken."""
    bodies = {schedule_id: _bytes({"data": rows}) for schedule_id, rows in answers.items()}
    slow = [parse_log(rows, schedule_id) for schedule_id, rows in sorted(answers.items())]
    pd.testing.assert_frame_equal(parse_logs(bodies), pd.concat([Log.empty(), *slow], ignore_index=True))
    if bodies:
        assert bulk.read_bulk(sorted(bodies), [bodies[key] for key in sorted(bodies)]) is not None


scraps = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.just(ENTRY["createdAt"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*ENTRY, "data", "items", "error", "scheduleId", *SCHEDULE, *RUN]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(
    scraps | st.text(max_size=30) | st.binary(max_size=30), st.sampled_from([json.dumps, _bytes, lambda value: value])
)
@settings(max_examples=300, deadline=None)
def test_no_input_whatever_raises_anything_but_input_errors(value, wire):
    """Any JSON, any bytes: a table or an InputError."""
    body = value if isinstance(value, str | bytes) else wire(value)
    for read, table in ((parse_log, Log), (parse_schedules, Schedules), (parse_runs, Runs)):
        with contextlib.suppress(InputError):
            assert list(read(body).columns) == table.names()


def test_schedules_are_read_by_the_contract():
    """Every field lands in its column; a lacking or null optional one is missing."""
    bare = {name: value for name, value in SCHEDULE.items() if name not in {"title", "actions", "nextRunAt"}} | {
        "id": "b"
    }
    schedules = parse_schedules({"data": {"items": [bare, SCHEDULE]}})
    pd.testing.assert_frame_equal(schedules, Schedules.cast(schedules))
    full, thin = schedules.iloc[0], schedules.iloc[1]
    assert full[["schedule_id", "name", "title", "cron", "timezone"]].tolist() == [
        SCHEDULE["id"],
        "my-schedule",
        "Mine",
        "* * * * *",
        "UTC",
    ]
    assert (full["is_enabled"], full["is_exclusive"], full["n_actions"]) == (True, False, 1)
    assert full["next_run_at"] == pd.Timestamp(SCHEDULE["nextRunAt"])
    assert thin[["title", "next_run_at", "last_run_at", "n_actions"]].isna().all()


def test_the_same_version_of_a_schedule_twice_is_told_and_two_versions_are_not():
    """Versions differ in modifiedAt; else the list contradicts itself."""
    newer = SCHEDULE | {"modifiedAt": "2020-01-01T00:00:00.000Z"}
    assert parse_schedules([newer, SCHEDULE])["modified_at"].is_monotonic_increasing
    with pytest.raises(InputError, match="Schedule id 'asdLZtadYvn4mBZmm' comes twice"):
        parse_schedules([SCHEDULE, newer, SCHEDULE])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"isEnabled": "yes"}, "has isEnabled 'yes'; expected true or false."),
        ({"actions": 3}, "has actions 3; expected a list."),
        ({"cronExpression": None}, "has cronExpression null; expected text."),
        ({"nextRunAt": "2026-01-01"}, "has nextRunAt '2026-01-01', which has no offset; expected an instant"),
    ],
)
def test_a_bad_schedule_is_told(change, told):
    """By its place in the list, the API's name of the field, and what was expected."""
    with pytest.raises(SchemaError) as caught:
        parse_schedules([SCHEDULE | change])
    assert str(caught.value).startswith(f"Schedule 1 of the list {told[:20]}")
    assert told in str(caught.value)


def test_runs_are_read_by_the_contract():
    """What hides in `meta` is found; a run without a schedule, an end or a price has them missing."""
    bare = {"id": "a", "actId": "x", "status": "NEW-STATUS", "startedAt": "2019-11-01T00:00:00.000Z"}
    runs = parse_runs({"data": {"items": [RUN, bare]}})
    pd.testing.assert_frame_equal(runs, Runs.cast(runs))
    assert runs["run_id"].tolist() == ["a", RUN["id"]]
    assert runs.loc[1, ["schedule_id", "origin", "usage_usd"]].tolist() == ["asdLZ", "SCHEDULER", 0.2]
    assert runs.loc[1, "scheduled_at"] == pd.Timestamp("2019-11-30T07:34:00Z")
    assert runs.loc[0, ["schedule_id", "scheduled_at", "origin", "task_id", "finished_at", "usage_usd"]].isna().all()


@pytest.mark.parametrize("usage", ["0.2", True, float("nan"), float("inf"), []])
def test_usage_that_is_no_number_is_told(usage):
    """Usage is a finite number or missing."""
    with pytest.raises(SchemaError, match=r"Run 1 of the list has usageTotalUsd .*; expected a number"):
        parse_runs([RUN | {"usageTotalUsd": usage}])


def test_models_of_apify_client_are_read():
    """What the official client returns (pydantic models since 3.0) reads like the JSON it was made from."""
    models = pytest.importorskip("apify_client._models", reason="apify-client is not installed")
    if not hasattr(models, "ScheduleLogEntry"):
        pytest.skip("apify-client 2.x returns dicts")
    answer = models.ScheduleLogResponse.model_validate({"data": [ENTRY]})
    for body in (answer, answer.data):
        pd.testing.assert_frame_equal(parse_log(body), parse_log([ENTRY]))
    schedule = models.Schedule.model_validate(SCHEDULE | {"runInput": None, "actions": []})
    pd.testing.assert_frame_equal(parse_schedules([schedule]), parse_schedules([SCHEDULE | {"actions": []}]))


def test_dicts_with_datetimes_are_read():
    """apify-client 2.x turns createdAt into datetimes; a naive one is refused like naive text."""
    at = datetime(2019, 3, 26, 12, 28, 0, 370_000, tzinfo=UTC)
    pd.testing.assert_frame_equal(parse_log([ENTRY | {"createdAt": at}]), parse_log([ENTRY]))
    with pytest.raises(SchemaError, match="no offset"):
        parse_log([ENTRY | {"createdAt": at.replace(tzinfo=None)}])


def test_the_published_examples_are_read():
    """The specification's own examples: the log to the letter, with its backslashes, and the list of runs."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    contract = yaml.safe_load(CONTRACT.read_text())
    answer = contract["paths"]["/v2/schedules/{scheduleId}/log"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]
    log = parse_log(_bytes(answer["example"]))
    assert log["message"].tolist() == [entry["message"] for entry in answer["example"]["data"]]
    assert '\\"iEvfA6pm6DWjRTGxS\\"' in log.loc[1, "message"]
    runs = parse_runs(contract["components"]["examples"]["ListOfRunsResponseExample"]["value"])
    assert runs["status"].tolist() == ["SUCCEEDED", "FAILED"]
