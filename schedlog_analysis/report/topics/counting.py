"""Counting is what the figures rest on: the rules, what was taken for granted, and what the logs could not show."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.words import seconds_words, sentence, whole_number
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Block, Cell, Column, Points, Section, Table, cell, place
from schedlog_analysis.report.values import Facts, seconds

ASSUMPTIONS = (
    "Entries less than 10 s apart belong to one start, whether the platform writes one entry per start or several.",
    "Starts are planned as the library cron-parser plans them, which Apify once named.",
    "Where its versions differ, at a change of the clock, a scheduled start without an answer is unknown.",
    "A log of exactly 250, or of 1,000 and more entries is taken for cut off at the API's window.",
    "What happened between two fetches that do not overlap, or before a cut-off log begins, is neither up nor down.",
    "“Now” is the end of the data; no clock is read.",
)
CHANGES = (
    "A change is called worse or better where chance alone makes one so large less than once in twenty;"
    " a single incident can make it."
)


def counting_facts(analysis: Analysis) -> Facts:
    """Say by which rules it was counted, and what was taken for granted."""
    return {
        "policy": analysis.policy.sentences(),
        "grace": seconds(pd.Timedelta(analysis.grace)),
        "assumptions": list(ASSUMPTIONS),
    }


def counting_section(facts: Facts) -> Section:
    """Say what counted how, what was taken for granted, and what the logs could not show."""
    coverage = facts["coverage"]
    grace = seconds_words(facts["grace"])
    late = f"Late is what started more than {grace} after it was due, or more than half the time to the next start."
    changes = [CHANGES] if facts["comparison"] else []
    blocks: list[Block] = [Points([*facts["policy"], late, *changes, *facts["assumptions"]])]
    blocks += [_gap_table(coverage["gaps"])] if coverage["gaps"] else []
    return Section("counting", "How this was counted", [coverage["text"]], blocks)


def _gap_table(gaps: list[Facts]) -> Table:
    columns = (Column("Schedule", "name"), Column("Unknown", "number"), Column("Of planned", "number"), Column("Why"))
    rows = []
    for row in gaps:
        path = place("schedules", row["schedule_id"])
        counts = (cell(path, row, key, whole_number) for key in ("n_unknown", "n_planned"))
        rows.append((Cell(row["name"]), *counts, Cell(sentence(row["text"]))))
    return Table("gaps", "Scheduled starts that the logs could not show", columns, rows)
