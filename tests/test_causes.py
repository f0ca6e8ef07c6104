"""A cause is read from the platform's own words: never guessed, and never decided by what a user wrote."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis._core.redact import redact
from schedlog_analysis.analysis.failures.causes import (
    CAUSES,
    MISSED,
    OTHER,
    RULES,
    TYPES,
    Rule,
    describe_rules,
    find_causes,
    find_reasons,
)
from schedlog_analysis.errors import ConfigError, InputError

ADD_ON = "Please consider upgrading or purchasing extra memory as an add-on at https://console.apify.com/billing"
REASONS = {
    'Provided input must be object, got "string" instead.': "input",
    "Input is not valid: Field input.startUrls is required": "input",
    "Input is not valid: Field input.maxItems must be >= 20": "input",
    'Input is not valid: Field input.c must be equal to one of the allowed values: "a", "b"': "input",
    "Input is not valid: Property input.urls is not allowed.": "input",
    "By launching this job you will exceed the memory limit of 8192MB for all your Actor runs and builds "
    f"(currently used: 4096MB, requested: 8192MB). {ADD_ON}": "capacity",
    f"By launching this job you will exceed your limit of 25 concurrent Actor runs. {ADD_ON}": "capacity",
    "Monthly usage hard limit exceeded": "billing",
    f"By launching this job you will exceed your remaining usage of $0.288101. {ADD_ON}": "billing",
    "You must rent a paid Actor in order to run it after its free trial has expired. To rent this Actor, go to "
    "https://console.apify.com/actors/jF8GGEvbEg4Au3NLA": "rental",
    "Maximum charged results must be greater than zero": "billing",
    "This Actor requires full access to your account. You must approve its permissions before running it: "
    "https://console.apify.com/actors/jF8GGEvbEg4Au3NLA?approvePermissions=true": "permission",
    'Build with tag "latest" was not found. Has the Actor been built already?': "build",
    'Actor has no build tagged "latest"': "build",
    'Build with number "0.1.99" was not found.': "build",
    "This is an old build with unsupported fields. Please rebuild the Actor.": "build",
    "Actor was not found": "missing target",
    "Actor was not found.": "missing target",
    "Actor task was not found": "missing target",
    'Actor with ID "jF8GGEvbEg4Au3NLA" not found': "missing target",
    "Unknown error": OTHER,
}
WHOLE = {
    "Cannot invoke schedule because its user was not found.": "account",
    'Skipping Actor "jF8GGEvbEg4Au3NLA", it must be exclusive but previous run is still running': "exclusive",
    'Skipping Actor task "jF8GGEvbEg4Au3NLA", it must be exclusive but previous run is still running': "exclusive",
    "Schedule invoked": OTHER,
    "": OTHER,
}
MESSAGES = (
    {f'Cannot start Actor "jF8GGEvbEg4Au3NLA": {reason}': cause for reason, cause in REASONS.items()}
    | {f'Cannot start Actor task "iEvfA6pm6DWjRTGxS": {reason}': cause for reason, cause in REASONS.items()}
    | REASONS
    | WHOLE
)


@pytest.mark.parametrize(("message", "cause"), MESSAGES.items())
def test_every_known_message_has_its_cause(message, cause):
    """Each text that is published gets its cause, bare, with either prefix, with literal backslashes, and redacted."""
    escaped = message.replace('"', '\\"')
    assert list(find_causes([message, escaped, f" {message}\n", redact(message)])) == [cause] * 4


@pytest.mark.parametrize("cause", TYPES)
def test_error_types_decide_where_they_stand_alone(cause):
    """The API's type names a cause as a word of its own, in brackets and in a JSON error, but not inside quotes."""
    expected = {}
    for name in TYPES[cause].split():
        expected[f'Cannot start Actor "a": {name}'] = cause
        expected[f"{name}: nobody has seen this wording"] = cause
        expected[f"Something new ({name})"] = cause
        expected[f'{{"error": {{"type": "{name}", "message": "?"}}}}'] = cause
        expected |= dict.fromkeys((f'Something new about "{name}"', f"my-{name}", f"{name}-2"), OTHER)
    assert dict(zip(expected, find_causes(expected), strict=True)) == expected


