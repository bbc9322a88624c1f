"""The page of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.files import write_text
from fishembed._base.printable import printable
from fishembed._base.text import counted
from fishembed.experiments.comparison import Comparison, Difference
from fishembed.reports.page.galleries import GalleryImage, Rows, read_thumbnails
from fishembed.reports.page.report_tables import score_tiles
from fishembed.reports.run_sentences import intervals_note
from fishembed.reports.shared_page_parts import IMAGES_BESIDE, fill
from fishembed.reports.text_tables import p_value_text, points
from fishembed.reports.thumbnails import Thumbnail
from fishembed.reports.wording import split_images

_IMAGES = 18
_BARS_UP_TO = 60


def write_comparison(
    comparison: Comparison,
    *,
    output: str | Path | None = None,
    photos: str | Path | None = None,
    fetch: bool = False,
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
    fetch
        Whether images that lie at URLs are fetched.

    Returns
    -------
    Path
        The page.
    """
    first = comparison.runs[0]
    name = "-".join(["compare", *(run.name for run in comparison.runs)])
    page = Path(output) if output else first.folder.parent / f"{name}.html"
    context = _context(comparison, photos, page.parent, fetch=fetch)
    write_text(page, fill("compare.html", context, scripts=("page.js", "lightbox.js")))
    return page


def difference_sentence(name: str, first: str, images: str, d: Difference) -> str:
    """Return a sentence on what a run changes."""
    low, high = d.accuracy_ci95
    if low <= 0 <= high:
        finding = f"{name} and {first} cannot be told apart"
    else:
        finding = f"{name} is {'better' if d.accuracy > 0 else 'worse'} than {first}"
    chance = f"McNemar's p {p_value_text(d.p_value)}"
    return (
        f"{finding}: {points(d.accuracy, d.accuracy_ci95)} points of accuracy on {images}; "
        f"{counted(d.gained, 'image')} gained, {d.lost:,} lost ({chance})."
    )


def _context(
    comparison: Comparison, photos: str | Path | None, home: Path, *, fetch: bool
) -> dict[str, Any]:
    first = comparison.runs[0]
    changed = [_changed_rows(comparison, i) for i in range(1, len(comparison.runs))]
    wanted = (comparison.paths[row] for pair in changed for rows in pair for row in rows)
    small, missing = read_thumbnails(first, photos, wanted, fetch=fetch, home=home)
    sections = [_section(comparison, i, rows, small) for i, rows in enumerate(changed, start=1)]
    return {
        "headline": max(sections, key=lambda section: section["difference"].accuracy)["summary"],
        "name": " · ".join(printable(run.name) for run in comparison.runs),
        "first": printable(first.name),
        "scores": [(printable(run.name), score_tiles(run.metrics)) for run in comparison.runs],
        "sections": sections,
        # Single photos that cannot be read are not worth a line here.
        "missing_images": "" if small else missing,
        "intervals": intervals_note(comparison.n_groups),
        "image_places": IMAGES_BESIDE,
        "data": {},
    }


def _section(
    comparison: Comparison, i: int, changed: tuple[Rows, Rows], small: Mapping[str, Thumbnail]
) -> dict[str, Any]:
    """Return one run against the first: its sentence, classes that changed, images that did."""
    first, run = comparison.runs[0], comparison.runs[i]
    difference = comparison.differences[i - 1]
    what = split_images(first.metrics.get("scored_split", ""))
    names, n = (printable(run.name), printable(first.name)), len(comparison.paths)
    gained, lost = (
        [
            GalleryImage(
                path=comparison.paths[row],
                true=comparison.classes[comparison.true[row]],
                called=comparison.predicted[wrong_run][row],
                confidence=float("nan"),
                right=wrong_run == 0,
                thumbnail=small.get(comparison.paths[row]),
            )
            for row in rows
        ]
        for rows, wrong_run in zip(changed, (0, i), strict=True)
    )
    return {
        "name": printable(run.name),
        "summary": difference_sentence(*names, f"{n:,} {what}", difference),
        "difference": difference,
        "accuracy": points(difference.accuracy, difference.accuracy_ci95),
        "macro_recall": points(difference.macro_recall, difference.macro_recall_ci95),
        "gains": _class_gains(comparison, i),
        "gained": gained,
        "lost": lost,
    }


def _class_gains(comparison: Comparison, i: int) -> list[dict[str, Any]]:
    """Return the classes that changed, largest gain first; with many only the two ends."""
    gains = comparison.differences[i - 1].class_gains
    k = len(comparison.classes)
    n = np.bincount(comparison.true, minlength=k)
    before, after = (
        np.bincount(comparison.true[comparison.right[j]], minlength=k).tolist() for j in (0, i)
    )
    order = [int(c) for c in np.argsort(-gains, kind="stable") if before[c] != after[c]]
    if len(order) > _BARS_UP_TO:
        order = order[: _BARS_UP_TO // 2] + order[-_BARS_UP_TO // 2 :]
    return [
        {
            "name": comparison.classes[c],
            "gain": float(gains[c]),
            "before": before[c],
            "after": after[c],
            "n": int(n[c]),
        }
        for c in order
    ]


def _changed_rows(comparison: Comparison, i: int) -> tuple[Rows, Rows]:
    """Choose images that were gained and that were lost, spread evenly over all of them."""
    before, after = comparison.right[0], comparison.right[i]
    gained, lost = (np.flatnonzero(at) for at in (after & ~before, before & ~after))
    return _spread(gained), _spread(lost)


def _spread(rows: npt.NDArray[np.intp]) -> Rows:
    if len(rows) > _IMAGES:
        rows = rows[np.linspace(0, len(rows) - 1, _IMAGES).round().astype(int)]
    return [int(row) for row in rows]
