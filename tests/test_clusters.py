"""Clusters: labels of messages, joined back to tables of them."""

import numpy as np
import pandas as pd
import pytest

from schedlog_analysis.analysis.failures.clusters import label_messages, labelled

TEXTS = ["", "Actor was not found", "Unknown error"]


@pytest.mark.parametrize("dtype", ["str", "category"])
@pytest.mark.parametrize("values", [["Unknown error", np.nan, "Unknown error", ""], [np.nan], [""], []])
def test_labels_follow_their_messages(dtype, values):
    """Each row has its own message's labels; a missing message is an empty one, which may be there as well."""
    index = pd.Index(TEXTS, dtype="str")
    labels = label_messages(index).set_axis(index)
    messages = pd.Series(values, dtype="str")
    found = labelled(pd.DataFrame({"message": messages.astype(dtype)}), labels)
    expected = messages.fillna("")
    assert found["message"].tolist() == expected.tolist()
    for name in labels:
        assert found[name].tolist() == labels[name].reindex(expected).tolist()
