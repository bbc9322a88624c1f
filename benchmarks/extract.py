"""How fast pictures become vectors: the loop that everyone writes, this pipeline, and the limits.

    python benchmarks/extract.py [--encoder embedded] [--sizes 640x480 4000x3000] [--images 48]

Files on disk to vectors in a store, for generated photos of each size, everything in one process
by turns. The plain loop is PIL, OpenCLIP's (or timm's) transform, a DataLoader with a worker for
each core, and the model in fp32. The limits are measured beside it: the forward pass alone on
batches that lie in memory, and decoding alone; where both share the cores of one CPU, nothing
can be faster than 1 / (1/forward + 1/decode).

With `--growth 1000 10000`, tiny pictures and an encoder that costs nothing show that time grows
with the number of pictures and memory does not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from photos import make_photos, parsed_size
from PIL import Image

from fishembed.encoders import Encoder, good_batch_size, load_encoder, parallel_encoders
from fishembed.extraction import extract
from fishembed.extraction.read_block import ImageTransform, read_block
from fishembed.extraction.readers import cores

MODES = {
    "exact, fp32": ("exact", "fp32"),
    "fast, fp32": ("fast", "fp32"),
    "exact, bf16": ("exact", "bf16"),
    "fast, bf16": ("fast", "bf16"),
}
SECONDS = 4.0


def plain_loop(name: str, folder: Path) -> Callable[[], float]:
    """Give the loop that everyone writes, its model loaded."""
    import torch

    model, transform = plain_model(name)

    class Photos(torch.utils.data.Dataset):
        paths = sorted(folder.iterdir())

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, i: int) -> torch.Tensor:
            return transform(Image.open(self.paths[i]).convert("RGB"))

    def run() -> float:
        began = time.perf_counter()
        loader = torch.utils.data.DataLoader(Photos(), batch_size=32, num_workers=cores())
        with torch.no_grad():
            vectors = torch.cat([model(batch) for batch in loader]).numpy()
        np.save(folder.with_suffix(".npy"), vectors)
        return len(vectors) / (time.perf_counter() - began)

    return run


def plain_model(name: str) -> tuple[Callable[..., object], Callable[..., object]]:
    if name == "embedded":
        from timm.data import create_transform, resolve_model_data_config

        from fishembed.encoders.embedded.embedded_encoder import load_network

        network = load_network().eval()
        network.reset_classifier(0)
        return network, create_transform(**resolve_model_data_config(network), is_training=False)
    import open_clip

    architecture, _, file = name.partition("@")
    model, _, transform = open_clip.create_model_and_transforms(architecture, pretrained=file)
    return model.eval().encode_image, transform


def pipeline(encoder: Encoder, folder: Path) -> Callable[[], float]:
    def run() -> float:
        with tempfile.TemporaryDirectory() as place:
            began = time.perf_counter()
            done = extract(folder, Path(place) / "store.h5", encoder=encoder, prompts=())
            seconds = time.perf_counter() - began
        print(f"    {done.stages}, batches of {done.stages.batch_size}", file=sys.stderr)
        return done.encoded / seconds

    return run


def forward_only(encoder: Encoder) -> Callable[[], float]:
    """Give the forward pass alone: batches of the usual size that lie in memory."""
    side = encoder.spec.preprocessing.crop
    n = good_batch_size(encoder.device)
    batch = np.random.default_rng(0).integers(0, 256, (n, side, side, 3), np.uint8)

    def go(lane: Encoder, until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            lane.encode_images(batch)
            done += n
        return done

    def run() -> float:
        with parallel_encoders(encoder) as several, ThreadPoolExecutor(len(several)) as pool:
            began = time.perf_counter()
            work = [pool.submit(go, lane, began + SECONDS) for lane in several]
            return sum(one.result() for one in work) / (time.perf_counter() - began)

    return run


def decode_only(encoder: Encoder, folder: Path) -> Callable[[], float]:
    spec = encoder.spec
    how = ImageTransform(spec.preprocessing.geometry(), spec.decoding)

    def work(files: list[Path]) -> int:
        side = spec.preprocessing.crop
        out = np.empty((len(files), side, side, 3), np.uint8)
        return len(read_block(files, (), how, out).images)

    def run() -> float:
        files = sorted(folder.iterdir())
        blocks = [files[at : at + 8] for at in range(0, len(files), 8)]
        began = time.perf_counter()
        with ThreadPoolExecutor(cores()) as pool:
            return sum(pool.map(work, blocks)) / (time.perf_counter() - began)

    return run


def measure(
    name: str, size: tuple[int, int], *, n: int, rounds: int, quality: int, folder: Path
) -> None:
    photos = make_photos(folder / f"{size[0]}", size, n, quality)
    runs: dict[tuple[str, str], Callable[[], float]] = {("plain", ""): plain_loop(name, photos)}
    for mode, (decoding, precision) in MODES.items():
        encoder = load_encoder(name, decoding=decoding, precision=precision)
        runs[mode, "end to end"] = pipeline(encoder, photos)
        runs[mode, "forward"] = forward_only(encoder)
        runs[mode, "decode"] = decode_only(encoder, photos)
    rates: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        for what, run in runs.items():
            rates[what] = max(rates.get(what, 0.0), run())
    plain = rates["plain", ""]
    density = sum(file.stat().st_size for file in photos.iterdir()) / n / size[0] / size[1]
    print(
        f"\n{name.split('@', maxsplit=1)[0]}, {n} photos of {size[0]} × {size[1]}, "
        f"{density:.2f} bytes a pixel, images/s\n"
    )
    print("| | end to end | against plain | forward alone | decoding alone | limit | of it |")
    print(f"|---|---:|---:|---:|---:|---:|---:|\n| plain loop | {plain:.1f} | 1.0 × | | | | |")
    for mode in MODES:
        rate, forward, decode = (rates[mode, of] for of in ("end to end", "forward", "decode"))
        limit = 1 / (1 / forward + 1 / decode) if shares_cores() else min(forward, decode)
        print(
            f"| {mode} | {rate:.1f} | {rate / plain:.1f} × | {forward:.1f} | {decode:.1f} | "
            f"{limit:.1f} | {rate / limit:.0%} |",
            flush=True,
        )


def shares_cores() -> bool:
    import torch

    return not torch.cuda.is_available()


GROW = """
import sys, threading, time
sys.path[:0] = sys.argv[3:]
import psutil
from fake_encoder import FakeEncoder
from fishembed.extraction import extract

