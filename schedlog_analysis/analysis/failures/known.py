"""
A known message is one whose words are the platform's own: it has a name of its own, whatever else a log holds.

Known messages are recognised one by one, before the rest of a log is compared, so that neither their template nor the
name of their cluster depends on the other messages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from schedlog_analysis.analysis.failures.templates import WILDCARD

OTHER: Final = "other"
FIELD: Final = "{field}"
"""Stands in a known template for a field of the input, which is kept: fields are failures of their own."""

_BILLING: Final = "Look at the limits and at the plan on https://console.apify.com/billing."
_INPUT: Final = "Open the input of the schedule or of the task, and change this field."
_TARGET: Final = "Choose another Actor or task in the schedule, or remove the action."
_NETWORK: Final = "Nothing to do if it is rare; if it lasts, look at https://status.apify.com."
_BUILD: Final = "Build the Actor, or choose a build that exists in the schedule's run options."
_OWNER: Final = (
    "Ask Apify, or the owner of the account, whether the account still exists; then save the schedule again."
)


class Known(NamedTuple):
    """One message of the platform: ``<*>`` stands for any value, ``{field}`` for a field of the input."""

    name: str  # of its cluster; with a field, the cluster is named by its template
    template: str
    cause: str
    advice: str
    source: str  # documented, test (of Apify's clients), wild (published by people), runtime (Apify's emulator)


KNOWN: Final[tuple[Known, ...]] = (
    Known("input-not-object", 'Provided input must be object, got "<*>" instead.', "input", _INPUT, "documented"),
    Known("input-required", "Input is not valid: Field {field} is required", "input", _INPUT, "wild"),
    Known("input-minimum", "Input is not valid: Field {field} must be >= <*>", "input", _INPUT, "wild"),
    Known("input-maximum", "Input is not valid: Field {field} must be <= <*>", "input", _INPUT, "wild"),
    Known(
        "input-choice",
        "Input is not valid: Field {field} must be equal to one of the allowed values: <*>",
        "input",
        _INPUT,
        "wild",
    ),
    Known("input-property", "Input is not valid: Property {field} is not allowed.", "input", _INPUT, "wild"),
    Known(
        "input-urls",
        "Input is not valid: Items in {field} at positions [<*>] do not contain valid URLs",
        "input",
        "Write each address as https://…; some Actors want objects such as {url: …} instead.",
        "wild",
    ),
    Known(
        "memory-not-a-power-of-2",
        "Memory must be a power of <*> and at least <*>, got <*>",
        "input",
        "Choose 128, 256, 512, 1024 … MB in the run options of the schedule or of the task.",
        "wild",
    ),
    Known(
        "memory-limit",
        "By launching this job you will exceed the memory limit of <*> for all your Actor runs and builds<*>",
        "capacity",
        "Spread the schedules over the hour, give each run less memory, or raise the limit.",
        "test",
    ),
    Known(
        "concurrent-runs",
        "By launching this job you will exceed your limit of <*> concurrent Actor runs<*>",
        "capacity",
        "Spread the schedules over the hour, or raise the limit of concurrent runs.",
        "test",
    ),
    Known(
        "remaining-usage",
        "By launching this job you will exceed your remaining usage of $<*>",
        "billing",
        _BILLING,
        "wild",
    ),
    Known("monthly-usage", "Monthly usage hard limit exceeded", "billing", _BILLING, "wild"),
    Known(
        "minimum-cost",
        "Maximum cost per run is less than the allowed minimum of $<*>",
        "billing",
        "Raise the maximum cost per run in the run options to at least this minimum of the Actor.",
        "wild",
    ),
    Known(
        "maximum-results",
        "Maximum charged results must be greater than zero",
        "billing",
        "Raise the maximum of charged results in the run options, or the limit of the plan.",
        "wild",
    ),
    Known(
        "not-rented",
        "You must rent a paid Actor in order to run it after its free trial has expired. To rent this Actor, go to <*>",
        "rental",
        "Rent the Actor on its page, or choose another.",
        "wild",
    ),
    Known(
        "full-access",
        "This Actor requires full access to your account. You must approve its permissions before running it: <*>",
        "permission",
        "Open the address in the message and approve the permissions once.",
        "wild",
    ),
    Known(
        "insufficient-permissions",
        "Insufficient permissions for the Actor<*>",
        "permission",
        "Give the token or the Actor the permission to run it, or let its owner share it with the account.",
        "test",
    ),
    Known("user-or-token", "User was not found or authentication token is not valid", "account", _OWNER, "wild"),
    Known("user-gone", "Cannot invoke schedule because its user was not found.", "account", _OWNER, "runtime"),
    Known(
        "build-tag",
        'Build with tag "<*>" was not found. Has the Actor been built already?',
        "build",
        _BUILD,
        "documented",
    ),
    Known("build-tag-missing", 'Actor has no build tagged "<*>"', "build", _BUILD, "runtime"),
    Known("build-number", 'Build with number "<*>" was not found.', "build", _BUILD, "test"),
    Known(
        "build-outdated",
        "This is an old build with unsupported fields. Please rebuild the Actor.",
        "build",
        "Build the Actor again.",
        "test",
    ),
    Known("actor-missing", "Actor was not found", "missing target", _TARGET, "runtime"),
    Known("actor-missing", "Actor was not found.", "missing target", _TARGET, "documented"),
    Known("task-missing", "Actor task was not found", "missing target", _TARGET, "runtime"),
    Known("task-missing", "Actor task was not found.", "missing target", _TARGET, "documented"),
    Known("actor-id-missing", 'Actor with ID "<*>" not found', "missing target", _TARGET, "runtime"),
    Known("actor-id-missing", 'Actor with ID "<*>" was not found', "missing target", _TARGET, "runtime"),
    Known(
        "resource-missing", "We did not find the resource you were looking for<*>", "missing target", _TARGET, "runtime"
    ),
    Known(
        "exclusive",
        "it must be exclusive but previous run is still running",
        "exclusive",
        "Abort a run that hangs; else start less often, let runs be shorter, or allow runs side by side.",
        "runtime",
    ),
    Known(
        "rate-limit",
        "You have exceeded the rate limit of <*> requests per second",
        "platform",
        "Nothing to do if it is rare; if it lasts, start fewer schedules in the same second.",
        "documented",
    ),
    Known("connection-refused", "connect ECONNREFUSED <*>", "platform", _NETWORK, "wild"),
    Known("connection-reset", "read ECONNRESET", "platform", _NETWORK, "wild"),
    Known("connection-timeout", "connect ETIMEDOUT <*>", "platform", _NETWORK, "wild"),
    Known("name-not-resolved", "getaddrinfo EAI_AGAIN <*>", "platform", _NETWORK, "wild"),
    Known("name-not-found", "getaddrinfo ENOTFOUND <*>", "platform", _NETWORK, "wild"),
    Known("socket-hang-up", "socket hang up", "platform", _NETWORK, "wild"),
    Known(
        "unknown-error",
        "Unknown error",
        OTHER,
        "Apify gave no reason; start the Actor by hand and see what it says.",
        "runtime",
    ),
)

_ANY_FIELD: Final = r"(input(?:\.[\w$-]+|\.<\*>|\[[^\]\s]*\])+)"
_VALUE: Final = r"\S*(?: \S*<\*>\S*)*"  # of a remembered template: one word, and more where they hold values
_LEAST_WORDS: Final = 2  # that a remembered template with values must have, or it would take in anything


class Named(NamedTuple):
    """A text that was recognised: the name of its cluster, if it has one of its own, and its template."""

    cluster_id: str | None
    template: str


class _Entry(NamedTuple):
    """What recognises a text."""

    name: str
    template: str
    pattern: re.Pattern[str]


class Names:
    """
    Names by the texts that have them: those of known messages, and those that were given before.

    Parameters
    ----------
    known
        Known messages; the first that fits wins.
    remembered
        Name and template of clusters of earlier logs; of those that fit, the one with most text wins.

    Examples
    --------
    >>> Names().recognise("Input is not valid: Field input.a is required")
    Named(cluster_id=None, template='Input is not valid: Field input.a is required')
    >>> Names(remembered=[("abc", "mailbox of <*> is full")]).recognise("mailbox of ada is full").cluster_id
    'abc'
    """

    def __init__(self, known: Sequence[Known] = KNOWN, remembered: Iterable[tuple[str, str]] = ()) -> None:
        self._by_first_word: defaultdict[str, list[_Entry]] = defaultdict(list)
        for message in known:
            self._file(_Entry(message.name, message.template, _compile_known(message.template)))
        for name, template in sorted(remembered, key=lambda row: (-len(row[1].replace(WILDCARD, "")), row)):
            words = re.findall(r"[^\W\d_]{2,}", template.replace(WILDCARD, " "))
            if WILDCARD not in template or len(words) >= _LEAST_WORDS:
                self._file(_Entry(name, template, _compile_remembered(template)))

    def recognise(self, text: str) -> Named | None:
        """Say how a text is named, if it is; its values are written as ``<*>``."""
        for entry in (*self._by_first_word.get(text.partition(" ")[0], ()), *self._by_first_word.get("", ())):
            found = entry.pattern.fullmatch(text)
            if found is None:
                continue
            if FIELD not in entry.template:
                return Named(entry.name, entry.template)
            return Named(None, entry.template.replace(FIELD, found[1]))
        return None

    def _file(self, entry: _Entry) -> None:
        """File under the first word, which tells most texts apart; under none where that is a value."""
        first, blank, _ = entry.template.partition(" ")
        is_word = WILDCARD not in first and (blank or WILDCARD not in entry.template)
        self._by_first_word[first if is_word else ""].append(entry)


@cache
def _compile_known(template: str) -> re.Pattern[str]:
    escaped = re.escape(template).replace(re.escape(FIELD), _ANY_FIELD)
    return re.compile(escaped.replace(re.escape(WILDCARD), ".*"), re.DOTALL)


def _compile_remembered(template: str) -> re.Pattern[str]:
    """Let a value be one word, or a quoted text; a sentence in its place would be another failure."""
    escaped = re.escape(template).replace(re.escape(f'"{WILDCARD}"'), r'"[^"]*"')
    return re.compile(escaped.replace(re.escape(WILDCARD), _VALUE), re.DOTALL)
