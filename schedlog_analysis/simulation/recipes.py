"""A recipe says what one simulated schedule is like and which faults are planted in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from schedlog_analysis.errors import InputError
from schedlog_analysis.simulation.texts import EXCLUSIVE, TEXTS

Shape = Literal["several", "single"]
ActionKind = Literal["actor", "task"]

SHAPES: Final = ("several", "single")
MAX_ACTIONS: Final = 20  # Apify allows ten Actors and ten tasks
MOST_FAULTS: Final = 0.5  # share of ticks, so that there is room between faults
MOST_CHRONIC: Final = 0.95


@dataclass(frozen=True)
class Streak:
    """
    A planted incident: every tick in it fails for the same reason.

    `begin` and `end` are shares of the period, half-open; `text` is a key of `texts.TEXTS`; of several actions only the
    last `n_actions` fail, or all of them.
    """

    begin: float
    end: float
    text: str
    n_actions: int | None = None

    def __post_init__(self) -> None:
        _check_text(self.text)
        _check_span(self.begin, self.end, "A streak")


@dataclass(frozen=True)
class Silence:
    """A part of the period, in shares of it, half-open, in which nothing is invoked; up to 1 it is still on."""

    begin: float
    end: float

    def __post_init__(self) -> None:
        _check_span(self.begin, self.end, "A silence")


@dataclass(frozen=True)
class Change:
    """A definition saved anew at this share of the period; what is not given stays as it was."""

    at: float
    cron: str | None = None
    tz: str | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True)
class Recipe:
    """
    One simulated schedule. Shares are of its planned ticks, instants are shares of the period (0 its start, 1 its end).

    A share above zero plants at least one fault where there is room for it.
    """

    name: str
    cron: str
    tz: str = "UTC"
    title: str = ""
    actions: tuple[ActionKind, ...] = ("actor",)
    shape: Shape = "several"  # "single": of each invocation only the first entry, as in the API's published example
    is_exclusive: bool = False
    delay: float = 0.35  # median time from a tick to the start of its invocation [s]
    longest_delay: float = 18.0  # of those that are not late [s]
    missed: float = 0.0
    late: float = 0.0
    duplicate: float = 0.0
    skipped: float = 0.0  # exclusive schedules only
    failed: float = 0.0  # all actions, each for a reason of its own
    partial: float = 0.0  # some actions; schedules with several only
    manual: int = 0  # clicks between ticks
    near_manual: int = 0  # clicks within seconds of a tick
    extra: int = 0  # before the first tick, if that leaves room for it
    texts: tuple[str, ...] = ("memory",)  # keys of `texts.TEXTS`, used in turn for single failures
    streaks: tuple[Streak, ...] = ()
    silences: tuple[Silence, ...] = ()
    chronic: float = 0.0  # share of ticks that it misses all the time, 0 to 0.95
    mute_hours: tuple[int, int] | None = None  # hours of the day, half-open, whose ticks it misses
    hung: tuple[float, float] | None = None  # since when its runs hang, and until when; up to 1 they still do
    created: float = 0.0  # 0: some time before the period, but after the tick before it
    changes: tuple[Change, ...] = ()
    paused: float | None = None  # short for a change that switches it off
    deleted: float | None = None
    stopped: float | None = None  # since when it silently did not run any more
    is_stuck: bool = False  # whether its `nextRunAt` stands still since then
    catches_up: bool = False  # whether it makes up, once, for what was overdue first in a silence
    fetched: tuple[float, ...] = (1.0,)  # when its log and its definition were fetched
    run_minutes: float = 4.0  # median duration of its runs
    usd_per_hour: float = 0.4

    def __post_init__(self) -> None:
        """Refuse what the platform would not do."""
        for key in self.texts:
            _check_text(key)
        if not 1 <= len(self.actions) <= MAX_ACTIONS:
            raise InputError(f"Recipe {self.name!r} has {len(self.actions)} actions; expected 1 to {MAX_ACTIONS}.")
        if self.shape not in SHAPES:
            raise InputError(f"Recipe {self.name!r} has the shape {self.shape!r}; expected one of {', '.join(SHAPES)}.")
        shares = (self.missed, self.late, self.duplicate, self.skipped, self.failed, self.partial)
        if min(shares) < 0 or sum(shares) > MOST_FAULTS:
            raise InputError(
                f"Recipe {self.name!r} plants the shares {shares}; expected each from 0, in all at most {MOST_FAULTS}."
            )
        if self.skipped and (not self.is_exclusive or self.duplicate):
            raise InputError(f"Recipe {self.name!r} skips ticks; expected it to be exclusive and without duplicates.")
        if not 0 <= self.chronic <= MOST_CHRONIC:
            raise InputError(f"Recipe {self.name!r} misses {self.chronic}; expected a share from 0 to {MOST_CHRONIC}.")
        if self.hung and not self.is_exclusive:
            raise InputError(f"Recipe {self.name!r} hangs; expected it to be exclusive.")
        if self.hung:
            _check_span(*self.hung, f"The hang of recipe {self.name!r}")
        if not self.fetched or list(self.fetched) != sorted(set(self.fetched)):
            raise InputError(
                f"Recipe {self.name!r} is fetched at {self.fetched}; expected shares of the period, in order."
            )

    def all_changes(self) -> tuple[Change, ...]:
        """Give all changes, `paused` among them."""
        return self.changes if self.paused is None else (*self.changes, Change(self.paused, is_enabled=False))


def _check_text(key: str) -> None:
    if key not in TEXTS or key == EXCLUSIVE:
        raise InputError(f"There is no failure text {key!r}; expected one of {', '.join(sorted(TEXTS))}.")


def _check_span(begin: float, end: float, what: str) -> None:
    if not 0 <= begin < end <= 1:
        raise InputError(f"{what} runs from {begin} to {end}; expected shares of the period, 0 to 1, in order.")


# Fleet-wide faults of the sample: four hours in which nothing was invoked, and the last day of a billing month.
OUTAGE: Final = (46.46 / 92, 46.63 / 92)
SHORTAGE: Final = Streak(60.4 / 92, 61 / 92, "billing.limit")

SAMPLE: Final[tuple[Recipe, ...]] = (
    Recipe(
        "prices-hourly",
        "0 * * * *",
        title="Competitor prices, hourly",
        actions=("task",),
        missed=0.004,
        late=0.005,
        duplicate=0.004,
        failed=0.012,
        manual=4,
        texts=("memory", "memory", "concurrency", "other.unknown", "memory", "user"),
        run_minutes=6,
    ),
    Recipe(
        "nightly-crawl",
        "30 2 * * *",
        "Europe/Prague",
        title="Nightly crawl of the catalogue",
        missed=0.01,
        manual=2,
        streaks=(Streak(20 / 92, 28 / 92, "input.required"),),
        run_minutes=85,
    ),
    Recipe(
        "weekly-report",
        "0 8 * * 1",
        "Europe/Prague",
        title="Weekly report for the sales team",
        actions=("task",),
        late=0.05,
        run_minutes=12,
    ),
    Recipe(
        "stock-levels",
        "15 30 8-18 * * 1-5",
        "America/New_York",
        title="Stock levels in business hours",
        missed=0.004,
        late=0.004,
        duplicate=0.004,
        failed=0.012,
        manual=3,
        texts=("concurrency", "input.minimum", "build.number", "other.lease", "billing.results", "memory"),
        run_minutes=3,
    ),
    Recipe(
        "social-monitor",
        "0 */3 * * *",
        "America/New_York",
        title="Social media monitor",
        is_exclusive=True,
        missed=0.003,
        skipped=0.02,
        failed=0.008,
        texts=("concurrency", "memory", "build.outdated", "permission"),
        streaks=(Streak(80 / 92, 81.3 / 92, "build.tag"),),
        run_minutes=170,
        usd_per_hour=0.08,
    ),
    Recipe(
        "leads-sync",
        "15 6,12,18 * * *",
        "Asia/Kolkata",
        title="Leads to the CRM (three steps)",
        actions=("task", "task", "actor"),
        missed=0.004,
        late=0.008,
        failed=0.008,
        partial=0.04,
        texts=(
            "rental",
            "input.choice",
            "missing",
            "permission",
            "missing",
            "billing.remaining",
            "missing",
            "other.empty",
        ),
        run_minutes=9,
    ),
    Recipe(
        "daily-backup",
        "@daily",
        title="Backup of all data sets",
        actions=("actor", "task"),
        late=0.02,
        partial=0.02,
        texts=("input.object", "missing"),
        run_minutes=25,
    ),
    Recipe(
        "monthly-invoices",
        "0 5 1 * *",
        "Europe/Prague",
        title="Invoices of suppliers",
        actions=("task",),
        run_minutes=7,
    ),
    Recipe(
        "reef-tides",
        "30 9 * * *",
        "Australia/Lord_Howe",
        title="Tide tables, Lord Howe",
        duplicate=0.01,
        run_minutes=2,
    ),
    Recipe(
        "ads-watch",
        "20 */4 * * *",
        title="Ads of competitors",
        duplicate=0.008,
        failed=0.012,
        manual=1,
        extra=1,
        texts=("input.unknown", "build.untagged", "billing.remaining"),
        created=45.3 / 92,
        run_minutes=15,
    ),
    Recipe(
        "old-catalogue",
        "0 4 * * *",
        "Europe/Prague",
        title="Old catalogue (until the migration)",
        failed=0.02,
        texts=("build.outdated",),
        paused=57.2 / 92,
        run_minutes=30,
    ),
    Recipe(
        "inventory-feed",
        "10 */3 * * *",
        "Europe/Prague",
        title="Inventory feed of the shop",
        missed=0.003,
        late=0.006,
        failed=0.005,
        texts=("memory", "input.required"),
        stopped=84.1 / 92,
        run_minutes=8,
    ),
    Recipe(
        "news-digest",
        "45 7,19 * * *",
        "Europe/Prague",
        title="News digest, morning and evening",
        actions=("task", "actor"),
        duplicate=0.01,
        partial=0.02,
        texts=("rental", "input.choice", "other.unknown"),
        run_minutes=5,
    ),
    Recipe(
        "image-resizer",
        "40 */6 * * *",
        title="Product images, resized",
        is_exclusive=True,
        created=61.3 / 92,
        hung=(85.2 / 92, 1),
        run_minutes=40,
        usd_per_hour=0.02,
    ),
    Recipe(
        "price-alerts",
        "0 6 * * *",
        "Europe/Prague",
        title="Price alerts for the buyers",
        actions=("task",),
        changes=(Change(43.6 / 92, cron="30 7 * * *"),),
        run_minutes=5,
    ),
)

_CRONS: Final = (
    "*/15 * * * *", "*/30 * * * *", "5 * * * *", "0 */2 * * *", "10 */6 * * *", "30 7-19 * * 1-5", "0 9 * * *",
    "45 3 * * *", "20 6,18 * * *", "0 10 * * 1", "30 0 */4 * * *", "0 12 1,15 * *",
)  # fmt: skip
MOST_ERRORS: Final = 0.1
_ZONES: Final = ("UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata")


def random_recipes(n: int, seed: int, error_rate: float = 0.03) -> tuple[Recipe, ...]:
    """
    Draw recipes of a believable fleet.

    Parameters
    ----------
    n
        Number of schedules.
    seed
        Same seed, same recipes.
    error_rate
        Share of ticks at which all actions fail, on average. [share, at most 0.1]

    Examples
    --------
    >>> [recipe.name for recipe in random_recipes(2, seed=1)]
    ['schedule-000', 'schedule-001']
    """
    if n < 0:
        raise InputError(f"There are {n} schedules to draw; expected a number from 0.")
    if not 0 <= error_rate <= MOST_ERRORS:
        raise InputError(f"`error_rate` is {error_rate}; expected a share from 0 to {MOST_ERRORS}.")
    rng = np.random.default_rng([seed, n])
    keys = [key for key in TEXTS if key != EXCLUSIVE]
    return tuple(_random_recipe(f"schedule-{i:03d}", keys, error_rate, rng) for i in range(n))


def _random_recipe(name: str, keys: list[str], error_rate: float, rng: np.random.Generator) -> Recipe:
    def happens(share: float) -> bool:
        return float(rng.random()) < share

    def up_to(most: float) -> float:
        return most * float(rng.random())

    n_actions = int(rng.choice([1, 1, 1, 2, 3]))
    is_exclusive = happens(0.2)
    begin = up_to(0.8)
    return Recipe(
        name,
        cron=str(rng.choice(_CRONS)),
        tz=str(rng.choice(_ZONES)),
        actions=tuple("task" if happens(0.5) else "actor" for _ in range(n_actions)),
        is_exclusive=is_exclusive,
        missed=up_to(0.01),
        late=up_to(0.01),
        duplicate=0.0 if is_exclusive else up_to(0.01),
        skipped=0.02 if is_exclusive else 0.0,
        failed=up_to(2 * error_rate),
        partial=up_to(error_rate) if n_actions > 1 else 0.0,
        manual=int(rng.integers(0, 3)),
        texts=tuple(str(key) for key in rng.choice(keys, 4, replace=False)),
        streaks=(Streak(begin, begin + 0.05, str(rng.choice(keys))),) if happens(0.3) else (),
        catches_up=happens(0.3),
    )
