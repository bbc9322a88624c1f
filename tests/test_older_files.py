"""Stores, heads and runs that earlier versions wrote are read, and say what they said then.

`data/written_by_<major version>` holds the files and, in `answers.json`, what the version that
wrote them read back. A fake encoder made the embeddings: 54 images of three classes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fishembed import FeatureStore, Run, load_head, predict_run

WRITTEN = Path(__file__).parent / "data" / "written_by_0"
ANSWERS = json.loads((WRITTEN / "answers.json").read_text(encoding="utf-8"))


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(params=sorted(ANSWERS["stores"]))
def store(request):
    with FeatureStore.open(WRITTEN / request.param) as opened:
        yield opened, ANSWERS["stores"][request.param]


def test_a_store_names_its_rows_as_before(store):
    opened, expected = store
    assert (len(opened), opened.dim) == (expected["n"], expected["dim"])
    for name in ("classes", "paths", "digests", "groups"):
        assert getattr(opened, name) == expected[name], name
    assert opened.labels.tolist() == expected["labels"]
    assert opened.splits.tolist() == expected["splits"]
    assert opened.rows.size.tolist() == expected["size"]
    assert opened.rows.mtime_ns.tolist() == expected["mtime_ns"]
    assert [list(one) for one in opened.skipped] == expected["skipped"]


def test_a_store_has_the_identity_it_had(store):
    opened, expected = store
    assert (opened.encoder, opened.source) == (expected["encoder"], expected["source"])
    assert opened.fingerprint == expected["fingerprint"]
    assert opened.encoder_fingerprint == expected["encoder_fingerprint"]
    assert opened.feature_fingerprint("trunk") == expected["trunk_fingerprint"]
    assert opened.verify() == []


def test_a_store_gives_the_features_it_gave(store):
    opened, expected = store
    rows = [0, 5, len(opened) - 1]
    assert str(opened.features.dtype) == expected["dtype"]
    assert_close(opened.vectors(rows), expected["features"])
    assert_close(opened.vectors(rows, "trunk"), expected["trunk"])
    sums = [features[:].sum(dtype=np.float64) for features in (opened.features, opened.trunk)]
    assert_close(sums, expected["sums"])
    for name, (n, labels) in expected["split"].items():
        X, y = opened.split(name)
        assert X.shape == (n, opened.dim)
        assert y.tolist() == labels


def test_a_store_has_the_text_features_it_had(store):
    opened, expected = store
    assert opened.text_keys == expected["text_keys"] == list(expected["text"])
    for key, then in expected["text"].items():
        text = opened.text(key)
        assert list(text.names) == then["names"]
        assert len(text.templates) == then["templates"]
        assert (text.logit_scale, text.tower) == (then["logit_scale"], then["tower"])
        assert_close(text.features, then["features"])


def test_a_store_has_its_history_and_its_dropped_rows(store):
    opened, expected = store
    history = [
        [edit.verb, edit.command, [[c.path, c.column, c.was, c.now] for c in edit.changes]]
        for edit in opened.history
    ]
    assert history == expected["history"]
    if expected["dropped"] is None:
        assert opened.dropped is None
        return
    paths, labels, features = expected["dropped"]
    assert (opened.dropped.path, opened.dropped.label) == (paths, labels)
    assert_close(opened.dropped.image, features)


@pytest.mark.parametrize("name", sorted(ANSWERS["heads"]))
def test_a_head_answers_as_before(name):
    expected = ANSWERS["heads"][name]
    head = load_head(WRITTEN / "heads" / f"{name}.npz")
    assert (head.kind, head.normalize) == (expected["kind"], expected["normalize"])
    assert (head.temperature, head.feature_fingerprint) == (
        expected["temperature"],
        expected["fingerprint"],
    )
    assert list(head.class_names) == expected["class_names"]
    assert head.classes_.tolist() == expected["classes"]
    with FeatureStore.open(WRITTEN / "store.h5") as store:
        X = store.split("test")[0][:5]
    assert_close(head.predict_proba(X), expected["probabilities"])
    assert_close(head.calibrated().predict_proba(X), expected["calibrated"])


@pytest.mark.parametrize("name", sorted(ANSWERS["runs"]))
def test_a_run_holds_what_it_held(name):
    expected = ANSWERS["runs"][name]
    run = Run.open(WRITTEN / name)
    assert run.classes == expected["classes"]
    assert (run.info["head"], run.info["parameters"]) == (expected["head"], expected["parameters"])
    assert run.metrics.keys() == expected["metrics"].keys()
    for key, value in expected["metrics"].items():
        if isinstance(value, float):
            assert_close(run.metrics[key], value)
    rows = [[row["path"], row["true"], row["predicted"]] for row in run.predictions]
    assert rows == [row[:3] for row in expected["predictions"]]
    sure = [float(row["confidence"]) for row in run.predictions]
    assert_close(sure, [row[3] for row in expected["predictions"]])
    assert [[row["class"], row["recall"]] for row in run.per_class] == expected["per_class"]
    assert len(run.history) == expected["history"]


@pytest.mark.parametrize("name", sorted(ANSWERS["runs"]))
def test_a_run_predicts_as_before(name):
    expected = ANSWERS["runs"][name]["predict"]
    found = predict_run(WRITTEN / name, [WRITTEN / "store.h5"]).predictions[: len(expected)]
    for one, (path, classes, probabilities) in zip(found, expected, strict=True):
        assert (one.path, list(one.classes)) == (path, classes)
        assert_close(one.probabilities, probabilities)
