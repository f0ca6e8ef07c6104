"""A token is the secret by which the API knows you: it is looked for at four doors and shown at none."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from schedlog_analysis.errors import TokenError

_QUIET_CLI = {"APIFY_CLI_DISABLE_TELEMETRY": "1", "APIFY_CLI_SKIP_UPDATE_CHECK": "1"}


def find_token(token: str | None = None) -> str:
    r"""
    Find the API token at the first of four doors that has one.

    1. The argument.
    2. The environment variable ``APIFY_TOKEN``.
    3. ``apify auth token`` of an installed apify-cli, which since 2026 keeps its token in the keyring of the system.
    4. ``~/.apify/auth.json``, where older versions of apify-cli keep it.

    Parameters
    ----------
    token
        Token that you already have; None to look at the other doors.

    Returns
    -------
    token
        Token that can stand in an HTTP header; nothing has asked the API yet whether it is valid.

    Raises
    ------
    TokenError
        If no door has a token, or the token of the first two doors cannot be one. The message never shows it.

    Examples
    --------
    >>> find_token("apify_api_example")
    'apify_api_example'
    >>> find_token("apify_api_example\n")
    Traceback (most recent call last):
        ...
    schedlog_analysis.errors.TokenError: The token in `token` has a line break, a space or no ASCII; copy it again.
    """
    if token is not None:
        return _checked(token, "`token`")
    if from_environment := os.environ.get("APIFY_TOKEN"):
        return _checked(from_environment, "APIFY_TOKEN")
    found = _from_cli() or _from_file()
    if found is None:
        raise TokenError(
            "No Apify token was found: pass `token`, set APIFY_TOKEN or run `apify login`; "
            "tokens are made in Apify Console under Settings > API & Integrations."
        )
    return found


def _checked(token: str, door: str) -> str:
    if not token:
        raise TokenError(f"The token in {door} is empty; expected one such as apify_api_…, or None to look elsewhere.")
    if not _is_token(token):
        raise TokenError(f"The token in {door} has a line break, a space or no ASCII; copy it again.")
    return token


def _is_token(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None


def _from_cli(timeout: float = 10.0) -> str | None:
    """Ask apify-cli, which itself asks the API whether the login still holds: seconds, so never without an end."""
    program = shutil.which("apify")
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own program, no shell, nothing of ours in its arguments
            [program, "auth", "token"],
            env=os.environ | _QUIET_CLI,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    last = answer.stdout.strip().rpartition("\n")[2]  # notices, if any, are printed before it
    return last if answer.returncode == 0 and _is_token(last) else None


def _from_file() -> str | None:
    try:
        found = json.loads(Path("~/.apify/auth.json").expanduser().read_bytes())["token"]
    except (OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None  # absent, unreadable, or a newer file that only points at the keyring
    return found if _is_token(found) else None
