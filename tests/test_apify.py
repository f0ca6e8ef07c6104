"""The client against a real server on the loopback interface that can fail in every way a network can."""

from __future__ import annotations

import email.utils
import gzip
import itertools
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis import errors
from schedlog_analysis.schema import Log, Runs, Schedules
from schedlog_analysis.sources import client as api
from schedlog_analysis.sources.transport import Transport, _Pace

TOKEN = "apify_api_S3cretThatNobodySees"
ENTRIES = [
    {"message": "Schedule invoked", "level": "INFO", "createdAt": "2019-03-26T12:28:00.370Z"},
    {"message": 'Cannot start Actor task "x": no.', "level": "ERROR", "createdAt": "2019-03-26T12:30:00.325Z"},
]


@dataclass
class Answer:
    """What the server sends; `cut` bytes of the body are promised and never come, None hangs up without a word."""

    status: int | None = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


def data(content):
    return Answer(body=json.dumps({"data": content}).encode(), headers={"Content-Type": "application/json"})


def refused(status, kind="some-type", message="Some reason."):
    return Answer(status, json.dumps({"error": {"type": kind, "message": message}}).encode())


@dataclass
class Request:
    """What the server was asked, and when."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


class Server:
    """A server on the loopback interface: `answer` says what each request gets, `requests` keeps what came."""

    def __init__(self):
        self.answer = lambda _: refused(500)
        self.requests = []
        self.has_date = True
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                parts = urlsplit(self.path)
                request = Request(parts.path, dict(parse_qsl(parts.query)), dict(self.headers), time.monotonic())
                outer.requests.append(request)
                self.send(outer.answer(request))

            def send(self, answer):
                self.close_connection = answer.status is None or bool(answer.cut)
                if answer.status is None:
                    return
                self.send_response_only(answer.status)
                if outer.has_date:
                    self.send_header("Date", self.date_time_string())
                for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[: len(answer.body) - answer.cut])

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        """Let hanging answers go and free the port."""
        self.released.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def hang(self, _):
        """Give no answer as long as the test lasts."""
        self.released.wait(30)
        return Answer(None)


def in_turn(*answers):
    """Give the answers one after the other, the last one for ever."""
    rest = iter(answers)
    last = answers[-1]
    return lambda _: next(rest, last)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def other_host():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def client(server):
    with quick(server.url) as client:
        yield client


def quick(url, **options):
    """Make a client whose pauses are a test's, not a network's."""
    options = {"backoff": 0.001, "retries": 3, "timeout": (5, 5), "requests_per_second": 1e6} | options
    return api.Client(TOKEN, base_url=url, **options)


# What is asked, and what comes home


def test_a_log_comes_home_typed(server, client):
    """The entries of the answer are the rows of a Log, under the id that was asked for."""
    server.answer = lambda _: data(ENTRIES)
    log = client.fetch_log("me~hourly")
    assert log.dtypes.to_dict() == Log.empty().dtypes.to_dict()
    assert log["message"].to_list() == [entry["message"] for entry in ENTRIES]
    assert set(log["schedule_id"]) == {"me~hourly"}
    assert log["created_at"].iloc[1] == pd.Timestamp("2019-03-26T12:30:00.325Z")


def test_the_token_travels_in_the_header_only(server, client):
    """Exactly one request goes out, with the token as Bearer and in no URL."""
    server.answer = lambda _: data([])
    assert client.fetch_log("abc").empty
    (request,) = server.requests
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.path == "/v2/schedules/abc/log"
    assert request.query == {}
    assert request.headers["User-Agent"].startswith("schedlog-analysis/")


@pytest.mark.parametrize(
    ("schedule_id", "segment"),
    [
        ("username~name", "username~name"),
        ("a/b", "a%2Fb"),
        ("../../users/me", "..%2F..%2Fusers%2Fme"),
        ("a?token=b", "a%3Ftoken%3Db"),
        ("a#b", "a%23b"),
        ("%2e%2e", "%252e%252e"),
        ("a b\r\nX: y", "a%20b%0D%0AX%3A%20y"),
        ("čaj", "%C4%8Daj"),
        ("\udc80", "%3F"),
        ("a;b@c:d", "a%3Bb%40c%3Ad"),
    ],
)
def test_an_id_stays_one_segment_of_the_path(server, client, schedule_id, segment):
    """Whatever stands in an id, it changes neither path nor query."""
    server.answer = lambda _: data([])
    client.fetch_log(schedule_id)
    assert server.requests[0].path == f"/v2/schedules/{segment}/log"
    assert server.requests[0].query == {}


@pytest.mark.parametrize("schedule_id", ["", " ", ".", "..", None, 7, float("nan")])
def test_what_is_no_id_is_refused_before_asking(server, client, schedule_id):
    """An empty id, a dot segment or no text at all never becomes a request."""
    for fetch in (client.fetch_log, client.fetch_schedule):
        with pytest.raises(errors.InputError, match="no schedule id"):
            fetch(schedule_id)
    assert server.requests == []


def test_one_schedule_is_one_row(server, client):
    """The definition of one schedule is a Schedules of one row."""
    server.answer = lambda _: data(schedule(1))
    schedules = client.fetch_schedule("s1")
    assert schedules["schedule_id"].to_list() == ["s1"]
    assert schedules.dtypes.to_dict() == Schedules.empty().dtypes.to_dict()


def test_functions_of_the_module_do_the_same(server, monkeypatch):
    """For the impatient every fetch is also a function; token and base URL may come from the environment."""
    monkeypatch.setenv("APIFY_API_BASE_URL", server.url)
    monkeypatch.setenv("APIFY_TOKEN", TOKEN)
    server.answer = account({"s1": ENTRIES}, [])
    assert len(api.fetch_log("s1")) == 2
    assert len(api.fetch_schedule("s1")) == 1
    assert len(api.fetch_schedules()) == 1
    assert len(api.fetch_logs().log) == 2
    assert api.fetch_runs("2026-01-01T00:00Z").empty
    assert len(api.fetch_log("s1", token=TOKEN, base_url=server.url)) == 2


# What goes wrong and is repeated


BROKEN = {
    "429": refused(429),
    "500": refused(500),
    "502 with a page": Answer(502, b"<html>Bad gateway</html>"),
    "503 with nothing": Answer(503),
    "599": Answer(599),
    "hung up": Answer(None),
    "cut off": Answer(200, data(ENTRIES).body, cut=20),
    "cut off before it began": Answer(200, data(ENTRIES).body, cut=len(data(ENTRIES).body)),
    "cut off unnoticed": Answer(200, data(ENTRIES).body[:-20]),
    "cut off after a brace": Answer(
        200, b'{"data": [{"message": "", "level": "", "createdAt": "2019-03-26T12:28:00Z"}'
    ),
    "a page": Answer(200, b"<html>Log in to the hotel's network</html>"),
    "nothing": Answer(200),
    "204": Answer(204),
    "no gzip": Answer(200, b"not compressed", {"Content-Encoding": "gzip"}),
    "half a gzip": Answer(200, gzip.compress(data(ENTRIES).body)[:40], {"Content-Encoding": "gzip"}),
    "no UTF-8": Answer(200, b'{"data": [{"message": "\xff"'),
    "absurd length": Answer(200, b"{", {"Content-Length": "nonsense", "Connection": "close"}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_passing_failure_is_repeated(server, client, what):
    """After any failure that may pass, the request is repeated and its answer counts."""
    server.answer = in_turn(BROKEN[what], BROKEN[what], data(ENTRIES))
    assert len(client.fetch_log("abc")) == 2
    assert len(server.requests) == 3


@pytest.mark.parametrize("what", BROKEN)
def test_a_lasting_failure_is_told_after_all_retries(server, client, what):
    """A failure that lasts is told once the retries are used up, as an error of the API."""
    server.answer = lambda _: BROKEN[what]
    with pytest.raises(errors.ApifyError) as caught:
        client.fetch_log("abc")
    assert len(server.requests) == 1 + 3
    status = BROKEN[what].status
    expected = errors.TransportError
    if status == 429:
        expected = errors.RateLimitError
    elif status is not None and status >= 500:
        expected = errors.ServerError
    assert type(caught.value) is expected


def test_a_closed_port_is_told():
    """A connection that is refused is a TransportError that says so and names the host."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    with quick(f"http://{address}", retries=1) as client, pytest.raises(errors.TransportError) as caught:
        client.fetch_log("abc")
    assert address in str(caught.value)
    assert "refused" in str(caught.value)


