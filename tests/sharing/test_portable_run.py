from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from fishembed import Run, import_features, predict_run, run_fit
from fishembed.sharing.portable_run import (
    portable_encoder,
    write_portable_record,
    write_portable_run,
)


def test_a_portable_run_predicts_and_names_no_place(workspace):
    labels = np.arange(40) % 2
    X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    store = import_features(arrays, workspace / "cache" / "f.h5")
    command = f"fishembed fit {workspace}/cache/f.h5 --key SECRET"
    run = run_fit(store, head="knn", command=command)
    folder = workspace / "portable"
    folder.mkdir()
    write_portable_run(run, folder)
    write_portable_record(run, folder)

    opened = Run.open(folder)
    assert predict_run(opened, [store]).predictions == predict_run(run, [store]).predictions
    assert sorted(p.name for p in folder.iterdir()) == [
        *("head.npz", "held_out.npz", "metrics.json", "run.json"),
    ]
    text = Path(folder, "run.json").read_text()
    assert str(workspace) not in text
    assert "SECRET" not in text
    assert json.loads(text)["store"]["path"] == "f.h5"


def test_a_file_of_weights_is_named_without_its_folder():
    named = {"name": "ViT-B-32@/home/me/w.pt", "weights_file": [1, 2], "weights": "0" * 64}
    assert portable_encoder(named) == {"name": "ViT-B-32@w.pt", "weights": "0" * 64}
    hub = {"name": "hf-hub:a/b@0123"}
    assert portable_encoder(hub) == hub
