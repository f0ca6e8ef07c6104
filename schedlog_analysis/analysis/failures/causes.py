"""
A cause is what stopped an action, read from the platform's own words by a table of rules; it is never guessed.

A rule looks at the beginning of the reason, so that what users write (a field's name, an id, an input) decides nothing.
What no rule knows is `other`, and the message itself is what there is to say about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schedlog_analysis._core.redact import to_arrow
from schedlog_analysis.analysis.failures.known import FIELD, KNOWN, OTHER, Known
from schedlog_analysis.analysis.failures.templates import WILDCARD
from schedlog_analysis.errors import ConfigError, InputError

__all__ = [
    "CAUSES",
    "MISSED",
    "OTHER",
    "RULES",
    "TYPES",
    "Rule",
    "Rules",
    "describe_rules",
    "find_advice",
    "find_causes",
]
__all__ += ["find_reasons", "rules_from"]

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


_NETWORK: Final = "Nothing to do if it is rare; if it lasts, look at https://status.apify.com."


class Rule(NamedTuple):
    """
    How one cause is recognised; the first rule that fits decides.

    Examples
    --------
    >>> Rule("quota", "Quota of").cause
    'quota'
    """

    cause: str
    pattern: str  # regular expression, for the beginning of the reason
    advice: str = ""  # what to do; that of the cause where nothing is said
    source: str = "by you"  # in what the text was seen, see `RULES`


class Rules(tuple[Rule, ...]):
    """Rules that the signatures in a help text show by their name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "RULES"


def _read_known(known: Known) -> Rule:
    """Make a rule of a known message, from its words in their order."""
    words = re.escape(known.template).replace(re.escape(FIELD), r"\S+").replace(re.escape(WILDCARD), ".*")
    return Rule(known.cause, words, known.advice, known.source)


