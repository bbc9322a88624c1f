"""Choice of an encoder's device, precision, decoding and backend."""

from __future__ import annotations

import functools
import io
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fishembed.encoders.encoder import Backend, Decoding, Precision
from fishembed.errors import DeviceError, EncoderError, FishembedError, MissingExtraError

_JPEG_DECODERS = {(8, 0), (8, 7), (9, 0), (10, 0), (10, 3)}
"""Compute capabilities of the GPUs with JPEG decoders: A100, Orin, H100 and H200, B200, B300."""


def choose_device(name: str = "auto") -> str:
    """Resolve a device's name: `auto` is CUDA, else MPS, else the CPU.

    Parameters
    ----------
    name
        auto, cpu, cuda, cuda:N or mps.

    Raises
    ------
    DeviceError
        When the name is unknown or this machine has no such device.
    """
    import torch

    mps = torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise DeviceError(f"unknown device {name!r}: name auto, cpu, cuda, cuda:N or mps")
    if name == "mps" and not mps:
        raise DeviceError("no MPS device on this machine: try --device cpu or --device auto")
    if name.startswith("cuda"):
        _check_cuda(name)
    return name


def _check_cuda(name: str) -> None:
    import torch

    if not torch.cuda.is_available():
        why = "PyTorch was built without CUDA" if not torch.version.cuda else "no GPU or driver"
        raise DeviceError(f"{name!r} is not to be had here ({why}): try --device cpu or auto")
    count = torch.cuda.device_count()
    if ":" in name and int(name.split(":")[1]) >= count:
        raise DeviceError(f"{name!r}: this machine has {count} CUDA device(s), counted from 0")


def choose_precision(device: str) -> Precision:
    """Resolve the precision `auto`: bf16 where the hardware has it, else fp16 on CUDA, else fp32.

    A processor without instructions for bf16 is slower in it than in fp32.
    """
    import torch

    if device.startswith("cuda"):
        ampere = torch.cuda.get_device_capability(device)[0] >= 8
        return "bf16" if ampere else "fp16"
    return "bf16" if device == "cpu" and _cpu_has_bf16() else "fp32"


def choose_decoding(device: str) -> Decoding:
    """Resolve the decoding `auto`: device where the GPU has a JPEG decoder of its own, else fast.

    On an H100 with 16 cores, `device` fed ViT-B/32 1.8 times as fast as `fast`
    (benchmarks/RESULTS.md). Decoders of other GPUs take the place of the forward pass.
    """
    import torch

    if not device.startswith("cuda"):
        return "fast"
    if torch.cuda.get_device_capability(device) not in _JPEG_DECODERS:
        return "fast"
    return "device" if _decodes_jpegs(device) else "fast"


def _decodes_jpegs(device: str) -> bool:
    """Return whether a JPEG decodes on a device: torchcodec is an extra, and may not fit torch."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG")
    try:
        from torchcodec.decoders import decode_jpeg

        return len(decode_jpeg([file.getvalue()], device=device)) == 1
    except (ImportError, OSError, RuntimeError):
        return False


def _cpu_has_bf16() -> bool:
    """Return whether the kernel lists AVX-512's or AMX's bf16 among the processor's flags."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: PyTorch has no public function for this yet
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def good_batch_size(device: str) -> int:
    """Return how many images to encode at once.

    On a CPU few: a layer's output then stays in the cache, and EfficientNet-Lite0 ran twice as
    fast by 8 as by 64 on two cores. An accelerator needs many.
    """
    return 8 if device.startswith("cpu") else 256


def describe_device(device: str) -> str:
    """Return a device in words: `cuda (NVIDIA H100 80GB HBM3)`, `cpu (2 threads)`."""
    import torch

    if device.startswith("cuda"):
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} {'thread' if threads == 1 else 'threads'})"
    return device


def choose_backend(
    kind: str, device: str, precision: Precision, wanted: Backend | Literal["auto"] = "auto"
) -> Backend:
    """Resolve the backend `auto`: OpenVINO where it was measured to pay, else torch.

    That is the encoder `embedded` in fp32 or bf16 on an x86-64 CPU, with the package openvino
    installed; see `fishembed.encoders.EncoderName.kind`.

    Raises
    ------
    EncoderError
        When OpenVINO is wanted where it is not used.
    MissingExtraError
        When OpenVINO is wanted and not installed.
    """
    if wanted == "torch":
        return "torch"
    obstacle = _openvino_obstacle(kind, device, precision)
    if wanted == "openvino" and obstacle is not None:
        raise obstacle
    return "openvino" if obstacle is None else "torch"


def recorded_backend(document: Mapping[str, Any]) -> Backend | Literal["auto"]:
    """Return the backend that continues the features of a spec's document; auto for any.

    Without a backend in it, bf16 is torch's, and fp32 may be computed by any.
    """
    unknown = "torch" if document.get("precision", "fp32") != "fp32" else "auto"
    backend: Backend | Literal["auto"] = document.get("backend", unknown)
    return backend


def _openvino_obstacle(kind: str, device: str, precision: Precision) -> FishembedError | None:
    """Return why OpenVINO cannot be used, as an error; None where it can."""
    if kind != "embedded":
        return EncoderError("only the encoder 'embedded' can be computed by OpenVINO")
    if device != "cpu":
        return DeviceError(
            f"features computed by OpenVINO need a CPU, not {device!r}: --device cpu"
        )
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return DeviceError(f"OpenVINO is not used on {platform.machine()!r}, only on x86-64")
    if precision == "fp16" or (precision == "bf16" and choose_precision("cpu") != "bf16"):
        return DeviceError(
            f"OpenVINO has no {precision} on this processor: --precision fp32, into another store"
        )
    if not has_openvino():
        return MissingExtraError("computing features by OpenVINO", "openvino", "openvino")
    return None


@functools.cache
def has_openvino() -> bool:
    """Return whether openvino can be imported, its shared libraries included."""
    try:
        import openvino  # noqa: F401
    except (ImportError, OSError):
        return False
    return True
