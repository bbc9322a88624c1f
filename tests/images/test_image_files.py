"""Pictures found again by the paths of a store: in folders, in tars, at URLs."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_shards import png, write_shard
from upath import UPath

from fishembed.errors import ImageError, InputError
from fishembed.images import ImageFiles, open_dataset, read_bytes


def test_files_of_a_folder(tmp_path):
    (tmp_path / "cod.tar").mkdir()
    (tmp_path / "cod.tar" / "a.png").write_bytes(png(1))
    photos = ImageFiles(tmp_path)
    assert photos.are_there()
    assert photos.at("b/c.png") == tmp_path / "b/c.png"
    assert photos.at("/elsewhere/d.png") == Path("/elsewhere/d.png")
    assert read_bytes(photos.at("cod.tar/a.png")) == png(1)
    assert not ImageFiles(tmp_path / "gone").are_there()


def test_members_of_tars(tmp_path):
    write_shard(tmp_path / "train/0.tar", [1, 2, 3])
    write_shard(tmp_path / "train/1.tar", [4, 5])
    (tmp_path / "broken.tar").write_bytes(b"no tar" * 200)
    source, photos = open_dataset(tmp_path / "train"), ImageFiles(tmp_path / "train")
    for item in source.samples:
        assert read_bytes(photos.at(item.path)) == read_bytes(source.at(item.path))
    for lost in ("0.tar/gone.png", "../broken.tar/a.png"):
        with pytest.raises(ImageError, match="its tar has it no more"):
            read_bytes(photos.at(lost))


def test_tars_in_any_case_and_below_folders_that_are_called_so(tmp_path):
    write_shard(tmp_path / "old.tar/A.TAR", [1, 2])
    for item in open_dataset(tmp_path / "old.tar").samples:
        path = f"old.tar/{item.path}"
        assert read_bytes(ImageFiles(tmp_path).at(path)) == png(int(path[-5]))


def test_objects_elsewhere():
    root = UPath("memory://lookup")
    (root / "cod/a.png").write_bytes(png(7))
    photos = ImageFiles("memory://lookup")
    assert photos.are_there()
    assert read_bytes(photos.at("cod/a.png")) == png(7)
    assert read_bytes(ImageFiles("/nowhere").at("memory://lookup/cod/a.png")) == png(7)
    with pytest.raises(ImageError, match="missing"):
        read_bytes(photos.at("cod/b.png"))
    with pytest.raises(ImageError, match="in a tar elsewhere"):
        read_bytes(photos.at("0.tar/b.png"))
    assert not ImageFiles("memory://nothing here").are_there()


def test_a_url_that_holds_a_password_is_refused():
    with pytest.raises(InputError):
        ImageFiles("s3://key:secret@bucket/photos")
