"""The run of `fishembed demo`: draw fish, encode them, compare three methods on them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import FeatureStore
from fishembed.demo.dataset import draw_dataset
from fishembed.errors import RunError
from fishembed.experiments import Run, compare_runs, run_fit, run_zeroshot
from fishembed.extraction import extract
from fishembed.reports import write_comparison, write_report

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "zero-shot: class names in words": ("zeroshot", {}),
    "linear head, 7 epochs": ("linear", {"epochs": 7}),
    "head by cross-validation": ("auto", {}),
}
"""Title of each method; the head it fits, if any, and the head's parameters."""


@dataclass(frozen=True)
class DemoRun:
    """Results of the demo: images, store, a run for each of `METHODS`, their comparison."""

    images: Path
    store: Path
    runs: dict[str, Run]
    comparison: Path
    seconds: float


def run_demo(
    data: Path,
    cache: Path,
    reports: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> DemoRun:
    """Draw fish, encode them with the embedded encoder, and compare methods on them.

    Existing results are reused, so that running it again takes seconds. `data`,
    `cache` and `reports` are folders for images, store and runs; `seed` is that of the images and
    the heads; `device` is as in `fishembed.load_encoder`. `data` must hold nothing else.
    """
    began, progress = time.perf_counter(), progress or NoProgress()
    progress.message(f"drawing 31 species of fish into {data}")
    images = draw_dataset(data, seed=seed, progress=partial(progress.update, task="drawing"))
    place = extract(
        images, cache / "demo.h5", encoder="embedded", device=device, reporter=progress
    ).store
    with FeatureStore.open(place) as store:
        runs = {title: _run(store, reports, *how, seed) for title, how in METHODS.items()}
    for run in runs.values():
        page = run.folder / "index.html"
        if not page.is_file():
            progress.message(f"writing {page}")
            write_report(run)
    page = reports / f"compare-{'-'.join(run.name for run in runs.values())}.html"
    if not page.is_file():
        progress.message(f"writing {page}")
        write_comparison(compare_runs(list(runs.values())), output=page)
    return DemoRun(images, Path(str(place)), runs, page, time.perf_counter() - began)


def _run(store: FeatureStore, reports: Path, head: str, options: dict[str, Any], seed: int) -> Run:
    """Return the run that the same command made of the same store, fitted where there is none."""
    verb = "zeroshot" if head == "zeroshot" else f"fit --head {head}"
    flags = "".join(f" --{name} {value}" for name, value in {**options, "seed": seed}.items())
    command = f"fishembed {verb} {store.path}{flags}"
    for folder in sorted(reports.glob(f"demo-{head}*")):
        try:
            run = Run.open(folder)
        except RunError:
            continue
        same_store = run.info["store"]["fingerprint"] == store.fingerprint
        if same_store and run.info["command"] == command:
            return run
    shared: dict[str, Any] = {"seed": seed, "reports": reports, "command": command}
    if head == "zeroshot":
        return run_zeroshot(store, **shared)
    return run_fit(store, head=head, parameters=options, **shared)
