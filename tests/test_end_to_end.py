"""From a folder of photos to a page, through the command line's own functions."""

from __future__ import annotations

import csv
import json

import pytest
from hostile import SCRIPT, UNUSABLE, USABLE, hostile_folder

from fishembed import FeatureStore, extract, run_fit, run_zeroshot, write_report


def test_a_hostile_folder_goes_all_the_way(workspace):
    hostile_folder(workspace / "data")
    result = extract("data", encoder="embedded", device="cpu")
    folder = "test/<i>cod/"
    reasons = {path.removeprefix(folder): reason for path, reason in result.skipped_files}
    assert set(reasons) == set(UNUSABLE)
    for name, word in UNUSABLE.items():
        assert word in reasons[name]
    store = FeatureStore.open(result.store)
    assert {folder + name for name in USABLE} <= set(store.paths)
    assert dict(store.skipped) == dict(result.skipped_files)
    assert (result.rows, result.encoded) == (21, 21)

    run = run_fit(store)
    page = write_report(run.folder).read_text(encoding="utf-8")
    paths = [row["path"] for row in run.predictions]
    assert folder + SCRIPT in paths
    for markup in ("<script>alert", "<i>cod"):
        assert markup not in page
    assert "&lt;i&gt;cod" in page
    with (run.folder / "per_class.csv").open(newline="", encoding="utf-8") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["<i>cod", 'eel & "co"']


@pytest.mark.realdata
def test_zero_shot_on_imagenet_is_what_openai_reports(realdata, workspace):
    from fishembed import import_vectors

    import_vectors(realdata / "clip-features" / "imagenet1000.npz", "cache/imagenet.h5")
    metrics = run_zeroshot("cache/imagenet.h5").metrics
    assert round(metrics["accuracy"], 3) == 0.611
    assert metrics["n"] == 4000


@pytest.mark.realdata
@pytest.mark.slow
def test_fish4knowledge_by_both_heads(realdata, workspace):
    """Three thousand real photos, encoded for real: the job this program is for."""
    result = extract(realdata / "fish4knowledge" / "manifest.csv", encoder="embedded")
    store = FeatureStore.open(result.store)
    assert (len(store), store.dim, result.skipped) == (3187, 1280, 0)
    logistic = run_fit(store, head="logistic").metrics
    linear = run_fit(store, head="linear", parameters={"epochs": 7}).metrics
    assert logistic["n"] == linear["n"] == 878
    assert logistic["accuracy"] > 0.85
    assert linear["accuracy"] > 0.78
    assert logistic["macro_recall"] > linear["macro_recall"]
    assert json.loads(
        (workspace / "reports" / "fish4knowledge-linear" / "metrics.json").read_text()
    )
