"""
A problem is what somebody would fix once: incidents and single ticks of one cause at one time, across schedules.

A report counts problems first. A start that failed once and was good the next time is an incident where that took
hours, but no problem: it is told among the failures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
import pandas as pd

from schedlog_analysis._core.arrays import encode
from schedlog_analysis._core.instants import FOREVER, MISSING, Int64, to_durations, to_instants, to_ms
from schedlog_analysis._core.redact import redact_texts
from schedlog_analysis.analysis.failures.causes import MISSED, RULES, Rule
from schedlog_analysis.analysis.failures.labels import label_messages, labelled
from schedlog_analysis.analysis.incidents.incidents import explain, find_incidents
from schedlog_analysis.matching.policy import LEFT_OUT, AccountingPolicy, instants, judged, verdicts
from schedlog_analysis.schema import Invocations, Problems, Ticks

MIN_DOWN: Final = 2  # ticks that a problem that is over has at least: what failed once and was good again is none
MIN_SCHEDULES: Final = 3  # that fall silent, or fail, at once without an incident in any of them …
MIN_SHARE: Final = 0.5  # … and so much of what was due in that time was down


def problems(
    ticks: pd.DataFrame,
    invocations: pd.DataFrame | None = None,
    *,
    policy: AccountingPolicy | None = None,
    schedules: pd.DataFrame | None = None,
    seen_until: Mapping[str, pd.Timestamp] | None = None,
    rules: Sequence[Rule] = RULES,
) -> pd.DataFrame:
    """
    Find the problems of an account.

    Incidents of the same failure cluster, or of silence, that overlap in time are one problem, and so are the single
    ticks of that kind that were down meanwhile. At least three schedules that were down at once, each too briefly for
    an incident, are a problem too, if half of what was due then was down.

    Parameters
    ----------
    ticks, invocations, policy, schedules, seen_until, rules
        As of `incidents`.

    Returns
    -------
    problems
        See `schema.Problems`, by start; empty if there are none. What is over has at least two ticks that were down.

    Examples
    --------
    >>> from schedlog_analysis import invocations, load_sample, ticks
    >>> sample = load_sample()
    >>> inv = invocations(sample.log, sample.schedules)
    >>> found = problems(ticks(inv, sample.schedules), inv, schedules=sample.schedules)
    >>> found.loc[found["cause"] == "billing", ["n_schedules", "n_down"]].values.tolist()
    [[8, 41]]
    """
    table = judged(Ticks.accept(ticks) if policy else ticks, policy)
    inv = Invocations.empty() if invocations is None else Invocations.accept(invocations)
    options = {"schedules": schedules, "seen_until": seen_until}
    found, downs = find_incidents(table, inv, policy or AccountingPolicy(), **options)  # type: ignore[arg-type]
    texts = pd.Index(encode(downs["message"].dropna())[1], dtype="str")
    labels = label_messages(texts, rules).set_axis(texts)
    due = np.sort(instants(table)[verdicts(table) != LEFT_OUT])
    return find_problems(explain(found, downs, labels), labelled(downs, labels), due)[0]


def find_problems(incidents: pd.DataFrame, downs: pd.DataFrame, due: Int64) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Find problems as `problems` does, in what is known already.

    Parameters
    ----------
    incidents
        Incidents, explained.
    downs
        Ticks that are down, see `find_incidents`, with the labels of their messages.
    due
        Instants of all ticks that count, sorted. [ms]

    Returns
    -------
    problems, downs
        `schema.Problems`, and the ticks with the `problem_id` that they belong to; missing where they are nobody's.
    """
    downs = downs.reset_index(drop=True)
    spans = _list_spans(incidents, downs)
    spans = spans.assign(group=_group_overlapping(spans))
    rows = downs.assign(span=downs["incident_id"].fillna(downs.index.to_series().astype("str")))
    rows = rows.merge(spans[["span", "kind", "group", "ended", "is_open"]], on="span")
    rows = rows.assign(began=to_ms(rows["instant"]), is_missed=(rows["reason"] == "missed").astype("int64"))
    table = _summarise(rows, due)
    owned = rows.assign(problem_id=rows["group"].map(table["problem_id"]).astype("str"))
    return Problems.typed(table.sort_values(["started_at", "problem_id"])), owned[[*downs, "problem_id"]]


