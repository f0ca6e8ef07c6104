"""A stream is where a command speaks: results go to standard output, the rest to standard error."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from rich.console import Console


class Screen(Console):
    """A console whose reader may leave: ``schedlog show | head`` is no failure."""

    def on_broken_pipe(self) -> NoReturn:
        """Stop, with nothing to complain of."""
        silence()
        raise SystemExit(0)


def say(sentence: str) -> None:
    """Print a sentence to standard error, as it is."""
    print(f"schedlog: {sentence}", file=sys.stderr)


def silence() -> None:
    """Let go of standard output, so that Python does not write what nobody reads when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
