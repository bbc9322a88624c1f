"""Injected faults: killed processes, full disks, broken pictures."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import sys
import time

import faults
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_pictures import contents, draw

from fishembed.cache import FeatureStore
from fishembed.extraction import extract

KILLS = 70


@pytest.fixture
def many(workspace):
    root = workspace / "many"
    for seed in range(60):
        draw(root / ("train", "test")[seed % 2] / "abc"[seed % 3] / f"{seed}.png", seed)
    shutil.copy(root / "train/a/0.png", root / "train/a/twin.png")
    (root / "train/a/broken.png").write_bytes(b"broken")
    return root


@pytest.fixture
def unbroken(many, workspace):
    place = workspace / "unbroken.h5"
    extract(many, place, encoder=FakeEncoder(width=16), trunk=True)
    return contents(place)


def leftovers(store):
    return [p.name for p in store.parent.iterdir() if p.name.endswith((".tmp", ".parts"))]


@pytest.mark.slow
@pytest.mark.parametrize("half_full", [False, True], ids=["new", "update"])
def test_killed_at_random_moments(many, unbroken, store, workspace, half_full):
    before = None
    if half_full:
        (many / "test").rename(workspace / "later")
        extract(many, store, encoder=FakeEncoder(width=16), trunk=True)
        (workspace / "later").rename(many / "test")
        before = contents(store)
    start = store.read_bytes() if half_full else None

    def begin_again():
        store.parent.mkdir(exist_ok=True)
        store.write_bytes(start) if half_full else store.unlink(missing_ok=True)

    longest = 0.0
    for _ in range(2):  # the first also starts the server that processes come from
        begin_again()
        began = time.perf_counter()
        assert faults.run(faults.extract_slowly, many, store, 0.002, 0.01) == 0
        longest = time.perf_counter() - began
        assert contents(store) == unbroken
    begin_again()
    rng = random.Random(0)
    kills = finished = 0
    while kills < KILLS:
        after = rng.uniform(0, longest)
        if faults.run(faults.extract_slowly, many, store, 0.002, 0.01, kill_after=after):
            kills += 1
            if half_full or store.exists():
                assert contents(store) in (before, unbroken)
        else:
            finished += 1
            assert contents(store) == unbroken
            assert leftovers(store) == []
            begin_again()
    assert faults.run(faults.extract_slowly, many, store, 0.0, 0.01) == 0
    assert contents(store) == unbroken
    assert leftovers(store) == []


@pytest.mark.slow
@pytest.mark.realdata
def test_real_photos_killed_while_they_are_encoded(realdata, workspace, store):
    photos = workspace / "photos"
    for folder in sorted((realdata / "fish4knowledge/images").iterdir())[:4]:
        for path in sorted(folder.iterdir())[:5]:
            draw(photos / folder.name / path.name, 0).write_bytes(path.read_bytes())
    extract(photos, workspace / "unbroken.h5", encoder="embedded", device="cpu", batch_size=2)
    parts = store.with_name(f".{store.name}.parts")
    for kill in range(5):
        process = faults.CONTEXT.Process(target=faults.extract_embedded, args=(photos, store))
        process.start()
        deadline = time.monotonic() + 240  # the encoder is loaded first
        while process.is_alive() and len(list(parts.glob("*.h5"))) <= 2 * kill:
            assert time.monotonic() < deadline, "an extraction stands still"
            time.sleep(0.005)
        process.kill()
        process.join()
    done = extract(photos, store, encoder="embedded", device="cpu", batch_size=2)
    assert done.encoded < done.rows
    with FeatureStore.open(store) as broken, FeatureStore.open(workspace / "unbroken.h5") as whole:
        assert broken.paths == whole.paths
        assert broken.digests == whole.digests
        scale = float(np.abs(whole.features).max())
        np.testing.assert_allclose(broken.features, whole.features, atol=1e-5 * scale)


@pytest.mark.parametrize("name", ["fsync", "replace", "unlink", "rmdir"])
def test_killed_around_every_step_that_touches_the_disk(many, unbroken, store, name):
    ended, call = 1, 0
    while ended:
        shutil.rmtree(store.parent, ignore_errors=True)
        ended = faults.run(faults.extract_until, many, store, name, call)
        if store.exists():
            assert contents(store) == unbroken
        done = extract(many, store, encoder=FakeEncoder(width=16), trunk=True)
        assert done.rows == 61
        assert contents(store) == unbroken
        assert leftovers(store) == []
        call += 1 + call // 4
    assert call > 0


def test_an_update_killed_around_every_step_keeps_a_whole_store(many, store, workspace):
    encoder, updated = FakeEncoder(width=16), workspace / "updated.h5"
    extract(many, store, encoder=encoder, trunk=True)
    old = contents(store)
    for seed in range(100, 110):
        draw(many / f"train/a/{seed}.png", seed)
    extract(many, updated, encoder=encoder, trunk=True)
    new, ends = contents(updated), []
    for call in range(8):
        ends.append(faults.run(faults.extract_until, many, store, "replace", call))
        assert contents(store) == (old if ends[-1] else new)
    assert ends[0] != 0
    assert ends[-1] == 0
    assert leftovers(store) == []


@pytest.mark.parametrize("every", [-1.0, 1e9], ids=["parts", "store"])
def test_a_disk_that_fills_at_many_offsets(many, unbroken, store, every):
    pytest.importorskip("resource")
    extract(many, store, encoder=FakeEncoder(width=16), trunk=True)
    old, size = store.read_bytes(), store.stat().st_size
    for seed in range(100, 110):
        draw(many / f"train/a/{seed}.png", seed)
    ends = []
    for limit in [*range(0, 3000, 300), *np.linspace(3000, size * 1.3, 50).astype(int).tolist()]:
        ends.append(faults.run(faults.extract_on_small_disk, many, store, limit, every))
        assert ends[-1] in (0, 3), f"at {limit} bytes"
        if ends[-1] == 3:
            assert store.read_bytes() == old
            assert not [name for name in leftovers(store) if name.endswith(".tmp")]
        else:
            assert len(contents(store).rows) == 71
            store.write_bytes(old)
    assert ends.count(3) > 30
    assert ends.count(0) > 3


STARVED = """
import sys, pathlib
sys.path[:0] = sys.argv[4:]
import faults
faults.extract_on_small_disk(*map(pathlib.Path, sys.argv[1:3]), int(sys.argv[3]), 1e9)
"""


@pytest.mark.parametrize("limit", [0, 700, 5_000, 12_000])
def test_after_a_full_disk_the_interpreter_ends_well(many, store, limit):
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", STARVED, str(many), str(store), str(limit), *sys.path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "")


def mutations(rng):
    """Yield bytes of pictures that were cut, flipped or given another's head."""
    whole = []
    noise = rng.integers(0, 256, (24, 32, 3), np.uint8)
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"):
        for mode in ("RGB", "L") if kind != "WEBP" else ("RGB",):
            out = io.BytesIO()
            Image.fromarray(noise).convert(mode).save(out, kind)
            whole.append(out.getvalue())
    while True:
        data = bytearray(whole[rng.integers(len(whole))])
        kind = rng.integers(3)
        if kind == 0:
            data = data[: rng.integers(len(data))]
        elif kind == 1:
            for at in rng.integers(0, min(len(data), 200), rng.integers(1, 9)):
                data[at] ^= 1 << rng.integers(8)
        else:
            other = whole[rng.integers(len(whole))]
            cut = rng.integers(4, 64)
            data = bytearray(other[:cut]) + data[cut:]
        yield bytes(data)


def test_a_thousand_mutated_pictures(workspace, store):
    root = workspace / "mutated"
    root.mkdir()
    source = mutations(np.random.default_rng(7))
    for number in range(1000):
        (root / f"{number:04d}.png").write_bytes(next(source))
    done = extract(root, store, encoder=FakeEncoder(), max_pixels=10_000_000)
    with FeatureStore.open(store) as made:
        used, skipped = set(made.paths), {path for path, _ in made.skipped}
        assert np.isfinite(made.features).all()
    assert used | skipped == {f"{number:04d}.png" for number in range(1000)}
    assert not used & skipped
    assert len(skipped) > 300
    assert all(reason and "\n" not in reason for _, reason in done.skipped_files)
    assert not extract(root, store, encoder=FakeEncoder(), max_pixels=10_000_000).wrote
