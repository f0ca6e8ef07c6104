"""
A transport carries one question to the API and one answer back, whatever the network does in between.

This is the only file that knows HTTP. Every request is a GET and is polite: the token in the one header where it
belongs, at most so many requests a second, bounded retries. Networks refuse, hang, break off or answer with somebody
else's page; what a repetition does not cure is told as one of the errors of `errors`.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import random
import re
import threading
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from ipaddress import ip_address
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar
from urllib.parse import SplitResult, quote, urlsplit

import pandas as pd
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from schedlog_analysis._core.table import EARLIEST, LATEST
from schedlog_analysis.errors import (
    BadRequestError,
    ConfigError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    ResponseError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from schedlog_analysis.sources.token import find_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

PUBLIC_API = "https://api.apify.com"
CLOCK_TOLERANCE = pd.Timedelta(3, "min")  # a clock that is further off is said to be wrong
CONNECTIONS = 16  # requests that may be under way at the same time

_ERRORS: dict[int, type[ResponseError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    429: RateLimitError,
}
_PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_HEADERS = {"Accept": "application/json", "User-Agent": f"schedlog-analysis/{version('schedlog-analysis')}"}
_LOG = logging.getLogger(__name__)


class Transport:
    """
    One way to the API: a base URL, a token and a session.

    Its parameters are explained where people meet them, at `apify.Client`.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        base_url: str | None = None,
        session: requests.Session | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        retries: int = 6,
        backoff: float = 0.5,
        patience: float = 120.0,
        requests_per_second: float = 50.0,
    ) -> None:
        self._base_url = _checked_url(base_url or os.environ.get("APIFY_API_BASE_URL") or PUBLIC_API)
        self._auth = _Bearer(find_token(token))
        self._session, self._owns_session = (session, False) if session is not None else (_pooled_session(), True)
        self._timeout, self._retries, self._backoff, self._patience = timeout, retries, backoff, patience
        self._pace = _Pace(requests_per_second)
        self._ahead = 0.0  # this machine's clock against the API's [s]; 0 as long as both may be right

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"A {type(self).__name__} holds a token and is not pickled; make one where it is needed.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless the session was handed over."""
        if self._owns_session:
            self._session.close()

    def correct(self, instant: pd.Timestamp) -> pd.Timestamp:
        """Tell what an instant of this machine's clock was by the API's, as its latest answer told; never later."""
        return (instant - pd.Timedelta(round(self._ahead * 1000), "ms")).as_unit("ms")

    def without_token(self, sentence: str, body: bytes) -> str:
        """Keep the token out of a sentence that quotes a body, which may begin or end within it."""
        text = body.decode(errors="replace")
        return sentence if self._auth.redact(text) == text else "An object repeats the token, so it is not shown."

    def _get(self, path: str, read: Callable[[bytes], T], params: Mapping[str, str | int] | None = None) -> T:
        """
        Ask until an answer can be read, or it makes no sense to ask again.

        One loop, and not urllib3's Retry within another one: only one place can bound the total time, and a body that
        is not JSON is noticed when urllib3 has long let go of it.
        """
        deadline = time.monotonic() + self._patience
        for attempt in itertools.count():
            try:
                return self._attempt(path, read, params)
            except _Again as failure:
                last = failure
            pause = max(last.pause, self._backoff * 2**attempt * random.uniform(1, 2))  # noqa: S311 - jitter, no secret
            if attempt >= self._retries or time.monotonic() + pause > deadline:
                break
            _LOG.info("%s; asking again in %.1f s", last.error, pause)
            time.sleep(pause)
        raise last.error

    def _attempt(self, path: str, read: Callable[[bytes], T], params: Mapping[str, str | int] | None) -> T:
        sent_at = time.time()
        response = self._send(path, params)
        self._ahead = _clock_error(response, sent_at)
        if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            return self._read(response, read)
        error = _refusal(response, self._auth.redact)
        if isinstance(error, RateLimitError | ServerError):
            raise _Again(error, _asked_pause(response))
        raise error

    def _send(self, path: str, params: Mapping[str, str | int] | None) -> requests.Response:
        """Send one request; not through a redirect, which may lead the token to another host."""
        self._pace.wait()
        try:
            return self._session.get(
                self._base_url + path,
                params=params,
                auth=self._auth,  # an object, because requests prefers ~/.netrc to a plain header
                headers=_HEADERS,
                timeout=self._timeout,
                allow_redirects=False,
                stream=False,
                proxies={"http": ""},  # plain http is for this machine only, and no proxy's business
            )
        except (requests.RequestException, HTTPError) as error:
            reason = self._auth.redact(_reason(error))
            may_pass = isinstance(error, _PASSING) and not isinstance(error, requests.exceptions.SSLError)
        # Raised only now: as the context of ours, requests' own error would carry the request and its header along.
        failure = TransportError(f"The Apify API at {self._base_url} gave no usable answer: {reason}.")
        raise _Again(failure) if may_pass else failure

    def _read(self, response: requests.Response, read: Callable[[bytes], T]) -> T:
        try:
            return read(response.content)
        except (ValueError, RecursionError) as error:  # InputError is a ValueError, and so is what JSON readers raise
            reason = str(error)
        if _is_json(response.content):
            reason = self.without_token(reason, response.content)
            raise TransportError(f"The Apify API's answer is not what it documents: {reason}")
        raise _Again(
            TransportError(f"The Apify API answered {self._auth.redact(_size(response))}, not JSON or cut off.")
        )


