"""What is shown to people holds no secret and no address, and everything that a diagnosis needs."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis._core.redact import EMAIL, REDACTED, redact, redact_texts

LEAK = "s3cretV4lue"
PIECES = [
    *("token", "api_key", "password", "secret", "Authorization", "Bearer", "Basic", "Cookie", "key", "sig", "user"),
    *("=", ":", " ", '"', "'", "\\", "&", "?", "@", ".", ",", "\n", "://", "%3D", "%40", "--", "<*>", "}"),
    *(LEAK, "ada", "example.com", "apify_api_Ab1Ab1Ab1", REDACTED, EMAIL, "jF8GGEvbEg4Au3NLA", "é", "0" * 33),
]


@pytest.mark.parametrize(
    "text",
    [
        f"https://api.apify.com/v2/acts?token={LEAK}&limit=1",
        f"APIFY_TOKEN = '{LEAK}'",
        f'{{"token": "{LEAK}"}}',
        f'{{\\"apiKey\\": \\"{LEAK}\\"}}',
        f"access_token: {LEAK}",
        f"X-Api-Key: {LEAK}",
        f"password: {LEAK}",
        f'password="a, b; {LEAK}"',
        f"client_secret={LEAK}",
        f"--password {LEAK}",
        f"Authorization: Bearer {LEAK}",
        f"authorization: {LEAK}",
        f"bearer {LEAK}",
        f"http://auto:{LEAK}@proxy.apify.com:8000",
        f"Cookie: sid={LEAK}; lang=en",
        f"-----BEGIN RSA PRIVATE KEY-----\n{LEAK}\n-----END RSA PRIVATE KEY-----",
        f"apify_api_{LEAK}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{LEAK}.{LEAK}",
        f"ghp_{LEAK}{LEAK}",
        f"{LEAK}{LEAK}{LEAK}",
        f"https://s3.example.com/x?X-Amz-Signature={LEAK}",
    ],
)
def test_a_secret_never_shows(text):
    """Wherever a secret is usually found, nothing of it is left."""
    assert LEAK not in redact(text)
    assert REDACTED in redact(text)


@pytest.mark.parametrize(
    "text",
    ["ada@example.com", "mail Ada.L+x@sub.example.co.uk!", "ada%40example.com", "user@пример.рф", f"{'a' * 99}@ex.com"],
)
def test_an_address_never_shows(text):
    """An e-mail address is replaced as a whole."""
    assert EMAIL in redact(text)
    assert "@" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        'Cannot start Actor task "iEvfA6pm6DWjRTGxS": Provided input must be object, got "string" instead.',
        "Please consider upgrading to a paid plan at https://console.apify.com/billing/subscription",
        "https://console.apify.com/actors/YJCnS9qogi9XxDgLB?approvePermissions=true",
        "Input is not valid: Field input.token is required",
        "Input is not valid: Field input.apiKey: must be string",
        "Unexpected token: end of input",
        "Unexpected token < in JSON at position 0",
        "Bearer token is missing",
        "Basic authentication required",
        "run 550e8400-e29b-41d4-a716-446655440000 on lodash@4.17.21",
        "some-very-long-actor-name-with-many-words-and-2-numbers",
        "/usr/lib/python3.11/site-packages/requests/adapters/Some/Long/Path/Abc.py",
        'Lease <*> of "<*>" has token=<*>',
        "",
    ],
)
def test_what_a_diagnosis_needs_stays(text):
    """Ids, addresses of pages, field names, versions and templates come through to the letter."""
    assert redact(text) == text


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_redacting_twice_changes_nothing(text):
    """What is redacted stays as it is when it is redacted again."""
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_comes_through(text):
    """Any text can be redacted, and without anything like a name, a key or an address it is kept."""
    assert isinstance(redact(text), str)


@pytest.mark.parametrize(
    "piece",
    ["a", "a@", "1a ", "token", "token: ", "authorization: ", "://a:", "eyJaaaaaaaa.", "a@b.", '"', "-", "A1a-@"],
)
def test_long_messages_take_linear_time(piece):
    """A megabyte made to confuse the patterns is read in the time of a few passes, not of a million."""
    began = time.process_time()
    redact(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 10


def test_columns_keep_their_index_and_their_gaps():
    """A column, as text or as a categorical, gives text with the same index; missing stays missing."""
    texts = pd.Series(["token=abc", None, "fine", "token=abc"], index=[5, 3, 2, 9], dtype="str")
    expected = ["token=<redacted>", np.nan, "fine", "token=<redacted>"]
    for column in (texts, texts.astype("category")):
        clean = redact_texts(column)
        assert clean.dtype == "str"
        pd.testing.assert_series_equal(clean, pd.Series(expected, index=texts.index, dtype="str"))
    assert redact_texts(texts.iloc[:0]).dtype == "str"
