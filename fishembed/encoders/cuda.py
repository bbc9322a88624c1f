"""Several batches on CUDA at once: streams, pinned memory, every GPU of the machine."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_streams = threading.local()


def own_stream(device: torch.device) -> AbstractContextManager[object]:
    """Give the calling thread a stream of its own, so that its copies wait for nobody's work."""
    import torch

    if device.type != "cuda":
        return nullcontext()
    mine: dict[torch.device, torch.cuda.Stream] = vars(_streams).setdefault("by_device", {})
    if device not in mine:
        mine[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return torch.cuda.stream(mine[device])


def to_device(pixels: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Move pixels to a device; on CUDA from pinned memory, so that the copy runs beside work."""
    if device.type == "cuda":
        return pixels.pin_memory().to(device, non_blocking=True)
    return pixels.to(device)


def other_devices(device: torch.device) -> list[torch.device]:
    """List the other GPUs of the machine, where `cuda` was named without a number."""
    import torch

    if ":" in str(device):
        return []
    return [torch.device("cuda", number) for number in range(1, torch.cuda.device_count())]
