"""Predictions of images: classes and probabilities, and the columns that people read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fishembed._base.text import counted, listed
from fishembed.evaluation.taxonomy import ROOT
from fishembed.experiments.predicting.class_frequencies import CatchCounts
from fishembed.experiments.predicting.prepared_run import Neighbour
from fishembed.experiments.runs.run_info import PRIOR_SENTENCES, Prior

PEOPLE_COLUMNS = ("file", "species", "sure %", "second guess", "look at it?", "problem")

UNKNOWN = "none of these"
"""Name of an image that is like none of the classes."""

UNDECIDED = "undecided"
"""Name of an image where no taxon at any rank is sure enough."""

SURE = 0.8
"""Probability below which a person should check an image."""

MARGIN = 0.2
"""Least distance from the second guess."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one image.

    Attributes
    ----------
    path
        As it was named, or as the store names it.
    classes, probabilities
        The most probable classes, best first, and how sure the head is of each, between 0 and 1.
    evidence
        The nearest training images, nearest first; empty unless asked for.
    unknown, reason
        Whether the image is sent back, and why; "" where it is not.
    set
        Classes that hold the truth with the probability asked for; None where none was.
    outside
        Probability of classes that are not on the list; None without a list.
    taxon
        Rank, name and probability of the deepest taxon that is sure enough; None unless asked for.
    pool, paths
        The value that the images were pooled by, and all of them; the first is `path`.
    """

    path: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    evidence: tuple[Neighbour, ...] = ()
    unknown: bool = False
    reason: str = ""
    set: tuple[str, ...] | None = None
    outside: float | None = None
    taxon: tuple[str, str, float] | None = None
    pool: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Predictions:
    """Predictions of all images.

    Attributes
    ----------
    predictions
        Of those that could be read.
    skipped
        (path, reason) of the others.
    assumed_prior
        Class prior that the probabilities assume: uniform, training or partly uniform.
    prior_sentence
        The prior that was asked for, in words; "" where none was.
    not_known
        Listed classes that the head has not learnt.
    counts
        Images of each class, corrected; None unless asked for.
    notes
        Sentences to know before the predictions are used.
    left_out
        (path, reason) of files in the folders that seem to be images and are not read.
    """

    predictions: tuple[Prediction, ...]
    skipped: tuple[tuple[str, str], ...]
    assumed_prior: Prior = "training"
    prior_sentence: str = ""
    not_known: tuple[str, ...] = ()
    counts: CatchCounts | None = None
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def sentences(self) -> list[str]:
        """Return sentences on the prior, on listed classes not learnt, on unknown images."""
        sentences = [self.prior_sentence or PRIOR_SENTENCES[self.assumed_prior]]
        if self.not_known:
            few = listed([*self.not_known[:8], *(["…"] if len(self.not_known) > 8 else [])])
            n = counted(len(self.not_known), "listed class", "listed classes")
            sentences.append(f"The head has not learnt {n}, and cannot name them: {few}.")
        if sent_back := [one.reason for one in self.predictions if one.unknown]:
            like_none, undecided = (
                sum(reason.startswith(begin) for reason in sent_back)
                for begin in ("like none", "undecided")
            )
            of = counted(len(self.predictions), "answer")
            sentences.append(
                f"Unknown: {len(sent_back):,} of {of}, {like_none:,} like none of the classes, "
                f"{undecided:,} undecided between two."
            )
        return [*sentences, *self.notes]


class PeopleRow(NamedTuple):
    """One image, as a person reads it."""

    file: str
    species: str
    sure: float | None
    second: str
    look: str
    problem: str


def people_rows(predictions: Predictions) -> Iterator[PeopleRow]:
    """Yield a row for each image, those that could not be read at the end with their problem."""
    for one in predictions.predictions:
        sure = round(100 * sureness(one), 1)
        yield PeopleRow(one.path, species(one), sure, second_guess(one), look_at_it(one), "")
    for path, reason in predictions.skipped:
        yield PeopleRow(path, "", None, "", "yes", reason)


def species(one: Prediction) -> str:
    """Return the name of an image: `UNKNOWN`, its taxon, or its most probable class.

    `UNDECIDED` where taxa were asked for and only all of them together are sure enough.
    """
    if one.unknown:
        return UNKNOWN
    if one.taxon is None:
        return one.classes[0]
    rank, name, _ = one.taxon
    return UNDECIDED if rank == ROOT else name


def is_higher_taxon(one: Prediction) -> bool:
    """Return whether an image's name is a taxon above its most probable class."""
    return species(one) not in (UNKNOWN, UNDECIDED, one.classes[0])


def sureness(one: Prediction) -> float:
    """Return the probability of an image's name; of its first class where it has none."""
    if one.taxon is None or not is_higher_taxon(one):
        return one.probabilities[0]
    return one.taxon[2]


def second_guess(one: Prediction) -> str:
    """Return the next most probable class; the first where that is not the image's name."""
    if species(one) != one.classes[0]:
        return one.classes[0]
    return one.classes[1] if len(one.classes) > 1 else ""


def doubt(one: Prediction) -> tuple[bool, bool, float]:
    """Return a sort key by doubt: whether like no class, whether to be checked, probability."""
    return one.unknown, bool(look_at_it(one)), 1 - one.probabilities[0]


def look_at_it(one: Prediction) -> str:
    """Return "yes" where a person should check an image, else ""."""
    second = one.probabilities[1] if len(one.probabilities) > 1 else 0.0
    unsure = one.probabilities[0] < SURE or one.probabilities[0] - second < MARGIN
    return "yes" if unsure or species(one) in (UNKNOWN, UNDECIDED) else ""
