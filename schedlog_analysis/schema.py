"""
A table is a pandas DataFrame with declared columns: each is declared here, once, and nowhere else.

The declaration gives the cast (`Log.cast`), the validation, the empty table (`Log.empty`) and the documentation
(`Log.describe`); `table` holds how. ``python -m schedlog_analysis.schema`` prints all of them.
"""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd

from schedlog_analysis._core.table import (
    Count,
    CountOrMissing,
    Duration,
    Flag,
    FlagOrMissing,
    Instant,
    Number,
    Table,
    Text,
    field,
)

OUTCOMES = ("ok", "partial", "failed", "skipped")
STATUSES = ("on_time", "late", "missed", "unknown", "duplicate", "extra", "manual")
NOT_STARTED = ("partial", "failed")  # outcomes of which something did not start
PLANNED = ("on_time", "late", "missed", "unknown")
COUNTED = ("up", "down", "left_out")
REASONS = (
    *("started", "partial", "failed", "skipped", "late", "missed"),  # what became of it
    *("maintenance", "manual", "duplicate", "extra"),  # why it is left out by rule
    # Why nobody knows what became of it.
    *("truncated", "hole", "clock change", "before the first definition", "after the last look", "not read"),
    "switched off",
)
CRON_SOURCES = ("given", "inferred", "none")
CHANGES = ("worse", "better", "no clear change", "nothing to compare")
URGENCIES = ("now", "soon", "none")
BECAME = ("succeeded", "failed", "timed_out", "aborted", "running", "unknown")
WINDOWS = (250, 1000)  # entries the API may show at most: an emulator's source says 250, the documentation 1000

Outcome = Annotated[pd.Series, pd.CategoricalDtype(OUTCOMES)]
Status = Annotated[pd.Series, pd.CategoricalDtype(STATUSES)]
CountedAs = Annotated[pd.Series, pd.CategoricalDtype(COUNTED)]
Reason = Annotated[pd.Series, pd.CategoricalDtype(REASONS)]
CronSource = Annotated[pd.Series, pd.CategoricalDtype(CRON_SOURCES)]
Change = Annotated[pd.Series, pd.CategoricalDtype(CHANGES)]
Urgency = Annotated[pd.Series, pd.CategoricalDtype(URGENCIES)]
Became = Annotated[pd.Series, pd.CategoricalDtype(BECAME)]


class Log(Table):
    """One row is one entry of a schedule's log."""

    schedule_id: Text = field("schedule that the entry belongs to")
    created_at: Instant = field("when the platform wrote the entry", api="createdAt")
    level: Text = field("open text; INFO, WARNING and ERROR are known", api="level")
    message: Text = field("open text, kept to the letter", api="message")


class Schedules(Table):
    """One row is one schedule, or one version of it where an archive keeps several (`modified_at` tells them apart)."""

    schedule_id: Text = field("id of the schedule", api="id")
    name: Text = field("technical name", api="name")
    title: Text = field("name for people", api="title", nullable=True)
    cron: Text = field("cron expression as the user wrote it", api="cronExpression")
    timezone: Text = field("IANA time zone in which `cron` is read", api="timezone")
    is_enabled: Flag = field("whether it fires at all", api="isEnabled")
    is_exclusive: Flag = field("whether a start is skipped while the previous run still runs", api="isExclusive")
    created_at: Instant = field("when it was created; nothing is due before", api="createdAt")
    modified_at: Instant = field("when this version was saved", api="modifiedAt")
    next_run_at: Instant = field("next tick at the time of fetching", api="nextRunAt", nullable=True)
    last_run_at: Instant = field("last tick at the time of fetching", api="lastRunAt", nullable=True)
    n_actions: CountOrMissing = field(
        "Actors and tasks it starts; missing if unknown", api="actions", nullable=True, ge=0
    )


