"""
A word is text without blanks and brackets, or a short quoted name; a gap is what stands between two words.

Masked texts become one flat table of words here, and the values that only their neighbours give away are found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis.analysis.failures.templates.numbers import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from schedlog_analysis.analysis.failures.templates.numbers import Flags, Ids

    Moved = Callable[[Flags], Flags]

_QUOTED = r"(?<!\w){0}(?!\s)[^,;=(){{}}\[\]\"'\x01]{{1,60}}(?<!\s){0}(?!\w)"
_PICTURES = "\u2190-\u2bff\ufe0f\u200d\U0001f000-\U0001faff"  # arrows, signs and emoji say nothing that words do not
_LETTERS = rf"[^\s,;:=()\[\]{{}}|<>\"'.!?{_PICTURES}]+"
_PLAIN = rf"{_LETTERS}(?:[.!?]{_LETTERS})*"  # a stop within a word belongs to it
_WORD = re.compile("|".join((_QUOTED.format('"'), _QUOTED.format("'"), _PLAIN)).join("()"))
_UNQUOTED = re.compile(_PLAIN.join("()"))  # says the same of text without quotes, and faster

_ONLY_A_VALUE = re.compile(rf"[^A-Za-z0-9{MARK}]*{MARK}[^A-Za-z0-9]*$")  # $12, 7%, 3/4
_NUMBERED = re.compile(r".*[A-Za-z]\d$")  # eth0
_COUNTS_NOTHING = re.compile(r".*ipv\d$|input\.", re.IGNORECASE)  # IPv4 and IPv6, fields of the input


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LOGIC = _set("true false True False TRUE FALSE null NULL None nil undefined")
_SWITCH = _set("on off yes no On Off Yes No ON OFF YES NO")
_CALENDAR = _set("Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
_ZONE = _set("UTC GMT CET CEST EST EDT CST CDT PST PDT AM PM")
# ISO 3166-1 alpha-2, with the codes that users may assign: XX, ZZ.
_COUNTRY = _set(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY"
)
_COUNTRY |= _set(
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ"
)
_COUNTRY |= _set(
    "FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO"
)
_COUNTRY |= _set(
    "IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF"
)
_COUNTRY |= _set(
    "MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG"
)
_COUNTRY |= _set(
    "PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX"
)
_COUNTRY |= _set(
    "SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT"
)
_COUNTRY |= _set("ZA ZM ZW UK EU AA XA XK XX XZ ZZ")
_COUNTRY |= {code.lower() for code in _COUNTRY} - _set("as at be by do id if in is it me my no of on or so to us am an")
_ABOUT_COUNTRIES = re.compile(r"\W*(?:countr(?:y|ies)|country_?codes?|codes?|region|locale|geo)\W*$", re.IGNORECASE)
_NAMES_ID = re.compile(r"[\"']?\w*(?:[a-z]I|\b[iI]|_[iI]|I)[dD][\"']?$")  # "id", userId, _id
_UNIT = _set("B KB MB GB TB kB KiB MiB GiB TiB byte bytes ns us ms msec msecs s sec secs second seconds")
_UNIT |= _set("B/s kB/s KB/s MB/s GB/s KiB/s MiB/s GiB/s m min minute minutes h hour hours")


@dataclass(frozen=True)
class Words:
    """
    All words of all texts, one after the other.

    Attributes
    ----------
    texts
        The masked texts, in alphabetical order.
    n_messages
        How many distinct messages each text stands for.
    pieces
        Gap, word, gap, ... word, gap of each text.
    spellings
        The distinct words as they are written.
    kinds
        The distinct words with a last digit left open: ``eth#`` for eth0 and eth1.
    text, spelling, kind
        Of each word: the number of its text, spelling and kind.
    is_value
        Whether the word is a value or the unit of one.
    is_unit
        Whether the word is the unit of the value before it.
    is_numbered
        Whether the kind leaves its last digit open.
    is_type
        Whether the word names what stands in the braces after it, as in ``Token{...}``.
    is_glued
        Whether no blank stands between the word and the one before.
    """

    texts: list[str]
    n_messages: Ids
    pieces: list[list[str]]
    spellings: list[str]
    kinds: list[str]
    text: Ids
    spelling: Ids
    kind: Ids
    is_value: Flags
    is_unit: Flags
    is_numbered: Flags
    is_type: Flags
    is_glued: Flags


def read_words(texts: list[str], n_messages: Ids) -> Words:
    """Split masked texts into words and find the values among them."""
    pieces = [(_WORD if '"' in text or "'" in text else _UNQUOTED).split(text) for text in texts]
    text = np.repeat(np.arange(len(texts)), [len(piece) // 2 for piece in pieces])
    spelling, spellings = _encoded([word for piece in pieces for word in piece[1::2]])
    gap, gaps = _encoded([gap for piece in pieces for gap in piece[::2]])
    at = np.arange(len(text)) + text  # there is one gap more than words in each text
    before, after = _Column(gap[at], gaps), _Column(gap[at + 1], gaps)
    kind_of = [_kind(word) for word in spellings]
    kind, kinds = _encoded(kind_of)
    word = _Column(spelling, spellings)
    is_value, is_unit = _find_values(text, before, word, after)
    return Words(
        texts=texts,
        n_messages=n_messages,
        pieces=pieces,
        spellings=spellings,
        kinds=kinds,
        text=text,
        spelling=spelling,
        kind=kind[spelling],
        is_value=is_value | is_unit,
        is_unit=is_unit,
        is_numbered=np.array(list(map(str.__ne__, spellings, kind_of)), bool)[spelling],
        is_type=after.where(lambda gap: gap.startswith("{")),
        is_glued=before.where(lambda gap: " " not in gap),
    )


def _kind(word: str) -> str:
    return word[:-1] + "#" if _NUMBERED.match(word) and not _COUNTS_NOTHING.match(word) else word


class _Column(NamedTuple):
    """Text by numbers, so that each question is put to distinct texts only."""

    code: Ids
    texts: list[str]

    def where(self, holds: Callable[[str], bool]) -> Flags:
        return np.array([holds(text) for text in self.texts], bool)[self.code]


def _find_values(text: Ids, before: _Column, word: _Column, after: _Column) -> tuple[Flags, Flags]:
    """Flag the values and the units after them: ``( on off )``, ``Sun Jul 10``, ``Actor "my-actor"``, ``5 MB``."""

    def follows(flags: Flags) -> Flags:
        return _moved(flags, text, 1)

    def precedes(flags: Flags) -> Flags:
        return _moved(flags, text, -1)

    value = word.where(lambda word: word in _LOGIC or bool(_ONLY_A_VALUE.match(word)))

    actor, task, number = (word.where(name.__eq__) for name in ("Actor", "task", "ID"))
    value |= word.where(lambda word: word[0] == '"') & follows(actor | number | task & follows(actor))

    is_said = before.where(lambda gap: gap.strip() in (":", "="))
    value |= word.where(lambda word: word[0] in "\"'") & follows(word.where(_names_id)) & is_said
    value |= _find_countries(text, before, word, follows, precedes)

    switch, assigned = word.where(_SWITCH.__contains__), before.where(lambda gap: gap.endswith("="))
    opens = before.where(lambda gap: gap.rstrip().endswith(("(", "[")))
    closes = after.where(lambda gap: gap.lstrip().startswith((")", "]")))
    value |= switch & (assigned | (opens | follows(switch)) & (closes | precedes(switch)))

    calendar = word.where(_CALENDAR.__contains__)
    for _ in range(2):  # the month beside the day, then the weekday beside the month
        value |= calendar & (follows(value) | precedes(value))

    spaced = before.where(" ".__eq__)
    value |= word.where(_ZONE.__contains__) & spaced & follows(value)
    return value, word.where(_UNIT.__contains__) & spaced & follows(value)


def _names_id(word: str) -> bool:
    return _NAMES_ID.match(word) is not None


def _anywhere(flags: Flags, text: Ids) -> Flags:
    """For each word, whether any word of its text is flagged."""
    return np.bincount(text, flags, text.max(initial=-1) + 1)[text] > 0


def _find_countries(text: Ids, before: _Column, word: _Column, follows: Moved, precedes: Moved) -> Flags:
    """Flag codes of countries that stand in quotes, in a list of them, or where the text speaks of countries."""
    is_code = word.where(lambda word: word.strip("\"'") in _COUNTRY)
    in_list = before.where(lambda gap: gap.strip() in (",", ";", "|", "/"))
    return is_code & (
        word.where(lambda word: word[0] in "\"'")
        | follows(is_code) & in_list
        | precedes(is_code & in_list)
        | follows(word.where(lambda word: _ABOUT_COUNTRIES.match(word) is not None))
        | is_code & word.where(str.isupper) & _anywhere(word.where(lambda word: "countr" in word.lower()), text)
    )


def _moved(flags: Flags, text: Ids, by: int) -> Flags:
    """For each word, the flag of the word before (1) or after (-1) it in the same text."""
    out = np.zeros_like(flags)
    this, other = (slice(1, None), slice(None, -1))[::by]
    out[this] = flags[other] & (text[this] == text[other])
    return out


def _encoded(words: list[str]) -> tuple[Ids, list[str]]:
    ids, distinct = pd.factorize(np.array(words, object))
    return ids, list(distinct)
