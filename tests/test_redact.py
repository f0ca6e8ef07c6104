"""What is shown to people holds no secret and no address, and everything that a diagnosis needs."""

import re
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedlog_analysis._core.redact import EMAIL, LONGEST, REDACTED, SECRETS, redact, redact_texts

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


# Made up, of the right shape: letters, digits, hexadecimal digits.
WORD = "Zk4vQ9xT2mLp7RwB8nYc"
HEX = "9f3c1a7be2d04586af19c3d7e8b05264"
UUID = "1f0e3dad-9990-8345-b743-9f8ffabdffc4"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJxdWVlbiJ9.s5iG7kQ0uVxYzAbCdEfGhIjKlMnOpQrStUvWxYz0123"

# Every kind of secret, by its name in `SECRETS`: texts with the secret in braces.
PLANTED = {
    "private key block": [
        "-----BEGIN RSA PRIVATE KEY-----\n{MIIEpAIBAAKCAQEA}\n-----END RSA PRIVATE KEY-----",
        r'{{"key": "-----BEGIN PRIVATE KEY-----\n{MIIEvQIBADANBg}\n-----END PRIVATE KEY-----\n"}}',
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n{lQOYBGPkXyz01234}",
    ],
    "user and password in a URL": [
        "connect to http://user:{pa/ss1234word}@host/path failed",
        "amqp://{admin:s3cretpass}@10.0.0.1:5672//",
        "http://user:{p@ss-wordy1}@host:80",
    ],
    "Slack webhook": ["POST https://hooks.slack.com/services/{T00000000/B00000000/EXAMPLEPATHTOKENabc12345} failed"],
    "Discord webhook": ["https://discord.com/api/webhooks/{123456789012345678/aBcDeFgHiJkLmNoPqRsT}"],
    "Zapier webhook": ["https://hooks.zapier.com/hooks/catch/{1234567/bq2xyzw}/ gave 410"],
    "Teams webhook": [f"https://acme.webhook.office.com/webhookb2/{{{UUID}@{UUID}/IncomingWebhook/{HEX}/{UUID}}}"],
    "Make webhook": ["https://hook.eu1.make.com/{abcdefghijklmnopqrstuvw1} refused"],
    "IFTTT webhook": ["https://maker.ifttt.com/trigger/done/with/key/{dEfGhIjKlMnOpQrStUvWx}"],
    "Telegram bot": ["https://api.telegram.org/bot{123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw}/sendMessage"],
    "ping address": [f"https://hc-ping.com/{{{UUID}}}"],
    "authorization header": [f"Authorization: {{{WORD}}}", f'{{{{"authorization": "Basic {{{WORD}}}"}}}}'],
    "cookies": [
        "Cookie: {sid=abcdefgh12345; theme=dark}",
        '{{"headers": {{"Cookie": "{sid=abcdefgh12345; a=b}"}}, "error": "gone"}}',
        r"{{\"cookies\": [{{\"name\": \"sid\", \"value\": \"{abcdefgh12345}\"}}]}}",
    ],
    "exported cookie": ['[{{"name": "li", "value": "{abcdefgh12345}", "domain": ".example.com"}}]'],
    "exported cookie, the domain first": ['[{{"domain": ".example.com", "name": "li", "value": "{abcdefgh12345}"}}]'],
    "bearer token": [f"Bearer {{{WORD}}}", f"bearer {{{WORD}}} was refused"],
    "basic credentials": ["Basic {dXNlcjpwYXNzd29yZA==}"],
    "password after an equals sign": ["password={KqWmTz/9x} wrong", 'client_secret = "{a, b; c12345}"'],
    "password after a colon": ["password: {KqWmTz9x}", '{{"passwd": "{hunter2hunter2}"}}', "secret: {must-be-kept1}"],
    "password in quotes": ['password "{hunter2hunter2}" is wrong', "the secret is '{hunter2hunter2}'"],
    "signed URL": [
        "https://api.apify.com/v2/key-value-stores/x/records/INPUT?signature={abcDEF123456}",
        "https://d1.cloudfront.net/a?Expires=1&Signature={abc~DEF-123456__}&Key-Pair-Id={APKAEXAMPLE12}",
        f"https://storage.googleapis.com/b/o?X-Goog-Credential={{sa%40p.iam}}&X-Goog-Signature={{{HEX}}}",
        f"https://b.s3.amazonaws.com/o?X-Amz-Credential={{AKIAIOSFODNN7EXAMPLE%2F2026}}&X-Amz-Signature={{{HEX * 2}}}",
    ],
    "secret of a query": [
        "https://a.blob.core.windows.net/c?sv=2024&sig={aBc%2BdEf12345%3D}&se=1",
        "x?key={abcdefgh1}",
    ],
    "key after an equals sign": [
        "https://api.apify.com/v2/acts?token={abcdefgh1}&limit=1",
        "AccountKey={abcdef/gh+1==}",
    ],
    "option of a command": ["curl --token {abcdefgh1} x", "psql --password {abcdefgh1}"],
    "quoted key after a colon": ['{{"token": "{abcdefgh}"}}', r"{{\"apiKey\": \"{abcdefgh}\"}}"],
    "key after a colon": ["X-Api-Key: {abcdefgh1}", "access_token: {abcdefgh1}"],
    "Apify token": ["apify_api_{abcdefghIJKLMNOP12}", "invalid token apify_proxy_{abcdefghIJKLMNOP12}"],
    "JSON web token": [f"jwt expired: {{{JWT}}}"],
    "OpenAI key": [f"Incorrect API key provided: {{sk-proj-{WORD}}}"],
    "Anthropic key": [f"invalid x-api-key {{sk-ant-api03-{WORD}}}"],
    "Stripe key": [f"Invalid API Key provided: {{sk_live_{WORD}}}", f"{{whsec_{WORD}}}"],
    "GitHub token": [f"remote: {{ghp_{WORD}}} is bad", f"{{github_pat_{WORD}}}"],
    "GitLab token": [f"{{glpat-{WORD}}}"],
    "Slack token": ["{xoxb-123456789012-abcdefghijkl}", "{xapp-1-A0123456-789}"],
    "Google API key": ["{AIzaSyA1234567890abcdefghijklmnopqrstuv} is not allowed"],
    "Google OAuth secret": [f"invalid_client {{GOCSPX-{WORD}}}"],
    "Google access token": ["{ya29.a0AfH6SMBx1234567}", "refresh {1//0gabcdefghijklmn}"],
    "AWS key": ["The key {AKIAIOSFODNN7EXAMPLE} does not exist"],
    "Vault token": [f"permission denied for {{hvs.CAESI{WORD}}}"],
    "HubSpot token": [f"{{pat-na1-{UUID}}} has expired"],
    "Twilio key": [f"Twilio {{SK{HEX}}} refused"],
    "SendGrid key": [f"{{SG.{WORD}.{WORD}}} refused"],
    "Mailgun key": [f"Forbidden {{key-{HEX}}}"],
    "Mailchimp key": [f"API Key Invalid {{{HEX}-us14}}"],
    "Hugging Face token": [f"{{hf_{WORD}}}"],
    "npm token": [f"{{npm_{WORD}}}"],
    "PyPI token": [f"{{pypi-AgEI{WORD}}}"],
    "Docker token": [f"{{dckr_pat_{WORD}}}"],
    "DigitalOcean token": [f"{{dop_v1_{HEX}}}"],
    "Shopify token": [f"{{shpat_{HEX}}}"],
    "Databricks token": [f"{{dapi{HEX}}}"],
    "Notion token": [f"{{ntn_{WORD}}}"],
    "Linear key": [f"{{lin_api_{WORD}}}"],
    "Grafana token": [f"{{glsa_{WORD}_1f0e3dad}}"],
    "Sentry token": [f"{{sntrys_{WORD}}}"],
    "New Relic key": [f"{{NRAK-{WORD}}}"],
    "Postman key": [f"{{PMAK-{WORD}}}"],
    "Supabase or Figma key": [f"{{sbp_{WORD}}}", f"{{figd_{WORD}}}"],
    "Groq, xAI, Replicate or Perplexity key": [f"{{gsk_{WORD}}}", f"{{xai-{WORD}}}", f"{{r8_{WORD}}}"],
    "Airtable token": [f"{{patAbCdEf01234567.{HEX}{HEX}}}"],
    "Discord bot token": ["{MTAxMjM0NTY3ODkwMTIzNDU2.GabcdE.abcdefghijklmnopqrstuvwxyz01}"],
    "Facebook token": [f"Error validating access {{EAA{WORD}}}"],
    "e-mail address": ["no mailbox {ada.lovelace@example.com}"],
    "letters and digits": [f"seen {{{HEX}}} once", f"seen {{{WORD}{WORD}}}"],
    "Base64": ["payload {aGVsbG8gd29ybGQ-aGVsbG8gd29ybGQ1_HELLOworld} here"],
}
CASES = [(name, text) for name, texts in PLANTED.items() for text in texts]


