"""A run: one experiment's folder on disk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed._base.files import move_folder_into_place, temporary_folder
from fishembed._base.paths import is_remote, reports_dir, to_path
from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed._base.text import did_you_mean
from fishembed.cache import FeatureKind, FeatureStore, Store, join_stores
from fishembed.errors import (
    FishembedError,
    InputError,
    NotFetchedError,
    RunError,
    RunFormatError,
    RunNotFoundError,
    RunWriteError,
)
from fishembed.evaluation.scores import score_table
from fishembed.experiments.runs import run_files as files
from fishembed.experiments.runs.run_documents import (
    HEAD_NPZ,
    METRICS_JSON,
    RUN_JSON,
    check_file,
    read_json,
    read_record,
)
from fishembed.experiments.runs.run_info import Prior, assumed_prior
from fishembed.experiments.runs.run_result import RunResult, about_run

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath
    from fishembed.classifiers import SavedHead


@dataclass(frozen=True, repr=False)
class Run(PrintsAsTable):
    """One experiment on disk.

    Attributes
    ----------
    folder
        Where it lies.
    info
        `run.json`: kind, head, parameters, store, encoder, versions, seed, times.
    metrics
        `metrics.json`: the scores, see `fishembed.Scores.as_dict`, and each split's counts.
    """

    folder: Path
    info: Mapping[str, Any]
    metrics: Mapping[str, Any]
    in_memory: RunResult | None = field(default=None, repr=False, compare=False)

    def _short_table(self) -> ShortTable:
        title = f"run {self.name}: {about_run(self.info, self.metrics)}"
        return score_table(title, self.metrics)

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a run folder, or the run of this name in the folder of reports.

        Raises
        ------
        RunNotFoundError
            When there is no such folder, or no run in it.
        RunFormatError
            When its files are not a run's, or a newer version wrote them.
        """
        folder, home = Path(folder), reports_dir()
        if not (folder / RUN_JSON).is_file() and (home / folder / RUN_JSON).is_file():
            folder = home / folder
        if not (folder / RUN_JSON).is_file():
            names = sorted(path.parent.name for path in home.glob(f"*/{RUN_JSON}"))
            raise RunNotFoundError(
                f"no run at {str(folder)!r}{did_you_mean(folder.name, names) or ':'} 'fishembed "
                "fit' and 'fishembed zeroshot' make one"
            )
        info = read_record(folder)
        check_file(folder, info, METRICS_JSON)
        return cls(folder, info, read_json(folder / METRICS_JSON))

    @staticmethod
    def load(folder: str | Path) -> RunResult:
        """Read the result that a run folder holds, as `fit` and `score_zeroshot` returned it.

        Raises
        ------
        RunNotFoundError, RunFormatError
            As `open` does; also when a table is missing or damaged.
        """
        return Run.open(folder).result

    @cached_property
    def result(self) -> RunResult:
        """The result; read from the folder unless it was made in this process."""
        if self.in_memory is not None:
            return self.in_memory
        return files.read_result(self.folder, self.info, self.metrics)

    def open_store(self, *, fetch: bool = False) -> Store:
        """Open the store, or the joined stores, that the run was made on.

        A store is sought at its recorded path, from here and from the workspace whose `reports`
        folder the run is in; the one that has not changed since is preferred.

        Parameters
        ----------
        fetch
            Whether a store at a URL is fetched: a run may come from a stranger.

        Raises
        ------
        NotFetchedError
            When it lies at a URL, without `fetch`.
        StoreNotFoundError
            When there is none at either place.
        StoreFormatError, InputError
            When it cannot be read, or stores can no longer be joined.
        """
        known = self.info.get("stores") or [self.info["store"]]
        if not fetch and (far := next((o for o in known if is_remote(to_path(o["path"]))), None)):
            raise NotFetchedError(f"the store lies at {far['path']!r}: --fetch gets it")
        stores = [self._open_one(str(one["path"]), one.get("fingerprint")) for one in known]
        return stores[0] if len(stores) == 1 else join_stores(stores)

    def _open_one(self, path: str, fingerprint: str | None) -> FeatureStore:
        here = to_path(path)
        places: list[AnyPath] = [here]
        if not is_remote(here) and not Path(path).is_absolute():
            places.append(self.folder.absolute().parent.parent / path)
        there = [place for place in places if is_remote(place) or place.exists()]
        # Where there is none, opening the first place raises the error.
        found = [FeatureStore.open(place, by_name=False) for place in there or [here]]
        chosen = next((store for store in found if store.fingerprint == fingerprint), found[0])
        for store in found:
            if store is not chosen:
                store.close()
        return chosen

    def load_head(self) -> SavedHead:
        """Read the run's head from its arrays; no pickle is read.

        Raises
        ------
        RunFormatError
            When there is none, or it is not as it was written.
        """
        from fishembed.classifiers import load_head

        place = self.folder / HEAD_NPZ
        if not place.is_file():
            raise RunFormatError(
                f"the run {str(self.folder)!r} has no {HEAD_NPZ}: the file was lost, or the "
                f"version that made the run could not keep a head of {self.info['head']!r} as "
                "arrays; fit again"
            )
        check_file(self.folder, self.info, HEAD_NPZ)
        return load_head(place)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.name

    @property
    def classes(self) -> list[str]:
        """All classes of the store, in its order."""
        return list(self.info["classes"])

    @property
    def assumed_prior(self) -> Prior:
        """Class prior that the head's probabilities assume."""
        return assumed_prior(str(self.info.get("head")), self.info.get("parameters") or {})

    @property
    def features(self) -> FeatureKind:
        """Which features the head learnt from."""
        return "trunk" if self.info.get("features") == "trunk" else "image"

    @cached_property
    def per_class(self) -> list[dict[str, str]]:
        """Rows of `per_class.csv`, as text."""
        return self._rows(files.PER_CLASS_CSV)

    @cached_property
    def predictions(self) -> list[dict[str, str]]:
        """Rows of `predictions.csv`, as text."""
        return self._rows(files.PREDICTIONS_CSV)

    @cached_property
    def history(self) -> list[dict[str, str]]:
        """Rows of `history.csv`, as text; empty for heads that do not train by epochs."""
        return self._rows(files.HISTORY_CSV, optional=True)

    @cached_property
    def shots(self) -> list[dict[str, str]]:
        """Rows of `shots.csv`, as text; empty where no learning curve was asked for."""
        return self._rows(files.FEW_SHOT_CSV, optional=True)

    def _rows(self, name: str, *, optional: bool = False) -> list[dict[str, str]]:
        check_file(self.folder, self.info, name)
        path = self.folder / name
        return [] if optional and not path.is_file() else files.read_csv_rows(path)

    @property
    def selection(self) -> list[dict[str, Any]]:
        """Candidates that the head was chosen from, the chosen one first; empty for no choice."""
        return list(self.info.get("selection") or [])


