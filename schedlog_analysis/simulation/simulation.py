"""A simulation is an account whose schedules, logs and runs are made up, and of which the whole truth is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.instants import InstantLike, duration_ms, instant_ms
from schedlog_analysis.errors import InputError
from schedlog_analysis.schema import Fetches
from schedlog_analysis.simulation import truth
from schedlog_analysis.simulation.answers import (
    Json,
    Seen,
    definition_answer,
    log_answer,
    looks_at,
    run_answer,
    runs_kept,
    see,
    to_iso,
)
from schedlog_analysis.simulation.definition import Period, Schedule, define, new_ids
from schedlog_analysis.simulation.faults import plant
from schedlog_analysis.simulation.life import Life, live
from schedlog_analysis.simulation.recipes import (
    OUTAGE,
    SAMPLE,
    SHAPES,
    SHORTAGE,
    Recipe,
    Shape,
    Silence,
    Streak,
    random_recipes,
)
from schedlog_analysis.simulation.truth import Tick
from schedlog_analysis.sources.parse import parse_logs, parse_runs, parse_schedules

WINDOW: Final = 1000  # entries of a log that the API shows, as documented; Apify's own emulator shows 250
_ASSUMPTIONS: Final = (
    "planned_at of a macro is its nominal moment plus offset_ms; nextRunAt and scheduledAt say the same",
    "lastRunAt is when the last invocation began that nobody clicked",
    "runs of clicks have the origin SCHEDULER and a scheduleId, and as scheduledAt the start of their invocation",
    "what was overdue first in a silence is made up once at its end, or is lost as the rest of it",
    "while a schedule is switched off it has no nextRunAt, and nothing is due",
)


class Tables(NamedTuple):
    """A made-up account as typed tables, see `schema`."""

    log: pd.DataFrame
    schedules: pd.DataFrame  # every version that was fetched
    fetches: pd.DataFrame
    runs: pd.DataFrame


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
    versions
        Like `schedules`, but every version that was fetched, and also of schedules that are deleted by now.
    fetches
        What was fetched when, with the columns of `schema.Fetches`.
    ticks
        Every tick that was due, and what became of it.
    """

    schedules: list[Json]
    logs: dict[str, list[Json]]
    runs: list[Json]
    truth: Json
    versions: list[Json]
    fetches: list[Json]
    ticks: list[Tick]

    def tables(self) -> Tables:
        """
        Read all answers of the API, as somebody who kept them could.

        Examples
        --------
        >>> tables = simulate(seed=1, schedules=1).tables()
        >>> len(tables.fetches), len(tables.schedules)
        (1, 1)
        """
        return Tables(
            log=parse_logs({schedule_id: json.dumps({"data": log}) for schedule_id, log in self.logs.items()}),
            schedules=parse_schedules(self.versions),
            fetches=Fetches.cast(pd.DataFrame(self.fetches, columns=Fetches.names(), dtype="object")),
            runs=parse_runs(self.runs),
        )

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
        Bounds of the simulated time, half-open; `end` is also when everything was fetched, unless its recipe says when.
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
    account = _Account(
        user_id=new_ids(1, np.random.default_rng([seed, 0]))[0],
        period=period,
        silences=() if outage is None else (Silence(*outage),),
        shortage=shortage,
        window=window,
        forget=period.end - duration_ms(run_retention, "run_retention"),
    )
    recipes = _recipes(schedules, shape, seed)
    # A stream of chance for each schedule, so that adding one changes no other.
    made = [_simulate(recipe, account, [seed, number]) for number, recipe in enumerate(recipes, start=1)]
    made.sort(key=lambda part: (part.schedule.created_at, part.schedule.schedule_id))
    silences = _list_silences(account, made)
    return Simulation(
        schedules=[part.versions[-1] for part in made if part.schedule.deleted_at >= period.end],
        logs={part.schedule.schedule_id: log_answer(part.seen.rows) for part in made},
        runs=sorted((run for part in made for run in part.runs), key=lambda run: (run["startedAt"], run["id"])),
        truth={
            "seed": seed,
            "start": _iso(period.start),
            "end": _iso(period.end),
            "window": window,
            "run_retention": run_retention,
            "outage": None if outage is None else [_iso(period.at(share)) for share in outage],
            "shortage": None if shortage is None else [_iso(period.at(at)) for at in (shortage.begin, shortage.end)],
            "assumptions": list(_ASSUMPTIONS),
            "totals": truth.add_up([part.truth for part in made]),
            "silences": silences,
            "incidents": [incident for part in made for incident in part.incidents],
            "schedules": {part.schedule.schedule_id: part.truth for part in made},
        },
        versions=[version for part in made for version in part.versions],
        fetches=[fetch for part in made for fetch in part.seen.fetches],
        ticks=[tick for part in made for tick in part.ticks],
    )


