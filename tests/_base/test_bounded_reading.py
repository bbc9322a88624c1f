from __future__ import annotations

import os
from pathlib import Path

import pytest

from fishembed._base.bounded_reading import TooLargeError, open_file, read_at_most, read_file


def test_a_file_is_read_whole_through_a_link_and_not_beyond_the_most(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    assert read_file(tmp_path / "link") == read_at_most(tmp_path / "a", 5) == b"12345"
    for read in (read_file, read_at_most):
        with pytest.raises(TooLargeError, match="larger than 4 bytes"):
            read(tmp_path / "a", 4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_pipes_devices_and_folders_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="a pipe, a device or a folder"):
            open_file(place)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "gone")
