"""
The command line: thin commands over the rooms beneath, one place that turns errors into a sentence and an exit code.

Exit codes: 0 fine, 1 a threshold was breached or a schedule could not be fetched, 2 the input or the usage was wrong.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from schedlog_analysis.cli.commands import app
from schedlog_analysis.errors import SchedlogError


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
    try:
        app(None if argv is None else list(argv), prog_name="schedlog")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except SchedlogError as error:
        print(f"schedlog: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        what = f"{error.filename!r}: {error.strerror}" if error.filename else str(error)
        told = f"{what}; expected a place that can be read or written. Nothing was left half-written."
        print(f"schedlog: {told}", file=sys.stderr)
        return 2
    return 0
