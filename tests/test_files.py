"""Files: there whole or not at all; what is no file of its own stays what it is."""

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from schedlog_analysis._core.files import write_whole

CONTENT = b"the report\n" * 20_000  # more than a pipe holds


def test_a_file_is_replaced_whole(tmp_path):
    """The new content is all there is, and nothing lies beside it."""
    path = tmp_path / ("long" * 60 + ".txt")
    write_whole(path, b"first and long")
    assert write_whole(path, b"second").read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["nowhere/report.html", "folder"])
def test_the_error_names_the_file_that_was_asked_for(tmp_path, place):
    """Not the one that would have been written beside it."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"expected a file|No such file") as caught:
        write_whole(tmp_path / place, b"")
    assert caught.value.filename == str(tmp_path / place)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_of_the_umask(tmp_path, umask, mode):
    """As every program's files have."""
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "report.html", CONTENT)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_mode(tmp_path, mode):
    """What only its owner may read stays so."""
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_whole(path, CONTENT)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (CONTENT, mode)


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(tmp_path, exists):
    """What it leads to is written, in its own folder, also where that is not there yet."""
    (tmp_path / "www").mkdir()
    target, link = tmp_path / "www" / "october.html", tmp_path / "latest.html"
    if exists:
        target.write_bytes(b"old")
    link.symlink_to("www/october.html")
    write_whole(link, CONTENT)
    assert link.is_symlink()
    assert target.read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["latest.html", "october.html", "www"]


def test_a_link_that_leads_to_itself_is_an_error(tmp_path):
    """It is neither replaced nor followed for ever."""
    link = tmp_path / "loop.html"
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        write_whole(link, CONTENT)
    assert link.is_symlink()


def test_a_pipe_gets_the_bytes(tmp_path):
    """Whoever reads it has them all, and it is a pipe still."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, CONTENT)
    reader.join(10)
    assert got == [CONTENT]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def _device(folder, name, minor):
    """Give a device; to root, who could replace the system's, a node of the test's own."""
    if os.geteuid():
        return Path("/dev", name)
    try:
        os.mknod(folder / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    except PermissionError:
        pytest.skip("this root may not make device nodes")
    return folder / name


def test_a_device_stays_a_device(tmp_path):
    """It gets the bytes, and may refuse them, but is never replaced."""
    null, full = _device(tmp_path, "null", 3), _device(tmp_path, "full", 7)
    write_whole(null, CONTENT)
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(full, CONTENT)
    assert caught.value.filename == str(full)
    assert all(stat.S_ISCHR(device.stat().st_mode) for device in (null, full))


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES])
def test_a_file_that_cannot_be_replaced_is_written_in_place(tmp_path, monkeypatch, number):
    """As one that is mounted on its own into a container, or one's own in somebody else's folder."""
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    before = path.stat().st_ino

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    write_whole(path, CONTENT)
    assert (path.read_bytes(), path.stat().st_ino) == (CONTENT, before)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match=os.strerror(number)):
        write_whole(tmp_path / "new.html", CONTENT)
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_what_was_there(tmp_path):
    """The old file is whole, nothing lies beside it, and the error names the file; a limit stands for the disk."""
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    code = f"from schedlog_analysis._core.files import write_whole; write_whole({str(path)!r}, b'x' * 100_000)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[-1].endswith(f"File too large: {str(path)!r}")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
