"""What extract takes for a frame of video, against decoding the same clips alone.

    python benchmarks/video.py [--clips 20] [--seconds 10] [--size 640x360] [--fps 1] [--readers 2]

Clips are drawn (a noisy ground, something that moves) and written with PyAV as H.264. Alone: every
clip decoded from start to end by PyAV, one thread a clip, and the wanted frames turned into RGB.
Extract: the same clips into a store, with an encoder that returns zeros, so hashing, resizing and
writing come on top. Both in this process, by turns, the best of two; the time is the processor's, a
decoded frame, the difference between all clips and a fifth of them, so that starting is left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from fishembed.encoders import EncoderSpec, Preprocessing
from fishembed.extraction import extract

RATE = 25


class NullEncoder:
    """An encoder that costs nothing."""

    half = (0.5, 0.5, 0.5)
    spec = EncoderSpec(
        *("null", "null", "null", "0" * 64, 512),
        Preprocessing(resize=224, crop=224, mean=half, std=half),
        decoding="fast",
    )
    device, logit_scale, trunk_dim = "null", None, 0

    def encode_images(self, batch):  # noqa: D102 - the protocol
        return np.zeros((len(batch), 512), np.float32)


def draw_clip(path: Path, seconds: float, size: tuple[int, int], seed: int) -> None:
    """Write a clip in which something moves over a ground that flickers a little."""
    rng = np.random.default_rng(seed)
    width, height = size
    ground = rng.integers(40, 160, (height // 8, width // 8, 3), np.uint8)
    ground = ground.repeat(8, 0).repeat(8, 1)[:height, :width]
    with av.open(path, "w") as out:
        stream = out.add_stream("h264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = ground.shape[1], ground.shape[0], "yuv420p"
        for number in range(round(seconds * RATE)):
            pixels = ground + rng.integers(0, 12, ground.shape, np.uint8)
            at = number * 3 % max(1, ground.shape[1] - 80)
            pixels[40:120, at : at + 80] = (200, 120, 40)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))


def decode_alone(path: Path, fps: float) -> int:
    """Decode a clip and turn its wanted frames into RGB; return how many frames it has."""
    wanted, number = 0, 0
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(container.decode(stream), 1):  # noqa: B007
            if frame.time >= wanted / fps:
                frame.to_ndarray(format="rgb24")
                wanted += 1
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--fps", type=float, default=1)
    parser.add_argument("--readers", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    size = tuple(map(int, chosen.size.split("x")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "clips")
        folder.mkdir()
        for number in range(chosen.clips):
            draw_clip(folder / f"{number:03d}.mp4", chosen.seconds, size, number)
        few = Path(name, "few")
        few.mkdir()
        for path in sorted(folder.iterdir())[: chosen.clips // 5]:
            (few / path.name).hardlink_to(path)
        costs = {"alone": [], "extract": []}
        for _ in range(2):
            whole, part = (alone(each, chosen) for each in (folder, few))
            costs["alone"].append((whole[0] - part[0]) / (whole[1] - part[1]))
            whole, part = (extracted(each, chosen) for each in (folder, few))
            costs["extract"].append((whole[0] - part[0]) / (whole[1] - part[1]))
    best = {kind: 1000 * min(found) for kind, found in costs.items()}
    print(
        f"{chosen.clips} clips of {chosen.seconds:g} s, {chosen.size}, {chosen.fps:g} rows a second"
    )
    print(f"decoding alone: {best['alone']:.2f} ms of a core for a decoded frame")
    print(f"extract:        {best['extract']:.2f} ms, {best['extract'] / best['alone']:.2f} times")


def alone(folder: Path, chosen: argparse.Namespace) -> tuple[float, int]:
    """Return the CPU seconds that decoding a folder takes, and its frames."""
    began = time.process_time()
    with ThreadPoolExecutor(chosen.readers) as pool:
        frames = sum(pool.map(lambda one: decode_alone(one, chosen.fps), folder.iterdir()))
    return time.process_time() - began, frames


def extracted(folder: Path, chosen: argparse.Namespace) -> tuple[float, int]:
    """Return the CPU seconds that extracting a folder takes, and its frames."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        extract(
            folder,
            Path(name, "clips.h5"),
            encoder=NullEncoder(),
            prompts=(),
            fps=chosen.fps,
            workers=chosen.readers,
        )
    frames = round(len(list(folder.iterdir())) * chosen.seconds * RATE)
    return time.process_time() - began, frames


if __name__ == "__main__":
    main()
