"""
An SLO is the share of what was due that shall be up; what may fail without breaking it is the error budget.

Nothing was due is neither met nor broken.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask
from schedlog_analysis._core.calendar import PERIODS, window_starts, zone
from schedlog_analysis._core.groups import By, Groups, group, key_names
from schedlog_analysis._core.instants import (
    MISSING,
    Floats,
    InstantLike,
    Int64,
    duration_ms,
    instant_ms,
    to_durations,
    to_instants,
    to_ms,
)
from schedlog_analysis._core.words import say
from schedlog_analysis.analysis.budget import require_objective
from schedlog_analysis.analysis.rates import wilson
from schedlog_analysis.errors import InputError
from schedlog_analysis.matching.policy import DOWN, LEFT_OUT, AccountingPolicy, instants, judged, verdicts
from schedlog_analysis.schema import URGENCIES, BurnRates, Slo


class Rule(NamedTuple):
    """When the budget burns too fast: if so much of it went in this part of the window, and still does."""

    budget: float
    """Share of the window's budget."""
    lookback: float
    """Share of the window in which it went."""
    urgency: str


# Google's Site Reliability Workbook, chapter 5, table 5-8: of 30 days, these are 1 hour, 6 hours and 3 days, and the
# burn rates 14.4, 6 and 1. Each must burn in the last twelfth of its look-back too, so that it ends with its cause.
RULES: Final = (Rule(0.02, 1 / 720, "now"), Rule(0.05, 1 / 120, "now"), Rule(0.10, 1 / 10, "soon"))
SHORT: Final = 12
FEWEST: Final = 2  # one failure is no pace: of the few ticks in a look-back it would always be too fast
EXACT: Final = 1e-9  # budgets are products of decimal shares, which binary numbers do not hold exactly
# From the start of a calendar window, half a window beyond its end, in milliseconds.
_BEYOND: Final = {"h": 1.5, "D": 36, "W-SUN": 240, "M": 1080, "Q": 3240, "Y": 12960}
_HOUR: Final = 3_600_000


