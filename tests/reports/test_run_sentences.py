from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from make_run import make_run

from fishembed import Run, score
from fishembed.evaluation.confusion_counts import ConfusedPair
from fishembed.reports.run_sentences import mixup_reason, summary_sentence, weakest_classes

METRICS = {
    "n": 878,
    "accuracy": 0.861,
    "accuracy_ci95": [0.836, 0.883],
    "macro_recall": 0.81,
    "macro_recall_ci95": [0.772, 0.845],
    "zero_recall_classes": [],
    "scored_split": "test",
}


def test_the_summary_sentence():
    assert summary_sentence(METRICS) == (
        "86.1% of 878 test images right (83.6 to 88.3); macro recall 81.0 (77.2 to 84.5); "
        "no class at zero."
    )


def test_the_summary_names_classes_at_zero():
    assert "; 1 class at zero: eel." in summary_sentence(METRICS | {"zero_recall_classes": ["eel"]})
    many = summary_sentence(METRICS | {"zero_recall_classes": list("abcd")})
    assert many.endswith("4 classes at zero, among them a, b and c.")


@pytest.mark.parametrize(
    ("split", "words"),
    [("holdout", "held-out images"), ("all", "of 878 images"), ("odd", "of 878 images")],
)
def test_the_summary_says_what_was_scored(split, words):
    assert words in summary_sentence(METRICS | {"scored_split": split})


def test_nothing_scored():
    assert (
        summary_sentence({"n": 0, "scored_split": "test"}) == "No labelled test images were scored."
    )


@pytest.mark.parametrize(
    ("n_true", "n_called", "words"),
    [
        (10, 30, "; goby has 3.0 times the training photos (30 against 10)"),
        (3, 723, "; goby has 241 times the training photos (723 against 3)"),
        (22, 20, "; both have about as many training photos (20 against 22)"),
        (50, 20, ", although goby has fewer training photos (20 against 50)"),
        (0, 20, "; there were no training photos of the true species (20 against 0)"),
        (math.nan, 20, ""),
    ],
)
def test_the_reason_compares_training_images(tmp_path, n_true, n_called, words):
    table = Run.load(make_run(tmp_path / "run", names=["eel", "goby"], rows=9)).classes
    table = replace(table, n_train=np.array([n_true, n_called], float))
    assert mixup_reason(table, ConfusedPair(0, 1, 1, 2)) == words


def test_the_weakest_classes_stand_beside_what_a_guess_would_reach():
    predicted = np.eye(3)[[0] * 8 + [2] * 16 + [0]]
    metrics = score([0] * 8 + [2] * 5 + [0] * 11 + [1], predicted, class_names=["cod", "eel", "94"])
    sentence = weakest_classes(metrics.as_dict())
    assert "of 19 images of cod, 8 right (recall 42.1, " in sentence
    assert "of 16 images called 94, 5 right (precision 31.2, " in sentence
    assert "Always guessing cod would be right for 76.0% (macro recall 33.3)." in sentence


def test_runs_of_before_say_nothing_of_the_weakest():
    assert weakest_classes(METRICS) == ""
