from __future__ import annotations

import os
import sys
import unicodedata

import pytest

from fishembed.images.datasets.path_spelling import spelling_on_disk


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
