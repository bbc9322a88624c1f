"""A classifier that may predict that a row is of none of its classes."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted, column_or_1d

from fishembed.classifiers.cross_validation import Folds, out_of_fold_logits
from fishembed.classifiers.novelty import KnownScores, Moments, indecision
from fishembed.errors import InputError


@dataclass(eq=False, repr=False)
class RejectingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Label rows as unknown that are like no class, or undecided between two.

    It has no `predict_proba`: probabilities know no unknown class. Those of the classes are
    `estimator_.predict_proba`.

    Parameters
    ----------
    estimator
        Any classifier of this package; it is cloned, not changed.
    send_back
        Share of rows of known classes that may be predicted as unknown; 0.05 by default.
    unknown
        The label for unknown rows; ``"unknown"`` for text labels and -1 for numbers when None.
    n_folds
        Parts of the cross-validation that scores known rows; 5 by default.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels, without the one for unknown.
    estimator_ : estimator
        The fitted clone.
    threshold_ : float
        Strangeness from which a row is unknown.
    n_features_in_ : int
        dim.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import GaussianHead, RejectingClassifier
    >>> y = np.arange(60) % 2
    >>> X = np.eye(3)[y] + 0.05 * np.random.default_rng(0).normal(size=(60, 3))
    >>> head = RejectingClassifier(GaussianHead()).fit(X, y)
    >>> head.predict([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).tolist()
    [0, -1]
    """

    estimator: Any
    _: KW_ONLY
    send_back: float = 0.05
    unknown: Any = None
    n_folds: int = 5
    random_state: int = 0

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None
    ) -> RejectingClassifier:
        """Fit the estimator, and score rows by clones that have not learnt from them.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels.
        groups
            (n_images,) rows of one group are never split; None for every row its own.

        Raises
        ------
        InputError
            `send_back` is no share between 0 and 1.
        """
        if not 0 < self.send_back < 1:
            raise InputError(f"send_back={self.send_back!r} must lie between 0 and 1.")
        y = column_or_1d(y, warn=True)
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = self.estimator_.classes_
        self.n_features_in_ = self.estimator_.n_features_in_
        rows, codes = np.asarray(X), np.unique(y, return_inverse=True)[1]
        named = None if groups is None else np.asarray(groups)
        folds = Folds.split(
            rows, codes, len(self.classes_), self.n_folds, random=self.random_state, groups=named
        )
        at = np.flatnonzero(folds.evaluated)
        logits = out_of_fold_logits(self.estimator, folds, self.classes_)
        moments = Moments.of(rows, codes)
        self._distances, bases = moments.distances()
        distance = np.empty((len(rows), 2))
        for k in range(folds.n_folds):
            held = folds.fold == k
            distance[held] = moments.distances(held, bases)[0](rows[held])
        undecided = indecision(logits.T) if len(at) else np.empty(0)
        self._known = KnownScores(undecided, distance[at], None if named is None else named[at])
        self.threshold_ = self._known.threshold(self.send_back)
        return self

    def strangeness(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return how unlike known rows each is, float64 (n_images,): larger is stranger.

        Parameters
        ----------
        X
            (n_images, dim) rows.
        """
        check_is_fitted(self, "threshold_")
        undecided = indecision(self.estimator_.logits(X))
        return self._known.strangeness(undecided, self._distances(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the most probable class of every row, or the label for unknown.

        Parameters
        ----------
        X
            (n_images, dim) rows.
        """
        strange = self.strangeness(X) > self.threshold_
        labels = np.asarray(self.estimator_.predict(X))
        label = self.unknown
        if label is None:
            label = "unknown" if labels.dtype.kind in "OUS" else -1
        return np.where(strange, np.asarray(label), labels)
