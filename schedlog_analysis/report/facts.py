"""
Facts are all figures and sentences of a report, as plain data; every format is a rendering of them and adds none.

Figures carry the number (`value`, `n`, `k`, `low`, `high`) and its words (`text`), so that two formats cannot disagree.
"""

from __future__ import annotations

from importlib.metadata import version

from schedlog_analysis._core.words import clean, count, say_instant, say_zone
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.topics.calendar import day_facts, hour_facts
from schedlog_analysis.report.topics.counting import counting_facts
from schedlog_analysis.report.topics.coverage import comparison_facts, coverage_facts
from schedlog_analysis.report.topics.failures import cause_facts, cluster_facts
from schedlog_analysis.report.topics.figures import figure_facts
from schedlog_analysis.report.topics.headline import headline_facts
from schedlog_analysis.report.topics.incidents import fleet_incident_facts, incident_facts
from schedlog_analysis.report.topics.lateness import lateness_facts
from schedlog_analysis.report.topics.objective import objective_facts
from schedlog_analysis.report.topics.pages import PAGES, page_facts
from schedlog_analysis.report.topics.runs import outcome_facts
from schedlog_analysis.report.topics.schedules import names_of, schedule_facts
from schedlog_analysis.report.topics.ticks import fate_facts
from schedlog_analysis.report.values import Facts, iso

FORMAT = 2  # of the facts; grows when a name changes its meaning
TITLE = "Schedule reliability"


def facts(
    analysis: Analysis, *, pages: int = PAGES, source: str | None = None, title: str = TITLE, now: str | None = None
) -> Facts:
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
    names = names_of(analysis)
    schedules = schedule_facts(analysis, names)
    clusters = cluster_facts(analysis)
    return {
        "format": FORMAT,
        "title": clean(title),
        **headline_facts(analysis, schedules, now),
        "period": _period(analysis),
        "comparison": comparison_facts(analysis),
        "coverage": coverage_facts(analysis, names),
        "figures": figure_facts(analysis),
        "objective": objective_facts(analysis),
        "schedules": schedules,
        "incidents": incident_facts(analysis, names),
        "fleet_incidents": fleet_incident_facts(analysis, names),
        "clusters": clusters,
        "causes": cause_facts(clusters),
        "fates": fate_facts(analysis),
        "runs": outcome_facts(analysis),
        "lateness": lateness_facts(schedules),
        "days": day_facts(analysis),
        "hours": hour_facts(analysis),
        "pages": page_facts(schedules, analysis, pages),
        **counting_facts(analysis),
        "source": _source(analysis, source),
    }


def _period(analysis: Analysis) -> Facts:
    period, end = analysis.period, analysis.data_end
    is_known = end is not None or not period.is_all
    zone = say_zone(period.tz)
    start_text, end_text = (say_instant(instant, period.tz) for instant in (period.start, period.end))
    return {
        "name": period.name if is_known else "no data",
        "start": iso(period.start) if is_known else None,
        "end": iso(period.end) if is_known else None,
        "tz": period.tz,
        "text": f"{start_text} to {end_text} {zone}, the end not included." if is_known else "There is no data.",
        "data_end": iso(end),
        "data_end_text": "" if end is None else f"Data until {say_instant(end, period.tz)} {zone}.",
    }


def _source(analysis: Analysis, source: str | None) -> Facts:
    table, tz = analysis.coverage, analysis.period.tz
    n = int(table["n_entries"].sum())
    first, last = say_instant(table["first_at"].min(), tz), say_instant(table["last_at"].max(), tz)
    return {
        "package": "schedlog-analysis",
        "version": version("schedlog-analysis"),
        "name": None if source is None else clean(source, 200),
        "text": f"{count(n, 'entry', 'entries')} from {first} to {last} {say_zone(tz)}" if n else "no entries",
    }
