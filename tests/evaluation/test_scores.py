from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from fishembed.errors import DimensionError, InputError
from fishembed.evaluation import score


def _random(seed: int, n: int = 300, k: int = 7):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    p = rng.dirichlet(np.ones(k) * 0.5, n)
    return y, p


@given(st.integers(0, 10_000))
def test_scores_are_scikit_learns(seed):
    y, p = _random(seed)
    s = score(y, p)
    predicted = p.argmax(1)
    assert s.accuracy == pytest.approx(metrics.accuracy_score(y, predicted))
    assert s.macro_recall == pytest.approx(metrics.balanced_accuracy_score(y, predicted))
    assert s.macro_f1 == pytest.approx(
        metrics.f1_score(y, predicted, average="macro", labels=np.unique(y))
    )
    assert s.log_loss == pytest.approx(metrics.log_loss(y, p, labels=np.arange(7)))
    assert s.top5_accuracy == pytest.approx(
        metrics.top_k_accuracy_score(y, p, k=5, labels=np.arange(7))
    )
    assert s.accuracy_ci95[0] <= s.accuracy <= s.accuracy_ci95[1]


def test_a_class_without_a_column_is_never_right():
    s = score([0, 1, 5], [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], labels=[0, 1])
    assert s.accuracy == pytest.approx(2 / 3)
    assert s.zero_recall_classes == ("5",)
    assert s.log_loss > 10


def test_a_predicted_class_without_rows_is_listed_but_not_averaged():
    s = score([0, 0], [[0.9, 0.1], [0.1, 0.9]], class_names=["cod", "eel"])
    assert [c.name for c in s.classes] == ["cod", "eel"]
    assert s.macro_recall == 0.5
    assert np.isnan(s.classes[1].recall)


def test_names_follow_labels():
    s = score([2, 0], [[0.1, 0.9], [0.9, 0.1]], labels=[0, 2], class_names=["a", "b", "c"])
    assert [c.name for c in s.classes] == ["a", "c"]
    assert s.as_dict()["accuracy"] == 1.0


def test_constant_scores_predict_the_first_class():
    s = score([0, 1, 2], np.full((3, 3), 1 / 3))
    assert s.accuracy == pytest.approx(1 / 3)
    assert s.zero_recall_classes == ("1", "2")


def test_bad_input_is_named():
    with pytest.raises(DimensionError, match=r"\(2,\)"):
        score([0, 1], [[1.0, 0.0]])
    with pytest.raises(InputError, match="no labelled row"):
        score([], np.zeros((0, 3)))
    with pytest.raises(InputError, match="not finite"):
        score([0], [[np.nan, 1.0]])
    with pytest.raises(InputError, match="label of a column"):
        score(["cod", "eel"], [[0.9, 0.1], [0.1, 0.9]])
    with pytest.raises(InputError, match="label of a column"):
        score([0, 1], [[0.9, 0.1], [0.1, 0.9]], labels=["cod", "eel"])
    with pytest.raises(InputError, match="label of a column"):
        score([7, 8], [[0.9, 0.1], [0.1, 0.9]])


def test_text_labels_may_come_as_objects():
    y = np.array(["cod", "eel"], dtype=object)
    assert score(y, [[0.9, 0.1], [0.1, 0.9]], labels=["cod", "eel"]).accuracy == 1


def test_false_alarms_are_named():
    # 21 rows are called eel and 5 of them are; one is called ray and is not
    truth = ["cod"] * 97 + ["eel"] * 5
    called = np.array(["cod"] * 80 + ["eel"] * 16 + ["ray"] + ["eel"] * 5)
    columns = ["cod", "eel", "ray"]
    s = score(truth, called[:, None] == columns, labels=columns)
    assert (s.worst_precision.name, s.worst_precision.correct) == ("eel", 5)
    assert s.worst_precision.precision == pytest.approx(5 / 21)
    assert s.worst_recall.name == "cod"
    assert s.as_dict()["worst_precision"]["predicted"] == 21


def test_always_guessing_the_commonest_class_is_scored_too():
    p = np.eye(3)[[0, 0, 1, 2]]
    s = score([0, 0, 1, 2], p, class_names=["cod", "eel", "ray"], baseline=[1, 1, 0])
    assert (s.majority_class, s.majority_accuracy) == ("eel", 0.25)
    assert s.majority_macro_recall == pytest.approx(1 / 3)
    assert score([0, 0, 1, 2], p).majority_accuracy == 0.5


def test_classes_without_a_row_are_named():
    s = score([0, 0], [[0.9, 0.1, 0], [0.8, 0.1, 0.1]], class_names=["cod", "eel", "ray"])
    assert s.unscored_classes == ("eel", "ray")
