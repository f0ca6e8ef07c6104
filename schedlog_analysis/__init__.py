"""
Reliability of Apify schedules: did they run when they should have, did it succeed, and if not, why.

The names below are what users type; each is loaded when first used, so that importing the package costs nothing.

>>> from schedlog_analysis import cadence, invocations, load_sample, ticks
>>> sample = load_sample()
>>> table = cadence(ticks(invocations(sample.log, sample.schedules), sample.schedules), sample.schedules)
>>> int(table["n_missed"].sum()) > 0
True
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

_HOMES = {
    "apify": ("Client", "fetch_log", "fetch_logs", "fetch_runs", "fetch_schedule", "fetch_schedules"),
    "archive": ("Archive", "load_sample", "read_log", "read_runs", "read_schedules", "write_log"),
    "budget": ("burn_down",),
    "cadence": ("cadence", "intervals", "outages"),
    "changes": ("change_points",),
    "compare": ("compare",),
    "coverage": ("coverage", "holes"),
    "cron": ("Cron",),
    "errors": ("SchedlogError",),
    "failures": ("cluster_trend", "compare_clusters", "failure_clusters"),
    "bursts": ("bursts",),
    "funnel": ("funnel", "run_outcomes"),
    "incidents": ("fleet_incidents", "incidents"),
    "infer": ("infer_cron",),
    "invocations": ("invocations",),
    "period": ("Period",),
    "policy": ("AccountingPolicy", "Maintenance"),
    "rates": ("average_error_rate", "error_rate", "pooled_error_rate", "wilson"),
    "report": ("Report",),
    "runs": ("join_runs",),
    "simulate": ("simulate",),
    "slo": ("burn_rates", "slo"),
    "templates": ("mine_templates",),
    "ticks": ("ticks",),
}
_MODULES = ("fleet", "plot", "schema")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME_OF), *_MODULES, "__version__"]  # noqa: PLE0604 - the table above is the list


class _Face(ModuleType):
    """The package as users see it: names come when first used, and a function wins over the module named after it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
        if name == "__version__":
            return version("schedlog-analysis")
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # Importing `schedlog_analysis.ticks` binds that module here; `ticks` must stay the function all the same.
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted(__all__)


sys.modules[__name__].__class__ = _Face

# Registers `df.schedlog`; of what it needs, only pandas is loaded now.
import_module(f"{__name__}.accessor")
