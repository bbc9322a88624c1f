from __future__ import annotations

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from fishembed import cluster_store, import_features, open_store, search_store, suggest_store
from fishembed.errors import InputError
from fishembed.explore import FeatureSearch, filtered_rows
from fishembed.explore.search import best_rows, parse_query, query_embedding


@pytest.fixture
def store():
    rng = np.random.default_rng(0)
    centres = np.eye(8)[:4]
    kind = np.repeat(np.arange(4), [40, 30, 20, 10])
    labels = [f"kind {k}" if i % 10 == 0 and k != 3 else "" for i, k in enumerate(kind)]
    return import_features(
        {
            "features": (centres[kind] + 0.08 * rng.normal(size=(100, 8))).astype(np.float32),
            "labels": labels,
            "splits": ["train", "test"] * 50,
            "groups": [f"track {i // 5}" for i in range(100)],
            "paths": [f"{k}/{i:03d}.jpg" for i, k in enumerate(kind)],
        },
        "kinds.h5",
    )


def test_search_is_exact_and_breaks_ties_by_row():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(5000, 16)).astype(np.float32)
    X[7] = 0
    path = import_features({"features": X}, "many.h5")
    with open_store(path) as opened:
        query = rng.normal(size=16)
        rows, scores = FeatureSearch(opened).nearest(query, 10)
    lengths = np.where(np.linalg.norm(X, axis=1) > 0, np.linalg.norm(X, axis=1), 1)
    exact = X @ (query / np.linalg.norm(query)) / lengths
    assert rows.tolist() == np.argsort(-exact, kind="stable")[:10].tolist()
    assert np.allclose(scores, np.sort(exact)[::-1][:10], atol=1e-5)
    assert best_rows(np.ones(6, np.float32), 3)[0].tolist() == [0, 1, 2]


def test_search_by_stored_photo_within_conditions(store):
    found = search_store(store, like=["2/075.jpg"], where=["split=test"], top=5)
    assert found.paths[0] == "2/075.jpg"
    assert all(path.startswith("2/") for path in found.paths)
    assert found.searched == 50
    assert (np.diff(found.scores) <= 0).all()


def test_words_and_minus_terms_make_one_query():
    terms = parse_query('a fish with a tag -net -"a hand" well-lit', ["coral"])
    assert terms.wanted == ("a fish with a tag well-lit",)
    assert terms.unwanted == ("net", "a hand", "coral")
    encoder = FakeEncoder(dim=8)
    wanted, unwanted = encoder.encode_texts(["fish", "net"])
    expected = wanted / np.linalg.norm(wanted) - unwanted / np.linalg.norm(unwanted)
    query = query_embedding(parse_query("fish -net"), [], encoder)
    assert np.allclose(query, expected / np.linalg.norm(expected), atol=1e-6)


def test_nothing_to_search_for_is_said_before_an_encoder_is_looked_for(store):
    with pytest.raises(InputError, match="nothing to search for"):
        search_store(store, "")


def test_words_need_an_encoder_that_is_known(store):
    with pytest.raises(InputError, match="encoder is not known"):
        search_store(store, "fish")


def test_conditions_on_any_column(store):
    with open_store(store) as opened:
        assert len(filtered_rows(opened, ["label=kind 0|kind 1"])) == 7
        assert len(filtered_rows(opened, ["label=", "split!=test"])) > 0
        assert filtered_rows(opened, ["group=track 3"]).tolist() == [15, 16, 17, 18, 19]
        with pytest.raises(InputError, match="no column 'depth'"):
            filtered_rows(opened, ["depth>3"])
        with pytest.raises(InputError, match="holds text"):
            filtered_rows(opened, ["label>3"])
        with pytest.raises(InputError, match="no condition"):
            filtered_rows(opened, ["label"])
        with pytest.raises(InputError, match="no row"):
            filtered_rows(opened, ["label=whale"])


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_clusters_are_the_kinds(store, method):
    found = cluster_store(store, everything=True, method=method, n_clusters=4)
    with open_store(store) as opened:
        kinds = np.array([int(path[0]) for path in opened.paths])
    assert [len(one.rows) for one in found.clusters] == [40, 30, 20, 10]
    for one in found.clusters:
        assert len(set(kinds[one.rows])) == 1
    assert found.clusters[0].proposed[0] == "kind 0"
    typical = found.typicality[np.searchsorted(found.rows, found.clusters[0].rows)]
    assert (np.diff(typical) <= 0).all()


