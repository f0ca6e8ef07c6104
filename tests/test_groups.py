"""Groups: rows that share the values of key columns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis._core.groups import group, key_names
from schedlog_analysis.errors import InputError

VALUES = st.lists(st.tuples(st.sampled_from(["b", "a", None, "é"]), st.integers(0, 2)), max_size=30)


@given(VALUES)
def test_groups_are_those_of_pandas(rows):
    """Every row is in the group of its values, a missing one included; groups are sorted, missing last."""
    table = pd.DataFrame(rows, columns=["name", "number"]).astype({"name": "str", "number": "int64"})
    groups = group(table, ["name", "number"])
    expected = table.groupby(["name", "number"], dropna=False).size().reset_index(name="n")
    assert groups.tally().tolist() == expected["n"].tolist()
    assert (
        groups.keys.fillna("missing").to_numpy().tolist()
        == expected[["name", "number"]].fillna("missing").to_numpy().tolist()
    )
    assert groups.keys.dtypes.tolist() == table.dtypes.tolist()


@given(VALUES)
def test_categoricals_are_grouped_like_text(rows):
    """A categorical gives the groups of its text, in the order of the text, and stays a categorical."""
    table = pd.DataFrame(rows, columns=["name", "number"]).astype({"name": "str", "number": "int64"})
    coded = table.assign(
        name=pd.Categorical(table["name"], categories=pd.Index(["é", "b", "unused", "a"], dtype="str"))
    )
    text, codes = group(table, "name"), group(coded, "name")
    np.testing.assert_array_equal(text.of_row, codes.of_row)
    assert isinstance(codes.keys["name"].dtype, pd.CategoricalDtype)
    assert codes.keys["name"].astype("str").fillna("").tolist() == text.keys["name"].fillna("").tolist()


def test_no_key_makes_one_group():
    """Without keys everything is one group, also nothing."""
    for n in (0, 3):
        groups = group(pd.DataFrame({"name": ["a"] * n}, dtype="str"), None)
        assert groups.n == 1
        assert groups.tally().tolist() == [n]
    assert key_names(None) == []


def test_an_unknown_key_is_told():
    """A key that is no column is an input error that names it and the columns."""
    with pytest.raises(InputError, match="no column 'color' to group by; expected one of name"):
        group(pd.DataFrame({"name": []}), "color")
