from __future__ import annotations

import numpy as np
import pytest

from fishembed import run_fit, run_zeroshot
from fishembed.audit import audit_store, findings, split_store
from fishembed.audit.run_scores import find_run_rows
from fishembed.cache import FeatureStore, import_vectors, undo_edit
from fishembed.errors import InputError
from fishembed.experiments import Run


@pytest.fixture
def copied(vectors_store):
    """Give a store without splits in which every third image has a near-copy."""
    rng = np.random.default_rng(0)
    labels = np.arange(2).repeat(60)
    X = rng.standard_normal((2, 16))[labels] + rng.standard_normal((120, 16))
    copies = np.arange(0, 120, 3)
    X = np.concatenate([X, X[copies] + 0.01 * rng.standard_normal((40, 16))])
    return vectors_store(
        [80, 80], features=X.astype(np.float32), labels=np.append(labels, labels[copies])
    )


def expected(store, run):
    """Scored rows with a copy among those that were not scored, from the planted pairs alone."""
    pair = dict(zip(range(0, 120, 3), range(120, 160), strict=True))
    partner = pair | {b: a for a, b in pair.items()}
    scored = {store.paths.index(path) for path in run.result.images.paths}
    return {row for row in scored if row in partner and partner[row] not in scored}


def test_copies_across_fits_own_hold_out_are_counted(copied):
    run = run_fit(copied, head="logistic")
    with FeatureStore.open(copied) as store:
        audit = audit_store(store, run=run, threshold=0.99)
        leaking = expected(store, run)
    scores = audit["leaks"].scores
    assert scores.split == "holdout"
    assert scores.leaking.n == len(leaking) > 0
    assert scores.clean.n == scores.everything.n - len(leaking)
    assert any(f"of the {len(leaking)} that leak" in line for line in findings(audit))


def test_they_are_gone_after_the_split_that_keeps_copies_together(copied):
    split_store(copied, group_duplicates=True, threshold=0.99)
    run = run_fit(copied, head="logistic")
    with FeatureStore.open(copied) as store:
        audit = audit_store(store, run=run, threshold=0.99)
        assert expected(store, run) == set()
    assert audit["leaks"].scores.leaking is None
    assert any("none of them leaks" in line for line in findings(audit))


def test_the_run_counts_by_its_own_rows_also_after_another_split(copied):
    run = run_fit(copied, head="logistic")
    split_store(copied, group_duplicates=True, threshold=0.99)
    with FeatureStore.open(copied) as store:
        audit = audit_store(store, run=run, threshold=0.99)
        assert audit["leaks"].rows("test") == []
        assert audit["leaks"].scores.leaking.n == len(expected(store, run))
    undo_edit(copied)


def test_rows_that_were_trained_on_leak(copied):
    split_store(copied, group_duplicates=True, threshold=0.99)
    for split, all_leak in (("train", True), ("all", False)):
        run = run_fit(copied, head="centroid", split=split, run=split)
        with FeatureStore.open(copied) as store:
            scores = audit_store(store, run=run, threshold=0.99)["leaks"].scores
            assert scores.leaking.n == int((store.splits == "train").sum())
            assert (scores.clean is None) == all_leak


def test_zero_shot_was_trained_on_nothing(workspace):
    labels = np.arange(4).repeat(6)
    arrays = {"features": np.eye(4)[labels], "labels": labels, "text_features": np.eye(4)}
    place = import_vectors(arrays | {"classes": list("abcd")}, workspace / "cache/v.h5")
    run = run_zeroshot(place)
    with FeatureStore.open(place) as store:
        assert audit_store(store, run=run)["leaks"].scores.leaking is None


def test_the_run_of_another_store_is_refused(copied, vectors_store):
    stranger = run_fit(vectors_store([40, 40], name="other"), head="centroid")
    with (
        FeatureStore.open(copied) as store,
        pytest.raises(InputError, match=r"made on '.*other\.h5', not on '.*vectors\.h5'"),
    ):
        audit_store(store, run=stranger)


def test_a_store_that_moved_or_was_edited_is_still_the_runs_own(copied, workspace):
    run = run_fit(copied, head="centroid")
    moved = copied.rename(workspace / "cache/moved.h5")
    with FeatureStore.open(moved) as store:
        assert len(find_run_rows(run, store).rows) == run.metrics["n"]
    moved.rename(copied)
    split_store(copied)
    with FeatureStore.open(copied) as store:
        assert len(find_run_rows(Run.open(run.folder), store).rows) == run.metrics["n"]
