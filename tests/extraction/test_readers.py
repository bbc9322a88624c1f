"""Blocks come in order, never more than the ring holds, of a size that their work asks for."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.extraction import readers
from fishembed.extraction.read_block import BlockResult, StoredImage
from fishembed.extraction.readers import FileReaders, ImageRing, use_processes


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
    with closing(FileReaders(reader, ring, workers).read([f"{i}" for i in range(n)])) as blocks:
        for block in blocks:
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


def ring(rows: int) -> ImageRing:
    return ImageRing(np.zeros((rows, 2, 2, 3), np.uint8))


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 5)), max_size=60),
)
def test_segments_never_overlap(rows, steps):
    one, taken = ring(rows), []
    for wanted, release, which in steps:
        segment = one.take(wanted)
        if segment is not None:
            assert 0 <= segment.start <= segment.start + segment.rows <= rows
            for other in taken:
                apart = segment.start >= other.start + other.rows
                assert apart or other.start >= segment.start + segment.rows
            taken.append(segment)
        if release and taken:
            one.release(taken.pop(which % len(taken)))
    for segment in taken:
        one.release(segment)
    assert one.take(rows) is not None, "all is free again"


def test_a_segment_is_free_when_nobody_needs_it():
    one = ring(4)
    segment = one.take(3)
    one.use(segment)
    one.release(segment)
    assert one.take(3) is None
    one.release(segment)
    assert one.take(3) is not None


def test_waiting_ends_when_a_segment_is_released():
    one = ring(4)
    segment, woken = one.take(4), threading.Event()

    def wait():
        one.wait(60)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while not woken.is_set():  # it may not wait yet
        one.use(segment)
        one.release(segment)
        woken.wait(0.01)
    thread.join()


@pytest.mark.parametrize(
    ("rows", "copied"), [([2, 3, 4], False), ([2, 4], True), ([6, 0, 1], True)]
)
def test_adjacent_images_are_not_copied(rows, copied):
    one = ring(8)
    one.memory[:] = np.arange(8, dtype=np.uint8)[:, None, None, None]
    images = one.images(rows)
    assert images[:, 0, 0, 0].tolist() == rows
    assert np.shares_memory(images, one.memory) is not copied


def test_a_file_lies_over_several_rows():
    one = ring(4)
    data = np.arange(30, dtype=np.uint8)
    one.memory[1:].reshape(-1)[:30] = data
    np.testing.assert_array_equal(one.file(1, 30), data)
