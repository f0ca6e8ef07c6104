"""Instants and durations as users give them."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from schedlog_analysis._core.instants import duration_ms
from schedlog_analysis.errors import InputError


@pytest.mark.parametrize("given", ["60s", timedelta(minutes=1), pd.Timedelta("1min"), np.timedelta64(60, "s")])
def test_durations_come_in_four_kinds(given):
    """Text, and what Python, pandas and numpy call a duration."""
    assert duration_ms(given) == 60_000


@pytest.mark.parametrize("given", [60, 60.0, True, None, pd.NaT, "60", "NaT", "soon", "-1s", [60]])
def test_what_has_no_unit_is_refused(given):
    """A bare number, which pandas takes for nanoseconds, and nothing at all are told in one sentence."""
    with pytest.raises(InputError, match=r"`grace` is .*; expected a duration"):
        duration_ms(given, "grace")
