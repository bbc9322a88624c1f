"""An encoder for tests: deterministic, fast, without torch, through the real protocol."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import numpy as np

from fishembed.encoders import EncoderSpec, Preprocessing


class FakeEncoder:
    """Projects pixels at random, the same way each time; words go by their hash.

    Parameters
    ----------
    dim
        Length of a vector.
    width
        Length of the vector before the projection; 0 where the image vector is that.
    seconds
        Rest after each batch.
    identity
        What else the specification says, such as `weights` or `quickgelu`.
    """

    def __init__(
        self,
        dim: int = 8,
        *,
        width: int = 0,
        words: bool = True,
        seconds: float = 0.0,
        side: int = 8,
        **identity: object,
    ) -> None:
        values = {"name": "fake", "library": "fake", "architecture": "fake", "weights": "0" * 64}
        half = (0.5, 0.5, 0.5)
        pixels = Preprocessing(resize=side, crop=side, mean=half, std=half)
        self.spec = EncoderSpec(**{**values, "dim": dim, "preprocessing": pixels, **identity})
        self.trunk_dim = width
        self.seen = 0
        self.texts_seen = 0
        self._words = words
        self._seconds = seconds
        rng = np.random.default_rng(0)
        wide = width or dim
        self._first = rng.standard_normal((side * side * 3, wide)).astype(np.float32)
        self._second = rng.standard_normal((wide, dim)).astype(np.float32)

    @property
    def device(self) -> str:
        return "fake"

    @property
    def logit_scale(self) -> float | None:
        return 100.0 if self._words else None

    def encode_images(self, batch: np.ndarray) -> np.ndarray:
        return self.encode_with_trunk(batch)[0]

    def encode_with_trunk(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        time.sleep(self._seconds)
        self.seen += len(batch)
        flat = batch.reshape(len(batch), -1).astype(np.float32) / 255 - 0.5
        # One picture at a time, so that no vector depends on its batch.
        trunk = np.stack([row @ self._first for row in flat])
        if not self.trunk_dim:
            return trunk, trunk
        return np.stack([row @ self._second for row in trunk]), trunk

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray | None:
        if not self._words:
            return None
        self.texts_seen += len(texts)
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:8], "big") for t in texts]
        rows = [np.random.default_rng(seed).standard_normal(self.spec.dim) for seed in seeds]
        return np.stack(rows).astype(np.float32)
