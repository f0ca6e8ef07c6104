"""
A flag is a setting after ``--``: commands take one for every setting, as text, and hand on what was typed.

The flags are made of the declaration, so that none is missing, and nothing heavy is imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from schedlog_analysis.account.settings import SETTINGS, Setting

WRITING = {
    setting.name: setting
    for setting in (
        Setting("format", None, "html, email, md, txt, json, csv or ipynb; by default what the output's name ends in."),
        Setting("output", None, "File to write; - for standard output. Default: report.html, or as --format says."),
        Setting("fail_under", None, "Exit with 1 when fewer percent than this ran and started.", "number"),
        Setting(
            "scheduler",
            None,
            "For an archive too large for memory: stream, processes, how many of them, or tcp://… of a Dask cluster.",
        ),
    )
}
EVERY = SETTINGS | WRITING
SHORT = {"output": "-o"}
_METAVARS = {"number": "<number>", "whole number": "<number>", "table": "<rule=value>"}
_Command = TypeVar("_Command", bound=Callable[..., Any])


def flag(name: str) -> str:
    """
    Write a setting's name as it is typed.

    Examples
    --------
    >>> flag("fail_under")
    '--fail-under'
    """
    return f"--{name.replace('_', '-')}"


def with_flags(settings: Iterable[Setting]) -> Callable[[_Command], _Command]:
    """Give a command a flag for each setting; its parameter `typed` gets those that were typed, by name."""
    declared = tuple(settings)

    def decorate(command: _Command) -> _Command:
        @wraps(command)
        def run(**given: Any) -> Any:  # noqa: ANN401 - as the command's
            values = {setting.name: given.pop(setting.name) for setting in declared}
            typed = {name: value for name, value in values.items() if value not in (None, [])}
            return command(**given, typed=typed)

        hints = get_type_hints(command, include_extras=True)
        own = [
            each.replace(annotation=hints[name])
            for name, each in inspect.signature(command).parameters.items()
            if name != "typed"
        ]
        further = [_parameter(setting) for setting in declared]
        parameters = sorted([*own, *further], key=lambda each: each.kind)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        del run.__wrapped__  # whose parameters are not those of the command
        return run  # type: ignore[return-value]

    return decorate


def _parameter(setting: Setting) -> inspect.Parameter:
    is_many = setting.kind in ("list of texts", "table")
    kind: Any = list[str] | None if is_many else str | None
    names = [flag(setting.name), *([SHORT[setting.name]] if setting.name in SHORT else [])]
    option = typer.Option(*names, help=_help(setting, is_many=is_many), metavar=_METAVARS.get(setting.kind, "<text>"))
    annotation: Any = Annotated[kind, option]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(setting: Setting, *, is_many: bool) -> str:
    if is_many:
        return f"{setting.meaning} May be repeated."
    return setting.meaning if setting.default is None else f"{setting.meaning} Default: {setting.default}."
