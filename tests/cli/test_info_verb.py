from __future__ import annotations

import json

import h5py

from fishembed import FeatureStore


def test_info_tells_everything(run, store):
    code, told, _ = run("info")
    assert code == 0
    assert told.startswith("store: cache/p.h5 (the newest in cache)")
    for part in (
        "70 rows of 8 float32",
        "trunk features of 12",
        "encoder: fake",
        "text features 'single': 1 template",
        "2 classes\n",
        "  class  train  test\n",
        "70 images in ",
        " on fake, ",
        "1 file skipped:",
        "'train/a/bad.png': not an image",
    ):
        assert part in told


def test_info_as_json(run, store):
    told = json.loads(run("info", store, "--json", "--verify")[1])
    with FeatureStore.open(store) as opened:
        counted = {name: sum(splits.values()) for name, splits in told["classes"].items()}
        assert counted == {n: int((opened.labels == i).sum()) for i, n in enumerate(opened.classes)}
    assert (told["rows"], told["trunk"], told["verified"]) == (70, 12, True)
    assert [one["path"] for one in told["skipped"]] == ["train/a/bad.png"]


def test_verify_names_the_rows(run, store):
    with h5py.File(store) as file:
        at = file["features/image"].id.get_offset() + 65 * 8 * 4
    raw = bytearray(store.read_bytes())
    raw[at] ^= 4
    store.write_bytes(raw)
    with FeatureStore.open(store) as opened:
        first = opened.paths[64]
    assert run("info", store)[0] == 0
    code, _, said = run("info", store, "--verify")
    assert code == 3
    assert f"features/image 64 to 69 ({first!r} to" in said
    assert "'fishembed extract'" in said


def test_verify_finds_what_a_description_would_stumble_over(run, store):
    for dataset in ("rows/label", "rows/split", "rows/path", "classes", "text/single/names"):
        raw = bytearray(store.read_bytes())
        with h5py.File(store) as file:
            at = file[dataset].id.get_offset()
        raw[at + (3 if dataset == "rows/label" else 0)] ^= 0x40
        store.write_bytes(raw)
        code, _, said = run("info", store, "--verify")
        assert (code, dataset in said) == (3, True)
        assert said.startswith("error: ")
