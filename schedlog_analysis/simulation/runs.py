"""A run is what a started action became; the platform forgets it after a while, on another clock than the log."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schedlog_analysis.simulation.entries import Entries, to_iso
from schedlog_analysis.simulation.planting import BY_HAND, HOUR, MINUTE, Period, Planted
from schedlog_analysis.simulation.recipes import Recipe
from schedlog_analysis.simulation.texts import Action

Int64 = NDArray[np.int64]

STATUSES: Final = ("SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED", "RUNNING")
_TIMED_OUT, _ABORTED, _RUNNING = 2, 3, 4
_SHARES: Final = (0.945, 0.03, 0.015, 0.01)
_ALPHABET: Final = np.array(list("23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"))
_ID_LENGTH: Final = 17


class Started(NamedTuple):
    """Runs of one schedule as columns, in order of their invocations."""

    invocation: Int64
    action: Int64
    status: Int64  # index in STATUSES
    started: Int64  # [ms]
    finished: Int64  # [ms], meaningless while it runs
    usage: Int64  # [millionths of a USD]

    def since(self, moment: int) -> Started:
        """Keep the runs that the platform has not yet forgotten."""
        return self.where(self.started >= moment)

    def where(self, mask: NDArray[np.bool_]) -> Started:
        """Keep the runs for which `mask` is true."""
        return Started(*(column[mask] for column in self))


def new_ids(n: int, rng: np.random.Generator) -> list[str]:
    """Draw ids in the platform's alphabet, 17 letters each."""
    letters = _ALPHABET[rng.integers(0, len(_ALPHABET), (n, _ID_LENGTH))]
    return ["".join(row) for row in letters.tolist()]


def start_runs(planted: Planted, entries: Entries, recipe: Recipe, period: Period, rng: np.random.Generator) -> Started:
    """Start a run for every action that neither failed to start nor was skipped."""
    invoked, n_actions = planted.invoked, len(recipe.actions)
    is_started = np.repeat(invoked.n_skipped == 0, n_actions).reshape(-1, n_actions)
    is_started &= (invoked.n_failed < n_actions)[:, None]
    told = entries.action >= 0
    is_started[entries.invocation[told], entries.action[told]] = False
    row, action = np.nonzero(is_started)
    n = len(row)
    started = invoked.at[row] + rng.integers(20, 900, n)
    status = np.searchsorted(np.cumsum(_SHARES)[:-1], rng.random(n), side="right")
    # A run that times out took its whole allowance, one that was aborted part of its time.
    duration = np.exp(rng.standard_normal(n) * 0.5) * recipe.run_minutes * MINUTE
    duration = np.select(
        [status == _TIMED_OUT, status == _ABORTED], [4 * recipe.run_minutes * MINUTE, 0.4 * duration], default=duration
    )
    if recipe.is_exclusive:
        duration = _until_skip(planted, started, duration)
    finished = started + duration.astype(np.int64)
    status = np.where(finished >= period.end, _RUNNING, status)
    hours = (np.minimum(finished, period.end) - started) / HOUR
    usage = (hours * recipe.usd_per_hour * (0.8 + 0.4 * rng.random(n)) * 1e6).astype(np.int64)
    return Started(row, action, status, started, finished, usage)


def to_api(
    runs: Started,
    planted: Planted,
    schedule_id: str,
    actions: tuple[Action, ...],
    user_id: str,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Write runs as the API's own objects, as its list of runs shows them."""
    n = len(runs.invocation)
    ids = [new_ids(n, rng) for _ in range(4)]
    builds = new_ids(len(actions), rng)
    tick = planted.invoked.tick[runs.invocation]
    scheduled = to_iso(planted.planned[tick]) if len(planted.planned) else [""] * n
    columns = (runs.action, runs.status, runs.usage, tick)
    rows = zip(
        to_iso(runs.started), to_iso(runs.finished), scheduled, *(c.tolist() for c in columns), *ids, strict=True
    )
    return [
        {
            "id": run_id,
            "actId": actions[action].actor_id,
            "userId": user_id,
            **({"actorTaskId": actions[action].task_id} if actions[action].task_id else {}),
            "status": STATUSES[status],
            "startedAt": started,
            "finishedAt": None if status == _RUNNING else finished,
            "buildId": builds[action],
            "buildNumber": f"0.1.{10 + action}",
            "meta": {"origin": "SCHEDULER", "scheduleId": schedule_id} | ({"scheduledAt": at} if tick >= 0 else {}),
            "usageTotalUsd": usage / 1e6,
            "defaultKeyValueStoreId": store_id,
            "defaultDatasetId": dataset_id,
            "defaultRequestQueueId": queue_id,
        }
        for started, finished, at, action, status, usage, tick, run_id, store_id, dataset_id, queue_id in rows
    ]


def _until_skip(planted: Planted, started: Int64, duration: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let a run of an exclusive schedule last over the ticks that were skipped because of it, and over no others."""
    invoked = planted.invoked
    scheduled = invoked.kind != BY_HAND
    others = np.sort(invoked.at[scheduled & (invoked.n_skipped == 0)])
    skips = invoked.at[invoked.n_skipped > 0]
    after = others.searchsorted(started, side="right")
    following = np.append(others, started[-1:] + 24 * HOUR)[after]
    last_skip = np.append(-1, skips)[skips.searchsorted(following)]
    room = following - np.maximum(started, last_skip)
    lasting: NDArray[np.float64] = last_skip - started + 0.3 * room
    return np.where(last_skip > started, lasting, np.minimum(duration, 0.8 * room))
