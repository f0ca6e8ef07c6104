"""Workers make the parts of an archive, batch by batch: in this process, or in others through Dask."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from schedlog_analysis._core.files import tqdm
from schedlog_analysis.account.batches import Batch, Contents
from schedlog_analysis.account.part import Known, Made, Part, Scope, make_parts
from schedlog_analysis.account.sums import Sums
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.sources.archive import Archive

_THREADS = 2  # numpy lets others compute while it does; a third would find nothing to do
_RETRIES = 3  # of a batch whose worker died


@dataclass(frozen=True)
class Work:
    """What is done to every batch."""

    archive: Archive
    definitions: pd.DataFrame
    scope: Scope

    def __call__(self, batch: Batch) -> Made:
        """Make the part of a batch; where that fails, those of its halves."""
        return make_parts(batch.ids, lambda ids: self.make_part(batch.only(ids)))

    def make_part(self, batch: Batch, *, with_details: bool = False) -> Part:
        """Make the part of a batch."""
        own = self.definitions[self.definitions["schedule_id"].isin(batch.ids)].reset_index(drop=True)
        fetches, runs = self.archive.read_fetches(batch.ids), self.archive.read_runs(batch.ids)
        known = Known(own, fetches, runs, self.definitions)
        return Part.of(self._read(batch), known, self.scope, with_details=with_details)

    def _read(self, batch: Batch) -> pd.DataFrame:
        """Read the log of a batch, as it was when the analysis began."""
        try:
            return batch.read()
        except FileNotFoundError:  # a compaction has replaced a file; what was added since is not wanted
            log = Contents.of(self.archive).batch(batch.ids).read()
            return log[log["created_at"] < self.scope.clock.now].reset_index(drop=True)


class Done(NamedTuple):
    """What all batches contribute: parts in the order of the schedules, sums, and what went wrong."""

    parts: list[Part]
    sums: Sums
    errors: dict[str, Exception]


def work_on(work: Work, batches: list[Batch], scheduler: object) -> Done:
    """
    Work on all batches, showing how many entries are done.

    Raises
    ------
    Exception
        If not a single schedule could be analysed: what went wrong with the first.
    """
    parts: dict[int, list[Part]] = {}
    sums, errors = Sums(), dict[str, Exception]()
    total = sum(batch.n_entries for batch in batches)
    with tqdm(desc="Analysing", total=total, unit="entry", unit_scale=True, disable=None, leave=False, delay=1) as bar:
        for number, made in run(work, batches, scheduler):
            for part in made.parts:
                sums.add(part.sums)
            parts[number] = [part._replace(sums={}) for part in made.parts]  # they are in the sum now
            errors |= made.errors
            bar.update(batches[number].n_entries)
    ordered = [part for number in range(len(batches)) for part in parts[number]]
    if errors and not ordered:
        raise next(iter(errors.values()))
    return Done(ordered, sums, errors)


def run(work: Callable[[Batch], Any], batches: Sequence[Batch], scheduler: object = None) -> Iterator[tuple[int, Any]]:
    """
    Do the work on every batch.

    Parameters
    ----------
    work
        Turns a batch into a result, and does not raise.
    batches
        What to work on.
    scheduler
        Where, see `analyze`.

    Yields
    ------
    number, result
        Number of the batch and what became of it, in any order.

    Raises
    ------
    ConfigError
        If Dask is asked for and not installed, or there is no such scheduler.
    """
    if scheduler is None:
        yield from _run_here(work, batches)
    else:
        with _client(scheduler) as client:
            yield from _run_on(client, work, batches)


def _run_here(work: Callable[[Batch], Any], batches: Sequence[Batch]) -> Iterator[tuple[int, Any]]:
    """Work on two batches at once: one computes while the other waits for memory or the disk."""
    # Filters of warnings are not safe from threads: pandas saves and restores them all the time.
    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool:
        futures = {pool.submit(work, batch): number for number, batch in enumerate(batches)}
        try:
            for future in as_completed(list(futures)):
                yield futures.pop(future), future.result()
        finally:  # the caller may have been interrupted
            pool.shutdown(cancel_futures=True)


def _run_on(client: Any, work: Callable[[Batch], Any], batches: Sequence[Batch]) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - Dask is optional
    import dask.distributed as dd  # noqa: PLC0415 - Dask is optional

    futures = {client.submit(work, batch, pure=False, retries=_RETRIES): i for i, batch in enumerate(batches)}
    try:
        for future in dd.as_completed(list(futures)):
            yield futures[future], future.result()
            future.release()
    finally:  # the caller may have been interrupted
        client.cancel(list(futures))


@contextmanager
def _client(scheduler: object) -> Iterator[Any]:
    """Give a client; whatever was started here ends here."""
    try:
        from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - Dask is optional
    except ImportError:
        raise ConfigError(
            f"The scheduler {scheduler!r} needs Dask, which is not installed: pip install 'schedlog-analysis[dask]'."
        ) from None
    if isinstance(scheduler, Client):
        yield scheduler
        return
    with ExitStack() as stack:
        yield stack.enter_context(Client(_address(scheduler, LocalCluster, stack)))


def _address(scheduler: object, cluster: Any, stack: ExitStack) -> Any:  # noqa: ANN401 - Dask is optional
    if isinstance(scheduler, str) and "://" in scheduler:
        return scheduler
    n_workers = os.cpu_count() if scheduler == "processes" else scheduler
    if not isinstance(n_workers, int) or isinstance(n_workers, bool) or n_workers < 1:
        raise ConfigError(
            f"The scheduler is {scheduler!r}; expected None, 'processes', a number of processes from 1, an address"
            " such as 'tcp://10.0.0.1:8786', or a Dask client."
        )
    # None would ask for Dask's one usual port, on every interface; two analyses at a time would quarrel about it.
    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    return stack.enter_context(cluster(n_workers=n_workers, **options))