def test_a_failing_encryption_is_told_at_once(server):
    """A certificate or a TLS that is wrong now is wrong in a second too, so nothing is repeated."""
    begin = time.monotonic()
    https = server.url.replace("http", "https")  # which this server does not speak
    with quick(https, backoff=5) as client, pytest.raises(errors.TransportError, match="SSL"):
        client.fetch_log("abc")
    assert time.monotonic() - begin < 4


def test_a_hanging_server_is_left(server):
    """A server that never answers costs the time limit, each time, and no more."""
    server.answer = server.hang
    begin = time.monotonic()
    with (
        quick(server.url, timeout=(5, 0.1), retries=2) as client,
        pytest.raises(errors.TransportError, match="timed out"),
    ):
        client.fetch_log("abc")
    assert time.monotonic() - begin < 3
    assert len(server.requests) == 3


def test_pauses_double_and_vary(server):
    """Between repetitions the pause doubles, and up to as much again is left to chance."""
    server.answer = lambda _: refused(503)
    with quick(server.url, backoff=0.04, retries=4) as client, pytest.raises(errors.ServerError):
        client.fetch_log("abc")
    times = [request.at for request in server.requests]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(pause >= 0.04 * 2**n for n, pause in enumerate(pauses))
    assert len(pauses) == 4


@pytest.mark.parametrize(("status", "kind"), [(429, "seconds"), (503, "date")])
def test_the_server_may_ask_for_a_pause(server, client, status, kind):
    """Retry-After counts, as seconds and as a date, though our own pause would be shorter."""
    asked = "1" if kind == "seconds" else email.utils.formatdate(time.time() + 2, usegmt=True)
    server.answer = in_turn(Answer(status, headers={"Retry-After": asked}), data([]))
    client.fetch_log("abc")
    assert server.requests[1].at - server.requests[0].at >= 0.95


