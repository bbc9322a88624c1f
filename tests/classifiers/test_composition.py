from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fishembed.classifiers import (
    AngularHead,
    AutoHead,
    BlendClassifier,
    GaussianHead,
    LinearHead,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    SweptLogisticHead,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
)

SPECIES = np.array(["carp", "perch", "roach"])
GRIDS = [
    (AngularHead(), {"shrinkage": [0.1, 0.9]}),
    (AutoHead(), {"select_on": ["macro_recall", "accuracy"]}),
    (BlendClassifier(GaussianHead(), LogisticHead()), {"estimator__shrinkage": [0.1, 0.9]}),
    (GaussianHead(), {"shrinkage": [0.1, 0.9]}),
    (LinearHead(epochs=5, learning_rate=0.05), {"loss": ["cross_entropy", "balanced_softmax"]}),
    (LogisticHead(), {"C": [1.0, 100.0]}),
    (NeighborsHead(), {"n_neighbors": [1, 5]}),
    (PriorCorrectedClassifier(LogisticHead()), {"tau": [0.0, 1.0]}),
    (SweptLogisticHead([1.0, 100.0]), {"select_on": ["accuracy", "log_loss"]}),
    (TemperatureCalibratedClassifier(LogisticHead()), {"estimator__C": [1.0, 100.0]}),
    (ZeroShotClassifier(), {"logit_scale": [10.0, 100.0]}),
]
every_head = pytest.mark.parametrize(
    ("head", "grid"), GRIDS, ids=[type(head).__name__ for head, _ in GRIDS]
)


@pytest.fixture(scope="module")
def fish() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 16))
    codes = np.repeat(np.arange(3), 60)
    rows = centres[codes] + 0.5 * rng.normal(size=(180, 16))
    return rows.astype(np.float32), SPECIES[codes]


@every_head
def test_a_head_ends_a_pipeline(head, grid, fish):
    X, y = fish
    pipeline = make_pipeline(StandardScaler(), clone(head)).fit(X, y)
    assert pipeline.classes_.tolist() == SPECIES.tolist()
    assert set(pipeline.predict(X)) == set(SPECIES)
    np.testing.assert_allclose(pipeline.predict_proba(X).sum(axis=1), 1, rtol=1e-6)
    assert pipeline.score(X, y) > 0.9


@every_head
def test_a_grid_search_sets_its_parameters(head, grid, fish):
    X, y = fish
    search = GridSearchCV(head, grid, cv=3, scoring="balanced_accuracy", error_score="raise")
    search.fit(X, y)
    assert search.best_score_ > 0.9
    [(name, values)] = grid.items()
    assert search.best_estimator_.get_params()[name] in values
    assert len(search.cv_results_["params"]) == 2


@every_head
def test_cross_validation_scores_it(head, grid, fish):
    X, y = fish
    scores = cross_val_score(head, X, y, cv=3, scoring="neg_log_loss", error_score="raise")
    assert scores.shape == (3,)
    assert scores.min() > -np.log(3)  # better than knowing nothing
    assert not hasattr(head, "classes_")
