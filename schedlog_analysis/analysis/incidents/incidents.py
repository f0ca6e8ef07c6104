"""
An incident is a stretch of bad ticks of one schedule: it did not run, or what it ran failed, again and again.

Across schedules, incidents of the same problem at the same time are one fleet incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import Mask, among, encode
from schedlog_analysis._core.instants import FOREVER, MISSING, Int64, to_durations, to_instants, to_ms
from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.analysis.failures.causes import MISSED, RULES, Rule
from schedlog_analysis.analysis.failures.clusters import label_messages, labelled
from schedlog_analysis.analysis.incidents.stretches import Stretches, find_streaks, find_unlikely
from schedlog_analysis.analysis.trials import Trials, read_trials
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.schema import NOT_STARTED, Incidents, Invocations, Ticks

MIN_BAD: Final = 3  # bad ticks that an incident has at least, unless `open_after` says otherwise
CLOSE_AFTER: Final = 4  # good ticks in a row that end an incident; one that is 80 % bad has as many once in 600 ticks
MIN_RECOVERIES: Final = 2  # times that a flapping incident seemed over


def incidents(
    ticks: pd.DataFrame,
    invocations: pd.DataFrame | None = None,
    *,
    open_after: int | None = None,
    close_after: int | None = None,
    false_alarm: float = 0.05,
    include_partial: bool = False,
    rules: Sequence[Rule] = RULES,
) -> pd.DataFrame:
    """
    Find the incidents of each schedule: from the first bad tick to the first good one after it.

    A tick is bad when it was missed or its invocation failed. Unknown ticks neither open nor close an incident;
    duplicate, extra and manual invocations are left out.

    By default 3 bad ticks in a row open an incident, and more where the schedule often fails anyway: so many that
    chance alone would make fewer than `false_alarm` incidents in the whole log of the schedule. (At 5 % that is 4 in
    a row in a month of hours: 3 in a row happen by chance once a year.) A short recovery does not end an incident when
    the bad ticks on both of its sides outweigh it, and a single bad tick beside an incident does not prolong it;
    `close_after` good ticks in a row always end it. `stretches.find_unlikely` gives the arithmetic.

    With `open_after` the rule is plain counting instead: that many bad ticks in a row open an incident, `close_after`
    good ones in a row close it, chance or not.

    Parameters
    ----------
    ticks
        Ticks of any number of schedules, see `schema.Ticks`.
    invocations
        Their invocations, for cluster, cause and example; without them these are missing for failed ticks.
    open_after
        Bad ticks in a row that open an incident; if not given, chance decides.
    close_after
        Good ticks in a row that close it: 4 if not given, with `open_after` 1.
    false_alarm
        How many incidents chance may make in one schedule, on average; not used with `open_after`.
    include_partial
        Count a tick as bad when only some of its actions failed.
    rules
        Rules for the causes, see `find_causes`.

    Returns
    -------
    incidents
        See `schema.Incidents`, sorted by schedule and start; `is_flapping` tells whether it seemed over at least
        twice. Cluster, cause and example are those of most of its messages; when most of its ticks were
        missed, the cause is `missed` and there is no message. Empty if nothing was bad.

    Raises
    ------
    ConfigError
        If a rule of opening or closing is less than 1, or `false_alarm` is not above 0.

    Examples
    --------
    >>> hours = pd.date_range("2026-01-01", periods=12, freq="h", tz="UTC")
    >>> ticks = pd.DataFrame({
    ...     "schedule_id": "a", "planned_at": hours, "invoked_at": hours, "delay": pd.Timedelta(0), "status": "on_time",
    ...     "outcome": ["ok"] * 5 + ["failed"] * 4 + ["ok"] * 3, "is_ambiguous": False})
    >>> incidents(Ticks.cast(ticks))[["n_ticks", "duration"]].values.tolist()
    [[4, Timedelta('0 days 04:00:00')]]
    """
    told = Invocations.empty() if invocations is None else Invocations.accept(invocations)
    options: dict[str, Any] = {"open_after": open_after, "close_after": close_after, "false_alarm": false_alarm}
    found, messages = find_incidents(ticks, told, **options, include_partial=include_partial)
    texts = pd.Index(encode(_failed(told)["message"])[1], dtype="str")
    return explain(found, messages, label_messages(texts, rules).set_axis(texts))


def find_incidents(
    ticks: pd.DataFrame,
    invocations: pd.DataFrame,
    *,
    open_after: int | None = None,
    close_after: int | None = None,
    false_alarm: float = 0.05,
    include_partial: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Find incidents as `incidents` does, and what was told in them, without saying what it means.

    That takes the messages of all schedules, so parts of a fleet leave it to `explain`.

    Returns
    -------
    incidents, messages
        `schema.Incidents` without cluster, cause and example; and incident_id, message and n, the number of bad ticks
        of the incident with that message.

    Examples
    --------
    >>> [table.empty for table in find_incidents(Ticks.empty(), Invocations.empty())]
    [True, True]
    """
    _check(open_after, close_after, false_alarm)
    trials = read_trials(Ticks.accept(ticks), include_partial=include_partial)
    known = np.flatnonzero(trials.is_known)
    schedule, is_bad = trials.schedule[known], trials.is_bad[known]
    if open_after is None:
        found = find_unlikely(schedule, is_bad, close_after or CLOSE_AFTER, false_alarm, MIN_BAD)
    else:
        found = find_streaks(schedule, is_bad, open_after, close_after or 1)
    spans = Stretches(known[found.first], known[found.last])
    table = _measure(trials, spans).assign(is_flapping=_recoveries(is_bad, found) >= MIN_RECOVERIES)
    return table, _told(trials, spans, table["incident_id"], _failed(Invocations.accept(invocations)))


