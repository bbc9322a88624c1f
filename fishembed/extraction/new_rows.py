"""Rows of the new store: the dataset's, those whose image is gone, and edits applied again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import Progress
from fishembed._base.text import counted
from fishembed.cache import (
    AppliedHistory,
    Dropped,
    Edit,
    Rows,
    apply_history,
    column_of,
    missing_column,
    unknown_array,
)
from fishembed.errors import InputError, SourceError
from fishembed.extraction.encode_missing import ReadSamples
from fishembed.extraction.known_features import KnownFeatures
from fishembed.extraction.plan import Plan
from fishembed.extraction.previous_store import PreviousStore
from fishembed.images import Dataset, Sample

_MISSING = frozenset({"the file is missing", "its tar is missing"})
"""Skip reasons of images that are gone; with any other reason an image is only unreadable now."""


@dataclass(frozen=True)
class NewRows:
    """The rows of the new store.

    Attributes
    ----------
    rows, classes
        The rows, and the class names that their labels index.
    history, dropped
        Edits of the previous store that still hold, and the rows that they dropped.
    gone
        Rows of the previous store whose image has left the dataset.
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
    known: KnownFeatures,
    *,
    prune: bool,
    reporter: Progress,
) -> NewRows:
    """Return the rows of the new store, with the edits of the previous store applied again.

    With `prune`, rows whose image has left the dataset are removed. Messages to the reporter name
    what is retained from the previous store.

    Raises
    ------
    InputError
        When trunk features are wanted of an image that is gone.
    SourceError
        When the store would have no rows.
    """
    gone = plan.gone(read.digests, previous)
    broken = {path for path, reason in read.skipped if reason not in _MISSING}
    unread = {row for row in gone if previous.rows.path[row] in broken}
    retained = _retained_rows(sorted(unread if prune else gone), previous, known)
    gone = [row for row in gone if row not in unread]
    if unread:
        reporter.message(
            f"kept the rows of {counted(len(unread), 'image')} that cannot be read now, with the "
            f"features and labels that they had; the first: {previous.rows.path[min(unread)]!r}"
        )
    classes = sorted(set(dataset.classes) | previous.classes_of(retained) | previous.edited_classes)
    found = _rows(plan, read.digests, classes, previous, retained, known=known)
    rows, history, dropped, notes = _reapply_edits(found, classes, previous)
    if carried := _carried_columns(plan.samples, previous):
        reporter.message(
            f"kept metadata that only the store has: {', '.join(carried)}; another --store is "
            "without"
        )
    if not len(rows):
        raise _no_rows_error(dataset, plan, read)
    for message in notes:
        reporter.message(message)
    return NewRows(rows, classes, history, dropped, gone)


def _retained_rows(gone: list[int], previous: PreviousStore, known: KnownFeatures) -> list[int]:
    """Return the rows that stay in the store although their image is gone."""
    retained = [row for row in gone if previous.can_keep(row)]
    for row in retained:
        if previous.rows.digest[row] not in known:
            raise InputError(
                f"{previous.rows.path[row]!r} has left the dataset, so its trunk features cannot "
                "be made: give --prune, or another --store"
            )
    return retained


def _no_rows_error(dataset: Dataset, plan: Plan, read: ReadSamples) -> SourceError:
    """Return the error of a store without rows, with the first reason in its message."""
    dropped = [(sample.path, "dropped by 'fishembed fix'") for sample in plan.samples]
    path, reason = (*read.skipped, *dropped)[0]
    return SourceError(
        f"none of the {len(plan.samples):,} images of {str(dataset.root)!r} could be used; the "
        f"first: {path!r}: {reason}"
    )


def _rows(
    plan: Plan,
    digests: Sequence[str | None],
    classes: list[str],
    before: PreviousStore,
    retained: list[int],
    *,
    known: KnownFeatures,
) -> Rows:
    """Return the columns of the new store: the dataset's rows, then the retained ones."""
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
        box=_optional("box", samples),
        time=_optional("time", samples),
        hash=known.hashes(read),
        metadata={**_metadata(samples), **_carried(samples, read, before)},
    )
    return _followed_by(found, before, classes, retained) if retained else found


