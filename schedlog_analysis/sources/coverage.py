"""
Coverage is what a log could have shown: before anything is called missed, this says whether anybody was looking.

The API shows the newest entries of a schedule only. Whoever kept each answer knows which stretches no answer could show
(`Fetches`); whoever has one log can only tell from its length that older entries may have been cut off.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import blocks, encode, is_sorted
from schedlog_analysis._core.instants import to_instants, to_ms
from schedlog_analysis._core.table import EARLIEST, LATEST
from schedlog_analysis.schema import Coverage, Fetches, Holes, Log, Schedules, is_full

_EVER = EARLIEST - pd.Timedelta(1, "D")  # before every instant that a table may hold


def coverage(log: pd.DataFrame, fetches: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    Say for each schedule what its log can and cannot show.

    Parameters
    ----------
    log
        Log of any number of schedules, see `schema.Log`.
    fetches
        What was fetched when, see `schema.Fetches`. Without it the log is taken for one answer of the API per schedule.

    Returns
    -------
    coverage
        One row per schedule of `log` or `fetches`, see `schema.Coverage`; empty if there is none.

    Examples
    --------
    >>> from schedlog_analysis.schema import Log
    >>> coverage(Log.empty())["is_truncated"].tolist()
    []
    """
    return covered(extent(Log.accept(log)), fetches)


def extent(log: pd.DataFrame) -> pd.DataFrame:
    """Say of each schedule of a Log, its index, the first and the last instant and the number of entries."""
    codes, ids = encode(log["schedule_id"])
    created = to_ms(log["created_at"])
    if not is_sorted(codes, created):
        order = np.lexsort((created, codes))
        codes, created = codes[order], created[order]
    first, n = blocks(codes)
    bounds = {"first_at": to_instants(created[first]), "last_at": to_instants(created[first + n - 1])}
    return pd.DataFrame(bounds | {"n_entries": n}, index=pd.Index(ids, dtype="str", name="schedule_id"))


def find_holes(table: pd.DataFrame, fetches: pd.DataFrame | None = None) -> pd.DataFrame:
    """Do what `holes` does, with no more of the log than its `extent`."""
    return _before_full_windows(table) if fetches is None else _outside_windows(Fetches.accept(fetches))


