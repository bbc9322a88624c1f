"""Parallel batches: threads of a CPU; streams, page-locked memory and all GPUs of CUDA."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders.encoder import Encoder

if TYPE_CHECKING:
    import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_USUAL = 128 << 10


@contextmanager
def parallel_encoders(encoder: Encoder) -> Iterator[Sequence[Encoder]]:
    """Return encoders that may work at the same time, each in one thread at a time.

    They come from the encoder's method `parallel_encoders`, a context of encoders, where it has
    one; any other encoder stands alone.
    """
    own: Any = getattr(encoder, "parallel_encoders", None)
    if own is None:
        yield [encoder]
    else:
        with own() as several:
            yield several


@contextmanager
def one_thread_each() -> Iterator[int]:
    """Make torch run each call in the calling thread; return its number of threads before.

    EfficientNet-Lite0 in bf16 encodes 150 images a second in two threads with a batch
    each, and 90 with two threads on one batch: small layers are over before both have begun.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with malloc_keeps_memory():
            yield threads
    finally:
        torch.set_num_threads(threads)


@contextmanager
def malloc_keeps_memory() -> Iterator[None]:
    """Make glibc reuse freed blocks for the next layer instead of returning them.

    A layer's output is some megabytes, which glibc by default fetches from the kernel and
    returns each time, page by page: up to a third of a forward pass. Without glibc this does
    nothing.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "mallopt"):
        yield
        return
    libc.mallopt(_M_MMAP_THRESHOLD, 512 << 20)
    libc.mallopt(_M_TRIM_THRESHOLD, 1 << 30)
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_THRESHOLD, _USUAL)
        libc.mallopt(_M_TRIM_THRESHOLD, _USUAL)
        libc.malloc_trim(0)


_streams = threading.local()


def own_stream(device: torch.device) -> AbstractContextManager[object]:
    """Return the calling thread's own stream, so that its copies wait for no other thread."""
    import torch

    if device.type != "cuda":
        return nullcontext()
    mine: dict[torch.device, torch.cuda.Stream] = vars(_streams).setdefault("by_device", {})
    if device not in mine:
        mine[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return torch.cuda.stream(mine[device])


def lane_stream(device: str) -> AbstractContextManager[object]:
    """Return the calling thread's stream on a device that is named as in `Encoder.device`."""
    if not device.startswith("cuda"):
        return nullcontext()
    import torch

    return own_stream(torch.device(device.split(" ", maxsplit=1)[0]))


def to_device(pixels: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Move pixels to a device; on CUDA from page-locked memory, beside other work."""
    if device.type != "cuda" or pixels.is_cuda:
        return pixels.to(device)
    locked = pixels if pixels.is_pinned() else pixels.pin_memory()
    return locked.to(device, non_blocking=True)


@contextmanager
def page_locked(memory: npt.NDArray[np.uint8], device: str) -> Iterator[None]:
    """Lock an array's pages for copies to a CUDA device, so that batches need no copy before it.

    On other devices, and where the system allows no such lock, this does nothing.
    """
    if not device.startswith("cuda"):
        yield
        return
    import torch

    runtime: Any = torch.cuda.cudart()  # type: ignore[no-untyped-call]
    address = memory.ctypes.data
    locked = int(runtime.cudaHostRegister(address, memory.nbytes, 0)) == 0
    try:
        yield
    finally:
        if locked:
            torch.cuda.synchronize()
            runtime.cudaHostUnregister(address)


def other_devices(device: torch.device) -> list[torch.device]:
    """List the other GPUs of the machine, where `cuda` was named without a number."""
    import torch

    if ":" in str(device):
        return []
    return [torch.device("cuda", number) for number in range(1, torch.cuda.device_count())]