def _list_spans(incidents: pd.DataFrame, downs: pd.DataFrame) -> pd.DataFrame:
    """List the incidents, and each tick that was down outside of them until the next good one, in milliseconds."""
    single = downs[downs["incident_id"].isna()]
    kinds = single["cluster_id"].astype("str").mask(single["message"].isna()).fillna(MISSED)
    spans = {
        "span": pd.concat([incidents["incident_id"], single.index.to_series().astype("str")]),
        "kind": pd.concat([incidents["cluster_id"].fillna(MISSED), kinds]),
        "began": np.concatenate([to_ms(incidents["started_at"]), to_ms(single["instant"])]),
        "ended": np.concatenate([to_ms(incidents["ended_at"]), to_ms(single["recovered_at"])]),
        "is_open": np.arange(len(incidents) + len(single)) < len(incidents),
    }
    table = pd.DataFrame(spans, columns=[*spans]).reset_index(drop=True)
    is_endless = table["ended"] == MISSING
    table["is_open"] &= is_endless
    return table.assign(ended=table["ended"].mask(is_endless, (table["began"] + 1).mask(table["is_open"], FOREVER)))


def _group_overlapping(spans: pd.DataFrame) -> pd.Series[int]:
    """
    Number the groups of spans of one kind that overlap in time.

    Silence has no text that tells one from another. Schedules that fell silent together did so within one interval of
    each: so a silence joins another only if it began no later after it than it lasted itself.
    """
    ordered = spans.sort_values(["kind", "began", "ended"])
    numbers, n, kind_now = [], 0, ""
    running: dict[int, tuple[int, int]] = {}  # of the kind at hand: group -> begin and end
    for kind, began, ended in zip(*(ordered[name].tolist() for name in ("kind", "began", "ended")), strict=True):
        running = {} if kind != kind_now else {number: span for number, span in running.items() if span[1] > began}
        kind_now = kind
        fitting = (number for number, (first, _) in running.items() if kind != MISSED or began - first <= ended - began)
        number = next(fitting, n)
        n = max(n, number + 1)
        first, last = running.get(number, (began, ended))
        running[number] = first, max(last, ended)
        numbers.append(number)
    return pd.Series(numbers, index=ordered.index, dtype="int64").reindex(spans.index)


def _summarise(rows: pd.DataFrame, due: Int64) -> pd.DataFrame:
    """Count each group of ticks that is a problem."""
    groups = rows.sort_values(["began", "schedule_id"]).groupby("group")
    table = pd.DataFrame(
        {
            "kind": groups["kind"].first(),
            "began": groups["began"].min(),
            "last": groups["began"].max(),
            "until": groups["ended"].max(),
            "is_open": groups["is_open"].any(),
            "n_schedules": groups["schedule_id"].nunique(),
            "n_incidents": groups["incident_id"].nunique(),
            "n_down": groups.size(),
            "n_missed": groups["is_missed"].sum(),
        }
    )
    n_due = np.searchsorted(due, table["last"], side="right") - np.searchsorted(due, table["began"])
    is_wide = (table["n_schedules"] >= MIN_SCHEDULES) & (table["n_down"] >= MIN_SHARE * n_due)
    is_problem = table["is_open"] | ((table["n_incidents"] > 0) & (table["n_down"] >= MIN_DOWN)) | is_wide
    table = table[is_problem]
    own = rows[rows["group"].isin(table.index)]
    is_open, began, until = (table[name].to_numpy() for name in ("is_open", "began", "until"))
    return table.assign(
        problem_id=pd.Series(map(_name, table["kind"], began), index=table.index, dtype="str"),
        started_at=to_instants(began),
        ended_at=to_instants(np.where(is_open, MISSING, until)),
        duration=to_durations(np.where(is_open, MISSING, until - began)),
        n_failed=table["n_down"] - table["n_missed"],
        share=table["n_down"] / max(len(rows), 1),
        schedules=own.drop_duplicates(["group", "schedule_id"])
        .sort_values("schedule_id")
        .groupby("group")["schedule_id"]
        .agg(",".join),
        **_describe(own, table),
    )


def _describe(own: pd.DataFrame, table: pd.DataFrame) -> dict[str, pd.Series[str]]:
    """Give the cluster of each problem, and cause and example of most of its messages of that cluster."""
    is_silent = table["kind"] == MISSED
    named = own[own["message"].notna() & (own["cluster_id"].astype("str") == own["kind"])]
    sizes = named.astype({"message": "str", "cause": "str"}).groupby(["group", "message", "cause"]).size()
    votes = sizes.reset_index(name="n").sort_values(["n", "message"], ascending=[False, True])
    chosen = votes.drop_duplicates("group").set_index("group").reindex(table.index)
    return {
        "cluster_id": table["kind"].mask(is_silent),
        "cause": chosen["cause"].astype("str").mask(is_silent, MISSED),
        "example": redact_texts(chosen["message"].astype("str")),
    }


def _name(kind: str, began: int) -> str:
    return blake2b(f"{kind} {began}".encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
