"""Predict the classes of new images, or of the rows of a store, by the head of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import FeatureKind, Store, is_store, open_store
from fishembed.classifiers import SavedHead, load_head
from fishembed.encoders import Encoder, load_encoder, recorded_backend
from fishembed.errors import (
    DimensionError,
    ImageError,
    InputError,
    RunFormatError,
    StoreMismatchError,
)
from fishembed.experiments.class_prior import Prior
from fishembed.experiments.nearest_training_images import Neighbour, nearest_training_images
from fishembed.experiments.run_files import HEAD_NPZ
from fishembed.experiments.run_folder import Run
from fishembed.experiments.run_result import TOP_K
from fishembed.extraction import encode_images
from fishembed.images import find_images

N_NEIGHBOURS = 3
"""Training images that are shown as evidence."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one image.

    Attributes
    ----------
    path
        As it was named, or as the store names it.
    classes, probabilities
        The most probable classes, best first, and how sure the head is of each, between 0 and 1.
    evidence
        The nearest training images, nearest first; empty unless asked for.
    """

    path: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    evidence: tuple[Neighbour, ...] = ()


@dataclass(frozen=True)
class Predictions:
    """Predictions of all images that were given.

    Attributes
    ----------
    predictions
        Of those that could be read.
    skipped
        (path, reason) of the others.
    assumed_prior
        How common the probabilities take each class to be: uniform, training or partly uniform.
    """

    predictions: tuple[Prediction, ...]
    skipped: tuple[tuple[str, str], ...]
    assumed_prior: Prior = "training"


def predict_run(
    run: str | Path | Run,
    inputs: Sequence[str | Path],
    *,
    top: int = TOP_K,
    evidence: bool = False,
    fetch: bool = False,
    device: str = "auto",
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Predict the classes of images by the head of a run.

    Parameters
    ----------
    run
        The run or its folder. Its `head.npz` is read; no pickle is.
    inputs
        Images, folders and patterns, which are encoded by the encoder that the run was made
        with; or a store (.h5), whose features are taken and no encoder is loaded. Several stores
        are joined, see `fishembed.cache.join_stores`.
    top
        Classes that are named.
    evidence
        Whether to look for the nearest training images, in the run's own store.
    fetch
        Whether that store is fetched where it lies at a URL.
    device
        Where to encode, see `fishembed.load_encoder`.
    encoder
        The encoder itself, where it is loaded already.
    progress
        Receives what is loaded and how many images are encoded.

    Raises
    ------
    DimensionError
        When the head does not fit the features.
    StoreMismatchError
        When the features come from another encoder than the run's.
    ImageError
        When no image could be read.
    RunFormatError
        When the run keeps no head that can be read without pickle.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, predict_run, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> found = predict_run(run_fit(store, head="centroid"), [store], top=1)
    >>> found.predictions[0].classes
    ('cod',)
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if top < 1:
        raise InputError(f"top={top!r} must be at least 1")
    head = _read_head(run)
    progress = progress or NoProgress()
    stores = [name for name in inputs if is_store(name)]
    if stores and len(stores) < len(inputs):
        raise InputError("images and stores cannot be classified together: name one kind")
    if stores:
        found = _stored_features(open_store(*stores), head, run.features)
    else:
        files = find_images(inputs)
        found = _encoded_features(
            files, head, encoder or _run_encoder(run, device, progress), progress
        )
    near = nearest_training_images(run, found.X, N_NEIGHBOURS, fetch=fetch) if evidence else None
    best = _most_probable(head.calibrated(), found.X, top)
    predictions = [
        Prediction(path, *best[i], near[i] if near else ()) for i, path in enumerate(found.paths)
    ]
    return Predictions(tuple(predictions), found.skipped, run.assumed_prior)


def _read_head(run: Run) -> SavedHead:
    place = run.folder / HEAD_NPZ
    if not place.is_file():
        raise RunFormatError(
            f"the run {str(run.folder)!r} has no {HEAD_NPZ}: a head of {run.info['head']!r} "
            "cannot be kept as arrays, or the file was lost; fit another head"
        )
    return load_head(place)


@dataclass(frozen=True)
class _Features:
    """Features of the images that could be read, and (path, reason) of the others."""

    paths: list[str]
    X: npt.NDArray[np.float32]
    skipped: tuple[tuple[str, str], ...] = ()


def _stored_features(store: Store, head: SavedHead, features: FeatureKind) -> _Features:
    width, fingerprint = store.width(features), store.feature_fingerprint(features)
    if width != head.n_features_in_:
        raise DimensionError(
            f"the head was trained on features of {head.n_features_in_} numbers "
            f"({len(head.classes_)} × {head.n_features_in_}), {str(store.path)!r} holds "
            f"{len(store)} × {width}: name a store of the encoder that the run was made with"
        )
    if fingerprint != head.feature_fingerprint:
        raise StoreMismatchError(
            f"{str(store.path)!r} holds features of {store.encoder_name!r} ({fingerprint}), "
            f"the head was trained on others ({head.feature_fingerprint}): name a store of the "
            "encoder that the run was made with"
        )
    return _Features(list(store.paths), store.embeddings(np.arange(len(store)), features))


def _encoded_features(
    files: Sequence[Path], head: SavedHead, encoder: Encoder, progress: Progress
) -> _Features:
    trunk = head.feature_fingerprint == f"{encoder.spec.fingerprint}-trunk"
    if not trunk and head.feature_fingerprint != encoder.spec.fingerprint:
        raise StoreMismatchError(
            f"the encoder {encoder.spec.name!r} is not what it was when the run was made: its "
            f"fingerprint is {encoder.spec.fingerprint}, the head's {head.feature_fingerprint}. "
            "Extract and fit again"
        )
    encoded = encode_images(files, encoder, trunk=trunk, reporter=progress)
    skipped = tuple((str(files[at]), reason) for at, reason in encoded.skipped)
    if not len(encoded.rows):
        reasons = "; ".join(f"{path!r}: {reason}" for path, reason in skipped[:3])
        raise ImageError(f"none of {len(files)} images can be read: {reasons}")
    return _Features([str(files[at]) for at in encoded.rows], encoded.features, skipped)


def _run_encoder(run: Run, device: str, progress: Progress) -> Encoder:
    spec = run.info["encoder"]
    if spec.get("library") in ("imported", "joined"):
        raise InputError(
            f"the run {run.name!r} was made from features whose encoder is not known here "
            f"({spec.get('name')}): name a store of features instead of images"
        )
    progress.message(f"loading encoder {spec['name']}")
    encoder = load_encoder(
        spec["name"],
        device=device,
        precision=spec.get("precision", "fp32"),
        decoding=spec.get("decoding", "exact"),
        backend=recorded_backend(spec),
    )
    progress.message(f"encoding on {encoder.device}")
    return encoder


def _most_probable(
    head: SavedHead, X: npt.NDArray[np.float32], top: int
) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    probabilities = head.predict_proba(X)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    best = np.take_along_axis(probabilities, order, axis=1)
    names = head.class_names or tuple(map(str, head.classes_.tolist()))
    return [
        (tuple(names[k] for k in columns), tuple(values))
        for columns, values in zip(order.tolist(), best.tolist(), strict=True)
    ]
