"""The contract of a check: from a store to a result that tables, console and page can show.

A check is one file in `checks/`: a function that is registered, and the result it returns.
Nothing else has to be edited for a new one.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, Literal, NamedTuple, TypeVar

from fishembed._base.progress import Progress, Stopwatch
from fishembed.audit.run_scores import RunRows
from fishembed.cache import FeatureStore
from fishembed.evaluation.near_duplicates import Threshold
from fishembed.images import ImageFiles

DECISION = ("action", "new_label")
"""Columns of a table for the person who reviews it; `fishembed fix` reads them."""


@dataclass(frozen=True)
class Table:
    """Rows for a CSV file; tables of one name are joined in the order of the checks."""

    file: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]

    @classmethod
    def to_review(
        cls,
        file: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        new_labels: Iterable[str] = repeat(""),
    ) -> Table:
        """Return a table with an empty cell for the decision of the person who reviews it."""
        cells = ((*row, "", label) for row, label in zip(rows, new_labels, strict=False))
        return cls(file, (*columns, *DECISION), cells)

    @staticmethod
    def cells(store: FeatureStore, row: int) -> tuple[str, str, str]:
        """Return a row's path, split and label as cells of a table, "" for none."""
        label = int(store.labels[row])
        named = store.classes[label] if label >= 0 else ""
        return store.paths[row], str(store.splits[row]), named


class Line(NamedTuple):
    """A line below an image: a fixed text, a name, and a fixed text behind it."""

    before: str
    name: str = ""
    after: str = ""


class CaptionedImage(NamedTuple):
    """An image's path in the store, lines below it, its label, and classes it may be."""

    path: str
    lines: tuple[Line, ...]
    label: str = ""
    guesses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """One element of a section."""

    # What `content` is. "text", "note" (small print), "missing" (what could not be done),
    # "heading" and "command": a sentence or line. "warnings": sentences. "gallery": images.
    # "pairs": pairs of images. "folded": blocks that open on demand.
    # "scores": tiles with intervals. "counts": headings, and rows of (class, length of its
    # bar as a share, counts), where None stands for a 0 that should not be one
    kind: Literal[
        "text", "note", "missing", "heading", "command", "warnings", "gallery", "pairs", "folded",
        "scores", "counts",
    ]  # fmt: skip
    content: Any  # What is shown
    heading: Any = ""  # A line above a gallery or fold; (text, name, text) above scores

    @staticmethod
    def image(
        store: FeatureStore, row: int, *lines: tuple[str, ...], guesses: Sequence[str] = ()
    ) -> CaptionedImage:
        """Return a row's image with those lines that are not empty."""
        path, _, label = Table.cells(store, row)
        shown = tuple(Line(*line) for line in lines if any(line))
        return CaptionedImage(path, shown, label, tuple(guesses))

    @classmethod
    def command(cls, *words: str) -> Block:
        """Return a command line, quoted for a shell."""
        return cls("command", shlex.join(["fishembed", *words]))

    @classmethod
    def gallery(
        cls, images: Iterable[CaptionedImage], n_found: int, table: str, none: str
    ) -> list[Block]:
        """Return a gallery and the number of images only in the table; without images `none`."""
        shown = list(images)
        if not shown:
            return [cls("note", none)]
        return [cls("gallery", shown), *cls.more_in(table, n_found - len(shown))]

    @classmethod
    def more_in(cls, table: str, n: int, what: str = "more") -> list[Block]:
        """Return a note on the number that only a table has; nothing where all are shown."""
        return [cls("note", f"{n:,} {what} are in {table}.")] if n > 0 else []


@dataclass(frozen=True)
class Action:
    """One thing to do about the data, listed on top of the page.

    `urgency` orders them, least first.
    """

    words: str
    urgency: int


@dataclass(frozen=True)
class Section:
    """One check's part of the page; parts with the same anchor are joined to one section."""

    anchor: str  # The section's id and heading
    title: str
    blocks: list[Block]  # What follows below
    actions: list[Action]  # What to do about it


def images_in(blocks: Iterable[Block]) -> Iterator[CaptionedImage]:
    """Yield all images that blocks show."""
    for block in blocks:
        if block.kind == "gallery":
            yield from block.content
        elif block.kind == "pairs":
            yield from chain.from_iterable(block.content)
        elif block.kind == "folded":
            yield from images_in(block.content)


class CheckResult(ABC):
    """The result of a check, with its tables, its console lines and its part of the page."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Return entries of `audit.json`: numbers and names, no rows."""

    @abstractmethod
    def sentences(self, classes: Sequence[str]) -> list[str]:
        """Return lines for the console; `classes` are the names to show for class numbers."""

    @abstractmethod
    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:
        """Return the check's part of the page; `classes[-1]` stands for rows without a label."""

    def tables(self, store: FeatureStore) -> list[Table]:  # noqa: ARG002 - for subclasses
        """Return the tables with the rows that were found."""
        return []


Result = TypeVar("Result", bound=CheckResult)


@dataclass(frozen=True)
class AuditData:
    """The input of all checks, and the results of those that have run."""

    store: FeatureStore
    threshold: Threshold
    run: RunRows | None  # The run whose score is also computed without leaking images
    images: ImageFiles | None  # The store's images; None where they are not read
    images_missing: str  # Why `images` is None, in a sentence
    seed: int
    progress: Progress
    watch: Stopwatch
    results: dict[str, CheckResult] = field(default_factory=dict)

    def result(self, kind: type[Result]) -> Result:
        """Return the result of a check that is among this one's `needs`."""
        return next(found for found in self.results.values() if isinstance(found, kind))


class Check(NamedTuple):
    """A registered check: see `register`."""

    find: Callable[[AuditData], CheckResult]
    position: int
    needs: tuple[str, ...]
    timed_as: str


CHECKS: dict[str, Check] = {}
"""All checks by name; filled by `register` when `fishembed.audit.checks` is imported."""

Find = TypeVar("Find", bound=Callable[[AuditData], CheckResult])


def register(
    name: str, *, position: int, needs: tuple[str, ...] = (), timed_as: str = ""
) -> Callable[[Find], Find]:
    """Register the decorated function as a check.

    Parameters
    ----------
    name
        Key of its result in `Audit.results`.
    position
        Of its section on the page.
    needs
        Names of the checks whose results it reads.
    timed_as
        Key of its time in `audit.json`; `name` when left out.
    """

    def add(find: Find) -> Find:
        CHECKS[name] = Check(find, position, needs, timed_as or name)
        return find

    return add


def on_page() -> list[str]:
    """Return the names of all checks in the order of the page."""
    return sorted(CHECKS, key=lambda name: CHECKS[name].position)


def run_checks(data: AuditData) -> None:
    """Run all checks; store results and times in `data`, those first that others need."""

    def run(name: str) -> None:
        check = CHECKS[name]
        for needed in check.needs:
            run(needed)
        if name not in data.results:
            with data.watch.measure(check.timed_as):
                data.results[name] = check.find(data)

    for name in on_page():
        run(name)
