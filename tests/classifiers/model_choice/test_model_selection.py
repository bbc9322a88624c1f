from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from fishembed.classifiers.model_choice.model_selection import CandidateScorer

RNG = np.random.default_rng(0)
CODES = np.repeat(np.arange(4), [60, 20, 15, 5])
FOLD = np.arange(100) % 5
LOGITS = (RNG.normal(size=(4, 100)) + 2 * np.eye(4)[:, CODES]).astype(np.float32)


@pytest.mark.parametrize("select_on", ["macro_recall", "accuracy"])
def test_scores_are_scikit_learns(select_on):
    scores = CandidateScorer(CODES, FOLD, 4, select_on).score(LOGITS)
    predicted = LOGITS.argmax(axis=0)
    assert scores.means["accuracy"] == pytest.approx(metrics.accuracy_score(CODES, predicted))
    balanced = metrics.balanced_accuracy_score(CODES, predicted)
    assert scores.means["macro_recall"] == pytest.approx(balanced)
    f1 = metrics.f1_score(CODES, predicted, average="macro")
    assert scores.means["macro_f1"] == pytest.approx(f1)
    p = np.exp(scores.scale * LOGITS.T)
    p /= p.sum(axis=1, keepdims=True)
    loss = metrics.log_loss(CODES, p)
    if select_on == "macro_recall":  # three fifths of the weight shared evenly by the classes
        by_class = metrics.log_loss(CODES, p, sample_weight=1 / np.bincount(CODES)[CODES])
        loss = 0.6 * by_class + 0.4 * loss
    assert scores.means["log_loss"] == pytest.approx(loss, rel=1e-4)
    by_fold = [metrics.accuracy_score(CODES[k == FOLD], predicted[k == FOLD]) for k in range(5)]
    assert scores.stds["accuracy"] == pytest.approx(np.std(by_fold))


def test_of_those_that_tie_the_surest_is_chosen():
    scorer = CandidateScorer(CODES, FOLD, 4)
    better = LOGITS.copy()
    wrong = np.flatnonzero((LOGITS.argmax(axis=0) != CODES) & (CODES == 0))[0]
    better[:, wrong] = 9 * np.eye(4)[0]  # one more of the largest class
    unsure = np.where(better == better.max(axis=0), 1.0, 0.0).astype(np.float32)
    best, tied = scorer.choose([scorer.score(logits) for logits in (unsure, LOGITS)])
    assert (best, tied) == (1, [0, 1])
    strict = CandidateScorer(CODES, FOLD, 4, within=0.0)
    assert strict.choose([strict.score(logits) for logits in (unsure, LOGITS)])[0] == 0


def test_rows_of_a_group_count_once_for_a_standard_error():
    groups = np.arange(100) // 5
    same = np.arange(100) % 10 < 5  # whole groups differ
    alone, together = (
        CandidateScorer(CODES, FOLD, 4, "accuracy", groups=g) for g in (None, groups)
    )
    errors = [s._standard_error(same, np.zeros(100, bool)) for s in (alone, together)]
    assert errors[1] == pytest.approx(np.sqrt(5) * errors[0])
