"""What a camera does to a scene: focus, exposure, white balance and grain."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from fishembed.demo.pixels import Array, around, between, texture
from fishembed.demo.places import Kind


def take_photo(scene: Array, kind: Kind, rng: np.random.Generator) -> Image.Image:
    """Turn float32 (3, rows, columns), 0 to 1, into an image as a camera would.

    What is brighter than 0.75 is bent so that it nears white instead of being cut off at it.
    """
    unsharp = {"water": 0.6, "deck": 0.3, "paper": 0.25}[kind]
    blur = float(rng.exponential(unsharp)) if rng.random() < 0.75 else 0.0
    exposure, contrast = min(max(around(rng, 1.02, 0.12), 0.7), 1.3), around(rng, 1.06, 0.08)
    y, x = (np.linspace(-1.0, 1.0, size, dtype=np.float32) ** 2 for size in scene.shape[1:])
    corners = ((x + y[:, None]) * 0.5) ** 1.3
    gain = (1.0 - between(rng, 0.0, 0.3) * corners) * (exposure * contrast)
    warmth, planes = around(rng, 0.0, 0.03), []
    for plane, white in zip(scene, (1.0 + warmth, 1.0, 1.0 - warmth), strict=True):
        exposed = plane * (gain * white) + 0.5 * (1.0 - contrast)
        above = np.maximum(exposed - 0.75, 0.0)
        exposed = np.clip(exposed, 0.0, 0.75) + above / (1.0 + above * 4.0)
        planes.append(Image.fromarray((exposed * 255.0).astype(np.uint8)))
    image = Image.merge("RGB", planes)
    if blur > 0.2:
        image = image.filter(ImageFilter.BoxBlur(blur * 1.4))
    strength = between(rng, 0.5, 2.0 if kind == "paper" else 5.0) * 3.46
    grain = (texture(scene.shape[1:], rng, "grain") - 0.5) * strength
    noisy = np.asarray(image, dtype=np.int16) + np.rint(grain).astype(np.int16)[:, :, None]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
