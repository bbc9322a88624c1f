"""Stores that have HDF5 read other files."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from fishembed import FeatureStore, import_features
from fishembed.errors import StoreFormatError


@pytest.fixture
def store(tmp_path):
    arrays = {"features": np.eye(6, dtype=np.float32), "labels": ["cod", "eel"] * 3}
    return import_features(arrays, tmp_path / "fish.h5")


def _external_link(file, secret):
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["paths"] = np.array([b"secret"] * 6)
    del file["rows/path"]
    file["rows/path"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/paths")


def _external_group(file, secret):
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["about"] = np.array([b"{}"])
    file["history"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/")


def _external_storage(file, secret):
    del file["rows/path"]
    file.create_dataset("rows/path", (6,), "S6", external=[(str(secret), 0, 36)])


def _virtual(file, secret):
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["paths"] = np.array([b"secret"] * 6)
    layout = h5py.VirtualLayout((6,), "S6")
    layout[:] = h5py.VirtualSource(str(secret.with_suffix(".h5")), "paths", (6,))
    del file["rows/path"]
    file.create_virtual_dataset("rows/path", layout)


def _soft_link(file, secret):
    del file["rows/path"]
    file["rows/path"] = h5py.SoftLink("/rows/digest")


def _never_written(file, secret):
    del file["rows/path"]
    file.create_dataset("rows/path", (1 << 40,), "S6", chunks=(1 << 20,))


ATTACKS = {
    _external_link: "a link to another file",
    _external_group: "a link to another file",
    _external_storage: "its data in another file",
    _virtual: "put together of other data sets",
    _soft_link: "a soft link",
    _never_written: "claims 6,597,069,766,656 bytes",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_reaches_beyond_the_file_is_refused_in_a_sentence(store, tmp_path, attack):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret" * 6)
    with h5py.File(store, "r+") as file:
        attack(file, secret)
    with pytest.raises(StoreFormatError, match=ATTACKS[attack]) as caught:
        FeatureStore.open(store)
    assert str(store) in str(caught.value)
    store.rename(tmp_path / "moved.h5")  # it was closed


def test_hard_links_are_what_a_store_may_have(store):
    with h5py.File(store, "r+") as file:
        file["features/trunk"] = file["features/image"]
    with FeatureStore.open(store) as opened:
        assert opened.trunk_is_image
