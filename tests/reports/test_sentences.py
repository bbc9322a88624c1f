from __future__ import annotations

import math

import pytest

from fishembed._base.text import counted, listed
from fishembed.reports.sentences import reason, verdict

METRICS = {
    "n": 878,
    "accuracy": 0.861,
    "accuracy_ci95": [0.836, 0.883],
    "macro_recall": 0.81,
    "macro_recall_ci95": [0.772, 0.845],
    "zero_recall_classes": [],
    "scored_split": "test",
}


def test_the_verdict():
    assert verdict(METRICS) == (
        "86.1% of 878 test images right (83.6 to 88.3); macro recall 81.0 (77.2 to 84.5); "
        "no class at zero."
    )


def test_the_verdict_names_classes_at_zero():
    assert "; 1 class at zero: eel." in verdict(METRICS | {"zero_recall_classes": ["eel"]})
    many = verdict(METRICS | {"zero_recall_classes": list("abcd")})
    assert many.endswith("4 classes at zero, among them a, b and c.")


@pytest.mark.parametrize(
    ("split", "words"),
    [("holdout", "held-out images"), ("all", "of 878 images"), ("odd", "of 878 images")],
)
def test_the_verdict_says_what_was_scored(split, words):
    assert words in verdict(METRICS | {"scored_split": split})


def test_nothing_scored():
    assert verdict({"n": 0, "scored_split": "test"}) == "No labelled test images were scored."


@pytest.mark.parametrize(
    ("n_true", "n_called", "words"),
    [
        (10, 30, "; goby has 3.0 times the training images (30 against 10)"),
        (3, 723, "; goby has 241 times the training images (723 against 3)"),
        (22, 20, "; both have about as many training images (20 against 22)"),
        (50, 20, ", although goby has fewer training images (20 against 50)"),
        (0, 20, "; there were no training images of the true class (20 against 0)"),
        (math.nan, 20, ""),
    ],
)
def test_the_reason_compares_training_images(n_true, n_called, words):
    assert reason("goby", n_true, n_called) == words


def test_small_words():
    assert [listed(w) for w in ([], ["a"], ["a", "b"], list("abc"))] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [counted(n, "image") for n in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]
