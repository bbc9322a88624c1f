"""Datasets of the Hugging Face hub, from a local copy of their Parquet files."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image

from fishembed import FeatureStore
from fishembed.errors import SourceError
from fishembed.extraction import extract
from fishembed.images import open_dataset, read_bytes
from fishembed.images.datasets import hub_dataset
from fishembed.images.datasets.hub_dataset import StreamedImage

datasets = pytest.importorskip("datasets")
parquet = pytest.importorskip("pyarrow.parquet")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 50, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def copy(workspace, monkeypatch):
    """Write owner/fish with two splits in the hub's layout."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", workspace / "hub-cache")
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cod", "eel"]),
            "site": datasets.Value("string"),
            "depth": datasets.Value("float32"),
        }
    )
    folder = workspace / "owner/fish/data"
    folder.mkdir(parents=True)
    for split, seeds in (("train", range(6)), ("test", range(6, 9))):
        rows = {
            "image": [{"bytes": png(seed), "path": None} for seed in seeds],
            "label": [seed % 2 for seed in seeds],
            "site": [("north", None)[seed % 2] for seed in seeds],
            "depth": [float(seed) for seed in seeds],
        }
        table = datasets.Dataset.from_dict(rows, features=features)
        table.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
    return workspace


@pytest.mark.usefixtures("copy")
def test_rows_labels_splits_and_metadata():
    found = open_dataset("hf:owner/fish")
    assert [sample.path for sample in found.samples][:2] == ["train/0", "train/1"]
    assert [sample.split for sample in found.samples] == ["train"] * 6 + ["test"] * 3
    assert [sample.label for sample in found.samples[:2]] == ["cod", "eel"]
    assert found.samples[1].metadata == {"site": "", "depth": "1"}
    assert [read_bytes(found.at(s.path)) for s in found.samples] == [png(n) for n in range(9)]


@pytest.mark.usefixtures("copy")
def test_a_split_of_a_dataset_and_extract_twice(workspace):
    encoder = FakeEncoder()
    result = extract("hf:owner/fish:train", encoder=encoder)
    assert str(result.store) == "cache/fish-train.h5"
    assert result.sentence.startswith(
        "6 images of 2 classes (cod 3, eel 3); train 6; metadata: site"
    )
    again = extract("hf:owner/fish:train", encoder=encoder)
    assert (again.encoded, again.wrote, encoder.seen) == (0, False, 6)
    with FeatureStore.open(result.store) as store:
        assert store.metadata["depth"].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("name", ["hf:", "hf:owner/fish:nosplit", "hf:owner/none"])
def test_what_is_not_there_is_named(name):
    with pytest.raises(SourceError):
        open_dataset(name)


def test_parquet_is_streamed_and_nothing_is_downloaded(copy):
    found = open_dataset("hf:owner/fish")
    assert {type(found.at(sample.path)) for sample in found.samples} == {StreamedImage}
    assert not list((copy / "hub-cache").rglob("*.arrow"))


def test_row_groups_and_several_files_keep_their_order(copy, monkeypatch):
    folder = copy / "owner/fish/data"
    whole = parquet.read_table(folder / "train-00000-of-00001.parquet")
    (folder / "train-00000-of-00001.parquet").unlink()
    parquet.write_table(whole[:4], folder / "train-00000-of-00002.parquet", row_group_size=3)
    parquet.write_table(whole[4:], folder / "train-00001-of-00002.parquet", row_group_size=1)
    found = open_dataset("hf:owner/fish:train")
    assert [read_bytes(found.at(s.path)) for s in found.samples] == [png(n) for n in range(6)]
    assert len({found.at(sample.path).together for sample in found.samples}) == 4
    assert len({found.state(sample.path) for sample in found.samples}) == 6

    # What is in hand is kept when a run is broken off, and the next one goes on there.
    encoder = FakeEncoder()
    real, reads = StreamedImage.read, []

    def read(image):
        reads.append(image.row)
        if len(reads) == 5:
            raise KeyboardInterrupt
        return real(image)

    monkeypatch.setattr(StreamedImage, "read", read)
    with pytest.raises(KeyboardInterrupt):
        extract("hf:owner/fish:train", encoder=encoder, workers=1, batch_size=1)
    before = encoder.seen
    extract("hf:owner/fish:train", encoder=encoder, workers=1, batch_size=1)
    assert 0 < encoder.seen - before < 6
    with FeatureStore.open("cache/fish-train.h5") as store:
        assert store.paths == [f"train/{number}" for number in range(6)]
        assert store.digests == [hashlib.sha256(png(number)).hexdigest() for number in range(6)]


@pytest.mark.usefixtures("copy")
def test_a_store_of_downloaded_images_goes_on_with_streamed_ones(monkeypatch):
    encoder = FakeEncoder()
    with monkeypatch.context() as patch:
        patch.setattr(hub_dataset, "_streamed_splits", lambda *_: None)
        extract("hf:owner/fish", encoder=encoder)
    result = extract("hf:owner/fish", encoder=encoder)
    assert (result.encoded, result.rows, encoder.seen) == (0, 9, 9)
