"""How fast images reach an encoder that costs nothing: what the pipeline itself takes.

    python benchmarks/feed.py [--sizes 32x32 500x375 1920x1080] [--images 10000] [--readers 1 2]
                              [--baseline ../older-checkout]

Files on disk to a store, with an encoder that returns zeros. CPU is the difference between runs
with n and with n / 5 images, each in a process of its own, so that what starts a run is left out;
the rate counts from the first images that are done, and how long these took stands apart. Beside
it, in the same call: reading, hashing, decoding and resizing alone, which no pipeline can do
without. What is left over is overhead. With `--baseline`, the same of another checkout of this
package, by turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from photos import make_photos, parsed_size

from fishembed.extraction.readers import cores

RUN = """
import json, resource, sys, time
import numpy as np
from fishembed.encoders import EncoderSpec, Preprocessing
from fishembed.extraction import extract

folder, store, side, readers = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


class NullEncoder:
    half = (0.5, 0.5, 0.5)
    spec = EncoderSpec("null", "null", "null", "0" * 64, 512,
                       Preprocessing(resize=side, crop=side, mean=half, std=half), decoding="fast")
    device, logit_scale, trunk_dim = "null", None, 0

    def encode_images(self, batch):
        return np.zeros((len(batch), 512), np.float32)


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


class Clock:
    times = []

    def advance(self, done, total, task="encoding"):
        self.times.append((done, time.perf_counter()))

    def note(self, text):
        pass

    update, message = advance, note


clock = Clock()
began, before = time.perf_counter(), cpu(resource.RUSAGE_SELF)
done = extract(folder, store, encoder=NullEncoder(), prompts=(), workers=readers,
               reporter=clock)
main, children = cpu(resource.RUSAGE_SELF) - before, cpu(resource.RUSAGE_CHILDREN)
(first, since), (last, until) = clock.times[0], clock.times[-1]
print(json.dumps({"n": done.rows, "wall": (until - since) / max(1, last - first), "main": main,
                  "all": main + children, "start": since - began}))
"""

ALONE = """
import hashlib, json, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import torch
from fishembed.images import image_pixels

folder, side, readers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)
geometry = {"resize": side, "crop": side}


def work(paths):
    for path in paths:
        data = path.read_bytes()
        hashlib.sha256(data).hexdigest()
        image_pixels(data, geometry, decoding="fast")


paths = sorted(folder.iterdir())
work(paths[:8])
class Clock:
    times = []

    def advance(self, done, total, task="encoding"):
        self.times.append((done, time.perf_counter()))

    def note(self, text):
        pass

    update, message = advance, note


clock = Clock()
began, before = time.perf_counter(), time.process_time()
with ThreadPoolExecutor(readers) as pool:
    list(pool.map(work, (paths[i::readers] for i in range(readers))))
print(json.dumps({"n": len(paths), "wall": time.perf_counter() - began,
                  "all": time.process_time() - before}))
"""


def measured(code: str, root: Path, *arguments: object) -> dict[str, float]:
    """Run a script on a checkout in a process of its own and return what it measured."""
    answer = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
        cwd=root,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def by_image(few: dict[str, float], many: dict[str, float]) -> dict[str, float]:
    """Return seconds an image, and how long the first took to come."""
    n = many["n"] - few["n"]
    cost = {key: (many[key] - few[key]) / n for key in ("main", "all")}
    return cost | {"wall": many["wall"], "start": many["start"]}


def measure(size: tuple[int, int], n: int, folder: Path, roots: dict[str, Path], readers: int):
    """Return the costs of each checkout, best of two turns, and those of decoding alone."""
    side = min(224, *size)
    many, few = folder / f"{size[0]}-many", folder / f"{size[0]}-few"
    if not many.exists():
        make_photos(many, size, n)
        few.mkdir()
        for path in sorted(many.iterdir())[: n // 5]:
            os.link(path, few / path.name)
    found: dict[str, dict[str, float]] = {}
    alone = None
    for turn in range(2):
        for name, root in roots.items():
            one, two = (
                measured(RUN, root, photos, folder / f"{turn}-{name}-{i}.h5", side, readers)
                for i, photos in enumerate((few, many))
            )
            for store in folder.glob("*.h5"):
                store.unlink()
            cost = by_image(one, two)
            if name not in found or cost["wall"] < found[name]["wall"]:
                found[name] = cost
        now = measured(ALONE, roots["now"], many, side, readers)
        alone = now if alone is None or now["all"] < alone["all"] else alone
    return found, {key: alone[key] / alone["n"] for key in ("wall", "all")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [(32, 32), (500, 375), (1920, 1080)]
    parser.add_argument("--sizes", nargs="*", type=parsed_size, default=sizes)
    parser.add_argument("--images", type=int, default=10_000, help="of the smallest size")
    parser.add_argument("--readers", nargs="*", type=int, default=[cores()])
    parser.add_argument("--baseline", type=Path, help="another checkout, measured by turns")
    options = parser.parse_args()
    roots = {"now": Path(__file__).resolve().parents[1]}
    if options.baseline:
        roots["baseline"] = options.baseline.resolve()
    print(f"python {sys.version.split()[0]}, {cores()} cores; ms of CPU an image\n")
    print("| images | readers | | images/s | main | all | alone | overhead | start, s |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|")
    notes = []
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            n = max(400, options.images // max(1, size[0] * size[1] // 50_000))
            for readers in options.readers:
                found, alone = measure(size, n, Path(folder), roots, readers)
                for name, cost in found.items():
                    ms = {key: 1000 * seconds for key, seconds in cost.items()}
                    print(
                        f"| {n:,} of {size[0]} × {size[1]} | {readers} | {name} | "
                        f"{1 / cost['wall']:,.0f} | {ms['main']:.3f} | {ms['all']:.3f} | "
                        f"{1000 * alone['all']:.3f} | {ms['all'] - 1000 * alone['all']:.3f} | "
                        f"{cost['start']:.1f} |",
                        flush=True,
                    )
                if "baseline" in found:
                    times = found["baseline"]["wall"] / found["now"]["wall"]
                    notes.append(
                        f"{size[0]} × {size[1]}, {readers} readers: {times:.1f} times as fast"
                    )
                main_ms, each = 1000 * found["now"]["main"], found["now"]["all"]
                rates = [min(1000 / max(main_ms, 1e-3), n_cores / each) for n_cores in (16, 64)]
                notes.append(
                    f"{size[0]} × {size[1]}: by calculation {rates[0]:,.0f} images/s on 16 cores, "
                    f"{rates[1]:,.0f} on 64"
                )
    print("\n" + "\n".join(notes))


if __name__ == "__main__":
    main()
