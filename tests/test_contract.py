"""The client against the published contract: a mock server made from it judges what we ask and how we understand it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from schedlog_analysis import Client, errors
from schedlog_analysis.schema import Log, Runs, Schedules

CONTRACT = Path(__file__).parent / "data" / "contract" / "apify-read.yaml"

CALLS = {
    "/v2/schedules": lambda client: client.fetch_schedules(),
    "/v2/schedules/{scheduleId}": lambda client: client.fetch_schedule("me~hourly"),
    "/v2/schedules/{scheduleId}/log": lambda client: client.fetch_log("me~hourly"),
    "/v2/actor-runs": lambda client: client.fetch_runs("2019-01-01T00:00Z", "2020-01-01T01:00+01:00"),
}
ERRORS = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    405: errors.ResponseError,
    429: errors.RateLimitError,
}


def documented_statuses():
    """Path and status of every answer in the contract: of its YAML just the two indents that matter."""
    found, path = [], ""
    for line in CONTRACT.read_text().split("components:")[0].splitlines():
        if match := re.fullmatch(r"  (/\S+):", line):
            path = match[1]
        elif match := re.fullmatch(r"        '(\d{3})':", line):
            found.append((path, int(match[1])))
    return found


STATUSES = documented_statuses()


@pytest.fixture(scope="module")
def prism():
    """Prism, the mock server; `npm install @stoplight/prism-cli` into a folder of your choice, then name it."""
    folder = os.environ.get("SCHEDLOG_NODE_MODULES", "")
    program = shutil.which("prism", path=Path(folder) / ".bin") or shutil.which("prism")
    if program is None:
        pytest.skip("no Prism: npm install @stoplight/prism-cli, and point SCHEDLOG_NODE_MODULES at its node_modules")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    command = [program, "mock", "--errors", "--host", "127.0.0.1", "--port", str(port), CONTRACT]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(port, server, patience=60.0):
    """Return as soon as the server listens."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("Prism did not start")


@pytest.fixture
def client(prism):
    with Client("any-token", base_url=prism, retries=0, requests_per_second=1e6) as client:
        yield client


def asking_for(status, prism):
    """Make a session that asks Prism for one of the documented answers."""
    session = requests.Session()
    session.headers["Prefer"] = f"code={status}"
    return session, Client("any-token", base_url=prism, session=session, retries=0, requests_per_second=1e6)


def test_every_documented_answer_is_tried():
    """The contract names no path and no status that these tests do not know."""
    assert {path for path, _ in STATUSES} == set(CALLS)
    assert {status for _, status in STATUSES} == {200, *ERRORS}


def test_the_log_of_the_contract_is_read(client):
    """The published example of a log, with its literal backslashes, is one INFO and one ERROR entry."""
    log = client.fetch_log("asdLZtadYvn4mBZmm")
    assert log.dtypes.to_dict() == Log.empty().dtypes.to_dict()
    assert log["level"].to_list() == ["INFO", "ERROR"]
    assert log["message"].str.contains(r"\"iEvfA6pm6DWjRTGxS\"", regex=False).to_list() == [False, True]


def test_the_schedules_of_the_contract_are_read(client):
    """The list and the single schedule both become Schedules."""
    for schedules in (client.fetch_schedules(), client.fetch_schedule("asdLZtadYvn4mBZmm")):
        assert schedules.dtypes.to_dict() == Schedules.empty().dtypes.to_dict()
        assert schedules[["schedule_id", "cron", "timezone"]].to_numpy().tolist() == [
            ["asdLZtadYvn4mBZmm", "* * * * *", "UTC"]
        ]


def test_the_runs_of_the_contract_are_read(client):
    """The published page shows one run id twice; the later one counts."""
    runs = client.fetch_runs("2019-01-01T00:00Z", "2020-01-01T00:00Z")
    assert runs.dtypes.to_dict() == Runs.empty().dtypes.to_dict()
    assert runs[["run_id", "status", "usage_usd"]].to_numpy().tolist() == [["HG7ML7M8z78YcAPEB", "FAILED", 0.6]]


def test_logs_of_the_contract_are_read(client):
    """The walk over the whole account works on the contract's own examples."""
    fetched = client.fetch_logs()
    assert fetched.n_entries == {"asdLZtadYvn4mBZmm": 2}
    assert fetched.failures == {}


@pytest.mark.parametrize(("path", "status"), [(path, status) for path, status in STATUSES if status == 200])
def test_every_request_is_as_documented(client, path, status):
    """Prism checks what it is asked: a parameter or a header that breaks the contract would be an error here."""
    assert len(CALLS[path](client)) > 0, status


@pytest.mark.parametrize(("path", "status"), [(path, status) for path, status in STATUSES if status != 200])
def test_every_documented_refusal_is_its_error(prism, path, status):
    """Each documented error becomes the exception of its status, with the API's own type and message."""
    session, client = asking_for(status, prism)
    with session, client, pytest.raises(errors.ResponseError) as caught:
        CALLS[path](client)
    assert type(caught.value) is ERRORS[status]
    assert caught.value.status == status
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", caught.value.type)
    assert len(caught.value.message) > 10


def test_a_request_without_the_header_is_refused(prism):
    """Prism does look for the token: without one it answers 401, so the tests above prove that ours arrives."""
    assert requests.get(f"{prism}/v2/schedules", timeout=30).status_code == 401
