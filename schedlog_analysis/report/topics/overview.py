"""An overview is the account as a whole: the few figures to remember, and how they add up."""

from __future__ import annotations

import math

import pandas as pd

from schedlog_analysis._core.words import (
    NONE,
    SMALL,
    count,
    duration,
    interval,
    k_of_n,
    moment,
    percent,
    say,
)
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.compare import compare
from schedlog_analysis.analysis.rates import average_error_rate, wilson, with_rates
from schedlog_analysis.report.values import Facts, iso, number, records, seconds
from schedlog_analysis.schema import NOT_STARTED


def figure_facts(analysis: Analysis) -> list[Facts]:
    """Give the few figures to remember, each with its n, its interval and what it was before."""
    now, before = (_Totals(table) for table in (analysis.accounting, analysis.previous_accounting))
    rates, rates_before = analysis.rates, analysis.previous_rates
    name = analysis.previous.name if analysis.previous is not None else None
    figures = [
        _share("up_rate", "Ran and started", now.up, before.up, "ticks that count"),
        _share("missed_rate", "Missed", now.missed, before.missed, "ticks that were due and could be seen"),
        _share("failed_rate", "Failed to start", now.failed, before.failed, "invocations that count"),
        _share("late_rate", "Late", now.late, before.late, f"ticks that ran, by more than {duration(analysis.grace)}"),
        _incident_figure(analysis),
        _typical_figure(rates, rates_before),
    ]
    changes = _changes(figures)
    for figure in figures:
        figure["change"] = changes.get(figure["id"])
        figure["change_text"] = _change_text(figure, name)
    return figures


class _Totals:
    """Pairs of k and n, from a table of accounting."""

    def __init__(self, table: pd.DataFrame) -> None:
        status, outcome, verdict, n = (table[name] for name in ("status", "outcome", "counted_as", "n"))
        n_up, n_down = (int(n[verdict == one].sum()) for one in ("up", "down"))
        ran = status.isin(["on_time", "late"])
        n_missed, n_late, n_ran = int(n[status == "missed"].sum()), int(n[status == "late"].sum()), int(n[ran].sum())
        failed = int(n[(verdict == "down") & outcome.isin(NOT_STARTED)].sum())
        judged = int(n[(verdict != "left_out") & outcome.notna()].sum())
        self.up, self.missed = (n_up, n_up + n_down), (n_missed, n_missed + n_ran)
        self.failed, self.late = (failed, judged), (n_late, n_ran)


def _share(name: str, label: str, now: tuple[int, int], before: tuple[int, int], of_what: str) -> Facts:
    (k, n), (k_before, n_before) = now, before
    low, high = (float(bound) for bound in wilson(k, n))
    earlier = {
        "k": k_before,
        "n": n_before,
        "value": k_before / n_before if n_before else None,
        "text": say(k_before, n_before),
    }
    return {
        "id": name,
        "label": label,
        "value": number(k / n if n else math.nan),
        "k": k,
        "n": n,
        "low": number(low),
        "high": number(high),
        "headline": (percent(k / n) if n >= SMALL else k_of_n(k, n)) if n else NONE,
        "text": say(k, n),
        "of_what": (f"{k_of_n(k, n)} {of_what}" if n >= SMALL else of_what) if n else "nothing was due",
        "note": f"95 % interval {interval(low, high)}" if n else "",
        "previous": earlier if n_before else None,
    }


def _incident_figure(analysis: Analysis) -> Facts:
    table, n_before = analysis.incidents, len(analysis.previous_incidents)
    n_open, is_due = int(table["ended_at"].isna().sum()), bool(analysis.rates["n"].sum())
    lengths = table["duration"].dropna()
    mean = pd.Timedelta(lengths.mean()) if len(lengths) else pd.NaT
    note = f"{n_open:,} still open" if n_open else "none open" if len(table) else ""
    if len(lengths):
        note += f"; those over lasted {duration(mean)} on average"
    return {
        "id": "n_incidents",
        "label": "Incidents",
        "value": len(table),
        "n_open": n_open,
        "mean_duration": seconds(mean),
        "headline": f"{len(table):,}" if is_due or len(table) else NONE,
        "text": f"{len(table):,}",
        "of_what": "stretches of bad ticks that chance does not explain" if is_due else "nothing was due",
        "note": note,
        "previous": None if analysis.previous is None else {"value": n_before, "text": f"{n_before:,}"},
    }


