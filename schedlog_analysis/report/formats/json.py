"""JSON: the facts as they are, for other programs."""

from __future__ import annotations

import json

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts


def render(facts: Facts, _: Analysis | None = None) -> str:
    """Render the facts."""
    return json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
