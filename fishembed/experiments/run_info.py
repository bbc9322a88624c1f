"""What repeats an experiment: the store, the encoder, every parameter, versions and times."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from fishembed._version import __version__
from fishembed.cache import FeatureKind, Store
from fishembed.experiments.class_prior import assumed_prior


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
        "parameters": dict(parameters),
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
        "command": command,
    }


def _versions() -> dict[str, str]:
    versions = {"fishembed": __version__, "python": sys.version.split()[0]}
    for package in ("numpy", "scipy", "scikit-learn", "h5py"):
        versions[package] = metadata.version(package)
    if "torch" in sys.modules:
        versions["torch"] = metadata.version("torch")
    return versions
