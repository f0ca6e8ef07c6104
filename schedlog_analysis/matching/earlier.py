"""
An earlier definition is what the log itself shows of the time before the first definition that is known.

There the cron known later holds where it explains the invocations; else another cron is inferred from them, from where
it fits on. Where neither explains them, nothing is known of what was due.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np

from schedlog_analysis._core.instants import FOREVER, MISSING, Int64, to_instants
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.infer import infer_cron
from schedlog_analysis.cron.planning import MAX_TICKS
from schedlog_analysis.matching.answers import USUAL, are_close, find_answers, find_slack
from schedlog_analysis.matching.definitions import MIN_GAP, Definition, Version
from schedlog_analysis.matching.offsets import take_usual

EARLY: Final = 1_000  # [ms]
GRID: Final = 10_000  # [ms] on which all offsets of macros lie
LOOKS: Final = (1000, 200, 50, 12)  # invocations that a cron is inferred from: many first, fewer where it changed
FEWEST: Final = 4  # invocations in a row that show a cron
MOST_CRONS: Final = 8  # more in one log are no history, but noise
# What speaks for a cron is an invocation on its tick; what speaks against it weighs more.
LEAST_SHARE: Final = 0.4  # of the best score that there is
WITH_OFFSET: Final = ("@hourly", "@daily", "@weekly", "@monthly")
LONGEST: Final = timedelta(days=1)  # of an offset
WITH_SECONDS: Final = 6  # fields
HIT, LATE, ODD, AGAIN, SKIPPED = 1.0, 0.25, -4.0, -2.0, -4.0


class Fit(NamedTuple):
    """A cron and the last invocations of a series that it explains."""

    cron: Cron
    first: int
    """Position of the first invocation that it explains."""
    tick: int
    """Tick of that one. [ms]"""
    tick_before: int
    """Tick before that. [ms]"""
    score: float


def complete(definition: Definition, invoked: Int64) -> Definition:
    """
    Put before the first version known what the log shows of the time before it was saved.

    Parameters
    ----------
    definition
        All versions known of one schedule, their offsets settled.
    invoked
        Its scheduled invocations, sorted. [ms]

    Returns
    -------
    definition
        Same definition where the first version holds from the creation on; else with versions before it.
    """
    first, *later = definition.versions
    saved = first.modified
    if not first.is_enabled:  # what ran after all was not switched off yet
        ran = invoked[invoked < first.ends]
        saved = max(saved, int(ran[-1]) + 1) if len(ran) else saved
    if saved <= first.begins:
        return definition
    known = [first._replace(begins=saved), *later] if saved < first.ends else later
    earlier = _look_back(invoked[invoked < saved], first.cron, first.begins, min(saved, first.ends))
    return replace(definition, versions=(*earlier, *(version for version in known)))


def infer_definition(invoked: Int64) -> Definition | None:
    """Take the crons that the invocations themselves show, None where they show none."""
    fits = _find_fits(invoked, None)
    if not fits:
        return None
    versions = _make_versions(fits, invoked, fits[0].tick, FOREVER)
    return Definition(tuple(versions), MISSING, MISSING)


def _look_back(invoked: Int64, cron: Cron, begins: int, ends: int) -> list[Version]:
    """Tell what was due from `begins` to `ends`, when only the cron after that is known."""
    fits = _find_fits(invoked, cron)
    head = invoked[: fits[0].first] if fits else invoked
    versions = []
    if len(head) or not fits:
        until = int(head[-1]) + 1 if fits else ends
        guess = fits[0].cron if fits else cron
        versions.append(Version(guess, True, begins, until, begins, ((begins, until),), is_guess=True))  # noqa: FBT003
        begins = until
    return versions + _make_versions(fits, invoked, begins, ends, is_open=True)


def _make_versions(fits: list[Fit], invoked: Int64, begins: int, ends: int, *, is_open: bool = False) -> list[Version]:
    """Let each cron hold until the next one must have begun; silence between the two is no miss."""
    versions = []
    for number, fit in enumerate(fits):
        until, doubts = ends, [(begins, fit.tick)]
        if number + 1 < len(fits):
            last, following = int(invoked[fits[number + 1].first - 1]) + 1, fits[number + 1]
            until = max(last, following.tick_before + 1)
            doubts.append((last, until))
        elif is_open:
            doubts.append((int(invoked[-1]) + 1, ends))
        # Which seconds were due depends on each start, so an unknown cron of seconds tells neither late nor missed.
        is_guess = len(fit.cron.expression.split()) == WITH_SECONDS
        doubts = [(begins, until)] if is_guess else doubts
        versions.append(Version(fit.cron, True, begins, until, begins, tuple(doubts), is_guess))  # noqa: FBT003 - it ran
        begins = until
    return versions


def _find_fits(invoked: Int64, known: Cron | None) -> list[Fit]:
    """Go back from the last invocation: the cron known first, then what is inferred; the earliest comes first."""
    fits: list[Fit] = []
    rest = invoked
    while len(rest) and len(fits) < MOST_CRONS:
        fit = _fit_known(known, rest) if known is not None and not fits else None
        if fit is None or fit.score < len(rest):  # else all were on time, and no tick was skipped
            inferred = _fit_inferred(rest, known.tz if known is not None else None)
            if fit is None or (inferred is not None and inferred.score > fit.score - SKIPPED):
                fit = inferred
        if fit is None:
            break
        fits.insert(0, fit)
        rest = rest[: fit.first]
    return fits


def _fit_known(cron: Cron, invoked: Int64) -> Fit | None:
    fit = _fit(cron, invoked)
    return fit if fit and (fit.first == 0 or len(invoked) - fit.first >= FEWEST) else None


def _fit_inferred(invoked: Int64, tz: str | None) -> Fit | None:
    """Infer a cron from the last invocations, and see how far back it explains them."""
    n_before = 0
    for n in LOOKS:
        sample = invoked[-n:]
        if len(sample) == n_before or len(sample) < FEWEST:
            continue
        n_before = len(sample)
        best = infer_cron(to_instants(sample), tz, n_best=1)
        if best.empty or not bool(best["is_explained"].iloc[0]):
            continue
        offset = timedelta(milliseconds=int(best["offset"].iloc[0].total_seconds() * 1000))
        cron = _shift(Cron(str(best["cron"].iloc[0]), str(best["tz"].iloc[0]), offset=offset), sample)
        fit = _fit(cron, invoked)
        if fit and len(invoked) - fit.first >= FEWEST:
            return _prefer_macro(fit, sample, invoked)
    return None


def _prefer_macro(fit: Fit, sample: Int64, invoked: Int64) -> Fit:
    """Take a macro where it explains more: its time is counted from midnight, also where the clocks change after it."""
    if fit.score == len(invoked) - fit.first:
        return fit
    macros = (_shift(Cron(macro, fit.cron.tz), sample) for macro in WITH_OFFSET)
    fits = [each for each in (_fit(cron, invoked) for cron in macros) if each]
    return max([fit, *fits], key=lambda each: each.score)


def _shift(cron: Cron, invoked: Int64) -> Cron:
    """Shift an inferred cron to the last point of the macros' finest grid before the promptest starts."""
    planned = cron.tick_ms(_before(cron, int(invoked[0])), int(invoked[-1]) + 1)
    delays = invoked - planned[np.searchsorted(planned, invoked, side="right") - 1]
    late = timedelta(milliseconds=max(int(take_usual(np.sort(delays))[0]), 0) // GRID * GRID)
    return replace(cron, offset=min(cron.offset + late, cron.max_offset or LONGEST))


def _fit(cron: Cron, invoked: Int64) -> Fit | None:
    """
    Find the last invocations that a cron explains: the maximum-scoring suffix.

    Each invocation on its tick scores for the cron; each that is on none, that comes again, or before which ticks were
    skipped, scores against it, an outage by the logarithm of its length.
    """
    first, last = int(invoked[0]) + EARLY, int(invoked[-1]) + EARLY
    if (last - first) / cron.span_ms(1000) * 1000 > MAX_TICKS:
        return None
    planned = cron.tick_ms(_before(cron, first), last + 1)
    if not len(planned):
        return None
    is_close = are_close(planned)
    tick = find_answers(planned, invoked, EARLY, is_close=is_close)
    delay, slack = invoked - planned[np.maximum(tick, 0)], find_slack(planned, USUAL, is_close=is_close)[tick]
    score = np.where(delay <= slack, HIT, LATE)
    score[(tick < 0) | (delay > USUAL)] = ODD
    due = np.searchsorted(planned, invoked[:-1] + MIN_GAP)
    n_skipped = np.maximum(tick[1:] - due, 0)
    score[:-1] += np.where(n_skipped > 0, SKIPPED - np.log2(n_skipped + 1), 0.0)
    score[:-1] += np.where(tick[1:] == tick[:-1], AGAIN, 0.0)
    total = np.cumsum(score[::-1])[::-1]
    start = int(np.argmax(total))
    if total[start] < LEAST_SHARE * (len(invoked) - start):
        return None
    place = int(tick[start])
    before = int(planned[place - 1]) if place else _before(cron, int(planned[place]) - 1)
    return Fit(cron, start, int(planned[place]), before, float(total[start]))


def _before(cron: Cron, instant: int) -> int:
    """Give the latest tick at or before an instant, the instant itself where there is none."""
    found = cron.previous_ms(instant + 1)
    return int(found[0]) if len(found) else instant