def covered(
    table: pd.DataFrame, fetches: pd.DataFrame | None = None, found: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Do what `coverage` does, with no more of the log than its `extent`; where the holes are known, give them."""
    found = find_holes(table, fetches) if found is None else found
    is_cut = found["started_at"].isna() & found["ended_at"].notna()
    inner = found[found["started_at"].notna() & found["ended_at"].notna()]
    # Before the first entry nothing is measured, so a hole before it takes nothing away.
    since = table["first_at"].reindex(inner["schedule_id"]).set_axis(inner.index)
    lasted = inner["ended_at"].clip(lower=since) - inner["started_at"].clip(lower=since)
    lost = lasted.groupby(inner["schedule_id"]).sum()
    table, last_look = table.copy(), table["last_at"]
    if fetches is not None:
        looks = Fetches.accept(fetches).groupby("schedule_id", observed=True)["fetched_at"].max()
        table = table.reindex(table.index.union(looks.index))
        table["n_entries"] = table["n_entries"].fillna(0)
        last_look = looks.reindex(table.index).fillna(table["last_at"])
    table["is_truncated"] = table.index.isin(found.loc[is_cut, "schedule_id"])
    table["n_holes"] = inner.groupby("schedule_id").size().reindex(table.index).fillna(0)
    seconds = (last_look - table["first_at"]).dt.total_seconds()
    lost_seconds = lost.reindex(table.index).dt.total_seconds().fillna(0.0) if len(lost) else 0.0
    share = 1 - lost_seconds / seconds.where(seconds > 0, 1.0)
    table["observed_share"] = share.clip(0, 1).where(table["first_at"].notna())
    return Coverage.typed(table.rename_axis("schedule_id").reset_index())


def holes(log: pd.DataFrame, fetches: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    List the stretches of time that each schedule's log cannot show.

    Returns
    -------
    holes
        One row per stretch, see `schema.Holes`: before a truncated log's first entry (no start), between two fetches
        whose windows do not touch, and after the last fetch (no end). Empty if everything could be seen.

    Examples
    --------
    >>> from schedlog_analysis import load_sample
    >>> holes(load_sample().log)["ended_at"].dt.date.tolist()  # one log had reached 1,000 entries
    [datetime.date(2026, 9, 21)]
    """
    return find_holes(extent(Log.accept(log)), fetches)


def data_end(log: pd.DataFrame, schedules: pd.DataFrame | None = None) -> pd.Timestamp | None:
    """
    Tell when the data of a whole account ends; None if there is nothing to tell it from.

    No clock is read: the latest entry or `last_run_at` was surely seen, and every tick before the earliest
    `next_run_at` was already due when the definitions were fetched.
    """
    log = Log.accept(log)
    seen = [log["created_at"].max()]
    upcoming: pd.Timestamp | None = None
    if schedules is not None:
        definitions = Schedules.accept(schedules)
        seen.append(definitions["last_run_at"].max())
        upcoming = _next_tick(definitions)
    # The end of a period is half-open: the last entry itself must be inside.
    candidates = [upcoming, *(instant + pd.Timedelta(1, "ms") for instant in seen)]
    return max((instant for instant in candidates if not pd.isna(instant)), default=None)


def _next_tick(definitions: pd.DataFrame) -> pd.Timestamp:
    """Earliest next tick of the schedules as they are now; missing where one of them does not tell its own."""
    latest = definitions.sort_values("modified_at").drop_duplicates("schedule_id", keep="last")
    return cast("pd.Timestamp", latest.loc[latest["is_enabled"], "next_run_at"].min(skipna=False))


def _before_full_windows(table: pd.DataFrame) -> pd.DataFrame:
    """List the stretches before the logs whose length is that of a full window."""
    cut = table[is_full(table["n_entries"])]
    return Holes.typed(
        pd.DataFrame({"schedule_id": cut.index.astype("str"), "started_at": pd.NaT, "ended_at": cut["first_at"].array})
    )


def _outside_windows(fetches: pd.DataFrame) -> pd.DataFrame:
    """
    List what no fetch could show.

    A fetch looked through a window: from its first entry, or from ever where nothing was cut off, to the fetch itself.
    Between two fetches lies a hole where no later window reaches back to the earlier fetch. Example: fetched at 10 and
    at 20, the second window begins at 15; the hole is 10 to 15, unless a fetch at 21 shows entries from 2 on.
    """
    looks = fetches.assign(schedule_id=fetches["schedule_id"].astype("str"))
    looks = looks.sort_values(["schedule_id", "fetched_at"], ignore_index=True)
    ids, looked = looks["schedule_id"], looks["fetched_at"]
    begin = _window_starts(looks)
    # A later window may reach back over an earlier fetch: what counts is the earliest start from this fetch on.
    reach = begin[::-1].groupby(ids[::-1]).cummin()[::-1]
    before = looked.groupby(ids).shift()
    is_hole = reach > before.fillna(_EVER)
    is_last = ~ids.duplicated(keep="last")
    between = pd.DataFrame({"schedule_id": ids, "started_at": before, "ended_at": reach})[is_hole]
    after = pd.DataFrame({"schedule_id": ids, "started_at": looked, "ended_at": pd.NaT})[is_last]
    table = pd.concat([Holes.typed(between), Holes.typed(after)])
    return table.sort_values(["schedule_id", "started_at"], na_position="first", ignore_index=True)


def _window_starts(looks: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Tell from when on each fetch, sorted by schedule and time, could show entries; `_EVER` if nothing was cut off."""
    ids, n_entries = looks["schedule_id"], looks["n_entries"]
    begin = looks["first_at"].fillna(looks["fetched_at"])
    # RULE 1: an entry that an earlier fetch showed and this one does not has fallen out of the window, whatever the
    # window's size: that it is 250 or 1000 entries is documented, or likely, but not sure.
    oldest = looks["first_at"].fillna(LATEST).groupby(ids).cummin()
    has_rolled = oldest < begin
    # RULE 2: an answer as long as one that had rolled was cut off too.
    window = n_entries.where(has_rolled & (n_entries > 0)).groupby(ids).transform("min")
    is_cut = looks["is_truncated"] | has_rolled | (n_entries >= window)
    return begin.where(is_cut, _EVER)
