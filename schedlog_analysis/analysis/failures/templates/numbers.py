"""
A number is a run of digits, or a word with two digits in it: one mark stands for it, however long it is.

This is the first and widest sieve, so it works on the bytes of many messages at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    Bytes: TypeAlias = NDArray[np.uint8]
    Flags: TypeAlias = NDArray[np.bool_]
    Ids: TypeAlias = NDArray[np.integer]
    Marking: TypeAlias = Callable[[Bytes], tuple[Bytes, Flags]]

MARK = "\x01"
"""Stands for a value until the template is written out: a control character, which logs do not hold."""

_MARK = np.uint8(ord(MARK))
_GROWTH = 8  # letters on each side; the shapes see to longer words
_PIECE = 1024  # messages at a time, so that the work stays in the processor's cache


def mark_numbers(messages: pa.LargeStringArray) -> tuple[Ids, list[str]]:
    """Mark the numbers; say which of the distinct results each message became, and list these."""
    # The line break keeps a number at the end of one message apart from one at the start of the next.
    lines = pc.binary_join_element_wise(messages, _text("\n"), _text(""))
    once, lines = _sieved(lines, _mark_digits)
    again, lines = _sieved(lines, _grow_marks)
    return again[once], lines.to_pylist()


def _text(value: str) -> pa.LargeStringScalar:
    return pa.scalar(value, pa.large_string())


def _sieved(lines: pa.LargeStringArray, mark: Marking) -> tuple[Ids, pa.LargeStringArray]:
    """Mark the lines; say which of the distinct results each became, and list these."""
    encoded = _marked(lines, mark).dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary


def _marked(lines: pa.LargeStringArray, mark: Marking) -> pa.LargeStringArray:
    """Mark the lines piece by piece, take out the bytes that go, and move the borders of the lines along."""
    borders = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset : lines.offset + len(lines) + 1]
    data = np.frombuffer(lines.buffers()[2] or b"", np.uint8)
    room = pa.allocate_buffer(len(data))  # memory that Arrow keeps at hand, where NumPy would ask the system anew
    kept, moved = np.frombuffer(room, np.uint8), [np.zeros(1, np.int64)]
    for start in range(0, len(lines), _PIECE):
        piece = borders[start : start + _PIECE + 1]
        text, keep = mark(data[piece[0] : piece[-1]])
        lengths = np.add.reduceat(keep.view(np.uint8), piece[:-1] - piece[0], dtype=np.int32)
        moved.append(moved[-1][-1] + np.cumsum(lengths, dtype=np.int64))
        kept[moved[-2][-1] : moved[-1][-1]] = text[keep]
    return pa.LargeStringArray.from_buffers(len(lines), pa.py_buffer(np.concatenate(moved)), room)


def _mark_digits(text: Bytes) -> tuple[Bytes, Flags]:
    """Mark each number that stands by itself or has two digits: ``port 80``, ``10ms``, but not ``eth0``."""
    text, gone = _unescaped(text)
    digit = _padded(_is_digit(text))
    here, before, after = digit[1:-1], digit[:-2], digit[2:]
    number = here > before
    single = np.flatnonzero(number > after)
    number[single] = ~_is_letter(text[single - 1]) & ~_is_letter(text[single + 1])
    keep = ~(here & before)
    keep[gone] = False
    return _with_marks(text, number), keep


def _unescaped(text: Bytes) -> tuple[Bytes, Ids]:
    r"""Read what system loggers write in octal, ``\042`` for a quote and ``\012`` for a line break; say what goes."""
    at = np.flatnonzero(text[:-3] == ord("\\"))
    zero, *octal = (text[at + i] - np.uint8(ord("0")) for i in (1, 2, 3))
    is_escape = (zero == 0) & (octal[0] < len("01234567")) & (octal[1] < len("01234567"))
    at, letter = at[is_escape], np.maximum(octal[0] * 8 + octal[1], ord(" "))[is_escape]
    if not len(at):
        return text, at
    text = text.copy()
    for i in range(4):
        text[at + i] = letter
    return text, np.concatenate((at + 1, at + 2, at + 3))


def _grow_marks(text: Bytes) -> tuple[Bytes, Flags]:
    """Let each mark swallow the word around it, as far as it is at hand: ``3f0a``, ``job_12``, not ``eth0``."""
    digit, mark = _padded(_is_digit(text)), _padded(text == _MARK)
    word = digit | mark | _padded(_is_letter(text))
    mark[1:] |= digit[1:] > word[:-1]  # a word that starts with a digit
    mark[2:] |= digit[2:] & word[1:-1] & digit[:-2]  # two digits, if not side by side
    for _ in range(_GROWTH):
        near = mark[:-2] | mark[2:]
        mark[1:-1] |= near & word[1:-1]
    here, before = mark[1:-1], mark[:-2]
    return _with_marks(text, here), ~(here & before)


def _with_marks(text: Bytes, flags: Flags) -> Bytes:
    """Put marks where the flags are; as a mark is 1, less one it keeps all bits or none of the text."""
    mark = flags.view(np.uint8)
    return text & (mark - _MARK) | mark


def _is_digit(text: Bytes) -> Flags:
    return text - np.uint8(ord("0")) <= ord("9") - ord("0")


def _is_letter(text: Bytes) -> Flags:
    return (text | 32) - np.uint8(ord("a")) <= ord("z") - ord("a")


def _padded(flags: Flags) -> Flags:
    out = np.zeros(len(flags) + 2, bool)
    out[1:-1] = flags
    return out
