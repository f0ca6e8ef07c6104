"""What the commands that touch a network do: fetch, sync and serve."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schedlog_analysis._core.files import write_whole
from schedlog_analysis._core.words import count, duration, moment
from schedlog_analysis.cli.streams import Screen
from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.client import Client
from schedlog_analysis.sources.fetched import Fetched
from schedlog_analysis.sources.parse import to_objects
from schedlog_analysis.sources.sync import Synced
from schedlog_analysis.sources.sync import sync as carry

INTERRUPTED = "Interrupted: what had been added is kept, and nothing is half-written; sync again for the rest."

# Names and messages are other people's texts: none of them is markup.
note = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)


def fetch(schedules: list[str], output: Path, token: str | None) -> None:
    """Fetch logs and write them as the API answers them."""
    fetched = Client(token).fetch_logs(schedules or None)
    (output / "logs").mkdir(parents=True, exist_ok=True)
    write_whole(output / "schedules.json", _json(to_objects(fetched.schedules, Schedules)))
    for schedule_id in fetched.n_entries:
        log = fetched.log[fetched.log["schedule_id"] == schedule_id]
        name = f"{quote(schedule_id, safe='')}.json"
        write_whole(output / "logs" / name, _json({"data": to_objects(log, Log)}))
    entries, schedules_told = count(len(fetched.log), "entry", "entries"), count(len(fetched.n_entries), "schedule")
    note.print(f"Wrote {entries} of {schedules_told} to {output}.")
    _say_odd(fetched)
    _tell_failures(fetched.failures)


def sync(archive: str, token: str | None, *, with_runs: bool) -> None:
    """Sync and say what is new, what was lost and when to come again."""
    with _interruptible(), Client(token) as client:
        synced = carry(client, Archive(archive), with_runs=with_runs)
    console = Screen(soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for column in ("schedule", "new entries", "sync at least every", "next sync by (UTC)"):
        table.add_column(column, justify="right" if column == "new entries" else "left")
    for row in synced.schedules.to_dict("records"):
        every, by = duration(row["sync_every"]), moment(row["sync_by"], "UTC")
        table.add_row(Text(_name(row)), f"{row['n_new']:,}", every, by)
    console.print(table)
    for row in synced.schedules[synced.schedules["has_hole"]].to_dict("records"):
        often = f"at least every {duration(row['sync_every'])}" if pd.notna(row["sync_every"]) else "more often"
        note.print(f"{_name(row)}: entries were lost since the last sync, a hole opened; sync {often}.")
    if with_runs and "runs" not in synced.failures:
        console.print(f"{count(synced.n_new_runs, 'new run')}.")
    _say_odd(synced)
    _tell_failures(synced.failures)


def serve(source: str, host: str, port: int, window: int) -> None:
    """Serve until interrupted."""
    from schedlog_analysis.sources.server import run  # noqa: PLC0415 - the extra `serve` may not be installed

    run(source, host=host, port=port, window=window)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C, and what service managers and cron send, end in a sentence and the exit code that shells expect."""

    def stop(number: int, _: object) -> NoReturn:
        raise _InterruptedError(number)

    is_main = threading.current_thread() is threading.main_thread()  # no other may handle signals
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM) if is_main}
    try:
        yield
    except _InterruptedError as interrupt:
        note.print(INTERRUPTED)
        raise typer.Exit(128 + interrupt.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _InterruptedError(KeyboardInterrupt):
    """A signal came; no `except Exception` on the way takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _name(row: dict[Hashable, Any]) -> str:
    return str(row["schedule_id"] if pd.isna(row["name"]) else row["name"])


def _say_odd(came: Fetched | Synced) -> None:
    """Say which objects were odd, and whether this machine's clock is."""
    for sentence in (*(each.sentence for each in came.skipped), came.clock):
        if sentence:
            note.print(sentence)


def _tell_failures(failures: dict[str, SchedlogError]) -> None:
    for name, error in failures.items():
        note.print(f"{name} failed: {error}")
    if failures:
        raise typer.Exit(1)


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
