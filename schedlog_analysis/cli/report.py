"""What `schedlog report`, `schedlog show` and `schedlog config` do."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from schedlog_analysis._core.files import write_whole
from schedlog_analysis._core.words import say_share
from schedlog_analysis.account.checks import read_percent
from schedlog_analysis.account.options import Options
from schedlog_analysis.cli.options import Settings
from schedlog_analysis.cli.streams import Screen, say, silence
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.fleet import analyze
from schedlog_analysis.report import Report
from schedlog_analysis.report.formats import FORMATS, find_format, format_of
from schedlog_analysis.report.formats.notebook import render_notebook
from schedlog_analysis.report.formats.terminal import show as show_summary
from schedlog_analysis.report.formats.terminal import show_archive
from schedlog_analysis.sources.account import Source

BREACHED = 1


def write(source: str, typed: Mapping[str, Any], config: Path | None, *, quiet: bool) -> None:
    """Build a report, write it, print its summary and judge it by the threshold."""
    settings = _settings(typed, config)
    options, threshold = settings.options(), _threshold(settings)
    form, output = _target(settings)
    report = _analyse(source, options, settings)
    is_of_facts = FORMATS[form].is_of_facts
    content = report.to_bytes(form) if is_of_facts else render_notebook(source, options).encode()
    _deliver(content, output)
    if not quiet:
        # With the report on standard output, the summary must not mix with it.
        console = Screen(stderr=output == "-")
        show_summary(report, console)
        if output != "-":
            console.print(f"\nWrote [bold]{output}[/].", highlight=False, soft_wrap=True)
    _judge(report, threshold)


def show(source: str, typed: Mapping[str, Any], config: Path | None) -> None:
    """Print the summary, and what an archive holds."""
    options, console = _settings(typed, config).options(), Screen()
    read = Source.read(source, options.schedule_ids)
    show_summary(_report(read, options), console)
    if read.fetches is not None:
        show_archive(read.log, read.fetches, console, schedules=read.schedules)


def show_config(typed: Mapping[str, Any], config: Path | None) -> None:
    """Print every setting and where it comes from, as schedlog.toml would have it."""
    settings = _settings(typed, config)
    settings.options(), _threshold(settings), _target(settings)  # complain of what cannot be read
    for line in settings.describe():
        Screen(soft_wrap=True).print(line, markup=False, highlight=False)


def _settings(typed: Mapping[str, Any], config: Path | None) -> Settings:
    settings = Settings.read(typed, config)
    for note in settings.notes:
        say(note)
    return settings


def _analyse(source: str, options: Options, settings: Settings) -> Report:
    if settings["scheduler"] is not None:
        return _fleet(source, options, settings)
    with Console(stderr=True).status("Reading and analysing…"):
        return _report(Source.read(source, options.schedule_ids), options)


def _report(read: Source, options: Options) -> Report:
    for each in read.skipped:
        say(each.sentence)
    tables: dict[str, Any] = {"schedules": read.schedules, "runs": read.runs, "fetches": read.fetches}
    return Report.build(read.log, **tables, source=read.name, options=_timed(options))


def _timed(options: Options) -> Options:
    """Say when the report is made: this is the one place that looks at a clock."""
    return options if options.now else replace(options, now=datetime.now(UTC).isoformat(timespec="seconds"))


def _fleet(source: str, options: Options, settings: Settings) -> Report:
    """Analyse an archive in batches, here (`stream`), in processes, or on the workers of Dask."""
    where, label = settings["scheduler"], settings.label("scheduler")
    if options.schedule_ids:
        raise ConfigError(f"{settings.label('schedule')} and {label} exclude each other; leave one out.")
    is_number = where.isdecimal() and int(where) > 0
    if not (is_number or where in ("stream", "processes") or "://" in where):
        expected = "stream, processes, how many of them, or tcp://… of a Dask cluster"
        raise ConfigError(f"{label} is {where!r}; expected {expected}.")
    scheduler = None if where == "stream" else int(where) if is_number else where
    made = _timed(options)
    analysis = analyze(source, scheduler=scheduler, options=made)
    for schedule_id, error in analysis.errors.items():
        say(f"{schedule_id} is left out: {error}")
    return Report(analysis, pages=made.pages, source=source, title=made.title, now=made.now)


def _target(settings: Settings) -> tuple[str, str]:
    """Settle format and file: each by the other where only one is given."""
    form, output = settings["format"], settings["output"]
    if form is not None:
        return form, output or f"report.{find_format(form).suffix}"
    return ("html", output or "report.html") if output in (None, "-") else (format_of(output), output)


def _deliver(content: bytes, output: str) -> None:
    if output != "-":
        write_whole(output, content)
        return
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        silence()


def _threshold(settings: Settings) -> float | None:
    given = settings["fail_under"]
    return None if given is None else read_percent(given, settings.label("fail_under"), ends=True)


def _judge(report: Report, threshold: float | None) -> None:
    """Exit with 1 when a smaller share ran and started, or when nobody can tell, which proves nothing."""
    if threshold is None:
        return
    share = report.up_share
    if share is None:
        say(f"Nothing was due that could be seen, so nobody can tell whether {threshold * 100:g} % ran and started.")
        raise typer.Exit(BREACHED)
    if share < threshold:
        say(f"Below the threshold: {say_share(share, 2)} ran and started; {threshold * 100:g} % was asked for.")
        raise typer.Exit(BREACHED)
    if report.facts["doubts"]:
        say(f"Nobody can tell whether {threshold * 100:g} % ran and started: {'; '.join(report.facts['doubts'])}.")
        raise typer.Exit(BREACHED)
