from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from fishembed._base.arrays import unit_rows
from fishembed.classifiers import (
    AutoHead,
    GaussianHead,
    LogisticHead,
    SweptLogisticHead,
    auto,
    cross_validation,
    load_head,
    save_head,
)
from fishembed.classifiers.auto import CLIP_CS
from fishembed.classifiers.model_choice.model_selection import CandidateScorer
from fishembed.classifiers.temperature import spread
from fishembed.errors import DimensionError, InputError

SWEEP_RNG = np.random.default_rng(0)
SWEEP_CENTRES = SWEEP_RNG.normal(size=(4, 16))
Y = np.repeat(np.arange(4), [40, 30, 20, 10])
X = (SWEEP_CENTRES[Y] + 2 * SWEEP_RNG.normal(size=(100, 16))).astype(np.float32)
VAL = np.repeat(np.arange(4), 50)
X_VAL = (SWEEP_CENTRES[VAL] + 2 * SWEEP_RNG.normal(size=(200, 16))).astype(np.float32)


def _tail(seed: int = 0, n_classes: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_classes, 24))
    y = np.repeat(np.arange(n_classes), [60, 25, 10, 5, 2, 1][:n_classes])
    X = centres[y] + 1.2 * rng.normal(size=(len(y), 24))
    return X.astype(np.float32), y, centres.astype(np.float32)


def same_bytes(first: AutoHead, second: AutoHead) -> bool:
    """Whether two heads computed the same arrays."""
    return pickle.dumps(first.fitted_map) == pickle.dumps(second.fitted_map)


def test_rare_classes_are_found_more_often_than_by_logistic_regression():
    X, y, centres = _tail()
    fresh = np.repeat(np.arange(6), 100)
    X_test = centres[fresh] + 1.2 * np.random.default_rng(9).normal(size=(600, 24))
    auto, plain = AutoHead().fit(X, y), LogisticHead().fit(X, y)
    assert auto.score(X_test, fresh) > plain.score(X_test, fresh) + 0.05


def test_same_seed_same_bytes():
    X, y, _ = _tail()
    first, again = AutoHead().fit(X, y), AutoHead().fit(X, y)
    assert same_bytes(first, again)
    timeless = [[dataclasses.replace(t, seconds=0) for t in h.results_] for h in (first, again)]
    assert timeless[0] == timeless[1]


def test_the_table_has_one_choice_and_names_every_family():
    X, y, _ = _tail()
    head = AutoHead().fit(X, y)
    assert [t.chosen for t in head.results_].count(True) == 1
    assert head.results_[0].chosen
    assert head.results_[0].tied
    assert head.results_[0].candidate == head.best_
    assert {t.candidate for t in head.results_} == {"gaussian", "angular", "ensemble"}
    assert head.best_ == "ensemble"
    told = [(t.candidate, tuple(t.parameters.items())) for t in head.results_]
    assert len(set(told)) == len(told)
    for trial in head.results_:
        assert 0 <= trial.macro_recall <= 1
        assert np.isfinite(trial.log_loss)


@pytest.mark.parametrize("select_on", ["accuracy", "macro_f1", "log_loss"])
def test_the_choice_is_among_the_best_of_its_score(select_on):
    X, y, _ = _tail()
    results = AutoHead(select_on=select_on).fit(X, y).results_
    scores = [getattr(t, select_on) for t in results]
    if select_on == "log_loss":
        assert scores[0] == min(scores)
    else:
        assert scores[0] >= max(scores) - 0.1


def test_classes_of_one_row_each_are_no_reason_to_crash():
    X, y, _ = _tail()
    single = np.unique(y, return_index=True)[1]
    head = AutoHead().fit(X[single], y[single])
    assert head.results_ == []
    assert head.score(X[single], y[single]) == 1


