"""The verb: encode what is new of a source, and leave a whole store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fishembed._base.default_dirs import cache_dir
from fishembed._base.paths import to_path
from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import (
    IMAGE,
    TRUNK,
    FeatureStore,
    Gathered,
    Parts,
    Rows,
    StoreHead,
    parts_of,
    store_lock,
    write_store,
)
from fishembed.encoders import (
    DEFAULT_ENCODER,
    Decoding,
    Encoder,
    Precision,
    PromptSet,
    load_aliases,
)
from fishembed.errors import InputError, SourceError, StoreNotFoundError
from fishembed.extraction.before import Before
from fishembed.extraction.contents import says_the_same, store_classes, store_rows
from fishembed.extraction.edits import amend
from fishembed.extraction.engine import Engine, Work
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.pipeline import LocalEngine
from fishembed.extraction.plan import Files, Plan, make_plan
from fishembed.extraction.reading import Read, read_and_encode
from fishembed.extraction.result import Extraction
from fishembed.extraction.stages import StageTimes
from fishembed.extraction.texts import class_texts, wanted_prompts
from fishembed.extraction.vectors import KnownVectors
from fishembed.images import MAX_PIXELS, Source, open_source

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


def extract(
    source: str | Path | Sequence[str | Path],
    store: str | Path | None = None,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    device: str = "auto",
    precision: Precision | Literal["auto"] = "auto",
    decoding: Decoding | Literal["auto"] = "auto",
    prompts: Sequence[str] = ("single",),
    aliases: str | Path | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    max_pixels: int = MAX_PIXELS,
    prune: bool = False,
    trunk: bool = False,
    engine: Engine | None = None,
    reporter: Progress | None = None,
) -> Extraction:
    """Encode the pictures of a source into a feature store.

    What is in the store already is not encoded again: pictures are known by their bytes,
    so moving, renaming or relabelling them costs nothing. A run that was broken off goes on
    where it stopped and ends with the same store.

    Parameters
    ----------
    source
        A folder, a manifest or tars, see `fishembed.images.open_source`.
    store
        Where the store lies or shall lie; `cache/<name of the source>.h5` when left out
        (the folder is the environment's FISHEMBED_CACHE where that is set).
    encoder
        A name, see `fishembed.load_encoder`, or an encoder.
    device
        See `fishembed.load_encoder`.
    precision, decoding
        The same; `auto` goes on with those of the store where there is one. They are part of
        the vectors' identity: a store made with others is refused.
    prompts
        Prompt sets whose text vectors are kept: `single`, `ensemble`, or a text file.
    aliases
        CSV with the columns class and name: better names for the prompts.
    batch_size
        Pictures that are encoded at once; measured on the first batches when left out.
    workers
        Threads that decode; one for each core when left out.
    max_pixels
        Width × height above which a picture is skipped.
    prune
        Whether pictures that have left the source leave the store.
    trunk
        Whether the vectors before the projection are kept too. A store that has them goes
        on having them.
    engine
        What reads and encodes; threads of this process when left out.
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
    if batch_size is not None and batch_size < 1:
        raise InputError(f"batch_size={batch_size} must be at least 1")
    pictures = open_source(source)
    place = to_path(store) if store is not None else default_store(pictures)
    told = reporter if reporter is not None else NoProgress()
    with store_lock(place), _opened(place) as old:
        before = Before(old, told)
        wanted = LazyEncoder(
            encoder,
            device=device,
            precision=precision,
            decoding=decoding,
            store=old,
            reporter=told,
        )
        keeps_trunk = trunk or (old is not None and old.has_trunk)
        words = _Words(
            wanted_prompts(prompts, before.texts),
            {} if aliases is None else load_aliases(aliases, pictures.classes),
        )
        runs = engine or LocalEngine()
        with runs.prepared(wanted, soon=old is None):
            work = Work((), batch_size, workers, max_pixels, keeps_trunk and wanted.trunk_dim > 0)
            job = _Job(pictures, place, before, wanted, work, runs, words, told)
            done = job.run(prune=prune, keeps_trunk=keeps_trunk)
        return replace(done, seconds=time.perf_counter() - began)


def default_store(source: Source) -> AnyPath:
    """Give the place of a source's store when none is named."""
    return cache_dir() / f"{source.name}.h5"


@contextmanager
def _opened(place: AnyPath) -> Iterator[FeatureStore | None]:
    try:
        store = FeatureStore.open(place)
    except StoreNotFoundError:
        yield None
        return
    with store:
        yield store


@dataclass(frozen=True)
class _Words:
    """What text vectors are made of."""

    prompts: list[PromptSet]
    aliases: Mapping[str, str]


@dataclass(frozen=True)
class _Job:
    """One extraction, its collaborators at hand."""

    source: Source
    place: AnyPath
    before: Before
    encoder: LazyEncoder
    work: Work
    engine: Engine
    words: _Words
    reporter: Progress

    def run(self, *, prune: bool, keeps_trunk: bool) -> Extraction:
        # A worker of a cluster runs in another folder.
        place = self.place.absolute() if isinstance(self.place, Path) else self.place
        at = partial(parts_of, place, self._identity)
        parts = at()
        vectors = self._known(parts)
        plan = make_plan(self.source, self.before, vectors)
        work = replace(self.work, files=Files(self.source, plan, plan.unread), parts=at)
        read = read_and_encode(
            plan, work, vectors, self.encoder, engine=self.engine, reporter=self.reporter
        )
        gone = plan.gone(read.digests, self.before)
        head, rows = self._contents(plan, read, [] if prune else self._keepable(gone, vectors))
        head = replace(head, extraction=self._record(read.stages, len(vectors.encoded)))
        wrote = self._write(head, rows, vectors, keeps_trunk=keeps_trunk)
        parts.discard()
        new, changed = plan.arrivals(read.digests, vectors.encoded)
        return Extraction(
            store=self.place,
            rows=len(rows),
            new=new,
            changed=changed,
            removed=len(gone),
            skipped_files=read.skipped,
            text_keys=tuple(head.text),
            seconds=0.0,
            encoder=self.encoder.spec.name,
            device=read.stages.device,
            wrote=wrote,
            stages=read.stages,
        )

    @property
    def _identity(self) -> str:
        """Of the vectors in a part."""
        return self.encoder.spec.fingerprint + ("+trunk" if self.work.trunk else "")

    def _known(self, parts: Parts) -> KnownVectors:
        """Find the vectors there are: in the store, and in parts of a broken run."""
        vectors = KnownVectors(parts)
        store = self.before.store
        if store is not None and (store.has_trunk or not self.work.trunk):
            vectors.take_over(self.before.by_digest, self.before.vectors)
            vectors.take_over(self.before.dropped_by_digest, self.before.dropped_vectors)
        elif self.before.dropped is not None:
            raise InputError(
                f"{str(self.place)!r} has dropped pictures, whose trunk vectors are not made: take "
                "that back with 'fishembed fix --undo', or give another --store"
            )
        return vectors

    def _keepable(self, gone: list[int], vectors: KnownVectors) -> list[int]:
        """Choose the rows that stay although the source has lost their picture."""
        columns = self.before.rows
        kept = [row for row in gone if self.before.can_keep(row)]
        for row in kept:
            if columns is not None and columns.digest[row] not in vectors:
                raise InputError(
                    f"{columns.path[row]!r} has left the source, so its trunk vector cannot be "
                    "made: give --prune, or another --store"
                )
        return kept

    def _contents(self, plan: Plan, read: Read, kept: list[int]) -> tuple[StoreHead, Rows]:
        """Put together all that the new store says, but its vectors."""
        classes = store_classes(self.source, self.before, kept)
        rows = store_rows(plan, read.digests, classes, self.before, kept)
        amended = amend(rows, classes, self.before)
        if not len(amended.rows):
            dropped = [(row.item.path, "dropped by 'fishembed fix'") for row in plan.rows]
            path, reason = (*read.skipped, *dropped)[0]
            raise SourceError(
                f"none of the {len(plan.rows):,} pictures of {str(self.source.root)!r} could be "
                f"used; the first: {path!r}: {reason}"
            )
        for note in amended.notes:
            self.reporter.message(note)
        head = self._head(classes, read.skipped)
        return replace(head, history=amended.history, dropped=amended.dropped), amended.rows

    def _record(self, stages: StageTimes, encoded: int) -> Mapping[str, object]:
        """Say what this run encoded; where that is nothing, what an earlier one did."""
        if not encoded:
            return {} if self.before.store is None else self.before.store.extraction
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return {"when": when, "encoded": encoded, **stages.to_json()}

    def _head(self, classes: list[str], skipped: tuple[tuple[str, str], ...]) -> StoreHead:
        words = self.words
        return StoreHead(
            encoder=self.encoder.describe(),
            source={"root": str(self.source.root), "layout": self.source.layout},
            classes=tuple(classes),
            skipped=skipped,
            text=class_texts(
                self.encoder, classes, words.aliases, words.prompts, self.before.texts
            ),
        )

    def _write(
        self, head: StoreHead, rows: Rows, vectors: KnownVectors, *, keeps_trunk: bool
    ) -> bool:
        """Write the store where it says something else than before, or is damaged."""
        old = self.before.store
        whole = old is not None and not self.before.is_damaged and old.has_trunk == keeps_trunk
        if whole and old is not None and says_the_same(old, head, rows):
            return False

        def gathered(name: str, dim: int) -> Gathered:
            return Gathered(lambda a, b: vectors.gather(name, rows.digest[a:b]), len(rows), dim)

        own = gathered(TRUNK, self.encoder.trunk_dim) if self.work.trunk else None
        write_store(
            self.place,
            head,
            rows,
            gathered(IMAGE, self.encoder.spec.dim),
            trunk=own or ("image" if keeps_trunk else None),
        )
        return True
