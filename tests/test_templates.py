"""Equal failures share a template, different causes do not, and neither depends on the order of the messages."""

import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis.analysis.failures import templates
from schedlog_analysis.analysis.failures.templates import matches, mine_templates
from schedlog_analysis.analysis.failures.templates.numbers import mark_numbers
from schedlog_analysis.errors import InputError


def _words(text):
    return text.split()


SCHEDULE = {
    "Schedule invoked": "Schedule invoked",
    "Schedule invoked manually": "Schedule invoked manually",
    "Cannot invoke schedule because its user was not found.": "Cannot invoke schedule because its user was not found.",
    'Cannot start Actor task "iEvfabcXYZabcXYZa": Input is not valid: Field input.startUrls is required': (
        'Cannot start Actor task "<*>": Input is not valid: Field input.startUrls is required'
    ),
    r"Cannot start Actor task \"iEvf12cXYZabcXYZa\": Provided input must be object, got \"string\" instead.": (
        'Cannot start Actor task "<*>": Provided input must be object, got "string" instead.'
    ),
    'Cannot start Actor "jane/my-scraper": Input is not valid: Field input.maxItems must be >= 20': (
        'Cannot start Actor "<*>": Input is not valid: Field input.maxItems must be >= <*>'
    ),
    'Cannot start Actor "jane~my-scraper": Input is not valid: Property input.urls is not allowed.': (
        'Cannot start Actor "<*>": Input is not valid: Property input.urls is not allowed.'
    ),
    'Cannot start Actor "moJRLRc85AitArpNN": Unknown error': 'Cannot start Actor "<*>": Unknown error',
    'Skipping Actor "moJRLRc85AitArpNN", it must be exclusive but previous run is still running': (
        'Skipping Actor "<*>", it must be exclusive but previous run is still running'
    ),
    'Skipping Actor task "my task", it must be exclusive but previous run is still running': (
        'Skipping Actor task "<*>", it must be exclusive but previous run is still running'
    ),
    "By launching this job you will exceed the memory limit of 8192MB for all your Actor runs and builds "
    "(currently used: 4096MB, requested: 8192MB). Please consider upgrading or purchasing extra memory as an add-on "
    "at https://console.apify.com/billing/subscription": (
        "By launching this job you will exceed the memory limit of <*> for all your Actor runs and builds "
        "(currently used: <*>, requested: <*>). Please consider upgrading or purchasing extra memory as an add-on "
        "at <*>"
    ),
    "By launching this job you will exceed your limit of 25 concurrent Actor runs. Please consider upgrading.": (
        "By launching this job you will exceed your limit of <*> concurrent Actor runs. Please consider upgrading."
    ),
    "By launching this job you will exceed your remaining usage of $0.288101. Please consider upgrading to a paid "
    "plan at https://console.apify.com/billing.": (
        "By launching this job you will exceed your remaining usage of $<*>. Please consider upgrading to a paid "
        "plan at <*>."
    ),
    "Monthly usage hard limit exceeded": "Monthly usage hard limit exceeded",
    "You must rent a paid Actor in order to run it after its free trial has expired. To rent this Actor, go to "
    "https://console.apify.com/actors/moJRLRc85AitArpNN": (
        "You must rent a paid Actor in order to run it after its free trial has expired. To rent this Actor, go to <*>"
    ),
    'Build with tag "latest" was not found. Has the Actor been built already?': (
        'Build with tag "latest" was not found. Has the Actor been built already?'
    ),
    'Build with number "0.1.99" was not found.': 'Build with number "<*>" was not found.',
    'Actor with ID "moJRLRcAitArpNNab" not found': 'Actor with ID "<*>" not found',
    "Actor task was not found": "Actor task was not found",
}

