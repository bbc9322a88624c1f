"""A run: one experiment's folder on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed._base.default_dirs import reports_dir
from fishembed._base.files import atomic_folder
from fishembed._base.paths import is_remote, to_path
from fishembed.cache import FeatureKind, FeatureStore, Store, join_stores
from fishembed.errors import InputError, NotFetchedError, RunError, RunFormatError, RunNotFoundError
from fishembed.experiments import run_files as files
from fishembed.experiments.class_prior import Prior, assumed_prior
from fishembed.experiments.run_result import RunResult

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


@dataclass(frozen=True)
class Run:
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

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a run folder.

        Raises
        ------
        RunNotFoundError
            When there is no such folder, or no run in it.
        RunFormatError
            When its files are not a run's, or a newer version wrote them.
        """
        folder = Path(folder)
        if not (folder / files.RUN_JSON).is_file():
            raise RunNotFoundError(
                f"no run at {str(folder)!r}: 'fishembed fit' and 'fishembed zeroshot' make one"
            )
        info, metrics = (
            files.read_json(folder / name) for name in (files.RUN_JSON, files.METRICS_JSON)
        )
        if info.get("format") != files.RUN_FORMAT:
            raise RunFormatError(f"{str(folder / files.RUN_JSON)!r} was not written by fishembed")
        if info.get("schema", 0) > files.RUN_SCHEMA:
            raise RunFormatError(
                f"{str(folder)!r} has run schema {info['schema']}; this version reads up to "
                f"{files.RUN_SCHEMA}: pip install -U fishembed"
            )
        return cls(folder, info, metrics)

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

        A store is looked for where it was, from here and from the workspace whose `reports`
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
        found = [FeatureStore.open(place) for place in places if is_remote(place) or place.exists()]
        if not found:
            return FeatureStore.open(here)  # raises what says so
        unchanged = (store for store in found if store.fingerprint == fingerprint)
        chosen = next(unchanged, found[0])
        for store in found:
            if store is not chosen:
                store.close()
        return chosen

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
        """How common the head's probabilities take each class to be."""
        return assumed_prior(str(self.info.get("head")), self.info.get("parameters") or {})

    @property
    def features(self) -> FeatureKind:
        """Which features the head learnt from."""
        return "trunk" if self.info.get("features") == "trunk" else "image"

    @cached_property
    def per_class(self) -> list[dict[str, str]]:
        """Rows of `per_class.csv`, as text."""
        return files.read_csv_rows(self.folder / files.PER_CLASS_CSV)

    @cached_property
    def predictions(self) -> list[dict[str, str]]:
        """Rows of `predictions.csv`, as text."""
        return files.read_csv_rows(self.folder / files.PREDICTIONS_CSV)

    @cached_property
    def history(self) -> list[dict[str, str]]:
        """Rows of `history.csv`, as text; empty for heads that do not train by epochs."""
        path = self.folder / files.HISTORY_CSV
        return files.read_csv_rows(path) if path.is_file() else []

    @cached_property
    def shots(self) -> list[dict[str, str]]:
        """Rows of `shots.csv`, as text; empty where no learning curve was asked for."""
        path = self.folder / files.FEW_SHOT_CSV
        return files.read_csv_rows(path) if path.is_file() else []

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
    kind = "" if info["features"] == "image" else f"-{info['features']}"
    with new_folder(reports, name, f"{info['store']['name']}{kind}-{info['head']}") as folder:
        files.write_result(result, folder.path, folder.final.name)
    return Run(folder.final, result.info, result.metrics, result)


def newest_run(reports: str | Path) -> Path:
    """Return the run folder in `reports` that was written last.

    Raises
    ------
    RunNotFoundError
        When there is none.
    """
    found = [path.parent for path in Path(reports).glob(f"*/{files.RUN_JSON}")]
    if not found:
        raise RunNotFoundError(
            f"no run in {str(reports)!r}: make one with 'fishembed fit' or 'fishembed zeroshot'"
        )
    return max(found, key=lambda run: ((run / files.RUN_JSON).stat().st_mtime_ns, run.name))


@dataclass(frozen=True)
class NewFolder:
    """A folder that is being filled, and where it will lie."""

    path: Path
    final: Path


@contextmanager
def new_folder(reports: str | Path | None, name: str | None, default: str) -> Iterator[NewFolder]:
    """Fill a folder beside its place and move it in when it is complete.

    Parameters
    ----------
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when None.
    name
        Of the folder; None for `default`, numbered where that is there already.

    Raises
    ------
    InputError
        When the name cannot be a folder's.
    RunError
        When a folder of that name exists, or the place is not writable.
    """
    home = Path(reports or reports_dir())
    final = home / (name or _free_name(home, default))
    if name and (Path(name).name != name or name.startswith(".")):
        raise InputError(f"{name!r} cannot name a run: give one folder's name without slashes")
    if final.exists():
        raise RunError(f"a run {final.name!r} is there already: give another --run")
    try:
        with atomic_folder(final) as temporary:
            yield NewFolder(temporary, final)
    except OSError as error:
        raise RunError(f"cannot write the run {str(final)!r}: {error.strerror or error}") from error


def _free_name(home: Path, default: str) -> str:
    number, name = 1, default
    while (home / name).exists():
        number += 1
        name = f"{default}-{number}"
    return name
