"""
A fleet is an account whose log does not fit memory: the same analyses, schedule by schedule, and the same figures.

`analyze` is all that users need. An archive is cut into batches of whole schedules (`batches`); of each batch the very
functions of the small case make a share (`shares`), here or on Dask workers (`engines`); shares add up to one
`Analysis` (`adding`). Messages are the one thing that schedules share: they are counted in `tallies`, and mined once.
"""

from __future__ import annotations

from schedlog_analysis.account.archive import FleetAnalysis, analyze

__all__ = ["FleetAnalysis", "analyze"]
