"""The server answers as the API does; the client, the sync and official clients read it over a real socket."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from pandas.testing import assert_frame_equal

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
from schedlog_analysis import Archive, Client, read_log
from schedlog_analysis.errors import ConfigError, InputError, NotFoundError, UnauthorizedError
from schedlog_analysis.sources.server import make_app, run, serving
from schedlog_analysis.sources.sync import sync

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def api(sample):
    """The sample, served."""
    with serving(str(sample.path), token=TOKEN, window=400) as (address, _):
        yield address


def _get(api, path, token=TOKEN, **params):
    return requests.get(f"{api}{path}", headers={"Authorization": f"Bearer {token}"}, params=params, timeout=10)


def test_the_client_reads_what_is_served(api, sample):
    """Schedules, logs and runs come back as the tables that went in, the newest 400 entries of each log."""
    client = Client(TOKEN, base_url=api)
    fetched = client.fetch_logs()
    newest = sample.log.groupby("schedule_id").tail(400).reset_index(drop=True)
    assert_frame_equal(fetched.log, newest)
    assert not fetched.failures
    key = "schedule_id"
    assert_frame_equal(
        fetched.schedules.sort_values(key, ignore_index=True), sample.schedules.sort_values(key, ignore_index=True)
    )
    runs = client.fetch_runs(pd.Timestamp("2026-01-01T00:00Z"))
    assert_frame_equal(
        runs.sort_values("run_id", ignore_index=True), sample.runs.sort_values("run_id", ignore_index=True)
    )


def test_names_and_pages(api, sample):
    """A schedule answers to username~name too; pages count as the API counts."""
    name, schedule_id = sample.schedules[["name", "schedule_id"]].iloc[0]
    assert _get(api, f"/v2/schedules/me~{name}").json()["data"]["id"] == schedule_id
    page = _get(api, "/v2/schedules", limit=5, offset=10, desc="true").json()["data"]
    everyone = [one["id"] for one in _get(api, "/v2/schedules", desc=1).json()["data"]["items"]]
    assert [one["id"] for one in page["items"]] == everyone[10:15]
    assert {name: page[name] for name in ("total", "offset", "limit", "desc", "count")} == {
        "total": len(everyone), "offset": 10, "limit": 5, "desc": True, "count": len(everyone) - 10,
    }  # fmt: skip


def test_runs_are_filtered(api):
    """By status, and by start with both bounds inside."""
    items = _get(api, "/v2/actor-runs", status="FAILED,ABORTED").json()["data"]["items"]
    assert {run["status"] for run in items} == {"FAILED", "ABORTED"}
    started = items[3]["startedAt"]
    inside = _get(api, "/v2/actor-runs", startedAfter=started, startedBefore=started).json()["data"]["items"]
    assert items[3]["id"] in {run["id"] for run in inside}
    assert {run["startedAt"] for run in inside} == {started}


@pytest.mark.parametrize(
    ("path", "params", "status", "kind"),
    [
        ("/v2/schedules/nobody", {}, 404, "record-not-found"),
        ("/v2/schedules/nobody/log", {}, 404, "record-not-found"),
        ("/v2/schedules/..%2f..%2fetc", {}, 404, "page-not-found"),
        ("/v2/nowhere", {}, 404, "page-not-found"),
        ("/v2/schedules", {"limit": "many"}, 400, "invalid-value"),
        ("/v2/schedules", {"desc": "perhaps"}, 400, "invalid-value"),
        ("/v2/schedules", {"offset": "nan"}, 400, "invalid-value"),
        ("/v2/schedules", {"limit": "inf"}, 400, "invalid-value"),
        ("/v2/schedules", {"limit": ""}, 400, "invalid-value"),
        ("/v2/schedules", {"desc": ""}, 400, "invalid-value"),
        ("/v2/schedules/nobody~nothing", {}, 404, "record-not-found"),
        ("/v2/schedules/someone~", {}, 404, "record-not-found"),
        ("/v2/schedules/ünï%20cöde", {}, 404, "record-not-found"),
        ("/v2/schedules/%C3%28/log", {}, 404, "record-not-found"),
        ("/v2/schedules/%00", {}, 404, "record-not-found"),
        ("/", {}, 404, "page-not-found"),
        ("/v2/actor-runs", {"startedAfter": "yesterday"}, 400, "invalid-value"),
        ("/v2/actor-runs", {"startedBefore": "2026-01-01T00:00:00"}, 400, "invalid-value"),
    ],
)
def test_errors_have_the_envelope(api, path, params, status, kind):
    """Status and type as the API has them, and a message."""
    answer = _get(api, path, **params)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (status, kind)
    assert error["message"]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"offset": "1e300"}, {"offset": 2**53, "limit": 1000, "count": 0}),
        ({"offset": "99999999999999999999999"}, {"offset": 2**53, "limit": 1000, "count": 0}),
        ({"offset": "-5", "limit": "-5"}, {"offset": 0, "limit": 1000, "count": 15}),
        ({"limit": "0"}, {"offset": 0, "limit": 1000, "count": 15}),
        ({"limit": "99999"}, {"offset": 0, "limit": 1000, "count": 15}),
    ],
)
def test_pages_beyond_all_bounds(api, params, told):
    """A number that makes no page is moved to the nearest that does; nothing overflows."""
    page = _get(api, "/v2/schedules", **params).json()["data"]
    assert {name: page[name] for name in told} == told
    assert len(page["items"]) == page["count"]


def test_the_newest_entries_are_shown_oldest_first(api, sample):
    """The window holds the newest 400 of a log, in the order of the published example, also by username~name."""
    busiest = sample.log["schedule_id"].value_counts().index[0]
    name = sample.schedules.set_index("schedule_id").loc[busiest, "name"]
    entries = _get(api, f"/v2/schedules/{busiest}/log").json()["data"]
    assert_frame_equal(
        read_log(entries, busiest), sample.log[sample.log["schedule_id"] == busiest].iloc[-400:].reset_index(drop=True)
    )
    assert [each["createdAt"] for each in entries] == sorted(each["createdAt"] for each in entries)
    for quoted in (f"me~{name}", f"me%7E{name}", f"~{name}"):
        assert _get(api, f"/v2/schedules/{quoted}/log").json()["data"] == entries


@pytest.mark.parametrize("path", ["/v2/schedules", "/v2/schedules/nobody", "/v2/schedules?limit=x"])
def test_head_is_get_without_the_body(api, path):
    """Same status and same headers."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    head, get = (requests.request(method, f"{api}{path}", headers=headers, timeout=10) for method in ("HEAD", "GET"))
    assert head.content == b""
    assert (head.status_code, head.headers["Content-Length"]) == (get.status_code, str(len(get.content)))


