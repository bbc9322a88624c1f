"""Pictures with known faults among them, for the tests of the audit."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

KINDS = ("copy", "recompressed", "resized", "flipped")


@dataclass
class Planted:
    """What was planted: by kind, (planted path, its original), relative to the root."""

    root: Path
    pairs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def plant(self, kind: str, image: Path, target: str) -> None:
        """Write a picture's copy of some kind."""
        path = self.root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(remade(image.read_bytes(), kind))
        original = image.relative_to(self.root).as_posix()
        self.pairs.setdefault(kind, []).append((target, original))


def remade(data: bytes, kind: str) -> bytes:
    """Give a picture's bytes as a copy of some kind has them."""
    if kind == "copy":
        return data
    image = Image.open(io.BytesIO(data)).convert("RGB")
    if kind == "resized":
        image = image.resize(
            (image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.LANCZOS
        )
    if kind == "flipped":
        image = ImageOps.mirror(image)
    buffer = io.BytesIO()
    if kind == "recompressed":
        image.save(buffer, "JPEG", quality=85)
    else:
        image.save(buffer, "PNG")
    return buffer.getvalue()


def scene(rng: np.random.Generator, colour: tuple[int, int, int]) -> Image.Image:
    """Draw soft blobs of one class's colour; no two alike, and none symmetric."""
    coarse = rng.normal(0, 45, (5, 5, 3)) + colour
    image = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8))
    return image.resize((64, 64), Image.Resampling.BICUBIC)


def planted_photos(root: Path, *, each: int = 5, n: int = 24, classes: int = 5) -> Planted:
    """Draw classes under train and test; under test also copies of training pictures."""
    rng = np.random.default_rng(0)
    planted = Planted(root)
    for c in range(classes):
        colour = tuple(int(v) for v in rng.integers(60, 200, 3))
        for i in range(n):
            split = "test" if i % 3 == 0 else "train"
            path = root / split / f"class {c}" / f"{i:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            scene(rng, colour).save(path)
    originals = sorted((root / "train").rglob("*.png"))
    chosen = rng.permutation(len(originals))
    for k, kind in enumerate(KINDS):
        for j in chosen[k * each : (k + 1) * each]:
            image = originals[j]
            planted.plant(kind, image, f"test/{image.parent.name}/{kind}-{image.stem}.png")
    return planted
