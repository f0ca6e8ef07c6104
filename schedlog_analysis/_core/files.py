"""
A file is there whole or not at all: it is written beside its place, then renamed into it.

`tqdm`, which shows how far work on many files is, is imported here once.
"""

from __future__ import annotations

import errno
import os
import tempfile
import warnings
from pathlib import Path

from tqdm import TqdmWarning

MOST_OF_A_NAME = 40  # what is added must not make a long name too long


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """
    Write a file; one that exists is replaced, and nobody ever sees a half of it.

    Returns
    -------
    path
        The file.

    Raises
    ------
    OSError
        If it cannot be written; what was there before still is.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "a.txt"), b"whole").read_bytes()
    b'whole'
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder; expected a file", str(target))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:MOST_OF_A_NAME]}.")
    except OSError as error:
        # the name of the file beside means nothing to users
        raise OSError(error.errno, error.strerror, str(target)) from error
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        beside.chmod(0o644)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return target


with warnings.catch_warnings():
    warnings.simplefilter("ignore", TqdmWarning)  # in a notebook without widgets a plain bar will do
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
