"""Features to predict from: those of a store, or of images encoded now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import NoProgress, Progress
from fishembed._base.text import unknown_column
from fishembed.cache import FeatureKind, Store, is_store, open_store
from fishembed.cache.store_columns import metadata_texts
from fishembed.classifiers import SavedHead
from fishembed.encoders import Encoder, load_encoder
from fishembed.errors import DimensionError, ImageError, InputError, StoreMismatchError
from fishembed.experiments.runs.run_folder import Run
from fishembed.extraction import encode_images
from fishembed.extraction.recorded_encoder import load_recorded_encoder
from fishembed.images import files_and_frames, find_images


@dataclass(frozen=True)
class InputFeatures:
    """Features of the images that could be read, and (path, reason) of the others.

    Attributes
    ----------
    paths, X
        As the images were named, or as the store names them, and float32 (n, dim).
    skipped, left_out
        (path, reason) of images that could not be read, and of files in the folders that seem to
        be images and are not read.
    columns
        Texts by name: a store's metadata and groups, the folder of an image.
    """

    paths: list[str]
    X: npt.NDArray[np.float32]
    skipped: tuple[tuple[str, str], ...] = ()
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()

    def named_columns(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return some columns; raise InputError where there is none of a name."""
        for name in names:
            if name not in self.columns:
                raise InputError(
                    f"these images have {unknown_column(name, self.columns)}; columns come with a "
                    "store"
                )
        return {name: self.columns[name] for name in names}


def read_input_features(
    run: Run,
    head: SavedHead,
    inputs: Sequence[str | Path],
    *,
    device: str = "auto",
    encoder: Encoder | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> InputFeatures:
    """Read the features of stores, or encode images; see `predict_run` for both."""
    progress = progress or NoProgress()
    stores = [is_store(name) for name in inputs]
    if any(stores) and not all(stores):
        raise InputError("images and stores cannot be classified together: name one kind")
    if any(stores):
        return _stored_features(open_store(*inputs), head, run.features)
    left_out: list[tuple[str, str]] = []
    files = find_images(inputs, left_out)
    encoder = encoder or run_encoder(run, device, progress, trust=trust)
    return replace(_encoded_features(files, head, encoder, progress), left_out=tuple(left_out))


def run_encoder(run: Run, device: str, progress: Progress, *, trust: bool = False) -> Encoder:
    """Load the encoder that a run was made with, see `load_recorded_encoder`."""
    spec = run.info["encoder"]
    if spec.get("library") in ("imported", "joined"):
        raise InputError(
            f"the run {run.name!r} was made from features whose encoder is not known here "
            f"({spec.get('name')}): name a store of features instead of images"
        )
    return load_recorded_encoder(
        spec, device=device, trust=trust, beside=run.folder, progress=progress, load=load_encoder
    )


def check_head_fits(head: SavedHead, store: Store, features: FeatureKind) -> None:
    """Raise DimensionError or StoreMismatchError where a head learnt from other features."""
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


def _stored_features(store: Store, head: SavedHead, features: FeatureKind) -> InputFeatures:
    check_head_fits(head, store, features)
    rows = np.arange(len(store))
    X, columns = store.embeddings(rows, features), metadata_texts(store, rows)
    return InputFeatures(list(store.paths), X, columns=columns)


def _encoded_features(
    files: Sequence[Path], head: SavedHead, encoder: Encoder, progress: Progress
) -> InputFeatures:
    trunk = head.feature_fingerprint == f"{encoder.spec.fingerprint}-trunk"
    if not trunk and head.feature_fingerprint != encoder.spec.fingerprint:
        raise StoreMismatchError(
            f"the encoder {encoder.spec.name!r} is not what it was when the run was made: its "
            f"fingerprint is {encoder.spec.fingerprint}, the head's {head.feature_fingerprint}. "
            "Extract and fit again"
        )
    images = files_and_frames(files)
    names = list(images)
    encoded = encode_images(list(images.values()), encoder, trunk=trunk, reporter=progress)
    skipped = tuple((names[at], reason) for at, reason in encoded.skipped)
    if not len(encoded.rows):
        reasons = "; ".join(f"{path!r}: {reason}" for path, reason in skipped[:3])
        raise ImageError(f"none of {len(files)} images can be read: {reasons}")
    paths = [names[at] for at in encoded.rows]
    folders = {"folder": [Path(path).parent.name for path in paths]}
    return InputFeatures(paths, encoded.features, skipped, folders)
