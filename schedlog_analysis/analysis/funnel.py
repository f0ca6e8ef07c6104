"""
A funnel follows what was planned to its success; on the way it is counted what became of the starts, and at what cost.

What is not known, because runs are forgotten, is in no share, and is said.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask
from schedlog_analysis._core.groups import By, Groups, group, key_names
from schedlog_analysis._core.instants import MISSING, Floats, Int64, to_durations, to_ms
from schedlog_analysis._core.words import say
from schedlog_analysis.analysis.rates import wilson
from schedlog_analysis.matching.policy import LEFT_OUT, UP, AccountingPolicy, judged, verdicts
from schedlog_analysis.schema import BECAME, PLANNED, Funnel, RunOutcomes, Starts, Ticks

SUCCEEDED, FAILED, TIMED_OUT, ABORTED, RUNNING, UNKNOWN = range(len(BECAME))


def funnel(
    ticks: pd.DataFrame,
    starts: pd.DataFrame,
    by: By = None,
    *,
    policy: AccountingPolicy | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """
    Follow planned ticks to their success: planned, started, succeeded.

    Parameters
    ----------
    ticks
        See `schema.Ticks`; only planned ones count, and of them those that the policy does not leave out.
    starts
        See `join_runs`.
    by
        Columns of `ticks` to group by, such as ``"schedule_id"``; None takes everything together.
    policy
        What counts as started: what it calls up; by default `AccountingPolicy()`.
    confidence
        Level of the intervals. [0..1]

    Returns
    -------
    funnel
        Three rows per group: the columns of `by`, then `schema.Funnel`. A tick succeeded when all its runs did. It is
        unknown whether it did while one of its runs has no known end; the share that succeeded is then the share that
        started times the share of the known ones that succeeded, as if the unknown ones were no different.

    Raises
    ------
    InputError
        If a column of `by` is not there.

    Notes
    -----
    Leaving all unknown ticks out of the plan would be wrong: what never started is always known, so failures to start
    would be all that is left of the past. Where all ends are known, the interval is Wilson's; else it combines the
    Wilson intervals of both shares by the method of variance estimates recovery (Zou and Donner 2008), within 0 to 1.
    It takes ticks as independent.

    Examples
    --------
    >>> funnel(Ticks.empty(), Starts.empty())["stage"].tolist()
    ['planned', 'started', 'succeeded']
    """
    table = judged(Ticks.accept(ticks), policy, key_names(by))
    verdict = verdicts(table)
    counts = table["status"].isin(PLANNED).to_numpy() & (verdict != LEFT_OUT)
    table, is_up = table[counts].reset_index(drop=True), verdict[counts] == UP
    groups = group(table, by)
    is_known, is_success = _ends(table, Starts.accept(starts))
    counts = (groups.tally(), groups.tally(is_up), groups.tally(is_up & is_known), groups.tally(is_up & is_success))
    named = dict(zip(("n_planned", "n_started", "n_known", "n_succeeded"), counts, strict=True))
    return funnel_of(groups.keys.assign(**named), key_names(by), confidence)


def funnel_of(counts: pd.DataFrame, keys: list[str], confidence: float = 0.95) -> pd.DataFrame:
    """
    Turn counts into a funnel.

    Counts add up over parts of a fleet; shares and intervals do not, so they are computed last.

    Parameters
    ----------
    counts
        One row per group: the key columns, `n_planned`, `n_started`, `n_known` (those started of which it is known
        whether they succeeded) and `n_succeeded`.
    keys
        Key columns.
    confidence
        Level of the intervals. [0..1]

    Returns
    -------
    funnel
        Key columns, then `schema.Funnel`.
    """
    n, n_started, n_known, n_succeeded = (
        counts[name].to_numpy() for name in ("n_planned", "n_started", "n_known", "n_succeeded")
    )
    stages = (
        _stage(("planned", n, n, n), (n, n), (n, n), confidence),
        _stage(("started", n_started, n, n), (n_started, n), (n, n), confidence),
        _stage(("succeeded", n_succeeded, n_known, n_started), (n_started, n), (n_succeeded, n_known), confidence),
    )
    found = pd.concat([counts[keys].assign(**stage) for stage in stages], ignore_index=True)
    found = found.iloc[np.argsort(np.tile(np.arange(len(counts)), len(stages)), kind="stable")].reset_index(drop=True)
    return pd.concat([found[keys], Funnel.cast(found)], axis=1)


def run_outcomes(starts: pd.DataFrame, by: By = None, *, confidence: float = 0.95) -> pd.DataFrame:
    """
    Count what became of the starts, how long the runs took, and what those cost that came to nothing.

    Parameters
    ----------
    starts
        See `join_runs`; leave rows out to narrow the question, such as those that are manual.
    by
        Columns to group by, such as ``"schedule_id"`` or ``"actor_id"``; None takes everything together.
    confidence
        Level of the Wilson interval. [0..1]

    Returns
    -------
    outcomes
        One row per group: the columns of `by`, then `schema.RunOutcomes`. What still runs and what is unknown counts in
        no rate. Durations are of runs that succeeded: one that was stopped does not say how long it would have taken.

    Raises
    ------
    InputError
        If a column of `by` is not there.

    Examples
    --------
    >>> run_outcomes(Starts.empty())["text"].tolist()
    ['Nothing was started.']
    """
    table = Starts.accept(starts)
    groups = group(table, by)
    became = table["became"].cat.codes.to_numpy(dtype=np.int64)
    is_bad = (became == FAILED) | (became == TIMED_OUT) | (became == ABORTED)
    usage = table["usage_usd"].fillna(0.0).to_numpy()
    counts = groups.keys.assign(
        n=groups.tally(),
        **{f"n_{name}": groups.tally(became == code) for code, name in enumerate(BECAME)},
        n_unlogged=groups.tally(table["invoked_at"].isna()),
        usage_usd=np.bincount(groups.of_row, usage, groups.n),
        wasted_usd=np.bincount(groups.of_row, usage * is_bad, groups.n),
        n_overlapping=groups.tally(table["is_overlapping"]),
        **_durations(groups, table["duration"], became == SUCCEEDED),
    )
    return run_outcomes_of(counts, key_names(by), confidence)


def run_outcomes_of(counts: pd.DataFrame, keys: list[str], confidence: float = 0.95) -> pd.DataFrame:
    """
    Turn counts into a table of run outcomes, as `funnel_of` does for the funnel.

    Parameters
    ----------
    counts
        One row per group: the key columns, and those of `schema.RunOutcomes` but `success_rate`, `low`, `high` and
        `text`.
    keys
        Key columns.
    confidence
        Level of the Wilson interval. [0..1]

    Returns
    -------
    outcomes
        Key columns, then `schema.RunOutcomes`.
    """
    ended = [counts[f"n_{name}"].to_numpy() for name in ("succeeded", "failed", "timed_out", "aborted")]
    n_succeeded, n_ended = ended[0], sum(ended[1:], ended[0])
    low, high = wilson(n_succeeded, n_ended, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        success = np.where(n_ended > 0, n_succeeded / n_ended, np.nan)
    found = counts.assign(success_rate=success, low=low, high=high)
    found["text"] = pd.Series([_sentence(row) for row in found.to_dict("records")], index=found.index, dtype="str")
    return pd.concat([found[keys], RunOutcomes.cast(found)], axis=1)


def _ends(table: pd.DataFrame, starts: pd.DataFrame) -> tuple[Mask, Mask]:
    """Tell of which ticks the ends of all runs are known, and which of those succeeded."""
    logged = starts[starts["invoked_at"].notna().to_numpy()]
    both = pd.concat([part[["schedule_id", "invoked_at"]].astype({"schedule_id": "str"}) for part in (table, logged)])
    groups = group(both.reset_index(drop=True), ["schedule_id", "invoked_at"])
    became, of_start = logged["became"].cat.codes.to_numpy(), groups.of_row[len(table) :]
    n, n_open, n_good = (
        np.bincount(of_start[mask], minlength=groups.n)[groups.of_row[: len(table)]]
        for mask in (became >= 0, became >= RUNNING, became == SUCCEEDED)
    )
    return (n > 0) & (n_open == 0), (n > 0) & (n_good == n)


def _stage(
    counts: tuple[str, Int64, Int64, Int64],
    first: tuple[Int64, Int64],
    second: tuple[Int64, Int64],
    confidence: float,
) -> dict[str, Any]:
    """One stage: how many came so far, and their share as the product of two."""
    stage, n, n_known, n_before = counts
    share, low, high = _product(first, second, confidence)
    if stage == "planned":  # the whole, which is certain
        low = high = np.full_like(share, np.nan)
    shown = {"share": share, "low": low, "high": high}
    told = [_told(stage, *row) for row in zip(n.tolist(), n_known.tolist(), (n_before - n_known).tolist(), strict=True)]
    return {"stage": stage, "n": n, "n_known": n_known, "n_unknown": n_before - n_known, **shown, "text": told}


def _product(
    first: tuple[Int64, Int64], second: tuple[Int64, Int64], confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Product of two shares of which the second is among the first's, and its interval."""
    (k1, n1), (k2, n2) = first, second
    (low1, high1), (low2, high2), (low, high) = (wilson(k, n, confidence) for k, n in (first, second, (k2, n1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        p1, p2 = k1 / n1, np.where(k1 > 0, k2 / n2, 0.0)
    down = np.hypot(p2 * (p1 - low1), p1 * (p2 - low2))
    up = np.hypot(p2 * (high1 - p1), p1 * (high2 - p2))
    is_all_known = n2 == k1
    share = p1 * p2
    least, most = np.maximum(share - down, 0.0), np.minimum(share + up, 1.0)
    return share, np.where(is_all_known, low, least), np.where(is_all_known, high, most)


def _told(stage: str, n: int, n_known: int, n_unknown: int) -> str:
    if stage == "planned":
        return f"{n:,} planned tick{' counts' if n == 1 else 's count'}." if n else "Nothing was planned."
    if n_known == n_unknown == 0:
        return f"There was nothing that could have {stage}."
    whole = "the planned ticks" if stage == "started" else "the started ones whose runs are known"
    told = f"Of {whole}, {say(n, n_known)} {stage}" if n_known else "Of none of the started ones the runs are known"
    return f"{told}; of {n_unknown:,} no end is known." if n_unknown and n_known else f"{told}."


def _durations(groups: Groups, duration: pd.Series[Any], is_wanted: Mask) -> dict[str, pd.TimedeltaIndex]:
    """Quantiles of each group's durations, in whole milliseconds."""
    keep = is_wanted & duration.notna().to_numpy()
    frame = pd.DataFrame({"group": groups.of_row[keep], "ms": to_ms(duration)[keep]})
    quantiles = {"duration_median": 0.5, "duration_p95": 0.95, "duration_max": 1.0}
    found = {}
    for name, share in quantiles.items():
        ms = frame.groupby("group")["ms"].quantile(share).reindex(range(groups.n)).round()
        found[name] = to_durations(ms.fillna(MISSING).to_numpy(dtype=np.int64))
    return found


def _sentence(row: dict[Any, Any]) -> str:
    if row["n"] == 0:
        return "Nothing was started."
    n_ended = sum(row[f"n_{name}"] for name in ("succeeded", "failed", "timed_out", "aborted"))
    told = (
        f"Of the runs that ended, {say(row['n_succeeded'], n_ended)} succeeded"
        if n_ended
        else "No run is known to have ended"
    )
    parts = (
        ("failed", "failed"),
        ("timed_out", "timed out"),
        ("aborted", "were aborted"),
        ("running", "still running"),
    )
    bad = [f"{row[f'n_{name}']:,} {words}" for name, words in parts if row[f"n_{name}"]]
    told += f"; {', '.join(bad)}" if bad else ""
    told += (
        f"; of {row['n_unknown']:,} start{'' if row['n_unknown'] == 1 else 's'} no run is known"
        if row["n_unknown"]
        else ""
    )
    return f"{told}."
