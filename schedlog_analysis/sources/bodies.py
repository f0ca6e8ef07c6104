"""A body is what the API answered, as bytes, text or parsed; whatever its envelope, its objects are found in it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any

from schedlog_analysis.errors import InputError


def find_objects(body: object, name: str) -> list[Any]:
    """
    Find the objects inside whatever came: bytes, text, envelopes, pages, models of apify-client.

    Parameters
    ----------
    body
        JSON or JSON Lines as bytes or text, or parsed objects.
    name
        What it should be, for the sentence of an error.

    Returns
    -------
    objects
        As they stand in the array; one that is no dictionary is left for the reader to refuse.

    Raises
    ------
    InputError
        If this is no JSON, an error of the API, or no array of anything.

    Examples
    --------
    >>> find_objects(b'{"data": {"items": [{"id": "a"}]}}', "the list")
    [{'id': 'a'}]
    """
    body = _parse_json(body, name) if isinstance(body, str | bytes | bytearray) else _undress(body)
    if isinstance(body, dict) and "error" in body and "data" not in body:
        raise InputError(f"Instead of {name} came an error of the API, {quoted(body['error'])}; ask for it again.")
    for envelope in ("data", "items"):
        if isinstance(body, dict) and envelope in body:
            body = _undress(body[envelope])
    if isinstance(body, str) or not isinstance(body, Iterable):
        raise InputError(f"Instead of {name} came {quoted(body)}; expected an array of objects.")
    return [_undress(each) for each in ([body] if isinstance(body, dict) else body)]


def quoted(value: object) -> str:
    """Quote a value as JSON would write it, cut short; safe for values of any size and depth."""
    return json.dumps(value) if value is None or isinstance(value, bool) else reprlib.repr(value)


def _undress(value: Any) -> Any:  # noqa: ANN401 - JSON, or a model of it
    """Undress what apify-client wraps around JSON: pydantic models (3.x) and pages (2.x)."""
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True)
    if isinstance(value, Mapping):
        return dict(value)
    items = getattr(value, "items", None)
    return value if items is None or callable(items) else items


def _parse_json(body: str | bytes | bytearray, name: str) -> Any:  # noqa: ANN401 - JSON
    if not body.strip():
        raise InputError(f"Instead of {name} came nothing, an empty body; expected JSON.")
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body))
        return _parse_lines(text.removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"Byte {error.start} of {name} is not valid {error.encoding}; expected JSON in UTF-8."
        ) from None
    except RecursionError:
        raise InputError(f"The JSON of {name} is nested too deeply; expected an array of flat objects.") from None
    except ValueError as error:
        kind = "HTML" if text.lstrip()[:1] == "<" else "no valid JSON"
        raise InputError(f"Instead of {name} came {kind}, {quoted(text)} ({error}); expected JSON.") from None


def _parse_lines(text: str) -> Any:  # noqa: ANN401 - JSON
    """Parse JSON; what goes on after its first value is JSON Lines."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise
        return [json.loads(line) for line in text.splitlines() if line.strip()]