own, mapped, ended = [0], [0], threading.Event()

def watch():
    while not ended.wait(0.02):
        now = psutil.Process().memory_info()
        own[0] = max(own[0], now.rss - now.shared)
        mapped[0] = max(mapped[0], now.shared)

threading.Thread(target=watch, daemon=True).start()
began = time.perf_counter()
done = extract(sys.argv[1], sys.argv[2], encoder=FakeEncoder(512, side=32))
print(done.encoded, time.perf_counter() - began, own[0] / 2**20, mapped[0] / 2**20)
"""


def growth(numbers: list[int], folder: Path) -> None:
    """Encode tiny pictures in processes of their own, so that each has its own peak memory."""
    tests = str(Path(__file__).parents[1] / "tests")
    print("\n32 × 32 JPEGs, fake encoder of 512 dimensions\n")
    print("| images | seconds | ms an image | own memory, MiB | mapped files, MiB |")
    print("|---:|---:|---:|---:|---:|")
    for n in numbers:
        photos = make_photos(folder / f"tiny-{n}", (32, 32), n)
        command = [sys.executable, "-c", GROW, str(photos), str(folder / f"{n}.h5"), tests]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        encoded, seconds, own, mapped = map(float, answer.split())
        print(
            f"| {encoded:,.0f} | {seconds:.1f} | {1000 * seconds / n:.2f} | {own:.0f} | "
            f"{mapped:.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="embedded", help="embedded or ARCH@FILE")
    parser.add_argument("--sizes", nargs="*", type=parsed_size, default=[])
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quality", type=int, default=90, help="of the JPEGs: 90 or 75")
    parser.add_argument("--growth", nargs="*", type=int, default=[])
    options = parser.parse_args()
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}, {cores()} cores")
    with tempfile.TemporaryDirectory() as folder:
        run = partial(
            measure,
            options.encoder,
            n=options.images,
            rounds=options.rounds,
            quality=options.quality,
        )
        for size in options.sizes:
            run(size, folder=Path(folder))
        if options.growth:
            growth(options.growth, Path(folder))


if __name__ == "__main__":
    main()
