from __future__ import annotations

import numpy as np
import pytest
from fish_store import CLASSES, fish_store

from fishembed import import_features, import_vectors, load_head, predict_run, run_zeroshot
from fishembed.errors import InputError


@pytest.fixture
def store(tmp_path):
    return fish_store(tmp_path / "fish.h5")


def test_zeroshot(store):
    run = run_zeroshot(store, split="train")
    assert (run.info["kind"], run.info["prompts"]["key"]) == ("zeroshot", "imported")
    assert run.metrics["scored_split"] == "train"
    assert run.metrics["accuracy"] > 0.8
    assert run.per_class[0]["n_train"] == ""
    assert load_head(run.folder / "head.npz").class_names == tuple(CLASSES)


def test_zeroshot_needs_words(tmp_path):
    bare = import_vectors({"features": np.eye(4), "labels": np.arange(4)}, tmp_path / "b.h5")
    with pytest.raises(InputError, match="no text features"):
        run_zeroshot(bare)


KNOWN = ["cod", "eel", "ray", "tuna"]


def arrays(n, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    X = np.eye(16)[labels] + 0.12 * rng.normal(size=(n, 16))
    return {"features": X, "labels": labels, "classes": KNOWN}


@pytest.fixture
def run(workspace):
    known = arrays(200, 0) | {"text_features": np.eye(16)[:4], "logit_scale": 20.0}
    return run_zeroshot(import_features(known, "fish.h5"))


def test_a_zero_shot_run_sends_back_what_is_like_none(run, workspace):
    import_features(arrays(100, 1), "new.h5")
    cups = np.eye(16)[np.full(100, 9)] + 0.12 * np.random.default_rng(2).normal(size=(100, 16))
    import_features({"features": cups}, "cups.h5")
    known, strange = (
        np.mean([one.unknown for one in predict_run(run, [name]).predictions])
        for name in ("new.h5", "cups.h5")
    )
    assert known <= 0.12
    assert strange > 0.9
    assert not any(one.unknown for one in predict_run(run, ["cups.h5"], unknown=False).predictions)


def test_without_an_image_of_every_class_it_says_that_it_cannot_tell(workspace):
    made = arrays(40, 0) | {"text_features": np.eye(16)[:4], "logit_scale": 20.0}
    made["labels"] = np.arange(40) % 3
    run = run_zeroshot(import_features(made, "few.h5"))
    assert not (run.folder / "held_out.npz").exists()
    found = predict_run(run, ["few.h5"])
    assert not any(one.unknown for one in found.predictions)
    assert found.notes
