"""One file: features are memory maps, and damage is refused."""

from __future__ import annotations

import mmap

import h5py
import numpy as np
import pytest
from full_rows import make_head, make_rows, make_vectors

from fishembed.cache import (
    FeatureStore,
    write_store,
)
from fishembed.errors import (
    InputError,
    StoreFormatError,
)


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


def test_text_that_is_not_there_says_which_is(make_store):
    with pytest.raises(InputError, match=r"no text features 'other'.*it has mine, single"):
        make_store().text("other")


def test_a_split_that_is_not_there_says_which_are(make_store):
    with pytest.raises(InputError, match="no labelled row in the split 'train'; it has test, val"):
        make_store(4).split("train")


def test_foreign_hdf5_is_refused(workspace):
    with h5py.File(workspace / "x.h5", "w") as file:
        file["features/image"] = np.zeros((3, 3))
    with pytest.raises(StoreFormatError, match=r"no fishembed store: .*'fishembed import'"):
        FeatureStore.open(workspace / "x.h5")


@pytest.mark.parametrize("kept", [10, 100, 1000, -1])
def test_a_store_cut_short_is_refused(make_file, kept):
    path = make_file()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StoreFormatError):
        FeatureStore.open(path)
