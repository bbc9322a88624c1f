"""Protocol that every encoder has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fishembed.encoders.spec import EncoderSpec


class Encoder(Protocol):
    """Images and words to features of one space."""

    @property
    def spec(self) -> EncoderSpec:
        """Description of the encoder, with its fingerprint."""
        ...

    @property
    def device(self) -> str:
        """Where it runs, as a person would say it: `cuda (NVIDIA H100 80GB HBM3)`."""
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
