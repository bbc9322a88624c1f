"""Several encoders in the place of one: each image is read and decoded once for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders import Encoder, EncoderSpec, Preprocessing, parallel_encoders
from fishembed.extraction.encoder_loader import encode_batch
from fishembed.extraction.partial_file_writer import FeatureArrays
from fishembed.images.decoding.image_pixels import packed_side, unpack


@dataclass(frozen=True)
class PackedPreprocessing(Preprocessing):
    """Preprocessing whose pixels are the crops of several encoders, packed into one square.

    Attributes
    ----------
    several
        What each encoder takes.
    """

    several: tuple[Preprocessing, ...] = ()

    def geometry(self) -> dict[str, Any]:
        """Return the part that is done before the encoders see the image."""
        return {"several": [one.geometry() for one in self.several], "crop": self.crop}


class SeveralEncoders:
    """Encoders that get the same images, each cut as it takes them.

    Parameters
    ----------
    encoders
        All with one decoding mode.
    trunks
        Whether the features before the projection of each are wanted too.
    """

    def __init__(self, encoders: Sequence[Encoder], trunks: Sequence[bool]) -> None:
        self._encoders, self._trunks = tuple(encoders), tuple(trunks)
        own = tuple(one.spec.preprocessing for one in encoders)
        self._crops = [one.crop for one in own]
        first = encoders[0].spec
        side = packed_side(self._crops)
        packed = PackedPreprocessing(side, side, first.preprocessing.mean, first.preprocessing.std)
        self.spec: EncoderSpec = replace(
            first,
            name=" + ".join(one.spec.name for one in encoders),
            preprocessing=replace(packed, several=own),
        )

    @property
    def device(self) -> str:
        """Where the first of them runs."""
        return self._encoders[0].device

    @property
    def logit_scale(self) -> float | None:
        """None: words are encoded by each by itself."""
        return None

    def encode_several(self, batch: npt.NDArray[np.uint8]) -> FeatureArrays:
        """Encode packed images to features of each encoder, named NUMBER:NAME."""
        found: dict[str, npt.NDArray[Any]] = {}
        parts = unpack(np.asarray(batch), self._crops)
        for k, (encoder, part) in enumerate(zip(self._encoders, parts, strict=True)):
            own = encode_batch(encoder, part, trunk=self._trunks[k])
            found |= {f"{k}:{name}": array for name, array in own.items()}
        return found

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode packed images to the features of all, side by side."""
        parts = unpack(np.asarray(batch), self._crops)
        pairs = zip(self._encoders, parts, strict=True)
        return np.concatenate([encoder.encode_images(part) for encoder, part in pairs], axis=1)

    def encode_texts(
        self,
        texts: Sequence[str],  # noqa: ARG002 - the protocol's signature
    ) -> npt.NDArray[np.float32] | None:
        """Return None: words are encoded by each by itself."""
        return None

    @contextmanager
    def parallel_encoders(self) -> Iterator[Sequence[SeveralEncoders]]:
        """Return one for each lane of the first encoder that is this one, on this device."""
        with parallel_encoders(self._encoders[0]) as lanes:
            yield [self for lane in lanes if lane is self._encoders[0]] or [self]


def features_of(features: FeatureArrays, number: int) -> FeatureArrays:
    """Return what one encoder made, by the names in a store."""
    prefix = f"{number}:"
    return {
        name.removeprefix(prefix): array
        for name, array in features.items()
        if name.startswith(prefix)
    }
