"""What a break leaves, and that the next run goes on from there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import faults
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.cache import FeatureStore, store_lock
from fishembed.errors import StoreLockedError
from fishembed.extraction import extract
from fishembed.extraction import known_features as known_features_module


@pytest.fixture
def often(monkeypatch):
    """Make every batch safe at once."""
    monkeypatch.setattr(known_features_module, "PART_SECONDS", -1.0)


class Breaking(FakeEncoder):
    """Ends after a number of batches."""

    def __init__(self, batches: int, error: BaseException, **options) -> None:
        super().__init__(**options)
        self.left, self.error = batches, error

    def encode_with_trunk(self, batch):
        if not self.left:
            raise self.error
        self.left -= 1
        return super().encode_with_trunk(batch)


def parts_of(store: Path) -> Path:
    return store.with_name(f".{store.name}.parts")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("CUDA out of memory")])
@pytest.mark.parametrize("often_saved", [True, False])
def test_the_next_run_goes_on(photos, store, workspace, error, often_saved, monkeypatch):
    monkeypatch.setattr(known_features_module, "PART_SECONDS", -1.0 if often_saved else 1e9)
    with pytest.raises(type(error)):
        extract(photos, store, encoder=Breaking(3, error), batch_size=2)
    assert not store.exists()
    assert len(list(parts_of(store).iterdir())) == (3 if often_saved else 1)
    encoder = FakeEncoder()
    done = extract(photos, store, encoder=encoder, batch_size=2)
    assert (done.rows, done.new, encoder.seen, done.reused) == (12, 6, 6, 6)
    assert not parts_of(store).exists()
    extract(photos, workspace / "unbroken.h5", encoder=encoder)
    assert contents(store) == contents(workspace / "unbroken.h5")


def test_parts_of_another_encoder_are_not_used(photos, store, often):
    with pytest.raises(KeyboardInterrupt):
        extract(photos, store, encoder=Breaking(3, KeyboardInterrupt()), batch_size=2)
    other = FakeEncoder(weights="1" * 64)
    assert extract(photos, store, encoder=other, batch_size=2).encoded == 12
    assert not parts_of(store).exists()


def test_parts_with_and_without_trunk_do_not_mix(photos, store, often):
    broken = Breaking(3, KeyboardInterrupt(), width=20)
    with pytest.raises(KeyboardInterrupt):
        extract(photos, store, encoder=broken, batch_size=2)
    done = extract(photos, store, encoder=FakeEncoder(width=20), trunk=True)
    assert done.encoded == 12


@pytest.mark.parametrize("at", [100, -100, 700])
def test_a_damaged_part_is_encoded_again(photos, store, workspace, often, at):
    with pytest.raises(KeyboardInterrupt):
        extract(photos, store, encoder=Breaking(3, KeyboardInterrupt()), batch_size=2)
    part = sorted(parts_of(store).iterdir())[1]
    raw = bytearray(part.read_bytes())
    raw[at] ^= 1
    part.write_bytes(raw)
    (parts_of(store) / "00000009.h5").write_bytes(b"not HDF5")
    (parts_of(store) / "notes.txt").write_text("not ours")
    done = extract(photos, store, encoder=FakeEncoder(), batch_size=2)
    assert done.encoded in (6, 8), "the byte may belong to nothing"
    extract(photos, workspace / "unbroken.h5", encoder=FakeEncoder())
    assert contents(store) == contents(workspace / "unbroken.h5")


def test_more_parts_than_a_process_may_open(workspace, store, often, monkeypatch):
    for seed in range(80):
        draw(workspace / f"many/{seed:03d}.png", seed)
    monkeypatch.setattr("fishembed.cache.partial_files._OPEN_AT_ONCE", 4)
    broken = Breaking(79, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        extract(workspace / "many", store, encoder=broken, batch_size=1)
    opened = len(list(Path("/dev/fd").iterdir())) if Path("/dev/fd").exists() else 0
    assert extract(workspace / "many", store, encoder=FakeEncoder()).encoded == 1
    if opened:
        assert len(list(Path("/dev/fd").iterdir())) <= opened + 8
    extract(workspace / "many", workspace / "b.h5", encoder=FakeEncoder())
    assert contents(store) == contents(workspace / "b.h5")


def test_a_break_of_an_update_leaves_the_old_store(again, photos, store, often):
    before = store.read_bytes()
    for seed in range(4):
        draw(photos / f"train/bass/new{seed}.png", 200 + seed)
    with pytest.raises(KeyboardInterrupt):
        again(encoder=Breaking(1, KeyboardInterrupt()), batch_size=2)
    assert store.read_bytes() == before
    assert again().encoded == 2


@pytest.mark.parametrize("dataset", ["features/image", "rows/digest", "rows/label"])
def test_damaged_rows_are_made_again_and_not_copied(photos, store, workspace, dataset, encoder):
    extract(photos, store, encoder=encoder)
    whole = contents(store)
    _flip(store, dataset)
    with FeatureStore.open(store) as made:
        assert [one.dataset for one in made.verify()] == [dataset]
    encoder.seen = 0
    done = extract(photos, store, encoder=encoder)
    assert done.wrote
    assert encoder.seen == 12, "12 rows share a checksum"
    assert contents(store) == whole


@pytest.mark.parametrize("dataset", ["text/single/features", "classes", "skipped/reason"])
def test_other_damage_costs_no_pictures(photos, store, dataset, encoder):
    (photos / "broken.png").write_bytes(b"broken")
    (photos / "broken.png").rename(photos / "train/bass/broken.png")
    extract(photos, store, encoder=encoder)
    whole = contents(store)
    _flip(store, dataset)
    encoder.seen = 0
    assert extract(photos, store, encoder=encoder).wrote
    assert encoder.seen == 0
    assert contents(store) == whole


def _flip(store: Path, dataset: str) -> None:
    import h5py

    with h5py.File(store) as file:
        at = file[dataset].id.get_offset()
    raw = bytearray(store.read_bytes())
    raw[at] ^= 1
    store.write_bytes(raw)


HOLDER = """
import sys
from fishembed.cache import store_lock
with store_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_writer_is_told_who_holds_it(photos, store, encoder):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=rf"process {holder.pid} on .*--store"):
            extract(photos, store, encoder=encoder)
        assert encoder.seen == 0
        holder.kill()
        holder.wait()
        assert extract(photos, store, encoder=encoder).rows == 12, "the dead hold nothing"
    finally:
        holder.kill()
        holder.communicate()