def slo(
    ticks: pd.DataFrame,
    objective: float,
    window: str | None = None,
    by: By = None,
    *,
    end: InstantLike | None = None,
    pace: str = "7d",
    tz: str = "UTC",
    policy: AccountingPolicy | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """
    Tell whether an objective is met, what is left of its error budget, and until when that lasts.

    Parameters
    ----------
    ticks
        `schema.Ticks`, or `schema.Invocations` if misses shall not count. A further column `n` says how many each row
        stands for.
    objective
        Share of what was due that shall be up, such as 0.995. [0..1, both outside]
    window
        What the objective is about: a calendar window such as ``"M"`` (the one that holds the end of the data), a
        duration such as ``"30d"`` before that end, or None for all ticks given.
    by
        Columns to group by, such as ``"schedule_id"``; None takes everything together.
    end
        Where the data ends; by default each group's last tick that counts. Later ticks do not count.
    pace
        How far back to look for the pace at which the budget is being spent.
    tz
        Time zone of calendar windows, and of moments in the sentences.
    policy
        What counts as down and what is left out; by default `AccountingPolicy()`.
    confidence
        Level of the attainment's Wilson interval. [0..1]

    Returns
    -------
    slo
        One row per group: the columns of `by`, then `schema.Slo`. Of a calendar window that is not over, the budget is
        that of the whole window, taken to go on as it began. `runs_out_at` is the tick that spent the budget; else the
        moment at which the pace will spend it, if that is within the window (with a duration, within as long again).

    Raises
    ------
    ConfigError
        If `objective` is no share between 0 and 1, or is 1, which leaves no budget.
    InputError
        If another argument makes no sense.

    Examples
    --------
    >>> from schedlog_analysis import invocations, load_sample, ticks
    >>> sample = load_sample()
    >>> planned = ticks(invocations(sample.log, sample.schedules), sample.schedules)
    >>> slo(planned, 0.9)["is_met"].tolist()
    [True]
    """
    back = _length_ms(pace, "pace", "expected a duration such as '7d'")
    counted = _Counted.of(ticks, by, end, policy)
    stretch = _stretch(counted, window, tz)
    own = counted.since(stretch.started)
    n, n_failed = own.n, own.n_failed
    allowed = 1 - require_objective(objective)
    elapsed = np.maximum(stretch.now - stretch.started, 1)
    whole = np.where(stretch.is_calendar, (stretch.ended - stretch.started) / elapsed, 1.0)
    low, high = wilson(n - n_failed, n, confidence)
    is_due = n > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        attainment = np.where(is_due, 1 - n_failed / n, np.nan)
    budget = np.where(is_due, np.round(allowed * n * whole, 9), np.nan)
    rules = _burning(counted, stretch, allowed)
    found = counted.groups.keys.assign(
        started_at=to_instants(np.where(is_due, stretch.started, MISSING)),
        ended_at=to_instants(np.where(is_due, stretch.ended, MISSING)),
        objective=np.full(len(n), float(objective)),
        n=n,
        n_failed=n_failed,
        attainment=attainment,
        low=low,
        high=high,
        is_met=pd.array(n_failed <= allowed * n + EXACT, dtype="boolean"),
        budget=budget,
        budget_left=budget - n_failed,
        budget_left_share=1 - n_failed / budget,
        burn_rate=(1 - attainment) / allowed,
        urgency=_urgency(rules, counted.groups.n),
        runs_out_at=to_instants(_runs_out(own, budget, stretch, back)),
    )
    found.loc[~is_due, "is_met"] = pd.NA
    found["text"] = _sentences(found, stretch, back, tz)
    return pd.concat([counted.groups.keys, Slo.cast(found)], axis=1)


def burn_rates(
    ticks: pd.DataFrame,
    objective: float,
    window: str | None = "30d",
    by: By = None,
    *,
    end: InstantLike | None = None,
    tz: str = "UTC",
    policy: AccountingPolicy | None = None,
) -> pd.DataFrame:
    """
    Measure over several look-backs how fast the error budget is being spent.

    Parameters
    ----------
    ticks, objective, window, by, end, tz, policy
        As of `slo`.

    Returns
    -------
    burn_rates
        One row per group and rule of `RULES`: the columns of `by`, then `schema.BurnRates`. A burn rate of 1 spends the
        budget just in time. It burns if the burn rate is at the threshold in the look-back and in its last twelfth (if
        nothing was due in that: at the last tick), and at least two failed.

    Notes
    -----
    The rule of several windows and burn rates of Google's Site Reliability Workbook, chapter 5, "Multiwindow,
    Multi-Burn-Rate Alerts". The look-backs are parts of the window, so that the thresholds are the same for every one.

    Examples
    --------
    >>> from schedlog_analysis.schema import Ticks
    >>> burn_rates(Ticks.empty(), 0.99)["threshold"].tolist()
    [14.4, 6.0, 1.0]
    """
    counted = _Counted.of(ticks, by, end, policy)
    return _burning(counted, _stretch(counted, window, tz), 1 - require_objective(objective))


class _Counted(NamedTuple):
    """What counts, by group and moment."""

    groups: Groups
    of_row: Int64
    when: Int64
    is_down: Mask
    weight: Int64
    """How many ticks each row stands for."""
    now: Int64
    """End of each group's data; MISSING if it has none."""

    @classmethod
    def of(cls, given: pd.DataFrame, by: By, end: InstantLike | None, policy: AccountingPolicy | None) -> _Counted:
        table = judged(given, policy, key_names(by))
        verdict, when = verdicts(table), instants(table)
        weight = given["n"].to_numpy(dtype=np.int64) if "n" in given else np.ones(len(table), dtype=np.int64)
        groups = group(table, by)
        keep = np.flatnonzero((verdict != LEFT_OUT) & (when < (np.inf if end is None else instant_ms(end, "end"))))
        keep = keep[np.lexsort((verdict[keep], when[keep], groups.of_row[keep]))]
        of_row, when = groups.of_row[keep], when[keep]
        now = np.full(groups.n, MISSING)
        now[of_row] = when + 1 if end is None else instant_ms(end, "end")
        return cls(groups, of_row, when, verdict[keep] == DOWN, weight[keep], now)

    def since(self, moment: Int64) -> _Counted:
        """Keep what happened at or after a moment of each group."""
        keep = self.when >= moment[self.of_row]
        rows = {name: getattr(self, name)[keep] for name in ("of_row", "when", "is_down", "weight")}
        return self._replace(**rows)

    @property
    def n(self) -> Int64:
        return np.bincount(self.of_row, self.weight, self.groups.n).astype(np.int64)

    @property
    def n_failed(self) -> Int64:
        return np.bincount(self.of_row, self.weight * self.is_down, self.groups.n).astype(np.int64)

    def last_is_down(self) -> Mask:
        last = np.zeros(self.groups.n, dtype=bool)
        last[self.of_row] = self.is_down  # sorted, so the last one stays
        return last


class _Stretch(NamedTuple):
    """Window of the objective, per group, in milliseconds."""

    started: Int64
    ended: Int64
    now: Int64
    horizon: Int64
    """Until when to look for the moment at which the budget runs out."""
    is_calendar: bool


def _length_ms(text: str, name: str, expected: str) -> int:
    """Read a duration that is not 0."""
    try:
        length = duration_ms(text, name)
    except InputError as error:
        raise InputError(f"`{name}` is {text!r}; {expected}.") from error
    if length == 0:
        raise InputError(f"`{name}` is {text!r}, which is no time; {expected}.")
    return length


def _stretch(counted: _Counted, window: str | None, tz: str) -> _Stretch:
    zone(tz)
    now = counted.now
    if window is None:
        first = now.copy()
        first[counted.of_row[::-1]] = counted.when[::-1]  # sorted, so the first one stays
        return _Stretch(first, now, now, now, is_calendar=False)
    if window not in PERIODS:
        length = _length_ms(window, "window", "expected a calendar window such as 'M' or a duration such as '30d'")
        return _Stretch(now - length, now, now, now + length, is_calendar=False)
    is_known = now != MISSING
    started, ended = now.copy(), now.copy()
    started[is_known] = to_ms(window_starts(to_instants(now[is_known] - 1), window, tz))
    beyond = int(_BEYOND[PERIODS[window]] * _HOUR)
    ended[is_known] = to_ms(window_starts(to_instants(started[is_known] + beyond), window, tz))
    return _Stretch(started, ended, now, ended, is_calendar=True)


def _runs_out(own: _Counted, budget: Floats, stretch: _Stretch, pace: int) -> Int64:
    """Instant of the tick that spent the budget, else the one at which the pace will, else MISSING."""
    so_far = np.cumsum(own.is_down * own.weight)
    before = np.r_[0, so_far][np.searchsorted(own.of_row, np.arange(own.groups.n))]
    is_spending = own.is_down & (so_far - before[own.of_row] >= budget[own.of_row] - EXACT)
    spent = np.full(own.groups.n, MISSING)
    spent[own.of_row[is_spending][::-1]] = own.when[is_spending][::-1]
    begin = np.maximum(stretch.started, stretch.now - pace)
    recent = own.since(begin).n_failed
    with np.errstate(invalid="ignore", divide="ignore"):
        ahead = (budget - own.n_failed) / (recent / np.maximum(stretch.now - begin, 1))
    will = (recent > 0) & (ahead < stretch.horizon - stretch.now)
    runs_out = np.where(will, stretch.now + np.where(will, ahead, 0).astype(np.int64), MISSING)
    return np.where(spent != MISSING, spent, runs_out)


def _burning(counted: _Counted, stretch: _Stretch, allowed: float) -> pd.DataFrame:
    parts = [_burning_by(rule, counted, stretch, allowed) for rule in RULES]
    table = pd.concat(parts, ignore_index=True)
    order = np.argsort(np.tile(np.arange(counted.groups.n), len(RULES)), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    return pd.concat([table[list(counted.groups.keys)], BurnRates.cast(table)], axis=1)


def _burning_by(rule: Rule, counted: _Counted, stretch: _Stretch, allowed: float) -> pd.DataFrame:
    length = stretch.ended - stretch.started
    lookback, short = ((length * rule.lookback / part).astype(np.int64) for part in (1, SHORT))
    long_ago, lately = (counted.since(counted.now - span) for span in (lookback, short))
    n_lately = lately.n
    with np.errstate(invalid="ignore", divide="ignore"):
        burn = long_ago.n_failed / long_ago.n / allowed
        share_lately = np.where(n_lately > 0, lately.n_failed / n_lately, counted.last_is_down())
    burn_lately = np.where(counted.now == MISSING, np.nan, share_lately / allowed)
    threshold = rule.budget / rule.lookback
    is_fast = (burn >= threshold - EXACT) & (burn_lately >= threshold - EXACT)
    return counted.groups.keys.assign(
        lookback=to_durations(lookback),
        n=long_ago.n,
        n_failed=long_ago.n_failed,
        burn_rate=burn,
        short_lookback=to_durations(short),
        short_burn_rate=burn_lately,
        threshold=threshold,
        urgency=pd.Categorical([rule.urgency] * len(burn), categories=pd.Index(URGENCIES, dtype="str")),
        is_burning=is_fast & (long_ago.n_failed >= FEWEST),
    )


def _urgency(rules: pd.DataFrame, n_groups: int) -> pd.Categorical:
    """Most urgent rule of each group that burns."""
    none = URGENCIES.index("none")
    codes = np.where(rules["is_burning"], rules["urgency"].cat.codes, none).reshape(n_groups, len(RULES))
    return pd.Categorical.from_codes(codes.min(axis=1), categories=pd.Index(URGENCIES, dtype="str"))


def _sentences(found: pd.DataFrame, stretch: _Stretch, pace: int, tz: str) -> pd.Series[Any]:
    ahead = stretch.horizon > stretch.now
    lately = f"at the pace of the last {_length(pace)}"
    told = [
        _sentence(row, _outlook(row, lately if is_open else "", zone(tz)))
        for row, is_open in zip(found.to_dict("records"), ahead, strict=True)
    ]
    return pd.Series(told, dtype="str")


def _sentence(row: dict[Any, Any], outlook: str) -> str:
    n, failed = row["n"], row["n_failed"]
    if n == 0:
        return "Nothing was due, so the objective was neither met nor missed."
    told = f"{'Met' if row['is_met'] else 'Not met'}: {say(n - failed, n)} were up and the objective is "
    told += f"{100 * row['objective']:.6g} %, which allows {_failures(int(row['budget'] + EXACT), failed)}"
    if row["urgency"] != "none":
        outlook += f"; lately failures come so fast that somebody should look {row['urgency']}"
    return f"{told}{outlook}."


def _failures(allowed: int, failed: int) -> str:
    if allowed == 0:
        return "no failure among so few"
    told, left = f"{allowed:,} failure{'' if allowed == 1 else 's'}", allowed - failed
    if left < 0:
        return f"{told}, and there were {failed:,}"
    return f"{told}, of which {f'{left:,}' if left else 'none'} {'are' if left > 1 else 'is'} left"


def _outlook(row: dict[Any, Any], lately: str, tz: tzinfo) -> str:
    """Say when the allowed failures were or will be used up; `lately` is empty if the window is over."""
    runs_out, is_spent = row["runs_out_at"], row["n_failed"] >= row["budget"] - EXACT
    if pd.isna(runs_out):
        return f"; {lately} that is enough" if lately and row["budget"] >= 1 else ""
    moment = f"{runs_out.tz_convert(tz):%Y-%m-%d %H:%M}"
    if row["budget"] < 1 - EXACT:
        return f"; the first came on {moment}" if is_spent else ""
    return f"; that was used up on {moment}" if is_spent else f"; {lately} that is used up on {moment}"


def _length(ms: int) -> str:
    hours = ms / _HOUR
    return f"{hours / 24:g} days" if hours > 24 else f"{hours:g} hours"  # noqa: PLR2004 - hours of a day
