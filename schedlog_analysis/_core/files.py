"""
A file is there whole or not at all: it is written beside its place, then renamed into it.

`tqdm`, which shows how far work on many files is, is imported here once.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import warnings
from pathlib import Path

from tqdm import TqdmWarning

MOST_OF_A_NAME = 40  # what is added must not make a long name too long
NEW_FILE = 0o666  # the mode of a new file, of which the umask takes away
IRREPLACEABLE = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS)  # mounted on its own, or in a locked folder


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """
    Write a file; one that exists is replaced, and nobody ever sees a half of it.

    A link stays a link, and what it leads to is written. A file that exists keeps its mode; a new one has what the
    umask says. Pipes, devices and files that cannot be replaced, such as one mounted on its own, get the bytes as they
    are.

    Returns
    -------
    path
        The file.

    Raises
    ------
    OSError
        If it cannot be written; what was there before still is, but for a file that cannot be replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "a.txt"), b"whole").read_bytes()
    b'whole'
    """
    given = Path(path)
    target = Path(os.path.realpath(given))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder; expected a file", str(given))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(given))
    try:
        if not target.exists() or target.is_file():
            _replace(target, content)
        else:
            _write_into(target, content)
    except OSError as error:
        # The name of a file beside, or of what a link leads to, would tell nobody anything.
        raise OSError(error.errno, error.strerror, str(given)) from error
    return given


def _replace(target: Path, content: bytes) -> None:
    """Write beside, then rename: the one way to have all or nothing."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    beside = target.with_name(f".{target.name[:MOST_OF_A_NAME]}.{secrets.token_hex(8)}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, NEW_FILE if mode is None else mode & NEW_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if mode is not None:
            beside.chmod(mode)
        beside.replace(target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if mode is None or not isinstance(error, OSError) or error.errno not in IRREPLACEABLE:
            raise
        _write_into(target, content)


def _write_into(target: Path, content: bytes) -> None:
    with target.open("wb", buffering=0) as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]


with warnings.catch_warnings():
    warnings.simplefilter("ignore", TqdmWarning)  # in a notebook without widgets a plain bar will do
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