class _Bearer(AuthBase):
    """Puts the token into the one header where it belongs, and takes it out of every text where it does not."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def redact(self, text: str) -> str:
        return text.replace(self._token, "<token>").replace(quote(self._token), "<token>")


class _Pace:
    """At most so many requests a second, over all threads that `wait` for their turn."""

    def __init__(self, per_second: float) -> None:
        self._interval, self._next, self._lock = 1 / per_second, 0.0, threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        time.sleep(turn - now)


class _Again(Exception):  # noqa: N818 - a signal within this file, no error that anybody sees
    """One attempt failed and another may not: what to tell if none helps, and the pause [s] that was asked for."""

    def __init__(self, error: TransportError | ResponseError, pause: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.pause = error, pause


def _pooled_session() -> requests.Session:
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return session


def _checked_url(base_url: str) -> str:
    parts = _split(base_url)
    if parts is None:
        shown = re.sub(r"^.*@|[?#].*", "…", base_url)  # passwords and tokens stand before an @ or in the query
        raise ConfigError(f"The base URL {shown!r} cannot be read; expected one such as {PUBLIC_API}.")
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"The base URL of {host!r} is not just scheme, host and path; expected one such as {PUBLIC_API}."
        )
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ConfigError(f"The base URL {base_url!r} would send the token to {host} unencrypted; use https.")
    return base_url.rstrip("/").removesuffix("/v2")  # the API's own documentation gives it both with and without


def _split(base_url: str) -> SplitResult | None:
    """Take a URL apart; None if it cannot be one, since the reasons that others give would repeat what is in it."""
    try:
        requests.Request("GET", base_url).prepare()
        return urlsplit(base_url)
    except (ValueError, requests.RequestException, HTTPError):
        return None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _clock_error(response: requests.Response, sent_at: float) -> float:
    """
    Tell how far this machine's clock [s since 1970] is ahead of the server's; 0 where both may be right.

    The server's ``Date`` is cut to seconds and was stamped between sending and receiving. Where the clocks disagree
    the largest difference counts: a fetch that is dated too early claims nothing that it did not see.
    """
    try:
        date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        received_at = sent_at + response.elapsed.total_seconds()
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return 0.0
    if not EARLIEST.timestamp() <= date < LATEST.timestamp() or sent_at - 1 <= date <= received_at:
        return 0.0
    return received_at - date


def word_clock(ahead: pd.Timedelta) -> str:
    """
    Say that this machine's clock is wrong, if it is so much wrong that somebody should set it.

    Examples
    --------
    >>> word_clock(pd.Timedelta(5, "D"))
    "This machine's clock is 5 days 00:00:00 ahead of the API's, which was believed; set the clock."
    """
    if abs(ahead) < CLOCK_TOLERANCE:
        return ""
    way = "ahead of" if ahead > pd.Timedelta(0) else "behind"
    return f"This machine's clock is {abs(ahead).floor('s')} {way} the API's, which was believed; set the clock."


def _refusal(response: requests.Response, redact: Callable[[str], str]) -> ResponseError:
    """Word an answer other than 2xx as the error of its status."""
    status = response.status_code
    error = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _ERRORS.get(status, ResponseError)
    kind, message = _envelope(response)
    return error(status, redact(kind)[:100], " ".join(redact(message).split())[:500])


def _envelope(response: requests.Response) -> tuple[str, str]:
    """Type and message of the API's ``{"error": {"type", "message"}}``, or what can be said without it."""
    try:
        error = json.loads(response.content)["error"]
        return str(error["type"]), str(error["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        pass  # a proxy's or a load balancer's page, or nothing at all
    if target := response.headers.get("Location"):
        return "redirect", f"It leads to {target}, where the token does not go; set base_url if the API is there."
    try:
        phrase = HTTPStatus(response.status_code).phrase
    except ValueError:
        phrase = "unknown status"
    return phrase.lower().replace(" ", "-"), f"It gave no reason, only {_size(response)}."


def _size(response: requests.Response) -> str:
    return f"{len(response.content)} bytes of {response.headers.get('Content-Type', 'unknown type')}"


def _asked_pause(response: requests.Response) -> float:
    """How long the server asked to wait, in seconds or as a date; 0 if it did not, or not so that one can read it."""
    try:
        return Retry().parse_retry_after(response.headers["Retry-After"])
    except (KeyError, InvalidHeader, ValueError, OverflowError):
        return 0.0


def _reason(error: BaseException) -> str:
    """Innermost of an error's causes, which says most: requests wraps urllib3's, and that wraps the socket's."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return f"{type(error).__name__}: {error}".strip(": ")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