class Runs(Table):
    """One row is one run: what an action became."""

    run_id: Text = field("id of the run", api="id")
    schedule_id: Text = field("schedule that started it", api="meta.scheduleId", nullable=True)
    scheduled_at: Instant = field("tick that started it", api="meta.scheduledAt", nullable=True)
    origin: Text = field("what started it; SCHEDULER for schedules", api="meta.origin", nullable=True)
    actor_id: Text = field("Actor that ran", api="actId")
    task_id: Text = field("task that ran, if it was one", api="actorTaskId", nullable=True)
    status: Text = field("open text; SUCCEEDED, FAILED, TIMED-OUT, ABORTED, RUNNING … are known", api="status")
    started_at: Instant = field("start of the run", api="startedAt")
    finished_at: Instant = field("end of the run; missing while it runs", api="finishedAt", nullable=True)
    usage_usd: Number = field("platform usage", api="usageTotalUsd", unit="USD", nullable=True)


class Invocations(Table):
    """One row is one invocation: what happened around one tick."""

    schedule_id: Text = field("schedule that was invoked")
    invoked_at: Instant = field("its first entry")
    outcome: Outcome = field("what became of its actions: ok, partial, failed or skipped")
    is_manual: Flag = field("whether somebody pressed the button; counts in no cadence figure")
    n_entries: Count = field("entries that belong to it", ge=1)
    n_errors: Count = field("ERROR entries among them", ge=0)
    n_warnings: Count = field("WARNING entries among them", ge=0)
    message: Text = field("first error, else first warning, else missing", nullable=True)


class Ticks(Table):
    """One row is one planned tick, or one invocation that has no tick of its own."""

    schedule_id: Text = field("schedule that the tick belongs to")
    planned_at: Instant = field("planned instant; missing for extra and manual", nullable=True)
    invoked_at: Instant = field("invocation that answered it; missing if none did", nullable=True)
    delay: Duration = field("`invoked_at` - `planned_at`", unit="ms", nullable=True)
    status: Status = field("on_time, late, missed, unknown; beyond the plan: duplicate, extra, manual")
    outcome: Outcome = field("outcome of the invocation; missing if there was none", nullable=True)
    is_ambiguous: Flag = field("whether another reading of the log or of a DST change is as good")


class JudgedTicks(Ticks):
    """One row is one row of Ticks, judged: this is what `ticks` gives, and all that analyses read of good and bad."""

    counted_as: CountedAs = field("what the accounting policy takes it for: up, down or left_out")
    reason: Reason = field("why: started, partial, failed, missed …, or why it is left out")


class Cadence(Table):
    """One row is one schedule: how regularly it ran."""

    schedule_id: Text = field("the schedule")
    cron: Text = field("expression that the ticks follow; missing if none is known", nullable=True)
    cron_source: CronSource = field("given by the definition, inferred from the log, or none")
    n_planned: Count = field("ticks planned = on time + late + missed + unknown", ge=0)
    n_observed: Count = field("planned ticks that an invocation answered = on time + late", ge=0)
    n_missed: Count = field("planned ticks that nothing answered though the log would show it", ge=0)
    n_late: Count = field("planned ticks answered after more than the grace", ge=0)
    n_duplicate: Count = field("further invocations of an answered tick", ge=0)
    n_extra: Count = field("invocations without a tick", ge=0)
    n_manual: Count = field("invocations by hand", ge=0)
    n_unknown: Count = field("planned ticks that the log cannot show", ge=0)
    interval_median: Duration = field("median time between successive scheduled invocations", unit="ms", nullable=True)
    interval_mad: Duration = field("median absolute deviation of those intervals", unit="ms", nullable=True)
    delay_median: Duration = field("median delay", unit="ms", nullable=True)
    delay_p95: Duration = field("95th percentile of the delay", unit="ms", nullable=True)
    delay_max: Duration = field("largest delay", unit="ms", nullable=True)
    longest_gap: Duration = field(
        "longest time without a scheduled invocation, up to the last missed tick", unit="ms", nullable=True
    )
    offset: Duration = field("constant hidden offset of a macro such as @daily, estimated", unit="ms", nullable=True)
    on_time_share: Number = field("on time / (on time + late + missed)", nullable=True, ge=0, le=1)
    delay_mad: Duration = field("jitter: median absolute deviation of the delay", unit="ms", nullable=True)
    delay_spread: Duration = field("jitter: 95th percentile - median of the delay", unit="ms", nullable=True)
    drift: Number = field("robust slope of the delay (Theil-Sen)", unit="ms per day", nullable=True)
    drift_low: Number = field("lower bound of the slope's 95 % interval", unit="ms per day", nullable=True)
    drift_high: Number = field("upper bound", unit="ms per day", nullable=True)
    longest_gap_ticks: Count = field("longest run of successive missed ticks", ge=0)
    n_outages: Count = field("runs of at least two successive missed ticks", ge=0)
    n_ambiguous: Count = field("ticks that another reading would count otherwise", ge=0)


