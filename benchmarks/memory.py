"""Peak memory of every verb, at many rows and at many classes.

Each verb runs in a process of its own, on a store of random features around class centres; what
the kernel says was resident at most is printed in MB, and the seconds of processors that it took::

    python benchmarks/memory.py [--rows 200000] [--dim 256] [--classes 50] [--only fit,audit]
    python benchmarks/memory.py --rows 60000 --dim 64 --classes 20000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LIMIT_MB = 2_000
_LIMITED = """
import resource, sys
limit, seconds = int(sys.argv.pop(1)), int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
from fishembed.cli import main
if sys.argv[1] == "search":  # no encoder made the features
    from fake_encoder import FakeEncoder
    search = __import__("fishembed.explore.search", fromlist=["search"])
    search.store_encoder = lambda store, *_, **__: FakeEncoder(store.dim)
main()
"""

_TESTS = Path(__file__).parents[1] / "tests"
_PATH = os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")])

VERBS: dict[str, list[str]] = {
    "info --verify": ["info", "a.h5", "--verify"],
    "fit centroid": ["fit", "a.h5", "--head", "centroid", "--run", "centroid"],
    "fit gaussian": ["fit", "a.h5", "--head", "gaussian", "--run", "gaussian"],
    "fit logistic": ["fit", "a.h5", "--head", "logistic", "--run", "logistic"],
    "fit linear": ["fit", "a.h5", "--head", "linear", "--epochs", "1", "--run", "linear"],
    "fit knn": ["fit", "a.h5", "--head", "knn", "--run", "knn"],
    "fit auto": ["fit", "a.h5", "--run", "auto"],
    "zeroshot": ["zeroshot", "a.h5", "--run", "zero"],
    "runs": ["runs"],
    "predict": ["predict", "centroid", "a.h5", "-o", "p.csv"],
    "predict --evidence": ["predict", "centroid", "a.h5", "--evidence", "-o", "pe.csv"],
    "predict --sets": ["predict", "centroid", "a.h5", "--sets", "0.9", "-o", "ps.parquet"],
    "report": ["report", "centroid"],
    "report md tex": ["report", "centroid", "--format", "md", "--format", "tex"],
    "compare": ["compare", "centroid", "zero"],
    "audit": ["audit", "a.h5", "--no-photos"],
    "split": ["split", "a.h5"],
    "split duplicates": ["split", "a.h5", "--group-duplicates"],
    "fix": ["fix", "a.h5", "fix.csv"],
    "export npz": ["export", "e.npz", "--store", "a.h5"],
    "export folder": ["export", "e", "--store", "a.h5"],
    "export manifest": ["export", "m.csv", "--store", "a.h5", "--format", "manifest"],
    "import": ["import", "e.npz", "--store", "i.h5"],
    "merge": ["merge", "merged.h5", "a.h5"],
    "merge index": ["merge", "merged.json", "a.h5"],
    "shard": ["shard", "a.h5", "cut.json", "--rows", "50000"],
    "search": ["search", "a.h5", "a cod", "-o", "found"],
    "cluster": ["cluster", "a.h5", "--all", "--method", "kmeans", "--clusters", "20"],
    "suggest": ["suggest", "b.h5", "--run", "centroid"],
    "taxonomy": ["taxonomy", "a.h5", "--offline"],
}


def write(folder: Path, rows: int, dim: int, classes: int) -> None:
    """Write a store with labels and text features, and one without labels."""
    from fishembed.cache import ComputedRows, Rows, StoreHeader, TextFeatures, write_store

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, dim), np.float32)
    labels = np.arange(rows, dtype=np.int32) % classes
    names = tuple(f"Genus{i // 7:05d} species{i:05d}" for i in range(classes))
    text = {"single": TextFeatures(centres, names, ("a photo of a {}",), 100.0)}
    encoder = {"name": "random", "library": "imported", "dim": dim, "fingerprint": "0" * 16}
    splits = np.where(np.arange(rows) // classes % 3 == 2, "test", "train").tolist()
    for name, known in (("a.h5", True), ("b.h5", False)):

        def vectors(start: int, stop: int) -> np.ndarray:
            noise = np.random.default_rng(start).standard_normal((stop - start, dim), np.float32)
            return centres[labels[start:stop]] + 2 * noise

        write_store(
            folder / name,
            StoreHeader(encoder, {"root": None, "layout": "random"}, names, text=text),
            Rows(
                path=[f"{i % 1000:03d}/{i:07d}.jpg" for i in range(rows)],
                digest=[""] * rows,
                size=np.full(rows, -1, np.int64),
                mtime_ns=np.full(rows, -1, np.int64),
                label=labels if known else np.full(rows, -1, np.int32),
                split=splits if known else [""] * rows,
                group=[f"trip {i // 50}" for i in range(rows)],
            ),
            ComputedRows(vectors, rows, dim),
            dtype=np.float32,
        )
    (folder / "fix.csv").write_text("path,action,new_label\n001/0000001.jpg,drop,\n")


def measured(words: list[str], folder: Path, seconds: int, limit: int) -> tuple[float, float, str]:
    """Run a verb; return its peak memory in MB, its processors' seconds, and how it ended."""
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", _LIMITED, str(limit), str(seconds), *words],
            cwd=folder,
            stdout=said,
            stderr=said,
            env={**os.environ, "COLUMNS": "200", "PYTHONPATH": _PATH},
        )
        _, status, usage = os.wait4(process.pid, 0)
    ended = process.returncode = os.waitstatus_to_exitcode(status)
    lines = (folder / "said.txt").read_text(errors="replace").strip().splitlines()
    how = "" if ended == 0 else f"ended with {ended}: {lines[-1][:150] if lines else ''}"
    return usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, how


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=int, default=3600, help="of processors, for a verb")
    parser.add_argument("--limit", type=int, default=6_000, help="MB that a verb may ask for")
    parser.add_argument("--folder", type=Path, default=None, help="kept, and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder and options.folder.parent) as fresh:
        folder = options.folder or Path(fresh)
        folder.mkdir(exist_ok=True)
        if not (folder / "a.h5").is_file():
            write(folder, options.rows, options.dim, options.classes)
        wanted = options.only.split(",") if options.only else list(VERBS)
        print(f"{options.rows:,} x {options.dim}, {options.classes:,} classes")
        for name in wanted:
            peak, seconds, how = measured(VERBS[name], folder, options.seconds, options.limit << 20)
            mark = "" if peak < LIMIT_MB else f"  above {LIMIT_MB:,}"
            print(f"{name:20s} {peak:8,.0f} MB  {seconds:7.1f} s{mark}  {how}", flush=True)


if __name__ == "__main__":
    main()
