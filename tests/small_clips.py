"""Small clips, drawn: the square's place and the brightness tell which second it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

FPS = 25
SIZE = 160, 120


def frame(second: float, seed: int = 0) -> np.ndarray:
    """Return the picture at a time: grey as 20 a second, with a square of the seed's colour."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 20 + 20 * int(second), np.uint8)
    colour = np.random.default_rng(seed).integers(60, 255, 3)
    pixels[40:80, 10 + 12 * int(second) :][:, :30] = colour
    return pixels


def draw_clip(
    path: Path, seed: int = 0, seconds: float = 10, *, still: bool = False, **options: str
) -> Path:
    """Write a clip with PyAV in the container that the name's ending says."""
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "mpeg4" if path.suffix == ".avi" else "h264"
    with av.open(path, "w", options=options) as out:
        stream = out.add_stream(codec, rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 50
        for number in range(round(seconds * FPS)):
            pixels = frame(0 if still else number / FPS, seed)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def second_of(pixels: np.ndarray) -> int:
    """Return which second a decoded frame shows, by its brightness."""
    return round((float(np.median(pixels)) - 20) / 20)
