"""The accessor: the short way from table to table, without logic of its own."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import cadence, failure_clusters, invocations, ticks
from schedlog_analysis.plot import bare_ax
from schedlog_analysis.schema import Cadence, FailureClusters, Incidents, Invocations, Log, Ticks


def test_it_is_the_functions(sample):
    """Each method gives what the function of the same name gives."""
    told = sample.log.schedlog.invocations(sample.schedules)
    assert_frame_equal(told, invocations(sample.log, sample.schedules))
    due = told.schedlog.ticks(sample.schedules)
    assert_frame_equal(due, ticks(told, sample.schedules))
    assert_frame_equal(due.schedlog.cadence(sample.schedules), cadence(due, sample.schedules))
    assert_frame_equal(told.schedlog.failure_clusters(), failure_clusters(told))


@pytest.mark.parametrize("table", [Log, Invocations, Ticks, Cadence, FailureClusters, Incidents])
def test_tables_are_recognised_by_their_columns(table):
    """Also with more columns than declared."""
    frame = table.empty().assign(more=1)
    assert frame.schedlog.table == table.__name__
    assert set(dir(frame.schedlog)) >= {"table"}


def test_plot_draws_the_table(sample):
    """`plot` is the plot function of the table; it takes and gives an ax."""
    due = ticks(invocations(sample.log, sample.schedules), sample.schedules)
    ax = bare_ax()
    assert due.schedlog.plot(ax=ax) is ax


def test_other_frames_are_refused():
    """A frame that is no table says so, and a table says what it has."""
    with pytest.raises(AttributeError, match="no table of schedlog_analysis"):
        pd.DataFrame({"a": [1]}).schedlog  # noqa: B018
    with pytest.raises(AttributeError, match=r"Log has no 'cadence'; it has .*invocations"):
        Log.empty().schedlog.cadence()
