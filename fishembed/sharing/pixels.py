"""Images as the batch of pixels that a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed.encoders import EncoderSpec
from fishembed.errors import ImageError
from fishembed.images import ImageBytes, image_pixels, read_bytes


def batch_of(images: Sequence[Path | ImageBytes], spec: EncoderSpec) -> npt.NDArray[np.uint8]:
    """Return uint8 (n_usable, crop, crop, 3) of the images that can be read."""
    geometry, pixels = spec.preprocessing.geometry(), []
    for image in images:
        with suppress(ImageError):
            data = read_bytes(image)
            pixels.append(image_pixels(data, geometry, decoding=spec.decoding))
    return np.stack(pixels)
