"""Tables in the folders of the images are read, or named with what to type to use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fishembed.images import open_dataset


def made(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_a_manifest_beside_the_images(tmp_path):
    made(tmp_path, "images/a.jpg", "images/b.jpg", "images/c.jpg")
    (tmp_path / "manifest.csv").write_text("path,label\nimages/a.jpg,cod\nimages/b.jpg,eel\n")
    source = open_dataset(tmp_path)
    assert (source.name, source.classes) == (tmp_path.name, ["cod", "eel"])
    assert source.unread == (("images/c.jpg", "not in manifest.csv"),)
    assert "manifest manifest.csv beside" in source.layout


def by_path(source):
    return {one.path: (one.label, one.split, dict(one.metadata)) for one in source.samples}


def test_metadata_csv_of_an_image_folder_is_read(tmp_path):
    made(tmp_path, "train/a.jpg", "train/b.jpg", "test/c.jpg", "test/d.jpg")
    (tmp_path / "train/metadata.csv").write_text(
        "file_name,label,site\na.jpg,cod,reef\nb.jpg,eel,\n"
    )
    (tmp_path / "test/metadata.jsonl").write_text('{"file_name": "c.jpg", "label": "eel"}\n\n')
    source = open_dataset(tmp_path)
    assert by_path(source) == {
        "train/a.jpg": ("cod", "train", {"site": "reef"}),
        "train/b.jpg": ("eel", "train", {"site": ""}),
        "test/c.jpg": ("eel", "test", {"site": ""}),
        "test/d.jpg": (None, "test", {"site": ""}),
    }
    assert source.layout == "metadata.jsonl in the folders: 2 classes in train, test"
    assert any("come from test/metadata.jsonl and train/metadata.csv" in n for n in source.notes)
    assert "1 image not in them" in source.notes


def test_a_line_that_names_no_image_leaves_the_others(tmp_path):
    made(tmp_path, "train/a.jpg", "train/b.jpg")
    (tmp_path / "train/metadata.jsonl").write_text(
        '{"file_name": "a.jpg", "label": "cod"}\n{"label": "eel"}\n'
    )
    source = open_dataset(tmp_path)
    assert [one.label for one in source.samples] == ["cod", None]
    assert "1 image not in them" in source.notes


def test_a_column_for_each_class(tmp_path):
    made(tmp_path, *(f"train/{name}.jpg" for name in "abcd"))
    (tmp_path / "train/_classes.csv").write_text(
        "filename, Cod, Eel\na.jpg, 1, 0\nb.jpg, 0, 1\nc.jpg, 1, 1\nd.jpg, 0, 0\n"
    )
    source = open_dataset(tmp_path)
    assert [one.label for one in source.samples] == ["Cod", "Eel", None, None]
    assert "2 images without one class in them" in source.notes
    (tmp_path / "train/_classes.csv").write_text("filename,Cod,sure\na.jpg,1,0.5\nb.jpg,0,1\n")
    assert open_dataset(tmp_path).classes == []


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("labels.json", '{"fish_1.jpg": "cod", "fish_2.jpg": "eel", "fish_3.jpg": "eel"}'),
        ("lists/images_variant_train.txt", "fish_1 Cod\nfish_2 Black Eel\n"),
        ("images.txt", "1 images/fish_1.jpg\n2 images/fish_2.jpg\n"),
        ("data/notes.csv", "who,what\nfish_1.jpg,cod\nfish_3.jpg,eel\n"),
    ],
)
def test_a_table_that_names_the_images_and_is_not_used_is_said(tmp_path, table, text):
    made(tmp_path, *(f"images/fish_{i}.jpg" for i in range(1, 4)))
    (tmp_path / table).parent.mkdir(exist_ok=True)
    (tmp_path / table).write_text(text)
    (tmp_path / "README.txt").write_text("fish_1.jpg is the best of them")
    (note,) = [note for note in open_dataset(tmp_path).notes if "not used" in note]
    assert note.startswith(f"{table}: not used, though images are named there")


def test_a_table_of_two_columns_is_said_with_what_to_type(tmp_path):
    made(tmp_path, "train/000a.jpg", "train/000b.jpg")
    (tmp_path / "labels.csv").write_text("id,breed\n000a,cod\n000b,eel\n")
    (note,) = [note for note in open_dataset(tmp_path).notes if "not used" in note]
    assert note.endswith("labels.csv --path-column id --label-column breed")
    source = open_dataset(
        tmp_path / "labels.csv", columns={"path": "id", "label": "breed"}
    )  # fmt: skip
    assert by_path(source) == {"train/000a.jpg": ("cod", "", {}), "train/000b.jpg": ("eel", "", {})}
    assert "such as '000a', which is 'train/000a.jpg'" in source.notes[0]
