"""A fleet is all schedules of the report, a row of facts each, worst first."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pandas as pd

from schedlog_analysis._core.words import clean, say
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.analysis.compare import compare
from schedlog_analysis.analysis.incidents.reliability import repairs
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import SchedlogError
from schedlog_analysis.report.topics.runs import outcomes_by_schedule
from schedlog_analysis.report.values import Facts, is_missing, iso, number, records, seconds, whole
from schedlog_analysis.schema import OUTCOMES, STATUSES

CONSOLE = "https://console.apify.com/schedules/"

# What is said of a schedule in a word, worst first.
STATES = ("down now", "incidents", "single failures", "not observed", "healthy", "nothing due")
QUIET = ("healthy", "nothing due")  # need no attention, and stand folded
MOST_CLUSTERS = 5  # named for one schedule
CLEAR_DRIFT = 1.0  # [s] over the whole period; less is of no consequence


def schedule_names(analysis: Analysis) -> dict[str, str]:
    """Give each schedule's name for people: its title, else its name, else its id; with the id where two are alike."""
    table = analysis.schedules
    named = table["title"].fillna("").str.strip()
    named = named.where(named != "", table["name"].astype("str").str.strip())
    known = dict(zip(table["schedule_id"].astype("str"), named, strict=True))
    everyone = {*known, *(str(one) for frame in _frames(analysis) for one in frame["schedule_id"])}
    names = {one: clean(known.get(one, one), 80) or one for one in everyone}
    told = list(names.values())
    return {one: name if told.count(name) == 1 else f"{name} ({one})" for one, name in names.items()}


def schedule_facts(analysis: Analysis, names: dict[str, str]) -> list[Facts]:
    """
    Say what is known of each schedule of the account.

    Parameters
    ----------
    analysis
        What was found.
    names
        See `schedule_names`.

    Returns
    -------
    facts
        One row per schedule: the worst state first, then the highest error rate. Durations are in seconds.
    """
    sources = _Sources(analysis)
    rows = [sources.row(one, name) for one, name in names.items()]
    rows.sort(key=_badness)
    return rows


