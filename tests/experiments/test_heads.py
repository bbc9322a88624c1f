from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from fishembed.classifiers import ZeroShotClassifier
from fishembed.errors import InputError
from fishembed.experiments.heads import HEADS, head_parameters, make_head


@pytest.mark.parametrize("name", HEADS)
def test_every_head_is_an_estimator_with_its_seed(name):
    text = ZeroShotClassifier(np.eye(3), classes=np.arange(3))
    head = make_head(name, {}, 5, text)
    assert isinstance(head, BaseEstimator)
    assert head.get_params().get("random_state", 5) == 5


def test_parameters_reach_the_estimator_inside():
    head = make_head("prior-corrected", {"C": 3.0, "tau": 0.5}, 0)
    assert (head.estimator.C, head.tau) == (3.0, 0.5)
    assert head_parameters(head)["C"] == 3.0
    assert not {"estimator", "random_state"} & set(head_parameters(head))


def test_a_parameter_of_another_head_is_told_whose_it_is():
    with pytest.raises(InputError, match="no parameter 'epochs'; it is a parameter of linear"):
        make_head("gaussian", {"epochs": 3}, 0)


@pytest.mark.parametrize(("name", "same"), [("anchored", "gaussian"), ("logistic", "logistic")])
def test_heads_of_text_need_text_features(name, same):
    with pytest.raises(InputError, match=f"needs text features .*: '{same}' is the same"):
        make_head(f"text-{name}", {}, 0)


def test_the_scale_of_the_text_reaches_the_head():
    text = ZeroShotClassifier(np.eye(3), classes=np.arange(3), logit_scale=50.0)
    assert make_head("text-logistic", {"C": 3.0}, 0, text).logit_scale == 50
