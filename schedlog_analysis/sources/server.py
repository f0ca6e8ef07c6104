"""
A server answers as the Apify API does, from an archive or a folder: an offline API for official clients and tests.

It reads only. What an archive does not keep (whose the account is, which build ran) is said as ``"unknown"``, because
the API's contract requires the fields.
"""

from __future__ import annotations

import hmac
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pandas as pd
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from schedlog_analysis._core.instants import instant_ms
from schedlog_analysis.errors import ConfigError, InputError, SchedlogError
from schedlog_analysis.schema import WINDOWS, Log, Runs, Schedules
from schedlog_analysis.sources.account import Source
from schedlog_analysis.sources.files import find_archive
from schedlog_analysis.sources.parse import to_objects

PAGE = 1000  # objects on a page at most
MAX_NUMBER = 2.0**53  # the largest whole number that every reader of JSON takes
UNKNOWN = "unknown"
TOKEN_VARIABLE = "SCHEDLOG_SERVE_TOKEN"  # noqa: S105 - a name, not a token
METHODS = "This API end-point can only be accessed using the following HTTP methods: OPTIONS,GET"

Object = dict[str, Any]


def make_app(source: str, *, token: str, window: int = WINDOWS[-1]) -> Starlette:
    """
    Make the ASGI application.

    Parameters
    ----------
    source
        Archive or folder, see `Source`. An archive is read again for each request, a folder once.
    token
        Bearer token that every request must carry.
    window
        Newest entries of a log to show.

    Returns
    -------
    app
        Application for any ASGI server.

    Raises
    ------
    InputError
        If there is nothing to serve.
    """
    account = _Account(source)

    def schedules(request: Request) -> Response:
        return _page(request, account.schedules())

    def schedule(request: Request) -> Response:
        return JSONResponse({"data": account.schedule(request.path_params["schedule_id"])})

    def log(request: Request) -> Response:
        schedule_id = account.schedule(request.path_params["schedule_id"])["id"]
        return JSONResponse({"data": account.log(schedule_id)[-window:]})

    def runs(request: Request) -> Response:
        return _page(request, _filter(request, account.runs()))

    return Starlette(
        routes=[
            Route("/v2/schedules", schedules),
            Route("/v2/schedules/{schedule_id}", schedule),
            Route("/v2/schedules/{schedule_id}/log", log),
            Route("/v2/actor-runs", runs),
        ],
        middleware=[Middleware(_Guard, token=token)],
        # Exceptions that nobody expected are logged besides; an archive that cannot be read is said, and that is all.
        exception_handlers={404: _lost, _RefusalError: _refused, SchedlogError: _broken, Exception: _broken},
    )


def run(source: str, *, host: str = "127.0.0.1", port: int = 8017, window: int = WINDOWS[-1]) -> None:
    """
    Serve until interrupted; the token is `SCHEDLOG_SERVE_TOKEN`, else a random one that is printed at the start.

    Raises
    ------
    InputError
        If there is nothing to serve.
    ConfigError
        If nobody can listen there.
    """
    given = os.environ.get(TOKEN_VARIABLE)
    token = given or secrets.token_urlsafe(24)
    app = make_app(source, token=token, window=window)
    with _listening(host, port) as listener:
        where = f"[{host}]" if ":" in host else host
        address = f"http://{where}:{listener.getsockname()[1]}"
        sentence = f"The token is that of {TOKEN_VARIABLE}." if given else f"The token is {token}"
        # A command line tells, at once also through a pipe; the token has no other copy.
        print(f"Serving {source} at {address}, as APIFY_API_BASE_URL expects it.\n{sentence}", flush=True)  # noqa: T201
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"Nobody can listen on {host!r}, port {port} ({why}); give another host or port.") from error


@contextmanager
def serving(source: str, *, token: str | None = None, window: int = WINDOWS[-1]) -> Iterator[tuple[str, str]]:
    """
    Serve in the background on a free port of this machine, for notebooks and tests.

    Yields
    ------
    url, token
        What a client needs; a random token unless one is given.

    Examples
    --------
    >>> from schedlog_analysis import Client, load_sample
    >>> with serving(str(load_sample().path)) as (url, token):
    ...     len(Client(token, base_url=url).fetch_schedules())
    15
    """
    secret = token or secrets.token_urlsafe(24)
    app = make_app(source, token=secret, window=window)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", secret
    finally:
        server.should_exit = True
        thread.join()


