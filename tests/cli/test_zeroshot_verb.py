from __future__ import annotations

import numpy as np


def test_import_and_zeroshot(run, workspace):
    np.savez(
        workspace / "v.npz",
        features=np.eye(4).repeat(3, axis=0),
        labels=np.arange(4).repeat(3),
        text_features=np.eye(4),
        classes=np.array(list("abcd")),
    )
    assert run("import", "v.npz")[0] == 0
    code, out, _ = run("zeroshot")
    assert code == 0
    assert "100.0% of 12 images right" in out
