"""An engine does the same work on every batch: one after the other in this process, or on the workers of Dask."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from typing import Any

from schedlog_analysis.account.batches import Batch
from schedlog_analysis.errors import ConfigError

Work = Callable[[Batch], Any]
_THREADS = 2  # numpy lets others compute while it does; a third would find nothing to do
_RETRIES = 3  # of a batch whose worker died


def run(work: Work, batches: Sequence[Batch], scheduler: object = None) -> Iterator[tuple[int, Any]]:
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


def _run_here(work: Work, batches: Sequence[Batch]) -> Iterator[tuple[int, Any]]:
    """Work on two batches at once: one computes while the other waits for memory or the disk."""
    # Filters of warnings are not safe from threads: pandas saves and restores them all the time.
    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool:
        futures = {pool.submit(work, batch): number for number, batch in enumerate(batches)}
        try:
            for future in as_completed(list(futures)):
                yield futures.pop(future), future.result()
        finally:  # the caller may have been interrupted
            pool.shutdown(cancel_futures=True)


def _run_on(client: Any, work: Work, batches: Sequence[Batch]) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - Dask is optional
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