def explain(incidents: pd.DataFrame, messages: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """
    Give each incident the cluster, cause and example of most of its messages; `missed` if most of it was silence.

    Parameters
    ----------
    incidents, messages
        See `find_incidents`.
    labels
        What `label_messages` says of the messages, indexed by them.
    """
    votes = labelled(messages, labels).astype({"cluster_id": "str", "message": "str"})
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
    return Incidents.typed(incidents.reset_index(drop=True).assign(**own))


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


def _check(open_after: int | None, close_after: int | None, false_alarm: float) -> None:
    for name, value in (("open_after", open_after), ("close_after", close_after)):
        if value is not None and value < 1:
            raise ConfigError(f"`{name}` is {value}; expected 1 tick or more.")
    if not false_alarm > 0:
        raise ConfigError(f"`false_alarm` is {false_alarm}; expected a number above 0, such as 0.05.")


def _measure(trials: Trials, spans: Stretches) -> pd.DataFrame:
    first, last = spans
    is_good = trials.is_known & ~trials.is_bad
    good = np.append(np.flatnonzero(is_good), len(is_good))
    after = good[np.searchsorted(good, last)]
    schedule = trials.schedule
    ends = after < len(schedule)
    ends[ends] = schedule[after[ends]] == schedule[last[ends]]
    started = trials.planned[first]
    ended = np.full(len(first), MISSING)
    ended[ends] = trials.planned[after[ends]]
    schedule_ids = trials.schedule_ids.take(schedule[first])
    return pd.DataFrame(
        {
            "incident_id": [_id(who, when) for who, when in zip(schedule_ids, started, strict=True)],
            "schedule_id": schedule_ids,
            "started_at": to_instants(started),
            "ended_at": to_instants(ended),
            "duration": to_durations(np.where(ends, ended - started, MISSING)),
            "n_ticks": last - first + 1,
            "n_failed": _count(trials.is_bad & ~trials.is_missed, spans),
            "n_missed": _count(trials.is_missed, spans),
        }
    )


def _id(what: str, started: int) -> str:
    return blake2b(f"{what} {started}".encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _count(mask: Mask, spans: Stretches) -> Int64:
    rows = np.flatnonzero(mask)
    return np.searchsorted(rows, spans.last, side="right") - np.searchsorted(rows, spans.first)


def _recoveries(is_bad: Mask, found: Stretches) -> Int64:
    """Count the times that it turned good inside a stretch."""
    return _count(~is_bad & np.append(False, is_bad)[:-1], found)


def _failed(invocations: pd.DataFrame) -> pd.DataFrame:
    """Give schedule_id, invoked_at and message of the failed invocations that told one."""
    rows = np.flatnonzero(among(invocations["outcome"], NOT_STARTED))
    names = ("schedule_id", "invoked_at", "message")
    return pd.DataFrame({name: invocations[name].take(rows) for name in names}).dropna(subset="message")


def _told(trials: Trials, spans: Stretches, incident_ids: pd.Series[Any], failed: pd.DataFrame) -> pd.DataFrame:
    """Count the messages of the bad ticks of each incident."""
    (owner, ids), (message, messages) = encode(failed["schedule_id"]), encode(failed["message"])
    who = trials.schedule_ids.get_indexer(pd.Index(ids, dtype="str"))[owner]
    logged = pd.DataFrame({"schedule": who, "invoked": to_ms(failed["invoked_at"]), "message": message})
    place = np.flatnonzero(trials.is_bad & ~trials.is_missed)
    incident = np.searchsorted(spans.first, place, side="right") - 1
    inside = (incident >= 0) & (place <= np.append(spans.last, -1)[incident])
    place, incident = place[inside], incident[inside]
    bad = pd.DataFrame({"incident": incident, "schedule": trials.schedule[place], "invoked": trials.invoked[place]})
    keys = ["schedule", "invoked"]
    rows = bad.merge(logged.drop_duplicates(keys), on=keys)
    votes = rows.groupby(["incident", "message"]).size().reset_index(name="n")
    return pd.DataFrame(
        {
            "incident_id": incident_ids.take(votes["incident"].to_numpy()).to_numpy(),
            "message": pd.Index(messages, dtype="str").take(votes["message"]),
            "n": votes["n"],
        }
    ).astype({"incident_id": "str", "message": "str"})
