"""`analyze` is `Analysis.build` for an archive of any size: the same tables with the same figures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.account.batches import Contents
from schedlog_analysis.account.combine import combine, stack
from schedlog_analysis.account.options import Options, takes_options
from schedlog_analysis.account.part import Clock, Scope, newest
from schedlog_analysis.account.workers import Work, work_on
from schedlog_analysis.analysis.period import Period
from schedlog_analysis.errors import ConfigError, InputError
from schedlog_analysis.sources.archive import Archive

BATCH = 1_000_000  # [entries] of a batch: what an analysis holds in memory is proportional to it
WORST = 20


@dataclass(frozen=True, repr=False)
class FleetAnalysis(Analysis):
    """
    An analysis of a fleet: all figures of all schedules, but single ticks of the worst ones only.

    Attributes
    ----------
    worst
        Ids of the schedules whose ticks, invocations, failures and runs are here, the worst first.
    """

    worst: tuple[str, ...] = ()


@takes_options
def analyze(
    archive: Archive | str | os.PathLike[str],
    period: str | Period | None = None,
    *,
    scheduler: object = None,
    worst: int = WORST,
    batch_entries: int = BATCH,
    options: Options | None = None,
    **changes: Any,  # noqa: ANN401 - as `Changes` says, whose period stands above
) -> FleetAnalysis:
    """
    Analyse a whole archive, however large, in batches of whole schedules.

    Parameters
    ----------
    archive
        An `Archive`, or where it is.
    period
        What to analyse, see `Period.parse`; that of the options otherwise.
    scheduler
        Where to compute. None: in this process. ``"processes"`` or a number: in that many processes of this machine.
        ``"tcp://…"`` or a ``dask.distributed.Client``: on the workers of Dask, which must reach the archive by the same
        name. All but None need the extra ``dask``; in a script, processes need ``if __name__ == "__main__":``.
    worst
        Number of schedules to keep single ticks of.
    batch_entries
        Entries of a batch, but a schedule is never cut. Memory is in proportion: see Notes.
    options, changes
        See `Analysis.build`; all schedules are analysed.

    Returns
    -------
    analysis
        What `Analysis.build` gives for the same archive, but `ticks`, `invocations`, `failures` and `runs` are those of
        the worst schedules only. A schedule that cannot be analysed is in `errors` instead.

    Raises
    ------
    InputError
        If there is no archive, or an argument cannot be read.
    ArchiveError
        If the archive cannot be listed.

    Notes
    -----
    An archive is read batch by batch, two at a time in this process. Beyond what the libraries need, memory is at most
    about 300 bytes for each entry of the batches at work, 200 MB for reading, and what grows with the answer: some
    kilobytes a schedule, and 20 bytes for each moment at which anything was planned if there is an objective. A file
    that has not been compacted holds all schedules and is read for every batch: run `Archive.compact` first.

    Examples
    --------
    >>> import tempfile
    >>> from schedlog_analysis import load_sample
    >>> sample = load_sample()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     archive = Archive(folder)
    ...     new = archive.append(sample.log, fetched_at="2026-11-01T00:00Z")
    ...     new = archive.append_schedules(sample.schedules)
    ...     analyze(archive, "2026-10")
    <Analysis of 14 schedules, October 2026>
    """
    archive = archive if isinstance(archive, Archive) else Archive(archive)
    if not archive.exists():
        raise InputError(f"There is no archive in {archive.location!r}; expected one, see `schedlog sync`.")
    given = Options.of(options, changes if period is None else changes | {"period": period})
    if given.schedule_ids:
        raise ConfigError("A few schedules need no batches, which are of all; expected no `schedule_ids`.")
    contents, definitions = Contents.of(archive), archive.read_schedules()
    fetches = archive.read_fetches()
    clock = Clock.of(contents.extent(), definitions, fetches, given.tz)
    scope = Scope.of(given, clock, has_runs=bool(contents.files["runs"]))
    work = Work(archive, definitions, scope)
    batches = contents.batches(_others(fetches, definitions), batch_entries)
    done = work_on(work, batches or [contents.batch(())], scheduler)
    tables, failures = combine(done.parts, done.sums, scope, given.objective)
    everyone = {schedule_id for batch in batches for schedule_id in batch.ids}
    chosen = _worst(tables, everyone - done.errors.keys(), worst)
    details = work.make_part(contents.batch(tuple(sorted(chosen))), with_details=True).details
    details = {name: stack([table]) for name, table in details.items()}
    return FleetAnalysis(
        period=scope.period,
        previous=scope.previous,
        policy=scope.policy,
        schedules=newest(definitions),
        **tables,
        **details,
        failures=failures[failures["schedule_id"].isin(chosen)].reset_index(drop=True),
        data_end=clock.end,
        seen_until=clock.seen_until.drop("", errors="ignore"),
        objective=given.objective,
        grace=given.grace,
        worst=tuple(chosen),
        errors=done.errors,
    )


def _others(fetches: pd.DataFrame, definitions: pd.DataFrame) -> pd.Index[str]:
    """Name the schedules that are known without an entry, too."""
    return pd.Index({*definitions["schedule_id"], *fetches["schedule_id"]}, dtype="str")


def _worst(tables: dict[str, pd.DataFrame], everyone: Iterable[str], n: int) -> list[str]:
    """Choose the schedules that need attention most: down now, then with incidents, then by error rate."""
    incidents, rates = tables["incidents"], tables["rates"].set_index("schedule_id")
    ids = pd.Index(sorted(everyone), dtype="str")
    state = pd.DataFrame(
        {
            "is_open": ids.isin(incidents.loc[incidents["ended_at"].isna(), "schedule_id"]),
            "is_hit": ids.isin(incidents["schedule_id"]),
            "rate": rates["error_rate"].reindex(ids).fillna(0.0),
            "n_failed": rates["n_failed"].reindex(ids).fillna(0),
        },
        index=ids,
    )
    return state.sort_values(list(state.columns), ascending=False, kind="stable").index[:n].tolist()
