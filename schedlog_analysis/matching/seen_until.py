"""Seen until is the instant up to which a schedule's log is known: what was due by then and left no trace is missed."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis.schema import Fetches, Log, Schedules

CLOCKS = pd.Timedelta("5min")  # how far the clock of whoever fetched may be behind the platform's
ABSURD = pd.Timedelta(400, "D")  # an entry so long after all else that is known of the account is not believed


def seen_until(
    log: pd.DataFrame, schedules: pd.DataFrame | None = None, fetches: pd.DataFrame | None = None
) -> pd.Series[pd.Timestamp]:
    """
    Tell until when each schedule's log is known.

    Parameters
    ----------
    log
        Log of the whole account, see `schema.Log`.
    schedules
        Definitions, all versions known, see `schema.Schedules`.
    fetches
        What was fetched when, see `schema.Fetches`.

    Returns
    -------
    seen_until
        An instant by schedule id, sorted, for every schedule of one of the tables; empty if there is none.

    Notes
    -----
    A schedule's log is known until its newest fetch. Without fetches it is known until the account's last sign of life:
    its last entry or last run, or the earliest next run where all schedules tell theirs, as nothing was due between the
    fetch of the definitions and that. It is never later than the schedule's own next run, which had not come yet then,
    unless it has an entry of its own after it. No clock is read, and a clock that is broken (see `broken_clocks`) is no
    sign of life.

    Examples
    --------
    >>> log = Log.cast(pd.DataFrame({
    ...     "schedule_id": ["a", "b"], "created_at": ["2026-01-01T00:00Z", "2026-01-02T00:00Z"],
    ...     "level": "INFO", "message": "Schedule invoked"}))
    >>> seen_until(log).dt.day.to_dict()
    {'a': 2, 'b': 2}
    """
    log = Log.accept(log)
    newest = _newest_definitions(schedules)
    believed = log[~broken_clocks(log, schedules, fetches)]
    own = believed["created_at"].groupby(believed["schedule_id"].astype("str")).max()
    # No tick of any schedule lies between the fetch of the definitions and the earliest next run that they tell.
    upcoming_first = newest.loc[newest["is_enabled"].astype(bool), "next_run_at"].min(skipna=False)
    signs = (own.max(), newest["last_run_at"].max(), upcoming_first)
    life = max((instant for instant in signs if not pd.isna(instant)), default=pd.NaT)
    looks = _newest_looks(fetches)
    everyone = own.index.union(newest.index).union(looks.index).sort_values()
    known = pd.Series(life, index=everyone, dtype="datetime64[ms, UTC]")
    upcoming = newest["next_run_at"].reindex(everyone)
    known = known.where(upcoming.isna() | (upcoming >= known), upcoming)
    known = pd.concat([known, own.reindex(everyone)], axis=1).max(axis=1)
    return looks.reindex(everyone).fillna(known).rename("seen_until").rename_axis("schedule_id")


def broken_clocks(
    log: pd.DataFrame, schedules: pd.DataFrame | None = None, fetches: pd.DataFrame | None = None
) -> pd.Series[bool]:
    """
    Tell which entries of a log cannot be believed, as their time lies after the fetch that brought them.

    Parameters
    ----------
    log, schedules, fetches
        As for `seen_until`.

    Returns
    -------
    is_broken
        One flag per entry, in the order of the log. Of schedules without fetches those are flagged that lie more than
        400 days after all else that is known of the account, if they are few.

    Examples
    --------
    >>> log = Log.cast(pd.DataFrame({
    ...     "schedule_id": "a", "created_at": ["2026-01-01T00:00Z", "2026-01-02T00:00Z", "2035-01-01T00:00Z"],
    ...     "level": "INFO", "message": "Schedule invoked"}))
    >>> broken_clocks(log).tolist()
    [False, False, True]
    """
    log = Log.accept(log)
    looks = _newest_looks(fetches).reindex(pd.Index(log["schedule_id"].astype("str"))).set_axis(log.index)
    is_fetched = looks.notna()
    is_broken = is_fetched & (log["created_at"] > looks + CLOCKS)
    return is_broken | (~is_fetched & (log["created_at"] > _last_plausible(log, schedules)))


def _last_plausible(log: pd.DataFrame, schedules: pd.DataFrame | None) -> pd.Timestamp:
    """Find the latest instant that can be believed of the account: where the last absurd jump of its clock begins."""
    instants = log["created_at"].sort_values(ignore_index=True)
    latest = pd.Timestamp.max.tz_localize("UTC").as_unit("ms")
    jumps = instants.index[instants.diff() > ABSURD]
    if not len(jumps):
        return latest
    known = [instants[jumps[-1] - 1]]
    if schedules is not None:
        columns = Schedules.accept(schedules)[["modified_at", "last_run_at", "next_run_at"]]
        known += columns.max().dropna().tolist()
    is_few = len(instants) - jumps[-1] <= max(1, len(instants) // 50)
    return max(known) + ABSURD if is_few else latest


def _newest_definitions(schedules: pd.DataFrame | None) -> pd.DataFrame:
    """Give the newest version of each schedule, by its id."""
    table = pd.DataFrame(Schedules.empty()) if schedules is None else Schedules.accept(schedules)
    newest = table.sort_values("modified_at", kind="stable").drop_duplicates("schedule_id", keep="last")
    return newest.set_index(pd.Index(newest["schedule_id"].astype("str")))


def _newest_looks(fetches: pd.DataFrame | None) -> pd.Series[pd.Timestamp]:
    """Give the newest fetch of each schedule, by its id."""
    table = pd.DataFrame(Fetches.empty()) if fetches is None else Fetches.accept(fetches)
    return table["fetched_at"].groupby(table["schedule_id"].astype("str")).max()
