"""The verb: encode what is new of a source, and leave a whole store."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fishembed.cache import FeatureStore, Parts, Rows, StoreHead, store_lock, write_store
from fishembed.encoders import DEFAULT_ENCODER, Encoder, Precision, load_aliases
from fishembed.errors import InputError, SourceError
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.pipeline import Batcher, read_pictures
from fishembed.extraction.plan import Plan, kept_rows, make_plan, store_rows
from fishembed.extraction.progress import Reporter, Silent
from fishembed.extraction.result import Extraction
from fishembed.extraction.texts import class_texts, wanted_prompts
from fishembed.extraction.vectors import NOT_FINITE, KnownVectors
from fishembed.images import MAX_PIXELS, Source, open_source


@dataclass(frozen=True)
class _Reading:
    """How pictures are read and encoded."""

    batch_size: int
    workers: int | None
    max_pixels: int


def extract(
    source: str | Path,
    store: str | Path | None = None,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    device: str = "auto",
    precision: Precision = "fp32",
    prompts: Sequence[str] = ("single",),
    aliases: str | Path | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    max_pixels: int = MAX_PIXELS,
    prune: bool = False,
    reporter: Reporter | None = None,
) -> Extraction:
    """Encode the pictures of a source into a feature store.

    What is in the store already is not encoded again: pictures are known by their bytes,
    so moving, renaming or relabelling them costs nothing. A run that was broken off goes on
    where it stopped and ends with the same store.

    Parameters
    ----------
    source
        A folder or a manifest, see `fishembed.images.open_source`.
    store
        Where the store lies or shall lie; `cache/<name of the source>.h5` when left out
        (the folder is the environment's FISHEMBED_CACHE where that is set).
    encoder
        A name, see `fishembed.load_encoder`, or an encoder.
    device, precision
        See `fishembed.load_encoder`.
    prompts
        Prompt sets whose text vectors are kept: `single`, `ensemble`, or a text file.
    aliases
        CSV with the columns class and name: better names for the prompts.
    batch_size
        Pictures that are encoded at once.
    workers
        Threads that decode; one for each core when left out.
    max_pixels
        Width × height above which a picture is skipped.
    prune
        Whether pictures that have left the source leave the store.
    reporter
        Hears what is being done.

    Raises
    ------
    SourceError, ManifestError
        When the source cannot be used; nothing is written.
    EncoderError
        When the encoder cannot be had.
    StoreMismatchError
        When the store's vectors come from another encoder or another source.
    StoreLockedError
        When another process is writing the store.
    StoreWriteError
        When the disk is full or the place not writable.
    """
    began = time.perf_counter()
    if batch_size < 1:
        raise InputError(f"batch_size={batch_size} must be at least 1")
    pictures = open_source(source)
    place = Path(store) if store is not None else default_store(pictures)
    reading = _Reading(batch_size, workers, max_pixels)
    with store_lock(place):
        old = FeatureStore.open(place) if place.exists() else None
        try:
            lazy = LazyEncoder(
                encoder,
                device=device,
                precision=precision,
                store=old,
                reporter=reporter or Silent(),
            )
            job = _Job(pictures, place, old, lazy, reporter or Silent())
            return job.run(reading, prompts, aliases, prune=prune, began=began)
        finally:
            if old is not None:
                old.close()


def default_store(source: Source) -> Path:
    """Give the place of a source's store when none is named."""
    return Path(os.environ.get("FISHEMBED_CACHE", "cache")) / f"{source.name}.h5"


@dataclass(frozen=True)
class _Job:
    """One extraction, its collaborators at hand."""

    source: Source
    place: Path
    old: FeatureStore | None
    encoder: LazyEncoder
    reporter: Reporter

    def run(
        self,
        reading: _Reading,
        prompts: Sequence[str],
        aliases: str | Path | None,
        *,
        prune: bool,
        began: float,
    ) -> Extraction:
        sets = wanted_prompts(prompts, self.old)
        better = {} if aliases is None else load_aliases(aliases, self.source.classes)
        plan = make_plan(self.source, self.old)
        parts = Parts(self.place, self.encoder.spec.fingerprint)
        vectors = KnownVectors(self.old, parts)
        digests, skipped = self._read(plan, vectors, reading)
        kept = [] if prune else kept_rows(plan, self.old, digests)
        classes = self._classes(kept)
        rows = store_rows(plan, digests, classes, self._old_rows(classes), kept)
        if not len(rows):
            raise SourceError(
                f"none of the {len(plan.rows):,} pictures of {str(self.source.root)!r} could be "
                f"used; the first: {skipped[0][0]!r}: {skipped[0][1]}"
            )
        head = StoreHead(
            encoder=self.encoder.describe(),
            source={"root": str(self.source.root), "layout": self.source.layout},
            classes=tuple(classes),
            skipped=tuple(skipped),
            text=class_texts(self.encoder, classes, better, sets, self.old),
        )
        wrote = self._write(head, rows, vectors)
        parts.discard()
        new, changed = plan.arrivals(digests)
        return Extraction(
            store=self.place,
            rows=len(rows),
            encoded=vectors.encoded,
            new=new,
            changed=changed,
            removed=len(plan.left),
            skipped_files=tuple(skipped),
            text_keys=tuple(head.text),
            seconds=time.perf_counter() - began,
            encoder=self.encoder.spec.name,
            device=self.encoder.device,
            wrote=wrote,
        )

    def _write(self, head: StoreHead, rows: Rows, vectors: KnownVectors) -> bool:
        """Write the store where it says something else than before."""
        if self._is_same(head, rows):
            return False
        write_store(
            self.place,
            head,
            rows,
            lambda start, stop: vectors.gather(rows.digest[start:stop]),
            dim=self.encoder.spec.dim,
        )
        return True

    def _read(
        self, plan: Plan, vectors: KnownVectors, reading: _Reading
    ) -> tuple[list[str | None], list[tuple[str, str]]]:
        """Read and encode what is new; give each row's digest and what was skipped."""
        digests: list[str | None] = [row.digest for row in plan.rows]
        reasons: dict[int, str] = {}
        unread = plan.unread
        waiting: set[str] = set()
        batcher = Batcher(
            lambda batch: self.encoder.load().encode_images(batch), vectors.add, reading.batch_size
        )
        pictures = read_pictures(
            [self.source.root / plan.rows[i].item.path for i in unread],
            vectors,
            self.encoder.spec.preprocessing.geometry() if unread else {},
            max_pixels=reading.max_pixels,
            workers=reading.workers,
        )
        try:
            for done, (i, picture) in enumerate(zip(unread, pictures, strict=True), start=1):
                if picture.reason:
                    reasons[i] = picture.reason
                else:
                    digests[i] = picture.digest
                if picture.pixels is not None and picture.digest not in waiting:
                    waiting.add(str(picture.digest))
                    batcher.add(str(picture.digest), picture.pixels)
                self.reporter.advance(done, len(unread))
            batcher.flush()
        finally:
            vectors.save()
        for i, digest in enumerate(digests):
            if digest in vectors.unusable:
                digests[i], reasons[i] = None, NOT_FINITE
        return digests, [(plan.rows[i].item.path, reasons[i]) for i in sorted(reasons)]

    def _classes(self, kept: list[int]) -> list[str]:
        names = set(self.source.classes)
        if self.old is not None:
            labels = self.old.labels[kept]
            names |= {self.old.classes[label] for label in np.unique(labels[labels >= 0])}
        return sorted(names)

    def _old_rows(self, classes: list[str]) -> Rows | None:
        """Give the store's rows with labels that count in the new classes."""
        if self.old is None:
            return None
        number = {name: i for i, name in enumerate(classes)}
        renumbered = np.array([number.get(name, -1) for name in self.old.classes] + [-1], np.int32)
        rows = self.old.rows
        return Rows(**{**rows.__dict__, "label": renumbered[rows.label]})

    def _is_same(self, head: StoreHead, rows: Rows) -> bool:
        """Tell whether the store already says exactly this."""
        if self.old is None:
            return False
        then, now = self.old.head, head
        texts = {key: (t.names, t.templates) for key, t in now.text.items()}
        return (
            dict(then.encoder) == dict(now.encoder)
            and dict(then.source) == dict(now.source)
            and (then.classes, then.skipped) == (now.classes, now.skipped)
            and {key: (t.names, t.templates) for key, t in then.text.items()} == texts
            and all(
                np.array_equal(getattr(self.old.rows, name), getattr(rows, name))
                for name in rows.__dataclass_fields__
            )
        )
