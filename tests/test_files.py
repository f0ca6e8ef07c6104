"""Files: there whole or not at all."""

import pytest

from schedlog_analysis._core.files import write_whole


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
