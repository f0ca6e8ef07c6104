"""
Speed and agreement of the planned ticks against the other cron libraries.

``python benchmarks/cron.py`` measures speed against cronsim, croniter and cron-converter in one run, as ratios.
``python benchmarks/cron.py --sweep`` compares random expressions with JavaScript's cron-parser (node and npm needed)
around DST changes, and lets the zone's wall clock settle every difference. Version 5 of cron-parser refuses a value
that comes twice: such expressions are compared with version 4, which is slow, fewer and shorter.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd

from schedlog_analysis._core.zones import load_zone
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.cron.expression import parse
from schedlog_analysis.cron.planning import clock
from schedlog_analysis.errors import CronError

SPEED = ("* * * * *", "*/5 * * * *", "0 9 * * 1-5", "30 5 16 * * 1")
SPEED_ZONES = ("UTC", "Europe/Prague")
GATES = {"* * * * *": 300, "30 5 16 * * 1": 30}  # least ratio to cronsim
CAP = 30_000  # ticks asked of a slow peer
SWEEP_ZONES = ("UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "Australia/Lord_Howe")
MOST = 2000  # ticks compared per window

PEERS = ("cron-parser", "cron-parser-4")  # the second for expressions with a value twice
CRON_PARSERS = {"cron-parser": 5, "cron-parser-4": 4}
OWN_FOLDER = Path(tempfile.gettempdir()) / "schedlog-cron-parser"
FEWER = 20  # expressions per expression with a value twice

CRON_PARSER = """
const {CronExpressionParser, parseExpression} = require(process.argv[1]);
const parse = parseExpression || CronExpressionParser.parse;
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const {expression, tz, start, end, most} = JSON.parse(line), ticks = [];
  let error = null;
  try {
    const parser = parse(expression, {tz, currentDate: new Date(start - 1)});
    while (ticks.length < most) {
      const tick = parser.next().getTime();
      if (tick >= end) break;
      ticks.push(tick);
    }
  } catch (e) { error = e.message; }
  console.log(JSON.stringify({ticks, error}));
});
"""


# --- the peers ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def cron_parser_folder() -> Path | None:
    """Return a folder whose node_modules hold cron-parser 5 and 4, None where node, npm or the network is absent."""
    folders = [Path(os.environ.get("SCHEDLOG_NODE_MODULES", "node_modules")).parent, OWN_FOLDER]
    for folder in folders:
        if shutil.which("node") and all((folder / "node_modules" / name).is_dir() for name in CRON_PARSERS):
            return folder
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    OWN_FOLDER.mkdir(exist_ok=True)
    wanted = [f"{name}@npm:cron-parser@{number}" for name, number in CRON_PARSERS.items()]
    command = ["npm", "install", "--prefix", str(OWN_FOLDER), "--no-audit", "--no-fund", *wanted]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    return None if done.returncode else OWN_FOLDER


def cron_parser(name: str, jobs: list[dict]) -> list[dict]:
    """Ask a cron-parser for the ticks of each job [ms]; an error stands beside the ticks found before it."""
    done = subprocess.run(
        ["node", "-e", CRON_PARSER, name],
        input="".join(json.dumps(job) + "\n" for job in jobs),
        capture_output=True,
        text=True,
        check=True,
        cwd=cron_parser_folder(),
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- the judge: the rules once more, minute by minute on the wall clock --------------------------------------------


def values(text: str, low: int, high: int) -> set[int]:
    """Expand a field of numbers, apart from the package's own parser."""
    found = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if body in "*?" else body).partition("-")
        found |= set(range(int(first), int(last or (high if step else first)) + 1, int(step or 1)))
    return found