class ErrorRates(Table):
    """One row is one window of one group; the group's key columns stand before these."""

    window_start: Instant = field("start of the window; missing when there are no windows", nullable=True)
    n: Count = field("invocations (and missed ticks, if the policy says so) that count", ge=0)
    n_failed: Count = field("those that failed", ge=0)
    error_rate: Number = field("n_failed / n; missing when nothing was due", nullable=True, ge=0, le=1)
    low: Number = field("lower bound of the Wilson interval", nullable=True, ge=0, le=1)
    high: Number = field("upper bound of the Wilson interval", nullable=True, ge=0, le=1)


class FailureClusters(Table):
    """One row is one template: failures that are the same problem."""

    cluster_id: Text = field("stable name: same template, same id, in every period and on every machine")
    cause: Text = field("what stopped the action: input, capacity, billing, …, other")
    template: Text = field("the messages' common text; <*> marks what varies")
    n: Count = field("failures; 0 for a cluster that is gone since the period before", ge=0)
    share: Number = field("n / all failures", ge=0, le=1)
    n_schedules: Count = field("schedules that it hit", ge=0)
    first_seen: Instant = field("first such failure")
    last_seen: Instant = field("last such failure")
    example: Text = field("a real message, redacted")


class Incidents(Table):
    """One row is one incident: a run of bad ticks of one schedule."""

    incident_id: Text = field("stable name, made from the schedule and the start")
    schedule_id: Text = field("schedule that it hit")
    started_at: Instant = field("first bad tick")
    ended_at: Instant = field("first good tick after it; missing while open", nullable=True)
    duration: Duration = field("`ended_at` - `started_at`; missing while open", unit="ms", nullable=True)
    n_ticks: Count = field("ticks that count, from the first bad to the last bad one", ge=1)
    n_failed: Count = field("failed among them", ge=0)
    n_missed: Count = field("missed among them", ge=0)
    cluster_id: Text = field("most frequent failure cluster; missing if nothing was logged", nullable=True)
    cause: Text = field("cause of that cluster; `missed` if most of its ticks were missed", nullable=True)
    example: Text = field("a real message, redacted", nullable=True)
    is_flapping: Flag = field("whether it went up and down before it ended")
    problem_id: Text = field("problem that it is of; missing where it is of none, or nobody looked", nullable=True)


class Problems(Table):
    """One row is one problem: what somebody would fix once, in however many schedules it showed."""

    problem_id: Text = field("stable name, made from what it is and when it began")
    started_at: Instant = field("first tick that was down")
    ended_at: Instant = field("when the last of its schedules was good again; missing while open", nullable=True)
    duration: Duration = field("`ended_at` - `started_at`; missing while open", unit="ms", nullable=True)
    cause: Text = field("what stopped the starts; `missed` if nothing was logged", nullable=True)
    cluster_id: Text = field("failure cluster; missing if nothing was logged", nullable=True)
    example: Text = field("a real message, redacted", nullable=True)
    n_schedules: Count = field("schedules that it hit", ge=1)
    schedules: Text = field("their ids, sorted, with commas")
    n_incidents: Count = field("incidents among it; 0 for a silence of many schedules, each too short for one", ge=0)
    n_down: Count = field("ticks that were down", ge=1)
    n_failed: Count = field("failed among them", ge=0)
    n_missed: Count = field("missed among them", ge=0)
    share: Number = field("n_down / all ticks that were down", ge=0, le=1)


