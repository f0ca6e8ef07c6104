"""
Settings are what a command is told: a flag wins over the environment, that over schedlog.toml, that over the default.

Each remembers where it came from, so that a message names it as it was written there.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from schedlog_analysis.account.options import Options
from schedlog_analysis.account.settings import SETTINGS, parse_rules
from schedlog_analysis.cli.flags import EVERY, flag
from schedlog_analysis.errors import ConfigError

CONFIG = Path("schedlog.toml")
PREFIX = "SCHEDLOG_"
TO_WRITE = ("output",)  # what a file that nobody named must not say


class Chosen(NamedTuple):
    """What a setting is, where that was said, and what it is called there."""

    value: Any
    place: str
    name: str
    before: str = ""
    """What a message says before the name."""


@dataclass(frozen=True)
class Settings:
    """
    What a command is told.

    Attributes
    ----------
    chosen
        Those that somebody set, by name.
    notes
        What has to be said of where they come from.
    """

    chosen: dict[str, Chosen]
    notes: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, typed: Mapping[str, Any], config: Path | None = None, environ: Mapping[str, str] = os.environ
    ) -> Self:
        """
        Merge what was typed with the environment and the configuration file; rules of accounting one by one.

        Parameters
        ----------
        typed
            Texts, and lists of texts, by name.
        config
            Configuration file; by default that of ``SCHEDLOG_CONFIG``, else ``schedlog.toml`` in the current folder,
            which may not say where to write.
        environ
            Environment.

        Raises
        ------
        ConfigError
            If the file cannot be read, or a setting is unknown or of the wrong type.
        """
        named = config or (Path(environ[f"{PREFIX}CONFIG"]) if environ.get(f"{PREFIX}CONFIG") else None)
        in_file, notes = _read_folder() if named is None else (_read_file(named), ())
        chosen: dict[str, Chosen] = {}
        for level in (in_file, _read_environment(environ), _read_flags(typed)):
            for name, given in level.items():
                chosen[name] = _over(chosen.get(name), given)
        return cls(chosen, notes)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as its kind says
        chosen = self.chosen.get(name)
        return EVERY[name].default if chosen is None else chosen.value

    def label(self, name: str) -> str:
        """Name a setting, or a rule of it (``accounting.partial``), as it was written where it came from."""
        stem, dot, rule = name.partition(".")
        chosen = self.chosen.get(stem, Chosen(None, "", flag(stem)))
        return f"{chosen.before}`{chosen.name}{'.' if dot and chosen.before else dot and ' '}{rule}`"

    def options(self) -> Options:
        """Give those that an analysis and its report are made with."""
        return Options.from_mapping({name: self[name] for name in self.chosen if name in SETTINGS}, self.label)

    def describe(self) -> list[str]:
        """Write every setting as schedlog.toml does, with where it comes from."""
        lines = []
        for name, setting in EVERY.items():
            value, place = self[name], self.chosen[name].place if name in self.chosen else "default"
            whole = setting.default | value if isinstance(value, dict) else value
            lines.append(f"# {name}  # {place}" if whole is None else f"{name} = {setting.show(whole)}  # {place}")
        return lines


def _over(before: Chosen | None, given: Chosen) -> Chosen:
    """Let a setting win over one from elsewhere; of a table only the rules that it has."""
    if before is None or not isinstance(given.value, dict):
        return given
    return given._replace(value=before.value | given.value, place=f"{before.place} and {given.place}")


def _read_flags(typed: Mapping[str, Any]) -> dict[str, Chosen]:
    names = {name: flag(name) for name in typed}
    return {name: Chosen(_parse(name, typed[name], f"`{text}`"), text, text) for name, text in names.items()}


def _read_environment(environ: Mapping[str, str]) -> dict[str, Chosen]:
    names = {name: f"{PREFIX}{name.upper()}" for name in EVERY}
    return {
        name: Chosen(_parse(name, environ[variable], f"`{variable}`"), variable, variable)
        for name, variable in names.items()
        if environ.get(variable)
    }


def _parse(name: str, given: str | list[str], label: str) -> Any:  # noqa: ANN401 - as its kind says
    setting = EVERY[name]
    if isinstance(given, str):
        return setting.parse(given, label)
    return parse_rules(given, label) if setting.kind == "table" else given


def _read_folder() -> tuple[dict[str, Chosen], tuple[str, ...]]:
    """Read the file of the current folder, if there is one, and say so: nobody named it."""
    if not CONFIG.exists():
        return {}, ()
    chosen = _read_file(CONFIG)
    refused = [name for name in TO_WRITE if chosen.pop(name, None)]
    notes = [f"Options of {CONFIG} in this folder hold: {', '.join(chosen) or 'none'}."]
    notes += [f"Its `{name}` is passed over: give {flag(name)}, or name the file with --config." for name in refused]
    return chosen, tuple(notes)


def _read_file(path: Path) -> dict[str, Chosen]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no configuration file {str(path)!r}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {str(error).rstrip('.')}.") from error
    chosen = {}
    for written, value in content.items():
        name = written.replace("-", "_")
        if name not in EVERY:
            raise ConfigError(f"{path} has {written!r}; expected one of {', '.join(sorted(EVERY))}.")
        chosen[name] = Chosen(EVERY[name].take(value, f"{path}: `{name}`"), str(path), name, f"{path}: ")
    return chosen
