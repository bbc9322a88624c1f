"""Several batches on CUDA at once: streams, page-locked memory, every GPU of the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

_streams = threading.local()


def own_stream(device: torch.device) -> AbstractContextManager[object]:
    """Return the calling thread a stream of its own, so that its copies wait for nobody's work."""
    import torch

    if device.type != "cuda":
        return nullcontext()
    mine: dict[torch.device, torch.cuda.Stream] = vars(_streams).setdefault("by_device", {})
    if device not in mine:
        mine[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return torch.cuda.stream(mine[device])


def lane_stream(device: str) -> AbstractContextManager[object]:
    """Return the calling thread's stream on a lane's device, as `Encoder.device` names it."""
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

    Elsewhere, and where the system allows no such lock, this does nothing.
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
