from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest
from small_pictures import draw

from fishembed.errors import SourceError
from fishembed.images import find_images
from fishembed.images.datasets.folder import spelling_on_disk


@pytest.fixture
def folder(workspace) -> Path:
    for name in ("b/2.png", "a/1.JPG", "a/deep/3.png", ".hidden/4.png", "a/.5.png", "[6].png"):
        draw(workspace / "new" / name, 1)
    (workspace / "new" / "notes.txt").write_text("no picture")
    return Path("new")


def test_files_folders_and_patterns_are_found_once_in_the_order_named(folder):
    assert find_images([folder]) == [
        folder / name for name in ("[6].png", "a/1.JPG", "a/deep/3.png", "b/2.png")
    ]
    assert find_images(["new/b/2.png", "new/b", "new/*/2.*"]) == [folder / "b/2.png"]
    assert find_images(["new/**/*.png"]) == [
        folder / name for name in ("[6].png", "a/deep/3.png", "b/2.png")
    ]
    assert find_images(["new/[6].png"]) == [folder / "[6].png"]
    assert find_images(["new/[ab]"]) == [
        folder / name for name in ("a/1.JPG", "a/deep/3.png", "b/2.png")
    ]
    assert find_images(["new/notes.txt"]) == [folder / "notes.txt"], "named is meant"


def test_what_is_not_there_is_named(folder):
    with pytest.raises(SourceError, match=r"nothing at 'new/c\.png'"):
        find_images([folder, "new/c.png"])
    with pytest.raises(SourceError, match=r"no image in 'new/\*\.gif'"):
        find_images(["new/*.gif"])
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match="no image in 'new/empty'"):
        find_images([folder / "empty"])


def test_what_a_folder_leaves_out_is_named(tmp_path):
    (tmp_path / "new").mkdir()
    for name in ("a.jpg", "b.psd", ".c.jpg", "notes.txt"):
        (tmp_path / "new" / name).write_bytes(b"x")
    left_out = []
    assert find_images([tmp_path / "new"], left_out) == [tmp_path / "new/a.jpg"]
    assert [path for path, _ in left_out] == [
        str(tmp_path / "new" / name) for name in (".c.jpg", "b.psd")
    ]
    assert "not read" in left_out[1][1]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("other", ["NFC", "NFD"])
def test_letters_of_either_form_are_found(tmp_path, form, other):
    name = unicodedata.normalize(form, "Zährte/é.jpg")
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).touch()
    asked = unicodedata.normalize(other, name)
    assert spelling_on_disk(tmp_path, asked) == name
    assert spelling_on_disk(tmp_path, asked.replace("/", "\\")) == name


def test_backslashes_are_slashes_unless_a_name_has_them(tmp_path):
    (tmp_path / "cod").mkdir()
    (tmp_path / "cod" / "0.jpg").touch()
    assert spelling_on_disk(tmp_path, "cod\\0.jpg") == "cod/0.jpg"
    (tmp_path / "cod\\0.jpg").touch()
    assert spelling_on_disk(tmp_path, "cod\\0.jpg") == "cod\\0.jpg"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_in_latin_are_found(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).touch()
    assert spelling_on_disk(tmp_path, "café.jpg") == name


@pytest.mark.parametrize("path", ["gone\\é.jpg", "é\0.jpg", "é" * 5000, "plain.jpg"])
def test_what_is_nowhere_stays_as_it_was(tmp_path, path):
    assert spelling_on_disk(tmp_path, path) == path
