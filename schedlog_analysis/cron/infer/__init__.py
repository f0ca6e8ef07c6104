"""Inference finds the cron of a schedule whose definition is not known, from the instants at which it was invoked."""

from __future__ import annotations

from schedlog_analysis.cron.infer.candidates import CronCandidates, infer_cron, is_explained
from schedlog_analysis.cron.infer.changes import CronSegments, change_points

__all__ = ["CronCandidates", "CronSegments", "change_points", "infer_cron", "is_explained"]
