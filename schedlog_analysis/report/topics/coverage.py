"""Coverage is the ground of every figure: which scheduled starts the logs could show, now and in the period before."""

from __future__ import annotations

from schedlog_analysis._core.words import count, k_of_n, listed, say_instant, say_zone
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts, add_up, iso, records

FULL = 0.9  # share of scheduled starts that a period must show to be compared without a word of caution


def coverage_facts(analysis: Analysis, names: dict[str, str]) -> Facts:
    """Say what the logs could show of the period, and which schedules not to the full."""
    table, counts = analysis.coverage, analysis.cadence
    planned, unknown = (int(counts[name].sum()) for name in ("n_planned", "n_unknown"))
    gaps = _list_gaps(analysis, names)
    return {
        "n_schedules": len(names),
        "n_entries": int(table["n_entries"].sum()),
        "first_at": iso(table["first_at"].min()),
        "last_at": iso(table["last_at"].max()),
        "n_planned": planned,
        "n_observed": planned - unknown,
        "n_unknown": unknown,
        "observed_share": (planned - unknown) / planned if planned else None,
        "text": _say_observed(planned, unknown),
        "notes": [*_say_largest(gaps), *_list_notes(analysis)],
        "gaps": gaps,
    }


def _say_observed(planned: int, unknown: int) -> str:
    if not planned:
        return "Nothing was due."
    observed = f"{planned - unknown:,} of {count(planned, 'scheduled start')} could be observed"
    counts = "counts" if unknown == 1 else "count"
    return f"{observed}; the other {unknown:,} {counts} neither as up nor as down." if unknown else f"{observed}."


def comparison_facts(analysis: Analysis) -> Facts | None:
    """Say what the figures before are of, and whether that period could be seen well enough to compare with."""
    before, tz = analysis.previous, analysis.period.tz
    if before is None:
        return None
    unknown = add_up(analysis.previous_accounting, status="unknown")
    planned = unknown + add_up(analysis.previous_accounting, status=("on_time", "late", "missed"))
    caution = ""
    if planned and unknown > (1 - FULL) * planned:
        seen = k_of_n(planned - unknown, planned)
        caution = f"Only {seen} scheduled starts of {before.name} could be observed; compare with care."
    return {
        "name": before.name,
        "start": iso(before.start),
        "end": iso(before.end),
        "n_planned": planned,
        "n_unknown": unknown,
        "text": f"Compared with {before.name}: {say_instant(before.start, tz)} to {say_instant(before.end, tz)}.",
        "caution": caution,
    }


def _list_notes(analysis: Analysis) -> list[str]:
    period, end = analysis.period, analysis.data_end
    notes = []
    if end is not None and end < period.end:
        notes.append(f"The data ends on {say_instant(end, period.tz)} {say_zone(period.tz)}, before the period does.")
    empty = ~analysis.schedules["schedule_id"].isin(analysis.coverage["schedule_id"])
    if empty.any():
        notes.append(f"{count(int(empty.sum()), 'schedule')} had no entries at all.")
    if len(analysis.schedules) == 0 and len(analysis.coverage):
        notes.append("No definitions were given, so the crons are those that the entries themselves show.")
    if analysis.errors:
        named = listed(sorted(analysis.errors)[:3])
        notes.append(
            f"{count(len(analysis.errors), 'schedule')} could not be analysed, and no figure counts them: {named}."
        )
    return notes


def _say_largest(gaps: list[Facts]) -> list[str]:
    """Say of the schedule with the most unknown starts why they are; the others stand in a table."""
    if not gaps:
        return []
    first, n_others = gaps[0], len(gaps) - 1
    others = (
        f" {count(n_others, 'more schedule')} {'has' if n_others == 1 else 'have'} such starts." if n_others else ""
    )
    which = f"{first['n_unknown']:,} of them are" if n_others else "They are"
    return [f"{which} of {first['name']}: {first['text']}.{others}"]


def _list_gaps(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """List the schedules with starts that could not be seen, and why."""
    partly_seen = analysis.cadence[analysis.cadence["n_unknown"] > 0]
    partly_seen = partly_seen.sort_values(["n_unknown", "schedule_id"], ascending=[False, True])
    return [
        {
            "schedule_id": str(row["schedule_id"]),
            "name": names[str(row["schedule_id"])],
            "n_unknown": int(row["n_unknown"]),
            "n_planned": int(row["n_planned"]),
            "text": _say_why(str(row["schedule_id"]), analysis),
        }
        for row in records(partly_seen)
    ]


def _say_why(schedule_id: str, analysis: Analysis) -> str:
    period = analysis.period
    holes = analysis.holes[(analysis.holes["schedule_id"] == schedule_id).to_numpy()]
    definition = analysis.schedules[(analysis.schedules["schedule_id"] == schedule_id).to_numpy()]
    covered = analysis.coverage["schedule_id"].astype("str").eq(schedule_id).any()
    reasons = []
    started, ended = holes["started_at"], holes["ended_at"]
    cut = ended[started.isna() & ended.notna() & (ended > period.start)]
    inner = started.notna() & ended.notna() & (started < period.end) & (ended > period.start)
    after = started[started.notna() & ended.isna() & (started < period.end)]
    if len(cut):
        reasons.append(f"the log was cut off at the API's window; it begins on {say_instant(cut.iloc[0], period.tz)}")
    if inner.any():
        reasons.append(f"{count(int(inner.sum()), 'stretch', 'stretches')} between two fetches could not be seen")
    if definition.empty and len(analysis.schedules):
        reasons.append("it has no definition any more, so nothing is expected after its last entry")
    elif len(after):
        reasons.append(f"its log was not fetched after {say_instant(after.iloc[0], period.tz)}")
    if len(definition) and not bool(definition["is_enabled"].iloc[0]):
        reasons.append("it is switched off, and since when is not known")
    elif not covered:
        reasons.append("it ran, but its log was not read")
    return (
        "; ".join(reasons) or "the log could not tell at a change of the clock or of the definition, or so near its end"
    )
