"""What Ray costs on one machine, where it can gain nothing: 5,000 pictures with `embedded`.

Runs `fishembed extract` with both engines by turns, each in a process of its own that starts from
nothing, and compares what the whole command took; then that the stores say the same::

    python benchmarks/ray.py [--images 5000] [--side 256] [--rounds 3]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fishembed import FeatureStore


def draw(folder: Path, n: int, side: int) -> None:
    """Write JPEGs that differ in their bytes; fifty of them in their pixels."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    files = []
    for _ in range(50):
        small = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).save(file, "JPEG")
        files.append(file.getvalue())
    for i in range(n):
        (folder / f"{i:06d}.jpg").write_bytes(files[i % 50] + b"%d" % i)


def extract(folder: Path, store: Path, *options: str) -> tuple[float, dict]:
    call = [sys.executable, "-m", "fishembed", "extract", str(folder), "--store", str(store)]
    began = time.perf_counter()
    done = subprocess.run(
        [*call, "-e", "embedded", "--device", "cpu", "--json", *options],
        check=True,
        capture_output=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    return time.perf_counter() - began, json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "photos", given.images, given.side)
        print(f"{given.images:,} JPEGs of {given.side} × {given.side}, {os.cpu_count()} cores")
        best: dict[str, float] = {}
        for engine in ("local", "ray") * given.rounds:
            store = folder / f"{engine}.h5"
            store.unlink(missing_ok=True)
            took, said = extract(folder / "photos", store, "--engine", engine)
            print(
                f"{engine:6s} {took:7.1f} s  {given.images / took:6.0f} images/s  "
                f"{said['stages']['device']}",
                flush=True,
            )
            best[engine] = min(took, best.get(engine, took))
        print(f"overhead of Ray, best of {given.rounds}: {best['ray'] / best['local'] - 1:+.1%}")
        with (
            FeatureStore.open(folder / "local.h5") as local,
            FeatureStore.open(folder / "ray.h5") as ray,
        ):
            assert local.digests == ray.digests
            a, b = (s.features / np.linalg.norm(s.features, axis=1)[:, None] for s in (local, ray))
            print(f"smallest cosine between the stores' vectors: {(a * b).sum(1).min():.6f}")


if __name__ == "__main__":
    main()