class _Account(NamedTuple):
    """What all schedules of a simulation share."""

    user_id: str
    period: Period
    silences: tuple[Silence, ...]
    shortage: Streak | None
    window: int | None
    forget: int  # runs from before this instant are gone [ms]


class _Simulated(NamedTuple):
    """One schedule with all that belongs to it."""

    schedule: Schedule
    seen: Seen
    versions: list[Json]
    runs: list[Json]
    ticks: list[Tick]
    truth: Json
    incidents: list[Json]


def _simulate(recipe: Recipe, account: _Account, seed: list[int]) -> _Simulated:
    """Make up one schedule, its log and its runs, and count the truth."""
    period = account.period
    # Streams of their own, so that another window or retention changes neither faults nor texts.
    rng = np.random.default_rng(seed)
    for_life, for_runs = rng.spawn(2)
    schedule = define(recipe, period, rng)
    life = live(schedule, plant(schedule, period, account.silences, account.shortage, rng), period, for_life)
    looks = looks_at(schedule, period)
    seen = see(life, schedule.schedule_id, looks, account.window)
    ticks = truth.judge(schedule, life, seen, period)
    counts = truth.count(schedule, life, seen, ticks)
    is_whole = not seen.holes and seen.until == period.end
    kept = runs_kept(life, account.forget, period.end)
    versions = {
        version["modifiedAt"]: version
        for version in (definition_answer(schedule, life, look, account.user_id) for look in looks)
    }
    return _Simulated(
        schedule=schedule,
        seen=seen,
        versions=list(versions.values()),
        runs=run_answer(schedule, kept, period.end, account.user_id, for_runs),
        ticks=ticks,
        truth={
            "name": recipe.name,
            "shape": recipe.shape,
            "offset_ms": schedule.version_at(seen.until).offset or None,
            "is_truncated": seen.is_truncated,
            **counts,
            **truth.describe_end(schedule, seen, ticks, period),
            "not_due": truth.list_not_due(schedule, life, period),
            "runs": truth.count_runs(schedule, life, seen, kept, period.end),
            "planted": counts if is_whole else _count_all(schedule, life, period),
        },
        incidents=truth.incidents(schedule, life, seen),
    )


def _count_all(schedule: Schedule, life: Life, period: Period) -> Json:
    """Count what happened, whatever of it the looks have seen."""
    whole = see(life, schedule.schedule_id, (period.end,), None)
    return truth.count(schedule, life, whole, truth.judge(schedule, life, whole, period))


def _list_silences(account: _Account, made: list[_Simulated]) -> list[Json]:
    """List the silences of the whole account, with the schedules and the number of missed ticks that the logs show."""
    found = []
    for silence in account.silences:
        begin, end = account.period.at(silence.begin), account.period.at(silence.end)
        missed = [
            tick.schedule_id
            for part in made
            for tick in part.ticks
            if tick.status == "missed" and begin <= tick.planned_at < end
        ]
        found.append({"from": _iso(begin), "to": _iso(end), "n_missed": len(missed), "n_schedules": len(set(missed))})
    return found


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
    return to_iso([instant])[0]


def _lines(objects: list[Json]) -> str:
    """One object a line, so that files can be searched and compared by line."""
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in objects) + "\n]" if objects else "[]"


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
