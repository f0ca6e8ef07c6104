"""
A report says how reliable the schedules of an account were in one period, for people who never open Jupyter.

`facts` says everything once, as plain data; every format is a rendering of it and adds no figure of its own.
"""

from schedlog_analysis.report.report import Report

__all__ = ["Report"]
