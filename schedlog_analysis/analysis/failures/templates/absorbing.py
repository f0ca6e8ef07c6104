"""Absorbing lets a frequent template speak for rare ones that its values cover: ``to <*>`` for ``to LOCAL(<*>)``."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schedlog_analysis.analysis.failures.templates.numbers import MARK

if TYPE_CHECKING:
    from schedlog_analysis.analysis.failures.templates.numbers import Flags, Ids
    from schedlog_analysis.analysis.failures.templates.words import Words

_TIMES = 5  # so many times as frequent must a template be to absorb another
_SHARE = 3  # so many words of its own must it have for each word that its values swallow
_CHOICE = 100  # so many templates at most are tried for one word, the most frequent ones
_REACH = 3  # so many more words may a value swallow where no blank parts them, as in LOCAL(0)


class _Template(NamedTuple):
    """A template by what tells quickly that it covers no other."""

    text: int  # that speaks for it
    size: int
    constants: frozenset[int]
    has_value: bool


class _Parts(NamedTuple):
    """A template as a row of parts: constant words and runs of values."""

    kinds: list[int]  # of each part; -1 for values
    is_said: list[bool]  # whether it is a word, and none with a value in it
    is_glued: list[bool]  # whether no blank stands before it
    n_values: list[int]
    n_learned: list[int]  # values found where words vary


def absorb_rare(words: Words, is_value: Flags, explains: Flags, speaker: Ids) -> Ids:
    """
    Say which text speaks for each text, once frequent templates have absorbed the rare ones that they cover.

    Templates that explain a failure neither absorb nor are absorbed: the odd word may be the cause.
    """
    templates, parts = _read(words, is_value, speaker, np.unique(speaker[~explains]))
    takers = _by_rarest_word(templates)
    into = np.arange(len(speaker))
    for rare in templates if takers else []:  # the largest first, so that it is known who speaks for a taker
        offers = [
            (swallowed, taker.text)
            for kind in rare.constants
            for taker in takers.get(kind, ())
            if taker.size > rare.size
            and taker.constants <= rare.constants
            and (swallowed := _swallowed(parts[taker.text], parts[rare.text])) is not None
            and _is_worth(swallowed, taker, rare, parts[taker.text].kinds)
        ]
        if offers:
            into[rare.text] = into[min(offers)[1]]
    return into[speaker]


def _is_worth(swallowed: int, taker: _Template, rare: _Template, kinds: list[int]) -> bool:
    """Let nothing be swallowed but where much speaks for it; what was found to vary may have any word."""
    n_words = sum(kind >= 0 for kind in kinds)
    return swallowed == 0 or (taker.size >= _TIMES * rare.size and n_words >= _SHARE * swallowed)


class _Details(dict[int, _Parts]):
    """The parts of each template, listed when they are first asked for: most templates are told apart without."""

    def __init__(self, text: Ids, *columns: Ids | Flags) -> None:
        self._text, self._columns = text, columns

    def __missing__(self, text: int) -> _Parts:
        first, last = np.searchsorted(self._text, [text, text + 1])
        self[text] = parts = _Parts(*(column[first:last].tolist() for column in self._columns))
        return parts


def _read(words: Words, is_value: Flags, speaker: Ids, texts: Ids) -> tuple[list[_Template], _Details]:
    """List the templates that these texts speak for, the most frequent first."""
    size = np.bincount(speaker, words.n_messages)
    texts = texts[np.argsort(-size[texts], kind="stable")]
    speaks = np.zeros(len(speaker), bool)
    speaks[texts] = True
    own = np.flatnonzero((is_value | ~words.is_type) & speaks[words.text])
    text, value = words.text[own], is_value[own]
    starts = np.flatnonzero(np.diff(text, prepend=-1).astype(bool) | ~value | ~np.concatenate(([False], value[:-1])))
    counts = (np.add.reduceat(flags.astype(np.int64), starts) for flags in (value, value & ~words.is_value[own]))
    is_said = np.array([MARK not in kind for kind in words.kinds], bool)[words.kind[own]] & ~value
    kind = np.where(value, -1, words.kind[own])[starts]
    parts = _Details(text[starts], kind, is_said[starts], words.is_glued[own[starts]], *counts)
    has_value = (np.bincount(text, value, len(speaker)) > 0)[texts].tolist()
    text, constants = text[~value], words.kind[own][~value].tolist()
    first, last = (np.searchsorted(text, texts, side).tolist() for side in ("left", "right"))
    sets = [frozenset(constants[a:b]) for a, b in zip(first, last, strict=True)]
    return list(map(_Template, texts.tolist(), size[texts].astype(int).tolist(), sets, has_value)), parts


def _by_rarest_word(templates: list[_Template]) -> dict[int, list[_Template]]:
    """File the templates that may absorb others under a word that anything they cover must have."""
    frequency = Counter(chain.from_iterable(template.constants for template in templates))
    rank = {kind: at for at, kind in enumerate(sorted(frequency, key=lambda kind: (frequency[kind], kind)))}
    takers = defaultdict(list)
    for template in templates:
        if template.size >= _TIMES and template.has_value and template.constants:
            takers[min(template.constants, key=rank.__getitem__)].append(template)
    return {kind: choice[:_CHOICE] for kind, choice in takers.items()}


def _swallowed(taker: _Parts, rare: _Parts) -> int | None:
    """Count the words that the values of one template must swallow to cover another; None if they cannot."""
    ends = {0: 0}  # how far the taker may have come in the rare template -> words swallowed at least
    for part in range(len(taker.kinds)):
        reached: dict[int, int] = {}
        for start, cost in ends.items():
            for end, more in _steps(taker, part, rare, start):
                reached[end] = min(cost + more, reached.get(end, cost + more))
        ends = reached
    return ends.get(len(rare.kinds))


def _steps(taker: _Parts, part: int, rare: _Parts, start: int) -> list[tuple[int, int]]:
    """List where one part may lead to among the parts of the other template, and the words swallowed on the way."""
    if taker.kinds[part] >= 0:
        return [(start + 1, 0)] if rare.kinds[start : start + 1] == [taker.kinds[part]] else []
    n_values = taker.n_values[part]
    any_word = n_values if n_values == taker.n_learned[part] else 0
    steps, n_words, n_spaced = [], 0, 0
    for at in range(start, min(start + n_values + _REACH, len(rare.kinds))):
        n_words += rare.is_said[at]
        n_spaced += at == start or not rare.is_glued[at]
        if n_spaced > n_values:
            break
        steps.append((at + 1, max(0, n_words - any_word)))
    return steps
