from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fishembed.demo import dataset
from fishembed.demo.catalogue import SPECIES
from fishembed.demo.dataset import draw_dataset, long_tail
from fishembed.errors import FishembedError, InputError

FEW = {"Goby": (3, 1, 1), "Mudfish": (1, 1, 1), "Indo-Pacific Tarpon": (1, 0, 1)}
ONE = {"Mudfish": (1, 1, 1)}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    return draw_dataset(tmp_path / "fish", counts=FEW, seed=5, n_jobs=1)


def test_the_same_seed_gives_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    again = draw_dataset(tmp_path / "again", counts=FEW, seed=5, n_jobs=1)
    assert contents(again) == contents(drawn)


def test_another_seed_gives_other_images(drawn: Path, tmp_path: Path) -> None:
    other = contents(draw_dataset(tmp_path / "other", counts=FEW, seed=6, n_jobs=1))
    first = contents(drawn)
    assert other.keys() == first.keys()
    assert not any(other[path] == first[path] for path in first if path.endswith(".jpg"))


def test_the_number_of_jobs_changes_nothing(drawn: Path, tmp_path: Path) -> None:
    parallel = draw_dataset(tmp_path / "parallel", counts=FEW, seed=5, n_jobs=2)
    assert contents(parallel) == contents(drawn)


def test_a_image_does_not_depend_on_how_many_others_there_are(drawn: Path, tmp_path: Path) -> None:
    fewer = {"Goby": (2, 0, 0)}
    small = contents(draw_dataset(tmp_path / "small", counts=fewer, seed=5, n_jobs=1))
    path = "train/Goby/goby_train_002.jpg"
    assert small[path] == contents(drawn)[path]


def test_layout_and_size_of_the_images(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == [
        "captions.csv",
        "demo.json",
        "test",
        "train",
        "val",
    ]
    images = sorted(drawn.rglob("*.jpg"))
    assert len(images) == 10
    assert (drawn / "test/Indo-Pacific Tarpon/indo_pacific_tarpon_test_001.jpg") in images
    for path in images:
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (320, 240))


def test_captions_cover_every_file(drawn: Path) -> None:
    with (drawn / "captions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"] for row in rows} == {
        path.relative_to(drawn).as_posix() for path in drawn.rglob("*.jpg")
    }
    for row in rows:
        split, label, _ = row["path"].split("/")
        assert (row["split"], row["label"]) == (split, label)
        assert label.lower() in row["caption"]


def test_the_stamp_says_what_was_drawn(drawn: Path) -> None:
    stamp = json.loads((drawn / "demo.json").read_text(encoding="utf-8"))
    assert stamp == {
        "format": "fishembed-demo",
        "drawing": dataset.DRAWING,
        "seed": 5,
        "images": 10,
    }


def test_a_complete_folder_is_left_alone(drawn: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in drawn.rglob("*")}
    calls: list[tuple[int, int]] = []
    again = draw_dataset(
        drawn, counts=FEW, seed=5, n_jobs=1, progress=lambda *done: calls.append(done)
    )
    assert again == drawn
    assert calls == []
    assert {path: path.stat().st_mtime_ns for path in drawn.rglob("*")} == before


def test_a_folder_with_a_image_missing_is_drawn_again(drawn: Path) -> None:
    before = contents(drawn)
    (drawn / "val/Goby/goby_val_001.jpg").unlink()
    draw_dataset(drawn, counts=FEW, seed=5, n_jobs=1)
    assert contents(drawn) == before


def test_another_seed_replaces_what_was_drawn_before(drawn: Path, tmp_path: Path) -> None:
    draw_dataset(drawn, counts={"Goby": (3, 1, 1)}, seed=6, n_jobs=1)
    expected = draw_dataset(tmp_path / "other", counts={"Goby": (3, 1, 1)}, seed=6, n_jobs=1)
    assert contents(drawn) == contents(expected)


def test_progress_counts_up_to_the_total(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    many = {"Goby": (18, 0, 0)}
    draw_dataset(
        tmp_path / "fish",
        counts=many,
        n_jobs=1,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(16, 18), (18, 18)]


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        assert len(list(draw_dataset(folder, counts=ONE, n_jobs=1).rglob("*.jpg"))) == 3


def test_a_folder_of_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "boat.jpg").write_bytes(b"mine")
    with pytest.raises(InputError, match="not drawn by fishembed"):
        draw_dataset(tmp_path / "photos")
    assert contents(tmp_path) == {"photos/boat.jpg": b"mine"}


