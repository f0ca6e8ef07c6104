"""Messages come as lists, arrays or columns; each becomes its number in the table of distinct messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schedlog_analysis.analysis.failures.templates.numbers import MARK
from schedlog_analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schedlog_analysis.analysis.failures.templates.numbers import Ids

LONGEST = 4_096
"""So many characters of a message are read; what comes after is one value."""

_ONE = "One string came where messages were expected; put it in a list."
_ARROW = (pa.Array, pa.ChunkedArray)
_TEXT = pa.large_string()
_TEXTS = (pa.string(), _TEXT, pa.string_view())
_CODED = pa.dictionary(pa.int32(), _TEXT)


def read_messages(messages: Iterable[str]) -> tuple[Ids, pa.LargeStringArray]:
    """Say which distinct message each message is, and list the distinct messages."""
    if isinstance(messages, str | bytes):
        raise InputError(_ONE)
    if isinstance(messages, pd.DataFrame | pa.Table):
        raise InputError("A whole table came where messages were expected; choose its column of messages.")
    values = messages.array if isinstance(messages, pd.Series | pd.Index) else messages
    values = values.__arrow_array__() if isinstance(values, pd.arrays.ArrowExtensionArray) else values
    if isinstance(values, _ARROW) and pa.types.is_dictionary(values.type):
        values = values.to_pandas().array
    if isinstance(values, pd.Categorical):
        return _cut(*_of_categories(values))
    encoded = _encoded(values)
    return _cut(encoded.indices.to_numpy(), encoded.dictionary)


def _cut(distinct_of_message: Ids, distinct: pa.LargeStringArray) -> tuple[Ids, pa.LargeStringArray]:
    """Cut messages that are too long to be read whole, so that one of 50 MB takes no longer than a page."""
    is_long = pc.greater(pc.utf8_length(distinct), LONGEST)
    if not pc.any(is_long).as_py():
        return distinct_of_message, distinct
    heads = pc.utf8_slice_codeunits(distinct.filter(is_long), 0, LONGEST)
    cut = pc.binary_join_element_wise(heads, pa.scalar(MARK, _TEXT), pa.scalar("", _TEXT))
    encoded = pc.replace_with_mask(distinct, is_long, cut).dictionary_encode()
    return encoded.indices.to_numpy()[distinct_of_message], encoded.dictionary


def _of_categories(values: pd.Categorical) -> tuple[Ids, pa.LargeStringArray]:
    """Look at the categories in use only, each once."""
    used, codes = np.unique(values.codes, return_inverse=True)
    if -1 in used:
        raise _null(int(np.argmin(values.codes)))
    encoded = _encoded(values.categories[used].array)
    return encoded.indices.to_numpy()[codes], encoded.dictionary


def _encoded(values: Any) -> pa.DictionaryArray:  # noqa: ANN401 - whatever Arrow can read
    values = _at_hand(values)
    if not len(values):
        return pa.array([], _CODED)
    encoded = _from_arrow(values) if isinstance(values, _ARROW) else _from_python(values)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    if encoded.null_count:
        raise _null(int(np.argmax(encoded.is_null().to_numpy(zero_copy_only=False))))
    return encoded


def _at_hand(values: Any) -> Any:  # noqa: ANN401 - same
    """Make what has a length of it: columns of Arrow as they are, all else as a list."""
    if hasattr(values, "tolist") and not isinstance(values, _ARROW):
        values = values.tolist()
    if isinstance(values, str):
        raise InputError(_ONE)
    try:
        return values if isinstance(values, (list, tuple, *_ARROW)) else list(values)
    except TypeError as error:
        raise InputError(f"A {type(values).__name__} came where messages were expected; put them in a list.") from error


def _from_arrow(values: Any) -> Any:  # noqa: ANN401 - an array, or several
    if not (values.type in _TEXTS or pa.types.is_null(values.type)):
        raise InputError(f"Messages must be strings, but these are of type {values.type}; make them strings first.")
    return values.cast(_TEXT).dictionary_encode()


def _from_python(values: list[Any] | tuple[Any, ...]) -> pa.DictionaryArray:
    if isinstance(values[0], bytes | pa.Scalar):  # Arrow would take the one for text, and break at the other
        raise _no_text(values)
    try:
        return pa.array(values, _CODED)  # encoded while it is read, so no copy of the text is made
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can carry, is no text
        return pa.array([text.encode("utf-8", "replace").decode() for text in values], _CODED)
    except (pa.ArrowException, TypeError) as error:
        raise _no_text(values) from error


def _no_text(values: Iterable[Any]) -> InputError:
    """Say which is the first that is no string."""
    at, value = next((at, value) for at, value in enumerate(values) if not isinstance(value, str))
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return _null(at)
    kind = type(value).__name__
    return InputError(f"Messages must be strings, but message {at} is of type {kind}; make them strings first.")


def _null(at: int) -> InputError:
    return InputError(f"Message {at} is null where text was expected; drop the nulls or fill them first.")
