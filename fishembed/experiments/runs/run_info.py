"""Record of an experiment: store, encoder, parameters, versions, times; how to repeat it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

from fishembed._base.paths import shown
from fishembed._version import __version__
from fishembed.cache import FeatureKind, Store

if TYPE_CHECKING:
    from fishembed.classifiers import Trial
    from fishembed.experiments.runs.run_result import RunResult

Prior = Literal["uniform", "training", "partly uniform"]

PRIOR_SENTENCES: dict[Prior, str] = {
    "uniform": "Probabilities assume that every species is as common as any other.",
    "training": "Probabilities assume that species are as common as among the training photos.",
    "partly uniform": "Probabilities assume that rare species are more common, and common ones "
    "rarer, than among the training photos.",
}

_SCORES = ("accuracy", "macro_recall", "macro_f1", "log_loss")
_WITH_OPTION = (
    *("select_on", "C", "class_weight", "tau", "shrinkage", "pseudo_count", "n_neighbors"),
    *("epochs", "batch_size", "learning_rate", "loss", "schedule", "patience", "normalize"),
)
"""Parameters of heads that options of `fishembed fit` set."""

_WITHOUT_OPTION = {
    "max_iter": 1000,
    "tol": 1e-07,
    "n_folds": 5,
    "prior": "uniform",
    "weights": "distance",
    "weight": "cv",
    "weight_decay": 0.0,
}
"""Parameters that no option of `fishembed fit` sets, and their defaults."""

_NO_OPTION = ("holdout", "")


def run_info(
    store: Store,
    *,
    kind: str,
    head: str,
    parameters: Mapping[str, Any],
    seed: int,
    split: str,
    seconds: Mapping[str, float],
    command: str,
    features: FeatureKind = "image",
    prompts: Mapping[str, Any] | None = None,
    selection: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Describe an experiment as `run.json` does.

    Parameters
    ----------
    store, features
        The store, and which of its features the head reads.
    kind, head, parameters
        fit or zeroshot, the name of the head, and its parameters.
    seed, split
        Seed of the hold-out and the head, and which rows are scored.
    seconds, command
        Time of each step, and the command line that repeats the experiment.
    prompts, selection
        Prompt set, for zero-shot, and rows of `selection_rows`.
    """
    return {
        "kind": kind,
        "head": head,
        "parameters": {**parameters, "split": split},
        "assumed_prior": assumed_prior(head, parameters),
        "seed": seed,
        "scored_split": split,
        "classes": store.classes,
        "store": {
            "path": str(store.path),
            "name": store.name,
            "rows": len(store),
            "dim": store.width(features),
            "fingerprint": store.fingerprint,
            "source_root": store.source.get("root"),
        },
        "stores": [
            {"path": str(one.path), "fingerprint": one.fingerprint, "dim": one.width(features)}
            for one in store.stores
        ],
        "features": features,
        "encoder": store.encoder,
        "prompts": prompts,
        "selection": selection,
        "versions": _versions(),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seconds": {key: round(value, 4) for key, value in seconds.items()},
        "command": shown(command),
    }


def assumed_prior(head: str, parameters: Mapping[str, Any]) -> Prior:
    """Return the class prior that a head's probabilities assume.

    `head` is its name, as in `HEADS`, or zeroshot; `parameters` are as in `run.json`.

    Notes
    -----
    Menon et al. 2021, "Long-tail learning via logit adjustment": what is chosen or fitted for
    macro recall lets every class count the same.
    """
    if head in ("zeroshot", "centroid"):
        return "uniform"
    if select_on := parameters.get("select_on"):
        return "uniform" if str(select_on).startswith("macro") else "training"
    corrected = head in ("prior-corrected", "angular")
    if corrected and parameters.get("tau") not in (0, 1):
        return "partly uniform"
    uniform = (
        parameters.get("prior") == "uniform"
        or parameters.get("class_weight") == "balanced"
        or parameters.get("loss") == "balanced_softmax"
        or (corrected and parameters.get("tau") == 1)
    )
    return "uniform" if uniform else "training"


def _versions() -> dict[str, str]:
    versions = {"fishembed": __version__, "python": sys.version.split()[0]}
    for package in ("numpy", "scipy", "scikit-learn", "h5py"):
        versions[package] = metadata.version(package)
    if "torch" in sys.modules:
        versions["torch"] = metadata.version("torch")
    return versions


