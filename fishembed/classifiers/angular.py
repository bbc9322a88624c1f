"""Logistic regression over whitened directions."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from fishembed._base.runtime import one_blas_thread
from fishembed.classifiers.base import (
    Codes,
    EmbeddingClassifier,
    Floats,
    MapPredictor,
    Normalize,
)
from fishembed.classifiers.chunked_rows import ChunkedRows, is_chunked
from fishembed.classifiers.fitted_map import FittedMap, Whitening
from fishembed.classifiers.gaussian import GaussianStatistics
from fishembed.classifiers.row_weights import log_prior
from fishembed.classifiers.solver.chunked_softmax import ChunkedRotated
from fishembed.classifiers.solver.regularization_path import Limits, Optimum, solve_path
from fishembed.classifiers.solver.softmax import Rotated
from fishembed.errors import InputError


class AngularHead(MapPredictor, EmbeddingClassifier):
    """Fit logistic regression to whitened rows of length 1, and correct it for the class prior.

    The covariance within classes, shrunken, tells in which directions images of one class differ
    anyway. Rows are centred, divided by its root and scaled to length 1: how far an image lies
    out no longer counts, only where. Rare classes gain most.

    Parameters
    ----------
    C
        Inverse strength of the penalty, as scikit-learn's, on whitened directions; 30 by default.
    shrinkage
        Weight of the identity in the covariance, 0 to 1; 0.5 by default.
    tau
        Share of the log class prior that is subtracted from the logits; 1 (the default) is what
        macro recall asks for, 0 leaves frequent classes preferred.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` takes rows as is.
    max_iter, tol
        As in `LogisticHead`.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    n_features_in_ : int
        dim.
    n_iter_ : int
        Quasi-Newton steps used.
    converged_ : bool
        Whether `tol` was reached, or rounding allows no more; if not, `fit` also warns.

    Notes
    -----
    Whitening within classes before a softmax is linear discriminant analysis (Fisher 1936);
    shrinkage: Friedman 1989, "Regularized Discriminant Analysis", eq. 18. Centred, whitened rows
    of length 1 are compared by angle in speaker recognition: Garcia-Romero and Espy-Wilson 2011,
    "Analysis of i-vector Length Normalization in Speaker Recognition Systems", section 3. The
    prior: Menon et al. 2021, "Long-tail learning via logit adjustment", eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import AngularHead
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> AngularHead().fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    def __init__(
        self,
        C: float = 30.0,
        *,
        shrinkage: float = 0.5,
        tau: float = 1.0,
        normalize: Normalize = "l2",
        max_iter: int = 1000,
        tol: float = 1e-7,
    ) -> None:
        self.C = C
        self.shrinkage = shrinkage
        self.tau = tau
        self.normalize = normalize
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> AngularHead:
        """Learn the whitening, then the weights.

        Parameters
        ----------
        X
            (n_images, dim) features. Anything that is not a NumPy array but has `shape`, `dtype`
            and slices (`FeatureStore.lazy_split`, an `h5py.Dataset`) is read chunk by chunk in
            every step and need not fit into memory.
        y
            (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            Fewer than two classes, or a parameter that cannot be used.

        Warns
        -----
        ConvergenceWarning
            `max_iter` was reached first.
        """
        self._check_parameters()
        chunked = self._validate_chunked_training(X, y) if is_chunked(X) else None
        rows, codes = chunked or self._validate_training(X, y)
        dtype = np.float32 if isinstance(rows, ChunkedRows) else rows.dtype
        with one_blas_thread():
            source = rows if isinstance(rows, ChunkedRows) else self._normalized(rows)
            statistics = GaussianStatistics.of(source, codes, len(self.classes_))
            whitening = Whitening.of(statistics, self.shrinkage)
            coef, intercept = self._solve(source, codes, whitening)
        intercept = intercept - self.tau * log_prior(codes, len(self.classes_))
        self._fitted_map = FittedMap.of_direction(whitening, coef, intercept).astype(dtype)
        return self

    def _solve(
        self, rows: Floats | ChunkedRows, codes: Codes, whitening: Whitening
    ) -> tuple[Floats, Floats]:
        weights = np.ones(len(rows))
        data = (
            ChunkedRotated.over(rows.mapped(whitening.directions, len(whitening.centre)), weights)
            if isinstance(rows, ChunkedRows)
            else Rotated.of(whitening.directions(rows), weights)
        )
        n_classes = len(self.classes_)
        limits = Limits(self.tol, self.max_iter)
        [optimum] = solve_path(data, codes, weights, n_classes, [self.C], limits=limits)
        self._learn(optimum)
        return data.unrotate(optimum.parameters)

    def _learn(self, optimum: Optimum) -> None:
        self.n_iter_, self.converged_ = optimum.n_iter, optimum.converged
        if not self.converged_:
            warnings.warn(
                f"AngularHead(C={self.C:g}) stopped at max_iter={self.max_iter} with an "
                f"estimated gap of {optimum.gap:.1e}, tol={self.tol:g}: raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _check_parameters(self) -> None:
        if not self.C > 0:
            raise InputError(f"C={self.C!r} must be above 0.")
        if not 0 <= self.shrinkage <= 1:
            raise InputError(f"shrinkage={self.shrinkage!r} must lie between 0 and 1.")
        if not self.tau >= 0:
            raise InputError(f"tau={self.tau!r} must not be negative.")
