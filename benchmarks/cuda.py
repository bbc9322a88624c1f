"""What a CUDA GPU makes of this package: tests, parity, and speed against the limits.

    bash benchmarks/cuda.sh            (brings missing wheels along and runs this)
    python benchmarks/cuda.py [--tiny] [--out FILE] [STEP …]

Steps: tests, parity, ViT-B-32, ViT-L-14, compile. Each runs in a process of its own with a limit of
its own, so that one that fails costs no other. Weights are random: they take as long as others.
Images are generated. `--tiny` rehearses everything with few images, on a CPU too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from cuda_rates import (
    decode_only,
    device_decode_only,
    forward_only,
    plain_loop,
    raw_device_decode,
    synchronize,
)
from photos import make_photos

from fishembed.encoders import (
    choose_device,
    load_encoder,
)
from fishembed.extraction import extract
from fishembed.extraction.readers import cores

SIZE = (500, 375)
LIMITS = {"tests": 100, "parity": 60, "ViT-B-32": 95, "ViT-L-14": 95, "compile": 70}
IMAGES = {"ViT-B-32": 60_000, "ViT-L-14": 10_000}
PLAIN = {"ViT-B-32": 10_000, "ViT-L-14": 3_000}
SECONDS = 3.0


def row(*cells: object) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def random_weights(architecture: str, folder: Path) -> str:
    """Save random weights and return the encoder's name."""
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file = folder / f"{architecture}.safetensors"
    save_file(open_clip.create_model(architecture).state_dict(), str(file))
    return f"{architecture}@{file}"


def photos(folder: Path, n: int) -> Path:
    place = folder / "photos"
    make_photos(place, SIZE, n)
    return place


# ---- parity


def cosines(a: np.ndarray, b: np.ndarray) -> str:
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return f"{cosine.mean():.6f} ({cosine.min():.6f})"


def parity(folder: Path, *, tiny: bool) -> None:
    """Compare features on the device with those of the CPU in fp32, exactly decoded."""
    place, device = photos(folder, 8 if tiny else 64), choose_device()
    ways = [("exact", "fp32"), ("exact", "bf16"), ("fast", "bf16"), ("device", "bf16")]
    row("features: cosine to the CPU's, mean (least)", *(" decoding, ".join(way) for way in ways))
    row("---", *("---:" for _ in ways))
    for name in (random_weights("ViT-B-32", folder), "embedded"):
        reference = features(folder, place, name, "cpu", "exact", "fp32")
        found = []
        for decoding, precision in ways:
            try:
                found.append(
                    cosines(reference, features(folder, place, name, device, decoding, precision))
                )
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}"[:80])
        row(name.partition("@")[0], *found)


def features(folder: Path, place: Path, name: str, device: str, *how: str) -> np.ndarray:
    from fishembed.cache import FeatureStore

    with tempfile.TemporaryDirectory(dir=folder) as new:
        options = dict(zip(("decoding", "precision"), how, strict=True))
        store = extract(
            place, Path(new) / "a.h5", encoder=name, device=device, prompts=(), **options
        ).store
        with FeatureStore.open(store) as opened:
            return np.array(opened.features, np.float32)


# ---- speed


