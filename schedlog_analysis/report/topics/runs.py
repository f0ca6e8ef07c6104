"""Outcomes are what the started actions became: runs that succeeded, failed or were stopped, and what they cost."""

from __future__ import annotations

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts, number, records, seconds

_COUNTS = ("n", "n_succeeded", "n_failed", "n_timed_out", "n_aborted", "n_running", "n_unknown", "n_overlapping")
_SHARES = ("success_rate", "low", "high")
_AMOUNTS = ("usage_usd", "wasted_usd")
_DIGITS = 6  # of amounts; beyond, a sum depends on the order of its terms
_DURATIONS = ("duration_median", "duration_p95", "duration_max")


def outcome_facts(analysis: Analysis) -> Facts | None:
    """Say what became of the ticks and of the runs; None where no runs are known."""
    if analysis.funnel is None or analysis.outcomes is None:
        return None
    stages = [
        {"id": row["stage"], "n": int(row["n"]), "n_known": int(row["n_known"]), "n_unknown": int(row["n_unknown"])}
        | {name: number(row[name]) for name in ("share", "low", "high")}
        | {"text": row["text"]}
        for row in records(analysis.funnel)
    ]
    (total,) = records(analysis.outcomes)
    return {"stages": stages} | _outcomes(total) | {"text": total["text"]}


def outcomes_by_schedule(analysis: Analysis) -> dict[str, Facts]:
    """Say the same of each schedule's runs."""
    if analysis.outcomes_by_schedule is None:
        return {}
    return {str(row["schedule_id"]): _outcomes(row) for row in records(analysis.outcomes_by_schedule)}


def _outcomes(row: Facts) -> Facts:
    told: Facts = {name: int(row[name]) for name in _COUNTS}
    told["n_ended"] = told["n"] - told["n_running"] - told["n_unknown"]
    told |= {name: number(row[name]) for name in _SHARES} | {name: seconds(row[name]) for name in _DURATIONS}
    return told | {name: round(float(row[name]), _DIGITS) for name in _AMOUNTS}
