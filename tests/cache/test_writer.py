"""What is written is what is read, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys

import h5py
import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors

from fishembed.cache import (
    ComputedRows,
    FeatureStore,
    Rows,
    shard_store,
    store_lock,
    write_store,
)
from fishembed.errors import (
    DimensionError,
    InputError,
    StoreIntegrityError,
    StoreLockedError,
    StoreWriteError,
)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200, 5000])
def test_every_column_comes_back(make_store, n):
    rows, vectors, trunk = make_rows(n), make_vectors(n), make_vectors(n, 9, seed=3)
    store = make_store(n, trunk=trunk)
    assert len(store) == n
    for name in Rows.__dataclass_fields__.keys() - {"metadata"}:
        np.testing.assert_array_equal(getattr(store.rows, name), getattr(rows, name))
    assert list(store.metadata) == list(rows.metadata)
    for name, column in rows.metadata.items():
        np.testing.assert_array_equal(store.metadata[name], column)
    np.testing.assert_array_equal(store.features, vectors)
    np.testing.assert_array_equal(store.trunk, trunk)
    assert store.features.dtype == np.float32
    assert store.verify() == []


def test_the_head_comes_back(make_store):
    store, head = make_store(), make_head()
    assert (store.encoder, store.source) == (ENCODER, head.source)
    assert (store.header.classes, store.header.skipped) == (head.classes, head.skipped)
    assert store.text_keys == ["mine", "single"]
    for key, text in head.text.items():
        np.testing.assert_array_equal(store.text(key).features, text.features)
        read = store.text(key)
        assert (read.names, read.templates, read.logit_scale) == (
            text.names,
            text.templates,
            text.logit_scale,
        )
    assert store.encoder_name == "some/encoder"
    assert store.versions.keys() == {"fishembed", "python", "numpy", "h5py"}
    assert repr(store).endswith("a.h5': 200 × 5, some/encoder)")


def test_a_store_of_no_rows_and_one_without_anything_else(make_store):
    head = make_head(classes=(), skipped=(), text={})
    store = make_store(0, head=head, vectors=np.zeros((0, 5), np.float32))
    assert (len(store), store.dim, store.features.shape, store.paths) == (0, 5, (0, 5), [])
    assert store.text_keys == store.classes == store.skipped == []


def test_without_groups_none_are_stored(make_store):
    rows = Rows(**{**make_rows(4).__dict__, "group": [""] * 4})
    store = make_store(4, rows=rows)
    assert store.groups == [""] * 4
    with h5py.File(store.path) as file:
        assert "group" not in file["rows"]


def test_plain_h5py_reads_it(make_store):
    store = make_store()
    with h5py.File(store.path) as file:
        assert (file.attrs["format"], file.attrs["schema"]) == (b"fishembed", 2)
        assert json.loads(file.attrs["encoder"]) == ENCODER
        assert file["rows/path"].asstr()[0] == "ü ß/日本.png"
        assert file["rows/path"].dtype.kind == "S"
        assert file["metadata/site%2Fü"].asstr()[1] == "reef é"
        assert file["metadata/depth"].dtype == np.float64
        assert file["rows/box"].shape == (200, 4)
        assert list(file["metadata_names"].asstr()) == ["site/ü", "depth"]
        assert file["features/image"].chunks is None


def test_vectors_may_be_gathered_and_are_asked_in_order(make_store):
    asked, vectors = [], make_vectors(9000)

    def gather(start, stop):
        asked.append((start, stop))
        return vectors[start:stop]

    store = make_store(9000, vectors=ComputedRows(gather, 9000, 5))
    np.testing.assert_array_equal(store.features, vectors)
    assert asked == [(0, 4096), (4096, 8192), (8192, 9000)]


def test_a_vector_that_is_not_finite_is_refused_by_name(make_store, workspace):
    make_store(3)
    before = (workspace / "a.h5").read_bytes()
    for bad, dtype in ((np.nan, np.float32), (np.inf, np.float32), (1e6, np.float16)):
        vectors = make_vectors(70)
        vectors[66, 2] = bad
        with pytest.raises(StoreIntegrityError, match=r"'p/61\.png' is not finite"):
            make_store(70, vectors=vectors, dtype=dtype)
    with pytest.raises(StoreIntegrityError):
        make_store(70, trunk=vectors * np.inf)
    assert (workspace / "a.h5").read_bytes() == before
    assert [p.name for p in workspace.iterdir()] == ["a.h5"]


def test_lengths_must_fit(make_store):
    with pytest.raises(DimensionError, match="3 embeddings for 4 rows"):
        make_store(4, vectors=make_vectors(3))
    with pytest.raises(DimensionError, match="3 embeddings for 4 rows"):
        make_store(4, trunk=make_vectors(3))
    with pytest.raises(DimensionError, match="unequal length"):
        Rows(**{**make_rows(4).__dict__, "path": ["a"]})


@pytest.mark.parametrize("text", ["half \ud800 a pair", "ends in zero\0"])
def test_text_that_cannot_be_kept_is_refused(make_store, text):
    rows = Rows(**{**make_rows(2).__dict__, "group": ["", text]})
    with pytest.raises(InputError):
        make_store(2, rows=rows)


def test_the_fingerprint_is_of_the_content(make_store):
    same = make_store(name="b.h5").fingerprint
    assert make_store().fingerprint == same
    changed = make_rows(200)
    changed.label[4] = 2
    assert make_store(rows=changed).fingerprint != same
    assert make_store(vectors=make_vectors(200, seed=9)).fingerprint != same
    assert make_store(trunk=make_vectors(200, 7)).fingerprint != same
    assert make_store(head=make_head(text={})).fingerprint != same


STARVED = """
import resource, sys
import numpy as np
from fishembed.cache import FeatureStore, ComputedRows, Rows, StoreHeader, write_store

