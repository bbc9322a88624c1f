"""From logits of images to predictions: priors, lists, pooling, unknown images, sets and taxa."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from fishembed._base.arrays import largest, upper_quantile
from fishembed.classifiers.novelty import indecision
from fishembed.errors import InputError
from fishembed.evaluation.confidence import conformal_sets
from fishembed.evaluation.taxonomy import Taxonomy, roll_up
from fishembed.experiments.held_out import HeldOut
from fishembed.experiments.predicting.class_tables import ClassLists

Floats = npt.NDArray[Any]
MOST_OUTSIDE = 0.5
"""Probability outside the list from which on an image is sent back."""


@dataclass(frozen=True)
class PredictionOptions:
    """How images are predicted from their logits.

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
    log_prior_shift: Floats | None = None
    prior: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name, share in (("send_back", self.send_back), ("sets", self.sets)):
            if share is not None and not 0 < share < 1:
                raise InputError(f"{name}={share!r} must lie between 0 and 1, such as 0.05 or 0.95")
        if not 0 < self.floor <= 1:
            raise InputError(f"floor={self.floor!r} must be above 0 and at most 1")


@dataclass(frozen=True, eq=False)
class ImageScores:
    """What images, or groups of pooled images, are predicted from.

    Attributes
    ----------
    logits
        (n, n_classes).
    distance
        (n, n_distances) `ClassDistances`; None where the run keeps none, or unknown images are not
        looked for.
    columns
        (n,) metadata by column.
    rows
        Numbers of the images that each is made of: one, or those that are pooled.
    """

    logits: Floats
    distance: Floats | None
    columns: Mapping[str, Sequence[str]]
    rows: Sequence[npt.NDArray[np.intp]]

    def pooled(self, column: str) -> ImageScores:
        """Return the scores of the groups that share a value of a column."""
        logits, distance, rows = pool_rows(self.logits, self.distance, self.columns[column])
        columns = {name: [values[r[0]] for r in rows] for name, values in self.columns.items()}
        return ImageScores(logits, distance, columns, rows)


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """What is predicted of images, or of groups of pooled images; all (n, …).

    Attributes
    ----------
    probabilities
        Of the head's classes, those outside the list included.
    allowed
        Which classes are on the list; None where there is none.
    outside
        Probability outside the list; None where there is none.
    unknown, reasons
        Whether each is sent back, and why; "" where not.
    sets
        Which classes belong to each set; None where none were asked for.
    taxa
        (rank, name, probability) of each predicted taxon; empty where none were asked for.
    """

    probabilities: Floats
    allowed: npt.NDArray[np.bool_] | None
    outside: Floats | None
    unknown: npt.NDArray[np.bool_]
    reasons: list[str]
    sets: npt.NDArray[np.bool_] | None
    taxa: list[tuple[str, str, float]] = field(default_factory=list)


def predict_rows(
    scores: ImageScores, names: Sequence[str], kept: HeldOut | None, options: PredictionOptions
) -> PredictedRows:
    """Predict images from their scores.

    Parameters
    ----------
    scores
        Logits of the images, with what else they are predicted from.
    names
        Names of the classes.
    kept
        Scores of held-out training images; None where the run keeps none.
    options
        How they are predicted.
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
    unknown, reasons = np.zeros(len(z), bool), [""] * len(z)
    if options.unknown and kept is not None and scores.distance is not None:
        unknown, reasons = _sent_back(
            within, scores.distance, outside, names=names, kept=kept, rate=options.send_back
        )
    sets = None
    if options.sets is not None:
        # The threshold was found for the head's own probabilities; its weights carry the prior.
        own = p if options.log_prior_shift is None else np.exp(log_softmax(scores.logits, axis=1))
        sets = conformal_sets(own, _set_threshold(kept, options))
        if allowed is not None:
            sets &= allowed
    taxa = [] if options.taxonomy is None else _taxa(options.taxonomy, p, options.floor)
    return PredictedRows(p, allowed, outside, unknown, reasons, sets, taxa)


def _taxa(taxonomy: Taxonomy, p: Floats, floor: float) -> list[tuple[str, str, float]]:
    rolled = roll_up(taxonomy, p, floor)
    found = zip(rolled.level.tolist(), rolled.taxon.tolist(), rolled.probability, strict=True)
    return [
        (taxonomy.level_name(k), taxonomy.taxon_name(k, t), float(sure)) for k, t, sure in found
    ]


def _sent_back(
    z: Floats,
    distance: Floats,
    outside: Floats | None,
    *,
    names: Sequence[str],
    kept: HeldOut,
    rate: float,
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    known, undecided = kept.known, indecision(z)
    strange = known.strangeness(undecided, distance) > known.threshold(rate)
    far = known.is_distance(undecided, distance)
    first, second = largest(z, 2).T
    reasons = []
    for i in range(len(z)):
        if outside is not None and outside[i] > MOST_OUTSIDE:
            reasons.append(f"outside the list: {100 * outside[i]:.0f}% for classes not on it")
        elif not strange[i]:
            reasons.append("")
        elif far[i]:
            reasons.append("like none of the classes")
        else:
            reasons.append(f"undecided between {names[first[i]]} and {names[second[i]]}")
    return np.array([bool(reason) for reason in reasons]), reasons


def _set_threshold(kept: HeldOut | None, options: PredictionOptions) -> float:
    if kept is None or options.sets is None:
        raise InputError(
            "this run keeps no held-out scores, so no sets can be promised: make it with "
            "'fishembed fit' of this version"
        )
    weights = None
    if options.prior is not None:
        own = kept.counts / kept.counts.sum()
        weights = (options.prior / own)[kept.codes]
    return upper_quantile(1 - kept.p_true, options.sets, kept.grouped, weights)


def pool_rows(
    logits: Floats, distance: Floats | None, values: Sequence[str]
) -> tuple[Floats, Floats | None, list[npt.NDArray[np.intp]]]:
    """Average log probabilities and distances over the rows of one value.

    Parameters
    ----------
    logits, distance
        (n, n_classes) and (n, n_distances).
    values
        (n,) of the column; a row without one stays alone.

    Returns
    -------
    logits, distance, rows
        Of each group in order of its first row, and the numbers of its rows.
    """
    keys = [value or f"\0{i}" for i, value in enumerate(values)]
    place = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    group = np.array([place[key] for key in keys], np.intp)
    n = np.bincount(group, minlength=len(place))
    z = log_softmax(logits, axis=1)
    total = np.zeros((len(place), z.shape[1]))
    np.add.at(total, group, z)
    means = None
    if distance is not None:
        sums = [np.bincount(group, column, len(place)) for column in distance.T]
        means = np.stack(sums, axis=1) / n[:, None]
    order = np.argsort(group, kind="stable")
    return total / n[:, None], means, np.split(order, np.cumsum(n)[:-1])
