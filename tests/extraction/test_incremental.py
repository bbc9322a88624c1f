"""What is not read, what is not encoded, and what stays."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.cache import FeatureStore, edit_store
from fishembed.errors import InputError, ManifestError, SourceError, StoreMismatchError
from fishembed.extraction import extract
from fishembed.extraction import read_block as read_block_module


@pytest.fixture
def read_paths(monkeypatch):
    """Give the list of the files that are read from now on."""
    seen = []
    read = read_block_module.read_bytes

    def recorded(path):
        seen.append(Path(path).name)
        return read(path)

    monkeypatch.setattr(read_block_module, "read_bytes", recorded)
    return seen


def test_the_first_time_everything_is_new(photos, store, encoder):
    done = extract(photos, store, encoder=encoder)
    assert (done.rows, done.new, done.encoded, done.reused, done.wrote) == (12, 12, 12, 0, True)
    with FeatureStore.open(store) as made:
        assert made.paths == sorted(made.paths)
        assert made.classes == ["bass", "carp_b"]
        assert made.text("single").names == ("bass", "carp b")
        by_path = {p: made.classes[i] for p, i in zip(made.paths, made.labels, strict=True)}
        assert all(by_path[path] in path for path in by_path)
        assert made.splits.tolist() == [path.split("/")[0] for path in made.paths]
        pixels = [np.asarray(_seen_by(encoder, photos / path)) for path in made.paths]
        expected = FakeEncoder().encode_images(np.stack(pixels))
        np.testing.assert_array_equal(made.features, expected)


def test_nothing_new_reads_and_writes_nothing(again, store, encoder, read_paths):
    before = store.stat()
    done = again()
    assert (done.new, done.changed, done.encoded, done.reused, done.wrote) == (0, 0, 0, 12, False)
    assert read_paths == []
    assert encoder.seen == encoder.texts_seen == 0
    assert store.stat().st_mtime_ns == before.st_mtime_ns
    assert store.stat().st_ino == before.st_ino


def test_only_what_is_new_or_changed_is_read(again, photos, encoder, read_paths):
    draw(photos / "train/bass/new.png", 100)
    draw(photos / "train/bass/00.png", 101)
    done = again()
    assert sorted(read_paths) == ["00.png", "new.png"]
    assert (done.rows, done.new, done.changed, done.encoded, done.reused) == (13, 1, 1, 2, 11)


def test_touched_files_are_read_but_not_encoded(again, photos, encoder, read_paths):
    os.utime(photos / "train/bass/00.png", ns=(1, 1))
    done = again()
    assert read_paths == ["00.png"]
    assert (done.changed, done.encoded, done.wrote) == (0, 0, True)
    assert not again().wrote, "the new time is remembered"


def test_what_moved_is_neither_new_nor_removed(again, photos, store, encoder):
    shutil.move(photos / "train/bass/00.png", photos / "test/carp_b/renamed.png")
    done = again()
    assert encoder.seen == 0
    assert (done.rows, done.new, done.removed, done.reused) == (12, 0, 0, 12)
    with FeatureStore.open(store) as made:
        row = made.paths.index("test/carp_b/renamed.png")
        assert made.classes[made.labels[row]] == "carp_b"
        assert made.splits[row] == "test"
        assert "train/bass/00.png" not in made.paths


def test_relabelling_and_resplitting_reads_nothing(workspace, photos, encoder, read_paths):
    paths = sorted(p.relative_to(workspace).as_posix() for p in photos.rglob("*.png"))
    manifest, store = workspace / "list.csv", workspace / "s.h5"

    def write(label, split, group):
        with manifest.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["path", "label", "split", "group"])
            rows.writerows([p, label(i), split, group] for i, p in enumerate(paths))

    write(lambda i: "ab"[i % 2], "train", "")
    extract(manifest, store, encoder=encoder)
    write(lambda i: "xyz"[i % 3], "test", "trip")
    read_paths.clear()
    done = extract(manifest, store, encoder=encoder)
    assert (done.encoded, done.reused, done.wrote, read_paths) == (0, 12, True, [])
    with FeatureStore.open(store) as made:
        assert made.classes == ["x", "y", "z"]
        assert made.labels.tolist() == [i % 3 for i in range(12)]
        assert set(made.splits) == {"test"}
        assert set(made.groups) == {"trip"}
        assert made.paths == paths, "a manifest's order is the store's"


def test_identical_bytes_are_encoded_once(photos, store, encoder):
    for i in range(3):
        shutil.copy(photos / "train/bass/00.png", photos / f"train/carp_b/copy{i}.png")
    done = extract(photos, store, encoder=encoder, batch_size=2)
    assert (done.rows, done.encoded, encoder.seen, done.reused) == (15, 12, 12, 3)
    with FeatureStore.open(store) as made:
        digest = made.digests[made.paths.index("train/bass/00.png")]
        rows = [i for i, d in enumerate(made.digests) if d == digest]
        assert len(rows) == 4
        assert len({made.features[row].tobytes() for row in rows}) == 1


def test_removed_files_stay_until_pruned(again, photos, store, encoder):
    before = contents(store)
    shutil.rmtree(photos / "train/bass")
    done = again()
    assert (done.rows, done.removed, done.wrote) == (12, 4, True)
    assert contents(store).by_path() == before.by_path()
    assert not again().wrote
    done = again(prune=True)
    assert (done.rows, done.removed, encoder.seen) == (8, 4, 0)
    with FeatureStore.open(store) as made:
        assert not any(path.startswith("train/bass") for path in made.paths)
        assert made.classes == ["bass", "carp_b"], "the test part still has it"
    assert not again(prune=True).wrote


def test_kept_rows_keep_their_class_when_others_appear(again, photos, store):
    shutil.rmtree(photos / "train/carp_b")
    shutil.rmtree(photos / "test/carp_b")
    draw(photos / "train/abel/1.png", 300)
    again()
    with FeatureStore.open(store) as made:
        assert made.classes == ["abel", "bass", "carp_b"]
        for path, label in zip(made.paths, made.labels, strict=True):
            assert made.classes[label] == path.split("/")[1]


def test_a_listed_file_that_is_missing_keeps_its_row(workspace, photos, encoder):
    manifest, store = photos / "list.csv", workspace / "s.h5"
    paths = sorted(p.relative_to(photos).as_posix() for p in photos.rglob("*.png"))
    manifest.write_text("path\n" + "\n".join(paths))
    extract(manifest, store, encoder=encoder)
    (photos / paths[3]).unlink()
    done = extract(manifest, store, encoder=encoder)
    assert (done.rows, done.removed) == (12, 1)
    assert done.skipped_files == ((paths[3], "the file is missing"),)
    assert not extract(manifest, store, encoder=encoder).wrote
    done = extract(manifest, store, encoder=encoder, prune=True)
    assert (done.rows, done.skipped) == (11, 1)


def test_unusable_pictures_are_named_and_rows_do_not_drift(again, photos, store):
    before = contents(store).by_path()
    (photos / "train/bass/04.png").write_bytes(b"no picture")
    (photos / "train/bass/empty.png").touch()
    done = again()
    assert done.skipped_files == (
        ("train/bass/04.png", "not an image in a known format"),
        ("train/bass/empty.png", "the file is empty"),
    )
    after = contents(store).by_path()
    assert set(before) == set(after), "a picture that breaks keeps its row"
    assert all(after[path] == before[path] for path in after)
    with FeatureStore.open(store) as made:
        assert tuple(made.skipped) == done.skipped_files
    assert not again().wrote


def test_a_picture_repaired_comes_back(again, photos):
    good = (photos / "train/bass/00.png").read_bytes()
    (photos / "train/bass/00.png").write_bytes(b"x")
    assert (again().rows, again().skipped) == (12, 1)
    (photos / "train/bass/00.png").write_bytes(good)
    done = again()
    assert (done.rows, done.skipped, done.encoded) == (12, 0, 0)


def test_vectors_that_are_not_finite_are_skipped_by_name(photos, store, encoder):
    draw(photos / "train/bass/bad.png", 500)
    encode = encoder.encode_with_trunk

    def poisoned(batch):
        image, trunk = encode(batch)
        bad = encode(np.stack([_seen_by(encoder, photos / "train/bass/bad.png")]))[0]
        image = image.copy()
        image[(image == bad).all(axis=1), 0] = np.inf
        return image, trunk

    encoder.encode_with_trunk = poisoned
    done = extract(photos, store, encoder=encoder)
    assert done.rows == 12
    assert [path for path, _ in done.skipped_files] == ["train/bass/bad.png"]
    assert "not finite" in done.skipped_files[0][1]


def test_nothing_usable_writes_nothing(workspace, store, encoder):
    (workspace / "junk").mkdir()
    (workspace / "junk/a.png").write_bytes(b"junk")
    with pytest.raises(SourceError, match=r"none of the 1 images.*'a.png': not an image"):
        extract(workspace / "junk", store, encoder=encoder)
    assert not store.exists()


def test_a_source_of_dropped_pictures_only_writes_nothing(again, photos, store):
    first = "test/bass/02.png"
    edit_store(store, [(first, "dropped", "")], verb="fix")
    before = store.read_bytes()
    for path in photos.rglob("*.png"):
        if path != photos / first:
            path.unlink()
    with pytest.raises(SourceError, match=r"none of the 1 images.*'fishembed fix'"):
        again(prune=True)
    assert store.read_bytes() == before


def test_another_folder_does_not_mix_in(again, workspace):
    draw(workspace / "other/a.png", 9)
    with pytest.raises(StoreMismatchError, match="give another --store"):
        again(source=workspace / "other")


def test_a_folder_that_moved_as_a_whole_is_the_same_source(again, photos, workspace, encoder):
    photos.rename(workspace / "elsewhere")
    done = again(source=workspace / "elsewhere")
    assert (done.reused, encoder.seen, done.wrote) == (12, 0, True)


def test_a_manifests_pictures_far_from_it(workspace, photos, encoder):
    (workspace / "lists").mkdir()
    manifest = workspace / "lists/all.csv"
    path = photos / "train/bass/00.png"
    manifest.write_text(f"path,label\n{path},bass\n../photos/test/carp_b/05.png,carp\n")
    extract(manifest, workspace / "s.h5", encoder=encoder)
    with FeatureStore.open(workspace / "s.h5") as made:
        assert made.paths == [str(path), "../photos/test/carp_b/05.png"]


def test_a_manifest_with_a_zero_byte_in_a_path(workspace, photos, encoder):
    manifest = photos / "all.csv"
    manifest.write_bytes(b"path\ntrain/bass/00.png\ntrain/b\0ss.png\n")
    try:
        done = extract(manifest, workspace / "s.h5", encoder=encoder)
    except ManifestError:
        return  # the csv module of Python 3.10 refuses the line itself
    assert (done.rows, done.skipped) == (1, 1)


def test_odd_file_names_survive(workspace, photos, store, encoder):
    names = ["ü ß.png", "日本.png", "a\nb.png", "x'y\"z.png", os.fsdecode(b"latin\xe9.png")]
    for seed, name in enumerate(names):
        draw(photos / "train/bass" / name, 700 + seed)
    extract(photos, store, encoder=encoder)
    assert not extract(photos, store, encoder=encoder).wrote
    with FeatureStore.open(store) as made:
        assert {Path(path).name for path in made.paths} >= set(names)
        assert all((photos / path).is_file() for path in made.paths)
        assert made.verify() == []


def test_order_and_vectors_do_not_depend_on_how_it_was_run(photos, workspace, encoder):
    stores = [workspace / f"{i}.h5" for i in range(3)]
    extract(photos, stores[0], encoder=encoder, batch_size=64, workers=1)
    extract(photos, stores[1], encoder=encoder, batch_size=5, workers=4)
    hidden = photos / "test"
    hidden.rename(photos / ".later")
    extract(photos, stores[2], encoder=encoder, batch_size=1)
    (photos / ".later").rename(hidden)
    extract(photos, stores[2], encoder=encoder)
    assert contents(stores[0]) == contents(stores[1]) == contents(stores[2])


def test_batch_size_must_be_a_number_of_pictures(photos, store, encoder):
    with pytest.raises(InputError, match="batch_size=0"):
        extract(photos, store, encoder=encoder, batch_size=0)


def test_a_run_with_nothing_to_do_loads_no_torch(photos, store):
    extract(photos, store, encoder=FakeEncoder(name="embedded"))
    program = (
        "import sys\n"
        "from fishembed.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'open_clip', 'timm', 'sklearn', 'scipy', 'matplotlib', 'pandas'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    call = [sys.executable, "-c", program, "extract", str(photos), "--store", str(store)]
    done = subprocess.run(
        [*call, "--encoder", "embedded"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "0 new, 0 changed, 12 reused, 0 skipped, 0 removed" in done.stdout
    assert "nothing to do" in done.stdout


def _seen_by(encoder, path):
    from fishembed.images import crop_pixels, decode, read_bytes

    return crop_pixels(decode(read_bytes(path)), **encoder.spec.preprocessing.geometry())
