"""Small pictures, and all that a store says, for comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from fishembed.cache import FeatureStore
from fishembed.cache.rows import as_text


def draw(path: Path, seed: int) -> Path:
    """Write a small picture that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).save(path)
    return path


@dataclass(frozen=True)
class Contents:
    """All that a store says, but when it was made."""

    rows: tuple[tuple[object, ...], ...]
    vectors: bytes
    head: tuple[object, ...]

    def by_path(self) -> dict[object, tuple[object, ...]]:
        return {row[0]: row for row in self.rows}


def contents(store: Path) -> Contents:
    """Read a store whole; fails where its checksums do not hold."""
    with FeatureStore.open(store) as made:
        assert made.verify() == []
        rows = made.rows
        labels = [made.classes[label] if label >= 0 else None for label in made.labels]
        vectors = [row.tobytes() for row in made.features]
        columns = [rows.path, rows.digest, labels, rows.split, rows.group, rows.size.tolist()]
        columns += [[one.tobytes() for one in made.column(n)] for n in ("box", "time", "hash")]
        columns += [as_text(column) for column in made.metadata.values()]
        text = {
            key: (one.names, one.templates, one.features.tobytes())
            for key in made.text_keys
            for one in [made.text(key)]
        }
        trunk = made.trunk.tobytes() if made.has_trunk else b""
        return Contents(
            tuple(zip(*columns, vectors, strict=True)),
            made.features.tobytes() + trunk,
            (tuple(made.classes), tuple(made.skipped), text, list(made.metadata), made.fingerprint),
        )
