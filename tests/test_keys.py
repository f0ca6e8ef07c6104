"""Keys: the same numbers for the same values, however they are stored; and whether rows are in order."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis._core.arrays import decode, encode, is_sorted

ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=6)


@given(ROWS, st.integers(1, 3))
def test_sorted_is_what_sorting_leaves_as_it_is(rows, n_columns):
    """By the first column, within it by the second, and so on."""
    cut = [row[:n_columns] for row in rows]
    columns = np.array(cut, dtype=np.int64).reshape(len(rows), n_columns).T
    assert is_sorted(*columns) == (cut == sorted(cut))


@given(st.lists(st.sampled_from(["b", "a", "č", ""]), max_size=8))
def test_text_and_categoricals_have_the_same_numbers(values):
    """Also where a category does not occur, or they stand in another order; and the numbers lead back."""
    text = pd.Series(values, dtype="str")
    coded = text.astype(pd.CategoricalDtype(pd.Index(["č", "unused", "b", "", "a"], dtype="str")))
    (numbers, known), (same, also) = encode(text), encode(coded)
    assert numbers.tolist() == same.tolist()
    assert known.tolist() == also.tolist() == sorted(set(values))
    assert decode(same, also, coded).tolist() == values
