"""An answer is what the API gives at a look: of a life, the newest entries, the definition then, and the runs known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, NamedTuple

import numpy as np

from schedlog_analysis.simulation.definition import HOUR, MINUTE, Period, Schedule, new_ids
from schedlog_analysis.simulation.life import Entry, Invocation, Life, Run
from schedlog_analysis.simulation.texts import Action

Json = dict[str, Any]


class Seen(NamedTuple):
    """What all looks together have seen of one schedule's log."""

    looks: tuple[int, ...]  # when its log was fetched [ms]
    rows: list[tuple[int, Entry]]  # entries, each with the number of its invocation
    shown: dict[int, list[Entry]]  # the same by invocation
    holes: list[tuple[int, int]]  # stretches that no look could show, the first from 0 [ms]
    fetches: list[Json]

    @property
    def until(self) -> int:
        """Newest look. [ms]."""
        return self.looks[-1]

    @property
    def is_truncated(self) -> bool:
        """Whether older entries than the first were cut off."""
        return bool(self.holes) and self.holes[0][0] == 0


def looks_at(schedule: Schedule, period: Period) -> tuple[int, ...]:
    """Tell when a schedule is fetched: at the shares of its recipe, and of a deleted one a minute before its end."""
    looks = [period.at(share) for share in schedule.recipe.fetched]
    kept = [look for look in looks if look < schedule.deleted_at]
    return tuple(looks if len(kept) == len(looks) else [*kept, schedule.deleted_at - MINUTE])


def see(life: Life, schedule_id: str, looks: tuple[int, ...], window: int | None) -> Seen:
    """Unite what the looks have seen; the platform writes the entries of an invocation when it is over."""
    rows = [(number, entry) for number, each in enumerate(life.invocations) for entry in each.entries]
    done = [each.done_at for each in life.invocations for _ in each.entries]
    seen: list[tuple[int, Entry]] = []
    holes, fetches, before, last_look = [], [], 0, 0
    for look in looks:
        end = bisect_left(done, look)
        begin = 0 if window is None else max(0, end - window)
        if begin > before:
            holes.append((last_look, rows[begin][1].at))
        seen += rows[max(begin, before) : end]
        fetches.append(_fetch(schedule_id, look, [entry for _, entry in rows[begin:end]], window))
        before, last_look = max(end, before), look
    shown: dict[int, list[Entry]] = {}
    for number, entry in seen:
        shown.setdefault(number, []).append(entry)
    return Seen(looks, seen, shown, holes, fetches)


def _fetch(schedule_id: str, look: int, entries: list[Entry], window: int | None) -> Json:
    """Describe one look, as `schema.Fetches` does; whether older entries were cut off, only a full window can tell."""
    first, last = (to_iso([entries[0].at, entries[-1].at])) if entries else (None, None)
    return {
        "schedule_id": schedule_id,
        "fetched_at": to_iso([look])[0],
        "n_entries": len(entries),
        "first_at": first,
        "last_at": last,
        "is_truncated": window is not None and len(entries) >= window,
    }


def to_iso(instants: list[int]) -> list[str]:
    """Write instants as the API does, such as ``2026-08-01T00:00:00.370Z``."""
    texts = np.datetime_as_string(np.array(instants, np.int64).view("datetime64[ms]"), unit="ms").tolist()
    return [f"{text}Z" for text in texts]


def log_answer(rows: list[tuple[int, Entry]]) -> list[Json]:
    """Write entries as the API's own objects."""
    instants = to_iso([entry.at for _, entry in rows])
    return [
        {"message": entry.message, "level": entry.level, "createdAt": at}
        for (_, entry), at in zip(rows, instants, strict=True)
    ]


