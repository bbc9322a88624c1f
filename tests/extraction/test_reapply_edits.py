"""What people changed in a store outlives the extractions that come after."""

from __future__ import annotations

import csv

import h5py
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.cache import FeatureStore, edit_store, undo_edit
from fishembed.errors import InputError, StoreIntegrityError
from fishembed.extraction import extract

STORE = "cache/p.h5"


class Told(list):
    def __bool__(self):
        return True

    def message(self, text):
        self.append(text)

    def update(self, done, total, task="encoding"):
        pass


@pytest.fixture
def photos(workspace):
    for seed in range(8):
        draw(workspace / f"p/{'ab'[seed % 2]}/{seed}.png", seed)
    return workspace / "p"


def encode(photos, **options):
    told, encoder = Told(), FakeEncoder()
    done = extract(photos, STORE, encoder=encoder, reporter=told, **options)
    return done, encoder.seen, told


def rows():
    with FeatureStore.open(STORE) as store:
        names = [*store.classes, None]
        return {
            path: (names[label], split)
            for path, label, split in zip(store.paths, store.labels, store.splits, strict=True)
        }


def test_edits_outlive_an_extraction(photos):
    encode(photos)
    edit_store(STORE, [("a/0.png", "label", "b"), ("a/2.png", "split", "test")], verb="fix")
    edit_store(STORE, [("b/1.png", "dropped", "")], verb="fix")
    before = contents(STORE)
    raw = (photos.parent / STORE).read_bytes()
    done, seen, told = encode(photos)
    assert (seen, done.wrote, done.rows, done.new) == (0, False, 7, 0)
    assert (photos.parent / STORE).read_bytes() == raw
    assert any("2 cells (label, split, group), 1 image dropped" in t for t in told)
    draw(photos / "b/9.png", 9)
    done, seen, _ = encode(photos)
    assert (seen, done.rows, done.new) == (1, 8, 1)
    assert before.by_path().items() <= contents(STORE).by_path().items()


def test_a_dropped_picture_comes_back_after_other_work(photos):
    encode(photos)
    before = contents(STORE)
    edit_store(STORE, [("b/1.png", "dropped", "")], verb="fix")
    draw(photos / "b/9.png", 9)
    encode(photos)
    assert undo_edit(STORE).left == ()
    assert encode(photos)[1] == 0
    assert before.by_path().items() <= contents(STORE).by_path().items()


def test_edits_follow_a_picture_that_moves(photos):
    encode(photos)
    edit_store(STORE, [("a/0.png", "split", "test"), ("b/1.png", "dropped", "")], verb="fix")
    (photos / "c").mkdir()
    (photos / "a/0.png").rename(photos / "c/0.png")
    (photos / "b/1.png").rename(photos / "c/1.png")
    for _ in range(2):
        done, seen, _ = encode(photos)
        assert (seen, done.rows) == (0, 7)
        assert rows()["c/0.png"] == ("c", "test")
        assert "c/1.png" not in rows()
    assert undo_edit(STORE).left == ()
    assert rows()["c/0.png"] == ("c", "")
    assert rows()["c/1.png"] == ("b", "")


def test_the_copy_of_a_dropped_picture_stays_when_that_is_deleted(photos):
    (photos / "b/copy.png").write_bytes((photos / "a/0.png").read_bytes())
    encode(photos)
    edit_store(STORE, [("b/copy.png", "dropped", "")], verb="fix")
    (photos / "b/copy.png").unlink()
    for _ in range(2):
        encode(photos)
        assert "a/0.png" in rows()
        assert "b/copy.png" not in rows()


def test_other_bytes_under_the_name_of_a_dropped_picture_come_in(photos):
    encode(photos)
    edit_store(STORE, [("b/1.png", "dropped", "")], verb="fix")
    draw(photos / "b/1.png", 77)
    done, seen, _ = encode(photos)
    assert (seen, done.rows) == (1, 8)
    assert len(undo_edit(STORE).left) == 1
    assert len(rows()) == 8


def manifest(photos, labels):
    path = photos.parent / "m.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        names = [f"p/{'ab'[i % 2]}/{i}.png" for i in range(8)]
        writer.writerows(zip(names, labels, strict=True))
    return path


def test_what_the_source_says_anew_wins_and_is_told(photos):
    encode(manifest(photos, "ababababa"[:8]))
    edit_store(STORE, [("p/a/0.png", "label", "b")], verb="fix")
    told = encode(manifest(photos, "cbababab"))[2]
    assert rows()["p/a/0.png"] == ("c", "")
    assert any("something new of 1 edited image," in t and "'p/a/0.png'" in t for t in told)
    told = encode(manifest(photos, "bbababab"))[2]
    assert rows()["p/a/0.png"] == ("b", "")
    assert not any("something new" in t for t in told)


def test_a_class_that_only_an_edit_knows_stays(photos):
    encode(manifest(photos, "abababac"))
    edit_store(STORE, [("p/a/0.png", "label", "c")], verb="fix")
    encode(manifest(photos, "abababab"))
    assert rows()["p/a/0.png"] == ("c", "")


def test_pictures_that_came_after_a_split_are_told(photos):
    encode(photos)
    edit_store(STORE, [(path, "split", "train") for path in rows()], verb="split")
    draw(photos / "b/9.png", 9)
    told = encode(photos)[2]
    assert any("1 image without a split, the first: 'b/9.png'" in text for text in told)


def test_a_damaged_record_is_not_forgotten(photos):
    encode(photos)
    edit_store(STORE, [("b/1.png", "dropped", "")], verb="fix")
    place = photos.parent / STORE
    with h5py.File(place) as file:
        at = file["dropped/image"].id.get_offset()
    raw = bytearray(place.read_bytes())
    raw[at] ^= 4
    place.write_bytes(raw)
    with pytest.raises(StoreIntegrityError, match="dropped/image"):
        encode(photos)
    assert place.read_bytes() == raw


def test_trunk_vectors_of_dropped_pictures_are_asked_for(photos):
    encode(photos)
    edit_store(STORE, [("b/1.png", "dropped", "")], verb="fix")
    wide = FakeEncoder()
    wide.trunk_dim = 12
    with pytest.raises(InputError, match="--undo"):
        extract(photos, STORE, encoder=wide, trunk=True)
