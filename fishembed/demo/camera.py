"""What a camera does to a scene: focus, exposure, white balance, grain and JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fishembed.demo.fields import TILE, Field, Picture, around, between, noise_table
from fishembed.demo.settings import Kind


@dataclass(frozen=True)
class Camera:
    """Settings of one exposure.

    Attributes
    ----------
    blur
        Radius of the unsharpness in pixels of the finished picture.
    exposure
        Factor on brightness.
    contrast
        Factor on the distance from mid-grey.
    warmth
        Red against blue, 0 for neutral.
    grain
        Standard deviation of the noise in levels of 255.
    vignette
        Darkening of the corners, 0 to 1.
    quality
        JPEG quality.
    """

    blur: float
    exposure: float
    contrast: float
    warmth: float
    grain: float
    vignette: float
    quality: int


def choose_camera(kind: Kind, rng: np.random.Generator) -> Camera:
    """Choose settings; scans of paper are sharp, pictures under water are often soft."""
    blur = {"water": 0.75, "deck": 0.45, "paper": 0.25}[kind]
    return Camera(
        blur=float(rng.exponential(blur)) if rng.random() < 0.75 else 0.0,
        exposure=float(np.clip(around(rng, 1.02, 0.12), 0.7, 1.3)),
        contrast=around(rng, 1.06, 0.08),
        warmth=around(rng, 0.0, 0.03),
        grain=between(rng, 0.5, 5.0) if kind != "paper" else between(rng, 0.5, 2.0),
        vignette=between(rng, 0.0, 0.3),
        quality=int(rng.integers(52, 94)),
    )


@lru_cache(maxsize=8)
def _corners(shape: tuple[int, int]) -> Field:
    """Return 0 in the middle and 1 in the corners."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    return np.asarray(((x * x + y * y) * 0.5) ** 1.3)


def _develop(plane: Field, gain: Field, offset: float) -> NDArray[np.uint8]:
    """Turn one colour into levels of 0 to 255.

    What is brighter than 0.75 is bent so that it nears white instead of being cut off at it.
    """
    exposed = plane * gain
    exposed += np.float32(offset)
    above = exposed - np.float32(0.75)
    np.maximum(above, 0.0, out=above)
    np.clip(exposed, 0.0, 0.75, out=exposed)
    exposed += above / (1.0 + above * np.float32(4.0))
    exposed *= 255.0
    return exposed.astype(np.uint8)


def expose(picture: Picture, camera: Camera, rng: np.random.Generator) -> Image.Image:
    """Turn planes of red, green and blue, 0 to 1, into a photograph."""
    gain = 1.0 - np.float32(camera.vignette) * _corners((picture.shape[1], picture.shape[2]))
    gain *= np.float32(camera.exposure * camera.contrast)
    warmth = (1.0 + camera.warmth, 1.0, 1.0 - camera.warmth)
    planes = [
        _develop(plane, gain * np.float32(warm), 0.5 * (1.0 - camera.contrast))
        for plane, warm in zip(picture, warmth, strict=True)
    ]
    image = Image.merge("RGB", [Image.fromarray(plane) for plane in planes])
    if camera.blur > 0.2:
        image = image.filter(ImageFilter.BoxBlur(camera.blur * 1.4))
    rows, columns = (int(rng.integers(0, TILE)) for _ in range(2))
    r = (np.arange(rows, rows + image.height) % TILE)[:, None]
    c = (np.arange(columns, columns + image.width) % TILE)[None, :]
    grain = (noise_table("grain")[r, c] - 0.5) * np.float32(camera.grain * 3.46)
    noisy = np.asarray(image, dtype=np.int16) + np.rint(grain).astype(np.int16)[:, :, None]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Encode a picture as JPEG."""
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
