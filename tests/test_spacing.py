"""Spacing: the greedy rule, answered by doubling jumps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis._core.arrays import keep_spaced

SERIES = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=20).map(sorted), max_size=5)


def _one_by_one(series: list[list[int]], gap: int) -> list[bool]:
    kept = []
    for instants in series:
        last = None
        for instant in instants:
            is_kept = last is None or instant - last >= gap
            last = instant if is_kept else last
            kept.append(is_kept)
    return kept


@given(SERIES, st.integers(1, 30))
def test_it_is_the_greedy_rule(series, gap):
    """Doubling jumps keep exactly what a loop keeps, for any number of series one after another."""
    flat = np.array([instant for instants in series for instant in instants], dtype=np.int64)
    starts = np.zeros(len(flat), dtype=bool)
    starts[np.cumsum([0, *map(len, series)])[:-1]] = True
    assert keep_spaced(flat, gap, starts).tolist() == _one_by_one(series, gap)


def test_a_long_crowded_series_keeps_every_second():
    """A series that never leaves the gap alternates to its end."""
    kept = keep_spaced(np.arange(0, 5 * 10_001, 5), 10)
    assert kept[::2].all()
    assert not kept[1::2].any()
