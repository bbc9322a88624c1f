"""CLIP's linear probe: logistic regression with its penalty swept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fishembed.classifiers.base import Normalize
from fishembed.classifiers.candidates import Candidate
from fishembed.classifiers.choosing import ChoosingHead
from fishembed.classifiers.families import Family, LogisticFamily
from fishembed.classifiers.selection import SelectOn
from fishembed.errors import InputError

CLIP_CS = tuple(float(C) for C in np.logspace(-6, 6, 96))
"""The values that Radford et al. sweep."""

_WHERE_NOTHING_CAN_BE_TESTED = 100.0


class SweptLogisticHead(ChoosingHead):
    """Logistic regression with the C that does best on held-out rows.

    Parameters
    ----------
    Cs
        Inverse penalties to try; CLIP's 96 from 1e-6 to 1e6, evenly in their logarithm, when None.
    select_on
        ``"accuracy"`` (the default, as in CLIP's protocol), ``"macro_recall"``, ``"macro_f1"`` or
        ``"log_loss"``.
    n_folds
        Parts of the cross-validation, at least 2 (5 by default); not used with validation rows.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` takes rows as is.
    n_jobs
        Folds that are worked on at once, as scikit-learn counts jobs: None (the default) for 1,
        -1 for all cores. What is learnt does not depend on it.
    random_state
        Seed of the folds; an int (the default 0), a ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_, intercept_ : ndarray
        (n_classes, dim) and (n_classes,), scaled by the temperature that held-out rows ask for.
    n_features_in_ : int
        dim.
    best_ : str
        ``"logistic"``.
    best_parameters_ : dict
        ``{"C": C_}``.
    C_ : float
        The value taken: the best score, at a draw the least log loss, and the smaller of equals.
    results_ : list of Trial
        Every value with its scores, the one taken first; empty where nothing could be tested.

    Notes
    -----
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    appendix A.3. They search the 96 values by bisection on a validation split; here all are
    tried, since along a warm-started path most cost little.
    """

    _within = 0.0
    _blends = False

    def __init__(
        self,
        Cs: Sequence[float] | None = None,
        *,
        select_on: SelectOn = "accuracy",
        n_folds: int = 5,
        normalize: Normalize = "l2",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.Cs = Cs
        self.select_on = select_on
        self.n_folds = n_folds
        self.normalize = normalize
        self.n_jobs = n_jobs
        self.random_state = random_state

    @property
    def C_(self) -> float:  # noqa: N802 - scikit-learn's name
        """The value taken."""
        return float(self.best_parameters_["C"])

    def _families(self) -> list[Family]:
        Cs = CLIP_CS if self.Cs is None else tuple(sorted(float(C) for C in self.Cs))
        if not Cs or not Cs[0] > 0:
            raise InputError(f"Cs={self.Cs!r}: give values above 0.")
        return [LogisticFamily(Cs)]

    def _untested(self) -> Candidate:
        [family] = self._families()
        return Candidate.untested(family, {"C": _WHERE_NOTHING_CAN_BE_TESTED})