def test_a_stamp_of_something_else_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "demo.json").write_text('["not ours"]')
    with pytest.raises(InputError, match="not drawn by fishembed"):
        draw_dataset(tmp_path / "app")


def test_photos_put_among_the_drawn_ones_are_never_deleted(drawn: Path) -> None:
    mine = drawn / "train/Goby/my_goby.jpg"
    mine.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"my_goby\.jpg"):
        draw_dataset(drawn, counts=FEW, seed=6, n_jobs=1)
    assert mine.read_bytes() == b"mine"
    assert draw_dataset(drawn, counts=FEW, seed=5, n_jobs=1) == drawn


def test_a_file_the_working_directory_and_a_negative_seed_are_refused(
    tmp_path: Path, workspace: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        draw_dataset(tmp_path / "file")
    with pytest.raises(InputError, match="working directory"):
        draw_dataset(".")
    with pytest.raises(InputError, match="-1"):
        draw_dataset(tmp_path / "fish", seed=-1)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path, fault: type[BaseException]) -> None:
    def interrupt(done: int, total: int) -> None:
        raise fault

    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(fault):
        draw_dataset(place / "fish", counts=FEW, n_jobs=1, progress=interrupt)
    assert list(place.iterdir()) == []


def test_an_interrupted_drawing_keeps_what_was_there(drawn: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = contents(drawn.parent)
    with pytest.raises(KeyboardInterrupt):
        draw_dataset(drawn, counts=FEW, seed=6, n_jobs=1, progress=interrupt)
    assert contents(drawn.parent) == before


def test_a_killed_drawing_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "fish"
    code = (
        "import sys; from fishembed.demo import draw_dataset; "
        "draw_dataset(sys.argv[1], n_jobs=1, progress=lambda *done: print(*done, flush=True))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("16 ")
        process.kill()
    assert not folder.exists()
    assert all(path.name.startswith(".fish.") for path in tmp_path.glob("*fish*"))


def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    place = tmp_path / "place"
    with pytest.raises(FishembedError, match="No space left on device"):
        draw_dataset(place / "fish", counts=FEW, n_jobs=1)
    assert list(place.iterdir()) == []


def while_drawing(monkeypatch: pytest.MonkeyPatch, event: Callable[[], object]) -> None:
    """Let something happen when the images are drawn but not yet in their place."""
    write = dataset._write_images

    def write_and_wait(*given: Any) -> None:
        write(*given)
        monkeypatch.setattr(dataset, "_write_images", write)
        event()

    monkeypatch.setattr(dataset, "_write_images", write_and_wait)


def test_another_process_that_finishes_first_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[int] = []

    def other_process() -> None:
        folder = draw_dataset(tmp_path / "fish", counts=ONE, n_jobs=1)
        times.append((folder / "demo.json").stat().st_mtime_ns)

    while_drawing(monkeypatch, other_process)
    folder = draw_dataset(tmp_path / "fish", counts=ONE, n_jobs=1)
    assert times == [(folder / "demo.json").stat().st_mtime_ns]
    assert [path.name for path in tmp_path.glob("*fish*")] == ["fish"]


def test_files_that_appear_while_drawing_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fish"

    def copy_photos() -> None:
        folder.mkdir()
        (folder / "mine.jpg").write_bytes(b"mine")

    while_drawing(monkeypatch, copy_photos)
    with pytest.raises(InputError, match="not drawn by fishembed"):
        draw_dataset(folder, counts=ONE, n_jobs=1)
    assert contents(folder) == {"mine.jpg": b"mine"}


def test_the_long_tail_is_in_the_training_split() -> None:
    counts = long_tail()
    assert set(counts) == {species.name for species in SPECIES}
    train, val, test = zip(*counts.values(), strict=True)
    assert list(train) == sorted(train, reverse=True)
    assert max(train) == 20 * min(train)
    assert min(test) >= 8
    assert min(val) >= 2
    assert 1500 <= sum(map(sum, counts.values())) <= 1700
