"""fishembed audit, split and fix, called as programs call them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fishembed.cache import FeatureStore, import_vectors
from fishembed.cli import app
from fishembed.cli.program.run_program import run_program


@pytest.fixture
def store(workspace):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    features = rng.standard_normal((40, 8)) + 4 * np.eye(8)[labels]
    paths = [f"t{i // 2}_{i}.png" for i in range(40)]
    arrays = {"features": features.astype(np.float32), "labels": labels, "paths": paths}
    return import_vectors({**arrays, "classes": ["cod", "eel"]}, workspace / "cache/fish.h5")


def call(*words):
    return run_program(app, [str(word) for word in words])


def test_split_audit_fix_undo(store, workspace, capsys):
    assert call("split", "--group-by", "^t[0-9]+", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(told["splits"].values()) == 40
    assert (workspace / "cache/fish-split.csv").is_file()
    assert call("audit", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["leaks"]["groups_on_both_sides"] == 0
    assert (workspace / told["audit"] / "index.html").is_file()
    (workspace / "fixes.csv").write_text("path,action,new_label\nt0_0.png,relabel,eel\n")
    assert call("fix", store, "fixes.csv") == 0
    assert "1 label" in capsys.readouterr().out
    assert call("info") == 0
    assert "by fix: 1 label" in capsys.readouterr().out
    for verb in ("fix", "split"):
        assert call("fix", store, "--undo") == 0
        assert f"took back the {verb} of" in capsys.readouterr().out
    with FeatureStore.open(store) as opened:
        assert set(opened.splits) == {""}
        assert opened.labels[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fix", "cache/fish.h5"), "give a CSV of fixes, or --undo"),
        (("fix", "cache/fish.h5", "--undo"), "history is empty"),
        (("split", "--val", "0.9"), "shares must"),
        (("audit", "--threshold", "3"), "cosine"),
        (("audit", "--run", "none"), "no run at"),
    ],
)
def test_mistakes_end_in_a_sentence(store, capsys, words, said):
    assert call(*words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
