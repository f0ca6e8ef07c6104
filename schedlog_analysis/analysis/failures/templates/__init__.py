"""
A template is a message with its values replaced by ``<*>``: what equal failures have in common.

Four sieves let fewer and fewer texts through, so that the work on each can grow: equal messages (``reading``), equal
but for numbers (``numbers``), equal but for values of known shape (``shapes``), and equal but for values that only
the comparison of texts tells (``merging``). What is left is written out (``rendering``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis.analysis.failures.templates.codes import guard_codes, join_codes
from schedlog_analysis.analysis.failures.templates.merging import merge
from schedlog_analysis.analysis.failures.templates.numbers import mark_numbers
from schedlog_analysis.analysis.failures.templates.reading import read_messages
from schedlog_analysis.analysis.failures.templates.rendering import WILDCARD, covers, render
from schedlog_analysis.analysis.failures.templates.shapes import mask_shapes
from schedlog_analysis.analysis.failures.templates.words import read_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schedlog_analysis.analysis.failures.templates.numbers import Ids

_OCTAL = re.compile(r"\\0([0-7]{2})")

__all__ = ["WILDCARD", "Masked", "mask_messages", "matches", "mine_templates", "mine_texts"]


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
    text_of_message, masked = mask_messages(messages)
    template_of_text = mine_texts(masked)
    name_of_text, names = pd.factorize(np.array(template_of_text, object), sort=True)
    codes = name_of_text.astype(np.int32).take(text_of_message)
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"), validate=False)


class Masked(NamedTuple):
    """The distinct texts that messages became, when everything that looks like a value had been marked."""

    texts: list[str]
    n_messages: Ids  # how many distinct messages each text stands for


def mask_messages(messages: Iterable[str]) -> tuple[Ids, Masked]:
    """
    Mark the values of messages that their shape gives away; what a message becomes depends on no other message.

    Returns
    -------
    text_of_message, masked
        The number of the text of each message, and the texts.
    """
    distinct_of_message, distinct = read_messages(messages)
    numbered_of_distinct, lines = mark_numbers(guard_codes(distinct))
    text_of_line, texts = pd.factorize(np.array(mask_shapes(lines), object), sort=True)
    text_of_distinct = text_of_line[numbered_of_distinct]
    masked = Masked(list(texts), np.bincount(text_of_distinct, minlength=len(texts)))
    return text_of_distinct[distinct_of_message], masked


def mine_texts(masked: Masked) -> list[str]:
    """Give every masked text its template, by how the texts differ."""
    text_of_given, texts = pd.factorize(np.array(join_codes(masked.texts), object), sort=True)
    n_messages = np.bincount(text_of_given, masked.n_messages, len(texts)).astype(np.int64)
    words = read_words(list(texts), n_messages)
    template_of_text, templates = render(words, merge(words))
    return [templates[at] for at in template_of_text[text_of_given].tolist()]


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
    return covers(template, text, WILDCARD)
