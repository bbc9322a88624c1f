"""A run that was shared predicts elsewhere; what it must not tell is not in it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake_hub import COMMIT, FakeHub

from fishembed import Run, import_features, predict_run, push_run, run_fit
from fishembed.errors import BundleError, InputError, RemoteError, RunFormatError, RunNotFoundError
from fishembed.experiments.runs.find_runs import fetch_hub_run

KEY = "hf_abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.fixture
def run(workspace):
    labels = np.arange(90) % 3
    X = np.eye(4)[labels] + 0.1 * np.random.default_rng(0).normal(size=(90, 4))
    names = ["cod | [x](y)", "eel: #1", "<b>ray</b>"]
    splits = np.array(["train", "train", "test"])[np.arange(90) // 3 % 3]
    arrays = {"features": X, "labels": labels, "classes": names, "splits": splits}
    store = import_features(arrays, workspace / "cache" / "secret-place.h5")
    return run_fit(store, run="fish", command=f"fishembed fit --key {KEY}")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The cache of the hub's client, for this process."""
    hub = FakeHub(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return hub


def shared(folder: str) -> dict[str, object]:
    return {path.name: path for path in Path(folder).iterdir()}


def test_a_pushed_run_predicts_from_the_hub_without_pickle(run, hub, workspace):
    push_run(run, "me/fish", to="shared")
    hub.add("me/fish", {**shared("shared"), "head.joblib": b"not to be touched"})
    store = workspace / "cache" / "secret-place.h5"
    expected = predict_run(run, [store])
    for name in ("hf:me/fish", f"hf:me/fish@{COMMIT}", "hf:me/fish@main"):
        assert predict_run(name, [store]).predictions == expected.predictions
    folder, commit = fetch_hub_run("hf:me/fish")
    assert commit == COMMIT
    assert Run.open(folder).info["name"] == "fish"


def test_what_is_not_on_the_hub_ends_in_a_sentence(run, hub, workspace):
    with pytest.raises(RemoteError, match="'hf:me/none' is not in the cache"):
        predict_run("hf:me/none", ["x"])
    with pytest.raises(InputError, match=r"write hf:OWNER/NAME\[@REVISION\]"):
        predict_run("hf:fish", ["x"])
    push_run(run, "me/fish", to="shared")
    Path("shared/head.npz").write_bytes(b"changed")
    hub.add("me/fish", shared("shared"))
    with pytest.raises(RunFormatError, match=r"head\.npz.*is not as it was written"):
        predict_run("hf:me/fish", [workspace / "cache" / "secret-place.h5"])


def test_the_card_says_what_it_is_and_keeps_to_itself_what_is_private(run, workspace):
    done = push_run(run, "me/fish", to="shared", licence="cc-by-4.0")
    assert done.files == ("README.md", "head.npz", "held_out.npz", "metrics.json", "run.json")
    for path in Path("shared").iterdir():
        content = path.read_bytes()
        assert KEY.encode() not in content
        assert str(workspace).encode() not in content
    text = Path("shared/README.md").read_text()
    _, front, card = text.split("---\n", 2)
    pairs = (line.split(": ", 1) for line in front.splitlines())
    matter = {key: json.loads(value) for key, value in pairs}
    assert matter["license"] == "cc-by-4.0"
    assert matter["library_name"] == "fishembed"
    [result] = matter["model-index"][0]["results"]
    measured = {one["type"]: one["value"] for one in result["metrics"]}
    assert measured["accuracy"] == pytest.approx(run.metrics["accuracy"], abs=1e-4)
    for part in ("## Data", "## Metrics", "## Encoder", "## Classifier", "## Limits", "## Licence"):
        assert part in card
    assert "fishembed predict hf:me/fish" in card
    assert "60 images in train, 30 images in test" in card
    assert r"| cod \| \[x\](y) | 20 | 10 |" in card
    assert "&lt;b&gt;ray&lt;/b&gt;" in card
    assert "| macro recall |" in card
    assert "95%" in card


def test_a_card_of_neighbours_says_that_it_holds_features(run, workspace):
    near = run_fit(workspace / "cache" / "secret-place.h5", head="knn", run="near")
    push_run(near, "me/near", to="near")
    assert "features of the training images" in Path("near/README.md").read_text()
    assert "none was stated" in Path("near/README.md").read_text()


def test_names_places_and_foreign_bundles_are_refused(run, workspace):
    for name in ("fish", "a/b/c", "../x", "me/"):
        with pytest.raises(InputError, match="write OWNER/NAME"):
            push_run(run, name, to="shared")
    Path("there").mkdir()
    with pytest.raises(InputError, match="'there' is there already"):
        push_run(run, "me/fish", to="there")
    other = run_fit(workspace / "cache" / "secret-place.h5", head="knn", run="other")
    push_run(other, "me/other", to="bundle")
    Path("bundle/bundle.json").write_text('{"format": "fishembed-bundle", "version": 1}')
    with pytest.raises(BundleError, match=r"of another run \('other'\) than 'fish'"):
        push_run(run, "me/fish", to="shared", bundle="bundle")
    with pytest.raises(RunNotFoundError, match="no bundle at 'there'"):
        push_run(run, "me/fish", to="shared", bundle="there")
    assert not Path("shared").exists()


class Api:
    """The hub's client, as far as it is called."""

    calls: list[tuple[str, dict[str, object]]]

    def __init__(self, **_: object) -> None:
        Api.calls = []

    def create_repo(self, repo: str, **options: object) -> None:
        Api.calls.append((repo, options))

    def upload_folder(self, *, folder_path: Path, **options: object) -> SimpleNamespace:
        Api.calls.append((",".join(sorted(p.name for p in folder_path.iterdir())), options))
        return SimpleNamespace(oid=COMMIT)


def test_a_push_is_one_commit_of_our_files_alone(run, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    assert push_run(run, "me/fish", private=True).name == f"hf:me/fish@{COMMIT}"
    (repo, options), (files, upload) = Api.calls
    assert (repo, options) == ("me/fish", {"private": True, "exist_ok": True})
    assert files == "README.md,head.npz,held_out.npz,metrics.json,run.json"
    assert upload["repo_id"] == "me/fish"
    assert "head.joblib" not in upload["delete_patterns"]


def test_what_the_hub_refuses_ends_in_a_sentence(run, monkeypatch):
    def refuse(*_, **__):
        raise OSError("401 Client Error\nbody")

    monkeypatch.setattr(Api, "create_repo", refuse)
    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    with pytest.raises(RemoteError, match=r"401 Client Error\).*hf auth login.*--to"):
        push_run(run, "me/fish")
