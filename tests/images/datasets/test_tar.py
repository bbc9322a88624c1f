from __future__ import annotations

import gzip
import pickle

import pytest
from small_shards import png, write_shard, write_tar

from fishembed.errors import ImageError, SourceError
from fishembed.images import open_dataset, read_bytes


def refusal(source, item):
    try:
        read_bytes(source.at(item.path))
    except ImageError as error:
        return str(error)
    return ""


def told(source):
    return [(item.path, item.label, item.split, item.group) for item in source.samples]


def test_samples_of_a_folder_of_tars(tmp_path):
    write_shard(tmp_path / "shards/00001.tar", [2, 3], split="test", group="trip 7")
    write_shard(tmp_path / "shards/00000.tar", [1, 0])
    (tmp_path / "shards/00000_stats.json").write_text("{}")
    source = open_dataset(tmp_path / "shards")
    assert told(source) == [
        ("00000.tar/000000001.png", "eel", "", ""),
        ("00000.tar/000000000.png", "cod", "", ""),
        ("00001.tar/000000002.png", "cod", "test", "trip 7"),
        ("00001.tar/000000003.png", "eel", "test", "trip 7"),
    ]
    assert (source.name, source.layout) == ("shards", "2 tars with 2 classes")
    for item, seed in zip(source.samples, (1, 0, 2, 3), strict=True):
        assert read_bytes(source.at(item.path)) == png(seed)


def test_what_names_tars(tmp_path, monkeypatch):
    for number in range(3):
        write_shard(tmp_path / f"s/{number:05d}.tar", [number])
    monkeypatch.chdir(tmp_path)
    every = open_dataset("s").samples
    assert open_dataset("s/*.tar").samples == every
    assert open_dataset("s/{00000..00002}.tar").samples == every
    assert open_dataset([f"s/{number:05d}.tar" for number in range(3)]).samples == every
    assert open_dataset(tmp_path / "s/00001.tar").samples == every[1:2]
    assert open_dataset("s/00001.tar").name == "00001"
    assert open_dataset(["s"]).samples == every


def test_a_split_may_be_a_folder_or_a_name_and_classes_may_be_numbers(tmp_path):
    (tmp_path / "classnames.txt").write_text("sea bass\ncod\n")
    write_tar(tmp_path / "train/0.tar", [("a.webp", b"x"), ("a.cls", "1\n")])
    write_tar(tmp_path / "test/0.tar", [("a.cls", "0"), ("a.webp", b"x"), ("b.jpg", b"x")])
    assert told(open_dataset(tmp_path)) == [
        ("test/0.tar/a.webp", "sea bass", "test", ""),
        ("test/0.tar/b.jpg", None, "test", ""),
        ("train/0.tar/a.webp", "cod", "train", ""),
    ]
    write_tar(tmp_path / "names/valid-00.tar", [("x/a.left.jpg", b"x"), ("x/a.label.txt", "ray")])
    assert told(open_dataset(tmp_path / "names")) == [
        ("valid-00.tar/x/a.left.jpg", "ray", "val", "")
    ]


@pytest.mark.parametrize(
    ("files", "label"),
    [
        ({"json": '{"label": null}'}, None),
        ({"json": '{"label": NaN}'}, None),
        ({"json": '{"label": "NA"}'}, None),
        ({"json": '{"label": ""}'}, None),
        ({"json": '{"label": 3.0}'}, "3"),
        ({"json": '{"label": 1.0}'}, "cod"),
        ({"json": '{"label": 0}'}, "sea bass"),
        ({"json": '{"label": ["cod"]}'}, "cod"),
        ({"json": '{"label": {"id": 4, "name": "cod"}}'}, "cod"),
        ({"json": '{"label": null, "class_name": " cod "}'}, "cod"),
        ({"json": '{"label": "NA"}', "cls": "cod"}, "cod"),
        ({"label.txt": "N/A", "cls": "cod"}, "cod"),
        ({"cls": "nan"}, None),
        ({"cls": b"\xef\xbb\xbfcod\r\n"}, "cod"),
    ],
)
def test_missing_labels_are_missing_and_numbers_plain(tmp_path, files, label):
    (tmp_path / "classnames.txt").write_text("sea bass\ncod\n")
    write_tar(tmp_path / "0.tar", [("a.jpg", b"x"), *((f"a.{k}", v) for k, v in files.items())])
    assert told(open_dataset(tmp_path)) == [("0.tar/a.jpg", label, "", "")]


