from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from small_pictures import draw

from fishembed.errors import ManifestError, MissingExtraError, SourceError
from fishembed.images import open_dataset


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def told(source):
    return [(item.path, item.label, item.split) for item in source.samples]


def test_class_folders(tmp_path):
    touch(tmp_path / "fish", "cod/b.JPG", "cod/a.png", "eel/deep/c.TiFF", "eel/notes.txt")
    source = open_dataset(tmp_path / "fish")
    assert told(source) == [
        ("cod/a.png", "cod", ""),
        ("cod/b.JPG", "cod", ""),
        ("eel/deep/c.TiFF", "eel", ""),
    ]
    assert (source.name, source.classes) == ("fish", ["cod", "eel"])
    assert source.layout == "2 class folders"


def test_every_extension_in_any_case_and_no_other(tmp_path):
    wanted = ["a.jpg", "b.JPEG", "c.Png", "d.webp", "e.bmp", "f.gif", "g.tif", "h.tiff"]
    wanted += ["m.jfif", "n.jpe"]
    touch(tmp_path, *wanted, "i.jxl", "j.txt", "k", ".l.jpg", ".m/n.jpg", "__MACOSX/o.jpg")
    source = open_dataset(tmp_path)
    assert [item.path for item in source.samples] == wanted
    assert [path for path, _ in source.unread] == [
        ".l.jpg",
        ".m/n.jpg",
        "__MACOSX/o.jpg",
        "i.jxl",
    ]


@pytest.mark.parametrize("val", ["val", "Valid", "VALIDATION"])
def test_split_folders(tmp_path, val):
    touch(tmp_path, "Train/cod/a.jpg", f"{val}/cod/b.jpg", "TEST/eel/c.jpg", "test/d.jpg")
    splits = {item.path: (item.label, item.split) for item in open_dataset(tmp_path).samples}
    assert splits == {
        "Train/cod/a.jpg": ("cod", "train"),
        f"{val}/cod/b.jpg": ("cod", "val"),
        "TEST/eel/c.jpg": ("eel", "test"),
        "test/d.jpg": (None, "test"),
    }


def test_archive_that_wraps_the_splits_once(tmp_path):
    folder = tmp_path / "archive"
    touch(folder, "FishImgDataset/train/cod/a.jpg", "FishImgDataset/test/cod/b.jpg")
    source = open_dataset(folder)
    assert source.name == "FishImgDataset"
    assert source.samples[0].path == "test/cod/b.jpg"


def test_flat_folder_has_no_labels(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg")
    source = open_dataset(tmp_path)
    assert told(source) == [("a.jpg", None, ""), ("b.jpg", None, "")]
    assert source.layout == "flat folder without labels"


def test_a_class_may_be_called_test(tmp_path):
    touch(tmp_path, "test/a.jpg", "cod/b.jpg")
    assert open_dataset(tmp_path).classes == ["cod", "test"]


def test_names_in_any_language(tmp_path):
    # Greek, Russian, Chinese, and every sign that has tripped a program before.
    names = ["ψάρι/ένα.jpg", "рыба/два б.png", "魚/三.webp", "a,b/\"c\" 'd'.jpg", "e\nf/<g>.jpg"]
    touch(tmp_path, *names)
    assert {item.path for item in open_dataset(tmp_path).samples} == set(names)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_that_are_no_unicode(tmp_path):
    (tmp_path / os.fsdecode(b"fish\xff.jpg")).write_bytes(b"x")
    assert os.fsencode(open_dataset(tmp_path).samples[0].path) == b"fish\xff.jpg"


def test_links_are_followed_but_no_circle(tmp_path):
    touch(tmp_path / "real", "cod/a.jpg")
    (tmp_path / "real" / "cod" / "loop").symlink_to(tmp_path / "real")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "eel").symlink_to(tmp_path / "real" / "cod")
    assert [i.path for i in open_dataset(tmp_path / "data").samples] == ["eel/a.jpg"]


def test_what_is_no_source_says_why(tmp_path):
    with pytest.raises(SourceError, match="nothing at"):
        open_dataset(tmp_path / "missing")
    with pytest.raises(SourceError, match="no image in"):
        open_dataset(tmp_path)
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(SourceError, match="neither a folder nor a manifest"):
        open_dataset(tmp_path / "a.docx")


