"""Messages come as lists, arrays or columns; each becomes its number in the table of distinct messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from schedlog_analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schedlog_analysis.templates.numbers import Ids

_ARROW = (pa.Array, pa.ChunkedArray)
_TEXT = pa.large_string()


def read_messages(messages: Iterable[str]) -> tuple[Ids, pa.LargeStringArray]:
    """Say which distinct message each message is, and list the distinct messages."""
    if isinstance(messages, str):
        raise InputError("One string came where messages were expected; put it in a list.")
    values = messages.array if isinstance(messages, pd.Series | pd.Index) else messages
    if isinstance(values, _ARROW) and pa.types.is_dictionary(values.type):
        values = values.to_pandas().array
    if isinstance(values, pd.Categorical):
        return _of_categories(values)
    encoded = _encoded(values)
    return encoded.indices.to_numpy(), encoded.dictionary


def _of_categories(values: pd.Categorical) -> tuple[Ids, pa.LargeStringArray]:
    """Look at the categories in use only, each once."""
    used, codes = np.unique(values.codes, return_inverse=True)
    if -1 in used:
        raise _null(int(np.argmin(values.codes)))
    encoded = _encoded(values.categories[used].array)
    return encoded.indices.to_numpy()[codes], encoded.dictionary


def _encoded(values: Any) -> pa.DictionaryArray:  # noqa: ANN401 - whatever Arrow can read
    try:
        given = values if hasattr(values, "__len__") else list(values)
        encoded = given.cast(_TEXT).dictionary_encode() if isinstance(given, _ARROW) else _from_python(given)
    except (pa.ArrowException, TypeError) as error:
        raise InputError(f"Messages must be strings, but these could not be read as such: {error}") from error
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    if encoded.null_count:
        raise _null(int(np.argmax(encoded.is_null().to_numpy(zero_copy_only=False))))
    return encoded


def _from_python(values: Any) -> pa.DictionaryArray:  # noqa: ANN401 - same
    values = values.tolist() if isinstance(values, np.ndarray) else values
    kind = pa.dictionary(pa.int32(), _TEXT)  # encoded while it is read, so that no copy of all the text is made
    try:
        return pa.array(values, kind, from_pandas=True)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can carry, is no text
        return pa.array([text.encode("utf-8", "replace").decode() for text in values], kind)


def _null(at: int) -> InputError:
    return InputError(f"Message {at} is null where text was expected; drop the nulls or fill them first.")
