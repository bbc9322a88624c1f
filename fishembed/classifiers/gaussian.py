"""Linear discriminant analysis with shrunken means and covariance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, Floats, add_class_sums
from fishembed._base.runtime import one_blas_thread
from fishembed.classifiers.base import LinearClassifier, Normalize, log_prior
from fishembed.classifiers.chunked_rows import ChunkedRows
from fishembed.classifiers.head_function import Whitening
from fishembed.classifiers.zero_shot import matching_anchors
from fishembed.errors import InputError

_BLOCK = 1024


@dataclass(frozen=True)
class GaussianStatistics:
    """Means and covariance of the same rows, from which every shrinkage follows."""

    counts: Double  # (n_classes,) rows of each class
    centre: Double  # (dim,) mean of the class means
    # (n_classes, dim): class means minus `centre`, 0 for a class without rows
    centred_means: Double
    # offsets, anchors: (n_classes, dim): these, and the means they are shrunk towards, in the basis
    # of `directions`; anchors are 0 where there is no text
    offsets: Double
    anchors: Double
    # variances, directions: (dim,) and (dim, dim): eigenvalues and eigenvectors of the covariance
    # within classes
    variances: Double
    directions: Double

    @classmethod
    def of(
        cls, rows: Floats | ChunkedRows, codes: npt.NDArray[np.intp], n_classes: int
    ) -> GaussianStatistics:
        """Compute the statistics of (n, dim) rows and the class of each, without text."""
        counts = np.bincount(codes, minlength=n_classes).astype(np.float64)
        means = _sums(rows, codes, n_classes) / np.maximum(counts, 1)[:, None]
        centre = means[counts > 0].mean(axis=0)
        degrees = len(rows) - np.count_nonzero(counts)
        around = means if degrees else np.broadcast_to(centre, means.shape)
        scatter = _scatter(rows, codes, around)
        variances, directions = np.linalg.eigh(scatter / max(int(degrees), 1))
        centred = np.where(counts[:, None] > 0, means - centre, 0)
        offsets, anchors = centred @ directions, np.zeros_like(centred)
        variances = np.maximum(variances, 0)
        return cls(counts, centre, centred, offsets, anchors, variances, directions)

    def with_text(self, text: Floats | None) -> GaussianStatistics:
        """Return the statistics with text (n_classes, dim), if any, to shrink means towards."""
        if text is None:
            return self
        anchors = _align_text(text, self.centred_means, self.counts)
        return replace(self, anchors=anchors @ self.directions)

    def precisions(self, shrinkage: float) -> Double:
        """(dim,) eigenvalues of the inverse of the shrunken covariance."""
        target = float(self.variances.mean()) or 1.0
        shrunken = (1 - shrinkage) * self.variances + shrinkage * target
        precisions: Double = 1 / np.maximum(shrunken, 1e-9 * target)
        return precisions

    def whitening(self, shrinkage: float) -> Whitening:
        """Return the root of the inverse of the shrunken covariance within classes."""
        matrix = self.directions * np.sqrt(self.precisions(shrinkage))
        return Whitening(matrix, self.centre @ matrix)

    def trust(self, pseudo_count: float) -> Double:
        """(n_classes,) weight of a class's own mean in its shrunken mean."""
        return self.counts / np.maximum(self.counts + pseudo_count, 1e-12)

    def linear_map(self, shrinkage: float, pseudo_count: float) -> tuple[Double, Double]:
        """Return weights (n_classes, dim) and bias (n_classes,), with uniform priors."""
        trust = self.trust(pseudo_count)[:, None]
        means = trust * self.offsets + (1 - trust) * self.anchors
        weighted = means * self.precisions(shrinkage)
        coef = weighted @ self.directions.T
        return coef, -0.5 * (weighted * means).sum(axis=1) - coef @ self.centre


def _align_text(text: Floats, offsets: Double, counts: Double) -> Double:
    """Centre text features and scale them onto the class means by least squares."""
    seen = counts > 0
    centred = text.astype(np.float64) - text[seen].mean(axis=0, dtype=np.float64)
    weights = counts[:, None]
    scale = max(float((weights * centred**2).sum()), 1e-300)
    stretch = float((weights * offsets * centred).sum()) / scale
    placed: Double = max(stretch, 0.0) * centred
    return placed


