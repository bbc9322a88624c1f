"""`extract`: encode the new images of a dataset and write the whole store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fishembed._base.paths import cache_dir, to_path
from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import (
    FeatureStore,
    StoreHeader,
    TextFeatures,
    store_lock,
    write_store,
)
from fishembed.encoders import Decoding, Encoder, Precision, load_aliases
from fishembed.errors import InputError
from fishembed.extraction.encode_missing import (
    ReadSamples,
    class_text_features,
    encode_missing,
    load_prompt_sets,
)
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodingJob, Engine
from fishembed.extraction.extraction_result import Extraction, dataset_facts
from fishembed.extraction.known_features import KnownFeatures
from fishembed.extraction.local_engine import LocalEngine
from fishembed.extraction.new_rows import NewRows, new_rows
from fishembed.extraction.plan import PlannedFiles, make_plan
from fishembed.extraction.previous_store import PreviousStore, opened_or_none
from fishembed.images import (
    DEFAULT_BOXES,
    MAX_PIXELS,
    BoxOptions,
    Dataset,
    list_dataset,
    with_exif,
    with_frames,
)

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


def extract(
    source: str | Path | Sequence[str | Path],
    store: str | Path | None = None,
    *,
    encoder: str | Encoder | None = None,
    device: str = "auto",
    precision: Precision | Literal["auto"] = "auto",
    decoding: Decoding | Literal["auto"] = "auto",
    prompts: Sequence[str] = ("single",),
    aliases: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    boxes: BoxOptions = DEFAULT_BOXES,
    fps: float | None = None,
    exif: bool = False,
    batch_size: int | None = None,
    workers: int | None = None,
    max_pixels: int = MAX_PIXELS,
    prune: bool = False,
    trunk: bool = False,
    engine: Engine | None = None,
    reporter: Progress | None = None,
) -> Extraction:
    """Encode the images of a dataset into a feature store.

    Images that the store already has are not encoded again: they are identified by their bytes,
    so moving, renaming or relabelling them costs nothing. An interrupted run resumes where it
    stopped and ends with the same store.

    Parameters
    ----------
    source
        A folder, a manifest or tars, see `fishembed.images.datasets.open_dataset`.
    store
        Path of the store; `cache/<name of the dataset>.h5` when left out
        (the folder is the environment's FISHEMBED_CACHE where that is set).
    encoder
        A name, see `fishembed.load_encoder`, or an encoder. When left out, that of the store
        where there is one, else the default, OpenAI's ViT-B/32.
    device
        See `fishembed.load_encoder`.
    precision, decoding
        See `fishembed.load_encoder`; `auto` uses those of the store where there is one. They are
        part of the features' identity: a store made with others is refused.
    prompts
        Prompt sets whose text features are stored: `single`, `ensemble`, or a text file.
    aliases
        CSV with the columns class and name: better names for the prompts.
    columns
        Names of a manifest's columns, see `fishembed.images.datasets.open_dataset`.
    boxes
        Which boxes of a source become rows, and how they are cut; see `fishembed.images`.
    fps
        Frames of a second of video that become rows; when left out, twice a second those that
        differ from the one before.
    exif
        Whether time, camera, latitude and longitude are read from the images as metadata.
    batch_size
        Number of images encoded at once; measured on the first batches when left out.
    workers
        Threads that decode; one for each core when left out.
    max_pixels
        Width × height above which an image is skipped.
    prune
        Whether to remove images that have left the dataset from the store.
    trunk
        Whether the features before the projection are stored too. A store that has them retains
        them.
    engine
        Engine that reads and encodes; `LocalEngine`, on this machine, when left out.
    reporter
        Receives messages and counts.

    Raises
    ------
    SourceError, ManifestError
        When the dataset cannot be used; nothing is written.
    EncoderError
        When the encoder cannot be loaded.
    StoreMismatchError
        When the store's features come from another encoder or another source.
    StoreLockedError
        When another process is writing the store.
    StoreWriteError
        When the disk is full or the place not writable.
    """
    began = time.perf_counter()
    if batch_size is not None and batch_size < 1:
        raise InputError(f"batch_size={batch_size} must be at least 1")
    reporter = reporter if reporter is not None else NoProgress()
    engine = engine or LocalEngine()
    dataset = list_dataset(source, columns=columns, boxes=boxes)
    place = to_path(store) if store is not None else default_store(dataset)
    with store_lock(place) as replaces, opened_or_none(place) as old:
        previous = PreviousStore(old, reporter)
        dataset = with_frames(dataset, fps, previous.states)
        dataset = with_exif(dataset) if exif else dataset
        for note in dataset.notes:
            reporter.message(note)
        loader = EncoderLoader(
            encoder, old, reporter, device=device, precision=precision, decoding=decoding
        )
        prompt_sets = load_prompt_sets(prompts, previous.texts)
        names = {} if aliases is None else load_aliases(aliases, dataset.classes, reporter)
        with engine.prepared(loader, expected=len(dataset.samples) if old is None else 0):
            # Compare with the store: what is known, and which files must be read.
            known = KnownFeatures(place, loader, previous, trunk=trunk)
            plan = make_plan(dataset, previous, known)

            # Encode what is missing; every few seconds it becomes safe in a partial file.
            files, parts = PlannedFiles(dataset, plan), known.open_partial_files
            job = EncodingJob(files, batch_size, workers, max_pixels, known.own_trunk, parts)
            read = encode_missing(plan, job, known, loader, engine=engine, reporter=reporter)

            # Commit the store whole, where it differs from the one before.
            new = new_rows(dataset, plan, read, previous, known, prune=prune, reporter=reporter)
            text = class_text_features(loader, new.classes, names, prompt_sets, previous.texts)
            header = _header(loader, dataset, old, read, new, text=text, encoded=known.n_encoded)
            wrote = previous.differs(header, new.rows, trunk=known.trunk is not None)
            if wrote:
                image, before_projection = known.features_of(new.rows.digest)
                write_store(
                    place, header, new.rows, image, trunk=before_projection, replaces=replaces
                )
            known.discard_partial_files()
    new_or_changed = plan.arrivals(read.digests, known.was_encoded)
    return _result(place, dataset, header, new, read, new_or_changed, began=began, wrote=wrote)


def default_store(dataset: Dataset) -> AnyPath:
    """Return the default path of a dataset's store."""
    return cache_dir() / f"{dataset.name}.h5"


def _result(  # noqa: PLR0917 - everything that an extraction made
    place: AnyPath,
    dataset: Dataset,
    header: StoreHeader,
    new: NewRows,
    read: ReadSamples,
    new_or_changed: tuple[int, int],
    *,
    began: float,
    wrote: bool,
) -> Extraction:
    return Extraction(
        store=place,
        rows=len(new.rows),
        new=new_or_changed[0],
        changed=new_or_changed[1],
        removed=len(new.gone),
        skipped_files=header.skipped,
        text_keys=tuple(header.text),
        seconds=time.perf_counter() - began,
        encoder=str(header.encoder["name"]),
        device=read.stages.device,
        wrote=wrote,
        stages=read.stages,
        scaled=read.scaled,
        **dataset_facts(dataset, new.rows, new.classes),
    )


def _header(
    loader: EncoderLoader,
    dataset: Dataset,
    old: FeatureStore | None,
    read: ReadSamples,
    new: NewRows,
    *,
    text: Mapping[str, TextFeatures],
    encoded: int,
) -> StoreHeader:
    """Return the header of the new store: everything but rows and features."""
    cut = dataset.cut or (None if old is None else old.source.get("boxes"))
    boxes = {} if cut is None else {"boxes": dict(cut)}
    record: Mapping[str, object] = {} if old is None else old.extraction
    if encoded:
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        scaled = {"scaled": len(read.scaled)} if read.scaled else {}
        record = {"when": when, "encoded": encoded, **scaled, **read.stages.to_json()}
    return StoreHeader(
        loader.describe(),
        {"root": str(dataset.root), "layout": dataset.layout, **boxes},
        tuple(new.classes),
        skipped=(*read.skipped, *dataset.left_out),
        text=text,
        history=new.history,
        dropped=new.dropped,
        extraction=record,
    )
