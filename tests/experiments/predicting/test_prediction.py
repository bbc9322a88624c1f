from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_clips import draw_clip

from fishembed import FeatureStore, import_vectors, run_fit, run_zeroshot
from fishembed._base.csv_files import CsvTable
from fishembed.classifiers import load_head
from fishembed.errors import (
    DimensionError,
    ImageError,
    InputError,
    MissingExtraError,
    RunFormatError,
    StoreMismatchError,
    StoreNotFoundError,
    WriteError,
)
from fishembed.experiments import HEADS
from fishembed.experiments.predicting.image_folders import sort_into_folders
from fishembed.experiments.predicting.predicted_images import Prediction, Predictions
from fishembed.experiments.predicting.prediction import predict_run
from fishembed.experiments.predicting.prediction_formats import (
    format_for,
    formatted,
    write_predictions,
)
from fishembed.extraction import encode_images, extract

COLOURS = {"cod": (200, 40, 40), "eel": (40, 200, 40), "ray, é": (40, 40, 200)}


def paint(path, colour, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).normal(colour, 30, (12, 16, 3))
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def photos(workspace):
    for name, colour in COLOURS.items():
        for seed in range(9):
            split = "test" if seed > 5 else "train"
            paint(workspace / "photos" / split / name / f"{seed}.png", colour, seed)
        paint(workspace / "new" / f"{name[:3]}.png", colour, 99)
    return workspace / "photos"


@pytest.fixture
def run(photos):
    extract(photos, "cache/p.h5", encoder=FakeEncoder(width=12), trunk=True)
    return run_fit("cache/p.h5", head="gaussian")


def test_new_pictures_are_called_what_they_show(run):
    found = predict_run(run, ["new"], encoder=FakeEncoder(width=12), top=2)
    assert [p.path for p in found.predictions] == ["new/cod.png", "new/eel.png", "new/ray.png"]
    assert [p.classes[0] for p in found.predictions] == ["cod", "eel", "ray, é"]
    for prediction in found.predictions:
        assert len(prediction.classes) == len(prediction.probabilities) == 2
        assert 1 >= prediction.probabilities[0] >= prediction.probabilities[1] >= 0
        assert prediction.evidence == ()
    assert found.skipped == ()


def test_a_store_needs_no_encoder(run, monkeypatch):
    monkeypatch.setattr("fishembed.experiments.predicting.input_features.load_encoder", None)
    found = predict_run(run.folder, ["cache/p.h5"], top=1)
    by_path = {p.path: p.classes[0] for p in found.predictions}
    assert len(by_path) == 27
    for row in run.predictions:
        assert by_path[row["path"]] == row["predicted"]


def test_no_pickle_is_read(run):
    (run.folder / "head.joblib").write_bytes(b"not to be touched")
    assert predict_run(run, ["cache/p.h5"]).predictions


def test_evidence_is_the_nearest_training_images(run):
    found = predict_run(run, ["cache/p.h5"], evidence=True)
    with FeatureStore.open("cache/p.h5") as store:
        X = store.vectors(np.arange(len(store)))
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        train = np.flatnonzero(store.splits == "train")
        for row, prediction in enumerate(found.predictions):
            cosines = X[train] @ X[row]
            best = train[np.argsort(-cosines)[:3]]
            assert [near.path for near in prediction.evidence] == [store.paths[k] for k in best]
            told = [near.similarity for near in prediction.evidence]
            assert told == pytest.approx(np.sort(cosines)[::-1][:3], abs=1e-5)
            assert prediction.evidence[0].label == store.paths[best[0]].split("/")[1]


def test_evidence_needs_the_store_as_it_was(run, photos):
    paint(photos / "train/cod/more.png", COLOURS["cod"], 5)
    extract(photos, "cache/p.h5", encoder=FakeEncoder(width=12), trunk=True)
    with pytest.raises(StoreMismatchError, match="has changed since the run 'p-gaussian'"):
        predict_run(run, ["cache/p.h5"], evidence=True)
    (run.folder.parent.parent / "cache" / "p.h5").unlink()
    with pytest.raises(StoreNotFoundError):
        predict_run(run, ["new"], encoder=FakeEncoder(width=12), evidence=True)


def test_trunk_heads_get_trunk_vectors(run):
    trunk = run_fit("cache/p.h5", head="gaussian", features="trunk")
    found = predict_run(trunk, ["new"], encoder=FakeEncoder(width=12), evidence=True)
    assert [p.classes[0] for p in found.predictions] == ["cod", "eel", "ray, é"]
    stored = predict_run(trunk, ["cache/p.h5"]).predictions
    assert {p.path: p.classes[0] for p in stored}["test/cod/6.png"] == "cod"


