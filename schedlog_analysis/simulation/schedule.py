"""One simulated schedule: its definition, its log and its runs as the API gives them, and the truth about them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from schedlog_analysis.simulation import definition, entries, runs, truth
from schedlog_analysis.simulation.planting import Due, Period, plant
from schedlog_analysis.simulation.recipes import Recipe, Streak

Json = dict[str, Any]


class Account(NamedTuple):
    """What all schedules of a simulation share."""

    user_id: str
    period: Period
    outage: tuple[float, float] | None
    shortage: Streak | None
    window: int | None
    forget: int  # runs from before this moment are gone [ms]


class Simulated(NamedTuple):
    """One schedule with all that belongs to it."""

    definition: Json
    log: list[Json]
    runs: list[Json]
    truth: Json
    incidents: list[Json]


def simulate_one(recipe: Recipe, account: Account, rng: np.random.Generator) -> Simulated:
    """Make up one schedule, its log and its runs, and count the truth."""
    period = account.period
    # Streams of their own, so that another window or retention changes neither faults nor texts.
    for_texts, for_runs = rng.spawn(2)
    made = definition.define(recipe, period, rng)
    planned = made.ticks(max(made.created, period.start), period.end)
    due = Due(made.created, planned, np.diff(planned, append=made.following(period.end)))
    planted = plant(recipe, due, period, (account.outage, account.shortage), rng)

    written = entries.write_entries(planted.invoked, recipe, rng)
    shown = written.newest(account.window)
    n_lost = len(written.at) - len(shown.at)
    started = runs.start_runs(planted, written, recipe, period, for_runs)
    kept = started.since(account.forget)
    return Simulated(
        definition=definition.to_api(made, planted, period, account.user_id),
        log=entries.to_api(written, planted.invoked, made.actions, for_texts)[n_lost:],
        runs=runs.to_api(kept, planted, made.schedule_id, made.actions, account.user_id, for_runs),
        truth={
            "name": recipe.name,
            "shape": recipe.shape,
            "offset_ms": made.offset,
            "is_truncated": n_lost > 0,
            **truth.count(planted, shown, recipe, period, is_truncated=n_lost > 0),
            "runs": truth.count_runs(shown, started, kept, recipe),
            "planted": truth.count(planted, written, recipe, period, is_truncated=False),
        },
        incidents=truth.incidents(planted, made.schedule_id, shown, is_truncated=n_lost > 0),
    )
