"""
Merging finds the values that no shape gives away, by how texts differ, and groups the texts that then say the same.

A text is told by a sum: one number for each of its words and places. So leaving a word out is one subtraction, and
texts that differ in that word alone have the same remainder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis.analysis.failures.templates.absorbing import absorb_rare
from schedlog_analysis.analysis.failures.templates.codes import GUARDED
from schedlog_analysis.analysis.failures.templates.numbers import MARK

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from schedlog_analysis.analysis.failures.templates.numbers import Flags, Ids
    from schedlog_analysis.analysis.failures.templates.words import Words

    Floats: TypeAlias = NDArray[np.float64]
    Sums: TypeAlias = NDArray[np.uint64]

_CLASS = re.compile(rf"(?:.*[.$])?[A-Za-z_][\w{GUARDED}]*(?:Error|Exception|Warning|Fault|Failure|Interrupt)$")
_CONSTANT = re.compile(
    rf"{_CLASS.pattern}|input\.|(?i:.*ipv\d$)|.*[{GUARDED}]"
)  # never a value, however many there are
_SCHEDULE = ("Cannot start Actor", "Skipping Actor", "Cannot invoke schedule")
_VOWEL = re.compile(r".*[aeiouAEIOU].$")

_NAME = 2.6  # the weight of a word that is a value in another text

# How much a word looks like a value; the first pattern that fits counts.
_WEIGHTS = tuple(
    (re.compile(pattern).match, weight)
    for pattern, weight in {
        rf"{MARK}$": _NAME,  # it is one, in another text
        r".*[\d@]": 4.0,  # an identifier
        rf".*{MARK}": 3.4,  # node-<*>
        r".*#$": 2.4,  # eth0: its number is open already
        r"(?=[^A-Z]*[A-Z])[^a-z]*$": 0.7,  # RUNNING: mostly a state or a code
        r"[\"']|.*[._/-]": 1.5,  # "View Lock", report.csv, com.apify.scheduler
        "": 1.0,
    }.items()
)
_SURE = 2.4  # the weight from which on a single word looks like a value
_FRAMES = (8, 16, 32, 64, 128)  # how many texts must share a word for it to belong to their frame, tried in turn


class Merged(NamedTuple):
    """What became of the texts: which text speaks for each, and which words are values."""

    speaker: Ids
    is_value: Flags


class _Seen(NamedTuple):
    """The words of the texts as they are compared: a run of values counts as one."""

    word: Ids  # where in the table of words
    text: Ids
    kind: Ids  # one more than the last kind for values
    place: Ids

    def only(self, chosen: Flags | Ids) -> _Seen:
        return _Seen(*(column[chosen] for column in self))


class _Evidence(NamedTuple):
    """What speaks for values: of each kind of word, values themselves last, and of each text."""

    weight: Floats
    is_plain: Flags  # does not look like a value by itself
    is_constant: Flags
    is_coded: Flags  # has no vowel before its last letter: sda, LNKB
    stem: Ids  # all but the last letter
    explains: Flags  # the text explains a failure
    is_reason: Flags  # the word stands where the text does so: if it is a plain one, it is the cause


def merge(words: Words) -> Merged:
    """Find the hidden values, and group the texts that differ in values only."""
    evidence = _weigh(words)
    is_value = _vary_one_word(words, evidence, words.is_value)
    is_value = _vary_many_words(words, evidence, is_value)
    if (is_value & ~words.is_value).any():  # else nothing would come of it
        is_value = _vary_one_word(words, _with_names(words, evidence, is_value), is_value)
    speaker = _elected(_same_template(words, is_value), words.n_messages)
    speaker = absorb_rare(words, is_value, evidence.explains, speaker)
    followers = np.bincount(speaker, words.n_messages, minlength=len(speaker))
    return Merged(_elected(_same_words(words, is_value), followers)[speaker], is_value)


def _weigh(words: Words) -> _Evidence:
    """Judge each kind of word, and each text, once."""
    kinds = [*words.kinds, MARK]

    def matching(pattern: re.Pattern[str]) -> Flags:
        return np.array([pattern.match(kind) is not None for kind in kinds])

    n_before = np.append(0, np.cumsum(matching(_CLASS)[words.kind]))  # classes before each word
    first = np.searchsorted(words.text, np.arange(len(words.texts) + 1))
    is_schedule = np.array([text.startswith(_SCHEDULE) for text in words.texts], bool)
    weight = np.array([next(weight for matches, weight in _WEIGHTS if matches(kind)) for kind in kinds])
    return _Evidence(
        weight=weight,
        is_plain=weight < _SURE,
        is_constant=matching(_CONSTANT),
        is_coded=np.array([len(kind) > len("sd") for kind in kinds]) & ~matching(_VOWEL),
        stem=pd.factorize(np.array([f"{kind[:-1]} {len(kind)}" for kind in kinds], object))[0],
        explains=(np.diff(n_before[first]) > 0) | is_schedule,
        is_reason=(n_before[1:] > n_before[first[words.text]]) | is_schedule[words.text],
    )


def _with_names(words: Words, evidence: _Evidence, is_value: Flags) -> _Evidence:
    """Let a word that was found to be a value somewhere look like one elsewhere, too."""
    is_name = np.zeros(len(evidence.weight), bool)
    is_name[words.kind[is_value & ~words.is_value]] = True
    return evidence._replace(weight=np.where(is_name, np.maximum(evidence.weight, _NAME), evidence.weight))


def _see(words: Words, is_value: Flags) -> _Seen:
    goes_on = is_value[1:] & is_value[:-1] & (words.text[1:] == words.text[:-1])
    at = np.flatnonzero(np.concatenate((np.ones(1, bool), ~goes_on))[: len(is_value)])
    text = words.text[at]
    kind = np.where(is_value, len(words.kinds), words.kind)[at]
    return _Seen(at, text, kind, _places(text))


def _vary_one_word(words: Words, evidence: _Evidence, is_value: Flags) -> Flags:
    """Where texts are equal but for one word, and that word looks like values, let it be values; repeat."""
    is_value = is_value.copy()
    n_texts, value = len(words.texts), len(words.kinds)
    while True:
        seen = _see(words, is_value)
        number = _mixed(seen.kind, seen.place)
        remainder = _totals(number, seen.text, n_texts)[seen.text] - number
        column = pd.factorize(_mixed(remainder, seen.place))[0]
        n_words = np.bincount(seen.text[seen.kind < value], minlength=n_texts)
        varies = _are_values(evidence, seen, column, n_words[seen.text] - (seen.kind < value))
        if is_value[seen.word[varies]].all():
            return is_value
        is_value[seen.word[varies]] = True


def _vary_many_words(words: Words, evidence: _Evidence, is_value: Flags) -> Flags:
    """Where many texts share a frame of frequent words, and its gaps hold what looks like values, do likewise."""
    n_texts = len(words.texts)
    seen = _see(words, is_value)
    total = _totals(_mixed(seen.kind, seen.place), seen.text, n_texts)
    is_settled = np.ones(n_texts, bool)
    is_settled[np.unique(total, return_index=True)[1]] = False  # one text of each template speaks for the others
    own = seen.only(~is_settled[seen.text])
    length = np.bincount(own.text, minlength=n_texts)
    support = _counts(_mixed(_mixed(own.kind, own.place), length[own.text]))
    fills = np.zeros(len(own.word), bool)
    for least in _FRAMES:
        fills |= _fill_frames(evidence, own, support >= least, ~is_settled)
        is_settled[own.text[fills]] = True
    found = _mixed(total[own.text], own.place)[fills]
    is_value = is_value.copy()
    is_value[seen.word[np.isin(_mixed(total[seen.text], seen.place), found)]] = True
    return is_value


def _fill_frames(evidence: _Evidence, own: _Seen, is_common: Flags, is_open: Flags) -> Flags:
    """Flag the words in the gaps of frames: the common words of texts, at least half of each, shared by enough."""
    n_texts, value = len(is_open), len(evidence.weight) - 1
    length = np.bincount(own.text, minlength=n_texts)
    n_common = np.bincount(own.text, is_common, minlength=n_texts)
    n_words = np.bincount(own.text[is_common & (own.kind < value)], minlength=n_texts)
    number = np.where(is_common, _mixed(own.kind, own.place), 0)
    frame = pd.factorize(_mixed(_totals(number, own.text, n_texts), length))[0]
    is_open = is_open & (n_common < length) & (n_common >= length / 2) & (n_words > 1)
    is_open &= np.bincount(frame, is_open)[frame] >= _FRAMES[0]
    fills = ~is_common & is_open[own.text]
    if not fills.any():
        return fills
    gap = own.only(fills)
    column = pd.factorize(_mixed(frame[gap.text], gap.place))[0]
    varies = _are_values(evidence, gap, column, n_words[gap.text])
    misfits = np.bincount(frame[gap.text], ~varies, minlength=n_texts)
    fills[fills] = misfits[frame[gap.text]] == 0
    return fills


def _are_values(evidence: _Evidence, seen: _Seen, column: Ids, n_others: Ids) -> Flags:
    """Say of each word whether the distinct words of its column are enough evidence of values."""
    each = np.unique(column * np.int64(len(evidence.weight)) + seen.kind, return_index=True)[1]
    each = each[np.bincount(column[each])[column[each]] > 1]
    columns, first, of = np.unique(column[each], return_index=True, return_inverse=True)
    kind, head, count = seen.kind[each], each[first], np.bincount(of)

    def any_of(flags: Flags) -> Flags:
        return np.bincount(of, flags) > 0

    is_lettered = ~any_of(evidence.stem[kind] != evidence.stem[kind[first]][of])  # sda, sdb, sdc
    is_lettered &= (count > len("ab")) | evidence.is_coded[kind[first]]
    has_plain = any_of(evidence.weight[kind] < _SURE) & ~is_lettered
    is_cause = evidence.is_reason[seen.word[head]] & any_of(evidence.is_plain[kind]) & ~is_lettered
    weight = np.where(is_lettered, 3.5 * count, np.bincount(of, evidence.weight[kind]))
    is_enough = weight >= _needed(seen.place[head], n_others[head], has_plain)
    is_enough &= ~is_cause
    return np.isin(column, columns[is_enough & ~any_of(evidence.is_constant[kind])])


def _needed(place: Ids, n_others: Ids, has_plain: Flags) -> Floats:
    """How much weight makes a column one of values: much with few other words, little where words tell it is one."""
    rules = {
        np.inf: n_others == 0,
        25.0: (n_others < 4) & (place == 0),  # noqa: PLR2004 - daemons start, commands fail: the verb differs
        10.0: (n_others == 1) & has_plain,
        5.0: (n_others > 5) | (n_others > 2) & ~has_plain,  # noqa: PLR2004
    }
    return np.select(list(rules.values()), list(rules), 7.0)


def _same_template(words: Words, is_value: Flags) -> Ids:
    """Number the texts by their words and values, or each by itself where it has neither."""
    n_texts = len(words.texts)
    seen = _see(words, is_value)
    is_bare = np.bincount(seen.text, minlength=n_texts) == 0
    total = _totals(_mixed(seen.kind, seen.place), seen.text, n_texts)
    return pd.factorize(np.where(is_bare, _mixed(np.arange(n_texts), is_bare), total))[0]


def _same_words(words: Words, is_value: Flags) -> Ids:
    """Number the texts by their words alone, whatever values stand between them; but one word says too little."""
    n_texts = len(words.texts)
    seen = _see(words, is_value)
    kept = seen.only((seen.kind < len(words.kinds)) & ~words.is_type[seen.word])
    total = _totals(_mixed(kept.kind, _places(kept.text)), kept.text, n_texts)
    says_little = np.bincount(kept.text, minlength=n_texts) <= 1
    return pd.factorize(np.where(says_little, _mixed(_same_template(words, is_value), says_little), total))[0]


def _elected(number: Ids, size: NDArray[np.number]) -> Ids:
    """For each text, the largest text of the same number, the first in the alphabet of equals."""
    by_size = np.argsort(-size, kind="stable")
    return by_size[np.unique(number[by_size], return_index=True)[1]][number]


def _places(text: Ids) -> Ids:
    """Number the words of each text."""
    starts = np.flatnonzero(np.diff(text, prepend=-1))
    return np.arange(len(text)) - np.repeat(starts, np.diff(starts, append=len(text)))


def _totals(number: Sums, text: Ids, n_texts: int) -> Sums:
    """Add up the numbers of each text; what does not fit in 64 bits is cut off alike for equal texts."""
    sums = np.concatenate((np.zeros(1, number.dtype), np.cumsum(number)))
    borders = np.searchsorted(text, np.arange(n_texts + 1))
    return sums[borders[1:]] - sums[borders[:-1]]


def _counts(values: Sums) -> Ids:
    """How often each value occurs."""
    codes = pd.factorize(values)[0]
    return np.bincount(codes)[codes]


def _mixed(a: NDArray[np.generic], b: NDArray[np.generic]) -> Sums:
    """Turn each pair of numbers into one that looks random (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = a.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + b.astype(np.uint64) + np.uint64(1)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
