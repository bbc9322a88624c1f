"""The cosine from which two images are near-duplicates, chosen from the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.audit.connected_rows import connected_groups
from fishembed.audit.similar_pairs import Features, nearest_in_other_groups
from fishembed.cache import FeatureStore
from fishembed.errors import InputError

_SAMPLE = 4096
_DEVIATIONS = 4.0
_LOWEST, _HIGHEST = 0.9, 0.9999
"""Classes may be so far apart that four deviations beyond them lie in the midst of a class."""
_NORMAL_90 = 1.2815515655446004
"""The 90% quantile of the normal distribution."""


@dataclass(frozen=True)
class Threshold:
    """The cosine from which two images count as near-duplicates."""

    cosine: float  # The threshold
    how: str  # One sentence: where it comes from


def duplicate_threshold(store: FeatureStore, cosine: float | None, seed: int) -> Threshold:
    """Return the threshold that the user named, or choose one from the store's features."""
    if cosine is not None:
        return given_threshold(cosine)
    labels = store.labels
    if any(store.groups):
        groups, kind = connected_groups(store.groups), "group"
    elif len(np.unique(labels[labels >= 0])) > 1:
        groups, kind = labels.astype(np.intp), "class"
    else:
        groups, kind = np.arange(len(store)), "image"
    return choose_threshold(store.features, groups, kind, seed=seed)


def choose_threshold(
    features: Features,
    groups: npt.NDArray[np.integer[Any]],
    kind: str,
    *,
    seed: int = 0,
) -> Threshold:
    """Choose the threshold far beyond the similarity of images that are not the same.

    How near is the nearest image that is certainly another one: of another class or group?
    The logarithms of these cosine distances are close to normal on vectors of image encoders.
    The threshold lies four of their standard deviations below their median. Both come from
    the median and the lowest tenth, so that up to a tenth of wrong labels, or copies under
    two labels, does not move them much. It is 0.9 at least.

    Parameters
    ----------
    features
        (n, dim).
    groups
        Integers (n,): rows of different groups are different images; -1 where not known.
    kind
        What the groups are: "class", "group" or "image".
    seed
        Of the sample of 4,096 rows, where there are more.
    """
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(groups >= 0)
    if len(rows) > _SAMPLE:
        rows = np.sort(rng.choice(rows, _SAMPLE, replace=False))
    nearest = nearest_in_other_groups(features, rows, groups)
    distances = 1 - nearest[nearest > -1].astype(np.float64)
    distances = distances[distances > 0]
    if len(distances) < 2:
        return Threshold(_HIGHEST, "the data are too few to choose from")
    middle, low = np.quantile(np.log(distances), [0.5, 0.1])
    spread = max((middle - low) / _NORMAL_90, 1e-6)
    cosine = float(np.clip(1 - np.exp(middle - _DEVIATIONS * spread), _LOWEST, _HIGHEST))
    how = (
        f"four standard deviations beyond the similarity of nearest images of another {kind}, "
        f"whose median is {1 - np.exp(middle):.3f}"
    )
    return Threshold(cosine, how)


def given_threshold(cosine: float) -> Threshold:
    """Return a threshold that the user named.

    Raises
    ------
    InputError
        When it is no cosine of similar images.
    """
    if not 0 < cosine <= 1:
        raise InputError(f"threshold={cosine} must lie above 0 and at most at 1: it is a cosine")
    return Threshold(cosine, "given")