def definition_answer(schedule: Schedule, life: Life, look: int, user_id: str) -> Json:
    """Write the definition as the API answers at a look."""
    recipe, version = schedule.recipe, schedule.version_at(look)
    next_run = next_run_at(schedule, life, look)
    last_run = last_run_at(life, look)
    created, saved = to_iso([schedule.created_at, version.saved_at])
    return {
        "id": schedule.schedule_id,
        "userId": user_id,
        "name": recipe.name,
        "title": recipe.title or None,
        "cronExpression": version.cron,
        "timezone": version.tz,
        "isEnabled": version.is_enabled,
        "isExclusive": recipe.is_exclusive,
        "description": None,
        "createdAt": created,
        "modifiedAt": saved,
        "nextRunAt": None if next_run is None else to_iso([next_run])[0],
        "lastRunAt": None if last_run is None else to_iso([last_run])[0],
        "notifications": {"email": True},
        "actions": [_action(action) for action in schedule.actions],
    }


def next_run_at(schedule: Schedule, life: Life, look: int) -> int | None:
    """Give `nextRunAt` as the last save or invocation before a look computed it; None while switched off. [ms]."""
    version = schedule.version_at(look)
    if not version.is_enabled:
        return None
    number = bisect_right(life.moves, look, key=lambda move: move[0]) - 1
    return version.next_tick(max(life.moves[max(number, 0)]))


def last_run_at(life: Life, look: int) -> int | None:
    """Give when the last invocation that nobody clicked began; None before the first one. [ms]."""
    starts = [each.began_at for each in life.invocations if each.kind != "manual" and each.done_at < look]
    return starts[-1] if starts else None


def _action(action: Action) -> Json:
    if action.task_id:
        return {"id": action.action_id, "type": "RUN_ACTOR_TASK", "actorTaskId": action.task_id}
    return {"id": action.action_id, "type": "RUN_ACTOR", "actorId": action.actor_id}


def runs_kept(life: Life, forget: int, look: int) -> list[tuple[int, Invocation, Run]]:
    """List the runs that the platform still knows at a look, each with the number of its invocation."""
    return [
        (number, invocation, run)
        for number, invocation in enumerate(life.invocations)
        if invocation.done_at >= forget
        for run in invocation.runs
        if forget <= run.started_at < look
    ]


def status_at(run: Run, look: int) -> str:
    """Give the status of a run at a look."""
    return "RUNNING" if run.finished_at >= look else run.status


def usage_at(run: Run, look: int) -> float:
    """Give what a run has cost up to a look. [USD]."""
    return int((min(run.finished_at, look) - run.started_at) / HOUR * run.usd_per_hour * 1e6) / 1e6


def run_answer(
    schedule: Schedule, runs: list[tuple[int, Invocation, Run]], look: int, user_id: str, rng: np.random.Generator
) -> list[Json]:
    """Write runs as the API's own objects, as its list of runs shows them at a look."""
    n = len(runs)
    ids = iter(new_ids(4 * n, rng))
    builds = new_ids(len(schedule.actions), rng)
    columns = (
        to_iso([run.started_at for _, _, run in runs]),
        to_iso([min(run.finished_at, look) for _, _, run in runs]),
        to_iso([run.scheduled_at for _, _, run in runs]),
    )
    found = []
    for (_, _, run), started, finished, scheduled in zip(runs, *columns, strict=True):
        action, status = schedule.actions[run.action], status_at(run, look)
        found.append(
            {
                "id": next(ids),
                "actId": action.actor_id,
                "userId": user_id,
                **({"actorTaskId": action.task_id} if action.task_id else {}),
                "status": status,
                "startedAt": started,
                "finishedAt": None if status == "RUNNING" else finished,
                "buildId": builds[run.action],
                "buildNumber": f"0.1.{10 + run.action}",
                "meta": _meta(schedule.schedule_id, action, scheduled),
                "usageTotalUsd": usage_at(run, look),
                "defaultKeyValueStoreId": next(ids),
                "defaultDatasetId": next(ids),
                "defaultRequestQueueId": next(ids),
            }
        )
    return found


def _meta(schedule_id: str, action: Action, scheduled: str) -> Json:
    key = "scheduledActorTaskId" if action.task_id else "scheduledAct2Id"
    return {"origin": "SCHEDULER", "scheduleId": schedule_id, "scheduledAt": scheduled, key: action.action_id}
