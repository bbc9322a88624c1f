from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest

from fishembed import FeatureStore, import_features
from fishembed.errors import InputError

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
LABELS = ["cod", None, "eel"] * 2


def check(path, classes=("cod", "eel"), labels=(0, -1, 1) * 2):
    with FeatureStore.open(import_features(path, path.parent / "out" / "s.h5")) as store:
        np.testing.assert_array_equal(store.features[:], X)
        assert store.classes == list(classes)
        assert store.labels.tolist() == list(labels)


def test_parquet_of_lists_reads_only_what_it_needs(workspace):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"embedding": list(X), "species": LABELS, "junk": [{"a": 1}] * 6})
    table.to_parquet(workspace / "any.name")
    check(workspace / "any.name")


def test_columns_of_numbers(workspace):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(X, columns=[f"f{i}" for i in range(4)])
    table["label"], table["year"] = LABELS, 2026
    table.to_parquet(workspace / "t.parquet")
    check(workspace / "t.parquet")
    table.to_csv(workspace / "t.csv", sep=";", index=False)
    check(workspace / "t.csv")


def test_hdf5_of_others(workspace):
    with h5py.File(workspace / "f.h5", "w") as file:
        file["group/embeddings"] = X
        file["group/labels"] = [b"cod", b"", b"eel"] * 2
    check(workspace / "f.h5")


def test_pairs_of_npy(workspace):
    np.save(workspace / "train_features.npy", X)
    np.save(workspace / "train_labels.npy", np.array(["cod", "", "eel"] * 2))
    check(workspace / "train_features.npy")


def test_folders_of_npy(workspace):
    np.save(workspace / "embeddings.npy", X)
    np.save(workspace / "labels.npy", np.array(["cod", "NA", "eel"] * 2))
    np.save(workspace / "image_paths.npy", np.array([f"{i}.jpg" for i in range(6)]))
    check(workspace)
    with FeatureStore.open(workspace.parent / "out" / "s.h5") as store:
        assert store.paths[0] == "0.jpg"


def test_folders_of_npy_by_split(workspace):
    for name, rows in (("train", slice(0, 4)), ("val", slice(4, 6))):
        np.save(workspace / f"{name}_features.npy", X[rows])
        np.save(workspace / f"{name}_labels.npy", np.array(["cod", "", "eel"] * 2)[rows])
    check(workspace)
    with FeatureStore.open(workspace.parent / "out" / "s.h5") as store:
        assert list(store.splits) == ["train"] * 4 + ["val"] * 2
    (workspace / "val_labels.npy").unlink()
    with pytest.raises(InputError, match=r"give val_labels\.npy too"):
        import_features(workspace, workspace / "s.h5")
    np.save(workspace / "val_labels.npy", np.array(["cod"] * 3))
    with pytest.raises(InputError, match=r"has 2 rows and val_labels\.npy 3"):
        import_features(workspace, workspace / "s.h5")


def test_clip_retrieval_shards_whose_unneeded_columns_differ(workspace, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for kind in ("img_emb", "metadata"):
        (workspace / kind).mkdir()
    junk = [pa.nulls(3), pa.array([{"a": 1}, None, {"a": 2}])]
    for number in range(2):
        rows = slice(3 * number, 3 * number + 3)
        np.save(workspace / f"img_emb/img_emb_{number}.npy", X[rows])
        columns = {
            "image_path": [f"{number}{i}.jpg" for i in range(3)],
            "label": ["cod", None, "eel"],
            "exif": junk[number],
            "error_message": [pa.nulls(3), pa.array(["no", None, "yes"])][number],
        }
        place = workspace / f"metadata/metadata_{number}.parquet"
        parquet.write_table(pa.table(columns), place)
    read, asked = parquet.read_table, []

    def read_table(path, columns):
        asked.extend(columns)
        return read(path, columns=columns)

    monkeypatch.setattr(parquet, "read_table", read_table)
    check(workspace)
    assert set(asked) == {"image_path", "label", "error_message"}, "no more is read"
    with FeatureStore.open(workspace.parent / "out" / "s.h5") as store:
        assert store.paths[3] == "10.jpg"
        assert "exif" not in store.metadata, "lists and objects are no cells"
        assert list(store.metadata["error_message"]) == ["", "", "", "no", "", "yes"]


def test_tensors_without_code(workspace):
    torch = pytest.importorskip("torch")
    torch.save({"features": torch.tensor(X), "labels": torch.arange(6)}, workspace / "f.pt")
    check(workspace / "f.pt", list("012345"), range(6))
    torch.save({"features": object()}, workspace / "bad.pt")
    with pytest.raises(InputError, match="could run code"):
        import_features(workspace / "bad.pt", workspace / "s.h5")


def test_pickles_are_named_and_not_read(workspace):
    (workspace / "f.bin").write_bytes(pickle.dumps({"features": X}))
    with pytest.raises(InputError, match=r"Python pickle.*numpy.savez"):
        import_features(workspace / "f.bin", workspace / "s.h5")


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        np.array([b"cod", None, b"eel"] * 2, dtype=object),
        np.array(["cod", float("nan"), "eel"] * 2, dtype=object),
        ["cod", "NA", "eel"] * 2,
    ],
)
def test_missing_labels_are_no_class(workspace, labels):
    path = import_features({"features": X, "labels": labels}, workspace / "s.h5")
    with FeatureStore.open(path) as store:
        assert store.classes == ["cod", "eel"]
        assert store.labels.tolist() == [0, -1, 1] * 2


def test_numbers_with_gaps_are_class_numbers(workspace):
    for labels in (np.array([0, np.nan, 1] * 2), np.array([0, None, 1.0] * 2, dtype=object)):
        path = import_features({"features": X, "labels": labels}, workspace / "s.h5")
        with FeatureStore.open(path) as store:
            assert (store.classes, store.labels.tolist()) == (["0", "1"], [0, -1, 1] * 2)
