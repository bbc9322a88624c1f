"""Readers in processes of their own: the same results, whatever becomes of one of them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.extraction import extract, reader_process
from fishembed.extraction.local_engine import LocalEngine
from fishembed.extraction.read_block import ImageTransform
from fishembed.extraction.reader_process import (
    DigestTable,
    ProcessReader,
    ReaderServer,
    SharedMemory,
)
from fishembed.extraction.readers import FileReaders

GEOMETRY = {"resize": 8, "crop": 8}


@dataclass(frozen=True)
class BadFile:
    """Bytes that do something to whoever reads them, the first few times or each time."""

    what: str
    counter: str
    times: int = 1 << 30
    state: tuple[int, int] = (1, 1)

    def read(self) -> bytes:
        with Path(self.counter).open("a") as file:
            file.write("x")
        if Path(self.counter).stat().st_size <= self.times:
            if self.what == "hangs":
                time.sleep(600)
            os.kill(os.getpid(), {"killed": signal.SIGKILL, "crashes": signal.SIGSEGV}[self.what])
        return Path(self.counter).with_suffix(".png").read_bytes()


@pytest.fixture
def files(tmp_path) -> list[Path]:
    return [draw(tmp_path / f"{seed:02d}.png", seed) for seed in range(40)]


def read(files, *, readers=2, known=(), hangs_after=60.0, rows=64):
    """Read files in processes; return digests, reasons, one array of pixels, and messages."""
    memory = SharedMemory(rows, 8, readers, known)
    digests, reasons, pixels = [], {}, []
    with (
        closing(ReaderServer("numpy")) as server,
        closing(
            ProcessReader(server, memory, ImageTransform(GEOMETRY), hangs_after=hangs_after)
        ) as reader,
        closing(FileReaders(reader, memory.ring, readers).read(files)) as blocks,
    ):
        for block in blocks:
            assert block.start == len(digests)
            reasons.update({block.start + at: why for at, why in block.result.reasons.items()})
            digests += block.result.digests
            first = block.segment.start
            pixels += list(memory.ring.memory[first : first + len(block.result.images)].copy())
            memory.ring.release(block.segment)
    memory.close()
    return digests, reasons, pixels, reader.messages


def test_processes_and_threads_make_the_same_store(photos, store, workspace):
    (photos / "train/bass/broken.png").write_bytes(b"no image")
    one = extract(photos, store, encoder=FakeEncoder(), engine=LocalEngine(processes=True))
    two = workspace / "threads.h5"
    other = extract(photos, two, encoder=FakeEncoder(), engine=LocalEngine(processes=False))
    assert contents(store) == contents(two)
    assert one.skipped_files == other.skipped_files != ()
    again = extract(photos, store, encoder=FakeEncoder(), engine=LocalEngine(processes=True))
    assert (again.encoded, again.skipped, again.wrote) == (0, 1, False)


def test_known_digests_are_not_decoded(files):
    digests, _, pixels, _ = read(files)
    assert len(pixels) == 40
    some = read(files, known=digests[:30])
    assert (some[0], len(some[2])) == (digests, 10)


@pytest.mark.parametrize("what", ["killed", "crashes"])
def test_a_reader_that_dies_once_costs_nothing(files, tmp_path, what):
    expected = read(files)
    bad = BadFile(what, str(tmp_path / "times"), times=1)
    draw(tmp_path / "times.png", 7)
    digests, reasons, pixels, messages = read([*files[:7], bad, *files[8:]])
    assert (digests, reasons) == expected[:2]
    np.testing.assert_array_equal(pixels, expected[2])
    assert messages == ["a process that reads images died; it was replaced"]


def test_a_file_that_crashes_its_reader_is_skipped_and_named(files, tmp_path):
    bad = BadFile("crashes", str(tmp_path / "times"))
    digests, reasons, pixels, messages = read([*files[:7], bad, *files[8:]])
    assert reasons == {7: "the decoder crashed on it"}
    expected = read(files)
    assert digests == [*expected[0][:7], None, *expected[0][8:]]
    np.testing.assert_array_equal(pixels, [*expected[2][:7], *expected[2][8:]])
    assert len(messages) == 2


def test_a_file_that_hangs_its_reader_is_skipped_and_named(files, tmp_path):
    bad = BadFile("hangs", str(tmp_path / "times"))
    _, reasons, pixels, messages = read([*files[:7], bad, *files[8:]], hangs_after=10.0)
    assert reasons == {7: "took longer than 10 seconds to read"}
    assert len(pixels) == 39
    assert "replaced" in messages[0]


def test_readers_end_with_the_process_that_wants_them(files, tmp_path):
    import psutil

    memory = SharedMemory(64, 8, 1)
    with closing(ReaderServer("numpy")) as server:
        reader = ProcessReader(server, memory, ImageTransform(GEOMETRY))
        reader(files[:2], memory.ring.take(2))
        process = psutil.Process(server.process.pid)
        several = [process, *process.children()]
        assert len(several) == 2
        process.kill()
        reader.close()
    gone, alive = psutil.wait_procs(several, timeout=30)
    assert (len(gone), alive) == (2, [])


def test_threads_read_where_no_process_can_be_had(files, monkeypatch):
    expected = read(files)
    monkeypatch.setattr(reader_process.sys, "executable", "/bin/false")
    digests, reasons, pixels, messages = read(files)
    assert (digests, reasons) == expected[:2]
    np.testing.assert_array_equal(pixels, expected[2])
    assert messages == ["processes that read images cannot be started: threads read"]


def test_digests_are_found_whatever_their_bytes():
    known = ["00" * 32, "ff" * 32, "ab" * 31 + "00"]
    table = DigestTable(np.sort(np.array([bytes.fromhex(one) for one in known], "S32")))
    assert all(one in table for one in known)
    assert not any(one in table for one in ("ab" * 32, "00" * 31 + "01", "fe" * 32))
    assert "00" * 32 not in DigestTable(np.zeros(0, "S32"))
