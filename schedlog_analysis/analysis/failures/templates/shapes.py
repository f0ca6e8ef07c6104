"""
A shape gives a value away wherever it stands: a path, an address, a version, a host name.

Texts are looked at one blank-free chunk at a time: few chunks are distinct, so each is worked out once.
"""

from __future__ import annotations

import re

from schedlog_analysis.analysis.failures.templates.numbers import MARK

_M = MARK
_W = rf"[\w{_M}]"  # within a word
_LABEL = rf"[\w{_M}-]"  # within a part of a host's or a file's name
_HEX = rf"(?:{_M}|[0-9a-fA-F]{{1,4}})"
_BLOCK = rf"(?:[\da-fA-F]{{0,12}}{_M}[\da-fA-F{_M}]{{0,12}}|[\da-fA-F]{{4,12}})"
_START, _END = rf"(?<![\w{_M}.:-])", rf"(?!{_W})"
_FOLDER = rf"(?:[\w{_M}.-]+/)"
_DOMAIN = r"(?:(?:com|edu|gov|net|org)(?:\.[a-z]{2})?|(?:ac|co)\.[a-z]{2}|local)"
_RELEASE = rf"(?:(?:[+~]{_W}++|-(?:[A-Za-z]*+[\d{_M}]{_W}*+|[A-Z]++(?!{_W})|alpha|beta|rc))(?:\.{_W}++)*+)"
_FILE = "csv|gz|html?|jar|json|log|out|parquet|pdf|png|tar|te?mp|txt|xml|ya?ml|zip"

# Seventeen letters of both cases, digits among them or not; in CamelCase they are words and no id.
_MIXED = r"(?=[A-Z\d]*[a-z])(?=[a-z\d]*[A-Z])"
_CAMEL = r"(?:[A-Z]?[a-z]{2,}(?![a-z])|[A-Z]{2,}(?![a-z])|\d+)+"
# Words change from small to large letters less often than ids do, and have more vowels.
_RANDOM = r"(?:(?=(?:[A-Za-z\d]*?[a-z][A-Z]){4})|(?!(?:[b-df-hj-np-tv-zB-DF-HJ-NP-TV-Z\d]*[aeiouAEIOU]){3}))"