@pytest.mark.parametrize("asked", ["soon", "", "-5", "9" * 30, "9" * 5000, "Fri, 31 Dec 99999999999 23:59:59 GMT"])
def test_an_absurd_pause_does_no_harm(server, asked):
    """A Retry-After that cannot be read counts for nothing; one that is too long ends the patience at once."""
    server.answer = lambda _: Answer(429, headers={"Retry-After": asked})
    begin = time.monotonic()
    with quick(server.url, retries=1) as client, pytest.raises(errors.RateLimitError):
        client.fetch_log("abc")
    assert time.monotonic() - begin < 3


def test_patience_bounds_the_total_time(server):
    """No repetition begins after the patience is over, however many retries are left."""
    server.answer = lambda _: refused(500)
    begin = time.monotonic()
    with quick(server.url, backoff=0.05, patience=0.4, retries=1000) as client, pytest.raises(errors.ServerError):
        client.fetch_log("abc")
    assert time.monotonic() - begin < 2
    assert server.requests[-1].at - server.requests[0].at < 0.4 + 0.1


def test_a_pause_beyond_the_patience_is_not_begun(server):
    """When the server asks for more time than there is patience, the error comes at once."""
    server.answer = lambda _: Answer(429, headers={"Retry-After": "60"})
    begin = time.monotonic()
    with quick(server.url, patience=5) as client, pytest.raises(errors.RateLimitError):
        client.fetch_log("abc")
    assert time.monotonic() - begin < 3
    assert len(server.requests) == 1


# What goes wrong and is told at once


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.BadRequestError),
        (401, errors.UnauthorizedError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (402, errors.ResponseError),
        (405, errors.ResponseError),
        (410, errors.ResponseError),
        (418, errors.ResponseError),
    ],
)
def test_a_refusal_is_an_error_of_its_status(server, client, status, error):
    """A refusal is not repeated, and carries status, type and message."""
    server.answer = lambda _: refused(status, "record-not-found", "Schedule was not found.")
    with pytest.raises(error) as caught:
        client.fetch_log("abc")
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.type) == (status, "record-not-found")
    assert caught.value.message == "Schedule was not found."
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>nginx</body></html>",
        b"null",
        b"[]",
        b'{"error": "text"}',
        b'{"error": null}',
        b'{"error": {"type": "half"}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_refusal_without_envelope_is_still_worded(server, client, body):
    """An error answer that is not the API's own still has a type and a message worth reading."""
    server.answer = lambda _: Answer(404, body, {"Content-Type": "text/html"})
    with pytest.raises(errors.NotFoundError, match=f"404 not-found: .*{len(body)} bytes of text/html"):
        client.fetch_log("abc")


def test_an_unknown_status_is_told(server, client):
    """A status that no standard knows is told as it is."""
    server.answer = lambda _: Answer(499)
    with pytest.raises(errors.ResponseError, match="499 unknown-status"):
        client.fetch_log("abc")


def test_an_endless_message_is_cut(server, client):
    """A message of many lines becomes one line of a length that a terminal can take."""
    server.answer = lambda _: refused(400, "x" * 1000, "line\n" * 1000)
    with pytest.raises(errors.BadRequestError) as caught:
        client.fetch_log("abc")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    "content", ["text", 7, None, [{"message": "m"}], [{"message": None, "level": "", "createdAt": ""}]]
)
def test_an_answer_that_is_not_as_documented_is_told_at_once(server, client, content):
    """JSON that is no log is not repeated: it would be no log the second time either."""
    server.answer = lambda _: data(content)
    with pytest.raises(errors.TransportError, match="not what it documents"):
        client.fetch_log("abc")
    assert len(server.requests) == 1


# The token stays here


def everything_told(error):
    """All texts that hang on an error: its own, its traceback's, and those of every cause and context."""
    texts = traceback.format_exception(error)
    while error is not None:
        texts += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


ECHOES = {
    "message": refused(400, message=f"Token {TOKEN} is wrong."),
    "type": refused(403, kind=TOKEN),
    "message of a failure": refused(500, message=f"Token {TOKEN} is wrong."),
    "content type": Answer(404, headers={"Content-Type": TOKEN}),
    "content type of no JSON": Answer(200, b"<html>", {"Content-Type": TOKEN}),
    "location": Answer(302, headers={"Location": f"/login?token={TOKEN}"}),
    "entry": data([{"message": "", "level": "", "createdAt": TOKEN}]),
    "entry, cut within": data([{"message": "", "level": "", "createdAt": "x" * 80 + TOKEN}]),
    "entry, at the end": data("x" * 10 + TOKEN),
    "bad header": Answer(200, headers={"Content-Length": TOKEN, "Connection": "close"}),
    "reason of another cut": refused(400, message="x" * 490 + TOKEN),
}


@pytest.mark.parametrize("where", ECHOES)
def test_an_echoed_token_is_told_nowhere(server, client, caplog, where):
    """A server that repeats the token makes it appear in no message, traceback, context or log line."""
    caplog.set_level(logging.DEBUG)
    server.answer = lambda _: ECHOES[where]
    with pytest.raises(errors.ApifyError) as caught:
        client.fetch_log("abc")
    told = everything_told(caught.value) + caplog.text
    assert TOKEN not in told
    assert TOKEN[:20] not in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_errors_carry_no_request_along(client, server):
    """No error of requests, whose request holds the header, hangs on ours."""
    server.answer = lambda _: Answer(None)
    with pytest.raises(errors.TransportError) as caught:
        client.fetch_log("abc")
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_client_shows_no_token(client):
    """A client's repr names the API and nothing secret, and so do the reprs of what it holds."""
    assert repr(client) == f"Client(base_url='{client._base_url}')"
    assert TOKEN not in repr(vars(client))


