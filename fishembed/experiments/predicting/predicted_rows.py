"""From logits of images to predictions: priors, lists, pooling, unknown images, sets and taxa."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from fishembed._base.arrays import Array, largest, upper_quantile
from fishembed.classifiers.novelty import indecision
from fishembed.errors import InputError
from fishembed.evaluation.confidence import conformal_sets
from fishembed.evaluation.taxonomy import Taxonomy, roll_up
from fishembed.experiments.held_out import HeldOut
from fishembed.experiments.predicting.class_tables import ClassLists

MOST_OUTSIDE = 0.5
"""Probability outside the list from which on an image is sent back."""


@dataclass(frozen=True)
class PredictionOptions:
    """Options of prediction from logits.

    Attributes
    ----------
    unknown
        Whether images that are like no class, or undecided, are sent back.
    send_back
        Share of images of known classes that may be sent back, between 0 and 1.
    sets
        Probability with which a set of classes holds the truth; None for no sets.
    lists
        Which classes can be there.
    taxonomy, floor
        Taxa of the head's classes, and the probability that a predicted taxon needs.
    log_prior_shift
        (n_classes,) what is added to the logits for another class prior; None for nothing.
    prior
        (n_classes,) shares that the probabilities assume after that; None for unknown ones.
    """

    unknown: bool = True
    send_back: float = 0.05
    sets: float | None = None
    lists: ClassLists | None = None
    taxonomy: Taxonomy | None = None
    floor: float = 0.9
    log_prior_shift: Array | None = None
    prior: Array | None = None

    def __post_init__(self) -> None:
        """Raise InputError for a share outside 0 to 1."""
        for name, share in (("send_back", self.send_back), ("sets", self.sets)):
            if share is not None and not 0 < share < 1:
                raise InputError(f"{name}={share!r} must lie between 0 and 1, such as 0.05 or 0.95")
        if not 0 < self.floor <= 1:
            raise InputError(f"floor={self.floor!r} must be above 0 and at most 1")


@dataclass(frozen=True, eq=False)
class ImageScores:
    """Scores of images, or of groups of pooled images, that predictions are made from.

    `distance` is (n, n_distances) by `ClassDistances`; None where the run has none, or unknown
    images are not sought. `rows` are the numbers of the images that each is made of.
    """

    logits: Array  # (n, n_classes)
    distance: Array | None
    columns: Mapping[str, Sequence[str]]  # (n,) metadata each
    rows: Sequence[npt.NDArray[np.intp]]

    def pooled(self, column: str) -> ImageScores:
        """Average log probabilities and distances over the images of each value of a column.

        Groups come in the order of their first image; an image without a value stays alone.
        """
        keys = [value or f"\0{i}" for i, value in enumerate(self.columns[column])]
        place = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        group = np.array([place[key] for key in keys], np.intp)
        n = np.bincount(group, minlength=len(place))

        def means(values: Array) -> Array:
            total = np.zeros((len(place), values.shape[1]))
            np.add.at(total, group, values)
            return total / n[:, None]

        rows = np.split(np.argsort(group, kind="stable"), np.cumsum(n)[:-1])
        return ImageScores(
            means(log_softmax(self.logits, axis=1)),
            None if self.distance is None else means(self.distance),
            {name: [values[r[0]] for r in rows] for name, values in self.columns.items()},
            rows,
        )


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """Predictions of images, or of groups of pooled images; all (n, …).

    What was not asked for is None, or empty.
    """

    probabilities: Array  # of the head's classes, those outside the list included
    allowed: npt.NDArray[np.bool_] | None  # which classes are on the list
    outside: Array | None  # probability outside the list
    reasons: list[str]  # why each is sent back; "" where it is not
    sets: npt.NDArray[np.bool_] | None  # which classes belong to each set
    taxa: list[tuple[str, str, float]]  # rank, name and probability of each predicted taxon


def predict_rows(
    scores: ImageScores, names: Sequence[str], held_out: HeldOut | None, options: PredictionOptions
) -> PredictedRows:
    """Predict images from their scores.

    `names` are those of the classes, `held_out` the scores of held-out images, None where the
    run has none.
    """
    shift = 0 if options.log_prior_shift is None else options.log_prior_shift
    z = log_softmax(scores.logits + shift, axis=1)
    p = np.exp(z)
    allowed = outside = None
    within = z
    if options.lists is not None:
        values = scores.columns.get(options.lists.column, [""] * len(z))
        allowed = options.lists.allowed(values, names)
        outside = np.where(allowed, 0, p).sum(axis=1)
        within = np.where(allowed, z, -1e4)
    reasons = [""] * len(z)
    if options.unknown and held_out is not None and scores.distance is not None:
        reasons = _sent_back(
            within, scores.distance, outside, names=names, held_out=held_out, rate=options.send_back
        )
    sets = None
    if options.sets is not None:
        # The threshold was found for the head's own probabilities; its weights carry the prior.
        own = p if options.log_prior_shift is None else np.exp(log_softmax(scores.logits, axis=1))
        sets = conformal_sets(own, _set_threshold(held_out, options))
        if allowed is not None:
            sets &= allowed
    taxa = [] if options.taxonomy is None else _taxa(options.taxonomy, p, options.floor)
    return PredictedRows(p, allowed, outside, reasons, sets, taxa)


def _taxa(taxonomy: Taxonomy, p: Array, floor: float) -> list[tuple[str, str, float]]:
    rolled = roll_up(taxonomy, p, floor)
    levels, taxa, sure = rolled.level.tolist(), rolled.taxon.tolist(), rolled.probability.tolist()
    return [
        (taxonomy.level_name(level), taxonomy.taxon_name(level, taxon), p)
        for level, taxon, p in zip(levels, taxa, sure, strict=True)
    ]


def _sent_back(
    z: Array,
    distance: Array,
    outside: Array | None,
    *,
    names: Sequence[str],
    held_out: HeldOut,
    rate: float,
) -> list[str]:
    """Return the reason why each image is sent back; "" where it is not."""
    known, undecided = held_out.known, indecision(z)
    strange = known.strangeness(undecided, distance) > known.threshold(rate)
    far = known.is_distance(undecided, distance)
    reasons = [""] * len(z)
    for i, (first, second) in enumerate(largest(z, 2).tolist()):
        if outside is not None and outside[i] > MOST_OUTSIDE:
            reasons[i] = f"outside the list: {100 * outside[i]:.0f}% for classes not on it"
        elif strange[i] and far[i]:
            reasons[i] = "like none of the classes"
        elif strange[i]:
            reasons[i] = f"undecided between {names[first]} and {names[second]}"
    return reasons


def _set_threshold(held_out: HeldOut | None, options: PredictionOptions) -> float:
    if held_out is None or options.sets is None:
        raise InputError(
            "this run keeps no held-out scores, so no sets can be promised: make it with "
            "'fishembed fit' of this version"
        )
    weights = None
    if options.prior is not None:
        own = held_out.counts / held_out.counts.sum()
        weights = (options.prior / own)[held_out.codes]
    return upper_quantile(1 - held_out.p_true, options.sets, held_out.grouped, weights)
