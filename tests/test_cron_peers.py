"""Cron against the programs that it follows: JavaScript's cron-parser 5 and 4 for Apify, cronsim for Debian."""

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


@pytest.mark.parametrize(
    ("dialect", "known"),
    [
        ("apify", {"Australia/Lord_Howe"}),
        ("apify, a value twice", set()),
        ("debian", {"Australia/Lord_Howe", "Africa/Cairo"}),
    ],
)
def test_random_expressions_equal_the_peer(benchmark, dialect, known):
    """
    Around clock changes the ticks equal the peer's, and where they do not, the wall clock is on our side.

    That is so at half-hour changes, where cronsim loses ticks and cron-parser does or gives up, and where cronsim meets
    a skipped midnight.
    """
    if dialect == "debian":
        pytest.importorskip("cronsim", reason="cronsim is not installed")
    elif benchmark.cron_parser_folder() is None:
        pytest.skip("node, npm or the npm registry is not at hand")
    compared, differences = benchmark.sweep(20, dialects=(dialect,), seed=11)
    assert (~compared["rejected"]).sum() > 30
    assert set(differences["tz"]) <= known
    assert differences["is_ours_right"].all(), differences
