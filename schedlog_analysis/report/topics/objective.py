"""An objective is the availability that somebody asked for, and the failures that it leaves room for."""

from __future__ import annotations

import math

from schedlog_analysis._core.words import count, k_of_n
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Picture, Section
from schedlog_analysis.report.values import Facts, iso, number, records


def objective_facts(analysis: Analysis) -> Facts | None:
    """Say whether the objective was met, and how much failure it leaves room for; None without an objective."""
    if analysis.objective is None:
        return None
    rates, objective = analysis.rates, analysis.objective
    due = rates[rates["n"] > 0]
    n, n_down = int(due["n"].sum()), int(due["n_failed"].sum())
    allowed = math.floor(round((1 - objective) * n, 9))
    n_met = int((due["n_failed"] <= ((1 - objective) * due["n"]).round(9)).sum())
    fact: Facts = {"objective": objective, "n": n, "n_down": n_down, "n_allowed": allowed, "n_left": allowed - n_down}
    fact |= {"is_met": n_down <= allowed if n else None, "n_schedules": len(due), "n_schedules_met": n_met}
    return fact | {
        "spent_at": None if analysis.slo is None else iso(analysis.slo["runs_out_at"].iloc[0]),
        "text": _say_objective(fact) if analysis.slo is None else str(analysis.slo["text"].iloc[0]),
        "schedules_text": f"On its own, {k_of_n(n_met, len(due))} schedules met it." if len(due) > 1 else "",
        "days": _list_days(analysis),
    }


def _say_objective(fact: Facts) -> str:
    n, down, allowed = fact["n"], fact["n_down"], fact["n_allowed"]
    goal = f"{fact['objective'] * 100:.10g} %"
    if not n:
        return f"Nothing was due, so the objective of {goal} was neither met nor missed."
    bad = f"{count(allowed, 'scheduled start')} of {n:,} to fail or be missed"
    had = f"{down:,} did" if down else "none did"
    rest = f"{allowed - down:,} more could have" if down <= allowed else f"{down - allowed:,} too many"
    met = "met" if down <= allowed else "missed"
    return f"The objective of {goal} was {met}: it allows {bad}; {had}, {rest}."


def _list_days(analysis: Analysis) -> list[Facts]:
    if analysis.burn_down is None:
        return []
    tz = analysis.period.tz
    return [
        {
            "day": f"{row['window_start'].tz_convert(tz):%Y-%m-%d}",
            "starts_at": iso(row["window_start"]),
            "budget_left": number(row["budget_left"]),
        }
        for row in records(analysis.burn_down)
    ]


def objective_section(facts: Facts) -> Section | None:
    """Say whether the objective was met."""
    objective = facts["objective"]
    if objective is None:
        return None
    picture = Picture("budget", "Error budget left", objective["text"])
    sentences = [text for text in (objective["text"], objective["schedules_text"]) if text]
    return Section("objective", "Objective", sentences, [picture] if objective["days"] else [])