VALUES = _words(
    "17 -4 3.25 1.5e-07 8192MB 35ms 4K 0x7ff1b2e0 deadbeef 0b85eee0 v1.20.3-rc1 10.0.0.1 fe80::90ff:fef5 "
    "2607:f140:6000:8:c6b3:1ff:fecd:467f 5c:50:15:4c:18:ab 76fe6715-3d27-4f21-aa35-c88c1ea820e8 moJRLRc85AitArpNN "
    "1bfe6715-3d27-eb9a-aa35-abcdefabcde1 "
    "blk_-1608999687919862906 task_200811101024_0001_m_000590_0 https://apify.com/a?b=c jane@example.com "
    "/var/log/app-3.log /data/[2017-07-06_08,29]/x ~/.cache C:\\Windows\\a.dll src/app/main.py part-00017.csv "
    "node-12.eu.example.com www.example.com proxy.example.edu.hk com.example/.ui.Main ../etc/app 1.2.3-SNAPSHOT "
    "5.4.0-42.117smp 1.2.15+dfsg1-4+b1 2026-04-18T01:26:29.359Z 2026-04-18T01:26:29+02:00 R30-M0-L1-U08-C true null"
)
SEVERAL = [
    "1,234,567",
    "10:46:47.425",
    "2026-04-18",
    "10.0.0.1:8080",
    "[3, 5, 7]",
    "12/Jul/2017:16:02:37 +0200",
    "3/4",
    "node-[3-7,9]",
]


def test_a_schedule_log_message_has_the_same_template_alone_and_among_others():
    """The template of a failure depends on the message alone, so that its id holds across periods and machines."""
    alone = [mine_templates([message])[0] for message in SCHEDULE]
    assert alone == list(SCHEDULE.values())
    others = [f'Cannot start Actor "{name}": Unknown error' for name in "abcdefghijklmnopqrstuvwxyz"]
    assert list(mine_templates([*SCHEDULE, *others, *others]))[: len(SCHEDULE)] == alone


def test_fields_of_the_input_stay_apart():
    """However many fields are wrong, each is a failure of its own, also where names end in a digit."""
    messages = [f'Cannot start Actor "x": Input is not valid: Field input.page{i} is required' for i in "0123456789abc"]
    assert len(mine_templates(messages).categories) == len(messages)


def test_the_three_limits_never_merge():
    """Memory, concurrency and money are three causes behind one prefix."""
    messages = [
        f"By launching this job you will exceed {rest}"
        for i in range(40)
        for rest in (
            f"the memory limit of {i}MB for all your Actor runs",
            f"your limit of {i} concurrent Actor runs",
            f"your remaining usage of ${i}.5",
        )
    ]
    assert list(mine_templates(messages).value_counts()) == [40, 40, 40]


CLASSES = _words(
    "ValueError TypeError KeyError IndexError TimeoutError ConnectionError OSError RuntimeError LookupError "
    "ImportError java.io.IOException NullPointerException requests.exceptions.HTTPError DeprecationWarning "
    "AttributeError MemoryError KeyboardInterrupt PermissionError AssertionFailure SegmentationFault"
)
NOUNS = _words("file table record session bucket token header schema worker lease cursor packet index queue log")


@pytest.mark.parametrize(
    "body", ["{0}", "{0} is missing", "cannot open the {0}", "{0} gave status {1} after {1} ms", "no {0} at /var/{1}/x"]
)
def test_exception_classes_and_their_causes_never_merge(body):
    """20 classes by 15 bodies are 300 failures, whatever numbers they hold."""
    messages = [f"{name}: {body.format(noun, i)}" for name in CLASSES for noun in NOUNS for i in (7, 40, 1234)]
    counts = mine_templates(messages).value_counts()
    assert len(counts) == 300
    assert set(counts) == {3}


def test_what_stands_before_an_exception_may_vary():
    """Who was hit is a value where many were; the class, and what it says, stay."""
    messages = [f"servlet [{noun}] threw {name}: no memory" for noun in NOUNS for name in CLASSES[:4]]
    assert set(mine_templates(messages)) == {f"servlet [<*>] threw {name}: no memory" for name in CLASSES[:4]}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("place", ["the value {} was seen", "seen={}, then lost", "it was ({})"])
def test_a_value_of_known_shape_is_masked_in_a_single_message(place, value):
    """One message is enough to know a path, an address or an id."""
    assert mine_templates([place.format(value)])[0] == place.format("<*>")


@pytest.mark.parametrize("value", SEVERAL)
def test_values_of_several_parts_leave_nothing_but_their_punctuation(value):
    """A date, a list or a host with its port is made of values only."""
    template = mine_templates([f"it was {value} then"])[0]
    assert "<*>" in template
    assert not any(map(str.isalnum, template.removeprefix("it was ").removesuffix(" then")))


