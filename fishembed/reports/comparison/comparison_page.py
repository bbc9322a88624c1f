"""The HTML page that compares several runs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.experiments.comparison import REAL_BELOW, Comparison
from fishembed.reports.comparison.comparison_figure import OTHERS, class_dots
from fishembed.reports.comparison.comparison_texts import (
    compared_images,
    difference_sentence,
    headline,
    notes,
    p_value_text,
    value_text,
)
from fishembed.reports.page.galleries import (
    GalleryImage,
    Rows,
    find_run_images,
    one_of_each_group,
    read_thumbnails,
)
from fishembed.reports.page_template import IMAGES_BESIDE, fill
from fishembed.reports.thumbnails import Thumbnail
from fishembed.reports.wording import interval, points

_PAIRS_OPEN = 3
_PAIRS_OF_BEST = 10
_CLASSES_OPEN = 40
_WITH_IMAGES = 6
_STEP = 0.05

_PARTS = (
    ("scores", "Runs"),
    ("differences", "Differences"),
    ("species", "Each species"),
    ("photos", "Photos"),
)

Place = dict[str, Any]


def comparison_page(
    comparison: Comparison,
    photos: str | Path | None = None,
    *,
    fetch: bool = False,
    home: Path | None = None,
) -> str:
    """Return the page: scores, differences with their p-values, recall by class and run, images.

    `photos` and `fetch` are as in `write_comparison`; `home` is the folder of the page, which may
    show the files of the images large.
    """
    order = comparison.best_first
    sections, missing = _sections(comparison, photos, fetch=fetch, home=home)
    axis, reach = _axis(comparison), _reach(comparison)
    pairs = _pairs(comparison, reach)
    open_pairs = max(_PAIRS_OPEN, min(len(order) - 1, _PAIRS_OF_BEST))
    dots = class_dots(comparison)
    context = {
        "name": " · ".join(comparison.entries[i].name for i in order),
        "headline": headline(comparison),
        "images": compared_images(comparison),
        "caveats": comparison.notes,
        "runs": _runs(comparison, axis),
        "axis": axis,
        "pairs": pairs[:open_pairs],
        "more_pairs": pairs[open_pairs:],
        "reach": reach,
        "classes": dots[:_CLASSES_OPEN],
        "more_classes": dots[_CLASSES_OPEN:],
        "shape": lambda place: min(place, OTHERS),
        "notes": notes(comparison),
        "sections": sections,
        "without_photos": len(order[1 + _WITH_IMAGES :]),
        "missing_images": missing,
        "parts": _PARTS,
        "image_places": IMAGES_BESIDE,
        "data": {},
    }
    return fill("compare.html", context, scripts=("page.js", "lightbox.js"))


def _runs(comparison: Comparison, axis: tuple[float, float]) -> list[Place]:
    rows = []
    for i in comparison.best_first:
        one = comparison.entries[i]
        scores = [
            {"value": value_text(value, sd), "ends": interval(ends), **_places(value, ends, axis)}
            for value, ends, sd in (
                (one.macro_recall, one.macro_recall_ci95, one.macro_recall_sd),
                (one.accuracy, one.accuracy_ci95, one.accuracy_sd),
            )
        ]
        row = {"name": one.name, "seeds": len(one.runs), "never": one.never_recognised}
        rows.append({**row, "scores": scores})
    return rows


def _places(value: float, ends: Sequence[float], axis: tuple[float, float]) -> Place:
    """Return where a value and its interval stand on an axis, in percent of its length."""
    low, high = axis
    names = zip(("at", "from", "to"), (value, *ends), strict=True)
    return {name: round(100 * (one - low) / (high - low), 2) for name, one in names}


def _axis(comparison: Comparison) -> tuple[float, float]:
    """Return the common axis of all scores, in steps of 5%."""
    ends = [
        end for one in comparison.entries for end in (*one.accuracy_ci95, *one.macro_recall_ci95)
    ]
    low = math.floor(min(ends) / _STEP + 1e-9) * _STEP
    high = math.ceil(max(ends) / _STEP - 1e-9) * _STEP
    return max(0.0, low), min(1.0, max(high, low + _STEP))


def _pairs(comparison: Comparison, reach: float) -> list[Place]:
    found = []
    for (first, better), (second, worse) in combinations(enumerate(comparison.best_first), 2):
        d = comparison.difference(better, worse)
        scores = [
            _difference(d.macro_recall, d.macro_recall_ci95, d.macro_recall_p_holm, reach),
            _difference(d.accuracy, d.accuracy_ci95, d.p_holm, reach),
        ]
        names = [comparison.entries[i].name for i in (better, worse)]
        found.append({"places": (first, second), "names": names, "scores": scores})
    return found


def _difference(value: float, ends: tuple[float, float], p: float, reach: float) -> Place:
    texts = {"text": points(value, ends), "p": p_value_text(p)}
    found = {"real": p < REAL_BELOW, "worse": value < 0}
    return texts | found | _places(value, ends, (-reach, reach))


def _reach(comparison: Comparison) -> float:
    """Return the largest value on the axis of differences, to both sides."""
    ends = [
        abs(end) for d in comparison.differences for end in (*d.accuracy_ci95, *d.macro_recall_ci95)
    ]
    return math.ceil(max(ends, default=_STEP) / _STEP - 1e-9) * _STEP


def _sections(
    comparison: Comparison, image_folder: str | Path | None, *, fetch: bool, home: Path | None
) -> tuple[list[Place], str]:
    """Return the best run against others, and what is missing where no image could be read."""
    best, *others = comparison.best_first[: 1 + _WITH_IMAGES]
    changed = [changed_images(comparison, best, other) for other in others]
    paths = (comparison.paths[row] for pair in changed for rows in pair for row in rows)
    files = find_run_images(comparison.runs[0], image_folder, fetch=fetch)
    small, missing = read_thumbnails(files, paths, fetch=fetch, home=home)
    pairs = zip(others, changed, strict=True)
    sections = [_section(comparison, other, rows, small) for other, rows in pairs]
    # Single images that cannot be read are not worth a line.
    return sections, "" if small else missing


def _section(
    comparison: Comparison,
    other: int,
    changed: tuple[Rows, Rows],
    small: Mapping[str, Thumbnail],
) -> Place:
    """Return the best run against another: a sentence, the images lost, the images gained."""
    best = comparison.best_first[0]
    d = comparison.difference(best, other)
    lost, gained = changed
    return {
        "name": comparison.entries[other].name,
        "best": comparison.entries[best].name,
        "place": comparison.best_first.index(other),
        "summary": difference_sentence(comparison, d),
        "difference": d,
        "lost": _gallery(comparison, lost, best, small),
        "gained": _gallery(comparison, gained, other, small),
    }


def _gallery(
    comparison: Comparison, rows: Sequence[int], wrong: int, small: Mapping[str, Thumbnail]
) -> list[GalleryImage]:
    """Return images with the predictions of the run `wrong`, which mistakes them."""
    return [
        GalleryImage(
            path=comparison.paths[row],
            true=comparison.classes[comparison.true[row]],
            called=comparison.entries[wrong].predicted[0][row],
            confidence=float("nan"),
            right=False,
            thumbnail=small.get(comparison.paths[row]),
        )
        for row in rows
    ]


_IMAGES = 6


def changed_images(
    comparison: Comparison, run: int, against: int, limit: int = _IMAGES
) -> tuple[Rows, Rows]:
    """Choose rows that one entry lost and that it gained against another, at most `limit` of each.

    The most frequent mistakes come first, each once before any comes twice, and of the images of a
    group only one.
    """
    own, other = (comparison.entries[i] for i in (run, against))
    lost = np.flatnonzero(other.right[0] & ~own.right[0])
    gained = np.flatnonzero(own.right[0] & ~other.right[0])
    return (
        _spread(comparison, lost, own.predicted[0], limit),
        _spread(comparison, gained, other.predicted[0], limit),
    )


def _spread(
    comparison: Comparison, rows: npt.NDArray[np.intp], called: Sequence[str], limit: int
) -> Rows:
    of_mistake: dict[tuple[int, str], Rows] = defaultdict(list)
    for row in one_of_each_group(rows, comparison.groups).tolist():
        of_mistake[int(comparison.true[row]), called[row]].append(row)
    ranked = sorted(of_mistake.values(), key=lambda one: -len(one))
    turns = [row for turn in zip_longest(*ranked) for row in turn if row is not None]
    return turns[:limit]