def test_what_could_not_be_tested_is_as_sure_as_it_should_be():
    """One image of each of 40 classes: right on half of new ones, and saying so."""
    rng = np.random.default_rng(0)
    centres, y = rng.normal(size=(40, 64)), np.arange(40)
    X = centres + 1.1 * rng.normal(size=centres.shape)
    fresh = centres + 1.1 * rng.normal(size=centres.shape)
    head = AutoHead().fit(X, y)
    assert head.results_ == []
    sure = head.predict_proba(fresh).max(axis=1).mean()
    assert sure == pytest.approx(head.score(fresh, y), abs=0.15)
    loss = -head.predict_log_proba(fresh)[y, y].mean()
    assert loss < 0.7 * np.log(40)
    assert same_bytes(head.refit(X, y), head)


def test_large_problems_are_compared_on_two_of_the_folds(monkeypatch):
    X, y, _ = _tail()
    monkeypatch.setattr(cross_validation, "MAX_WORK", 1)
    head = AutoHead().fit(X, y)
    everything = sum(len(y[y == c]) for c in np.unique(y) if (y == c).sum() > 1)
    assert {t.rows for t in head.results_} == {int((head.held_out_logits.fold >= 0).sum())}
    assert head.results_[0].rows == pytest.approx(0.4 * everything, rel=0.05)


def test_where_little_can_be_judged_the_default_is_only_calibrated():
    """46 classes of one image and one of two: two rows cannot choose among 50 candidates."""
    rng = np.random.default_rng(0)
    y = np.append(np.arange(47), 0)
    centres = rng.normal(size=(47, 24))
    X = (centres[y] + 0.3 * rng.normal(size=(48, 24))).astype(np.float32)
    head = AutoHead().fit(X, y)
    assert [(t.candidate, t.rows, t.chosen) for t in head.results_] == [("gaussian", 2, True)]
    fresh = centres + 0.3 * rng.normal(size=centres.shape)
    assert -head.predict_log_proba(fresh)[np.arange(47), np.arange(47)].mean() < 3
    few_classes = np.append(np.repeat([0, 1], 40), np.arange(2, 40))
    X = centres[few_classes] + rng.normal(size=(len(few_classes), 24))
    assert len(AutoHead().fit(X, few_classes).results_) == 1
    two = few_classes < 2  # where there are two classes in all, two are enough
    assert len(AutoHead().fit(X[two], few_classes[two]).results_) > 1


def test_with_one_row_a_class_text_is_leant_on_where_there_is_any():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 24))
    classes = np.arange(40)
    X = (centres + 1.5 * rng.normal(size=centres.shape)).astype(np.float32)
    fresh = centres + 1.5 * rng.normal(size=centres.shape)
    told = AutoHead(text_features=centres).fit(X, classes)
    assert told.best_ == "ensemble"
    shares = [told.best_parameters_[f"{name}.share"] for name in ("zeroshot", "text-logistic")]
    assert shares == pytest.approx([5 / 12, 5 / 12], abs=1e-3)
    assert AutoHead().fit(X, classes).best_ == "gaussian"
    assert told.score(fresh, classes) > AutoHead().fit(X, classes).score(fresh, classes) + 0.1


def test_what_is_used_untested_is_the_sum_of_its_models():
    rng = np.random.default_rng(0)
    text, classes = unit_rows(rng.normal(size=(40, 24))), np.arange(40)
    X = (text + 0.3 * rng.normal(size=text.shape)).astype(np.float32)
    head = AutoHead(text_features=text).fit(X, classes)
    zero = 100 * unit_rows(X) @ text.T
    around = LogisticHead(100, text_features=text).fit(X, classes).logits(X)
    gaussian = GaussianHead(0.5, pseudo_count=4, text_features=text).fit(X, classes).logits(X)
    own, *others = (spread(logits, classes) for logits in (zero, gaussian, around))
    expected = 0.5 * zero + 0.2 * gaussian * own / others[0] + 0.5 * around * own / others[1]
    difference = head.logits(X) - expected
    assert difference - difference[:, :1] == pytest.approx(np.zeros((40, 40)), abs=0.05)


