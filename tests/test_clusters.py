"""Clusters: labels of messages, stable whatever else a log holds, and joined back to tables of them."""

import random
import re
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis._core.redact import redact
from schedlog_analysis.analysis.failures.causes import find_reasons
from schedlog_analysis.analysis.failures.clusters import label_messages, labelled, remember
from schedlog_analysis.analysis.failures.known import FIELD, KNOWN, Known, Names
from schedlog_analysis.analysis.failures.templates import matches
from schedlog_analysis.errors import InputError

TEXTS = ["", "Actor was not found", "Unknown error"]
VALUES = ["5", "8192MB", "10.0.0.1:80", "ada", "https://console.apify.com/billing", "zgXBNLPhHJdeEKXxV", "7, 8"]
FIELDS = ["input.startUrls", "input.page12", "input.proxy.groups"]
PEOPLE = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "niaj", "olivia"]
COMPANY = [f"mailbox of {name} is full" for name in PEOPLE] + ["Quota gone", "connect to 10.0.0.1 failed"]
COMPANY += [f"By launching this job you will exceed the {name} limit of 5" for name in PEOPLE]
SECRET = "Zk4vQ9xT2mLp7RwB8nYc"


@st.composite
def known_messages(draw):
    """Draw a message of the platform, with values, as a log has it."""
    known = draw(st.sampled_from(KNOWN))
    text = re.sub(r"(?<=[a-z])<\*>$", ". See <*>", known.template).replace(FIELD, draw(st.sampled_from(FIELDS)))
    while "<*>" in text:
        text = text.replace("<*>", draw(st.sampled_from(VALUES)), 1)
    prefix = draw(
        st.sampled_from(["", 'Cannot start Actor "zgXBNLPhHJdeEKXxV": ', 'Cannot start Actor task "b": ', "❌ "])
    )
    return known, prefix + text


@settings(max_examples=40, deadline=None)
@given(st.lists(known_messages(), min_size=1, max_size=6), st.lists(st.sampled_from(COMPANY), max_size=40))
def test_no_company_changes_a_known_name(some, company):
    """A known message has the same cluster, template and cause alone and in any log; a plain one has its own name."""
    together = label_messages([*(text for _, text in some), *company])
    for at, (known, text) in enumerate(some):
        alone = label_messages([text]).iloc[0]
        assert together.iloc[at].tolist() == alone.tolist()
        assert alone["cause"] == known.cause
        if FIELD not in known.template:
            assert alone["cluster_id"] == known.name


@settings(max_examples=40, deadline=None)
@given(
    st.lists(known_messages().map(lambda pair: pair[1]) | st.sampled_from(COMPANY) | st.text(max_size=30), max_size=20)
)
def test_a_label_covers_its_message(messages):
    """The template of each message fits its reason, once secrets are out; and no order changes a label."""
    labels = label_messages(messages)
    reasons = find_reasons(pd.Series(messages, dtype="str")).map(redact).tolist()
    for template, reason in zip(labels["template"], reasons, strict=True):
        assert matches(template, reason), (template, reason)
    order = random.Random(1).sample(range(len(messages)), len(messages))
    again = label_messages([messages[at] for at in order])
    assert again["cluster_id"].tolist() == labels["cluster_id"].iloc[order].tolist()
    assert again["cause"].tolist() == labels["cause"].iloc[order].tolist()


def test_known_names_are_told_apart():
    """Each name stands for one cause and one advice; the texts of one name are variants of one sentence."""
    by_name = {}
    for known in KNOWN:
        assert by_name.setdefault(known.name, known)[2:4] == known[2:4]
    assert len({known.template for known in KNOWN}) == len(KNOWN)


