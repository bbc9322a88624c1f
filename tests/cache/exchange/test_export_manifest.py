from __future__ import annotations

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed import import_features, open_store
from fishembed._base.csv_files import CsvTable
from fishembed.audit import fix_store
from fishembed.cache import export_manifest
from fishembed.cli import main
from fishembed.extraction import extract
from fishembed.images import VideoFrame, open_dataset


def test_corrected_labels_come_back_as_a_table(workspace):
    paths = ["a.jpg", "b.jpg", "c.jpg"]
    arrays = {"features": np.eye(3), "labels": ["cod", "eel", ""], "paths": paths}
    place = import_features(arrays, "f.h5")
    table = workspace / "t.csv"
    table.write_text("path,action,new_label\nc.jpg,relabel,pike\nb.jpg,drop,\n", encoding="utf-8")
    fix_store(place, table)
    with open_store(place) as store:
        target = export_manifest(store, workspace / "out" / "labels.csv")
    rows = [row for _, row in CsvTable(target)]
    assert [(row["path"], row["label"]) for row in rows] == [("a.jpg", "cod"), ("c.jpg", "pike")]


def test_the_verb_writes_it(workspace, capsys):
    place = import_features({"features": np.eye(3), "labels": ["cod", "eel", ""]}, "f.h5")
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["export", "labels.csv", "--store", str(place), "--format", "manifest", "--json"])
    assert '"rows": 3' in capsys.readouterr().out
    text = (workspace / "labels.csv").read_text(encoding="utf-8-sig")
    assert text.startswith("path,label,split,group")


def test_boxes_come_back(workspace):
    draw(workspace / "p" / "a.png", 1)
    draw(workspace / "p" / "b.png", 2)
    (workspace / "p" / "boxes.csv").write_text(
        "path,label,x,y,width,height,site\na.png,cod,1,2,6.5,5,reef\na.png,eel,9,2,4,5,\n"
        "b.png,cod,5,5,3,3,bay\n"
    )
    extract(workspace / "p" / "boxes.csv", "s.h5", encoder=FakeEncoder())
    with open_store("s.h5") as store:
        wanted = store.paths, store.labels.tolist(), store.groups, np.asarray(store.boxes)
        target = export_manifest(store, workspace / "p" / "out.csv")
    found = open_dataset(target).samples
    assert [one.path for one in found] == wanted[0]
    extract(target, "again.h5", encoder=FakeEncoder())
    with open_store("again.h5") as store:
        again = store.paths, store.labels.tolist(), store.groups, np.asarray(store.boxes)
        assert store.metadata["site"].tolist() == ["reef", "", "bay"]
    assert again[:3] == wanted[:3]
    np.testing.assert_array_equal(again[3], wanted[3])


def test_a_frame_named_in_a_table_is_that_frame(workspace):
    (workspace / "clip.mp4").write_bytes(b"no video, and not opened")
    (workspace / "t.csv").write_text("path,label\nclip.mp4#t=2.5,eel\n")
    dataset = open_dataset("t.csv")
    ((sample,), blob) = dataset.samples, dataset.image_bytes["clip.mp4#t=2.5"]
    assert (sample.time, sample.group, sample.label) == (2.5, "clip.mp4", "eel")
    assert isinstance(blob, VideoFrame)