def test_what_cannot_be_read_is_named(run, workspace):
    (workspace / "new" / "broken.png").write_bytes(b"no picture")
    found = predict_run(run, ["new"], encoder=FakeEncoder(width=12))
    assert len(found.predictions) == 3
    [(path, reason)] = found.skipped
    assert path == "new/broken.png"
    assert reason
    with pytest.raises(ImageError, match=r"none of 1 images can be read: 'new/broken\.png'"):
        predict_run(run, ["new/broken.png"], encoder=FakeEncoder(width=12))


def test_vectors_that_do_not_fit_are_refused(run, workspace, photos):
    with pytest.raises(StoreMismatchError, match="is not what it was when the run was made"):
        predict_run(run, ["new"], encoder=FakeEncoder(width=12, weights="1" * 64))
    extract(photos, "cache/narrow.h5", encoder=FakeEncoder(dim=5))
    with pytest.raises(DimensionError, match=r"\(3 × 8\).*27 × 5"):
        predict_run(run, ["cache/narrow.h5"])
    extract(photos, "cache/other.h5", encoder=FakeEncoder(width=12, weights="1" * 64))
    with pytest.raises(StoreMismatchError, match="the head was trained on others"):
        predict_run(run, ["cache/other.h5"])
    with pytest.raises(InputError, match="cannot be classified together"):
        predict_run(run, ["cache/p.h5", "new"])


def test_a_run_without_its_head_is_refused(run):
    (run.folder / "head.npz").unlink()
    with pytest.raises(RunFormatError, match=r"no head\.npz: the file was lost.*fit again"):
        predict_run(run, ["new"])


@pytest.mark.parametrize(
    ("head", "parameters"),
    [("knn", {}), ("knn", {"weights": "uniform"}), ("blend", {"normalize": "none", "weight": 0.5})],
)
def test_heads_of_several_parts_predict_without_pickle(run, head, parameters):
    several = run_fit("cache/p.h5", head=head, parameters=parameters)
    (several.folder / "head.joblib").write_bytes(b"not to be touched")
    assert load_head(several.folder / "head.npz").fitted_sum.parts
    found = predict_run(several, ["new"], encoder=FakeEncoder(width=12))
    assert [p.classes[0] for p in found.predictions] == ["cod", "eel", "ray, é"]


def test_imported_vectors_have_no_encoder(workspace):
    arrays = {
        "features": np.eye(4).repeat(5, axis=0),
        "labels": np.arange(4).repeat(5),
        "text_features": np.eye(4),
        "classes": np.array(list("abcd")),
    }
    run = run_zeroshot(import_vectors(arrays, "cache/v.h5"))
    (workspace / "x.png").write_bytes(b"")
    with pytest.raises(InputError, match="name a store of features instead"):
        predict_run(run, ["x.png"])
    found = predict_run(run, ["cache/v.h5"])
    assert [p.classes[0] for p in found.predictions] == list("aaaaabbbbbcccccddddd")


def test_every_format_says_the_same(run, workspace):
    found = predict_run(run, ["new"], encoder=FakeEncoder(width=12), top=2, evidence=True)
    rows = list(csv.DictReader(formatted(found, "csv").splitlines()))
    document = json.loads(formatted(found, "json"))
    write_predictions(found, workspace / "out" / "p.parquet", "parquet")
    from pyarrow import parquet

    table = parquet.read_table(workspace / "out" / "p.parquet").to_pylist()
    lines = formatted(found, "table").splitlines()
    assert len(lines) == 3 * 4
    for k, prediction in enumerate(found.predictions):
        best, p = prediction.classes[0], prediction.probabilities[0]
        assert rows[k]["top1"] == table[k]["top1"] == best
        assert float(rows[k]["p1"]) == table[k]["p1"] == round(p, 6)
        assert document["predictions"][k]["top"][0] == {"class": best, "probability": p}
        assert document["predictions"][k]["evidence"][0]["path"] == rows[k]["nearest1"]
        assert f"{best} {100 * p:.1f}%" in lines[4 * k]
        assert prediction.evidence[0].path in lines[4 * k + 1]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_long_names_leave_room_for_the_answer(run, width):
    found = predict_run(run, ["new"], encoder=FakeEncoder(width=12), top=3, sets=0.9)
    long = [replace(one, path=f"{'site ' * 40}{one.path}") for one in found.predictions]
    lines = formatted(replace(found, predictions=long), "table", width=width).splitlines()
    for line, one in zip(lines, long, strict=True):
        assert f"{one.classes[0]} {100 * one.probabilities[0]:.1f}%" in line[:width]
        assert one.path[-8:] in line
        assert "{" + ", ".join(one.set or ()) in line


