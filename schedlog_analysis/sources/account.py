"""A source is where an account's tables are read from: an archive, a folder of the API's answers, or one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from schedlog_analysis.errors import InputError
from schedlog_analysis.schema import Log
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.files import read_log, read_runs, read_schedules


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

    Examples
    --------
    >>> from schedlog_analysis import load_sample
    >>> Source.read(str(load_sample().path), ["prices-hourly"]).schedules["name"].tolist()
    ['prices-hourly']
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
        wanted = list(only)
        if "://" in location or Archive(location).exists():
            return cls._archive(location, wanted)
        source = cls._files(location)
        return source.only(wanted) if wanted else source

    @classmethod
    def _archive(cls, location: str, wanted: list[str]) -> Source:
        """Read an archive: of its log only what is wanted, and as categoricals, since it may be large."""
        archive = Archive(location)
        told = cls(location, pd.DataFrame(Log.empty()), archive.read_schedules(), None, archive.read_fetches())
        ids = told._ids(wanted) if wanted else None
        log = archive.read_log(ids, categories=True)
        source = cls(location, log, told.schedules, archive.read_runs(ids), told.fetches)
        return source.only(wanted) if wanted else source

    @classmethod
    def _files(cls, location: str) -> Source:
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
        ids = self._ids(wanted)
        keep = {
            name: None if table is None else table[table["schedule_id"].isin(ids)].reset_index(drop=True)
            for name, table in (("schedules", self.schedules), ("runs", self.runs), ("fetches", self.fetches))
        }
        return Source(self.name, self.log[self.log["schedule_id"].isin(ids)].reset_index(drop=True), **keep)

    def _ids(self, wanted: list[str]) -> set[str]:
        """Ids of the schedules that are meant."""
        ids: set[str] = set()
        tables = (self.log, self.schedules, self.fetches)
        known = set().union(*(table["schedule_id"].unique() for table in tables if table is not None))
        names = None if self.schedules is None else self.schedules.set_index("schedule_id")["name"]
        for name in wanted:
            found = {name} & known | set(() if names is None else names.index[names == name])
            if not found:
                raise InputError(
                    f"There is no schedule {name!r} in {self.name}; expected an id or a name that is there."
                )
            ids |= found
        return ids
