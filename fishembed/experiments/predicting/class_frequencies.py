"""Class frequencies: prior correction of probabilities, and counts of a catch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from fishembed._base.arrays import Array
from fishembed._base.csv_files import CsvTable
from fishembed._base.folds import group_folds
from fishembed._base.text import listed
from fishembed.errors import DataError, InputError
from fishembed.evaluation.corrected_counts import HeldOutRows, class_bias, corrected_counts
from fishembed.experiments.held_out import HeldOut
from fishembed.experiments.predicting.class_tables import read_prior
from fishembed.experiments.runs.run_info import Prior

_STEPS = 200
_NOT_CHECKED, _OTHER = -1, -2

ESTIMATE_SENTENCE = (
    "Probabilities assume the class frequencies that were estimated from these images. Measured, "
    "this changed macro recall by -13 to +1 points and made the log loss better or worse: a table "
    "of known frequencies is better."
)


@dataclass(frozen=True, eq=False)
class PriorShift:
    """Shift of the logits for another class prior, the shares it assumes, and a sentence."""

    logits: Array | None = None
    shares: Array | None = None
    sentence: str = ""


def prior_shift(
    prior: str | None,
    logits: Array,
    names: Sequence[str],
    held_out: HeldOut | None,
    assumed: Prior,
) -> PriorShift:
    """Return the shift of a head's logits to another class prior.

    Parameters
    ----------
    prior
        uniform, train, estimate, a table, or None for the head's own.
    logits, names
        (n, n_classes) of the images, for the estimate, and names of the classes.
    held_out, assumed
        Scores of held-out training images, from which follows the prior that the head assumes, and
        the prior recorded for it, where there are none.

    Raises
    ------
    InputError
        When the run has no class counts of its training images, or the table cannot be read.
    """
    if prior is None:
        return PriorShift()
    no_counts = "this run keeps no counts of its training images: --prior"
    if held_out is None and assumed != "uniform":
        raise InputError(f"{no_counts} {prior} needs them; fit again")
    own = np.zeros(len(names)) if held_out is None else held_out.log_prior
    if prior == "uniform":
        shares = np.full(len(names), 1 / len(names))
        sentence = "Probabilities assume that every class is as common as any other (--prior)."
    elif prior == "train":
        if held_out is None:
            raise InputError(f"{no_counts} needs them")
        shares = held_out.counts / held_out.counts.sum()
        sentence = "Probabilities assume that classes are as common as in training (--prior)."
    elif prior == "estimate":
        shares = estimate_prior(logits, own)
        sentence = ESTIMATE_SENTENCE
    else:
        shares, missing = read_prior(Path(prior), names)
        sentence = f"Probabilities assume the class frequencies of {prior}"
        sentence += f"; it lacks {listed(missing[:8])}." if missing else "."
    return PriorShift(np.log(np.maximum(shares, 1e-12)) - own, shares, sentence)


def estimate_prior(logits: Array, own_log_prior: Array) -> Array:
    """Estimate class shares of images, by expectation maximisation with one image of each added.

    References
    ----------
    Saerens, Latinne & Decaestecker (2002). Adjusting the outputs of a classifier to new a priori
    probabilities: a simple procedure. Neural Computation 14, 21-41; here as a posterior mode.
    """
    k = logits.shape[1]
    shares = np.full(k, 1 / k)
    for _ in range(_STEPS):
        before = shares
        p = softmax(logits - own_log_prior + np.log(shares), axis=1)
        shares = (p.sum(axis=0) + 1) / (len(p) + k)
        if np.abs(shares - before).max() < 1e-6:
            break
    return np.asarray(shares)


@dataclass(frozen=True)
class CatchCounts:
    """Images of each class, the most images first."""

    names: tuple[str, ...]
    called: tuple[int, ...]  # images predicted as it
    expected: tuple[float, ...]  # their corrected number
    low: tuple[int, ...]  # ends of its 95% interval
    high: tuple[int, ...]
    like_none: int = 0  # images left out because they are like none of the classes
    checked: int = 0  # images whose class a person checked

    def rows(self) -> Iterator[tuple[str, int, float, int, int]]:
        """Yield the columns class by class."""
        return zip(self.names, self.called, self.expected, self.low, self.high, strict=True)


def count_catch(
    paths: Sequence[str],
    logits: Array,
    names: Sequence[str],
    held_out: HeldOut | None,
    *,
    reasons: Sequence[str],
    checked: str | Path | None = None,
) -> CatchCounts:
    """Count images by class, from the head's probabilities and its errors on held-out images.

    Raises
    ------
    InputError
        When the run has no held-out scores, or the table of checked images does not fit.
    """
    if held_out is None or not len(held_out.logits):
        raise InputError("this run keeps no held-out images: --counts needs them; fit again")
    strange = np.array([reason.startswith("like none") for reason in reasons], bool)
    truth = np.full(len(logits), _NOT_CHECKED, np.int64)
    if checked is not None:
        truth = _read_checked(Path(checked), paths, names)
        strange &= truth == _NOT_CHECKED
        strange |= truth == _OTHER
    found = corrected_counts(
        logits[~strange].argmax(axis=1),
        logits[~strange] - held_out.log_prior,
        held_out_rows(held_out),
        truth[~strange],
    )
    order = np.argsort(-found.expected, kind="stable")
    shown = order[(found.high[order] > 0) | (found.called[order] > 0)]
    return CatchCounts(
        names=tuple(names[c] for c in shown),
        called=tuple(found.called[shown].tolist()),
        expected=tuple(found.expected[shown].tolist()),
        low=tuple(found.low[shown].tolist()),
        high=tuple(found.high[shown].tolist()),
        like_none=int(strange.sum()),
        checked=int((truth >= 0).sum()),
    )


def held_out_rows(held_out: HeldOut) -> HeldOutRows:
    """Return the held-out rows with stored logits, by which counts are corrected.

    Class biases are fitted on the other half of the rows: with their own, catches drawn from these
    rows would be counted better than new ones.
    """
    codes, z = held_out.codes[held_out.logit_rows], held_out.logits.astype(np.float32)
    groups = None if held_out.grouped is None else held_out.groups[held_out.logit_rows]
    apart = group_folds(codes, np.arange(len(codes)) if groups is None else groups, 2, 0)
    corrected = z - held_out.log_prior
    plain = z - held_out.log_prior_of_tau
    for half in range(int(apart.max(initial=-1)) + 1):
        bias = class_bias(plain[apart != half], codes[apart != half])
        corrected[apart == half] = plain[apart == half] + bias
    return HeldOutRows(corrected.astype(np.float32), codes, groups)


def _read_checked(table: Path, paths: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return each image's class by the table; -1 where it is not listed, -2 for other classes."""
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
