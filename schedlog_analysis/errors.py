"""
Everything this package raises on purpose, so that one `except SchedlogError` catches it all.

::

    SchedlogError
    ├── InputError            what was handed over cannot be read: a file, a value, an option
    │   ├── SchemaError       a table lacks a column, or a column holds what it must not
    │   ├── CronError         a cron expression or its time zone makes no sense
    │   └── ConfigError       an option or a configuration file contradicts itself
    ├── ArchiveError          the archive on disk cannot be written or trusted
    └── ApifyError            the API could not be asked, or said no
        ├── TokenError        no token was found at any of the documented doors
        ├── TransportError    no usable answer came: connection, timeout, broken body
        └── ResponseError     the API answered with an error: `status`, `type`, `message`
            ├── BadRequestError     400
            ├── UnauthorizedError   401
            ├── ForbiddenError      403
            ├── NotFoundError       404
            ├── RateLimitError      429, after all retries
            └── ServerError         5xx, after all retries

A message is one sentence that says what came, what was expected and what to do.
"""

from __future__ import annotations


class SchedlogError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(SchedlogError, ValueError):
    """What was handed over cannot be read."""


class SchemaError(InputError):
    """A table lacks a column, or a column holds what it must not."""


class CronError(InputError):
    """A cron expression or its time zone makes no sense."""


class ConfigError(InputError):
    """An option or a configuration file contradicts itself."""


class ArchiveError(SchedlogError):
    """The archive on disk cannot be written or trusted."""


class ApifyError(SchedlogError):
    """The API could not be asked, or said no."""


class TokenError(ApifyError):
    """No API token was found at any of the documented doors."""


class TransportError(ApifyError):
    """No usable answer came: the connection failed, timed out, or the body was broken."""


class ResponseError(ApifyError):
    """
    The API answered with an error.

    Attributes
    ----------
    status
        HTTP status code.
    type
        The API's machine-readable error type, such as ``"record-not-found"``.
    message
        The API's own sentence.
    """

    def __init__(self, status: int, type: str, message: str) -> None:  # noqa: A002 - the API's own field name
        super().__init__(status, type, message)
        self.status = status
        self.type = type
        self.message = message

    def __str__(self) -> str:
        return f"The Apify API answered {self.status} {self.type}: {self.message}"


class BadRequestError(ResponseError):
    """The API could not make sense of the request (400)."""


class UnauthorizedError(ResponseError):
    """The token is missing, mistyped or revoked (401)."""


class ForbiddenError(ResponseError):
    """The token is valid but may not read this (403)."""


class NotFoundError(ResponseError):
    """There is no such schedule, or not for this token (404)."""


class RateLimitError(ResponseError):
    """The API asked to slow down and kept asking after all retries (429)."""


class ServerError(ResponseError):
    """The API failed and kept failing after all retries (5xx)."""
