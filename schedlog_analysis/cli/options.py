"""Options of a report: what was typed, else what schedlog.toml says, else the defaults; checked in one place."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from schedlog_analysis.errors import ConfigError
from schedlog_analysis.matching.policy import AccountingPolicy, Maintenance

CONFIG = Path("schedlog.toml")
POLICY = tuple(rule.name for rule in fields(AccountingPolicy) if rule.name != "maintenance")
TYPES: dict[str, tuple[type, ...]] = {
    "schedule": (list,),
    "maintenance": (list,),
    "slo": (int, float),
    "fail_under": (int, float),
    "accounting": (dict,),
}


@dataclass(frozen=True)
class Options:
    """
    What a report shall be like.

    Attributes
    ----------
    period, previous, tz, grace, schedule
        See `Report.build`.
    slo, fail_under
        In percent.
    maintenance
        Texts, see `maintenance_window`.
    accounting
        Rules of `AccountingPolicy` by name.
    format, output
        How and where to write it.
    scheduler
        Where to analyse an archive too large for memory, see `fleet.analyze`; ``"stream"`` for this process.
    """

    period: str = "all"
    previous: str | None = None
    tz: str = "UTC"
    grace: str = "60s"
    schedule: list[str] = field(default_factory=list)
    slo: float | None = None
    fail_under: float | None = None
    maintenance: list[str] = field(default_factory=list)
    accounting: dict[str, str] = field(default_factory=dict)
    format: str | None = None
    output: str | None = None
    scheduler: str | None = None

    @classmethod
    def merge(cls, given: dict[str, Any], config: Path | None = None) -> Self:
        """
        Merge what was typed with the configuration file.

        Raises
        ------
        ConfigError
            If the file cannot be read, or an option is unknown or of the wrong type.
        """
        typed = {name: value for name, value in given.items() if value not in (None, [])}
        options = cls(**(_read(config) | typed))
        for name in ("slo", "fail_under"):
            value = getattr(options, name)
            if value is not None and not 0 <= value <= 100:  # noqa: PLR2004 - percent
                raise ConfigError(f"`{name.replace('_', '-')}` is {value:g}; expected percent, such as 99.5.")
        return options

    def analysis(self) -> dict[str, Any]:
        """Give what an analysis is told."""
        return {
            "period": self.period,
            "previous": self.previous,
            "tz": self.tz,
            "grace": self.grace,
            "policy": self.policy(),
            "objective": self.objective(),
        }

    def policy(self) -> AccountingPolicy:
        """Make the accounting policy."""
        windows = tuple(maintenance_window(text, self.tz) for text in self.maintenance)
        return AccountingPolicy(**self.accounting, maintenance=windows)  # type: ignore[arg-type]

    def objective(self) -> float | None:
        """Give the objective as a share."""
        return None if self.slo is None else self.slo / 100


def maintenance_window(text: str, tz: str) -> Maintenance:
    """
    Read a maintenance window: two instants, or a cron and a duration.

    Examples
    --------
    >>> str(maintenance_window("0 2 * * SUN for 2h", "Europe/Prague"))
    '2h from 0 2 * * SUN (Europe/Prague)'
    """
    if ".." in text:
        start, _, end = text.partition("..")
        return Maintenance(start=start.strip(), end=end.strip())
    cron, found, duration = text.rpartition(" for ")
    if not found:
        raise ConfigError(
            f"The maintenance window {text!r} cannot be read; expected 2026-10-05T00:00Z..2026-10-05T04:00Z,"
            " or '0 2 * * SUN for 2h'."
        )
    return Maintenance(cron=cron.strip(), duration=duration.strip(), tz=tz)


def _read(config: Path | None) -> dict[str, Any]:
    path = config or CONFIG
    if config is None and not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no configuration file {str(path)!r}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    known = {option.name for option in fields(Options)}
    told = {name.replace("-", "_"): value for name, value in content.items()}
    for name, value in told.items():
        if name not in known:
            raise ConfigError(f"{path} has {name!r}; expected one of {', '.join(sorted(known))}.")
        allowed = TYPES.get(name, (str,))
        if not isinstance(value, allowed) or isinstance(value, bool):
            expected = " or ".join(kind.__name__ for kind in allowed)
            raise ConfigError(f"{path} has {name} = {value!r}; expected {expected}.")
    for name in told.get("accounting", {}):
        if name not in POLICY:
            raise ConfigError(f"{path} has accounting.{name}; expected one of {', '.join(POLICY)}.")
    return told