def test_names_and_prose_are_no_values_by_shape():
    """Class names, versions of protocols and hyphenated words keep their letters."""
    messages = [
        "com.apify.Scheduler.run failed",
        "IPv6 is on",
        "the up-to-date index",
        "either/or",
        "log4j p2p started",
    ]
    assert list(mine_templates(messages)) == messages


def test_what_a_bracket_counts_is_not_what_it_names():
    """A range of nodes is one value with its name; an id in brackets leaves the name before it alone."""
    assert list(mine_templates(["lost node-[3-7,9] at once"])) == ["lost <*> at once"]
    task = "orders.sync[76fe6715-3d27-4f21-aa35-c88c1ea820e8] received"
    assert list(mine_templates([task])) == ["orders.sync[<*>] received"]


def test_a_last_digit_is_open_where_it_varies():
    """Eth0 and eth1 are one failure, IPv4 and IPv6 are two, and a lone eth0 is shown."""
    assert list(mine_templates(["link eth0 down", "link eth1 down"]).categories) == ["link <*> down"]
    assert list(mine_templates(["link eth0 down"])) == ["link eth0 down"]
    assert len(mine_templates(["no IPv4 route", "no IPv6 route"]).categories) == 2


def test_a_unit_is_shown_where_it_never_varies():
    """MB beside KB is part of the value; ms alone says what the number means."""
    assert list(mine_templates(["took 5 ms", "took 17 ms"]).categories) == ["took <*> ms"]
    speeds = [f"got it at {i}.5 {unit} today" for i, unit in enumerate(("B/s", "KB/s", "MB/s"))]
    assert list(mine_templates(speeds).categories) == ["got it at <*> today"]
    assert list(mine_templates(["free 5 MB now", "free 17.5 KB now", "free 3 B now"]).categories) == ["free <*> now"]


PEOPLE = _words("alice bob carol dave erin frank grace heidi ivan judy mallory niaj olivia peggy rupert sybil")


def test_many_names_are_a_value_and_a_few_states_are_not():
    """What no shape gives away is found by how messages differ, if they differ enough."""
    assert list(mine_templates([f"mailbox of {name} is full" for name in PEOPLE]).categories) == [
        "mailbox of <*> is full"
    ]
    states = [f"icon is in state '{state}' now" for state in ("Active", "Inactive")]
    assert list(mine_templates(states)) == states


def test_a_name_that_is_a_value_elsewhere_is_one_here():
    """Three people are too few to tell a value from a state, unless other messages show that they are people."""
    known = [f"mailbox of {name} is full" for name in PEOPLE]
    few = [f"session closed for user {name}" for name in PEOPLE[:3]]
    assert len(mine_templates(few).categories) == 3
    assert set(mine_templates(known + few)) == {"mailbox of <*> is full", "session closed for user <*>"}
    causes = [f"LookupError: the mailbox of {name} is gone" for name in PEOPLE[:3]]
    assert list(mine_templates(known + causes))[len(known) :] == causes


def test_a_single_numbered_name_beside_a_value_is_no_template_of_its_own():
    """A host that is spelled another way is covered where hosts stand, however few messages there are."""
    messages = [f"Hostname: 10.0.0.{i}, /var/log/{i} - lost connection" for i in range(8)]
    messages += [f"Hostname: node-{i}, /var/log/{i} - lost connection" for i in (12, 71)]
    assert list(mine_templates(messages).categories) == ["Hostname: <*>, <*> - lost connection"]


@pytest.mark.parametrize(
    ("message", "template"),
    [
        (r"Component \042alt0\042 is down", 'Component "alt0" is down'),
        (r"lost\012contact\040with 5", "lost contact with <*>"),
        (r"ends with \04", r"ends with \<*>"),
        ("\\", "\\"),
    ],
)
def test_octal_escapes_are_read(message, template):
    """System loggers write quotes and line breaks as octal numbers, which are no part of the word that follows."""
    assert mine_templates([message])[0] == template
    assert matches(template, message)


