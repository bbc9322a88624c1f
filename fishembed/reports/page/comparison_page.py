"""The page of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.files import write_text
from fishembed._base.printable import printable
from fishembed._base.text import counted
from fishembed.experiments.comparison import Comparison, Difference
from fishembed.reports.page.galleries import (
    GalleryImage,
    Images,
    find_photos,
    load_thumbnails,
    with_thumbnails,
)
from fishembed.reports.page.report_tables import score_tiles
from fishembed.reports.run_sentences import intervals_note
from fishembed.reports.shared_page_parts import fill
from fishembed.reports.text_tables import p_value_text, points
from fishembed.reports.wording import split_images

_IMAGES = 18
_BARS_UP_TO = 60


@dataclass(frozen=True)
class ClassGain:
    """How one class's recall changed, and its images."""

    name: str
    gain: float
    before: int
    after: int
    n: int


@dataclass(frozen=True)
class Section:
    """One run against the first: its sentence, classes that changed, and images that did."""

    name: str
    verdict: str
    difference: Difference
    accuracy: str
    macro_recall: str
    gains: tuple[ClassGain, ...]
    gained: Images
    lost: Images


def write_comparison(
    comparison: Comparison,
    *,
    output: str | Path | None = None,
    photos: str | Path | None = None,
) -> Path:
    """Write a comparison of runs as a page.

    Parameters
    ----------
    comparison
        What `compare_runs` returned.
    output
        Where to write; `compare-<first>-<second>….html` beside the first run when left out.
    photos
        Folder of the photos; the one the first run's store knows when left out.

    Returns
    -------
    Path
        The page.
    """
    first = comparison.runs[0]
    name = "-".join(["compare", *(run.name for run in comparison.runs)])
    page = Path(output) if output else first.folder.parent / f"{name}.html"
    context = _context(comparison, photos)
    write_text(page, fill("compare.html", context, scripts=("page.js",)))
    return page


def difference_sentence(name: str, first: str, n: int, what: str, d: Difference) -> str:
    """Say in one sentence what a run changes."""
    low, high = d.accuracy_ci95
    if low <= 0 <= high:
        finding = f"{name} and {first} cannot be told apart"
    else:
        finding = f"{name} is {'better' if d.accuracy > 0 else 'worse'} than {first}"
    chance = f"McNemar's p {p_value_text(d.p_value)}"
    return (
        f"{finding}: {points(d.accuracy, d.accuracy_ci95)} points of accuracy on {n:,} {what}; "
        f"{counted(d.gained, 'image')} gained, {d.lost:,} lost ({chance})."
    )


def _context(comparison: Comparison, photos: str | Path | None) -> dict[str, Any]:
    first = comparison.runs[0]
    what = split_images(first.metrics.get("scored_split", ""))
    sections = [_section(comparison, i, what) for i in range(1, len(comparison.runs))]
    found, missing = find_photos(first, photos)
    if found is not None:
        small = load_thumbnails(found, [p for s in sections for p in (*s.gained, *s.lost)])
        sections = [
            replace(
                section,
                gained=with_thumbnails(section.gained, small),
                lost=with_thumbnails(section.lost, small),
            )
            for section in sections
        ]
    return {
        "headline": max(sections, key=lambda section: section.difference.accuracy).verdict,
        "name": " · ".join(printable(run.name) for run in comparison.runs),
        "first": printable(first.name),
        "scores": [(printable(run.name), score_tiles(run.metrics)) for run in comparison.runs],
        "sections": sections,
        "missing_pictures": missing,
        "intervals": intervals_note(comparison.n_groups),
        "data": {},
    }


def _section(comparison: Comparison, i: int, what: str) -> Section:
    name, first = (printable(comparison.runs[j].name) for j in (i, 0))
    difference = comparison.differences[i - 1]
    before, after = comparison.right[0], comparison.right[i]
    n = len(comparison.paths)
    return Section(
        name=name,
        verdict=difference_sentence(name, first, n, what, difference),
        difference=difference,
        accuracy=points(difference.accuracy, difference.accuracy_ci95),
        macro_recall=points(difference.macro_recall, difference.macro_recall_ci95),
        gains=_gains(comparison, i),
        gained=_changed(comparison, i, after & ~before),
        lost=_changed(comparison, i, before & ~after),
    )


def _gains(comparison: Comparison, i: int) -> tuple[ClassGain, ...]:
    """Return the classes that changed, largest gain first; with many only the two ends."""
    gains = comparison.differences[i - 1].class_gains
    k = len(comparison.classes)
    n = np.bincount(comparison.true, minlength=k)
    right = [np.bincount(comparison.true[comparison.right[j]], minlength=k) for j in (0, i)]
    order = [int(c) for c in np.argsort(-gains, kind="stable") if right[0][c] != right[1][c]]
    if len(order) > _BARS_UP_TO:
        order = order[: _BARS_UP_TO // 2] + order[-_BARS_UP_TO // 2 :]
    return tuple(
        ClassGain(
            name=comparison.classes[c],
            gain=float(gains[c]),
            before=int(right[0][c]),
            after=int(right[1][c]),
            n=int(n[c]),
        )
        for c in order
    )


def _changed(comparison: Comparison, i: int, at: npt.NDArray[np.bool_]) -> Images:
    """Choose images that changed, spread evenly over all of them."""
    rows = np.flatnonzero(at)
    if len(rows) > _IMAGES:
        rows = rows[np.linspace(0, len(rows) - 1, _IMAGES).round().astype(int)]
    return tuple(
        GalleryImage(
            path=comparison.paths[row],
            true=comparison.classes[comparison.true[row]],
            called=comparison.predicted[0 if comparison.right[i][row] else i][row],
            confidence=float("nan"),
            right=bool(comparison.right[i][row]),
        )
        for row in rows
    )