def test_a_client_is_not_pickled(client):
    """A pickle would take the token into a file, so there is none."""
    with pytest.raises(TypeError, match="holds a token"):
        pickle.dumps(client)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server, other_host, client, status):
    """The token goes to no other host, and not to another path of this one either."""
    other_host.answer = lambda _: data(ENTRIES)
    for target in (other_host.url + "/v2/schedules/abc/log", "/elsewhere"):
        server.requests.clear()
        server.answer = lambda _, target=target: Answer(status, headers={"Location": target})
        with pytest.raises(errors.ResponseError, match=f"{status} redirect: .*set base_url") as caught:
            client.fetch_log("abc")
        assert caught.value.status == status
        assert len(server.requests) == 1
    assert other_host.requests == []


def test_netrc_does_not_replace_the_token(server, monkeypatch, tmp_path):
    """A ~/.netrc with a password for the host is no business of ours, with either kind of session."""
    (tmp_path / ".netrc").write_text(
        "machine 127.0.0.1 login nobody password wrong\ndefault login nobody password wrong\n"
    )
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.answer = lambda _: data([])
    with requests.Session() as session:
        session.auth = ("nobody", "wrong")
        session.headers["Authorization"] = "Basic wrong"
        for own in (None, session):
            with quick(server.url, session=own) as client:
                client.fetch_log("abc")
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_no_proxy_sees_what_is_for_this_machine(server, other_host, monkeypatch, variable):
    """Plain http, which is for this machine only, does not go through the environment's proxy."""
    monkeypatch.setenv(variable, other_host.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.answer = lambda _: data([])
    with quick(server.url) as client:
        client.fetch_log("abc")
    assert other_host.requests == []
    assert len(server.requests) == 1


def test_https_goes_through_the_proxy(other_host, monkeypatch):
    """A company's proxy is asked for a tunnel, and sees no token."""
    monkeypatch.setenv("https_proxy", other_host.url)
    with quick("https://api.example.com", retries=0) as client, pytest.raises(errors.TransportError) as caught:
        client.fetch_log("abc")
    assert "Tunnel" in str(caught.value)  # the server knows no CONNECT, but it was asked
    assert TOKEN not in everything_told(caught.value)


# Base URL and session


@pytest.mark.parametrize("tail", ["", "/", "/v2", "/v2/"])
def test_a_base_url_may_end_as_it_likes(server, tail):
    """With and without a slash, with and without the version: all are the same API."""
    server.answer = lambda _: data([])
    with quick(server.url + "/behind/a/prefix" + tail) as client:
        client.fetch_log("abc")
    assert server.requests[0].path == "/behind/a/prefix/v2/schedules/abc/log"


def test_base_url_argument_goes_before_environment(monkeypatch):
    """Argument, then APIFY_API_BASE_URL, then the public API."""
    with api.Client(TOKEN) as public:
        assert "https://api.apify.com'" in repr(public)
    monkeypatch.setenv("APIFY_API_BASE_URL", "https://environment.example")
    with api.Client(TOKEN) as environment, api.Client(TOKEN, base_url="https://argument.example") as argument:
        assert "environment.example" in repr(environment)
        assert "argument.example" in repr(argument)


@pytest.mark.parametrize(
    "base_url",
    [
        "api.apify.com",
        "ftp://api.apify.com",
        "file:///etc/passwd",
        "https://",
        "https:///v2",
        "https://[::1",
        "https://exa mple.com",
        "https://host:99999",
        "https://host:port",
        "https://user:password@api.apify.com",
        "https://api.apify.com/?token=x",
        "https://api.apify.com/#x",
        "nonsense",
    ],
)
def test_what_is_no_base_url_is_refused(base_url):
    """A base URL that is not just scheme, host and path is told before anything is sent."""
    with pytest.raises(errors.ConfigError, match="base URL"):
        api.Client(TOKEN, base_url=base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://user:{}@host",
        "https://user:{}@host:99999",
        "https://user:pass/{}@host:x",
        "https://user:{}@[bad",
        "https://user:{}@exa mple",
        "{}@host",
        "http://{}@",
        "https://host/?token={}",
        "https://host:x/?token={}",
        "https://host:x/#{}",
    ],
)
def test_a_secret_in_a_base_url_is_refused_unseen(base_url):
    """Who puts a password or the token into the URL is told so, and neither the message nor its causes repeat it."""
    with pytest.raises(errors.ConfigError, match="base URL") as caught:
        api.Client(TOKEN, base_url=base_url.format(TOKEN))
    assert TOKEN not in everything_told(caught.value)


