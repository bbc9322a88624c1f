"""Partial files are whole or left out, on this machine and beside a store at a URL."""

from __future__ import annotations

import fsspec
import numpy as np
import pytest
from full_rows import make_vectors

from fishembed._base.paths import to_path
from fishembed.cache import IMAGE, PartialFiles, open_partial_files
from fishembed.errors import StoreWriteError

DIGESTS = [f"{i:064x}" for i in range(5)]


@pytest.fixture(params=["local", "remote"])
def store(request, workspace, monkeypatch):
    monkeypatch.setenv("FISHEMBED_COPIES", str(workspace / "copies"))
    if request.param == "local":
        yield workspace / "a.h5"
        return
    yield to_path("memory://partial/a.h5")
    fsspec.filesystem("memory").rm("/partial", recursive=True)


def test_what_is_written_is_read(store):
    files = open_partial_files(store, "encoder")
    features = make_vectors(5)
    first = files.write(DIGESTS[:3], {IMAGE: features[:3]})
    second = files.write(DIGESTS[3:], {IMAGE: features[3:]})
    again = open_partial_files(store, "encoder")
    assert list(again.read_all()) == [(first, DIGESTS[:3]), (second, DIGESTS[3:])]
    np.testing.assert_array_equal(again.features(second, IMAGE), features[3:])
    assert again.write(["f" * 64], {IMAGE: features[:1]}).name == "00000002.h5"


def test_files_of_another_encoder_and_damaged_ones_are_left_out(store):
    open_partial_files(store, "other").write(DIGESTS, {IMAGE: make_vectors(5)})
    files = open_partial_files(store, "encoder")
    path = files.write(DIGESTS, {IMAGE: make_vectors(5)})
    assert path.name == "00000001.h5", "the other's name is taken"
    raw = bytearray(path.read_bytes())
    raw[raw.index(make_vectors(5)[2].tobytes())] ^= 1
    path.write_bytes(raw)
    (files.folder / "00000007.h5").write_bytes(b"not HDF5")
    (files.folder / ".00000008.h5.123.0a.fishembed.tmp").touch()
    (files.folder / "notes.txt").touch()
    assert list(files.read_all()) == []
    assert not (files.folder / ".00000008.h5.123.0a.fishembed.tmp").exists()


def test_writers_have_names_of_their_own(store):
    reader = open_partial_files(store, "encoder")
    written = [
        open_partial_files(store, "encoder", writer).write([digest], {IMAGE: make_vectors(1)})
        for writer, digest in zip(("ada", "bob"), DIGESTS, strict=False)
    ]
    assert [path.name for path in written] == ["00000000-ada.h5", "00000000-bob.h5"]
    local = reader.local_path(written[0].name)
    np.testing.assert_array_equal(reader.features(local, IMAGE), make_vectors(1))
    assert [digests for _, digests in reader.read_all()] == [DIGESTS[:1], DIGESTS[1:2]]


def test_markers_tell_whether_a_folder_is_shared(store):
    files = open_partial_files(store, "encoder")
    files.write_marker("here")
    other = open_partial_files(store, "encoder", "ada")
    assert other.has_marker("here")
    assert not other.has_marker("there")
    assert list(other.read_all()) == [], "a marker is no partial file"


def test_nothing_is_left_once_they_are_removed(store):
    files = open_partial_files(store, "encoder")
    files.write(DIGESTS, {IMAGE: make_vectors(5)})
    files.remove()
    assert not files.folder.exists()
    assert list(open_partial_files(store, "encoder").read_all()) == []
    files.remove()


def test_what_one_machine_has_written_another_goes_on_from(workspace, monkeypatch):
    store = to_path("memory://two/a.h5")
    monkeypatch.setenv("FISHEMBED_COPIES", str(workspace / "one"))
    one = open_partial_files(store, "encoder")
    one.write(DIGESTS, {IMAGE: make_vectors(5)})
    monkeypatch.setenv("FISHEMBED_COPIES", str(workspace / "another"))
    another = open_partial_files(store, "encoder")
    (path, digests), *rest = another.read_all()
    assert (digests, rest) == (DIGESTS, [])
    np.testing.assert_array_equal(another.features(path, IMAGE), make_vectors(5))
    fsspec.filesystem("memory").rm("/two/.a.h5.parts", recursive=True)
    assert len(list(one.read_all())) == 1
    assert fsspec.filesystem("memory").exists("/two/.a.h5.parts/00000000.h5"), "uploaded again"
    one.remove()
    assert not fsspec.filesystem("memory").exists("/two/.a.h5.parts")


def test_a_place_that_cannot_be_written_is_named(workspace):
    (workspace / "file").touch()
    with pytest.raises(StoreWriteError, match=r"cannot write .*parts"):
        PartialFiles(workspace / "file/a.h5", "encoder").write(DIGESTS, {IMAGE: make_vectors(5)})
