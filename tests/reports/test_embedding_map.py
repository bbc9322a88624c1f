from __future__ import annotations

import numpy as np
from make_run import make_run

from fishembed.cache import import_vectors
from fishembed.experiments import Run
from fishembed.reports.embedding_map import EmbeddingMap, landmarks, map_embeddings


def test_landmarks_stand_among_their_points(tmp_path):
    true = Run.load(make_run(tmp_path / "run", n_classes=3, rows=30)).images.true
    xy = np.random.default_rng(0).normal(size=(30, 2))
    marks = landmarks(true, xy, limit=2)
    assert [label for label, _ in marks] == np.bincount(true).argsort()[::-1][:2].tolist()
    for label, place in marks:
        assert (xy[true == label] == place).all(axis=1).any()


def _store(tmp_path, paths):
    rng = np.random.default_rng(0)
    file = tmp_path / "vectors.npz"
    np.savez(
        file,
        features=rng.normal(size=(len(paths), 8)).astype(np.float32),
        labels=np.zeros(len(paths), dtype=int),
        paths=np.array(paths),
    )
    return import_vectors(file, tmp_path / "store.h5")


def test_the_stores_vectors_are_laid_out(tmp_path):
    paths = [f"{i}.png" for i in range(40)]
    store = tmp_path / "store.h5"
    run = Run.open(make_run(tmp_path / "run", n_classes=4, rows=40, paths=paths, store=store))
    _store(tmp_path, paths[::-1])
    layout = map_embeddings(run)
    assert isinstance(layout, EmbeddingMap)
    assert sorted(layout.rows) == list(range(40))
    assert layout.xy.shape == (40, 2)


def test_other_images_in_the_store_are_told(tmp_path):
    _store(tmp_path, ["other.png"])
    run = Run.open(make_run(tmp_path / "run", n_classes=4, rows=40, store=tmp_path / "store.h5"))
    assert "now holds other images" in map_embeddings(run)


def test_a_store_that_is_gone_is_told(tmp_path):
    run = Run.open(make_run(tmp_path / "run", n_classes=4, rows=40))
    assert "the store is no longer at cache/gone.h5" in map_embeddings(run)
