"""One writer at a time, wherever the store lies."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from full_rows import make_head, make_rows, make_vectors

from fishembed.cache import (
    FeatureStore,
    shard_store,
    store_lock,
    write_store,
)
from fishembed.errors import (
    InputError,
    StoreLockedError,
    StoreWriteError,
)

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
