"""Crafted heads end in a sentence."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from fishembed.classifiers import LogisticHead, NeighborsHead, load_head, save_head
from fishembed.errors import RunFormatError

ABOUT = {
    "format": "fishembed-head",
    "version": 1,
    "kind": "LogisticHead",
    "normalize": "l2",
    "feature_fingerprint": "f",
    "class_names": ["cod", "eel"],
    "temperature": 1.0,
}
ARRAYS = {"weights": np.eye(2), "bias": np.zeros(2), "classes": np.arange(2)}
NAN = np.array([[np.nan, 0], [0, 1]])
CRAFTED = {
    "a weight that is NaN": ({"weights": NAN}, {}),
    "a bias that is infinite": ({"bias": np.array([np.inf, 0])}, {}),
    "weights of one dimension": ({"weights": np.zeros(2)}, {}),
    "weights of text": ({"weights": np.full((2, 2), "x")}, {}),
    "no classes": ({"weights": np.zeros((0, 2)), "bias": np.zeros(0), "classes": np.zeros(0)}, {}),
    "too few biases": ({"bias": np.zeros(1)}, {}),
    "too few names": ({}, {"class_names": ["cod"]}),
    "names that are numbers": ({}, {"class_names": [1, 2]}),
    "names that are text": ({}, {"class_names": "ab"}),
    "temperature of nothing": ({}, {"temperature": 0}),
    "temperature that is NaN": ({}, {"temperature": float("nan")}),
    "temperature that is text": ({}, {"temperature": "warm"}),
    "kind that is a list": ({}, {"kind": []}),
    "unknown scaling": ({}, {"normalize": "l3"}),
    "scaling that is a list": ({}, {"normalize": ["l2"]}),
    "an angular head without directions": ({}, {"version": 2}),
}


@pytest.mark.parametrize("kind", CRAFTED)
def test_a_crafted_head_ends_in_a_sentence(workspace, kind):
    arrays, about = CRAFTED[kind]
    text = np.array(json.dumps(ABOUT | about))
    np.savez(workspace / "head.npz", about=text, **(ARRAYS | arrays))
    with pytest.raises(RunFormatError, match="fit again to write it anew"):
        load_head(workspace / "head.npz")


VOTES = {"type": "neighbors", "unit": True, "scale": 1.0, "n_neighbors": 1, "weights": "uniform"}
SUM_ARRAYS = {
    "part0_rows": np.eye(2),
    "part0_codes": np.arange(2),
    "shift": np.zeros(2),
    "classes": np.arange(2),
}
CRAFTED_SUMS = {
    "a row that is NaN": ({"part0_rows": NAN}, {}),
    "rows of text": ({"part0_rows": np.full((2, 2), "x")}, {}),
    "a code of no class": ({"part0_codes": np.array([0, 7])}, {}),
    "a class without a code": ({"part0_codes": np.zeros(2, int)}, {}),
    "codes of another number of rows": ({"part0_codes": np.array([0, 1, 1])}, {}),
    "codes that are floats": ({"part0_codes": np.array([0.0, 1.0])}, {}),
    "a shift that is short": ({"shift": np.zeros(1)}, {}),
    "no neighbours": ({}, {"parts": [VOTES | {"n_neighbors": 0}]}),
    "more neighbours than rows": ({}, {"parts": [VOTES | {"n_neighbors": 3}]}),
    "neighbours that are text": ({}, {"parts": [VOTES | {"n_neighbors": "1"}]}),
    "votes of no kind": ({}, {"parts": [VOTES | {"weights": "loud"}]}),
    "a scale that is NaN": ({}, {"parts": [VOTES | {"scale": float("nan")}]}),
    "a part of no kind": ({}, {"parts": [VOTES | {"type": "code"}]}),
    "no parts": ({}, {"parts": []}),
    "parts that are a number": ({}, {"parts": 3}),
    "a part without arrays": ({}, {"parts": [VOTES, VOTES]}),
    "a map without weights": ({}, {"parts": [{"type": "map", "unit": True, "scale": 1.0}]}),
    "too few names for its classes": ({}, {"class_names": ["cod"]}),
}


@pytest.mark.parametrize("kind", CRAFTED_SUMS)
def test_a_crafted_head_of_several_parts_ends_in_a_sentence(workspace, kind):
    arrays, about = CRAFTED_SUMS[kind]
    text = json.dumps(ABOUT | {"version": 3, "parts": [VOTES]})
    np.savez(workspace / "good.npz", about=np.array(text), **SUM_ARRAYS)
    assert load_head(workspace / "good.npz").predict(np.eye(2)).tolist() == [0, 1]
    text = json.dumps(ABOUT | {"version": 3, "parts": [VOTES]} | about)
    np.savez(workspace / "head.npz", about=np.array(text), **(SUM_ARRAYS | arrays))
    with pytest.raises(RunFormatError, match="fit again to write it anew"):
        load_head(workspace / "head.npz")


@pytest.mark.parametrize("about", ["[]", "[" * 100_000, "3", '{"format": "x"}'])
def test_a_head_that_says_something_else_is_none(workspace, about):
    np.savez(workspace / "head.npz", about=np.array(about), **ARRAYS)
    with pytest.raises(RunFormatError, match="not a head"):
        load_head(workspace / "head.npz")


def test_a_head_never_takes_more_memory_than_its_file_has_bytes(workspace):
    raw = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        raw, {"descr": "<f8", "fortran_order": False, "shape": (1 << 30, 1 << 10)}
    )
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(workspace / "head.npz", "w", kind) as file:
            file.writestr("about.npy", raw.getvalue())
        with pytest.raises(RunFormatError, match="is damaged"):
            load_head(workspace / "head.npz")


@pytest.mark.parametrize("kind", [LogisticHead, NeighborsHead])
def test_no_flip_and_no_cut_changes_a_heads_answers(workspace, kind):
    X = np.random.default_rng(0).normal(size=(30, 8))
    place = save_head(kind().fit(X, np.arange(30) % 3), workspace / "head.npz")
    expected, raw = load_head(place).predict_proba(X), place.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for number in range(400):
        changed = bytearray(raw)
        if number % 4:
            changed[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
        else:
            del changed[rng.integers(len(raw)) :]
        place.write_bytes(changed)
        try:
            found = load_head(place).predict_proba(X)
        except RunFormatError:
            refused += 1
        else:
            np.testing.assert_array_equal(found, expected)
    assert refused > 300
