"""The definitions of invocations and ticks, written out one by one, slowly: what is fast must say the same."""

import itertools
from bisect import bisect_left

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
    """All ticks from the creation on, none while it was switched off: instant, whether ambiguous."""
    found = []
    for i, version in enumerate(versions):
        stop = versions[i + 1]["begins"] if i + 1 < len(versions) else end
        if version["begins"] < stop and version["is_enabled"]:
            window = to_instants(pd.array([version["begins"], stop], dtype="int64").to_numpy())
            table = Cron(version["cron"], version["tz"]).readings(*window)
            found += list(zip(to_ms(table["planned_at"]).tolist(), table["is_ambiguous"].tolist(), strict=True))
    return found


def _is_close(planned):
    """Whether a delay of a minute may reach over the next tick."""
    return any(later - sooner <= 70_000 for (sooner, *_), (later, *_) in itertools.pairwise(planned))


def _latest(planned, instant, tolerance=TOLERANCE):
    """Which tick was planned latest at or before an instant, -1 if none."""
    return sum(tick <= instant + tolerance for tick, *_ in planned) - 1


def _invocations(entries, planned):
    """Entries one after another; each line ends an invocation."""
    entries = sorted(entries, key=lambda entry: (entry[0], ["error", "scheduled", "manual"].index(entry[1])))
    is_close = _is_close(planned)
    ticks_of = [-1 if is_close else _latest(planned, at) for at, _ in entries]
    chains = []
    for i, (at, _) in enumerate(entries):
        if not chains or ticks_of[i] != ticks_of[i - 1] or at - entries[i - 1][0] >= WINDOW:
            chains.append([])
        chains[-1].append(i)
    groups = [group for chain in chains for group in _split(chain, entries)]
    return sorted(_describe(part, entries) for group in groups for part in _part(group, entries, ticks_of, planned))


def _split(chain, entries):
    """Cut entries that follow each other closely behind each line but the last, and where what is behind it is late."""
    groups, lines = [[]], [i for i in chain if entries[i][1] != "error"]
    for i in chain:
        is_open = not lines or i > lines[-1]
        first = lines[-1] if lines and lines[-1] in groups[-1] else (groups[-1] or [i])[0]
        if (is_open and entries[i][0] - entries[first][0] >= WINDOW) or (not is_open and i - 1 in lines):
            groups.append([])
        groups[-1].append(i)
    return [group for group in groups if group]


def _part(group, entries, ticks_of, planned):
    """Leave a tick what is nearer to it than to the click that ends the group, if it has no line of its own."""
    line = next((i for i in group if entries[i][1] == "manual"), None)
    tick = ticks_of[group[0]]
    has_line = any(ticks_of[i] == tick and entries[i][1] == "scheduled" for i in range(len(entries)))
    if line is None or tick < 0 or has_line:
        return [group]
    near = [
        i
        for i in group
        if i < line
        and entries[line][0] - entries[i][0] >= 1_000
        and entries[i][0] - planned[tick][0] <= entries[line][0] - entries[i][0]
    ]
    return [part for part in (near, group[len(near) :]) if part]


def _describe(group, entries):
    return entries[group[0]][0], any(entries[i][1] == "manual" for i in group), len(group)


def _ticks(versions, planned, told, start, end, hole):
    """Every planned tick and every invocation once, as (planned, invoked, status, is_ambiguous)."""
    due = [at for at, is_manual, _ in told if not is_manual]
    last = max([end, *(at for at, *_ in told)])
    is_close, rows = _is_close(planned), [(None, at, "manual", False) for at, is_manual, _ in told if is_manual]
    answers = {}
    for number, at in enumerate(due):
        tick = _latest(planned, at)
        if is_close and planned:
            before = due[number - 1] if number else planned[0][0] - WINDOW
            first_due = min(sum(moment < before + WINDOW for moment, *_ in planned), len(planned) - 1)
            if planned[first_due][0] <= at + TOLERANCE and at - planned[first_due][0] <= MINUTE:
                tick = first_due
            elif at - before < WINDOW - TOLERANCE:
                tick = _latest(planned, at, 0)
        is_off = tick >= 0 and _is_after_pause(versions, planned[tick][0], at)
        if tick < 0 or is_off:
            rows.append((None, at, "extra", is_off))
        else:
            answers.setdefault(tick, []).append(at)
    slacks = []
    instants = [moment for moment, *_ in planned]
    for moment in instants:
        following = instants[bisect_left(instants, moment + (WINDOW if is_close else 1)) :][:1]
        slacks.append(min(GRACE, (following[0] - moment) // 2) if following else GRACE)
    silent = _silent(planned, answers, due, is_close)
    missed, kept = set(), sorted(silent | answers.keys())
    for place, i in enumerate(kept):
        if i in answers:
            continue
        moment, is_ambiguous = planned[i]
        following = kept[place + 1] if place + 1 < len(kept) else None
        until = moment + slacks[i] if following is None else max(planned[following][0], moment + slacks[i])
        is_hidden = is_ambiguous or moment + max(slacks[i], MINUTE) > last or (until > hole[0] and moment < hole[1])
        is_doubted = not is_hidden and len(answers.get(following, [])) > 1
        missed |= {i} if is_doubted else set()
        rows.append((moment, None, "unknown" if is_hidden else "missed", is_ambiguous or is_doubted))
    for i, times in answers.items():
        moment, before = planned[i][0], bisect_left(kept, i) - 1
        is_cut = times[0] == hole[1]
        rows.append((moment, times[0], "on_time" if times[0] - moment <= slacks[i] else "late", is_cut))
        is_doubted = before >= 0 and kept[before] in missed
        rows += [(moment, at, "duplicate", is_doubted) for at in times[1:]]
    inside = [row for row in rows if start <= (row[1] if row[0] is None else row[0]) < end]
    return sorted(inside, key=repr)


def _is_after_pause(versions, moment, at):
    """Whether an invocation came more than a minute after its tick, while the schedule was switched off."""
    ends = [*(version["begins"] for version in versions[1:]), 2**62]
    return at - moment > MINUTE and any(
        not version["is_enabled"] and version["begins"] <= at < end and moment < version["begins"]
        for version, end in zip(versions, ends, strict=True)
    )


def _silent(planned, answers, due, is_close):
    """Which ticks without an answer were due: none within ten seconds of a start, or that one made up for."""
    promptest = max(min([at - planned[i][0] for i, times in answers.items() for at in times], default=0), 0)
    found, last_kept = set(), None
    for i, (moment, *_) in enumerate(planned):
        before = max([at for at in due if at <= moment], default=None)
        if i in answers:
            continue
        if before is not None and moment - before < WINDOW:
            continue
        if is_close and due:
            after = min([at for at in due if at > moment], default=None)
            if after is not None and after - moment <= MINUTE:
                continue
            anchor = max([each for each in (before, last_kept) if each is not None], default=None)
            if anchor is not None and moment - anchor < WINDOW + min(promptest, WINDOW):
                continue
        found.add(i)
        last_kept = moment
    return found


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
                "is_enabled": i == 0 or draw(st.booleans()),
                "begins": created if i == 0 else start + edit * span // 20,
                "modified": created if i == 0 else start + edit * span // 20,
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
