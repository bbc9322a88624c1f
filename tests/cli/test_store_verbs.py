"""What the program does with stores: info, export, import, trunk vectors, several at once."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed import FeatureStore, load_head, run_fit
from fishembed.extraction import extract


@pytest.fixture
def store(workspace):
    for seed in range(70):
        draw(
            workspace / f"p/{('train', 'test')[seed % 2]}/{'ab'[seed % 3 % 2]}/{seed:02d}.png", seed
        )
    (workspace / "p/train/a/bad.png").write_bytes(b"bad")
    extract(workspace / "p", "cache/p.h5", encoder=FakeEncoder(width=12), trunk=True)
    return workspace / "cache/p.h5"


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
        "'train/a/bad.png': not a picture",
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
    assert code == 2
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
        assert (code, dataset in said) == (2, True)
        assert said.startswith("error: ")


def test_export_and_import_go_both_ways(run, store, workspace):
    pytest.importorskip("pyarrow")
    assert run("export", "a.npz")[0] == 0
    _, out, _ = run("export", "folder", "--store", store, "--normalize", "--json")
    assert json.loads(out)["rows"] == 70
    vectors = np.load(workspace / "folder/img_emb/img_emb_0.npy")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    code, _, said = run("export", "folder")
    assert code == 2
    assert "is there already" in said
    assert run("import", "a.npz", "--store", "npz.h5")[0] == 0
    assert run("import", "folder", "--store", "folder.h5", "-e", "mine")[0] == 0
    there, npz, folder = map(FeatureStore.open, (store, "npz.h5", "folder.h5"))
    np.testing.assert_array_equal(npz.features, there.features)
    np.testing.assert_array_equal(npz.trunk, there.trunk)
    assert npz.digests == folder.digests == there.digests
    assert (npz.encoder_name, folder.encoder_name) == ("fake", "mine")


def test_trunk_vectors_on_the_command_line(run, store, workspace):
    assert run("fit", "--features", "trunk")[0] == run("fit")[0] == 0
    trunk, image = (workspace / "reports" / name for name in ("p-trunk-auto", "p-auto"))
    told = json.loads((trunk / "run.json").read_text())
    assert (told["features"], told["store"]["dim"]) == ("trunk", 12)
    with FeatureStore.open(store) as opened:
        heads = load_head(trunk / "head.npz"), load_head(image / "head.npz")
        prints = opened.feature_fingerprint("trunk"), opened.feature_fingerprint("image")
        assert tuple(head.feature_fingerprint for head in heads) == prints
        assert prints[0] != prints[1] == opened.encoder_fingerprint
    assert run("report", "p-trunk-auto")[0] == 0
    assert run("fit", "--features", "text")[0] == 2


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


def test_stores_side_by_side(run, store, workspace):
    extract(workspace / "p", "cache/q.h5", encoder=FakeEncoder(dim=5, name="other"))
    code, out, _ = run("fit", "p", "q", "--head", "linear", "--epochs", "1")
    assert code == 0
    assert out.startswith("store: cache/p.h5\nstore: cache/q.h5\n")
    folder = workspace / "reports" / "p+q-linear"
    told = json.loads((folder / "run.json").read_text())
    assert told["store"]["dim"] == 13
    assert [one["path"] for one in told["stores"]] == ["cache/p.h5", "cache/q.h5"]
    assert [one["name"] for one in told["encoder"]["joined"]] == ["fake", "other"]
    head = load_head(folder / "head.npz")
    assert head.feature_fingerprint == told["encoder"]["fingerprint"]
    assert run("report", "p+q-linear")[0] == 0
    assert "no map of the features" not in (folder / "index.html").read_text()
    code, _, said = run("fit", "p", "p")
    assert code == 2
    assert "the same encoder" in said
    code, _, said = run("fit", "p", "q", "--features", "trunk")
    assert code == 2
    assert "'cache/q.h5' has no trunk features" in said


def test_joined_in_python(store, workspace):
    extract(workspace / "p", "cache/q.h5", encoder=FakeEncoder(dim=5, name="other"))
    run = run_fit(["cache/p.h5", "cache/q.h5"], run="mine")
    assert run.info["store"]["name"] == "p+q"
    assert len(run.predictions) == run.metrics["n"] == 35