place, n, dim = sys.argv[1], 40_000, 1024
block = np.ones((4096, dim), np.float32)
numbers, texts = np.zeros(n, np.int64), [""] * n
rows = Rows(texts, texts, numbers, numbers, numbers.astype(np.int32), ["train"] * n, texts)
head = StoreHeader(encoder={"dim": dim}, source={}, classes=("a",))
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (used + 2**26, resource.RLIM_INFINITY))

write_store(place, head, rows, ComputedRows(lambda a, b: block[: b - a], n, dim))
with FeatureStore.open(place) as store:
    assert store.features.nbytes > 2**27
    assert store.vectors(range(0, n, 1000)).sum() == n // 1000 * dim
    assert store.features[n - 1].sum() == dim
    assert store.verify() == []
    try:
        np.array(store.features)
    except MemoryError:
        print("too large for memory, and read all the same")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory by RLIMIT_DATA")
def test_a_store_larger_than_memory_is_written_read_by_slices_and_verified(workspace):
    call = [sys.executable, "-c", STARVED, str(workspace / "big.h5")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "too large for memory, and read all the same\n"


fcntl = pytest.importorskip("fcntl")


def test_a_link_stays_a_link_and_shares_the_lock(make_file, workspace):
    real = make_file(3, "real.h5")
    real.chmod(0o640)
    link = workspace / "links/a.h5"
    link.parent.mkdir()
    link.symlink_to(real)
    with store_lock(link), pytest.raises(StoreLockedError), store_lock(real):
        pass
    with store_lock(link):
        write_store(link, make_head(), make_rows(4), make_vectors(4))
    assert link.is_symlink()
    with FeatureStore.open(real) as store:
        assert len(store) == 4
    assert stat.S_IMODE(real.stat().st_mode) == 0o640, "rights stay too"
    assert [path.name for path in link.parent.iterdir()] == ["a.h5"]


def test_places_that_cannot_be_written_are_said(workspace):
    (workspace / "file").touch()
    for place, error, said in (
        (workspace / "file/a.h5", StoreWriteError, "cannot write .*untouched"),
        (workspace / ("x" * 300), StoreWriteError, "cannot write .*untouched"),
        (workspace, InputError, "is a folder: name a file"),
    ):
        with pytest.raises(error, match=said), store_lock(place):
            pass


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_disk_without_locks_is_said(workspace, monkeypatch, code):
    def missing(*_args):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(StoreWriteError, match="has no file locks"), store_lock(workspace / "a.h5"):
        pass


def test_a_store_that_was_made_read_only_is_not_written(make_file):
    place = make_file(3)
    place.chmod(0o444)
    with pytest.raises(StoreWriteError, match="read-only: allow writing with chmod u"):
        store_lock(place).__enter__()
    with pytest.raises(StoreWriteError, match="read-only"):
        write_store(place, make_head(), make_rows(4), make_vectors(4))
    with FeatureStore.open(place) as store:
        assert len(store) == 3


def test_who_writes_is_said(workspace):
    said = f"being written by process {os.getpid()} on "
    with (
        store_lock(workspace / "a.h5"),
        pytest.raises(StoreLockedError, match=said),
        store_lock(workspace / "a.h5"),
    ):
        pass


def test_a_link_that_waits_at_the_locks_name_is_not_followed(workspace):
    victim = workspace / "victim"
    victim.write_text("keep me")
    (workspace / ".a.h5.lock").symlink_to(victim)
    refused = pytest.raises(StoreWriteError, match="is a link where a lock should be")
    with refused, store_lock(workspace / "a.h5"):
        pass
    assert victim.read_text() == "keep me"


def test_an_index_is_not_written_as_a_store_whatever_its_name(make_file, workspace):
    shard_store(make_file(9), 4, workspace / "i.json")
    (workspace / "i.json").rename(workspace / "i.h5")
    for place in (workspace / "i.h5", workspace / "new.json"):
        with pytest.raises(InputError, match="is an index over several"), store_lock(place):
            pass
