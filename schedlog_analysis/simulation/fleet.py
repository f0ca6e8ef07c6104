"""A fleet is a large account as typed tables, made at once by array arithmetic: for benchmarks, not for the truth."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schedlog_analysis._core.instants import InstantLike, instant_ms, to_instants
from schedlog_analysis.errors import InputError
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.simulation.definition import HOUR, MINUTE, new_ids
from schedlog_analysis.simulation.texts import EXCLUSIVE, SCHEDULED, TEXTS, USER, Action, render

_CRONS: Final = {1: "* * * * *", 5: "*/5 * * * *", 15: "*/15 * * * *", 30: "*/30 * * * *", 60: "0 * * * *"}
_LEVELS: Final = pd.Index(["INFO", "ERROR"], dtype="str")


def simulate_fleet(
    n_schedules: int,
    n_ticks: int,
    seed: int = 0,
    *,
    error_rate: float = 0.03,
    missed_rate: float = 0.002,
    n_texts: int = 300,
    end: InstantLike = "2026-11-01T00:00Z",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Make up the log of a large fleet, one entry per tick.

    Parameters
    ----------
    n_schedules
        Number of schedules; each fires every 1, 5, 15, 30 or 60 minutes, in UTC.
    n_ticks
        Ticks of each schedule, the last one before `end`.
    seed
        Same seed, same tables.
    error_rate
        Share of ticks that leave an ERROR. [0..1]
    missed_rate
        Share of ticks that leave nothing. [0..1]
    n_texts
        Number of different ERROR messages.
    end
        End of the log, a full hour.

    Returns
    -------
    log
        See `schema.Log`; text columns are categoricals. Sorted by schedule and time.
    schedules
        See `schema.Schedules`.

    Examples
    --------
    >>> log, schedules = simulate_fleet(3, 1000, seed=1, missed_rate=0)
    >>> len(log), len(schedules), log["level"].value_counts().idxmax()
    (3000, 3, 'INFO')
    """
    if min(n_schedules, n_ticks, seed) < 0 or n_texts < 1:
        raise InputError("A fleet needs numbers from 0 of schedules, ticks and seed, and at least one text.")
    if not (0 <= error_rate <= 1 and 0 <= missed_rate <= 1):
        raise InputError(f"The rates are {error_rate} and {missed_rate}; expected shares from 0 to 1.")
    if instant_ms(end, "end") % HOUR:
        raise InputError(f"`end` is {end}; expected a full hour, which is a tick of every schedule.")
    rng = np.random.default_rng(seed)
    ids, now = pd.Index(sorted(new_ids(n_schedules, rng)), dtype="str"), instant_ms(end, "end")
    step = rng.choice(list(_CRONS), n_schedules)
    owner, created = _instants(step, n_ticks, now, missed_rate, rng)
    is_error = rng.random(len(created)) < error_rate
    message = np.where(is_error, rng.integers(1, n_texts + 1, len(created), dtype=np.int32), np.int32(0))
    log = pd.DataFrame(
        {
            "schedule_id": pd.Categorical.from_codes(owner, categories=ids),
            "created_at": to_instants(created),
            "level": pd.Categorical.from_codes(is_error.astype(np.int8), categories=_LEVELS),
            "message": pd.Categorical.from_codes(message, categories=_texts(n_texts, rng)),
        }
    )
    return Log.accept(log), _definitions(ids, step, n_ticks, now)


def _instants(
    step: NDArray[np.int64], n_ticks: int, now: int, missed_rate: float, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    owner = np.repeat(np.arange(len(step), dtype=np.int32), n_ticks)
    ticks = np.arange(-n_ticks, 0)
    created = (now + ticks * step[:, None] * MINUTE).ravel()
    created += np.minimum(np.exp(rng.standard_normal(len(created), dtype=np.float32) * 0.8) * 350, 18_000).astype(
        np.int64
    )
    is_logged = rng.random(len(created), dtype=np.float32) >= missed_rate
    return owner[is_logged], created[is_logged]


def _texts(n: int, rng: np.random.Generator) -> pd.Index[Any]:
    """All messages that the fleet uses: INFO first, then n errors that differ at least in the Actor."""
    keys = [key for key in TEXTS if key not in (EXCLUSIVE, USER)]
    actors = new_ids(n, rng)
    errors = [render(keys[i % len(keys)], Action("", actor, None), rng) for i, actor in enumerate(actors)]
    return pd.Index([SCHEDULED, *errors], dtype="str")


def _definitions(ids: pd.Index[Any], step: NDArray[np.int64], n_ticks: int, now: int) -> pd.DataFrame:
    # Half a step before the first tick, so that nothing else was due.
    created = to_instants(now - step * n_ticks * MINUTE - step * MINUTE // 2)
    return Schedules.cast(
        pd.DataFrame(
            {
                "schedule_id": ids,
                "name": [f"schedule-{i}" for i in range(len(ids))],
                "title": None,
                "cron": [_CRONS[minutes] for minutes in step.tolist()],
                "timezone": "UTC",
                "is_enabled": True,
                "is_exclusive": False,
                "created_at": created,
                "modified_at": created,
                "next_run_at": to_instants(np.full(len(ids), now)),
                "last_run_at": to_instants(now - step * MINUTE),
                "n_actions": 1,
            }
        )
    )
