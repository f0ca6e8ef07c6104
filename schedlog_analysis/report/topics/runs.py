"""Outcomes are what the started actions became: runs that succeeded, failed or were stopped, and what they cost."""

from __future__ import annotations

from schedlog_analysis._core.words import SMALL, count, interval, k_of_n, money, percent, seconds_words, whole_number
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Cell, Column, Picture, Section, Table, cell, place, schedule_cell
from schedlog_analysis.report.values import Facts, number, records, seconds

MOST_SCHEDULES = 15  # rows of the table
_COUNTS = ("n", "n_succeeded", "n_failed", "n_timed_out", "n_aborted", "n_running", "n_unknown", "n_overlapping")
_SHARES = ("success_rate", "low", "high")
_AMOUNTS = ("usage_usd", "wasted_usd")
_DIGITS = 6  # of amounts; beyond, a sum depends on the order of its terms
_DURATIONS = ("duration_median", "duration_p95", "duration_max")


def outcome_facts(analysis: Analysis) -> Facts | None:
    """Say what became of the scheduled starts and of the runs; None where no runs are known."""
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
    counts = {name: int(row[name]) for name in _COUNTS}
    ended = {"n_ended": counts["n"] - counts["n_running"] - counts["n_unknown"]}
    shares = {name: number(row[name]) for name in _SHARES} | {name: seconds(row[name]) for name in _DURATIONS}
    return counts | ended | shares | {name: round(float(row[name]), _DIGITS) for name in _AMOUNTS}


def runs_section(facts: Facts) -> Section | None:
    """Show what became of the scheduled starts to the end of their runs, and what runs cost that came to nothing."""
    runs = facts["runs"]
    if runs is None:
        return None
    sentences = [*(stage["text"] for stage in runs["stages"][1:]), runs["text"]]
    if runs["wasted_usd"]:
        wasted, usage = money(runs["wasted_usd"]), money(runs["usage_usd"])
        sentences.append(f"{wasted} of {usage} went to runs that did not succeed.")
    bad = [row for row in facts["schedules"] if row["runs"] and row["runs"]["n_succeeded"] < row["runs"]["n_ended"]]
    bad.sort(key=lambda row: (row["runs"]["success_rate"], row["name"]))
    left = len(bad) - MOST_SCHEDULES
    table = Table(
        "run-table",
        "Schedules whose runs did not all succeed, the worst first",
        (Column("Schedule", "name"), *(Column(label, "number") for label in _COLUMNS)),
        [_table_row(row, facts) for row in bad[:MOST_SCHEDULES]],
        note=f"{count(left, 'more schedule')}." if left > 0 else "",
    )
    picture = Picture("runs", "From the plan to success", " ".join(sentences[:2]))
    return Section("runs", "What became of the runs", sentences, [picture, *([table] if bad else [])])


_COLUMNS = ("Runs ended", "Succeeded", "Failed", "Timed out", "Aborted", "Median duration", "Cost", "Wasted")


def _table_row(row: Facts, facts: Facts) -> tuple[Cell, ...]:
    path, runs = place("schedules", row["schedule_id"], "runs"), row["runs"]
    is_small = runs["n_ended"] < SMALL
    share = k_of_n(runs["n_succeeded"], runs["n_ended"]) if is_small else percent(runs["success_rate"])
    bounds = "" if is_small else interval(runs["low"], runs["high"])
    return (
        schedule_cell(row, facts),
        cell(path, runs, "n_ended", whole_number),
        Cell(share, f"{path}/success_rate", runs["success_rate"], bounds),
        *(cell(path, runs, key, whole_number) for key in ("n_failed", "n_timed_out", "n_aborted")),
        cell(path, runs, "duration_median", seconds_words),
        cell(path, runs, "usage_usd", money),
        cell(path, runs, "wasted_usd", money),
    )
