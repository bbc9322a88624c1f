"""Classify what arrives in a folder, as long as it is watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fishembed.errors import ImageError, InputError, SourceError
from fishembed.experiments.predicting.prediction import Predictions
from fishembed.images import find_images

PAUSE = 2.0
"""Seconds between two looks: a file that did not change meanwhile is complete."""

Classify = Callable[[Sequence[str | Path]], Predictions]


def watch_folder(
    classify: Classify,
    folder: Path,
    *,
    pause: float = PAUSE,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Predictions]:
    """Yield the predictions of what is in a folder, then of what arrives there, for ever.

    Parameters
    ----------
    classify
        Predicts some files.
    folder
        Where images arrive.
    pause
        Seconds between two looks. A file that still grows is left for the next one.
    wait
        What waits.

    Raises
    ------
    InputError
        When there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(folder)!r} to watch")
    done: set[Path] = set()
    sizes: dict[Path, tuple[int, int]] = {}
    while True:
        ready = []
        for path in _images(folder):
            if path in done:
                continue
            try:
                state = path.stat()
            except OSError:  # it was moved away meanwhile
                continue
            now = state.st_size, state.st_mtime_ns
            if sizes.get(path) == now:
                ready.append(path)
            sizes[path] = now
        if ready:
            done.update(ready)
            yield _classified(classify, ready)
        wait(pause)


def together(first: Predictions | None, more: Predictions) -> Predictions:
    """Return two sets of predictions as one."""
    if first is None:
        return more
    return replace(
        more,
        predictions=first.predictions + more.predictions,
        skipped=first.skipped + more.skipped,
        left_out=first.left_out + more.left_out,
    )


def _classified(classify: Classify, files: Sequence[Path]) -> Predictions:
    try:
        return classify(files)
    except ImageError as error:  # not one of them could be read
        return Predictions((), tuple((str(path), str(error)) for path in files))


def _images(folder: Path) -> list[Path]:
    try:
        return find_images([folder])
    except SourceError:
        return []
