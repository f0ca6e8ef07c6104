"""
What `fleet.py` measures: each task runs in a process of its own, and tells its time, peak of memory and figures.

::

    python benchmarks/fleet_tasks.py TASK ARCHIVE [NUMBER]

The peers compute the columns of the package's tables in the idiom of their documentation: entries are grouped into
invocations, and joined to the ticks that are planned (by a plan given as a number of minutes); per schedule the ticks
observed, missed, late, double and manual, failures, delays and intervals; failures and misses by day; errors by text,
ids and numbers masked.
"""

# ruff: noqa: PLC0415 - each task imports what it needs, or its peak of memory would be that of all
from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

SLICE = 10_000_000  # entries that are made an archive at once
YEAR = "2025-11-01..2026-11-01"
MASKS = (r'"[^"]*"', r"\d[\d,.]*")
MINUTES = r"^\*/(\d+)"
MANUAL = "Schedule invoked manually"
TOGETHER, GRACE = 10_000, 60_000  # [ms] entries of one invocation, and what is not late


def build(folder: str, n: int) -> dict[str, Any]:
    """Write an archive of n entries: 1000 schedules, 3 % errors, 300 texts."""
    from schedlog_analysis import Archive
    from schedlog_analysis.simulation import simulate_fleet

    log, schedules = simulate_fleet(1000, n // 1000, seed=1, error_rate=0.03, n_texts=300)
    archive = Archive(folder)
    archive.append_schedules(schedules)
    for begin in range(0, len(log), SLICE):
        archive.append(log.iloc[begin : begin + SLICE].reset_index(drop=True), "2026-11-01T00:00Z")
    archive.compact()
    size = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))
    return {"entries": len(log), "bytes": size}


# Contenders


def everything(folder: str, _n: int) -> dict[str, Any]:
    """Compute all tables of a report."""
    from schedlog_analysis import fleet

    with clock() as told:
        found = fleet.analyze(folder)
    return told | _ours(found.cadence, found.rates, found.clusters, len(found.daily))


def three(folder: str, _n: int) -> dict[str, Any]:
    """Compute cadence, error rates and clusters only, by the package's own functions, two batches at a time."""
    from concurrent.futures import ThreadPoolExecutor

    import pandas as pd
    from schedlog_analysis.account.tallies import clusters_of, tally_failures

    from schedlog_analysis import Archive, cadence, error_rate, invocations, ticks
    from schedlog_analysis.account.batches import Contents
    from schedlog_analysis.analysis.failures.labels import label_messages, labelled

    def share(batch):
        mine = definitions[definitions["schedule_id"].isin(batch.ids)].reset_index(drop=True)
        told = invocations(batch.read(), mine)
        due = ticks(told, mine)
        rates = error_rate(due, by="schedule_id").astype({"schedule_id": "str"})
        days = error_rate(due, freq="D").set_index("window_start")[["n", "n_failed"]]
        return cadence(due, mine).astype({"schedule_id": "str"}), rates, days, tally_failures(told)

    with clock() as told:
        archive = Archive(folder)
        definitions = archive.read_schedules()
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(share, Contents.of(archive).batches(pd.Index([], dtype="str"), 1_000_000)))
        rhythm, rates, days, tally = (pd.concat(tables) for tables in zip(*parts, strict=True))
        texts = pd.Index(tally["message"].dropna().unique(), dtype="str").sort_values()
        clusters = clusters_of(labelled(tally, label_messages(texts).set_axis(texts)))
        n_days = len(days.groupby(level=0).sum())
    return told | _ours(rhythm, rates, clusters, n_days)


def _ours(rhythm: Any, rates: Any, clusters: Any, n_days: int) -> dict[str, Any]:
    ms = rhythm[["delay_median", "delay_max", "interval_median"]].astype("int64").sum()
    n = rhythm[["n_planned", "n_observed", "n_missed"]].sum().to_dict()
    failed = int(rates["n_failed"].sum()) - n["n_missed"]
    return {"figures": n | ms.to_dict() | {"n_failed": failed, "days": n_days}, "clusters": len(clusters)}


