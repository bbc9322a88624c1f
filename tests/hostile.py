"""A folder of pictures that has everything that goes wrong in real ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = "quote\" newline\n<script>alert('fish')<!--.png"
"""A file name that must stay text everywhere. (A name cannot hold a slash.)"""

UNUSABLE = {
    "truncated.jpg": "truncated",
    "empty.jpg": "empty",
    "text.jpg": "known format",
    "huge.png": "above the limit",
}
"""What cannot be used, and a word of the reason."""

USABLE = ("cmyk.jpg", "deep.png", "palette.png", "turned.jpg", SCRIPT)


def hostile_folder(root: Path) -> Path:
    """Draw two classes of plain pictures under train and test, the odd ones among them."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for label, colour in (("<i>cod", (40, 80, 120)), ('eel & "co"', (130, 90, 30))):
            for i in range(4):
                _save(_picture(rng, colour), root / split / label / f"{i}.jpg")
    odd = root / "test" / "<i>cod"
    base = _picture(rng, (40, 80, 120)).resize((400, 300))
    data = io.BytesIO()
    base.save(data, "JPEG", quality=95)
    (odd / "truncated.jpg").write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
    (odd / "empty.jpg").write_bytes(b"")
    (odd / "text.jpg").write_text("this is a text file", encoding="utf-8")
    Image.new("L", (20_000, 20_000), 128).save(odd / "huge.png")
    base.convert("CMYK").save(odd / "cmyk.jpg")
    grey = np.asarray(base.convert("L"), np.uint16) * 257
    Image.fromarray(grey).save(odd / "deep.png")
    palette = base.convert("P")
    palette.save(odd / "palette.png", transparency=bytes(range(256)))
    exif = Image.Exif()
    exif[0x0112] = 6
    base.transpose(Image.Transpose.ROTATE_90).save(odd / "turned.jpg", exif=exif, quality=95)
    base.rotate(15).save(odd / SCRIPT)
    return root


def _picture(rng: np.random.Generator, colour: tuple[int, int, int]) -> Image.Image:
    pixels = rng.normal(colour, 25, (60, 80, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
