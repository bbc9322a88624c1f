"""The rows of the new store: those of the dataset, and those that stay without their image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import Progress
from fishembed._base.text import counted
from fishembed.cache import (
    Dropped,
    Edit,
    Rows,
    column_of,
    missing_column,
    stacked_metadata,
    take_metadata,
    unknown_array,
)
from fishembed.errors import InputError, SourceError
from fishembed.extraction.encode_missing import ReadSamples
from fishembed.extraction.known_features import KnownFeatures
from fishembed.extraction.plan import Plan
from fishembed.extraction.previous_store import PreviousStore
from fishembed.extraction.reapply_edits import reapply_edits
from fishembed.images import Dataset, Sample

_MISSING = frozenset({"the file is missing", "its tar is missing"})


@dataclass(frozen=True)
class NewRows:
    """The rows of the new store.

    Attributes
    ----------
    rows, classes
        The rows, and the names that their labels count.
    history, dropped
        What was edited in the store before and holds on.
    gone
        Rows of the store before whose image has left the dataset.
    """

    rows: Rows
    classes: list[str]
    history: tuple[Edit, ...]
    dropped: Dropped | None
    gone: list[int]


def new_rows(
    dataset: Dataset,
    plan: Plan,
    read: ReadSamples,
    previous: PreviousStore,
    *,
    known: KnownFeatures,
    prune: bool,
    reporter: Progress,
) -> NewRows:
    """Return the rows of the new store, with the edits of the store before made again.

    Parameters
    ----------
    dataset, plan, read
        The dataset, its rows and what came of reading them.
    previous, prune
        The store before, and whether rows whose image has left the dataset leave it.
    known
        Has the features and the perceptual hashes.
    reporter
        Receives what was kept.

    Raises
    ------
    InputError
        When features are wanted that only an image that is gone could give.
    SourceError
        When there would be no row.
    """
    gone = plan.gone(read.digests, previous)
    unread = _unreadable(gone, read, previous)
    gone = [row for row in gone if row not in unread]
    kept = _keepable(sorted(unread) if prune else sorted({*gone, *unread}), previous, known)
    if unread:
        reporter.message(_kept_sentence(unread, previous))
    classes = sorted(set(dataset.classes) | previous.classes_of(kept) | previous.edited_classes)
    found = _rows(plan, read.digests, classes, previous, kept, known=known)
    edited = reapply_edits(found, classes, previous)
    if carried := _carried_columns(plan.samples, previous):
        reporter.message(
            f"kept metadata that only the store has: {', '.join(carried)}; another --store is "
            "without"
        )
    _refuse_nothing(dataset, plan, read, edited.rows)
    for message in edited.notes:
        reporter.message(message)
    return NewRows(edited.rows, classes, edited.history, edited.dropped, gone)


def _keepable(gone: list[int], previous: PreviousStore, known: KnownFeatures) -> list[int]:
    """Return the rows that stay although the dataset has lost their image.

    Raises
    ------
    InputError
        When features are wanted that only the image could give.
    """
    kept = [row for row in gone if previous.can_keep(row)]
    for row in kept:
        if previous.rows is not None and previous.rows.digest[row] not in known:
            raise InputError(
                f"{previous.rows.path[row]!r} has left the dataset, so its trunk features cannot "
                "be made: give --prune, or another --store"
            )
    return kept


def _unreadable(gone: list[int], read: ReadSamples, previous: PreviousStore) -> set[int]:
    """Return the rows whose image is named by the dataset but cannot be read now."""
    broken = {path for path, reason in read.skipped if reason not in _MISSING}
    return {row for row in gone if previous.rows is not None and previous.rows.path[row] in broken}


def _kept_sentence(unread: set[int], previous: PreviousStore) -> str:
    first = "" if previous.rows is None else previous.rows.path[min(unread)]
    return (
        f"kept the rows of {counted(len(unread), 'image')} that cannot be read now, with the "
        f"features and labels that they had; the first: {first!r}"
    )


def _refuse_nothing(dataset: Dataset, plan: Plan, read: ReadSamples, rows: Rows) -> None:
    """Raise SourceError where a store would have no row; the first reason is in the message."""
    if len(rows):
        return
    dropped = [(sample.path, "dropped by 'fishembed fix'") for sample in plan.samples]
    path, reason = (*read.skipped, *dropped)[0]
    raise SourceError(
        f"none of the {len(plan.samples):,} images of {str(dataset.root)!r} could be used; the "
        f"first: {path!r}: {reason}"
    )


def _rows(
    plan: Plan,
    digests: Sequence[str | None],
    classes: list[str],
    before: PreviousStore,
    kept: list[int],
    *,
    known: KnownFeatures,
) -> Rows:
    """Put the columns of the new store together: the dataset's rows, then those kept."""
    number: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
    number[None] = -1
    used = [i for i, digest in enumerate(digests) if digest is not None]
    samples = [plan.samples[i] for i in used]
    read = [str(digests[i]) for i in used]
    found = Rows(
        path=[sample.path for sample in samples],
        digest=read,
        size=plan.size[used],
        mtime_ns=plan.mtime_ns[used],
        label=np.array([number[sample.label] for sample in samples], np.int32),
        split=[sample.split for sample in samples],
        group=[sample.group for sample in samples],
        box=_boxes(samples),
        time=_times(samples),
        hash=known.hashes(read),
        metadata={**_metadata(samples), **_carried(samples, read, before)},
    )
    return _followed_by(found, before, classes, kept) if kept else found


