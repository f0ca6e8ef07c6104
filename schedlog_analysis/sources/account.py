"""A source is where an account's tables are read from: an archive, a folder of the API's answers, or one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from schedlog_analysis.errors import InputError
from schedlog_analysis.schema import Log
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.files import find_archive, read_log, read_runs, read_schedules
from schedlog_analysis.sources.parse import Skipped


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
    skipped
        Entries, schedules and runs that could not be read, or not wholly: a report must say so.
    """

    name: str
    log: pd.DataFrame
    schedules: pd.DataFrame | None = None
    runs: pd.DataFrame | None = None
    fetches: pd.DataFrame | None = None
    skipped: tuple[Skipped, ...] = ()

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
        archive = find_archive(location)
        if archive is not None:
            return cls._read_archive(archive, wanted)
        source = cls._read_files(location)
        return source.only(wanted) if wanted else source

    @classmethod
    def _read_archive(cls, archive: Archive, wanted: list[str]) -> Source:
        """Read an archive: of its log only what is wanted, and as categoricals, since it may be large."""
        empty = pd.DataFrame(Log.empty())
        source = cls(archive.location, empty, archive.read_schedules(), None, archive.read_fetches())
        ids = source._find_ids(wanted) if wanted else None
        source = replace(source, log=archive.read_log(ids, categories=True), runs=archive.read_runs(ids))
        return source.only(wanted) if wanted else source

    @classmethod
    def _read_files(cls, location: str) -> Source:
        path = Path(location).expanduser()
        if not path.exists():
            raise InputError(f"There is no {location!r}; expected an archive, a folder or a file of schedule logs.")
        skipped: list[Skipped] = []
        log = read_log(path, skipped=skipped)
        if path.is_file():
            return cls(location, log, skipped=tuple(skipped))
        has = {name: (path / f"{name}.json").exists() for name in ("schedules", "runs")}
        schedules = read_schedules(path, skipped=skipped) if has["schedules"] else None
        runs = read_runs(path, skipped=skipped) if has["runs"] else None
        return cls(location, log, schedules, runs, skipped=tuple(skipped))

    def only(self, wanted: list[str]) -> Source:
        """Keep some schedules, by id or name."""
        ids = self._find_ids(wanted)
        keep = {
            name: None if table is None else table[table["schedule_id"].isin(ids)].reset_index(drop=True)
            for name, table in (("schedules", self.schedules), ("runs", self.runs), ("fetches", self.fetches))
        }
        log = self.log[self.log["schedule_id"].isin(ids)].reset_index(drop=True)
        skipped = tuple(each for each in self.skipped if each.schedule_id in ids | {""})
        return Source(self.name, log, **keep, skipped=skipped)

    def _find_ids(self, wanted: list[str]) -> set[str]:
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
