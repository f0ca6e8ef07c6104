"""What `schedlog simulate` does."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from schedlog_analysis.simulation import simulate as make


def simulate(folder: Path, seed: int, start: str | None, end: str | None, schedules: int | None) -> None:
    """Make up an account and write it."""
    bounds = {
        name: value for name, value in (("start", start), ("end", end), ("schedules", schedules)) if value is not None
    }
    simulation = make(seed, **bounds)  # type: ignore[arg-type]
    simulation.write(folder)
    n_entries = sum(len(entries) for entries in simulation.logs.values())
    Console(stderr=True).print(f"Wrote {len(simulation.schedules)} schedules with {n_entries:,} entries to {folder}.")
