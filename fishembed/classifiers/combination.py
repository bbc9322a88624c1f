"""Base of classifiers around other classifiers: logits scaled, added up and shifted."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fishembed.classifiers.base import Codes, EmbeddingClassifier, Floats
from fishembed.classifiers.cross_validation import Folds, aligned_logits
from fishembed.classifiers.fitted_map import FittedMap
from fishembed.classifiers.fitted_sum import FittedSum
from fishembed.classifiers.row_weights import Double
from fishembed.errors import InputError


class Combination(EmbeddingClassifier):
    """Base of classifiers whose logits are a weighted sum of those of others, plus a shift.

    Where all of them are linear maps under the same normalisation, so is the combination, and it
    has `coef_` and `intercept_`.
    """

    _terms: list[tuple[Any, float]]
    _shift: Double

    def logits(self, X: npt.ArrayLike) -> Double:  # noqa: D102
        check_is_fitted(self)
        self._validate_rows(X)  # the shape is checked under this head's name
        total = np.zeros((1, len(self.classes_))) + self._shift
        for head, scale in self._terms:
            total = total + scale * aligned_logits(head, X, self.classes_)
        return total

    @property
    def fitted_map(self) -> FittedMap:
        """What `save_head` writes, where the parts add up to one map."""
        parts = [
            head.fitted_map.reordered(self._order(head)).scaled(scale)
            for head, scale in self._mapped()
        ]
        try:
            total: FittedMap = reduce(FittedMap.plus, parts)
        except ValueError as error:
            raise AttributeError(f"{type(self).__name__}: {error}") from None
        return total.shifted(self._shift)

    @property
    def fitted_sum(self) -> FittedSum:
        """What `save_head` writes, where the parts do not add up to one map."""
        return FittedSum.of(self._terms, self.classes_.tolist(), self._shift)

    @property
    def coef_(self) -> Floats:
        """(n_classes, dim) weights, where all parts are linear maps."""
        return self._linear().coef

    @property
    def intercept_(self) -> Floats:
        """(n_classes,) bias, where all parts are linear maps."""
        return self._linear().intercept

    @property
    def normalize(self) -> Any:  # type: ignore[override]
        """Scaling of a row before the weights: l2 or none."""
        return getattr(self._terms[0][0], "normalize", "l2") if hasattr(self, "_terms") else "l2"

    # AttributeError makes hasattr(head, "coef_") say whether the head is a linear map, and
    # hasattr(head, "fitted_map") whether it can be saved

    def _linear(self) -> FittedMap:
        fitted = self.fitted_map
        if fitted.angular is not None:
            raise AttributeError(f"{type(self).__name__} of {self._terms[0][0]!r} is not linear.")
        return fitted

    def _mapped(self) -> list[tuple[Any, float]]:
        for head, _ in self._terms:
            if not hasattr(head, "fitted_map") or head.normalize != self.normalize:
                raise AttributeError(f"{type(self).__name__} of {head!r} is no map of arrays.")
        return self._terms

    def _order(self, head: Any) -> list[int]:
        known = np.asarray(head.classes_).tolist()
        return [known.index(label) for label in self.classes_.tolist()]

    def _check_known(self, head: Any) -> None:
        missing = np.setdiff1d(self.classes_, head.classes_)
        if len(missing):
            raise InputError(f"{type(head).__name__} does not know the class {missing[0]!r}.")

    def _folds(self, rows: Floats, codes: Codes, n_folds: int, random_state: Any) -> Folds:
        if n_folds < 2:
            raise InputError(f"n_folds={n_folds!r} must be at least 2.")
        random = check_random_state(random_state)
        return Folds.split(rows, codes, len(self.classes_), n_folds, random=random)
