"""Nearest-neighbour classification by cosine."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from fishembed._base.arrays import Double
from fishembed.classifiers.base import EmbeddingClassifier, Normalize
from fishembed.classifiers.head_function import FittedSum, NeighborVotes, Part
from fishembed.errors import InputError

if TYPE_CHECKING:
    from sklearn.neighbors import KNeighborsClassifier


@dataclass(eq=False, repr=False)
class NeighborsHead(EmbeddingClassifier):
    """Classify by scikit-learn's nearest neighbours over unit rows, which orders by cosine.

    Its nearest class mean is `GaussianHead` with ``shrinkage=1, pseudo_count=0``, and by cosine
    `ZeroShotClassifier` without text. `save_head` writes the training rows.

    Parameters
    ----------
    n_neighbors
        Neighbours that vote, 5 by default; all rows where there are fewer.
    weights
        ``"distance"`` (the default: closer ones count more) or ``"uniform"``.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` uses rows as is.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    model_ : KNeighborsClassifier
        The fitted model over scaled rows.
    n_features_in_ : int
        dim.

    Notes
    -----
    Cover and Hart 1967, "Nearest neighbor pattern classification".

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import NeighborsHead
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> NeighborsHead(n_neighbors=1).fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    n_neighbors: int = 5
    _: KW_ONLY
    weights: Literal["distance", "uniform"] = "distance"
    normalize: Normalize = "l2"

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> NeighborsHead:
        """Store the training rows.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            Fewer than two classes, or a parameter that cannot be used.
        """
        if self.n_neighbors < 1:
            raise InputError(f"n_neighbors={self.n_neighbors!r} must be at least 1.")
        rows, codes = self._validate_training(X, y)
        if self.weights not in ("distance", "uniform"):
            raise InputError(f"weights={self.weights!r}: use 'distance' or 'uniform'.")
        nearest = min(self.n_neighbors, len(rows))
        self._votes = NeighborVotes(self._normalized(rows), codes, nearest, self.weights)
        return self

    @property
    def model_(self) -> KNeighborsClassifier:
        """The fitted model over scaled rows."""
        return self._votes.model

    @property
    def fitted_sum(self) -> FittedSum:
        """The function that the head computes, as `save_head` writes it."""
        votes = Part(self._votes, unit=self.normalize == "l2")
        return FittedSum((votes,), np.zeros(len(self.classes_)))

    def logits(self, X: npt.ArrayLike) -> Double:
        """Return the logarithm of every class's share in the vote, -708 for none.

        Parameters
        ----------
        X
            (n_images, dim) numbers, one row for each image. With ``normalize="l2"`` any scale.

        Returns
        -------
        ndarray
            float64 (n_images, n_classes), columns in `classes_` order.

        Raises
        ------
        DimensionError
            dim differs from the one seen in `fit`.
        """
        check_is_fitted(self)
        return self._votes.logits(self._validate_rows(X), unit=self.normalize == "l2")
