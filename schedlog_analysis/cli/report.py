"""What `schedlog report` and `schedlog show` do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from schedlog_analysis._core.files import write_whole
from schedlog_analysis._core.words import say_share
from schedlog_analysis.cli.options import Options
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.fleet import analyze
from schedlog_analysis.report import Report
from schedlog_analysis.report.formats import FORMATS, find_format, format_of
from schedlog_analysis.report.formats.notebook import render_notebook
from schedlog_analysis.report.formats.terminal import show as show_summary
from schedlog_analysis.report.formats.terminal import show_archive
from schedlog_analysis.sources.account import Source

BREACHED = 1


def write(source: str, given: dict[str, Any], config: Path | None) -> None:
    """Build a report, write it, print its summary and judge it by the threshold."""
    options = Options.merge(given, config)
    form, output = _target(options)
    report = _build(source, options)
    content = _notebook(source, options) if not FORMATS[form].is_of_facts else report.to_bytes(form)
    if output == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        write_whole(output, content)
    # With the report on standard output, the summary must not mix with it.
    console = Console(stderr=output == "-")
    show_summary(report, console)
    if output != "-":
        console.print(f"\nWrote [bold]{output}[/].", highlight=False, soft_wrap=True)
    _judge(report, options.fail_under)


def show(source: str, given: dict[str, Any], config: Path | None) -> None:
    """Print the summary, and what an archive holds."""
    options = Options.merge(given, config)
    read = Source.read(source, options.schedule)
    console = Console()
    show_summary(_report(read, options), console)
    if read.fetches is not None:
        show_archive(read.log, read.fetches, console, schedules=read.schedules)


def _build(source: str, options: Options) -> Report:
    if options.scheduler is not None:
        return _fleet(source, options)
    with Console(stderr=True).status("Reading and analysing…"):
        return _report(Source.read(source, options.schedule), options)


def _report(read: Source, options: Options) -> Report:
    return Report.build(
        read.log,
        read.schedules,
        runs=read.runs,
        fetches=read.fetches,
        source=read.name,
        **options.analysis(),
    )


def _fleet(source: str, options: Options) -> Report:
    """Analyse an archive in batches, here (`stream`), in processes, or on the workers of Dask."""
    if options.schedule:
        raise ConfigError(
            "`schedule` and `scheduler` exclude each other: a few schedules need no fleet; leave one out."
        )
    where = options.scheduler
    scheduler = None if where == "stream" else int(where) if where and where.isdigit() else where
    analysis = analyze(source, scheduler=scheduler, **options.analysis())
    for schedule_id, error in analysis.errors.items():
        print(f"schedlog: {schedule_id} is left out: {error}", file=sys.stderr)
    return Report(analysis, source=source)


def _notebook(source: str, options: Options) -> bytes:
    told = {"period": options.period, "tz": options.tz, "objective": options.objective(), "grace": options.grace}
    return render_notebook(source=source, **told).encode()


def _target(options: Options) -> tuple[str, str]:
    """Settle format and file: each by the other where only one is given."""
    if options.format is not None:
        return options.format, options.output or f"report.{find_format(options.format).suffix}"
    if options.output in (None, "-"):
        return "html", options.output or "report.html"
    return format_of(options.output), options.output


def _judge(report: Report, fail_under: float | None) -> None:
    """Exit with 1 when fewer percent ran and started; an account in which nothing was due breaches nothing."""
    share = report.up_share
    if fail_under is not None and share is not None and share * 100 < fail_under:
        Console(stderr=True, soft_wrap=True).print(
            f"Below the threshold: {say_share(share, 2)} ran and started; {fail_under:g} % was asked for.",
            highlight=False,
        )
        raise typer.Exit(BREACHED)
