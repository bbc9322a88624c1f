"""Check for wrong labels: those that contradict a head that was not trained on the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, Indices
from fishembed._base.text import counted
from fishembed.audit.check import Action, AuditData, Block, CheckResult, Section, Table, register
from fishembed.audit.checks.balance import FEW, shortlist
from fishembed.audit.checks.duplicates import Duplicates
from fishembed.audit.similar_rows import connected_groups
from fishembed.cache import FeatureStore
from fishembed.evaluation import fit_label_noise
from fishembed.reports.wording import percent

LABEL_ERRORS_CSV = "label_errors.csv"
LABEL_RANKING_CSV = "label_ranking.csv"
N_FOLDS = 5
_MOST_PROBABILITIES = 30_000_000
"""Rows times classes that are judged at once: some 50 bytes each."""
_SHOWN = 40
_URGENCY = 20
_ANSWER = (
    "Open a photo and say whether its label is right, by key; then download the decisions, at the "
    "end of this page, and:"
)


class LabelIssue(NamedTuple):
    """One label and how likely it is wrong, by a head that was not trained on the image."""

    row: int
    given: int  # Numbers of the classes
    likely: int
    p_given: float  # Out-of-fold probabilities of the two
    p_likely: float
    p_wrong: float  # Probability that the label is wrong, see `fit_label_noise`


@dataclass(frozen=True)
class LabelIssues(CheckResult):
    """Labels that were judged, and those that are suspicious."""

    ranked: tuple[LabelIssue, ...] = ()  # All that were judged, most suspicious first
    agreed: float = math.nan  # Share of these whose label the head predicts
    noise: float = 0.0  # Estimated share of wrong labels
    unjudged: tuple[int, ...] = ()  # Numbers of the classes of which no row could be judged
    few: tuple[int, ...] = ()  # Numbers of the judged classes with fewer than ten images
    missing: str = ""  # Why no label could be judged, in a sentence; "" where they could

    @property
    def judged(self) -> int:
        """Number of labels judged by a head that was not trained on the image."""
        return len(self.ranked)

    @cached_property
    def found(self) -> list[LabelIssue]:
        """Labels that are more probably wrong than right, most suspicious first."""
        return [one for one in self.ranked if one.p_wrong > 0.5 and one.likely != one.given]

    def is_weak(self, issue: LabelIssue) -> bool:
        """Return whether one of the two classes has fewer than ten images."""
        return issue.given in self.few or issue.likely in self.few

    def summary(self) -> dict[str, Any]:
        """Return the numbers of labels judged and suspicious."""
        return {
            "labels": {
                "judged": self.judged,
                "agreed": None if math.isnan(self.agreed) else self.agreed,
                "suspicious": len(self.found),
                "noise": self.noise,
                "unjudged_classes": len(self.unjudged),
                "classes_with_few": len(self.few),
                "missing": self.missing,
            }
        }

    def sentences(self, classes: Sequence[str]) -> list[str]:
        """Return the number of labels that are probably wrong, and the limits of that estimate."""
        if self.missing:
            return [f"labels: {self.missing}"]
        found = f"{len(self.found):,} of {self.judged:,} look wrong"
        if self.judged:
            found += f" (an unseen head agrees with {percent(self.agreed)}%)"
        return [f"labels: {line}" for line in (found, *self._warnings(classes))]

    def tables(self, store: FeatureStore) -> list[Table]:
        """Return the suspicious labels with the likely ones, and the ranking of all."""
        columns = ("path", "split", "label", "likely_label", "p_label", "p_likely")
        errors = ((*_cells(store, one), "yes" if self.is_weak(one) else "") for one in self.found)
        likely = [store.classes[one.likely] for one in self.found]
        ranking = ((*_cells(store, one), round(one.p_wrong, 5)) for one in self.ranked)
        return [
            Table.to_review(LABEL_ERRORS_CSV, (*columns, "few_images"), errors, likely),
            Table.to_review(LABEL_RANKING_CSV, (*columns, "p_wrong"), ranking),
        ]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:
        """Show the most suspicious labels."""
        title = "Labels that look wrong"
        if self.missing:
            return Section("labels", title, [Block("missing", self.missing)], [])
        agreed = "" if math.isnan(self.agreed) else percent(self.agreed)
        about = (
            "Each photo was judged by a Gaussian classifier that was shown neither it nor what "
            f"belongs to it; it agrees with {agreed}% of {self.judged:,} labels. Most suspicious "
            "first; a classifier that errs makes a right label look wrong, so look before you fix."
        )
        images = (
            Block.image(
                store,
                issue.row,
                ("labelled", classes[issue.given], f" ({percent(issue.p_given, 0)}%)"),
                ("likely", classes[issue.likely], f" ({percent(issue.p_likely, 0)}%)"),
                ("few photos of one of them" if self.is_weak(issue) else "", ""),
                guesses=[store.classes[issue.likely]],
            )
            for issue in self.found[:_SHOWN]
        )
        blocks = [Block("text", about)]
        if warnings := self._warnings(classes):
            blocks.append(Block("warnings", warnings))
        blocks += Block.gallery(images, len(self.found), LABEL_ERRORS_CSV, "None stands out.")
        if self.found:
            blocks += [
                Block("text", _ANSWER),
                Block.command("fix", str(store.path), "decisions.csv"),
            ]
        ranking = f"All labels, most suspicious first, are in {LABEL_RANKING_CSV}."
        blocks.append(Block("note", ranking))
        words = f"check {counted(len(self.found), 'label')}"
        return Section("labels", title, blocks, [Action(words, _URGENCY)] if self.found else [])

    def _warnings(self, classes: Sequence[str]) -> list[str]:
        unjudged, few = ([classes[i] for i in some] for some in (self.unjudged, self.few))
        warnings = []
        if unjudged:
            warnings.append(
                f"{counted(len(unjudged), 'species', 'species')} could not be judged, since one "
                f"photo, or one group, teaches nothing about the next: {shortlist(unjudged)}."
            )
        if few:
            warnings.append(
                f"{counted(len(few), 'species has', 'species have')} fewer than ten photos; what "
                f"is found for them is weak: {shortlist(few)}."
            )
        return warnings


@register("labels", position=20, needs=("duplicates",))
def check_labels(data: AuditData) -> LabelIssues:
    """Judge the store's labels."""
    store = data.store
    rows = np.flatnonzero(store.labels >= 0)
    if len(np.unique(store.labels[rows])) < 2:
        return LabelIssues(missing="Labels cannot be judged: the store has fewer than two classes.")
    if len(rows) * len(store.classes) > _MOST_PROBABILITIES:
        return LabelIssues(
            missing=f"Labels were not judged: {len(rows):,} photos of {len(store.classes):,} "
            "species would fill the memory. Audit a store of fewer."
        )
    groups = connected_groups(store.groups, data.result(Duplicates).group_of)[rows]
    found = find_label_issues(store.embeddings(rows), store.labels[rows], groups, seed=data.seed)
    return replace(
        found, ranked=tuple(one._replace(row=int(rows[one.row])) for one in found.ranked)
    )


