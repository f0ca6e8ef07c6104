"""A calendar shows on which days and at which hours of the week starts failed or were missed."""

from __future__ import annotations

from schedlog_analysis._core.words import NONE, count, percent, say, say_day, say_zone, whole_number
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Block, Cell, Column, Picture, Section, Table, cell, place
from schedlog_analysis.report.values import Facts, iso, number, records

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_DAYS = 62  # rows of a table; beyond, a sentence counts the rest


def day_facts(analysis: Analysis) -> list[Facts]:
    """List the local days of the period with what counted and what of it was down."""
    rows = []
    for row in records(analysis.daily):
        local = row["window_start"].tz_convert(analysis.period.tz)
        day = {"day": f"{local:%Y-%m-%d}", "day_text": say_day(local), "starts_at": iso(local)}
        rows.append(day | _rate(row))
    return rows


def hour_facts(analysis: Analysis) -> list[Facts]:
    """List the local hours of the week in which something was due."""
    table = analysis.clock[analysis.clock["n"] > 0]
    return [{"weekday": int(row["weekday"]), "hour": int(row["hour"]), **_rate(row)} for row in records(table)]


def _rate(row: Facts) -> Facts:
    n, n_down = int(row["n"]), int(row["n_failed"])
    shares = {name: number(row[name]) for name in ("error_rate", "low", "high")}
    return {"n": n, "n_down": n_down} | shares | {"text": say(n_down, n)}


def calendar_section(facts: Facts) -> Section | None:
    """Show on which days and at which hours it happened, in the report's zone."""
    days, hours = facts["days"], facts["hours"]
    if not hours:
        return None
    bad = [row for row in days if row["n_down"]]
    if not bad:
        return Section("calendar", "When", [f"Nothing failed or was missed on any of {count(len(days), 'day')}."])
    worst = max(bad, key=lambda row: (row["error_rate"], row["n_down"]))
    hour = max(hours, key=lambda row: (row["n_down"], row["error_rate"]))
    zone = say_zone(facts["period"]["tz"])
    when = f"{DAYS[hour['weekday']]} {hour['hour']:02}:00 ({zone})"
    sentences = [
        f"On {len(bad):,} of {count(len(days), 'day')} something failed or was missed.",
        f"The worst day was {worst['day_text']}, with {worst['text']}.",
        f"The worst hour of the week was {when}, with {hour['text']}.",
    ]
    blocks: list[Block] = [
        Picture("calendar", "Failed or missed by day", sentences[1], _day_table(bad, len(days) - len(bad))),
        Picture("hours", "Failed or missed by hour and weekday", sentences[2], _hour_table(hours, zone)),
    ]
    if len(days) > 1:
        blocks.append(Picture("days", "Share that failed or was missed by day, with its 95 % interval", sentences[1]))
    return Section("calendar", "When", sentences, blocks)


def _day_table(bad: list[Facts], n_good: int) -> Table:
    worst = sorted(bad, key=lambda row: (-row["error_rate"], row["day"]))[:MOST_DAYS]
    left = len(bad) - len(worst)
    notes = [f"{left:,} days with lower shares are not listed."] if left else []
    notes += [f"On {count(n_good, 'other day')} there were none."] if n_good else []
    columns = (Column("Day", "time"), *(Column(label, "number") for label in ("Failed or missed", "Of", "Share")))
    rows = [_day_row(row) for row in sorted(worst, key=lambda row: row["day"])]
    return Table("day-table", "Days with failed or missed starts", columns, rows, note=" ".join(notes))


def _day_row(row: Facts) -> tuple[Cell, ...]:
    path = place("days", row["day"])
    counts = (cell(path, row, key, whole_number) for key in ("n_down", "n"))
    return (Cell(row["day_text"]), *counts, cell(path, row, "error_rate", percent))


def _hour_table(hours: list[Facts], zone: str) -> Table:
    known = {(row["weekday"], row["hour"]): row for row in hours}
    rows = [
        (Cell(f"{hour:02}:00"), *(_hour_cell(known.get((weekday, hour))) for weekday in range(len(DAYS))))
        for hour in range(24)
    ]
    columns = (Column("Hour", "time"), *(Column(day[:3], "number") for day in DAYS))
    return Table("hour-table", f"Failed or missed of all that counts, by hour ({zone})", columns, rows)


def _hour_cell(row: Facts | None) -> Cell:
    if row is None:
        return Cell(NONE)
    path = place("hours", f"{row['weekday']}-{row['hour']}", "n_down")
    return Cell(f"{row['n_down']:,}/{row['n']:,}", path, row["n_down"])
