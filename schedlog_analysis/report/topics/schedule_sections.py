"""Sections about the schedules side by side: the fleet, what became of its ticks, how late it is."""

from __future__ import annotations

from functools import partial

from schedlog_analysis._core.words import (
    NONE,
    SMALL,
    count,
    interval,
    k_of_n,
    listed,
    money,
    percent,
    seconds_words,
    sentence,
    whole_number,
)
from schedlog_analysis.report.document import Block, Cell, Column, Picture, Section, Table, cell, place
from schedlog_analysis.report.topics.schedules import QUIET
from schedlog_analysis.report.values import Facts

MOST_SCHEDULES = 100  # rows of the table of schedules that are not folded
MOST_LATE = 15  # rows of the table of delays


def schedule_cell(one: Facts, facts: Facts, detail: str = "") -> Cell:
    """Name a schedule, with a link to its page if it has one."""
    has_page = one["schedule_id"] in facts["pages"]["schedule_ids"]
    path = place("schedules", one["schedule_id"])
    return Cell(one["name"], f"{path}/name", one["name"], detail, f"#schedule-{one['schedule_id']}" if has_page else "")


def schedules_section(facts: Facts) -> Section | None:
    """Show the fleet, worst first, with the healthy ones and those of a long list folded, and its timeline."""
    rows = facts["schedules"]
    if not rows:
        return None
    states = [one["state"] for one in rows]
    n_shown = min(sum(state not in QUIET for state in states), MOST_SCHEDULES)
    shown, folded = ([_fleet_row(one, facts) for one in some] for some in (rows[:n_shown], rows[n_shown:]))
    blocks: list[Block] = [
        Table(
            "fleet",
            "Schedules, worst first",
            _FLEET,
            shown,
            folded,
            _fold_text(states[n_shown:]),
            "Share: failed or missed of the ticks that count, with its 95 % interval."
            f" Below {SMALL} ticks only their number is given.",
        )
    ]
    n = sum(bool(one["n_planned"] or one["n_extra"] or one["n_manual"]) for one in rows)
    if n:
        drawn = facts["pages"]["n_drawable"]  # of a large fleet, single ticks are kept of the worst schedules only
        which = ", worst schedules first" if drawn >= n else f" of the {drawn:,} schedules that need attention most"
        blocks.append(Picture("timeline", f"Ticks over time{which}", _timeline_alt(facts)))
    return Section("schedules", "Schedules", [_states_text(states)], blocks)


_FLEET = (
    Column("Schedule", "name"),
    Column("State", "state"),
    Column("Failed or missed", "number"),
    Column("Share", "number"),
    Column("Before", "number"),
    Column("Missed", "number"),
    Column("Failed", "number"),
    Column("Late", "number"),
    Column("Unknown", "number"),
    Column("Delay (95 %)", "number"),
)


def _fleet_row(one: Facts, facts: Facts) -> tuple[Cell, ...]:
    path = place("schedules", one["schedule_id"])
    say = partial(cell, path, one)
    is_small = one["n"] < SMALL
    share = Cell(NONE) if is_small else say("error_rate", percent, detail=interval(one["low"], one["high"]))
    return (
        schedule_cell(one, facts, rhythm(one)),
        say("state", detail=", ".join(one["flags"])),
        say("n_down", lambda k: k_of_n(k, one["n"])),
        share,
        _before_cell(path, one),
        say("n_missed", whole_number),
        say("n_not_started", whole_number),
        say("n_late", whole_number),
        say("n_unknown", whole_number),
        say("delay_p95", seconds_words),
    )


def _before_cell(path: str, one: Facts) -> Cell:
    before = one["previous"]
    if before is None:
        return Cell(NONE)
    change = one["change"] if one["change"] in ("worse", "better") else ""
    is_small = before["n"] < SMALL
    words = k_of_n(before["n_down"], before["n"]) if is_small else percent(before["error_rate"])
    return Cell(words, f"{path}/previous/error_rate", before["error_rate"], change)


def rhythm(one: Facts) -> str:
    """Say by which cron a schedule runs."""
    if one["cron"] is None:
        return "no rhythm known"
    zone = f" {one['timezone']}" if one["timezone"] else ""
    return f"{one['cron']}{zone}" + (" (inferred)" if one["cron_source"] == "inferred" else "")


def _fold_text(states: list[str]) -> str:
    healthy, idle = (states.count(state) for state in QUIET)
    more = len(states) - healthy - idle
    parts = [f"{count(more, 'more schedule', 'more schedules')} in the same order"] if more else []
    if healthy:
        parts.append(f"{count(healthy, 'schedule')} that ran and started every time")
    if idle:
        parts.append(f"{idle:,} with nothing due" if healthy else f"{count(idle, 'schedule')} with nothing due")
    return sentence(listed(parts)) if parts else ""


def _states_text(states: list[str]) -> str:
    told = [f"{states.count(state):,} {_PHRASES.get(state, state)}" for state in dict.fromkeys(states)]
    if len(told) == 1:
        state = _PHRASES.get(states[0], states[0])
        return sentence(f"{count(len(states), 'schedule')}, {'all ' if len(states) > 1 else ''}{state}")
    return sentence(f"{count(len(states), 'schedule')}: {listed(told)}")


_PHRASES = {
    "incidents": "with incidents",
    "single failures": "with single failures",
    "nothing due": "with nothing due",
}


def _timeline_alt(facts: Facts) -> str:
    n = {one["id"]: one["n"] for one in facts["fates"]}
    return sentence(
        f"a row per schedule over time, with a mark for every tick or day: {n['missed']:,} ticks missed,"
        f" {n['failed'] + n['partial']:,} failed, {n['unknown']:,} unknown; the table before tells them by schedule"
    )