def test_serving_writes_nothing_and_tells_a_damaged_archive(sample, tmp_path, capfd):
    """Not a byte changes; when a file is torn meanwhile, the error names it in the envelope, without a traceback."""
    archive = Archive(tmp_path)
    archive.append(sample.log, pd.Timestamp("2026-11-01T00:00Z"))
    archive.append_schedules(sample.schedules)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with serving(str(tmp_path)) as (address, token):
        first = sample.schedules["schedule_id"].iloc[0]
        for path in ("/v2/schedules", f"/v2/schedules/{first}/log", "/v2/actor-runs", "/v2/schedules/nobody"):
            _get(address, path, token)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        torn = next(tmp_path.glob("log/*/*.parquet"))
        torn.write_bytes(b"torn")
        answer = _get(address, f"/v2/schedules/{first}/log", token)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "internal-server-error")
    assert torn.name in answer.json()["error"]["message"]
    assert "Traceback" not in capfd.readouterr().err


def test_a_name_that_was_used_again_means_the_newest(sample, tmp_path):
    """A schedule that was deleted and made again has the same name and another id."""
    archive, (old, new) = Archive(tmp_path), sample.schedules["schedule_id"].iloc[:2]
    both = sample.schedules.head(2).assign(name="again")
    both["created_at"] = both["created_at"].min() + pd.Series([pd.Timedelta(0), pd.Timedelta(1, "D")])
    archive.append_schedules(both)
    with serving(str(tmp_path)) as (address, token):
        assert _get(address, "/v2/schedules/me~again", token).json()["data"]["id"] == new
        assert _get(address, f"/v2/schedules/{old}", token).json()["data"]["id"] == old


def test_the_token_is_required(api):
    """Without a token, with a wrong one or in the URL, nobody gets in; the scheme's case does not matter."""
    assert requests.get(f"{api}/v2/schedules", timeout=10).status_code == 401
    assert requests.get(f"{api}/v2/schedules?token={TOKEN}", timeout=10).status_code == 401
    assert _get(api, "/v2/schedules", token="wrong").status_code == 401
    assert _get(api, "/v2/nowhere", token="wrong").status_code == 401
    assert requests.get(f"{api}/v2/schedules", headers={"Authorization": f"bearer {TOKEN}"}, timeout=10).ok
    wrong = (f"Basic {TOKEN}", f"Bearer{TOKEN}", f"Bearer  {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer é".encode())
    for header in wrong:
        assert requests.get(f"{api}/v2/schedules", headers={"Authorization": header}, timeout=10).status_code == 401
    with pytest.raises(UnauthorizedError):
        Client("wrong", base_url=api).fetch_schedules()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(api, method):
    """Every method that writes is refused as the API refuses it."""
    answer = requests.request(method, f"{api}/v2/schedules", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["type"]) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == "OPTIONS, GET"


def test_the_official_client_reads_it(api, sample):
    """apify-client for Python: log, schedule and list."""
    apify_client = pytest.importorskip("apify_client", reason="apify-client is not installed")
    client = apify_client.ApifyClient(TOKEN, api_url=api)
    schedule_id = sample.schedules["schedule_id"].iloc[0]
    told = client.schedule(schedule_id).get()
    assert told is not None
    entries = client.schedule(schedule_id).get_log()
    assert len(entries) == min(400, int((sample.log["schedule_id"] == schedule_id).sum()))
    assert len(client.schedules().list().items) == len(sample.schedules)


