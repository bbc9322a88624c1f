"""The same experiment for several seeds: a series of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import Store
from fishembed.errors import FishembedError, InputError
from fishembed.experiments.fitting import fit, opened_store
from fishembed.experiments.runs.run_documents import RUN_JSON
from fishembed.experiments.runs.run_folder import Run, default_name, new_folder, write_run

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_MOST = 1_000


def run_seeds(
    store: str | AnyPath | Store | Sequence[str | AnyPath],
    seeds: int = 5,
    *,
    head: str = "auto",
    seed: int = 0,
    run: str | None = None,
    reports: str | Path | None = None,
    command: str = "",
    progress: Progress | None = None,
    **options: Any,
) -> list[Run]:
    """Fit and score a head once for each of several seeds, as runs of one series.

    All are scored on the same rows: where the store has no splits, those that `seed` holds out.
    `compare_runs` takes the series as one, with means and standard deviations.

    Parameters
    ----------
    store
        The store or its path; several are joined.
    seeds
        How many.
    head, command, progress, options
        As in `run_fit`.
    seed
        The first; the others follow.
    run
        Name of the series; its runs are called `<run>-seed0`, `<run>-seed1` …
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.

    Raises
    ------
    InputError
        As `run_fit` does, and when `seeds` is below 1.
    RunError
        When a run of that name exists, or the place is not writable.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, run_seeds
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> [run.name for run in run_seeds(store, 2, head="centroid")]
    ['f-centroid-seed0', 'f-centroid-seed1']
    """
    if not 1 <= seeds <= _MOST:
        raise InputError(f"seeds={seeds}: give how many seeds, 1 to {_MOST}")
    opened = opened_store(store)
    name = run or default_name(opened.name, options.get("features", "image"), head)
    first_progress = progress or NoProgress()
    made = []
    for one in range(seed, seed + seeds):
        own = f"{name}-seed{one}"
        with new_folder(reports, own if run else None, own) as folder:
            result = fit(
                opened,
                head=head,
                seed=one,
                split_seed=seed,
                command=command,
                progress=first_progress if one == seed else NoProgress(),  # the notes are the same
                **options,
            )
            series = {"name": name, "seed": one, "seeds": seeds}
            made.append(write_run(replace(result, info={**result.info, "series": series}), folder))
    return made


def runs_of_series(name: str | Path, reports: str | Path) -> list[Path]:
    """Return the run folders of a series, by seed; of one seed the one written last.

    Empty where there is a run of this name, or no series.
    """
    series = Path(name)
    for home in (series.parent, Path(reports)):
        if (home / series.name / RUN_JSON).is_file():
            return []
        found: dict[int, tuple[int, Path]] = {}
        for place in home.glob(f"{_literal(series.name)}-seed*/{RUN_JSON}"):
            with suppress(FishembedError, OSError):
                known: Mapping[str, Any] = Run.open(place.parent).info.get("series") or {}
                if known.get("name") == series.name:
                    one = place.stat().st_mtime_ns, place.parent
                    at = int(known.get("seed", 0))
                    found[at] = max(one, found.get(at, one))
        if found:
            return [found[at][1] for at in sorted(found)]
    return []


def _literal(name: str) -> str:
    from glob import escape

    return escape(name)
