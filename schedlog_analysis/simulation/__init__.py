"""
A simulation makes schedules with planted faults, by the platform's own rules, together with the exact truth about them.

Nobody publishes real schedule logs, and no real log knows what it should have said. So the figures of this package are
checked against logs in which every missed, late, duplicate, manual, skipped and failed tick was put on purpose. The
truth never comes from the analyses: only the moments that an expression names are the package's own
(`schedlog_analysis.cron.cron`).

A recipe says what a schedule is like and what is planted in it (`recipes`); what it leaves open becomes its definitions
(`definition`); each tick gets its fault (`faults`); the platform invokes it tick after tick (`life`); the API shows a
part of that (`answers`), and the truth counts both (`truth`).
"""

from __future__ import annotations

from schedlog_analysis.simulation.account import KINDS, draw_account
from schedlog_analysis.simulation.fleet import simulate_fleet
from schedlog_analysis.simulation.recipes import (
    OUTAGE,
    SAMPLE,
    SHORTAGE,
    Change,
    Recipe,
    Silence,
    Streak,
    random_recipes,
)
from schedlog_analysis.simulation.simulation import Simulation, simulate
from schedlog_analysis.simulation.texts import TEXTS

__all__ = [
    "KINDS",
    "OUTAGE",
    "SAMPLE",
    "SHORTAGE",
    "TEXTS",
    "Change",
    "Recipe",
    "Silence",
    "Simulation",
    "Streak",
    "draw_account",
    "random_recipes",
    "simulate",
    "simulate_fleet",
]