# The first that fits wins. Each starts where a word starts and never tries a stretch twice, so long chunks are safe.
_SHAPES = (
    # https://apify.com/a?token=<redacted>
    r"(?<![\w+.-])[A-Za-z][\w+.-]*+://(?:[^\"'<>|]|<redacted>|<e-mail>)*(?:[^\"'<>|.,;:!?)\]}]|<redacted>|<e-mail>)",
    rf"(?<![\w{_M}.+-])[\w{_M}.+-]++@{_LABEL}++(?:\.{_LABEL}++)+",  # jane@example.com
    rf"{_START}(?:{_M}|[0-9a-fA-F]{{2}})(?:[:-](?:{_M}|[0-9a-fA-F]{{2}})){{5,}}+(?![\w{_M}:-])",  # 5c:50:15:4c:18:13
    rf"{_START}{_BLOCK}(?:-{_BLOCK}){{3,}}+{_END}",  # a UUID
    rf"(?<![\w{_M}.])(?<![\da-fA-F{_M}]:)(?:{_HEX}?:){{4,}}+{_HEX}(?:%\w+)?{_END}",  # 2607:f140:0:8:c6b3:1ff:fecd:7f
    rf"{_START}(?=[a-fA-F:]*[\d{_M}])(?:{_HEX}:)*{_HEX}?::(?:{_HEX}:)*{_HEX}{_END}",  # fe80::90ff:fef5
    rf"{_START}{_M}-{_M}-{_M}(?::{_M})++(?:\.{_M})?(?:[+-]{_M}(?::{_M})?)?{_END}",  # 2026-04-18T01:26:29.359+02:00
    r"(?:[A-Za-z]:|\\\\[\w.?$-]++)\\(?:[^\"'<>|,;]*[^\"'<>|,;.)\]])?",  # C:\Windows\a.dll, \\server\share
    rf"(?<![\w{_M}./<>*)-])~?/+(?:[\w{_M}.+~@%$*#/-]|(?<=/)\[[^\]]{{,99}}\])*[\w{_M}*/~](?:\?[^\"'<>]*)?",  # /a/b?c=d
    rf"(?<![\w{_M}./-])(?:{_LABEL}++\.)++{_LABEL}++/\.?[A-Za-z][\w{_M}.$/-]*{_W}",  # com.apify/.Main
    rf"(?<![\w{_M}./-])(?:\.\./)++[\w{_M}./-]*{_W}",  # ../a/b
    r"(?<=[=:,(\"'\[])/(?=$|[,\"')\]])",  # dir=/
    rf"(?<![\w{_M}./-])(?:{_FOLDER}{{3,}}+{_W}|{_FOLDER}{{2,}}+[\w{_M}.-]*\.[a-z])[\w{_M}.-]*{_END}",  # src/a/b.py
    rf"(?<![\w{_M}/.-])(?=[A-Za-z_-]*[\d{_M}]){_LABEL}++\.(?:{_FILE})\b",  # part-00017.csv
    rf"(?<![\w{_M}.-])(?=[\w-]*(?:{_M}|\d\.)){_LABEL}++(?:\.{_LABEL}++)+\.[A-Za-z]{{2,}}{_END}",  # cn-12.eu.a.com
    rf"(?<![\w{_M}.-])(?!(?:com|javax?|net|org|sun)\.)(?:{_LABEL}++\.)+{_DOMAIN}(?!\.?{_W})",  # www.apify.com
    rf"(?<![\w{_M}.-])[\w.-]+(?:\[(?:{_M}-{_M}|{_M}(?=,))(?:,{_M}(?:-{_M})?)*+\]|(?<=-)(?=\[{_M}))",  # node-[3-7,9]
    rf"(?<!{_W})(?:[vV]\d)?{_M}?(?:\.{_M})++{_RELEASE}*+{_END}",  # 10.0.0.1, 1.5e-07, v1.20.3-rc1, 1.2+dfsg1-4
    rf"{_START}(?:[0-9a-f]{{8,}}+|[0-9A-F]{{8,}}+|(?=[a-f]*\d)[0-9a-f]{{6,}}+){_END}",  # deadbeef
    rf"(?<![A-Za-z\d{_M}])[A-Za-z]+\d[A-Za-z]+\d[A-Za-z\d]*{_END}",  # qRT6hXiuXEjmRmC5k
    rf"(?<=[\"'])(?!{_CAMEL}[\"'\\]){_MIXED}[A-Za-z\d]{{17}}(?=[\"'\\])",  # "zgXBNLPhHJdeEKXxV", an id of Apify
    rf"(?<![\w{_M}]){_RANDOM}{_MIXED}[A-Za-z\d]{{17}}{_END}",  # the same without quotes
)
_SHAPE = re.compile("|".join(_SHAPES), re.ASCII)
_WORTH_A_LOOK = re.compile(rf"[{_M}\d/@\\]|[a-fA-F]{{8}}|[A-Za-z]{{17}}|\.[a-z]{{2,5}}(?!\w)")
_LETTER = re.compile(r"\w")
_NAME = re.compile(rf"(?<!\w)\w*(?:_-)?{_M}{_W}*", re.ASCII)
_SIGN = re.compile(rf"(?<![\w{_M}-])-(?={_M})", re.ASCII)
_COMPOUND = re.compile(rf"(?<!{_W}){_W}++(?:[.+@/$#%*!?~&^\\-]++{_W}++){{2,}}")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_TIME = rf"{_M}(?::{_M}){{1,2}}(?:[.,]{_M})?"
_DAY = rf"(?:{_M}-{_M}-{_M}|{_M}/{_M}/{_M}|{_M}[/ -]{_MONTH}[/ -]{_M}|{_MONTH} {_M},? {_M}(?!:))"
_ZONE = rf"(?: ?(?:Z|UTC|GMT|CES?T|E[SD]T|P[SD]T)\b)?(?: ?[+-]{_M}(?::{_M})?(?![\w{_M}]))?"
# A date, with its time and zone or not, is one value.
_DATE = re.compile(
    rf"(?<![\w{_M}.:/-])(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{_DAY}"
    rf"(?:(?::| |, ?| at ){_TIME}|(?::{_M}){{1,2}}(?:[.,]{_M})?)?{_ZONE}(?![\w{_M}/-]|[.:][\w{_M}])"
)
_PART = re.compile(rf"{_W}+")


def mask_shapes(lines: list[str]) -> list[str]:
    """Put a mark for each value that its shape gives away, and one blank for any run of blanks."""
    masked = _Chunks()
    return [" ".join(map(masked.__getitem__, _mask_dates(line.replace('\\"', '"')).split())) for line in lines]


def _mask_dates(line: str) -> str:
    return _DATE.sub(MARK, line) if MARK in line else line


class _Chunks(dict[str, str]):
    """The masked form of each chunk, worked out when it is first asked for."""

    def __missing__(self, chunk: str) -> str:
        self[chunk] = masked = _mask(chunk) if _WORTH_A_LOOK.search(chunk) else chunk
        return masked


def _mask(chunk: str) -> str:
    text = _SIGN.sub("", _SHAPE.sub(MARK, chunk))
    if not _LETTER.search(text):
        return text
    text = _NAME.sub(MARK, text)  # task_2008_m_01, blk_-1608
    return _COMPOUND.sub(_mostly_values, text)


def _mostly_values(compound: re.Match[str]) -> str:
    """One value where most parts are: ``R30-M0-L1-U08-C`` names one thing, ``api-gateway-17`` keeps its words."""
    parts = _PART.findall(compound.group())
    values = sum(MARK in part or any(map(str.isdigit, part)) for part in parts)
    return MARK if MARK in compound.group() and len(parts) > values > len(parts) / 2 else compound.group()