def test_error_types_are_known_once():
    """No error type stands for two causes."""
    names = " ".join(TYPES.values()).split()
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["Actor was not found", "Monthly usage hard limit exceeded", "internal-server-error"])
def test_what_users_write_decides_nothing(name):
    """A field, a value, a tag or an id that sounds like a cause leaves the cause alone."""
    imitations = {
        f"Input is not valid: Field input.{name} is required": "input",
        f'Input is not valid: Field input.x must be equal to one of the allowed values: "{name}"': "input",
        f'Build with tag "{name}" was not found. Has the Actor been built already?': "build",
        f'Cannot start Actor "{name}": You have exceeded the rate limit': "platform",
        f'Cannot start Actor "{name}": Unknown error': OTHER,
        f'Somebody says "{name}"': OTHER,
    }
    assert list(find_causes(imitations)) == list(imitations.values())


def test_own_rules_win():
    """Rules put in front are asked first, may bring causes of their own, and leave the rest as it was."""
    rules = (Rule("quota", r"Monthly usage\b"), Rule("weather", r".*\brain\b"), *RULES)
    found = find_causes(["Monthly usage hard limit exceeded", "Too much rain", "Actor was not found"], rules)
    assert list(found) == ["quota", "weather", "missing target"]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([*MESSAGES, "x", "Cannot start"]), max_size=60), st.randoms(use_true_random=False))
def test_order_repeats_and_dtype_do_not_matter(messages, rng):
    """A message's cause does not depend on its neighbours, on how often it comes or on how the texts are stored."""
    alone = [MESSAGES.get(message, OTHER) for message in messages]
    assert list(find_causes(messages)) == alone
    as_text = pd.Series(messages, dtype="str")
    assert list(find_causes(as_text)) == list(find_causes(as_text.astype("category"))) == alone
    pairs = list(zip(messages, alone, strict=True))
    rng.shuffle(pairs)
    assert list(find_causes([message for message, _ in pairs])) == [cause for _, cause in pairs]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=10, max_size=30))
def test_any_text_has_a_cause(texts):
    """Any text at all gets one of the causes."""
    assert set(find_causes(texts)) <= set(CAUSES)


def test_the_result_is_a_column_of_text():
    """The causes come as a categorical of text that knows every cause, also when there are no messages."""
    for found in (find_causes([]), find_causes(["Actor was not found"])):
        assert found.categories.dtype == "str"
        assert set(CAUSES) == set(found.categories)


def test_bad_input_is_named():
    """A missing message, an empty rule and a broken pattern are told in words."""
    with pytest.raises(InputError, match="missing"):
        find_causes(pd.Series(["a", np.nan], dtype="str"))
    with pytest.raises(ConfigError, match="says nothing"):
        find_causes(["a"], [Rule("quota", "")])
    with pytest.raises(ConfigError, match="no regular expression"):
        find_causes(["a"], [Rule("quota", "(")])


def test_the_rules_describe_themselves():
    """The table has a row per rule and per cause that has error types, and says in words what each cause means."""
    table = describe_rules()
    assert len(table) == len(RULES) + len(TYPES)
    assert set(table["cause"]) | {OTHER, MISSED} == set(CAUSES)
    assert (table["meaning"].str.len() > 0).all()
    assert all(re.compile(rule.pattern) for rule in RULES)


def test_reasons_come_without_their_prefix():
    """Only the prefix that names the target is left out, once."""
    twice = 'Cannot start Actor "a": Cannot start Actor "b": Unknown error'
    assert find_reasons(pd.Series([twice, "Unknown error"])).tolist() == [
        'Cannot start Actor "b": Unknown error',
        "Unknown error",
    ]
