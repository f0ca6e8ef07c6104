"""
Make ``cron/planned.jsonl``: what cron-parser 5 plans when a parser is made anew for every tick, as Apify does.

The folder must have ``node_modules`` with cron-parser 5. cronsim and croniter (both in the extra ``bench``) are asked,
too, and each case says who agrees: ``python tests/data/make_cron.py FOLDER > tests/data/cron/planned.jsonl``.
"""

import json
import subprocess
import sys
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

N = 12  # ticks a case

NODE = """
const {CronExpressionParser} = require('cron-parser');
const first = (expr, tz, at) => CronExpressionParser.parse(expr, {tz, currentDate: new Date(at)}).next().getTime();
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const {expr, tz, start, n} = JSON.parse(line), fresh = [], iterated = [];
  let at = start, error = null;
  try {
    while (fresh.length < n) { at = first(expr, tz, at); fresh.push(at / 1000); }
    const parser = CronExpressionParser.parse(expr, {tz, currentDate: new Date(start)});
    while (iterated.length < n) iterated.push(parser.next().getTime() / 1000);
  } catch (e) { error = e.message; }
  console.log(JSON.stringify([fresh, iterated, error]));
});
"""

# Local starts: the day before a change of the clock, or a turn of the year.
STARTS = {
    "UTC": ["2024-02-27T12:00", "2025-12-31T22:17"],
    "Europe/Prague": ["2025-03-29T22:30", "2025-10-25T22:30", "2025-12-31T20:05"],
    "America/New_York": ["2025-03-08T23:10", "2025-11-01T23:10", "2024-12-31T23:50"],
    "Australia/Lord_Howe": ["2025-10-04T23:40", "2026-04-04T23:40"],
    "America/Sao_Paulo": [
        "2018-11-03T21:20",
        "2019-02-16T21:20",
        "2025-06-30T10:00",
    ],  # changed at midnight, then no more
}
PLAIN = [
    *("* * * * *", "*/5 * * * *", "*/7 * * * *", "17 * * * *", "0 */6 * * *", "30 9 * * *", "45 23 * * *", "0 0 * * *"),
    *("30 2 * * *", "15 1 * * *", "*/15 2 * * *", "30 1-4 * * *", "0,30 0-3 * * *", "10-40/15 1,2 * * *", "5 0 * * *"),
    *(
        "0 9-17 * * 1-5",
        "0 8 * * MON-FRI",
        "0 0 1 1 *",
        "59 23 31 12 *",
        "0 0 29 2 *",
        "0 12 31 * *",
        "0 3 * JAN,JUL SUN",
    ),
    *("*/20 * * * * *", "30 */5 * * * *", "5,40 59 23 * * *", "30 5 16 * * 1"),
    *("@hourly", "@daily", "@weekly", "@monthly", "@yearly"),
]
DAYS = [
    *("0 0 L * *", "0 7 15,L * *", "0 0 * * 5L", "0 0 * * FRIL", "30 8 * * 1#1", "0 0 * * MON#2", "0 6 * * 3#5"),
    *(
        "0 0 13 * 5",
        "0 0 */10 * 1",
        "0 0 1,15 * 3",
        "0 4 1-7 * 0",
        "0 0 ? * 1",
        "0 0 1 * ?",
        "0 0 */2 * 1",
        "0 0 * * 0",
    ),
    *("0 0 * * 0", "0 0 * * 7", "0 0 * * 3/2", "0 0 * * 5-7", "0 22 31 1,3 2", "20 10 28-31 2 *"),
]


def list_cases():
    """Every expression in every zone around a change; rules of days in two zones around a turn of the year."""
    for tz, starts in STARTS.items():
        for number, start in enumerate(starts):
            kept = PLAIN if tz == "Europe/Prague" else PLAIN[number % 2 :: 2]
            for expr in kept + (DAYS if start[5:7] == "12" or tz == "UTC" else []):
                at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(tz))
                yield {"expr": expr, "tz": tz, "start": int(at.timestamp() * 1000), "n": N}


def ask_peers(case):
    """What cronsim and croniter plan, where they are installed and take the expression."""
    from croniter import croniter  # noqa: PLC0415
    from cronsim import CronSim  # noqa: PLC0415

    zone = ZoneInfo(case["tz"])
    start = datetime.fromtimestamp(case["start"] / 1000, zone)
    # croniter reads six fields with the seconds last
    fields = case["expr"].split()
    moved = " ".join([*fields[1:], fields[0]]) if len(fields) == 6 else case["expr"]
    peers = {
        "cronsim": lambda: [int(tick.timestamp()) for tick in islice(CronSim(case["expr"], start), N)],
        "croniter": lambda: [int(at) for at in islice(croniter(moved, start, ret_type=float), N)],
    }
    for name, plan in peers.items():
        try:
            yield name, plan()
        except Exception:  # noqa: BLE001 - whatever a peer says, it rejects the case
            yield name, None


def main():
    """Print one case a line."""
    folder, cases = sys.argv[1], list(list_cases())
    asked = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(["node", "-e", NODE], input=asked, capture_output=True, text=True, check=True, cwd=folder)
    for number, (case, line) in enumerate(zip(cases, done.stdout.splitlines(), strict=True)):
        fresh, iterated, error = json.loads(line)
        if error:
            continue  # half-hour changes, at which cron-parser gives up
        told = dict(ask_peers(case))
        row = {"id": number} | {key: case[key] for key in ("expr", "tz", "start")} | {"ticks": fresh}
        if iterated != fresh:
            row["iterated"] = iterated
        row["agree"] = ["cp5", *sorted(name for name, ticks in told.items() if ticks == fresh)]
        row["differ"] = sorted(name for name, ticks in told.items() if ticks not in (fresh, None))
        sys.stdout.write(json.dumps(row, separators=(",", ":")) + "\n")


main()
