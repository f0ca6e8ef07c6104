"""
An incident is a stretch in which one schedule is down: it did not run, or what it ran failed, again and again.

Across schedules, incidents of the same problem at the same time are one fleet incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, encode
from schedlog_analysis._core.instants import FOREVER, MISSING, Int64, duration_ms, to_durations, to_instants, to_ms
from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.analysis.counted import Counted, read_counted
from schedlog_analysis.analysis.failures.causes import MISSED, RULES, Rule
from schedlog_analysis.analysis.failures.clusters import label_messages, labelled
from schedlog_analysis.matching.policy import AccountingPolicy, instants, judged
from schedlog_analysis.schema import Incidents, Invocations, Schedules, Ticks

MIN_RECOVERIES: Final = 2  # times that a flapping incident seemed over


class Stretches(NamedTuple):
    """Rows of the first and of the last tick of each stretch that is down, sorted."""

    first: Int64
    last: Int64


def incidents(
    ticks: pd.DataFrame,
    invocations: pd.DataFrame | None = None,
    *,
    policy: AccountingPolicy | None = None,
    open_after: int | None = None,
    close_after: int | None = None,
    schedules: pd.DataFrame | None = None,
    seen_until: Mapping[str, pd.Timestamp] | None = None,
    rules: Sequence[Rule] = RULES,
) -> pd.DataFrame:
    """
    Find the incidents of each schedule: from its first tick that is down to the first good one after it.

    An incident opens with two ticks counted down in a row, or with one when it took six hours or more until the next
    good one. It closes with the first of two good ticks in a row, or when the schedule was switched off or deleted;
    else it is open. What the policy leaves out neither opens nor closes one. The numbers are the policy's `open_after`,
    `open_for` and `close_after`.

    Parameters
    ----------
    ticks
        Ticks of any number of schedules, see `schema.Ticks`.
    invocations
        Their invocations, for cluster, cause and example; without them these are missing for failed ticks.
    policy
        What counts as down, and when an incident opens and closes. By default, the judgement that the ticks bring
        along, and the numbers of `AccountingPolicy()`.
    open_after, close_after
        Other numbers than the policy's.
    schedules
        Their definitions, see `schema.Schedules`: one that is switched off, or has none while others do, is not down
        any more.
    seen_until
        Until when the log of each schedule is known; by default, until its last tick.
    rules
        Rules for the causes, see `find_causes`.

    Returns
    -------
    incidents
        See `schema.Incidents`, sorted by schedule and start; `is_flapping` tells whether it seemed over at least
        twice. Cluster, cause and example are those of most of its messages; when most of its ticks were
        missed, the cause is `missed` and there is no message. Empty if nothing was down.

    Raises
    ------
    ConfigError
        If a number of ticks is less than 1.

    Examples
    --------
    >>> hours = pd.date_range("2026-01-01", periods=12, freq="h", tz="UTC")
    >>> ticks = pd.DataFrame({
    ...     "schedule_id": "a", "planned_at": hours, "invoked_at": hours, "delay": pd.Timedelta(0), "status": "on_time",
    ...     "outcome": ["ok"] * 5 + ["failed"] * 4 + ["ok"] * 3, "is_ambiguous": False})
    >>> incidents(Ticks.cast(ticks))[["n_ticks", "duration"]].values.tolist()
    [[4, Timedelta('0 days 04:00:00')]]
    """
    inv = Invocations.empty() if invocations is None else Invocations.accept(invocations)
    rule = policy or AccountingPolicy()
    rule = rule if open_after is None else replace(rule, open_after=open_after)
    rule = rule if close_after is None else replace(rule, close_after=close_after)
    ticks = judged(Ticks.accept(ticks) if policy else ticks, policy)
    found, downs = find_incidents(ticks, inv, rule, schedules=schedules, seen_until=seen_until)
    texts = pd.Index(encode(downs["message"].dropna())[1], dtype="str")
    return explain(found, downs, label_messages(texts, rules).set_axis(texts))


def find_incidents(
    ticks: pd.DataFrame,
    invocations: pd.DataFrame,
    rule: AccountingPolicy,
    *,
    schedules: pd.DataFrame | None = None,
    seen_until: Mapping[str, pd.Timestamp] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Find incidents as `incidents` does, and the single ticks that are down, without saying what their messages mean.

    That takes the messages of all schedules, so parts of an account leave it to `explain`.

    Parameters
    ----------
    ticks
        Judged ticks, see `schema.JudgedTicks`.
    invocations, schedules, seen_until
        As of `incidents`.
    rule
        When an incident opens and closes; the judgement is that of the ticks.

    Returns
    -------
    incidents, downs
        `schema.Incidents` without cluster, cause and example; and one row per tick that is down: schedule_id, instant
        (when it was planned, or else invoked), invoked_at, recovered_at (next good tick; missing if there is none),
        reason, message (empty where none was logged, missing where nothing was invoked) and incident_id (missing
        outside of incidents).

    Examples
    --------
    >>> judged_ticks = AccountingPolicy().judge(Ticks.empty())
    >>> [table.empty for table in find_incidents(judged_ticks, Invocations.empty(), AccountingPolicy())]
    [True, True]
    """
    counted = read_counted(ticks)
    until = _find_ends(ticks, counted, seen_until)
    spans = _find_stretches(counted, rule, until)
    ended = _close(counted, spans, rule, _find_retirements(counted, schedules, until))
    return _measure(counted, spans, ended), _list_downs(counted, spans, invocations)


