"""Files of HDF5 that are read without locks and survive disks that cannot sync."""

from __future__ import annotations

import errno
import os
import stat

import h5py
import pytest

from fishembed.cache import (
    FeatureStore,
)


def test_a_store_is_read_where_hdf5s_own_lock_is_refused(make_file):
    fcntl = pytest.importorskip("fcntl")
    path = make_file(3)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="lock"):
            h5py.File(path, "r")
        with FeatureStore.open(path) as store:
            assert len(store.vectors([0, 2])) == 2


def test_a_folder_that_cannot_be_synced_does_not_undo_a_store(make_store, monkeypatch):
    fsync = os.fsync

    def refuses_folders(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuses_folders)
    assert len(make_store(3)) == 3
