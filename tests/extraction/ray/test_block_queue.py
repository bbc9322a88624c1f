"""Files given out in blocks: each done once, whoever dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.errors import FishembedError
from fishembed.extraction.ray.ray_engine import BlockQueue


def files(n: int) -> list[Path]:
    return [Path(f"{i}.jpg") for i in range(n)]


@given(
    n=st.integers(0, 3000),
    workers=st.integers(1, 8),
    events=st.lists(st.tuples(st.sampled_from(["done", "dies"]), st.integers(0, 99))),
)
def test_every_file_is_done_once_whoever_dies(n, workers, events):
    blocks, held, done = BlockQueue(files(n), workers, tries=10**6), [], []
    events = iter(events)
    while not blocks.finished:
        while len(held) < 2 * workers and (block := blocks.next()) is not None:
            held.append(block)
        what, at = next(events, ("done", 0))
        block = held.pop(at % len(held))
        if what == "dies":
            blocks.again(block, RuntimeError("gone"))
        else:
            blocks.done(block, 1.0)
            done += block.files
            assert block.files == tuple(files(n)[block.start : block.start + len(block.files)])
    assert blocks.next() is None
    assert not held
    assert sorted(done) == sorted(files(n))


def test_blocks_shrink_towards_the_end_so_that_none_waits_long():
    blocks, sizes = BlockQueue(files(5000), 2, tries=3), []
    while (block := blocks.next()) is not None:
        sizes.append(len(block.files))
        blocks.done(block, 5.0)
    assert sizes[0] == -(-5000 // 16)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-2] == 32


def test_a_block_is_some_seconds_of_work():
    blocks = BlockQueue(files(10**6), 1, tries=3)
    first = blocks.next()
    blocks.done(first, 50.0)
    assert len(blocks.next().files) == 51
    fast = BlockQueue(files(10**6), 1, tries=3)
    sizes = []
    for _ in range(8):
        sizes.append(len((block := fast.next()).files))
        fast.done(block, 1e-4 * len(block.files))
    assert sizes == [512, 1024, 2048, 4096, 8192, 16384, 16384, 16384]


def test_a_block_that_comes_back_is_given_out_first_and_not_for_ever():
    blocks = BlockQueue(files(1000), 1, tries=2)
    first = blocks.next()
    blocks.again(first, RuntimeError("the node\n  is gone"))
    assert blocks.next() == first
    with pytest.raises(
        FishembedError, match=r"starts with file 0, 2 times tried: the node is gone"
    ):
        blocks.again(first, RuntimeError("the node\n  is gone"))
