"""What the new store says of its pictures, besides their vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fishembed.cache import FeatureStore, Rows, StoreHead
from fishembed.extraction.before import Before
from fishembed.extraction.plan import Plan
from fishembed.images import Source


def store_classes(source: Source, before: Before, kept: list[int]) -> list[str]:
    """Name the classes of the source, of the rows that stay and of edits, sorted."""
    return sorted(set(source.classes) | before.classes_of(kept) | before.edited_classes)


def store_rows(
    plan: Plan,
    digests: Sequence[str | None],
    classes: list[str],
    before: Before,
    kept: list[int],
) -> Rows:
    """Put the columns of the new store together: the source's rows, then those kept.

    Parameters
    ----------
    plan
        The source's rows.
    digests
        Of each planned row, None for those that are skipped.
    classes
        Names of the classes, in the order that labels count.
    before, kept
        The store before, and which of its rows stay.
    """
    number: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
    number[None] = -1
    rows = [(r, d) for r, d in zip(plan.rows, digests, strict=True) if d is not None]
    found = Rows(
        path=[row.item.path for row, _ in rows],
        digest=[digest for _, digest in rows],
        size=np.array([row.size for row, _ in rows], np.int64),
        mtime_ns=np.array([row.mtime_ns for row, _ in rows], np.int64),
        label=np.array([number[row.item.label] for row, _ in rows], np.int32),
        split=[row.item.split for row, _ in rows],
        group=[row.item.group for row, _ in rows],
    )
    return _followed_by(found, before, classes, kept) if kept else found


def _followed_by(found: Rows, before: Before, classes: list[str], kept: list[int]) -> Rows:
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
    )


def says_the_same(store: FeatureStore, head: StoreHead, rows: Rows) -> bool:
    """Tell whether a store already says exactly this."""
    then = store.head
    texts, before = ({key: text.identity for key, text in one.text.items()} for one in (head, then))
    return (
        dict(then.encoder) == dict(head.encoder)
        and dict(then.source) == dict(head.source)
        and (then.classes, then.skipped) == (head.classes, head.skipped)
        and before == texts
        and then.history == head.history
        and _paths(then) == _paths(head)
        and all(
            np.array_equal(getattr(store.rows, name), getattr(rows, name))
            for name in rows.__dataclass_fields__
        )
    )


def _paths(head: StoreHead) -> list[str]:
    return [] if head.dropped is None else list(head.dropped.path)
