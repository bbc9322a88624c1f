"""Photos that benchmarks generate: JPEGs with detail on every scale and a sensor's grain."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def photo(width: int, height: int, seed: int, quality: int = 90) -> bytes:
    """Draw a JPEG with detail on every scale and a sensor's grain.

    At quality 90 it has 0.25 to 0.4 bytes a pixel, as from a camera; at 75 0.1, as on the web.
    """
    rng = np.random.default_rng(seed)
    longer = max(width, height)
    pixels = np.full((height, width, 3), 128, np.float32)
    for cells in (2**k for k in range(2, 12) if 2**k <= longer):
        shape = (max(2, height * cells // longer), max(2, width * cells // longer))
        for channel in range(3):
            noise = Image.fromarray(rng.standard_normal(shape).astype(np.float32))
            large = np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))
            pixels[..., channel] += large * 60 / (cells / 4) ** 0.8
    grey = pixels.mean(axis=2, keepdims=True)
    grain = rng.standard_normal((height, width, 1)).astype(np.float32) * 5
    drawn = np.clip(grey + (pixels - grey) / 2 + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "JPEG", quality=quality)
    return file.getvalue()


def make_photos(folder: Path, size: tuple[int, int], n: int, quality: int = 90) -> Path:
    """Write n photos that differ in their bytes; few are drawn, since drawing is slow."""
    folder.mkdir(parents=True)
    drawn = [photo(*size, seed, quality) for seed in range(min(n, 4))]
    for i in range(n):
        # A comment segment after the first marker: other bytes, the same picture.
        data, comment = drawn[i % len(drawn)], f"{i:08d}".encode()
        (folder / f"{i:06d}.jpg").write_bytes(
            data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]
        )
    return folder


def parsed_size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)
