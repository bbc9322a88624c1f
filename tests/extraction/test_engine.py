"""The stages work at the same time, fail in order, and say how busy they were."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.cache import FeatureStore, PartialFiles
from fishembed.errors import StoreWriteError
from fishembed.extraction import extract
from fishembed.extraction.engine import Seconds, StageTimes
from fishembed.extraction.known_features import PartialFileWriter
from fishembed.extraction.local_engine import in_order


class ManyLanes(FakeEncoder):
    """Encodes two batches at the same time, and no more."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.meeting = threading.Barrier(2, timeout=60)
        self.entered = 0

    @contextmanager
    def parallel_encoders(self):
        self.entered += 1
        yield [self, self]

    def encode_with_trunk(self, batch):
        self.meeting.wait()  # breaks where a batch is encoded alone
        return super().encode_with_trunk(batch)


def test_lanes_work_at_the_same_time(photos, store, workspace):
    encoder = ManyLanes()
    done = extract(photos, store, encoder=encoder, batch_size=2)
    assert (done.encoded, encoder.entered, done.stages.lanes) == (12, 1, 2)
    extract(photos, workspace / "one.h5", encoder=FakeEncoder())
    assert contents(store) == contents(workspace / "one.h5")


def test_no_more_pictures_wait_than_the_window_holds(workspace, store, monkeypatch):
    for seed in range(60):
        draw(workspace / f"many/{seed:03d}.png", seed)
    read, most = [0], [0]

    class Counting(FakeEncoder):
        def encode_with_trunk(self, batch):
            most[0] = max(most[0], read[0] - self.seen)
            return super().encode_with_trunk(batch)

    from fishembed.extraction import read_block

    real = read_block.read_bytes

    def counted(file):
        read[0] += 1
        return real(file)

    monkeypatch.setattr(read_block, "read_bytes", counted)
    monkeypatch.setattr("fishembed.extraction.local_engine._ring_rows", lambda *_: 16)
    encoder = Counting()
    assert extract(workspace / "many", store, encoder=encoder, batch_size=2).encoded == 60
    assert most[0] <= 16, "the ring's rows"


def _promise(value: object) -> Future[object]:
    promise: Future[object] = Future()
    if isinstance(value, BaseException):
        promise.set_exception(value)
    else:
        promise.set_result(value)
    return promise


def test_what_was_done_before_a_failure_is_yielded_first():
    values = [1, 2, ValueError("three"), 4]
    given = []
    with pytest.raises(ValueError, match="three"):
        given.extend(in_order(iter(map(_promise, values)), lambda: 10))
    assert given == [1, 2]


def test_batches_begun_beside_a_failure_are_not_lost():
    begun, go = threading.Event(), threading.Event()

    def late():
        begun.set()
        go.wait(60)
        return "late"

    def fail():
        begun.wait(60)
        raise ValueError("broken")

    given = []
    with ThreadPoolExecutor(2) as pool:
        promises = (pool.submit(one) for one in (fail, late))
        with pytest.raises(ValueError, match="broken"):
            given.extend(in_order(promises, lambda: go.set() or 2))
    assert given == ["late"]


def _batch(*digests):
    return [(list(digests), {"features/image": np.ones((len(digests), 3), np.float32)})]


def test_what_could_not_be_written_is_tried_again(tmp_path, monkeypatch):
    parts = PartialFiles(tmp_path / "store.h5", "x")
    writer = PartialFileWriter(parts)
    real, full = parts.write, [True]

    def write(digests, features):
        if full[0]:
            raise StoreWriteError("the disk is full")
        return real(digests, features)

    monkeypatch.setattr(parts, "write", write)
    with pytest.raises(StoreWriteError, match="full"):
        writer.add(_batch("a")) or writer.wait()
    full[0] = False
    done = writer.add(_batch("b")) + writer.wait()
    assert [digests for _, digests in done] == [["a", "b"]]
    assert [digests for _, digests in parts.read_all()] == [["a", "b"]]


def times(device: str, seconds: Seconds, **options) -> StageTimes:
    return StageTimes(
        seconds,
        **{"wall": 10.0, "workers": 16, "lanes": 2, "batch_size": 256, **options},
        device=device,
    )


def test_the_bottleneck_on_a_gpu_is_the_stage_that_never_waits():
    starved = times("cuda (NVIDIA H100)", Seconds(decode=140.0, encode=6.2))
    assert starved.bottleneck == "decode"
    assert str(starved) == "decode-bound: 14.0 of 16 cores decoding, cuda 31% busy"
    assert times("cuda", Seconds(decode=30.0, encode=19.0)).bottleneck == "encode"
    assert times("cuda", Seconds(decode=30.0, encode=9.0, write=9.5)).bottleneck == "write"
    many = times("cuda", Seconds(decode=30.0, encode=9.0, write=16.0), writers=16)
    assert many.bottleneck == "encode"
    slow_disk = times("cuda", Seconds(read=150.0, decode=30.0, encode=9.0))
    assert str(slow_disk).startswith("read-bound: 15.0 of 16 threads waiting for files, 3.0 of 16")


def test_the_bottleneck_on_a_cpu_is_what_the_cores_did_most():
    shared = times("cpu (2 threads)", Seconds(decode=4.0, encode=15.0), workers=2)
    assert shared.bottleneck == "encode"
    assert "0.4 of 2 cores decoding, 1.5 encoding" in str(shared)
    assert times("cpu", Seconds(decode=12.0, encode=7.0), workers=2).bottleneck == "decode"


def test_an_extraction_records_its_stages(again, photos):
    draw(photos / "train/bass/new.png", 77)
    stages = again().stages
    assert stages.device == "fake"
    assert stages.to_json()["encode"] >= 0
    assert stages.wall > 0
    assert again().stages.device == "", "nothing was encoded"


def test_a_store_keeps_what_the_run_did_that_encoded_last(again, photos, store):
    draw(photos / "train/bass/new.png", 77)
    stages = again().stages
    with FeatureStore.open(store) as made:
        kept = made.extraction
        assert made.header.extraction == kept
    assert kept == {"when": kept["when"], "encoded": 1, **stages.to_json()}
    (photos / "train/bass/new.png").rename(photos / "train/bass/newer.png")
    assert again().encoded == 0
    with FeatureStore.open(store) as moved:
        assert "train/bass/newer.png" in moved.paths
        assert moved.extraction == kept
