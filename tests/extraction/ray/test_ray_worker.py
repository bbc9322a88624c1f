"""What runs in a Ray worker, without Ray."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed._base.progress import NoProgress
from fishembed.cache import IMAGE, PartialFiles, open_partial_files
from fishembed.errors import InputError, StoreWriteError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodingJob
from fishembed.extraction.ray.ray_worker import RayWorker, WorkerTask


@pytest.fixture
def pictures(workspace):
    paths = [workspace / "some" / f"{i:02d}.png" for i in range(12)]
    for seed, path in enumerate(paths):
        draw(path, seed)
    paths[3].write_bytes(b"no picture")
    return paths


def worker(place, *, encoder=None, sign="here", fingerprint=None):
    encoder = encoder or FakeEncoder()
    lazy = EncoderLoader(
        encoder, device="auto", precision="auto", decoding="auto", store=None, reporter=NoProgress()
    )
    how = EncodingJob(
        (), batch_size=5, workers=2, partial_files=partial(open_partial_files, place, "same")
    )
    order = WorkerTask(lazy, fingerprint or encoder.spec.fingerprint, how, frozenset(), sign)
    made = RayWorker()
    made.prepare(order)
    return partial(made.encode_block, order)


def test_it_writes_a_part_where_it_sees_the_stores_place(pictures, store):
    folding = open_partial_files(store, "same")
    folding.write_marker("here")
    done, crew, seconds = worker(store)(100, pictures)
    assert (done.start, len(done.digests)) == (100, 12)
    assert list(done.reasons) == [103]
    assert done.features is None
    assert done.seconds.write > 0
    assert (crew.device, seconds > 0) == ("fake", True)
    part = folding.local_path(done.partial_file)
    assert [(part, list(done.encoded))] == list(folding.read_all())
    assert folding.features(part, IMAGE).shape == (11, 8)


def test_it_sends_vectors_where_it_does_not(pictures, store):
    done, _, _ = worker(store, sign="elsewhere")(0, pictures)
    assert done.partial_file == ""
    assert done.features[IMAGE].shape == (11, 8)
    assert list(open_partial_files(store, "same").read_all()) == []


def test_two_blocks_at_a_time_share_the_encoder(pictures, store):
    open_partial_files(store, "same").write_marker("here")
    made = worker(store)
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(made, (0, 6), (pictures[:6], pictures[6:])))
    names = {done.partial_file for done, _, _ in halves}
    assert len(names) == 2
    assert sum(len(done.encoded) for done, _, _ in halves) == 11


class Broken(FakeEncoder):
    def encode_with_trunk(self, batch):
        image, trunk = super().encode_with_trunk(batch)
        return np.full_like(image, np.nan), trunk


def test_vectors_that_are_not_finite_are_named(pictures, store):
    open_partial_files(store, "same").write_marker("here")
    done, _, _ = worker(store, encoder=Broken())(0, pictures)
    assert (done.encoded, done.partial_file, done.features) == ([], "", None)
    assert len(done.failed) == 11


def test_another_encoder_than_the_drivers_is_refused(store):
    with pytest.raises(InputError, match="install the same versions"):
        worker(store, fingerprint="0" * 16)


def test_a_worker_that_was_started_anew_greets_itself(pictures, store):
    open_partial_files(store, "same").write_marker("here")
    order = worker(store).args[0]
    done, _, _ = RayWorker().encode_block(order, 0, pictures)
    assert len(done.encoded) == 11


def test_it_sends_vectors_where_the_place_cannot_be_written_to(pictures, store, monkeypatch):
    def add(*_):
        raise StoreWriteError("read-only")

    open_partial_files(store, "same").write_marker("here")
    do = worker(store)
    monkeypatch.setattr(PartialFiles, "write", add)
    done, _, _ = do(0, pictures)
    assert (done.partial_file, done.failed) == ("", {})
    assert done.features[IMAGE].shape == (11, 8)


def test_it_encodes_for_the_driver(store):
    order = worker(store).args[0]
    batch = np.arange(2 * 8 * 8 * 3).astype(np.uint8).reshape(2, 8, 8, 3)
    own, made = FakeEncoder(), RayWorker()
    np.testing.assert_array_equal(
        made.encode_images(order.encoder, batch), own.encode_images(batch)
    )
    np.testing.assert_array_equal(
        made.encode_texts(order.encoder, ["cod"]), own.encode_texts(["cod"])
    )
