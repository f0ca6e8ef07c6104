"""What is kept of an analysis under way: shares of finished batches, so that it goes on where it was interrupted."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import pandas as pd
import pyarrow as pa

from schedlog_analysis.account.batches import Batch
from schedlog_analysis.account.part import Share


class Kept:
    """
    A folder for the shares of one analysis.

    Parameters
    ----------
    folder
        Where; made when first needed. Several analyses may share it.
    asked
        All that the shares depend on, as texts: another question, or another archive, finds none of them.
    """

    def __init__(self, folder: str | os.PathLike[str], asked: Iterable[str]) -> None:
        self._folder = Path(folder).expanduser() / _name(asked)

    def load(self, batch: Batch) -> Share | None:
        """Give the share of a batch; None if it is not there."""
        place = self._folder / _name(batch.ids)
        if not place.is_dir():
            return None
        return Share(*({file.stem: _read(file) for file in (place / kind).iterdir()} for kind in Share._fields))

    def save(self, batch: Batch, share: Share) -> None:
        """Keep the share of a batch, all of it or nothing."""
        aside = self._folder / f".{secrets.token_hex(8)}"
        for kind in Share._fields:
            (aside / kind).mkdir(parents=True)
            for name, table in getattr(share, kind).items():
                _write(table.reset_index(drop=True), aside / kind / f"{name}.arrow")
        aside.rename(self._folder / _name(batch.ids))

    def forget(self) -> None:
        """Remove everything: the analysis is complete."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as one batch: a file without any has no categories either, and an empty table needs its own."""
    rows = pa.Table.from_pandas(table)
    columns = [column.combine_chunks() for column in rows.columns]
    with pa.ipc.new_file(path, rows.schema) as file:
        file.write_batch(pa.RecordBatch.from_arrays(columns, schema=rows.schema))


def _read(path: Path) -> pd.DataFrame:
    table: pd.DataFrame = pa.ipc.open_file(path.read_bytes()).read_pandas()
    return table


def _name(texts: Iterable[str]) -> str:
    return blake2b("\n".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