@pytest.mark.parametrize(
    "messages",
    [
        ['Skipping Actor "a", it must be exclusive but previous run is still running'] * 1
        + ['Skipping Actor task "b", it must be exclusive but previous run is still running'],
        ['Cannot start Actor "a": ❌ Quota gone', "Quota gone", 'Cannot start Actor task "b": Quota gone'],
        [f'Provided input must be object, got "{kind}" instead.' for kind in ("string", "array", "number")],
        [f'{{"error": {{"type": "x", "id": "{name}"}}}}' for name in ("W9fVAHdaPVLsgtzRx", "FoVPmFbzFaHNggSEt")],
        [f"jwt expired: eyJhbGciOiJIUzI1NiJ9.eyJ{a}.{a}ekqZ2bRyPLb4C7eQ" for a in ("aUwAPsFA24fs", "PaCHjdTsXKnT")],
        [f"password={word}/KqWm{i}x wrong" for i, word in enumerate(("abc", "Zk4vQ", "x-1"))],
    ],
)
def test_what_is_one_failure_is_one_cluster(messages):
    """Who was hit, emoji, ids without a digit and secrets split no cluster."""
    assert len(set(label_messages(messages)["cluster_id"])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "password={}/KqWm wrong",
        "jwt expired: eyJhbGciOiJIUzI1NiJ9.eyJ{0}.{0}",
        "GET https://s3.example.com/x?X-Amz-Signature={} returned 403",
        "POST https://hooks.slack.com/services/T1/B2/{} failed",
        "invalid_client GOCSPX-{}",
    ],
)
def test_no_template_leaks(text):
    """Secrets are out before templates are mined: no eight characters of one stand in a template."""
    others = [text.format("".join(random.Random(i).sample(SECRET, len(SECRET)))) for i in range(12)]
    for messages in ([text.format(SECRET)], [text.format(SECRET), *others]):
        template = label_messages(messages)["template"].iloc[0]
        assert not any(SECRET[i : i + 8] in template for i in range(len(SECRET) - 7)), template


def test_remembered_names_stay():
    """A message that fits a template of an earlier log has its name, though alone it would have another."""
    first = label_messages(COMPANY)
    names = remember(first)
    alone = label_messages(["mailbox of zoe is full"])
    later = label_messages(["mailbox of zoe is full", "Quota gone", "Nobody knows"], remembered=names)
    assert alone["cluster_id"][0] != first["cluster_id"][0]
    assert later["cluster_id"][0] == first["cluster_id"][0]
    assert later["template"][0] == "mailbox of <*> is full"
    both = remember(later, names)
    assert set(names["cluster_id"]) < set(both["cluster_id"])
    pd.testing.assert_frame_equal(remember(later, both), both)


def test_remembered_templates_take_in_no_sentences():
    """A value of a remembered template is one word or a quoted text, so it takes no other failure along."""
    names = Names(
        known=(), remembered=[("a", "task <*> failed"), ("b", "<*>"), ("c", 'task "<*>" lost'), ("d", "<*> lost")]
    )
    assert names.recognise("task x failed").cluster_id == "a"
    assert names.recognise("task x stopped since the disk failed") is None
    assert names.recognise("anything") is None
    assert names.recognise('task "my own" lost').cluster_id == "c"


def test_known_messages_come_first():
    """A remembered template changes no known name."""
    names = Names(known=[Known("mine", "Quota <*> gone", "quota", "", "wild")], remembered=[("old", "Quota <*> gone")])
    assert names.recognise("Quota 5 gone").cluster_id == "mine"
    assert remember(label_messages(["Actor was not found"])).empty


def test_bad_messages_are_named():
    """A missing message is told in words; no messages give no labels."""
    with pytest.raises(InputError, match="missing"):
        label_messages(["a", None])
    assert len(label_messages([])) == 0
    assert list(label_messages([]).columns) == ["cluster_id", "template", "cause"]


def test_time_grows_with_length_and_number_only():
    """One message of 50 MB takes no five seconds, and a hundred thousand distinct ones neither."""
    huge = ["No room: " + "word 5 " * 7_000_000, "aB1" * 16_000_000]
    many = [f'Cannot start Actor "{i:017x}": Lease {i} is in state {i % 7} after {i / 3:.2f} s' for i in range(100_000)]
    for messages in (huge[:1], huge[1:], many):
        began = time.process_time()
        assert len(set(label_messages(messages)["cluster_id"])) == 1
        assert time.process_time() - began < 5


@pytest.mark.parametrize("dtype", ["str", "category"])
@pytest.mark.parametrize("values", [["Unknown error", np.nan, "Unknown error", ""], [np.nan], [""], []])
def test_labels_follow_their_messages(dtype, values):
    """Each row has its own message's labels; a missing message is an empty one, which may be there as well."""
    index = pd.Index(TEXTS, dtype="str")
    labels = label_messages(index).set_axis(index)
    messages = pd.Series(values, dtype="str")
    found = labelled(pd.DataFrame({"message": messages.astype(dtype)}), labels)
    expected = messages.fillna("")
    assert found["message"].tolist() == expected.tolist()
    for name in labels:
        assert found[name].tolist() == labels[name].reindex(expected).tolist()
