"""Candidate models from grids and their weighted sum, scored on the same held-out rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from fishembed._base.arrays import Codes, Floats
from fishembed._base.progress import tracked
from fishembed.classifiers.base import log_prior
from fishembed.classifiers.cross_validation import Folds
from fishembed.classifiers.head_function import FittedMap
from fishembed.classifiers.model_choice.model_grids import FINE, ModelGrid, TrainingRows
from fishembed.classifiers.model_choice.model_selection import (
    CandidateScorer,
    CandidateScores,
    Trial,
)
from fishembed.classifiers.model_choice.stacking import stack

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class WeightedModel:
    """One grid point of a candidate, and its weight."""

    # grid, parameters: The model
    grid: ModelGrid
    parameters: Mapping[str, float]
    # float32 (n_classes, n_evaluated) logits of rows it was not trained on
    logits: Floats = field(repr=False, compare=False)
    tau: float = 0.0  # Share of the log prior that is subtracted from the logits
    share: float = 1.0  # Weight in a sum: the shares of all its parts sum to 1
    scale: float = 1.0  # Factor on the logits in the end: the weight over the temperature

    @property
    def settings(self) -> dict[str, float]:
        """Hyperparameters, and `tau` where the prior is corrected for."""
        return {**self.parameters, **({"tau": self.tau} if self.tau else {})}


@dataclass(frozen=True)
class Candidate:
    """A model that can be fitted to all rows, and its logits of held-out rows."""

    parts: tuple[WeightedModel, ...]  # Grid points whose logits are added up
    # float32 (n_classes, n_evaluated) log shares of the classes that each fold trains on
    log_priors: Floats = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name of the grid, or that it is a sum of several models."""
        return self.parts[0].grid.name if len(self.parts) == 1 else ENSEMBLE

    @property
    def parameters(self) -> dict[str, float]:
        """Settings of one part; of a sum `tau`, and the share and settings of every grid.

        The latter stand after the grid's name and a dot; where a grid has several parts, `models`
        is their number.
        """
        if len(self.parts) == 1:
            return self.parts[0].settings
        values: dict[str, float] = {"tau": round(self._tau, 2)}
        for name, parts in self._by_grid.items():
            values[f"{name}.share"] = round(sum(part.share for part in parts), 3)
            own = {"models": len(parts)} if len(parts) > 1 else parts[0].parameters
            values |= {f"{name}.{key}": value for key, value in own.items()}
        return values

    @property
    def _by_grid(self) -> dict[str, list[WeightedModel]]:
        parts: dict[str, list[WeightedModel]] = {}
        for part in self.parts:
            parts.setdefault(part.grid.name, []).append(part)
        return parts

    @property
    def _tau(self) -> float:
        return sum(part.scale * part.tau for part in self.parts)

    @property
    def logits(self) -> Floats:
        """float32 (n_classes, n_evaluated) logits of rows by models not trained on them."""
        logits: Floats = np.float32(-self._tau) * self.log_priors
        for part in self.parts:
            logits += np.float32(part.scale) * part.logits
        return logits

    def scaled(self, factor: float) -> Candidate:
        """Return the candidate with its logits multiplied by `factor`."""
        parts = tuple(replace(part, scale=part.scale * factor) for part in self.parts)
        return replace(self, parts=parts)

    @property
    def leans_on_text(self) -> bool:
        """Whether a part of the candidate has text features."""
        return any(part.grid.text is not None for part in self.parts)

    def without_logits(self) -> Candidate:
        """Return the candidate without its logits of held-out rows: it can still be fitted."""
        nothing = np.empty((0, 0), np.float32)
        return Candidate(tuple(replace(part, logits=nothing) for part in self.parts), nothing)

    def of_classes(self, classes: Codes) -> Candidate:
        """Return the candidate for some of the classes, without text features of the others."""
        parts = (
            part
            if part.grid.text is None
            else replace(part, grid=replace(part.grid, text=part.grid.text[classes]))
            for part in self.parts
        )
        return replace(self, parts=tuple(parts))

    def fit(self, rows: Floats, codes: Codes, n_classes: int, tol: float = FINE) -> FittedMap:
        """Return the sum of the parts' models, each fitted to all rows."""
        total: list[FittedMap] = []
        training = TrainingRows(rows, codes, n_classes)
        for parts in self._by_grid.values():
            points = [part.parameters for part in parts]
            fitted = parts[0].grid.fit(training, points, tol)
            total += [
                one.astype(np.float64).scaled(part.scale)
                for one, part in zip(fitted, parts, strict=True)
            ]
        return reduce(FittedMap.plus, total).shifted(-self._tau * log_prior(codes, n_classes))