@pytest.mark.parametrize(
    "host", ["api.apify.com", "127.0.0.1.example.com", "10.0.0.1", "localhost.example", "[2001:db8::1]"]
)
def test_a_token_does_not_cross_the_network_unencrypted(host):
    """Plain http is refused unless it stays on this machine."""
    with pytest.raises(errors.ConfigError, match="unencrypted; use https"):
        api.Client(TOKEN, base_url=f"http://{host}")


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:8010"])
def test_plain_http_is_for_this_machine(host):
    """A local server, such as `schedlog serve`, needs no certificate."""
    with api.Client(TOKEN, base_url=f"http://{host}"):
        pass


def test_a_session_of_yours_stays_yours(server):
    """A session that is handed over is used with its own headers and adapters, unchanged and still open afterwards."""
    server.answer = lambda _: data([])
    with requests.Session() as session:
        session.headers["Prefer"] = "code=200"
        before = (dict(session.headers), dict(session.adapters), session.auth)
        for _ in range(2):
            with quick(server.url, session=session) as client:
                client.fetch_log("abc")
        assert (dict(session.headers), dict(session.adapters), session.auth) == before
    assert [request.headers["Prefer"] for request in server.requests] == ["code=200"] * 2


# Lists that change while they are read


def schedule(number):
    created = f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}.000Z"
    return {
        "id": f"s{number}",
        "userId": "u",
        "name": f"schedule-{number}",
        "cronExpression": "* * * * *",
        "timezone": "UTC",
        "isEnabled": True,
        "isExclusive": False,
        "createdAt": created,
        "modifiedAt": created,
        "actions": [],
    }


def run(number, started_ms, status="RUNNING"):
    return {
        "id": f"r{number}",
        "actId": "a",
        "status": status,
        "startedAt": f"{pd.Timestamp(started_ms, unit='ms').isoformat(timespec='milliseconds')}Z",
        "meta": {"origin": "SCHEDULER", "scheduleId": "s1", "scheduledAt": "2026-01-01T00:00:00.000Z"},
        "usageTotalUsd": 0.25,
    }


def page_of(items, query, cap=1000):
    """Answer a list request as the API does, with a page of at most `cap` items."""
    offset, limit = int(query["offset"]), min(int(query["limit"]), cap)
    page = items[offset : offset + limit]
    envelope = {"total": len(items), "offset": offset, "limit": limit, "desc": False, "count": len(page), "items": page}
    return data(envelope)


def runs_within(runs, query):
    """Filter and sort runs as the API does: both bounds included, oldest first."""
    after, before = query["startedAfter"], query.get("startedBefore", "9999")
    return sorted((run for run in runs if after <= run["startedAt"] <= before), key=lambda run: run["startedAt"])


def account(logs, runs):
    """Answer as an account with these logs by schedule id; an Answer instead of entries is given as it is."""
    schedules = {f"s{n}": schedule(n) for n in range(1, len(logs) + 1)}

    def answer(request):
        match request.path.split("/")[2:]:
            case ["schedules"]:
                return page_of(list(schedules.values()), request.query)
            case ["schedules", name]:
                name = name.replace("me~schedule-", "s")
                return data(schedules[name]) if name in schedules else refused(404, "record-not-found", "No such.")
            case ["schedules", name, "log"]:
                entries = logs.get(name, refused(404, "record-not-found", "No such."))
                return entries if isinstance(entries, Answer) else data(entries)
            case _:
                return page_of(runs_within(runs, request.query), request.query)

    return answer


@pytest.mark.parametrize("n", [0, 1, 2, 7, 23])
@pytest.mark.parametrize("cap", [3, 1000])
def test_all_schedules_of_an_account_come_home_once(server, client, n, cap):
    """However small the pages are, each schedule is there once, oldest first."""
    items = [schedule(number) for number in range(n)]
    server.answer = lambda request: page_of(items, request.query, cap)
    schedules = client.fetch_schedules()
    assert schedules["schedule_id"].to_list() == [item["id"] for item in items]
    assert schedules.dtypes.to_dict() == Schedules.empty().dtypes.to_dict()


def test_schedules_may_vanish_and_appear_while_they_are_listed(server, client):
    """Deleting schedules shifts all pages; those that stay are all there nevertheless, and so are new ones."""
    items = [schedule(number) for number in range(30)]
    numbers = itertools.count(30)

    def answer(request):
        reply = page_of(items, request.query, cap=6)
        del items[0:2]
        if len(server.requests) < 5:
            items.append(schedule(next(numbers)))
        return reply

    server.answer = answer
    found = client.fetch_schedules()["schedule_id"]
    assert {item["id"] for item in items} <= set(found)
    assert found.is_unique


def test_runs_come_home_typed(server, client):
    """A run keeps its schedule, its tick, its origin and what it cost."""
    server.answer = account({}, [run(1, 1_767_225_600_123, "SUCCEEDED")])
    runs = client.fetch_runs("2026-01-01T00:00Z", "2026-01-02T00:00Z")
    assert runs.dtypes.to_dict() == Runs.empty().dtypes.to_dict()
    row = runs.loc[0]
    assert row["schedule_id"] == "s1"
    assert row["scheduled_at"] == pd.Timestamp("2026-01-01T00:00Z")
    assert row["origin"] == "SCHEDULER"
    assert row["started_at"] == pd.Timestamp("2026-01-01T00:00:00.123Z")
    assert row["usage_usd"] == 0.25


