"""
A redacted text is a message from which secrets and e-mail addresses are taken out, and nothing that a diagnosis needs.

Ids of Apify (17 characters), UUIDs, numbers, field names and addresses of pages stay. Everything shown to people goes
through here; escaping for HTML or a terminal is left to whoever renders it.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

import pandas as pd

REDACTED: Final = "<redacted>"
EMAIL: Final = "<e-mail>"

# What may stand between a name and its value: quotes (also with literal backslashes), blanks, "=" or ":".
_EQUALS: Final = r"[\"'\\]{0,2}\s{0,4}(?:=|%3D)\s{0,4}[\"'\\]{0,2}"
_COLON: Final = r"[\"'\\]{0,2}\s{0,4}:\s{0,4}[\"'\\]{0,2}"
# A value reaches to its closing quote, or to the next blank or separator; a wildcard of a template is no value.
_VALUE: Final = r"(?!<\*>)(?:(?<=\")[^\"\\]+|(?<=')[^'\\]+|[^\s\"'\\&,;)}\]]+)"
_CONFIDENTIAL: Final = r"(?:passw(?:or)?d|passwd|passphrase|pwd|secret|credentials?)"
_KEY: Final = r"(?:token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|auth[_-]?key|session[_-]?id)"
_QUERY: Final = r"(?:(?<=[?&])(?:key|auth|sig|sign|code)|x-amz-(?:signature|credential|security-token))"
_BASE64: Final = r"[A-Za-z0-9_+-]"
_SCHEME: Final = r"(?:Bearer|Basic|Digest|Negotiate|Token|ApiKey)"

# Applied in this order. Each pattern reads a text in linear time: a repetition in front of a fixed part
# is bounded, possessive, or can only begin where another character stands before.
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        REDACTED,
    ),
    (re.compile(r"(?<=://)[^\s/@:\"']{0,256}:[^\s/@\"']{1,256}@"), f"{REDACTED}@"),
    (re.compile(rf"(?i)(authorization{_COLON}(?:{_SCHEME}\s+)?){_VALUE}"), rf"\1{REDACTED}"),
    (re.compile(r"(?im)(\bcookie[\"']?\s{0,4}:\s{0,4}).+$"), rf"\1{REDACTED}"),
    (
        re.compile(rf"(?i)\b(Bearer\s+)(?!(?:tokens?|auth\w*|scheme|header|is|was|in|not|or)\b){_VALUE}"),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(?i)\b(Basic\s+)(?=[A-Za-z]*[\d=+/])[\w+/=-]{8,}"), rf"\1{REDACTED}"),
    (re.compile(rf"(?i)({_CONFIDENTIAL}s?(?:{_EQUALS}|{_COLON})){_VALUE}"), rf"\1{REDACTED}"),
    (re.compile(rf"(?i)((?:{_KEY}s?|{_QUERY}){_EQUALS}){_VALUE}"), rf"\1{REDACTED}"),
    (re.compile(rf"(?i)(?<!\S)(--?(?:{_CONFIDENTIAL}|{_KEY})\s{{1,4}}){_VALUE}"), rf"\1{REDACTED}"),
    # After a colon a token must look like one, or be quoted: "Unexpected token: end of input" is a diagnosis.
    (re.compile(rf"(?i)({_KEY}s?[\"'\\]{{0,2}}\s{{0,4}}:\s{{0,4}}\\?[\"']){_VALUE}"), rf"\1{REDACTED}"),
    (re.compile(rf"(?i)({_KEY}s?\s{{0,4}}:\s{{0,4}})(?=[^\s\d]{{0,64}}\d)(?=\S{{6}}){_VALUE}"), rf"\1{REDACTED}"),
    (re.compile(r"\b(apify_[a-z]{1,20}_)\w{6,}"), rf"\1{REDACTED}"),
    (
        re.compile(
            r"\b(?:eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|(?:sk|pk|rk)[-_][\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}"
            r"|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}|A[KS]IA[0-9A-Z]{12,}|AIza[\w-]{30,}|(?:hf|npm)_\w{20,}|ya29\.[\w-]{10,})"
        ),
        REDACTED,
    ),
    (
        re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|%40)(?=[\w.-]{1,255}\.[^\W\d_]{2})[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
        EMAIL,
    ),
    (re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}"), REDACTED),
    (
        re.compile(rf"(?<!{_BASE64})(?={_BASE64}*?\d)(?={_BASE64}*?[A-Z])(?={_BASE64}*?[a-z]){_BASE64}{{40,}}={{0,2}}"),
        REDACTED,
    ),
)


def redact(text: str) -> str:
    """
    Take secrets and e-mail addresses out of a text.

    Secrets are Apify tokens, what follows ``Bearer`` or ``Authorization:``, values of parameters named like a token or
    a password, user and password in a URL, keys of well-known services, JSON web tokens, private keys, and any unbroken
    run of 32 letters and digits or more. What is redacted stays redacted when it is redacted again.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    text
        The same text with ``<redacted>`` and ``<e-mail>`` in it; empty if it was.

    Examples
    --------
    >>> redact("GET https://api.apify.com/v2/acts/jF8GGEvbEg4Au3NLA?token=s3cret failed for ada@example.com")
    'GET https://api.apify.com/v2/acts/jF8GGEvbEg4Au3NLA?token=<redacted> failed for <e-mail>'
    """
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
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
    clean = pd.Series([redact(value) for value in values], dtype="str").reindex(codes)
    return cast("pd.Series[Any]", clean.set_axis(texts.index))
