from __future__ import annotations

import csv

import joblib
import numpy as np
import pytest
from fish_store import CLASSES, fish_store
from message_log import MessageLog

from fishembed import FeatureStore, import_vectors, load_head, run_fit, run_zeroshot
from fishembed.errors import InputError


@pytest.fixture
def store(tmp_path):
    return fish_store(tmp_path / "fish.h5")


@pytest.fixture
def large_store(tmp_path):
    """A store with enough rows and classes for candidates to be compared."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 8)) * 2
    labels = np.arange(180) % 6
    return import_vectors(
        {
            "features": centres[labels] + rng.normal(size=(180, 8)),
            "labels": labels,
            "classes": np.array([*CLASSES, "ray", "dab", "hake"]),
            "splits": np.array(["train", "test", "val"]).repeat(60),
            "text_features": centres,
            "logit_scale": np.array(10.0),
        },
        tmp_path / "large.h5",
    )


def test_fit_writes_a_run_folder(store, workspace):
    run = run_fit(store, head="linear", parameters={"epochs": 3}, command="fishembed fit")
    assert run.folder.resolve() == workspace / "reports" / "fish-linear"
    assert {path.name for path in run.folder.iterdir()} == {
        "run.json",
        "metrics.json",
        "per_class.csv",
        "predictions.csv",
        "history.csv",
        "head.npz",
        "head.joblib",
        "held_out.npz",
    }
    assert run.info["parameters"]["epochs"] == 3
    assert run.info["store"]["fingerprint"] == FeatureStore.open(store).fingerprint
    assert run.metrics["splits"] == {"train": 20, "val": 20, "test": 20, "none": 0, "unlabelled": 0}
    assert [row["epoch"] for row in run.history] == ["1", "2", "3"]
    assert all(row["val_accuracy"] for row in run.history)


def test_tables_agree_with_the_metrics(store):
    run = run_fit(store)
    rows = run.predictions
    assert len(rows) == run.metrics["n"] == 20
    right = [row["true"] == row["predicted"] == row["top1"] for row in rows]
    assert np.mean(right) == run.metrics["accuracy"]
    assert all(float(row["p1"]) == float(row["confidence"]) for row in rows)
    assert rows[0]["top4"] == ""
    by_class = {row["class"]: row for row in run.per_class}
    assert list(by_class) == CLASSES
    recalls = [float(row["recall"]) for row in by_class.values()]
    assert np.mean(recalls) == pytest.approx(run.metrics["macro_recall"])
    assert sum(int(row["n_train"]) for row in by_class.values()) == 20


def test_groups_go_with_the_predictions(tmp_path):
    rng = np.random.default_rng(0)
    fish = np.arange(80) // 8
    labels = fish % 2
    groups = np.array([f"fish {f}" if f < 9 else "" for f in fish])
    vectors = {
        "features": rng.normal(size=(10, 4))[fish] + labels[:, None],
        "labels": labels,
        "classes": np.array(["cod", "eel"]),
        "splits": np.array(["train", "test"]).repeat(40),
        "groups": groups,
    }
    tied = run_fit(import_vectors(vectors, tmp_path / "tied.h5"))
    free = run_fit(import_vectors(vectors | {"groups": np.full(80, "")}, tmp_path / "free.h5"))
    assert [row["group"] for row in tied.predictions] == groups[40:].tolist()
    assert tied.metrics["n_groups"] == 4 + 8
    assert free.metrics["n_groups"] is None
    assert np.ptp(tied.metrics["accuracy_ci95"]) > np.ptp(free.metrics["accuracy_ci95"])


def test_saved_heads_say_what_the_run_says(store):
    run = run_fit(store)
    X, _ = FeatureStore.open(store).split("test")
    head = load_head(run.folder / "head.npz")
    assert head.feature_fingerprint == FeatureStore.open(store).encoder_fingerprint
    names = [CLASSES[label] for label in head.predict(X)]
    assert names == [row["predicted"] for row in run.predictions]
    estimator = joblib.load(run.folder / "head.joblib")
    assert np.allclose(estimator.predict_proba(X), head.predict_proba(X), atol=1e-5)


def test_the_choice_of_a_head_is_written_down(large_store):
    run = run_fit(large_store)
    assert run.info["head"] == "auto"
    with (run.folder / "selection.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["candidate"] for row in rows] == [row["candidate"] for row in run.selection]
    assert [row["chosen"] for row in rows] == ["True"] + ["False"] * (len(rows) - 1)
    assert {"text-anchored", "zeroshot", "gaussian", "angular"} <= {r["candidate"] for r in rows}
    for name in ("accuracy", "macro_recall", "macro_f1", "log_loss"):
        assert all(float(row[f"{name}_mean"]) >= 0 <= float(row[f"{name}_std"]) for row in rows)


def test_rows_that_are_scored_have_no_say_in_the_choice(store, tmp_path):
    honest = run_fit(store)
    with FeatureStore.open(store) as opened:
        test = opened.splits == "test"
        features = np.where(test[:, None], 0.5, opened.vectors(np.arange(len(opened))))
        poisoned = import_vectors(
            {
                "features": features,
                "labels": np.where(test, (opened.labels + 1) % 3, opened.labels),
                "classes": np.array(CLASSES),
                "splits": opened.splits,
                "text_features": opened.text("imported").features,
            },
            tmp_path / "poisoned.h5",
        )
    other = run_fit(poisoned)
    heads = [load_head(run.folder / "head.npz") for run in (honest, other)]
    assert heads[0].coef.tobytes() == heads[1].coef.tobytes()


def test_validation_rows_choose_where_asked(store, large_store):
    run = run_fit(large_store, validate="val")
    assert len(run.selection) > 1
    assert all(row["accuracy_std"] == 0 for row in run.selection)
    with pytest.raises(InputError, match="no val rows to choose on"):
        run_fit(store, validate="val", split="val")
    with pytest.raises(InputError, match="LogisticHead chooses nothing"):
        run_fit(store, head="logistic", validate="val")


@pytest.mark.parametrize("head", ["logistic", "linear"])
def test_same_seed_same_bytes(store, head):
    runs = [run_fit(store, head=head, seed=5) for _ in range(2)]
    assert [run.name for run in runs] == [f"fish-{head}", f"fish-{head}-2"]
    names = [path.name for path in runs[0].folder.iterdir() if path.name != "run.json"]
    for name in names:
        assert (runs[0].folder / name).read_bytes() == (runs[1].folder / name).read_bytes(), name


def test_another_seed_is_another_linear_head(store):
    a, b = (run_fit(store, head="linear", seed=seed) for seed in (1, 2))
    assert (a.folder / "head.npz").read_bytes() != (b.folder / "head.npz").read_bytes()


def test_a_store_without_splits_is_divided_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"features": rng.normal(size=(40, 4)), "labels": np.repeat([0, 1], 20)}
    log = MessageLog()
    run = run_fit(import_vectors(arrays, tmp_path / "b.h5"), progress=log)
    assert run.info["scored_split"] == "holdout"
    assert run.metrics["n"] == 8
    assert "8 of 40 rows held out" in log.messages[0]


def test_a_class_missing_from_training_is_scored_as_never_right(tmp_path):
    labels = np.array([0, 1] * 10 + [0, 1, 2, 2])
    arrays = {
        "features": np.eye(3)[labels] + 0.01,
        "labels": labels,
        "splits": np.array(["train"] * 20 + ["test"] * 4),
        "classes": np.array(["a", "b", "c"]),
    }
    run = run_fit(import_vectors(arrays, tmp_path / "b.h5"))
    assert run.metrics["accuracy"] == 0.5
    assert run.metrics["zero_recall_classes"] == ["c"]


def test_bad_input_writes_nothing(store, workspace):
    for call, message in [
        (lambda: run_fit(store, head="forest"), "no head 'forest'"),
        (lambda: run_fit(store, parameters={"epochs": 3}), "no parameter 'epochs'"),
        (lambda: run_fit(store, run="../x"), "cannot name a run"),
        (lambda: run_zeroshot(store, prompts="single"), "has no text features 'single'"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
    assert not list(workspace.glob("reports/*"))


def test_one_class_cannot_be_learnt(tmp_path):
    arrays = {"features": np.eye(6), "labels": np.zeros(6, int)}
    with pytest.raises(InputError, match="one class only"):
        run_fit(import_vectors(arrays, tmp_path / "b.h5"))