def _blocks(rows: Floats | ChunkedRows) -> Iterator[tuple[slice, Floats]]:
    """Yield the rows in blocks, and their positions."""
    if isinstance(rows, ChunkedRows):
        for span in rows.spans():
            yield slice(*span), rows.read(*span)
    else:
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            yield block, rows[block]


def _sums(rows: Floats | ChunkedRows, codes: npt.NDArray[np.intp], n_classes: int) -> Double:
    total = np.zeros((n_classes, rows.dim if isinstance(rows, ChunkedRows) else rows.shape[1]))
    for span, block in _blocks(rows):
        add_class_sums(total, block, codes[span])
    return total


def _scatter(rows: Floats | ChunkedRows, codes: npt.NDArray[np.intp], around: Double) -> Double:
    total = np.zeros((around.shape[1], around.shape[1]))
    for span, block in _blocks(rows):
        away = block - around[codes[span]]
        total += away.T @ away
    return total


@dataclass(eq=False, repr=False)
class GaussianHead(LinearClassifier):
    """Linear discriminant analysis that shrinks its covariance and the means of rare classes.

    The mean of a class with n rows counts n / (n + `pseudo_count`), the mean of all classes the
    rest: a mean of one or two rows is mostly noise, and used as it is puts its class too far
    out to be chosen. With text features the rest is the class's text, aligned with the images: the
    rarer a class, the more its text counts.

    Parameters
    ----------
    shrinkage
        Weight of the identity in the covariance, 0 to 1; 0.5 by default. 0 uses the covariance
        as it is, 1 is the nearest class mean.
    pseudo_count
        Rows that the mean of all classes, or the text, counts for in the mean of each; 1 by
        default, 0 for none.
    prior
        ``"uniform"`` (the default: every class as likely, which is what macro recall asks for) or
        ``"empirical"`` (shares in the training rows).
    text_features
        (n_classes, dim) or (n_classes, n_prompts, dim), rows in the order of the sorted labels.
        Default: none.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` uses rows as is.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_ : ndarray
        (n_classes, dim) in the dtype of the rows.
    intercept_ : ndarray
        (n_classes,).
    n_features_in_ : int
        dim.

    Notes
    -----
    Friedman 1989, "Regularized Discriminant Analysis", eq. 18, with the pooled covariance;
    shrunken means: Efron and Morris 1973, "Stein's Estimation Rule and Its Competitors". On
    features of CLIP: Wang et al. 2024, "A Hard-to-Beat Baseline for Training-free CLIP-based
    Adaptation", eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import GaussianHead
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> GaussianHead(shrinkage=0.5).fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    shrinkage: float = 0.5
    _: KW_ONLY
    pseudo_count: float = 1.0
    prior: Literal["uniform", "empirical"] = "uniform"
    text_features: npt.ArrayLike | None = None
    normalize: Normalize = "l2"

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> GaussianHead:
        """Learn means and covariance.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels, numbers or strings.

        Raises
        ------
        DimensionError
            `text_features` do not fit the rows or the classes.
        InputError
            Fewer than two classes, or a parameter that cannot be used.
        """
        self._check_parameters()
        rows, codes = self._validate_training(X, y)
        n_classes = len(self.classes_)
        text = matching_anchors(self.text_features, n_classes, self.n_features_in_)
        with one_blas_thread():
            statistics = GaussianStatistics.of(self._normalized(rows), codes, n_classes)
            coef, intercept = statistics.with_text(text).linear_map(
                self.shrinkage, self.pseudo_count
            )
        if self.prior == "empirical":
            intercept += log_prior(codes, n_classes)
        self.coef_, self.intercept_ = coef.astype(rows.dtype), intercept.astype(rows.dtype)
        return self

    def _check_parameters(self) -> None:
        if not 0 <= self.shrinkage <= 1:
            raise InputError(f"shrinkage={self.shrinkage!r} must lie between 0 and 1.")
        if not self.pseudo_count >= 0:
            raise InputError(f"pseudo_count={self.pseudo_count!r} must not be negative.")
        if self.prior not in ("uniform", "empirical"):
            raise InputError(f"prior={self.prior!r} is unknown: use 'uniform' or 'empirical'.")
