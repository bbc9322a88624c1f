"""Check for wrong labels: those that a head doubts which never saw the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import counted
from fishembed.audit.check import DECISION, AuditData, CheckResult, Table, register, row_cells
from fishembed.audit.checks.balance import FEW, shortlist
from fishembed.audit.checks.duplicates import Duplicates
from fishembed.audit.connected_rows import Indices, connected_groups
from fishembed.audit.page_parts import Block, Section, captioned, gallery
from fishembed.cache import FeatureStore
from fishembed.errors import MissingExtraError
from fishembed.reports.shared_page_parts import Tile
from fishembed.reports.wording import percent

LABEL_ERRORS_CSV = "label_errors.csv"
N_FOLDS = 5
_SHOWN = 40

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelIssue:
    """One label that is probably wrong."""

    row: int  # The image
    given: int  # Numbers of the classes
    likely: int
    p_given: float  # Out-of-fold probabilities of the two
    p_likely: float
    # Whether one of the two classes has fewer than ten images: then the head knows it badly
    few: bool


@dataclass(frozen=True)
class LabelIssues(CheckResult):
    """Which labels were judged, and which are suspicious."""

    found: tuple[LabelIssue, ...] = ()  # Most suspicious first
    judged: int = 0  # Rows that a head which was not shown them has judged
    agreed: float = math.nan  # Share of these that it calls what their label says
    unjudged: tuple[int, ...] = ()  # Numbers of the classes of which no row could be judged
    few: tuple[int, ...] = ()  # Numbers of the judged classes with fewer than ten images
    missing: str = ""  # Why no label could be judged, in a sentence; "" where they could

    def summary(self) -> dict[str, Any]:
        """Return the numbers of labels judged and suspicious."""
        return {
            "labels": {
                "judged": self.judged,
                "agreed": None if math.isnan(self.agreed) else self.agreed,
                "suspicious": len(self.found),
                "unjudged_classes": len(self.unjudged),
                "classes_with_few": len(self.few),
                "missing": self.missing,
            }
        }

    def sentences(self, classes: Sequence[str]) -> list[str]:
        """Return how many labels look wrong, and what to know before believing it."""
        if self.missing:
            return [f"labels: {self.missing}"]
        found = f"{len(self.found):,} of {self.judged:,} look wrong"
        if self.judged:
            found += f" (an unseen head agrees with {percent(self.agreed)}%)"
        return [f"labels: {line}" for line in (found, *self._warnings(classes))]

    def tables(self, store: FeatureStore) -> list[Table]:
        """Return the suspicious labels with the likely ones."""
        columns = ("path", "split", "label", "likely_label", "p_label", "p_likely", "few_images")
        rows = []
        for one in self.found:
            likely, few = store.classes[one.likely], "yes" if one.few else ""
            p_given, p_likely = round(one.p_given, 5), round(one.p_likely, 5)
            rows.append((*row_cells(store, one.row), likely, p_given, p_likely, few, "", likely))
        return [Table(LABEL_ERRORS_CSV, (*columns, *DECISION), rows)]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:
        """Show the most suspicious labels."""
        if self.missing:
            blocks = [Block("missing", self.missing)]
            return Section("labels", "Labels that look wrong", blocks, [], [])
        about = (
            "Each image was judged by a Gaussian head that was shown neither it nor what belongs "
            f"to it; it agrees with {'' if math.isnan(self.agreed) else percent(self.agreed)}% of "
            f"{self.judged:,} labels. Most suspicious first; a head that errs makes a right label "
            "look wrong, so look before you fix."
        )
        images = (
            captioned(
                store.paths[issue.row],
                ("labelled", classes[issue.given]),
                ("looks like", classes[issue.likely]),
                (f"{percent(issue.p_likely, 0)}% against {percent(issue.p_given, 0)}%", ""),
                ("few images of one of them" if issue.few else "", ""),
            )
            for issue in self.found[:_SHOWN]
        )
        blocks = [Block("text", about)]
        if warnings := self._warnings(classes):
            blocks.append(Block("warnings", warnings))
        blocks += gallery(images, len(self.found), LABEL_ERRORS_CSV, "None stands out.")
        headline = [f"{counted(len(self.found), 'label')} look wrong"] if self.found else []
        tile = Tile("Suspicious labels", f"{len(self.found):,}", f"of {self.judged:,} judged")
        return Section("labels", "Labels that look wrong", blocks, headline, [tile])

    def _warnings(self, classes: Sequence[str]) -> list[str]:
        warnings = []
        if self.unjudged:
            unjudged = [classes[i] for i in self.unjudged]
            warnings.append(
                f"{counted(len(unjudged), 'class', 'classes')} could not be judged, since one "
                "image, or one group, teaches nothing about the next: "
                f"{shortlist(unjudged)}."
            )
        if self.few:
            few = [classes[i] for i in self.few]
            warnings.append(
                f"{counted(len(few), 'class has', 'classes have')} fewer than ten images; what is "
                f"said of them is weak: {shortlist(few)}."
            )
        return warnings


@register("labels", position=30, needs=("duplicates",))
def check_labels(data: AuditData) -> LabelIssues:
    """Judge the store's labels."""
    store = data.store
    rows = np.flatnonzero(store.labels >= 0)
    if len(np.unique(store.labels[rows])) < 2:
        return LabelIssues(missing="Labels cannot be judged: the store has fewer than two classes.")
    groups = connected_groups(store.groups, data.result(Duplicates).group_of)[rows]
    try:
        issues = find_label_issues(
            store.embeddings(rows), store.labels[rows], groups, seed=data.seed
        )
    except MissingExtraError as error:
        return LabelIssues(missing=f"Labels were not judged: {error}.")
    return replace(
        issues, found=tuple(replace(issue, row=int(rows[issue.row])) for issue in issues.found)
    )


def find_label_issues(
    X: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int32],
    groups: Indices,
    *,
    seed: int = 0,
) -> LabelIssues:
    """Rank labels by how much a head that never saw the image doubts them.

    Rows of one group share a fold: a copy with the same wrong label would vouch for it. How
    many labels are wrong is estimated by confident learning, whose thresholds are each
    class's own mean confidence, so that a rare class, of which heads are less sure, is
    neither passed over nor flagged whole. That many with the lowest probability of the given
    label are listed: of cleanlab's rankings the one that put planted swaps on top (see
    docs/audit.md).

    Parameters
    ----------
    X
        float32 (n, dim) features of labelled rows.
    labels
        int32 (n,), numbers of classes.
    groups
        Integers (n,): rows of one number belong together.
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
    probabilities, tested = out_of_fold(X, codes, groups, seed=seed)
    judged = np.unique(codes[tested])
    few = np.bincount(codes) < FEW
    unjudged = tuple(int(c) for i, c in enumerate(names) if i not in judged)
    if len(judged) < 2:
        return LabelIssues(unjudged=tuple(map(int, names)))
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
    X: npt.NDArray[np.float32], codes: Indices, groups: Indices, *, seed: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return each row's probabilities by a Gaussian head that saw neither it nor its group.

    Parameters
    ----------
    X, codes, groups
        (n, dim) features, class of each row numbered from 0, and group of each row.
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
    folds = Folds.split(X, codes, n_classes, N_FOLDS, random=random, groups=groups)
    tested = folds.evaluated
    if tested.any() and n_classes > 1:
        logits = out_of_fold_logits(GaussianHead(), folds)
        probabilities[tested] = softmax(logits * best_scale(logits, codes[tested]), axis=0).T
    return probabilities, tested
