"""An account is a small simulation drawn from a seed: a few schedules, each with a trouble of its own kind, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from schedlog_analysis.errors import InputError
from schedlog_analysis.simulation.recipes import Change, Recipe, Silence, Streak
from schedlog_analysis.simulation.simulation import Simulation, simulate
from schedlog_analysis.simulation.texts import EXCLUSIVE, TEXTS, USER

Fields = dict[str, Any]

# Rare enough that an account is made in some 30 ms; the last two plan ticks within ten seconds.
_CRONS: Final = (
    "10 */3 * * *", "20 */4 * * *", "40 */6 * * *", "0 7,19 * * *", "30 2 * * *", "0 9 * * *", "15 8 * * 1-5",
    "0 8 * * 1", "0 5 1 * *", "@hourly", "@daily", "@daily", "@weekly", "@monthly", "*/10 0 9 * * *", "*/5 30 6 * * 1",
)  # fmt: skip
_ZONES: Final = ("UTC", "UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata")
_KEYS: Final = tuple(key for key in TEXTS if key not in (EXCLUSIVE, USER))
_TWO: Final = ("actor", "task")


class _Chance:
    """Draws in words."""

    def __init__(self, seed: Sequence[int]) -> None:
        self.rng = np.random.default_rng(seed)

    def happens(self, share: float) -> bool:
        return float(self.rng.random()) < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(self.rng.random())

    def choose(self, options: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever the options are
        return options[int(self.rng.integers(len(options)))]

    def text(self) -> str:
        return str(self.choose(_KEYS))


def _rescheduled(chance: _Chance) -> Fields:
    old, new = chance.rng.permutation(len(_CRONS) - 2)[:2].tolist()
    return {"cron": _CRONS[old], "changes": (Change(chance.between(0.2, 0.8), cron=_CRONS[new]),)}


def _stopped(chance: _Chance) -> Fields:
    return {"stopped": chance.between(0.3, 0.95)}


def _partial(chance: _Chance) -> Fields:
    begin, end = chance.between(0.1, 0.7), chance.choose((0.9, 1, 1))
    return {"actions": _TWO, "streaks": (Streak(begin, end, chance.text(), n_actions=1),)}


def _failing(chance: _Chance) -> Fields:
    begin = chance.between(0.1, 0.8)
    return {"streaks": (Streak(begin, chance.choose((begin + 0.1, 1)), chance.text()),)}


def _hung(chance: _Chance) -> Fields:
    begin = chance.between(0.2, 0.8)
    return {
        "is_exclusive": True,
        "actions": chance.choose((_TWO, _TWO[:1])),
        "hung": (begin, chance.choose((begin + 0.1, 1))),
    }


def _resumed(chance: _Chance) -> Fields:
    off, on = chance.between(0.2, 0.5), chance.between(0.55, 0.9)
    return {"changes": (Change(off, is_enabled=False), Change(on, is_enabled=True))}


def _silent(chance: _Chance) -> Fields:
    begin = chance.between(0.1, 0.8)
    return {"silences": (Silence(begin, begin + chance.between(0.02, 0.15)),), "catches_up": chance.happens(0.5)}


def _faulty(chance: _Chance) -> Fields:
    return {
        "actions": chance.choose((_TWO, _TWO[:1])),
        **{name: chance.between(0, 0.04) for name in ("missed", "late", "failed", "partial")},
        "texts": tuple(chance.text() for _ in range(4)),
        "manual": 1,
    }


def _with_holes(chance: _Chance) -> Fields:
    return {"cron": "7 * * * *", "fetched": (chance.between(0.2, 0.3), chance.between(0.6, 0.7), 1.0)}


KINDS: Final[dict[str, Callable[[_Chance], Fields]]] = {
    "healthy": lambda _: {},
    "stopped": _stopped,
    "stuck": lambda chance: {**_stopped(chance), "is_stuck": True},
    "silent": _silent,
    "failing": _failing,
    "partial": _partial,
    "hung": _hung,
    "skipping": lambda _: {"is_exclusive": True, "skipped": 0.05},
    "chronic": lambda chance: {"chronic": chance.between(0.3, 0.9)},
    "mute": lambda _: {"cron": "7 0-6 * * *", "mute_hours": (1, 4)},
    "faulty": _faulty,
    "slow": lambda chance: {"delay": chance.between(2, 30), "longest_delay": 54},
    "clicked": lambda _: {"manual": 2, "near_manual": 3, "failed": 0.02},
    "doubled": lambda _: {"duplicate": 0.04},
    "userless": lambda chance: {"streaks": (Streak(chance.between(0.2, 0.8), 1, USER),)},
    "rescheduled": _rescheduled,
    "moved": lambda chance: {"tz": "UTC", "changes": (Change(chance.between(0.2, 0.8), tz="Asia/Kolkata"),)},
    "edited": lambda chance: {"changes": (Change(chance.between(0.2, 0.8)),)},
    "new": lambda chance: {"created": chance.between(0.1, 0.8), "extra": int(chance.happens(0.3))},
    "paused": lambda chance: {"paused": chance.between(0.2, 0.9)},
    "resumed": _resumed,
    "deleted": lambda chance: {"deleted": chance.between(0.2, 0.9)},
    "stale": lambda chance: {"fetched": (chance.between(0.3, 0.9),)},
    "holes": _with_holes,
}
"""Kinds of trouble that a schedule of an account can have, and the part of its recipe that says so."""


def draw_account(seed: int, kinds: Sequence[str] | None = None) -> Simulation:
    """
    Draw a small account of one or two months, each schedule with a kind of trouble, for property tests.

    Parameters
    ----------
    seed
        Same seed, same account.
    kinds
        One of `KINDS` for each schedule; by default two to five are drawn. The account as a whole may be silent for a
        while, run out of money, or have been fetched long ago as well, unless kinds are given.

    Returns
    -------
    account
        Its `truth["schedules"][id]` says with `is_down_at_end` and `is_unseen_at_end` of which schedules nobody may say
        that all is well, its `tables()` are what an analysis reads, and its `ticks` are judged one by one.

    Raises
    ------
    InputError
        If there is no such kind.

    Examples
    --------
    >>> account = draw_account(1, kinds=["stopped", "healthy"])
    >>> sorted((end["name"], end["is_down_at_end"]) for end in account.truth["schedules"].values())
    [('s0-stopped', True), ('s1-healthy', False)]
    """
    chance = _Chance([seed, 1])
    foreign = sorted(set(kinds or ()) - set(KINDS))
    if foreign:
        raise InputError(f"There is no kind {foreign[0]!r}; expected some of {', '.join(KINDS)}.")
    is_given = kinds is not None
    names = (
        kinds if kinds is not None else [chance.choose(list(KINDS)) for _ in range(chance.choose((2, 2, 3, 3, 4, 5)))]
    )
    last_look = 1.0 if is_given or chance.happens(0.85) else chance.between(0.4, 0.9)
    recipes = [_recipe(f"s{number}-{kind}", kind, last_look, chance) for number, kind in enumerate(names)]
    start = pd.Timestamp("2026-07-01T00:00Z") + pd.Timedelta(int(chance.between(0, 120 * 24)), "h")
    end = start + pd.Timedelta(int(chance.between(28 * 24, 50 * 24)), "h")
    window = 250 if "holes" in names or chance.happens(0.3) else 1000
    outage = None if is_given else _draw_outage(chance)
    begin = chance.between(0.1, 0.9)
    shortage = None if is_given or chance.happens(0.8) else Streak(begin, begin + 0.05, "billing.limit")
    return simulate(seed, start, end, recipes, window=window, outage=outage, shortage=shortage)


def _recipe(name: str, kind: str, last_look: float, chance: _Chance) -> Recipe:
    fields = {"cron": chance.choose(_CRONS), "tz": chance.choose(_ZONES), "fetched": (last_look,)} | KINDS[kind](chance)
    # Who was deleted, or created, after the last look would not be known at all.
    looks = tuple(look for look in fields["fetched"] if look <= last_look) or (last_look,)
    fields["created"] = min(fields.get("created", 0.0), 0.8 * looks[0])
    return Recipe(name, **fields | {"fetched": looks})


def _draw_outage(chance: _Chance) -> tuple[float, float] | None:
    """Let the whole account be silent for some days, or until the end, or not at all."""
    number, begin = chance.between(0, 1), chance.between(0.1, 0.85)
    return None if number > 0.35 else (begin, begin + 0.08) if number > 0.1 else (begin, 1.0)  # noqa: PLR2004
