from __future__ import annotations

import json
from pathlib import Path


def test_bare_verbs_choose_and_say_so(run, photos, workspace):
    code, out, _ = run("extract", "--encoder", "embedded", "--device", "cpu")
    assert code == 0
    assert out.splitlines()[0] == "dataset: data (the default)"
    assert "12 rows: 12 new, 0 changed, 0 reused, 0 skipped, 0 removed" in out
    assert (workspace / "cache" / "data.h5").is_file()
    code, out, _ = run("fit")
    assert out.splitlines()[0] == "store: cache/data.h5 (the newest in cache)"
    assert "held out" in out
    assert "held-out images right" in out
    assert "\n* " in out
    assert "(2 of the same scene)" in out  # noise looks alike to the encoder, its pixels do not
    assert any(line.split("  ")[0] == "candidate" for line in out.splitlines())
    code, out, _ = run("report")
    assert out.splitlines()[0] == "run: reports/data-auto (the newest in reports)"
    assert (workspace / "reports" / "data-auto" / "index.html").is_file()
    code, out, _ = run("predict", "data-auto", "data/eel", "data/cod/*.png", "--evidence", "-k", 1)
    assert code == 0
    assert out.splitlines()[0] == "run: reports/data-auto"
    told = [line for line in out.splitlines() if line.startswith("data/")]
    assert [line.split("/")[1] for line in told] == ["eel"] * 6 + ["cod"] * 6
    # Those that were held out are noise to the classifier.
    assert sum(line.split("/")[1] in line.split()[1:] for line in told) >= 10
    assert "    like eel/0.png (eel), cosine 1.000" in out
    lines = run("extract", "--encoder", "embedded")[1].splitlines()
    assert any(line.startswith("nothing to do") for line in lines)
    assert lines[-1] == "next: fishembed fit cache/data.h5"


def test_json_is_one_document_and_nothing_else(run, photos):
    _, out, err = run("extract", "-e", "embedded", "--json")
    document = json.loads(out)
    assert (document["rows"], document["encoded"], document["reused"]) == (12, 12, 0)
    assert {"skipped", "seconds", "images_per_second", "store"} <= set(document)
    assert "dataset: data" in err
    _, out, _ = run("fit", "--json", "--head", "linear", "--epochs", "2")
    scores = json.loads(out)
    wanted = {"n", "accuracy", "top5_accuracy", "macro_recall", "macro_f1", "log_loss", "run"}
    assert wanted <= set(scores)
    assert scores["run"] == str(Path("reports/data-linear"))
    assert json.loads(run("report", "--json")[1])["page"].endswith("index.html")


def test_environment_and_options_choose_places(run, photos, workspace, monkeypatch):
    monkeypatch.setenv("FISHEMBED_DATA", str(photos))
    monkeypatch.setenv("FISHEMBED_CACHE", str(workspace / "c"))
    monkeypatch.setenv("FISHEMBED_REPORTS", str(workspace / "r"))
    assert run("extract", "-e", "embedded")[0] == 0
    assert (workspace / "c" / "data.h5").is_file()
    assert run("fit", "data", "--run", "mine")[0] == 0
    assert (workspace / "r" / "mine" / "run.json").is_file()
    assert run("report", "mine")[0] == 0
