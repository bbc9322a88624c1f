"""The images of a page: pairs of classes taken for each other, and the surest mistakes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.paths import is_url
from fishembed._base.printable import printable
from fishembed._base.text import counted
from fishembed.errors import FishembedError
from fishembed.evaluation.confusion_counts import ConfusedPair, largest_pairs
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import RunResult
from fishembed.images import ImageFiles
from fishembed.reports.run_sentences import mixup_reason
from fishembed.reports.thumbnails import Thumbnail, thumbnails
from fishembed.reports.wording import percent

_PAIRS = 12
_PER_STRIP = 3
_PAIRS_WITH_IMAGES = 8
_MISTAKES = 24
_OF_ONE_PAIR = 3

Rows = list[int]


@dataclass(frozen=True)
class GalleryImage:
    """One scored image: where it lies, what it is, what it was called, how sure the head was.

    `answer` is its number among the images that are answered in the page; None where they are not.
    """

    path: str
    true: str
    called: str
    confidence: float
    right: bool
    thumbnail: Thumbnail | None
    answer: int | None = None

    @property
    def shown_path(self) -> str:
        """The path as it may be shown."""
        return printable(self.path)

    @property
    def original(self) -> str:
        """Where the page finds the file itself; "" where it does not."""
        return self.thumbnail.original if self.thumbnail else ""

    @property
    def words(self) -> str:
        """What is to be seen, for those who hear the page."""
        return f"{self.true}, identified {'right' if self.right else f'as {self.called}'}"

    @property
    def sure(self) -> str:
        """How sure the head was; "" where the run does not say."""
        return "" if math.isnan(self.confidence) else f" ({percent(self.confidence, 0)}% sure)"


def run_galleries(run: Run, photos: str | Path | None, *, fetch: bool = False) -> dict[str, Any]:
    """Choose the images of a run's page and read their thumbnails.

    Parameters
    ----------
    run
        The run.
    photos
        Folder of the photos, or None for the one the store knows.
    fetch
        Whether images that lie at URLs are fetched.

    Returns
    -------
    dict
        `pairs`, the largest mix-ups with their images; `mistakes`, those the head was surest
        of; `missing_images`, the sentence that says what is missing.
    """
    result = run.result
    pairs = largest_pairs(result.confusion, _PAIRS)
    strips = [
        _pair_strips(result, pair, _PER_STRIP if i < _PAIRS_WITH_IMAGES else 0)
        for i, pair in enumerate(pairs)
    ]
    mistakes = _surest_mistakes(result)
    wanted = [*(row for pair in strips for strip in pair.values() for row in strip), *mistakes]
    paths = (result.images.paths[row] for row in wanted)
    small, missing = read_thumbnails(run, photos, paths, fetch=fetch)
    return {
        "pairs": [
            _pair_view(result, pair, {name: _show(result, strip[name], small) for name in strip})
            for pair, strip in zip(pairs, strips, strict=True)
        ],
        "mistakes": _show(result, mistakes, small),
        "missing_images": missing,
    }


def _pair_view(
    result: RunResult, pair: ConfusedPair, strips: dict[str, list[GalleryImage]]
) -> dict[str, Any]:
    return {
        "true": result.classes.names[pair.true],
        "called": result.classes.names[pair.predicted],
        "count": pair.count,
        "total": pair.total,
        "reason": mixup_reason(result.classes, pair),
        "images": [image for images in strips.values() for image in images],
        **strips,
    }


def read_thumbnails(
    run: Run,
    photos: str | Path | None,
    paths: Iterable[str],
    *,
    fetch: bool = False,
    home: Path | None = None,
) -> tuple[dict[str, Thumbnail], str]:
    """Read the thumbnails of a run's images, each file once.

    `home` is the folder of the page, which may show the files themselves large.

    Returns
    -------
    dict of str to Thumbnail, str
        Those that could be read by their paths, and the sentence that says what is missing.
    """
    known = photos or (run.info.get("store") or {}).get("source_root")
    hint = "give their folder with --photos"
    if not known:
        return {}, f"There are no images here: the store does not know its photos; {hint}."
    try:
        found = ImageFiles(known, fetch=fetch)
    except FishembedError as error:
        return {}, f"There are no images here: {printable(str(error))}."
    shown = printable(str(found))
    if found.wait_for_leave:
        return {}, f"There are no images here: they lie at {shown}; --fetch gets them."
    if not found.are_there():
        return {}, f"There are no images here: no folder of photos at {shown}; {hint}."
    wanted = dict.fromkeys(paths)
    small = thumbnails(found, wanted, home=home and home.absolute())
    lost = len(wanted) - len(small)
    urls = 0 if fetch else sum(is_url(path) for path in wanted)
    also = f" {counted(urls, 'image')} lie at URLs: --fetch gets them." if urls else ""
    return small, f"{counted(lost, 'image')} could not be read in {shown}.{also}" if lost else ""


def _show(result: RunResult, rows: Rows, small: Mapping[str, Thumbnail]) -> list[GalleryImage]:
    images, names = result.images, result.classes.names
    return [
        GalleryImage(
            path=images.paths[row],
            true=names[images.true[row]],
            called=names[images.predicted[row]],
            confidence=float(images.confidence[row]),
            right=bool(images.true[row] == images.predicted[row]),
            thumbnail=small.get(images.paths[row]),
        )
        for row in rows
    ]


def _surest_mistakes(result: RunResult) -> Rows:
    """Choose the mistakes the head was surest of, at most three of one class for another."""
    images = result.images
    taken: Counter[tuple[int, int]] = Counter()
    chosen: Rows = []
    for row in _surest(result, images.wrong):
        pair = int(images.true[row]), int(images.predicted[row])
        taken[pair] += 1
        if taken[pair] <= _OF_ONE_PAIR:
            chosen.append(row)
    return chosen[:_MISTAKES]


def _pair_strips(result: RunResult, pair: ConfusedPair, limit: int) -> dict[str, Rows]:
    images = result.images
    is_true, is_other = images.true == pair.true, images.true == pair.predicted
    chosen = {
        "true_right": is_true & images.right,
        "mixed_up": is_true & (images.predicted == pair.predicted),
        "called_right": is_other & images.right,
    }
    return {name: _surest(result, rows)[:limit] for name, rows in chosen.items()}


def _surest(result: RunResult, chosen: npt.NDArray[np.bool_]) -> Rows:
    """Order images by how sure the head was; of each group one comes before any second one."""
    images = result.images
    rows = np.flatnonzero(chosen)
    sure = np.nan_to_num(images.confidence[rows], nan=-1.0)
    rows = rows[np.argsort(-sure, kind="stable")]
    if images.groups is not None:
        first = np.sort(np.unique(images.groups[rows], return_index=True)[1])
        rows = rows[np.concatenate([first, np.setdiff1d(np.arange(len(rows)), first)])]
    return [int(row) for row in rows]
