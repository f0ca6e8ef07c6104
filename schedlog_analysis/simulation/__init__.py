"""
A simulation makes schedules with planted faults, in the API's own shape, together with the exact truth about them.

Nobody publishes real schedule logs, and no real log knows what it should have said. So the figures of this package are
checked against logs in which every missed, late, duplicate, manual, skipped and failed tick was put on purpose. The
truth never comes from the analyses: only the planned ticks are the package's own (`schedlog_analysis.cron.cron`).
"""

from __future__ import annotations

from schedlog_analysis.simulation.fleet import simulate_fleet
from schedlog_analysis.simulation.recipes import OUTAGE, SAMPLE, SHORTAGE, Recipe, Streak, random_recipes
from schedlog_analysis.simulation.simulation import Simulation, simulate
from schedlog_analysis.simulation.texts import TEXTS

__all__ = [
    "OUTAGE",
    "SAMPLE",
    "SHORTAGE",
    "TEXTS",
    "Recipe",
    "Simulation",
    "Streak",
    "random_recipes",
    "simulate",
    "simulate_fleet",
]
