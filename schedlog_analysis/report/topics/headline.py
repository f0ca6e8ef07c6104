"""A headline is the one sentence that a reader takes away; it can be the subject of an e-mail."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.words import count, duration, k_of_n, listed, say, say_day, say_instant
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts

MOST_NAMED = 2  # more schedules than this are counted, not named
STALE_AFTER = pd.Timedelta(hours=36)  # without a look at the logs, whatever they said is not "well" any more
UNKNOWN = ("truncated", "hole", "before the first definition", "after the last look", "not read")
MUCH_UNKNOWN = 0.1  # share of scheduled starts that could not be seen, from which on the headline says so

# What the headline is about, from bad to good, and the word for it.
STATES = {
    "down": "Down now",
    "failures": "Failures",
    "skipped": "Starts skipped",
    "unknown": "Not all is known",
    "stale": "Out of date",
    "well": "All well",
    "unseen": "Nothing observed",
    "idle": "Nothing was due",
    "empty": "No data",
}


def headline_facts(analysis: Analysis, schedules: list[Facts], now: str | None = None) -> Facts:
    """
    Say in one sentence how the period went, the worst first: what is down now, then what failed, then that all is well.

    An account of which nothing is known, and a period in which nothing was due, are never called well.

    Parameters
    ----------
    analysis
        What was found.
    schedules
        The facts of each schedule.
    now
        When the report is made, as an instant; None says nothing of how old the data is.

    Returns
    -------
    facts
        `state`, a key of `STATES`; `state_text`, its word; `verdict`, the sentence; `age`, how long ago the logs were
        last looked at [s], None without `now`; and `doubts`, why nobody can say that all is well: sentences without
        their full stop.
    """
    age = _find_age(analysis, now)
    doubts = _list_doubts(analysis, schedules, age)
    state, verdict = _judge(analysis, schedules)
    if state == "well" and doubts:
        state, verdict = doubts[0][0], f"{verdict.removesuffix('.')}, but {doubts[0][1]}."
    elif age is not None and age > STALE_AFTER and state != "empty":
        verdict = f"{verdict.removesuffix('.')}; {_say_age(age)}."
    return {
        "state": state,
        "state_text": STATES[state],
        "verdict": verdict,
        "age": None if age is None else age.total_seconds(),
        "doubts": [sentence for _, sentence in doubts],
    }


def _find_age(analysis: Analysis, now: str | None) -> pd.Timedelta | None:
    """Tell how long ago the newest look at any log was."""
    if now is None or analysis.data_end is None:
        return None
    return max(pd.Timestamp(now) - analysis.data_end, pd.Timedelta(0))


def _say_age(age: pd.Timedelta) -> str:
    return f"the newest look at the logs is {duration(age)} old"


def _list_doubts(analysis: Analysis, schedules: list[Facts], age: pd.Timedelta | None) -> list[tuple[str, str]]:
    """List why all is not well although nothing failed: a state and what is the matter, the worst first."""
    tz = analysis.period.tz
    doubts = []
    hung = [row for row in schedules if row["state"] == "skipped"]
    if hung:
        since = say_instant(min(row["last_reason_since"] for row in hung), tz)
        run = "its previous run still runs" if len(hung) == 1 else "their previous runs still run"
        doubts.append(("skipped", f"{_name_some(hung)} {_have(hung)} been skipped since {since}: {run}"))
    if analysis.errors:
        doubts.append(("unknown", f"{count(len(analysis.errors), 'schedule')} could not be analysed"))
    is_expected = [row["is_enabled"] is not False and "no definition" not in row["flags"] for row in schedules]
    lost = [row for row, waits in zip(schedules, is_expected, strict=True) if waits and row["last_reason"] in UNKNOWN]
    if lost:
        since = say_instant(min(row["last_reason_since"] for row in lost), tz)
        doubts.append(("unknown", f"nobody could see {_name_some(lost)} since {since}"))
    if age is not None and age > STALE_AFTER:
        doubts.append(("stale", _say_age(age)))
    return doubts


def _name_some(rows: list[Facts]) -> str:
    return listed([row["label"] for row in rows]) if len(rows) <= MOST_NAMED else count(len(rows), "schedule")


def _have(rows: list[Facts]) -> str:
    return "has" if len(rows) == 1 else "have"


def _judge(analysis: Analysis, schedules: list[Facts]) -> tuple[str, str]:
    n, n_down = (sum(row[name] for row in schedules) for name in ("n", "n_down"))
    when = _say_period(analysis)
    if n == 0:
        return _say_nothing(analysis, when)
    caveat = _say_unknown(analysis)
    worked = f"{_say_share(n - n_down, n)} worked {when}{caveat}"
    down_now = [row for row in schedules if row["state"] == "down now"]
    if down_now:
        return "down", f"{_say_down(down_now, analysis.period.tz)}; {worked}."
    if n_down == 0:
        n_schedules = sum(row["n"] > 0 for row in schedules)
        of = f" of {n_schedules:,} schedules" if n_schedules > 1 else ""
        all_ = f"All {count(n, 'scheduled start')}{of}" if n > 1 else "The only scheduled start"
        return "well", f"{all_} worked {when}{caveat}."
    hung = [row for row in schedules if row["state"] == "skipped"]
    if hung:
        since = say_instant(min(row["last_reason_since"] for row in hung), analysis.period.tz)
        return "failures", f"{_name_some(hung)} {_have(hung)} been skipped since {since}; {worked}."
    over = len(analysis.incidents)
    incidents = f"{count(over, 'incident')}, {'all' if over > 1 else 'which is'} over" if over else "no incident"
    return "failures", f"{worked}; {incidents}."


def _say_nothing(analysis: Analysis, when: str) -> tuple[str, str]:
    planned = int(analysis.cadence["n_planned"].sum())
    if planned:
        n = count(planned, "scheduled start")
        return "unseen", f"None of {n} could be observed {when}, so nothing can be said."
    if int(analysis.coverage["n_entries"].sum()) == 0 and analysis.schedules.empty:
        return "empty", "There are no entries and no schedules, so nothing can be said."
    return "idle", f"Nothing was due {when}, so there is nothing to judge."


def _say_period(analysis: Analysis) -> str:
    period = analysis.period
    if period.freq is not None and not period.is_all:
        return f"{'on' if period.freq == 'D' else 'in'} {period.name}"
    instants = (period.start, period.end - pd.Timedelta(1, "ms"))
    first, last = (say_day(instant.tz_convert(period.tz)) for instant in instants)
    return f"on {first}" if first == last else f"from {first} to {last}"


def _say_share(k: int, n: int) -> str:
    """Say a share so that a noun follows: 94.1 % of 1,923 scheduled starts, or 2 of 7 scheduled starts."""
    share, bracket, _ = say(k, n).partition(" (")
    starts = "scheduled start" if n == 1 else "scheduled starts"
    return f"{share} of {n:,} {starts}" if bracket else f"{share} {starts}"


def _say_unknown(analysis: Analysis) -> str:
    unknown, planned = (int(analysis.cadence[name].sum()) for name in ("n_unknown", "n_planned"))
    return f", but {k_of_n(unknown, planned)} could not be seen" if unknown > MUCH_UNKNOWN * planned else ""


def _say_down(schedules: list[Facts], tz: str) -> str:
    """Name what is down now, and since when."""
    if len(schedules) > MOST_NAMED:
        return f"{count(len(schedules), 'schedule')} are down now"
    ordered = sorted(schedules, key=lambda row: (row["down_since"], row["schedule_id"]))
    return listed([f"{row['label']} {row['down_how']} since {say_instant(row['down_since'], tz)}" for row in ordered])
