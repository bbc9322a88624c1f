"""Rows with everything in them, for tests of stores."""

from __future__ import annotations

import os

import numpy as np

from fishembed.cache import Rows, StoreHeader, TextFeatures

ENCODER = {"name": "some/encoder", "library": "fake", "dim": 5, "fingerprint": "f" * 16}


def make_rows(n: int) -> Rows:
    """Give rows of all kinds, odd file names among them."""
    odd = [
        "ü ß/日本.png",
        "a\nb.png",
        os.fsdecode(b"latin\xe9.png"),
        "x" * 300 + ".png",
        "/abs/a b",
    ]
    return Rows(
        path=(odd + [f"p/{i}.png" for i in range(n)])[:n],
        digest=[f"{i:064x}" for i in range(n)],
        size=np.arange(n, dtype=np.int64) * 2**33,
        mtime_ns=np.arange(n, dtype=np.int64) + 1_700_000_000_000_000_000,
        label=np.array([(i % 4) - 1 for i in range(n)], np.int32),
        split=[("train", "val", "test", "")[i % 4] for i in range(n)],
        group=[("", "trip é")[i % 2] for i in range(n)],
        box=np.array([[np.nan] * 4 if i % 3 else [i, 2, 3.5, 4] for i in range(n)], np.float32),
        time=np.array([np.nan if i % 5 else i / 7 for i in range(n)]),
        hash=np.random.default_rng(7).integers(0, 256, (n, 16), np.uint8),
        metadata={
            "site/ü": np.array([("", "reef é", "x")[i % 3] for i in range(n)], np.str_),
            "depth": np.array([np.nan if i % 4 == 1 else i / 3 for i in range(n)]),
        },
    )


def make_vectors(n: int, dim: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def make_head(**changes) -> StoreHeader:
    values = {
        "encoder": ENCODER,
        "source": {"root": "/photos", "layout": "2 class folders"},
        "classes": ("bass", "carpe é", "x"),
        "skipped": (("bad\n1.png", "the file is empty"), ("bad2.png", "not a picture")),
        "text": {
            "single": TextFeatures(
                make_vectors(3, seed=1), ("bass", "carpe é", "x"), ("a photo of a {}",), 100.0
            ),
            "mine": TextFeatures(make_vectors(3, seed=2), ("b", "c", "x"), (), 14.3),
        },
    }
    return StoreHeader(**{**values, **changes})
