"""A definition is a schedule as its user set it up: a recipe, and what it leaves open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schedlog_analysis._core.instants import to_instants, to_ms
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.simulation.entries import to_iso
from schedlog_analysis.simulation.planting import BY_HAND, HOUR, MINUTE, Period, Planted
from schedlog_analysis.simulation.recipes import Recipe
from schedlog_analysis.simulation.runs import new_ids
from schedlog_analysis.simulation.texts import Action

Int64 = NDArray[np.int64]
Json = dict[str, Any]

# Hidden offset of macros [min], which the platform is said to choose once per schedule.
_OFFSETS: Final = {
    "@hourly": (1, 30),
    "@daily": (5, 6 * 60),
    "@weekly": (5, 12 * 60),
    "@monthly": (5, 24 * 60),
    "@yearly": (5, 24 * 60),
}
_MIN_GAP: Final = timedelta(seconds=10)  # the platform plans no two ticks closer than this
_LEAP_CYCLE: Final = 8 * 366  # days; 1900 and 2100 have no 29th of February
# How far before the period a schedule may have been created, at most.
_LOOK_BACK: Final = 6 * 24 * HOUR


class Definition(NamedTuple):
    """What a recipe leaves open."""

    recipe: Recipe
    schedule_id: str
    actions: tuple[Action, ...]
    offset: int | None  # of a macro [ms]
    created: int  # [ms]

    def ticks(self, start: int, end: int) -> Int64:
        """Planned ticks in ``[start, end)``, those of a macro moved by its offset. [ms]."""
        offset = self.offset or 0
        begin, stop = to_instants(np.array([start - offset, end - offset]))
        return to_ms(Cron(self.recipe.cron, self.recipe.tz).ticks(begin, stop, min_gap=_MIN_GAP)) + offset

    def following(self, moment: int) -> int:
        """First planned tick at or after a moment. [ms]."""
        # Up to eight years: the 29th of February is the rarest tick there is.
        for days in (1, 40, _LEAP_CYCLE):
            upcoming = self.ticks(moment, moment + days * 24 * HOUR)
            if len(upcoming):
                return int(upcoming[0])
        return moment + _LEAP_CYCLE * 24 * HOUR


def define(recipe: Recipe, period: Period, rng: np.random.Generator) -> Definition:
    """
    Make up id, actions, hidden offset and time of creation.

    A schedule that was there from the start was created after the last tick before it: nobody needs to ask what became
    of ticks that the simulation does not contain.
    """
    schedule_id = new_ids(1, rng)[0]
    actions = tuple(
        Action(action_id, actor_id, task_id if kind == "task" else None)
        for kind in recipe.actions
        for action_id, actor_id, task_id in [new_ids(3, rng)]
    )
    low, high = _OFFSETS.get(recipe.cron, (0, 0))
    offset = MINUTE * int(rng.integers(low, high + 1)) if high else None
    wait = float(rng.random())
    definition = Definition(recipe, schedule_id, actions, offset, period.at(recipe.created))
    if recipe.created > 0:
        return definition
    since = max([period.start - _LOOK_BACK, *definition.ticks(period.start - _LOOK_BACK, period.start)[-1:].tolist()])
    return definition._replace(created=since + round((0.2 + 0.6 * wait) * (period.start - since)))


def to_api(definition: Definition, planted: Planted, period: Period, user_id: str) -> Json:
    """Write the definition as the API answers at the end of the period."""
    recipe, invoked = definition.recipe, planted.invoked
    is_enabled = recipe.paused is None
    modified = definition.created if recipe.paused is None else period.at(recipe.paused)
    last = to_iso(invoked.at[invoked.kind != BY_HAND][-1:])
    return {
        "id": definition.schedule_id,
        "userId": user_id,
        "name": recipe.name,
        "title": recipe.title or None,
        "cronExpression": recipe.cron,
        "timezone": recipe.tz,
        "isEnabled": is_enabled,
        "isExclusive": recipe.is_exclusive,
        "description": None,
        "createdAt": to_iso(np.array([definition.created]))[0],
        "modifiedAt": to_iso(np.array([modified]))[0],
        "nextRunAt": to_iso(np.array([definition.following(period.end)]))[0] if is_enabled else None,
        "lastRunAt": last[0] if last else None,
        "notifications": {"email": True},
        "actions": [_action_to_api(action) for action in definition.actions],
    }


def _action_to_api(action: Action) -> Json:
    if action.task_id:
        return {"id": action.action_id, "type": "RUN_ACTOR_TASK", "actorTaskId": action.task_id}
    return {"id": action.action_id, "type": "RUN_ACTOR", "actorId": action.actor_id}
