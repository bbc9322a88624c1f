"""What public estimators take and learn is written where people look for it."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import fishembed.classifiers
from fishembed.classifiers import (
    AngularHead,
    AngularMap,
    AutoHead,
    BlendClassifier,
    GaussianHead,
    LinearHead,
    LinearMap,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    SavedHead,
    SummedHead,
    SweptLogisticHead,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
)

HEADS = [
    AngularHead(),
    AngularMap(
        np.eye(2, 3),
        np.zeros(2),
        np.arange(2),
        whitening=np.eye(3),
        whitened_centre=np.zeros(3),
        angular_coef=np.eye(2, 3),
    ),
    AutoHead(),
    BlendClassifier(GaussianHead()),
    GaussianHead(),
    LinearHead(epochs=1),
    LinearMap(np.eye(2, 3), np.zeros(2), np.arange(2)),
    LogisticHead(),
    NeighborsHead(),
    PriorCorrectedClassifier(GaussianHead()),
    SummedHead(NeighborsHead(1).fit(np.eye(2, 3), np.arange(2)).fitted_sum, np.arange(2)),
    SweptLogisticHead([1.0]),
    TemperatureCalibratedClassifier(GaussianHead()),
    ZeroShotClassifier(),
]
FUNCTIONS = [
    function
    for name in fishembed.classifiers.__all__
    if inspect.isfunction(function := getattr(fishembed.classifiers, name))
]
every_head = pytest.mark.parametrize("head", HEADS, ids=[type(head).__name__ for head in HEADS])


def sections(documented: object) -> dict[str, str]:
    """Bodies of the numpydoc sections of a docstring, by title."""
    parts = re.split(r"^(\w[\w ]+)\n-{3,}\n", inspect.getdoc(documented) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def names(section: str) -> list[str]:
    """Names that a section of parameters or attributes explains."""
    heads = re.findall(r"^(\w[\w, ]*?)(?: : .*)?$", section, flags=re.MULTILINE)
    return [name for head in heads for name in head.split(", ")]


def taken(function: object) -> list[str]:
    """Names of the parameters of a function or a class."""
    return [name for name in inspect.signature(function).parameters if name != "self"]  # type: ignore[arg-type]


def learnt(head: BaseEstimator) -> set[str]:
    """Public names ending in an underscore on a head that has been fitted."""
    rng = np.random.default_rng(0)
    fitted = head.fit(rng.normal(size=(20, 3)), np.arange(20) % 2)
    return {
        name
        for name in dir(fitted)
        if re.fullmatch(r"[a-zA-Z](\w*[^_])?_", name) and hasattr(fitted, name)
    }


def test_every_public_estimator_is_looked_at():
    public = {
        name
        for name in fishembed.classifiers.__all__
        if inspect.isclass(what := getattr(fishembed.classifiers, name))
        and issubclass(what, BaseEstimator)
    }
    assert {type(head).__name__ for head in HEADS} == public - {
        "ChoosingHead",
        "RejectingClassifier",
        "SavedHead",
    }  # abstract, or wraps another head


@every_head
def test_every_parameter_is_documented_in_order(head):
    assert names(sections(type(head))["Parameters"]) == taken(type(head))


@every_head
def test_what_is_learnt_is_documented_and_what_is_documented_is_learnt(head):
    assert set(names(sections(type(head))["Attributes"])) == learnt(head)


@every_head
def test_the_source_of_the_method_is_named(head):
    if not isinstance(head, SavedHead):  # it is read, not learnt
        assert re.search(r"\b(19|20)\d\d\b", sections(type(head))["Notes"])


@every_head
def test_every_method_documents_what_it_takes(head):
    for name, method in inspect.getmembers(type(head), inspect.isfunction):
        if name.startswith("_") or not method.__module__.startswith("fishembed."):
            continue
        told = sections(getattr(type(head), name))
        assert names(told.get("Parameters", "")) == taken(method), name
        if name == "fit" and not isinstance(head, SavedHead):
            assert "InputError" in told["Raises"]


@every_head
def test_there_is_an_example(head):
    assert ">>> " in sections(type(head))["Examples"]  # tests/test_docstrings.py runs it


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_function_documents_what_it_takes(function):
    told = sections(function)
    assert names(told["Parameters"]) == taken(function)
    assert "Returns" in told
