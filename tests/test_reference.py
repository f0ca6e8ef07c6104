"""The definitions of invocations and ticks, written out one by one, slowly: what is fast must say the same."""

from datetime import timedelta

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedlog_analysis import Cron, invocations, ticks
from schedlog_analysis._core.instants import to_instants, to_ms
from schedlog_analysis.schema import Holes

WINDOW, TOLERANCE, GRACE = 10_000, 1_000, 60_000
MINUTE, DAY = 60_000, 86_400_000
KINDS = {
    "scheduled": ("INFO", "Schedule invoked"),
    "manual": ("INFO", "Schedule invoked manually"),
    "error": ("ERROR", 'Cannot start Actor "x": Unknown error'),
}
CHANGES = {
    "UTC": "2026-03-01T00:00Z",
    "Europe/Prague": "2026-10-25T01:00Z",
    "Australia/Lord_Howe": "2026-04-04T15:00Z",
    "Africa/Cairo": "2026-04-23T22:00Z",
    "Pacific/Apia": "2011-12-30T10:00Z",
}
# How long a window is, and expressions that tick some times in it.
CRONS = {
    10 * MINUTE: ["*/5 * * * * *", "0,9 * * * * *", "*/10 * * * * *", "7 * * * * *", "* * * * *"],
    DAY: ["*/15 * * * *", "0 * * * *", "30 0-3 * * *", "*/7 1,2 * * *"],
    8 * DAY: ["0 0 * * *", "30 2 * * *", "15 1 * * 1,5", "0 0 1-31 * 1"],
}
# Around the borders: the tolerance, half a gap of ten seconds, the window, the grace.
JITTERS = [-1_001, -1_000, -1, 0, 350, 4_999, 5_000, 5_001, 8_999, 9_000, 9_999, 10_000, 60_000, 60_001, 400_000]


def _planned(versions, end):
    """All ticks from the creation on: moment, whether ambiguous, whether paused."""
    found = []
    for i, version in enumerate(versions):
        stop = versions[i + 1]["begins"] if i + 1 < len(versions) else end
        if version["begins"] < stop:
            window = to_instants(pd.array([version["begins"], stop], dtype="int64").to_numpy())
            table = Cron(version["cron"], version["tz"]).readings(*window, min_gap=timedelta(seconds=10))
            is_paused = i > 0 and not version["is_enabled"]
            rows = zip(to_ms(table["planned_at"]).tolist(), table["is_ambiguous"].tolist(), strict=True)
            found += [(moment, is_ambiguous, is_paused) for moment, is_ambiguous in rows]
    return found


def _latest(planned, moment):
    """Which tick was planned latest at or before a moment, -1 if none."""
    return sum(tick <= moment + TOLERANCE for tick, *_ in planned) - 1


def _invocations(entries, planned):
    """Entries one after another; a click that shares an invocation with a scheduled one is set apart."""
    entries, apart = sorted(entries), set()
    while True:
        groups = []
        for i, (moment, _) in enumerate(entries):
            tick = _latest(planned, moment)
            if i in apart:
                continue
            if groups and groups[-1]["tick"] == tick and moment - groups[-1]["at"] < WINDOW:
                groups[-1]["entries"].append(i)
            else:
                groups.append({"tick": tick, "at": moment, "entries": [i]})
        told = [{entries[i][1] for i in group["entries"]} for group in groups]
        mixed = {
            i
            for group, kinds in zip(groups, told, strict=True)
            for i in group["entries"]
            if "scheduled" in kinds and entries[i][1] == "manual"
        }
        if not mixed:
            break
        apart |= mixed
    found = [(g["at"], "manual" in kinds, len(g["entries"])) for g, kinds in zip(groups, told, strict=True)]
    return sorted(found + [(entries[i][0], True, 1) for i in apart])


