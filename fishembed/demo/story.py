"""The whole story on drawn fish: the paper's linear head, and a better one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import FeatureStore
from fishembed.demo.dataset import draw_dataset
from fishembed.errors import RunError
from fishembed.experiments import Run, compare_runs, run_fit, run_zeroshot
from fishembed.extraction import extract
from fishembed.reports import write_comparison, write_report

STORE = "demo"


@dataclass(frozen=True)
class Chapter:
    """One method of the story.

    Attributes
    ----------
    title
        What people call it.
    run
        Its run, with a page in its folder.
    """

    title: str
    run: Run

    @property
    def page(self) -> Path:
        """Where its report lies."""
        return self.run.folder / "index.html"


@dataclass(frozen=True)
class Story:
    """What the demo made.

    Attributes
    ----------
    pictures, store
        Where the drawn fish and their vectors lie.
    chapters
        Zero-shot where the encoder has words, linear head, best head.
    comparison
        The page that compares them.
    seconds
        From start to end.
    """

    pictures: Path
    store: Path
    chapters: tuple[Chapter, ...]
    comparison: Path
    seconds: float


def tell_story(
    data: Path,
    cache: Path,
    reports: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    reporter: Progress | None = None,
) -> Story:
    """Draw fish, encode them with the embedded encoder, and compare methods on them.

    What is there from before is taken over, so that telling it again takes seconds.

    Parameters
    ----------
    data, cache, reports
        Folders for the pictures, the store and the runs.
    seed
        Of the pictures and the heads.
    device
        See `fishembed.load_encoder`.
    reporter
        Hears what is being done.

    Raises
    ------
    InputError
        When `data` holds something else.
    """
    began = time.perf_counter()
    hears = reporter if reporter is not None else NoProgress()
    hears.message(f"drawing 31 species of fish into {data}")
    pictures = draw_dataset(
        data, seed=seed, progress=lambda done, total: hears.update(done, total, "drawing")
    )
    done = extract(
        pictures, cache / f"{STORE}.h5", encoder="embedded", device=device, reporter=hears
    )
    with FeatureStore.open(done.store) as store:
        chapters = _chapters(store, reports, seed)
    for chapter in chapters:
        if not chapter.page.is_file():
            hears.message(f"writing {chapter.page}")
            write_report(chapter.run)
    comparison = _compare([chapter.run for chapter in chapters], reports, hears)
    seconds = time.perf_counter() - began
    return Story(pictures, Path(str(done.store)), chapters, comparison, seconds)


def _chapters(store: FeatureStore, reports: Path, seed: int) -> tuple[Chapter, ...]:
    linear = _fit(store, reports, "linear", {"epochs": 7}, seed)
    best = _fit(store, reports, "auto", {}, seed)
    fitted = (Chapter("linear head, 7 epochs", linear), Chapter("head by cross-validation", best))
    if not store.text_keys:
        return fitted
    return (Chapter("zero-shot: class names in words", _zeroshot(store, reports, seed)), *fitted)


def _zeroshot(store: FeatureStore, reports: Path, seed: int) -> Run:
    command = f"fishembed zeroshot {store.path} --seed {seed}"
    known = _known(reports, store, f"{STORE}-zeroshot", command)
    return known or run_zeroshot(store, seed=seed, reports=reports, command=command)


def _fit(
    store: FeatureStore, reports: Path, head: str, parameters: dict[str, Any], seed: int
) -> Run:
    options = "".join(f" --{name} {value}" for name, value in parameters.items())
    command = f"fishembed fit {store.path} --head {head}{options} --seed {seed}"
    known = _known(reports, store, f"{STORE}-{head}", command)
    return known or run_fit(
        store, head=head, parameters=parameters, seed=seed, reports=reports, command=command
    )


def _compare(runs: list[Run], reports: Path, reporter: Progress) -> Path:
    page = reports / f"compare-{'-'.join(run.name for run in runs)}.html"
    if not page.is_file():
        reporter.message(f"writing {page}")
        write_comparison(compare_runs(runs), output=page)
    return page


def _known(reports: Path, store: FeatureStore, name: str, command: str) -> Run | None:
    """Give the run that the same command made of the same store, or None."""
    for folder in sorted(reports.glob(f"{name}*")):
        try:
            run = Run.open(folder)
        except RunError:
            continue
        same_store = run.info["store"]["fingerprint"] == store.fingerprint
        if same_store and run.info["command"] == command:
            return run
    return None
