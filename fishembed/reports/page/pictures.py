"""The pictures of a report: pairs of classes taken for each other, and the surest mistakes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed.errors import FishembedError
from fishembed.images import Photos
from fishembed.reports.confusion import ConfusedPair
from fishembed.reports.names import printable
from fishembed.reports.outcome import ClassTable, Outcome
from fishembed.reports.page.thumbnails import Thumbnail, thumbnails
from fishembed.reports.run import Run
from fishembed.reports.sentences import reason

_PER_STRIP = 3
_PAIRS_WITH_PICTURES = 8
_MISTAKES = 24
_OF_ONE_PAIR = 3


@dataclass(frozen=True)
class Picture:
    """One scored image: where it lies, what it is, what it was called, how sure the head was."""

    path: str
    shown_path: str
    true: str
    called: str
    confidence: float
    right: bool
    thumbnail: Thumbnail | None = None


@dataclass(frozen=True)
class PairView:
    """A confused pair in words and pictures."""

    true: str
    called: str
    count: int
    total: int
    reason: str
    true_right: tuple[Picture, ...]
    mixed_up: tuple[Picture, ...]
    called_right: tuple[Picture, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures of the pair."""
        return (*self.true_right, *self.mixed_up, *self.called_right)


def pair_views(outcome: Outcome, pairs: list[ConfusedPair]) -> list[PairView]:
    """Put pairs into words, and choose pictures for the first of them."""
    return [
        _pair_view(outcome, pair, _PER_STRIP if i < _PAIRS_WITH_PICTURES else 0)
        for i, pair in enumerate(pairs)
    ]


def surest_mistakes(outcome: Outcome) -> list[Picture]:
    """Choose the mistakes the head was surest of, at most three of one class for another."""
    taken: Counter[tuple[str, str]] = Counter()
    chosen: list[Picture] = []
    for picture in _surest(outcome, outcome.predictions.wrong, None):
        pair = (picture.true, picture.called)
        taken[pair] += 1
        if taken[pair] <= _OF_ONE_PAIR:
            chosen.append(picture)
        if len(chosen) == _MISTAKES:
            break
    return chosen


def photos_of(run: Run, photos: str | Path | None) -> tuple[Photos | None, str]:
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


def load_pictures(photos: Photos, pictures: list[Picture]) -> dict[str, Thumbnail]:
    """Read the thumbnails of `pictures`, each file once."""
    return thumbnails(photos, dict.fromkeys(picture.path for picture in pictures))


def with_thumbnails(
    pictures: tuple[Picture, ...] | list[Picture], small: dict[str, Thumbnail]
) -> tuple[Picture, ...]:
    """Give `pictures` their thumbnails, where there are any."""
    return tuple(replace(picture, thumbnail=small.get(picture.path)) for picture in pictures)


def pair_with_thumbnails(pair: PairView, small: dict[str, Thumbnail]) -> PairView:
    """Give a pair's pictures their thumbnails."""
    return replace(
        pair,
        true_right=with_thumbnails(pair.true_right, small),
        mixed_up=with_thumbnails(pair.mixed_up, small),
        called_right=with_thumbnails(pair.called_right, small),
    )


def _pair_view(outcome: Outcome, pair: ConfusedPair, limit: int) -> PairView:
    table, predictions = outcome.classes, outcome.predictions
    is_true, is_called = predictions.true == pair.true, predictions.called == pair.called
    other = predictions.true == pair.called
    return PairView(
        true=table.names[pair.true],
        called=table.names[pair.called],
        count=pair.count,
        total=pair.total,
        reason=_reason(table, pair),
        true_right=tuple(_surest(outcome, is_true & predictions.right, limit)),
        mixed_up=tuple(_surest(outcome, is_true & is_called, limit)),
        called_right=tuple(_surest(outcome, other & predictions.right, limit)),
    )


def _reason(table: ClassTable, pair: ConfusedPair) -> str:
    return reason(table.names[pair.called], table.n_train[pair.true], table.n_train[pair.called])


def _surest(outcome: Outcome, chosen: npt.NDArray[np.bool_], limit: int | None) -> list[Picture]:
    """Give the images the head was surest of; of each group the surest before any second one."""
    rows = np.flatnonzero(chosen)
    sure = np.nan_to_num(outcome.predictions.confidence[rows], nan=-1.0)
    rows = rows[np.argsort(-sure, kind="stable")]
    groups = outcome.predictions.groups
    if groups is not None:
        first = np.sort(np.unique(groups[rows], return_index=True)[1])
        rows = rows[np.concatenate([first, np.setdiff1d(np.arange(len(rows)), first)])]
    return [_picture(outcome, int(i)) for i in rows[:limit]]


def _picture(outcome: Outcome, row: int) -> Picture:
    predictions, names = outcome.predictions, outcome.classes.names
    return Picture(
        path=predictions.paths[row],
        shown_path=printable(predictions.paths[row]),
        true=names[predictions.true[row]],
        called=names[predictions.called[row]],
        confidence=float(predictions.confidence[row]),
        right=bool(predictions.right[row]),
    )
