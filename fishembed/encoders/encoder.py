"""Protocol of encoders, and the description that identifies an encoder's features."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from fishembed.errors import EncoderError

Precision = Literal["fp32", "bf16", "fp16"]
Decoding = Literal["exact", "fast", "device"]
Backend = Literal["torch", "openvino"]

_NO_IDENTITY = ("name", "revision")


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing of pixels before an encoder.

    Attributes
    ----------
    resize, crop, fit, interpolation, fill
        Geometry, see `fishembed.images.crop_pixels`.
    mean, std
        Of each channel, on a scale from 0 to 1; applied by the encoder.
    """

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Literal["shortest", "longest", "squash"] = "shortest"
    interpolation: str = "bicubic"
    fill: int = 0

    def geometry(self) -> dict[str, Any]:
        """Return the part that is applied before the encoder receives the image."""
        names = ("resize", "crop", "fit", "interpolation", "fill")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class EncoderSpec:
    """Description of an encoder: features of one description are comparable.

    Attributes
    ----------
    name
        The user's name for it; not part of the fingerprint, since a weights file may move.
    library, architecture
        Who builds the network, and its name there.
    weights
        SHA-256 over the network's tensors.
    dim
        Length of an image embedding.
    preprocessing
        Geometry, mean and std.
    decoding
        `exact` reproduces OpenCLIP's own preprocessing; `fast` decodes JPEGs scaled.
    precision
        Arithmetic of the forward pass.
    quickgelu
        Whether the network uses OpenAI's approximation of GELU.
    versions
        Major versions of the libraries whose results may differ.
    backend
        Library that computes the forward pass, where the features differ by it: OpenVINO's in
        bf16 are not torch's, in fp32 they are. Left out of `to_json` where it is torch.
    revision
        Commit of the hub that the weights are of, so that the same ones are fetched again; ""
        where they are not from a hub. Not part of the fingerprint: the weights are.
    """

    name: str
    library: str
    architecture: str
    weights: str
    dim: int
    preprocessing: Preprocessing
    decoding: Decoding = "exact"
    precision: Precision = "fp32"
    quickgelu: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)
    backend: Backend = "torch"
    revision: str = ""

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that differ whenever the features may."""
        identity = {key: value for key, value in self.to_json().items() if key not in _NO_IDENTITY}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return a document for `from_json`."""
        document = asdict(self)
        document["versions"] = dict(self.versions)
        if self.backend == "torch":  # as in the stores made before there was another
            del document["backend"]
        if not self.revision:
            del document["revision"]
        for key in ("mean", "std"):
            document["preprocessing"][key] = list(document["preprocessing"][key])
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> EncoderSpec:
        """Read what `to_json` returned.

        Raises
        ------
        EncoderError
            When it is not a spec.
        """
        try:
            values = dict(document)
            pixels = dict(values.pop("preprocessing"))
            pixels["mean"], pixels["std"] = tuple(pixels["mean"]), tuple(pixels["std"])
            return cls(preprocessing=Preprocessing(**pixels), **values)
        except (KeyError, TypeError) as error:
            raise EncoderError(f"this is no description of an encoder: {error}") from error

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> EncoderSpec:
        """Read the spec in the encoder of a store or run, which has further entries beside it."""
        beside = ("fingerprint", "weights_file", "has_text")
        return cls.from_json({key: value for key, value in record.items() if key not in beside})


def major(version: str) -> str:
    """Return the part of a version that changes when results may change."""
    return version.split(".", 1)[0]


class Encoder(Protocol):
    """Protocol of encoders of images and texts to features of one space."""

    @property
    def spec(self) -> EncoderSpec:
        """Description of the encoder, with its fingerprint."""
        ...

    @property
    def device(self) -> str:
        """Device in words: `cuda (NVIDIA H100 80GB HBM3)`."""
        ...

    @property
    def logit_scale(self) -> float | None:
        """Factor that turns cosines into logits; None without a text tower."""
        ...

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim), not normalised."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Encode n texts to float32 (n, dim), not normalised; None without a text tower."""
        ...


class TrunkEncoder(Encoder, Protocol):
    """An encoder whose features come from wider ones by a projection."""

    @property
    def trunk_dim(self) -> int:
        """Length of the embedding before the projection; 0 where nothing is projected."""
        ...

    def encode_with_trunk(
        self, batch: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Encode to float32 (n, dim) and (n, trunk_dim) in one forward pass."""
        ...
