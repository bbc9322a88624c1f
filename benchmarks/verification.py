"""What it costs that all that is read of a store is compared with its checksums.

    python benchmarks/verification.py [--rows 13000] [--heads centroid,logistic,auto]

Opening, opening and reading all, and fitting, each with the comparison and without it, by turns in
one process; the best of several counts, in seconds of processors. Then how fast checksums are over
the same bytes; those of crc32c and xxhash where these are installed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from fishembed.cache import import_features, open_store
from fishembed.cache.schema import CHECKED_ROWS
from fishembed.cache.validation import first_not_finite
from fishembed.experiments import fit

DIM, CLASSES = 512, 23


def best(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the least seconds of processors of each function, all of them by turns."""
    times = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.process_time()
            function()
            times[name] = min(times[name], time.process_time() - began)
    return times


def write(place: Path, rows: int) -> Path:
    """Write a store of random features around class centres."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % CLASSES
    centres = rng.standard_normal((CLASSES, DIM))
    arrays = {
        "features": (centres[labels] + 4 * rng.standard_normal((rows, DIM))).astype(np.float32),
        "labels": labels,
        "classes": [f"species {i}" for i in range(CLASSES)],
        "paths": [f"{i:06d}.jpg" for i in range(rows)],
        "splits": np.where(np.arange(rows) % 5 == 0, "test", "train"),
    }
    return import_features(arrays, place)


def opened(place: Path, *, check: bool) -> None:
    with open_store(place, check=check) as store:
        assert len(store)


def read(place: Path, *, check: bool) -> None:
    """Read every column and the features once."""
    with open_store(place, check=check) as store:
        _ = store.rows, store.header
        store.features.sum()


def fitted(place: Path, head: str, *, check: bool) -> None:
    with open_store(place, check=check) as store:
        fit(store, head=head)


def show_sides(place: Path, heads: list[str]) -> None:
    jobs: dict[str, tuple[Callable[..., None], int]] = {
        "open": (partial(opened, place), 50),
        "open and read all": (partial(read, place), 20),
        **{f"fit --head {head}": (partial(fitted, place, head), 3) for head in heads},
    }
    print("| | unchecked ms | checked ms | ratio |\n|---|---:|---:|---:|")
    for name, (job, rounds) in jobs.items():
        job(check=True)  # what is loaded lazily is loaded, and the file in memory
        times = best({"no": partial(job, check=False), "yes": partial(job, check=True)}, rounds)
        no, yes = 1000 * times["no"], 1000 * times["yes"]
        print(f"| {name} | {no:,.1f} | {yes:,.1f} | {yes / no:.3f} × |", flush=True)


def show_checksums(place: Path) -> None:
    sums: dict[str, Callable[[bytes], object]] = {"zlib.crc32 (what stores have)": zlib.crc32}
    try:
        import crc32c

        sums["crc32c.crc32c"] = crc32c.crc32c
    except ImportError:
        pass
    try:
        import xxhash

        sums["xxhash.xxh3_64"] = xxhash.xxh3_64_intdigest
    except ImportError:
        pass
    with open_store(place, check=False) as store:
        features = store.features
        starts = range(0, len(features), CHECKED_ROWS)
        blocks = [features[start : start + CHECKED_ROWS].view(np.uint8).data for start in starts]
        jobs: dict[str, Callable[[], object]] = {
            name: lambda one=one: [one(block) for block in blocks] for name, one in sums.items()
        }
        jobs["are all finite"] = lambda: first_not_finite(features)
        times = best(jobs, 20)
        print("\n| over the features alone | ms | GB/s |\n|---|---:|---:|")
        for name, seconds in times.items():
            print(f"| {name} | {1000 * seconds:.1f} | {features.nbytes / seconds / 1e9:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=13_000)
    parser.add_argument("--heads", default="centroid,logistic,auto")
    options = parser.parse_args()
    print(
        f"python {sys.version.split()[0]}, numpy {np.__version__}, {options.rows:,} × {DIM} float32"
    )
    with tempfile.TemporaryDirectory() as folder:
        place = write(Path(folder, "a.h5"), options.rows)
        show_sides(place, options.heads.split(","))
        show_checksums(place)


if __name__ == "__main__":
    main()