class Loaded:
    """Notes when the encoder was loaded; see `fishembed._base.progress.Progress`."""

    def __init__(self) -> None:
        self.at = time.perf_counter()

    def message(self, text: str) -> None:
        """Hear that the encoder is loaded."""
        if text.startswith("encoding on"):
            self.at = time.perf_counter()

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Ignore counts."""


def pipeline(
    name: str, decoding: str, place: Path, folder: Path, **options: object
) -> tuple[float, str]:
    """Return images/s from the loaded encoder to the store on disk, and what the run says."""
    loaded = Loaded()
    with tempfile.TemporaryDirectory(dir=folder) as new:
        core = time.process_time()
        done = extract(
            place,
            Path(new) / "a.h5",
            encoder=name,
            decoding=decoding,
            prompts=(),
            reporter=loaded,
            **options,
        )
        seconds = time.perf_counter() - loaded.at
        main = (time.process_time() - core) / done.encoded
    stages = done.stages
    return done.encoded / seconds, (
        f"{done.encoded / stages.wall:,.0f} before the store is written; {done.seconds:.1f} s in "
        f"all; {stages}; by {stages.batch_size}; {1000 * main:.3f} ms of the main process an image"
    )


def speed(architecture: str, folder: Path, *, tiny: bool) -> None:
    n = 64 if tiny else IMAGES[architecture]
    device = choose_device()
    place = photos(folder, n)
    some = min(n, PLAIN[architecture])
    decode = decode_only(place, n if tiny else min(n, 12_000))  # before CUDA is awake: it forks
    name = random_weights(architecture, folder)
    row(f"{architecture}, {n:,} JPEGs of {SIZE[0]} × {SIZE[1]}", "images/s", "")
    row("---", "---:", "---")
    row("decoding alone, a process for each core", f"{decode:,.0f}", "")
    row("decoding alone on the device, raw", raw_device_decode(place, min(n, 2048), device), "")
    row("the same, resized", device_decode_only(place, min(n, 2048), device), "")
    best = 0.0
    for decoding in ("device", "device", "fast"):
        try:
            rate_now, told = pipeline(name, decoding, place, folder, device=device)
            best = max(best, rate_now)
            row(f"this pipeline, {decoding}", f"{rate_now:,.0f}", told)
        except Exception as error:
            row(f"this pipeline, {decoding}", "-", f"{type(error).__name__}: {error}"[:300])
    encoder = load_encoder(name, device=device, precision="bf16", decoding="fast")
    forward = forward_only(encoder, 0.5 if tiny else SECONDS)
    row("forward pass alone, bf16", f"{forward:,.0f}", encoder.device)
    plain = plain_loop(name, place, some, device)
    row("plain loop", f"{plain:,.0f}", f"the pipeline is {best / plain:.1f} times as fast")
    row("of the forward pass alone", f"{best / forward:.0%}", "")
    row("of decoding alone on the cores", f"{best / decode:.0%}", "")


def compile_step(folder: Path, *, tiny: bool) -> None:
    """Try torch.compile, with and without CUDA graphs, on the forward pass."""
    row("forward pass, bf16, batches of 256 on the device", "images/s", "seconds to compile")
    row("---", "---:", "---:")
    for architecture in ("ViT-B-32",) if tiny else ("ViT-B-32", "ViT-L-14"):
        encoder = load_encoder(
            random_weights(architecture, folder),
            device=choose_device(),
            precision="bf16",
            decoding="fast",
        )
        size = 4 if tiny else 256
        pixels = torch.rand(size, 3, 224, 224, device=choose_device(), dtype=torch.bfloat16)
        plain = encoder._model.encode_image
        for mode in (None, "default", "reduce-overhead"):
            try:
                forward = plain if mode is None else torch.compile(plain, mode=mode)
                began = time.perf_counter()
                with torch.inference_mode():
                    for _ in range(3):
                        forward(pixels)
                    synchronize()
                    warm, times = time.perf_counter() - began, 2 if tiny else 60
                    began = time.perf_counter()
                    for _ in range(times):
                        forward(pixels)
                    synchronize()
                seconds = time.perf_counter() - began
                row(
                    f"{architecture}, {mode or 'eager'}",
                    f"{times * size / seconds:,.0f}",
                    f"{warm:.1f}",
                )
            except Exception as error:
                row(f"{architecture}, {mode}", "-", f"{type(error).__name__}: {error}"[:120])


def run_tests(*, tiny: bool) -> None:
    root = Path(__file__).resolve().parents[1]
    code = subprocess.call(
        [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider", "tests"],
        cwd=root,
    )
    print(f"pytest ended with {code}{' (tiny)' if tiny else ''}")


def step(name: str, *, tiny: bool) -> None:
    base = "/dev/shm" if Path("/dev/shm").is_dir() and not tiny else None
    with tempfile.TemporaryDirectory(dir=base) as folder:
        if name == "tests":
            run_tests(tiny=tiny)
        elif name == "parity":
            parity(Path(folder), tiny=tiny)
        elif name == "compile":
            compile_step(Path(folder), tiny=tiny)
        else:
            speed(name, Path(folder), tiny=tiny)


def machine() -> str:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{device}, {cores()} cores, torch {torch.__version__}, Python {sys.version.split()[0]}, "
        f"{time.strftime('%Y-%m-%d')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("steps", nargs="*", default=list(LIMITS))
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("cuda-results.md"))
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step(options.step, tiny=options.tiny)
        return
    options.out.write_text(f"{machine()}\n", encoding="utf-8")
    for name in options.steps:
        command = [sys.executable, __file__, "--step", name, *(["--tiny"] if options.tiny else [])]
        began = time.perf_counter()
        try:
            done = subprocess.run(
                command,
                check=False,
                timeout=LIMITS[name],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            text, code = done.stdout, str(done.returncode)
        except subprocess.TimeoutExpired as error:
            text, code = error.stdout or b"", "none: it took too long"
        with options.out.open("ab") as file:
            file.write(f"\n## {name}\n\n".encode() + text)
            file.write(f"\nexit {code}, {time.perf_counter() - began:.0f} s\n".encode())
        print(json.dumps({"step": name, "exit": code}), flush=True)
    print(options.out.read_text(encoding="utf-8", errors="replace"))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
