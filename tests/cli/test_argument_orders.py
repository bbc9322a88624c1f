"""import, export, merge and shard take what is read first and what is written last."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fishembed import FeatureStore


@pytest.fixture
def stores(run, workspace):
    """Import two stores."""
    for name, start in (("a", 0), ("b", 10)):
        paths = [f"{i}.png" for i in range(start, start + 10)]
        np.savez(f"{name}.npz", features=np.eye(10), labels=np.arange(10) % 2, paths=paths)
        assert run("import", f"{name}.npz", f"cache/{name}.h5")[0] == 0


def test_import_and_export(run, stores):
    assert run("import", "a.npz", "--store", "old.h5")[0] == 0
    assert run("export", "a", "new.npz")[0] == 0
    assert run("export", "old.npz", "--store", "cache/a.h5")[0] == 0
    assert run("export", "newest.npz")[0] == 0
    for name in ("new", "old", "newest"):
        with np.load(f"{name}.npz") as arrays:
            assert len(arrays["features"]) == 10
    code, _, err = run("export", "a", "x.npz", "--store", "b")
    assert (code, "named twice" in err) == (2, True)
    code, _, err = run("import", "a.npz", "x.h5", "--store", "y.h5")
    assert (code, "named twice" in err) == (2, True)
    assert not Path("x.h5").exists()


def test_merge_names_the_new_store_last(run, stores):
    assert run("merge", "a", "b", "cache/all.json")[0] == 0
    assert run("merge", "cache/a.h5", "cache/b.h5", "all.h5")[0] == 0
    with FeatureStore.open("all.h5") as one, FeatureStore.open("cache/all.json") as index:
        assert one.paths == index.paths == [f"{i}.png" for i in range(20)]
    assert run("merge", "cache/all.json")[0] == 2


def test_merge_takes_the_old_order_where_it_is_clear(run, stores):
    document = json.loads(run("merge", "all.json", "a", "b", "--json")[1])
    assert (document["store"], document["rows"]) == ("all.json", 20)
    document = json.loads(run("merge", "all.json", "a", "--json")[1])
    assert (document["store"], document["rows"]) == ("all.json", 10), "an index is replaced"
    document = json.loads(run("merge", "b", "all.json", "--json")[1])
    assert (document["store"], document["rows"]) == ("all.json", 10)
    assert run("merge", "b", "more.json")[0] == 0
    before = Path("more.json").read_bytes()
    code, _, err = run("merge", "all.json", "more.json")
    assert (code, "which shall be replaced" in err) == (2, True)
    assert Path("more.json").read_bytes() == before


def test_shard(run, stores):
    assert json.loads(run("shard", "a", "cut.json", "--rows", "4", "--json")[1])["files"] == 3