def manifest(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    touch(folder, "a.jpg", "b.jpg")
    (folder / name).write_bytes(text.encode())
    return folder / name


def test_manifest(tmp_path):
    text = "path,label,split,group,photographer\na.jpg,cod,Train,7,Ann\nb.jpg,,valid,,\n"
    source = open_dataset(manifest(tmp_path, text))
    assert [(i.path, i.label, i.split, i.group) for i in source.samples] == [
        ("a.jpg", "cod", "train", "7"),
        ("b.jpg", None, "val", ""),
    ]
    assert source.root == tmp_path.resolve()


def test_manifest_is_called_by_its_folder_or_its_own_name(tmp_path):
    assert open_dataset(manifest(tmp_path, "path\na.jpg\n")).name == tmp_path.name
    assert open_dataset(manifest(tmp_path, "path\na.jpg\n", "trip 7.csv")).name == "trip 7"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_manifest_with_other_delimiters_and_a_byte_order_mark(tmp_path, delimiter):
    text = f"\ufeffpath{delimiter}label\r\na.jpg{delimiter}cod\r\n"
    assert open_dataset(manifest(tmp_path, text)).samples[0].label == "cod"


def test_manifest_with_names_that_hold_anything(tmp_path):
    name = 'x,"y"\r\nz\u2028.jpg'
    touch(tmp_path, name)
    quoted = name.replace('"', '""')
    source = open_dataset(manifest(tmp_path, f'path,label\n"{quoted}",c\n'))
    assert source.samples[0].path == name


def test_manifest_with_absolute_paths_and_repeated_rows(tmp_path):
    photo = touch(tmp_path / "elsewhere", "p.jpg") / "p.jpg"
    source = open_dataset(manifest(tmp_path, f"path,label\n{photo},cod\n{photo},cod\n"))
    assert [i.path for i in source.samples] == [str(photo)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("label\ncod\n", "no column 'path'"),
        ("path,lable\na.jpg,cod\n", "'lable': did you mean 'label'"),
        ("Path,label\na.jpg,cod\n", "'Path': did you mean 'path'"),
        ("path,path\na.jpg,a.jpg\n", "'path' twice"),
        ("path,label\na.jpg,cod\na.jpg,eel\n", "rows 2 and 3 contradict .* 'cod' and 'eel'"),
        ("path,split\na.jpg,train\na.jpg,test\n", "contradict .*split"),
        ("path,split\na.jpg,spare\n", "row 2 has the split 'spare'"),
        ("path,label\na.jpg,cod,eel\n", "more cells than"),
        ("path,label\n,cod\n", "empty path"),
        ("path\nmissing.jpg\n", "none of its 1 images exists"),
        ("path,label\n", "names no image"),
    ],
)
def test_manifests_that_make_no_sense(tmp_path, text, message):
    with pytest.raises(ManifestError, match=message):
        open_dataset(manifest(tmp_path, text))


def test_manifest_that_is_no_text(tmp_path):
    path = manifest(tmp_path, "path\na.jpg\n")
    path.write_bytes(b"path\n\xff\xfe.jpg\n")
    with pytest.raises(ManifestError, match="not UTF-8"):
        open_dataset(path)


def test_parquet_manifest(tmp_path):
    pd = pytest.importorskip("pandas", reason="the extra 'parquet' is not installed")
    touch(tmp_path, "a.jpg", "b.jpg")
    table = pd.DataFrame({"path": ["a.jpg", "b.jpg"], "label": ["cod", None], "size": [1, 2]})
    table.to_parquet(tmp_path / "m.parquet")
    source = open_dataset(tmp_path / "m.parquet")
    assert [(i.path, i.label) for i in source.samples] == [("a.jpg", "cod"), ("b.jpg", None)]
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(ManifestError, match="as Parquet"):
        open_dataset(tmp_path / "bad.parquet")


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fishembed\[parquet\]'"):
        open_dataset(manifest(tmp_path, "x", "m.parquet"))


@pytest.mark.realdata
def test_fish4knowledge(realdata):
    source = open_dataset(realdata / "fish4knowledge" / "manifest.csv")
    assert (len(source.samples), len(source.classes)) == (3187, 23)
    assert source.name == "fish4knowledge"


def test_names_of_earlier_versions_still_work(tmp_path):
    from fishembed import images

    draw(tmp_path / "cod/a.png", 0)
    source = images.open_source(tmp_path)
    assert isinstance(source, images.Source)
    assert source.items == source.samples
    assert images.find_pictures is images.find_images