def _cells(store: FeatureStore, one: LabelIssue) -> tuple[object, ...]:
    likely = store.classes[one.likely]
    return *Table.cells(store, one.row), likely, round(one.p_given, 5), round(one.p_likely, 5)


def find_label_issues(
    X: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], groups: Indices, *, seed: int = 0
) -> LabelIssues:
    """Rank labels by how likely they are wrong, judged by a head not trained on the image.

    Rows of one group share a fold: a copy with the same wrong label would confirm it. A head
    errs too; `fit_label_noise` separates its errors from wrong labels. Labels that are wrong with a
    probability above one half are listed, and all that were judged are ranked.

    `X` is float32 (n, dim), `labels` int32 (n,) numbers of classes, `groups` integers (n,).
    """
    names, codes = np.unique(labels, return_inverse=True)
    probabilities, tested = out_of_fold(X, codes, groups, seed=seed)
    judged = np.unique(codes[tested])
    few = np.bincount(codes) < FEW
    if len(judged) < 2:
        return LabelIssues(unjudged=tuple(map(int, names)))
    y = np.searchsorted(judged, codes[tested])
    p = probabilities[np.ix_(tested, judged)]
    noise = fit_label_noise(y, p / p.sum(axis=1, keepdims=True))
    p = p**noise.scale
    p /= p.sum(axis=1, keepdims=True)
    at, likely = names[judged], p.argmax(axis=1)
    columns = (
        np.flatnonzero(tested),
        at[y],
        at[likely],
        noise.p_given,
        p.max(axis=1),
        noise.posterior,
    )
    order = np.argsort(noise.p_given, kind="stable")
    return LabelIssues(
        ranked=tuple(map(LabelIssue, *(column[order].tolist() for column in columns))),
        agreed=float((likely == y).mean()),
        unjudged=tuple(int(c) for i, c in enumerate(names) if i not in judged),
        few=tuple(int(names[i]) for i in judged if few[i]),
        noise=noise.rate,
    )


def out_of_fold(
    X: npt.NDArray[np.float32], codes: Indices, groups: Indices, *, seed: int
) -> tuple[Double, npt.NDArray[np.bool_]]:
    """Return each row's probabilities by a Gaussian head trained without it and its group.

    float64 (n, n_classes), calibrated by one temperature on these rows, and bool (n,): the rows
    for which this could be done, since some row of their class was left to learn from. `codes`
    are the rows' classes numbered from 0.
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
