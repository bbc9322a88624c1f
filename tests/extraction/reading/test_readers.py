"""Blocks come in order, never more than the ring holds, of a size that their work asks for."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from fishembed.extraction.reading import readers
from fishembed.extraction.reading.image_ring import ImageRing
from fishembed.extraction.reading.read_block import BlockResult, StoredImage
from fishembed.extraction.reading.readers import FileReaders, use_processes


class Reader:
    """Reads nothing; waits for later blocks where it is told to."""

    def __init__(self, seconds: float = 0.0, rows_wanted: int = 1) -> None:
        self.messages: list[str] = []
        self.sizes: list[int] = []
        self._seconds, self._rows_wanted = seconds, rows_wanted
        self._lock = threading.Lock()

    def __call__(self, files, segment):
        with self._lock:
            self.sizes.append(len(files))
        assert segment.rows >= len(files)
        n = len(files)
        images = [StoredImage(at, at) for at in range(n)]
        return BlockResult(list(files), images, {}, n * self._rows_wanted, 0.0, n * self._seconds)


def run(reader, n, *, rows=512, workers=3):
    ring, seen = ImageRing(np.zeros((rows, 1, 1, 3), np.uint8)), []
    with FileReaders(reader, ring, workers) as several:
        for block in several.read([f"{i}" for i in range(n)]):
            assert block.start == len(seen)
            seen += block.result.digests
            ring.release(block.segment)
    assert seen == [f"{i}" for i in range(n)]


@pytest.mark.parametrize("rows", [24, 100, 4096])
def test_every_file_is_read_once_and_in_order(rows):
    run(Reader(), 1000, rows=rows)


def test_blocks_grow_where_files_take_no_time_and_stay_small_where_they_do():
    quick, slow = Reader(seconds=1e-6), Reader(seconds=1.0)
    run(quick, 3000)
    run(slow, 100)
    assert max(quick.sizes) > 16
    assert max(slow.sizes[12:]) == 1


def test_files_that_need_many_rows_come_in_small_blocks():
    reader = Reader(rows_wanted=20)
    run(reader, 400, rows=512)
    assert max(reader.sizes[24:]) <= 2


def test_processes_read_where_their_start_pays(monkeypatch):
    for cores, enough in ((16, 512), (2, 4096)):
        monkeypatch.setattr(readers, "cores", lambda cores=cores: cores)
        assert use_processes(enough)
        assert not use_processes(enough - 1)
    monkeypatch.delattr("os.memfd_create")
    assert not use_processes(10**6)