class Coverage(Table):
    """One row is one schedule: what its log can and cannot show."""

    schedule_id: Text = field("the schedule")
    first_at: Instant = field("first entry; missing without entries", nullable=True)
    last_at: Instant = field("last entry", nullable=True)
    n_entries: Count = field("entries", ge=0)
    is_truncated: Flag = field("whether the API's window may have cut off older entries")
    n_holes: Count = field("stretches between two fetches that neither could show", ge=0)
    observed_share: Number = field("share of the time since the first entry that was seen", nullable=True, ge=0, le=1)


class Fetches(Table):
    """One row is one fetch of one schedule's log: what was looked at, and when."""

    schedule_id: Text = field("the schedule")
    fetched_at: Instant = field("when the API was asked")
    n_entries: Count = field("entries that it answered", ge=0)
    first_at: Instant = field("first of them; missing without entries", nullable=True)
    last_at: Instant = field("last of them", nullable=True)
    is_truncated: Flag = field("whether the API's window may have cut off older entries")


class Holes(Table):
    """One row is one stretch of time that a schedule's log cannot show."""

    schedule_id: Text = field("the schedule")
    started_at: Instant = field("start of the stretch; missing if it has none", nullable=True)
    ended_at: Instant = field("end of the stretch; missing if it has none", nullable=True)


class Intervals(Table):
    """One row is one scheduled invocation that has a predecessor."""

    schedule_id: Text = field("the schedule")
    invoked_at: Instant = field("the invocation")
    interval: Duration = field("time since the scheduled invocation before it", unit="ms")


class Outages(Table):
    """One row is one run of successive missed ticks."""

    schedule_id: Text = field("the schedule")
    started_at: Instant = field("first missed tick")
    ended_at: Instant = field("next tick that was answered or unknown; missing if there was none", nullable=True)
    n_ticks: Count = field("missed ticks", ge=1)


class Comparison(Table):
    """One row is one group in two periods; the group's key columns stand before these."""

    n: Count = field("what counted in the current period", ge=0)
    n_failed: Count = field("those that failed", ge=0)
    error_rate: Number = field("n_failed / n; missing when nothing was due", nullable=True, ge=0, le=1)
    n_previous: Count = field("what counted in the previous period", ge=0)
    n_failed_previous: Count = field("those that failed", ge=0)
    error_rate_previous: Number = field("n_failed_previous / n_previous", nullable=True, ge=0, le=1)
    difference: Number = field("error_rate - error_rate_previous", nullable=True, ge=-1, le=1)
    low: Number = field("lower bound of the difference's interval (Newcombe)", nullable=True, ge=-1, le=1)
    high: Number = field("upper bound", nullable=True, ge=-1, le=1)
    p_value: Number = field("probability of so large a difference by chance (mid-p)", nullable=True, ge=0, le=1)
    p_adjusted: Number = field("`p_value` corrected for the number of groups", nullable=True, ge=0, le=1)
    change: Change = field("worse, better, no clear change, or nothing to compare")
    text: Text = field("the comparison in one sentence")


class Changes(Table):
    """One row is one change of one schedule's error rate."""

    schedule_id: Text = field("the schedule")
    changed_at: Instant = field("first tick with the new rate")
    earliest_at: Instant = field("first tick at which it may have changed as well")
    latest_at: Instant = field("last tick at which it may have changed as well")
    n_before: Count = field("what counted since the change before, or the beginning", ge=1)
    n_failed_before: Count = field("those that failed", ge=0)
    rate_before: Number = field("n_failed_before / n_before", ge=0, le=1)
    low_before: Number = field("lower bound of its Wilson interval", ge=0, le=1)
    high_before: Number = field("upper bound", ge=0, le=1)
    n_after: Count = field("what counted until the next change, or the end", ge=1)
    n_failed_after: Count = field("those that failed", ge=0)
    rate_after: Number = field("n_failed_after / n_after", ge=0, le=1)
    low_after: Number = field("lower bound of its Wilson interval", ge=0, le=1)
    high_after: Number = field("upper bound", ge=0, le=1)
    change: Change = field("worse or better")
    text: Text = field("the change in one sentence")