def test_the_period_of_runs_is_half_open(server, client):
    """A run at `since` is in, a run at `until` is out, so that periods add up; every offset means what it says."""
    start = pd.Timestamp("2026-01-01T00:00Z").value // 10**6
    server.answer = account({}, [run(n, start + n * 1000) for n in range(5)])
    assert client.fetch_runs("2026-01-01T01:00:01+01:00", "2026-01-01T00:00:03Z")["run_id"].to_list() == ["r1", "r2"]
    assert server.requests[0].query == {
        "limit": "1000",
        "offset": "0",
        "startedAfter": "2026-01-01T00:00:01.000Z",
        "startedBefore": "2026-01-01T00:00:02.999Z",
    }
    parts = [
        client.fetch_runs(f"2026-01-01T00:00:0{n}Z", pd.Timestamp(f"2026-01-01T00:00:0{n + 1}Z")) for n in range(5)
    ]
    assert pd.concat(parts)["run_id"].to_list() == client.fetch_runs("2026-01-01T00:00Z")["run_id"].to_list()


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-01-01", None),
        ("2026-01-01T00:00Z", "2026-02-01"),
        ("yesterday-ish", None),
        (None, None),
        ("2026-01-02T00:00Z", "2026-01-01T00:00Z"),
        ("2026-01-01T00:00Z", "2026-01-01T00:00Z"),
    ],
)
def test_a_period_that_is_none_is_refused_before_asking(server, client, since, until):
    """An instant without offset, or an end that is not after the begin, never becomes a request."""
    with pytest.raises(errors.InputError, match=r"since|until"):
        client.fetch_runs(since, until)
    assert server.requests == []


@pytest.mark.parametrize("since", ["2026-01-01T00:00Z", "2025-12-31T00:00Z"])
@pytest.mark.parametrize("cap", [2, 7, 1000])
def test_more_runs_in_a_millisecond_than_a_page_holds(server, client, cap, since):
    """Runs that all started at once are all there, although no later begin can tell the pages apart."""
    start = 1_767_225_600_000
    moments = [start] * 16 + [start + 1] * 3 + [start + 2] * 9
    server.answer = lambda request: page_of(
        runs_within([run(n, moment) for n, moment in enumerate(moments)], request.query), request.query, cap
    )
    runs = client.fetch_runs(since)
    assert sorted(runs["run_id"]) == sorted(f"r{n}" for n in range(len(moments)))


def test_a_run_is_told_as_last_seen(server, client):
    """A run that ends while the pages are read is there once, with its end."""
    start = 1_767_225_600_000
    runs = [run(n, start + n) for n in range(4)]

    def answer(request):
        reply = page_of(runs_within(runs, request.query), request.query, cap=3)
        runs[2] |= {"status": "SUCCEEDED", "finishedAt": "2026-01-01T00:01:00.000Z"}
        return reply

    server.answer = answer
    found = client.fetch_runs("2026-01-01T00:00Z").set_index("run_id")
    assert found.loc["r2", "status"] == "SUCCEEDED"
    assert found.index.to_list() == ["r0", "r1", "r2", "r3"]


@pytest.fixture(scope="module")
def shared_server():
    """One server for all examples of a property: starting one for each would cost more than the test."""
    server = Server()
    yield server
    server.close()


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.sampled_from([0, 0, 1, 1000]), max_size=20),
    arrivals=st.lists(st.lists(st.sampled_from([0, 1, 500]), max_size=4), max_size=6),
    departures=st.lists(st.integers(0, 30), max_size=12),
    cap=st.integers(2, 9),
)
def test_runs_that_appear_or_vanish_are_neither_lost_nor_doubled(shared_server, gaps, arrivals, departures, cap):
    """Whatever starts or is deleted between two requests: each run that is there at the last one comes home once."""
    latest = 1_767_225_600_000
    runs, ever = [], set()
    came, went = iter([gaps, *arrivals]), iter([None, *departures])
    there = set()

    def answer(request):
        nonlocal latest, there
        for gap in next(came, ()):  # newer than all that there are, as new runs are
            latest += gap
            runs.append(run(len(ever), latest))
            ever.add(runs[-1]["id"])
        if (victim := next(went, None)) is not None and victim < len(runs):
            del runs[victim]
        there = {item["id"] for item in runs}
        return page_of(runs_within(runs, request.query), request.query, cap)

    shared_server.answer = answer
    with quick(shared_server.url) as client:
        found = client.fetch_runs("2026-01-01T00:00Z")["run_id"]
    assert found.is_unique
    assert there <= set(found) <= ever


# Many schedules at once


def test_all_logs_of_an_account_come_home(server, client):
    """Without ids the whole account is fetched: logs, definitions, and a count for each, also for an empty log."""
    server.answer = account({"s1": ENTRIES, "s2": [], "s3": ENTRIES[:1]}, [])
    before = pd.Timestamp.now("UTC").floor("ms")
    fetched = client.fetch_logs()
    assert fetched.log.groupby("schedule_id").size().to_dict() == {"s1": 2, "s3": 1}
    assert fetched.log.dtypes.to_dict() == Log.empty().dtypes.to_dict()
    assert fetched.n_entries == {"s1": 2, "s2": 0, "s3": 1}
    assert fetched.schedules["schedule_id"].to_list() == ["s1", "s2", "s3"]
    assert fetched.failures == {}
    assert before <= fetched.fetched_at <= pd.Timestamp.now("UTC")
    assert repr(fetched).startswith("<Fetched: 3 entries of 3 schedules, 0 failed")


