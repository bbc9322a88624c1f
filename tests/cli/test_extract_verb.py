from __future__ import annotations

import json

import numpy as np
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed import FeatureStore, import_features
from fishembed.extraction import extract


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


def test_a_store_goes_on_with_its_own_encoder(run, workspace):
    draw(workspace / "data/1.png", 1)
    assert run("extract", "-e", "embedded")[0] == 0
    draw(workspace / "data/2.png", 2)
    code, out, _ = run("extract", "--json")
    assert code == 0
    said = json.loads(out)
    assert (said["new"], said["reused"], said["encoder"]) == (1, 1, "embedded")


def test_an_encoder_that_could_be_anybodys_is_named_by_the_user(run, workspace):
    draw(workspace / "p/1.png", 1)
    strange = FakeEncoder(name="hf-hub:some/body")
    extract(workspace / "p", "cache/p.h5", encoder=strange)
    draw(workspace / "p/2.png", 2)
    code, _, err = run("extract", "p")
    assert code == 2
    assert "--encoder names it" in err
    imported = {"features": np.eye(2), "paths": ["1.png", "2.png"]}
    import_features(imported, "cache/q.h5")
    code, _, err = run("extract", "p", "--store", "cache/q.h5")
    assert code == 2
    assert "no encoder that can be loaded" in err


def test_skipped_images_end_with_3_where_they_may_not_be(run, workspace):
    draw(workspace / "data/1.png", 1)
    for name in ("a", "b"):
        (workspace / f"data/{name}.png").write_bytes(b"no image")
    assert run("extract", "-e", "embedded")[0] == 0
    for words in (["--strict"], ["--max-skipped", "1"]):
        code, out, err = run("extract", *words)
        assert code == 3
        assert "2 images skipped" in err
        assert "nothing to do for cache/data.h5" in out
    code, out, _ = run("extract", "--strict", "--json")
    assert (code, json.loads(out)["skipped"]) == (3, 2), "one document"
    assert run("extract", "--max-skipped", "2")[0] == 0


def test_the_speed_leaves_out_what_was_loaded(workspace):
    draw(workspace / "p/1.png", 1)
    done = extract(workspace / "p", "cache/p.h5", encoder=FakeEncoder())
    assert done.images_per_second == done.encoded / done.stages.wall
    assert done.stages.wall <= done.seconds


def test_several_encoders_fill_a_store_each_and_fit_makes_a_run_of_each(run, photos, monkeypatch):
    from fishembed.encoders import registry
    from fishembed.extraction import encoder_loader

    def load(name, **_):
        return FakeEncoder(name=name, side=8 if name.endswith("S0/dfndr2b") else 13)

    for module in (registry, encoder_loader):
        monkeypatch.setattr(module, "load_encoder", load)
    code, out, err = run("extract", "data", "--encoders", "fast, paper", "--json")
    assert code == 0, err
    assert "one pass over 12 images for 2 encoders" in err
    stores = [one["store"] for one in json.loads(out)["stores"]]
    assert stores == ["cache/data-fast.h5", "cache/data-paper.h5"]
    code, out, err = run("fit", *stores, "--each", "--head", "centroid", "--json")
    assert code == 0, err
    runs = [one["run"] for one in json.loads(out)["runs"]]
    assert runs == ["reports/data-fast-centroid", "reports/data-paper-centroid"]
    assert run("compare", *runs)[0] == 0
    assert run("extract", "data", "--encoders", "fast,paper", "--encoder", "fast")[0] == 2
    assert run("fit", *stores, "--each", "--run", "x")[0] == 2
