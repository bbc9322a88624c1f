"""Record of an experiment, to repeat it: store, encoder, parameters, prior, versions, times."""

from __future__ import annotations

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

Prior = Literal["uniform", "training", "partly uniform"]

PRIOR_SENTENCES: dict[Prior, str] = {
    "uniform": "Probabilities assume that every species is as common as any other.",
    "training": "Probabilities assume that species are as common as among the training photos.",
    "partly uniform": "Probabilities assume that rare species are more common, and common ones "
    "rarer, than among the training photos.",
}

_SCORES = ("accuracy", "macro_recall", "macro_f1", "log_loss")


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
    seed
        Of the hold-out and the head.
    split
        What the scored rows are.
    seconds
        Time that each step took.
    command
        What repeats the experiment.
    prompts
        What class names were put into, for zero-shot.
    selection
        Rows of `selection_rows`, for heads that were chosen.
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

    Parameters
    ----------
    head
        Its name, as in `HEADS`, or zeroshot.
    parameters
        Its parameters, as in `run.json`.

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
    """Write parameters: "C=100, tau=1", for a sum "0.7 gaussian (models=3) + 0.3 knn, tau=1"."""
    parts: dict[str, list[str]] = {}
    shares: dict[str, float] = {}
    for key, value in parameters.items():
        part, _, name = key.rpartition(".")
        own = parts.setdefault(part, [])
        if name == "share":
            shares[part] = value
        else:
            own.append(f"{name}={value:g}")
    summands = [
        f"{share:g} {part}" + (f" ({', '.join(parts[part])})" if parts[part] else "")
        for part, share in shares.items()
    ]
    return ", ".join([" + ".join(summands)] * bool(summands) + parts.get("", []))
