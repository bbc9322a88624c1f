"""What the new store says of its images, besides their features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache import (
    Rows,
    column_of,
    missing_column,
    stacked_metadata,
    take_metadata,
    unknown_array,
)
from fishembed.extraction.known_features import KnownFeatures
from fishembed.extraction.plan import Plan
from fishembed.extraction.previous_store import PreviousStore
from fishembed.images import Dataset, Sample


def store_classes(source: Dataset, before: PreviousStore, kept: list[int]) -> list[str]:
    """Name the classes of the dataset, of the rows that stay and of edits, sorted."""
    return sorted(set(source.classes) | before.classes_of(kept) | before.edited_classes)


def store_rows(
    plan: Plan,
    digests: Sequence[str | None],
    classes: list[str],
    before: PreviousStore,
    kept: list[int],
    *,
    known: KnownFeatures,
) -> Rows:
    """Put the columns of the new store together: the dataset's rows, then those kept.

    Parameters
    ----------
    plan
        The dataset's rows.
    digests
        Of each planned row, None for those that are skipped.
    classes
        Names of the classes, in the order that labels count.
    before, kept
        The store before, and which of its rows stay.
    known
        Has the perceptual hashes.
    """
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


def carried_columns(samples: Sequence[Sample], before: PreviousStore) -> list[str]:
    """Return the metadata columns of the store before of which the dataset says nothing now."""
    if before.rows is None or not before.rows.metadata:
        return []
    said = {name for sample in samples for name in sample.metadata}
    return [name for name in before.rows.metadata if name not in said]


def _carried(
    samples: Sequence[Sample], digests: Sequence[str], before: PreviousStore
) -> dict[str, npt.NDArray[Any]]:
    """Return the metadata that only the store before has: of --exif, or of a table since left away.

    A row is known by its path, or, where an image has moved, by its bytes.
    """
    names = carried_columns(samples, before)
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
