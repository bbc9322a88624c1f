"""Out of a store and in again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from full_rows import make_head, make_rows, make_vectors
from small_pictures import draw

from fishembed import import_features, open_store
from fishembed._base.csv_files import CsvTable
from fishembed.audit import fix_store
from fishembed.cache import (
    FeatureStore,
    Rows,
    TextFeatures,
    export_manifest,
    export_store,
    import_vectors,
)
from fishembed.cli import main
from fishembed.errors import DimensionError, InputError, StoreWriteError
from fishembed.extraction import extract
from fishembed.images import VideoFrame, open_dataset

parquet = pytest.importorskip("pyarrow.parquet")


def labelled(n: int) -> Rows:
    rows = make_rows(n)
    return Rows(**{**rows.__dict__, "label": np.arange(n, dtype=np.int32) % 3})


def same(first: FeatureStore, second: FeatureStore, *, paths: bool = True) -> None:
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.features.dtype == second.features.dtype
    assert first.splits.tolist() == second.splits.tolist()
    assert (first.groups, first.digests) == (second.groups, second.digests)
    assert first.classes == second.classes
    if paths:
        assert first.paths == second.paths


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_npz_comes_back(make_store, workspace, dtype):
    store = make_store(trunk=make_vectors(200, 9), dtype=dtype)
    target = export_store(store, workspace / "out/a.npz", prompts="single")
    with FeatureStore.open(import_vectors(target, workspace / "b.h5")) as back:
        same(store, back)
        np.testing.assert_array_equal(back.trunk, store.trunk)
        text = store.text("single")
        np.testing.assert_array_equal(back.text("imported").features, text.features)
        assert back.text("imported").logit_scale == text.logit_scale
        assert back.encoder_name == store.encoder_name
    assert [p.name for p in target.parent.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("shard_rows", [1000, 200, 64, 13])
def test_a_folder_comes_back(make_store, workspace, shard_rows):
    store = make_store(rows=labelled(200), dtype=np.float16)
    target = export_store(store, workspace / "out", shard_rows=shard_rows)
    shards = -(-200 // shard_rows)
    assert len(list((target / "img_emb").iterdir())) == shards
    with FeatureStore.open(import_vectors(target, workspace / "b.h5")) as back:
        same(store, back, paths=False)
        expected = store.text("mine").features.astype(np.float16)
        np.testing.assert_array_equal(back.text("imported").features, expected)


def test_a_folder_is_laid_out_as_clip_retrieval_does(make_store, workspace):
    store = make_store(rows=labelled(20))
    target = export_store(store, workspace / "out", prompts="single")
    files = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    assert files == [
        "img_emb/img_emb_0.npy",
        "metadata/metadata_0.parquet",
        "text_emb/text_emb_0.npy",
    ]
    np.testing.assert_array_equal(np.load(target / files[0]), store.features)
    table = parquet.read_table(target / files[1])
    assert table["image_path"][1].as_py() == "/photos/a\nb.png"
    assert table["caption"][0].as_py() == "a photo of a bass"
    texts = np.load(target / files[2])
    np.testing.assert_array_equal(texts, store.text("single").features[store.labels])


def test_rows_without_a_class_leave_the_words_out(make_store, workspace):
    target = export_store(make_store(), workspace / "out")
    assert not (target / "text_emb").exists()
    with FeatureStore.open(import_vectors(target, workspace / "b.h5")) as back:
        assert (back.labels == -1).sum() == 50


@pytest.mark.parametrize("name", ["out.npz", "out"])
def test_normalised_on_the_way_out(make_store, workspace, name):
    store = make_store(rows=labelled(200))
    target = export_store(store, workspace / name, normalize=True)
    with FeatureStore.open(import_vectors(target, workspace / "b.h5")) as back:
        np.testing.assert_allclose(np.linalg.norm(back.features, axis=1), 1, rtol=1e-6)


def test_a_folder_from_clip_retrieval_itself(workspace):
    pa = pytest.importorskip("pyarrow")
    for kind in ("img_emb", "metadata", "text_emb"):
        (workspace / "theirs" / kind).mkdir(parents=True)
    vectors = make_vectors(15)
    for number, start in enumerate(range(0, 15, 5)):
        rows = slice(start, start + 5)
        stem = f"{number + 9:02d}"  # 09, 10, 11: in order as numbers, not only as text
        np.save(workspace / f"theirs/img_emb/img_emb_{stem}.npy", vectors[rows])
        np.save(workspace / f"theirs/text_emb/text_emb_{stem}.npy", vectors[rows])
        table = {"image_path": [f"{i}.jpg" for i in range(15)[rows]], "caption": ["fish"] * 5}
        parquet.write_table(pa.table(table), workspace / f"theirs/metadata/metadata_{stem}.parquet")
    with FeatureStore.open(import_vectors(workspace / "theirs", workspace / "b.h5")) as store:
        np.testing.assert_array_equal(store.features, vectors)
        assert store.paths == [f"{i}.jpg" for i in range(15)]
        assert (store.text_keys, store.classes) == ([], [])


def test_a_folder_without_metadata(workspace):
    (workspace / "out/img_emb").mkdir(parents=True)
    np.save(workspace / "out/img_emb/img_emb_0.npy", make_vectors(3))
    with FeatureStore.open(import_vectors(workspace / "out", workspace / "b.h5")) as store:
        assert len(store) == 3


def test_broken_folders(make_store, workspace):
    (workspace / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no img_emb/img_emb_0\.npy"):
        import_vectors(workspace / "empty", workspace / "b.h5")
    target = export_store(make_store(rows=labelled(20)), workspace / "out", shard_rows=10)
    for broken in ("metadata/metadata_1.parquet", "img_emb/img_emb_1.npy"):
        (target / broken).rename(workspace / "aside")
        with pytest.raises(InputError, match="of number 1 there is not one file each"):
            import_vectors(target, workspace / "b.h5")
        (target / broken).write_bytes(b"junk")
        with pytest.raises(InputError, match="cannot"):
            import_vectors(target, workspace / "b.h5")
        (workspace / "aside").replace(target / broken)
    np.save(target / "img_emb/img_emb_1.npy", make_vectors(10, 7))
    with pytest.raises(DimensionError, match="its first sibling"):
        import_vectors(target, workspace / "b.h5")
    np.save(target / "img_emb/img_emb_1.npy", make_vectors(9))
    with pytest.raises(DimensionError):
        import_vectors(target, workspace / "b.h5")
    assert not (workspace / "b.h5").exists()


def test_what_is_there_already(make_store, workspace):
    store = make_store()
    export_store(store, workspace / "out")
    with pytest.raises(InputError, match="is there already"):
        export_store(store, workspace / "out")
    export_store(store, workspace / "a.npz")
    export_store(store, workspace / "a.npz")
    with pytest.raises(InputError, match="no text features 'other'"):
        export_store(store, workspace / "c.npz", prompts="other")
    with pytest.raises(StoreWriteError):
        export_store(store, workspace / "a.npz/below/b.npz")


def test_a_break_leaves_nothing(make_store, workspace, monkeypatch):
    store = make_store()
    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_store(store, workspace / "out")
    assert [p.name for p in workspace.iterdir()] == ["a.h5"]


def test_no_words_no_text(make_store, workspace):
    store = make_store(head=make_head(text={}))
    with np.load(export_store(store, workspace / "a.npz")) as arrays:
        assert "text_features" not in arrays


def test_text_of_rows_that_disagree_is_no_class_text(make_store, workspace):
    target = export_store(make_store(rows=labelled(20)), workspace / "out")
    place = target / "text_emb/text_emb_0.npy"
    texts = np.load(place)
    texts[7] += 1
    np.save(place, texts)
    with FeatureStore.open(import_vectors(target, workspace / "b.h5")) as back:
        assert back.text_keys == []


def test_text_vectors_of_more_prompts(make_store, workspace):
    words = TextFeatures(make_vectors(3, seed=8), ("bass", "carpe é", "x"), ("{}", "my {}"), 1.0)
    store = make_store(rows=labelled(9), head=make_head(text={"only": words}))
    table = parquet.read_table(
        export_store(store, workspace / "out") / "metadata/metadata_0.parquet"
    )
    assert table["caption"].to_pylist()[:2] == ["bass", "carpe é"]


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


def test_corrected_labels_come_back_as_a_table(workspace):
    paths = ["a.jpg", "b.jpg", "c.jpg"]
    arrays = {"features": np.eye(3), "labels": ["cod", "eel", ""], "paths": paths}
    place = import_features(arrays, "f.h5")
    table = workspace / "t.csv"
    table.write_text("path,action,new_label\nc.jpg,relabel,pike\nb.jpg,drop,\n", encoding="utf-8")
    fix_store(place, table)
    with open_store(place) as store:
        target = export_manifest(store, workspace / "out" / "labels.csv")
    rows = [row for _, row in CsvTable(target)]
    assert [(row["path"], row["label"]) for row in rows] == [("a.jpg", "cod"), ("c.jpg", "pike")]


def test_the_verb_writes_it(workspace, capsys):
    place = import_features({"features": np.eye(3), "labels": ["cod", "eel", ""]}, "f.h5")
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["export", "labels.csv", "--store", str(place), "--format", "manifest", "--json"])
    assert '"rows": 3' in capsys.readouterr().out
    text = (workspace / "labels.csv").read_text(encoding="utf-8-sig")
    assert text.startswith("path,label,split,group")


def test_boxes_come_back(workspace):
    draw(workspace / "p" / "a.png", 1)
    draw(workspace / "p" / "b.png", 2)
    (workspace / "p" / "boxes.csv").write_text(
        "path,label,x,y,width,height,site\na.png,cod,1,2,6.5,5,reef\na.png,eel,9,2,4,5,\n"
        "b.png,cod,5,5,3,3,bay\n"
    )
    extract(workspace / "p" / "boxes.csv", "s.h5", encoder=FakeEncoder())
    with open_store("s.h5") as store:
        wanted = store.paths, store.labels.tolist(), store.groups, np.asarray(store.boxes)
        target = export_manifest(store, workspace / "p" / "out.csv")
    found = open_dataset(target).samples
    assert [one.path for one in found] == wanted[0]
    extract(target, "again.h5", encoder=FakeEncoder())
    with open_store("again.h5") as store:
        again = store.paths, store.labels.tolist(), store.groups, np.asarray(store.boxes)
        assert store.metadata["site"].tolist() == ["reef", "", "bay"]
    assert again[:3] == wanted[:3]
    np.testing.assert_array_equal(again[3], wanted[3])


def test_a_frame_named_in_a_table_is_that_frame(workspace):
    (workspace / "clip.mp4").write_bytes(b"no video, and not opened")
    (workspace / "t.csv").write_text("path,label\nclip.mp4#t=2.5,eel\n")
    dataset = open_dataset("t.csv")
    ((sample,), blob) = dataset.samples, dataset.image_bytes["clip.mp4#t=2.5"]
    assert (sample.time, sample.group, sample.label) == (2.5, "clip.mp4", "eel")
    assert isinstance(blob, VideoFrame)