def _find_ends(ticks: pd.DataFrame, counted: Counted, seen_until: Mapping[str, pd.Timestamp] | None) -> Int64:
    """Tell until when each schedule is known: as given, else until its last row, whatever that counts as."""
    ids = counted.schedule_ids
    last = pd.Series(instants(ticks)).groupby(pd.Index(ticks["schedule_id"]).astype("str")).max().reindex(ids)
    ends = last.fillna(MISSING).to_numpy(dtype=np.int64)
    if seen_until:
        given = pd.DatetimeIndex([seen_until.get(schedule_id, pd.NaT) for schedule_id in ids], tz="UTC")
        ends = np.where(given.isna(), ends, to_ms(given))
    return ends


def _find_stretches(counted: Counted, rule: AccountingPolicy, until: Int64) -> Stretches:
    """Debounce: cut the down ticks where enough good ones follow each other, keep the pieces that open an incident."""
    schedule, down = counted.schedule, np.flatnonzero(counted.is_down)
    apart = (down[1:] - down[:-1] > rule.close_after) | (schedule[down[1:]] != schedule[down[:-1]])
    piece = np.concatenate([np.zeros(min(len(down), 1), dtype=np.int64), np.cumsum(apart)])
    opens = _are_in_a_row(counted, down, rule.open_after)
    opens |= _find_recovery(counted, down, until) - counted.instant[down] >= duration_ms(rule.open_for, "open_for")
    opened, which = np.unique(piece[opens], return_index=True)
    last = np.searchsorted(piece, opened, side="right") - 1
    return Stretches(down[opens][which], down[last])


def _are_in_a_row(counted: Counted, down: Int64, n: int) -> Mask:
    """Tell which down ticks begin a row of n of one schedule."""
    ends = np.arange(len(down)) + n - 1
    is_there = ends < len(down)
    last = down[np.where(is_there, ends, 0)]
    return np.asarray(is_there & (last == down + n - 1) & (counted.schedule[last] == counted.schedule[down]))


def _find_recovery(counted: Counted, rows: Int64, until: Int64) -> Int64:
    """Give the instant of the next good tick after some rows; where there is none, until when the schedule is known."""
    good = np.flatnonzero(~counted.is_down)
    place = np.searchsorted(good, rows)
    after = np.append(good, 0)[place]
    is_there = place < len(good)
    if not len(good):
        return until[counted.schedule[rows]]
    is_there &= counted.schedule[after] == counted.schedule[rows]
    return np.where(is_there, counted.instant[after], until[counted.schedule[rows]])


def _close(counted: Counted, spans: Stretches, rule: AccountingPolicy, retired: Int64) -> Int64:
    """Give the end of each stretch: the first good tick, or when its schedule retired; MISSING while it is open."""
    schedule = counted.schedule
    end = np.searchsorted(schedule, schedule[spans.last], side="right")  # the row after the schedule's last
    following = spans.last + 1
    next_down = np.append(np.flatnonzero(counted.is_down), len(schedule))
    until_down = np.minimum(next_down[np.searchsorted(next_down, following)], end)
    is_closed = until_down - following >= rule.close_after
    ended = np.full(len(spans.last), MISSING)
    ended[is_closed] = counted.instant[following[is_closed]]
    off = retired[schedule[spans.last]]
    is_off = ~is_closed & (off != MISSING)
    ended[is_off] = np.maximum(off, counted.instant[spans.last] + 1)[is_off]
    return ended