def plant(text):
    """Say what the text is, and the secrets in it: what stands in single braces."""
    secrets = re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", text.replace("{{", "\0").replace("}}", "\1"))
    plain = text.replace("{{", "\0").replace("}}", "\1").replace("{", "").replace("}", "")
    return plain.replace("\0", "{").replace("\1", "}"), secrets


def leaks(shown, secrets):
    """List what is left of secrets: eight characters in a row, or a whole secret that is shorter."""
    pieces = {s[i : i + 8] for s in secrets for i in range(max(1, len(s) - 7))}
    return sorted(piece for piece in pieces if piece in shown)


@pytest.mark.parametrize("frame", ["{}", "Cannot start Actor: {} (again)", "é {}\nnext line"])
@pytest.mark.parametrize("text", [text for _, text in CASES])
def test_nothing_of_a_planted_secret_shows(text, frame):
    """Of every kind of secret no eight characters are left, alone, within a message or before a line break."""
    text, secrets = plant(text)
    assert secrets
    text = frame.format(text)
    assert not leaks(redact(text), secrets), redact(text)
    assert redact_texts(pd.Series([text], dtype="str")).tolist() == [redact(text)]
    assert redact(redact(text)) == redact(text)


def test_every_secret_has_its_example():
    """The list has at least thirty kinds, each with an example above that its own pattern finds."""
    assert [secret.name for secret in SECRETS] == list(PLANTED)
    assert len(PLANTED) >= 30
    for secret in SECRETS:
        assert all(secret.pattern.search(plant(text)[0]) for text in PLANTED[secret.name]), secret.name


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
        "password: must be at least 8 characters",
        '{"password": "must be at least 8 characters"}',
        "Password is required",
        "secret: not found in vault",
        '{"password": null}',
        "fatal: reference is not a tree: 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
        "pull access denied for app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "https://registry:5000/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Cookie is missing",
        "signature mismatch",
        "Authorization header is missing",
        "see http://host:8080/path?x=a@b",
        "Unknown class ActorNotFoundException in com.apify.Scheduler",
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
    [
        "a",
        "a@",
        "1a ",
        "token",
        "token: ",
        "authorization: ",
        "://a:",
        "eyJaaaaaaaa.",
        "a@b.",
        '"',
        "-",
        "A1a-@",
        "eyJaaaaaaaa-",
        "sk-",
        "secret ",
        "://a@",
        '"value":"a',
        '"domain"',
        "cookie: [",
        "A.M",
    ],
)
def test_long_messages_take_linear_time(piece):
    """What is made to confuse the patterns is read in the time of a few passes, and beyond its limit not at all."""
    began = time.process_time()
    redact(piece * (LONGEST // len(piece)))
    assert time.process_time() - began < 3
    long = piece * (50_000_000 // len(piece))
    began = time.process_time()
    assert len(redact(long)) <= LONGEST + len("<redacted> …")
    assert time.process_time() - began < 5


def test_a_cut_leaves_no_half_of_a_secret():
    """Where a text is cut, the word at the cut goes as a whole, so that no pattern sees only a part of it."""
    for shift in range(0, 40, 7):
        text = "word " * ((LONGEST - shift) // 5) + f" ghp_{WORD} and more " * 9
        assert not leaks(redact(text), [f"ghp_{WORD}"])
        assert redact(text).endswith("…")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, *(plant(text)[0] for _, text in CASES)]), max_size=6).map("".join))
def test_a_column_is_redacted_like_its_texts(text):
    """The quick look that a column gets first passes over no text that has a secret."""
    assert redact_texts(pd.Series([text, text], dtype="str")).tolist() == [redact(text)] * 2


def test_columns_keep_their_index_and_their_gaps():
    """A column, as text or as a categorical, gives text with the same index; missing stays missing."""
    texts = pd.Series(["token=abc", None, "fine", "token=abc"], index=[5, 3, 2, 9], dtype="str")
    expected = ["token=<redacted>", np.nan, "fine", "token=<redacted>"]
    for column in (texts, texts.astype("category")):
        clean = redact_texts(column)
        assert clean.dtype == "str"
        pd.testing.assert_series_equal(clean, pd.Series(expected, index=texts.index, dtype="str"))
    assert redact_texts(texts.iloc[:0]).dtype == "str"