def test_one_process_cannot_write_twice_either(photos, store, encoder):
    with store_lock(store), pytest.raises(StoreLockedError):
        extract(photos, store, encoder=encoder)
    assert extract(photos, store, encoder=encoder).rows == 12


def _extract_in_a_process(photos, store, answers) -> None:
    try:
        done = extract(photos, store, encoder=FakeEncoder(seconds=0.02), batch_size=2)
        answers.put(("rows", done.rows))
    except StoreLockedError as error:
        answers.put(("locked", str(error)))


def test_of_many_writers_each_writes_whole_or_is_told(photos, store, workspace):
    answers = faults.CONTEXT.Queue()
    several = [
        faults.CONTEXT.Process(target=_extract_in_a_process, args=(photos, store, answers))
        for _ in range(4)
    ]
    for process in several:
        process.start()
    told = [answers.get(timeout=60) for _ in several]
    for process in several:
        process.join()
    assert ("rows", 12) in told
    assert all(kind == "locked" or value == 12 for kind, value in told)
    extract(photos, workspace / "alone.h5", encoder=FakeEncoder())
    assert contents(store) == contents(workspace / "alone.h5")


def test_readers_are_not_disturbed(again, photos, store):
    with FeatureStore.open(store) as reader:
        expected = contents(store)
        mapped = reader.features
        for seed in range(3):
            draw(photos / f"train/bass/new{seed}.png", 900 + seed)
            again(prune=True)
        assert store.stat().st_size > 0
        assert len(reader) == 12
        assert reader.paths == [row[0] for row in expected.rows]
        np.testing.assert_array_equal(mapped, reader.features)
        assert reader.features.tobytes() == expected.vectors
        assert reader.verify() == []
    assert mapped.tobytes() == expected.vectors, "a map outlives the store it is of"
    with FeatureStore.open(store) as reader:
        assert len(reader) == 15


def test_what_a_dead_writer_left_is_removed(again, store):
    orphan = store.with_name(f".{store.name}.99999.tmp")
    foreign = store.with_name(".other.h5.99999.tmp")
    for path in (orphan, foreign):
        path.write_bytes(b"half a store")
    again()
    assert not orphan.exists()
    assert foreign.exists(), "another store's writer may be alive"