def save_run(
    result: RunResult, *, name: str | None = None, reports: str | Path | None = None
) -> Run:
    """Write a result as a run folder.

    Parameters
    ----------
    result
        What `fit` or `score_zeroshot` returned.
    name
        Of the folder; made from the store's and the head's when left out.
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.

    Raises
    ------
    InputError
        When the name cannot be a folder's.
    RunError
        When a run of that name exists, or the place is not writable.
    """
    info = result.info
    default = default_name(info["store"]["name"], info["features"], info["head"])
    with new_folder(reports, name, default) as folder:
        return write_run(result, folder)


def write_run(result: RunResult, folder: NewFolder) -> Run:
    """Write a result into a folder that `new_folder` reserved, and move it in."""
    files.write_result(result, folder.path, folder.final.name)
    folder.finish()
    return Run(folder.final, result.info, result.metrics, result)


def default_name(store: str, features: str, head: str) -> str:
    """Return the default name of a run."""
    return f"{store}{'' if features == 'image' else f'-{features}'}-{head}"


@dataclass
class NewFolder:
    """A folder that is being filled at `path`, to be moved to the reserved `final`."""

    path: Path
    final: Path

    def finish(self) -> None:
        """Move the folder in; under the next free name where its own is in use by now."""
        while self.path.is_dir():
            with suppress(FileExistsError):
                move_folder_into_place(self.path, self.final)
                return
            home, name = self.final.parent, self.final.name
            free = (one for one in _numbered(name) if not os.path.lexists(home / one))
            self.final = home / next(free)


@contextmanager
def new_folder(reports: str | Path | None, name: str | None, default: str) -> Iterator[NewFolder]:
    """Reserve a folder's name, yield one to fill beside it, and move it in when complete.

    A name in use or a place that is not writable raises before the block, so that no work is lost.
    `reports` None is FISHEMBED_REPORTS or `reports`; `name` None is `default`, numbered where that
    exists.

    Raises
    ------
    InputError
        When the name cannot be a folder's.
    RunError
        When a folder of that name exists or is being made, or the place is not writable.
    """
    home = Path(reports or reports_dir())
    if name and (Path(name).name != name or name.startswith(".")):
        raise InputError(f"{name!r} cannot name a run: give one folder's name without slashes")
    final = home / (name or default)
    with ExitStack() as stack:
        with _write_errors(final):
            folder = _reserve(stack, home, name, default)
        with _write_errors(folder.final):
            yield folder
            folder.finish()


@contextmanager
def _write_errors(place: Path) -> Iterator[None]:
    """Turn errors of the operating system into a `RunWriteError` that names the folder."""
    try:
        yield
    except FishembedError:
        raise
    except OSError as error:
        raise RunWriteError(f"cannot write {str(place)!r}: {error.strerror or error}") from error


def _reserve(stack: ExitStack, home: Path, name: str | None, default: str) -> NewFolder:
    """Reserve the name, or without one the first that is free."""
    for candidate in [name] if name else _numbered(default):
        final, problem = home / candidate, "is there already"
        with suppress(FileExistsError):
            if not os.path.lexists(final):
                problem = "is being made by another process"
                path = stack.enter_context(temporary_folder(final, reserve=True))
                problem = "is there already"  # it may have been moved in meanwhile
                if not os.path.lexists(final):
                    return NewFolder(path, final)
        if name:
            raise RunError(f"a run {name!r} {problem}: give another --run")
    raise AssertionError("numbers do not end")


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))
