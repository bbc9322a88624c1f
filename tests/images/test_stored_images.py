"""Pictures found again by the paths of a store: in folders, in tars, at URLs."""

from __future__ import annotations

import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw
from small_shards import png, write_shard
from upath import UPath

from fishembed.cache import FeatureStore
from fishembed.errors import ImageError, InputError
from fishembed.extraction import extract
from fishembed.images import ImageFiles, open_dataset, read_bytes


def test_files_of_a_folder(tmp_path):
    (tmp_path / "cod.tar").mkdir()
    (tmp_path / "cod.tar" / "a.png").write_bytes(png(1))
    photos = ImageFiles(tmp_path)
    assert photos.are_there()
    assert photos.at("b/c.png") == tmp_path / "b/c.png"
    assert photos.at(str(tmp_path / "d.png")) == tmp_path / "d.png"
    assert read_bytes(photos.at("cod.tar/a.png")) == png(1)
    assert not ImageFiles(tmp_path / "gone").are_there()


def test_members_of_tars(tmp_path):
    write_shard(tmp_path / "train/0.tar", [1, 2, 3])
    write_shard(tmp_path / "train/1.tar", [4, 5])
    (tmp_path / "broken.tar").write_bytes(b"no tar" * 200)
    source, photos = open_dataset(tmp_path / "train"), ImageFiles(tmp_path / "train")
    for item in source.samples:
        assert read_bytes(photos.at(item.path)) == read_bytes(source.at(item.path))
    with pytest.raises(ImageError, match="its tar has it no more"):
        read_bytes(photos.at("0.tar/gone.png"))
    with pytest.raises(ImageError, match="outside"):
        read_bytes(photos.at("../broken.tar/a.png"))


def test_tars_in_any_case_and_below_folders_that_are_called_so(tmp_path):
    write_shard(tmp_path / "old.tar/A.TAR", [1, 2])
    for item in open_dataset(tmp_path / "old.tar").samples:
        path = f"old.tar/{item.path}"
        assert read_bytes(ImageFiles(tmp_path).at(path)) == png(int(path[-5]))


def test_objects_elsewhere():
    root = UPath("memory://lookup")
    (root / "cod/a.png").write_bytes(png(7))
    photos = ImageFiles("memory://lookup", fetch=True)
    assert photos.are_there()
    assert read_bytes(photos.at("cod/a.png")) == png(7)
    assert read_bytes(ImageFiles("/nowhere", fetch=True).at("memory://lookup/cod/a.png")) == png(7)
    with pytest.raises(ImageError, match="missing"):
        read_bytes(photos.at("cod/b.png"))
    with pytest.raises(ImageError, match="in a tar elsewhere"):
        read_bytes(photos.at("0.tar/b.png"))
    assert not ImageFiles("memory://nothing here", fetch=True).are_there()


def test_nothing_is_asked_of_other_machines_without_leave(tmp_path):
    root = UPath("memory://asked")
    (root / "a.png").write_bytes(png(7))
    elsewhere = ImageFiles("memory://asked")
    assert elsewhere.wait_for_leave
    assert not elsewhere.are_there()
    for photos, path in (
        (elsewhere, "a.png"),
        (elsewhere, "../a.png"),
        (ImageFiles(tmp_path), "memory://asked/a.png"),
    ):
        with pytest.raises(ImageError, match="with --fetch only"):
            read_bytes(photos.at(path))
    with pytest.raises(ImageError, match="outside"):
        read_bytes(ImageFiles("memory://asked", fetch=True).at("../a.png"))


def test_nothing_outside_the_root_is_read(tmp_path):
    root, out = tmp_path / "root", tmp_path / "secret"
    root.mkdir()
    out.mkdir()
    (out / "s.png").write_bytes(png(1))
    write_shard(out / "s.tar", [1])
    (root / "link.png").symlink_to(out / "s.png")
    (root / "folder").symlink_to(out)
    (root / "inner.png").write_bytes(png(2))
    (root / "own.png").symlink_to(root / "inner.png")
    photos = ImageFiles(root)
    names = [
        "../secret/s.png",
        str(out / "s.png"),
        "link.png",
        "folder/s.png",
        "a/../../secret/s.png",
        f"file://{out}/s.png",
        "file:///dev/zero",
        "../secret/s.tar/0.png",
        "folder/s.tar/000.png",
        "x.tar/../../secret/s.png",
        "nul\0.png",
    ]
    for name in names:
        with pytest.raises(ImageError, match="outside"):
            read_bytes(photos.at(name))
    assert read_bytes(photos.at("own.png")) == png(2)
    assert read_bytes(photos.at(f"file://{root}/inner.png")) == png(2)


def test_a_url_that_holds_a_password_is_refused():
    with pytest.raises(InputError):
        ImageFiles("s3://key:secret@bucket/photos")


def test_images_of_a_manifest_with_absolute_paths_are_found_again(workspace):
    for seed in range(3):
        draw(workspace / "disk" / "ab"[seed % 2] / f"{seed}.png", seed)
    (workspace / "tables").mkdir()
    table = workspace / "tables" / "trip.csv"
    names = [workspace / "disk" / "ab"[seed % 2] / f"{seed}.png" for seed in range(3)]
    table.write_text("path,label\n" + "".join(f"{name},cod\n" for name in names[:2]))
    dataset = open_dataset(table)
    assert (dataset.root, dataset.name) == (workspace / "disk", "trip")
    extract(table, "trip.h5", encoder=FakeEncoder())
    with FeatureStore.open("trip.h5") as store:
        files = ImageFiles(store.source["root"])
        assert [read_bytes(files.at(path)) for path in store.paths] == [
            name.read_bytes() for name in names[:2]
        ]
    # A further image elsewhere changes what they have in common, and not what is there.
    far = draw(workspace / "other" / "9.png", 9)
    table.write_text("path,label\n" + "".join(f"{name},cod\n" for name in (*names, far)))
    assert extract(table, "trip.h5", encoder=FakeEncoder()).new == 2
    with FeatureStore.open("trip.h5") as store:
        assert store.source["root"] == str(workspace)


def test_relative_paths_start_at_the_manifest(workspace):
    draw(workspace / "p" / "1.png", 1)
    far = draw(workspace / "q" / "2.png", 2)
    (workspace / "p" / "t.csv").write_text(f"path,label\n1.png,cod\n{far},eel\n")
    assert open_dataset(workspace / "p" / "t.csv").root == workspace / "p"