def test_sync_adds_what_is_new_and_nothing_twice(api, sample, tmp_path):
    """The first sync takes all that is shown, the second finds nothing new, and the archive serves what it has."""
    archive = Archive(tmp_path / "archive")
    client = Client(TOKEN, base_url=api)
    first, second = sync(client, archive), sync(client, archive)
    newest = sample.log.groupby("schedule_id").tail(400)
    assert first.schedules["n_new"].sum() == len(newest)
    assert first.n_new_runs == len(client.fetch_runs(newest["created_at"].min()))
    assert second.schedules["n_new"].sum() == second.n_new_runs == 0
    assert not second.schedules["has_hole"].any()
    assert not first.failures | second.failures
    assert_frame_equal(archive.read_log(), newest.reset_index(drop=True))
    with serving(str(tmp_path / "archive")) as (address, token):
        again = Client(token, base_url=address).fetch_logs()
    assert_frame_equal(again.log, newest.reset_index(drop=True))


def test_a_hole_is_noticed(sample, tmp_path):
    """When the window rolled past what the archive has, sync says for which schedule."""
    schedule_id = sample.log["schedule_id"].value_counts().index[0]
    entries = sample.log[sample.log["schedule_id"] == schedule_id]
    archive = Archive(tmp_path)
    old = entries.head(250)
    archive.append(old, old["created_at"].iloc[-1] + pd.Timedelta("1min"), [schedule_id])
    with serving(str(sample.path), window=250) as (address, token):
        told = sync(Client(token, base_url=address), archive, with_runs=False).schedules.set_index("schedule_id")
    assert told["has_hole"].to_dict()[schedule_id]
    assert told["has_hole"].sum() == 1
    assert told.loc[schedule_id, "n_new"] == 250
    assert told.loc[schedule_id, "sync_every"] < pd.Timedelta("4D")


def test_one_failing_schedule_does_not_cost_the_others(api, sample):
    """An unknown id fails with its own error; the others are there."""
    good = sample.schedules["schedule_id"].iloc[0]
    fetched = Client(TOKEN, base_url=api).fetch_logs([good, "nobody"])
    assert set(fetched.log["schedule_id"]) == {good}
    assert isinstance(fetched.failures["nobody"], NotFoundError)


def test_a_port_in_use_is_said_in_a_sentence(sample):
    """Where another program listens, the error names host and port, and no token is made known."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"'127.0.0.1', port {port} .*; give another host or port\."):
            run(str(sample.path), port=port)


def test_there_must_be_something_to_serve(tmp_path):
    """A place that is not there is told before anything listens."""
    with pytest.raises(InputError, match="nowhere"):
        make_app(str(tmp_path / "nowhere"), token=TOKEN)


CONTRACT = Path(__file__).parent / "data" / "contract" / "apify-read.yaml"


@pytest.mark.filterwarnings("default")  # a test runner of its own, with warnings of its own
def test_it_keeps_the_published_contract(api):
    """Fuzzed from the contract: valid requests are answered in the documented shape, invalid ones refused in it."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    schema = schemathesis.openapi.from_path(str(CONTRACT))
    tried = set()

    def ask(case):
        tried.add(case.operation.path)
        case.call_and_validate(base_url=api, headers={"Authorization": f"Bearer {TOKEN}"})

    for operation in schema.get_all_operations():
        bounded = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        bounded(given(operation.ok().as_strategy())(ask))()
    one = "/v2/schedules/{scheduleId}"
    assert tried == {"/v2/schedules", one, f"{one}/log", "/v2/actor-runs"}


JS = """
const {ApifyClient} = require('apify-client');
(async () => {
    const client = new ApifyClient({token: process.argv[1], baseUrl: process.argv[2], maxRetries: 1});
    const schedule = await client.schedule(process.argv[3]).get();
    const log = await client.schedule(process.argv[3]).getLog();
    const list = await client.schedules().list();
    console.log(JSON.stringify([schedule.cronExpression, log.length, list.items.length]));
})();
"""


def test_the_official_client_for_javascript_reads_it(api, sample):
    """apify-client for Node: schedule, log and list."""
    modules = os.environ.get("SCHEDLOG_NODE_MODULES", "")
    if not (shutil.which("node") and (Path(modules) / "apify-client").is_dir()):
        pytest.skip("node, or the npm package apify-client in SCHEDLOG_NODE_MODULES, is not there")
    row = sample.schedules.iloc[0]
    command = ["node", "-e", JS, TOKEN, api, row["schedule_id"]]
    told = subprocess.run(
        command, env=os.environ | {"NODE_PATH": modules}, capture_output=True, text=True, timeout=60, check=True
    )
    n = min(400, int((sample.log["schedule_id"] == row["schedule_id"]).sum()))
    assert json.loads(told.stdout) == [row["cron"], n, len(sample.schedules)]