def test_with_two_rows_a_class_the_text_is_leant_on_untested():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 24))
    classes = np.tile(np.arange(40), 2)
    X = (centres[classes] + 1.5 * rng.normal(size=(80, 24))).astype(np.float32)
    head = AutoHead(text_features=centres).fit(X, classes)
    assert [(t.candidate, t.rows) for t in head.results_] == [("ensemble", 80)]
    assert len(AutoHead().fit(X, classes).results_) > 1
    third = np.append(classes, np.arange(40))
    rows = np.append(X, X[:40] + 0.1, axis=0)
    assert len(AutoHead(text_features=centres).fit(rows, third).results_) > 1


@pytest.mark.parametrize("select_on", ["macro_recall", "accuracy"])
def test_many_rows_are_compared_on_a_sample_of_bounded_size(monkeypatch, select_on):
    X, y, _ = _tail()
    most = 50
    monkeypatch.setattr(cross_validation, "MAX_LOGITS", most * 6 + 5)
    sizes = []
    score = CandidateScorer.score

    def watched(scorer, logits):
        sizes.append(logits.shape)
        return score(scorer, logits)

    monkeypatch.setattr(CandidateScorer, "score", watched)
    head = AutoHead(select_on=select_on).fit(X, y)
    assert set(sizes) == {(6, most)}
    assert {t.rows for t in head.results_} == {most}
    again = AutoHead(select_on=select_on).fit(X, y)
    assert same_bytes(head, again)


def test_beyond_a_size_only_what_has_a_closed_form_is_compared(monkeypatch):
    X, y, centres = _tail()
    monkeypatch.setattr(auto, "MAX_REGRESSION", len(y) * 6 - 1)
    named = {t.candidate for t in AutoHead().fit(X, y).results_}
    assert named == {"gaussian", "ensemble"}
    named = {t.candidate for t in AutoHead(text_features=centres).fit(X, y).results_}
    assert named == {"zeroshot", "text-anchored", "gaussian", "ensemble"}


def test_last_bits_of_the_features_change_next_to_nothing():
    X, y, centres = _tail()
    first = AutoHead(text_features=centres).fit(X, y)
    close = X * (1 + 1e-6 * np.random.default_rng(5).normal(size=X.shape)).astype(np.float32)
    second = AutoHead(text_features=centres).fit(close, y)
    assert second.predict_proba(X) == pytest.approx(first.predict_proba(X), abs=1e-3)
    assert second.best_parameters_ == pytest.approx(first.best_parameters_, abs=0.011)


def test_the_number_of_jobs_changes_nothing():
    X, y, centres = _tail()
    alone, together = (AutoHead(n_jobs=n, text_features=centres).fit(X, y) for n in (1, 3))
    assert same_bytes(alone, together)
    first, second = (
        [dataclasses.replace(t, seconds=0) for t in h.results_] for h in (alone, together)
    )
    assert first == second


def test_validation_rows_decide_where_they_are_given():
    X, y, centres = _tail()
    fresh = np.append(np.repeat(np.arange(6), 40), [7] * 5)  # 7 is a class nobody learnt
    noise = np.random.default_rng(3).normal(size=(len(fresh), 24))
    X_val = np.append(centres, centres[:2], axis=0)[fresh] + 1.2 * noise
    head = AutoHead().fit(X, y, X_val=X_val, y_val=fresh)
    assert head.classes_.tolist() == list(range(6))
    known = fresh < 6
    assert head.results_[0].accuracy == pytest.approx(
        head.score(X_val[known], fresh[known]), abs=0.02
    )
    assert head.results_[0].accuracy_std == 0
    with pytest.raises(DimensionError, match="X_val is"):
        AutoHead().fit(X, y, X_val=X_val[:, :3], y_val=fresh)
    with pytest.raises(InputError, match="together"):
        AutoHead().fit(X, y, X_val=X_val)


