"""Judging whole families of heads, and blends of the best of each, on the same unseen rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from fishembed.classifiers.base import Floats
from fishembed.classifiers.candidates import Candidate, Part
from fishembed.classifiers.families import Family
from fishembed.classifiers.folds import Folds
from fishembed.classifiers.selection import Jury, Trial, Verdict

_MIXTURES = (0.3, 0.5, 0.7)


@dataclass(frozen=True)
class Judged:
    """A candidate, what was said of it, and the seconds it took."""

    candidate: Candidate
    verdict: Verdict
    seconds: float

    def trial(self, *, tied: bool, chosen: bool) -> Trial:
        """Put it as a line of the table."""
        scores = {**self.verdict.scores}
        scores.update({f"{name}_std": value for name, value in self.verdict.spreads.items()})
        return Trial(
            self.candidate.name,
            self.candidate.parameters,
            seconds=self.seconds,
            rows=len(self.verdict.hits),
            tied=tied,
            chosen=chosen,
            **scores,
        )


class Search:
    """Candidates of every family and of their blends, judged on the rows that folds test.

    Parameters
    ----------
    folds
        Rows, and which part tests which.
    jury
        Who judges; it knows the same rows.
    n_jobs
        Threads that work at once; what they find does not depend on their number.
    """

    def __init__(self, folds: Folds, jury: Jury, n_jobs: int | None) -> None:
        self.folds = folds
        self.jury = jury
        self.n_jobs = n_jobs
        self.tested = folds.tested
        self.log_priors = folds.log_priors()

    def families(self, families: Sequence[Family]) -> list[list[Judged]]:
        """Every member of each family with every share of the prior taken back."""
        shape = self.log_priors.shape
        unseen = [[np.empty(shape, np.float32) for _ in family.members] for family in families]
        tasks = [(f, k) for f in reversed(range(len(families))) for k in range(self.folds.n_folds)]
        seconds = np.zeros(len(families))
        done = self._together(self._fill, [(families[f], k, unseen[f]) for f, k in tasks])
        np.add.at(seconds, [f for f, _ in tasks], done)
        plain = [
            (
                Candidate((Part(family, parameters, logits, tau),), self.log_priors),
                float(seconds[f]) / len(family.members) / len(family.taus),
            )
            for f, family in enumerate(families)
            for parameters, logits in zip(family.members, unseen[f], strict=True)
            for tau in family.taus
        ]
        judged = iter(self._together(self._judge, plain))
        return [
            [next(judged) for _ in range(len(family.members) * len(family.taus))]
            for family in families
        ]

    def blends(self, tables: Sequence[Sequence[Judged]]) -> list[Judged]:
        """Mixtures of the best of each family; the last family's best at every correction."""
        everything: list[Judged] = []
        sofar = [self._best(tables[0])]
        for table in tables[1:]:
            taus = dict.fromkeys(judged.candidate.parts[0].tau for judged in table)
            partners = [
                self._best([judged for judged in table if judged.candidate.parts[0].tau == tau])
                for tau in taus
            ]
            made = [
                (left.blended(right, share), 0.0)
                for left in sofar
                for right in partners
                for share in _MIXTURES
            ]
            judged = self._together(self._judge, made)
            everything += judged
            sofar = [self._best(judged)]
        return everything

    def _best(self, table: Sequence[Judged]) -> Candidate:
        best, _ = self.jury.choose([judged.verdict for judged in table])
        return table[best].candidate.scaled(table[best].verdict.scale)

    def _judge(self, candidate: Candidate, seconds: float) -> Judged:
        began = time.perf_counter()
        verdict = self.jury.judge(candidate.by_class)
        return Judged(candidate, verdict, seconds + time.perf_counter() - began)

    def _fill(self, family: Family, k: int, unseen: Sequence[Floats]) -> float:
        """Write what every member says of the rows of fold `k` into its columns."""
        began = time.perf_counter()
        members = self.folds.asked(k)
        columns = (np.cumsum(self.tested) - 1)[members & self.tested]
        kept = self.tested[members]
        for logits, target in zip(family.unseen(self.folds, k), unseen, strict=True):
            target[:, columns] = logits[:, kept]
        return time.perf_counter() - began

    def _together(self, work: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
        parallel = Parallel(n_jobs=self.n_jobs, require="sharedmem")
        results: list[Any] = parallel(delayed(work)(*task) for task in tasks)
        return results
