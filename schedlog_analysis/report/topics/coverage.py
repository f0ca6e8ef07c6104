"""What was seen is the ground of every figure: which ticks the logs could show, of this period and the one before."""

from __future__ import annotations

from schedlog_analysis._core.words import count, k_of_n, listed, moment
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.values import Facts, iso, records

FULL = 0.9  # share of planned ticks that a period must show to be compared without a word of caution


def coverage_facts(analysis: Analysis, names: dict[str, str]) -> Facts:
    """Say what the logs could show of the period, and which schedules not to the full."""
    table, counts = analysis.coverage, analysis.cadence
    planned, unknown = (int(counts[name].sum()) for name in ("n_planned", "n_unknown"))
    told = f"{count(planned - unknown, 'tick')} of {planned:,} planned could be observed"
    told += (
        f"; the other {unknown:,} {'counts' if unknown == 1 else 'count'} neither as up nor as down."
        if unknown
        else "."
    )
    gaps = _gaps(analysis, names)
    return {
        "n_schedules": len(names),
        "n_entries": int(table["n_entries"].sum()),
        "first_at": iso(table["first_at"].min()),
        "last_at": iso(table["last_at"].max()),
        "n_planned": planned,
        "n_observed": planned - unknown,
        "n_unknown": unknown,
        "observed_share": (planned - unknown) / planned if planned else None,
        "text": told if planned else "No ticks were planned.",
        "notes": [*_largest(gaps), *_notes(analysis)],
        "gaps": gaps,
    }


def comparison_facts(analysis: Analysis) -> Facts | None:
    """Say what the figures before are of, and whether that period could be seen well enough to compare with."""
    before = analysis.previous
    if before is None:
        return None
    table = analysis.previous_accounting
    planned = int(table.loc[table["status"].isin(["on_time", "late", "missed", "unknown"]), "n"].sum())
    unknown = int(table.loc[table["status"] == "unknown", "n"].sum())
    caution = ""
    if planned and unknown > (1 - FULL) * planned:
        caution = (
            f"Only {k_of_n(planned - unknown, planned)} ticks of {before.name} could be observed; compare with care."
        )
    return {
        "name": before.name,
        "start": iso(before.start),
        "end": iso(before.end),
        "n_planned": planned,
        "n_unknown": unknown,
        "text": f"Compared with {before.name}: {moment(before.start, before.tz)} to {moment(before.end, before.tz)}.",
        "caution": caution,
    }


def _notes(analysis: Analysis) -> list[str]:
    period, end = analysis.period, analysis.data_end
    notes = []
    if end is not None and end < period.end:
        notes.append(f"The data ends on {moment(end, period.tz)} {period.tz}, before the period does.")
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


def _largest(gaps: list[Facts]) -> list[str]:
    """Say of the schedule with the most unseen ticks why that is so; the others stand in a table."""
    if not gaps:
        return []
    first, n_others = gaps[0], len(gaps) - 1
    others = f" {count(n_others, 'more schedule')} {'has' if n_others == 1 else 'have'} such ticks." if n_others else ""
    which = f"{first['n_unknown']:,} of them are" if n_others else "They are"
    return [f"{which} of {first['name']}: {first['text']}.{others}"]


def _gaps(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """List the schedules with ticks that could not be seen, and why."""
    blind = analysis.cadence[analysis.cadence["n_unknown"] > 0]
    blind = blind.sort_values(["n_unknown", "schedule_id"], ascending=[False, True])
    return [
        {
            "schedule_id": (one := str(row["schedule_id"])),
            "name": names[one],
            "n_unknown": int(row["n_unknown"]),
            "n_planned": int(row["n_planned"]),
            "text": _why(one, analysis),
        }
        for row in records(blind)
    ]


def _why(schedule_id: str, analysis: Analysis) -> str:
    period = analysis.period
    mine = analysis.holes[(analysis.holes["schedule_id"] == schedule_id).to_numpy()]
    definition = analysis.schedules[(analysis.schedules["schedule_id"] == schedule_id).to_numpy()]
    covered = analysis.coverage["schedule_id"].astype("str").eq(schedule_id).any()
    reasons = []
    started, ended = mine["started_at"], mine["ended_at"]
    cut = ended[started.isna() & ended.notna() & (ended > period.start)]
    inner = started.notna() & ended.notna() & (started < period.end) & (ended > period.start)
    after = started[started.notna() & ended.isna() & (started < period.end)]
    if len(cut):
        reasons.append(f"the log was cut off at the API's window; it begins on {moment(cut.iloc[0], period.tz)}")
    if inner.any():
        reasons.append(f"{count(int(inner.sum()), 'stretch', 'stretches')} between two fetches could not be seen")
    if definition.empty and len(analysis.schedules):
        reasons.append("it has no definition any more, so nothing is expected after its last entry")
    elif len(after):
        reasons.append(f"its log was not fetched after {moment(after.iloc[0], period.tz)}")
    if len(definition) and not bool(definition["is_enabled"].iloc[0]):
        reasons.append("it is switched off, and since when is not known")
    elif not covered:
        reasons.append("it ran, but its log was not read")
    return (
        "; ".join(reasons) or "the log could not tell at a change of the clock or of the definition, or so near its end"
    )
