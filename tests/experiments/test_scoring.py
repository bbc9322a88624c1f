from __future__ import annotations

import numpy as np
import pytest
from fish_store import CLASSES, fish_store

from fishembed import import_vectors, load_head, run_zeroshot
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
