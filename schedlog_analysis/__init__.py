"""
Reliability of Apify schedules: did they run when they should have, did it succeed, and if not, why.

The names below are what users type; each is loaded when first used, so that importing the package costs little.

>>> from schedlog_analysis import cadence, invocations, load_sample, ticks
>>> sample = load_sample()
>>> table = cadence(ticks(invocations(sample.log, sample.schedules), sample.schedules), sample.schedules)
>>> int(table["n_missed"].sum()) > 0
True
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from schedlog_analysis import accessor as accessor  # registers `df.schedlog`

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same at run time, and a test holds them equal
    from schedlog_analysis import fleet as fleet
    from schedlog_analysis import plot as plot
    from schedlog_analysis import schema as schema
    from schedlog_analysis._core.redact import redact as redact
    from schedlog_analysis.account.analysis import Analysis as Analysis
    from schedlog_analysis.account.options import Options as Options
    from schedlog_analysis.analysis.budget import burn_down as burn_down
    from schedlog_analysis.analysis.cadence import cadence as cadence
    from schedlog_analysis.analysis.cadence import intervals as intervals
    from schedlog_analysis.analysis.cadence import outages as outages
    from schedlog_analysis.analysis.changes import change_points as change_points
    from schedlog_analysis.analysis.compare import compare as compare
    from schedlog_analysis.analysis.failures.causes import CAUSES as CAUSES
    from schedlog_analysis.analysis.failures.causes import RULES as RULES
    from schedlog_analysis.analysis.failures.causes import Rule as Rule
    from schedlog_analysis.analysis.failures.causes import describe_rules as describe_rules
    from schedlog_analysis.analysis.failures.causes import rules_from as rules_from
    from schedlog_analysis.analysis.failures.clusters import cluster_trend as cluster_trend
    from schedlog_analysis.analysis.failures.clusters import compare_clusters as compare_clusters
    from schedlog_analysis.analysis.failures.clusters import failure_clusters as failure_clusters
    from schedlog_analysis.analysis.failures.clusters import label_messages as label_messages
    from schedlog_analysis.analysis.failures.failures import failures as failures
    from schedlog_analysis.analysis.failures.templates import mine_templates as mine_templates
    from schedlog_analysis.analysis.funnel import funnel as funnel
    from schedlog_analysis.analysis.funnel import run_outcomes as run_outcomes
    from schedlog_analysis.analysis.incidents.bursts import bursts as bursts
    from schedlog_analysis.analysis.incidents.incidents import fleet_incidents as fleet_incidents
    from schedlog_analysis.analysis.incidents.incidents import incidents as incidents
    from schedlog_analysis.analysis.incidents.problems import problems as problems
    from schedlog_analysis.analysis.period import Period as Period
    from schedlog_analysis.analysis.rates import average_error_rate as average_error_rate
    from schedlog_analysis.analysis.rates import error_rate as error_rate
    from schedlog_analysis.analysis.rates import pooled_error_rate as pooled_error_rate
    from schedlog_analysis.analysis.rates import wilson as wilson
    from schedlog_analysis.analysis.slo import burn_rates as burn_rates
    from schedlog_analysis.analysis.slo import slo as slo
    from schedlog_analysis.cron.cron import Cron as Cron
    from schedlog_analysis.cron.infer import infer_cron as infer_cron
    from schedlog_analysis.errors import SchedlogError as SchedlogError
    from schedlog_analysis.matching.invocations import invocations as invocations
    from schedlog_analysis.matching.policy import AccountingPolicy as AccountingPolicy
    from schedlog_analysis.matching.policy import Maintenance as Maintenance
    from schedlog_analysis.matching.runs import join_runs as join_runs
    from schedlog_analysis.matching.seen_until import seen_until as seen_until
    from schedlog_analysis.matching.ticks import ticks as ticks
    from schedlog_analysis.report import Report as Report
    from schedlog_analysis.simulation import simulate as simulate
    from schedlog_analysis.simulation import simulate_fleet as simulate_fleet
    from schedlog_analysis.sources.account import Source as Source
    from schedlog_analysis.sources.answers import has_duplicate_answers as has_duplicate_answers
    from schedlog_analysis.sources.answers import unite_logs as unite_logs
    from schedlog_analysis.sources.archive import Archive as Archive
    from schedlog_analysis.sources.client import Client as Client
    from schedlog_analysis.sources.client import fetch_log as fetch_log
    from schedlog_analysis.sources.client import fetch_logs as fetch_logs
    from schedlog_analysis.sources.client import fetch_runs as fetch_runs
    from schedlog_analysis.sources.client import fetch_schedule as fetch_schedule
    from schedlog_analysis.sources.client import fetch_schedules as fetch_schedules
    from schedlog_analysis.sources.coverage import coverage as coverage
    from schedlog_analysis.sources.coverage import holes as holes
    from schedlog_analysis.sources.files import load_sample as load_sample
    from schedlog_analysis.sources.files import read_log as read_log
    from schedlog_analysis.sources.files import read_runs as read_runs
    from schedlog_analysis.sources.files import read_schedules as read_schedules
    from schedlog_analysis.sources.files import write_log as write_log
    from schedlog_analysis.sources.server import serving as serving
    from schedlog_analysis.sources.sync import next_sync as next_sync

    __version__: str

_HOMES = {
    "_core.redact": ("redact",),
    "account.analysis": ("Analysis",),
    "account.options": ("Options",),
    "analysis.budget": ("burn_down",),
    "analysis.cadence": (
        "cadence",
        "intervals",
        "outages",
    ),
    "analysis.changes": ("change_points",),
    "analysis.compare": ("compare",),
    "analysis.failures.causes": (
        "CAUSES",
        "RULES",
        "Rule",
        "describe_rules",
        "rules_from",
    ),
    "analysis.failures.clusters": (
        "cluster_trend",
        "compare_clusters",
        "failure_clusters",
        "label_messages",
    ),
    "analysis.failures.templates": ("mine_templates",),
    "analysis.funnel": (
        "funnel",
        "run_outcomes",
    ),
    "analysis.incidents.bursts": ("bursts",),
    "analysis.incidents.incidents": (
        "fleet_incidents",
        "incidents",
    ),
    "analysis.incidents.problems": ("problems",),
    "analysis.period": ("Period",),
    "analysis.rates": (
        "average_error_rate",
        "error_rate",
        "pooled_error_rate",
        "wilson",
    ),
    "analysis.slo": (
        "burn_rates",
        "slo",
    ),
    "cron.cron": ("Cron",),
    "cron.infer": ("infer_cron",),
    "analysis.failures.failures": ("failures",),
    "matching.seen_until": ("seen_until",),
    "errors": ("SchedlogError",),
    "matching.invocations": ("invocations",),
    "matching.policy": (
        "AccountingPolicy",
        "Maintenance",
    ),
    "matching.runs": ("join_runs",),
    "matching.ticks": ("ticks",),
    "report": ("Report",),
    "simulation": (
        "simulate",
        "simulate_fleet",
    ),
    "sources.account": ("Source",),
    "sources.answers": (
        "has_duplicate_answers",
        "unite_logs",
    ),
    "sources.archive": ("Archive",),
    "sources.client": (
        "Client",
        "fetch_log",
        "fetch_logs",
        "fetch_runs",
        "fetch_schedule",
        "fetch_schedules",
    ),
    "sources.coverage": (
        "coverage",
        "holes",
    ),
    "sources.files": (
        "load_sample",
        "read_log",
        "read_runs",
        "read_schedules",
        "write_log",
    ),
    "sources.server": ("serving",),
    "sources.sync": ("next_sync",),
}
_MODULES = ("fleet", "plot", "schema")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME_OF), *_MODULES, "__version__"]  # noqa: PLE0604 - the table above is the list


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Load a name when it is first used (PEP 562)."""
    if name == "__version__":
        return version("schedlog-analysis")
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
