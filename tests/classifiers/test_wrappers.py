from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers import (
    BlendClassifier,
    GaussianHead,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    SummedHead,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
    load_head,
    save_head,
)
from fishembed.errors import InputError

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(4), [80, 40, 10, 4])
CENTRES = RNG.normal(size=(4, 12))
X = (CENTRES[Y] + 1.5 * RNG.normal(size=(len(Y), 12))).astype(np.float32)


def _fresh(seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    y = np.repeat(np.arange(4), 200)
    return CENTRES[y] + 1.5 * np.random.default_rng(seed).normal(size=(800, 12)), y


def test_the_prior_is_taken_from_the_logits():
    plain = LogisticHead().fit(X, Y)
    corrected = PriorCorrectedClassifier(LogisticHead(), tau=0.7).fit(X, Y)
    expected = plain.logits(X) - 0.7 * np.log(np.bincount(Y) / len(Y))
    assert corrected.logits(X) == pytest.approx(expected)


def test_no_correction_changes_nothing():
    plain = NeighborsHead().fit(X, Y)
    assert PriorCorrectedClassifier(NeighborsHead(), tau=0).fit(X, Y).predict_proba(
        X
    ) == pytest.approx(plain.predict_proba(X))


def test_two_corrections_in_full_are_refused():
    balanced = LogisticHead(class_weight="balanced")
    with pytest.raises(InputError, match="correct for the prior twice"):
        PriorCorrectedClassifier(balanced).fit(X, Y)
    PriorCorrectedClassifier(balanced, tau=0.5).fit(X, Y)


def test_calibration_changes_no_call_and_lowers_the_loss_on_fresh_rows():
    X_test, y_test = _fresh()
    plain = GaussianHead(0.1, pseudo_count=0).fit(X, Y)
    calibrated = TemperatureCalibratedClassifier(GaussianHead(0.1, pseudo_count=0)).fit(X, Y)
    assert (plain.predict(X_test) == calibrated.predict(X_test)).all()
    losses = [
        -h.predict_log_proba(X_test)[np.arange(800), y_test].mean() for h in (plain, calibrated)
    ]
    assert losses[1] < losses[0]
    assert calibrated.temperature_ > 1


def test_the_ends_of_a_blend_are_its_heads():
    text = ZeroShotClassifier(CENTRES)
    ends = [BlendClassifier(LogisticHead(), text, weight=w).fit(X, Y) for w in (0, 1)]
    assert (ends[0].predict(X) == LogisticHead().fit(X, Y).predict(X)).all()
    assert (ends[1].predict(X) == text.fit().predict(X)).all()


def test_text_that_knows_better_gets_the_weight():
    X_test, y_test = _fresh()
    blend = BlendClassifier(LogisticHead(), ZeroShotClassifier(CENTRES)).fit(X, Y)
    assert blend.weight_ > 0
    assert blend.score(X_test, y_test) > LogisticHead().fit(X, Y).score(X_test, y_test)


def test_text_in_another_order_is_aligned():
    names = np.array(["asp", "bream", "ide", "pike"])
    shuffled = [2, 0, 3, 1]
    straight = BlendClassifier(LogisticHead(), ZeroShotClassifier(CENTRES, classes=names))
    mixed = BlendClassifier(
        LogisticHead(), ZeroShotClassifier(CENTRES[shuffled], classes=names[shuffled])
    )
    ours = straight.fit(X, names[Y]).predict_proba(X)
    assert mixed.fit(X, names[Y]).predict_proba(X) == pytest.approx(ours)


@pytest.mark.parametrize(
    "head",
    [
        PriorCorrectedClassifier(LogisticHead()),
        TemperatureCalibratedClassifier(GaussianHead()),
        BlendClassifier(LogisticHead(), ZeroShotClassifier(CENTRES)),
    ],
)
def test_of_linear_maps_comes_a_linear_map(head, tmp_path):
    fitted = head.fit(X, Y)
    loaded = load_head(save_head(fitted, tmp_path / "head.npz"))
    assert loaded.predict_proba(X) == pytest.approx(fitted.predict_proba(X), abs=1e-5)


def test_of_others_comes_none(tmp_path):
    blend = BlendClassifier(NeighborsHead()).fit(X, Y)
    assert not hasattr(blend, "coef_")
    loaded = load_head(save_head(blend, tmp_path / "head.npz"))
    assert isinstance(loaded, SummedHead)
    assert loaded.logits(X) == pytest.approx(blend.logits(X))


def test_a_weight_that_is_no_share_is_refused():
    with pytest.raises(InputError, match="weight=2"):
        BlendClassifier(LogisticHead(), weight=2).fit(X, Y)
