"""
A report says how reliable the schedules of an account were in one period, for people who never open Jupyter.

`facts` says everything once, as plain data; every format is a rendering of it and adds no figure of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schedlog_analysis.report.report import Report

__all__ = ["Report"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Load the report when it is asked for: the command line reads the list of formats without it."""
    if name != "Report":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from schedlog_analysis.report.report import Report  # noqa: PLC0415 - see above

    return Report
