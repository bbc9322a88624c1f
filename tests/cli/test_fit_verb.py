from __future__ import annotations

import json

import numpy as np
from fake_encoder import FakeEncoder

from fishembed import FeatureStore, load_head, run_fit
from fishembed.extraction import extract


def test_every_head_can_be_named(run, workspace):
    labels = np.arange(4).repeat(6)
    noise = np.random.default_rng(0).normal(size=(24, 4))
    np.savez(
        workspace / "v.npz",
        features=np.eye(4)[labels] + 0.3 * noise,
        labels=labels,
        text_features=np.eye(4),
        classes=np.array(list("abcd")),
    )
    assert run("import", "v.npz")[0] == 0
    for words in (
        ("auto", "--select-on", "accuracy"),
        ("sweep", "--select-on", "macro_f1"),
        ("logistic", "--C", "1", "--class-weight", "balanced"),
        ("prior-corrected", "--C", "10", "--tau", "0.5"),
        ("gaussian", "--shrinkage", "0.7", "--pseudo-count", "2"),
        ("text-anchored", "--pseudo-count", "8"),
        ("blend", "--C", "1", "--select-on", "log_loss"),
        ("centroid",),
        ("knn", "--neighbors", "3"),
        ("linear", "--loss", "balanced_softmax", "--schedule", "cosine", "--epochs", "2"),
    ):
        code, _, err = run("fit", "--head", *words)
        assert (code, err) == (0, ""), words
        record = json.loads((workspace / "reports" / f"v-{words[0]}" / "run.json").read_text())
        for option, value in zip(words[1::2], words[2::2], strict=True):
            name = {"neighbors": "n_neighbors"}.get(option.strip("-"), option.strip("-"))
            assert str(record["parameters"][name.replace("-", "_")]) in (value, f"{value}.0")
    code, out, _ = run("fit", "--sweep", "--shots", "1,2", "--seeds", "1", "--run", "s")
    assert code == 0
    assert "* logistic" in out
    assert "the learning curve is reports/s/learning_curve.png" in out
    assert "give numbers" in run("fit", "--shots", "1;2")[2]
    for question in ("--by", "--pool", "--leave-out"):
        code, _, err = run("fit", question, "groop", "--run", "never")
        assert (code, (workspace / "reports" / "never").exists()) == (2, False)
        assert "no column 'groop' (there is group, split): did you mean 'group'?" in err
    code, _, err = run("fit", "--C", "1")
    assert code == 2
    assert "it is a parameter of logistic, prior-corrected, angular, blend" in err


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
