"""Sources, stores and parts that lie elsewhere: on a server that speaks S3, and in memory."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from s3_server import KEY, SECRET, s3_server
from small_pictures import contents, draw
from small_shards import write_shard
from test_breaks import Breaking
from upath import UPath

from fishembed._base.paths import to_path
from fishembed._base.remote_files import remote_errors
from fishembed.cache import IMAGE, FeatureStore, newest_store, open_partial_files
from fishembed.cli import main
from fishembed.errors import InputError, RemoteError, SourceError, StoreNotFoundError
from fishembed.extraction import extract
from fishembed.extraction import known_features as known_features_module
from fishembed.images import open_dataset


@pytest.fixture(scope="module")
def server():
    with s3_server() as bucket:
        yield bucket


@pytest.fixture(params=["s3", "memory"])
def there(request, server, tmp_path, monkeypatch):
    """Give an empty folder elsewhere."""
    monkeypatch.setenv("FISHEMBED_COPIES", str(tmp_path / "copies"))
    root = UPath(server if request.param == "s3" else "memory://fish") / tmp_path.name
    yield root
    if root.exists():
        root.fs.rm(root.path, recursive=True)
    root.fs.invalidate_cache()


def bring(folder, there) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            (there / file.relative_to(folder).as_posix()).write_bytes(file.read_bytes())


def test_a_folder_elsewhere_gives_the_store_of_the_folder_here(photos, there, workspace, encoder):
    bring(photos, there / "photos")
    done = extract(str(there / "photos"), str(there / "cache/a.h5"), encoder=encoder)
    assert (done.rows, str(done.store)) == (12, str(there / "cache/a.h5"))
    extract(photos, workspace / "b.h5", encoder=encoder)
    found, expected = contents(done.store), contents(workspace / "b.h5")
    assert (found.vectors, found.head[:3]) == (expected.vectors, expected.head[:3])
    with FeatureStore.open(str(there / "cache/a.h5")) as store:
        assert store.source["root"] == str(there / "photos")
        assert store.name == "a"
    seen = encoder.seen
    assert not extract(str(there / "photos"), str(there / "cache/a.h5"), encoder=encoder).wrote
    assert encoder.seen == seen
    draw(photos / "train/bass/new.png", 99)
    bring(photos, there / "photos")
    done = extract(str(there / "photos"), str(there / "cache/a.h5"), encoder=encoder)
    assert (done.rows, done.encoded) == (13, 1)
    assert str(newest_store(str(there / "cache"))) == str(there / "cache/a.h5")


def test_manifests_elsewhere_and_manifests_that_name_urls(photos, there, workspace, encoder):
    bring(photos, there / "photos")
    pictures = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))
    (there / "photos/list.csv").write_text("path\n" + "\n".join([*pictures, "gone.png"]))
    done = extract(str(there / "photos/list.csv"), workspace / "a.h5", encoder=encoder)
    assert (done.rows, done.skipped_files) == (12, (("gone.png", "the file is missing"),))
    with (workspace / "urls.csv").open("w", newline="") as file:
        rows = [["path"], *([str(there / "photos" / path)] for path in [*pictures, "gone.png"])]
        csv.writer(file).writerows(rows)
    done = extract(workspace / "urls.csv", workspace / "b.h5", encoder=encoder)
    assert (done.rows, done.skipped) == (12, 1)
    assert not extract(workspace / "urls.csv", workspace / "b.h5", encoder=encoder).wrote


def test_tars_elsewhere(there, workspace, encoder):
    write_shard(workspace / "s/train-0.tar", range(5))
    write_shard(workspace / "s/train-1.tar", range(5, 8))
    (workspace / "s/train-2.tar").write_bytes(b"rubbish" * 100)
    bring(workspace / "s", there / "s")
    here = open_dataset(workspace / "s")
    for name in (there / "s", there / "s/train-{0..2}.tar", there / "s/*.tar"):
        assert open_dataset(str(name)).samples == here.samples
    done = extract(str(there / "s"), workspace / "a.h5", encoder=encoder)
    assert (done.rows, done.skipped) == (8, 1)
    extract(workspace / "s", workspace / "b.h5", encoder=encoder)
    assert contents(workspace / "a.h5").vectors == contents(workspace / "b.h5").vectors
    assert not extract(str(there / "s"), workspace / "a.h5", encoder=encoder).wrote


def test_another_machine_goes_on_from_the_parts(photos, there, workspace, monkeypatch):
    monkeypatch.setattr(known_features_module, "PART_SECONDS", -1.0)
    store = there / "cache/a.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(photos, str(store), encoder=Breaking(3, KeyboardInterrupt()), batch_size=2)
    assert not store.exists()
    monkeypatch.setenv("FISHEMBED_COPIES", str(workspace / "another machine"))
    done = extract(photos, str(store), encoder=FakeEncoder(), batch_size=2)
    assert done.encoded < 12
    assert not (there / "cache/.a.h5.parts").exists()
    extract(photos, workspace / "unbroken.h5", encoder=FakeEncoder())
    assert contents(store) == contents(workspace / "unbroken.h5")


def test_a_store_that_was_opened_stays_when_another_takes_its_place(photos, there, encoder):
    place = str(there / "a.h5")
    extract(photos, place, encoder=encoder)
    with FeatureStore.open(place) as store:
        before = store.features[:].copy()
        draw(photos / "train/bass/00.png", 77)
        extract(photos, place, encoder=encoder)
        with FeatureStore.open(place) as again:
            assert again.fingerprint != store.fingerprint
        assert (store.features[:] == before).all()


def test_what_is_not_there_is_told(there):
    with pytest.raises(SourceError, match="nothing at"):
        open_dataset(str(there / "missing"))
    with pytest.raises(StoreNotFoundError, match="no feature store at"):
        FeatureStore.open(str(there / "missing.h5"))


def run(*words: object) -> None:
    with pytest.raises(SystemExit):
        main([str(word) for word in words])


def test_no_key_is_ever_told(server, photos, workspace, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("FISHEMBED_COPIES", str(tmp_path / "copies"))
    extract(photos, f"{server}/keys/a.h5", encoder=FakeEncoder(name="embedded"))
    run("extract", photos, "--store", f"{server}/keys/a.h5", "-e", "embedded")
    run("info", f"{server}/keys/a.h5")
    run("extract", f"s3://{KEY}:{SECRET}@fish/x", "-e", "embedded")
    run("info", f"s3://{KEY}:{SECRET}@fish/x.h5")
    run("extract", "s3://no-such-bucket/x", "-e", "embedded")
    said = "".join(capfd.readouterr())
    assert "leave it out" in said
    assert "nothing to do" in said
    copy = next((tmp_path / "copies").rglob("a.h5"))
    for text in (said, copy.read_bytes().decode("latin-1")):
        assert SECRET not in text
        assert KEY not in text
    with h5py.File(copy) as file:
        assert b"fish" not in file.attrs["encoder"]


def test_urls_that_cannot_be_used(monkeypatch):
    with pytest.raises(InputError, match="user or a key in it"):
        open_dataset("s3://user:word@bucket/photos")
    with pytest.raises(InputError, match="fsspec does not know"):
        open_dataset("nonsense://bucket/photos")


def test_what_a_server_says_is_told_without_its_keys():
    with (
        pytest.raises(RemoteError, match="cannot be reached: denied") as told,
        remote_errors("s3://bucket/x?X-Amz-Signature=abc123&part=1"),
    ):
        raise PermissionError(f"denied https://me:word@host/?token={SECRET} secret_key='{SECRET}'")
    assert told.value.__cause__ is None
    for secret in (SECRET, "word", "abc123"):
        assert secret not in str(told.value)
    with pytest.raises(ZeroDivisionError), remote_errors("s3://bucket/x"):
        _ = 1 / 0


def test_places():
    assert to_path("file:///a%20b/c") == Path("/a b/c")
    assert to_path(Path("memory://a/b")) == to_path("memory://a/b")
    assert to_path("C:/photos") == Path("C:/photos")


def test_a_part_that_another_machine_has_written_is_fetched(there, tmp_path, monkeypatch):
    driver = open_partial_files(there / "a.h5", "same")
    driver.write_marker("sign")
    monkeypatch.setenv("FISHEMBED_COPIES", str(tmp_path / "copies of another machine"))
    worker = open_partial_files(there / "a.h5", "same", "worker")
    assert worker.has_marker("sign")
    assert not worker.has_marker("another")
    vectors = np.arange(8, dtype=np.float32).reshape(1, 8)
    written = worker.write(["a" * 64], {IMAGE: vectors})
    fetched = driver.local_path(written.name)
    assert fetched.exists()
    assert not written.exists()
    assert worker.write(["b" * 64], {IMAGE: vectors}).name != written.name
    np.testing.assert_array_equal(driver.features(fetched, IMAGE), vectors)
    assert [digests for _, digests in driver.read_all()] == [["a" * 64], ["b" * 64]]
    driver.remove()
    assert not (there / ".a.h5.parts").exists()