def _boxes(samples: Sequence[Sample]) -> npt.NDArray[np.float32]:
    if all(sample.box is None for sample in samples):
        return unknown_array("box", len(samples))
    none = (np.nan,) * 4
    return np.array([none if one.box is None else one.box for one in samples], np.float32)


def _times(samples: Sequence[Sample]) -> npt.NDArray[np.float64]:
    if all(sample.time is None for sample in samples):
        return unknown_array("time", len(samples))
    return np.array([np.nan if one.time is None else one.time for one in samples], np.float64)


def _metadata(samples: Sequence[Sample]) -> dict[str, npt.NDArray[Any]]:
    names = dict.fromkeys(name for sample in samples for name in sample.metadata)
    return {
        name: column_of([sample.metadata.get(name, "") for sample in samples]) for name in names
    }


def _carried_columns(samples: Sequence[Sample], before: PreviousStore) -> list[str]:
    """Return the metadata columns of the store before of which the dataset says nothing now."""
    if before.rows is None or not before.rows.metadata:
        return []
    known_now = {name for sample in samples for name in sample.metadata}
    return [name for name in before.rows.metadata if name not in known_now]


def _carried(
    samples: Sequence[Sample], digests: Sequence[str], before: PreviousStore
) -> dict[str, npt.NDArray[Any]]:
    """Return the metadata that only the store before has: of --exif, or of a table since left away.

    A row is known by its path, or, where an image has moved, by its bytes.
    """
    names = _carried_columns(samples, before)
    if before.rows is None or not names:
        return {}
    here = {sample.path for sample in samples}
    rows = np.full(len(samples), -1, np.intp)
    for i, (sample, digest) in enumerate(zip(samples, digests, strict=True)):
        row = before.at.get(sample.path)
        if row is None and (moved := before.by_digest.get(digest)) is not None:
            row = None if before.rows.path[moved] in here else moved
        rows[i] = -1 if row is None else row
    found = {}
    for name in names:
        column = before.rows.metadata[name]
        cells = missing_column(len(samples), like=column).astype(column.dtype)
        cells[rows >= 0] = column[rows[rows >= 0]]
        found[name] = cells
    return found


def _followed_by(found: Rows, before: PreviousStore, classes: list[str], kept: list[int]) -> Rows:
    old = before.rows
    if old is None:
        return found
    return Rows(
        path=[*found.path, *(old.path[i] for i in kept)],
        digest=[*found.digest, *(old.digest[i] for i in kept)],
        size=np.concatenate([found.size, old.size[kept]]),
        mtime_ns=np.concatenate([found.mtime_ns, old.mtime_ns[kept]]),
        label=np.concatenate([found.label, before.labels_in(classes)[kept]]),
        split=[*found.split, *(old.split[i] for i in kept)],
        group=[*found.group, *(old.group[i] for i in kept)],
        box=np.concatenate([found.box, old.box[kept]]),
        time=np.concatenate([found.time, old.time[kept]]),
        hash=np.concatenate([found.hash, old.hash[kept]]),
        metadata=stacked_metadata(
            [(len(found), found.metadata), (len(kept), take_metadata(old.metadata, kept))]
        ),
    )
