from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fishembed.classifiers import (
    AngularHead,
    AutoHead,
    BlendClassifier,
    GaussianHead,
    LinearHead,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    RejectingClassifier,
    SweptLogisticHead,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
)

ESTIMATORS = [
    LinearHead(epochs=20, batch_size=16, learning_rate=0.1),
    LinearHead(epochs=20, batch_size=16, learning_rate=0.1, normalize="none"),
    LogisticHead(),
    LogisticHead(normalize="none"),
    ZeroShotClassifier(),
    GaussianHead(),
    AngularHead(),
    AngularHead(tau=0, normalize="none"),
    NeighborsHead(),
    AutoHead(),
    SweptLogisticHead([1, 100]),
    PriorCorrectedClassifier(LogisticHead()),
    TemperatureCalibratedClassifier(GaussianHead()),
    BlendClassifier(NeighborsHead()),
    RejectingClassifier(GaussianHead()),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_estimator_contract(estimator, check):
    check(estimator)
