"""`extract_several`: one store for each of several encoders, from one pass over the images.

The pass writes the features of each encoder to the partial files of its store; then each store is
extracted as usual and reads the features from there. An interrupted pass loses no more than one
with a single encoder.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.paths import is_remote, to_path
from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import store_lock
from fishembed.encoders import Encoder, EncoderSpec, Preprocessing, parallel_encoders, parse_name
from fishembed.errors import InputError
from fishembed.extraction.batches import encode_batch
from fishembed.extraction.encode_missing import ReadSamples, encode_missing
from fishembed.extraction.encoder_loader import EncoderLoader, name_tag
from fishembed.extraction.engine import EncodingJob, FeatureArrays
from fishembed.extraction.extract import default_store, extract
from fishembed.extraction.extraction_result import Extraction
from fishembed.extraction.known_features import KnownByAll, KnownFeatures
from fishembed.extraction.local_engine import LocalEngine
from fishembed.extraction.plan import Plan, PlannedFiles, make_plan
from fishembed.extraction.previous_store import PreviousStore, opened_or_none
from fishembed.images import Dataset, list_dataset, with_frames
from fishembed.images.decoding.image_pixels import packed_side, unpack

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

    Every image that a store lacks is read and decoded once, whatever the number of encoders; the
    stores are the same as from one extraction after the other.

    Parameters
    ----------
    source
        See `fishembed.extract`.
    encoders
        The encoders or their names, see `fishembed.load_encoder`.
    store
        Path of the stores, to whose name each encoder's is added: ``trip.h5`` becomes
        ``trip-biology.h5``. The dataset's default when left out.
    reporter
        Receives messages and counts.
    **options
        As for `fishembed.extract`, except `encoder` and `engine`.

    Raises
    ------
    InputError
        When fewer than two encoders or one twice are named, or for an option not allowed here.
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
    dataset = list_dataset(source, **chosen)
    places = [_place(dataset, store, name) for name in names]
    loaders, read, counts = _pass(dataset, encoders, places, options, reporter)
    results = []
    for named, place, loader, (new, changed) in zip(encoders, places, loaders, counts, strict=True):
        wanted, own_options = named, dict(options)
        # The size and time of a file of weights are recorded too; only its name leads to them.
        if loader.is_loaded and not (isinstance(named, str) and parse_name(named).file):
            wanted = loader.load()
            own_options = {k: value for k, value in options.items() if k not in _OF_THE_ENCODER}
        done = extract(source, str(place), encoder=wanted, reporter=reporter, **own_options)
        if read is not None:
            done = replace(
                done,
                new=done.new + new,
                changed=done.changed + changed,
                seconds=time.perf_counter() - began,
                device=read.stages.device,
                stages=read.stages,
                scaled=read.scaled,
            )
        results.append(done)
    return results


def _place(dataset: Dataset, store: str | Path | None, encoder: str) -> AnyPath:
    """Return the path of an encoder's store: `store` or the default, with the encoder's name."""
    plain = default_store(dataset) if store is None else to_path(store)
    return plain.with_name(f"{plain.name.removesuffix('.h5')}-{name_tag(encoder)}.h5")


def _pass(
    dataset: Dataset,
    encoders: Sequence[str | Encoder],
    places: Sequence[AnyPath],
    options: Mapping[str, Any],
    reporter: Progress,
) -> tuple[list[EncoderLoader], ReadSamples | None, list[tuple[int, int]]]:
    """Encode the images that any store lacks into the partial files of all.

    Returns
    -------
    tuple
        The encoders; the samples that were read, None where each encoder must read them itself;
        and for each encoder the numbers of new and of changed images.
    """
    with ExitStack() as stack:
        loaders: list[EncoderLoader] = []
        plans: list[Plan] = []
        several: list[KnownFeatures] = []
        for name, place in zip(encoders, places, strict=True):
            stack.enter_context(store_lock(place))
            old = stack.enter_context(opened_or_none(place))
            previous = PreviousStore(old, NoProgress())
            if not loaders:
                dataset = with_frames(dataset, options.get("fps"), previous.states)
            own_options = {key: options.get(key, "auto") for key in _OF_THE_ENCODER}
            loader = EncoderLoader(name, old, reporter, **own_options)
            known = KnownFeatures(place, loader, previous, trunk=bool(options.get("trunk")))
            loaders.append(loader)
            several.append(known)
            plans.append(make_plan(dataset, previous, known))
        columns = zip(*(plan.digests for plan in plans), strict=True)
        digests = [None if None in known_to else known_to[0] for known_to in columns]
        plan, n = replace(plans[0], digests=digests), digests.count(None)
        modes = {loader.spec.decoding for loader in loaders}
        if not n or modes & {"device"} or len(modes) > 1 or any(map(is_remote, places)):
            # Nothing is to be encoded, or the encoders cannot share decoded pixels.
            return loaders, None, [(0, 0)] * len(loaders)
        trunks = [known.own_trunk for known in several]
        together = SeveralEncoders([loader.load() for loader in loaders], trunks)
        of_pass = {key: options[key] for key in _OF_THE_PASS if options.get(key) is not None}
        job = EncodingJob(PlannedFiles(dataset, plan), **of_pass)
        reporter.message(f"one pass over {n:,} images for {len(loaders)} encoders")
        read = encode_missing(
            plan,
            job,
            KnownByAll(several),
            EncoderLoader(together),
            engine=LocalEngine(),
            reporter=reporter,
        )
        counts = [
            own.arrivals(read.digests, known.was_encoded)
            for own, known in zip(plans, several, strict=True)
        ]
        return loaders, read, counts


@dataclass(frozen=True)
class PackedPreprocessing(Preprocessing):
    """Preprocessing to the crops of several encoders, packed into one square."""

    several: tuple[Preprocessing, ...] = ()

    def geometry(self) -> dict[str, Any]:
        """Return the options of the preprocessing before the encoders."""
        return {"several": [one.geometry() for one in self.several], "crop": self.crop}


class SeveralEncoders:
    """Encoders of one decoding mode for the same images, each with its own crop.

    `trunks` is whether to return the features before the projection too, by encoder.
    """

    def __init__(self, encoders: Sequence[Encoder], trunks: Sequence[bool]) -> None:
        self._encoders, self._trunks = tuple(encoders), tuple(trunks)
        own = tuple(one.spec.preprocessing for one in encoders)
        self._crops = [one.crop for one in own]
        first = encoders[0].spec
        side = packed_side(self._crops)
        packed = PackedPreprocessing(side, side, first.preprocessing.mean, first.preprocessing.std)
        self.spec: EncoderSpec = replace(
            first,
            name=" + ".join(one.spec.name for one in encoders),
            preprocessing=replace(packed, several=own),
        )

    @property
    def device(self) -> str:
        """Device of the first encoder."""
        return self._encoders[0].device

    @property
    def logit_scale(self) -> float | None:
        """None: each encoder encodes texts separately."""
        return None

    def encode_several(self, batch: npt.NDArray[np.uint8]) -> FeatureArrays:
        """Encode packed images to the features of each encoder, named NUMBER:NAME."""
        found: dict[str, npt.NDArray[Any]] = {}
        parts = unpack(np.asarray(batch), self._crops)
        for k, (encoder, part) in enumerate(zip(self._encoders, parts, strict=True)):
            own = encode_batch(encoder, part, trunk=self._trunks[k])
            found |= {f"{k}:{name}": array for name, array in own.items()}
        return found

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode packed images to the features of all, side by side."""
        parts = unpack(np.asarray(batch), self._crops)
        pairs = zip(self._encoders, parts, strict=True)
        return np.concatenate([encoder.encode_images(part) for encoder, part in pairs], axis=1)

    def encode_texts(
        self,
        texts: Sequence[str],  # noqa: ARG002 - the protocol's signature
    ) -> npt.NDArray[np.float32] | None:
        """Return None: each encoder encodes texts separately."""
        return None

    @contextmanager
    def parallel_encoders(self) -> Iterator[Sequence[SeveralEncoders]]:
        """Yield this object, once for each thread that may use the first encoder at a time."""
        with parallel_encoders(self._encoders[0]) as parallel:
            yield [self for one in parallel if one is self._encoders[0]] or [self]