def in_polars(folder: str, _n: int) -> dict[str, Any]:
    """Compute the figures lazily, streaming, on all cores."""
    import polars as pl

    with clock() as spent:
        log = pl.scan_parquet(f"{folder}/log/**/*.parquet")
        minutes = _minutes()
        step, is_error = pl.col("step"), pl.col("level") == "ERROR"
        first, last = (pl.col(name).cast(pl.Int64) // (minutes * 60_000) for name in ("created_at", "before"))
        planned = (
            pl.scan_parquet(f"{folder}/schedules/*.parquet")
            .with_columns(before=pl.col("next_run_at") - pl.duration(milliseconds=1))
            .select("schedule_id", step=minutes * 60_000, tick=pl.int_ranges(first + 1, last + 1))
            .explode("tick")
        )
        invoked, delay = pl.col("invoked"), pl.col("delay")
        steps = planned.group_by("schedule_id").agg(step.first())
        told = (
            log.join(steps, on="schedule_id")
            .with_columns(at=pl.col("created_at").cast(pl.Int64))
            .with_columns(tick=pl.col("at") // step)
            .group_by("schedule_id", "tick")
            .agg(
                invoked=pl.col("at").min(),
                is_failed=is_error.any(),
                is_duplicate=pl.col("at").max() - pl.col("at").min() >= TOGETHER,
                is_manual=(pl.col("message") == MANUAL).any(),
            )
        )
        due = planned.join(told, on=["schedule_id", "tick"], how="left").with_columns(
            delay=invoked - pl.col("tick") * step, is_bad=invoked.is_null() | pl.col("is_failed")
        )
        interval = invoked.drop_nulls().sort().diff()
        rhythm = due.group_by("schedule_id").agg(
            n_planned=pl.len(),
            n_observed=invoked.count(),
            n_missed=invoked.null_count(),
            n_failed=pl.col("is_failed").sum(),
            n_duplicate=pl.col("is_duplicate").sum(),
            n_manual=pl.col("is_manual").sum(),
            n_late=(delay > pl.min_horizontal(GRACE, step // 2)).sum(),
            delay_median=delay.median(),
            delay_p95=delay.quantile(0.95, "linear"),
            delay_max=delay.max(),
            interval_median=interval.median(),
            interval_mad=(interval - interval.median()).abs().median(),
            longest_gap=interval.max(),
            error_rate=pl.col("is_bad").mean(),
        )
        days = due.group_by(day=pl.col("tick") * step // 86_400_000).agg(n=pl.len(), n_failed=pl.col("is_bad").sum())
        rhythm, days, clusters = pl.collect_all([rhythm, days, _clusters(log)], engine="streaming")
    return spent | _theirs(rhythm, len(days), len(clusters))


def counting_in_polars(folder: str, _n: int) -> dict[str, Any]:
    """Compute them without the planned ticks, which are only counted: no miss has a day."""
    import polars as pl

    with clock() as spent:
        log = pl.scan_parquet(f"{folder}/log/**/*.parquet")
        minutes = _minutes()
        step, is_error = pl.col("step"), pl.col("level") == "ERROR"
        plan = (
            pl.scan_parquet(f"{folder}/schedules/*.parquet")
            .select("schedule_id", "created_at", "next_run_at", step=minutes * 60_000)
            .with_columns(
                n_planned=(pl.col("next_run_at").cast(pl.Int64) - 1) // step
                - pl.col("created_at").cast(pl.Int64) // step
            )
            .select("schedule_id", "step", "n_planned")
        )
        at, invoked, delay = pl.col("created_at").cast(pl.Int64), pl.col("invoked"), pl.col("delay")
        told = (
            log.join(plan.select("schedule_id", "step"), on="schedule_id")
            .with_columns(at=at, tick=at // step)
            .group_by("schedule_id", "tick", "step")
            .agg(
                invoked=pl.col("at").min(),
                n_errors=is_error.sum(),
                is_duplicate=pl.col("at").max() - pl.col("at").min() >= TOGETHER,
                is_manual=(pl.col("message") == MANUAL).any(),
            )
            .with_columns(delay=invoked - pl.col("tick") * step)
        )
        interval = invoked.sort().diff()
        rhythm = (
            told.group_by("schedule_id")
            .agg(
                n_observed=pl.len(),
                n_failed=(pl.col("n_errors") > 0).sum(),
                n_duplicate=pl.col("is_duplicate").sum(),
                n_manual=pl.col("is_manual").sum(),
                n_late=(delay > pl.min_horizontal(GRACE, step // 2)).sum(),
                delay_median=delay.median(),
                delay_p95=delay.quantile(0.95, "linear"),
                delay_max=delay.max(),
                interval_median=interval.median(),
                interval_mad=(interval - interval.median()).abs().median(),
                longest_gap=interval.max(),
            )
            .join(plan, on="schedule_id")
            .with_columns(n_missed=pl.col("n_planned") - pl.col("n_observed"))
            .with_columns(error_rate=(pl.col("n_missed") + pl.col("n_failed")) / pl.col("n_planned"))
        )
        day = (invoked // 86_400_000).alias("day")
        days = told.group_by(day).agg(n=pl.len(), n_failed=(pl.col("n_errors") > 0).sum())
        rhythm, days, clusters = pl.collect_all([rhythm, days, _clusters(log)], engine="streaming")
    return spent | _theirs(rhythm, len(days), len(clusters))


def _minutes() -> Any:
    """Read the plan as a number of minutes."""
    import polars as pl

    minutes = pl.col("cron").str.extract(MINUTES).cast(pl.Int64)
    return minutes.fill_null(pl.when(pl.col("cron").str.starts_with("0 ")).then(60).otherwise(1))


def _clusters(log: Any) -> Any:
    """Group errors by their text, masked."""
    import polars as pl

    template = pl.col("message")
    for mask in MASKS:
        template = template.str.replace_all(mask, "<*>")
    return (
        log.filter(pl.col("level") == "ERROR")
        .group_by(template=template)
        .agg(
            n=pl.len(),
            first_seen=pl.col("created_at").min(),
            last_seen=pl.col("created_at").max(),
            n_schedules=pl.col("schedule_id").n_unique(),
        )
    )


def in_pandas(folder: str, _n: int) -> dict[str, Any]:
    """Read all of it and group."""
    import pandas as pd

    with clock() as spent:
        log = pd.read_parquet(f"{folder}/log", columns=["schedule_id", "created_at", "level", "message"])
        plan = pd.read_parquet(f"{folder}/schedules").set_index("schedule_id")
        minutes = plan["cron"].str.extract(MINUTES)[0].astype("float64")
        minutes = minutes.fillna(plan["cron"].str.startswith("0 ").map({True: 60, False: 1})).astype("int64")
        plan["step"] = minutes * 60_000
        first = plan["created_at"].astype("int64") // plan["step"] + 1
        n_planned = (plan["next_run_at"].astype("int64") - 1) // plan["step"] + 1 - first
        due = plan.loc[plan.index.repeat(n_planned), ["step"]].reset_index()
        due["tick"] = due.groupby("schedule_id").cumcount() + due["schedule_id"].map(first)
        at, step = log["created_at"].astype("int64"), log["schedule_id"].map(plan["step"])
        log = log.assign(at=at, tick=at // step, is_error=log["level"] == "ERROR", is_manual=log["message"] == MANUAL)
        told = log.groupby(["schedule_id", "tick"], as_index=False).agg(
            invoked=("at", "min"), last=("at", "max"), is_failed=("is_error", "any"), is_manual=("is_manual", "any")
        )
        due = due.merge(told, on=["schedule_id", "tick"], how="left")
        due["delay"] = due["invoked"] - due["tick"] * due["step"]
        due["is_late"] = due["delay"] > (due["step"] // 2).clip(upper=GRACE)
        due["is_duplicate"] = due["last"] - due["invoked"] >= TOGETHER
        due["is_missed"] = due["invoked"].isna()
        due["is_failed"] = due["is_failed"].fillna(value=False).astype("bool")
        due["is_bad"] = due["is_missed"] | due["is_failed"]
        due["interval"] = (
            due["invoked"] - due.groupby("schedule_id")["invoked"].ffill().groupby(due["schedule_id"]).shift()
        )
        by_schedule = due.groupby("schedule_id")
        rhythm = by_schedule.agg(
            n_planned=("tick", "size"),
            n_observed=("invoked", "count"),
            n_missed=("is_missed", "sum"),
            n_failed=("is_failed", "sum"),
            n_duplicate=("is_duplicate", "sum"),
            n_manual=("is_manual", "sum"),
            n_late=("is_late", "sum"),
            delay_median=("delay", "median"),
            delay_max=("delay", "max"),
            interval_median=("interval", "median"),
            longest_gap=("interval", "max"),
            error_rate=("is_bad", "mean"),
        )
        rhythm["delay_p95"] = by_schedule["delay"].quantile(0.95)
        away = (due["interval"] - due["schedule_id"].map(rhythm["interval_median"])).abs()
        rhythm["interval_mad"] = away.groupby(due["schedule_id"]).median()
        days = due.groupby(due["tick"] * due["step"] // 86_400_000)["is_bad"].agg(["size", "sum"])
        errors = log[log["is_error"]]
        template = errors["message"]
        for mask in MASKS:
            template = template.str.replace(mask, "<*>", regex=True)
        clusters = errors.groupby(template).agg(
            n=("created_at", "size"),
            first_seen=("created_at", "min"),
            last_seen=("created_at", "max"),
            n_schedules=("schedule_id", "nunique"),
        )
    return spent | _theirs(rhythm, len(days), len(clusters))


def _theirs(rhythm: Any, n_days: int, n_clusters: int) -> dict[str, Any]:
    names = ("n_planned", "n_observed", "n_missed", "delay_median", "delay_max", "interval_median", "n_failed")
    figures = {name: float(rhythm[name].sum()) for name in names}
    return {"figures": figures | {"days": n_days}, "clusters": n_clusters}


# Other tasks


def workers(folder: str, n: int) -> dict[str, Any]:
    """Analyse on n worker processes that are there already, and compare every table with this process's."""
    from dask.distributed import Client, LocalCluster
    from pandas.testing import assert_frame_equal

    from schedlog_analysis import fleet

    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=n, **options) as cluster, Client(cluster) as client:
        fleet.analyze(folder, "2026-10-31", scheduler=client)  # everything is imported there
        with clock() as told:
            spread = fleet.analyze(folder, scheduler=client)
    here = fleet.analyze(folder)
    tables = [name for name, value in vars(here).items() if hasattr(value, "columns")]
    for name in tables:
        assert_frame_equal(getattr(spread, name), getattr(here, name), check_exact=True, obj=name)
    return told | {"equal": len(tables)}


def report(folder: str, _n: int) -> dict[str, Any]:
    """Make the HTML report of a year, and tell the time by stage."""
    from schedlog_analysis import Report
    from schedlog_analysis.report import result

    module = import_module("schedlog_analysis.account.archive")  # the package has a function of that name
    stages: dict[str, float] = {}

    def timed(name, function, *arguments, **options):
        begun = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            stages[name] = stages.get(name, 0.0) + time.perf_counter() - begun

    watched = {"work_on": "batches: read, match, count", "add_up": "add up, mine templates", "meet": "objective"}
    watched |= {"_details": "single ticks of the worst 20"}
    for name, title in watched.items():
        setattr(module, name, partial(timed, title, getattr(module, name)))
    with clock() as told:
        found = timed("all", module.analyze, folder, YEAR, objective=0.99)
        stages["find out what is where"] = stages.pop("all") - sum(stages.values()) + stages.get("all", 0.0)
        made = Report(found)
        timed("facts and sentences", result.facts, found)
        page = timed("facts again, pictures, HTML", made.to_html)
    return told | {"stages": stages, "html": len(page), "schedules": len(found.cadence)}


@contextmanager
def clock():
    """Measure the time and the processor time of a block; what was imported before is not in it."""
    told: dict[str, Any] = {}
    begun, used = time.perf_counter(), time.process_time()
    yield told
    told |= {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used}


def peak() -> int:
    """Give the greatest resident memory of this process [bytes]; what `getrusage` says may be its parent's."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is no shorter
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024


TASKS = {
    "build": build,
    "everything": everything,
    "three": three,
    "polars": in_polars,
    "counting": counting_in_polars,
    "pandas": in_pandas,
    "workers": workers,
    "report": report,
}

if __name__ == "__main__":
    task, folder, number = sys.argv[1:]
    answer = TASKS[task](folder, int(number))
    print(json.dumps(answer | {"peak": peak()}))
