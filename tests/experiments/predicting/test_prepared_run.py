from __future__ import annotations

import numpy as np
import pytest

from fishembed import import_features, open_store, run_seeds
from fishembed.experiments import Run
from fishembed.experiments.predicting.prepared_run import TrainingImages
from fishembed.experiments.train_test_split import train_test_split


def test_every_run_of_a_series_knows_what_it_learnt_from(workspace):
    labels = np.arange(40) % 2
    X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    store = import_features({"features": X, "labels": labels}, "cache/f.h5")
    for run in run_seeds(store, 3, head="centroid"):
        for known in (run, Run.open(run.folder)):
            images = TrainingImages.of(known)
            learnt = {images.store.paths[row] for row in images.rows}
            assert not learnt & set(run.result.images.paths)
            assert len(learnt) + len(run.result.images.paths) == 40


@pytest.mark.parametrize("split", ["train", "all"])
def test_a_series_that_scores_what_it_learnt_from_knows_that(workspace, split):
    labels = np.arange(40) % 2
    X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    store = import_features({"features": X, "labels": labels}, "cache/f.h5")
    learnt = [
        TrainingImages.of(run).rows for run in run_seeds(store, 3, head="centroid", split=split)
    ]
    first = train_test_split(open_store(store), split, 0).train
    assert all(np.array_equal(rows, first) for rows in learnt)
