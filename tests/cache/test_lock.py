"""One writer at a time, wherever the store lies."""

from __future__ import annotations

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


@pytest.mark.parametrize("ending", ["lock", "writer"])
def test_links_that_wait_at_a_locks_names_are_not_followed(workspace, ending):
    victim = workspace / "victim"
    victim.write_text("keep me")
    (workspace / f".a.h5.{ending}").symlink_to(victim)
    if ending == "lock":
        refused = pytest.raises(StoreWriteError, match="is a link where a lock should be")
        with refused, store_lock(workspace / "a.h5"):
            pass
    else:
        with store_lock(workspace / "a.h5"):
            assert not (workspace / ".a.h5.writer").is_symlink()
    assert victim.read_text() == "keep me"


def test_an_index_is_not_written_as_a_store_whatever_its_name(make_file, workspace):
    shard_store(make_file(9), 4, workspace / "i.json")
    (workspace / "i.json").rename(workspace / "i.h5")
    for place in (workspace / "i.h5", workspace / "new.json"):
        with pytest.raises(InputError, match="is an index over several"), store_lock(place):
            pass
