"""Rows of the ring are never two blocks' at once, and are found again."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.extraction.reading.image_ring import ImageRing


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
