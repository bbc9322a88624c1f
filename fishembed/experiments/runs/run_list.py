"""List the runs of a folder, best first, and whether their stores have changed since."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fishembed._base.files import sync_folder
from fishembed._base.paths import reports_dir
from fishembed.errors import (
    FishembedError,
    InputError,
    RunError,
    RunWriteError,
    StoreFormatError,
    StoreIntegrityError,
)
from fishembed.experiments.runs.run_documents import RUN_JSON
from fishembed.experiments.runs.run_folder import Run

StoreState = Literal["unchanged", "made before the last fix", "changed since", "damaged", "gone"]
SORTED_BY = ("macro_recall", "accuracy", "created", "name")


@dataclass(frozen=True)
class RunLine:
    """One run of a list.

    Attributes
    ----------
    run
        The run; None where it cannot be read.
    folder
        Where it lies.
    state
        What became of its store since; "" where the run cannot be read.
    problem
        Why it cannot be read.
    """

    run: Run | None
    folder: Path
    state: StoreState | Literal[""] = ""
    problem: str = ""

    def number(self, name: str) -> float:
        """Return a metric, -1 where there is none."""
        value = None if self.run is None else self.run.metrics.get(name)
        return float(value) if isinstance(value, int | float) else -1.0


def list_runs(reports: str | Path | None = None, *, sort: str = "macro_recall") -> list[RunLine]:
    """Return all runs of a folder, best first.

    Parameters
    ----------
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.
    sort
        macro_recall, accuracy, created (newest first) or name.

    Raises
    ------
    InputError
        When they cannot be sorted by that.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, list_runs, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> run = run_fit(import_features({"features": X, "labels": labels}, "f.h5"), head="centroid")
    >>> [(line.run.name, line.state) for line in list_runs()]
    [('f-centroid', 'unchanged')]
    """
    if sort not in SORTED_BY:
        raise InputError(f"runs cannot be sorted by {sort!r}: name one of {', '.join(SORTED_BY)}")
    folders = sorted(path.parent for path in Path(reports or reports_dir()).glob(f"*/{RUN_JSON}"))
    lines = [_line(folder) for folder in folders if not folder.name.startswith(".")]
    if sort == "created":
        lines.sort(key=lambda line: str((line.run.info if line.run else {}).get("created", "")))
        return lines[::-1]
    if sort != "name":
        lines.sort(key=lambda line: -line.number(sort))
    return lines


def store_state(run: Run) -> StoreState:
    """Return what became of a run's store since the run was made."""
    try:
        with run.open_store() as store:
            fingerprint, history = store.fingerprint, store.history
            known = [one.fingerprint for one in store.stores]
    except (StoreFormatError, StoreIntegrityError):
        return "damaged"
    except (FishembedError, OSError):
        return "gone"
    made = [one.get("fingerprint") for one in run.info.get("stores") or ()]
    if fingerprint == run.info["store"].get("fingerprint") or (made and known == made):
        return "unchanged"
    fixed = history and history[-1].when >= str(run.info.get("created", ""))
    return "made before the last fix" if fixed else "changed since"


def stale_warning(run: Run) -> str:
    """Return a sentence where a run's store has changed since it was made, else ""."""
    state = store_state(run)
    if state in ("unchanged", "gone"):
        return ""
    path = run.info["store"]["path"]
    if state == "damaged":
        return f"warning: {path} is damaged: 'fishembed info {path} --verify' says where"
    why = "was fixed or split" if state == "made before the last fix" else "has changed"
    return (
        f"warning: {path} {why} since the run {run.name!r} was made: 'fishembed fit {path}' makes "
        "one of what the store holds now"
    )


def delete_run(folder: str | Path) -> Path:
    """Delete a run folder, and nothing that is none.

    Raises
    ------
    RunNotFoundError, RunFormatError
        When there is no run at that place.
    RunError
        When it cannot be removed.
    """
    run = Run.open(folder)
    if run.folder.is_symlink():
        raise RunError(f"{str(run.folder)!r} is a link: remove it by hand")
    # The name goes at once, so that a broken deletion leaves no half run.
    aside = run.folder.with_name(f".{run.folder.name}.deleted")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        run.folder.rename(aside)
        sync_folder(aside.parent)
        shutil.rmtree(aside)
    except OSError as error:
        raise RunWriteError(
            f"cannot delete {str(run.folder)!r}: {error.strerror or error}"
        ) from error
    return run.folder


def _line(folder: Path) -> RunLine:
    try:
        run = Run.open(folder)
        return RunLine(run, folder, store_state(run))
    except (FishembedError, KeyError, TypeError) as error:
        return RunLine(None, folder, problem=str(error))
