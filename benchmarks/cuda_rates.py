"""How fast each stage runs alone on a CUDA GPU, in images/s; `cuda.py` prints what this returns."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fishembed.encoders import Encoder, good_batch_size, parallel_encoders
from fishembed.extraction.read_block import ImageTransform
from fishembed.extraction.readers import cores
from fishembed.images import DeviceDecoder

GEOMETRY = {"resize": 224, "crop": 224}


def rate(n: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return n / (time.perf_counter() - began)


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def plain_loop(name: str, place: Path, n: int, device: str) -> float:
    """Run the loop that everyone writes: PIL, OpenCLIP's transform, a DataLoader, autocast."""
    import open_clip

    architecture, _, file = name.partition("@")
    model, _, transform = open_clip.create_model_and_transforms(architecture, pretrained=file)
    model = model.eval().to(device)
    paths = sorted(place.iterdir())[:n]

    class Photos(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, i: int) -> torch.Tensor:
            return transform(Image.open(paths[i]).convert("RGB"))

    def run() -> None:
        loader = torch.utils.data.DataLoader(Photos(), batch_size=256, num_workers=cores())
        with torch.no_grad(), torch.autocast(device.split(":", maxsplit=1)[0]):
            rows = [model.encode_image(batch.to(device)).float().cpu() for batch in loader]
        np.save(place.with_suffix(".npy"), torch.cat(rows).numpy())

    return rate(n, run)


def forward_only(encoder: Encoder, seconds: float) -> float:
    """Encode batches of the best size that lie in memory, in all lanes."""
    best = 0.0
    usual = good_batch_size(encoder.device)
    for n in (usual, 2 * usual):
        batch = torch.randint(0, 256, (n, 224, 224, 3), dtype=torch.uint8)
        if torch.cuda.is_available():
            batch = batch.pin_memory()
        pixels = batch.numpy()

        def go(lane: Encoder, until: float, pixels: np.ndarray = pixels) -> int:
            done = 0
            while time.perf_counter() < until:
                lane.encode_images(pixels)
                done += len(pixels)
            return done

        with parallel_encoders(encoder) as several, ThreadPoolExecutor(len(several)) as pool:
            list(pool.map(go, several, [0.0] * len(several)))
            list(pool.map(go, several, [time.perf_counter() + 0.3] * len(several)))
            began = time.perf_counter()
            done = sum(pool.map(go, several, [began + seconds] * len(several)))
            best = max(best, done / (time.perf_counter() - began))
    return best


def decode_some(paths: list[Path]) -> int:
    torch.set_num_threads(1)
    transform = ImageTransform(GEOMETRY, "fast")
    for path in paths:
        data = path.read_bytes()
        hashlib.sha256(data).hexdigest()
        transform(data)
    return len(paths)


def decode_only(place: Path, n: int) -> float:
    """Read, hash, decode and resize in a process for each core."""
    paths = sorted(place.iterdir())[:n]
    blocks = [paths[at : at + 64] for at in range(0, n, 64)]
    with multiprocessing.get_context("fork").Pool(cores()) as pool:
        pool.map(decode_some, blocks[: cores()])
        return rate(n, lambda: pool.map(decode_some, blocks, chunksize=1))


def device_decode_only(place: Path, n: int, device: str) -> str:
    """Decode and resize on the device alone."""
    paths = sorted(place.iterdir())[:n]
    data = [np.frombuffer(bytearray(path.read_bytes()), np.uint8) for path in paths]

    def run(at_once: int) -> None:
        for at in range(0, n, at_once):
            decoder(data[at : at + at_once])
        synchronize()

    try:
        decoder = DeviceDecoder(device, GEOMETRY)
        run(64)
        return ", ".join(
            f"{rate(n, lambda at_once=at_once: run(at_once)):,.0f} by {at_once}"
            for at_once in (64, 256)
        )
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:80]


def raw_device_decode(place: Path, n: int, device: str) -> str:
    """Decode on the device, without resizing and without bringing pixels back."""
    try:
        from torchcodec.decoders import decode_jpeg
    except Exception:
        from torchvision.io import ImageReadMode
        from torchvision.io import decode_jpeg as decode

        def decode_jpeg(files, mode, device):  # noqa: ARG001 - as torchcodec
            return decode(files, ImageReadMode.RGB, device=device)

    raw = [path.read_bytes() for path in sorted(place.iterdir())[:n]]
    data = [torch.frombuffer(bytearray(one), dtype=torch.uint8) for one in raw]

    def run(at_once: int) -> None:
        for at in range(0, n, at_once):
            decode_jpeg(data[at : at + at_once], mode="RGB", device=device)
        synchronize()

    try:
        run(64)
        return ", ".join(
            f"{rate(n, lambda at_once=at_once: run(at_once)):,.0f} by {at_once}"
            for at_once in (32, 128, 256)
        )
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:80]
