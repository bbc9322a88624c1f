"""Labels that a head which never saw the picture doubts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fishembed.audit.balance import FEW
from fishembed.audit.search import Indices
from fishembed.errors import MissingExtraError

N_FOLDS = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelIssue:
    """One label that is probably wrong.

    Attributes
    ----------
    row
        The picture.
    given, likely
        Numbers of the classes.
    p_given, p_likely
        Out-of-fold probabilities of the two.
    few
        Whether one of the two classes has fewer than ten images: then the head knows it badly.
    """

    row: int
    given: int
    likely: int
    p_given: float
    p_likely: float
    few: bool


@dataclass(frozen=True)
class LabelIssues:
    """What was judged, and what is suspicious.

    Attributes
    ----------
    found
        Most suspicious first.
    judged
        Rows that a head which was not shown them has judged.
    agreed
        Share of these that it calls what their label says.
    unjudged
        Numbers of the classes of which no row could be judged.
    few
        Numbers of the judged classes with fewer than ten images.
    """

    found: tuple[LabelIssue, ...]
    judged: int
    agreed: float
    unjudged: tuple[int, ...]
    few: tuple[int, ...]

    def at(self, rows: Indices) -> LabelIssues:
        """Give the same with the row numbers of the store that `rows` were taken from."""
        return replace(self, found=tuple(replace(i, row=int(rows[i.row])) for i in self.found))


def find_label_issues(
    X: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int32],
    units: Indices,
    *,
    seed: int = 0,
) -> LabelIssues:
    """Rank labels by how much a head that never saw the picture doubts them.

    Rows of one unit share a fold: a copy with the same wrong label would vouch for it. How
    many labels are wrong is estimated by confident learning, whose thresholds are each
    class's own mean confidence, so that a rare class, of which heads are less sure, is
    neither passed over nor flagged whole. That many with the lowest probability of the given
    label are listed: of cleanlab's rankings the one that put planted swaps on top (see
    docs/audit.md).

    Parameters
    ----------
    X
        float32 (n, dim) vectors of labelled rows.
    labels
        int32 (n,), numbers of classes.
    units
        Integers (n,): rows that belong together.
    seed
        Of the folds.

    Raises
    ------
    MissingExtraError
        When cleanlab is not installed.

    References
    ----------
    Northcutt, Jiang & Chuang (2021). Confident learning: estimating uncertainty in dataset
    labels. JAIR 70, eq. 2 for the thresholds; the cleanlab package.
    """
    try:
        from cleanlab import filter as confident
    except ImportError as error:
        raise MissingExtraError("looking for wrong labels", "cleanlab", "audit") from error
    names, codes = np.unique(labels, return_inverse=True)
    probabilities, tested = out_of_fold(X, codes, units, seed=seed)
    judged = np.unique(codes[tested])
    few = np.bincount(codes) < FEW
    unjudged = tuple(int(c) for i, c in enumerate(names) if i not in judged)
    if len(judged) < 2:
        return LabelIssues((), 0, float("nan"), tuple(map(int, names)), ())
    y = np.searchsorted(judged, codes[tested])
    p = probabilities[np.ix_(tested, judged)]
    p /= p.sum(axis=1, keepdims=True)
    bad = confident.find_label_issues(y, p, filter_by="low_self_confidence", n_jobs=1)
    p_given = p[np.arange(len(y)), y]
    at, rows = names[judged], np.flatnonzero(tested)
    likely = p.argmax(axis=1)
    suspicious = np.flatnonzero(bad & (likely != y))
    found = [
        LabelIssue(
            row=int(rows[i]),
            given=int(at[y[i]]),
            likely=int(at[likely[i]]),
            p_given=float(p_given[i]),
            p_likely=float(p[i, likely[i]]),
            few=bool(few[judged[y[i]]] or few[judged[likely[i]]]),
        )
        for i in suspicious[np.argsort(p_given[suspicious], kind="stable")]
    ]
    return LabelIssues(
        found=tuple(found),
        judged=len(y),
        agreed=float((likely == y).mean()),
        unjudged=unjudged,
        few=tuple(int(names[i]) for i in judged if few[i]),
    )


def out_of_fold(
    X: npt.NDArray[np.float32], codes: Indices, units: Indices, *, seed: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Give each row's probabilities by a Gaussian head that was shown neither it nor its unit.

    Parameters
    ----------
    X, codes, units
        (n, dim) vectors, class of each row counted from 0, and what belongs together.
    seed
        Of the folds.

    Returns
    -------
    float64 (n, n_classes)
        Calibrated by one temperature on these rows.
    bool (n,)
        Rows for which this could be done: some row of their class was left to learn from.
    """
    from scipy.special import softmax
    from sklearn.utils import check_random_state

    from fishembed.classifiers import GaussianHead
    from fishembed.classifiers.cross_validation import Folds, out_of_fold_logits
    from fishembed.classifiers.temperature import best_scale

    n_classes = int(codes.max()) + 1
    probabilities = np.zeros((len(X), n_classes))
    random = check_random_state(seed)
    folds = Folds.split(X, codes, n_classes, N_FOLDS, random=random, groups=units)
    tested = folds.evaluated
    if tested.any() and n_classes > 1:
        logits = out_of_fold_logits(GaussianHead(), folds)
        probabilities[tested] = softmax(logits * best_scale(logits, codes[tested]), axis=0).T
    return probabilities, tested
