"""The images of a page: pairs of classes taken for each other, and the surest mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.printable import printable
from fishembed._base.text import counted
from fishembed.errors import FishembedError
from fishembed.experiments.confusion_counts import ConfusedPair, largest_pairs
from fishembed.experiments.run_folder import Run
from fishembed.experiments.run_result import RunResult
from fishembed.images import Photos
from fishembed.reports.run_sentences import mixup_reason
from fishembed.reports.thumbnails import Thumbnail, thumbnails

_PAIRS = 12
_PER_STRIP = 3
_PAIRS_WITH_IMAGES = 8
_MISTAKES = 24
_OF_ONE_PAIR = 3


@dataclass(frozen=True)
class GalleryImage:
    """One scored image: where it lies, what it is, what it was called, how sure the head was."""

    path: str
    true: str
    called: str
    confidence: float
    right: bool
    thumbnail: Thumbnail | None = None

    @property
    def shown_path(self) -> str:
        """The path as it may be shown."""
        return printable(self.path)


Images = tuple[GalleryImage, ...]


@dataclass(frozen=True)
class PairGallery:
    """A confused pair in words and images."""

    true: str
    called: str
    count: int
    total: int
    reason: str
    true_right: Images
    mixed_up: Images
    called_right: Images

    @property
    def images(self) -> Images:
        """All images of the pair."""
        return (*self.true_right, *self.mixed_up, *self.called_right)


def run_galleries(run: Run, photos: str | Path | None) -> tuple[list[PairGallery], Images, str]:
    """Choose the images of a run's page and read their thumbnails.

    Parameters
    ----------
    run
        The run.
    photos
        Folder of the photos, or None for the one the store knows.

    Returns
    -------
    list of PairGallery, tuple of GalleryImage, str
        The largest mix-ups, the surest mistakes, and the sentence that says what is missing.
    """
    result = run.result
    pairs = [
        _pair_gallery(result, pair, _PER_STRIP if i < _PAIRS_WITH_IMAGES else 0)
        for i, pair in enumerate(largest_pairs(result.confusion, _PAIRS))
    ]
    mistakes = _surest_mistakes(result)
    found, missing = find_photos(run, photos)
    if found is None:
        return pairs, mistakes, missing
    wanted = [*(image for pair in pairs for image in pair.images), *mistakes]
    small = load_thumbnails(found, wanted)
    lost = len({image.path for image in wanted}) - len(small)
    if lost:
        missing = f"{counted(lost, 'picture')} could not be read in {printable(str(found))}."
    pairs = [
        replace(
            pair,
            true_right=with_thumbnails(pair.true_right, small),
            mixed_up=with_thumbnails(pair.mixed_up, small),
            called_right=with_thumbnails(pair.called_right, small),
        )
        for pair in pairs
    ]
    return pairs, with_thumbnails(mistakes, small), missing


def find_photos(run: Run, photos: str | Path | None) -> tuple[Photos | None, str]:
    """Find a run's photos.

    Returns
    -------
    Photos or None, str
        Where they are, or None and the sentence that says what is missing.
    """
    known = photos or (run.info.get("store") or {}).get("source_root")
    hint = "give their folder with --photos"
    if not known:
        return None, f"There are no pictures here: the store does not know its photos; {hint}."
    try:
        found = Photos(known)
    except FishembedError as error:
        return None, f"There are no pictures here: {printable(str(error))}."
    if not found.are_there():
        shown = printable(str(known))
        return None, f"There are no pictures here: no folder of photos at {shown}; {hint}."
    return found, ""


def load_thumbnails(photos: Photos, images: Iterable[GalleryImage]) -> dict[str, Thumbnail]:
    """Read the thumbnails of `images`, each file once."""
    return thumbnails(photos, dict.fromkeys(image.path for image in images))


def with_thumbnails(images: Sequence[GalleryImage], small: dict[str, Thumbnail]) -> Images:
    """Return `images` with their thumbnails, where there are any."""
    return tuple(replace(image, thumbnail=small.get(image.path)) for image in images)


def _surest_mistakes(result: RunResult) -> Images:
    """Choose the mistakes the head was surest of, at most three of one class for another."""
    taken: Counter[tuple[str, str]] = Counter()
    chosen: list[GalleryImage] = []
    for image in _surest(result, result.images.wrong, None):
        taken[image.true, image.called] += 1
        if taken[image.true, image.called] <= _OF_ONE_PAIR:
            chosen.append(image)
        if len(chosen) == _MISTAKES:
            break
    return tuple(chosen)


def _pair_gallery(result: RunResult, pair: ConfusedPair, limit: int) -> PairGallery:
    table, images = result.classes, result.images
    mixed_up = (images.true == pair.true) & (images.predicted == pair.predicted)
    return PairGallery(
        true=table.names[pair.true],
        called=table.names[pair.predicted],
        count=pair.count,
        total=pair.total,
        reason=mixup_reason(table, pair),
        true_right=_surest(result, (images.true == pair.true) & images.right, limit),
        mixed_up=_surest(result, mixed_up, limit),
        called_right=_surest(result, (images.true == pair.predicted) & images.right, limit),
    )


def _surest(result: RunResult, chosen: npt.NDArray[np.bool_], limit: int | None) -> Images:
    """Return the images the head was surest of; of each group one before any second one."""
    images, names = result.images, result.classes.names
    rows = np.flatnonzero(chosen)
    sure = np.nan_to_num(images.confidence[rows], nan=-1.0)
    rows = rows[np.argsort(-sure, kind="stable")]
    if images.groups is not None:
        first = np.sort(np.unique(images.groups[rows], return_index=True)[1])
        rows = rows[np.concatenate([first, np.setdiff1d(np.arange(len(rows)), first)])]
    return tuple(
        GalleryImage(
            path=images.paths[row],
            true=names[images.true[row]],
            called=names[images.predicted[row]],
            confidence=float(images.confidence[row]),
            right=bool(images.true[row] == images.predicted[row]),
        )
        for row in rows[:limit].tolist()
    )
