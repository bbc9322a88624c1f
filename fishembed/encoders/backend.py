"""Choice of the library that computes the forward pass."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from typing import Any, Literal

from fishembed.encoders.device import choose_precision
from fishembed.encoders.spec import Backend, Precision
from fishembed.errors import DeviceError, EncoderError, FishembedError, MissingExtraError


def choose_backend(
    kind: str, device: str, precision: Precision, wanted: Backend | Literal["auto"] = "auto"
) -> Backend:
    """Resolve the backend `auto`: OpenVINO where it was measured to pay, else torch.

    That is the encoder `embedded` in fp32 or bf16 on a CPU of the x86-64 family, with the
    package openvino installed.

    Parameters
    ----------
    kind
        What `fishembed.encoders.EncoderName.kind` says.
    device
        A torch device's name.
    precision
        Arithmetic of the forward pass.
    wanted
        torch, openvino or auto.

    Raises
    ------
    EncoderError
        When OpenVINO is wanted where it is not used.
    MissingExtraError
        When OpenVINO is wanted and not installed.
    """
    if wanted == "torch":
        return "torch"
    obstacle = _obstacle(kind, device, precision)
    if wanted == "openvino" and obstacle is not None:
        raise obstacle
    return "openvino" if obstacle is None else "torch"


def recorded_backend(document: Mapping[str, Any]) -> Backend | Literal["auto"]:
    """Return the backend that continues what a spec's document describes.

    Parameters
    ----------
    document
        What `EncoderSpec.to_json` returned, or nothing. Without a backend in it, bf16 is
        torch's, and fp32 may be computed by any.
    """
    if "backend" in document:
        backend: Backend = document["backend"]
        return backend
    return "torch" if document.get("precision", "fp32") != "fp32" else "auto"


def _obstacle(kind: str, device: str, precision: Precision) -> FishembedError | None:
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
    if not is_installed():
        return MissingExtraError("computing features by OpenVINO", "openvino", "openvino")
    return None


@functools.cache
def is_installed() -> bool:
    """Return whether openvino can be imported, its shared libraries included."""
    try:
        import openvino  # noqa: F401
    except (ImportError, OSError):
        return False
    return True
