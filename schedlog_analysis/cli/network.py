"""What the commands that touch a network do: fetch, sync and serve."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from schedlog_analysis.apify import Client
from schedlog_analysis.archive import Archive
from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.files import write_whole
from schedlog_analysis.objects import to_objects
from schedlog_analysis.report.words import count, duration, moment
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.sync import sync as carry

note = Console(stderr=True, soft_wrap=True)


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
    _tell_failures(fetched.failures)


def sync(archive: str, token: str | None, *, with_runs: bool) -> None:
    """Sync and say what is new, what was lost and when to come again."""
    synced = carry(Client(token), Archive(archive), with_runs=with_runs)
    console = Console(soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for column in ("schedule", "new entries", "sync at least every", "next sync by (UTC)", ""):
        table.add_column(column, justify="right" if column == "new entries" else "left")
    for row in synced.schedules.to_dict("records"):
        hole = "a hole opened since the last sync: sync more often" if row["has_hole"] else ""
        name = row["schedule_id"] if pd.isna(row["name"]) else row["name"]
        table.add_row(name, f"{row['n_new']:,}", duration(row["sync_every"]), moment(row["sync_by"], "UTC"), hole)
    console.print(table)
    if with_runs and "runs" not in synced.failures:
        console.print(f"{count(synced.n_new_runs, 'new run')}.")
    _tell_failures(synced.failures)


def serve(source: str, host: str, port: int, window: int) -> None:
    """Serve until interrupted."""
    from schedlog_analysis.server import run  # noqa: PLC0415 - the extra `serve` may not be installed

    run(source, host=host, port=port, window=window)


def _tell_failures(failures: dict[str, SchedlogError]) -> None:
    for name, error in failures.items():
        note.print(f"[bold]{name}[/] failed: {error}", markup=True, highlight=False)
    if failures:
        raise typer.Exit(1)


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
