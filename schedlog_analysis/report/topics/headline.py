"""A verdict is the one sentence that a reader takes away; it can be the subject of an e-mail."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.words import count, k_of_n, listed, moment, plain, say
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts

MOST_NAMED = 2  # more schedules than this are counted, not named
LONGEST_NAME = 48  # [characters]
BLIND = 0.1  # share of ticks that could not be seen, from which on the verdict says so

# What the verdict is about, from bad to good, and the word for it.
STATES = {
    "down": "Down now",
    "failures": "Failures",
    "well": "All well",
    "unseen": "Nothing observed",
    "idle": "Nothing was due",
    "empty": "No data",
}


def verdict(analysis: Analysis, schedules: list[Facts]) -> tuple[str, str]:
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
    state, sentence
        A key of `STATES`, and the sentence.
    """
    rates = analysis.rates
    n, down = int(rates["n"].sum()), int(rates["n_failed"].sum())
    planned = int(analysis.cadence["n_planned"].sum())
    when = _when(analysis)
    if n == 0:
        return _nothing(analysis, planned, when)
    ran = f"{_share(n - down, n)} ran and started {when}{_blind(analysis, planned)}"
    down_now = [one for one in schedules if one["state"] == "down now"]
    if down_now:
        return "down", f"{_down_now(down_now, analysis.period.tz)}; {ran}."
    if down == 0:
        of = int((rates["n"] > 0).sum())
        those = f"All {count(n, 'tick')}" + (f" of {of:,} schedules" if of > 1 else "") if n > 1 else "The only tick"
        return "well", f"{those} ran and started {when}{_blind(analysis, planned)}."
    over = len(analysis.incidents)
    told = f"{count(over, 'incident')}, {'all' if over > 1 else 'which is'} over" if over else "no incident"
    return "failures", f"{ran}; {told}."


def _nothing(analysis: Analysis, planned: int, when: str) -> tuple[str, str]:
    if planned:
        return "unseen", f"None of {count(planned, 'planned tick')} could be observed {when}, so nothing can be said."
    if int(analysis.coverage["n_entries"].sum()) == 0 and analysis.schedules.empty:
        return "empty", "There are no entries and no schedules, so nothing can be said."
    return "idle", f"Nothing was due {when}, so there is nothing to judge."


def _when(analysis: Analysis) -> str:
    period = analysis.period
    if period.name == "all data":
        first, last = _day(period.start, period.tz), _day(period.end - pd.Timedelta(1, "ms"), period.tz)
        return f"on {first}" if first == last else f"from {first} to {last}"
    if period.freq == "D":
        return f"on {period.name}"
    return f"from {period.name}" if " to " in period.name else f"in {period.name}"


def _day(instant: pd.Timestamp, tz: str) -> str:
    return moment(instant, tz)[:10]


def _share(k: int, n: int) -> str:
    """Say a share so that a noun follows: 94.1 % of 1,923 ticks, or 2 of 7 ticks."""
    told = say(k, n)
    return (
        f"{told.partition(' (')[0]} of {count(n, 'tick')}" if "(" in told else f"{told} {'tick' if n == 1 else 'ticks'}"
    )


def _blind(analysis: Analysis, planned: int) -> str:
    unknown = int(analysis.cadence["n_unknown"].sum())
    return f", but {k_of_n(unknown, planned)} could not be seen" if unknown > BLIND * planned else ""


def _down_now(schedules: list[Facts], tz: str) -> str:
    """Name what is down now, and since when."""
    if len(schedules) > MOST_NAMED:
        return f"{count(len(schedules), 'schedule')} are down now"
    ordered = sorted(schedules, key=lambda one: (one["down_since"], one["schedule_id"]))
    return listed(
        [
            f"{plain(one['name'], LONGEST_NAME)} {one['down_how']} since {moment(one['down_since'], tz)}"
            for one in ordered
        ]
    )
