"""A headline is the one sentence that a reader takes away; it can be the subject of an e-mail."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.words import count, k_of_n, listed, say, say_day, say_instant
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts

MOST_NAMED = 2  # more schedules than this are counted, not named
MUCH_UNKNOWN = 0.1  # share of scheduled starts that could not be seen, from which on the headline says so

# What the headline is about, from bad to good, and the word for it.
STATES = {
    "down": "Down now",
    "failures": "Failures",
    "well": "All well",
    "unseen": "Nothing observed",
    "idle": "Nothing was due",
    "empty": "No data",
}


def headline_facts(analysis: Analysis, schedules: list[Facts]) -> Facts:
    """
    Say in one sentence how the period went, the worst first: what is down now, then what failed, then that all is well.

    An account of which nothing is known, and a period in which nothing was due, are never called well.

    Parameters
    ----------
    analysis
        What was found.
    schedules
        The facts of each schedule.

    Returns
    -------
    facts
        `state`, a key of `STATES`; `state_text`, its word; and `verdict`, the sentence.
    """
    state, verdict = _judge(analysis, schedules)
    return {"state": state, "state_text": STATES[state], "verdict": verdict}


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