def _typical_figure(rates: pd.DataFrame, before: pd.DataFrame) -> Facts:
    value, earlier = (number(1 - average_error_rate(table)) for table in (rates, before))
    n, n_before = (int((table["n"] > 0).sum()) for table in (rates, before))
    of_what = f"ran and started, mean of {count(n, 'schedule')}"
    is_small = rates["n"].sum() < SMALL  # a mean of so few ticks would pass for more than it is
    if is_small:
        of_what = "too few ticks to say" if n else "nothing was due"
    return {
        "id": "average_up_rate",
        "label": "A typical schedule",
        "value": value,
        "n": n,
        "headline": NONE if is_small else percent(value),
        "text": f"{percent(value)} (mean of {count(n, 'schedule')})" if n else "nothing was due",
        "of_what": of_what,
        "note": "" if is_small else "each schedule weighs the same",
        "previous": {"value": earlier, "n": n_before, "text": percent(earlier)} if n_before else None,
    }


def _changes(figures: list[Facts]) -> dict[str, str]:
    """Tell for each share whether it clearly changed; for that, all of them count what is bad."""
    shares = [one for one in figures if "k" in one and one["previous"] is not None]
    if not shares:
        return {}
    before = [one["previous"] | {"id": one["id"]} for one in shares]
    table = compare(_rates(shares), _rates(before), "id")
    return dict(zip(table["id"].astype("str"), table["change"].astype("str"), strict=True))


def _rates(shares: list[Facts]) -> pd.DataFrame:
    n_bad = [one["n"] - one["k"] if one["id"] == "up_rate" else one["k"] for one in shares]
    ids, n = [one["id"] for one in shares], [one["n"] for one in shares]
    counts = pd.DataFrame({"id": pd.Series(ids, dtype="str"), "window_start": pd.NaT, "n": n, "n_failed": n_bad})
    return with_rates(counts, ["id"])


def _change_text(figure: Facts, name: str | None) -> str | None:
    """Say what it was before, and whether that differs by more than chance."""
    if figure["previous"] is None or name is None:
        return None
    before, change = figure["previous"]["text"], figure["change"]
    if change is None or change == "nothing to compare":
        return f"{name}: {before}"
    return f"{change.capitalize()}; {name}: {before}"


def objective_facts(analysis: Analysis) -> Facts | None:
    """Say whether the objective was met, and how much failure it leaves room for."""
    if analysis.objective is None:
        return None
    rates, objective = analysis.rates, analysis.objective
    n, n_down = int(rates["n"].sum()), int(rates["n_failed"].sum())
    allowed = math.floor(round((1 - objective) * n, 9))
    due = rates[rates["n"] > 0]
    n_met = int((due["n_failed"] <= ((1 - objective) * due["n"]).round(9)).sum())
    told: Facts = {"objective": objective, "n": n, "n_down": n_down, "n_allowed": allowed, "n_left": allowed - n_down}
    told |= {"is_met": n_down <= allowed if n else None, "n_schedules": len(due), "n_schedules_met": n_met}
    spent = None if analysis.slo is None else iso(analysis.slo["runs_out_at"].iloc[0])
    text = _objective_text(told) if analysis.slo is None else str(analysis.slo["text"].iloc[0])
    each = f"On its own, {k_of_n(n_met, len(due))} schedules met it." if len(due) > 1 else ""
    told |= {"spent_at": spent, "text": text, "schedules_text": each}
    return told | {"days": _budget(analysis)}


