"""A candidate head: scaled parts from the families, summed, less a share of the log prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats
from fishembed.classifiers.families import Family
from fishembed.classifiers.weights import Double, log_prior


@dataclass(frozen=True)
class Part:
    """One head of a family and the factor on its logits."""

    family: Family
    parameters: Mapping[str, float]
    scale: float = 1.0

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value:g}" for name, value in self.parameters.items())
        return f"{self.family.name}({inside})"


@dataclass(frozen=True)
class Candidate:
    """A linear map that can be refitted, with the logits it gave to rows it had not seen.

    Attributes
    ----------
    parts
        What is added up.
    tau
        What the log prior is multiplied with before it is taken from the logits.
    by_class
        float32 (n_classes, n_tested) out-of-fold logits, all of the above applied.
    """

    parts: tuple[Part, ...]
    tau: float
    by_class: Floats = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Families and their parameters."""
        return " + ".join(str(part) for part in self.parts)

    @property
    def prior_correction(self) -> float:
        """Share of the log prior that is taken back from the logits of a logistic part."""
        own = [part.scale for part in self.parts if part.family.name == "logistic"]
        return self.tau / own[0] if own else self.tau

    def corrected(self, tau: float, log_priors: Floats) -> Candidate:
        """Take `tau` times the log prior, (n_classes, n_tested), from the logits."""
        if tau == 0:
            return self
        logits = self.by_class - np.float32(tau) * log_priors
        return Candidate(self.parts, self.tau + tau, logits)

    def scaled(self, factor: float) -> Candidate:
        """Multiply everything with `factor`."""
        parts = tuple(Part(p.family, p.parameters, p.scale * factor) for p in self.parts)
        return Candidate(parts, self.tau * factor, self.by_class * np.float32(factor))

    def plus(self, other: Candidate) -> Candidate:
        """Add the logits of two candidates: the product of their probabilities."""
        return Candidate(
            self.parts + other.parts, self.tau + other.tau, self.by_class + other.by_class
        )

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int
    ) -> tuple[Double, Double]:
        """Learn weights (n_classes, dim) and bias (n_classes,) from all rows."""
        coef = np.zeros((n_classes, rows.shape[1]))
        intercept = -self.tau * log_prior(codes, n_classes)
        for part in self.parts:
            weights, bias = part.family.fit(rows, codes, n_classes, part.parameters)
            coef += part.scale * weights
            intercept += part.scale * bias
        return coef, intercept
