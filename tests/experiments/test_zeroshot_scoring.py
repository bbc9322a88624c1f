from __future__ import annotations

import numpy as np
import pytest

from fishembed import import_vectors, load_head, run_zeroshot
from fishembed.errors import InputError

CLASSES = ["cod", 'eel "long", <b>', "pike"]


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 8)) * 2
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    return import_vectors(
        {
            "features": centres[labels] + rng.normal(size=(60, 8)),
            "labels": labels,
            "classes": np.array(CLASSES),
            "splits": np.array(["train", "test", "val"] * 20),
            "text_features": centres,
            "logit_scale": np.array(10.0),
        },
        tmp_path / "fish.h5",
    )


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
