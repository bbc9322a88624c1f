from __future__ import annotations

import json

import numpy as np
import pytest

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
