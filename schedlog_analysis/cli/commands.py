"""The commands, one function each: their arguments, their help, and the one call that does the work."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schedlog_analysis.errors import ConfigError
from schedlog_analysis.report.formats import FORMATS

app = typer.Typer(
    name="schedlog",
    help="Did every schedule of an Apify account run when it should have, did it succeed, and if not, why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


if TYPE_CHECKING:
    Format = str
else:
    Format = StrEnum("Format", {name: name for name in FORMATS})

SOURCE = Annotated[
    str,
    typer.Argument(
        help="An archive (folder or s3:// URL), a folder of the API's answers, or one log.", metavar="SOURCE"
    ),
]
SCHEDULE = Annotated[
    list[str] | None, typer.Option("--schedule", help="Only this schedule, by id or name; may be repeated.")
]
PERIOD = Annotated[
    str | None,
    typer.Option(
        help="last-week, last-month, 2026-10, 2026-W43, 2026-10-01..2026-11-01, all; of the data, not of today."
    ),
]
PREVIOUS = Annotated[str | None, typer.Option(help="What to compare with, where the period before is wrong.")]
ZONE = Annotated[str | None, typer.Option("--tz", help="Time zone of days, weeks and clock times. Default: UTC.")]
GRACE = Annotated[str | None, typer.Option(help="Delay up to which a tick is on time. Default: 60s.")]
OBJECTIVE = Annotated[float | None, typer.Option("--slo", help="Objective in percent, such as 99.5.")]
MAINTENANCE = Annotated[
    list[str] | None,
    typer.Option(help="Time to leave out: START..END, or 'CRON for DURATION' in --tz; may be repeated."),
]
FORMAT = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="; ".join(f"{name}: {each.about}" for name, each in FORMATS.items())
        + ". Default: by the output's suffix, else html.",
    ),
]
CONFIG = Annotated[
    Path | None, typer.Option(help="File with these options. Default: schedlog.toml here, if there is one.")
]
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
    epilog="""
Examples:

[bold]schedlog report data/sample[/] — a report on everything that is there

[bold]schedlog report archive --period last-month --tz Europe/Prague --slo 99.5 --output october.html[/]

[bold]schedlog report archive --period last-week --format email --fail-under 99 > week.eml[/] — exit code 1 below 99 %
"""
)
def report(
    source: SOURCE,
    *,
    period: PERIOD = None,
    previous: PREVIOUS = None,
    tz: ZONE = None,
    schedule: SCHEDULE = None,
    grace: GRACE = None,
    objective: OBJECTIVE = None,
    maintenance: MAINTENANCE = None,
    form: FORMAT = None,
    output: Annotated[
        str | None, typer.Option(help="File to write; - for standard output. Default: report.html, or report.FORMAT.")
    ] = None,
    fail_under: Annotated[
        float | None, typer.Option(help="Exit with 1 when fewer percent than this ran and started.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="For an archive too large for memory: `stream`, a number of processes, or tcp://… of a Dask cluster."
        ),
    ] = None,
    config: CONFIG = None,
) -> None:
    """Write a reliability report, and print its summary."""
    given = {
        "period": period, "previous": previous, "tz": tz, "schedule": schedule, "grace": grace, "slo": objective,
        "maintenance": maintenance, "format": form, "output": output, "fail_under": fail_under,
        "scheduler": scheduler,
    }  # fmt: skip
    _work("report").write(source, given, config)


@app.command()
def show(
    source: SOURCE,
    *,
    period: PERIOD = None,
    previous: PREVIOUS = None,
    tz: ZONE = None,
    schedule: SCHEDULE = None,
    grace: GRACE = None,
    objective: OBJECTIVE = None,
    maintenance: MAINTENANCE = None,
    config: CONFIG = None,
) -> None:
    """Show the report's summary in the terminal; of an archive also what it holds and when to sync next."""
    given = {
        "period": period, "previous": previous, "tz": tz, "schedule": schedule, "grace": grace, "slo": objective,
        "maintenance": maintenance,
    }  # fmt: skip
    _work("report").show(source, given, config)


@app.command()
def fetch(
    schedules: Annotated[
        list[str] | None, typer.Argument(help="Ids, or username~name; all of the account's if none is named.")
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Folder for schedules.json and logs/, as `report` and `show` read them.")
    ] = Path("schedlog-data"),
    token: TOKEN = None,
) -> None:
    """Fetch definitions and logs as they are now, without keeping history; `sync` keeps it."""
    _work("network").fetch(schedules or [], output, token)


@app.command()
def sync(
    archive: ARCHIVE,
    runs: Annotated[bool, typer.Option(help="Fetch runs too.")] = True,  # noqa: FBT002 - a flag
    token: TOKEN = None,
) -> None:
    """Add what the API shows now to an archive; safe to run from cron every few minutes, and to interrupt."""
    _work("network").sync(archive, token, with_runs=runs)


@app.command()
def serve(
    source: SOURCE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8017,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    window: Annotated[int, typer.Option(min=1, help="Newest entries of a log to show.")] = 1000,
) -> None:
    """Serve the API's own endpoints from an archive, for official clients; needs the extra `serve`."""
    _work("network").serve(source, host, port, window)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to write; made if it is not there.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 0,
    start: Annotated[str | None, typer.Option(help="First moment, such as 2026-08-01T00:00Z.")] = None,
    end: Annotated[str | None, typer.Option(help="Moment after the last.")] = None,
    schedules: Annotated[
        int | None, typer.Option(min=1, help="Random schedules to make. Default: the sample's thirteen.")
    ] = None,
) -> None:
    """Make up an account with planted faults, in the API's own shape, with the exact truth beside it."""
    _work("simulation").simulate(folder, seed, start, end, schedules)


def _work(name: str) -> Any:  # noqa: ANN401 - a module
    """Load what a command needs when it runs, so that --help and errors of usage answer at once."""
    try:
        return import_module(f"schedlog_analysis.cli.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("schedlog_analysis"):
            raise
        extra = {"starlette": "serve", "uvicorn": "serve"}.get(error.name or "", "")
        hint = f"; pip install 'schedlog-analysis[{extra}]'" if extra else ""
        raise ConfigError(f"This command needs the package {error.name!r}, which is not installed{hint}.") from error
