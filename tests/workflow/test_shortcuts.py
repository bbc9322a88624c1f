"""A notebook: public verbs, stores and runs by name, everything prints as a short table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fishembed
from fishembed import FeatureStore, Run, audit, compare, fix, import_features, run_fit, split
from fishembed.errors import RunNotFoundError, StoreNotFoundError


@pytest.fixture(autouse=True)
def fish(workspace):
    """Import a store whose groups are named, and a class whose name is markup."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    arrays = {
        "features": np.eye(3)[labels] + 0.4 * rng.normal(size=(90, 3)),
        "labels": labels,
        "classes": ["<i>cod</i>", "eel", "pike"],
        "groups": [f"trip{i // 6}" for i in range(90)],
        "paths": [f"{i}.png" for i in range(90)],
    }
    return import_features(arrays, "cache/fish.h5")


def test_names_are_found_as_on_the_command_line(workspace):
    run = run_fit("fish", head="centroid")
    assert Run.open("fish-centroid").folder == run.folder
    assert Run.load("fish-centroid").metrics["n"] == run.metrics["n"]
    with FeatureStore.open("fish") as store, FeatureStore.open("fish.h5") as same:
        assert store.path == same.path
    with pytest.raises(StoreNotFoundError, match="did you mean 'fish'"):
        FeatureStore.open("fihs")
    with pytest.raises(RunNotFoundError, match="did you mean 'fish-centroid'"):
        Run.open("fish-centrod")


def test_a_store_that_is_written_is_named_by_its_path(workspace):
    Path("elsewhere").mkdir()
    import_features({"features": np.eye(2)}, "fish.h5")
    with FeatureStore.open("fish.h5") as store:
        assert len(store) == 2, "a file here counts before a name in the cache"


def test_the_verbs_are_functions():
    runs = [run_fit("fish", head=head) for head in ("centroid", "knn")]
    by_name, by_run = compare(["fish-centroid", "fish-knn"]), compare(runs)
    assert str(by_name) == str(by_run)
    assert "may be chance" in str(by_name)
    assert fishembed.audit is audit
    found = audit("fish")
    assert found.rows == 90
    assert str(found).startswith("audit of fish, 90 rows")
    assert split("fish", val=0.2).rows == 90
    Path("f.csv").write_text("path,action,new_label\n3.png,relabel,eel\n")
    assert fix("fish", "f.csv").summary() == "1 label"


def test_everything_prints_as_a_short_table_and_as_html():
    run = run_fit("fish", head="centroid")
    with FeatureStore.open("fish") as store:
        both = compare([run, run_fit("fish", head="knn")])
        things = [store, run, run.result, both, audit("fish")]
        y = store.labels
        scores = fishembed.score(y, np.eye(3)[y], class_names=store.classes)
        for thing in (*things, scores):
            text, html = str(thing), thing._repr_html_()
            assert 2 <= text.count("\n") + 1 <= 20, text
            assert "array(" not in text
            assert "<i>" not in html
            assert html.startswith("<table>")
        assert "FeatureStore(" in repr(store)
    assert "closed" in str(store)
    assert "closed" in store._repr_html_()


def test_groups_reach_the_intervals_without_being_asked_for():
    run = run_fit("fish", head="centroid")
    assert run.metrics["n_groups"] < run.metrics["n"]
    assert f"in {run.metrics['n_groups']} groups" in str(run)