def ticks_section(facts: Facts) -> Section | None:
    """Tell apart what became of the ticks: missed, late, duplicate, extra, and what each counted as."""
    rows = facts["fates"]
    if not any(one["n"] for one in rows):
        return None
    keys = ["n", "n_up", "n_down", "n_left_out"]
    labels = ["Ticks", "Up", "Down", "Left out"]
    if facts["comparison"] is not None:
        keys, labels = [*keys, "n_previous"], [*labels, facts["comparison"]["name"]]
    body = [(Cell(one["label"]), *(cell(f"fates/{one['id']}", one, key, whole_number) for key in keys)) for one in rows]
    total = (Cell("All"), *(Cell(whole_number(sum(one[key] for one in rows))) for key in keys))
    columns = (Column("What happened", "name"), *(Column(label, "number") for label in labels))
    note = "Up, down and left out: what each was counted as."
    table = Table(
        "fates", "What became of every tick and invocation", columns, [*body, total], note=note, has_total=True
    )
    n = {one["id"]: one["n"] for one in rows} | {"late": facts["figures"][3]["k"]}
    told = listed([f"{n[name]:,} {name}" for name in ("missed", "late", "duplicate", "extra", "manual")])
    return Section("ticks", "Missed, late, duplicate and extra", [sentence(told)], [table])


def runs_section(facts: Facts) -> Section | None:
    """Show what became of the ticks to the end of their runs, and what runs cost that came to nothing."""
    runs = facts["runs"]
    if runs is None:
        return None
    told = [*(one["text"] for one in runs["stages"][1:]), runs["text"]]
    if runs["wasted_usd"]:
        told.append(f"{money(runs['wasted_usd'])} of {money(runs['usage_usd'])} went to runs that did not succeed.")
    bad = [one for one in facts["schedules"] if one["runs"] and one["runs"]["n_succeeded"] < one["runs"]["n_ended"]]
    bad.sort(key=lambda one: (one["runs"]["success_rate"], one["name"]))
    table = Table(
        "run-table",
        "Schedules whose runs did not all succeed, the worst first",
        (Column("Schedule", "name"), *(Column(label, "number") for label in _RUNS)),
        [_runs_row(one, facts) for one in bad[:MOST_LATE]],
        note=f"{count(len(bad) - MOST_LATE, 'more schedule')}." if len(bad) > MOST_LATE else "",
    )
    picture = Picture("runs", "From the plan to success", " ".join(told[:2]))
    return Section("runs", "What became of the runs", told, [picture, *([table] if bad else [])])


_RUNS = ("Runs ended", "Succeeded", "Failed", "Timed out", "Aborted", "Median duration", "Cost", "Wasted")


def _runs_row(one: Facts, facts: Facts) -> tuple[Cell, ...]:
    path, runs = place("schedules", one["schedule_id"], "runs"), one["runs"]
    is_small = runs["n_ended"] < SMALL
    share = k_of_n(runs["n_succeeded"], runs["n_ended"]) if is_small else percent(runs["success_rate"])
    bounds = "" if is_small else interval(runs["low"], runs["high"])
    return (
        schedule_cell(one, facts),
        cell(path, runs, "n_ended", whole_number),
        Cell(share, f"{path}/success_rate", runs["success_rate"], bounds),
        *(cell(path, runs, key, whole_number) for key in ("n_failed", "n_timed_out", "n_aborted")),
        cell(path, runs, "duration_median", seconds_words),
        cell(path, runs, "usage_usd", money),
        cell(path, runs, "wasted_usd", money),
    )


def lateness_section(facts: Facts) -> Section | None:
    """Show how late the schedules are, and which drift."""
    lateness = facts["lateness"]
    if lateness is None:
        return None
    known = [one for one in facts["schedules"] if one["delay_p95"] is not None]
    known.sort(key=lambda one: (not one["is_drifting"], -one["delay_p95"], one["name"]))
    left = len(known) - MOST_LATE
    more = f" {count(left, 'schedule')} with shorter delays {'is' if left == 1 else 'are'} not listed."
    table = Table(
        "lateness-table",
        "Delay by schedule, the latest first",
        (Column("Schedule", "name"), *(Column(label, "number") for label in _DELAYS)),
        [_late_row(one, facts) for one in known[:MOST_LATE]],
        note="Jitter: from the median to the 95th percentile." + (more if left > 0 else ""),
    )
    alt = "A row per schedule with the median, the 95th percentile and the longest of its delays, as in the table."
    return Section("lateness", "Lateness", [lateness["text"]], [table, Picture("lateness", "Delay by schedule", alt)])


_DELAYS = ("Median", "95th percentile", "Longest", "Jitter", "Drift a day")


def _late_row(one: Facts, facts: Facts) -> tuple[Cell, ...]:
    path = place("schedules", one["schedule_id"])
    times = ("delay_median", "delay_p95", "delay_max", "delay_spread")
    return (schedule_cell(one, facts), *(cell(path, one, key, seconds_words) for key in times), drift_cell(one))


def drift_cell(one: Facts) -> Cell:
    """Say the drift of a schedule's delay, or that there is none to speak of."""
    drift, path = one["drift"], place("schedules", one["schedule_id"], "drift")
    if drift is None:
        return Cell(NONE)
    if not one["is_drifting"]:
        return Cell("none clear", path, drift)
    return Cell(f"{drift:+,.0f} ms", path, drift, f"{one['drift_low']:+,.0f} to {one['drift_high']:+,.0f} ms")
