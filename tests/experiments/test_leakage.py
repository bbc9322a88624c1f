"""Copies across fit's own splits are warned of, and gone after the split that is offered."""

from __future__ import annotations

import json

import numpy as np
import pytest
from message_log import MessageLog

from fishembed import run_fit
from fishembed.audit import split_store
from fishembed.cache import FeatureStore, import_vectors
from fishembed.experiments import train_test_split as leakage


def planted(place, *, near=0, identical=0, digests=True, **columns):
    """A store of two classes in which the first images are there again."""
    rng = np.random.default_rng(0)
    labels = np.arange(2).repeat(60)
    X = rng.standard_normal((2, 32))[labels] + rng.standard_normal((120, 32))
    rows = np.arange(0, 120, 120 // (near + identical) if near + identical else 120)
    rows = rows[: near + identical]
    noise = (
        rng.standard_normal((len(rows), 32)) * np.repeat([0.0, 0.01], [identical, near])[:, None]
    )
    names = [f"{i:064x}" for i in range(120)]
    names += [names[row] for row in rows[:identical]] + [
        f"{i:064x}" for i in range(500, 500 + near)
    ]
    arrays = {
        "features": np.concatenate([X, X[rows] + noise]).astype(np.float32),
        "labels": np.append(labels, labels[rows]),
        "paths": [f"{i:03d}.png" for i in range(120 + len(rows))],
        **({"digests": names} if digests else {}),
        **columns,
    }
    return import_vectors(arrays, place)


def warnings_of(place, **options):
    log = MessageLog()
    run = run_fit(place, head="centroid", progress=log, **options)
    return [line for line in log.messages if line.startswith("warning")], run


@pytest.mark.parametrize(("near", "identical"), [(40, 0), (0, 40), (20, 20)])
def test_copies_across_the_hold_out_are_warned_of(workspace, near, identical):
    place = planted(workspace / "cache/v.h5", near=near, identical=identical)
    [warning], run = warnings_of(place)
    with FeatureStore.open(place) as store:
        scored = {store.paths.index(path) for path in run.result.images.paths}
        rows = np.arange(0, 120, 3).tolist()
        partner = dict(zip([*rows, *range(120, 160)], [*range(120, 160), *rows], strict=True))
        same = {row for row in scored if row in partner and partner[row] not in scored}
        bytes_same = {row for row in same if store.digests[row] == store.digests[partner[row]]}
    told = json.loads((run.folder / "run.json").read_text())["leaks"]
    assert told["scored"] == len(scored)
    assert (told["identical"], told["near_duplicate"]) == (
        len(bytes_same),
        len(same) - len(bytes_same),
    )
    assert f"warning: {len(same)} of the {len(scored)} scored images" in warning
    assert ("--group-duplicates" in warning) == bool(near)


@pytest.mark.parametrize(("near", "identical"), [(40, 0), (0, 40)])
def test_the_offered_split_leaves_none(workspace, near, identical):
    place = planted(workspace / "cache/v.h5", near=near, identical=identical)
    [warning], _ = warnings_of(place)
    split_store(place, group_duplicates="--group-duplicates" in warning)
    assert warnings_of(place)[0] == []


def test_without_copies_nothing_is_said(workspace):
    assert warnings_of(planted(workspace / "cache/v.h5"))[0] == []


def test_rows_that_are_scored_though_trained_on_are_no_copies(workspace):
    place = planted(workspace / "cache/v.h5")
    said, run = warnings_of(place, split="train")
    assert said == []
    assert run.info["leaks"]["scored"] == 0


def test_large_stores_are_compared_by_bytes_only(workspace, monkeypatch):
    monkeypatch.setattr(leakage, "MOST_ROWS", 100)
    place = planted(workspace / "cache/v.h5", near=20, identical=20)
    [warning], run = warnings_of(place)
    assert "nearly" not in warning
    assert run.info["leaks"]["cosine"] is None
