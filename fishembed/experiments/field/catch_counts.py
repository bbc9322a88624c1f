"""Count the images of each class in what was predicted, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.csv_files import CsvTable
from fishembed._base.folds import group_folds
from fishembed.errors import DataError, InputError
from fishembed.evaluation.corrected_counts import Counts, HeldOutRows, class_bias, corrected_counts
from fishembed.experiments.held_out import HeldOut

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class CatchCounts:
    """Images of each class.

    Attributes
    ----------
    names
        Of the classes, the most images first.
    called, expected, low, high
        Images called so, their corrected number, and the ends of its 95% interval.
    like_none
        Images left out because they are like none of the classes.
    checked
        Images whose class was looked up.
    """

    names: tuple[str, ...]
    called: tuple[int, ...]
    expected: tuple[float, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    like_none: int = 0
    checked: int = 0


def count_catch(
    paths: Sequence[str],
    logits: Floats,
    names: Sequence[str],
    kept: HeldOut | None,
    *,
    reasons: Sequence[str],
    checked: str | Path | None = None,
) -> CatchCounts:
    """Count images by class, from the head's probabilities and its errors on held-out images.

    Raises
    ------
    InputError
        When the run keeps no held-out images, or the table of checked ones does not fit.
    """
    if kept is None or not len(kept.logits):
        raise InputError("this run keeps no held-out images: --counts needs them; fit again")
    strange = np.array([reason.startswith("like none") for reason in reasons], bool)
    truth = np.full(len(logits), _NOT_CHECKED, np.int64)
    if checked is not None:
        truth = _checked(Path(checked), paths, names)
        strange &= truth == _NOT_CHECKED
        strange |= truth == _OTHER
    found = corrected_counts(
        logits[~strange].argmax(axis=1),
        logits[~strange] - kept.log_prior,
        held_out_rows(kept),
        truth[~strange],
    )
    order = np.argsort(-found.expected, kind="stable")
    shown = [c for c in order.tolist() if found.high[c] or found.called[c]]
    return _named(found, shown, names, int(strange.sum()), int((truth >= 0).sum()))


def held_out_rows(kept: HeldOut) -> HeldOutRows:
    """Return the held-out rows whose logits are kept, as counts are corrected with.

    The biases of classes are those that the other half of the rows has: with their own, catches
    drawn from these rows would be counted better than new ones.
    """
    codes, z = kept.codes[kept.logit_rows], kept.logits.astype(np.float32)
    groups = None if kept.grouped is None else kept.groups[kept.logit_rows]
    apart = group_folds(codes, np.arange(len(codes)) if groups is None else groups, 2, 0)
    corrected = z - kept.log_prior
    plain = z - kept.log_prior_of_tau
    for half in range(int(apart.max(initial=-1)) + 1):
        bias = class_bias(plain[apart != half], codes[apart != half])
        corrected[apart == half] = plain[apart == half] + bias
    return HeldOutRows(corrected.astype(np.float32), codes, groups)


_NOT_CHECKED, _OTHER = -1, -2


def _checked(table: Path, paths: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the class of each image by the table; -1 where it was not looked at, -2 for others."""
    rows = CsvTable(table)
    lower = {column.lower(): column for column in rows.columns}
    label = next((lower[c] for c in ("class", "label", "true", "species") if c in lower), None)
    if "path" not in lower or label is None:
        raise DataError(f"{str(table)!r} needs the columns path and class")
    place = {path: i for i, path in enumerate(paths)}
    code = {name: i for i, name in enumerate(names)}
    truth = np.full(len(paths), _NOT_CHECKED, np.int64)
    for line, row in rows:
        path, name = row[lower["path"]], row[label].strip()
        if not name:
            continue
        if path not in place:
            raise DataError(f"{str(table)!r}, row {line}: {path!r} is not among these images")
        truth[place[path]] = code.get(name, _OTHER)
    return truth


def _named(
    found: Counts, shown: Sequence[int], names: Sequence[str], like_none: int, checked: int
) -> CatchCounts:
    return CatchCounts(
        tuple(names[c] for c in shown),
        tuple(int(found.called[c]) for c in shown),
        tuple(float(found.expected[c]) for c in shown),
        tuple(int(found.low[c]) for c in shown),
        tuple(int(found.high[c]) for c in shown),
        like_none,
        checked,
    )