def test_several_hidden_values_at_once_are_found():
    """Messages that differ in three words at once share a frame."""
    draw = random.Random(1)
    messages = [
        f"{draw.choice(PEOPLE)} sent {draw.choice(NOUNS)} over to {draw.choice(PEOPLE)} at once" for _ in range(300)
    ]
    assert list(mine_templates(messages).categories) == ["<*> sent <*> over to <*> at once"]


def test_commands_that_differ_in_the_verb_stay_apart():
    """A few words at the start of short messages are what happened, not to whom."""
    messages = [f"{daemon} startup succeeded" for daemon in ("portmap", "gmetad", "xinetd", "cupsd", "crond")]
    assert list(mine_templates(messages)) == messages


def test_optional_values_and_lists_of_any_length_do_not_split_a_template():
    """The same words in the same order are one template, whatever stands between them."""
    messages = ["closed, 17 bytes sent", "closed, 17 bytes (1.2 KB) sent", "closed, 8 bytes (0.1 KB) sent"]
    assert len(mine_templates(messages).categories) == 1
    assert list(mine_templates(["lost nodes 1", "lost nodes 1, 2", "lost nodes 3, 4, 5"]).categories) == [
        "lost nodes <*>"
    ]


def test_a_frequent_template_absorbs_a_compound_value_but_no_word():
    """LOCAL(0) stands where addresses stand; a "not" changes what is said."""
    messages = [f"synchronized to 10.1.{i}.1, stratum 3" for i in range(20)]
    assert len(mine_templates([*messages, "synchronized to LOCAL(0), stratum 3"]).categories) == 1
    assert len(mine_templates([*messages, "synchronized to not 10.1.1.1, stratum 3"]).categories) == 2


WORDS = st.sampled_from(
    [*NOUNS[:4], *PEOPLE[:9], *VALUES[:12], "eth0", "eth1", "(on)", "5 MB", "=", '"a b"', "KeyError:"]
)
MESSAGES = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=40)


@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, seed=st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(messages, seed):
    """Any permutation with any repeats gives each message the template it had."""
    template_of = dict(zip(messages, mine_templates(messages), strict=True))
    again = [*messages, *messages[::2]]
    seed.shuffle(again)
    assert list(mine_templates(again)) == [template_of[message] for message in again]


@settings(max_examples=100, deadline=None)
@given(message=st.text(max_size=60) | st.lists(WORDS, max_size=12).map(" ".join))
def test_a_template_covers_its_message(message):
    """Whatever one message says, in whatever script, its template matches it."""
    assert matches(mine_templates([message])[0], message)


@settings(max_examples=15, deadline=None)
@given(messages=MESSAGES)
def test_the_container_does_not_matter(messages):
    """Lists, arrays, columns of text and of categories, and Arrow's arrays say the same."""
    expected = list(mine_templates(messages))
    text = pd.Series(messages, dtype="str")
    for given_as in (
        text,
        text.astype("object"),
        text.astype("category"),
        pd.Index(text),
        pd.Categorical(text, categories=sorted({*messages, "never used 5"})),
        np.array(messages, object),
        np.array(messages, str) if not any("\0" in message for message in messages) else messages,
        pa.array(messages, pa.string()),
        pa.chunked_array([messages[:3], messages[3:]], pa.large_string()),
        pa.array(messages, pa.string()).dictionary_encode(),
        text.astype(pd.ArrowDtype(pa.string())),
        text.astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        pa.array(messages, pa.string_view()),
        pd.CategoricalIndex(text),
        tuple(messages),
        (message for message in messages),
    ):
        assert list(mine_templates(given_as)) == expected


def test_the_result_is_a_categorical_of_text_in_order():
    """One template per message; the categories are sorted text, also when there are none."""
    result = mine_templates(["b 1", "a", "b 2"])
    assert isinstance(result, pd.Categorical)
    assert list(result.categories) == ["a", "b <*>"]
    assert result.categories.dtype == mine_templates([]).categories.dtype == "str"
    assert len(mine_templates([])) == 0


