"""Encode images to features in memory, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import IMAGE, TRUNK
from fishembed.encoders import Encoder
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodingJob
from fishembed.extraction.known_features import NOT_FINITE
from fishembed.extraction.local_engine import LocalEngine
from fishembed.images import MAX_PIXELS, ImageBytes


@dataclass(frozen=True)
class EncodedImages:
    """Features of the images that could be used.

    Attributes
    ----------
    features
        float32 (n_usable, dim).
    rows
        (n_usable,) index of each in `files`.
    skipped
        (index, reason) of the others.
    """

    features: npt.NDArray[np.float32]
    rows: npt.NDArray[np.intp]
    skipped: tuple[tuple[int, str], ...]


def encode_images(
    files: Sequence[Path | ImageBytes],
    encoder: Encoder,
    *,
    trunk: bool = False,
    max_pixels: int = MAX_PIXELS,
    reporter: Progress | None = None,
) -> EncodedImages:
    """Encode images; list those that cannot be read instead of raising.

    Parameters
    ----------
    files
        Paths or bytes of the images.
    encoder
        See `fishembed.load_encoder`.
    trunk
        Whether to return the features before the projection instead.
    max_pixels
        Width × height above which an image is skipped.
    reporter
        Receives messages and progress.
    """
    progress = reporter if reporter is not None else NoProgress()
    loader = EncoderLoader(encoder, reporter=progress)
    job = EncodingJob(tuple(files), max_pixels=max_pixels, trunk=trunk)
    digests: dict[int, str] = {}
    skipped: dict[int, str] = {}
    failed: dict[str, str] = {}
    known: dict[str, npt.NDArray[np.float32]] = {}
    for done in LocalEngine().run(job, loader, ()):
        found = {number: one for number, one in enumerate(done.digests, done.start) if one}
        digests.update(found)
        skipped.update(done.reasons)
        failed.update(done.failed)
        if done.features is not None:
            rows = done.features[TRUNK if trunk else IMAGE]
            known.update(zip(done.encoded, rows, strict=True))
        progress.update(len(digests) + len(skipped), len(job.files))
    broken = [digest for digest, row in known.items() if not np.isfinite(row).all()]
    failed.update(dict.fromkeys(broken, NOT_FINITE))
    skipped.update({at: failed[digest] for at, digest in digests.items() if digest in failed})
    usable = sorted(digests.keys() - skipped.keys())
    used = [known[digests[at]] for at in usable]
    together = np.stack(used) if used else np.empty((0, encoder.spec.dim), np.float32)
    return EncodedImages(together, np.array(usable, np.intp), tuple(sorted(skipped.items())))
