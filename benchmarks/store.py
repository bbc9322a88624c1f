"""What a store costs: the run with nothing to do, and opening and reading vectors.

    python benchmarks/store.py [--files 13304] [--rows 13000 1000000]

Both sides of every ratio are measured in this one run, by turns; the best of several counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

DIM = 512
ROUNDS = 5


def best(functions: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Give the shortest time in seconds of each function, all of them by turns."""
    times: dict[str, float] = {}
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            spent = time.perf_counter() - began
            times[name] = min(times.get(name, spent), spent)
    return times


def table(title: str, times: dict[str, float], base: str) -> None:
    print(f"\n{title}\n\n| | ms | against {base} |\n|---|---:|---:|")
    for name, seconds in times.items():
        print(f"| {name} | {1000 * seconds:,.2f} | {seconds / times[base]:.2f} × |")


def make_photos(folder: Path, n: int) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(n):
        place = folder / ("train", "test")[i % 5 == 0] / f"species_{i % 23:02d}" / f"{i:05d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(pixels).save(place, compress_level=0)


def encode_photos(photos: Path, store: Path) -> None:
    """Fill a store under the name of the embedded encoder without paying for its network."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from fake_encoder import FakeEncoder

    from fishembed.extraction import extract

    extract(photos, store, encoder=FakeEncoder(DIM, name="embedded"))


WATCHED = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
from fishembed.cli import main
try:
    main(sys.argv[1:])
finally:
    images = [name for name in opened if str(name).endswith(".png")]
    heavy = {"torch", "open_clip", "timm", "sklearn", "scipy", "matplotlib"} & set(sys.modules)
    print(f"images opened: {len(images)}; heavy modules loaded: {sorted(heavy) or 'none'}")
"""


def run_again(folder: Path, n: int) -> None:
    photos, store = folder / "photos", folder / "photos.h5"
    make_photos(photos, n)
    encode_photos(photos, store)
    words = ["extract", str(photos), "--store", str(store), "--encoder", "embedded"]
    program = [sys.executable, "-m", "fishembed", *words]

    def call(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    print(call(sys.executable, "-c", WATCHED, *words))
    times = best(
        {
            "python -c pass": lambda: call(sys.executable, "-c", "pass"),
            "fishembed --version": lambda: call(sys.executable, "-m", "fishembed", "--version"),
            "fishembed extract, nothing to do": lambda: call(*program),
        }
    )
    table(f"{n:,} pictures, all encoded (whole processes)", times, "python -c pass")
    beyond = times["fishembed extract, nothing to do"] - times["python -c pass"]
    print(f"\nbeyond the interpreter's start: {beyond:.3f} s")


def write_vectors(folder: Path, n: int) -> dict[str, Path]:
    import pyarrow as pa
    from pyarrow import parquet

    from fishembed.cache import import_vectors

    vectors = np.random.default_rng(0).standard_normal((n, DIM), dtype=np.float32)
    vectors = vectors.astype(np.float16)
    kinds = ("h5", "npy", "lists.parquet", "bytes.parquet")
    places = {kind: folder / f"{n}.{kind}" for kind in kinds}
    np.save(places["npy"], vectors)
    columns = {
        "lists.parquet": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIM),
        "bytes.parquet": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(vectors[0].nbytes), n, [None, pa.py_buffer(vectors)]
        ),
    }
    for kind, column in columns.items():
        # Floats gain nothing from either, and reading is several times slower with.
        options = {"compression": "none", "use_dictionary": False}
        parquet.write_table(pa.table({"vector": column}), places[kind], **options)
    import_vectors({"features": vectors}, places["h5"])
    return places


def open_and_read(folder: Path, n: int) -> None:
    from pyarrow import parquet

    from fishembed.cache import FeatureStore

    places = write_vectors(folder, n)
    rows = np.sort(np.random.default_rng(1).choice(n, min(n, 10_000), replace=False))

    def from_store(use: Callable[[np.ndarray], object]) -> None:
        with FeatureStore.open(places["h5"]) as store:
            use(store.features)

    def from_lists(use: Callable[[np.ndarray], object]) -> None:
        column = parquet.read_table(places["lists.parquet"], memory_map=True)["vector"]
        flat = column.combine_chunks().flatten()
        use(flat.to_numpy(zero_copy_only=False).reshape(-1, DIM))

    def from_bytes(use: Callable[[np.ndarray], object]) -> None:
        column = parquet.read_table(places["bytes.parquet"], memory_map=True)["vector"]
        flat = np.frombuffer(column.combine_chunks().buffers()[1], np.float16)
        use(flat.reshape(-1, DIM))

    uses: dict[str, Callable[[np.ndarray], object]] = {
        "open": lambda array: array.shape,
        "read 10,000 rows at random": lambda array: array[rows].astype(np.float32),
        "look at all": lambda array: array.view(np.uint16).max(),
    }
    for what, use in uses.items():
        times = best(
            {
                "np.load": lambda use=use: use(np.load(places["npy"])),
                "np.load, mapped": lambda use=use: use(np.load(places["npy"], mmap_mode="r")),
                "FeatureStore": lambda use=use: from_store(use),
                "Parquet, a column of lists": lambda use=use: from_lists(use),
                "Parquet, a column of bytes": lambda use=use: from_bytes(use),
            },
            ROUNDS if n < 100_000 else 3,
        )
        table(f"{n:,} × {DIM} float16, {what}", times, "np.load")
    for place in places.values():
        place.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=13_304)
    parser.add_argument("--rows", type=int, nargs="*", default=[13_000, 1_000_000])
    options = parser.parse_args()
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        run_again(Path(folder), options.files)
        for n in options.rows:
            open_and_read(Path(folder), n)


if __name__ == "__main__":
    main()
