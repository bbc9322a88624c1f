"""Log a run to a tracker of experiments: MLflow, trackio or TensorBoard."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from fishembed.errors import InputError, MissingExtraError, RemoteError
from fishembed.experiments.runs.run_documents import METRICS_JSON
from fishembed.experiments.runs.run_files import PER_CLASS_CSV
from fishembed.experiments.runs.run_folder import Run

PROJECT = "fishembed"
"""Name of the project, or experiment, that runs are logged to."""

_LONGEST = 500
"""Characters of a parameter, which MLflow limits."""


def require_tracker(name: str | None) -> None:
    """Refuse, before any work, a tracker that is unknown or not installed; None is allowed.

    Raises
    ------
    InputError, MissingExtraError
        When there is no such tracker, and when its package is not installed.
    """
    if name is None:
        return
    if name not in TRACKERS:
        raise InputError(f"no tracker {name!r}: name one of {', '.join(TRACKERS)}")
    if find_spec(name) is None:
        raise MissingExtraError(f"logging to {name}", name, name)


def log_run(run: Run, tracker: str) -> str:
    """Log a run's parameters, scores and epochs; return where they are.

    The command and places of this machine are not logged. A tracker, mlflow, trackio or
    tensorboard, logs to where its own settings point, such as MLFLOW_TRACKING_URI, and TensorBoard
    to ``tensorboard/`` beside the run.

    Raises
    ------
    InputError, MissingExtraError
        As `require_tracker` does.
    RemoteError
        When the tracker does not accept the run, which stays on disk.
    """
    require_tracker(tracker)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a tracker's warnings do not concern the user
            return TRACKERS[tracker](run)
    except Exception as error:  # each raises its own kinds
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise RemoteError(
            f"the run is written to {str(run.folder)!r}, but {tracker} did not take it: {reason}"
        ) from error


def run_parameters(run: Run) -> dict[str, str]:
    """Return a run's parameters as short texts by name."""
    info = run.info
    known = {
        **{name: info.get(name) for name in ("kind", "head", "features", "seed")},
        "store": info["store"].get("name"),
        "rows": info["store"].get("rows"),
        "encoder": info["encoder"].get("fingerprint"),
        "scored_split": info.get("scored_split"),
        **(info.get("parameters") or {}),
    }
    return {name: str(value)[:_LONGEST] for name, value in known.items() if value is not None}


def run_scores(run: Run) -> dict[str, float]:
    """Return a run's scores by name, the ends of an interval each under a name of its own."""
    scores = _numbers(run.metrics)
    for name, value in run.metrics.items():
        if name.endswith("_ci95") and isinstance(value, list | tuple):
            plain, (low, high) = name.removesuffix("_ci95"), map(float, value)
            scores |= {f"{plain}_low": low, f"{plain}_high": high}
    return scores


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN
    }


def _to_mlflow(run: Run) -> str:
    import mlflow

    mlflow.set_experiment(PROJECT)
    with mlflow.start_run(run_name=run.name):
        mlflow.log_params(run_parameters(run))
        for step, epoch in enumerate(run.result.epochs):
            mlflow.log_metrics(_epoch(epoch), step=step)
        mlflow.log_metrics(run_scores(run))
        for name in (METRICS_JSON, PER_CLASS_CSV):
            mlflow.log_artifact(str(run.folder / name))
    return f"the experiment {PROJECT!r} of MLflow"


def _to_trackio(run: Run) -> str:
    import trackio

    trackio.init(project=PROJECT, name=run.name, config=run_parameters(run))
    for epoch in run.result.epochs:
        trackio.log(_epoch(epoch))
    trackio.log(run_scores(run))
    trackio.finish()
    return f"the project {PROJECT!r} of trackio"


def _to_tensorboard(run: Run) -> str:
    from torch.utils.tensorboard import SummaryWriter

    folder = run.folder.parent / "tensorboard" / run.name
    with SummaryWriter(str(folder)) as writer:
        for name, text in run_parameters(run).items():
            writer.add_text(name, text)
        for step, epoch in enumerate(run.result.epochs):
            for name, value in _epoch(epoch).items():
                writer.add_scalar(name, value, step)
        for name, value in run_scores(run).items():
            writer.add_scalar(name, value)
    return str(folder)


def _epoch(epoch: Mapping[str, Any]) -> dict[str, float]:
    return {f"epoch/{name}": value for name, value in _numbers(epoch).items()}


TRACKERS: Mapping[str, Callable[[Run], str]] = {
    "mlflow": _to_mlflow,
    "trackio": _to_trackio,
    "tensorboard": _to_tensorboard,
}
"""Function that logs a run, by the tracker's name on the command line."""