@pytest.mark.parametrize(
    "messages",
    [
        ["", " ", "\n\t"],
        ["Traceback:\n  File 'a.py', line 3\n    f()\nValueError: 5", "()", "[]", '"', "''"],
        ["x" * 10_000 + " 5", "5" * 10_000, "a 5 " * 2_500],
        ["שלום 5 עולם", "🙂 17 🙂", "共有12个错误", "خطأ 12 في السطر"],
        ["half \ud83d a pair 5"],
        ["\x01 \x00 \x7f 5"],
    ],
)
def test_odd_messages_work(messages):
    """Empty, multi-line, huge, right-to-left and broken texts all get a template."""
    mined = mine_templates(messages)
    assert len(mined) == len(messages)
    assert not any(template.strip() != template or "\n" in template for template in mined)
    readable = [message.encode("utf-8", "replace").decode() for message in messages]
    assert all(map(matches, mined, readable))


def test_only_distinct_messages_cost(monkeypatch):
    """However often messages come, each is looked at once, and nothing but numbers is counted for the rest."""
    seen = []
    monkeypatch.setattr(templates, "mark_numbers", lambda lines: seen.append(len(lines)) or mark_numbers(lines))
    rng = np.random.default_rng(3)
    texts = [f"run {i} of {noun}" for noun in NOUNS for i in range(10, 20)]
    for given_as in (pd.Categorical.from_codes(rng.integers(0, 150, 10**6), texts), texts * 100):
        assert len(mine_templates(given_as)) == len(given_as)
    assert seen == [150, 150]


@pytest.mark.parametrize(
    "unit",
    [
        "/",
        "a:",
        "1:",
        "x.",
        "a-",
        "a@",
        "a_1",
        "a1",
        "a1.",
        "[",
        "/a[",
        "/[",
        "abcd-",
        "\\\\a",
        '"a ',
        "=/",
        "a/b.",
        "a.b/",
        "../",
        "1.2-",
        "1.2+a.",
        "\\042",
        "ad-1",
    ],
)
def test_long_chunks_take_no_long_time(unit):
    """No shape tries a stretch of text twice: were one to, these would take minutes."""
    assert len(mine_templates([unit * 20_000 + str(i) for i in range(20)])) == 20


def test_many_unlike_messages_take_no_long_time():
    """Random messages, and one template with many hidden values, are compared by sums and not pair by pair."""
    draw = random.Random(2)
    word = ["".join(draw.choices("abcdefghijklmnop", k=6)) for _ in range(3_000)]
    unlike = [" ".join(draw.choices(word, k=10)) for _ in range(5_000)]
    assert len(mine_templates(unlike).categories) == len(set(unlike))
    alike = [" ".join(word[i] if i % 4 else draw.choice(word) for i in range(40)) for _ in range(2_000)]
    assert len(mine_templates(alike).categories) == 1


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        (["a", None], "Message 1 is null"),
        (pd.Series(["a", None, "b"]), "Message 1 is null"),
        (pd.Categorical(["a", "b", None]), "Message 2 is null"),
        (pa.array([None, "a"]), "Message 0 is null"),
        ([1, 2], "message 0 is of type int"),
        (["a", 2], "message 1 is of type int"),
        ([["a"]], "message 0 is of type list"),
        ([b"a"], "message 0 is of type bytes"),
        ([pa.scalar("a")], "message 0 is of type StringScalar"),
        (pd.Series([1.5]), "message 0 is of type float"),
        (pd.Categorical([1, 2]), "message 0 is of type int"),
        (pa.array([1]), "of type int64; make them strings"),
        (pa.nulls(2), "Message 0 is null"),
        (pd.DataFrame({"message": ["a"]}), "choose its column"),
        (7, "put them in a list"),
        ("one message", "put it in a list"),
        (b"one message", "put it in a list"),
        (np.array("one message"), "put it in a list"),
    ],
)
def test_what_is_no_message_is_said_clearly(messages, says):
    """Nulls and other things than text are errors that say where and what to do."""
    with pytest.raises(InputError, match=says):
        mine_templates(messages)


def test_matches_tells_templates_apart():
    """A wildcard stands for any text, all else must be there, in order and to the end."""
    assert matches("Actor <*> failed after <*> s", "Actor  a b failed\nafter 5 s")
    assert matches('task "<*>" gone', r"task \"x\" gone")
    assert matches("Schedule invoked", "Schedule invoked")
    assert not matches("Schedule invoked", "Schedule invoked manually")
    assert not matches("Actor <*> failed", "Actor 5 failed twice")
    assert not matches("ab<*>b", "ab")