class _Account:
    """The account behind the API, as the API's objects."""

    def __init__(self, location: str) -> None:
        self._archive = find_archive(location)
        self._folder = None if self._archive else Source.read(location)

    def schedules(self) -> list[Object]:
        """All schedules in their newest version, oldest first."""
        if self._archive is not None:
            table = self._archive.read_schedules(latest=True)
        else:
            table = self._source.schedules if self._source.schedules is not None else pd.DataFrame(Schedules.empty())
        objects = to_objects(table.sort_values(["created_at", "schedule_id"]), Schedules)
        return [{"userId": UNKNOWN, **each, "actions": _actions(each)} for each in objects]

    def schedule(self, name: str) -> Object:
        """One schedule, by id or as ``username~name``; a name that was used again means the newest."""
        short = name.partition("~")[2]
        for each in reversed(self.schedules()):
            if name == each["id"] or (short and short == each["name"]):
                return each
        raise _RefusalError(404, "record-not-found", "The requested resource was not found.")

    def log(self, schedule_id: str) -> list[Object]:
        """All entries of one schedule, oldest first."""
        if self._archive is not None:
            return to_objects(self._archive.read_log([schedule_id]), Log)
        table = self._source.log
        return to_objects(table[table["schedule_id"] == schedule_id], Log)

    def runs(self) -> list[Object]:
        """All runs, oldest first."""
        if self._archive is not None:
            table = self._archive.read_runs()
        else:
            table = self._source.runs if self._source.runs is not None else pd.DataFrame(Runs.empty())
        objects = to_objects(table.sort_values(["started_at", "run_id"]), Runs)
        required = ("buildId", "defaultKeyValueStoreId", "defaultDatasetId", "defaultRequestQueueId")
        return [_run(each) | dict.fromkeys(required, UNKNOWN) for each in objects]

    @cached_property
    def _source(self) -> Source:
        if self._folder is None:
            raise InputError("There is no folder behind an archive.")
        return self._folder


def _actions(schedule: Object) -> list[Object]:
    n = len(schedule.get("actions", []))
    return [{"id": f"{UNKNOWN}-{i}", "type": "RUN_ACTOR", "actorId": UNKNOWN} for i in range(n)]


def _run(run: Object) -> Object:
    """The contract has no missing origin or usage, and no other status than it lists."""
    meta = run["meta"] | {"origin": run["meta"]["origin"] or "API"}
    return run | {"meta": meta, "usageTotalUsd": run["usageTotalUsd"] or 0.0}


def _page(request: Request, objects: list[Object]) -> Response:
    """Answer one page, as the API counts them."""
    offset = int(_number(request, "offset", 0))
    limit = min(PAGE, int(_number(request, "limit", PAGE))) or PAGE
    descending = _flag(request, "desc")
    items = (objects[::-1] if descending else objects)[offset : offset + limit]
    return JSONResponse(
        {
            "data": {
                "total": len(objects), "offset": offset, "limit": limit, "desc": descending,
                "count": len(items), "items": items,
            }
        }
    )  # fmt: skip


def _filter(request: Request, runs: list[Object]) -> list[Object]:
    after, before = (_instant(request, name) for name in ("startedAfter", "startedBefore"))
    statuses = {name for text in request.query_params.getlist("status") for name in text.split(",") if name}
    kept = []
    for each in runs:
        started = instant_ms(each["startedAt"])
        is_in = (after is None or started >= after) and (before is None or started <= before)
        if is_in and (not statuses or each["status"] in statuses):
            kept.append(each)
    return kept


def _number(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad(f"Parameter {name} must be a number.")
    return max(0.0, min(number, MAX_NUMBER))


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in {"true", "1", "false", "0"}:
        raise _bad(f"Parameter {name} must be a boolean.")
    return text in {"true", "1"}


def _instant(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return instant_ms(text, name)
    except (InputError, OverflowError) as error:
        raise _bad(f"Parameter {name} must be a valid ISO 8601 date-time string.") from error


def _bad(message: str) -> _RefusalError:
    return _RefusalError(400, "invalid-value", message)


class _RefusalError(Exception):
    """What the API says instead of an answer: status, type, message."""


class _Guard:
    """Let nobody in without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization")
        # Scheme names are case-insensitive; the token is compared in constant time.
        given = None if given is None else b"Bearer" + given[6:] if given[:6].lower() == b"bearer" else given
        if scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
            answer = _error(405, "method-not-allowed", METHODS, {"Allow": "OPTIONS, GET"})
        elif scope["method"] == "OPTIONS":
            answer = Response(status_code=204, headers={"Allow": "OPTIONS, GET"})
        elif given is None:
            answer = _error(401, "token-not-provided", "Authentication token was not provided.")
        elif not hmac.compare_digest(given, self._expected):
            answer = _error(401, "user-or-token-not-found", "User was not found or authentication token is not valid")
        else:
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)


def _refused(_: Request, refusal: Exception) -> Response:
    return _error(*refusal.args)


def _lost(_: Request, __: Exception) -> Response:
    return _error(404, "page-not-found", "We have bad news: there is no API endpoint at this URL.")


def _broken(_: Request, error: Exception) -> Response:
    return _error(500, "internal-server-error", f"The archive cannot be read: {error}")


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"type": kind, "message": message}}, status_code=status, headers=headers)
