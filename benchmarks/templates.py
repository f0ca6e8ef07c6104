"""
How well and how fast templates are mined: accuracy on public logs, and CPU time beside Drain3.

Run ``python benchmarks/templates.py``; the logs (Loghub-2k) and the generator of synthetic messages lie beside the
repository, in ``../shared/loghub``. Drain3 is what ``pip install drain3`` gives. Times are CPU seconds of one process;
what counts is their ratio within one run, the median of the rounds. GA, FGA and FTA are grouping accuracy by messages
and by groups, and template accuracy, as the papers of the benchmark define them. Hadoop, Proxifier and Windows were
held out until the design stood; then the shapes of hosts, of deep paths and of states in capitals were added.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import pandas as pd
from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from schedlog_analysis.templates import mine_templates

LOGHUB = Path(__file__).parents[2] / "shared" / "loghub"
HELD_OUT = ["Hadoop", "Proxifier", "Windows"]
EDGE = "((?<=[^A-Za-z0-9])|^)({})((?=[^A-Za-z0-9])|$)"
MASKS = {  # those that Drain3's README recommends
    r"([0-9a-f]{2,}:){3,}([0-9a-f]{2,})": "ID",
    r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}": "IP",
    r"([0-9a-f]{6,} ?){3,}": "SEQ",
    r"([0-9A-F]{4} ?){4,}": "SEQ",
    r"0x[a-f0-9A-F]+": "HEX",
    r"[\-\+]?\d+": "NUM",
}


def drain3(messages, masks=None):
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(EDGE.format(mask), name) for mask, name in (masks or {}).items()]
    miner = TemplateMiner(config=config)
    return [miner.add_log_message(message)["cluster_id"] for message in messages]


def drain3_masked(messages):
    return drain3(messages, MASKS)


def drain3_distinct(messages):
    distinct = list(dict.fromkeys(messages))
    cluster = dict(zip(distinct, drain3(distinct), strict=True))
    return [cluster[message] for message in messages]


def cpu_seconds(mine, messages):
    start = time.process_time()
    mine(messages)
    return time.process_time() - start


def show_speed(synth, evaluate, n, rounds):
    peers = {"Drain3": drain3, "Drain3 + masks": drain3_masked, "dedup + Drain3": drain3_distinct}
    rows = {}
    for kind in ("dup", "uniq"):
        messages, truth = synth.make(kind, n=n)
        ours = [cpu_seconds(mine_templates, messages) for _ in range(3 * rounds)]
        per_second = {"mine_templates": n / statistics.median(ours)}
        for name, mine in peers.items():
            per_second[name] = n / statistics.median([cpu_seconds(mine, messages) for _ in range(rounds)])
        accuracy = evaluate.metrics(truth, list(mine_templates(messages)))["GA"]
        for name, rate in per_second.items():
            times = per_second["mine_templates"] / rate
            rows[kind, name] = {"messages per second": f"{rate:,.0f}", "we are faster by": f"{times:.1f}"}
        rows[kind, "mine_templates"]["GA"] = f"{accuracy:.4f}"
    print(pd.DataFrame(rows).T.fillna("").to_string(), "\n")


def show_accuracy(evaluate):
    table = evaluate.evaluate_all(lambda messages: list(mine_templates(messages)))
    table.loc["MEAN of held out"] = table.loc[HELD_OUT].mean()
    print(table[["GA", "FGA", "FTA", "n_pred", "n_true", "sec"]].astype(float).round(3).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--messages", type=int, default=200_000, help="how many synthetic messages of each kind")
    parser.add_argument("--rounds", type=int, default=3, help="how often each peer runs")
    options = parser.parse_args()
    if not LOGHUB.exists():
        sys.exit(f"{LOGHUB} is missing: it holds the logs, which are not part of this repository.")
    sys.path.insert(0, str(LOGHUB))
    import evaluate  # noqa: PLC0415 - found beside the repository only
    import synth  # noqa: PLC0415 - same

    show_speed(synth, evaluate, options.messages, options.rounds)
    show_accuracy(evaluate)


if __name__ == "__main__":
    main()