def _optional(name: str, samples: Sequence[Sample]) -> npt.NDArray[Any]:
    """Return the column `box` or `time`, which most datasets lack."""
    values, unknown = [getattr(sample, name) for sample in samples], unknown_array(name, 1)
    if all(value is None for value in values):
        return unknown_array(name, len(samples))
    return np.array([unknown[0] if one is None else one for one in values], unknown.dtype)


def _metadata(samples: Sequence[Sample]) -> dict[str, npt.NDArray[Any]]:
    names = dict.fromkeys(name for sample in samples for name in sample.metadata)
    return {
        name: column_of([sample.metadata.get(name, "") for sample in samples]) for name in names
    }


def _carried_columns(samples: Sequence[Sample], before: PreviousStore) -> list[str]:
    """Return the metadata columns of the previous store that the dataset lacks."""
    if not before.rows.metadata:
        return []
    known_now = {name for sample in samples for name in sample.metadata}
    return [name for name in before.rows.metadata if name not in known_now]


def _carried(
    samples: Sequence[Sample], digests: Sequence[str], before: PreviousStore
) -> dict[str, npt.NDArray[Any]]:
    """Return the metadata that only the previous store has: of --exif, or of a table since omitted.

    A row is found by its path, or, where an image has moved, by its bytes.
    """
    if not (names := _carried_columns(samples, before)):
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


def _followed_by(found: Rows, before: PreviousStore, classes: list[str], rows: list[int]) -> Rows:
    """Return rows followed by some rows of the previous store."""
    old = replace(before.rows.take(rows), label=before.labels_in(classes)[rows])
    return found.followed_by(old)


def _reapply_edits(
    rows: Rows, classes: list[str], before: PreviousStore
) -> tuple[Rows, tuple[Edit, ...], Dropped | None, list[str]]:
    """Apply the previous store's edits again; return rows, history, dropped rows and notes."""
    if before.store is None or not before.store.history:
        return rows, (), None, []
    names = [*classes, ""]
    values = {
        "label": [names[label] for label in rows.label],
        "split": rows.split,
        "group": rows.group,
    }
    out = before.store.dropped
    known = {*before.at, *(out.path if out else ())}
    new = {path for path in rows.path if path not in known}
    done = apply_history(rows.path, rows.digest, values, before.store.history, new=new)
    number = {name: i for i, name in enumerate(names[:-1])} | {"": -1}
    amended = replace(
        rows,
        label=np.array([number[name] for name in done.values["label"]], np.int32),
        split=done.values["split"],
        group=done.values["group"],
    )
    out_now = _moved(out, rows, done.dropped, new)
    left = [i for i in range(len(rows)) if i not in done.dropped]
    return amended.take(left), done.history, out_now, [*_notes(amended, done)]


def _notes(rows: Rows, done: AppliedHistory) -> Iterator[str]:
    if done.held or done.dropped:
        yield (
            f"kept what was edited in the store: {counted(done.held, 'cell')} (label, split, "
            f"group), {counted(len(done.dropped), 'image')} dropped; 'fishembed fix --undo' "
            "takes the last edit back"
        )
    if done.overruled:
        first = rows.path[done.overruled[0]]
        yield (
            f"the dataset says something new of {counted(len(done.overruled), 'edited image')}, "
            f"which is taken; the first: {first!r}"
        )
    unsplit = [path for path, split in zip(rows.path, rows.split, strict=True) if not split]
    if any(edit.verb == "split" for edit in done.history) and unsplit:
        yield (
            f"{counted(len(unsplit), 'image')} without a split, the first: {unsplit[0]!r}: "
            "'fishembed split' deals them too"
        )


def _moved(
    out: Dropped | None, rows: Rows, dropped: frozenset[int], new: set[str]
) -> Dropped | None:
    """Return the dropped rows with the current paths of their images."""
    if out is None:
        return None
    here = set(rows.path)
    arrived = {rows.digest[i]: rows.path[i] for i in dropped if rows.path[i] in new}
    paths = [
        path if path in here else arrived.get(digest, path)
        for path, digest in zip(out.path, out.digest, strict=True)
    ]
    return replace(out, path=paths)