@dataclass(frozen=True)
class ScoredCandidate:
    """A candidate, its scores, and the seconds both took."""

    candidate: Candidate
    scores: CandidateScores
    seconds: float

    def trial(self, *, tied: bool, chosen: bool) -> Trial:
        """Return the candidate as a line of the results table."""
        stds = {f"{name}_std": value for name, value in self.scores.stds.items()}
        return Trial(
            self.candidate.name,
            self.candidate.parameters,
            seconds=self.seconds,
            rows=len(self.scores.hits),
            tied=tied,
            chosen=chosen,
            **self.scores.means,
            **stds,
        )


class ModelSearch:
    """Score every point of some grids, and their best weighted sum, on held-out rows.

    In `n_jobs` threads; the results do not depend on their number.
    """

    def __init__(self, folds: Folds, scorer: CandidateScorer, n_jobs: int | None) -> None:
        self.folds = folds
        self.scorer = scorer
        self.n_jobs = n_jobs
        self.log_priors = folds.log_priors()
        self._training = [
            TrainingRows(folds.rows, folds.codes, folds.n_classes, folds.fold != k)
            for k in range(folds.n_folds)
        ]

    def grids(self, grids: Sequence[ModelGrid]) -> list[list[ScoredCandidate]]:
        """Score every point of each grid with every share of the prior subtracted."""
        shape = self.log_priors.shape
        logits = [[np.empty(shape, np.float32) for _ in grid.points] for grid in grids]
        tasks = [(g, k) for g in reversed(range(len(grids))) for k in range(self.folds.n_folds)]
        seconds = np.zeros(len(grids))
        times = self._parallel(self._fill, [(grids[g], k, logits[g]) for g, k in tasks])
        np.add.at(seconds, [g for g, _ in tasks], times)
        candidates = [
            (
                Candidate((WeightedModel(grid, parameters, of_point, tau),), self.log_priors),
                float(seconds[g]) / len(grid.points) / len(grid.taus),
            )
            for g, grid in enumerate(grids)
            for parameters, of_point in zip(grid.points, logits[g], strict=True)
            for tau in grid.taus
        ]
        scored = iter(self._parallel(self._score, candidates))
        return [[next(scored) for _ in range(len(g.points) * len(g.taus))] for g in grids]

    def sum(self, parts: Sequence[WeightedModel]) -> ScoredCandidate:
        """Score the sum of some models, after computing their logits of held-out rows."""
        tables = self.grids([part.grid.at(part.parameters) for part in parts])
        found = tuple(
            replace(part, logits=scored.candidate.parts[0].logits)
            for part, [scored] in zip(parts, tables, strict=True)
        )
        seconds = sum(scored.seconds for [scored] in tables)
        return self._score(Candidate(found, self.log_priors), seconds)

    def ensemble(self, everything: Sequence[ScoredCandidate]) -> ScoredCandidate | None:
        """Weigh all single models together, and score their sum; None where none has a weight."""
        began = time.perf_counter()
        best: dict[tuple[Any, ...], ScoredCandidate] = {}
        for scored in everything:
            part = scored.candidate.parts[0]
            point = (part.grid.name, *part.parameters.values())
            least = best.setdefault(point, scored).scores.means["log_loss"]
            if scored.scores.means["log_loss"] < least:
                best[point] = scored
        models = [one.candidate.scaled(one.scores.scale).parts[0] for one in best.values()]
        found = stack(
            [model.logits for model in models],
            [model.scale for model in models],
            self.log_priors,
            self.scorer.codes,
            self.scorer.loss_weights,
        )
        if found is None:
            return None
        weights = found.models.tolist()
        scales = [model.scale * weight for model, weight in zip(models, weights, strict=True)]
        tau = found.tau / sum(scales)
        weighed = tuple(
            replace(model, tau=tau, share=weight / sum(weights), scale=scale)
            for model, weight, scale in zip(models, weights, scales, strict=True)
            if weight
        )
        candidate = Candidate(weighed, self.log_priors)
        return self._score(candidate, time.perf_counter() - began)

    def _score(self, candidate: Candidate, seconds: float) -> ScoredCandidate:
        began = time.perf_counter()
        scores = self.scorer.score(candidate.logits)
        return ScoredCandidate(candidate, scores, seconds + time.perf_counter() - began)

    def _fill(self, grid: ModelGrid, k: int, logits: Sequence[Floats]) -> float:
        """Write every point's logits of the rows of fold `k` into their columns."""
        began = time.perf_counter()
        at = self.folds.held_out(k)
        columns = (np.cumsum(self.folds.evaluated) - 1)[at]
        found = grid.held_out_logits(self._training[k], self.folds.rows[at])
        for of_point, target in zip(found, logits, strict=True):
            target[:, columns] = of_point
        return time.perf_counter() - began

    def _parallel(self, work: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
        calls = [delayed(work)(*task) for task in tasks]
        parallel = Parallel(n_jobs=self.n_jobs, require="sharedmem", return_as="generator")
        return list(tracked(parallel(calls), len(calls), "comparing candidates"))
