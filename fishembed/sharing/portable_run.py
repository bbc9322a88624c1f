"""The part of a run that predicts, without paths and commands of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fishembed._base.files import write_json
from fishembed.errors import RunFormatError
from fishembed.experiments import Run
from fishembed.experiments.held_out import HELD_OUT_NPZ
from fishembed.experiments.runs.run_documents import (
    HEAD_NPZ,
    METRICS_JSON,
    check_file,
    write_run_json,
)

_COPIED = (
    *("kind", "head", "parameters", "assumed_prior", "seed", "scored_split", "classes"),
    *("features", "prompts", "selection", "versions", "created", "seconds"),
)


def write_portable_run(run: Run, folder: Path) -> None:
    """Write the files of a run that `predict` needs, without paths of this machine and pickles.

    `write_portable_record` completes them, once all other files are in the folder.

    Raises
    ------
    RunFormatError
        When the run has no head, or one of its files was changed.
    """
    if not (run.folder / HEAD_NPZ).is_file():
        raise RunFormatError(f"the run {str(run.folder)!r} has no {HEAD_NPZ}: fit again")
    for name in (HEAD_NPZ, HELD_OUT_NPZ):
        check_file(run.folder, run.info, name)
        if (run.folder / name).is_file():
            shutil.copyfile(run.folder / name, folder / name)
    write_json(folder / METRICS_JSON, run.metrics)


def write_portable_record(run: Run, folder: Path) -> None:
    """Write `run.json`, with the digest of every file in the folder."""
    write_run_json(folder, run.name, portable_info(run.info))


def portable_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a run without paths of this machine and its command.

    Examples
    --------
    >>> store = {"path": "/home/me/cache/fish.h5", "name": "fish", "rows": 7}
    >>> portable_info({"store": store, "command": "fishembed fit /home/me/cache/fish.h5"})["store"]
    {'path': 'fish.h5', 'name': 'fish', 'rows': 7, 'dim': None, 'fingerprint': None}
    """
    portable: dict[str, Any] = {name: info[name] for name in _COPIED if name in info}
    store = info.get("store") or {}
    portable["store"] = {
        "path": f"{store.get('name')}.h5",
        **{name: store.get(name) for name in ("name", "rows", "dim", "fingerprint")},
    }
    portable["stores"] = [
        {
            "path": Path(str(one.get("path"))).name,
            **{name: one.get(name) for name in ("fingerprint", "dim")},
        }
        for one in info.get("stores") or ()
    ]
    portable["encoder"] = portable_encoder(info.get("encoder") or {})
    return portable


def portable_encoder(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of an encoder, without the folder of its file of weights."""
    architecture, at, file = str(document.get("name", "")).partition("@")
    is_file = at and not architecture.startswith(("hf-hub:", "timm:"))
    name = f"{architecture}@{Path(file).name}" if is_file else str(document.get("name", ""))
    return {**{k: v for k, v in document.items() if k != "weights_file"}, "name": name}
