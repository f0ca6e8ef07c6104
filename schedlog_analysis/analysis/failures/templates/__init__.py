"""
A template is a message with its values replaced by ``<*>``: what equal failures have in common.

Four sieves let fewer and fewer texts through, so that the work on each can grow: equal messages (``reading``), equal
but for numbers (``numbers``), equal but for values of known shape (``shapes``), and equal but for values that only
the comparison of texts tells (``merging``). What is left is written out (``rendering``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from schedlog_analysis.analysis.failures.templates.merging import merge
from schedlog_analysis.analysis.failures.templates.numbers import mark_numbers
from schedlog_analysis.analysis.failures.templates.reading import read_messages
from schedlog_analysis.analysis.failures.templates.rendering import WILDCARD, render
from schedlog_analysis.analysis.failures.templates.shapes import mask_shapes
from schedlog_analysis.analysis.failures.templates.words import read_words

if TYPE_CHECKING:
    from collections.abc import Iterable

_OCTAL = re.compile(r"\\0([0-7]{2})")

__all__ = ["WILDCARD", "matches", "mine_templates"]


def mine_templates(messages: Iterable[str]) -> pd.Categorical:
    """
    Give every message its template.

    There is nothing to configure or to train. Values are told by their shape where possible, so that the template of
    a message seldom depends on the others; words become values only where many messages differ in nothing else (a few
    are enough for names that are values in other messages), and never where they name the cause: exception classes,
    fields of the input, what follows an exception's colon.

    Parameters
    ----------
    messages
        Messages in any order, duplicates included: a list, an array, a Series of str or category, an Arrow array.
        Only distinct messages count: order and duplicates never change a template.

    Returns
    -------
    One template per message, in the order of the messages, the categories sorted; empty for no messages. Runs of
    blanks and line breaks become one blank.

    Raises
    ------
    InputError
        When a message is null or not a string.

    Examples
    --------
    >>> failures = ["Actor run 17 failed after 2 s", "Actor run 4 failed after 35 s", "Schedule invoked"]
    >>> list(mine_templates(failures))
    ['Actor run <*> failed after <*> s', 'Actor run <*> failed after <*> s', 'Schedule invoked']
    """
    distinct_of_message, distinct = read_messages(messages)
    numbered_of_distinct, lines = mark_numbers(distinct)
    text_of_line, texts = pd.factorize(np.array(mask_shapes(lines), object), sort=True)
    text_of_distinct = text_of_line[numbered_of_distinct]
    words = read_words(list(texts), np.bincount(text_of_distinct, minlength=len(texts)))
    template_of_text, templates = render(words, merge(words))
    name_of_template, names = pd.factorize(np.array(templates, object), sort=True)
    name_of_distinct = name_of_template[template_of_text][text_of_distinct].astype(np.int32)
    codes = name_of_distinct.take(distinct_of_message)
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"), validate=False)


def matches(template: str, message: str) -> bool:
    """
    Say whether a template covers a message, each ``<*>`` standing for any text.

    Examples
    --------
    >>> matches("Actor run <*> failed", "Actor run 17 failed")
    True
    >>> matches("Actor run <*> failed", "Actor run 17 was aborted")
    False
    """
    plain = _OCTAL.sub(lambda found: chr(max(ord(" "), int(found[1], 8))), message)
    text = " ".join(plain.replace('\\"', '"').split())
    first, *others = template.split(WILDCARD)
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
