"""Fetched is what one walk over many schedules brought home, and what it did not."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.sources.parse import Skipped


@dataclass(frozen=True, eq=False, repr=False)
class Fetched:
    """
    What one walk over many schedules brought home, and what it did not.

    Attributes
    ----------
    log
        Entries of all schedules that answered, see `schema.Log`.
    schedules
        Their definitions, see `schema.Schedules`.
    n_entries
        Entries per schedule that answered, also those that could not be read; 0 where the log is empty.
    failures
        Error per schedule that did not answer, or not so that anything could be read.
    fetched_at
        When the walk began: entries written later may be missing. By this machine's clock, unless the API's, as its
        answers tell it (``Date``), differs.
    skipped
        Entries and schedules that could not be read, or not wholly; the rest of each answer was.
    clock
        Sentence about this machine's clock where it is minutes wrong, else empty.
    """

    log: pd.DataFrame
    schedules: pd.DataFrame
    n_entries: dict[str, int]
    failures: dict[str, SchedlogError]
    fetched_at: pd.Timestamp
    skipped: tuple[Skipped, ...] = ()
    clock: str = ""

    def __repr__(self) -> str:
        n, failed = len(self.n_entries), len(self.failures)
        odd = f", {len(self.skipped)} odd objects" if self.skipped else ""
        return f"<Fetched: {len(self.log)} entries of {n} schedules, {failed} failed{odd}, at {self.fetched_at}>"
