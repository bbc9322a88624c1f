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
from fishembed.demo.dataset import _draw_counts, draw_dataset
from fishembed.demo.plan import COMMON_TO_RARE, Count, long_tail
from fishembed.demo.species import SPECIES
from fishembed.errors import FishembedError, InputError

FEW = (
    Count("Goby", train=3, val=1, test=1),
    Count("Mudfish", train=1, val=1, test=1),
    Count("Indo-Pacific Tarpon", train=1, val=0, test=1),
)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    return _draw_counts(tmp_path / "fish", FEW, seed=5, n_jobs=1)


def test_the_same_seed_gives_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    again = _draw_counts(tmp_path / "again", FEW, seed=5, n_jobs=1)
    assert contents(again) == contents(drawn)


def test_another_seed_gives_other_pictures(drawn: Path, tmp_path: Path) -> None:
    other = contents(_draw_counts(tmp_path / "other", FEW, seed=6, n_jobs=1))
    first = contents(drawn)
    assert other.keys() == first.keys()
    assert not any(other[path] == first[path] for path in first if path.endswith(".jpg"))


def test_the_number_of_jobs_changes_nothing(drawn: Path, tmp_path: Path) -> None:
    parallel = _draw_counts(tmp_path / "parallel", FEW, seed=5, n_jobs=2)
    assert contents(parallel) == contents(drawn)


def test_a_picture_does_not_depend_on_how_many_others_there_are(
    drawn: Path, tmp_path: Path
) -> None:
    fewer = (Count("Goby", train=2, val=0, test=0),)
    small = contents(_draw_counts(tmp_path / "small", fewer, seed=5, n_jobs=1))
    path = "train/Goby/goby_train_002.jpg"
    assert small[path] == contents(drawn)[path]


def test_layout_and_size_of_the_pictures(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == [
        "captions.csv",
        "demo.json",
        "test",
        "train",
        "val",
    ]
    pictures = sorted(drawn.rglob("*.jpg"))
    assert len(pictures) == 10
    assert (drawn / "test/Indo-Pacific Tarpon/indo_pacific_tarpon_test_001.jpg") in pictures
    for path in pictures:
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
    again = _draw_counts(drawn, FEW, seed=5, n_jobs=1, progress=lambda *done: calls.append(done))
    assert again == drawn
    assert calls == []
    assert {path: path.stat().st_mtime_ns for path in drawn.rglob("*")} == before


def test_a_folder_with_a_picture_missing_is_drawn_again(drawn: Path) -> None:
    before = contents(drawn)
    (drawn / "val/Goby/goby_val_001.jpg").unlink()
    _draw_counts(drawn, FEW, seed=5, n_jobs=1)
    assert contents(drawn) == before


def test_another_seed_replaces_what_was_drawn_before(drawn: Path, tmp_path: Path) -> None:
    _draw_counts(drawn, FEW[:1], seed=6, n_jobs=1)
    expected = _draw_counts(tmp_path / "other", FEW[:1], seed=6, n_jobs=1)
    assert contents(drawn) == contents(expected)


def test_progress_counts_up_to_the_total(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    many = (Count("Goby", train=18, val=0, test=0),)
    _draw_counts(
        tmp_path / "fish", many, n_jobs=1, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(16, 18), (18, 18)]


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        assert len(list(_draw_counts(folder, FEW[1:2], n_jobs=1).rglob("*.jpg"))) == 3


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
        _draw_counts(drawn, FEW, seed=6, n_jobs=1)
    assert mine.read_bytes() == b"mine"
    assert _draw_counts(drawn, FEW, seed=5, n_jobs=1) == drawn


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
        _draw_counts(place / "fish", FEW, n_jobs=1, progress=interrupt)
    assert list(place.iterdir()) == []


def test_an_interrupted_drawing_keeps_what_was_there(drawn: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = contents(drawn.parent)
    with pytest.raises(KeyboardInterrupt):
        _draw_counts(drawn, FEW, seed=6, n_jobs=1, progress=interrupt)
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
        _draw_counts(place / "fish", FEW, n_jobs=1)
    assert list(place.iterdir()) == []


def while_drawing(monkeypatch: pytest.MonkeyPatch, event: Callable[[], object]) -> None:
    """Let something happen when the pictures are drawn but not yet in their place."""
    write = dataset._write

    def write_and_wait(*given: Any) -> None:
        write(*given)
        monkeypatch.setattr(dataset, "_write", write)
        event()

    monkeypatch.setattr(dataset, "_write", write_and_wait)


def test_another_process_that_finishes_first_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[int] = []

    def other_process() -> None:
        folder = _draw_counts(tmp_path / "fish", FEW[1:2], n_jobs=1)
        times.append((folder / "demo.json").stat().st_mtime_ns)

    while_drawing(monkeypatch, other_process)
    folder = _draw_counts(tmp_path / "fish", FEW[1:2], n_jobs=1)
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
        _draw_counts(folder, FEW[1:2], n_jobs=1)
    assert contents(folder) == {"mine.jpg": b"mine"}


def test_the_long_tail_is_in_the_training_split() -> None:
    counts = long_tail()
    assert {count.name for count in counts} == {species.name for species in SPECIES}
    train = [count.train for count in counts]
    assert train == sorted(train, reverse=True)
    assert max(train) == 20 * min(train)
    assert min(count.test for count in counts) >= 8
    assert min(count.val for count in counts) >= 2
    assert 1500 <= sum(count.train + count.val + count.test for count in counts) <= 1700


def test_of_the_pairs_that_look_alike_one_is_common_and_one_rare() -> None:
    rank = {name: number for number, name in enumerate(COMMON_TO_RARE)}
    for common, rare in (
        ("Goby", "Mudfish"),
        ("Tenpounder", "Bangus"),
        ("Silver Carp", "Big Head Carp"),
    ):
        assert rank[rare] - rank[common] >= 15


@pytest.mark.slow
def test_the_whole_data_set(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "fish", n_jobs=2)
    counts = {count.name: count for count in long_tail()}
    for split in ("train", "val", "test"):
        found = {path.name: len(list(path.iterdir())) for path in (folder / split).iterdir()}
        assert found == {name: count.of(split) for name, count in counts.items()}
