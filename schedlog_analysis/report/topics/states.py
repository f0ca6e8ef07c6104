"""A state is what is said of a schedule in two words: the first rule that holds, from bad to good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schedlog_analysis.analysis.period import Period
from schedlog_analysis.report.values import Facts, is_missing, iso

QUIET = ("healthy", "nothing due")  # need no attention, and stand folded
FEWEST = 4  # scheduled starts that count, below which nobody says "mostly"
MOSTLY = 0.5  # share of them that failed or were missed
HUNG = 2  # scheduled starts in a row, up to the end, that were skipped because the previous run still ran


@dataclass(frozen=True)
class Circumstances:
    """
    What the rules look at.

    Attributes
    ----------
    row
        The facts of the schedule so far, see `schedule_facts`.
    incidents
        Its incidents, see `schema.Incidents`.
    period
        The report's period.
    is_deleted
        Whether other schedules have a definition, and this one has none.
    """

    row: Facts
    incidents: list[Facts]
    period: Period
    is_deleted: bool

    @property
    def open_incidents(self) -> list[Facts]:
        """Incidents that are not over."""
        return [incident for incident in self.incidents if is_missing(incident["ended_at"])]

    @property
    def is_expected(self) -> bool:
        """Whether anybody expects it to start from now on."""
        return self.row["is_enabled"] is not False and not self.is_deleted

    @property
    def is_hung(self) -> bool:
        """Whether its last starts were all skipped: the run before them does not end."""
        return bool(self.row["last_reason"] == "skipped" and self.row["n_last_reason"] >= HUNG)

    @property
    def is_new(self) -> bool:
        """Whether it was made within the period."""
        created = self.row["created_at"]
        return not self.period.is_all and created is not None and created > str(iso(self.period.start))


Rule = tuple[str, Callable[[Circumstances], bool]]

# From bad to good; the first rule that holds names the state.
RULES: tuple[Rule, ...] = (
    ("down now", lambda it: bool(it.open_incidents) and it.is_expected),
    ("mostly failing", lambda it: it.row["n"] >= FEWEST and it.row["n_down"] >= MOSTLY * it.row["n"]),
    ("skipped", lambda it: it.is_hung and it.is_expected),
    ("incidents", lambda it: it.row["n_down"] > 0 and bool(it.incidents)),
    ("single failures", lambda it: it.row["n_down"] > 0),
    ("not observed", lambda it: it.row["n"] == 0 and it.row["n_planned"] > 0 and it.row["is_enabled"] is not False),
    ("healthy", lambda it: it.row["n"] > 0),
    ("nothing due", lambda _: True),
)
STATES = tuple(state for state, _ in RULES)

# What else is said beside the state; all that hold.
FLAGS: tuple[Rule, ...] = (
    ("switched off", lambda it: it.row["is_enabled"] is False),
    ("no definition", lambda it: it.is_deleted),
    ("new", lambda it: it.is_new),
    ("flapping", lambda it: any(incident.get("is_flapping", False) for incident in it.incidents)),
)


def state_facts(circumstances: Circumstances) -> Facts:
    """Say the state, what else there is to say, and of a schedule that is down since when and how."""
    state = next(state for state, holds in RULES if holds(circumstances))
    still = circumstances.open_incidents
    last = still[-1] if state == "down now" else {}
    return {
        "state": state,
        "flags": [flag for flag, holds in FLAGS if holds(circumstances)],
        "n_incidents": len(circumstances.incidents),
        "n_open": len(still),
        "down_since": iso(last.get("started_at")),
        "down_how": _say_how(last) if last else None,
    }


def _say_how(incident: Facts) -> str:
    return "has not run" if incident["n_missed"] >= incident["n_failed"] else "has been failing"
