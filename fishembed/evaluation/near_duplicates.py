"""Near-duplicates: the cosine from which they count, and pairs that are copies of one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import BLOCK, nearest_rows, unit_rows
from fishembed._base.perceptual_hash import bit_distances, hash_signs
from fishembed.errors import InputError

_SAMPLE = 1024
_DEVIATIONS = 4.0
_LOWEST, _HIGHEST = 0.9, 0.9999
"""Classes may be so far apart that four deviations beyond them lie in the midst of a class."""
_CONFIRMED = 1.0
"""Deviations beyond them for images whose pixels are alike too."""
_LOWEST_CONFIRMED = 0.5
_MAYBE_BITS = 48
"""Up to here two images may be copies after several changes; a twentieth of all others are too."""
_NORMAL_75, _NORMAL_90, _NORMAL_95 = 0.6744897501960817, 1.2815515655446004, 1.6448536269514722
"""Quantiles of the normal distribution."""

SAME_BITS, SAME_BITS_IN_GROUP, ALIKE_BITS = 16, 8, 34
"""Bits of the hash in which copies differ at most: by its pixels alone, the same among
images of one group, such as a burst, and where its features confirm it."""

Features = npt.NDArray[Any]
"""(n, dim) float16 or float32, an array or what can be sliced as one; rows of any length."""
Groups = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Threshold:
    """The cosine from which two images count as near-duplicates, and where it comes from."""

    cosine: float
    how: str
    confirmed: float = 1.0
    """The lower cosine, for images whose pixels confirm it."""


def near_duplicate_threshold(
    features: Features,
    labels: npt.NDArray[np.integer[Any]],
    groups: Sequence[str],
    *,
    cosine: float | None = None,
    seed: int = 0,
    hashes: npt.NDArray[np.uint8] | None = None,
) -> Threshold:
    """Return the threshold that the user named, or choose one from the data.

    Images of different groups are certainly different ones; without groups those of different
    classes are, and without classes all count as different.

    Parameters
    ----------
    features
        (n, dim).
    labels
        Integers (n,), -1 for none.
    groups
        Text (n,), "" for none.
    cosine
        The threshold that the user named.
    seed
        Of the sample of 1,024 rows, where there are more.
    hashes
        uint8 (n, 16): perceptual hashes. With them, copies are left out of what is certainly
        different, however many they are.

    Raises
    ------
    InputError
        When `cosine` is no cosine of similar images.

    Examples
    --------
    >>> near_duplicate_threshold(np.eye(4), np.arange(4), [""] * 4, cosine=0.95)
    Threshold(cosine=0.95, how='given', confirmed=1.0)
    """
    if cosine is not None:
        if not 0 < cosine <= 1:
            raise InputError(
                f"threshold={cosine} must lie above 0 and at most at 1: it is a cosine"
            )
        if hashes is None or not hashes.any():
            return Threshold(cosine, "given")
        chosen = near_duplicate_threshold(features, labels, groups, seed=seed, hashes=hashes)
        return Threshold(cosine, "given", min(cosine, chosen.confirmed))
    if any(groups):
        known, kind = _group_codes(groups), "group"
    elif len(np.unique(labels[labels >= 0])) > 1:
        known, kind = labels, "class"
    else:
        known, kind = np.arange(len(labels)), "image"
    return choose_threshold(features, known, kind, seed=seed, hashes=hashes)


def _group_codes(groups: Sequence[str]) -> Groups:
    """Return the number of each row's group; a row without one is its own."""
    names = np.array([name or f"\0{row}" for row, name in enumerate(groups)], np.str_)
    return np.asarray(np.unique(names, return_inverse=True)[1])


def choose_threshold(
    features: Features,
    groups: Groups,
    kind: str,
    *,
    seed: int = 0,
    hashes: npt.NDArray[np.uint8] | None = None,
) -> Threshold:
    """Choose the threshold far beyond the similarity of images that are not the same.

    The logarithms of the cosine distances from images to the nearest image that is certainly
    another one are close to normal on features of image encoders. The threshold lies four of
    their standard deviations below their median, and at 0.9 at least.

    Both come from quantiles that copies do not reach: copies under two labels, or in two groups,
    are few, so that the median and the lowest tenth are free of them. Where it is not known which
    images are different, each copy is the nearest image of its original: there the median and the
    upper tenth are used, and where copies reach the median, the most distant quarter.

    Rows of different groups, of the `kind` "class", "group" or "image", are different images; -1
    where not known. The other parameters are those of `near_duplicate_threshold`.
    """
    rows = np.flatnonzero(groups >= 0)
    if len(rows) > _SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _SAMPLE, replace=False))
    seen = hashes is not None and bool(hashes.any())
    nearest = nearest_in_other_groups(features, rows, groups, hashes=hashes if seen else None)
    distances = 1 - nearest[nearest > -1].astype(np.float64)
    distances = distances[distances > 0]
    if len(distances) < 2:
        return Threshold(_HIGHEST, "the data are too few to choose from")
    middle, spread = _robust_normal(
        np.log(distances), copies_are_nearest=kind == "image" and not seen
    )
    cosine = float(np.clip(1 - np.exp(middle - _DEVIATIONS * spread), _LOWEST, _HIGHEST))
    how = (
        f"four standard deviations beyond the similarity of nearest images of another {kind}, "
        f"whose median is {1 - np.exp(middle):.3f}"
    )
    lower = float(np.clip(1 - np.exp(middle - _CONFIRMED * spread), _LOWEST_CONFIRMED, cosine))
    return Threshold(cosine, how, lower)


