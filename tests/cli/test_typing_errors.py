"""Near names, swapped arguments and names that the shell split are noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fishembed import import_features, run_fit


@pytest.fixture
def fish(workspace):
    """Make a store, a run, photos and a table."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    arrays = {
        "features": np.eye(2)[labels] + 0.1 * rng.normal(size=(40, 2)),
        "labels": labels,
        "classes": ["cod", "eel"],
        "groups": [f"trip{i % 5}" for i in range(40)],
    }
    np.savez("f.npz", **arrays)
    import_features(arrays, "cache/fish.h5")
    run_fit("fish", head="centroid")
    Path("new").mkdir()
    Path("my photos").mkdir()
    Path("t.csv").write_text("path,action\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("fti", "'fit'"),
        ("fit fihs", "did you mean 'fish'?"),
        ("info FISH.h5", "did you mean 'fish'?"),
        ("report fish-centriod", "did you mean 'fish-centroid'?"),
        ("predict fish-centroi new", "did you mean 'fish-centroid'?"),
        ("fit fish --head logistics", "did you mean 'logistic'"),
        ("fit fish --hed knn", "--head"),
        ("fit fish --by groups", "did you mean 'group'?"),
        ("cluster fish --all --method kmeans --site gruop", "did you mean 'group'?"),
        ("suggest fish --label cdo", "did you mean 'cod'?"),
        ("suggest fish --where gorup=trip1", "did you mean 'group'?"),
        ("suggest fish --group tirp1", "did you mean 'trip1'"),
        ("predict new fish-centroid", "Try: fishembed predict fish-centroid new"),
        ("fix t.csv fish", "Try: fishembed fix fish t.csv"),
        ("search cod fish", "Try: fishembed search fish cod"),
        ("import cache/x.h5 f.npz", "Try: fishembed import f.npz cache/x.h5"),
        ("export x.npz fish", "Try: fishembed export fish x.npz"),
        ("shard parts.json fish", "Try: fishembed shard fish parts.json"),
        ("extract new fish.h5", "Try: fishembed extract new --store fish.h5"),
        ("extract my photos", "'my photos': put a name with blanks in quotes"),
        ("predict fish-centroid my photos", "'my photos': put a name with blanks in quotes"),
        ("audit fish --photos my photos", "'my photos': put a name with blanks in quotes"),
        ("report fish", "'cache/fish.h5' is a feature store, not a run"),
        ("fit fish-centroid", "is a run, not a store"),
    ],
)
def test_what_may_have_been_meant_is_said(run, fish, words, said):
    code, _, err = run(*words.split(" "))
    assert code in (2, 3)
    assert said in " ".join(err.split())


def test_nothing_is_made_up(run, fish):
    for words in (["fit", "zebra"], ["predict", "zebra", "new"], ["extract", "zebra"]):
        err = run(*words)[2]
        assert "did you mean" not in err
        assert "Try" not in err
        assert "quotes" not in err
