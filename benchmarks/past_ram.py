"""Train on a store larger than memory: time by million rows, and what stays resident.

Writes a partitioned store of random vectors around class centres (float16; 10 GB at the full
size), trains the linear head and logistic regression from it on two cores, and removes it::

    python benchmarks/past_ram.py [--rows 10000000] [--dim 512] [--classes 20] [--folder DIR]

Every part of the work runs in a process of its own, whose resident memory is looked at twenty
times a second.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

PART = 1_000_000


def centres(classes: int, dim: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((classes, dim), np.float32)


def write_part(path: Path, number: int, rows: int, dim: int, classes: int) -> None:
    from fishembed.cache import ComputedRows, Rows, StoreHeader, write_store

    rng = np.random.default_rng(number)
    labels = rng.integers(0, classes, rows).astype(np.int32)
    middle = centres(classes, dim)

    def vectors(start: int, stop: int) -> np.ndarray:
        noise = rng.standard_normal((stop - start, dim), np.float32)
        return middle[labels[start:stop]] + 10 * noise

    write_store(
        path,
        StoreHeader(
            encoder={"name": "random", "library": "none", "dim": dim, "fingerprint": "0" * 16},
            source={"root": None, "layout": "random vectors"},
            classes=tuple(f"class {i:02d}" for i in range(classes)),
        ),
        Rows(
            path=[f"{number}/{i}" for i in range(rows)],
            digest=[""] * rows,
            size=np.full(rows, -1, np.int64),
            mtime_ns=np.full(rows, -1, np.int64),
            label=labels,
            split=["train"] * rows,
            group=[""] * rows,
        ),
        ComputedRows(vectors, rows, dim),
        dtype=np.float16,
    )


def write(folder: Path, rows: int, dim: int, classes: int) -> Path:
    from fishembed.cache import merge_stores

    parts = []
    for number, start in enumerate(range(0, rows, PART)):
        parts.append(folder / f"{number:05d}.h5")
        write_part(parts[-1], number, min(PART, rows - start), dim, classes)
    merge_stores(folder / "all.json", parts)
    return folder / "all.json"


def train_linear(store: Path) -> str:
    from fishembed import FeatureStore, LinearHead

    X, y = FeatureStore.open(store).lazy_split("train")
    head = LinearHead(epochs=1, batch_size=1024).fit(X, y)
    return f"{head.history_[0].train_accuracy:.1%} right, 1 epoch and a pass to score it"


def train_logistic(store: Path) -> str:
    import warnings

    from fishembed import FeatureStore, LogisticHead

    warnings.simplefilter("ignore")
    X, y = FeatureStore.open(store).lazy_split("train")
    head = LogisticHead(max_iter=10, tol=1e-4).fit(X, y)
    right = (head.predict(X[:100_000]) == y[:100_000]).mean()
    return f"{right:.1%} right, {head.n_iter_} steps, gap {head.gap_:.0e}"


def measured(function, *args) -> tuple[object, float, float]:
    """Give what a function gives, its seconds, and the most that was resident, in GB."""
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        process = psutil.Process()
        while not ended.wait(0.05):
            peak[0] = max(peak[0], process.memory_info().rss / 1e9)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.perf_counter()
    result = function(*args)
    seconds = time.perf_counter() - began
    ended.set()
    watcher.join()
    return result, seconds, peak[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.folder, prefix="past-ram-"))
    need = given.rows * (given.dim * 2 + 150)
    if shutil.disk_usage(folder).free < 1.2 * need:
        folder.rmdir()
        sys.exit(f"needs {need / 1e9:.0f} GB free in {folder.parent}")
    millions = given.rows / 1e6
    jobs = {
        "write": (write, folder, given.rows, given.dim, given.classes),
        "linear head": (train_linear, folder / "all.json"),
        "logistic regression": (train_logistic, folder / "all.json"),
    }
    print(f"{given.rows:,} rows of {given.dim} float16, {given.classes} classes")
    print(f"vectors: {given.rows * given.dim * 2 / 1e9:.1f} GB")
    try:
        for name, job in jobs.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                told, seconds, peak = pool.apply(measured, job)
            print(
                f"{name:20s} {seconds:8.1f} s  {seconds / millions:6.2f} s by million rows  "
                f"{peak:5.2f} GB resident  {told if isinstance(told, str) else ''}",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
