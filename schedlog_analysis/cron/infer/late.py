"""A late schedule starts long after its ticks: its phase must be looked for, and a constant delay may be part of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schedlog_analysis.cron.expression import parse
from schedlog_analysis.cron.infer.code_length import Match, delay_spread, match_bits
from schedlog_analysis.cron.infer.descent import MINUTE_MS, SECOND_MS, Descent, Found
from schedlog_analysis.cron.infer.fields import MINUTE, SECOND, Field, write

Int64 = npt.NDArray[np.int64]

_LATE_MS = 10_000  # a larger median delay calls for a look
_SECONDS = (10, 15, 20, 30)  # periods in a minute, with phases at whole seconds
_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)  # in a day, whole minutes
_STRAGGLERS = 0.02  # share of the times that may lie in the emptiest arc
_ONSETS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)  # shares of the times that may lie before the phase
_N_PERIODS = 3  # that are looked at closely
_START_SECONDS = 5  # a scheduler may take so long to start; more is what the expression says
_GRAINS = (5, 10, 15, 30, 60)  # minutes or seconds that a value may be rounded down to


def is_late(descent: Descent, best: Found) -> bool:
    """Tell whether the best candidate so far leaves long delays."""
    matched = descent.match(best.texts)
    return matched is None or bool(np.median(matched.delay) > _LATE_MS)


def search_late(descent: Descent) -> None:
    """Add candidates for late times to a search: phases first, then rounder crons with a constant delay."""
    local = descent.local
    units = [(period, SECOND_MS) for period in _SECONDS] + [(period, MINUTE_MS) for period in _MINUTES]
    ranked = sorted(_scan(local, period * unit, unit) for period, unit in units)
    for _, period, phase in ranked[:_N_PERIODS]:
        seconds = tuple(range(phase // SECOND_MS, 60, period // SECOND_MS)) if period < MINUTE_MS else (0,)
        descent.descend(local - (local - phase) % period, write(seconds, SECOND))


def search_rounder(descent: Descent) -> None:
    """Add rounder crons with a constant delay, for minutes or seconds that the delays tell only roughly."""
    for found in descent.found()[:_N_PERIODS]:
        pattern = parse(found.cron)
        second = found.texts[0]
        for text, shift in _rounder(pattern.seconds, SECOND):
            if shift <= _START_SECONDS:
                descent.bits((text, *found.texts[1:]), shift * SECOND_MS)
        matched = descent.match(found.texts) if second == "0" else None
        if matched and delay_spread(matched) >= MINUTE_MS:
            for text, shift in _rounder(pattern.minutes, MINUTE):
                descent.bits((second, text, *found.texts[2:]), shift * MINUTE_MS)


def _scan(local: Int64, period: int, unit: int) -> tuple[float, int, int]:
    """Give the bits, the period and the best phase, at whole units [ms]."""
    return min(
        (match_bits(Match((local - phase) // period, (local - phase) % period)), period, phase)
        for phase in _phases(local % period, period, unit)
    )


def _phases(places: Int64, period: int, unit: int) -> list[int]:
    """Propose where delays begin on the circle of a period: after its emptiest arc, with more and more stragglers."""
    places = np.sort(places)
    few = max(1, round(_STRAGGLERS * len(places)))
    arcs = (np.roll(places, -few) - places) % period
    first = int(places[(int(arcs.argmax()) + few) % len(places)])
    since = np.quantile((places - first) % period, _ONSETS)
    phases = np.unique((first + since).astype(np.int64) % period // unit)
    return [int(phase) * unit for phase in phases]


def _rounder(values: tuple[int, ...], field: Field) -> list[tuple[str, int]]:
    """Move values down to rounder ones, and say by how much."""
    shifts = sorted({values[0] % grain for grain in _GRAINS} - {0})
    return [(write(tuple(value - shift for value in values), field), shift) for shift in shifts]
