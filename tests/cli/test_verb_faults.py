"""Every verb that writes, killed, starved of disk and started at once: old or new, whole.

With FISHEMBED_ALL_FAULTS=1 one more test repeats what the others sample, 19 kills and 6 full disks
of each verb, and 30 runs start at once.
"""

from __future__ import annotations

import os
import random
import shutil
from importlib.util import find_spec

import numpy as np
import pytest
import verb_faults
from verb_faults import VERBS, run

from fishembed import FeatureStore, import_features, run_fit
from fishembed._base.csv_files import CsvTable
from fishembed.experiments import Run

pytest.importorskip("fcntl")

QUICK = {"fit", "export", "predict"}
SAMPLED = [verb if verb in QUICK else pytest.param(verb, marks=pytest.mark.slow) for verb in VERBS]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Make a folder with a store, a run and tables once, from copies of which every verb starts."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    arrays = {
        "features": (np.eye(2)[labels] + 0.1 * rng.normal(size=(40, 2))).astype(np.float32),
        "labels": labels,
        "classes": ["cod", "eel"],
        "paths": [f"{i}.png" for i in range(40)],
        "text_features": np.eye(2, dtype=np.float32),
        "logit_scale": 100.0,
    }
    folder = tmp_path_factory.mktemp("before")
    np.savez(folder / "f.npz", **arrays)
    import_features(arrays, folder / "a.h5")
    for run_name, head in (("first", "centroid"), ("second", "gaussian")):
        run_fit(folder / "a.h5", head=head, run=run_name, reports=folder / "reports")
    (folder / "fix.csv").write_text("path,action,new_label\n3.png,drop,\n4.png,relabel,eel\n")
    (folder / "p.csv").write_text("old")
    return folder


@pytest.fixture
def start(before, workspace):
    """Put everything back to how it was."""

    def again():
        folder = workspace / "now"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(before, folder)
        return folder

    return again


def assert_whole(folder):
    """Read all that shows in a folder."""
    for place in [*folder.glob("*.h5"), *folder.glob("*.json")]:
        with FeatureStore.open(place) as store:
            assert store.verify() == []
            _ = store.header, store.rows, store.features[:]
    for place in folder.glob("*.npz"):
        with np.load(place) as arrays:
            assert len(arrays["features"]) == 40
    for place in (folder / "reports").iterdir():
        if place.is_dir() and (place / "run.json").is_file() and not place.name.startswith("."):
            assert len(Run.load(place).images.paths) in (8, 40)
        elif place.suffix == ".html":
            assert place.read_text().rstrip().endswith("</html>")
    for name in ("m.csv", "t.csv"):
        if (folder / name).is_file():
            assert len(list(CsvTable(folder / name))) in (2, 39, 40)
    if (folder / "p.csv").read_text() != "old":
        assert len(list(CsvTable(folder / "p.csv"))) in (39, 40)


def leftovers(folder):
    return [path.name for path in folder.rglob("*.tmp")]


def assert_goes_on(folder, verb):
    """Run the verb again, unharmed: it ends well, or says that its work is done."""
    assert run(folder, verb) in (0, 2, 3)
    assert_whole(folder)
    assert leftovers(folder) == []


def said(folder):
    return (folder.parent / "said.txt").read_text()


def test_what_is_preloaded_is_there():
    """A server of processes leaves out what cannot be imported, and says nothing."""
    assert all(find_spec(name) for name in verb_faults.PRELOADED)


@pytest.mark.parametrize("verb", SAMPLED)
def test_killed_before_each_step_that_touches_the_disk(start, verb):
    for fault in ("fsync", "replace", "unlink"):
        for call in (0, 1):
            folder = start()
            if run(folder, verb, fault, call) == 0:
                break
            assert_whole(folder)
    assert_goes_on(folder, verb)


@pytest.mark.parametrize("verb", SAMPLED)
@pytest.mark.parametrize("limit", [300, 900])
def test_a_full_disk_is_said_and_loses_nothing(start, verb, limit):
    folder = start()
    ended = run(folder, verb, "disk", limit)
    assert ended in (0, 6)
    assert "Traceback" not in said(folder)
    assert "unexpected" not in said(folder)
    assert_whole(folder)
    assert leftovers(folder) == []


def test_runs_that_start_at_once_are_all_kept(start):
    folder = start()
    n = 30 if os.environ.get("FISHEMBED_ALL_FAULTS") else 6
    processes = [
        verb_faults.CONTEXT.Process(target=verb_faults.run_verb, args=(folder, "fit"))
        for _ in range(n)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * n
    assert len(list((folder / "reports").glob("a-centroid*"))) == n
    assert_whole(folder)
    assert leftovers(folder) == []


@pytest.mark.skipif(not os.environ.get("FISHEMBED_ALL_FAULTS"), reason="takes many minutes")
@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_random_and_on_many_full_disks(start, verb):
    rng = random.Random(verb)
    for _ in range(19):
        folder = start()
        run(folder, verb, kill_after=rng.uniform(0.0, 2.5))
        assert_whole(folder)
    assert_goes_on(folder, verb)
    for limit in (300, 500, 900, 2_000, 5_000, 20_000):
        folder = start()
        assert run(folder, verb, "disk", limit) in (0, 6), said(folder)
        assert "unexpected" not in said(folder)
        assert_whole(folder)
        assert leftovers(folder) == []