def test_missing_splits_groups_and_metadata_of_json(tmp_path):
    document = '{"split": null, "group": NaN, "depth": 3.0, "site": "NA", "year": null, "n": 2.5}'
    write_tar(tmp_path / "0.tar", [("a.jpg", b"x"), ("a.json", document)])
    (sample,) = open_dataset(tmp_path).samples
    assert (sample.split, sample.group) == ("", "")
    assert dict(sample.metadata) == {"depth": "3", "site": "", "year": "", "n": "2.5"}
    document = '{"split": "Training", "group": 7.0}'
    write_tar(tmp_path / "0.tar", [("a.jpg", b"x"), ("a.json", document)])
    (sample,) = open_dataset(tmp_path).samples
    assert (sample.split, sample.group) == ("train", "7")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"label": ["cod", "eel"]}', "its 'label' is no single value but ['cod', 'eel']"),
        ('{"class": {"id": 4}}', "its 'class' is no single value but {'id': 4}"),
        ('{"label": []}', "its 'label' is no single value but []"),
        ('{"label": "cod", "group": [1, 2]}', "its 'group' is no single value but [1, 2]"),
        ('{"label": "cod", "split": {"a": 1}}', "its 'split' is no single value but {'a': 1}"),
    ],
)
def test_labels_that_are_no_single_values_are_named(tmp_path, document, said):
    members = [("a.jpg", b"x"), ("a.json", document), ("b.jpg", b"x"), ("b.json", '{"label": 1}')]
    source = open_dataset(write_tar(tmp_path / "0.tar", members))
    broken, whole = source.samples
    assert said in refusal(source, broken)
    assert "a.json" in refusal(source, broken)
    assert (broken.label, whole.label) == (None, "1"), "each costs itself only"


def test_what_is_no_picture_is_left_alone(tmp_path):
    members = [("./._a.jpg", b"x"), ("__MACOSX/a.jpg", b"x"), ("README", b"x"), ("./a.jpg", b"x")]
    source = open_dataset(write_tar(tmp_path / "a.tar", members))
    assert told(source) == [("a.tar/a.jpg", None, "", "")]


def test_state_follows_the_tar_and_the_place_in_it(tmp_path):
    tar = write_shard(tmp_path / "a.tar", [0, 1])
    first = [open_dataset(tar).state(item.path) for item in open_dataset(tar).samples]
    assert first == [open_dataset(tar).state(item.path) for item in open_dataset(tar).samples]
    write_shard(tar, [1, 0])
    again = {item.path: open_dataset(tar).state(item.path) for item in open_dataset(tar).samples}
    assert not set(first) & set(again.values())


def test_members_can_be_sent_to_other_processes(tmp_path):
    source = open_dataset(write_shard(tmp_path / "a.tar", [0]))
    blob = pickle.loads(pickle.dumps(source.at(source.samples[0].path)))
    assert read_bytes(blob) == png(0)
    with pytest.raises(ImageError, match="larger than 10 bytes"):
        read_bytes(blob, max_bytes=10)


