"""
A grow-only set of rows: of rows with the same key the greatest stays, so that every order of arrival gives one answer.

That one law (`greatest`) makes appending idempotent, commutative and associative, which is all that an archive needs
to survive crashes and concurrent writers without a lock. An entry's key is itself and its occurrence number among
its equals in one response: two windows that overlap add nothing, two true repeats stay two. Where a window begins in
the middle of an instant it shows fewer of the equals, and the union takes the larger number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schedlog_analysis._core.arrays import changes, is_sorted

ENTRY = ("schedule_id", "created_at", "level", "message", "n")
"""Key of an entry; its `place` is the order within its instant, the greatest that any response showed."""

_STAGES = pa.array(["READY", "RUNNING", "TIMING-OUT", "ABORTING"])  # of a run's life; any other status comes after


def greatest(keys: Sequence[Any], values: Sequence[Any] = ()) -> Any:  # noqa: ANN401 - int64s
    """
    Find the rows that stay: of rows with equal `keys`, the one with the greatest `values`.

    Parameters
    ----------
    keys, values
        Arrays of numbers of one length, the most significant first.

    Returns
    -------
    rows
        Positions of the rows that stay, in the order of their keys; of full equals the last one.

    Examples
    --------
    >>> greatest([np.array([1, 2, 1])], [np.array([9, 5, 7])]).tolist()
    [0, 1]
    """
    order = np.lexsort((*reversed(values), *reversed(keys)))
    return order[_ends(changes(*(key[order] for key in keys)))]


def union(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """
    Collapse rows to their set; missing values are the least, and a run advances from READY to its end.

    Examples
    --------
    >>> union(pa.table({"run_id": ["a", "b", "a"], "finished_at": [None, None, 5]}), ["run_id"]).to_pylist()
    [{'run_id': 'a', 'finished_at': 5}, {'run_id': 'b', 'finished_at': None}]
    """
    if key == ENTRY:
        return _union_entries(rows)
    return rows.take(pa.array(greatest(*_keys_and_values(rows, key))))


def news(known: pa.Table, rows: pa.Table, key: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """
    Tell what `rows` add to the `known` ones: the rows that their union needs, and those whose key is new.

    Examples
    --------
    >>> changed, new = news(pa.table({"k": [1, 2], "v": [5, 5]}), pa.table({"k": [2, 3], "v": [6, 6]}), ["k"])
    >>> changed["k"].to_pylist(), new["k"].to_pylist()
    ([2, 3], [3])
    """
    both = pa.concat_tables([known, rows]).unify_dictionaries()
    keys, values = _keys_and_values(both, key)
    is_known = np.arange(len(both)) < len(known)  # known rows win a tie
    added = (greatest(keys, tie) for tie in ([*values, is_known], [is_known, *values]))
    changed, new = (both.take(pa.array(np.sort(stay[stay >= len(known)]))) for stay in added)
    return changed, new


def number(log: pd.DataFrame) -> pd.DataFrame:
    """
    Add to a sorted Log each entry's occurrence number `n` among its equals and its `place` within the instant.

    Examples
    --------
    >>> log = pd.DataFrame({"schedule_id": "a", "created_at": [1, 1, 1, 2], "level": "I", "message": list("xyxx")})
    >>> number(log)[["n", "place"]].to_numpy().T.tolist()
    [[0, 0, 1, 0], [0, 1, 2, 0]]
    """
    new = changes(pd.factorize(log["schedule_id"])[0], log["created_at"].astype("int64").to_numpy())
    n, tied = np.zeros(len(log), "i4"), _tied(new)
    keys = [np.cumsum(new)[tied], *(pd.factorize(log.loc[tied, name])[0] for name in ("level", "message"))]
    order = np.lexsort(keys[::-1])
    n[np.flatnonzero(tied)[order]] = _within(changes(*(key[order] for key in keys)))
    return log.assign(n=n, place=_within(new))


def _union_entries(rows: pa.Table) -> pa.Table:
    """
    Collapse entries to their set, sorted by schedule and time and within an instant by place.

    Only entries that share their instant with another can be doubled, so only these are compared by their texts: of
    a large archive that is a small part.
    """
    instants = [_codes(rows[name]) for name in ("schedule_id", "created_at")]
    if not is_sorted(*instants):
        order = np.lexsort(instants[::-1])
        rows, instants = rows.take(pa.array(order)), [column[order] for column in instants]
    begins = changes(*instants)
    instant, is_shared = np.cumsum(begins), _tied(begins)
    shared = rows.filter(pa.array(is_shared))
    level, message, n, place = (_codes(shared[name]) for name in ("level", "message", "n", "place"))
    within = instant[is_shared]
    stay = greatest([within, level, message, n], [place])
    stay = stay[np.lexsort([column[stay] for column in (n, message, level, place, within)])]
    kept = np.append(np.flatnonzero(~is_shared), np.flatnonzero(is_shared)[stay])
    return rows.take(pa.array(kept[np.argsort(instant[kept], kind="stable")]))


def _keys_and_values(rows: pa.Table, key: Sequence[str]) -> tuple[list[Any], list[Any]]:
    values = [_codes(rows[name]) for name in rows.column_names[::-1] if name not in key]
    if "status" in rows.column_names:
        values.insert(0, pc.index_in(rows["status"], _STAGES).fill_null(len(_STAGES)).to_numpy())
    return [_codes(rows[name]) for name in key], values


def _codes(column: pa.ChunkedArray) -> Any:  # noqa: ANN401 - integers
    """Turn a column into numbers that sort as it does: a text, through its dictionary, its place in the alphabet."""
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type) and not values.null_count:
        ranks = np.empty(len(values.dictionary), "i4")
        ranks[pc.sort_indices(values.dictionary).to_numpy()] = np.arange(len(ranks), dtype="i4")
        return ranks[values.indices.to_numpy()]
    if not values.null_count and (pa.types.is_integer(values.type) or pa.types.is_timestamp(values.type)):
        return values.cast(pa.int64()).to_numpy()
    return pd.factorize(values.to_pandas(), sort=True)[0]  # missing is -1, less than anything


def _tied(new: Any) -> Any:  # noqa: ANN401 - booleans in and out
    """Which rows share their group with another; `new` marks where the groups begin."""
    return ~(new & _ends(new))


def _ends(new: Any) -> Any:  # noqa: ANN401 - booleans in and out
    ends = np.ones(len(new), bool)
    ends[:-1] = new[1:]
    return ends


def _within(new: Any) -> Any:  # noqa: ANN401 - booleans in, integers out
    """Count each row within its group, from 0; `new` marks where the groups begin."""
    rows = np.arange(len(new), dtype="i4")
    return rows - np.maximum.accumulate(np.where(new, rows, 0))