def _robust_normal(
    values: npt.NDArray[np.float64], *, copies_are_nearest: bool
) -> tuple[float, float]:
    """Return the median and standard deviation of the values that belong to no copies."""
    low, middle, upper, high, top = np.quantile(values, [0.1, 0.5, 0.75, 0.9, 0.95])
    spread = (high - middle if copies_are_nearest else middle - low) / _NORMAL_90
    if copies_are_nearest:
        quarter = (top - upper) / (_NORMAL_95 - _NORMAL_75)
        if upper - middle > 2 * _NORMAL_75 * quarter:  # copies reach the median
            middle, spread = upper - _NORMAL_75 * quarter, quarter
    return float(middle), max(float(spread), 1e-6)


def nearest_in_other_groups(
    features: Features,
    rows: npt.NDArray[np.intp],
    groups: Groups,
    *,
    block: int = BLOCK,
    hashes: npt.NDArray[np.uint8] | None = None,
) -> npt.NDArray[np.float32]:
    """Return for some rows the float32 cosine with the nearest row of another group; -1 for none.

    Rows of one group are not compared, nor those of groups below 0, nor, with perceptual hashes,
    pairs of like pixels.
    """
    signs = None if hashes is None else hash_signs(hashes)

    def excluded(some: slice, others: slice) -> npt.NDArray[np.bool_]:
        same = (groups[rows[some]][:, None] == groups[None, others]) | (groups[None, others] < 0)
        if signs is not None:
            same |= bit_distances(signs[rows[some]], signs[others]) <= _MAYBE_BITS
        return np.asarray(same)

    _, cosines = nearest_rows(
        features[rows],
        lambda start, stop: features[start:stop],
        len(groups),
        excluded=excluded,
        block=block,
    )
    return cosines[:, 0]


class CopyDetector:
    """Detector of copies of one image among images that are alike, by features and by pixels.

    Two images are copies where their pixels alone suffice, or where their features are alike and
    their pixels confirm it. Images of one group, such as a burst of one animal, are alike anyway:
    there only the pixels count, and strictly. Where the pixels of an image are not known, its
    features alone decide, from the higher cosine.
    Hashes are uint8 (n, 16), zeros where not known; groups are text, "" for none.
    """

    def __init__(
        self, threshold: Threshold, hashes: npt.NDArray[np.uint8], groups: Sequence[str]
    ) -> None:
        self.threshold = threshold
        self._known: npt.NDArray[np.bool_] = np.asarray(hashes.any(axis=1))
        self._signs = hash_signs(hashes)
        self._groups = _group_codes(groups)

    def copies(
        self,
        a: Any,
        b: Any,
        cosines: npt.NDArray[np.float32],
        *,
        confirmed: float | None = None,
    ) -> npt.NDArray[np.bool_]:
        """Return which pairs are copies of one image, bool (n_a, n_b), by row numbers or slices.

        `confirmed` is the cosine from which features confirm pixels; the threshold's by default.
        """
        confirmed = self.threshold.confirmed if confirmed is None else confirmed
        known_a, known_b = np.asarray(self._known[a]), np.asarray(self._known[b])
        both = known_a[:, None] & known_b[None]
        if not both.any():
            return np.asarray(cosines >= self.threshold.cosine)
        bits = bit_distances(self._signs[a], self._signs[b])
        same_group = self._groups[a][:, None] == self._groups[b][None]
        alone = bits <= np.where(same_group, SAME_BITS_IN_GROUP, SAME_BITS)
        sure = (cosines >= confirmed) & (bits <= ALIKE_BITS) & ~same_group
        return np.where(both, alone | sure, cosines >= self.threshold.cosine)

    def nearly_equal(
        self, first: npt.NDArray[np.integer[Any]], second: npt.NDArray[np.integer[Any]]
    ) -> npt.NDArray[np.bool_]:
        """Return which pairs of rows have hashes that nearly agree, whatever their features."""
        found = np.zeros(len(first), bool)
        for start in range(0, len(first), BLOCK):
            a, b = first[start : start + BLOCK], second[start : start + BLOCK]
            bits = [
                bit_distances(self._signs[[i]], self._signs[[j]])[0, 0]
                for i, j in zip(a, b, strict=True)
            ]
            found[start : start + len(a)] = np.array(bits) <= SAME_BITS_IN_GROUP
        return np.asarray(found & self._known[first] & self._known[second])

    def find_among(
        self,
        queries: npt.NDArray[np.integer[Any]],
        X_queries: Features,
        rows: npt.NDArray[np.integer[Any]],
        X: Features,
        *,
        block: int = BLOCK,
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which queries have a copy among rows, and which only an image that is alike.

        Both are row numbers, with their (n, dim) features.
        """
        copied, alike = np.zeros(len(queries), bool), np.zeros(len(queries), bool)
        for start in range(0, len(queries), block):
            some = slice(start, start + block)
            wanted = unit_rows(X_queries[some])
            for begin in range(0, len(rows), block):
                others = slice(begin, begin + block)
                cosines = np.asarray(wanted @ unit_rows(X[others]).T, np.float32)
                pairs = queries[some], rows[others], cosines
                # No image is read here: a pair that only might be a crop counts as a scene.
                sure = self.copies(*pairs, confirmed=self.threshold.cosine)
                copied[some] |= sure.any(axis=1)
                like = (cosines >= self.threshold.cosine) | self.copies(*pairs)
                alike[some] |= like.any(axis=1)
        return copied, alike & ~copied
