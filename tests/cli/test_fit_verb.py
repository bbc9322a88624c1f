from __future__ import annotations

import json

import numpy as np


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
    code, _, err = run("fit", "--C", "1")
    assert code == 2
    assert "it is a parameter of logistic, prior-corrected, blend" in err
