"""Scores of training images by clones of a head that were not fitted to them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from fishembed._base.arrays import Array, Codes
from fishembed._base.bounded_reading import check_npz, open_file
from fishembed._base.files import atomic_file
from fishembed._base.text import reason_of
from fishembed.classifiers.novelty import (
    ClassDistances,
    KnownScores,
    Moments,
    Spread,
    columns,
    indecision,
)
from fishembed.errors import RunFormatError
from fishembed.evaluation.corrected_counts import class_bias
from fishembed.experiments.train_test_split import some_rows
from fishembed.experiments.training import TrainingData

if TYPE_CHECKING:
    from fishembed.classifiers.cross_validation import HeldOutLogits

_GOLDEN = 0.618034
HELD_OUT_NPZ = "held_out.npz"
_FORMAT = "fishembed-held-out"
_N_PARTS = 3  # of the classes; each costs a fit to the rest
_LITTLE_WORK, _MOST_WORK = 100_000, 20_000_000
"""Rows times classes up to which every part is held out; beyond the second none is."""

_MOST_LOGITS = 2_000_000
"""Most logits that are stored, two bytes each."""
_DISTANCES = ("distance", "unseen_distance")
_LOGITS = ("logit_rows", "logits")
_ARRAYS = (
    *("codes", "predicted", "p_true", "indecision", "distance", "groups", "counts"),
    *("unseen_indecision", "unseen_distance", "unseen_codes"),
)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of training images by heads that were not fitted to them.

    Attributes
    ----------
    codes, predicted
        (n,) positions of the true and of the predicted class among the head's.
    p_true
        (n,) probability of the true class.
    indecision, distance
        (n,) and (n, n_distances), as in `KnownScores`.
    groups
        (n,) number of each image's group.
    counts
        (n_classes,) training images of each class.
    unseen_indecision, unseen_distance, unseen_codes
        The same of images whose whole class was held out.
    distances
        What measures the distance of new images.
    tau
        Share of the log training prior that the head's logits lack: 0 where its probabilities
        assume classes as common as in training, 1 where they assume all as common.
    logit_rows, logits
        Some of the rows, all where there are not very many, and float16 (n, n_classes) their
        calibrated logits, the largest 0; none in files of earlier versions.
    """

    codes: Codes
    predicted: Codes
    p_true: Array
    indecision: Array
    distance: Array
    groups: Codes
    counts: Codes
    unseen_indecision: Array
    unseen_distance: Array
    unseen_codes: Codes
    distances: ClassDistances
    tau: float
    logit_rows: Codes = field(default_factory=lambda: np.empty(0, np.intp))
    logits: Array = field(default_factory=lambda: np.empty((0, 0), np.float16))

    @property
    def log_prior_of_tau(self) -> Array:
        """Log share of each class that the head's probabilities assume, by one share for all."""
        return np.asarray((1 - self.tau) * np.log(self.counts / self.counts.sum()))

    @cached_property
    def log_prior(self) -> Array:
        """Log share of each class that the head's probabilities assume, up to a constant.

        `tau` for all classes, corrected for each class by its held-out images.
        """
        prior = self.log_prior_of_tau
        if not len(self.logits):
            return prior
        z = self.logits.astype(np.float64) - prior
        return np.asarray(prior - class_bias(z, self.codes[self.logit_rows]))

    @cached_property
    def known(self) -> KnownScores:
        """The scores of known images that new images are compared with."""
        return KnownScores(self.indecision, self.distance, self.grouped)

    @property
    def grouped(self) -> Codes | None:
        """Groups; None where every image is its own."""
        return self.groups if len(np.unique(self.groups)) < len(self.groups) else None

    def save(self, path: Path) -> None:
        """Write to one file that is read without pickle."""
        arrays = {name: getattr(self, name) for name in (*_ARRAYS, *_LOGITS)}
        for name in ("within", "overall"):
            arrays[f"{name}_directions"] = getattr(self.distances, name).directions
        about = {
            "format": _FORMAT,
            "version": 1,
            "tau": self.tau,
            "within": self.distances.within.precision,
            "overall": self.distances.overall.precision,
        }
        arrays |= {"means": self.distances.means, "centre": self.distances.centre}
        arrays["about"] = np.array(json.dumps(about, sort_keys=True))
        with atomic_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> HeldOut:
        """Read a file that `save` wrote.

        Raises
        ------
        RunFormatError
            When the file is damaged or of another format.
        """
        try:
            check_npz(path)
            with open_file(path) as stream, np.load(stream, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                arrays = {name: file[name] for name in _ARRAYS}
                arrays |= {name: file[name] for name in _LOGITS if name in file}
                within, overall = (
                    Spread(file[f"{name}_directions"], float(about[name]))
                    for name in ("within", "overall")
                )
                distances = ClassDistances(file["means"], file["centre"], within, overall)
            _check(about, arrays, distances)
            return cls(**arrays, distances=distances, tau=float(about["tau"]))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise RunFormatError(
                f"{str(path)!r} is damaged ({reason_of(error)}): fit again, or predict with "
                "--no-unknown"
            ) from error


def _check(about: Any, arrays: dict[str, Any], distances: ClassDistances) -> None:
    if about["format"] != _FORMAT or about["version"] != 1:
        raise ValueError(f"format {about['format']!r}, version {about['version']!r}")
    n, k = len(arrays["codes"]), len(arrays["counts"])
    fits = distances.means.shape == (k, len(distances.centre))
    fits &= all(columns(arrays[name]).shape[1:] in ((1,), (2,)) for name in _DISTANCES)
    if not fits or any(len(arrays[name]) != n for name in _ARRAYS[:6]):
        raise ValueError("its arrays do not fit together")
    if "logits" in arrays:
        rows, logits = arrays["logit_rows"], arrays["logits"]
        if logits.shape != (len(rows), k) or (len(rows) and not 0 <= rows.max() < n):
            raise ValueError("its logits do not fit its rows")


def score_held_out(
    head: Any, data: TrainingData, logits: HeldOutLogits, temperature: float, seed: int
) -> HeldOut:
    """Score training rows by heads and distances that were not fitted to them.

    `logits` of the training rows come from clones of the head fitted to the other rows; they are
    divided by `temperature`. `seed` draws the classes that are held out.
    """
    # Imported here: reading stored scores needs no scikit-learn, which takes a second to load.
    from fishembed.classifiers.cross_validation import aligned_logits, refit

    classes, codes = np.unique(data.y, return_inverse=True)
    moments = Moments.of(data.X, codes)
    whole, bases = moments.distances()
    distance = np.empty((len(logits.rows), 2))
    for k in range(int(logits.fold.max(initial=-1)) + 1):
        out = logits.fold == k
        inside = out[logits.rows]
        distance[inside] = moments.distances(out, bases)[0](data.X[logits.rows[inside]])
    undecided, far, of = [np.empty(0)], [np.empty((0, 2))], [np.empty(0, np.intp)]
    for out in _unseen_parts(codes, seed):
        fitted = refit(head, data.X[~out], data.y[~out])
        rest = classes[np.unique(codes[~out])]
        undecided.append(indecision(aligned_logits(fitted, data.X[out], rest) / temperature))
        far.append(moments.distances(out, bases)[0](data.X[out]))
        of.append(codes[out])
    z, own = logits.by_class.T.astype(np.float64) / temperature, codes[logits.rows]
    groups = np.arange(len(codes)) if data.groups is None else data.groups
    counts = np.bincount(codes)
    sampled = some_rows(np.arange(len(own)), max(1, _MOST_LOGITS // len(classes)), seed)
    return HeldOut(
        codes=own,
        predicted=z.argmax(axis=1) if len(own) else own,
        p_true=np.exp(log_softmax(z, axis=1)[np.arange(len(own)), own]),
        indecision=indecision(z) if len(own) else np.empty(0),
        distance=distance,
        groups=np.unique(groups[logits.rows], return_inverse=True)[1],
        counts=counts,
        unseen_indecision=np.concatenate(undecided),
        unseen_distance=np.concatenate(far),
        unseen_codes=np.concatenate(of),
        distances=whole,
        tau=_effective_tau(z, own, counts),
        logit_rows=sampled,
        logits=_largest_zero(z[sampled]),
    )


def _largest_zero(z: Array) -> Array:
    high = z.max(axis=1, keepdims=True) if len(z) else 0
    return np.asarray(np.maximum(z - high, -1e4), np.float16)


def _unseen_parts(codes: Codes, seed: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield the rows of each third of the classes; of one third where fits take long."""
    n_classes = int(codes.max()) + 1
    n_parts, work = min(_N_PARTS, n_classes // 2), len(codes) * n_classes
    if n_parts < 2 or work > _MOST_WORK:
        return
    part = np.random.default_rng(seed).permutation(n_classes) % n_parts
    for k in range(n_parts if work <= _LITTLE_WORK else 1):
        yield part[codes] == k


def _effective_tau(z: Array, codes: Codes, counts: Codes) -> float:
    """Fit the share of the log prior that held-out logits lack, to 0.001."""
    if not len(codes) or np.ptp(counts) == 0:
        return 0.0
    prior = np.log(counts / counts.sum())

    def loss(tau: float) -> float:
        own = log_softmax(z + tau * prior, axis=1)[np.arange(len(codes)), codes]
        return -float(own.mean())

    # By golden sections, since the loss is convex: SciPy's optimisers take a quarter of a second to
    # import.
    low, high = 0.0, 1.0
    while high - low > 1e-3:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2
