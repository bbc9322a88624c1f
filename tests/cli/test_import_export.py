from __future__ import annotations

import json

import numpy as np
import pytest
from field_packages import camtrap_dp

from fishembed import FeatureStore


def test_export_and_import_go_both_ways(run, store, workspace):
    pytest.importorskip("pyarrow")
    assert run("export", "a.npz")[0] == 0
    _, out, _ = run("export", "folder", "--store", store, "--normalize", "--json")
    assert json.loads(out)["rows"] == 70
    vectors = np.load(workspace / "folder/img_emb/img_emb_0.npy")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    code, _, said = run("export", "folder")
    assert code == 2
    assert "is there already" in said
    assert run("import", "a.npz", "--store", "npz.h5")[0] == 0
    assert run("import", "folder", "--store", "folder.h5", "-e", "mine")[0] == 0
    there, npz, folder = map(FeatureStore.open, (store, "npz.h5", "folder.h5"))
    np.testing.assert_array_equal(npz.features, there.features)
    np.testing.assert_array_equal(npz.trunk, there.trunk)
    assert npz.digests == folder.digests == there.digests
    assert (npz.encoder_name, folder.encoder_name) == ("fake", "mine")


def test_a_package_goes_through_import_fit_export_and_report(run, workspace):
    camtrap_dp(workspace / "trap", images=24)
    code, out, err = run("import", "trap", "cache/trap.h5", "-e", "embedded")
    assert code == 0, err
    assert "24 images of 3 classes (Sus scrofa 8, Vulpes vulpes 8, blank 8)" in out
    assert run("fit", "cache/trap.h5", "--head", "centroid", "--run", "r")[0] == 0
    code, out, err = run("export", "cache/trap.h5", "out", "--format", "camtrap-dp", "--run", "r")
    assert code == 0, err
    assert "wrote 24 observations to out" in out
    assert {path.name for path in (workspace / "out").iterdir()} >= {"observations.csv"}
    assert run("report", "r")[0] == 0
    assert run("export", "cache/trap.h5", "x.npz", "--run", "r")[0] == 2
