"""
Facts are all figures and sentences of a report, as plain data; every format is a rendering of them and adds none.

Figures carry the number (`value`, `n`, `k`, `low`, `high`) and its words (`text`), so that two formats cannot disagree.
"""

from __future__ import annotations

from importlib.metadata import version

import pandas as pd

from schedlog_analysis._core.words import clean, count, moment
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.topics.coverage import comparison_facts, coverage_facts
from schedlog_analysis.report.topics.headline import STATES, verdict
from schedlog_analysis.report.topics.overview import (
    fate_facts,
    figure_facts,
    lateness_facts,
    objective_facts,
)
from schedlog_analysis.report.topics.runs import outcome_facts
from schedlog_analysis.report.topics.schedules import QUIET, schedule_facts, schedule_names
from schedlog_analysis.report.topics.trouble import (
    cluster_facts,
    day_facts,
    fleet_incident_facts,
    hour_facts,
    incident_facts,
)
from schedlog_analysis.report.values import Facts, iso, seconds

FORMAT = 1  # of the facts; grows when a name changes its meaning
TITLE = "Schedule reliability"
PAGES = 20  # schedules that get a page of their own, unless asked otherwise
ASSUMPTIONS = (
    "Entries less than 10 s apart belong to one invocation, whether the platform writes one entry per tick or several.",
    "Ticks are planned as the library cron-parser plans them, which Apify once named.",
    "Where its versions differ, at a change of the clock, a tick that nothing answered is unknown.",
    "A log of exactly 250, or of 1,000 and more entries is taken for cut off at the API's window.",
    "What happened between two fetches that do not overlap, or before a cut-off log begins, is neither up nor down.",
    "“Now” is the end of the data; no clock is read.",
)


def facts(analysis: Analysis, *, pages: int = PAGES, source: str | None = None, title: str = TITLE) -> Facts:
    """
    Say everything that an analysis found, worst first.

    Parameters
    ----------
    analysis
        What was found.
    pages
        How many schedules get a page of their own at most: the worst.
    source
        Where the log came from, for the footer.
    title
        What the report is called.

    Returns
    -------
    facts
        Nested dictionaries and lists of text, numbers, booleans and None, in reading order; instants are ISO 8601 in
        UTC, durations seconds, shares 0..1. What is not known, or was not asked for, is None or an empty list.
    """
    names = schedule_names(analysis)
    schedules = schedule_facts(analysis, names)
    state, told = verdict(analysis, schedules)
    return {
        "format": FORMAT,
        "title": clean(title),
        "state": state,
        "state_text": STATES[state],
        "verdict": told,
        "period": _period(analysis),
        "comparison": comparison_facts(analysis),
        "coverage": coverage_facts(analysis, names),
        "figures": figure_facts(analysis),
        "objective": objective_facts(analysis),
        "schedules": schedules,
        "incidents": incident_facts(analysis, names),
        "fleet_incidents": fleet_incident_facts(analysis, names),
        "clusters": cluster_facts(analysis),
        "fates": fate_facts(analysis),
        "runs": outcome_facts(analysis),
        "lateness": lateness_facts(schedules),
        "days": day_facts(analysis),
        "hours": hour_facts(analysis),
        "pages": _pages(schedules, pages, set(analysis.ticks["schedule_id"].astype("str"))),
        "policy": analysis.policy.sentences(),
        "grace": seconds(pd.Timedelta(analysis.grace)),
        "assumptions": list(ASSUMPTIONS),
        "source": _source(analysis, source),
    }


def _period(analysis: Analysis) -> Facts:
    period, end = analysis.period, analysis.data_end
    is_known = end is not None or period.name != "all data"
    bounds = f"{moment(period.start, period.tz)} to {moment(period.end, period.tz)} {period.tz}, the end not included."
    return {
        "name": period.name if is_known else "no data",
        "start": iso(period.start) if is_known else None,
        "end": iso(period.end) if is_known else None,
        "tz": period.tz,
        "text": bounds if is_known else "There is no data.",
        "data_end": iso(end),
        "data_end_text": "" if end is None else f"Data until {moment(end, period.tz)} {period.tz}.",
    }


def _pages(schedules: list[Facts], most: int, drawable: set[str]) -> Facts:
    """Choose the schedules that get a page of their own: the worst; a healthy one only if it is the only one."""
    wanted = [one for one in schedules if one["state"] not in QUIET] or (schedules if len(schedules) == 1 else [])
    shown = [one for one in wanted if one["schedule_id"] in drawable][: max(most, 0)]
    left_out = len(wanted) - len(shown)
    more = count(left_out, "more schedule with failures", "more schedules with failures")
    told = f"{more} {'has' if left_out == 1 else 'have'} no page here."
    return {
        "schedule_ids": [one["schedule_id"] for one in shown],
        "n_left_out": left_out,
        "n_drawable": len(drawable),
        "text": told if left_out else "",
    }


def _source(analysis: Analysis, source: str | None) -> Facts:
    table, tz = analysis.coverage, analysis.period.tz
    n = int(table["n_entries"].sum())
    first, last = moment(table["first_at"].min(), tz), moment(table["last_at"].max(), tz)
    told = f"{count(n, 'entry', 'entries')} from {first} to {last} {tz}"
    return {
        "package": "schedlog-analysis",
        "version": version("schedlog-analysis"),
        "name": None if source is None else clean(source, 200),
        "text": told if n else "no entries",
    }
