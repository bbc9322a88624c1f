"""Files that the encoder's device decodes, here the CPU, which stands for the GPU."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image

from fishembed.cache import FeatureStore
from fishembed.extraction import extract, local_engine
from fishembed.extraction.local_engine import LocalEngine
from fishembed.extraction.read_block import ImageTransform, read_block


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
    monkeypatch.setattr(local_engine, "DeviceDecoder", None)
    (jpegs / "cod/01.jpg").rename(jpegs / "cod/moved.jpg")
    done = extract(jpegs, store, encoder=OnCPU(side=16, decoding="device"))
    assert (done.encoded, done.rows) == (0, 31)


class OnCPU(FakeEncoder):
    """Runs, as far as anybody knows, on a CPU that torch calls so."""

    @property
    def device(self) -> str:
        return "cpu (2 threads)"


@pytest.mark.parametrize("processes", [False, True])
def test_a_store_made_on_the_device_is_near_the_exact_one(jpegs, workspace, processes):
    stores = {}
    for mode in ("exact", "device"):
        encoder = OnCPU(side=16, decoding=mode)
        done = extract(
            jpegs,
            workspace / f"{mode}.h5",
            encoder=encoder,
            batch_size=4,
            engine=LocalEngine(processes=processes),
        )
        assert (done.rows, done.skipped) == (31, 2)
        with FeatureStore.open(done.store) as store:
            stores[mode] = (store.paths, store.skipped, np.asarray(store.features))
    exact, device = stores["exact"], stores["device"]
    assert exact[:2] == device[:2]
    cosines = (exact[2] * device[2]).sum(1)
    cosines /= np.linalg.norm(exact[2], axis=1) * np.linalg.norm(device[2], axis=1)
    assert cosines.min() > 0.99


def test_a_file_that_the_device_refuses_costs_the_others_nothing(jpegs, workspace, monkeypatch):
    """A header that is sound, pixels that are not: only decoding tells."""
    sound = (jpegs / "cod/03.jpg").read_bytes()
    scan = sound.index(b"\xff\xda")
    for name in ("bad.jpg", "same.jpg"):
        (jpegs / "cod" / name).write_bytes(sound[: scan + 2] + b"\xff\xd9")
    encoder = OnCPU(side=16, decoding="device")
    done = extract(jpegs, workspace / "a.h5", encoder=encoder, batch_size=8)
    assert done.rows == 31
    assert {path.rpartition("/")[2] for path, _ in done.skipped_files} == {
        "bad.jpg",
        "same.jpg",
        "broken.jpg",
        "cut.jpg",
    }
    again = extract(jpegs, workspace / "a.h5", encoder=encoder)
    assert (again.encoded, again.skipped, again.wrote) == (0, 4, False)


def test_small_files_lie_in_the_ring_as_they_are_and_large_ones_as_pixels(jpegs):
    files = sorted(path for path in (jpegs / "cod").glob("[0-9]*.jpg"))[:4]
    transform = ImageTransform({"resize": 16, "crop": 16}, "device")
    lengths = [path.stat().st_size for path in files]
    rows = [-(-length // (16 * 16 * 3)) for length in lengths]
    out = np.zeros((rows[0] + rows[1] + 2, 16, 16, 3), np.uint8)
    result = read_block(files, (), transform, out)
    assert [image.length for image in result.images] == [*lengths[:2], 0, 0]
    assert [image.row for image in result.images] == [0, rows[0], rows[0] + rows[1], len(out) - 1]
    assert result.rows_wanted == sum(rows)
    at = rows[0] * out[0].size
    assert out.reshape(-1)[at : at + lengths[1]].tobytes() == files[1].read_bytes()
    np.testing.assert_array_equal(out[-1], transform(files[3].read_bytes()))
