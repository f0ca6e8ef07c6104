"""
The command line: thin commands over the rooms beneath, one place that turns errors into a sentence and an exit code.

Exit codes: 0 fine; 1 a threshold was breached or cannot be judged, or a schedule could not be fetched; 2 the input or
the usage was wrong; 70 the program itself is.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Sequence

import typer

from schedlog_analysis.cli.commands import app
from schedlog_analysis.cli.streams import say
from schedlog_analysis.errors import SchedlogError, TokenError

WRONG, UNEXPECTED = 2, 70  # the latter is EX_SOFTWARE of sysexits.h
DEBUG = "SCHEDLOG_DEBUG"
# Packages that only some commands need, and the extra that brings them.
EXTRAS = {"starlette": "serve", "uvicorn": "serve", "dask": "dask", "distributed": "dask"}
_Usage = typer.BadParameter.__mro__[1]  # the parser's error, of which typer names only this kind


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Parameters
    ----------
    argv
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    code
        Exit code, see the top of this module.

    Examples
    --------
    >>> main(["report", "nowhere"])  # and one sentence on stderr
    2
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no ● still gets its report
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        code = app(words or ["--help"], prog_name="schedlog", standalone_mode=False)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _explain(error, words)
    return int(code or 0) if words else WRONG


def _explain(error: Exception, words: list[str]) -> int:
    """Say in one sentence what went wrong, and give the exit code."""
    if isinstance(error, _Usage):
        say(_usage(error))
    elif isinstance(error, TokenError):
        say(str(error).replace("`token`", "`--token`"))  # as it is called here
    elif isinstance(error, SchedlogError):
        say(str(error))
    elif isinstance(error, ModuleNotFoundError) and (package := str(error.name).partition(".")[0]) in EXTRAS:
        extra = f"schedlog-analysis[{EXTRAS[package]}]"
        say(f"This needs the package {package!r}, which is not installed: pip install '{extra}'.")
    elif isinstance(error, OSError):
        what = f"{error.filename!r}: {error.strerror}" if error.filename else str(error)
        say(f"{what}; expected a place that can be read or written. Nothing was left half-written.")
    else:
        return _report(error, words)
    return WRONG


def _usage(error: Exception) -> str:
    """Word the parser's error, and where the help is."""
    context = getattr(error, "ctx", None)
    command = "schedlog" if context is None else context.command_path
    text = " ".join(getattr(error, "format_message", error.__str__)().split()).rstrip(".")
    return f"{text}; see `{command} --help`."


def _report(error: Exception, words: list[str]) -> int:
    """Say what nobody expected, and how to report it; what it says of itself may hold what nobody should see."""
    from schedlog_analysis._core.redact import redact  # noqa: PLC0415 - only where it is needed

    what = redact(" ".join(f"{type(error).__name__}: {error}".split())).rstrip(".")
    again = f"{DEBUG}=1 schedlog {shlex.join(words[:1])} …"
    say(f"A fault of schedlog itself, {what}; please report it with what `{again}` prints, without your token.")
    return UNEXPECTED
