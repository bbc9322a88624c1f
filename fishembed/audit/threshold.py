"""From which cosine on two pictures are one picture: read off the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.audit.search import Features, Floats, nearest_apart
from fishembed.errors import InputError

_SAMPLE = 4096
_DEVIATIONS = 4.0
_LOWEST, _HIGHEST = 0.9, 0.9999
"""Classes may be so far apart that four deviations beyond them lie in the midst of a class."""
_NORMAL_90 = 1.2815515655446004
"""The 90% quantile of the normal distribution."""


@dataclass(frozen=True)
class Threshold:
    """The cosine from which two pictures count as near-duplicates.

    Attributes
    ----------
    cosine
        The threshold.
    how
        One sentence: where it comes from.
    nearest
        float32 (n_sampled,) cosines of pictures with the nearest picture that is certainly
        another one; empty where the threshold was given.
    """

    cosine: float
    how: str
    nearest: Floats


def choose_threshold(
    features: Features,
    codes: npt.NDArray[np.integer[Any]],
    apart: str,
    *,
    seed: int = 0,
) -> Threshold:
    """Choose the threshold far beyond the likeness of pictures that are not the same.

    How near is the nearest picture that is certainly another one: of another class or group?
    The logarithms of these cosine distances are close to normal on vectors of image encoders.
    The threshold lies four of their standard deviations below their median. Both come from
    the median and the lowest tenth, so that up to a tenth of wrong labels, or copies under
    two labels, does not move them much. It is 0.9 at least.

    Parameters
    ----------
    features
        (n, dim).
    codes
        Integers (n,): rows of different codes are different pictures; -1 where not known.
    apart
        What the codes are: "class", "group" or "picture".
    seed
        Of the sample of 4,096 rows, where there are more.
    """
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(codes >= 0)
    if len(rows) > _SAMPLE:
        rows = np.sort(rng.choice(rows, _SAMPLE, replace=False))
    nearest = nearest_apart(features, rows, codes)
    distances = 1 - nearest[nearest > -1].astype(np.float64)
    distances = distances[distances > 0]
    if len(distances) < 2:
        return Threshold(_HIGHEST, "the data are too few to choose from", nearest)
    middle, low = np.quantile(np.log(distances), [0.5, 0.1])
    spread = max((middle - low) / _NORMAL_90, 1e-6)
    cosine = float(np.clip(1 - np.exp(middle - _DEVIATIONS * spread), _LOWEST, _HIGHEST))
    how = (
        f"four standard deviations beyond the likeness of nearest pictures of another {apart}, "
        f"whose median is {1 - np.exp(middle):.3f}"
    )
    return Threshold(cosine, how, nearest)


def given_threshold(cosine: float) -> Threshold:
    """Take a threshold that was named.

    Raises
    ------
    InputError
        When it is no cosine of similar pictures.
    """
    if not 0 < cosine <= 1:
        raise InputError(f"threshold={cosine} must lie above 0 and at most at 1: it is a cosine")
    return Threshold(cosine, "given", np.zeros(0, np.float32))
