"""Pictures in tars, all the way into a store."""

from __future__ import annotations

import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents
from small_shards import png, write_shard

from fishembed.extraction import extract


@pytest.fixture
def shards(workspace):
    write_shard(workspace / "shards/train-0.tar", range(6))
    write_shard(workspace / "shards/test-0.tar", range(6, 9))
    return workspace / "shards"


def test_a_store_of_tars_has_the_vectors_of_the_files(shards, workspace, store, encoder):
    done = extract(shards, store, encoder=encoder, workers=2)
    assert (done.rows, done.encoded) == (9, 9)
    for seed in range(9):
        split, label = ("train" if seed < 6 else "test"), ("cod", "eel")[seed % 2]
        path = workspace / "files" / split / label / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(seed))
    extract(workspace / "files", workspace / "files.h5", encoder=encoder)
    found, expected = contents(store), contents(workspace / "files.h5")
    # All but the paths and sizes: digest, label, split, group and vector.
    assert {(r[1:5], r[-1]) for r in found.rows} == {(r[1:5], r[-1]) for r in expected.rows}


def test_what_has_not_changed_is_not_read(shards, store, encoder, monkeypatch):
    extract(shards, store, encoder=encoder)
    monkeypatch.setattr("fishembed.images.datasets.tar.read_range", None)
    assert not extract(shards, store, encoder=encoder).wrote


def test_a_tar_that_was_written_anew_is_read_but_not_encoded(shards, store, encoder):
    extract(shards, store, encoder=encoder)
    write_shard(shards / "train-0.tar", [9, *range(6)])
    seen = encoder.seen
    done = extract(shards, store, encoder=encoder)
    assert (done.rows, done.new, done.encoded, encoder.seen - seen) == (10, 1, 1, 1)


def test_broken_tars_are_skipped_by_name(shards, store):
    (shards / "test-0.tar").write_bytes(b"rubbish" * 100)
    done = extract(shards, store, encoder=FakeEncoder())
    assert done.rows == 6
    assert [path for path, _ in done.skipped_files] == ["test-0.tar"]
