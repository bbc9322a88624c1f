"""The names of the splits."""

from __future__ import annotations

SPLITS = ("train", "val", "test")
"""The splits a store knows; a row may also have none, which is ""."""

SPLIT_NAMES = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
"""The split that each name means, as people write it, in lower case."""