def _find_retirements(counted: Counted, schedules: pd.DataFrame | None, until: Int64) -> Int64:
    """Tell since when each schedule is switched off, or known to be gone; MISSING where it is not."""
    ids = counted.schedule_ids
    if schedules is None or schedules.empty:
        return np.full(len(ids), MISSING)
    newest = Schedules.accept(schedules).sort_values("modified_at").drop_duplicates("schedule_id", keep="last")
    newest = newest.set_index("schedule_id").reindex(pd.Index(ids, dtype="str"))
    is_off = (newest["is_enabled"] == False).to_numpy(dtype=bool)  # noqa: E712 - missing where there is none
    is_gone = newest["modified_at"].isna().to_numpy()
    return np.select([is_off, is_gone], [to_ms(newest["modified_at"]), until], MISSING)


def explain(incidents: pd.DataFrame, downs: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """
    Give each incident the cluster, cause and example of most of its messages; `missed` if most of it was silence.

    Parameters
    ----------
    incidents, downs
        See `find_incidents`.
    labels
        What `label_messages` says of the messages, indexed by them.
    """
    sizes = downs.dropna(subset=["incident_id", "message"]).groupby(["incident_id", "message"]).size()
    votes = labelled(sizes.reset_index(name="n"), labels).astype({"cluster_id": "str", "message": "str"})
    votes["n_cluster"] = votes.groupby(["incident_id", "cluster_id"])["n"].transform("sum")
    votes = votes.sort_values(["n_cluster", "n", "cluster_id", "message"], ascending=[False, False, True, True])
    chosen = votes.drop_duplicates("incident_id").set_index("incident_id").reindex(incidents["incident_id"])
    chosen = chosen.reset_index(drop=True)
    is_silent = (incidents["n_missed"] > incidents["n_failed"]).reset_index(drop=True)
    own = {
        "cluster_id": chosen["cluster_id"].astype("str").mask(is_silent),
        "cause": chosen["cause"].astype("str").mask(is_silent, MISSED),
        "example": redact_texts(chosen["message"].astype("str")).mask(is_silent),
    }
    return Incidents.typed(incidents.reset_index(drop=True).assign(**own, problem_id=None))


def fleet_incidents(incidents: pd.DataFrame, *, min_schedules: int = 2) -> pd.DataFrame:
    """
    Find the incidents that several schedules shared: the same problem at the same time.

    Two incidents belong together when they overlap in time and have the same failure cluster, or both were silent; so
    do two that a third one links. Incidents whose problem is not known are left out.

    Parameters
    ----------
    incidents
        Incidents of any number of schedules, see `schema.Incidents`.
    min_schedules
        Schedules that a fleet incident hits at least.

    Returns
    -------
    fleet_incidents
        One row per fleet incident: fleet_incident_id, started_at, ended_at (missing while one is open), duration,
        n_schedules, schedules (their ids, sorted, with commas), n_incidents, n_ticks, n_failed, n_missed, cluster_id,
        cause and example. Sorted by start; empty if nothing was shared.

    Examples
    --------
    >>> fleet_incidents(Incidents.empty()).columns[:3].tolist()
    ['fleet_incident_id', 'started_at', 'ended_at']
    """
    table = Incidents.accept(incidents)
    table = table[table["cause"].notna().to_numpy()]
    problem, _ = encode(table["cluster_id"].astype("str").fillna(MISSED))
    started, ended = to_ms(table["started_at"]), to_ms(table["ended_at"])
    until = np.where(ended == MISSING, FOREVER, ended)
    order = np.lexsort((until, started, problem))
    table, problem, started, until = table.iloc[order], problem[order], started[order], until[order]
    # Sorted by start, an incident begins a new group unless one before it of the same problem still lasts.
    before = pd.Series(until).groupby(problem).cummax().groupby(problem).shift(fill_value=-FOREVER)
    group = np.cumsum(started >= before.to_numpy()) - 1
    rows = table.assign(group=group, until=until).sort_values(["group", "schedule_id", "started_at"])
    groups = rows.groupby("group")
    shared = groups[["cluster_id", "cause", "example"]].first()
    shared["schedules"] = rows.drop_duplicates(["group", "schedule_id"]).groupby("group")["schedule_id"].agg(",".join)
    shared[["n_ticks", "n_failed", "n_missed"]] = groups[["n_ticks", "n_failed", "n_missed"]].sum()
    shared["n_incidents"], shared["n_schedules"] = groups.size(), groups["schedule_id"].nunique()
    shared["started_at"], shared["until"] = groups["started_at"].min(), groups["until"].max()
    return _fleet_table(shared[shared["n_schedules"] >= min_schedules])


def _fleet_table(shared: pd.DataFrame) -> pd.DataFrame:
    is_open = (shared["until"] == FOREVER).to_numpy()
    started, until = to_ms(shared["started_at"]), shared["until"].to_numpy()
    problem = shared["cluster_id"].fillna(MISSED)
    counts = ["n_schedules", "schedules", "n_incidents", "n_ticks", "n_failed", "n_missed"]
    table = pd.DataFrame(
        {
            "fleet_incident_id": pd.Series(map(_id, problem, started), index=shared.index, dtype="str"),
            "started_at": shared["started_at"],
            "ended_at": to_instants(np.where(is_open, MISSING, until)),
            "duration": to_durations(np.where(is_open, MISSING, until - started)),
        }
    )
    return pd.concat([table, shared[[*counts, "cluster_id", "cause", "example"]]], axis=1).sort_values(
        ["started_at", "fleet_incident_id"], ignore_index=True
    )


def _measure(counted: Counted, spans: Stretches, ended: Int64) -> pd.DataFrame:
    started = counted.instant[spans.first]
    schedule_ids = counted.schedule_ids.take(counted.schedule[spans.first])
    pairs = zip(schedule_ids, started, strict=True)
    return pd.DataFrame(
        {
            "incident_id": pd.Series([_id(schedule_id, at) for schedule_id, at in pairs], dtype="str"),
            "schedule_id": pd.Series(schedule_ids, dtype="str"),
            "started_at": to_instants(started),
            "ended_at": to_instants(ended),
            "duration": to_durations(np.where(ended == MISSING, MISSING, ended - started)),
            "n_ticks": spans.last - spans.first + 1,
            "n_failed": _count(counted.is_down & ~counted.is_missed, spans),
            "n_missed": _count(counted.is_down & counted.is_missed, spans),
            "is_flapping": _count_recoveries(counted.is_down, spans) >= MIN_RECOVERIES,
        }
    )


def _id(what: str, started: int) -> str:
    return blake2b(f"{what} {started}".encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _count(mask: Mask, spans: Stretches) -> Int64:
    rows = np.flatnonzero(mask)
    return np.searchsorted(rows, spans.last, side="right") - np.searchsorted(rows, spans.first)


def _count_recoveries(is_down: Mask, spans: Stretches) -> Int64:
    """Count the times that it turned good inside a stretch."""
    return _count(~is_down & np.append(False, is_down)[:-1], spans)


def _list_downs(counted: Counted, spans: Stretches, invocations: pd.DataFrame) -> pd.DataFrame:
    """List the ticks that are down, with what was logged of them and the incident that they belong to."""
    row = np.flatnonzero(counted.is_down)
    stretch = np.searchsorted(spans.first, row, side="right") - 1
    is_inside = (stretch >= 0) & (row <= np.append(spans.last, -1)[stretch])
    began = np.append(spans.first, 0)[np.where(is_inside, stretch, -1)]
    owners = pd.Series(counted.schedule_ids.take(counted.schedule[row]), dtype="str")
    pairs = zip(owners, counted.instant[began], is_inside, strict=True) if len(counted.instant) else ()
    downs = pd.DataFrame(
        {
            "schedule_id": owners,
            "instant": to_instants(counted.instant[row]),
            "invoked_at": to_instants(counted.invoked[row]),
            "recovered_at": to_instants(_find_recovery(counted, row, np.full(len(counted.schedule_ids), MISSING))),
            "reason": counted.reason.take(row),
            "incident_id": pd.Series([_id(key, at) if inside else None for key, at, inside in pairs], dtype="str"),
        }
    )
    return _add_messages(downs, invocations)


def _add_messages(downs: pd.DataFrame, invocations: pd.DataFrame) -> pd.DataFrame:
    """Add what the invocations of down ticks logged: an empty text for nothing, none where it is not known."""
    keys = ["schedule_id", "invoked_at"]
    is_silent = invocations["n_errors"].eq(0).to_numpy()
    message = invocations["message"].astype("str").fillna("").mask(is_silent, "")
    inv = invocations[keys].astype({"schedule_id": "str"}).assign(message=message, is_silent=is_silent)
    inv = inv.sort_values("is_silent", kind="stable").drop_duplicates(keys).drop(columns="is_silent")
    return downs.merge(inv, on=keys, how="left")
