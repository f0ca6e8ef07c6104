"""
From a server's answers to typed tables: this package against apify-client and the usual idioms, in one run.

    python benchmarks/fetch.py [--schedules 1000] [--entries 1000] [--repeat 3]

Two tables are printed, in Markdown. "Fetched" goes over HTTP from a server in a process of its own to one table of all
schedules; "parsed" begins with the answers in memory. All contenders take turns, each figure is its best of all turns,
every result is checked to have the same rows and the same dtypes, and the exit code is 1 if a promise (3 and 5 times
apify-client) is not kept. Contenders that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socketserver
import sys
import time
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from multiprocessing.pool import ThreadPool
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from schedlog_analysis.sources.client import Client
from schedlog_analysis.sources.parse import parse_log, parse_logs

VARIANTS = 20  # different answers; more would only fill the server's memory
LEVELS = ("INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "WARNING", "ERROR")
MESSAGES = {
    "INFO": "Schedule invoked",
    "WARNING": 'Skipping Actor "HG7ML7M8z78YcAPEB", it must be exclusive but previous run is still running',
    "ERROR": 'Cannot start Actor task "iEvfA6pm6DWjRTGxS": Provided input must be object, got "string" instead.',
}
DTYPES = {"schedule_id": "str", "created_at": "datetime64[ms, UTC]", "level": "str", "message": "str"}
PROMISES = {"fetched": 3.0, "parsed": 5.0}


def log_body(variant, n):
    """Answer of the log endpoint: an invocation every five minutes and a few seconds."""
    begin = pd.Timestamp("2026-01-01T00:00Z") + pd.Timedelta(variant, "s")
    instants = pd.date_range(begin, periods=n, freq="300123ms").strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3] + "Z"
    levels = [LEVELS[(7 * row + variant) % len(LEVELS)] for row in range(n)]
    entries = [
        {"message": MESSAGES[level], "level": level, "createdAt": instant}
        for level, instant in zip(levels, instants, strict=True)
    ]
    return json.dumps({"data": entries}, separators=(",", ":")).encode()


def schedule(number):
    """Definition of one schedule, as the API lists it."""
    moment = "2026-01-01T00:00:00.000Z"
    return {
        "id": f"s{number:05d}",
        "userId": "u",
        "name": f"schedule-{number}",
        "cronExpression": "*/5 * * * *",
        "timezone": "UTC",
        "isEnabled": True,
        "isExclusive": False,
        "createdAt": moment,
        "modifiedAt": moment,
        "actions": [],
    }


# The server


def serve(bodies, n_schedules, ports):
    """Answer as the API does, with as little work as possible."""
    schedules = [schedule(number) for number in range(n_schedules)]

    def answer(target):
        parts = urlsplit(target)
        if parts.path.endswith("/log"):
            return bodies[int(parts.path.split("/")[3][1:]) % len(bodies)]
        offset = int(parse_qs(parts.query).get("offset", ["0"])[0])
        items = schedules[offset : offset + 1000]
        page = {
            "total": n_schedules,
            "offset": offset,
            "limit": 1000,
            "desc": False,
            "count": len(items),
            "items": items,
        }
        return json.dumps({"data": page}).encode()

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self):
            while request := self.rfile.readline():
                while self.rfile.readline() not in {b"\r\n", b""}:
                    pass
                body = answer(request.split()[1].decode())
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        ports.put(server.server_address[1])
        server.serve_forever()


# Contenders over HTTP


def typed(schedule_ids, frames):
    """Put frames with the API's columns together into one typed table."""
    log = pd.concat(frames, keys=schedule_ids, names=["schedule_id", None]).reset_index("schedule_id")
    log["createdAt"] = pd.to_datetime(log["createdAt"], utc=True, format="ISO8601")
    return log.rename(columns={"createdAt": "created_at"})[list(DTYPES)].astype(DTYPES)


def fetch_with_us(url, _ids):
    """Fetch the whole account with this package, its courtesy to the real API switched off."""
    with Client("token", base_url=url, requests_per_second=1e9) as client:
        fetched = client.fetch_logs()
    assert not fetched.failures
    return fetched.log


def fetch_with_apify_client(url, ids, *, threads):
    """Fetch schedule by schedule with the official client and make a DataFrame of each answer."""
    from apify_client import ApifyClient  # noqa: PLC0415 - left out where it is not installed

    client = ApifyClient("token", api_url=url)

    def fetch(schedule_id):
        return pd.DataFrame([entry.model_dump(by_alias=True) for entry in client.schedule(schedule_id).get_log()])

    if threads == 1:
        return typed(ids, [fetch(schedule_id) for schedule_id in ids])
    with ThreadPool(threads) as pool:
        return typed(ids, pool.map(fetch, ids))


# Contenders in parsing


def parse_with_us(bodies):
    """Parse all answers at once."""
    return parse_logs(bodies)


def parse_with_us_singly(bodies):
    """Parse answer by answer."""
    return pd.concat([parse_log(body, schedule_id) for schedule_id, body in bodies.items()], ignore_index=True)


def parse_with_apify_client(bodies):
    """Parse into the official client's models, as `get_log` does, and those into DataFrames."""
    from apify_client._models import ScheduleLogResponse  # noqa: PLC0415 - left out where it is not installed

    answers = [ScheduleLogResponse.model_validate(json.loads(body)).data for body in bodies.values()]
    return typed(bodies, [pd.DataFrame([entry.model_dump(by_alias=True) for entry in answer]) for answer in answers])


