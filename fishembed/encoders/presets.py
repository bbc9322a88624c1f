"""Encoders worth starting with, by the names of what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Preset:
    """An encoder with the facts that decide whether to take it.

    Attributes
    ----------
    name
        What to give to `--encoder`.
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
        Scores of a linear probe on frozen features that others published, by data set: `BIOBENCH`
        says which metric. Empty where nobody published any.
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
"""Where `Preset.probes` come from."""

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
