"""What is written is what is read, and what is no store is refused."""

from __future__ import annotations

import errno
import json
import mmap
import os
import stat
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors
from hypothesis import given
from hypothesis import strategies as st

from fishembed.cache import (
    ComputedRows,
    FeatureStore,
    Rows,
    newest_store,
    store_lock,
    write_store,
)
from fishembed.cache.schema import decode_texts, encode_texts
from fishembed.errors import (
    DimensionError,
    InputError,
    StoreFormatError,
    StoreIntegrityError,
    StoreLockedError,
    StoreNotFoundError,
    StoreWriteError,
)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200, 5000])
def test_every_column_comes_back(make_store, n):
    rows, vectors, trunk = make_rows(n), make_vectors(n), make_vectors(n, 9, seed=3)
    store = make_store(n, trunk=trunk)
    assert len(store) == n
    for name in Rows.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(store.rows, name), getattr(rows, name))
    np.testing.assert_array_equal(store.features, vectors)
    np.testing.assert_array_equal(store.trunk, trunk)
    assert store.features.dtype == np.float32
    assert store.verify() == []


def test_the_head_comes_back(make_store):
    store, head = make_store(), make_head()
    assert (store.encoder, store.source) == (ENCODER, head.source)
    assert (store.head.classes, store.head.skipped) == (head.classes, head.skipped)
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
        assert (file.attrs["format"], file.attrs["schema"]) == (b"fishembed", 1)
        assert json.loads(file.attrs["encoder"]) == ENCODER
        assert file["rows/path"].asstr()[0] == "ü ß/日本.png"
        assert file["rows/path"].dtype.kind == "S"
        assert file["features/image"].chunks is None


def test_half_floats_stay_half_on_disk_and_are_given_as_floats(make_store):
    store = make_store(dtype=np.float16)
    assert store.features.dtype == np.float16
    assert store.vectors([3, 1]).dtype == np.float32
    np.testing.assert_allclose(store.vectors([3, 1]), make_vectors(200)[[3, 1]], rtol=1e-3)


def test_features_are_a_map_that_outlives_everything(make_store):
    store = make_store(trunk=make_vectors(200, 7, seed=3))
    mapped = store.features
    assert isinstance(mapped.base, mmap.mmap)
    assert mapped.flags.aligned
    assert not mapped.flags.writeable
    write_store(store.path, make_head(), make_rows(3), make_vectors(3))
    assert (len(store), len(store.labels)) == (200, 200)
    trunk = store.trunk  # looked at only now that another store has its place
    np.testing.assert_array_equal(trunk, make_vectors(200, 7, seed=3))
    store.close()
    store.path.unlink()
    np.testing.assert_array_equal(mapped, make_vectors(200))
    np.testing.assert_array_equal(trunk, make_vectors(200, 7, seed=3))


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


def test_splits_give_labelled_rows(make_store):
    store = make_store()
    rows = np.flatnonzero((store.labels >= 0) & (store.splits == "val"))
    X, y = store.split("val")
    np.testing.assert_array_equal(X, make_vectors(200)[rows])
    np.testing.assert_array_equal(y, store.labels[rows])
    assert len(store.split("all")[1]) == (store.labels >= 0).sum()


def test_a_split_that_is_not_there_says_which_are(make_store):
    with pytest.raises(InputError, match="no labelled row in the split 'train'; it has test, val"):
        make_store(4).split("train")


def test_text_that_is_not_there_says_which_is(make_store):
    with pytest.raises(InputError, match=r"no text features 'other'.*it has mine, single"):
        make_store().text("other")


def test_the_fingerprint_is_of_the_content(make_store):
    same = make_store(name="b.h5").fingerprint
    assert make_store().fingerprint == same
    changed = make_rows(200)
    changed.label[4] = 2
    assert make_store(rows=changed).fingerprint != same
    assert make_store(vectors=make_vectors(200, seed=9)).fingerprint != same
    assert make_store(trunk=make_vectors(200, 7)).fingerprint != same
    assert make_store(head=make_head(text={})).fingerprint != same


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "not a readable HDF5"), (b"PK\x03\x04" * 99, "not a readable HDF5")],
)
def test_other_files_are_refused(workspace, content, said):
    (workspace / "x.h5").write_bytes(content)
    with pytest.raises(StoreFormatError, match=said):
        FeatureStore.open(workspace / "x.h5")


def test_foreign_hdf5_is_refused(workspace):
    with h5py.File(workspace / "x.h5", "w") as file:
        file["features/image"] = np.zeros((3, 3))
    with pytest.raises(StoreFormatError, match=r"no fishembed store: .*'fishembed import'"):
        FeatureStore.open(workspace / "x.h5")


def test_missing_stores_say_what_makes_one(workspace):
    for place in (workspace / "x.h5", workspace):
        with pytest.raises(StoreNotFoundError, match="'fishembed extract'"):
            FeatureStore.open(place)


@pytest.mark.parametrize("kept", [10, 100, 1000, -1])
def test_a_store_cut_short_is_refused(make_file, kept):
    path = make_file()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StoreFormatError):
        FeatureStore.open(path)


def test_newest_store(workspace):
    with pytest.raises(StoreNotFoundError, match="no feature store in"):
        newest_store(workspace / "nowhere")
    for age, name in enumerate(["new.h5", "old.h5", ".hidden.h5"]):
        h5py.File(workspace / name, "w").close()
        os.utime(workspace / name, (time.time() - 100 * age - 9 * (name[0] == "o"),) * 2)
    os.utime(workspace / ".hidden.h5")
    (workspace / "other.txt").touch()
    (workspace / "other.json").write_text('{"format": "something"}')
    assert newest_store(workspace).name == "new.h5"
    (workspace / "index.json").write_text('{"format": "fishembed-index"}')
    assert newest_store(workspace).name == "index.json", "told by its content"


def test_to_pandas(make_store):
    store = make_store(8)
    table = store.to_pandas()
    assert list(table) == [
        "path",
        "label",
        "split",
        "group",
        "digest",
        "size",
        "mtime_ns",
        "vector",
    ]
    assert table["label"].tolist() == [
        None if label < 0 else store.classes[label] for label in store.labels
    ]
    np.testing.assert_array_equal(np.stack(table["vector"]), store.features)
    assert "vector" not in store.to_pandas(vectors=False)


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


def test_a_store_is_read_where_hdf5s_own_lock_is_refused(make_file):
    fcntl = pytest.importorskip("fcntl")
    path = make_file(3)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="lock"):
            h5py.File(path, "r")
        with FeatureStore.open(path) as store:
            assert len(store.vectors([0, 2])) == 2


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


def test_a_disk_without_locks_is_said(workspace, monkeypatch):
    def missing(*_args, **_options):
        raise NotImplementedError("flock")

    monkeypatch.setattr("fishembed.cache.lock.FileLock.acquire", missing)
    with pytest.raises(StoreWriteError, match="has no file locks"), store_lock(workspace / "a.h5"):
        pass


def test_a_folder_that_cannot_be_synced_does_not_undo_a_store(make_store, monkeypatch):
    fsync = os.fsync

    def refuses_folders(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuses_folders)
    assert len(make_store(3)) == 3


TEXTS = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda t: not t.endswith("\0"))


@given(st.lists(st.one_of(TEXTS, st.binary().map(os.fsdecode)), max_size=9))
def test_any_text_that_a_file_can_be_called_comes_back(texts):
    texts = [text.rstrip("\0") for text in texts]
    assert decode_texts(encode_texts(texts)) == texts
