"""The command on a report's page makes the same run again."""

from __future__ import annotations

import shlex

import numpy as np
import pytest

from fishembed import Run, import_features, run_fit
from fishembed.cli import main
from fishembed.experiments.heads import HEADS, _with_defaults, head_parameters
from fishembed.experiments.runs import repeat_command as module
from fishembed.experiments.runs.repeat_command import repeat_command, repeat_commands


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    X = 2 * np.eye(3)[labels] + rng.normal(size=(120, 3))
    return import_features(
        {"features": X.astype(np.float32), "labels": labels, "classes": ["cod", "eel", "ray"]},
        tmp_path / "my cache" / "a store.h5",
    )


def run_line(line):
    words = shlex.split(line)
    assert words[0] == "fishembed"
    with pytest.raises(SystemExit) as end:
        main(words[1:])
    assert not end.value.code


@pytest.mark.parametrize(
    ("head", "parameters"),
    [("logistic", {"C": 0.123456789}), ("knn", {"n_neighbors": 7}), ("gaussian", {}),
     ("prior-corrected", {"tau": 0.5})],
)  # fmt: skip
def test_the_line_repeats_the_run_when_newer_stores_and_runs_are_there(store, head, parameters):
    done = run_fit(store, head=head, parameters=parameters, seed=5, run="the first")
    import_features({"features": np.eye(4, dtype=np.float32)}, "cache/newer.h5")
    run_fit(store, head="centroid")
    fit, report = repeat_commands(Run.open(done.folder))
    assert report == "fishembed report 'the first-again'"
    run_line(fit)
    again = Run.open(done.folder.parent / "the first-again")
    assert again.metrics == done.metrics
    assert again.info["parameters"] == done.info["parameters"]
    assert again.result.images.confidence == pytest.approx(done.result.images.confidence, nan_ok=1)


def test_parameters_that_no_option_sets_are_given_in_python(store):
    done = run_fit(store, head="logistic", parameters={"max_iter": 500, "C": 2.0}, seed=1)
    line = repeat_command(done.info, run="again")
    words = shlex.split(line)
    assert words[:2] == ["python", "-c"]
    exec(compile(words[2], "<page>", "exec"), {})
    assert Run.open(done.folder.parent / "again").metrics == done.metrics


def test_what_the_command_leaves_out_is_the_default():
    for head in HEADS:
        if head.startswith("text-"):
            continue
        for name, value in head_parameters(_with_defaults(head, None)).items():
            if name in module._WITHOUT_OPTION:
                assert module._WITHOUT_OPTION[name] == value, (head, name)


def test_learning_curve_features_and_questions_come_along(tmp_path):
    info = {
        "kind": "fit", "head": "auto", "store": {"path": "s.h5"}, "features": "trunk", "seed": 0,
        "stores": [{"path": "a.h5"}, {"path": "b c.h5"}], "validate": "val",
        "parameters": {"select_on": "macro_recall"}, "scored_split": "holdout",
    }  # fmt: skip
    rows = [{"shots": k, "seed": s} for k in (0, 1, 4) for s in (0, 1)]
    assert repeat_command(info, rows) == (
        "fishembed fit a.h5 'b c.h5' --head auto --features trunk --select-on macro_recall "
        "--validate val --shots 1,4 --seeds 2 --seed 0"
    )


def test_zero_shot_names_its_prompts():
    info = {
        "kind": "zeroshot", "head": "zeroshot", "store": {"path": "s.h5"}, "seed": 0,
        "parameters": {"prompts": "clip"}, "prompts": {"key": "clip"}, "scored_split": "test",
    }  # fmt: skip
    assert repeat_command(info) == "fishembed zeroshot s.h5 --prompts clip --split test --seed 0"
