"""
A redacted text is a message from which secrets and e-mail addresses are taken out, and nothing that a diagnosis needs.

Ids of Apify (17 characters), UUIDs, numbers, field names, addresses of pages, hashes of commits and digests of images
stay. Everything shown to people goes through here, and so does what templates are made of; escaping for HTML or a
terminal is left to whoever renders it.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

REDACTED: Final = "<redacted>"
EMAIL: Final = "<e-mail>"
LONGEST: Final = 100_000
"""Longest text that is read [characters]: what comes after is cut, and ``…`` says so."""

# What may stand between a name and its value: quotes (also with literal backslashes), blanks, "=" or ":".
_EQUALS: Final = r"[\"'\\]{0,2}\s{0,4}(?:=|%3D)\s{0,4}[\"'\\]{0,2}"
_COLON: Final = r"[\"'\\]{0,2}\s{0,4}:\s{0,4}[\"'\\]{0,2}"
_QUOTED: Final = r"\s{1,4}(?:(?:is|was|of)\s{1,4})?\\?[\"']"
# A value reaches to its closing quote, or to the next blank or separator; a wildcard of a template is no value.
_VALUE: Final = r"(?!<\*>)(?:(?<=\")[^\"\\]+|(?<=')[^'\\]+|[^\s\"'\\&,;)}\]]+)"
# What a sentence says about a password, and so no password: "password: must be at least 8 characters".
_PROSE: Final = (
    r"(?!(?:must|should|shall|can|cannot|can't|could|may|is|are|isn't|was|wasn't|were|has|have|had|do|does|doesn't|did"
    r"|didn't|not|no|too|at|the|this|that|a|an|your|minimum|maximum|required|missing|invalid|incorrect|wrong|expired"
    r"|empty|blank|needs?|contains?|field|value|please|for|of|in|with|and|or|but|only|already|expected|rejected"
    r"|mismatch|failed|unknown|provided|null|none|undefined|true|false|string)(?![\w-]))"
)
_WORDS: Final = "password passwd passphrase passcode pwd secret credential"
_KEYS: Final = (
    "token apikey api_key api-key accesskey access_key access-key keyid key_id key-id accesssignature accountkey "
    "account_key private_key private-key privatekey auth_key auth-key authkey sessionid session_id session-id sessid "
    "connect.sid li_at client_key clientkey"
)
_KEY_HINTS: Final = "token key signature sessid session connect.sid li_at credential"
_SIGNED: Final = "signature x-goog-credential x-amz-credential key-pair-id"
_QUERY: Final = r"(?:key|auth|sig|sign|code|hmac|policy|access|pass|jwt|hdnea|st)"
_SCHEME: Final = r"(?:Bearer|Basic|Digest|Negotiate|Token|ApiKey)"
_BASE64: Final = r"[A-Za-z0-9_+-]"
# Digests in hexadecimal, as git, container registries and checksums write them: 40, 64, 96 or 128 small digits.
_DIGEST: Final = r"(?!(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})(?![A-Za-z0-9]))"
_END: Final = r"(?![\w-])"

# The same names as expressions of RE2, which knows no lookarounds.
_SET: Final = r"s?[\"'\\]{0,2}\s{0,4}(?:=|%3d|:)"


def _any(names: str) -> str:
    return "(?:" + "|".join(map(re.escape, names.split())) + ")"


def _after(names: str, ahead: str) -> str:
    """Match behind one of the names: few places have what comes next, and only there are the names looked for."""
    behind = "|".join(rf"(?<={re.escape(name)}{plural})" for name in names.split() for plural in ("", "s"))
    return f"(?={ahead})(?:{behind})"


class Secret(NamedTuple):
    """How one kind of secret is recognised, and what is put in its place."""

    name: str
    hints: tuple[str, ...]  # in small letters: one of them stands in any text with such a secret; none for long runs
    suspect: str  # the same said more narrowly, as an expression of RE2, for columns of many texts
    gate: re.Pattern[str] | None  # the same once more, for small letters: a quick look before a slow pattern
    pattern: re.Pattern[str]
    shown: str = REDACTED


def _secret(name: str, hints: str, pattern: str, shown: str = REDACTED, suspect: str = "") -> Secret:
    """Declare a secret; hints are parted by blanks."""
    words = tuple(hints.split())
    gate = re.compile(suspect) if suspect and suspect == suspect.lower() else None
    return Secret(name, words, suspect or "|".join(map(re.escape, words)), gate, re.compile(pattern), shown)


def _key(name: str, prefix: str, tail: str, hints: str = "") -> Secret:
    """Declare a key that begins as its maker decided."""
    suspect = rf"(?-i:{prefix})[\w=+/.-]{{6}}"
    return _secret(name, hints or prefix.lower(), rf"(?<![A-Za-z0-9])(?:{prefix}){tail}", suspect=suspect)


def _run(name: str, pattern: str) -> Secret:
    """Declare a secret of 32 or more letters and digits without a break."""
    return _secret(name, "", rf"(?<![A-Za-z0-9]){pattern}")


# Applied in this order. Each pattern reads a text in linear time: a repetition in front of a fixed part is bounded,
# possessive, or can only begin where another character stands before. Each has its test in `tests/test_redact.py`.
SECRETS: Final[tuple[Secret, ...]] = (
    # RFC 7468, and what PGP calls the same; a block that is cut off reaches to the end.
    _secret(
        "private key block",
        "private",
        r"(?s)-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        suspect="PRIVATE KEY",
    ),
    # RFC 3986, userinfo; a password may hold a slash or "@", while "host:8080/a@b" is a port.
    _secret(
        "user and password in a URL",
        "://",
        r"(?<=://)(?![^\s/@:\"'<>]{0,256}:\d{1,5}/)[^\s/@:\"'<>]{0,256}:[^\s@\"'<>]{1,256}@(?:[^\s@/\"'<>?#]{0,64}@){0,8}",
        f"{REDACTED}@",
        r"://[^\s/@:\"'<>]{0,256}:[^\s@\"'<>]{1,256}@",
    ),
    # Webhooks: whoever has the address may post. docs: api.slack.com/messaging/webhooks
    _secret("Slack webhook", "slack", r"(?i)(hooks\.slack(?:-gov)?\.com/)[^\s\"'<>\\)]+", rf"\1{REDACTED}"),
    # discord.com/developers/docs/resources/webhook
    _secret(
        "Discord webhook",
        "discord",
        r"(?i)(discord(?:app)?\.com/api/(?:v\d+/)?webhooks/)[^\s\"'<>\\)]+",
        rf"\1{REDACTED}",
    ),
    # help.zapier.com: Trigger Zaps from webhooks
    _secret("Zapier webhook", "zapier", r"(?i)(hooks\.zapier\.com/)[^\s\"'<>\\)]+", rf"\1{REDACTED}"),
    # learn.microsoft.com/microsoftteams: incoming webhooks; the second is the older address
    _secret("Teams webhook", "office.com", r"(?i)(office\.com/webhook(?:b2)?/)[^\s\"'<>\\)]+", rf"\1{REDACTED}"),
    # help.make.com/webhooks, formerly Integromat
    _secret(
        "Make webhook",
        "hook",
        r"(?i)(hook(?:\.[a-z0-9]{2,8})?\.(?:make|integromat)\.com/)[^\s\"'<>\\)]+",
        rf"\1{REDACTED}",
    ),
    # ifttt.com/maker_webhooks
    _secret("IFTTT webhook", "ifttt", r"(?i)(maker\.ifttt\.com/[^\s\"'<>?]{0,200}/key/)[\w-]+", rf"\1{REDACTED}"),
    # core.telegram.org/bots/api: the token of a bot stands in its path
    _secret("Telegram bot", ":aa", r"(?<![A-Za-z0-9])(?:bot)?\d{6,12}:AA[\w-]{28,64}"),
    # healthchecks.io and cronitor: whoever has the address may report success
    _secret(
        "ping address",
        "hc-ping cronitor.link",
        r"(?i)((?:hc-ping\.com|cronitor\.link/p)/)[^\s\"'<>\\)]+",
        rf"\1{REDACTED}",
    ),
    # RFC 9110, Authorization
    _secret(
        "authorization header",
        "authorization",
        rf"(?i)(authorization(?:{_COLON}|{_EQUALS})(?:{_SCHEME}\s+)?){_PROSE}{_VALUE}",
        rf"\1{REDACTED}",
    ),
    # RFC 6265, Cookie and Set-Cookie; as JSON, a text, a list or an object
    _secret(
        "cookies",
        "cookie",
        rf"(?i)(\b(?:set-)?cookies?[\"'\\]{{0,2}}\s{{0,4}}[:=]\s{{0,4}}){_PROSE}"
        r"(?:<redacted>|\\?\"(?:[^\"\\\n]|\\[^\"\n])*|'[^'\n]*|\[[^\]]*|[^\n]+)",
        rf"\1{REDACTED}",
    ),
    # How browsers and Puppeteer export cookies: {"name": …, "value": …, "domain": …}, in either order
    _secret(
        "exported cookie",
        "domain httponly samesite hostonly",
        r"(\\?\"value\\?\"\s{0,4}:\s{0,4}\\?\")(?!<redacted>)[^\"\\]{1,4096}+"
        r"(?=\\?\"[^{}]{0,500}?\\?\"(?:domain|httpOnly|sameSite|hostOnly)\\?\")",
        rf"\1{REDACTED}",
    ),
    _secret(
        "exported cookie, the domain first",
        "domain httponly samesite hostonly",
        r"(\\?\"(?:domain|httpOnly|sameSite|hostOnly)\\?\"[^{}]{0,500}?\\?\"value\\?\"\s{0,4}:\s{0,4}\\?\")[^\"\\]{1,4096}",
        rf"\1{REDACTED}",
    ),
    # RFC 6750
    _secret(
        "bearer token",
        "bearer",
        rf"(?i)\b(Bearer\s+)(?!(?:tokens?|auth\w*|scheme|header|error)\b){_PROSE}{_VALUE}",
        rf"\1{REDACTED}",
    ),
    # RFC 7617
    _secret("basic credentials", "basic", r"(?i)\b(Basic\s+)(?=[A-Za-z]{0,256}[\d=+/])[\w+/=-]{8,}", rf"\1{REDACTED}"),
    # cheatsheetseries.owasp.org: Logging, data to exclude
    _secret(
        "password after an equals sign",
        _WORDS,
        rf"(?i){_after(_WORDS, _EQUALS)}({_EQUALS}){_VALUE}",
        rf"\1{REDACTED}",
        _any(_WORDS) + _SET,
    ),
    _secret(
        "password after a colon",
        _WORDS,
        rf"(?i){_after(_WORDS, _COLON)}({_COLON}){_PROSE}{_VALUE}",
        rf"\1{REDACTED}",
        _any(_WORDS) + _SET,
    ),
    _secret(
        "password in quotes",
        _WORDS,
        rf"(?i){_after(_WORDS, _QUOTED)}({_QUOTED}){_PROSE}{_VALUE}",
        rf"\1{REDACTED}",
        _any(_WORDS) + _QUOTED,
    ),
    # docs.aws.amazon.com (Signature V4, CloudFront), cloud.google.com (V4 signing), Apify's records
    _secret(
        "signed URL",
        _KEY_HINTS,
        rf"(?i){_after(_SIGNED, _EQUALS)}({_EQUALS}){_VALUE}",
        rf"\1{REDACTED}",
        _any(_SIGNED) + _SET,
    ),
    # learn.microsoft.com: shared access signatures, also of Power Automate; keys of Google's APIs; CloudFront's policy
    _secret(
        "secret of a query",
        "? & ;",
        rf"(?i)([?&;]{_QUERY}{_EQUALS}){_VALUE}",
        rf"\1{REDACTED}",
        rf"[?&;]{_QUERY}[\"'\\]{{0,2}}\s{{0,4}}(?:=|%3d)",
    ),
    _secret(
        "key after an equals sign",
        _KEY_HINTS,
        rf"(?i){_after(_KEYS, _EQUALS)}({_EQUALS}){_VALUE}",
        rf"\1{REDACTED}",
        _any(_KEYS) + _SET,
    ),
    _secret(
        "option of a command",
        "-",
        rf"(?i)(?<!\S)(--?{_any(_WORDS + ' ' + _KEYS)}\s{{1,4}}){_VALUE}",
        rf"\1{REDACTED}",
        rf"-{_any(_WORDS + ' ' + _KEYS)}\s",
    ),
    # After a colon a token must look like one, or be quoted: "Unexpected token: end of input" is a diagnosis.
    _secret(
        "quoted key after a colon",
        _KEY_HINTS,
        rf"(?i){_after(_KEYS + ' ' + _SIGNED, _COLON)}([\"'\\]{{0,2}}\s{{0,4}}:\s{{0,4}}\\?[\"']){_PROSE}{_VALUE}",
        rf"\1{REDACTED}",
        _any(_KEYS + " " + _SIGNED) + _SET,
    ),
    _secret(
        "key after a colon",
        _KEY_HINTS,
        rf"(?i){_after(_KEYS + ' ' + _SIGNED, _COLON)}(\s{{0,4}}:\s{{0,4}})(?=[^\s\d]{{0,64}}\d)(?=\S{{6}}){_VALUE}",
        rf"\1{REDACTED}",
        _any(_KEYS + " " + _SIGNED) + _SET,
    ),
    # docs.apify.com: API tokens, also of the proxy and of signing in
    _secret("Apify token", "apify_", r"(?<![A-Za-z0-9])(apify_[a-z]{1,20}_)\w{6,}", rf"\1{REDACTED}"),
    # RFC 7519
    _secret("JSON web token", "eyj", r"(?<![A-Za-z0-9])eyJ[\w-]{8,4096}+\.[\w-]{4,4096}+(?:\.[\w-]*+)?"),
    _key("OpenAI key", "sk-", r"[\w-]{16,512}"),  # platform.openai.com, also sk-proj-; openrouter.ai
    _key("Anthropic key", "sk-ant-", r"[\w-]{16,512}"),  # docs.anthropic.com
    _key("Stripe key", "(?:sk|pk|rk)_|whsec_", r"\w{16,512}", "sk_ pk_ rk_ whsec_"),  # docs.stripe.com/keys
    _key(
        "GitHub token", "gh[pousr]_|github_pat_", r"\w{16,512}", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_"
    ),  # docs.github.com
    _key("GitLab token", "gl[a-z]{2,6}-", r"[\w-]{16,512}", "gl"),  # docs.gitlab.com/security/tokens
    _key("Slack token", "xox[a-z]-|xapp-", r"[\w-]{10,512}", "xox xapp-"),  # api.slack.com/concepts/token-types
    _key("Google API key", "AIza", r"[\w-]{30,64}"),  # cloud.google.com/docs/authentication/api-keys
    _key("Google OAuth secret", "GOCSPX-", r"[\w-]{16,64}"),  # developers.google.com/identity/protocols/oauth2
    _key("Google access token", r"ya29\.|1//0", r"[\w.-]{10,2048}", "ya29. 1//0"),  # same
    _key("AWS key", "(?:AKIA|ASIA)", "[0-9A-Z]{12,32}", "akia asia"),  # docs.aws.amazon.com/IAM
    _key("Vault token", r"hv[sbr]\.", r"[\w-]{16,512}", "hvs. hvb. hvr."),  # developer.hashicorp.com/vault
    _key("HubSpot token", r"pat-[a-z]{2,3}\d-", r"[\w-]{16,64}", "pat-"),  # developers.hubspot.com: private apps
    _run("Twilio key", rf"(?:SK|AC)[0-9a-f]{{32}}{_END}"),  # twilio.com/docs/iam/api-keys
    _key("SendGrid key", r"SG\.", r"[\w-]{16,64}\.[\w-]{16,64}", "sg."),  # sendgrid.com/docs/api-reference
    _run("Mailgun key", rf"key-[0-9a-f]{{32}}{_END}"),  # documentation.mailgun.com
    _run("Mailchimp key", rf"[0-9a-f]{{32}}-us\d{{1,2}}{_END}"),  # mailchimp.com/developer
    _key("Hugging Face token", "hf_", r"\w{20,64}"),  # huggingface.co/docs/hub/security-tokens
    _key("npm token", "npm_", r"\w{20,64}"),  # docs.npmjs.com/about-access-tokens
    _key("PyPI token", "pypi-", r"[\w-]{16,512}"),  # pypi.org/help/#apitoken
    _key("Docker token", "dckr_(?:pat|oat)_", r"[\w-]{16,64}", "dckr_"),  # docs.docker.com/security/access-tokens
    _key("DigitalOcean token", "do[oprt]_v1_", r"\w{16,128}", "_v1_"),  # docs.digitalocean.com/reference/api
    _key("Shopify token", "shp[a-z]{2}_", r"\w{16,64}", "shp"),  # shopify.dev/docs/apps/auth
    _run("Databricks token", rf"dapi[0-9a-f]{{32}}(?:-\d)?{_END}"),  # docs.databricks.com/dev-tools/auth/pat
    _key("Notion token", "secret_|ntn_", r"\w{20,64}", "secret_ ntn_"),  # developers.notion.com
    _key("Linear key", "lin_(?:api|oauth)_", r"\w{16,64}", "lin_"),  # developers.linear.app
    _key("Grafana token", "gl(?:c|sa)_", r"[\w=+/-]{16,512}", "glc_ glsa_"),  # grafana.com/docs: service accounts
    _key("Sentry token", "sntry[su]_", r"[\w=+/-]{16,512}", "sntry"),  # docs.sentry.io/account/auth-tokens
    _key("New Relic key", "NR[A-Z]{2}-", r"[\w-]{16,64}", "nr"),  # docs.newrelic.com: API keys
    _key("Postman key", "PMAK-", r"[\w-]{16,128}"),  # learning.postman.com
    _key("Supabase or Figma key", "sb[ps]_|figd_", r"[\w-]{16,128}", "sbp_ sbs_ figd_"),  # supabase.com, figma.com
    _key("Groq, xAI, Replicate or Perplexity key", "gsk_|xai-|r8_|pplx-", r"[\w-]{16,128}", "gsk_ xai- r8_ pplx-"),
    _run("Airtable token", r"pat\w{14}\.[0-9a-f]{40,64}"),  # airtable.com/developers: personal tokens
    _secret(
        "Discord bot token",  # discord.com/developers
        ".",
        r"[MNO](?<![A-Za-z0-9][MNO])[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,64}",
        suspect=r"[MNO][\w-]{23}[\w-]*\.[\w-]{6,7}\.",
    ),
    _key("Facebook token", "EAA", r"[A-Za-z0-9]{20,512}"),  # developers.facebook.com: access tokens
    # RFC 5321; the sign may be percent-encoded
    _secret(
        "e-mail address",
        "@ %40",
        r"(?<![\w.+-])[\w.+-]++(?:@|%40)(?=[\w.-]{1,255}\.[^\W\d_]{2})[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
        EMAIL,
    ),
    # What nobody gave a name, yet looks like one: letters and digits without a break, and Base64.
    _run("letters and digits", rf"{_DIGEST}(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{{32,}}"),
    _secret(
        "Base64",
        "",
        rf"(?<!{_BASE64})(?={_BASE64}*?\d)(?={_BASE64}*?[A-Z])(?={_BASE64}*?[a-z]){_BASE64}{{40,}}={{0,2}}",
    ),
)

_AT_HINT: Final = {
    hint: [at for at, secret in enumerate(SECRETS) if hint in (secret.hints or ("",))]
    for hint in sorted({hint for secret in SECRETS for hint in secret.hints or ("",)})
}
_FEW: Final = 300  # so many texts are looked at one by one in the 25 ms that it takes to compile the expression below
_LONG_RUN: Final = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9]{{32}}|(?<!{_BASE64}){_BASE64}{{40}}")
_SUSPECT: Final = "(?i)" + "|".join(
    sorted({"[A-Za-z0-9]{32}", rf"{_BASE64}{{40}}", *(secret.suspect for secret in SECRETS)} - {""})
)


def redact(text: str) -> str:
    """
    Take secrets and e-mail addresses out of a text.

    Secrets are those of `SECRETS`: tokens of Apify and of well-known services, what follows ``Bearer`` or
    ``Authorization:``, values of parameters named like a token or a password, user and password in a URL, signatures of
    URLs, paths of webhooks, cookies, JSON web tokens, private keys, and any unbroken run of 32 letters and digits or
    more that is no digest. What is redacted stays redacted when it is redacted again.

    Parameters
    ----------
    text
        Any text. Beyond `LONGEST` characters it is cut, so that a text of any length takes no long time.

    Returns
    -------
    text
        The same text with ``<redacted>`` and ``<e-mail>`` in it; empty if it was.

    Examples
    --------
    >>> redact("GET https://api.apify.com/v2/acts/jF8GGEvbEg4Au3NLA?token=s3cret failed for ada@example.com")
    'GET https://api.apify.com/v2/acts/jF8GGEvbEg4Au3NLA?token=<redacted> failed for <e-mail>'
    >>> redact("password: must be at least 8 characters")
    'password: must be at least 8 characters'
    """
    text = _cut(text)
    small = text.lower()
    has_long_run = _LONG_RUN.search(text) is not None
    hints = [hint for hint in _AT_HINT if hint in small]
    for at in sorted({at for hint in hints for at in _AT_HINT[hint]}):
        secret = SECRETS[at]
        if (secret.hints or has_long_run) and (secret.gate is None or secret.gate.search(small)):
            text = secret.pattern.sub(secret.shown, text)
    return text


def redact_texts(texts: pd.Series[Any]) -> pd.Series[Any]:
    """
    Take secrets and e-mail addresses out of a column of texts; each distinct text is read once.

    Parameters
    ----------
    texts
        Texts, as ``str`` or as a categorical; missing values stay missing.

    Returns
    -------
    texts
        Column of ``str`` with the same index.

    Examples
    --------
    >>> redact_texts(pd.Series(["Bearer abc123", None], dtype="str")).tolist()
    ['Bearer <redacted>', nan]
    """
    codes, values = pd.factorize(texts.astype("str"))
    clean = pd.Series(redact_array(to_arrow(values)).to_pandas(), dtype="str")
    return clean.reindex(codes).set_axis(texts.index)


def redact_array(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """
    Take secrets and e-mail addresses out of an array of distinct texts, none of them missing.

    Examples
    --------
    >>> redact_array(pa.array(["Bearer abc123"], pa.large_string())).to_pylist()
    ['Bearer <redacted>']
    """
    suspects = _find_suspects(texts)
    if not pc.any(suspects).as_py():
        return texts
    clean = [redact(text) for text in texts.filter(suspects).to_pylist()]
    return pc.replace_with_mask(texts, suspects, pa.array(clean, pa.large_string()))


def to_arrow(texts: Any) -> pa.LargeStringArray:  # noqa: ANN401 - a column or an array of texts
    """
    Give texts as one array of Arrow, missing ones as null.

    Examples
    --------
    >>> len(to_arrow(pd.Series([], dtype="str")))
    0
    """
    array = pa.array(texts, pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _find_suspects(texts: pa.LargeStringArray) -> pa.BooleanArray:
    """Say which texts may hold a secret: one pass of RE2 over a million of them takes 1 s, all patterns a minute."""
    if len(texts) < _FEW:
        return pa.array(np.ones(len(texts), bool))
    return pc.or_(pc.match_substring_regex(texts, _SUSPECT), pc.greater(pc.utf8_length(texts), LONGEST))


def _cut(text: str) -> str:
    """Cut a text that is too long at its last blank, so that no half of a secret is left."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST].rsplit(maxsplit=1)[0]} …"
