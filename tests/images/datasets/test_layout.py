"""How trees of images are understood, and that nothing is left out without being named."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.errors import FishembedError, SourceError
from fishembed.images import open_dataset


def made(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def read(root: Path) -> dict[str, tuple[str | None, str]]:
    return {one.path: (one.label, one.split) for one in open_dataset(root).samples}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(("Training", "train"), ("01_train", "train"), ("train_images", "train")),
        *(("TRAINSET", "train"), ("dev", "val"), ("Validation Set", "val"), ("val2017", "val")),
        *(("eval", "test"), ("hold-out", "test"), ("images_test", "test"), ("testData", "test")),
    ],
)
def test_splits_in_any_spelling(tmp_path, name, split):
    other = "test" if split == "train" else "train"
    made(tmp_path, f"{name}/cod/a.jpg", f"{other}/eel/b.jpg")
    assert read(tmp_path)[f"{name}/cod/a.jpg"] == ("cod", split)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train/seg_train/{}", "seg_test/seg_test/{}"),
        ("fish_train/{}", "fish_test/{}"),
        ("data/images/train/{}", "data/images/test/{}"),
        ("train/train/{}", "test/test/{}"),
        ("train/images/{}", "test/images/{}"),
        ("{}/train", "{}/test"),
    ],
)
def test_splits_wherever_they_stand(tmp_path, train, test):
    names = [f"{place.format(label)}/1.jpg" for place in (train, test) for label in ("cod", "eel")]
    made(tmp_path, *names)
    told = [(one.label, one.split) for one in open_dataset(tmp_path).samples]
    assert sorted(told, key=str) == sorted(
        ((c, s) for c in ("cod", "eel") for s in ("train", "test")), key=str
    )


def test_what_lies_beside_splits_is_read_and_said(tmp_path):
    made(tmp_path, "train/cod/a.jpg", "test/cod/b.jpg", "extra/c.jpg", "banner.jpg")
    source = open_dataset(tmp_path)
    told = {one.path: (one.label, one.split) for one in source.samples}
    assert told["extra/c.jpg"] == told["banner.jpg"] == (None, "")
    assert any("2 images beside the split folders" in note for note in source.notes)


def test_a_single_train_among_classes_is_a_class(tmp_path):
    made(tmp_path, "train/a.jpg", "car/b.jpg", "bus/c.jpg")
    source = open_dataset(tmp_path)
    assert source.classes == ["bus", "car", "train"]
    assert any("'train' are read as classes" in note for note in source.notes)


def test_archives_with_stray_files(tmp_path):
    root = made(tmp_path / "zip", "Fish/train/cod/a.jpg", "Fish/test/cod/b.jpg", "README.txt")
    source = open_dataset(root)
    assert (source.name, source.classes) == ("Fish", ["cod"])
    made(root, "logo.png")
    assert read(root)["Fish/train/cod/a.jpg"] == ("cod", "train")


def test_detection_exports_have_no_class_called_images(tmp_path):
    names = [f"{split}/images/{i}.jpg" for split in ("train", "valid") for i in range(3)]
    made(tmp_path / "yolo", *names, "data.yaml", "train/labels/0.txt")
    source = open_dataset(tmp_path / "yolo")
    assert source.classes == []
    assert any("YOLO" in note for note in source.notes)
    made(tmp_path / "voc", "JPEGImages/1.jpg", "Annotations/1.xml", "SegmentationClass/1.png")
    source = open_dataset(tmp_path / "voc")
    assert read(tmp_path / "voc") == {"JPEGImages/1.jpg": (None, "")}
    assert [path for path, _ in source.unread] == ["SegmentationClass/1.png"]
    made(tmp_path / "coco", "train2017/1.jpg", "val2017/2.jpg", "annotations/instances_val.json")
    assert {s for _, s in read(tmp_path / "coco").values()} == {"train", "val"}


@pytest.mark.parametrize("mask", ["cod/cod GT/1.png", "masks/cod/1.png", "cod/1_mask.png"])
def test_masks_are_left_out_and_named(tmp_path, mask):
    made(tmp_path, "cod/1.jpg", "eel/2.jpg", mask)
    source = open_dataset(tmp_path)
    assert [path for path, _ in source.unread] == [mask]
    assert source.classes == ["cod", "eel"]


def test_a_class_may_be_called_mask(tmp_path):
    made(tmp_path, "mask/a.jpg", "snorkel/b.jpg")
    assert open_dataset(tmp_path).classes == ["mask", "snorkel"]


def test_trees_of_ranks(tmp_path):
    made(tmp_path / "a", "Sparidae/Diplodus/sargus/1.jpg", "Gadidae/Gadus/morhua/1.jpg")
    assert open_dataset(tmp_path / "a").classes == ["Diplodus sargus", "Gadus morhua"]
    made(tmp_path / "b", "cod/reef/1.jpg", "eel/harbour/1.jpg")
    source = open_dataset(tmp_path / "b")
    assert source.classes == ["cod", "eel"]
    assert any("outermost are read as classes" in note for note in source.notes)


def test_shards_with_json(tmp_path):
    made(tmp_path, "00000/1.jpg", "00001/2.jpg")
    (tmp_path / "00000/1.json").write_text('{"label": ["cod"]}')
    (tmp_path / "00001/2.json").write_text("[" * 100_000)
    assert read(tmp_path) == {"00000/1.jpg": ("cod", ""), "00001/2.jpg": (None, "")}


def by_path(source):
    return {one.path: (one.label, one.split, dict(one.metadata)) for one in source.samples}


def test_a_name_that_several_images_have_finds_none(tmp_path):
    made(tmp_path, "a/1.jpg", "b/1.jpg", "b/2.jpg")
    (tmp_path / "m.csv").write_text("path,label\n1.jpg,cod\n3.jpg,eel\n4.jpg,eel\n")
    with pytest.raises(FishembedError, match="none of its 3 images exists"):
        open_dataset(tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("path,label\n1.jpg,cod\n2.jpg,eel\n")
    assert by_path(open_dataset(tmp_path / "m.csv")).keys() == {"1.jpg", "b/2.jpg"}


def test_numbers_in_the_place_of_names_are_said(tmp_path):
    made(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "m.csv").write_text("path,label\na.jpg,0\nb.jpg,12\n")
    (note,) = open_dataset(tmp_path / "m.csv").notes
    assert "names of all classes are numbers, 0 to 12" in note


def test_names_that_look_alike_are_said(tmp_path):
    made(tmp_path, "Mudfish/a.jpg", "mudfish /b.jpg", "Zährte/c.jpg", "Za\u0308hrte/d.jpg")
    (note,) = [note for note in open_dataset(tmp_path).notes if "may be one" in note]
    assert "'Mudfish' and 'mudfish '" in note
    assert "NFD" in note


def test_a_path_in_the_other_form_is_found(tmp_path):
    made(tmp_path, "Za\u0308hrte/a.jpg")
    (tmp_path / "m.csv").write_text("path\nZ\u00e4hrte/a.jpg\n", encoding="utf-8")
    source = open_dataset(tmp_path / "m.csv")
    assert source.state(source.samples[0].path)[0] == 1


def test_links_that_cross_are_followed_once(tmp_path):
    for i in range(18):
        (tmp_path / f"{i}").mkdir()
        for name in ("a", "b"):
            (tmp_path / f"{i}/{name}").symlink_to(tmp_path / f"{(i + 1) % 18}")
    made(tmp_path, "17/x.jpg")
    assert len(read(tmp_path)) == 1


def test_what_the_system_refuses_is_named(tmp_path):
    made(tmp_path, "cod/a.jpg", "eel/b.jpg")
    (tmp_path / "cod/loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "eel/pipe.jpg")
    os.mkfifo(tmp_path / "m.csv")
    os.mkfifo(tmp_path / "t.tar")
    source = open_dataset(tmp_path)
    assert {one.path for one in source.samples} >= {"cod/loop.jpg", "eel/pipe.jpg", "loop"}
    for name in ("m.csv", "t.tar"):
        with pytest.raises(FishembedError, match="pipe"):
            open_dataset(tmp_path / name)


_NAMES = st.sampled_from(
    ["cod", "Eel", "train", "Test", "images", "masks", "@eaDir", ".Trashes", "Z", "00001", "x GT"]
)
_FILES = st.sampled_from(["1.jpg", "2.PNG", "1_mask.png", "3.heic", "4.nef", ".5.jpg", "n.txt"])


@given(
    st.sets(
        st.tuples(st.lists(_NAMES, max_size=4), _FILES).map(lambda p: (*p[0], p[1])), max_size=25
    )
)
def test_every_image_is_a_sample_or_named(paths):
    with tempfile.TemporaryDirectory() as folder:
        root = made(Path(folder), *("/".join(path) for path in paths))
        walked = {
            (Path(at) / name).relative_to(root).as_posix()
            for at, _, names in os.walk(root)
            for name in names
            if not name.endswith(".txt")
        }
        try:
            source = open_dataset(root)
        except SourceError:  # nothing that is read: the first that was left out is named
            return
        start = str(Path(source.root).relative_to(root.resolve())).removeprefix(".")
        told = [one.path for one in source.samples] + [path for path, _ in source.unread]
        assert len(told) == len(set(told))
        assert {(Path(start) / path).as_posix() for path in told} == walked
