from __future__ import annotations

import json

import numpy as np


def test_predict_from_a_store_in_every_format(run, workspace):
    features = np.eye(3).repeat(8, axis=0) + 0.1 * np.random.default_rng(0).normal(size=(24, 3))
    np.savez(workspace / "v.npz", features=features, labels=np.arange(3).repeat(8))
    assert run("import", "v.npz")[0] == run("fit", "--head", "gaussian")[0] == 0
    call = ("predict", "v-gaussian", "cache/v.h5")
    document = json.loads(run(*call, "--json")[1])
    assert len(document["predictions"]) == 24
    assert len(document["predictions"][0]["top"]) == 3
    code, out, err = run(*call, "--format", "csv", "--top", "1")
    assert code == 0
    head = "file,species,sure %,second guess,look at it?,problem,path,top1,p1,unknown,reason"
    assert out.splitlines()[0] == head
    assert err.splitlines()[:2] == [
        "run: reports/v-gaussian",
        "Probabilities assume that every species is as common as any other.",
    ]
    assert run(*call, "-o", "p.csv", "--top", "1")[1].endswith("wrote 24 predictions to p.csv\n")
    assert (workspace / "p.csv").read_text(encoding="utf-8-sig") == out
    code, _, err = run(*call, "--format", "parquet")
    assert code == 2
    assert "--output" in err
    counts = run(*call, "-o", "p.csv", "--counts")[1].split("to p.csv\n")[1]
    assert {line.split(", ")[0] for line in counts.split("\n") if line} == {"8 0", "8 1", "8 2"}
