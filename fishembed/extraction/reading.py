"""Read and encode what is new of a source."""

from __future__ import annotations

from dataclasses import dataclass

from fishembed.encoders import good_batch_size
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.pipeline import Batcher, read_pictures
from fishembed.extraction.plan import Plan
from fishembed.extraction.progress import Reporter
from fishembed.extraction.vectors import NOT_FINITE, KnownVectors
from fishembed.images import Source


@dataclass(frozen=True)
class Reading:
    """How pictures are read and encoded.

    Attributes
    ----------
    batch_size
        Pictures that are encoded at once; what suits the device when None.
    workers
        Threads that decode; one for each core when None.
    max_pixels
        Width × height above which a picture is skipped.
    trunk
        Whether the vectors before the projection are wanted too.
    """

    batch_size: int | None
    workers: int | None
    max_pixels: int
    trunk: bool


@dataclass(frozen=True)
class Read:
    """What came of it.

    Attributes
    ----------
    digests
        Of each planned row, None where it could not be used.
    skipped
        (path, reason) of those.
    """

    digests: list[str | None]
    skipped: tuple[tuple[str, str], ...]


def read_and_encode(
    plan: Plan,
    vectors: KnownVectors,
    encoder: LazyEncoder,
    *,
    source: Source,
    reading: Reading,
    reporter: Reporter,
) -> Read:
    """Read every picture that must be read, and encode those whose bytes are new.

    Whatever ends this, what was encoded by then is saved as a part.

    Parameters
    ----------
    plan
        Which pictures must be read.
    vectors
        Those there are; gets the new ones.
    encoder, reading
        What encodes, and how.
    source
        Knows where the bytes of each picture lie.
    reporter
        Hears how far it is.
    """
    digests: list[str | None] = [row.digest for row in plan.rows]
    reasons: dict[int, str] = {}
    unread = plan.unread
    batcher = Batcher(
        lambda batch: encoder.encode(batch, trunk=reading.trunk),
        vectors.add,
        lambda: reading.batch_size or good_batch_size(encoder.load().device),
    )
    pictures = read_pictures(
        [source.at(plan.rows[i].item.path) for i in unread],
        vectors,
        encoder.spec.preprocessing.geometry() if unread else {},
        max_pixels=reading.max_pixels,
        workers=reading.workers,
    )
    try:
        for done, (i, picture) in enumerate(zip(unread, pictures, strict=True), start=1):
            if picture.reason:
                reasons[i] = picture.reason
            else:
                digests[i] = picture.digest
            if picture.pixels is not None and picture.digest is not None:
                batcher.add(picture.digest, picture.pixels)
            reporter.advance(done, len(unread))
        batcher.flush()
    finally:
        vectors.save()
    for i, digest in enumerate(digests):
        if digest in vectors.unusable:
            digests[i], reasons[i] = None, NOT_FINITE
    return Read(digests, tuple((plan.rows[i].item.path, reasons[i]) for i in sorted(reasons)))