def parse_with_json(bodies):
    """Parse with the standard library, then a DataFrame of each answer."""
    return typed(bodies, [pd.DataFrame(json.loads(body)["data"]) for body in bodies.values()])


def parse_with_read_json(bodies):
    """Let pandas read the JSON."""
    texts = [body[len(b'{"data":') : -1] for body in bodies.values()]
    return typed(bodies, [pd.read_json(BytesIO(text), dtype=False) for text in texts])


def parse_with_polars(bodies):
    """Let Polars read the JSON."""
    import polars as pl  # noqa: PLC0415 - left out where it is not installed

    frames = [
        pl.read_json(body).explode("data").unnest("data").with_columns(schedule_id=pl.lit(schedule_id))
        for schedule_id, body in bodies.items()
    ]
    instants = pl.col("createdAt").str.to_datetime("%+", time_unit="ms", time_zone="UTC").alias("created_at")
    return pl.concat(frames).with_columns(instants).to_pandas()[list(DTYPES)].astype(DTYPES)


def parse_with_msgspec(bodies):
    """Parse into structs with msgspec, then column by column."""
    import msgspec  # noqa: PLC0415 - left out where it is not installed

    entry = msgspec.defstruct("Entry", [("message", str), ("level", str), ("createdAt", str)], gc=False)
    decoder = msgspec.json.Decoder(msgspec.defstruct("Answer", [("data", list[entry])], gc=False))
    frames = []
    for body in bodies.values():
        entries = decoder.decode(body).data
        columns = {name: [getattr(item, name) for item in entries] for name in ("createdAt", "level", "message")}
        frames.append(pd.DataFrame(columns))
    return typed(bodies, frames)


FETCHERS = {
    "schedlog_analysis": (fetch_with_us, "schedlog_analysis"),
    "apify-client + DataFrame": (partial(fetch_with_apify_client, threads=1), "apify_client"),
    "apify-client + DataFrame, 16 threads": (partial(fetch_with_apify_client, threads=16), "apify_client"),
}
PARSERS = {
    "schedlog_analysis": (parse_with_us, "schedlog_analysis"),
    "schedlog_analysis, one by one": (parse_with_us_singly, "schedlog_analysis"),
    "apify-client + DataFrame": (parse_with_apify_client, "apify_client"),
    "json + DataFrame": (parse_with_json, "json"),
    "pandas.read_json": (parse_with_read_json, "pandas"),
    "msgspec + DataFrame": (parse_with_msgspec, "msgspec"),
    "polars": (parse_with_polars, "polars"),
}


def compete(title, contenders, arguments, *, expected, repeat):
    """Let all contenders take turns; print rows per second of each one's best turn, and whether the promise is kept."""
    present = {name: run for name, (run, module) in contenders.items() if find_spec(module)}
    best = dict.fromkeys(present, float("inf"))
    for _ in range(repeat):
        for name, run in present.items():
            begin = time.perf_counter()
            log = run(*arguments)
            best[name] = min(best[name], time.perf_counter() - begin)
            check(name, log, expected)
            del log
    print(f"\n| {title} | seconds | rows/s | ours is |\n| --- | --- | --- | --- |")
    for name, seconds in best.items():
        print(
            f"| {name} | {seconds:.2f} | {len(expected) / seconds:,.0f} | {seconds / best['schedlog_analysis']:.1f}x |"
        )
    peers = [seconds for name, seconds in best.items() if name.startswith("apify-client")]
    kept = not peers or min(peers) >= PROMISES[title] * best["schedlog_analysis"]
    print(f"\nPromised: {PROMISES[title]:.0f}x the best of apify-client: {'kept' if kept else 'BROKEN'}.")
    return kept


def check(name, log, expected):
    """Nobody is fast by doing less: same rows, same dtypes."""
    log = log.sort_values(["schedule_id", "created_at"], ignore_index=True)
    assert {column: str(dtype) for column, dtype in log.dtypes.items()} == DTYPES, name
    pd.testing.assert_frame_equal(log, expected, check_like=True, obj=name)


def main():
    """Run both competitions."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    options.add_argument("--schedules", type=int, default=1000)
    options.add_argument("--entries", type=int, default=1000)
    options.add_argument("--repeat", type=int, default=3)
    chosen = options.parse_args()

    variants = [log_body(variant, chosen.entries) for variant in range(VARIANTS)]
    ids = [schedule(number)["id"] for number in range(chosen.schedules)]
    bodies = {schedule_id: variants[number % VARIANTS] for number, schedule_id in enumerate(ids)}
    size = sum(map(len, bodies.values())) / 1e6
    print(f"{chosen.schedules} schedules x {chosen.entries} entries, {size:.0f} MB of JSON, best of {chosen.repeat}")
    expected = parse_with_json(bodies).sort_values(["schedule_id", "created_at"], ignore_index=True)
    turns = {"expected": expected, "repeat": chosen.repeat}

    ports = multiprocessing.get_context("spawn").SimpleQueue()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(variants, chosen.schedules, ports), daemon=True
    )
    server.start()
    url = f"http://127.0.0.1:{ports.get()}"
    kept = compete("fetched", FETCHERS, (url, ids), **turns)
    server.terminate()
    return 0 if compete("parsed", PARSERS, (bodies,), **turns) and kept else 1


if __name__ == "__main__":
    sys.exit(main())
