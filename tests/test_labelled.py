"""Messages that people have grouped, and messages planted in groups, are grouped alike."""

import importlib.util
import random
import sys
from pathlib import Path

import pandas as pd
import pytest

from schedlog_analysis import CAUSES, label_messages, mine_templates

DATA = Path(__file__).parent / "data"
LOGHUB = list(Path(__file__).parents[2].glob("shared/loghub"))  # the whole sets, where they lie beside the repository


def count_right(truth, found):
    """
    Return how many messages and groups are right: a group is when the same messages are one group in both.

    GA is the share of messages in such groups, FGA the harmonic mean of the share of such groups on either side.
    """
    groups = pd.DataFrame({"truth": list(truth), "found": list(found)}).value_counts().rename("n").reset_index()
    is_right = ~groups.duplicated("truth", keep=False) & ~groups.duplicated("found", keep=False)
    n_groups = groups["truth"].nunique() + groups["found"].nunique()
    return {"GA": groups.loc[is_right, "n"].sum() / groups["n"].sum(), "FGA": 2 * is_right.sum() / n_groups}


def count_equal(truth, found):
    """Return FTA: like FGA, but a template is right when it has the very text that people gave all its messages."""
    pairs = pd.DataFrame({"truth": list(truth), "found": list(found)}).drop_duplicates()
    is_right = (pairs["truth"] == pairs["found"]) & ~pairs.duplicated("found", keep=False)
    return 2 * is_right.sum() / (pairs["truth"].nunique() + pairs["found"].nunique())


def test_the_score_scores():
    """A split group, a merged group and a right one: one message of five is in the right group."""
    assert count_right("aabbc", ["x", "x", "y", "z", "x"]) == {"GA": 0, "FGA": 0}
    assert count_right("aabbc", ["x", "x", "y", "z", "w"]) == {"GA": 3 / 5, "FGA": 2 * 2 / 7}
    assert count_equal("aabbc", "aabxc") == 2 * 3 / 7


def _read_own():
    """Give the messages of each of four systems with the templates of two people."""
    lines = pd.read_csv(DATA / "loghub" / "lines.csv", keep_default_na=False, dtype="str")
    return [(part["message"], part["template"], part["corrected"]) for _, part in lines.groupby("system")]


def _read_whole():
    """Give the same of the whole sets."""
    spec = importlib.util.spec_from_file_location("evaluate", LOGHUB[0] / "evaluate.py")
    sys.modules["evaluate"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(*module.load(name, "original"), module.load(name, "corrected2")[1]) for name in module.DATASETS]


@pytest.mark.parametrize("read", [_read_own, *[_read_whole for _ in LOGHUB]])
def test_public_logs_are_grouped_as_people_did(read):
    """One configuration reaches the accuracy that is promised, on the mean of the systems."""
    scores = []
    for messages, template, corrected in read():
        found = list(mine_templates(messages))
        scores.append(count_right(template, found) | {"FTA": count_equal(corrected, found)})
    mean = pd.DataFrame(scores).mean()
    assert len(scores) >= 4
    assert mean["GA"] >= 0.98
    assert mean["FGA"] >= 0.95
    assert mean["FTA"] >= 0.70


def _split(text):
    return text.split()


PARTS = _split(
    "scheduler executor dispatcher loader fetcher uploader parser validator renderer exporter importer notifier "
    "indexer crawler aggregator reconciler archiver replicator compactor provisioner"
)
VERBS = ("failed to", "could not", "refused to", "was unable to", "gave up trying to", "lost permission to")
ACTS = _split(
    "open close commit rollback publish consume lock release refresh rotate resize mount unmount encrypt decrypt "
    "compress flush rebuild migrate restore verify sign merge split"
)
THINGS = _split(
    "partition snapshot ledger invoice mailbox certificate credential checkpoint manifest bucket cursor session "
    "replica shard voucher dataset warehouse forecast catalog pipeline stream calendar envelope receipt"
)
ENDS = (
    *("disk quota exceeded", "checksum mismatch", "clock skew detected", "no route available", "deadline exceeded"),
    *("unexpected end of input", "access denied by policy", "too many open handles", "circuit breaker tripped"),
)
VALUES = {
    "at {}": lambda r: f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}:{r.randrange(1024, 65536)}",
    "for account {}": lambda r: str(r.randrange(10 ** r.randint(2, 9))),
    "under {}": lambda r: f"/data{r.randrange(1000)}/in/part{r.randrange(1000)}.csv",
    "with token {}": lambda r: f"{r.getrandbits(64):016x}",
    "after {} seconds": lambda r: f"{r.uniform(0, 5000):.3f}",
    "since {}": lambda r: f"2026-{r.randint(1, 12):02}-{r.randint(1, 28):02} {r.randrange(24):02}:17:40",
    "see {}": lambda r: f"https://api.example.com/v1/orders/{r.randrange(10**6)}?page={r.randrange(100)}",
}


@pytest.mark.parametrize("n_distinct", [1_000, 10_000])
def test_planted_templates_come_out_as_they_were_planted(n_distinct):
    """300 templates that share words and differ in values are found, in 10,000 messages that are alike or not."""
    chance = random.Random(1)
    shape_of = {}
    while len(shape_of) < 300:
        shape = chance.choice(list(VALUES))
        words = [chance.choice(words) for words in (PARTS, VERBS, ACTS, THINGS)]
        shape_of[" ".join([*words, shape]) + f": {chance.choice(ENDS)}"] = shape
    texts, weights = list(shape_of), [1 / (place + 5) for place in range(300)]
    planted = [*texts, *chance.choices(texts, weights, k=n_distinct - 300)]
    messages = [text.format(VALUES[shape_of[text]](chance)) for text in planted]
    rows = [*range(n_distinct), *chance.choices(range(n_distinct), k=10_000 - n_distinct)]
    found = mine_templates([messages[row] for row in rows])
    assert count_right([planted[row] for row in rows], found) == {"GA": 1, "FGA": 1}


def test_failed_starts_are_grouped_and_explained_as_people_do():
    """Our own messages: at least 97 % in the right cluster, at least 95 % with the right cause."""
    messages = pd.read_json(DATA / "messages.json", dtype="str")
    assert len(messages) > 50
    assert set(messages["cause"]) <= set(CAUSES)
    labels = label_messages(pd.Index(messages["message"], dtype="str"))
    assert count_right(messages["group"], labels["cluster_id"].astype("str"))["GA"] >= 0.97
    assert (labels["cause"].astype("str").to_numpy() == messages["cause"].to_numpy()).mean() >= 0.95
