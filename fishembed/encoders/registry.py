"""From an encoder's name to the encoder."""

from __future__ import annotations

from fishembed.encoders.device import choose_device
from fishembed.encoders.names import DEFAULT_ENCODER, parse_name
from fishembed.encoders.protocol import Encoder
from fishembed.encoders.spec import Precision


def load_encoder(
    name: str = DEFAULT_ENCODER, *, device: str = "auto", precision: Precision = "fp32"
) -> Encoder:
    """Load an encoder with its weights, ready to encode.

    Parameters
    ----------
    name
        `ARCH/PRETRAINED` or `ARCH@FILE` of OpenCLIP, `hf-hub:ORG/NAME`, `timm:NAME` or
        `embedded`.
    device
        auto (CUDA, then MPS, then the CPU), cpu, cuda, cuda:N or mps.
    precision
        Arithmetic of the forward pass: fp32, bf16 or fp16.

    Raises
    ------
    UnknownEncoderError
        When the name means nothing.
    WeightsError
        When the weights are missing, broken or out of reach.
    QuickGELUError
        When the weights need another activation than the architecture has.
    DeviceError
        When this machine has no such device.
    """
    parsed = parse_name(name)
    place = choose_device(device)
    if parsed.kind == "embedded":
        from fishembed.encoders.embedded import EmbeddedEncoder

        return EmbeddedEncoder(place, precision)
    if parsed.kind == "timm":
        from fishembed.encoders.timm_models import TimmEncoder

        return TimmEncoder(parsed, place, precision)
    from fishembed.encoders.openclip import OpenCLIPEncoder

    return OpenCLIPEncoder(parsed, place, precision)
