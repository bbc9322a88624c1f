"""Decoding on the device and on the CPU at the same time."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image

from fishembed.cache import FeatureStore
from fishembed.errors import ImageError
from fishembed.extraction import extract, pipeline
from fishembed.extraction.device_decoding import DecodingHelper


class Device:
    """Decodes a file to its length; waits where it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.batches: list[int] = []

    def suits(self, data: bytes) -> bool:
        return data != b"not for me"

    def __call__(self, files):
        self.go.wait(10)
        self.batches.append(len(files))
        if b"broken" in files:
            raise RuntimeError("one of them is broken")
        if b"lost" in files:
            return []
        return [np.full((1, 1, 3), len(data), np.uint8) for data in files]


def alone(data: bytes) -> np.ndarray:
    if data == b"broken":
        raise ImageError("cannot be decoded: broken")
    return np.full((1, 1, 3), 200, np.uint8)


def test_promises_are_kept_many_at_once():
    device = Device()
    device.go.clear()
    with DecodingHelper(lambda: device, alone, at_once=8) as helper:
        promises = [helper.offer(b"x" * n) for n in range(1, 10)]
        device.go.set()
        assert [promise.result(10)[0, 0, 0] for promise in promises] == list(range(1, 10))
    assert sum(device.batches) == 9
    assert max(device.batches) > 1


def test_what_does_not_suit_or_comes_when_it_is_busy_is_refused():
    device = Device()
    device.go.clear()
    with DecodingHelper(lambda: device, alone, at_once=2) as helper:
        assert helper.offer(b"not for me") is None
        taken = [promise for _ in range(20) if (promise := helper.offer(b"x")) is not None]
        assert 4 <= len(taken) <= 6
        device.go.set()
    assert all(promise.done() for promise in taken)


def test_a_broken_file_costs_the_others_nothing():
    device = Device()
    device.go.clear()
    with DecodingHelper(lambda: device, alone, at_once=4) as helper:
        first, broken, third = (helper.offer(data) for data in (b"x", b"broken", b"xxx"))
        device.go.set()
        with pytest.raises(ImageError, match="broken"):
            broken.result(10)
        assert {int(one.result(10)[0, 0, 0]) for one in (first, third)} <= {1, 3, 200}


def test_pictures_that_the_device_loses_are_decoded_again():
    with DecodingHelper(Device, alone, at_once=4) as helper:
        assert helper.offer(b"lost").result(10)[0, 0, 0] == 200


@pytest.fixture
def jpegs(workspace):
    folder = workspace / "jpegs" / "cod"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(30):
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        file = io.BytesIO()
        small.resize((40 + i, 32), Image.Resampling.BICUBIC).save(file, "JPEG", quality=95)
        (folder / f"{i:02d}.jpg").write_bytes(file.getvalue())
    small.save(folder / "picture.png")
    (folder / "cut.jpg").write_bytes((folder / "00.jpg").read_bytes()[:300])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xd9")
    return folder.parent


def test_nothing_is_loaded_where_nothing_must_be_encoded(jpegs, workspace, monkeypatch):
    (jpegs / "cod/broken.jpg").unlink()  # what cannot be read is tried again each time
    (jpegs / "cod/cut.jpg").unlink()
    store = workspace / "cache/j.h5"
    extract(jpegs, store, encoder=OnCPU(side=16, decoding="device"))
    monkeypatch.setattr(pipeline, "DeviceDecoder", None)
    (jpegs / "cod/01.jpg").rename(jpegs / "cod/moved.jpg")
    done = extract(jpegs, store, encoder=OnCPU(side=16, decoding="device"))
    assert (done.encoded, done.rows) == (0, 31)


class OnCPU(FakeEncoder):
    """Runs, as far as anybody knows, on a CPU that torch calls so."""

    @property
    def device(self) -> str:
        return "cpu (2 threads)"


def test_a_store_made_on_the_device_is_near_the_exact_one(jpegs, workspace):
    stores = {}
    for mode in ("exact", "device"):
        encoder = OnCPU(side=16, decoding=mode)
        done = extract(jpegs, workspace / f"{mode}.h5", encoder=encoder, batch_size=4)
        assert (done.rows, done.skipped) == (31, 2)
        with FeatureStore.open(done.store) as store:
            stores[mode] = (store.paths, store.skipped, np.asarray(store.features))
    exact, device = stores["exact"], stores["device"]
    assert exact[:2] == device[:2]
    cosines = (exact[2] * device[2]).sum(1)
    cosines /= np.linalg.norm(exact[2], axis=1) * np.linalg.norm(device[2], axis=1)
    assert cosines.min() > 0.99
