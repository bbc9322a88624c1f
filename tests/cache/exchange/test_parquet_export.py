from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed import FeatureStore, import_features
from fishembed.cache import export_store
from fishembed.extraction import extract

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def store(workspace):
    rows = []
    for seed in range(9):
        draw(workspace / "p" / f"{seed}.png", seed)
        rows.append(f"{seed}.png,{'ab'[seed % 2]},train,g{seed // 3},{seed / 2},deep\n")
    (workspace / "p/m.csv").write_text("path,label,split,group,depth,site\n" + "".join(rows))
    extract(workspace / "p" / "m.csv", "cache/p.h5", encoder=FakeEncoder(name="a"))
    with FeatureStore.open("cache/p.h5") as opened:
        yield opened


def test_each_row_has_its_embedding_and_where_its_image_lies(store, workspace):
    table = parquet.read_table(export_store(store, "p.parquet"))
    assert table.column_names[:6] == ["image", "path", "label", "split", "group", "digest"]
    assert table.column_names[-1] == "embedding"
    assert np.stack(table["embedding"].to_numpy()).tolist() == store.features[:].tolist()
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[8]"
    assert table["path"].to_pylist() == list(store.paths)
    assert all(Path(path).is_file() for path in table["image"].to_pylist())
    assert table["depth"].to_pylist() == [seed / 2 for seed in range(9)]
    assert table["label"].to_pylist() == [store.classes[label] for label in store.labels]


def test_scaled_rows_have_length_one_and_what_is_there_is_replaced_whole(store):
    Path("p.parquet").write_bytes(b"old")
    table = parquet.read_table(export_store(store, "p.parquet", normalize=True))
    lengths = np.linalg.norm(np.stack(table["embedding"].to_numpy()), axis=1)
    assert lengths == pytest.approx(1, abs=1e-6)


def test_it_is_imported_again(store):
    export_store(store, "p.parquet")
    with FeatureStore.open(import_features("p.parquet", "cache/q.h5")) as again:
        assert (again.features[:] == store.features[:]).all()
        assert list(again.paths) == list(store.paths)
        assert again.classes == store.classes
