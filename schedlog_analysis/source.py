"""A source is where an account's tables are read from: an archive, a folder of the API's answers, or one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from schedlog_analysis.archive import Archive, read_log, read_runs, read_schedules
from schedlog_analysis.errors import InputError


@dataclass(frozen=True)
class Source:
    """
    The tables of one account.

    Attributes
    ----------
    name
        Where they came from.
    log, schedules, runs, fetches
        See `schema`; None where the source has none.
    """

    name: str
    log: pd.DataFrame
    schedules: pd.DataFrame | None = None
    runs: pd.DataFrame | None = None
    fetches: pd.DataFrame | None = None

    @classmethod
    def read(cls, location: str, only: Iterable[str] = ()) -> Source:
        """
        Read everything that is there.

        Parameters
        ----------
        location
            An archive (a folder or a URL), a folder with ``schedules.json``, ``runs.json`` and logs as the API answers
            them, or the file of one log.
        only
            Ids or names of the schedules to keep; all by default.

        Raises
        ------
        InputError
            If there is nothing to read, or it cannot be read.
        """
        source = cls._all(location)
        wanted = list(only)
        return source.only(wanted) if wanted else source

    @classmethod
    def _all(cls, location: str) -> Source:
        if "://" in location or Archive(location).exists():
            archive = Archive(location)
            return cls(
                location,
                archive.read_log(),
                archive.read_schedules(),
                archive.read_runs(),
                archive.read_fetches(),
            )
        path = Path(location)
        if not path.exists():
            raise InputError(f"There is no {location!r}; expected an archive, a folder or a file of schedule logs.")
        if path.is_file():
            return cls(location, read_log(path))
        has = {name: (path / f"{name}.json").exists() for name in ("schedules", "runs")}
        return cls(
            location,
            read_log(path),
            read_schedules(path) if has["schedules"] else None,
            read_runs(path) if has["runs"] else None,
        )

    def only(self, wanted: list[str]) -> Source:
        """Keep some schedules, by id or name."""
        ids = set(wanted)
        if self.schedules is not None:
            named = self.schedules[self.schedules["name"].isin(wanted) | self.schedules["schedule_id"].isin(wanted)]
            ids |= set(named["schedule_id"])
        known = set(self.log["schedule_id"]) | set(() if self.schedules is None else self.schedules["schedule_id"])
        lost = [
            name
            for name in wanted
            if name not in known and (self.schedules is None or name not in set(self.schedules["name"]))
        ]
        if lost:
            raise InputError(
                f"There is no schedule {lost[0]!r} in {self.name}; expected an id or a name that is there."
            )
        keep = {
            name: None if table is None else table[table["schedule_id"].isin(ids)].reset_index(drop=True)
            for name, table in (("schedules", self.schedules), ("runs", self.runs), ("fetches", self.fetches))
        }
        return Source(self.name, self.log[self.log["schedule_id"].isin(ids)].reset_index(drop=True), **keep)
