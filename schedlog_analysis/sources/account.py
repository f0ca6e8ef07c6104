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

MOST_NAMED = 3  # schedules that a sentence names


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
            Schedules to keep, by id, name, title or how one of these begins; all by default.

        Raises
        ------
        InputError
            If there is nothing to read, it cannot be read, or a schedule is not there or one of several.
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
        ids = source.find_ids(wanted) if wanted else None
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

    def only(self, wanted: Iterable[str]) -> Source:
        """Keep some schedules, by id, name, title or how one of these begins."""
        ids = self.find_ids(wanted)
        keep = {
            name: None if table is None else table[table["schedule_id"].isin(ids)].reset_index(drop=True)
            for name, table in (("schedules", self.schedules), ("runs", self.runs), ("fetches", self.fetches))
        }
        log = self.log[self.log["schedule_id"].isin(ids)].reset_index(drop=True)
        skipped = tuple(each for each in self.skipped if each.schedule_id in ids | {""})
        return Source(self.name, log, **keep, skipped=skipped)

    def find_ids(self, wanted: Iterable[str]) -> set[str]:
        """Find the ids of schedules by id, name, title or how one of these begins."""
        tables = [table for table in (self.log, self.schedules, self.fetches) if table is not None]
        known: set[str] = set().union(*(table["schedule_id"].astype("str").unique() for table in tables))
        names: dict[str, set[str]] = {schedule_id: {schedule_id} for schedule_id in known}
        if self.schedules is not None:
            for column in ("name", "title"):
                named = self.schedules[["schedule_id", column]].dropna().astype("str").drop_duplicates()
                for schedule_id, name in named.itertuples(index=False):
                    names.setdefault(name, set()).add(schedule_id)
        return set().union(*(self._meant(text, names) for text in wanted))

    def _meant(self, text: str, names: dict[str, set[str]]) -> set[str]:
        """Ids of the schedules of that name, else of the only one with a name that begins so."""
        if text in names:
            return names[text]
        begin = text.casefold()
        begun = [(name, ids) for name, ids in sorted(names.items()) if begin and name.casefold().startswith(begin)]
        ids = set().union(*(ids for _, ids in begun))
        if len(ids) > 1:
            several = ", ".join(repr(name) for name, _ in begun[:MOST_NAMED])
            where = f"{len(ids)} schedules in {self.name}, such as {several}"
            raise InputError(f"{text!r} begins the names of {where}; expected more of the name.")
        if not ids:
            raise InputError(
                f"There is no schedule {text!r} in {self.name}; expected an id, a name or a title, or its beginning."
            )
        return ids
