"""Boxes of detectors and annotators become rows: cut, labelled, grouped, and shown in place."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_pictures import draw

from fishembed import run_fit, write_report
from fishembed.cache import FeatureStore, merge_stores
from fishembed.errors import (
    ImageError,
    InputError,
    ManifestError,
    SourceError,
    StoreMismatchError,
)
from fishembed.extraction import extract
from fishembed.images import BoxOptions, ImageFiles, decode, open_dataset, read_bytes
from fishembed.images.datasets.boxes import box_path, cut_region, parse_box_path
from fishembed.images.datasets.manifest import read_manifest
from fishembed.reports.thumbnails import thumbnails

PLAIN = BoxOptions(margin=0, square=False)
SIZE = 80, 60
"""Width and height of the photos."""


@pytest.fixture
def photos(workspace):
    """Draw a red rectangle at 10, 20 and a blue one at 50, 10 in each of eight photos."""
    root = workspace / "deck"
    (root / "cam").mkdir(parents=True)
    for number in range(8):
        pixels = np.full((SIZE[1], SIZE[0], 3), 10 * number, np.uint8)
        pixels[20:40, 10:30] = 255, number, 0
        pixels[10:20, 50:70] = 0, number, 255
        Image.fromarray(pixels).save(root / "cam" / f"{number}.png")
    return root


def megadetector(root, number=8):
    red, blue = [10 / 80, 20 / 60, 20 / 80, 20 / 60], [50 / 80, 10 / 60, 20 / 80, 10 / 60]
    images = [
        {
            "file": f"cam/{i}.png",
            "detections": [
                {"category": "1", "conf": 0.9, "bbox": red},
                {"category": "2", "conf": 0.6, "bbox": blue},
                {"category": "1", "conf": 0.05, "bbox": red},
            ],
        }
        for i in range(number)
    ]
    images[-1]["detections"] = []
    document = {"images": images, "detection_categories": {"1": "animal", "2": "person"}}
    place = root / "detections.json"
    place.write_text(json.dumps(document))
    return place


def coco(root):
    document = {
        "images": [
            {"id": i, "file_name": f"cam/{i}.png", "location": f"s{i % 2}", "seq_id": f"q{i // 2}"}
            for i in range(8)
        ],
        "categories": [{"id": 5, "name": "cod"}, {"id": 7, "name": "eel"}],
        "annotations": [
            {"id": 1, "image_id": i, "category_id": kind, "bbox": box}
            for i in range(7)
            for kind, box in ((5, [10, 20, 20, 20]), (7, [50, 10, 20, 10]))
        ],
    }
    place = root / "instances.json"
    place.write_text(json.dumps(document))
    return place


def yolo(root):
    (root / "classes.txt").write_text("cod\neel\n")
    for i in range(7):
        boxes = (0, 20 / 80, 30 / 60, 20 / 80, 20 / 60), (1, 60 / 80, 15 / 60, 20 / 80, 10 / 60)
        text = "\n".join(" ".join(map(str, box)) for box in boxes)
        (root / "cam" / f"{i}.txt").write_text(text)
    return root


def table(root):
    lines = ["path,label,x,y,width,height,site"]
    for i in range(7):
        lines += [f"cam/{i}.png,cod,10,20,20,20,a", f"cam/{i}.png,eel,50,10,20,10,b"]
    lines.append("cam/7.png,,,,,,c")
    place = root / "boxes.csv"
    place.write_text("\n".join(lines))
    return place


SOURCES = {"megadetector": megadetector, "coco": coco, "yolo": yolo, "table": table}


@pytest.mark.parametrize(
    ("columns", "cod", "eel"),
    [
        ("xmin,ymin,xmax,ymax", "10,20,30,40", "50,10,70,20"),
        ("X1,Y1,X2,Y2", "10,20,30,40", "50,10,70,20"),
        ("left,top,right,bottom", "10,20,30,40", "50,10,70,20"),
        ("bbox_x,bbox_y,bbox_width,bbox_height", "10,20,20,20", "50,10,20,10"),
        ("x,y,w,h", "10,20,20,20", "50,10,20,10"),
    ],
)
def test_boxes_under_other_names_are_the_same(photos, columns, cod, eel):
    lines = [f"filename,width,height,class,{columns}"]
    lines += [f"cam/0.png,90,60,cod,{cod}", f"cam/0.png,90,60,eel,{eel}"]
    (photos / "voc.csv").write_text("\n".join(lines))
    named = {"path": "filename", "label": "class"}
    done = extract(
        photos / "voc.csv", "a.h5", encoder=FakeEncoder(), boxes=PLAIN, columns=named
    )  # fmt: skip
    assert f"voc.csv is read as a table of boxes: {', '.join(columns.split(','))}" in done.notes
    with FeatureStore.open("a.h5") as store:
        np.testing.assert_allclose(store.boxes, [[10, 20, 20, 20], [50, 10, 20, 10]])
        assert store.labels.tolist() == [0, 1]
        assert store.metadata["image_width"].tolist() == [90, 90]


def test_a_corner_that_is_no_number_is_named_with_its_row(photos):
    (photos / "voc.csv").write_text("path,xmin,ymin,xmax,ymax\ncam/0.png,1,2,three,4")
    with pytest.raises(ManifestError, match=r"row 2: a box that cannot be read: .*three"):
        read_manifest(photos / "voc.csv")


@pytest.mark.parametrize("kind", SOURCES)
def test_each_box_is_a_row_with_its_pixels_label_and_group(photos, kind):
    done = extract(SOURCES[kind](photos), "a.h5", encoder=FakeEncoder(), boxes=PLAIN)
    assert (done.rows, done.skipped) == (14, 0)
    names = {"megadetector": ["animal", "person"]}.get(kind, ["cod", "eel"])
    with FeatureStore.open("a.h5") as store:
        assert store.classes == names
        np.testing.assert_allclose(store.boxes[:2], [[10, 20, 20, 20], [50, 10, 20, 10]], atol=0.01)
        assert store.labels.tolist() == [0, 1] * 7
        groups = [f"cam/{i // 2}.png" for i in range(14)]
        assert store.groups == ([f"q{i // 4}" for i in range(14)] if kind == "coco" else groups)
        assert len(set(store.paths)) == len(set(store.digests)) == 14
        assert parse_box_path(store.paths[0])[0] == "cam/0.png"
        assert store.verify() == []
    assert extract(SOURCES[kind](photos), "a.h5", encoder=FakeEncoder(), boxes=PLAIN).encoded == 0


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_cut_is_the_box(photos, kind):
    dataset = open_dataset(SOURCES[kind](photos), boxes=PLAIN)
    red, blue = (np.asarray(decode(read_bytes(dataset.at(s.path)))) for s in dataset.samples[:2])
    assert (red.shape, blue.shape) == ((20, 20, 3), (10, 20, 3))
    assert (red == [255, 0, 0]).all()
    assert (blue == [0, 0, 255]).all()
    assert any("1 photo without a box" in note for note in dataset.notes)


def test_confidence_margin_square_and_whole_photos(photos):
    place = megadetector(photos)
    assert len(open_dataset(place, boxes=BoxOptions(min_confidence=0.7)).samples) == 7
    faint = open_dataset(place, boxes=BoxOptions(min_confidence=0))
    assert len(faint.samples) == 14, "the fainter box is the same box"
    whole = open_dataset(place, boxes=BoxOptions(whole_images=True))
    assert len(whole.samples) == 14 + 8
    assert [sample.box for sample in whole.samples[-2:]] == [None, None]
    assert {whole.samples[0].group, whole.samples[14].group} == {"cam/0.png"}
    with pytest.raises(SourceError, match="nothing to encode; --whole-images"):
        open_dataset(place, boxes=BoxOptions(min_confidence=1))
    with pytest.raises(InputError, match="min_confidence=2"):
        BoxOptions(min_confidence=2)


def test_boxes_cut_in_two_ways_are_refused_in_one_store(photos):
    place, encoder = megadetector(photos), FakeEncoder()
    extract(place, "a.h5", encoder=encoder, boxes=PLAIN)
    assert extract(place, "a.h5", encoder=encoder, boxes=PLAIN).encoded == 0
    for other in (BoxOptions(margin=0.5, square=False), BoxOptions(margin=0)):
        with pytest.raises(StoreMismatchError, match=r"cut with --margin 0.0 --no-square, not"):
            extract(place, "a.h5", encoder=encoder, boxes=other)
    again = extract(place, "b.h5", encoder=encoder, boxes=BoxOptions(margin=0.5))
    assert (again.new, again.rows) == (14, 14)
    for target in ("both.h5", "both.json"):
        with pytest.raises(StoreMismatchError, match=r"--margin 0.0 --no-square and --margin 0.5"):
            merge_stores(target, ["a.h5", "b.h5"])
    merge_stores("one.json", ["a.h5"])
    with FeatureStore.open("one.json") as store:
        assert store.source["boxes"] == {"margin": 0.0, "square": False}


def test_regions_stay_inside_the_image():
    assert cut_region((10, 20, 20, 10), SIZE, 0, square=True) == (10, 15, 30, 35)
    assert cut_region((0, 0, 20, 10), SIZE, 0.5, square=False) == (0, 0, 30, 20)
    assert cut_region((79.8, 59.8, 0.1, 0.1), SIZE, 0, square=False) == (79, 59, 80, 60)
    with pytest.raises(ImageError, match="outside the image of 80 × 60"):
        cut_region((200, 10, 5, 5), SIZE, 0, square=False)


def test_a_path_names_its_box():
    path = box_path("a b/ü#1.jpg", (1.5, 2, 30, 40.25))
    assert path == "a b/ü#1.jpg#xywh=1.5,2,30,40.25"
    assert parse_box_path(path) == ("a b/ü#1.jpg", (1.5, 2.0, 30.0, 40.25))
    assert parse_box_path("a.jpg") is None


def test_people_see_the_box_in_its_surroundings(photos):
    files = ImageFiles(photos)
    seen = np.asarray(decode(read_bytes(files.at("cam/0.png#xywh=10,20,20,20"))))
    assert seen.shape == (60, 50, 3)
    assert [255, 200, 0] in seen.reshape(-1, 3).tolist()
    with pytest.raises(ImageError, match="outside"):
        read_bytes(files.at("../x.png#xywh=1,1,2,2"))


def test_a_photo_that_is_missing_or_broken_is_skipped_and_named(photos):
    place = coco(photos)
    (photos / "cam/0.png").unlink()
    (photos / "cam/1.png").write_bytes(b"broken")
    done = extract(place, "a.h5", encoder=FakeEncoder())
    assert done.rows == 10
    assert {path.partition("#")[0] for path, _ in done.skipped_files} == {"cam/0.png", "cam/1.png"}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"images": [{"file": 1}]}', '{"images": []}'])
def test_json_of_another_kind_is_refused(photos, text):
    place = photos / "x.json"
    place.write_text(text)
    with pytest.raises(ManifestError):
        open_dataset(place)


def test_a_path_that_no_disk_holds_is_said(tmp_path):
    images = [{"file": f"{'x' * 5000}.jpg", "detections": []}]
    (tmp_path / "md.json").write_text(json.dumps({"images": images}))
    with pytest.raises(ManifestError, match="none of its images exists"):
        open_dataset(tmp_path / "md.json")


def test_boxes_go_through_fit_and_report(photos):
    extract(coco(photos), "a.h5", encoder=FakeEncoder(dim=16))
    page = write_report(run_fit("a.h5", head="centroid"), formats=["html"])
    assert "no folder of photos" not in page.read_text(encoding="utf-8")
    with FeatureStore.open("a.h5") as store:
        shown = thumbnails(ImageFiles(store.source["root"]), store.paths)
        assert set(shown) == set(store.paths)


def test_a_broken_text_of_yolo_costs_its_own_photo(tmp_path):
    for number in range(3):
        draw(tmp_path / f"images/{number}.png", number)
        place = tmp_path / f"labels/{number}.txt"
        place.parent.mkdir(exist_ok=True)
        place.write_text("0 0.5 0.5 0.4 0.4\n" if number else "nonsense\n")
    (tmp_path / "classes.txt").write_text("cod\n")
    source = open_dataset(tmp_path)
    assert [sample.label for sample in source.samples] == ["cod", "cod"]
    [(path, reason)] = source.unread
    assert path == "images/0.png"
    assert "labels/0.txt cannot be read" in reason


@pytest.mark.parametrize(("folders", "labels"), [("ab", {"a", "b"}), ("aa", {"animal"})])
def test_one_kind_of_detection_takes_the_class_of_its_folders_where_there_are_several(
    workspace, folders, labels
):
    images = []
    for number, folder in enumerate(folders):
        draw(workspace / folder / f"{number}.png", number)
        found = [{"category": "1", "conf": 0.9, "bbox": [0.1, 0.1, 0.5, 0.5]}]
        images.append({"file": f"{folder}/{number}.png", "detections": found})
    document = {"images": images, "detection_categories": {"1": "animal"}}
    (workspace / "md.json").write_text(json.dumps(document))
    assert {sample.label for sample in open_dataset("md.json").samples} == labels
