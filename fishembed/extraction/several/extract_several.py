"""`extract_several`: one store for each of several encoders, from one pass over the images.

The pass puts the features of each encoder into the partial files of its store; after it each store
is extracted as any other, and finds there what it needs. What ends the pass loses no more than with
one encoder.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.paths import is_remote, to_path
from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import store_lock
from fishembed.encoders import Encoder, parse_name
from fishembed.errors import InputError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, EncodingJob
from fishembed.extraction.extract import default_store, extract
from fishembed.extraction.known_features import KnownFeatures, partial_files_opener
from fishembed.extraction.local_engine import LocalEngine
from fishembed.extraction.plan import Plan, PlannedFiles, make_plan
from fishembed.extraction.previous_store import PreviousStore, opened_or_none
from fishembed.extraction.result import Extraction
from fishembed.extraction.several.several_encoders import SeveralEncoders, features_of
from fishembed.extraction.stage_times import Seconds, StageTimes
from fishembed.images import DEFAULT_BOXES, MAX_PIXELS, Dataset, list_dataset, with_frames

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_OF_THE_DATASET = ("columns", "boxes")
_OF_THE_ENCODER = ("device", "precision", "decoding")
_OF_THE_PASS = ("batch_size", "workers", "max_pixels")


def extract_several(
    source: str | Path | Sequence[str | Path],
    encoders: Sequence[str | Encoder],
    store: str | Path | None = None,
    *,
    reporter: Progress | None = None,
    **options: Any,
) -> list[Extraction]:
    """Encode the images of a dataset by several encoders, each into a store of its own.

    Every image that a store lacks is read once and decoded once, whatever the number of encoders;
    what comes of it is the same as of one extraction after the other.

    Parameters
    ----------
    source
        See `fishembed.extract`.
    encoders
        The encoders or their names, see `fishembed.load_encoder`.
    store
        Name of the stores, to which each encoder's is added: ``trip.h5`` becomes
        ``trip-biology.h5``. The dataset's when left out.
    reporter
        Receives messages and counts.
    **options
        As for `fishembed.extract`, but for `encoder` and `engine`.

    Raises
    ------
    InputError
        When fewer than two encoders, or one twice, are named, or an option is none of these.
    FishembedError
        As `fishembed.extract` does.

    Examples
    --------
    >>> from fishembed import extract_several
    >>> extract_several("photos", ["biology", "paper"])  # doctest: +SKIP
    """
    names = [one if isinstance(one, str) else one.spec.name for one in encoders]
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"encoders {', '.join(names) or 'none'}: name two or more, each once")
    if wrong := {"encoder", "engine"} & set(options):
        raise InputError(f"{min(wrong)} is no option here: name encoders")
    reporter = reporter or NoProgress()
    began = time.perf_counter()
    chosen = {name: options[name] for name in _OF_THE_DATASET if name in options}
    chosen.setdefault("boxes", DEFAULT_BOXES)
    dataset = list_dataset(source, **chosen)
    places = [_place(dataset, store, name) for name in names]
    passed = _pass(dataset, encoders, places, options, reporter)
    results = []
    for k, (named, place) in enumerate(zip(encoders, places, strict=True)):
        own, wanted, given = passed.loaders[k], named, dict(options)
        # A file of weights is remembered by its size and time, which only its name leads to.
        if own.is_loaded and not (isinstance(named, str) and parse_name(named).file):
            wanted = own.load()
            given = {key: value for key, value in options.items() if key not in _OF_THE_ENCODER}
        done = extract(source, str(place), encoder=wanted, reporter=reporter, **given)
        results.append(passed.completed(k, done, began))
    return results


@dataclass
class _Passed:
    """Result of the pass over the images, for all encoders."""

    loaders: list[EncoderLoader]
    counts: list[tuple[int, int]]
    stages: StageTimes | None
    scaled: tuple[str, ...] = ()

    def completed(self, k: int, done: Extraction, began: float) -> Extraction:
        """Return an extraction with what the pass encoded for it."""
        if self.stages is None:
            return done
        new, changed = self.counts[k]
        seconds = time.perf_counter() - began
        device = self.stages.device
        return replace(
            done,
            new=done.new + new,
            changed=done.changed + changed,
            seconds=seconds,
            device=device,
            stages=self.stages,
            scaled=self.scaled,
        )


class _InAll(Collection[str]):
    """Digests that every store knows; it grows with them."""

    def __init__(self, several: Sequence[KnownFeatures]) -> None:
        self._several = several

    def __contains__(self, digest: object) -> bool:
        return all(digest in known for known in self._several)

    def __iter__(self) -> Iterator[str]:
        return (digest for digest in self._several[0] if digest in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _place(dataset: Dataset, store: str | Path | None, encoder: str) -> AnyPath:
    """Return the store of an encoder: the dataset's name, or the one given, and the encoder's."""
    plain = default_store(dataset) if store is None else to_path(store)
    tag = "".join(c if c.isalnum() else "-" for c in encoder).strip("-")
    ending = ".h5" if plain.suffix == ".h5" else ""
    stem = plain.name.removesuffix(ending)
    return plain.with_name(f"{stem}-{tag}{ending or '.h5'}")


def _pass(
    dataset: Dataset,
    encoders: Sequence[str | Encoder],
    places: Sequence[AnyPath],
    options: Mapping[str, Any],
    reporter: Progress,
) -> _Passed:
    """Encode what any store lacks into the partial files of all."""
    with ExitStack() as stack:
        loaders: list[EncoderLoader] = []
        plans: list[Plan] = []
        several: list[KnownFeatures] = []
        trunks: list[bool] = []
        for name, place in zip(encoders, places, strict=True):
            stack.enter_context(store_lock(place))
            old = stack.enter_context(opened_or_none(place))
            previous = PreviousStore(old, NoProgress())
            if not loaders:
                dataset = with_frames(dataset, options.get("fps"), previous.states)
            given = {key: options.get(key, "auto") for key in _OF_THE_ENCODER}
            loader = EncoderLoader(name, **given, store=old, reporter=reporter)
            keeps = bool(options.get("trunk")) or (old is not None and old.has_trunk)
            trunk = keeps and loader.trunk_dim > 0
            known = KnownFeatures(partial_files_opener(place, loader, trunk=trunk)())
            known.add_store(previous, trunk=trunk)
            loaders.append(loader)
            trunks.append(trunk)
            several.append(known)
            plans.append(make_plan(dataset, previous, known))
        unread = np.unique(np.concatenate([plan.unread for plan in plans])).tolist()
        modes = {loader.spec.decoding for loader in loaders}
        if not unread or modes & {"device"} or len(modes) > 1 or any(map(is_remote, places)):
            return _Passed(loaders, [], None)  # nothing to do, or each has its own way to pixels
        together = SeveralEncoders([loader.load() for loader in loaders], trunks)
        given = {key: options[key] for key in _OF_THE_PASS if options.get(key) is not None}
        given.setdefault("max_pixels", MAX_PIXELS)
        files = PlannedFiles(dataset, plans[0], unread)
        job = EncodingJob(files, **given)
        stages, digests, scaled = _encode(together, job, several, unread, reporter)
        counts = [
            plan.arrivals([digests.get(i, one) for i, one in enumerate(plan.digests)], was)
            for plan, was in zip(plans, [known.was_encoded for known in several], strict=True)
        ]
        paths = tuple(dataset.samples[i].path for i in sorted(scaled))
        return _Passed(loaders, counts, stages, paths)


def _encode(
    together: SeveralEncoders,
    job: EncodingJob,
    several: Sequence[KnownFeatures],
    unread: Sequence[int],
    reporter: Progress,
) -> tuple[StageTimes, dict[int, str | None], list[int]]:
    """Run the pass; return how busy its stages were, each sample's digest, and which were scaled.

    Scaled are those whose brightness was scaled by their content.
    """
    engine = LocalEngine()
    loader = EncoderLoader(
        together,
        device="auto",
        precision="auto",
        decoding="auto",
        store=None,
        reporter=NoProgress(),
    )
    digests: dict[int, str | None] = {}
    scaled: list[int] = []
    seconds, began, done = Seconds(), time.perf_counter(), 0
    reporter.message(f"one pass over {len(unread):,} images for {len(several)} encoders")
    try:
        with closing(engine.run(job, loader, _InAll(several))) as finished:
            for files in finished:
                for at, digest in enumerate(files.digests, files.start):
                    digests[unread[at]] = digest
                scaled += [unread[at] for at in files.scaled]
                for k, known in enumerate(several):
                    known.add_encoded(_of(files, k, known))
                done += len(files.digests)
                seconds += files.seconds
                reporter.update(done, len(unread))
    finally:
        for known in several:
            known.save()
    times = StageTimes(seconds, time.perf_counter() - began, **vars(engine.info))
    return times, digests, scaled


def _of(files: EncodedFiles, k: int, known: KnownFeatures) -> EncodedFiles:
    """Return what one encoder made of files, without what its store knew."""
    if files.features is None:
        return files
    own = features_of(files.features, k)
    new = [at for at, digest in enumerate(files.encoded) if digest not in known]
    return replace(
        files,
        encoded=[files.encoded[at] for at in new],
        features={name: array[new] for name, array in own.items()} if new else None,
    )
