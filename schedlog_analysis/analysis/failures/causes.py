"""
A cause is what stopped an action, read from the platform's own words by a table of rules; it is never guessed.

A rule looks at the beginning of the reason, so that what users write (a field's name, an id, an input) decides nothing.
What no rule knows is `other`, and the message itself is what there is to say about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis.errors import ConfigError, InputError

OTHER: Final = "other"
MISSED: Final = "missed"  # the cause of ticks that left no message at all

CAUSES: Final[dict[str, str]] = {
    "input": "The input was refused; change the schedule's or the task's input.",
    "capacity": "The account's memory or concurrent runs were used up; spread the schedules, or raise the limit.",
    "billing": "The account's usage, plan or payment did not allow it; look at the billing page.",
    "rental": "A paid Actor is not rented, or its trial has ended; rent it, or choose another.",
    "permission": "The Actor or the account lacks a permission; approve or grant it.",
    "account": "The account itself cannot start anything; look at its settings, or ask Apify.",
    "build": "The build that was asked for does not exist or is too old; build the Actor, or choose another build.",
    "missing target": "The Actor or task is gone or switched off; choose another, or remove it from the schedule.",
    "exclusive": "The previous run was still running and the schedule is exclusive; run less often, or run shorter.",
    "platform": "Apify itself could not serve the request; look at status.apify.com if it lasts.",
    MISSED: "The schedule was due and nothing was logged; look at status.apify.com, and whether it was switched off.",
    OTHER: "No rule knows this message; read it, and add a rule if it comes back.",
}


class Rule(NamedTuple):
    """How one cause is recognised; the first rule that fits decides."""

    cause: str
    pattern: str  # regular expression, for the beginning of the reason
    seen: str = "by you"  # in what the text was seen, see `RULES`


class Rules(tuple[Rule, ...]):
    """Rules that the signatures in a help text show by their name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "RULES"


# Where a text was seen: "documented" in Apify's API description, "test" in the tests of its clients, "wild" in messages
# that people have published, "runtime" in an emulator of the platform.
RULES: Final = Rules(
    (
        Rule("input", r"Provided input must be object\b", "documented"),
        Rule("input", r"Input is not valid\b", "wild"),
        Rule("input", r"Invalid input:", "documented"),
        Rule("capacity", r"By launching this job you will exceed the memory limit of ", "test"),
        Rule("capacity", r"By launching this job you will exceed your limit of \S+ concurrent Actor runs", "test"),
        Rule("billing", r"By launching this job you will exceed your remaining usage of ", "wild"),
        Rule("billing", r"Monthly usage hard limit exceeded", "wild"),
        Rule("billing", r"Maximum charged results must be greater than zero", "wild"),
        Rule("rental", r"You must rent a paid Actor in order to run it\b", "wild"),
        Rule("permission", r"This Actor requires full access to your account\b", "wild"),
        Rule("permission", r"You do not have permission to perform this action", "documented"),
        Rule("permission", r"Access to this resource is denied", "documented"),
        Rule("account", r"Cannot invoke schedule because its user was not found", "runtime"),
        Rule("build", r'Build with tag ".*" was not found', "documented"),
        Rule("build", r'Build with number ".*" was not found', "test"),
        Rule("build", r'Actor has no build tagged "', "runtime"),
        Rule("build", r"This is an old build with unsupported fields", "test"),
        Rule("missing target", r"Actor(?: task)? was not found", "documented"),
        Rule("missing target", r'Actor(?: task)? with ID ".*" (?:was )?not found', "runtime"),
        Rule("missing target", r"The requested resource was not found", "documented"),
        Rule("exclusive", r'Skipping Actor(?: task)? ".*", it must be exclusive but previous run is still', "runtime"),
        Rule("platform", r"You have exceeded the rate limit", "documented"),
    )
)

# The API's error types that can stop a start, asked after the rules: for most of them no wording is published.
TYPES: Final[dict[str, str]] = {
    "input": """
        input-json-invalid-characters input-json-not-object input-json-too-long invalid-input invalid-input-schema
        run-input-body-not-valid-json schema-validation schema-validation-error schema-validation-failed
    """,
    "capacity": "actor-memory-limit-exceeded concurrent-runs-limit-exceeded",
    "billing": """
        apify-plan-required-to-use-paid-actor billing-system-error failed-to-charge-user
        max-items-must-be-greater-than-zero max-total-charge-usd-below-minimum
        max-total-charge-usd-must-be-greater-than-zero missing-billing-info monthly-usage-limit-too-low
        no-payment-method-available not-enough-usage-to-run-paid-actor platform-feature-disabled
        user-has-no-subscription user-problem-with-card x402-payment-required
    """,
    "rental": "actor-can-not-be-rented actor-is-not-rented cannot-rent-paid-actor rental-not-allowed",
    "permission": """
        access-denied actor-not-public elevated-permissions-needed full-permission-actor-blocked-for-admin
        full-permission-actor-not-approved insufficient-permissions missing-actor-rights record-not-public
        unsupported-permission
    """,
    "account": """
        store-terms-not-accepted user-disabled user-email-not-verified user-is-removed user-not-found
        user-not-verified user-or-token-not-found
    """,
    "build": "build-not-found build-outdated invalid-build tagged-build-required unknown-build-tag",
    "missing target": """
        action-not-found actor-disabled actor-not-found public-actor-disabled record-not-found
        schedule-actor-not-found schedule-actor-task-not-found
    """,
    "platform": """
        concurrent-update-detected internal-server-error next-runtime-computation-failed operation-timed-out
        query-timeout rate-limit-exceeded request-aborted-prematurely socket-closed socket-destroyed
        too-many-requests
    """,
}

