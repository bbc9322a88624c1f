"""The program, called as people call it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_pictures import draw

from fishembed.cli import main
from fishembed.extraction import extract


@pytest.fixture
def run(capsys):
    """Run the program in this process; give its exit code, output and errors."""

    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return call


@pytest.fixture
def photos(workspace) -> Path:
    """Draw six photos of each of two classes."""
    rng = np.random.default_rng(0)
    for name, colour in (("cod", (30, 60, 90)), ("eel", (120, 80, 20))):
        for i in range(6):
            pixels = np.clip(rng.normal(colour, 20, (40, 60, 3)), 0, 255).astype(np.uint8)
            path = workspace / "data" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return workspace / "data"


@pytest.fixture
def store(workspace):
    """Extract two classes in two splits, with trunk features and one file that is no image."""
    for seed in range(70):
        draw(
            workspace / f"p/{('train', 'test')[seed % 2]}/{'ab'[seed % 3 % 2]}/{seed:02d}.png", seed
        )
    (workspace / "p/train/a/bad.png").write_bytes(b"bad")
    extract(workspace / "p", "cache/p.h5", encoder=FakeEncoder(width=12), trunk=True)
    return workspace / "cache/p.h5"
