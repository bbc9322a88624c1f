"""Agreement of two predictions of the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.classifiers import SavedHead

LEAST_COSINE = 0.999
"""Between features of the same image, below which two encoders are not the same."""

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Agreement:
    """Agreement: how many images were compared and how many differ.

    Attributes
    ----------
    n_images
        Images that both answered.
    least_cosine, mean_cosine
        Between the two features of an image.
    same_top1
        Images for which both name the same class.
    largest_difference
        Between the two probabilities of a class.
    """

    n_images: int
    least_cosine: float
    mean_cosine: float
    same_top1: int
    largest_difference: float

    @classmethod
    def of(cls, head: SavedHead, ours: Floats, theirs: Floats) -> Agreement:
        """Compare two (n, dim) features of the same images, and what a head makes of them."""
        cosines = np.einsum("ij,ij->i", unit_rows(ours), unit_rows(theirs))
        first, second = head.predict_proba(ours), head.predict_proba(theirs)
        same = first.argmax(axis=1) == second.argmax(axis=1)
        return cls(
            len(ours),
            float(cosines.min()),
            float(cosines.mean()),
            int(same.sum()),
            float(np.abs(first - second).max()),
        )

    @property
    def holds(self) -> bool:
        """Whether every cosine is high enough and every image has the same class."""
        return self.least_cosine >= LEAST_COSINE and self.same_top1 == self.n_images

    def __str__(self) -> str:
        return (
            f"{self.same_top1} of {self.n_images} images get the same class, cosine "
            f"{self.least_cosine:.5f} at worst and {self.mean_cosine:.5f} on average, "
            f"probabilities differ by {self.largest_difference:.4f} at most"
        )
