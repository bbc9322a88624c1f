"""Decision whether two images are copies of one photo, by their features and their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.nearest import BLOCK
from fishembed._base.perceptual_hash import bit_distances, hash_signs
from fishembed.evaluation.near_duplicate_threshold import Features, Threshold

SAME_BITS, SAME_BITS_IN_GROUP, ALIKE_BITS = 16, 8, 34
"""Bits of the hash in which the same photo differs at most: by its pixels alone, the same among
images of one group, such as a burst, and where its features confirm it."""


class PhotoWitness:
    """Tells copies of one photo from other images that are alike, by features and by pixels.

    Two images are copies where their pixels alone say so, or where their features are alike and
    their pixels confirm it. Images of one group, such as a burst of one animal, are alike anyway:
    there only the pixels count, and strictly. Where the pixels of an image are not known, its
    features alone decide, from the higher cosine.

    Parameters
    ----------
    threshold
        The cosines.
    hashes
        uint8 (n, 16), zeros where not known.
    groups
        Text (n,), "" for none.
    """

    def __init__(
        self, threshold: Threshold, hashes: npt.NDArray[np.uint8], groups: Sequence[str]
    ) -> None:
        self.threshold = threshold
        self._known: npt.NDArray[np.bool_] = np.asarray(hashes.any(axis=1))
        self._signs = hash_signs(hashes)
        names = np.array([name or f"\0{row}" for row, name in enumerate(groups)], np.str_)
        self._groups = np.unique(names, return_inverse=True)[1]

    def copies(
        self,
        a: Any,
        b: Any,
        cosines: npt.NDArray[np.float32],
        *,
        confirmed: float | None = None,
    ) -> npt.NDArray[np.bool_]:
        """Return which pairs are copies of one photo, bool (n_a, n_b).

        Parameters
        ----------
        a, b
            Row numbers or slices.
        cosines
            float32 (n_a, n_b) of their features.
        confirmed
            The cosine from which features confirm pixels; the threshold's when left out.
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
        """Return which rows have a copy among others, and which only an image that is alike.

        Parameters
        ----------
        queries, X_queries
            Row numbers, and their features (n, dim).
        rows, X
            Those to search.
        """
        copied, alike = np.zeros(len(queries), bool), np.zeros(len(queries), bool)
        for start in range(0, len(queries), block):
            some = slice(start, start + block)
            wanted = unit_rows(X_queries[some])
            for begin in range(0, len(rows), block):
                others = slice(begin, begin + block)
                cosines = np.asarray(wanted @ unit_rows(X[others]).T, np.float32)
                pairs = queries[some], rows[others], cosines
                # No photo is looked at here: what only might be a crop counts as a scene.
                sure = self.copies(*pairs, confirmed=self.threshold.cosine)
                copied[some] |= sure.any(axis=1)
                like = (cosines >= self.threshold.cosine) | self.copies(*pairs)
                alike[some] |= like.any(axis=1)
        return copied, alike & ~copied