def _objective_text(told: Facts) -> str:
    n, down, allowed = told["n"], told["n_down"], told["n_allowed"]
    goal = f"{told['objective'] * 100:.10g} %"
    if not n:
        return f"Nothing was due, so the objective of {goal} was neither met nor missed."
    bad = f"{count(allowed, 'tick')} of {n:,} to fail or be missed"
    had = f"{down:,} did" if down else "none did"
    rest = f"{allowed - down:,} more could have" if down <= allowed else f"{down - allowed:,} too many"
    met = "met" if down <= allowed else "missed"
    return f"The objective of {goal} was {met}: it allows {bad}; {had}, {rest}."


def _budget(analysis: Analysis) -> list[Facts]:
    if analysis.burn_down is None:
        return []
    tz = analysis.period.tz
    return [
        {"day": moment(row["window_start"], tz)[:10], "budget_left": number(row["budget_left"])}
        for row in records(analysis.burn_down)
    ]


# What became of a tick, in words: statuses, outcomes (none: whatever became of it), words.
_FATES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str], ...] = (
    ("started", ("on_time",), ("ok",), "Ran on time, every action started"),
    ("started_late", ("late",), ("ok",), "Ran late, every action started"),
    ("partial", ("on_time", "late"), ("partial",), "Ran, but some actions failed to start"),
    ("failed", ("on_time", "late"), ("failed",), "Ran, but every action failed to start"),
    ("skipped", ("on_time", "late"), ("skipped",), "Skipped, because the previous run still ran"),
    ("missed", ("missed",), (), "Missed: due, but nothing was logged"),
    ("unknown", ("unknown",), (), "Unknown: the log could not show it"),
    ("duplicate", ("duplicate",), (), "Duplicate: a second invocation of one tick"),
    ("extra", ("extra",), (), "Extra: an invocation without a tick"),
    ("manual", ("manual",), (), "Manual: invoked by hand"),
)


def fate_facts(analysis: Analysis) -> list[Facts]:
    """Say what became of every tick and invocation, and what it counted as; the rows add up to everything."""
    now, before = analysis.accounting, analysis.previous_accounting
    rows = []
    for name, statuses, outcomes, label in _FATES:
        mine, earlier = (_of(table, statuses, outcomes) for table in (now, before))
        counted = {f"n_{verdict}": _sum(mine, verdict) for verdict in ("up", "down", "left_out")}
        previous = int(earlier["n"].sum()) if analysis.previous is not None else None
        rows.append({"id": name, "label": label, "n": int(mine["n"].sum()), **counted, "n_previous": previous})
    return rows


def _of(table: pd.DataFrame, statuses: tuple[str, ...], outcomes: tuple[str, ...]) -> pd.DataFrame:
    chosen = table["status"].isin(statuses)
    return table[chosen & table["outcome"].isin(outcomes)] if outcomes else table[chosen]


def _sum(table: pd.DataFrame, verdict: str) -> int:
    return int(table.loc[table["counted_as"] == verdict, "n"].sum())


def lateness_facts(schedules: list[Facts]) -> Facts | None:
    """Say how late the schedules usually are, and which drift; None where no delay is known."""
    known = [one for one in schedules if one["delay_median"] is not None]
    if not known:
        return None
    typical, p95 = (float(pd.Series([one[name] for one in known]).median()) for name in ("delay_median", "delay_p95"))
    worst = max(known, key=lambda one: (one["delay_max"], one["schedule_id"]))
    drifting = [one["schedule_id"] for one in known if one["is_drifting"]]
    return {
        "n_schedules": len(known),
        "delay_median": typical,
        "delay_p95": p95,
        "delay_max": worst["delay_max"],
        "worst_schedule_id": worst["schedule_id"],
        "drifting": drifting,
        "text": _lateness_text(typical, p95, worst, len(drifting)),
    }


def _lateness_text(typical: float, p95: float, worst: Facts, n_drifting: int) -> str:
    told = (
        f"A typical schedule ran {_words(typical)} after its ticks, and one time in twenty after {_words(p95)} or more."
    )
    told += f" The longest delay was {_words(worst['delay_max'])}, of {worst['name']}."
    if n_drifting:
        return f"{told} The delay of {count(n_drifting, 'schedule')} drifted."
    return f"{told} No delay drifted clearly."


def _words(length: float) -> str:
    return duration(pd.Timedelta(length, "s"))