class Slo(Table):
    """One row is one objective of one group; the group's key columns stand before these."""

    started_at: Instant = field("start of the objective's window; missing when nothing was due", nullable=True)
    ended_at: Instant = field("its end, which may lie ahead of the data", nullable=True)
    objective: Number = field("share of what was due that shall be up", gt=0, lt=1)
    n: Count = field("what counted in the window so far", ge=0)
    n_failed: Count = field("those that failed or were missed", ge=0)
    attainment: Number = field("1 - n_failed / n; missing when nothing was due", nullable=True, ge=0, le=1)
    low: Number = field("lower bound of its Wilson interval", nullable=True, ge=0, le=1)
    high: Number = field("upper bound", nullable=True, ge=0, le=1)
    is_met: FlagOrMissing = field("attainment >= objective; missing when nothing was due", nullable=True)
    budget: Number = field("failures that the objective allows in the whole window", nullable=True, ge=0)
    budget_left: Number = field("`budget` - `n_failed`; negative when overspent", nullable=True)
    budget_left_share: Number = field("`budget_left` / `budget`", nullable=True, le=1)
    burn_rate: Number = field("error rate / (1 - objective): 1 spends the budget just in time", nullable=True, ge=0)
    urgency: Urgency = field("whether the budget burns so fast that somebody should look now, soon, or not")
    runs_out_at: Instant = field("when the budget was, or at this pace will be, spent; else missing", nullable=True)
    text: Text = field("the state in one sentence")


class BurnRates(Table):
    """One row is one look-back of one group; the group's key columns stand before these."""

    lookback: Duration = field("how far back from the end of the data", unit="ms")
    n: Count = field("what counted in it", ge=0)
    n_failed: Count = field("those that failed or were missed", ge=0)
    burn_rate: Number = field("error rate / (1 - objective)", nullable=True, ge=0)
    short_lookback: Duration = field("the shorter look-back that must burn as well", unit="ms")
    short_burn_rate: Number = field("burn rate in it; missing when nothing was due in it", nullable=True, ge=0)
    threshold: Number = field("burn rate from which on it is too fast", ge=0)
    urgency: Urgency = field("what it means if it is too fast: look now, or soon")
    is_burning: Flag = field("whether it is too fast")


class BurnDown(Table):
    """One row is one window of one group; the group's key columns stand before these."""

    window_start: Instant = field("start of the window")
    n: Count = field("what counted in it", ge=0)
    n_failed: Count = field("those that failed or were missed", ge=0)
    budget_left: Number = field("share of the budget left at its end; missing until then", nullable=True, le=1)


class Starts(Table):
    """One row is one start: an action that an invocation started, or a run of which no invocation is known."""

    schedule_id: Text = field("the schedule")
    invoked_at: Instant = field("invocation that started it; missing if the log does not show one", nullable=True)
    run_id: Text = field("its run; missing if none is known", nullable=True)
    became: Became = field("what became of it; unknown without a run, which the platform may have forgotten")
    scheduled_at: Instant = field("tick for which the run was started, as the run says", nullable=True)
    actor_id: Text = field("Actor that ran", nullable=True)
    task_id: Text = field("task that ran, if it was one", nullable=True)
    started_at: Instant = field("start of the run", nullable=True)
    finished_at: Instant = field("end of the run; missing while it runs", nullable=True)
    duration: Duration = field("`finished_at` - `started_at`", unit="ms", nullable=True)
    usage_usd: Number = field("platform usage", unit="USD", nullable=True)
    is_manual: Flag = field("whether the invocation was by hand")
    is_overlapping: Flag = field("whether an earlier run of the same action of the schedule was still running")
    overlap: Duration = field("how long both ran; missing while both run", unit="ms", nullable=True)


