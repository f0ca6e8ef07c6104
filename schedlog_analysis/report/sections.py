"""A section is one part of the report's reading order, made of facts; a section without facts does not exist."""

from __future__ import annotations

from schedlog_analysis.report.document import Section
from schedlog_analysis.report.topics.calendar import calendar_section
from schedlog_analysis.report.topics.counting import counting_section
from schedlog_analysis.report.topics.failures import failures_section
from schedlog_analysis.report.topics.incidents import incidents_section
from schedlog_analysis.report.topics.lateness import lateness_section
from schedlog_analysis.report.topics.objective import objective_section
from schedlog_analysis.report.topics.pages import pages_section
from schedlog_analysis.report.topics.runs import runs_section
from schedlog_analysis.report.topics.schedules import schedules_section
from schedlog_analysis.report.topics.ticks import ticks_section
from schedlog_analysis.report.values import Facts

READING_ORDER = (
    schedules_section,
    incidents_section,
    failures_section,
    ticks_section,
    runs_section,
    lateness_section,
    calendar_section,
    objective_section,
    pages_section,
    counting_section,
)


def sections(facts: Facts) -> list[Section]:
    """Put the facts into reading order; what there are no facts of is left out."""
    return [section for section in (make(facts) for make in READING_ORDER) if section is not None]


def notes(facts: Facts) -> list[str]:
    """Say what restricts the figures."""
    caution = facts["comparison"]["caution"] if facts["comparison"] else ""
    return [*facts["coverage"]["notes"], *([caution] if caution else [])]