# Where a text was seen: "documented" in Apify's API description, "test" in the tests of its clients, "wild" in messages
# that people have published, "runtime" in an emulator of the platform. Known messages come first, then what is like
# them in other words; a quote or a colon ends the beginning, since what comes after may be a user's words.
RULES: Final = Rules(
    (
        *(_read_known(known) for known in KNOWN if known.cause != OTHER),
        Rule("input", r"Provided input must be object\b", source="documented"),
        Rule("input", r"Input is not valid\b", source="wild"),
        Rule("input", r"Invalid input:", source="documented"),
        Rule("input", r"(?:Actor |Run )?[Mm]emory (?:limit )?must (?:be|not)\b", source="wild"),
        Rule("capacity", r"By launching this job you will exceed the memory limit of ", source="test"),
        Rule(
            "capacity", r"By launching this job you will exceed your limit of \S+ concurrent Actor runs", source="test"
        ),
        Rule("billing", r"By launching this job you will exceed your remaining usage of ", source="wild"),
        Rule("billing", r"Monthly usage hard limit exceeded", source="wild"),
        Rule("rental", r"You must rent a paid Actor\b", source="wild"),
        Rule("permission", r"This Actor requires full access to your account\b", source="wild"),
        Rule("permission", r"Insufficient permissions\b", source="test"),
        Rule("permission", r"You do not have permission to perform this action", source="documented"),
        Rule("permission", r"Access to this resource is denied", source="documented"),
        Rule("account", r"Cannot invoke schedule because its user was not found", source="runtime"),
        Rule("account", r"(?:User|Account) was not found\b", source="wild"),
        Rule(
            "account",
            r"(?:The |Your )?(?:API |[Aa]uthentication )?token is (?:not valid|invalid|missing)\b",
            source="wild",
        ),
        Rule("account", r"(?:Your|The|This) (?:user )?account (?:is|was|has been) \w+", source="wild"),
        Rule("build", r'Build with tag ".*" was not found', source="documented"),
        Rule("build", r'Build with number ".*" was not found', source="test"),
        Rule("build", r'Actor has no build tagged "', source="runtime"),
        Rule("build", r"This is an old build with unsupported fields", source="test"),
        Rule("missing target", r"(?:The )?Actor(?: task)? (?:was |could )?not (?:be )?found", source="documented"),
        Rule("missing target", r'Actor(?: task)? with ID ".*" (?:was )?not found', source="runtime"),
        Rule(
            "missing target",
            r"(?:The )?(?:requested )?[Rr]esource (?:was |could )?not (?:be )?found",
            source="documented",
        ),
        Rule("missing target", r"We did not find the resource\b", source="runtime"),
        Rule("exclusive", r"it must be exclusive but previous run is still", source="runtime"),
        Rule(
            "billing",
            r'(?i:[^":]{0,80}\b(?:maximum|minimum|starting|start|total) (?:cost|charge|price)s?\b)',
            source="wild",
        ),
        Rule("billing", r"Maximum charged results\b", source="wild"),
        Rule("billing", r'(?i:[^":]{0,80}\b(?:free|paid) (?:plan|tier|user|account)s?\b)', source="wild"),
        Rule("billing", r'(?i:[^":]{0,80}\bupgrade (?:to|your) [^":]{0,20}plan\b)', source="wild"),
        Rule("platform", r"You have exceeded the rate limit", source="documented"),
        Rule(
            "platform",
            r"(?:[a-z]+ ){0,2}(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EAI_AGAIN|ENOTFOUND|ETIMEDOUT|ESOCKETTIMEDOUT"
            r"|EPIPE|EHOSTUNREACH|ENETUNREACH)\b",
            _NETWORK,
            "wild",
        ),
        Rule(
            "platform",
            r"(?i:socket hang up|network (?:error|timeout)|connection (?:was )?(?:reset|refused|closed))",
            _NETWORK,
            "wild",
        ),
        Rule(
            "platform",
            r"(?i:(?:the )?(?:request|operation|connection|query|response|api call)s? (?:has |have |was )?"
            r"(?:timed?[ -]?out|aborted due to timeout))",
            _NETWORK,
            "wild",
        ),
        Rule("platform", r"(?i:timeout (?:of|awaiting|exceeded|while|after|error)\b|timed out\b)", _NETWORK, "wild"),
        Rule(
            "platform",
            r"(?i:(?:http )?(?:5\d\d[ :]{1,2})?"
            r"(?:internal server error|bad gateway|service unavailable|gateway time-?out))",
            _NETWORK,
            "wild",
        ),
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

_FEW: Final = 300
_CAUSE_OF_TYPE: Final = {name: cause for cause, types in TYPES.items() for name in types.split()}
_TYPE: Final = re.compile(r"(?:^|(?<=[\s(\[:]))[a-z\d]+(?:-[a-z\d]+)+(?=[\s)\]:,.;]|$)")
_TYPE_IN_JSON: Final = re.compile(r'^\{.*?"type"\s*:\s*"([a-z\d-]+)"', re.DOTALL)
# Emoji, arrows and blanks in front say nothing; then comes what was to be started, or skipped.
_PICTURES: Final = r"^[\s\p{So}\x{FE0F}\x{200D}\x{1F3FB}-\x{1F3FF}]+"
_PREFIX: Final = r'^(?:Cannot start Actor(?: task)? "[^"]*": |Skipping Actor(?: task)? "[^"]*", )'


def find_causes(messages: Iterable[str], rules: Sequence[Rule] = RULES) -> pd.Categorical:
    r"""
    Tell for every message what stopped the action.

    Each distinct message is looked at once. What stands before the reason (``Cannot start Actor "<id>": ``, emoji) is
    left out, quotes may carry literal backslashes, and the first rule that fits decides.

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
    given = _coded(messages)
    causes, _ = _decide(find_reasons(pd.Series(given.categories, dtype="str")), rules)
    names = pd.Index(list(dict.fromkeys([*(rule.cause for rule in rules), *CAUSES])), dtype="str")
    return pd.Categorical.from_codes(names.get_indexer(pd.Index(causes, dtype="str"))[given.codes], categories=names)


def find_advice(messages: Iterable[str], rules: Sequence[Rule] = RULES) -> pd.Series[Any]:
    """
    Tell for every message what to do about it: what its rule says, else what its cause means in general.

    Parameters
    ----------
    messages, rules
        As for `find_causes`.

    Returns
    -------
    advice
        One sentence or two per message, in the order of the messages.

    Raises
    ------
    InputError, ConfigError
        As for `find_causes`.

    Examples
    --------
    >>> find_advice(["Monthly usage hard limit exceeded"]).item()
    'Look at the limits and at the plan on https://console.apify.com/billing.'
    """
    given = _coded(messages)
    causes, advice = _decide(find_reasons(pd.Series(given.categories, dtype="str")), rules)
    said = [text or CAUSES.get(cause, "") for text, cause in zip(advice, causes, strict=True)]
    return pd.Series(np.array(said, object)[given.codes], dtype="str")


def rules_from(table: Iterable[Mapping[str, Any]]) -> Rules:
    r"""
    Read rules of your own, as a file of settings has them, and put them in front of `RULES`.

    Parameters
    ----------
    table
        For each rule its `pattern` and `cause`, and if you like its `advice` and `source`.

    Returns
    -------
    rules
        Your rules in their order, then `RULES`.

    Raises
    ------
    ConfigError
        If a rule lacks its pattern or cause, has anything else, or a pattern is no regular expression.

    Examples
    --------
    In ``schedlog.toml`` that is ``[[rules]]`` with ``pattern = "Quota\\b"`` and ``cause = "quota"``.

    >>> rules = rules_from([{"pattern": r"Quota\b", "cause": "quota", "advice": "Ask Ada for more."}])
    >>> list(find_causes(["Quota gone", "Actor was not found"], rules)), find_advice(["Quota gone"], rules).item()
    (['quota', 'missing target'], 'Ask Ada for more.')
    """
    own = [_read_rule(row) for row in table]
    _check(own)
    return Rules((*own, *RULES))


def find_reasons(messages: pd.Series[Any]) -> pd.Series[Any]:
    r"""
    Leave out of each message what names the target, emoji in front, and the backslashes before quotes.

    Examples
    --------
    >>> find_reasons(pd.Series(['Cannot start Actor task "iEvfA6pm6DWjRTGxS": Unknown error'])).tolist()
    ['Unknown error']
    """
    texts = to_arrow(messages)
    plain = _without_pictures(pc.utf8_trim_whitespace(pc.replace_substring(texts, '\\"', '"')))
    has_prefix = pc.fill_null(pc.match_substring_regex(plain, _PREFIX), fill_value=False)
    # What stands behind the second quote, without the colon or comma: ten times as fast as to replace the expression.
    parts = pc.split_pattern(plain.filter(has_prefix), '"', max_splits=2)
    reasons = pc.utf8_slice_codeunits(pc.list_element(parts, 2), len(": "))
    plain = pc.replace_with_mask(plain, has_prefix, _without_pictures(reasons))
    return pd.Series(plain.to_pandas().array, messages.index, dtype="str")


def _without_pictures(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    found = pc.fill_null(pc.match_substring_regex(texts, _PICTURES), fill_value=False)
    if not pc.any(found).as_py():
        return texts
    return pc.replace_with_mask(texts, found, pc.replace_substring_regex(texts.filter(found), _PICTURES, ""))


def describe_rules(rules: Sequence[Rule] = RULES) -> pd.DataFrame:
    r"""
    Show the rules as a table: cause, what it means, what decides, what else to do, and where that was seen.

    Examples
    --------
    >>> describe_rules().loc[0, ["cause", "source"]].tolist()
    ['input', 'documented']
    """
    rows = [(rule.cause, CAUSES.get(rule.cause, ""), rule.pattern, rule.advice, rule.source) for rule in rules]
    rows += [(cause, CAUSES[cause], ", ".join(types.split()), "", "error types") for cause, types in TYPES.items()]
    return pd.DataFrame(rows, columns=["cause", "meaning", "decides", "advice", "source"], dtype="str")


def _read_rule(row: Mapping[str, Any]) -> Rule:
    if not {"pattern", "cause"} <= set(row) or not set(row) <= set(Rule._fields):
        raise ConfigError(
            f"The rule {row!r} was not understood; expected pattern and cause, with advice and source if you like."
        )
    if not all(isinstance(value, str) for value in row.values()):
        raise ConfigError(
            f"The rule {row!r} holds something that is no text; write patterns, causes and advice as text."
        )
    return Rule(**row)


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


def _decide(reasons: pd.Series[Any], rules: Sequence[Rule]) -> tuple[list[str], list[str]]:
    """Give each reason the cause and the advice of the first rule that fits, else the cause of its error type."""
    _check(rules)
    if len(reasons) <= _FEW:  # expressions of RE2 take 25 ms to compile
        first = [
            next((at for at, rule in enumerate(rules) if re.match(rule.pattern, reason)), -1) for reason in reasons
        ]
    else:
        first = _find_first(reasons, rules)
    cause = [rules[at].cause if at >= 0 else _read_type(text) for at, text in zip(first, reasons, strict=True)]
    return cause, [rules[at].advice if at >= 0 else "" for at in first]


def _find_first(reasons: pd.Series[Any], rules: Sequence[Rule]) -> list[int]:
    """Say of each reason which rule fits first; -1 for none."""
    first, left = np.full(len(reasons), -1), np.arange(len(reasons))
    for at, rule in enumerate(rules):
        hit = reasons.iloc[left].str.match(rule.pattern).to_numpy(dtype=np.bool_)
        first[left[hit]] = at
        left = left[~hit]
    return cast("list[int]", first.tolist())


def _read_type(reason: str) -> str:
    """Find an error type as a word of its own outside quotes, or as the type of a JSON error; the first one counts."""
    if "-" not in reason:  # all types have one
        return OTHER
    named = _TYPE_IN_JSON.match(reason)
    words = _TYPE.findall(re.sub(r'"[^"]*"', '""', reason))
    found = [_CAUSE_OF_TYPE[word] for word in (*words, named[1] if named else "") if word in _CAUSE_OF_TYPE]
    return found[0] if found else OTHER
