"""Figures are the few numbers to remember, each with its n, its interval and what it was before."""

from __future__ import annotations

import pandas as pd

from schedlog_analysis._core.words import NONE, SMALL, count, duration, interval, k_of_n, percent, say
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.compare import compare
from schedlog_analysis.analysis.rates import average_error_rate, wilson, with_rates
from schedlog_analysis.report.document import Cell, Tile, Tiles
from schedlog_analysis.report.values import ANSWERED, KNOWN, Facts, add_up, number, seconds
from schedlog_analysis.schema import NOT_STARTED

Ratio = tuple[int, int]  # k of n


def figure_facts(analysis: Analysis) -> dict[str, Facts]:
    """
    Give the few figures to remember, by id, in the order in which they are shown.

    Shares have `k` and `n`; what was before stands under `previous`, None where there is nothing to compare with.
    """
    now, before = (_count_ratios(table) for table in (analysis.accounting, analysis.previous_accounting))
    late = f"that started, by more than {duration(analysis.grace)}"
    shares = (
        ("up_rate", "Availability", "scheduled starts that count"),
        ("missed_rate", "Missed", "scheduled starts that were due and could be seen"),
        ("failed_rate", "Failed to start", "starts that were tried and count"),
        ("late_rate", "Late", late),
    )
    figures = {name: _share(label, now[name], before[name], of_what) for name, label, of_what in shares}
    figures |= {"n_incidents": _incident_figure(analysis), "average_up_rate": _typical_figure(analysis)}
    changes = _compare(figures)
    for name, figure in figures.items():
        figure["change"] = changes.get(name)
        figure["change_text"] = None if analysis.previous is None else _say_change(figure, analysis.previous.name)
    return figures


def _count_ratios(accounting: pd.DataFrame) -> dict[str, Ratio]:
    """Count k and n of each share."""
    up, down = (add_up(accounting, counted_as=verdict) for verdict in ("up", "down"))
    planned = accounting[accounting["status"].isin(["on_time", "late", "missed"])]
    return {
        "up_rate": (up, up + down),
        "missed_rate": (add_up(planned, reason="missed"), add_up(planned, reason=KNOWN)),
        "failed_rate": (
            add_up(accounting, counted_as="down", reason=NOT_STARTED),
            add_up(accounting, counted_as=("up", "down"), reason=ANSWERED),
        ),
        "late_rate": (add_up(planned, status="late"), add_up(planned, status=("on_time", "late"))),
    }


def _share(label: str, now: Ratio, before: Ratio, of_what: str) -> Facts:
    (k, n), (k_before, n_before) = now, before
    low, high = (float(bound) for bound in wilson(k, n))
    text, text_before = say(k, n), say(k_before, n_before)
    earlier = {"k": k_before, "n": n_before, "value": k_before / n_before, "text": text_before} if n_before else None
    figure: Facts = {"label": label, "value": k / n if n else None, "k": k, "n": n, "low": number(low)}
    figure |= {"high": number(high), "text": text, "previous": earlier}
    if not n:
        return figure | {"headline": NONE, "of_what": "nothing was due", "note": ""}
    is_small = n < SMALL
    figure |= {"headline": k_of_n(k, n) if is_small else percent(k / n)}
    figure |= {"of_what": of_what if is_small else f"{k_of_n(k, n)} {of_what}"}
    return figure | {"note": f"95 % interval {interval(low, high)}"}


def _incident_figure(analysis: Analysis) -> Facts:
    table, n_before = analysis.incidents, len(analysis.previous_incidents)
    n, n_open, is_due = len(table), int(table["ended_at"].isna().sum()), bool(analysis.rates["n"].sum())
    lengths = table["duration"].dropna()
    mean = pd.Timedelta(lengths.mean()) if len(lengths) else pd.NaT
    notes = [f"{n_open:,} still open" if n_open else "none open"] if n else []
    notes += [f"mean time to repair {duration(mean)}"] if len(lengths) else []
    return {
        "label": "Incidents",
        "value": n,
        "n_open": n_open,
        "mean_duration": seconds(mean),
        "headline": f"{n:,}" if is_due or n else NONE,
        "text": f"{n:,}",
        "of_what": "stretches in which a schedule was down" if is_due else "nothing was due",
        "note": "; ".join(notes),
        "previous": None if analysis.previous is None else {"value": n_before, "text": f"{n_before:,}"},
    }


def _typical_figure(analysis: Analysis) -> Facts:
    rates, before = analysis.rates, analysis.previous_rates
    value, earlier = (number(1 - average_error_rate(table)) for table in (rates, before))
    n, n_before = (int((table["n"] > 0).sum()) for table in (rates, before))
    figure: Facts = {"label": "A typical schedule", "value": value, "n": n}
    figure |= {"text": f"{percent(value)} (mean of {count(n, 'schedule')})" if n else "nothing was due"}
    figure |= {"previous": {"value": earlier, "n": n_before, "text": percent(earlier)} if n_before else None}
    if rates["n"].sum() < SMALL:  # a mean of so few would pass for more than it is
        few = "too few scheduled starts to say" if n else "nothing was due"
        return figure | {"headline": NONE, "of_what": few, "note": ""}
    of_what = f"availability, mean of {count(n, 'schedule')}"
    return figure | {"headline": percent(value), "of_what": of_what, "note": "each schedule weighs the same"}


def _compare(figures: dict[str, Facts]) -> dict[str, str]:
    """Tell for each share whether it clearly changed; for that, all of them count what is bad."""
    shares = {name: row for name, row in figures.items() if "k" in row and row["previous"] is not None}
    if not shares:
        return {}
    table = compare(_rates(shares), _rates({name: row["previous"] for name, row in shares.items()}), "id")
    return dict(zip(table["id"].astype("str"), table["change"].astype("str"), strict=True))


def _rates(shares: dict[str, Facts]) -> pd.DataFrame:
    n_bad = [row["n"] - row["k"] if name == "up_rate" else row["k"] for name, row in shares.items()]
    ids, n = pd.Series(list(shares), dtype="str"), [row["n"] for row in shares.values()]
    return with_rates(pd.DataFrame({"id": ids, "window_start": pd.NaT, "n": n, "n_failed": n_bad}), ["id"])


def _say_change(figure: Facts, name: str) -> str | None:
    """Say what it was before, and whether that differs by more than chance."""
    if figure["previous"] is None:
        return None
    before, change = f"{name}: {figure['previous']['text']}", figure["change"]
    return before if change in (None, "nothing to compare") else f"{change.capitalize()}; {before}"


def tiles(facts: Facts) -> Tiles:
    """Show the figures to remember."""
    return Tiles([_tile(name, figure) for name, figure in facts["figures"].items()])


def _tile(name: str, figure: Facts) -> Tile:
    lines = [line for line in (figure["of_what"], figure["note"], figure["change_text"]) if line]
    return Tile(figure["label"], Cell(figure["headline"], f"figures/{name}/value", figure["value"]), lines)