def _ticks(versions, planned, told, start, end, hole):
    """Every planned tick and every invocation once, as (planned, invoked, status, is_ambiguous)."""
    due = [at for at, is_manual, _ in told if not is_manual]
    rows = [(None, at, "manual", False) for at, is_manual, _ in told if is_manual]
    answers = [[] for _ in planned]
    for at in due:
        tick = _latest(planned, at)
        if tick < 0:
            rows.append((None, at, "extra", False))
        else:
            answers[tick].append(at)
    last = max([end, *(at for at, *_ in told)])

    def is_silent_before(border, moment):
        return max([at for at in due if at < border], default=-1) < moment < border

    first, following = versions[0], versions[1]["begins"] if len(versions) > 1 else 2**62
    for i, (moment, is_ambiguous, is_paused) in enumerate(planned):
        slack = min(GRACE, (planned[i + 1][0] - moment) // 2) if i + 1 < len(planned) else GRACE
        is_hidden = (
            is_ambiguous
            or is_paused
            or moment + slack > last
            or (moment + slack > hole[0] and moment < hole[1])
            or (not first["is_enabled"] and is_silent_before(following, moment))
            or (first["modified"] > first["begins"] and is_silent_before(first["modified"], moment))
        )
        is_doubted = not answers[i] and not is_hidden and i + 1 < len(planned) and len(answers[i + 1]) > 1
        if answers[i]:
            status = "on_time" if answers[i][0] - moment <= slack else "late"
            rows.append((moment, answers[i][0], status, False))
        else:
            rows.append((moment, None, "unknown" if is_hidden else "missed", is_ambiguous or is_doubted))
        is_before_doubted = i > 0 and not answers[i - 1] and rows[-2][2] == "missed" if i else False
        for at in answers[i][1:]:
            rows.append((moment, at, "duplicate", is_before_doubted))
            is_before_doubted = is_before_doubted and True
    inside = [row for row in rows if start <= (row[1] if row[0] is None else row[0]) < end]
    return sorted(inside, key=repr)


@st.composite
def fleets(draw):
    """Schedules with up to three versions, entries around their ticks and around their edits, and a hole."""
    fleet = {}
    for name in draw(st.sets(st.sampled_from(["a", "b", "c"]), min_size=1)):
        tz, span = draw(st.sampled_from(sorted(CHANGES))), draw(st.sampled_from(sorted(CRONS)))
        start = int(pd.Timestamp(CHANGES[tz]).timestamp() * 1000) - span // 2
        edits = sorted(draw(st.sets(st.integers(0, 20), min_size=1, max_size=3)))
        created = start + draw(st.sampled_from([-span, 0, edits[0] * span // 20]))
        versions = [
            {
                "cron": draw(st.sampled_from(CRONS[span])),
                "tz": tz,
                "is_enabled": draw(st.booleans()),
                "begins": created if i == 0 else start + edit * span // 20,
                "modified": max(created, start + edit * span // 20),
            }
            for i, edit in enumerate(edits)
        ]
        planned = _planned(versions, start + span + 40 * DAY if span > DAY else start + 4 * span)
        n = sum(tick < start + span for tick, *_ in planned)
        spots = st.tuples(st.integers(0, n), st.sampled_from(JITTERS), st.sampled_from(sorted(KINDS)))
        entries = [
            ((planned[min(i, len(planned) - 1)][0] if planned else start) + jitter, kind)
            for i, jitter, kind in draw(st.lists(spots, max_size=25))
        ]
        hole = sorted(draw(st.tuples(*[st.integers(0, 20)] * 2)))
        fleet[name] = (versions, planned, entries, start, span, [start + edge * span // 20 for edge in hole])
    return fleet


def _instant(ms):
    return pd.Timestamp(ms, unit="ms", tz="UTC")


def _told(table, *columns):
    """Rows of a table as tuples, instants in milliseconds."""
    plain = [
        [None if pd.isna(value) else value for value in table[name]]
        if name not in ("planned_at", "invoked_at")
        else [None if pd.isna(value) else round(value.timestamp() * 1000) for value in table[name]]
        for name in columns
    ]
    return list(zip(*plain, strict=True))


@given(fleets())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_fast_says_what_is_slow(make_log, make_schedules, fleet):
    """Invocations and ticks of random fleets are those of the written-out definitions."""
    log = make_log(
        *(
            (name, _instant(at).isoformat(), *KINDS[kind])
            for name, (_, _, entries, *_) in fleet.items()
            for at, kind in entries
        )
    )
    schedules = make_schedules(
        *(
            (
                name,
                version["cron"],
                {"timezone": version["tz"], "is_enabled": version["is_enabled"]}
                | {"created_at": _instant(versions[0]["begins"]).isoformat()}
                | {"modified_at": _instant(version["modified"]).isoformat()},
            )
            for name, (versions, *_) in fleet.items()
            for version in versions
        )
    )
    told = invocations(log, schedules)
    for name, (versions, planned, entries, start, span, hole) in fleet.items():
        mine = told[told["schedule_id"] == name]
        slow = _invocations(entries, planned)
        assert sorted(_told(mine, "invoked_at", "is_manual", "n_entries")) == slow
        holes = Holes.cast(
            pd.DataFrame({"schedule_id": [name], "started_at": [_instant(hole[0])], "ended_at": [_instant(hole[1])]})
        )
        end = start + span
        # One by one: the windows of the zones lie fifteen years apart, full of ticks every five seconds.
        own = schedules[schedules["schedule_id"] == name]
        fast = ticks(mine, own, start=_instant(start), end=_instant(end), holes=holes)
        fast = _told(fast, "planned_at", "invoked_at", "status", "is_ambiguous")
        assert sorted(fast, key=repr) == _ticks(versions, planned, slow, start, end, hole)