SHAPES = {
    "2 columns": np.random.default_rng(0).normal(size=(40, 2)),
    "1 column": np.random.default_rng(0).normal(size=(40, 1)),
    "2 rows": np.random.default_rng(0).normal(size=(2, 8)),
    "7 rows": np.random.default_rng(0).normal(size=(7, 8)),
    "equal rows": np.ones((30, 2)),
    "3 different rows": np.repeat(np.eye(8)[:3], 20, axis=0),
}


@pytest.mark.parametrize(
    ("method", "shape"),
    [(m, shape) for m in ("hdbscan", "kmeans") for shape in SHAPES]
    + [("evoc", "2 columns"), ("evoc", "2 rows"), ("evoc", "equal rows")],
)
def test_features_of_any_shape_are_clustered(tmp_path, method, shape):
    if method == "evoc":
        pytest.importorskip("evoc")
    features = SHAPES[shape]
    store = import_features({"features": features}, tmp_path / "f.h5")
    found = cluster_store(store, everything=True, method=method)
    assert len(found.numbers) == len(features)
    assert sum(len(one.rows) for one in found.clusters) == (found.numbers >= 0).sum()
    if len(features) < 20:
        assert found.method == "kmeans"
    if shape == "equal rows":
        assert [len(one.rows) for one in found.clusters] == [len(features)]


def test_only_unlabelled_rows_are_clustered_and_one_place_is_said(store):
    found = cluster_store(store, n_clusters=4, place="split")
    with open_store(store) as opened:
        assert (opened.labels[found.rows] < 0).all()
    assert found.place_column == "split"
    assert not any(one.may_be_background for one in found.clusters)
    by_split = cluster_store(store, n_clusters=4, place="split", where=["split=train"])
    assert all(one.may_be_background for one in by_split.clusters)
    with pytest.raises(InputError, match="no column"):
        cluster_store(store, place="nowhere")


def test_suggestions_cover_what_has_no_label_first(store):
    found = suggest_store(store, top=6)
    first = [one for one in found.chosen if one.why == "typical"]
    assert any(one.path.startswith("3/") for one in first)
    with open_store(store) as opened:
        groups = [opened.groups[one.row] for one in found.chosen]
        assert all(opened.labels[one.row] < 0 for one in found.chosen)
    assert len(set(groups)) == len(groups)


def test_a_random_sample_is_random_and_repeatable(store):
    one, again = (suggest_store(store, random=20, seed=3) for _ in range(2))
    other = suggest_store(store, random=20, seed=4)
    assert [s.row for s in one.chosen] == [s.row for s in again.chosen]
    assert [s.row for s in one.chosen] != [s.row for s in other.chosen]
    assert {s.why for s in one.chosen} == {"random"}
    with pytest.raises(InputError, match="has a label"):
        suggest_store(store, where=["label=kind 0"])


def test_held_out_rows_are_neither_suggested_nor_learnt_from(store):
    with open_store(store) as opened:
        splits, labels = opened.splits, opened.labels
    found = suggest_store(store, top=12)
    assert {splits[one.row] for one in found.chosen} == {"train"}
    assert found.n_typical + sum(one.why == "uncertain" for one in found.chosen) == 12
    asked = suggest_store(store, top=3, where=["split=test"])
    assert {splits[one.row] for one in asked.chosen} == {"test"}
    assert (labels[[one.row for one in asked.chosen]] < 0).all()
