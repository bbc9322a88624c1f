"""Search a million rows: seconds cold and warm, memory, recall@10 against brute force."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from fishembed.explore import FeatureSearch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--memory-gb", type=int, default=8)
    given = parser.parse_args()
    limit = given.memory_gb * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "features.npy")
        shape = (given.rows, given.dim)
        made = np.lib.format.open_memmap(file, "w+", np.float32, shape)
        for start in range(0, given.rows, 50_000):
            stop = min(start + 50_000, given.rows)
            made[start:stop] = rng.standard_normal((stop - start, given.dim), dtype=np.float32)
        made.flush()
        del made
        store = SimpleNamespace(features=np.load(file, mmap_mode="r"))
        search = FeatureSearch(store)
        found, seconds = [], []
        queries = rng.standard_normal((6, given.dim), dtype=np.float32)
        for query in queries:
            began = time.perf_counter()
            found.append(search.nearest(query, 10)[0])
            seconds.append(time.perf_counter() - began)
        recall = []
        for query, rows in zip(queries[:2], found, strict=False):
            exact = np.concatenate(
                [
                    (block @ query) / np.linalg.norm(block, axis=1)
                    for block in np.array_split(store.features, 100)
                ]
            )
            recall.append(len(set(np.argsort(-exact)[:10]) & set(rows.tolist())) / 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{given.rows:,} x {given.dim}: first {seconds[0]:.2f} s, warm {min(seconds[1:]):.2f} to "
        f"{max(seconds[1:]):.2f} s; recall@10 {np.mean(recall):.2f}; peak {peak:.1f} GB, of which "
        f"{given.rows * given.dim * 4 / 2**30:.1f} are the mapped file"
    )


if __name__ == "__main__":
    main()
