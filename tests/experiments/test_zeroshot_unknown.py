from __future__ import annotations

import numpy as np
import pytest

from fishembed import import_features, predict_run, run_zeroshot

CLASSES = ["cod", "eel", "ray", "tuna"]


def arrays(n, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    X = np.eye(16)[labels] + 0.12 * rng.normal(size=(n, 16))
    return {"features": X, "labels": labels, "classes": CLASSES}


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
