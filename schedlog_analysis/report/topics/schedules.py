"""Schedules are the rows of the report: what is known of each, worst first, and the table of all side by side."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

import pandas as pd

from schedlog_analysis._core.names import LONGEST, SHORT, name_schedules
from schedlog_analysis._core.words import (
    NONE,
    SMALL,
    clean,
    count,
    interval,
    k_of_n,
    listed,
    percent,
    say,
    seconds_words,
    sentence,
    whole_number,
)
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.compare import compare
from schedlog_analysis.analysis.incidents.reliability import repairs
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.report.document import Block, Cell, Column, Picture, Section, Table, cell, place, schedule_cell
from schedlog_analysis.report.topics.runs import outcomes_by_schedule
from schedlog_analysis.report.topics.states import QUIET, STATES, Circumstances, state_facts
from schedlog_analysis.report.values import Facts, by_schedule, is_missing, iso, number, seconds, whole
from schedlog_analysis.schema import NOT_STARTED, OUTCOMES, STATUSES

CONSOLE = "https://console.apify.com/schedules/"
MOST_CLUSTERS = 5  # named for one schedule
CLEAR_DRIFT = 1.0  # [s] over the whole period; less is of no consequence
MOST_SCHEDULES = 100  # rows of the table of schedules that are not folded


def names_of(analysis: Analysis, *, limit: int = LONGEST) -> dict[str, str]:
    """Name every schedule of the account, see `name_schedules`."""
    tables = (analysis.cadence, analysis.rates, analysis.coverage, analysis.incidents)
    ids = {str(schedule_id) for table in tables for schedule_id in table["schedule_id"]}
    return name_schedules(analysis.schedules, ids, limit=limit)


def schedule_facts(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """
    Say what is known of each schedule of the account.

    Parameters
    ----------
    analysis
        What was found.
    names
        See `names_of`.

    Returns
    -------
    facts
        One row per schedule: the worst state first, then the highest error rate. Durations are in seconds. `name` is
        what the schedule is called; `label` is the same where room is scarce. Empty without schedules.
    """
    labels = names_of(analysis, limit=SHORT)
    tables = _collect(analysis)
    rows = []
    for schedule_id, name in names.items():
        found = {table: rows_of.get(schedule_id, []) for table, rows_of in tables.items()}
        row = {"schedule_id": schedule_id, "name": name, "label": labels[schedule_id]}
        rows.append(row | {"url": CONSOLE + quote(schedule_id, safe="~")} | _describe(found, analysis))
    return sorted(rows, key=_badness)


def _collect(analysis: Analysis) -> dict[str, dict[str, list[Facts]]]:
    """Collect the rows that every table has of each schedule."""
    tables = {
        "cadence": analysis.cadence,
        "rates": analysis.rates,
        "before": analysis.previous_rates,
        "changes": _compare(analysis),
        "coverage": analysis.coverage,
        "definition": analysis.schedules,
        "repairs": _measure_repairs(analysis),
        "incidents": analysis.incidents,
        "endings": analysis.endings,
        "accounting": analysis.accounting,
        "clusters": analysis.failures_by_schedule,
    }
    outcomes = {schedule_id: [row] for schedule_id, row in outcomes_by_schedule(analysis).items()}
    return {name: by_schedule(table) for name, table in tables.items()} | {"runs": outcomes}


def _describe(found: dict[str, list[Facts]], analysis: Analysis) -> Facts:
    """Say all of one schedule, from the rows that each table has of it."""
    first: dict[str, Facts] = {table: rows[0] if rows else {} for table, rows in found.items()}
    definition, cadence, coverage = first["definition"], first["cadence"], first["coverage"]
    row = _definition(definition, cadence) | _judgement(first["rates"])
    row |= {"previous": _previous(first["before"])} | _counts(found["accounting"])
    row |= _rhythm(cadence, analysis) | _repairs(first["repairs"])
    row |= {"n_entries": int(coverage.get("n_entries", 0)), "first_at": iso(coverage.get("first_at"))}
    row |= {"last_at": iso(coverage.get("last_at")), "clusters": _top_clusters(found["clusters"])}
    row |= {"change": first["changes"].get("change"), "runs": first["runs"] or None}
    is_deleted = not definition and len(analysis.schedules) > 0
    row |= _ending(first["endings"])
    return row | state_facts(Circumstances(row, found["incidents"], analysis.period, is_deleted))


def _ending(ending: Facts) -> Facts:
    """Say how its scheduled starts went last, since when, and how many."""
    return {
        "last_reason": None if not ending else str(ending["reason"]),
        "last_reason_since": iso(ending.get("since")),
        "n_last_reason": int(ending.get("n", 0)),
    }


def _definition(definition: Facts, cadence: Facts) -> Facts:
    cron = definition.get("cron", cadence.get("cron"))
    tz = definition.get("timezone")
    return {
        "cron": None if cron is None or is_missing(cron) else clean(str(cron), 100),
        "cron_source": str(cadence.get("cron_source", "given" if definition else "none")),
        "cron_text": _say_cron(cron, tz),
        "timezone": None if tz is None else clean(str(tz), 60),
        "is_enabled": None if not definition else bool(definition["is_enabled"]),
        "is_exclusive": None if not definition else bool(definition["is_exclusive"]),
        "n_actions": whole(definition.get("n_actions")),
        "created_at": iso(definition.get("created_at")),
        "modified_at": iso(definition.get("modified_at")),
    }


def _say_cron(cron: Any, tz: Any) -> str | None:  # noqa: ANN401 - text or missing
    if cron is None or is_missing(cron) or tz is None:
        return None
    try:
        return Cron(str(cron), str(tz)).describe()
    except SchedlogError:  # an archive may hold versions that were never valid
        return None


def _judgement(rates: Facts) -> Facts:
    n, n_down = int(rates.get("n", 0)), int(rates.get("n_failed", 0))
    shares = {name: number(rates.get(name)) for name in ("error_rate", "low", "high")}
    return {"n": n, "n_down": n_down} | shares | {"text": say(n_down, n)}


def _previous(before: Facts) -> Facts | None:
    n, n_down = int(before.get("n", 0)), int(before.get("n_failed", 0))
    return {"n": n, "n_down": n_down, "error_rate": n_down / n, "text": say(n_down, n)} if n else None


def _counts(rows: list[Facts]) -> Facts:
    """Count by status, and by outcome what was planned or extra; what lies within maintenance is not called missed."""
    statuses = {f"n_{name}": sum(row["n"] for row in rows if row["status"] == name) for name in STATUSES}
    planned = sum(statuses[f"n_{name}"] for name in ("on_time", "late", "missed", "unknown"))
    counted = [row for row in rows if row["status"] in ("on_time", "late", "extra")]
    outcomes = {f"n_{name}": sum(row["n"] for row in counted if row["outcome"] == name) for name in OUTCOMES}
    reasons = {name: sum(row["n"] for row in rows if row["reason"] == name) for name in ("missed", "maintenance")}
    down = sum(row["n"] for row in rows if row["counted_as"] == "down" and row["reason"] in NOT_STARTED)
    return (
        {"n_planned": planned}
        | statuses
        | outcomes
        | {
            "n_missed": reasons["missed"],
            "n_maintenance": reasons["maintenance"],
            "n_not_started": down,
        }
    )


def _rhythm(cadence: Facts, analysis: Analysis) -> Facts:
    days = max((analysis.period.end - analysis.period.start) / pd.Timedelta(days=1), 1.0)
    durations = ("delay_median", "delay_p95", "delay_max", "delay_spread", "interval_median", "longest_gap", "offset")
    row: Facts = {name: seconds(cadence.get(name, pd.NaT)) for name in durations}
    row |= {name: number(cadence.get(name)) for name in ("drift", "drift_low", "drift_high")}
    drift, low, high = row["drift"], row["drift_low"], row["drift_high"]
    is_clear = low is not None and high is not None and low * high > 0 and abs(drift) * days / 1000 >= CLEAR_DRIFT
    counts = {name: int(cadence.get(name, 0)) for name in ("n_ambiguous", "longest_gap_ticks")}
    return row | {"is_drifting": is_clear} | counts


def _repairs(row: Facts) -> Facts:
    return {name: seconds(row.get(name, pd.NaT)) for name in ("downtime", "mttr", "mtbf")}


def _measure_repairs(analysis: Analysis) -> pd.DataFrame:
    """Measure the time in incidents within the period, and repairs by whole incidents: these are cut nowhere."""
    start, end, table = analysis.period.start, analysis.period.end, analysis.incidents
    until = end if analysis.data_end is None else min(end, analysis.data_end)
    ended = table["ended_at"].fillna(until)
    inside = table.assign(
        started_at=table["started_at"].where(table["started_at"] >= start, start),
        ended_at=ended.where(ended <= until, until),
    )
    within = repairs(inside, analysis.observed)
    return within.assign(mttr=repairs(table, analysis.observed)["mttr"])


def _compare(analysis: Analysis) -> pd.DataFrame:
    """Tell which schedules clearly got worse or better, of all of them together."""
    if analysis.previous is None or not (len(analysis.rates) and len(analysis.previous_rates)):
        return pd.DataFrame({"schedule_id": [], "change": []})
    return compare(analysis.rates, analysis.previous_rates, "schedule_id").astype({"change": "str"})


def _top_clusters(rows: list[Facts]) -> list[Facts]:
    ordered = sorted(rows, key=lambda row: (-row["n"], row["cluster_id"]))
    return [{"cluster_id": row["cluster_id"], "n": int(row["n"])} for row in ordered[:MOST_CLUSTERS]]


def _badness(row: Facts) -> tuple[Any, ...]:
    return STATES.index(row["state"]), -(row["error_rate"] or 0), -row["n_down"], row["name"], row["schedule_id"]


def schedules_section(facts: Facts) -> Section | None:
    """Show all schedules, worst first, with the healthy ones and those of a long list folded, and their timeline."""
    rows = facts["schedules"]
    if not rows:
        return None
    states = [row["state"] for row in rows]
    n_shown = min(sum(state not in QUIET for state in states), MOST_SCHEDULES)
    blocks: list[Block] = [
        Table(
            "fleet",
            "Schedules, worst first",
            _COLUMNS,
            [_table_row(row, facts) for row in rows[:n_shown]],
            [_table_row(row, facts) for row in rows[n_shown:]],
            _fold_text(states[n_shown:]),
            "Share: failed or missed of the scheduled starts that count, with its 95 % interval."
            f" Below {SMALL} only their number is given.",
        )
    ]
    n = sum(bool(row["n_planned"] or row["n_extra"] or row["n_manual"]) for row in rows)
    if n:
        drawn = facts["pages"]["n_drawable"]  # of a large fleet, single ticks are kept of the worst schedules only
        which = ", worst schedules first" if drawn >= n else f" of the {drawn:,} schedules that need attention most"
        blocks.append(Picture("timeline", f"Scheduled starts over time{which}", _timeline_alt(facts)))
    return Section("schedules", "Schedules", [_states_text(states)], blocks)


_COLUMNS = (
    Column("Schedule", "name"),
    Column("State", "state"),
    Column("Failed or missed", "number"),
    Column("Share", "number"),
    Column("Before", "number"),
    Column("Missed", "number", needs_room=True),
    Column("Failed", "number", needs_room=True),
    Column("Late", "number", needs_room=True),
    Column("Unknown", "number", needs_room=True),
    Column("Delay (95 %)", "number", needs_room=True),
)


def _table_row(row: Facts, facts: Facts) -> tuple[Cell, ...]:
    path = place("schedules", row["schedule_id"])
    figure = partial(cell, path, row)
    is_small = row["n"] < SMALL
    return (
        schedule_cell(row, facts, say_rhythm(row)),
        figure("state", detail=", ".join(row["flags"])),
        figure("n_down", lambda k: k_of_n(k, row["n"])),
        Cell(NONE) if is_small else figure("error_rate", percent, detail=interval(row["low"], row["high"])),
        _before_cell(path, row),
        figure("n_missed", whole_number),
        figure("n_not_started", whole_number),
        figure("n_late", whole_number),
        figure("n_unknown", whole_number),
        figure("delay_p95", seconds_words),
    )


def _before_cell(path: str, row: Facts) -> Cell:
    before = row["previous"]
    if before is None:
        return Cell(NONE)
    change = row["change"] if row["change"] in ("worse", "better") else ""
    is_small = before["n"] < SMALL
    words = k_of_n(before["n_down"], before["n"]) if is_small else percent(before["error_rate"])
    return Cell(words, f"{path}/previous/error_rate", before["error_rate"], change)


def say_rhythm(row: Facts) -> str:
    """Say by which cron a schedule runs."""
    if row["cron"] is None:
        return "no rhythm known"
    zone = f" {row['timezone']}" if row["timezone"] else ""
    return f"{row['cron']}{zone}" + (" (inferred)" if row["cron_source"] == "inferred" else "")


def _fold_text(states: list[str]) -> str:
    healthy, idle = (states.count(state) for state in QUIET)
    more = len(states) - healthy - idle
    parts = [f"{count(more, 'more schedule')} in the same order"] if more else []
    if healthy:
        parts.append(f"{count(healthy, 'schedule')} that started every time")
    if idle:
        parts.append(f"{idle:,} with nothing due" if healthy else f"{count(idle, 'schedule')} with nothing due")
    return sentence(listed(parts))


def _states_text(states: list[str]) -> str:
    phrases = [(states.count(state), _PHRASES.get(state, state)) for state in dict.fromkeys(states)]
    if len(phrases) == 1:
        ((n, phrase),) = phrases
        return sentence(f"{count(n, 'schedule')}, {'all ' if n > 1 else ''}{phrase}")
    return sentence(f"{count(len(states), 'schedule')}: {listed([f'{n:,} {phrase}' for n, phrase in phrases])}")


_PHRASES = {
    "incidents": "with incidents",
    "mostly failing": "mostly failing",
    "skipped": "skipped",
    "single failures": "with single failures",
    "nothing due": "with nothing due",
}


def _timeline_alt(facts: Facts) -> str:
    n = {row["id"]: row["n"] for row in facts["fates"]}
    return sentence(
        f"a row per schedule over time, with a mark for every scheduled start or day: {n['missed']:,} missed,"
        f" {n['failed'] + n['partial']:,} failed, {n['unknown']:,} unknown; the table before has them by schedule"
    )
