"""The script in a bundle that predicts without fishembed."""

from __future__ import annotations

from fishembed.encoders import EncoderSpec

_TEMPLATE = '''\
"""python predict.py [--int8] PHOTO ...; needs the packages onnxruntime and Pillow alone."""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

here, photos = Path(__file__).parent, [word for word in sys.argv[1:] if word != "--int8"]
classes = json.loads((here / "bundle.json").read_text(encoding="utf-8"))["classes"]
model = "model.int8.onnx" if "--int8" in sys.argv else "model.onnx"
network = onnxruntime.InferenceSession(here / model, providers=["CPUExecutionProvider"])
for photo in photos:
    image = Image.open(photo)
{resize}
    _, _, p, unknown, _ = network.run(None, {{"images": np.asarray(image, np.uint8)[None]}})
    best = p[0].argsort()[::-1][:3]
    named = ", ".join(f"{{classes[k]}} {{100 * p[0, k]:.1f}}%" for k in best)
    print(f"{{photo}}: {{'unknown, ' if unknown[0] else ''}}{{named}}")
'''

_OVER_WHITE = """\
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image = ImageOps.exif_transpose(image).convert("RGB")"""


def predict_script(spec: EncoderSpec) -> str:
    """Return a script of twenty lines that classifies images as `fishembed predict` does.

    Parameters
    ----------
    spec
        Specification of the encoder, with the preprocessing of its images.
    """
    return _TEMPLATE.format(resize="\n".join([*_draft(spec), _OVER_WHITE, *_resize(spec)]))


def _draft(spec: EncoderSpec) -> list[str]:
    """Return the lines that decode a JPEG at reduced size, as fast decoding does."""
    if spec.decoding == "exact":
        return []
    twice = 2 * spec.preprocessing.resize
    return [
        f"    scale = {twice} / min(image.size)",
        '    image.draft("RGB", (int(scale * image.width), int(scale * image.height)))',
    ]


def _resize(spec: EncoderSpec) -> list[str]:
    pixels = spec.preprocessing
    side, crop, how = pixels.resize, pixels.crop, f"Image.Resampling.{pixels.interpolation.upper()}"
    if pixels.fit == "squash":
        lines = [f"    image = image.resize(({side}, {side}), {how})"]
    elif pixels.fit == "longest":
        lines = [
            f"    scale = {side} / max(image.size)",
            "    size = [max(1, round(length * scale)) for length in image.size]",
            f"    image = image.resize(size, {how})",
        ]
        grey = pixels.fill
        lines += [
            f"    paper = Image.new('RGB', ({crop}, {crop}), ({grey}, {grey}, {grey}))",
            f"    paper.paste(image, [({crop} - length) // 2 for length in size])",
            "    image = paper",
        ]
        return lines
    else:
        lines = [
            f"    size = [int({side} * length / min(image.size)) for length in image.size]",
            f"    image = image.resize(size, {how})",
        ]
    if side == crop and pixels.fit == "squash":
        return lines
    lines += [
        f"    left, top = (round((length - {crop}) / 2) for length in image.size)",
        f"    image = image.crop((left, top, left + {crop}, top + {crop}))",
    ]
    return lines
