"""Logistic regression over features, and over their whitened directions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from fishembed._base.arrays import Codes, Floats
from fishembed._base.runtime import one_blas_thread
from fishembed.classifiers.base import (
    EmbeddingClassifier,
    LinearClassifier,
    MapPredictor,
    Normalize,
    log_prior,
    row_weights,
)
from fishembed.classifiers.chunked_rows import ChunkedRows
from fishembed.classifiers.gaussian import GaussianStatistics
from fishembed.classifiers.head_function import FittedMap, Whitening
from fishembed.classifiers.solver.quasi_newton import Optimum, solve_path
from fishembed.classifiers.solver.softmax import rotated
from fishembed.classifiers.zero_shot import matching_anchors
from fishembed.errors import InputError


@dataclass(eq=False, repr=False)
class LogisticHead(LinearClassifier):
    """Fit multinomial logistic regression with an L2 penalty to scikit-learn's optimum, faster.

    Parameters
    ----------
    C
        Inverse strength of the penalty, as scikit-learn's. On rows of length 1 logits can
        only grow with the weights, so the usual C=1 underfits: on a 20:1 long tail of CLIP
        features mean macro recall is 0.17 at C=1 and 0.53 at C=100, the default.
    class_weight
        None (the default), ``"balanced"`` or a mapping from label to weight.
    text_features
        (n_classes, dim) or (n_classes, n_prompts, dim), rows in the order of the sorted labels:
        the weights are these, times `logit_scale`, plus what the images ask for, and only the
        latter is penalised. With few images the head is the zero-shot classifier, with many the
        plain regression. There is no intercept then. Default: none.
    logit_scale
        Factor on the text features; 100 (the default) is what the released CLIP models learnt.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` uses rows as is.
    max_iter
        Upper limit of quasi-Newton steps; 1000 by default.
    tol
        The fit has converged when the objective is estimated to lie this share above its minimum:
        a share of itself, or of what the rows explain of it where that is less. The estimate is
        half the squared gradient in the metric of the diagonal Hessian; with the default of 1e-7
        the objective is within 1e-6 of scikit-learn's.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_ : ndarray
        (n_classes, dim), also for two classes: two rows whose softmax is the binary model.
    intercept_ : ndarray
        (n_classes,), their sum 0; with text features all 0.
    n_features_in_ : int
        dim.
    n_iter_ : int
        Steps used.
    gap_ : float
        Final value of the criterion of `tol`.
    converged_ : bool
        Whether that was reached, or rounding allows no more; if not, `fit` also warns.

    See Also
    --------
    logistic_path : many values of C for little more than the price of one.

    Notes
    -----
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    appendix A.3: a logistic regression on frozen features, its C swept on validation rows.
    Weights around those of the text: Li et al. 2018, "Explicit Inductive Bias for Transfer
    Learning with Convolutional Networks", eq. 3 (L2-SP), from the zero-shot weights. The bound on
    the Hessian behind the metric: Böhning 1992, "Multinomial logistic regression
    algorithm", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import LogisticHead
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> LogisticHead(C=100).fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    C: float = 100.0
    _: KW_ONLY
    class_weight: str | Mapping[Any, float] | None = None
    text_features: npt.ArrayLike | None = None
    logit_scale: float = 100.0
    normalize: Normalize = "l2"
    max_iter: int = 1000
    tol: float = 1e-7

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> LogisticHead:
        """Fit the weights to embeddings.

        Parameters
        ----------
        X
            (n_images, dim) features; float32 stays float32. Anything that is not a NumPy
            array but has `shape`, `dtype` and slices (`FeatureStore.lazy_split`, an
            `h5py.Dataset`) is read chunk by chunk in every step and need not fit into memory.
        y
            (n_images,) labels, numbers or strings.
        sample_weight
            (n_images,) weights; default 1 each.

        Raises
        ------
        DimensionError
            `text_features` do not fit the rows or the classes.
        InputError
            Fewer than two classes, or a parameter that cannot be used.

        Warns
        -----
        ConvergenceWarning
            `max_iter` was reached first.
        """
        _fit_path([self], X, y, sample_weight)
        return self


def logistic_path(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    Cs: Sequence[float] | npt.NDArray[np.floating[Any]],
    *,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: str | Mapping[Any, float] | None = None,
    normalize: Normalize = "l2",
    max_iter: int = 1000,
    tol: float = 1e-7,
) -> list[LogisticHead]:
    """Fit one `LogisticHead` for every C, each started from the solutions before it.

    Parameters
    ----------
    X, y
        As in `LogisticHead.fit`.
    Cs
        Inverse penalties in any order; they are solved in ascending order.
    sample_weight
        As in `LogisticHead.fit`.
    class_weight, normalize, max_iter, tol
        As in `LogisticHead`.

    Returns
    -------
    list of LogisticHead
        Fitted, in the order of `Cs`.

    Examples
    --------
    >>> from fishembed import logistic_path
    >>> X, y = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["cod", "cod", "eel"]
    >>> [head.C for head in logistic_path(X, y, [100.0, 1.0])]
    [100.0, 1.0]
    """
    heads = [
        LogisticHead(
            float(C), class_weight=class_weight, normalize=normalize, max_iter=max_iter, tol=tol
        )
        for C in Cs
    ]
    _fit_path(sorted(heads, key=lambda head: head.C), X, y, sample_weight)
    return heads


def _fit_path(
    heads: list[LogisticHead],
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None,
) -> None:
    if not heads:
        raise InputError("Cs is empty: give at least one value.")
    if not heads[0].C > 0:
        raise InputError(f"C={heads[0].C!r} must be above 0.")
    first = heads[0]
    rows, codes = first._validate_rows_or_chunks(X, y)
    n_classes = len(first.classes_)
    weights = row_weights(codes, first.classes_, first.class_weight, sample_weight)
    text = matching_anchors(first.text_features, n_classes, first.n_features_in_)
    around = None if text is None else first.logit_scale * text
    with one_blas_thread():
        data = rotated(rows, weights, centred=text is None)
        solutions = list(
            solve_path(
                data,
                codes,
                weights,
                n_classes,
                [head.C for head in heads],
                tol=first.tol,
                max_iter=first.max_iter,
                around=around,
            )
        )
    for head, optimum in zip(heads, solutions, strict=True):
        head.classes_, head.n_features_in_ = first.classes_, first.n_features_in_
        if hasattr(first, "feature_names_in_"):
            head.feature_names_in_ = first.feature_names_in_
        head.coef_, head.intercept_ = data.unrotate(optimum.parameters)
        if around is not None:
            head.coef_ = head.coef_ + around.astype(head.coef_.dtype)
        head.gap_ = optimum.gap
        _learn_convergence(head, optimum)


def _learn_convergence(head: LogisticHead | AngularHead, optimum: Optimum) -> None:
    head.n_iter_, head.converged_ = optimum.n_iter, optimum.converged
    if not head.converged_:
        warnings.warn(
            f"{type(head).__name__}(C={head.C:g}) stopped at max_iter={head.max_iter} with an "
            f"estimated gap of {optimum.gap:.1e}, tol={head.tol:g}: raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=4,
        )


@dataclass(eq=False, repr=False)
class AngularHead(MapPredictor, EmbeddingClassifier):
    """Fit logistic regression to whitened rows of length 1, and correct it for the class prior.

    The covariance within classes, shrunken, measures in which directions images of one class
    differ anyway. Rows are centred, divided by its root and scaled to length 1: only the direction
    of an image counts, not its distance from the centre. Rare classes gain most.

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
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` uses rows as is.
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

    C: float = 30.0
    _: KW_ONLY
    shrinkage: float = 0.5
    tau: float = 1.0
    normalize: Normalize = "l2"
    max_iter: int = 1000
    tol: float = 1e-7

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
        rows, codes = self._validate_rows_or_chunks(X, y)
        with one_blas_thread():
            statistics = GaussianStatistics.of(rows, codes, len(self.classes_))
            whitening = statistics.whitening(self.shrinkage)
            coef, intercept = self._solve(rows, codes, whitening)
        intercept = intercept - self.tau * log_prior(codes, len(self.classes_))
        self._fitted_map = FittedMap.of_direction(whitening, coef, intercept).astype(rows.dtype)
        return self

    def _solve(
        self, rows: Floats | ChunkedRows, codes: Codes, whitening: Whitening
    ) -> tuple[Floats, Floats]:
        directions = (
            rows.mapped(whitening.directions, len(whitening.centre))
            if isinstance(rows, ChunkedRows)
            else whitening.directions(rows)
        )
        weights = np.ones(len(rows))
        data = rotated(directions, weights)
        path = solve_path(
            data,
            codes,
            weights,
            len(self.classes_),
            [self.C],
            tol=self.tol,
            max_iter=self.max_iter,
        )
        [optimum] = path
        _learn_convergence(self, optimum)
        return data.unrotate(optimum.parameters)

    def _check_parameters(self) -> None:
        if not self.C > 0:
            raise InputError(f"C={self.C!r} must be above 0.")
        if not 0 <= self.shrinkage <= 1:
            raise InputError(f"shrinkage={self.shrinkage!r} must lie between 0 and 1.")
        if not self.tau >= 0:
            raise InputError(f"tau={self.tau!r} must not be negative.")