class _Sources:
    """The tables that a schedule's row is taken from, by schedule."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        tables = {"cadence": analysis.cadence, "rates": analysis.rates, "before": analysis.previous_rates}
        tables |= {"coverage": analysis.coverage, "definition": analysis.schedules}
        clipped = _clipped(analysis)
        tables["repairs"] = repairs(clipped, analysis.observed)
        self.by_id = {name: _records(table) for name, table in tables.items()}
        self.incidents = _grouped(analysis.incidents)
        self.accounting = _grouped(analysis.accounting)
        self.outcomes = outcomes_by_schedule(analysis)
        self.changes = _changes(analysis)
        self.clusters = _grouped(analysis.failures_by_schedule)

    def row(self, schedule_id: str, name: str) -> Facts:
        """All facts of one schedule."""
        cadence, rates, before, coverage, definition, repaired = (
            self.by_id[table].get(schedule_id, {})
            for table in ("cadence", "rates", "before", "coverage", "definition", "repairs")
        )
        n, n_down = int(rates.get("n", 0)), int(rates.get("n_failed", 0))
        told: Facts = {"schedule_id": schedule_id, "name": name, "url": CONSOLE + quote(schedule_id, safe="~")}
        told |= self._definition(definition, cadence)
        counts = self._counts(schedule_id)
        told |= {
            "n": n,
            "n_down": n_down,
            "error_rate": number(rates.get("error_rate")),
            "low": number(rates.get("low")),
        }
        told |= {"high": number(rates.get("high")), "text": say(n_down, n), "previous": _previous(before)}
        told |= counts | _rhythm(cadence, self.analysis) | _repairs(repaired)
        told |= {"n_entries": int(coverage.get("n_entries", 0)), "first_at": iso(coverage.get("first_at"))}
        told |= {"last_at": iso(coverage.get("last_at")), "clusters": self._top_clusters(schedule_id)}
        told |= {"change": self.changes.get(schedule_id), "runs": self.outcomes.get(schedule_id)}
        return told | self._state(schedule_id, told, bool(definition))

    def _definition(self, definition: Facts, cadence: Facts) -> Facts:
        cron = definition.get("cron", cadence.get("cron"))
        tz = definition.get("timezone")
        return {
            "cron": None if cron is None or is_missing(cron) else clean(str(cron), 100),
            "cron_source": str(cadence.get("cron_source", "given" if definition else "none")),
            "cron_text": _described(cron, tz),
            "timezone": None if tz is None else clean(str(tz), 60),
            "is_enabled": None if not definition else bool(definition["is_enabled"]),
            "is_exclusive": None if not definition else bool(definition["is_exclusive"]),
            "n_actions": whole(definition.get("n_actions")),
            "created_at": iso(definition.get("created_at")),
            "modified_at": iso(definition.get("modified_at")),
        }

    def _counts(self, schedule_id: str) -> Facts:
        """Ticks by status, and by outcome those that an invocation answered or that were extra."""
        rows = self.accounting.get(schedule_id, [])
        statuses = {f"n_{name}": sum(row["n"] for row in rows if row["status"] == name) for name in STATUSES}
        counted = [row for row in rows if row["status"] in ("on_time", "late", "extra")]
        outcomes = {f"n_{name}": sum(row["n"] for row in counted if row["outcome"] == name) for name in OUTCOMES}
        planned = sum(statuses[f"n_{name}"] for name in ("on_time", "late", "missed", "unknown"))
        not_started = outcomes["n_failed"] + outcomes["n_partial"]
        return {"n_planned": planned} | statuses | outcomes | {"n_not_started": not_started}

    def _top_clusters(self, schedule_id: str) -> list[Facts]:
        rows = sorted(self.clusters.get(schedule_id, []), key=lambda row: (-row["n"], row["cluster_id"]))
        return [{"cluster_id": row["cluster_id"], "n": int(row["n"])} for row in rows[:MOST_CLUSTERS]]

    def _state(self, schedule_id: str, told: Facts, is_defined: bool) -> Facts:  # noqa: FBT001 - private
        mine = self.incidents.get(schedule_id, [])
        still = [row for row in mine if is_missing(row["ended_at"])]
        flags = []
        if told["is_enabled"] is False:
            flags.append("paused")
        if not is_defined and len(self.analysis.schedules):
            flags.append("no definition")
        period = self.analysis.period
        if period.name != "all data" and told["created_at"] is not None and told["created_at"] > str(iso(period.start)):
            flags.append("new")
        if any(row.get("is_flapping", False) for row in mine):
            flags.append("flapping")
        is_down = bool(still) and not {"paused", "no definition"} & set(flags)
        if is_down:
            state = "down now"
        elif told["n_down"]:
            state = "incidents" if mine else "single failures"
        elif told["n"]:
            state = "healthy"
        else:
            state = "not observed" if told["n_planned"] and "paused" not in flags else "nothing due"
        last = still[-1] if is_down else {}
        how = "has not run" if last.get("n_missed", 0) >= last.get("n_failed", 0) else "has been failing"
        return {
            "state": state,
            "flags": flags,
            "n_incidents": len(mine),
            "n_open": len(still),
            "down_since": iso(last.get("started_at")),
            "down_how": how if is_down else None,
        }


def _frames(analysis: Analysis) -> list[pd.DataFrame]:
    return [analysis.cadence, analysis.rates, analysis.coverage, analysis.incidents]


def _records(table: pd.DataFrame) -> dict[str, Facts]:
    return {str(row["schedule_id"]): row for row in records(table)}


def _grouped(table: pd.DataFrame) -> dict[str, list[Facts]]:
    groups: dict[str, list[Facts]] = {}
    for row in records(table):
        groups.setdefault(str(row["schedule_id"]), []).append(row)
    return groups


def _clipped(analysis: Analysis) -> pd.DataFrame:
    """Cut incidents to the period, so that their time adds up within it."""
    start, end, table = analysis.period.start, analysis.period.end, analysis.incidents
    ended = table["ended_at"].where(table["ended_at"] <= end)
    return table.assign(started_at=table["started_at"].where(table["started_at"] >= start, start), ended_at=ended)


def _described(cron: Any, tz: Any) -> str | None:  # noqa: ANN401 - text or missing
    if cron is None or is_missing(cron) or tz is None:
        return None
    try:
        return Cron(str(cron), str(tz)).describe()
    except SchedlogError:  # an archive may hold versions that were never valid
        return None


def _changes(analysis: Analysis) -> dict[str, str]:
    """Tell which schedules clearly got worse or better, of all of them together."""
    if analysis.previous is None or not (len(analysis.rates) and len(analysis.previous_rates)):
        return {}
    table = compare(analysis.rates, analysis.previous_rates, "schedule_id")
    return dict(zip(table["schedule_id"].astype("str"), table["change"].astype("str"), strict=True))


def _previous(before: Facts) -> Facts | None:
    n, n_down = int(before.get("n", 0)), int(before.get("n_failed", 0))
    if not n:
        return None
    return {"n": n, "n_down": n_down, "error_rate": n_down / n, "text": say(n_down, n)}


_DURATIONS = ("delay_median", "delay_p95", "delay_max", "delay_spread", "interval_median", "longest_gap", "offset")


def _rhythm(cadence: Facts, analysis: Analysis) -> Facts:
    days = max((analysis.period.end - analysis.period.start) / pd.Timedelta(days=1), 1.0)
    told: Facts = {name: seconds(cadence.get(name, pd.NaT)) for name in _DURATIONS}
    told |= {name: number(cadence.get(name)) for name in ("drift", "drift_low", "drift_high")}
    drift, low, high = told["drift"], told["drift_low"], told["drift_high"]
    is_clear = low is not None and high is not None and low * high > 0 and abs(drift) * days / 1000 >= CLEAR_DRIFT
    told["is_drifting"] = is_clear
    told["n_ambiguous"] = int(cadence.get("n_ambiguous", 0))
    told["longest_gap_ticks"] = int(cadence.get("longest_gap_ticks", 0))
    return told


def _repairs(repairs: Facts) -> Facts:
    return {name: seconds(repairs.get(name, pd.NaT)) for name in ("downtime", "mttr", "mtbf")}


def _badness(row: Facts) -> tuple[Any, ...]:
    return STATES.index(row["state"]), -(row["error_rate"] or 0), -row["n_down"], row["name"], row["schedule_id"]