Test = Callable[["pd.Series[Any]"], "pd.Series[bool]"]

_PREFIX: Final = r'^Cannot start Actor(?: task)? "[^"]*": '


def find_causes(messages: Iterable[str], rules: Sequence[Rule] = RULES) -> pd.Categorical:
    r"""
    Tell for every message what stopped the action.

    Each distinct message is looked at once. The prefix ``Cannot start Actor "<id>": `` is left out, quotes may carry
    literal backslashes, and the first rule that fits decides.

    Parameters
    ----------
    messages
        Messages in any order, as any sequence of texts or as a categorical.
    rules
        Rules in the order in which they are asked; put your own in front of `RULES` and they win.

    Returns
    -------
    causes
        One cause per message, in the order of the messages; `other` where no rule fits; empty for no messages.

    Raises
    ------
    InputError
        If a message is missing.
    ConfigError
        If a rule's pattern is not a regular expression, or a rule says nothing.

    Examples
    --------
    >>> list(find_causes(['Cannot start Actor "jF8GGEvbEg4Au3NLA": Monthly usage hard limit exceeded', "Quota gone"]))
    ['billing', 'other']
    >>> list(find_causes(["Quota gone"], [Rule("quota", r"Quota\b"), *RULES]))
    ['quota']
    """
    _check(rules)
    names = list(dict.fromkeys([*(rule.cause for rule in rules), *CAUSES]))
    given = _coded(messages)
    reasons = find_reasons(pd.Series(given.categories, dtype="str"))
    found = np.full(len(reasons), names.index(OTHER), dtype=np.int64)
    left = np.arange(len(reasons))
    for cause, fits in _tests(rules):
        hit = fits(reasons.iloc[left]).to_numpy(dtype=np.bool_)
        found[left[hit]] = names.index(cause)
        left = left[~hit]
    return pd.Categorical.from_codes(found[given.codes], categories=pd.Index(names, dtype="str"))


def find_reasons(messages: pd.Series[Any]) -> pd.Series[Any]:
    r"""
    Leave out of each message the prefix that names the target, and the backslashes before quotes.

    Examples
    --------
    >>> find_reasons(pd.Series(['Cannot start Actor task "iEvfA6pm6DWjRTGxS": Unknown error'])).tolist()
    ['Unknown error']
    """
    plain = messages.str.replace('\\"', '"', regex=False).str.strip()
    return plain.str.replace(_PREFIX, "", n=1, regex=True)


def describe_rules(rules: Sequence[Rule] = RULES) -> pd.DataFrame:
    r"""
    Show the rules as a table: cause, what it means and what to do, what decides, and where that was seen.

    Examples
    --------
    >>> describe_rules().loc[0, ["cause", "decides", "seen"]].tolist()
    ['input', 'Provided input must be object\\b', 'documented']
    """
    rows = [(rule.cause, CAUSES.get(rule.cause, ""), rule.pattern, rule.seen) for rule in rules]
    rows += [(cause, CAUSES[cause], ", ".join(types.split()), "error types") for cause, types in TYPES.items()]
    return pd.DataFrame(rows, columns=["cause", "meaning", "decides", "seen"], dtype="str")


def _check(rules: Sequence[Rule]) -> None:
    for rule in rules:
        if not rule.cause or not rule.pattern:
            raise ConfigError(f"{rule!r} says nothing; expected a cause and a pattern.")
        try:
            re.compile(rule.pattern)
        except re.error as error:
            raise ConfigError(
                f"The pattern {rule.pattern!r} of the rule for {rule.cause!r} is no regular expression: {error}."
            ) from error


def _coded(messages: Iterable[str]) -> pd.Categorical:
    given = getattr(messages, "array", messages)
    coded = given if isinstance(given, pd.Categorical) else pd.Categorical(pd.array(list(given), dtype="str"))
    if (coded.codes < 0).any():
        raise InputError("A message is missing; a cause needs text, so drop or fill the missing ones first.")
    return coded


def _tests(rules: Sequence[Rule]) -> list[tuple[str, Test]]:
    texts: list[tuple[str, Test]] = [(rule.cause, partial(_starts, pattern=rule.pattern)) for rule in rules]
    return texts + [(cause, partial(_names, types="|".join(types.split()))) for cause, types in TYPES.items()]


def _starts(reasons: pd.Series[Any], pattern: str) -> pd.Series[bool]:
    return reasons.str.match(pattern)


def _names(reasons: pd.Series[Any], types: str) -> pd.Series[bool]:
    """Tell where one of the error types stands as a word of its own outside quotes, or as the type of a JSON error."""
    unquoted = reasons.str.replace(r'"[^"]*"', '""', regex=True)
    word = unquoted.str.contains(rf"(?:^|[\s(\[:])(?:{types})(?:[\s)\]:,.;]|$)")
    return word | reasons.str.contains(rf'^\{{.*"type"\s*:\s*"(?:{types})"')
