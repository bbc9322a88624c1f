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


def test_text_anchored_needs_text_features():
    with pytest.raises(InputError, match="needs text features of the class names"):
        make_head("text-anchored", {}, 0)
