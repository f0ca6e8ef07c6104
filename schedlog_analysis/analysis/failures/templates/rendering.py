"""Rendering writes a template out as people read it: the text of a real message with ``<*>`` for its values."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from schedlog_analysis.analysis.failures.templates.codes import restore_codes
from schedlog_analysis.analysis.failures.templates.numbers import MARK

if TYPE_CHECKING:
    from schedlog_analysis.analysis.failures.templates.merging import Merged
    from schedlog_analysis.analysis.failures.templates.numbers import Flags, Ids
    from schedlog_analysis.analysis.failures.templates.words import Words

WILDCARD = "<*>"

_LIST = re.compile(rf"{MARK}(?:[\s,;|/]+{MARK})+")
_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
_MARKS = re.compile(rf"{MARK}{{2,}}")
_LONG_LIST = re.compile(rf"{MARK}(?:[\s,;|/]+{MARK}){{8,}}")


def render(words: Words, merged: Merged) -> tuple[Ids, list[str]]:
    """Number the template of each text, and write the templates out, each from the text that speaks for it."""
    speakers, group = np.unique(merged.speaker, return_inverse=True)
    pieces = [words.pieces[text].copy() for text in speakers.tolist()]
    touched = merged.is_value & ~words.is_unit | _varies(words, group)
    touched &= merged.speaker[words.text] == words.text
    place = np.arange(len(words.text)) - np.searchsorted(words.text, words.text)
    for at in np.flatnonzero(touched).tolist():
        _rewrite(pieces[group[words.text[at]]], 2 * int(place[at]) + 1, words.is_unit[at], words.is_value[at])
    lists = [_LIST if any_length else _LONG_LIST for any_length in _has_any_length(words, merged, group)]
    texts = [pattern.sub(MARK, "".join(piece)) for pattern, piece in zip(lists, pieces, strict=True)]
    for at in np.flatnonzero(merged.speaker != np.arange(len(group))).tolist():
        texts[group[at]] = _widen(texts[group[at]], words.texts[at])
    return group, [restore_codes(text).replace(MARK, WILDCARD) for text in texts]


def covers(template: str, text: str, wildcard: str = MARK) -> bool:
    """Say whether a text is the template with any texts for its wildcards."""
    first, *others = template.split(wildcard)
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    *middle, last = others
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) >= at


def _widen(template: str, text: str) -> str:
    """Let a template cover a text that has the same words, but other signs between them: what differs is a value."""
    if covers(template, text):
        return template
    ours, theirs = _TOKEN.findall(template), _TOKEN.findall(text)
    same = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    kept, done, done_there = "", 0, 0
    for start, there, size in same:
        differs = start > done or there > done_there
        kept += MARK * differs + "".join(ours[start : start + size])
        done, done_there = start + size, there + size
    return _MARKS.sub(MARK, kept)


def _rewrite(piece: list[str], at: int, is_unit: np.bool_, is_shaped: np.bool_) -> None:
    """Put a mark for a word; a unit goes with its blank, a quoted name keeps its quotes, a price its currency."""
    word = piece[at]
    if is_unit:
        piece[at - 1 : at + 1] = "", ""
    elif word[0] in "\"'":
        piece[at] = word[0] + MARK + word[0]
    elif not (is_shaped and MARK in word):
        piece[at] = MARK


def _varies(words: Words, group: Ids) -> Flags:
    """Flag the units and numbered names that not every text of the group has: ``MB`` beside ``KB``, eth0 and eth1."""
    varies = words.is_unit | words.is_numbered
    at = np.flatnonzero(varies)
    text, n_texts = words.text[at], len(words.texts)
    pair = pd.factorize(group[text] * np.int64(len(words.spellings)) + words.spelling[at])[0]
    n_with = np.bincount(np.unique(pair * np.int64(n_texts) + text) // n_texts)
    varies[at] = n_with[pair] < np.bincount(group)[group[text]]
    return varies


def _has_any_length(words: Words, merged: Merged, group: Ids) -> Flags:
    """Flag the groups whose texts do not all have the same number of values beside the same words, as lists do."""
    n_values, n_others = (np.bincount(words.text, flags, len(group)) for flags in (merged.is_value, ~merged.is_value))
    is_longer = (n_values != n_values[merged.speaker]) & (n_others == n_others[merged.speaker])
    return np.bincount(group, is_longer) > 0