def test_formats_follow_the_files_name(run, workspace, monkeypatch):
    assert format_for(workspace / "p.CSV") == "csv"
    with pytest.raises(InputError, match="does not say its format"):
        format_for(workspace / "p.doc")
    found = predict_run(run, ["cache/p.h5"])
    (workspace / "file").write_text("")
    with pytest.raises(WriteError, match="cannot write"):
        write_predictions(found, workspace / "file" / "p.csv", "csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="parquet"):
        write_predictions(found, workspace / "p.parquet", "parquet")


def test_encoding_without_a_store_gives_the_stores_vectors(run, photos):
    encoder = FakeEncoder(width=12)
    with FeatureStore.open("cache/p.h5") as store:
        files = [photos / path for path in store.paths]
        for trunk, expected in ((False, store.features), (True, store.trunk)):
            encoded = encode_images(files, encoder, trunk=trunk)
            assert (encoded.features == expected).all()
            assert encoded.rows.tolist() == list(range(27))


@pytest.mark.parametrize("head", [*HEADS, "zeroshot"])
def test_a_run_is_scored_with_the_probabilities_of_predict(workspace, head):
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.arange(180) % 6, np.repeat([0, 1], 40)])
    centres = rng.normal(size=(6, 8))
    arrays = {
        "features": centres[labels] + rng.normal(size=(260, 8)),
        "labels": labels,
        "classes": np.array(list("abcdef")),
        "text_features": centres,
        "logit_scale": np.array(10.0),
    }
    store = import_vectors(arrays, "cache/v.h5")
    run = run_zeroshot(store) if head == "zeroshot" else run_fit(store, head=head)
    found = {one.path: one for one in predict_run(run, [store], top=6).predictions}
    scored = [(found[row["path"]], row["true"]) for row in run.predictions]
    p_true = [one.probabilities[one.classes.index(true)] for one, true in scored]
    losses = -np.log(np.maximum(p_true, np.finfo(float).eps))  # votes rule classes out
    sure = [one.probabilities[0] for one, _ in scored]
    assert np.mean(losses) == pytest.approx(run.metrics["log_loss"], abs=1e-6)
    assert np.mean(sure) == pytest.approx(run.metrics["mean_confidence"], abs=1e-6)
    assert run.info["assumed_prior"] == predict_run(run, [store]).assumed_prior


def test_confidence_is_tempered_where_it_would_be_too_high(workspace):
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 10
    arrays = {"features": rng.normal(size=(300, 64)) + np.eye(64)[labels] * 2, "labels": labels}
    run = run_fit(import_vectors(arrays, "cache/v.h5"), head="gaussian")
    assert abs(run.metrics["mean_confidence"] - run.metrics["accuracy"]) < 0.15
    assert run.metrics["log_loss"] < 2


def test_skipped_images_are_rows_and_numbers_are_short(workspace):
    one = Prediction("=1/3ü.jpg", ("cod", "eel"), (2 / 3, 1 / 3))
    found = Predictions((one,), (("bad.jpg", "the file is empty"),))
    write_predictions(found, workspace / "p.csv", "csv")
    assert (workspace / "p.csv").read_bytes().startswith("\ufefffile,".encode())
    first, last = [row for _, row in CsvTable(workspace / "p.csv")]
    assert (first["path"], first["p1"], first["problem"]) == ("=1/3ü.jpg", "0.666667", "")
    assert (last["path"], last["top1"], last["problem"]) == ("bad.jpg", "", "the file is empty")
    assert "'=1/3" in (workspace / "p.csv").read_text(encoding="utf-8")


def test_what_a_folder_leaves_out_is_named(run, workspace):
    paint(workspace / "some/a.png", COLOURS["eel"], 99)
    (workspace / "some/b.psd").write_bytes(b"x")
    found = predict_run(run, ["some"], encoder=FakeEncoder(width=12))
    assert [path for path, _ in found.left_out] == ["some/b.psd"]
    document = json.loads(formatted(found, "json"))
    assert document["left_out"] == [{"path": "some/b.psd", "reason": found.left_out[0][1]}]


def test_a_video_is_classified_frame_by_frame(run, workspace):
    draw_clip(workspace / "new/clips/a.mp4", seconds=3)
    paint(workspace / "new/clips/b.png", COLOURS["eel"], 99)
    found = predict_run(run, ["new/clips"], encoder=FakeEncoder(width=12))
    frames = [f"new/clips/a.mp4#t={second}" for second in range(3)]
    assert [one.path for one in found.predictions] == [*frames, "new/clips/b.png"]
    (workspace / "new/clips/a.mp4").write_bytes(b"no video")
    found = predict_run(run, ["new/clips"], encoder=FakeEncoder(width=12))
    assert [path for path, _ in found.skipped] == ["new/clips/a.mp4"]


def test_frames_are_sorted_as_images(run, workspace):
    draw_clip(workspace / "new/clips/a.mp4", seconds=2)
    found = predict_run(run, ["new/clips"], encoder=FakeEncoder(width=12))
    for expected in (2, 0):
        assert sort_into_folders(found, workspace / "sorted") == expected
    names = sorted(path.name for path in (workspace / "sorted").rglob("*.png"))
    assert names == ["a.mp4#t=0.png", "a.mp4#t=1.png"]
