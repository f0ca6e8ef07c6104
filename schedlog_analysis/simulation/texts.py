"""
A text is what the platform writes into a schedule's log; here it has a key, and the cause that it is planted for.

The reasons are real messages of the Apify API, with values where they vary; those of cause ``other`` are made up, so
that nobody can know them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

SCHEDULED: Final = "Schedule invoked"
MANUAL: Final = "Schedule invoked manually"
USER: Final = "user"  # key of the one text that speaks of the schedule itself, not of an action
EXCLUSIVE: Final = "exclusive"

_BILLING_PAGE: Final = "https://console.apify.com/billing/subscription"


class Text(NamedTuple):
    """A message's cause and its reason, the part after ``Cannot start Actor "<id>":``."""

    cause: str
    reason: str


TEXTS: Final[dict[str, Text]] = {
    "input.object": Text("input", 'Provided input must be object, got "string" instead.'),
    "input.required": Text("input", "Input is not valid: Field input.startUrls is required"),
    "input.minimum": Text("input", "Input is not valid: Field input.maxItems must be >= 20"),
    "input.choice": Text(
        "input", 'Input is not valid: Field input.country must be equal to one of the allowed values: "CZ", "DE", "US"'
    ),
    "input.unknown": Text("input", "Input is not valid: Property input.urls is not allowed."),
    "memory": Text(
        "capacity",
        "By launching this job you will exceed the memory limit of 8192MB for all your Actor runs and builds "
        "(currently used: {used}MB, requested: {wanted}MB). Please consider upgrading or purchasing extra memory as an "
        f"add-on at {_BILLING_PAGE} to increase your Actor memory limit.",
    ),
    "concurrency": Text(
        "capacity",
        "By launching this job you will exceed your limit of 25 concurrent Actor runs. Please consider upgrading or "
        f"purchasing an increase to concurrent Actor runs as an add-on at {_BILLING_PAGE} to increase your limit.",
    ),
    "billing.limit": Text("billing", "Monthly usage hard limit exceeded"),
    "billing.remaining": Text(
        "billing",
        "By launching this job you will exceed your remaining usage of ${usd:.6f}. "
        f"Please consider upgrading to a paid plan at {_BILLING_PAGE}",
    ),
    "billing.results": Text("billing", "Maximum charged results must be greater than zero"),
    "rental": Text(
        "rental",
        "You must rent a paid Actor in order to run it after its free trial has expired. To rent this Actor, go to "
        "https://console.apify.com/actors/{actor}",
    ),
    "permission": Text(
        "permission",
        "This Actor requires full access to your account. You must approve its permissions before running it: "
        "https://console.apify.com/actors/{actor}?approvePermissions=true",
    ),
    "build.tag": Text("build", 'Build with tag "latest" was not found. Has the Actor been built already?'),
    "build.untagged": Text("build", 'Actor has no build tagged "latest"'),
    "build.number": Text("build", 'Build with number "0.1.{build}" was not found.'),
    "build.outdated": Text("build", "This is an old build with unsupported fields. Please rebuild the Actor."),
    "missing": Text("missing target", "{kind} was not found"),
    "other.unknown": Text("other", "Unknown error"),
    "other.lease": Text("other", "Lease {build} is in an unexpected state"),
    "other.empty": Text("other", "Cannot read properties of undefined (reading 'options')"),
    USER: Text("account", "Cannot invoke schedule because its user was not found."),
    EXCLUSIVE: Text("exclusive", "it must be exclusive but previous run is still running"),
}


class Action(NamedTuple):
    """An Actor or a task that a schedule starts."""

    action_id: str
    actor_id: str
    task_id: str | None

    @property
    def kind(self) -> str:
        """What messages call it."""
        return "Actor task" if self.task_id else "Actor"

    @property
    def target(self) -> str:
        """How messages name it."""
        return f'{self.kind} "{self.task_id or self.actor_id}"'


def render(key: str, action: Action, rng: np.random.Generator) -> str:
    """
    Write the message that the platform would log when `action` was not started for the reason `key`.

    Examples
    --------
    >>> render("missing", Action("a", "jF8GGEvbEg4Au3NLA", None), np.random.default_rng(0))
    'Cannot start Actor "jF8GGEvbEg4Au3NLA": Actor was not found'
    """
    text = TEXTS[key]
    if key == USER:
        return text.reason
    if key == EXCLUSIVE:
        return f"Skipping {action.target}, {text.reason}"
    values: dict[str, Any] = {
        "used": 1024 * int(rng.integers(4, 9)),
        "wanted": 1024 * int(2 ** rng.integers(2, 4)),
        "usd": float(rng.random()) * 0.5,
        "build": int(rng.integers(10, 100)),
        "actor": action.actor_id,
        "kind": action.kind,
    }
    return f"Cannot start {action.target}: {text.reason.format(**values)}"
