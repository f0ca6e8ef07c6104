"""
An accessor is the short way from a table to what is made of it: ``log.schedlog.invocations().schedlog.ticks()``.

It holds no logic: each method is the function of the same name, with the table as its first argument.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pandas as pd

# What each table can become: method -> room. `plot` is the picture of the table itself.
METHODS = {
    "Log": {"invocations": "matching.invocations", "coverage": "sources.coverage", "holes": "sources.coverage"}
    | dict.fromkeys(("failure_clusters", "cluster_trend"), "analysis.failures.clusters"),
    "Invocations": {
        "ticks": "matching.ticks",
        "error_rate": "analysis.rates",
        "change_points": "analysis.changes",
        "join_runs": "matching.runs",
    }
    | dict.fromkeys(("failure_clusters", "cluster_trend"), "analysis.failures.clusters"),
    "Ticks": dict.fromkeys(("cadence", "intervals", "outages"), "analysis.cadence")
    | {
        "error_rate": "analysis.rates",
        "incidents": "analysis.incidents.incidents",
        "bursts": "analysis.incidents.bursts",
    }
    | {"change_points": "analysis.changes", "slo": "analysis.slo"},
    "Incidents": {"fleet_incidents": "analysis.incidents.incidents"},
    "Cadence": {},
    "ErrorRates": {},
    "FailureClusters": {},
    "Intervals": {},
}
PLOTS = {
    "Ticks": "ticks",
    "Cadence": "cadence",
    "ErrorRates": "error_rate",
    "FailureClusters": "clusters",
    "Incidents": "incidents",
    "Intervals": "intervals",
}


@pd.api.extensions.register_dataframe_accessor("schedlog")
class SchedlogAccessor:
    """
    What can be made of a table of this package.

    Parameters
    ----------
    frame
        Any table of `schema`; it is recognised by its columns.

    Raises
    ------
    AttributeError
        If the frame is none of them, or the table has no such method.

    Examples
    --------
    >>> from schedlog_analysis import load_sample
    >>> sample = load_sample()
    >>> due = sample.log.schedlog.invocations(sample.schedules).schedlog.ticks(sample.schedules)
    >>> due.schedlog.table
    'Ticks'
    >>> bool((due.schedlog.cadence(sample.schedules)["n_planned"] > 0).all())
    True
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        schema = import_module("schedlog_analysis.schema")
        # The table with most columns wins: Log's are a part of no other table's, but ErrorRates' may stand beside keys.
        known = sorted(METHODS, key=lambda name: -len(getattr(schema, name).names()))
        columns = set(frame.columns)
        found = next((name for name in known if columns.issuperset(getattr(schema, name).names())), None)
        if found is None:
            raise AttributeError(
                f"This frame is no table of schedlog_analysis; expected the columns of {', '.join(known)}."
            )
        self.table = found
        self._frame = frame

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a bound function
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "plot" and self.table in PLOTS:
            function = getattr(import_module("schedlog_analysis.plot"), PLOTS[self.table])
        elif name in METHODS[self.table]:
            function = getattr(import_module(f"schedlog_analysis.{METHODS[self.table][name]}"), name)
        else:
            raise AttributeError(f"A table of {self.table} has no {name!r}; it has {', '.join(dir(self))}.")

        def bound(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
            return function(self._frame, *args, **options)

        bound.__doc__, bound.__name__ = function.__doc__, name
        return bound

    def __dir__(self) -> list[str]:
        return sorted(["table", *METHODS[self.table], *(["plot"] if self.table in PLOTS else [])])