def test_broken_tars_and_members_are_named(tmp_path):
    whole = write_shard(tmp_path / "s/0.tar", [0, 1])
    raw = whole.read_bytes()
    (tmp_path / "s/1.tar").write_bytes(raw[:700])  # ends inside the first picture
    (tmp_path / "s/2.tar").write_bytes(b"no tar at all" * 100)
    (tmp_path / "s/3.tar").write_bytes(b"")
    write_tar(tmp_path / "s/4.tar", [("a.png", png(0)), ("a.json", "{no json")])
    write_tar(tmp_path / "s/5.tar", [("a.png", png(0)), ("a.json", {"split": "spare"})])
    (tmp_path / "s/6.tar").write_bytes(raw[:3584] + b"rubbish" + raw[3591:])
    source = open_dataset(tmp_path / "s")
    reasons = {item.path: reason for item in source.samples if (reason := refusal(source, item))}
    assert len(source.samples) - len(reasons) == 3
    assert reasons["1.tar/000000000.png"].startswith("its tar ends after")
    assert "behind its first 1 images: unexpected end" in reasons["1.tar"]
    assert "behind its first 0 images" in reasons["2.tar"]
    assert "empty file" in reasons["3.tar"]
    assert "'a.json', which says what it is, cannot be read" in reasons["4.tar/a.png"]
    assert "'spare' is none of train" in reasons["5.tar/a.png"]
    assert "behind its first 1 images: no header at byte 3,584" in reasons["6.tar"]


def test_tars_that_vanish_or_shrink(tmp_path):
    tar = write_shard(tmp_path / "a.tar", [0])
    blob = open_dataset(tar).at("a.tar/000000000.png")
    tar.write_bytes(tar.read_bytes()[:600])
    with pytest.raises(ImageError, match="its tar ends after 88 of its"):
        read_bytes(blob)
    tar.unlink()
    with pytest.raises(ImageError, match="its tar is missing"):
        read_bytes(blob)


def test_what_is_no_source_of_tars_says_why(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"rubbish" * 200)
    with pytest.raises(SourceError, match=r"no image in 1 tar of .*'a.tar' is broken"):
        open_dataset(tmp_path / "a.tar")
    write_tar(tmp_path / "b.tar", [("a.txt", "x")])
    with pytest.raises(SourceError, match=r"looked for \.apng"):
        open_dataset(tmp_path / "b.tar")
    (tmp_path / "c.tar.gz").write_bytes(gzip.compress((tmp_path / "b.tar").read_bytes()))
    with pytest.raises(SourceError, match="compressed"):
        open_dataset(tmp_path / "c.tar.gz")
    with pytest.raises(SourceError, match="nothing matches"):
        open_dataset(str(tmp_path / "*.zip"))
    with pytest.raises(SourceError, match=r"no tar '.*d1.tar', which"):
        open_dataset(str(tmp_path / "d{1..3}.tar"))
    with pytest.raises(SourceError, match="several sources at once can only be tars"):
        open_dataset([tmp_path / "a.tar", tmp_path / "b.csv"])


def test_folders_inside_tars_are_classes_where_nothing_else_says_so(tmp_path):
    write_tar(tmp_path / "a.tar", [("train/cod/1.png", png(1)), ("test/eel/2.png", png(2))])
    write_tar(tmp_path / "b.tar", [("train/cod/1.png", png(3)), ("train/eel/4.png", png(4))])
    source = open_dataset(tmp_path)
    assert told(source) == [
        ("a.tar/train/cod/1.png", "cod", "train", ""),
        ("a.tar/test/eel/2.png", "eel", "test", ""),
        ("b.tar/train/cod/1.png", "cod", "train", ""),
        ("b.tar/train/eel/4.png", "eel", "train", ""),
    ]
    assert source.layout == "2 tars with 2 class folders"
    assert "the folders inside the tars are read as classes" in source.notes[0]
    assert read_bytes(source.at(source.samples[2].path)) == png(3)


def test_folders_beside_what_says_the_class_and_numbered_folders_are_none(tmp_path):
    write_tar(tmp_path / "a.tar", [("x/1.png", png(1)), ("x/1.cls", "cod"), ("y/2.png", png(2))])
    assert [item.label for item in open_dataset(tmp_path / "a.tar").samples] == ["cod", None]
    write_tar(tmp_path / "b.tar", [("00000/1.png", png(1)), ("00001/2.png", png(2))])
    assert {item.label for item in open_dataset(tmp_path / "b.tar").samples} == {None}
