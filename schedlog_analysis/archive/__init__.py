"""
Everything on disk: doors that read files of any origin into typed tables, and the archive that outlives the API.

`doors` reads and writes single files; `store` is the `Archive`; `parts` is its file format; `union` its one law.
"""

from schedlog_analysis.archive.doors import Sample, load_sample, read_log, read_runs, read_schedules, write_log
from schedlog_analysis.archive.store import Archive

__all__ = ["Archive", "Sample", "load_sample", "read_log", "read_runs", "read_schedules", "write_log"]
