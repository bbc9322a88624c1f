"""What a report takes, and what an interval: whole processes, cold, as a user starts them.

Makes runs of 13,000 images in 31 classes and of 100,000 in 1,000, with stores and photos, then
calls ``fishembed report`` on each: page, PNG and SVG. Also times an interval of macro recall.
Run with ``python benchmarks/report.py [--keep FOLDER]``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from fishembed import import_vectors, run_fit
from fishembed.evaluation import macro_recall_interval

CASES = {"13,000 x 31": (13_000, 31, 5, 3), "100,000 x 1,000": (100_000, 1_000, 30, 10)}
"""Scored images, classes, and the promise: seconds and megabytes."""

TRAINED = 4


def draw_photos(folder: Path, n: int, shapes: int = 64) -> list[str]:
    """Write `n` JPEG files of 640 x 480; all but `shapes` of them share another's bytes."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    names = [f"{i:06d}.jpg" for i in range(n)]
    for name in names[:shapes]:
        blobs = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
        blobs.resize((640, 480)).filter(ImageFilter.GaussianBlur(8)).save(folder / name)
    for i, name in enumerate(names[shapes:]):
        os.link(folder / names[i % shapes], folder / name)
    return names


def make_run(folder: Path, n: int, k: int) -> Path:
    """Score a linear head on `n` images of `k` classes, confused as real ones are."""
    rng = np.random.default_rng(0)
    tail = 1 / np.arange(1, k + 1) ** 0.7
    labels = np.concatenate(
        [np.repeat(np.arange(k), TRAINED), rng.choice(k, n, p=tail / tail.sum())]
    )
    centres = (
        rng.normal(size=(k, 512)) + 2 * np.repeat(rng.normal(size=(-(-k // 3), 512)), 3, 0)[:k]
    )
    store = import_vectors(
        {
            "features": centres[labels] + 6 * rng.normal(size=(len(labels), 512)),
            "labels": labels,
            "classes": np.array([f"Species nominata {i:04d}" for i in range(k)]),
            "splits": np.repeat(["train", "test"], [k * TRAINED, n]),
            "paths": np.array(draw_photos(folder / "photos", len(labels))),
        },
        folder / "fish.h5",
    )
    parameters = {"epochs": 7, "learning_rate": 0.01, "batch_size": 256}
    return run_fit(store, head="linear", parameters=parameters, reports=folder / "reports").folder


def report(run: Path, photos: Path) -> tuple[float, float]:
    """Give the seconds of the whole process and the megabytes of the page."""
    command = [sys.executable, "-m", "fishembed", "report", str(run), "--photos", str(photos)]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, (run / "index.html").stat().st_size / 1e6


def interval(groups: int | None) -> float:
    """Return the seconds of an interval of 10,000 rows in 1,000 classes."""
    rng = np.random.default_rng(0)
    y, correct = rng.integers(0, 1000, 10_000), rng.random(10_000) < 0.8
    some = None if groups is None else rng.integers(0, groups, 10_000)
    start = time.perf_counter()
    macro_recall_interval(y, correct, some)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="where the runs lie, made where missing")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as scratch:
        home = keep or Path(scratch)
        for case, (n, k, seconds_promised, megabytes_promised) in CASES.items():
            folder = home / f"{n}x{k}"
            run = folder / "reports" / "fish-linear"
            if not run.exists():
                make_run(folder, n, k)
            took = [report(run, folder / "photos") for _ in range(2)]
            print(
                f"report, {case}: {', '.join(f'{s:.1f}' for s, _ in took)} s of "
                f"{seconds_promised}, {took[-1][1]:.2f} MB of {megabytes_promised}",
                flush=True,
            )
    print(f"interval of macro recall, 10,000 rows, 1,000 classes: {interval(None):.3f} s of 1")
    print(f"the same by 3,000 groups: {interval(3_000):.3f} s of 1")


if __name__ == "__main__":
    main()
