"""The command that repeats a run: its store, head, parameters, split and seed, all of them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fishembed._base.paths import shown

if TYPE_CHECKING:
    from fishembed.experiments.runs.run_folder import Run

_OPTIONS = {
    "select_on": "--select-on",
    "C": "--C",
    "class_weight": "--class-weight",
    "tau": "--tau",
    "shrinkage": "--shrinkage",
    "pseudo_count": "--pseudo-count",
    "n_neighbors": "--neighbors",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate": "--learning-rate",
    "loss": "--loss",
    "schedule": "--schedule",
    "patience": "--patience",
    "normalize": "--normalize",
}
"""Parameters of heads, and the options of `fishembed fit` that set them."""

_WITHOUT_OPTION = {
    "max_iter": 1000,
    "tol": 1e-07,
    "n_folds": 5,
    "prior": "uniform",
    "weights": "distance",
    "weight": "cv",
    "weight_decay": 0.0,
}
"""Parameters that only Python sets, and their defaults."""

_NO_OPTION = ("holdout", "")


def repeat_commands(run: Run, found: Mapping[str, Any] | None = None) -> list[str]:
    """Return the command lines that make a run and its report again, under another name.

    Parameters
    ----------
    run
        The run.
    found
        What `field.json` holds: the columns that were asked about are asked about again.
    """
    again, found = f"{run.name}-again", found or {}
    words = ["fishembed", "report", again]
    for key, option in (("by", "--by"), ("pool", "--pool")):
        column = (found.get(key) or {}).get("column")
        words += [option, str(column)] if column else []
    left_out = (found.get("leave_out") or {}).get("column")
    command = repeat_command(run.info, run.result.few_shot, again)
    more = " " + shlex.join(["--leave-out", str(left_out)]) if left_out else ""
    return [command + more, shown(shlex.join(words))]


def repeat_command(
    info: Mapping[str, Any], few_shot: Sequence[Mapping[str, Any]] = (), run: str = ""
) -> str:
    """Return the command line that repeats a run exactly, quoted for a shell.

    Parameters
    ----------
    info
        What `run.json` says.
    few_shot
        Rows of the learning curve, where one was made.
    run
        Name for the new run; left to `fit` when empty.

    Returns
    -------
    str
        A line for a shell: of `fishembed`, or of Python where the run has parameters that no
        option sets.

    Examples
    --------
    >>> repeat_command({"kind": "fit", "head": "knn", "store": {"path": "my store.h5"}, "seed": 3,
    ...                 "parameters": {"n_neighbors": 7}, "scored_split": "test"})
    "fishembed fit 'my store.h5' --head knn --neighbors 7 --split test --seed 3"
    """
    parameters = info.get("parameters") or {}
    stores = [str(one["path"]) for one in info.get("stores") or [info.get("store") or {}] if one]
    if _only_python(parameters):
        return _python(info, stores, parameters, run)
    words = ["fishembed", "zeroshot" if info.get("kind") == "zeroshot" else "fit", *stores]
    if info.get("kind") == "zeroshot":
        key = (info.get("prompts") or {}).get("key")
        words += ["--prompts", str(key)] if key else []
    else:
        words += _fit_options(info, parameters, few_shot)
    split = str(info.get("scored_split", ""))
    words += [] if split in _NO_OPTION else ["--split", split]
    words += ["--seed", str(info.get("seed", 0))]
    words += ["--run", run] if run else []
    return shown(shlex.join(words))


def _fit_options(
    info: Mapping[str, Any], parameters: Mapping[str, Any], few_shot: Sequence[Mapping[str, Any]]
) -> list[str]:
    words = ["--head", str(info.get("head", ""))]
    if info.get("features") == "trunk":
        words += ["--features", "trunk"]
    for name, option in _OPTIONS.items():
        value = parameters.get(name)
        if value is not None:
            words += [option, _number(value) if isinstance(value, float) else str(value)]
    if info.get("validate") == "val":
        words += ["--validate", "val"]
    drawn = [row for row in few_shot if row["shots"]]
    if drawn:
        shots = sorted({int(row["shots"]) for row in drawn})
        words += ["--shots", ",".join(map(str, shots))]
        words += ["--seeds", str(len({int(row["seed"]) for row in drawn}))]
    return words


def _number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _only_python(parameters: Mapping[str, Any]) -> bool:
    return any(parameters.get(name, value) != value for name, value in _WITHOUT_OPTION.items())


def _python(
    info: Mapping[str, Any], stores: Sequence[str], parameters: Mapping[str, Any], run: str
) -> str:
    known = {**_OPTIONS, **_WITHOUT_OPTION}
    split = info.get("scored_split")
    arguments = {
        "head": info.get("head"),
        "features": info.get("features", "image"),
        "parameters": {name: value for name, value in parameters.items() if name in known},
        "validate": info.get("validate"),
        "split": None if split in _NO_OPTION else split,
        "seed": info.get("seed", 0),
        "run": run or None,
    }
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)
    store = repr(stores[0] if len(stores) == 1 else list(stores))
    code = f"from fishembed import run_fit; run_fit({store}, {given})"
    return shown(shlex.join(["python", "-c", code]))