def test_groups_stay_together_and_one_group_is_no_reason_to_crash():
    X, y, _ = _tail()
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 12, len(y))
    assert AutoHead().fit(X, y, groups=groups).results_
    assert AutoHead().fit(X, y, groups=np.zeros(len(y))).results_ == []


def test_text_becomes_a_candidate():
    X, y, centres = _tail()
    head = AutoHead(text_features=centres).fit(X, y)
    names = {t.candidate for t in head.results_}
    assert names == {
        "zeroshot",
        "text-anchored",
        "text-logistic",
        "gaussian",
        "angular",
        "ensemble",
    }
    with pytest.raises(DimensionError, match="6 classes of width 24"):
        AutoHead(text_features=centres[:3]).fit(X, y)


def test_it_is_saved_as_one_map(tmp_path):
    X, y, _ = _tail()
    head = AutoHead().fit(X, y)
    loaded = load_head(save_head(head, tmp_path / "head.npz"))
    assert (loaded.predict_proba(X) == head.predict_proba(X)).all()


def test_bad_arguments_are_refused():
    X, y, _ = _tail()
    with pytest.raises(InputError, match="select_on='recall'"):
        AutoHead(select_on="recall").fit(X, y)
    with pytest.raises(InputError, match="n_folds=1"):
        AutoHead(n_folds=1).fit(X, y)


def test_the_values_are_clips():
    assert len(CLIP_CS) == 96
    assert (CLIP_CS[0], CLIP_CS[-1]) == pytest.approx((1e-6, 1e6))
    assert np.diff(np.log10(CLIP_CS)) == pytest.approx(12 / 95)


def test_the_value_taken_is_best_on_validation_rows():
    Cs = [100.0, 0.01, 1.0]
    head = SweptLogisticHead(Cs).fit(X, Y, X_val=X_VAL, y_val=VAL)
    scores = {C: LogisticHead(C).fit(X, Y).score(X_VAL, VAL) for C in Cs}
    assert scores[head.C_] >= max(scores.values()) - 0.011  # solved to 1e-4 to be compared
    assert len(head.results_) == 3
    assert head.results_[0].parameters == {"C": head.C_}
    plain = LogisticHead(head.C_).fit(X, Y)
    assert (plain.predict(X_VAL) == head.predict(X_VAL)).mean() > 0.99


def test_cross_validation_where_there_are_no_validation_rows():
    head = SweptLogisticHead([0.01, 1, 100]).fit(X, Y)
    best = max(head.results_, key=lambda trial: trial.accuracy)
    assert head.results_[0].accuracy == best.accuracy
    single = np.unique(Y, return_index=True)[1]
    assert SweptLogisticHead([1]).fit(X[single], Y[single]).score(X[single], Y[single]) == 1


def test_values_that_are_none_are_refused():
    for Cs in ([], [0.0, 1.0]):
        with pytest.raises(InputError, match="above 0"):
            SweptLogisticHead(Cs).fit(X, Y)


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_auto_rescues_rare_classes_of_real_vectors(realdata, seed):
    file = np.load(realdata / "clip-features" / "oxford_pets.npz")
    X, y = file["features"].astype(np.float32), file["labels"]
    train = file["splits"].astype(str) == "train"
    rng = np.random.default_rng(seed)
    kept = np.concatenate(
        [
            rng.permutation(np.flatnonzero(train & (y == c)))[: max(1, round(20 * 20 ** (-k / 36)))]
            for k, c in enumerate(rng.permutation(37))
        ]
    )

    def macro(head):
        hits = head.fit(X[kept], y[kept]).predict(X[~train]) == y[~train]
        return np.mean([hits[y[~train] == c].mean() for c in range(37)])

    assert macro(AutoHead()) > macro(LogisticHead()) + 0.1
