"""Pictures to vectors in memory, with no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import IMAGE, TRUNK
from fishembed.encoders import Encoder
from fishembed.extraction.engine import Work
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.pipeline import LocalEngine
from fishembed.extraction.vectors import NOT_FINITE
from fishembed.images import MAX_PIXELS, Blob


@dataclass(frozen=True)
class EncodedPictures:
    """Vectors of the pictures that could be used.

    Attributes
    ----------
    vectors
        float32 (n_usable, dim).
    rows
        (n_usable,) place of each in what was given.
    skipped
        (place, reason) of the others.
    """

    vectors: npt.NDArray[np.float32]
    rows: npt.NDArray[np.intp]
    skipped: tuple[tuple[int, str], ...]


def encode_pictures(
    files: Sequence[Path | Blob],
    encoder: Encoder,
    *,
    trunk: bool = False,
    max_pixels: int = MAX_PIXELS,
    reporter: Progress | None = None,
) -> EncodedPictures:
    """Encode pictures; what cannot be read is named, not raised.

    Parameters
    ----------
    files
        Where the pictures' bytes lie.
    encoder
        What `load_encoder` gave.
    trunk
        Whether to give the vectors before the projection.
    max_pixels
        Width × height above which a picture is skipped.
    reporter
        Hears how far it is.
    """
    hears = reporter if reporter is not None else NoProgress()
    ready = LazyEncoder(
        encoder, device="auto", precision="auto", decoding="auto", store=None, reporter=hears
    )
    work = Work(tuple(files), max_pixels=max_pixels, trunk=trunk)
    digests: dict[int, str] = {}
    skipped: dict[int, str] = {}
    known: dict[str, npt.NDArray[np.float32]] = {}
    for finished in LocalEngine().run(work, ready, ()):
        for outcome in finished.outcomes:
            if outcome.reason or outcome.digest is None:
                skipped[outcome.number] = outcome.reason
            else:
                digests[outcome.number] = outcome.digest
        if finished.vectors is not None:
            rows = finished.vectors[TRUNK if trunk else IMAGE]
            known.update(zip(finished.digests, rows, strict=True))
        hears.update(len(digests) + len(skipped), len(files))
    broken = {digest for digest, vector in known.items() if not np.isfinite(vector).all()}
    skipped.update({at: NOT_FINITE for at, digest in digests.items() if digest in broken})
    usable = sorted(digests.keys() - skipped.keys())
    vectors = [known[digests[at]] for at in usable]
    together = np.stack(vectors) if vectors else np.empty((0, encoder.spec.dim), np.float32)
    return EncodedPictures(together, np.array(usable, np.intp), tuple(sorted(skipped.items())))
