"""Tars as WebDataset writes them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def png(seed: int) -> bytes:
    """Give a small picture that no other seed gives."""
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_tar(path: Path, members: Sequence[tuple[str, bytes | str | dict]]) -> Path:
    """Write members in their order; documents become JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            raw = json.dumps(content) if isinstance(content, dict) else content
            data = raw.encode() if isinstance(raw, str) else raw
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_shard(path: Path, seeds: Sequence[int], **told: object) -> Path:
    """Write one sample for each seed as img2dataset does, labelled by turns."""
    members: list[tuple[str, bytes | str | dict]] = []
    for seed in seeds:
        facts = {"label": ("cod", "eel")[seed % 2], "caption": f"number {seed}", **told}
        members += [(f"{seed:09d}.png", png(seed)), (f"{seed:09d}.json", facts)]
        members += [(f"{seed:09d}.txt", f"number {seed}")]
    return write_tar(path, members)
