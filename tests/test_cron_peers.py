"""Cron against the program that it follows: JavaScript's cron-parser 5 and 4."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def benchmark():
    """The sweep itself lives with the benchmarks, which run it at full length."""
    path = Path(__file__).parents[1] / "benchmarks" / "cron.py"
    spec = importlib.util.spec_from_file_location("cron_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("peer", "known"), [("cron-parser", {"Australia/Lord_Howe"}), ("cron-parser-4", set())])
def test_random_expressions_equal_the_peer(benchmark, peer, known):
    """
    Around clock changes the ticks equal the peer's, and where they do not, the wall clock is on our side.

    That is so at half-hour changes, where cron-parser loses ticks or gives up.
    """
    if benchmark.cron_parser_folder() is None:
        pytest.skip("node, npm or the npm registry is not at hand")
    compared, differences = benchmark.sweep(20, peers=(peer,), seed=11)
    assert (~compared["rejected"]).sum() > 30
    assert set(differences["tz"]) <= known
    assert differences["is_ours_right"].all(), differences
