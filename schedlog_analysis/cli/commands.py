"""The commands, one function each: their arguments, their help, and the one call that does the work."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from schedlog_analysis.account.settings import SETTINGS
from schedlog_analysis.cli.flags import EVERY, with_flags

app = typer.Typer(
    name="schedlog",
    help="Did every schedule of an Apify account run when it should have, did it succeed, and if not, why?",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

USUAL = "2 the input or the usage was wrong, 70 a fault of schedlog itself."
FINE = f"[bold]Exit codes[/]: 0 fine, {USUAL}"
JUDGED = f"[bold]Exit codes[/]: 0 fine, 1 below --fail-under or nothing to judge it by, {USUAL}"
FETCHED = f"[bold]Exit codes[/]: 0 fine, 1 a schedule could not be fetched, {USUAL}"

SOURCE = Annotated[
    str,
    typer.Argument(
        help="An archive (folder or s3:// URL), a folder of the API's answers, or one log.", metavar="SOURCE"
    ),
]
CONFIG = Annotated[
    Path | None, typer.Option(help="File with these options. Default: schedlog.toml here, if there is one.")
]
QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")]
TOKEN = Annotated[
    str | None, typer.Option(help="API token. Better: APIFY_TOKEN, or `apify login`.", show_default=False)
]
ARCHIVE = Annotated[str, typer.Argument(help="Folder or s3:// URL of the archive; made if it is not there.")]


def _version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(version("schedlog-analysis"))
        raise typer.Exit


@app.callback()
def _common(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Say what the package is for; the text is that of the app."""


@app.command(
    epilog=f"""
Examples:

[bold]schedlog report data/sample[/] — a report on everything that is there

[bold]schedlog report archive --period last-month --tz Europe/Prague --slo 99.5 -o october.html[/]

[bold]schedlog report archive --period last-week --fail-under 99 -o week.eml[/] — exit code 1 below 99 %

{JUDGED}
"""
)
@with_flags(EVERY.values())
def report(source: SOURCE, *, typed: dict[str, Any], config: CONFIG = None, quiet: QUIET = False) -> None:
    """Write a reliability report, and print its summary."""
    _work("report").write(source, typed, config, quiet=quiet)


@app.command(epilog=FINE)
@with_flags(SETTINGS.values())
def show(source: SOURCE, *, typed: dict[str, Any], config: CONFIG = None) -> None:
    """Show the report's summary in the terminal; of an archive also what it holds and when to sync next."""
    _work("report").show(source, typed, config)


@app.command(name="config", epilog=FINE)
@with_flags(EVERY.values())
def show_config(*, typed: dict[str, Any], config: CONFIG = None) -> None:
    """Print every option of a report, and where it comes from: flag, environment (SCHEDLOG_NAME), file or default."""
    _work("report").show_config(typed, config)


@app.command(epilog=FETCHED)
def fetch(
    schedules: Annotated[
        list[str] | None, typer.Argument(help="Ids, or username~name; all of the account's if none is named.")
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder to write, as `report` reads it."),
    ] = Path("schedlog-data"),
    token: TOKEN = None,
) -> None:
    """Fetch definitions and logs as they are now, without keeping history; `sync` keeps it."""
    _work("network").fetch(schedules or [], output, token)


@app.command(epilog=FETCHED)
def sync(
    archive: ARCHIVE,
    runs: Annotated[bool, typer.Option(help="Fetch runs too.")] = True,  # noqa: FBT002 - a flag
    token: TOKEN = None,
) -> None:
    """Add what the API shows now to an archive; safe to run from cron every few minutes, and to interrupt."""
    _work("network").sync(archive, token, with_runs=runs)


@app.command(epilog=FINE)
def serve(
    source: SOURCE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8017,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    window: Annotated[int, typer.Option(min=1, help="Newest entries of a log to show.")] = 1000,
) -> None:
    """Serve the API's own endpoints from an archive, for official clients; needs the extra `serve`."""
    _work("network").serve(source, host, port, window)


@app.command(epilog=FINE)
def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to write; made if it is not there.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 0,
    start: Annotated[str | None, typer.Option(help="First moment, such as 2026-08-01T00:00Z.")] = None,
    end: Annotated[str | None, typer.Option(help="Instant after the last.")] = None,
    schedules: Annotated[
        int | None, typer.Option(min=1, help="Random schedules to make. Default: the sample's fifteen.")
    ] = None,
) -> None:
    """Make up an account with planted faults, in the API's own shape, with the exact truth beside it."""
    _work("simulation").simulate(folder, seed, start, end, schedules)


def _work(name: str) -> Any:  # noqa: ANN401 - a module
    """Load what a command needs when it runs, so that --help and errors of usage answer at once."""
    return import_module(f"schedlog_analysis.cli.{name}")
