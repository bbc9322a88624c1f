"""Vectors from elsewhere: every array, every way to get one wrong."""

from __future__ import annotations

import numpy as np
import pytest
from full_rows import make_vectors

from fishembed.cache import FeatureStore, import_vectors
from fishembed.errors import (
    DimensionError,
    InputError,
    StoreFormatError,
    StoreIntegrityError,
    StoreMismatchError,
)

DIGESTS = [f"{i:064x}" for i in range(6)]


def arrays(**changes) -> dict[str, object]:
    values = {
        "features": make_vectors(6),
        "trunk": make_vectors(6, 9),
        "labels": np.array([0, 1, 2, 0, 1, -1]),
        "classes": np.array(["a", "b", "é"]),
        "splits": np.array(["train", "Val", "test", "validation", "", "TRAIN"]),
        "paths": np.array([f"{i}.png" for i in range(6)]),
        "groups": np.array(["g", "", "g", "h", "h", "h"]),
        "digests": np.array(DIGESTS),
        "text_features": make_vectors(3, seed=4),
        "logit_scale": np.array(42.0),
        "encoder": np.array("theirs"),
        "something_else": np.zeros(99),
    }
    return {key: value for key, value in {**values, **changes}.items() if value is not None}


def made_of(workspace, **changes) -> FeatureStore:
    return FeatureStore.open(import_vectors(arrays(**changes), workspace / "x.h5"))


def test_every_array_is_kept(workspace):
    np.savez(workspace / "x.npz", **arrays())
    with FeatureStore.open(import_vectors(workspace / "x.npz", workspace / "c/x.h5")) as store:
        np.testing.assert_array_equal(store.features, make_vectors(6))
        np.testing.assert_array_equal(store.trunk, make_vectors(6, 9))
        assert store.labels.tolist() == [0, 1, 2, 0, 1, -1]
        assert store.classes == ["a", "b", "é"]
        assert store.splits.tolist() == ["train", "val", "test", "val", "", "train"]
        assert store.paths == [f"{i}.png" for i in range(6)]
        assert store.groups == ["g", "", "g", "h", "h", "h"]
        assert store.digests == DIGESTS
        text = store.text("imported")
        np.testing.assert_array_equal(text.features, make_vectors(3, seed=4))
        assert (text.names, text.logit_scale) == (("a", "b", "é"), 42.0)
        assert store.encoder_name == "theirs"
        assert store.source["root"] is None


def test_features_are_enough(workspace):
    place = import_vectors({"features": make_vectors(3)}, workspace / "x.h5")
    with FeatureStore.open(place) as store:
        assert store.labels.tolist() == [-1] * 3
        assert (store.classes, store.text_keys, store.encoder_name) == ([], [], "imported")
        assert store.paths == ["row-00000000", "row-00000001", "row-00000002"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_types(workspace, dtype):
    features = np.ones((6, 5), dtype)
    store = made_of(workspace, features=features)
    assert store.features.dtype == (np.float16 if dtype == np.float16 else np.float32)


def test_labels_may_be_names_with_and_without_classes(workspace):
    labels = np.array(["b", "a", "", "b", "b", "a"])
    store = made_of(workspace, labels=labels, classes=None, text_features=None)
    assert (store.classes, store.labels.tolist()) == (["a", "b"], [1, 0, -1, 1, 1, 0])
    store = made_of(workspace, labels=np.char.encode(labels))
    assert store.labels.tolist() == [1, 0, -1, 1, 1, 0]


def test_numbers_without_classes_are_called_by_their_number(workspace):
    store = made_of(workspace, classes=None, text_features=None)
    assert store.classes == ["0", "1", "2"]


def test_a_name_that_occurs_again_is_numbered(workspace):
    assert made_of(workspace, classes=np.array(["a", "b", "a"])).classes == ["a", "b", "a (2)"]


def test_the_encoders_name_and_dim_make_the_identity(workspace):
    def identity(dim=5, **options):
        place = import_vectors({"features": make_vectors(6, dim)}, workspace / "x.h5", **options)
        with FeatureStore.open(place) as store:
            return store.encoder_fingerprint

    assert identity(encoder="one") == identity(encoder="one") != identity(encoder="two")
    assert identity(encoder="one") != identity(6, encoder="one")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"features": None}, InputError, r"'features' \(n, dim\) is needed; there is classes"),
        ({"features": np.zeros(6)}, DimensionError, r"shape \(6,\)"),
        ({"features": np.zeros((0, 5))}, DimensionError, r"\(0, 5\)"),
        ({"features": np.array([["a"]] * 6)}, InputError, "give floats"),
        ({"features": np.full((6, 5), np.nan)}, StoreIntegrityError, r"'0\.png' is not finite"),
        ({"features": np.full((6, 5), 1e300)}, StoreIntegrityError, "not finite as float32"),
        ({"trunk": np.zeros((5, 5))}, DimensionError, "'trunk' has 5 rows for 6"),
        ({"labels": np.zeros(5, int)}, DimensionError, r"'labels' has shape \(5,\)"),
        ({"labels": np.full(6, 3)}, InputError, "they must lie in 0 to 2"),
        ({"labels": np.full(6, -2)}, InputError, "or be -1 for none"),
        ({"labels": np.array(["q"] * 6)}, InputError, "'q' is not among 'classes'"),
        (
            {"labels": np.array(["a"] * 6), "classes": np.array(["a", "a", "b"])},
            InputError,
            "give 'labels' as numbers",
        ),
        ({"classes": np.zeros((3, 1))}, DimensionError, r"\(n_classes,\)"),
        ({"splits": np.array(["north"] * 6)}, InputError, "'splits' has 'north'"),
        ({"splits": np.array(["train"])}, DimensionError, r"'splits' has shape \(1,\)"),
        ({"paths": np.array(["a"] * 7)}, DimensionError, "'paths'"),
        ({"groups": np.array(["a"] * 7)}, DimensionError, "'groups'"),
        ({"digests": np.array(["abc"] * 6)}, InputError, "SHA-256"),
        ({"text_features": np.zeros((2, 5))}, DimensionError, r"make \(3, 5\)"),
        ({"labels": None, "label": np.zeros(6, int)}, InputError, "did you mean 'labels'"),
    ],
)
def test_what_cannot_be_used_is_said(workspace, changes, error, said):
    with pytest.raises(error, match=said):
        made_of(workspace, **changes)
    assert not (workspace / "x.h5").exists()


def test_files_that_are_no_archive(workspace):
    place = workspace / "x.npz"
    with pytest.raises(InputError, match="there is no file"):
        import_vectors(place, workspace / "x.h5")
    for content in (b"", b"junk", b"PK\x03\x04junk"):
        place.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.npz' cannot be read"):
            import_vectors(place, workspace / "x.h5")
    np.save(workspace / "x.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"'features' has shape \(3,\)"):
        import_vectors(workspace / "x.npy", workspace / "x.h5")
    np.savez(place, features=np.array([object()]))
    with pytest.raises(InputError, match="Python objects are not accepted"):
        import_vectors(place, workspace / "x.h5")


def test_vectors_that_were_encoded_are_not_replaced(make_file):
    place = make_file(3)
    before = place.read_bytes()
    with pytest.raises(StoreMismatchError, match=r"encoded with 'some/encoder'.*--store"):
        import_vectors(arrays(), place)
    place.with_name("notes.txt").write_text("not a store")
    with pytest.raises(StoreFormatError):
        import_vectors(arrays(), place.with_name("notes.txt"))
    assert place.read_bytes() == before
    assert place.with_name("notes.txt").read_text() == "not a store"
