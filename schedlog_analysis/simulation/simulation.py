"""A simulation is an account whose schedules, logs and runs are made up, and of which the whole truth is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from schedlog_analysis._core.instants import InstantLike, duration_ms, instant_ms
from schedlog_analysis.errors import InputError
from schedlog_analysis.simulation import truth
from schedlog_analysis.simulation.entries import to_iso
from schedlog_analysis.simulation.planting import Period
from schedlog_analysis.simulation.recipes import OUTAGE, SAMPLE, SHAPES, SHORTAGE, Recipe, Shape, Streak, random_recipes
from schedlog_analysis.simulation.runs import new_ids
from schedlog_analysis.simulation.schedule import Account, simulate_one

Json = dict[str, Any]

WINDOW: Final = 1000  # entries of a log that the API shows, as documented
_ASSUMPTIONS: Final = (
    "planned_at of a macro is its nominal moment plus offset_ms; nextRunAt and scheduledAt say the same",
    "lastRunAt is the first entry of the last invocation that was not manual",
    "runs of manual invocations have the origin SCHEDULER and a scheduleId, but no scheduledAt",
    "after an outage a schedule makes up for its latest tick only, if at all",
    "a paused schedule has no nextRunAt, and nobody knows since when it was paused",
)


@dataclass(frozen=True)
class Simulation:
    """
    A made-up account: what the API would answer, and the truth.

    Attributes
    ----------
    schedules
        The API's schedule objects, as ``GET /v2/schedules/{id}`` gives them, by creation.
    logs
        Entries by schedule id, oldest first, as ``GET /v2/schedules/{id}/log`` gives them.
    runs
        The API's run objects, as ``GET /v2/actor-runs`` lists them, by start.
    truth
        What a right analysis must find; `data/README.md` explains its keys.
    """

    schedules: list[Json]
    logs: dict[str, list[Json]]
    runs: list[Json]
    truth: Json

    def write(self, folder: str | Path) -> None:
        """
        Write ``schedules.json``, ``logs/<id>.json``, ``runs.json`` and ``truth.json``; same simulation, same bytes.

        Raises
        ------
        InputError
            If the folder holds logs of other schedules, or cannot be written.
        """
        folder = Path(folder)
        logs = folder / "logs"
        foreign = sorted(path.name for path in logs.glob("*.json") if path.stem not in self.logs)
        if foreign:
            raise InputError(f"{logs} already holds other logs, such as {foreign[0]}; give an empty folder.")
        try:
            logs.mkdir(parents=True, exist_ok=True)
            _write(folder / "schedules.json", _lines(self.schedules))
            _write(folder / "runs.json", _lines(self.runs))
            _write(folder / "truth.json", json.dumps(self.truth, indent=1, ensure_ascii=False))
            for schedule_id, log in self.logs.items():
                _write(logs / f"{schedule_id}.json", f'{{"data": {_lines(log)}}}')
        except OSError as error:
            raise InputError(f"{folder} cannot be written ({error.strerror}); give a folder that can.") from error


def simulate(
    seed: int = 0,
    start: InstantLike = "2026-08-01T00:00Z",
    end: InstantLike = "2026-11-01T00:00Z",
    schedules: int | Sequence[Recipe] = SAMPLE,
    *,
    shape: Shape | None = None,
    window: int | None = WINDOW,
    outage: tuple[float, float] | None = OUTAGE,
    shortage: Streak | None = SHORTAGE,
    run_retention: str = "31D",
) -> Simulation:
    """
    Make up an account with planted faults and their exact truth.

    Parameters
    ----------
    seed
        Same seed and arguments, same bytes (with the same numpy).
    start, end
        Bounds of the simulated time, half-open; `end` is also when everything was fetched.
    schedules
        Recipes, or a number of schedules to draw at random.
    shape
        ``"several"`` or ``"single"`` entries per tick for all schedules; each recipe's own by default.
    window
        How many of a log's newest entries the API shows; None for all.
    outage
        Part of the period in which no schedule was invoked. [shares of the period]
    shortage
        Failure of all schedules for the same reason.
    run_retention
        How long the platform remembers a run before `end`.

    Raises
    ------
    InputError
        If an argument makes no sense.
    CronError
        If a recipe's cron or time zone makes none.

    Examples
    --------
    >>> account = simulate(seed=7, schedules=[Recipe("daily", "0 9 * * *", missed=0.05)])
    >>> account.truth["totals"]["n_planned"], account.truth["totals"]["n_missed"]
    (92, 5)
    >>> account.logs[account.schedules[0]["id"]][0]["message"]
    'Schedule invoked'
    """
    if seed < 0:
        raise InputError(f"`seed` is {seed}; expected a whole number from 0.")
    if window is not None and window < 1:
        raise InputError(f"`window` is {window}; expected at least 1 entry, or None for all.")
    if outage is not None and not 0 <= outage[0] < outage[1] <= 1:
        raise InputError(f"`outage` is {outage}; expected two shares of the period, 0 to 1, in order.")
    period = _period(start, end)
    forget = period.end - duration_ms(run_retention, "run_retention")
    account = Account(new_ids(1, np.random.default_rng([seed, 0]))[0], period, outage, shortage, window, forget)
    # A stream of chance for each schedule, so that adding one changes no other.
    made = [
        simulate_one(recipe, account, np.random.default_rng([seed, number]))
        for number, recipe in enumerate(_recipes(schedules, shape, seed), start=1)
    ]
    made.sort(key=lambda one: (one.definition["createdAt"], one.definition["id"]))
    return Simulation(
        schedules=[one.definition for one in made],
        logs={one.definition["id"]: one.log for one in made},
        runs=sorted((run for one in made for run in one.runs), key=lambda run: (run["startedAt"], run["id"])),
        truth={
            "seed": seed,
            "start": _iso(period.start),
            "end": _iso(period.end),
            "window": window,
            "run_retention": run_retention,
            "outage": None if outage is None else [_iso(period.at(share)) for share in outage],
            "shortage": None if shortage is None else [_iso(period.at(at)) for at in (shortage.begin, shortage.end)],
            "assumptions": list(_ASSUMPTIONS),
            "totals": truth.add_up([one.truth for one in made]),
            "incidents": [incident for one in made for incident in one.incidents],
            "schedules": {one.definition["id"]: one.truth for one in made},
        },
    )


def _period(start: InstantLike, end: InstantLike) -> Period:
    period = Period(instant_ms(start, "start"), instant_ms(end, "end"))
    if period.start >= period.end:
        raise InputError(f"`end` ({end}) does not lie after `start` ({start}); swap them.")
    return period


def _recipes(schedules: int | Sequence[Recipe], shape: Shape | None, seed: int) -> tuple[Recipe, ...]:
    if shape is not None and shape not in SHAPES:
        raise InputError(f"`shape` is {shape!r}; expected one of {', '.join(SHAPES)}.")
    if isinstance(schedules, int):
        recipes = random_recipes(schedules, seed)
    else:
        given: Sequence[object] = schedules
        recipes = tuple(recipe for recipe in given if isinstance(recipe, Recipe))
        if len(recipes) < len(given):
            raise InputError("`schedules` holds something else than recipes; expected them, or a number of schedules.")
    return recipes if shape is None else tuple(replace(recipe, shape=shape) for recipe in recipes)


def _iso(instant: int) -> str:
    return to_iso(np.array([instant]))[0]


def _lines(objects: list[Json]) -> str:
    """One object a line, so that files can be searched and compared by line."""
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in objects) + "\n]" if objects else "[]"


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
