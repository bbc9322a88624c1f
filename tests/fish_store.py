"""A small store of three classes of fish, two of them with names that need quoting."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fishembed import import_vectors

CLASSES = ["cod", 'eel "long", <b>', "pike"]


def fish_store(path: str | Path) -> Path:
    """Import 60 rows, 20 of each split, with text features, and return the store's path."""
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
        path,
    )
