"""A sync carries what the API shows into an archive, often enough that nothing is lost in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from schedlog_analysis.errors import ArchiveError, SchedlogError
from schedlog_analysis.schema import WINDOWS, Fetches, Log, Runs
from schedlog_analysis.sources.archive import Archive
from schedlog_analysis.sources.client import Client
from schedlog_analysis.sources.coverage import holes
from schedlog_analysis.sources.fetched import Fetched
from schedlog_analysis.sources.parse import Skipped

# Runs started this long before the last known one are asked for again: their status may have changed since.
OVERLAP = timedelta(days=2)
# A run that has not ended yet is asked for again until it is so old.
LONGEST = timedelta(days=14)
# Sync when a window is filled by this much at the latest; a missed sync or two must not open a hole.
SAFETY = 3
# Entries closer together may be of one tick, which says nothing about the pace.
ONE_TICK = pd.Timedelta(seconds=10)
# Every sync adds files, every reading opens them: a month with so many is merged.
MANY_PARTS = 50


@dataclass(frozen=True)
class Synced:
    """
    What one sync did.

    Attributes
    ----------
    schedules
        One row per schedule: schedule_id, name, n_new (entries), has_hole (whether one opened since the last sync),
        sync_by (when the window may have rolled past what the archive has; missing when nothing is known), sync_every.
    n_new_runs
        Runs that the archive did not have.
    failures
        What failed, by schedule id (or ``"runs"``, or ``"archive"`` where old files could not be read: what is new was
        added all the same).
    skipped
        Entries, schedules and runs that could not be read, or not wholly; everything else was added.
    clock
        Sentence about this machine's clock where it is minutes wrong, else empty.
    """

    schedules: pd.DataFrame
    n_new_runs: int
    failures: dict[str, SchedlogError]
    skipped: tuple[Skipped, ...] = ()
    clock: str = ""


def sync(client: Client, archive: Archive, *, with_runs: bool = True) -> Synced:
    """
    Fetch definitions, logs and runs of a whole account and add what is new to the archive.

    Everything fetched is added at once per kind, and adding is a union: a sync that was interrupted, or ran twice at
    once, loses and doubles nothing. Now and then the archive is compacted.

    Parameters
    ----------
    client
        Whose account to fetch.
    archive
        Where to add it.
    with_runs
        Whether to fetch runs too.

    Returns
    -------
    synced
        What is new and what failed; one failing schedule does not cost the others.

    Raises
    ------
    ApifyError
        If the account's schedules cannot be listed.
    ArchiveError
        If the archive cannot be written.
    """
    fetched = client.fetch_logs()
    ids = list(fetched.n_entries)
    # Written before anything is read, and the log first: a file damaged long ago must not cost what is new.
    new = archive.append(fetched.log, fetched.fetched_at, fetched.n_entries)
    archive.append_schedules(fetched.schedules)
    failures = dict(fetched.failures)
    skipped = list(fetched.skipped)
    n_new_runs = 0
    if with_runs:
        try:
            n_new_runs = _sync_runs(client, archive, fetched, skipped)
        except SchedlogError as error:
            failures["runs"] = error
    try:
        fetches = _read_looks(archive, ids, fetched.fetched_at)
        archive.compact(MANY_PARTS)
    except ArchiveError as error:
        failures["archive"] = error
        fetches = pd.DataFrame(Fetches.empty())
    return Synced(_summarize(fetched, new, fetches), n_new_runs, failures, tuple(skipped), fetched.clock)


def next_sync(log: pd.DataFrame, fetches: pd.DataFrame) -> pd.DataFrame:
    """
    Tell how often each schedule must be synced, and by when.

    The window's size is not documented for sure, so the smaller of the two candidates counts unless an answer was
    longer: the time in which the schedule fills it at its recent pace, divided by three for safety.

    Parameters
    ----------
    log
        At least the newest entries of each schedule.
    fetches
        At least the latest fetch of each schedule.

    Returns
    -------
    table
        One row per schedule of `fetches`: schedule_id, sync_every, sync_by; missing where the pace is not known.

    Examples
    --------
    >>> list(next_sync(Log.empty(), Fetches.empty()))
    ['schedule_id', 'sync_every', 'sync_by']
    """
    log = Log.accept(log)
    recent = log.sort_values(["schedule_id", "created_at"]).groupby("schedule_id", observed=True).tail(WINDOWS[0])
    pace = recent.groupby("schedule_id", observed=True)["created_at"].agg(["min", "max", "size"])
    looked = fetches.groupby("schedule_id", observed=True)["fetched_at"].max()
    pace = pace.reindex(looked.index)
    window = max(WINDOWS[0], fetches["n_entries"].max()) if len(fetches) else WINDOWS[0]
    span = (pace["max"] - pace["min"]).where(pace["max"] - pace["min"] >= ONE_TICK)
    full = span / (pace["size"] - 1) * window
    return pd.DataFrame(
        {
            "schedule_id": looked.index.astype("str"),
            "sync_every": (full / SAFETY).dt.floor("s").astype("timedelta64[ms]").to_numpy(),
            "sync_by": (looked + full).dt.floor("s").astype("datetime64[ms, UTC]").array,
        }
    )


def _sync_runs(client: Client, archive: Archive, fetched: Fetched, skipped: list[Skipped]) -> int:
    """Ask for runs from where this account's are not settled yet, at first from the first entry of any log."""
    since = fetched.log["created_at"].min()
    try:
        known = archive.read_runs(fetched.schedules["schedule_id"], fetched.fetched_at - LONGEST)
    except ArchiveError:
        known = pd.DataFrame(Runs.empty())  # then they are asked for again
    if len(known):
        open_since = known.loc[known["finished_at"].isna(), "started_at"].min()
        since = min(at for at in (open_since, known["started_at"].max() - OVERLAP) if pd.notna(at))
    return 0 if pd.isna(since) else len(archive.append_runs(client.fetch_runs(since, skipped=skipped)))


def _read_looks(archive: Archive, ids: list[str], fetched_at: pd.Timestamp) -> pd.DataFrame:
    """Read the latest fetch of each schedule and the one before; only a schedule not seen of late costs more."""
    recent = archive.read_fetches(ids, fetched_at - OVERLAP)
    has_both = set(recent.loc[recent["fetched_at"] < fetched_at, "schedule_id"]) >= set(ids)
    return recent if has_both else archive.read_fetches(ids)


def _summarize(fetched: Fetched, new: pd.DataFrame, fetches: pd.DataFrame) -> pd.DataFrame:
    ids = pd.Index(fetched.n_entries, dtype="str", name="schedule_id")
    names = fetched.schedules.drop_duplicates("schedule_id", keep="last").set_index("schedule_id")["name"]
    table = next_sync(fetched.log, fetches).set_index("schedule_id").reindex(ids)
    table["name"] = names.reindex(ids)
    table["n_new"] = new.groupby("schedule_id", observed=True).size().reindex(ids).fillna(0).astype(np.int64)
    table["has_hole"] = ids.isin(_find_opened(fetches[fetches["fetched_at"] <= fetched.fetched_at]))
    return table.reset_index()


def _find_opened(fetches: pd.DataFrame) -> pd.Series[str]:
    """Name the schedules whose latest fetch does not reach back to the fetch before it."""
    found = holes(Log.empty(), fetches)
    ends = found[found["ended_at"].notna()].groupby("schedule_id")["started_at"].max()
    last_two = fetches.sort_values("fetched_at").groupby("schedule_id").tail(2)
    before = last_two.groupby("schedule_id")["fetched_at"].min()
    return pd.Series(ends.index[ends == before.reindex(ends.index)], dtype="str")
