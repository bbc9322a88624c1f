"""Find runs: the newest, all of a folder, those of a series, one on the Hugging Face hub."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Literal

from fishembed._base.files import sync_folder
from fishembed._base.paths import reports_dir
from fishembed.errors import (
    FishembedError,
    InputError,
    RemoteError,
    RunError,
    RunNotFoundError,
    RunWriteError,
    StoreFormatError,
    StoreIntegrityError,
)
from fishembed.experiments.runs.run_documents import (
    FILES,
    HEAD_NPZ,
    METRICS_JSON,
    RUN_JSON,
    is_run,
    read_json,
)
from fishembed.experiments.runs.run_folder import Run

StoreState = Literal["unchanged", "made before the last fix", "changed since", "damaged", "gone"]
SORTED_BY = ("macro_recall", "accuracy", "created", "name")
PREFIX = "hf:"
PORTABLE = (METRICS_JSON, HEAD_NPZ, "held_out.npz")
"""Files that `predict` reads beside `run.json`."""

_HUB_NAME = re.compile(r"hf:([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")
_PATIENCE = 10.0  # seconds


@dataclass(frozen=True)
class RunLine:
    """One run of a list: its folder, and the state of its store since it was made.

    Of a run that cannot be read `run` is None, `state` empty, and `problem` names the reason.
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


def _line(folder: Path) -> RunLine:
    try:
        run = Run.open(folder)
        return RunLine(run, folder, store_state(run))
    except (FishembedError, KeyError, TypeError) as error:
        return RunLine(None, folder, problem=str(error))


def newest_run(reports: str | Path) -> Path:
    """Return the run folder in `reports` that was written last.

    Raises
    ------
    RunNotFoundError
        When there is none.
    """
    written: list[tuple[int, str, Path]] = []
    for path in Path(reports).glob(f"*/{RUN_JSON}"):
        with suppress(OSError):  # a link that leads nowhere, or a run that was just removed
            written.append((path.stat().st_mtime_ns, path.parent.name, path.parent))
    newest = next((run for _, _, run in sorted(written, reverse=True) if is_run(run)), None)
    if newest is None:
        raise RunNotFoundError(
            f"no run in {str(reports)!r}: make one with 'fishembed fit' or 'fishembed zeroshot'"
        )
    return newest


def runs_of_series(name: str | Path, reports: str | Path) -> list[Path]:
    """Return the run folders of a series, by seed; of one seed the one written last.

    Empty where there is a run of this name, or no series.
    """
    series = Path(name)
    for home in (series.parent, Path(reports)):
        if (home / series.name / RUN_JSON).is_file():
            return []
        found: dict[int, tuple[int, Path]] = {}
        for place in home.glob(f"{escape(series.name)}-seed*/{RUN_JSON}"):
            with suppress(FishembedError, OSError):
                known = Run.open(place.parent).info.get("series") or {}
                if known.get("name") == series.name:
                    one = place.stat().st_mtime_ns, place.parent
                    seed = int(known.get("seed", 0))
                    found[seed] = max(one, found.get(seed, one))
        if found:
            return [found[seed][1] for seed in sorted(found)]
    return []


def store_state(run: Run) -> StoreState:
    """Return the state of a run's store since the run was made."""
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
    """Delete a run folder; refuse anything else.

    Raises
    ------
    RunNotFoundError, RunFormatError
        When there is no run at that place.
    RunError
        When it cannot be removed.
    """
    place = Run.open(folder).folder
    if place.is_symlink():
        raise RunError(f"{str(place)!r} is a link: remove it by hand")
    # Renamed first, so that an interrupted deletion leaves no half run.
    aside = place.with_name(f".{place.name}.deleted")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
        sync_folder(aside.parent)
        shutil.rmtree(aside)
    except OSError as error:
        raise RunWriteError(f"cannot delete {str(place)!r}: {error.strerror or error}") from error
    return place


def open_run(name: str | Path) -> Run:
    """Open the run in a folder, or fetch one of the hub and open that; see `fetch_hub_run`."""
    return Run.open(fetch_hub_run(name)[0] if is_hub_run(name) else name)


def is_hub_run(name: object) -> bool:
    """Return whether a run is named as one on the hub."""
    return str(name).startswith(PREFIX)


def fetch_hub_run(name: str | Path, also: Sequence[str] = ()) -> tuple[Path, str]:
    """Return a run of the hub, downloaded or from the cache of the hub's client; no pickle in it.

    Parameters
    ----------
    name
        ``hf:OWNER/NAME``, with ``@REVISION`` for a commit, branch or tag.
    also
        Further files that are fetched where the run lists them.

    Returns
    -------
    Path, str
        The folder, and the commit: all files are of that one.

    Raises
    ------
    InputError, RunNotFoundError, RemoteError
        When the name has another form, the hub has no such model or it is no run of fishembed, and
        when the hub cannot be reached.
    """
    found = _HUB_NAME.fullmatch(str(name))
    if found is None:
        raise InputError(f"{str(name)!r} names no run on the hub: write hf:OWNER/NAME[@REVISION]")
    repo, revision = found.groups()
    record = _download(repo, RUN_JSON, revision)
    commit = record.parent.name
    listed = read_json(record).get(FILES)
    for file in (*PORTABLE, *also):
        if isinstance(listed, dict) and file in listed:
            _download(repo, file, commit)
    return record.parent, commit


def _download(repo: str, file: str, revision: str | None) -> Path:
    """Return a file in the cache; the folder it lies in is named by the commit."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name = f"hf:{repo}{f'@{revision}' if revision else ''}"
    try:
        return Path(hf_hub_download(repo, file, revision=revision or None, etag_timeout=_PATIENCE))
    except LocalEntryNotFoundError as error:
        raise RemoteError(f"{name!r} is not in the cache, and the hub does not answer") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise RunNotFoundError(
            f"the hub has no model {name!r}, or it is private: check the spelling, or log in with "
            "'hf auth login'"
        ) from error
    except EntryNotFoundError as error:
        raise RunNotFoundError(
            f"{name!r} has no {file}: it is no run that 'fishembed push' wrote"
        ) from error
    except Exception as error:  # the hub's client raises its transport's own errors
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise RemoteError(f"{name!r} cannot be fetched: {reason}") from error