def selection_rows(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return one row for each candidate, the one chosen first: the columns of `selection.csv`."""
    return [
        {
            "candidate": trial.candidate,
            "parameters": _parameters_text(trial.parameters),
            **{
                f"{score}_{what}": getattr(trial, f"{score}{suffix}")
                for score in _SCORES
                for what, suffix in (("mean", ""), ("std", "_std"))
            },
            "seconds": round(trial.seconds, 4),
            "rows": trial.rows,
            "tied": trial.tied,
            "chosen": trial.chosen,
        }
        for trial in trials
    ]


def _parameters_text(parameters: Mapping[str, float]) -> str:
    """Return "C=100, tau=1", for a sum "0.7 gaussian (models=3) + 0.3 knn, tau=1"."""
    parts: dict[str, list[str]] = {}
    summands = {}
    for key, value in parameters.items():
        part, _, name = key.rpartition(".")
        own = parts.setdefault(part, [])
        if name == "share":
            summands[part] = f"{value:g} {part}"
        else:
            own.append(f"{name}={value:g}")
    shown_parts = [
        text + (f" ({', '.join(parts[part])})" if parts[part] else "")
        for part, text in summands.items()
    ]
    return ", ".join([*([" + ".join(shown_parts)] if summands else []), *parts.get("", [])])


def repeat_commands(
    name: str, result: RunResult, found: Mapping[str, Any] | None = None
) -> list[str]:
    """Return the command lines that make a run and its report again, under another name.

    `found` is the content of `field.json`, whose columns are scored again.
    """
    again, found = f"{name}-again", found or {}
    words = ["fishembed", "report", again]
    for key, option in (("by", "--by"), ("pool", "--pool")):
        column = (found.get(key) or {}).get("column")
        words += [option, str(column)] if column else []
    left_out = (found.get("leave_out") or {}).get("column")
    command = repeat_command(result.info, result.few_shot, again)
    more = " " + shlex.join(["--leave-out", str(left_out)]) if left_out else ""
    return [command + more, shown(shlex.join(words))]


def repeat_command(
    info: Mapping[str, Any], few_shot: Sequence[Mapping[str, Any]] = (), run: str = ""
) -> str:
    """Return the command line that repeats a run exactly, quoted for a shell.

    It is one of `fishembed`, or of Python where the run has parameters that no option sets. `info`
    is the content of `run.json`; without `run`, the new run's name is left to `fit`.

    Examples
    --------
    >>> repeat_command({"kind": "fit", "head": "knn", "store": {"path": "my store.h5"}, "seed": 3,
    ...                 "parameters": {"n_neighbors": 7}, "scored_split": "test"})
    "fishembed fit 'my store.h5' --head knn --neighbors 7 --split test --seed 3"
    """
    parameters = info.get("parameters") or {}
    stores = [str(one["path"]) for one in info.get("stores") or [info.get("store") or {}] if one]
    if any(parameters.get(name, value) != value for name, value in _WITHOUT_OPTION.items()):
        return _python(info, stores, parameters, run)
    if info.get("kind") == "zeroshot":
        key = (info.get("prompts") or {}).get("key")
        words = ["zeroshot", *stores, *(["--prompts", str(key)] if key else [])]
    else:
        words = ["fit", *stores, *_fit_options(info, parameters, few_shot)]
    split = str(info.get("scored_split", ""))
    words += [] if split in _NO_OPTION else ["--split", split]
    words += ["--seed", str(info.get("seed", 0)), *(["--run", run] if run else [])]
    return shown(shlex.join(["fishembed", *words]))


def _fit_options(
    info: Mapping[str, Any], parameters: Mapping[str, Any], few_shot: Sequence[Mapping[str, Any]]
) -> list[str]:
    words = ["--head", str(info.get("head", ""))]
    if info.get("features") == "trunk":
        words += ["--features", "trunk"]
    for name in _WITH_OPTION:
        value = parameters.get(name)
        if value is not None:
            option = "--" + name.removeprefix("n_").replace("_", "-")
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


def _python(
    info: Mapping[str, Any], stores: Sequence[str], parameters: Mapping[str, Any], run: str
) -> str:
    known = (*_WITH_OPTION, *_WITHOUT_OPTION)
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
