"""
The archive outlives the API's log window.

`store` is the `Archive`, `parts` its file format, `merge` the one law by which answers are united.
"""

from schedlog_analysis.sources.archive.store import Archive

__all__ = ["Archive"]
