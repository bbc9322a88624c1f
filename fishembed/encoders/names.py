"""Names of encoders: presets, and the parts of a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from fishembed._base.text import did_you_mean
from fishembed.errors import UnknownEncoderError, WeightsError

DEFAULT_ENCODER = "ViT-B-32-quickgelu/openai"
"""CLIP as OpenAI published it, with the activation it was trained with."""

_HUB = "hf-hub:"


@dataclass(frozen=True)
class Preset:
    """An encoder with the facts for choosing it.

    Attributes
    ----------
    name
        The value of `--encoder`.
    encoder
        The full name it stands for, with the hub's revision where the hub is named.
    model
        The model's own name.
    dim
        Length of an image embedding.
    megabytes
        Size of the download: weights in fp32.
    relative_speed
        Images per second of the forward pass relative to ViT-B/32, measured on one CPU core in
        fp32 by `benchmarks/presets.py`; on a GPU large models are nearer.
    licence
        Of the weights.
    probes
        Published scores of a linear probe on frozen features, by data set, see `BIOBENCH`. Empty
        where there are none.
    """

    name: str
    encoder: str
    model: str
    dim: int
    megabytes: int
    relative_speed: float
    licence: str
    probes: Mapping[str, float]


BIOBENCH = (
    "BioBench (Stevens 2025, arXiv 2511.16315; results of 2026-03-12): iNat21 top-1 accuracy, "
    "iWildCam macro F1, FishNet accuracy"
)
"""Source of `Preset.probes`."""

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                "biology",
                "hf-hub:imageomics/bioclip-2@2957b322090f9cb17ae72c71981c7218a28d81e0",
                "BioCLIP 2, ViT-L/14",
                768,
                1711,
                0.06,
                "MIT",
                {"iNat21": 0.902, "iWildCam": 0.247, "FishNet": 0.718},
            ),
            Preset(
                "general",
                "PE-Core-L-14-336/meta",
                "Perception Encoder, ViT-L/14 at 336 px",
                1024,
                2684,
                0.026,
                "Apache-2.0",
                {"iNat21": 0.774, "iWildCam": 0.301, "FishNet": 0.706},
            ),
            Preset(
                "fast",
                "MobileCLIP2-S0/dfndr2b",
                "MobileCLIP2 S0",
                512,
                299,
                1.2,
                "Apple AMLR (research only)",
                {},
            ),
            Preset(
                "paper",
                "ViT-B-32-quickgelu/openai",
                "OpenAI CLIP, ViT-B/32",
                512,
                605,
                1.0,
                "MIT",
                {"iNat21": 0.407, "iWildCam": 0.135, "FishNet": 0.588},
            ),
        )
    }
)
"""The presets by name."""


def full_name(name: str) -> str:
    """Return the encoder that a preset stands for, and any other name as it is.

    Examples
    --------
    >>> full_name("paper")
    'ViT-B-32-quickgelu/openai'
    >>> full_name("embedded")
    'embedded'
    """
    preset = PRESETS.get(name)
    return preset.encoder if preset else name


@dataclass(frozen=True)
class EncoderName:
    """The parts of an encoder's name.

    Attributes
    ----------
    text
        The name itself.
    kind
        embedded, timm or openclip.
    architecture
        OpenCLIP's or timm's name of the network; for a hub, `hf-hub:ORG/NAME`.
    pretrained, file
        OpenCLIP's tag of the weights, or a local file with them; at most one is set.
    revision
        Commit, branch or tag of a model on the hub; "" for its newest.
    """

    text: str
    kind: Literal["embedded", "timm", "openclip"]
    architecture: str
    pretrained: str | None = None
    file: str | None = None
    revision: str = ""

    @property
    def repo(self) -> str:
        """The model's name on the hub; "" for one that is not named there."""
        return self.architecture.removeprefix(_HUB) if self.is_hub else ""

    @property
    def needs_trust(self) -> bool:
        """Whether its author may be anybody: a model on the hub, or a file of weights."""
        return self.is_hub or self.file is not None

    @property
    def is_hub(self) -> bool:
        """Whether the name means a model on the hub, configuration and all."""
        return self.architecture.startswith(_HUB)

    @property
    def file_state(self) -> dict[str, int] | None:
        """Size and time of the weights file, by which it counts as unchanged without reading it."""
        if self.file is None:
            return None
        try:
            state = Path(self.file).stat()
        except OSError as error:
            raise WeightsError(f"no weights file at {self.file!r}: {error.strerror}") from error
        return {"size": state.st_size, "mtime_ns": state.st_mtime_ns}


def parse_name(text: str) -> EncoderName:
    """Parse an encoder's name.

    Parameters
    ----------
    text
        A preset (biology, general, fast, paper); `embedded`; `timm:NAME`; `hf-hub:ORG/NAME`, also
        with `@REVISION`; `ARCH/PRETRAINED` or `ARCH@FILE` of OpenCLIP.

    Raises
    ------
    UnknownEncoderError
        When it has none of these forms.

    Examples
    --------
    >>> parse_name("ViT-B-32@weights.pt").file
    'weights.pt'
    """
    text = full_name(text)
    if text == "embedded":
        return EncoderName(text, "embedded", text)
    if text.startswith("timm:") and text != "timm:":
        architecture, revision = _revision(text.removeprefix("timm:"))
        return EncoderName(text, "timm", architecture, revision=revision)
    if text.startswith(_HUB) and text.partition("@")[0].count("/") == 1:
        architecture, revision = _revision(text)
        return EncoderName(text, "openclip", architecture, revision=revision)
    architecture, at, file = text.partition("@")
    if at and architecture and file and ":" not in architecture:
        return EncoderName(text, "openclip", architecture, file=file)
    architecture, slash, tag = text.rpartition("/")
    if slash and architecture and tag and ":" not in text:
        return EncoderName(text, "openclip", architecture, pretrained=tag)
    near = did_you_mean(text, ["embedded", *PRESETS]).removeprefix(":")
    raise UnknownEncoderError(
        f"{text!r} names no encoder:{near} write ARCH/PRETRAINED ({DEFAULT_ENCODER}), ARCH@FILE, "
        f"hf-hub:ORG/NAME, timm:NAME, embedded or a preset ({', '.join(PRESETS)}); 'fishembed "
        "encoders' lists them"
    )


def _revision(text: str) -> tuple[str, str]:
    """Split a revision off the name of a model on the hub."""
    if not text.startswith(_HUB):
        return text, ""
    name, _, revision = text.partition("@")
    return name, revision