class RunOutcomes(Table):
    """One row is what became of the starts of one group; the group's key columns stand before these."""

    n: Count = field("starts = succeeded + failed + timed out + aborted + running + unknown", ge=0)
    n_succeeded: Count = field("runs that succeeded", ge=0)
    n_failed: Count = field("runs that failed", ge=0)
    n_timed_out: Count = field("runs that took longer than allowed", ge=0)
    n_aborted: Count = field("runs that somebody or something stopped", ge=0)
    n_running: Count = field("runs without an end yet", ge=0)
    n_unknown: Count = field("starts without a known run", ge=0)
    n_unlogged: Count = field("runs among them of which no invocation is known", ge=0)
    success_rate: Number = field("succeeded / runs with an end", nullable=True, ge=0, le=1)
    low: Number = field("lower bound of its Wilson interval", nullable=True, ge=0, le=1)
    high: Number = field("upper bound", nullable=True, ge=0, le=1)
    duration_median: Duration = field("median duration of runs that succeeded", unit="ms", nullable=True)
    duration_p95: Duration = field("95th percentile of the same", unit="ms", nullable=True)
    duration_max: Duration = field("longest of the same", unit="ms", nullable=True)
    usage_usd: Number = field("platform usage of all runs", unit="USD", ge=0)
    wasted_usd: Number = field("platform usage of runs that failed, timed out or were aborted", unit="USD", ge=0)
    n_overlapping: Count = field("runs that began while an earlier one of the same action still ran", ge=0)
    text: Text = field("what became of them in one sentence")


class Funnel(Table):
    """One row is one stage on the way from the plan to success; the group's key columns stand before these."""

    stage: Text = field("planned, started or succeeded")
    n: Count = field("planned ticks that came so far", ge=0)
    n_known: Count = field("those of the stage before of which it is known whether they came so far", ge=0)
    n_unknown: Count = field("those of which it is not known; they are in no share", ge=0)
    share: Number = field("share of the planned ticks that came so far", nullable=True, ge=0, le=1)
    low: Number = field("lower bound of its interval", nullable=True, ge=0, le=1)
    high: Number = field("upper bound", nullable=True, ge=0, le=1)
    text: Text = field("the stage in one sentence")


class Failures(Table):
    """One row is one failure: an action that an invocation did not start."""

    schedule_id: Text = field("schedule that was invoked")
    planned_at: Instant = field(
        "tick that the invocation answered; missing if it has none, or none is known", nullable=True
    )
    invoked_at: Instant = field("invocation that the action belongs to")
    created_at: Instant = field("when the platform wrote the entry")
    message: Text = field("text of the entry, kept to the letter")
    target: Text = field("Actor or task that was not started, as the message names it", nullable=True)
    cluster_id: Text = field("failure cluster of the message")
    template: Text = field("the cluster's common text; <*> marks what varies")
    cause: Text = field("what stopped the action: input, capacity, billing, …, other")


TABLES = tuple(each for each in list(globals().values()) if isinstance(each, type) and issubclass(each, Table))[1:]


def is_full(n_entries: Any) -> Any:  # noqa: ANN401 - a number gives a bool, a column gives a column
    """
    Tell whether an answer of the API with so many entries may have been cut off at its window.

    Exactly 250, or 1000 and more, is taken for a full window (see `WINDOWS`).

    Examples
    --------
    >>> is_full(250), is_full(251), is_full(1000)
    (True, False, True)
    """
    return (n_entries == WINDOWS[0]) | (n_entries >= WINDOWS[1])


if __name__ == "__main__":
    print("# Tables\n\n" + "\n".join(table.markdown() for table in TABLES), end="")  # noqa: T201 - writes docs/tables.md
