"""Stores and runs are found by name and content; one in place of the other is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fishembed import import_features, run_fit
from fishembed.cache import merge_stores
from fishembed.cli.program.resolve_paths import find_inputs, find_run, find_store_named
from fishembed.errors import InputError


@pytest.fixture
def store(workspace):
    """Import features of three classes as ./cache/v.h5."""
    rng = np.random.default_rng(0)
    features = np.eye(3).repeat(8, axis=0) + 0.1 * rng.normal(size=(24, 3))
    return import_features({"features": features, "labels": np.arange(3).repeat(8)}, "cache/v.h5")


@pytest.mark.parametrize("ending", ["", ".h5", ".hdf5", ".H5", ".he5"])
def test_names_find_stores_of_any_ending(run, store, ending):
    store.rename(store.with_name(f"fish.v1{ending}"))
    (store.parent / "fish.v1.txt").write_text("notes")
    assert find_store_named("fish.v1") == store.with_name(f"fish.v1{ending}")
    code, out, _ = run("info", "fish.v1")
    assert (code, out.splitlines()[0]) == (0, f"store: cache/fish.v1{ending}")


def test_names_find_indexes_and_prefer_h5(run, store):
    merge_stores("cache/all.json", [str(store)])
    assert run("fit", "all", "--head", "centroid", "--run", "r")[0] == 0
    assert len(json.loads(run("predict", "r", "all", "--json")[1])["predictions"]) == 24
    shutil.copy(store, store.with_name("all.h5"))
    assert find_store_named("all").name == "all.h5"
    assert run("merge", "cache/both.h5", "all", "all")[0] == 0, "names are known to merge too"


def test_every_kind_of_store_is_classified_as_one(run, store):
    run_fit(store, head="centroid", run="r")
    for name in ("copy.hdf5", "copy.jpg", "plain"):
        shutil.copy(store, store.with_name(name))
        code, out, _ = run("predict", "r", f"cache/{name}", "--json")
        assert (code, len(json.loads(out)["predictions"])) == (0, 24)


def test_a_store_in_place_of_a_run_is_said(run, store):
    for named in ("v", "cache/v.h5"):
        for call in (("predict", named, "x.jpg"), ("report", named), ("compare", named, named)):
            code, _, err = run(*call)
            assert code == 2, call
            assert "'cache/v.h5' is a feature store, not a run" in err


def test_a_run_in_place_of_a_store_or_images_is_said(run, store):
    run_fit(store, head="centroid", run="r")
    for named in ("r", "reports/r"):
        for verb in ("info", "fit", "split"):
            code, _, err = run(verb, named)
            assert code == 2, verb
            assert "'reports/r' is a run, not a store: name a store, such as" in err
            assert "v.h5" in err
    code, _, err = run("predict", "r", "reports/r")
    assert code == 2
    assert "is a run, not images" in err


def test_files_of_a_run_stand_for_it(store, workspace):
    folder = run_fit(store, head="centroid", run="r").folder
    for named in ("r", "reports/r", "reports/r/head.npz", "r/run.json"):
        found = find_run(Path(named))
        assert found.resolve() == folder.resolve()
    with pytest.raises(InputError, match="is a file, not a run"):
        find_run(folder / "head.npz", by_file=False)
    assert not find_run(Path("r/head.npz"), by_file=False).exists()
    shutil.copy(folder / "head.npz", workspace / "alone.npz")
    with pytest.raises(InputError, match="is a file, not a run"):
        find_run(Path("alone.npz"))


def test_what_is_no_store_stays_as_it_was_named(workspace, store):
    (workspace / "v").mkdir()
    assert find_inputs(["v", "new/*.jpg", "memory://x"]) == ["v", "new/*.jpg", "memory://x"]