class Judge:
    """Decides second by second whether a moment is a tick, from what the zone's wall clock shows then and before."""

    def __init__(self, expression: str, tz: str) -> None:
        fields = expression.split()
        texts = fields if len(fields) == 6 else ["0", *fields]
        bounds = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
        self.second, self.minute, self.hour, self.dom, self.month, dow = map(
            lambda text, bound: values(text, *bound), texts, bounds
        )
        self.dow = {value % 7 for value in dow}
        self.both = texts[3] in "*?" or texts[5] in "*?"
        self.zone = ZoneInfo(tz)

    def ticks(self, start: int, end: int) -> list[int]:
        """Return the ticks of a window [ms]."""
        return [
            at * 1000 for at in range(start // 1000, -(-end // 1000)) if at % 60 in self.second and self.is_tick(at)
        ]

    def is_tick(self, at: int) -> bool:
        """Tell whether a moment [s] is a tick."""
        local = datetime.fromtimestamp(at, self.zone)
        if local.second not in self.second:
            return False
        regular = self.matches(local) and (local.fold == 0 or len(self.hour) == 24)
        return regular or self.stands_in(at, local)

    def matches_day(self, local: datetime) -> bool:
        """Tell whether a day matches."""
        dom, dow = local.day in self.dom, local.isoweekday() % 7 in self.dow
        return local.month in self.month and ((dom and dow) if self.both else (dom or dow))

    def matches(self, local: datetime) -> bool:
        """Tell whether the wall clock shows a matching minute, whatever happened before."""
        return local.minute in self.minute and local.hour in self.hour and self.matches_day(local)

    def stands_in(self, at: int, local: datetime) -> bool:
        """Tell whether the hour of a moment follows skipped hours of which one was due."""
        if local.utcoffset() <= datetime.fromtimestamp(at - 3600, self.zone).utcoffset():
            return False
        begin = at - local.second
        while datetime.fromtimestamp(begin - 60, self.zone).replace(minute=0, second=0) == local.replace(
            minute=0, second=0
        ):
            begin -= 60
        before = datetime.fromtimestamp(begin - 1, self.zone)
        n_skipped = (local.hour - before.hour - 1) % 24
        if local.utcoffset() <= before.utcoffset() or not n_skipped:
            return False
        skipped = [before.replace(tzinfo=None) + timedelta(hours=i + 1) for i in range(n_skipped)]
        due = any(hour.hour in self.hour and self.matches_day(hour) for hour in skipped)
        return due and local.hour not in self.hour and local.minute in self.minute and self.matches_day(local)


# --- the sweep -----------------------------------------------------------------------------------------------------


def random_field(rng: random.Random, low: int, high: int, star: float, *, repeats: bool = False) -> str:
    """Make up a field, a star with the given probability; unless asked for, no value comes twice."""
    if rng.random() < star:
        return "*"
    items: list[str] = []
    found: set[int] = set()
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        item = random_item(rng, low, high)
        more = {value % 7 for value in values(item, low, high)} if high == 7 else values(item, low, high)
        if repeats or not found & more:
            items.append(item)
            found |= more
    return ",".join(items)


def random_item(rng: random.Random, low: int, high: int) -> str:
    """Make up one part of a list."""
    first, last = sorted(rng.sample(range(low, high + 1), 2))
    return rng.choice(
        (
            str(first),
            str(first),
            f"*/{rng.choice((2, 3, 4, 5, 6, 7, 10, 12, 15, 20, 30))}",
            f"{first}-{last}",
            f"{first}-{last}/{rng.randint(1, 9)}",
            f"{first}/{rng.randint(1, 20)}",
        )
    )


def random_expression(rng: random.Random, *, six: bool, repeats: bool = False) -> str:
    """Make up an expression, half of them about the hours at which clocks change."""
    near = ("2", "1", "0", "3", "1-3", "*/2", "2,3", "23", "0-22", "*", "0-23", "1,2", "22-23")
    field = partial(random_field, rng, repeats=repeats)
    hour = rng.choice(near) if rng.random() < 0.5 else field(0, 23, 0.25)
    days = (field(1, 31, 0.6), field(1, 12, 0.8), field(0, 7, 0.6))
    seconds = [field(0, 59, 0.02)] if six else []
    return " ".join([*seconds, field(0, 59, 0.2), hour, *days])


def windows(tz: str, year: int = 2025) -> list[tuple[int, int]]:
    """Return windows of 30 hours around each change of a year and around one ordinary day [ms]."""
    first, last = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    changes = [at for at in load_zone(tz).changes if first <= at < last]
    days = [int(datetime(year, 6, 18, tzinfo=UTC).timestamp()), *changes]
    return [((day - 15 * 3600) * 1000, (day + 15 * 3600) * 1000) for day in days]


def sweep(
    n: int, zones: tuple[str, ...] = SWEEP_ZONES, peers: tuple[str, ...] = PEERS, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Compare random expressions with the peers.

    Returns one row per peer and zone, and one row per difference with what the judge says.
    """
    rng = random.Random(seed)
    jobs = make_jobs(rng, n, MOST, zones, repeats=False)
    regular = tuple(tz for tz in zones if tz != "Australia/Lord_Howe")  # where the judge knows version 5 only
    twice = make_jobs(rng, max(n // FEWER, 3), MOST // FEWER, regular, repeats=True)
    compared, differences = [], []
    for peer in peers:
        its_jobs = twice if peer == PEERS[1] else jobs
        for job, answer in zip(its_jobs, cron_parser(peer, its_jobs), strict=True):
            rejected = re.search("duplicate", answer["error"] or "")
            compared.append({"peer": peer, "tz": job["tz"], "rejected": bool(rejected)})
            if not rejected:
                differences += compare(peer, job, answer)
    return pd.DataFrame(compared), pd.DataFrame(differences, columns=DIFFERENCE)


def make_jobs(rng: random.Random, n: int, most: int, zones: tuple[str, ...], *, repeats: bool) -> list[dict]:
    """Make up expressions with or without a value that comes twice, each for the windows of each zone."""
    found: set[str] = set()
    while len(found) < n:
        expression = random_expression(rng, six=rng.random() < 0.12, repeats=repeats)
        with suppress(CronError):
            if parse(expression).has_repeats == repeats:
                found.add(expression)
    return [
        {"expression": expression, "tz": tz, "start": start, "end": end, "most": most}
        for expression in sorted(found)
        for tz in zones
        for start, end in windows(tz)
    ]


DIFFERENCE = ["peer", "tz", "expression", "peer_error", "only_ours", "only_theirs", "is_ours_right", "is_ambiguous"]


def every_behaviour(year: int = 2025) -> tuple[str, ...]:
    """Return one zone for each way in which offsets change from a year on."""
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    found: dict[tuple[object, ...], str] = {}
    for name in sorted(available_timezones()):
        zone = load_zone(name)
        first = bisect.bisect(zone.changes, begin)
        found.setdefault((zone.changes[first : first + 8], zone.offsets[first : first + 9]), name)
    return tuple(found.values())


def compare(peer: str, job: dict, answer: dict) -> list[dict]:
    """Return the difference between the package and a peer, judged; nothing where they agree."""
    cron, theirs = Cron(job["expression"], job["tz"]), answer["ticks"]
    end = theirs[-1] + 1 if len(theirs) == job["most"] else job["end"]
    ours = cron.tick_ms(job["start"], end).tolist()
    if ours == theirs and not answer["error"]:
        return []
    ticks, is_ambiguous = cron.reading_ms(job["start"], end)
    ambiguous = set(ticks[is_ambiguous].tolist())
    apart = set(ours) ^ set(theirs)
    return [
        {
            "peer": peer,
            "tz": job["tz"],
            "expression": job["expression"],
            "peer_error": answer["error"],
            "only_ours": len(set(ours) - set(theirs)),
            "only_theirs": len(set(theirs) - set(ours)),
            "is_ours_right": Judge(job["expression"], job["tz"]).ticks(job["start"], end) == ours,
            "is_ambiguous": apart <= ambiguous,
        }
    ]


def print_sweep(n: int, zones: tuple[str, ...], *, list_all: bool) -> int:
    """Print the sweep; the result is the number of differences in which the judge is against the package."""
    if cron_parser_folder() is None:
        print("The sweep needs node, npm and access to the npm registry.")
        return 1
    began = time.perf_counter()
    compared, differences = sweep(n, zones)
    keys = ["peer", "tz"]
    table = compared.groupby(keys).agg(windows=("rejected", "size"), rejected=("rejected", "sum"))
    counts = differences.groupby(keys).agg(
        different=("expression", "size"),
        peer_gives_up=("peer_error", "count"),
        ours_right=("is_ours_right", "sum"),
        ambiguous=("is_ambiguous", "sum"),
    )
    print(f"{n:,} expressions for {PEERS[0]}, {n // FEWER} with a value twice for {PEERS[1]}")
    print(table.join(counts).fillna(0).astype(int).to_string())
    shown = differences if list_all else differences.groupby(keys).head(3)
    print(shown.to_string(index=False) if len(shown) else "no difference")
    print(f"{time.perf_counter() - began:.0f} s")
    return int((~differences["is_ours_right"].astype(bool)).sum())


# --- speed ---------------------------------------------------------------------------------------------------------


def peer_iterators(expression: str, tz: str, start: datetime) -> dict[str, Callable[[], Iterator[object]]]:
    """Return what yields the peers' ticks."""
    from cron_converter import Cron as Converter  # noqa: PLC0415 - the rest of the file runs without it
    from croniter import croniter  # noqa: PLC0415 - the rest of the file runs without it
    from cronsim import CronSim  # noqa: PLC0415 - the rest of the file runs without it

    local = start.astimezone(ZoneInfo(tz))
    before = local - timedelta(seconds=1)

    def converter() -> Iterator[object]:
        schedule = Converter(expression).schedule(local)
        while True:
            yield schedule.next()

    peers: dict[str, Callable[[], Iterator[object]]] = {
        "cronsim": lambda: CronSim(expression, before),
        "croniter": lambda: croniter(expression, before, ret_type=datetime, second_at_beginning=True).all_next(),
    }
    return peers | ({"cron-converter": converter} if len(expression.split()) == 5 else {})


def median_s(call: Callable[[], object], repeat: int) -> float:
    """Return the median duration [s]."""
    durations = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        durations.append(time.perf_counter() - began)
    return statistics.median(durations)


def forget() -> None:
    """Empty the caches of expressions."""
    for cached in (parse, clock):
        cached.cache_clear()


def year_of(name: str, expression: str, tz: str, most: int) -> Callable[[], int]:
    """Return what lists the first ticks of a year, and how many there are."""
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    if name == "ours":
        return lambda: len(Cron(expression, tz).ticks(start, end))
    make = peer_iterators(expression, tz, start)[name]
    return lambda: sum(1 for _ in islice(make(), most))


def first_s(name: str, expression: str, tz: str, most: int) -> float:
    """Return how long the first call of a process takes, the imports not counted [s]."""
    command = [sys.executable, __file__, "--first", name, expression, tz, str(most)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(9)]
    return statistics.median(map(float, runs))


def print_speed() -> int:
    """Print how many times faster a year's ticks are; the result is the number of missed gates."""
    print("peers: " + ", ".join(f"{name} {version(name)}" for name in ("cronsim", "croniter", "cron-converter")))
    rows = [speed(expression, tz) for expression in SPEED for tz in SPEED_ZONES]
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:,.1f}".format))
    print("new: an expression not seen before; first: first call of a process, which reads the zone, in both programs")
    worst = {e: min(row["x cronsim"] for row in rows if row["expression"] == e) for e in GATES}
    for expression, least in GATES.items():
        print(f"{expression}: {worst[expression]:,.0f} times cronsim, at least {least} wanted")
    for kind in ("new x cronsim", "first x cronsim"):
        slow = [row for row in rows if row["expression"] in GATES and row[kind] < GATES[row["expression"]]]
        for row in slow:
            wanted = f"{GATES[row['expression']]} wanted"
            print(f"behind: `{row['expression']}` in {row['tz']}, {kind}: {row[kind]:.1f}, {wanted}")
    return sum(worst[expression] < least for expression, least in GATES.items())


def speed(expression: str, tz: str) -> dict[str, object]:
    """Measure one expression and its peers."""
    ours = year_of("ours", expression, tz, 0)
    n = ours()

    def new() -> int:
        forget()
        return ours()

    warm_s, new_s = median_s(ours, 101), median_s(new, 101)
    row: dict[str, object] = {"expression": expression, "tz": tz, "n": n, "ours [ms]": warm_s * 1e3}
    for name in peer_iterators(expression, tz, datetime.now(UTC)):
        asked = min(n, CAP)
        theirs_s = median_s(year_of(name, expression, tz, asked), 15 if n < CAP else 3) * n / asked
        row[f"x {name}"] = theirs_s / warm_s
        if name == "cronsim":
            row["new x cronsim"] = theirs_s / new_s
    asked = min(n, 1000)
    first = [first_s(name, expression, tz, asked) for name in ("cronsim", "ours")]
    return row | {"first [ms]": first[1] * 1e3, "first x cronsim": first[0] * n / asked / first[1]}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweep", action="store_true", help="compare with cron-parser (long)")
    parser.add_argument("-n", type=int, default=2000, help="random expressions in the sweep")
    parser.add_argument("--list", action="store_true", help="print every difference of the sweep")
    parser.add_argument("--everywhere", action="store_true", help="sweep a zone of every behaviour instead of six")
    parser.add_argument("--first", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.first:
        *what, most = given.first
        print(median_s(year_of(*what, int(most)), 1))
        return 0
    zones = every_behaviour() if given.everywhere else SWEEP_ZONES
    return print_sweep(given.n, zones, list_all=given.list) if given.sweep else print_speed()


if __name__ == "__main__":
    sys.exit(min(main(), 1))
