from __future__ import annotations

import numpy as np
import pytest
import torch

from fishembed.classifiers import LinearHead
from fishembed.errors import DimensionError, InputError


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = rng.normal(size=(300, 8)) + 3 * np.eye(8)[y]
    return X.astype(np.float32), y


def _bytes(head: LinearHead) -> bytes:
    return head.coef_.tobytes() + head.intercept_.tobytes()


def test_same_seed_same_bytes_and_another_seed_others(rows):
    first, again = LinearHead().fit(*rows), LinearHead().fit(*rows)
    assert _bytes(first) == _bytes(again)
    assert first.history_ == again.history_
    assert _bytes(first) != _bytes(LinearHead(random_state=1).fit(*rows))


def test_torchs_random_state_is_neither_read_nor_changed(rows):
    torch.manual_seed(1)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first = LinearHead().fit(*rows)
    assert (torch.random.get_rng_state() == before).all()
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    assert _bytes(first) == _bytes(LinearHead().fit(*rows))


def test_history_holds_the_scores_after_each_epoch(rows):
    X, y = rows
    head = LinearHead(epochs=4, learning_rate=0.05).fit(X[:200], y[:200], X[200:], y[200:])
    assert [e.epoch for e in head.history_] == [1, 2, 3, 4]
    last = head.history_[-1]
    assert last.train_accuracy == pytest.approx(head.score(X[:200], y[:200]))
    assert last.val_accuracy == pytest.approx(head.score(X[200:], y[200:]))
    log_p = head.predict_log_proba(X[200:])
    assert last.val_loss == pytest.approx(-log_p[np.arange(100), y[200:]].mean(), rel=1e-4)
    assert head.history_[0].train_loss > last.train_loss


def test_validation_is_watched_not_learnt_from(rows):
    X, y = rows
    alone = LinearHead(epochs=2).fit(X[:200], y[:200])
    watched = LinearHead(epochs=2).fit(X[:200], y[:200], X[200:], y[200:])
    assert _bytes(alone) == _bytes(watched)
    assert alone.history_[0].val_loss is None


def test_a_validation_class_never_trained_counts_as_wrong(rows):
    X, y = rows
    names = np.array(["asp", "ide", "bream"])[y]
    seen = names != "bream"
    head = LinearHead(epochs=20, learning_rate=0.05).fit(X[seen], names[seen], X, names)
    assert head.history_[-1].val_accuracy == pytest.approx(2 / 3, abs=0.03)
    assert np.isfinite(head.history_[-1].val_loss)


def test_the_layer_learns_what_can_be_learnt(rows):
    assert LinearHead(epochs=30, learning_rate=0.05).fit(*rows).score(*rows) > 0.9


def test_bad_arguments_are_refused(rows):
    X, y = rows
    with pytest.raises(InputError, match="epochs=0"):
        LinearHead(epochs=0).fit(X, y)
    with pytest.raises(InputError, match="normalize='l1'"):
        LinearHead(normalize="l1").fit(X, y)
    with pytest.raises(InputError, match="1 class"):
        LinearHead().fit(X, np.zeros(len(X)))
    with pytest.raises(InputError, match="together"):
        LinearHead().fit(X, y, X)
    with pytest.raises(DimensionError, match="8 columns"):
        LinearHead().fit(X, y, X[:, :3], y)


def test_balanced_softmax_finds_the_rare_class_more_often():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [200, 60, 6])
    X = (rng.normal(size=(266, 8)) + 1.5 * np.eye(8)[y]).astype(np.float32)
    plain, balanced = (
        LinearHead(epochs=30, learning_rate=0.05, loss=loss).fit(X, y)
        for loss in ("cross_entropy", "balanced_softmax")
    )
    assert (balanced.predict(X) == 2).sum() > (plain.predict(X) == 2).sum()


def test_patience_keeps_the_best_epoch(rows):
    X, y = rows
    head = LinearHead(epochs=60, learning_rate=0.3, patience=3, schedule="cosine")
    head.fit(X[:200], y[:200], X[200:], y[200:])
    recalls = [epoch.val_macro_recall for epoch in head.history_]
    assert len(recalls) < 60
    assert len(recalls) - 1 - int(np.argmax(recalls)) == 3
    hits = head.predict(X[200:]) == y[200:]
    assert np.mean([hits[y[200:] == c].mean() for c in range(3)]) == pytest.approx(max(recalls))


def test_patience_needs_validation_rows(rows):
    with pytest.raises(InputError, match="patience=2 needs validation rows"):
        LinearHead(patience=2).fit(*rows)
