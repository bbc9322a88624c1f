from __future__ import annotations

import json

from small_pictures import draw

from fishembed import FeatureStore


def test_extract_keeps_trunk_vectors_where_asked(run, workspace):
    for seed in range(3):
        draw(workspace / f"data/{seed}.png", seed)
    assert run("extract", "-e", "embedded", "--trunk")[0] == 0
    with FeatureStore.open("cache/data.h5") as opened:
        assert opened.has_trunk
    (workspace / "data/2.png").unlink()
    _, out, _ = run("extract", "-e", "embedded")
    assert "3 rows: 0 new, 0 changed, 3 reused, 0 skipped, 1 removed (kept; --prune" in out
    _, out, _ = run("extract", "-e", "embedded", "--prune")
    assert "2 rows: 0 new, 0 changed, 2 reused, 0 skipped, 1 removed (gone from" in out


def test_json_says_how_the_folder_was_understood(run, workspace):
    for number, (split, kind) in enumerate(
        (split, kind) for split in ("train", "test") for kind in ("cod", "eel")
    ):
        draw(workspace / f"fish/{split}/{kind}/1.png", number)
    (workspace / "fish/train/eel/2.jxl").write_bytes(b"\xff\x0a")
    code, out, _ = run("extract", "fish", "-e", "embedded", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["understood"] == {
        "as": "folder",
        "manifest": None,
        "class_folders": True,
        "splits": ["train", "test"],
        "boxes": 0,
        "frames": 0,
        "videos": 0,
    }
    start = "4 images of 2 classes (cod 2, eel 2); train 2, test 2; 1 .jxl left out"
    assert said["sentence"].startswith(start)
    assert said["next"] == f"fishembed fit {said['store']}"
    assert said["left_out_by_ending"][".jxl"]["count"] == 1


def test_a_manifest_beside_and_a_table_that_is_not_used_are_told_apart(run, workspace):
    for number in range(4):
        draw(workspace / f"fish/{number}.png", number)
    lines = [f"{number}.png,{'ab'[number % 2]},north" for number in range(4)]
    (workspace / "fish/table.csv").write_text("\n".join(["path,label,site", *lines]))
    (workspace / "fish/other.csv").write_text("file_name,species\n0.png,a\n")
    _, out, _ = run("extract", "fish", "-e", "embedded", "--json")
    said = json.loads(out)
    assert (said["understood"]["as"], said["understood"]["manifest"]) == (
        "manifest beside",
        "table.csv",
    )
    assert said["metadata"] == ["site"]
    assert "metadata: site" in said["sentence"]
    (note,) = (note for note in said["notes"] if "other.csv" in note)
    assert "other.csv --path-column file_name --label-column species" in note
