from __future__ import annotations

import numpy as np
import pytest

from fishembed.audit import audit_store
from fishembed.audit.checks.labels import find_label_issues, out_of_fold
from fishembed.cache import FeatureStore


def clusters(counts, *, dim=24, spread=0.5, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    means = rng.standard_normal((len(counts), dim))
    X = means[labels] + spread * rng.standard_normal((len(labels), dim))
    return X.astype(np.float32), labels


def test_swapped_labels_come_first():
    X, truth = clusters([80, 40, 20, 12])
    labels = truth.copy()
    wrong = np.random.default_rng(1).choice(len(labels), 9, replace=False)
    labels[wrong] = (labels[wrong] + 1) % 4
    issues = find_label_issues(X, labels, np.arange(len(X)))
    found = {one.row for one in issues.found}
    assert len(found & set(wrong)) >= 7
    assert len(found - set(wrong)) <= 1
    assert all(one.likely == truth[one.row] for one in issues.found if one.row in wrong)
    doubts = [one.p_given for one in issues.found]
    assert doubts == sorted(doubts)


def test_copies_do_not_vouch_for_each_other():
    X, labels = clusters([40, 40], spread=0.3)
    X[1:6] = X[0]
    labels[:6] = 1
    units = np.arange(80)
    units[:6] = 0
    together = find_label_issues(X, labels, units)
    assert set(range(6)) <= {one.row for one in together.found}


def test_a_head_is_never_shown_what_it_judges():
    X = np.random.default_rng(0).standard_normal((60, 200)).astype(np.float32)
    codes = np.random.default_rng(1).integers(0, 2, 60)
    p, tested = out_of_fold(X, codes, np.arange(60), seed=0)
    assert tested.all()
    assert abs((p.argmax(axis=1) == codes).mean() - 0.5) < 0.25  # noise cannot be learnt


def test_classes_too_small_to_judge_are_told(vectors_store):
    place = vectors_store([30, 30, 1, 5], classes=["a", "b", "lone", "rare"])
    with FeatureStore.open(place) as store:
        labels = audit_store(store, read_photos=False, threshold=0.9999)["labels"]
    assert labels.unjudged == (2,)
    assert labels.few == (3,)
    assert all(store.classes[one.given] != "lone" for one in labels.found)


@pytest.mark.parametrize(
    ("counts", "unjudged", "missing"),
    [([12], (), "fewer than two classes"), ([1, 1], (0, 1), ""), ([20, 1], (0, 1), "")],
)
def test_nothing_to_judge_is_said(vectors_store, counts, unjudged, missing):
    with FeatureStore.open(vectors_store(counts)) as store:
        labels = audit_store(store, read_photos=False)["labels"]
    assert (labels.judged, labels.found, labels.unjudged) == (0, [], unjudged)
    assert missing in labels.missing
    assert bool(labels.missing) == bool(missing)


def test_what_would_fill_the_memory_is_not_judged_and_said(vectors_store, monkeypatch):
    monkeypatch.setattr("fishembed.audit.checks.labels._MOST_PROBABILITIES", 39)
    with FeatureStore.open(vectors_store([10, 10])) as store:
        labels = audit_store(store, read_photos=False)["labels"]
    assert "20 photos of 2 species would fill the memory" in labels.missing


def test_no_label_is_wrong_where_none_was_swapped():
    for seed in range(3):
        X, labels = clusters([60, 30, 15, 8, 4, 3, 2], spread=1.2, seed=seed)
        issues = find_label_issues(X, labels, np.arange(len(X)))
        assert issues.agreed < 0.99  # the head does err
        assert len(issues.found) <= 2


def test_all_labels_are_ranked_and_a_few_called_wrong():
    X, labels = clusters([60, 60, 60])
    labels[[5, 70]] = 2, 0
    issues = find_label_issues(X, labels, np.arange(180))
    assert [one.row for one in issues.found] == [one.row for one in issues.ranked[:2]]
    assert {one.row for one in issues.found} == {5, 70}
    assert sorted(one.row for one in issues.ranked) == list(range(180))
    assert issues.noise == pytest.approx(2 / 180, abs=0.01)


@pytest.mark.realdata
def test_on_real_features_swaps_are_found_and_little_else(realdata):
    with np.load(realdata / "clip-features" / "oxford_pets.npz") as file:
        X, truth = file["features"].astype(np.float32)[::3], file["labels"][::3].astype(np.int32)
    rows = np.arange(len(truth))
    assert len(find_label_issues(X, truth, rows).found) <= 3
    rng = np.random.default_rng(0)
    wrong = rng.choice(rows, len(rows) // 20, replace=False)
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + rng.integers(1, 37, len(wrong))) % 37
    found = {one.row for one in find_label_issues(X, labels, rows).found}
    assert len(found & set(wrong.tolist())) >= 0.8 * max(len(found), len(wrong))
