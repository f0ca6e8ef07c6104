"""Work is what turns a batch into its share, here or on a worker, and what collects the shares of all batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from schedlog_analysis._core.files import tqdm
from schedlog_analysis.account.batches import Batch, Contents
from schedlog_analysis.account.engines import run
from schedlog_analysis.account.kept import Kept
from schedlog_analysis.account.part import Known, Question, Share, Tables
from schedlog_analysis.account.sums import Sums
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.sources.archive import Archive


class Result(NamedTuple):
    """Shares in the order of the schedules, and what went wrong, by schedule."""

    shares: list[Share]
    errors: dict[str, Exception]


@dataclass(frozen=True)
class Work:
    """What is done to every batch."""

    archive: Archive
    definitions: pd.DataFrame
    asked: Question

    def __call__(self, batch: Batch) -> Result:
        """Compute a share; where that fails, those of both halves, until the schedule is found that it is due to."""
        try:
            return Result([Share.of(self.read(batch), self.known(batch), self.asked)], {})
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the other schedules
            if len(batch.ids) == 1:
                return Result([], {batch.ids[0]: error})
        halves = [self(half) for half in batch.halves()]
        errors = {name: error for half in halves for name, error in half.errors.items()}
        return Result([share for half in halves for share in half.shares], errors)

    def read(self, batch: Batch) -> pd.DataFrame:
        """Read the log of a batch, as it was when the analysis began."""
        try:
            return batch.read()
        except FileNotFoundError:  # a compaction has replaced a file; what was added since is not asked for
            log = Contents.of(self.archive).batch(batch.ids).read()
            return log[log["created_at"] < self.asked.end].reset_index(drop=True)

    def known(self, batch: Batch) -> Known:
        """Read what is known of a batch's schedules beside their log."""
        mine = self.definitions[self.definitions["schedule_id"].isin(batch.ids)].reset_index(drop=True)
        fetches, runs = self.archive.read_fetches(batch.ids), self.archive.read_runs(batch.ids)
        return Known(mine, fetches, runs, self.definitions)

    def nothing(self) -> Share:
        """Give the share of no schedule, which has all tables with their columns."""
        known = Known(Schedules.empty(), self.archive.read_fetches([]), self.archive.read_runs([]), self.definitions)
        return Share.of(Log.empty(), known, self.asked)


class Done(NamedTuple):
    """What all batches contribute: tables in the order of the schedules, sums, and what went wrong."""

    parts: list[Tables]
    sums: Tables
    errors: dict[str, Exception]


def work_on(work: Work, batches: list[Batch], scheduler: object, kept: Kept | None) -> Done:
    """
    Work on all batches, showing how many entries are done.

    Raises
    ------
    Exception
        If not one schedule could be analysed: what went wrong with the first.
    """
    parts: dict[int, list[Tables]] = {}
    sums, errors = Sums(), dict[str, Exception]()
    total = sum(batch.n_entries for batch in batches)
    with tqdm(desc="Analysing", total=total, unit="entry", unit_scale=True, disable=None, leave=False, delay=1) as bar:
        for number, result in _results(work, batches, scheduler, kept):
            parts[number] = [share.tables for share in result.shares]
            for share in result.shares:
                sums.add(share.counts)
            errors |= result.errors
            bar.update(batches[number].n_entries)
    ordered = [part for number in range(len(batches)) for part in parts[number]]
    if errors and not ordered:
        raise next(iter(errors.values()))
    if not ordered:
        nothing = work.nothing()
        ordered = [nothing.tables]
        sums.add(nothing.counts)
    return Done(ordered, sums.tables(), errors)


def _results(work: Work, batches: list[Batch], scheduler: object, kept: Kept | None) -> Iterator[tuple[int, Result]]:
    """Give what is kept of an earlier attempt, then the rest as it is done."""
    rest = []
    for number, batch in enumerate(batches):
        share = None if kept is None else kept.load(batch)
        if share is None:
            rest.append(number)
        else:
            yield number, Result([share], {})
    for place, result in run(work, [batches[number] for number in rest], scheduler):
        if kept is not None and len(result.shares) == 1 and not result.errors:
            kept.save(batches[rest[place]], result.shares[0])
        yield rest[place], result
