"""fishembed info and fishembed export, called as programs call them."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import typer
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed.cache import FeatureStore
from fishembed.cli.boundary import guarded
from fishembed.cli.export import export
from fishembed.cli.info import info
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


def call(*words):
    app = typer.Typer()
    app.command("info")(info)
    app.command("export")(export)
    return guarded(app, [str(word) for word in words])


def test_info_tells_everything(store, capsys):
    assert call("info") == 0
    told = capsys.readouterr().out
    for part in (
        "70 rows of 8 float32",
        "trunk vectors of 12",
        "encoder: fake",
        "text vectors 'single': 1 template",
        "2 classes:",
        "1 file skipped:",
        "'train/a/bad.png': not a picture",
    ):
        assert part in told


def test_info_as_json(store, capsys):
    assert call("info", store, "--json", "--verify") == 0
    told = json.loads(capsys.readouterr().out)
    with FeatureStore.open(store) as opened:
        counted = {name: sum(splits.values()) for name, splits in told["classes"].items()}
        assert counted == {n: int((opened.labels == i).sum()) for i, n in enumerate(opened.classes)}
    assert (told["rows"], told["trunk"], told["verified"]) == (70, 12, True)
    assert [one["path"] for one in told["skipped"]] == ["train/a/bad.png"]


def test_verify_names_the_rows(store, capsys):
    with h5py.File(store) as file:
        at = file["features/image"].id.get_offset() + 65 * 8 * 4
    raw = bytearray(store.read_bytes())
    raw[at] ^= 4
    store.write_bytes(raw)
    with FeatureStore.open(store) as opened:
        first = opened.paths[64]
    assert call("info", store) == 0
    capsys.readouterr()
    assert call("info", store, "--verify") == 2
    said = capsys.readouterr().err
    assert f"features/image 64 to 69 ({first!r} to" in said
    assert "'fishembed extract'" in said


def test_export_goes_both_ways(store, workspace, capsys):
    pytest.importorskip("pyarrow")
    assert call("export", "a.npz") == 0
    assert call("export", "folder", "--store", store, "--normalize", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rows"] == 70
    with np.load(workspace / "a.npz") as arrays:
        assert arrays["features"].shape == (70, 8)
    vectors = np.load(workspace / "folder/img_emb/img_emb_0.npy")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert call("export", "folder") == 2
