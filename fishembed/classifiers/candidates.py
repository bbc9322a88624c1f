"""A candidate head: scaled parts from the families, each less a share of the log prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats
from fishembed.classifiers.families import Family
from fishembed.classifiers.weights import Double, log_prior


@dataclass(frozen=True)
class Part:
    """One head of a family, and how much it counts.

    Attributes
    ----------
    family, parameters
        Which head.
    unseen
        float32 (n_classes, n_tested) logits it gave to rows it had not been shown.
    tau
        What the log prior is multiplied with before it is taken from the logits.
    share
        Of a blend: the shares of all its parts sum to 1.
    scale
        What the logits are multiplied with in the end: the share over the temperature.
    """

    family: Family
    parameters: Mapping[str, float]
    unseen: Floats = field(repr=False, compare=False)
    tau: float = 0.0
    share: float = 1.0
    scale: float = 1.0

    @property
    def told(self) -> dict[str, float]:
        """Parameters and correction, as people read them."""
        return {**self.parameters, **({"tau": self.tau} if self.tau else {})}


@dataclass(frozen=True)
class Candidate:
    """A linear map that can be fitted to all rows, and what it said of rows it had not seen.

    Attributes
    ----------
    parts
        What is added up.
    log_priors
        float32 (n_classes, n_tested) log shares of the classes in what each row's head learnt
        from.
    """

    parts: tuple[Part, ...]
    log_priors: Floats = field(repr=False, compare=False)

    @classmethod
    def untested(cls, family: Family, parameters: dict[str, float]) -> Candidate:
        """Take one member of a family where no row can be tested."""
        nothing = np.empty((0, 0), np.float32)
        return cls((Part(family, parameters, nothing),), nothing)

    @property
    def name(self) -> str:
        """The families that are added up."""
        return " + ".join(part.family.name for part in self.parts)

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of the parts; in a blend with the family's name before a dot."""
        if len(self.parts) == 1:
            return self.parts[0].told
        return {
            f"{part.family.name}.{name}": value
            for part in self.parts
            for name, value in {"share": round(part.share, 3), **part.told}.items()
        }

    @property
    def by_class(self) -> Floats:
        """float32 (n_classes, n_tested) logits of rows by heads that were not shown them."""
        tau = sum(part.scale * part.tau for part in self.parts)
        logits: Floats = np.float32(-tau) * self.log_priors
        for part in self.parts:
            logits += np.float32(part.scale) * part.unseen
        return logits

    def scaled(self, factor: float) -> Candidate:
        """Multiply the logits with `factor`."""
        parts = tuple(replace(part, scale=part.scale * factor) for part in self.parts)
        return replace(self, parts=parts)

    def blended(self, other: Candidate, share: float) -> Candidate:
        """Mix with `other`, which gets that share: a product of powers of probabilities."""
        weighted = ((self, 1 - share), (other, share))
        parts = tuple(
            replace(part, share=part.share * weight, scale=part.scale * weight)
            for candidate, weight in weighted
            for part in candidate.parts
        )
        return replace(self, parts=parts)

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int
    ) -> tuple[Double, Double]:
        """Learn weights (n_classes, dim) and bias (n_classes,) from all rows."""
        coef = np.zeros((n_classes, rows.shape[1]))
        intercept = np.zeros(n_classes)
        prior = log_prior(codes, n_classes)
        for part in self.parts:
            weights, bias = part.family.fit(rows, codes, n_classes, part.parameters)
            coef += part.scale * weights
            intercept += part.scale * (bias - part.tau * prior)
        return coef, intercept
