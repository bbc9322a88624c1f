"""Folders of small pictures, and the fake encoder over them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed.extraction import extract


@pytest.fixture
def photos(workspace: Path) -> Path:
    """Give a folder with splits: 2 classes, 12 pictures."""
    root = workspace / "photos"
    for seed in range(12):
        split = ("train", "train", "test")[seed % 3]
        label = ("bass", "carp_b")[seed % 2]
        draw(root / split / label / f"{seed:02d}.png", seed)
    return root


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def store(workspace: Path) -> Path:
    return workspace / "cache" / "photos.h5"


@pytest.fixture
def again(photos, store, encoder):
    """Extract the photos once, and give what extracts them again."""

    def run(**options):
        return extract(options.pop("source", photos), store, **{"encoder": encoder, **options})

    run()
    encoder.seen = encoder.texts_seen = 0
    return run
