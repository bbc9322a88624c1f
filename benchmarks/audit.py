"""What an audit's exact search costs: time against rows, and memory.

    python benchmarks/audit.py [--rows 12500 25000 50000 100000] [--dim 512]

Every pair of vectors is compared, in a process of its own for each size, so that the peak of
its memory is its own. A hundredth of the rows are near-copies, which must all be found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MEASURED = """
import json, resource, sys, time
import numpy as np
from fishembed.audit.checks.duplicates import find_duplicates
from fishembed.evaluation.near_duplicates import choose_threshold
from fishembed.audit.checks.outliers import find_outliers

features = np.load(sys.argv[1], mmap_mode="r")
n = len(features)
labels = np.arange(n, dtype=np.int32) % 100
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
laps, then = {}, time.perf_counter()

def lap(name):
    global then
    now = time.perf_counter()
    laps[name], then = now - then, now

threshold = choose_threshold(features, labels.astype(np.intp), "class")
lap("threshold")
found = find_duplicates(features, [""] * n, np.array([""] * n), threshold)
lap("duplicates")
find_outliers(features, labels, 100)
lap("outliers")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"laps": laps, "before": before, "peak": peak, "groups": len(found.groups)}))
"""


def vectors(path: Path, n: int, dim: int) -> int:
    """Write unit vectors in 100 classes; the last hundredth are near-copies of the first."""
    rng = np.random.default_rng(0)
    array = np.lib.format.open_memmap(path, "w+", np.float32, (n, dim))
    means = rng.standard_normal((100, dim)).astype(np.float32)
    for start in range(0, n, 10_000):
        stop = min(start + 10_000, n)
        noise = rng.standard_normal((stop - start, dim), dtype=np.float32)
        array[start:stop] = means[np.arange(start, stop) % 100] + noise
    copies = n // 100
    array[n - copies :] = array[:copies] + 0.05 * rng.standard_normal((copies, dim))
    array.flush()
    return copies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[12_500, 25_000, 50_000, 100_000])
    parser.add_argument("--dim", type=int, default=512)
    options = parser.parse_args()
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}, {os.cpu_count()} cores")
    print(f"\n| rows × {options.dim} | search s | per million pairs ms | all s | memory added MB |")
    print("|---|---:|---:|---:|---:|")
    for n in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "vectors.npy"
            copies = vectors(place, n, options.dim)
            command = [sys.executable, "-c", MEASURED, str(place)]
            told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            if told["groups"] != copies:
                raise SystemExit(f"{told['groups']} groups found, {copies} planted")
            search, pairs = told["laps"]["duplicates"], n * (n - 1) / 2e6
            row = [f"{search:.1f}", f"{1000 * search / pairs:.2f}"]
            row += [f"{sum(told['laps'].values()):.1f}"]
            row += [f"{(told['peak'] - told['before']) / 1024:.0f}"]
            print(f"| {n:,} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
