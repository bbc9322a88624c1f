"""Runs are logged by packages that are not here: stand-ins record what they are told."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fishembed import import_features, run_fit
from fishembed.errors import InputError, MissingExtraError, RemoteError
from fishembed.experiments.runs import tracking
from fishembed.experiments.runs.tracking import log_run, require_tracker


@pytest.fixture
def run(workspace):
    labels = np.arange(60) % 2
    X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(60, 2))
    arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    store = import_features(arrays, workspace / "cache" / "f.h5")
    command = "fishembed fit --key SECRET"
    return run_fit(store, head="linear", parameters={"epochs": 3}, run="r", command=command)


class Recorder(ModuleType):
    """A package whose every function writes down what it is called with."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.__spec__ = object()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append((name, arguments, options))
            return self._block()

        return call

    @contextmanager
    def _block(self):
        yield self

    def of(self, name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        return [(arguments, options) for called, arguments, options in self.calls if called == name]


@pytest.fixture
def package(monkeypatch):
    def add(name: str) -> Recorder:
        made = Recorder(name)
        monkeypatch.setitem(sys.modules, name, made)
        monkeypatch.setattr(tracking, "find_spec", lambda _: object())
        return made

    return add


def test_mlflow_gets_parameters_epochs_scores_and_tables(run, package):
    mlflow = package("mlflow")
    assert log_run(run, "mlflow") == "the experiment 'fishembed' of MLflow"
    [((), named)] = mlflow.of("start_run")
    assert named == {"run_name": "r"}
    [((parameters,), _)] = mlflow.of("log_params")
    assert (parameters["head"], parameters["epochs"]) == ("linear", "3")
    *epochs, ((scores,), _) = mlflow.of("log_metrics")
    assert [options["step"] for _, options in epochs] == [0, 1, 2]
    assert scores["accuracy"] == run.metrics["accuracy"]
    assert scores["accuracy_low"] == run.metrics["accuracy_ci95"][0]
    assert {type(value) for value in scores.values()} == {float}
    files = [arguments[0] for arguments, _ in mlflow.of("log_artifact")]
    assert [name.rpartition("/")[2] for name in files] == ["metrics.json", "per_class.csv"]
    assert "SECRET" not in json.dumps([str(call) for call in mlflow.calls])


def test_trackio_gets_one_run_that_is_finished(run, package):
    trackio = package("trackio")
    log_run(run, "trackio")
    [(_, options)] = trackio.of("init")
    assert (options["project"], options["name"]) == ("fishembed", "r")
    assert options["config"]["kind"] == "fit"
    logged = trackio.of("log")
    assert len(logged) == 4
    assert "macro_recall" in logged[-1][0][0]
    assert trackio.calls[-1][0] == "finish"


def test_tensorboard_gets_a_folder_beside_the_run(run, package, monkeypatch):
    board = package("torch.utils.tensorboard")
    said = Recorder("writer")
    board.SummaryWriter = lambda folder: (
        said.calls.append(("open", (folder,), {})),
        said._block(),
    )[1]
    place = log_run(run, "tensorboard")
    assert place == str(run.folder.parent / "tensorboard" / "r")
    assert said.of("open") == [((place,), {})]
    scalars = [arguments[0] for arguments, _ in said.of("add_scalar")]
    assert "accuracy" in scalars
    assert sum(name.startswith("epoch/") for name in scalars) >= 3


def test_what_is_not_there_is_said_before_any_work(monkeypatch):
    require_tracker(None)
    with pytest.raises(InputError, match="no tracker 'wandb': name one of mlflow, trackio"):
        require_tracker("wandb")
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fishembed\[mlflow\]'"):
        require_tracker("mlflow")


def test_a_tracker_that_fails_keeps_the_run(run, package):
    mlflow = package("mlflow")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no server\nmore")

    mlflow.set_experiment = fail
    with pytest.raises(
        RemoteError, match=r"the run is written to .*mlflow did not take it: no server$"
    ):
        log_run(run, "mlflow")
    assert (run.folder / "run.json").is_file()
