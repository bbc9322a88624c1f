"""Probabilities of taxa as sums of their classes', and the deepest taxon that is sure enough."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Codes, Floats
from fishembed.evaluation.intervals import Interval, proportion_interval

ROOT = "any"


@dataclass(frozen=True)
class Taxonomy:
    """Classes and the taxa above them."""

    classes: tuple[str, ...]  # Names of the classes
    ranks: tuple[str, ...]  # Names of the ranks above the class, the narrowest first
    # For each rank, the taxon of each class; "" where it is not known, which makes the class a
    # taxon of its own there
    parents: tuple[tuple[str, ...], ...]

    @cached_property
    def levels(self) -> list[tuple[list[str], Codes]]:
        """Names of the taxa and each class's position among them; classes first, the root last.

        A taxon differs from others of its name by its parents.
        """
        n = len(self.classes)
        levels = [(list(self.classes), np.arange(n))]
        chains = [list(self.parents[r:]) for r in range(len(self.ranks))]
        for r in range(len(self.ranks)):
            keys = [
                tuple(column[c] for column in chains[r]) if self.parents[r][c] else (c,)
                for c in range(n)
            ]
            known = {key: i for i, key in enumerate(dict.fromkeys(keys))}
            place = np.array([known[key] for key in keys], np.intp)
            names = [""] * len(known)
            for c in range(n):
                names[place[c]] = self.parents[r][c] or self.classes[c]
            levels.append((names, place))
        levels.append(([ROOT], np.zeros(n, np.intp)))
        return levels

    def sums(self, probabilities: Floats, level: int) -> Floats:
        """Return the probability of every taxon of a level, (n, n_taxa): sums of its classes'."""
        names, place = self.levels[level]
        member = np.zeros((len(place), len(names)))
        member[np.arange(len(place)), place] = 1
        return np.asarray(probabilities @ member)

    def level_name(self, level: int) -> str:
        """Return the name of a level: class, a rank, or any."""
        return ("class", *self.ranks, ROOT)[level]

    def taxon_name(self, level: int, at: int) -> str:
        """Return a taxon's name as a prediction: "Lutjanus sp." for a genus."""
        name = self.levels[level][0][at]
        return f"{name} sp." if self.level_name(level) == "genus" else name

    def information(self, level: int) -> Floats:
        """Return the information of each taxon of a level, as a share of that of its class."""
        names, place = self.levels[level]
        members = np.bincount(place, minlength=len(names))
        return np.asarray(1 - np.log(members) / max(np.log(len(place)), 1e-12))


@dataclass(frozen=True, eq=False)
class RolledUp:
    """The deepest taxon of each row whose probability reaches the floor."""

    # level, taxon: (n,) its level, 0 for a class, and its position there
    level: Codes
    taxon: Codes
    probability: Floats  # (n,) the sum of its classes' probabilities


def roll_up(taxonomy: Taxonomy, probabilities: Floats, floor: float) -> RolledUp:
    """Predict each row at the deepest rank whose summed probability reaches the floor.

    Parameters
    ----------
    taxonomy
        Of the columns of `probabilities`.
    probabilities
        (n, n_classes).
    floor
        Probability that a prediction needs, between 0 and 1.

    References
    ----------
    Deng, Krause, Berg & Fei-Fei (2012). Hedging your bets: optimizing accuracy-specificity
    trade-offs in large scale visual recognition. CVPR.

    Examples
    --------
    >>> taxa = Taxonomy(("kasmira", "gibbus", "cod"), ("genus",), (("Lutjanus",) * 2 + ("",),))
    >>> found = roll_up(taxa, np.array([[0.5, 0.45, 0.05]]), 0.9)
    >>> taxa.taxon_name(found.level[0], found.taxon[0]), round(float(found.probability[0]), 2)
    ('Lutjanus sp.', 0.95)
    """
    n = len(probabilities)
    level = np.full(n, len(taxonomy.ranks) + 1)
    taxon, sure = np.zeros(n, np.intp), probabilities.sum(axis=1).astype(np.float64)
    for k in reversed(range(len(taxonomy.ranks) + 1)):
        sums = taxonomy.sums(probabilities, k)
        best = sums.argmax(axis=1)
        p = sums[np.arange(n), best]
        reached = p >= floor
        level[reached], taxon[reached], sure[reached] = k, best[reached], p[reached]
    return RolledUp(level, taxon, sure)


@dataclass(frozen=True)
class RankScore:
    """Accuracy at one rank: share of rows whose predicted taxon is that of their true class."""

    rank: str
    n_taxa: int
    accuracy: float
    accuracy_ci95: Interval


@dataclass(frozen=True)
class TaxonomyScores:
    """Scores of a classifier at each rank, and of predictions rolled up to a floor."""

    ranks: tuple[RankScore, ...]  # One for the class and each rank above
    # Wrong images by the narrowest rank that the true and the predicted class share; "farther"
    # where they share none
    mistakes: dict[str, int]
    # floor, precision, precision_ci95, information: Of predictions rolled up to this floor: the
    # share that is right, with its interval, and the share of a class's information they retain
    floor: float
    precision: float
    precision_ci95: Interval
    information: float
    answered_at: dict[str, int]  # Images predicted at each rank


def taxonomy_scores(
    taxonomy: Taxonomy,
    true: Codes,
    probabilities: Floats,
    floor: float = 0.9,
    groups: npt.ArrayLike | None = None,
) -> TaxonomyScores:
    """Score (n, n_classes) probabilities of rows with (n,) true classes at every rank."""
    predicted = probabilities.argmax(axis=1)
    top = len(taxonomy.ranks) + 1
    scores, shared = [], np.full(len(true), top)
    for k in reversed(range(top)):
        place = taxonomy.levels[k][1]
        same = place[true] == place[predicted]
        shared[same] = k
        scores.append(
            RankScore(
                taxonomy.level_name(k),
                len(taxonomy.levels[k][0]),
                float(same.mean()),
                proportion_interval(same, groups),
            )
        )
    rolled = roll_up(taxonomy, probabilities, floor)
    places = np.stack([place[true] for _, place in taxonomy.levels])
    right = places[rolled.level, np.arange(len(true))] == rolled.taxon
    by_level = [taxonomy.information(k) for k in range(top + 1)]
    information = [by_level[k][t] for k, t in zip(rolled.level, rolled.taxon, strict=True)]
    names = [taxonomy.level_name(k) for k in range(top + 1)]
    return TaxonomyScores(
        ranks=tuple(reversed(scores)),
        mistakes={
            ("farther" if k == top else f"same {names[k]}"): int((shared == k).sum())
            for k in range(1, top + 1)
        },
        floor=floor,
        precision=float(right.mean()),
        precision_ci95=proportion_interval(right, groups),
        information=float(np.mean(information)),
        answered_at={names[k]: int((rolled.level == k).sum()) for k in range(top + 1)},
    )
