"""A sync carries what the API shows into an archive, often enough that nothing is lost in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from schedlog_analysis.apify import Client, Fetched
from schedlog_analysis.archive import Archive
from schedlog_analysis.coverage import holes
from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.schema import WINDOWS, Log

# Runs started this long before the last sync are asked for again: their status may have changed since.
OVERLAP = timedelta(days=2)
# Sync when a window is filled by this much at the latest; a missed sync or two must not open a hole.
SAFETY = 3


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
        What failed, by schedule id (or ``"runs"``).
    """

    schedules: pd.DataFrame
    n_new_runs: int
    failures: dict[str, SchedlogError]


def sync(client: Client, archive: Archive, *, with_runs: bool = True) -> Synced:
    """
    Fetch definitions, logs and runs of a whole account and add what is new to the archive.

    Everything fetched is added at once per kind, and adding is a union: a sync that was interrupted, or ran twice at
    once, loses and doubles nothing.

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
    asked = list(fetched.n_entries)
    before = archive.read_fetches(asked)
    archive.append_schedules(fetched.schedules)
    new = archive.append(fetched.log, fetched.fetched_at, asked)
    failures = dict(fetched.failures)
    n_new_runs = 0
    if with_runs:
        try:
            n_new_runs = _sync_runs(client, archive, fetched)
        except SchedlogError as error:
            failures["runs"] = error
    table = _told(archive, fetched.schedules, new, before, asked)
    return Synced(table, n_new_runs, failures)


def next_sync(log: pd.DataFrame, fetches: pd.DataFrame) -> pd.DataFrame:
    """
    Tell how often each schedule must be synced, and by when.

    The window's size is not documented for sure, so the smaller of the two candidates counts: the time in which the
    schedule writes 250 entries at its recent pace, divided by three for safety.

    Returns
    -------
    table
        One row per schedule of `fetches`: schedule_id, sync_every, sync_by; missing where the pace is not known.
    """
    log = Log.accept(log)
    recent = log.sort_values(["schedule_id", "created_at"]).groupby("schedule_id", observed=True).tail(WINDOWS[0])
    pace = recent.groupby("schedule_id", observed=True)["created_at"].agg(["min", "max", "size"])
    looked = fetches.groupby("schedule_id", observed=True)["fetched_at"].max()
    pace = pace.reindex(looked.index)
    span = (pace["max"] - pace["min"]).where(pace["size"] > 1)
    every = (span / (pace["size"] - 1) * WINDOWS[0] / SAFETY).dt.floor("min")
    return pd.DataFrame(
        {
            "schedule_id": looked.index.astype("str"),
            "sync_every": every.astype("timedelta64[ms]").to_numpy(),
            "sync_by": (looked + every * SAFETY).astype("datetime64[ms, UTC]").array,
        }
    )


def _sync_runs(client: Client, archive: Archive, fetched: Fetched) -> int:
    """Ask for runs from a little before the last known start, at first from the first entry of any log."""
    last = archive.read_runs()["started_at"].max()
    since = fetched.log["created_at"].min() if pd.isna(last) else last - OVERLAP
    return 0 if pd.isna(since) else len(archive.append_runs(client.fetch_runs(since)))


def _told(
    archive: Archive, schedules: pd.DataFrame, new: pd.DataFrame, before: pd.DataFrame, asked: list[str]
) -> pd.DataFrame:
    fetches = archive.read_fetches(asked)
    log = archive.read_log(asked)
    n_holes = {name: _n_inner(table) for name, table in (("now", fetches), ("before", before))}
    table = next_sync(log, fetches).set_index("schedule_id").reindex(asked)
    names = schedules.drop_duplicates("schedule_id", keep="last").set_index("schedule_id")["name"]
    table["name"] = names.reindex(asked)
    table["n_new"] = new.groupby("schedule_id", observed=True).size().reindex(asked).fillna(0).astype(np.int64)
    now, earlier = (n_holes[name].reindex(asked).fillna(0) for name in ("now", "before"))
    table["has_hole"] = now > earlier
    return table.rename_axis("schedule_id").reset_index()


def _n_inner(fetches: pd.DataFrame) -> pd.Series[int]:
    gaps = holes(Log.empty(), fetches)
    inner = gaps[gaps["started_at"].notna() & gaps["ended_at"].notna()]
    return inner.groupby("schedule_id").size()