FAILING = {
    "gone": (refused(404, "record-not-found", "No such."), errors.NotFoundError),
    "forbidden": (refused(403), errors.ForbiddenError),
    "server error": (refused(500), errors.ServerError),
    "cut off": (Answer(200, data(ENTRIES).body, cut=5), errors.TransportError),
    "cut off after a brace": (Answer(200, data(ENTRIES).body[:-2]), errors.TransportError),
    "a page": (Answer(200, b"<html>"), errors.TransportError),
    "no log": (data("text"), errors.TransportError),
    "no level": (data([{"message": "m", "createdAt": "2026-01-01T00:00:00Z"}]), errors.TransportError),
}


@pytest.mark.parametrize("what", FAILING)
def test_one_failing_schedule_does_not_cost_the_others(server, client, what):
    """Whatever happens to one schedule, the others come home, and the result says which failed and why."""
    answer, error = FAILING[what]
    server.answer = account({"s1": ENTRIES, "s2": answer, "s3": ENTRIES}, [])
    fetched = client.fetch_logs()
    assert fetched.n_entries == {"s1": 2, "s3": 2}
    pd.testing.assert_frame_equal(fetched.log, client.fetch_logs(["s3", "s1"]).log)
    assert {name: type(failure) for name, failure in fetched.failures.items()} == {"s2": error}
    assert TOKEN not in everything_told(fetched.failures["s2"])


def test_a_body_that_broke_off_unnoticed_is_asked_for_again(server, client):
    """An answer that only turns out broken when all are read at once is fetched once more, and none is lost."""
    broken = iter([Answer(200, data(ENTRIES).body[:-2])])
    normal = account({"s1": ENTRIES, "s2": ENTRIES}, [])
    server.answer = lambda request: (
        next(broken, normal(request)) if request.path.endswith("s2/log") else normal(request)
    )
    fetched = client.fetch_logs()
    assert fetched.n_entries == {"s1": 2, "s2": 2}
    assert fetched.failures == {}


def test_chosen_schedules_come_home_under_their_ids(server, client):
    """Names are resolved, a schedule asked for twice comes once, and an id that does not exist is told."""
    server.answer = account({"s1": ENTRIES, "s2": ENTRIES, "s3": ENTRIES}, [])
    fetched = client.fetch_logs(name for name in ["me~schedule-2", "s2", "s1", "nope", "", "s1"])
    assert fetched.n_entries == {"s2": 2, "s1": 2}
    assert set(fetched.log["schedule_id"]) == {"s1", "s2"}
    assert sorted(fetched.schedules["schedule_id"]) == ["s1", "s2"]
    assert {name: type(error) for name, error in fetched.failures.items()} == {
        "nope": errors.NotFoundError,
        "": errors.InputError,
    }


def test_one_id_is_no_list_of_letters(server, client):
    """A single id given as text is that id."""
    server.answer = account({"s1": ENTRIES}, [])
    assert client.fetch_logs("s1").n_entries == {"s1": 2}


@pytest.mark.parametrize("schedule_ids", [None, []])
def test_nothing_to_fetch_is_an_empty_result(server, client, schedule_ids):
    """An account without schedules, or an empty choice, gives empty tables with their columns."""
    server.answer = account({}, [])
    fetched = client.fetch_logs(schedule_ids)
    assert fetched.log.dtypes.to_dict() == Log.empty().dtypes.to_dict()
    assert fetched.schedules.dtypes.to_dict() == Schedules.empty().dtypes.to_dict()
    assert (len(fetched.log), fetched.n_entries, fetched.failures) == (0, {}, {})


@pytest.mark.parametrize("chosen", [None, [f"s{n}" for n in range(1, 201)]])
def test_a_wrong_token_is_told_once(server, client, chosen):
    """When the API does not know the token, the walk ends as a whole and does not ask for every schedule."""
    normal = account({f"s{n}": [] for n in range(1, 201)}, [])
    server.answer = lambda request: normal(request) if request.path == "/v2/schedules" else refused(401)
    with pytest.raises(errors.UnauthorizedError):
        client.fetch_logs(chosen)
    assert len(server.requests) < 100


def test_schedules_are_fetched_at_the_same_time(server, client):
    """Several requests are under way at once, over as many connections as needed and no more."""
    normal, together = account({f"s{n}": ENTRIES for n in range(1, 9)}, []), threading.Barrier(8)

    def answer(request):
        if request.path.endswith("/log"):
            together.wait(5)  # passes only when all eight are there
        return normal(request)

    server.answer = answer
    assert len(client.fetch_logs().n_entries) == 8


def test_requests_keep_their_pace():
    """Over all threads no more requests leave than the pace allows."""
    pace, turns = _Pace(100), []
    begin = time.monotonic()

    def work():
        for _ in range(5):
            pace.wait()
            turns.append(time.monotonic() - begin)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(turn >= 0.01 * n - 0.001 for n, turn in enumerate(sorted(turns)))


