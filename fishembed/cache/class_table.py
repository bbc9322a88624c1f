"""The classes of a store by split, as a short table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fishembed._base.short_table import ShortTable
from fishembed._base.splits import SPLITS
from fishembed._base.text import counted

_SHOWN = 8
"""Classes that are named; the others are one line."""


def class_table(
    title: str,
    classes: Sequence[str],
    labels: npt.NDArray[np.int32],
    splits: npt.NDArray[np.str_],
    groups: Sequence[str],
) -> ShortTable:
    """Count rows by class and split, the commonest classes first.

    Parameters
    ----------
    title
        The store in one line.
    classes
        (n_classes,) names.
    labels
        (n,) indices into `classes`, -1 for none.
    splits, groups
        (n,) names, "" for none.
    """
    n_groups = len(set(groups) - {""})
    there = [split for split in (*SPLITS, "") if (splits == split).any()]
    counts = np.array(
        [np.bincount(labels[splits == split] + 1, minlength=len(classes) + 1) for split in there]
    ).reshape(len(there), len(classes) + 1)
    order = 1 + np.argsort(-counts[:, 1:].sum(axis=0), kind="stable")
    rows = [[classes[i - 1], *(f"{n:,}" for n in counts[:, i])] for i in order[:_SHOWN].tolist()]
    if len(order) > _SHOWN:
        rest = counts[:, order[_SHOWN:]].sum(axis=1)
        rows.append([f"{len(order) - _SHOWN:,} more classes", *(f"{n:,}" for n in rest)])
    if counts[:, 0].any():
        rows.append(["(no class)", *(f"{n:,}" for n in counts[:, 0])])
    about = counted(len(classes), "class", "classes")
    about += f", {counted(n_groups, 'group')}" if n_groups else ""
    return ShortTable(f"{title}, {about}", ["class", *(s or "no split" for s in there)], rows)
