"""Loading of encoders by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from fishembed.encoders.device import (
    choose_backend,
    choose_decoding,
    choose_device,
    choose_precision,
)
from fishembed.encoders.encoder import Backend, Decoding, Encoder, Precision
from fishembed.encoders.names import DEFAULT_ENCODER, EncoderName, parse_name
from fishembed.encoders.torch_encoder import TorchEncoder


def load_encoder(
    name: str = DEFAULT_ENCODER,
    *,
    device: str = "auto",
    precision: Precision | Literal["auto"] = "fp32",
    decoding: Decoding | Literal["auto"] = "exact",
    backend: Backend | Literal["auto"] = "auto",
    revision: str = "",
) -> Encoder:
    """Load an encoder with its weights, ready to encode.

    Parameters
    ----------
    name
        `ARCH/PRETRAINED` or `ARCH@FILE` of OpenCLIP, `hf-hub:ORG/NAME`, `timm:NAME` or
        `embedded`.
    device
        auto (CUDA, else MPS, else the CPU), cpu, cuda, cuda:N or mps.
    precision
        Arithmetic of the forward pass: fp32, bf16, fp16, or auto, which is bf16 where the
        hardware has it, else fp16 on CUDA, else fp32.
    decoding
        How its images will be decoded, see
        `fishembed.images.decoding.image_pixels`: exact, fast, device, or auto, which is device
        where the GPU has a JPEG decoder, else fast. Part of its specification; it
        changes nothing on the encoder.
    backend
        Library that computes the forward pass: torch, openvino or auto, see
        `fishembed.encoders.device.choose_backend`. Features in bf16 differ by it.
    revision
        Commit, branch or tag of a model on the hub; its newest when left out.

    Raises
    ------
    UnknownEncoderError
        When the name is of no known encoder.
    WeightsError
        When the weights are missing, broken or out of reach.
    QuickGELUError
        When the weights need another activation than the architecture has.
    DeviceError
        When this machine has no such device.
    MissingExtraError
        When OpenVINO is wanted and not installed.
    """
    parsed = parse_name(name)
    if parsed.is_hub and revision:
        parsed = replace(parsed, revision=revision)
    place = "cpu" if (device, backend) == ("auto", "openvino") else choose_device(device)
    arithmetic = choose_precision(place) if precision == "auto" else precision
    library = choose_backend(parsed.kind, place, arithmetic, backend)
    encoder = _load(parsed, place, arithmetic, library)
    mode = choose_decoding(place) if decoding == "auto" else decoding
    encoder.spec = replace(encoder.spec, decoding=mode)
    return encoder


def _load(name: EncoderName, device: str, precision: Precision, backend: Backend) -> TorchEncoder:
    """Import the libraries of a kind of encoder, and make one."""
    if name.kind == "embedded":
        from fishembed.encoders.embedded.embedded_encoder import EmbeddedEncoder

        return EmbeddedEncoder(device, precision, backend)
    if name.kind == "timm":
        from fishembed.encoders.timm_models import TimmEncoder

        return TimmEncoder(name, device, precision)
    from fishembed.encoders.openclip import OpenCLIPEncoder

    return OpenCLIPEncoder(name, device, precision)


def text_fingerprint(name: str) -> str:
    """Return the identity of an encoder's text tower where its spec covers the images alone.

    Only the text tower of `embedded` may change while its images' features stay as they are; in
    others both come from one set of weights, and this is "". No torch is loaded.
    """
    if name != "embedded":
        return ""
    from fishembed.encoders.embedded.text_tower import installed_fingerprint

    return installed_fingerprint()