def test_every_request_of_a_client_keeps_the_pace(server):
    """The pace holds for repetitions too."""
    server.answer = in_turn(refused(500), refused(500), data([]), data([]))
    with quick(server.url, requests_per_second=20) as client:
        client.fetch_log("abc")
        client.fetch_log("abc")
    assert server.requests[-1].at - server.requests[0].at >= 3 * 0.05 - 0.01


def test_nothing_is_printed_where_nobody_looks(server, client, capfd):
    """There is no progress bar when stderr is no terminal."""
    server.answer = account({"s1": ENTRIES}, [run(1, 1_767_225_600_123)])
    client.fetch_logs()
    client.fetch_runs("2026-01-01T00:00Z")
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT as a terminal does")
def test_an_interrupt_ends_promptly(server):
    """Ctrl-C while every request hangs ends the program at once, not after the time limits."""
    normal = account({f"s{n}": ENTRIES for n in range(1, 41)}, [])
    server.answer = lambda request: server.hang(request) if request.path.endswith("/log") else normal(request)
    script = f"""
        from schedlog_analysis.sources.client import Client
        with Client("x", base_url="{server.url}", timeout=(60, 60)) as client:
            client.fetch_logs()
    """
    program = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while sum(request.path.endswith("/log") for request in server.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    interrupted = time.monotonic()
    program.send_signal(signal.SIGINT)
    _, told = program.communicate(timeout=20)
    assert time.monotonic() - interrupted < 5
    assert "KeyboardInterrupt" in told
    assert program.returncode != 0


def test_a_client_is_a_transport_of_its_own():
    """Paths and tables are the client's, connections and errors the transport's: nobody else speaks HTTP."""
    assert issubclass(api.Client, Transport)
    assert not hasattr(api, "requests")


# What is odd costs nothing else


@pytest.mark.parametrize("field", ["name", "timezone", "isEnabled", "modifiedAt", "cronExpression"])
def test_an_odd_schedule_costs_neither_the_others_nor_its_own_log(server, client, field):
    """Its log is fetched by its id whether or not its definition can be read; a sentence says what was odd, once."""
    normal = account({"s1": ENTRIES, "s2": ENTRIES, "s3": ENTRIES}, [])

    def answer(request):
        if request.path != "/v2/schedules":
            return normal(request)
        return page_of([schedule(1), schedule(2) | {field: None}, schedule(3)], request.query)

    server.answer = answer
    fetched = client.fetch_logs()
    assert set(fetched.n_entries) == set(fetched.log["schedule_id"]) == {"s1", "s2", "s3"}
    assert len(fetched.schedules) == (2 if field == "cronExpression" else 3)
    assert fetched.failures == {}
    assert [(each.kind, each.id) for each in fetched.skipped] == [("schedule", "s2")]
    assert f"has {field} null" in str(fetched.skipped[0])


def test_odd_entries_and_runs_are_counted_and_the_token_in_them_is_not_shown(server, client):
    """The rest of each answer comes home; the entries that cannot be read count for the window all the same."""
    odd = {"message": None, "level": TOKEN, "createdAt": TOKEN}
    runs = [run(number, pd.Timestamp("2026-01-02").value // 1_000_000 + number) for number in (1, 2)]
    server.answer = account({"s1": [*ENTRIES, odd], "s2": ENTRIES}, [runs[0], runs[1] | {"status": None}])
    fetched, skipped = client.fetch_logs(), []
    assert fetched.n_entries == {"s1": 3, "s2": 2}
    assert len(fetched.log) == 4
    (each,) = fetched.skipped
    assert (each.kind, each.schedule_id) == ("entry", "s1")
    assert TOKEN[:8] not in str(each)
    assert client.fetch_runs("2026-01-01T00:00Z", skipped=skipped)["run_id"].tolist() == ["r1"]
    assert [(each.kind, each.id) for each in skipped] == [("run", "r2")]


@pytest.mark.parametrize(("ahead", "is_said"), [("0 s", False), ("-90 s", False), ("5 D", True), ("-4 D", True)])
def test_a_fetch_is_dated_by_the_clock_of_the_api(server, client, ahead, is_said):
    """A clock of days ahead would turn the next hole into misses: the Date of the answers counts, never too late."""
    normal = account({"s1": ENTRIES}, [])
    theirs = pd.Timestamp.now("UTC") - pd.Timedelta(ahead)

    def answer(request):
        given = normal(request)
        given.headers = given.headers | {"Date": format_datetime(theirs.to_pydatetime(), usegmt=True)}
        return given

    server.answer, server.has_date = answer, False
    fetched = client.fetch_logs()
    assert theirs - pd.Timedelta("5 s") <= fetched.fetched_at <= theirs + pd.Timedelta("1 s")
    assert bool(fetched.clock) == is_said
    assert not is_said or ("ahead of" if ahead[0] != "-" else "behind") in fetched.clock


@pytest.mark.parametrize("date", ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_date_that_is_none_is_not_believed(server, client, date):
    """Then this machine's clock is all there is."""
    normal = account({"s1": ENTRIES}, [])

    def answer(request):
        given = normal(request)
        given.headers = given.headers | {"Date": date}
        return given

    server.answer, server.has_date = answer, False
    before = pd.Timestamp.now("UTC").floor("ms")
    fetched = client.fetch_logs()
    assert (before <= fetched.fetched_at <= pd.Timestamp.now("UTC"), fetched.clock) == (True, "")
