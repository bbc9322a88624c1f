"""Write a comparison in the requested format, or in that of the file name's ending."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fishembed._base.files import write_bytes
from fishembed.errors import InputError
from fishembed.experiments.comparison import ComparedRun, Comparison
from fishembed.reports.comparison.comparison_figure import draw_comparison
from fishembed.reports.comparison.comparison_page import comparison_page
from fishembed.reports.comparison.comparison_texts import (
    comparison_csv,
    comparison_document,
    comparison_latex,
    comparison_markdown,
)
from fishembed.reports.figures.figure_style import FIGURE_FORMATS, render

COMPARISON_FORMATS = ("html", "tex", "csv", "md", "json", *FIGURE_FORMATS)
_ENDINGS = {"htm": "html", "latex": "tex", "markdown": "md"}
_LONGEST = 120


def write_comparison(
    comparison: Comparison,
    *,
    output: str | Path | None = None,
    formats: Sequence[str] = (),
    photos: str | Path | None = None,
    fetch: bool = False,
) -> Path:
    """Write a comparison of runs: a page, a table for a paper, or a figure.

    Parameters
    ----------
    comparison
        What `compare_runs` returned.
    output
        Where to write; `compare-<first>-<second>….html` beside the first run when left out.
    formats
        Any of "html" (the page), "tex", "csv", "md", "json" (tables), "pdf", "png" and "svg" (a
        figure); that of the ending of `output` when left out, without an ending the page. With
        several, each gets its own ending.
    photos
        Folder of the images; the one recorded in the first run's store when left out.
    fetch
        Whether images that lie at URLs are fetched.

    Returns
    -------
    Path
        The first file that was written.

    Raises
    ------
    InputError
        When a format is none of these, or contradicts the ending of `output`.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import compare_runs, import_features, run_fit, write_comparison
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.4 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> found = compare_runs([run_fit(store, head=head) for head in ("centroid", "knn")])
    >>> write_comparison(found, output="table.tex").read_text().count("toprule")
    1
    """
    places = comparison_files(comparison, output, formats)
    for suffix, place in places.items():
        write_bytes(place, _content(comparison, suffix, photos, place.parent, fetch=fetch))
    return next(iter(places.values()))


def comparison_files(
    comparison: Comparison, output: str | Path | None = None, formats: Sequence[str] = ()
) -> dict[str, Path]:
    """Return the path of each format that `write_comparison` writes; raise the same errors."""
    if unknown := next((one for one in formats if one not in COMPARISON_FORMATS), None):
        raise InputError(f"no format {unknown!r}; there are {', '.join(COMPARISON_FORMATS)}")
    wanted = list(dict.fromkeys(formats))
    if output is None:
        name = "-".join(["compare", *map(_file_name, comparison.entries)])[:_LONGEST]
        folder = comparison.runs[0].folder.parent
        return {one: folder / f"{name}.{one}" for one in wanted or ["html"]}
    place = Path(output)
    if place.is_dir():
        raise InputError(f"{str(output)!r} is a folder: name a file, such as {place / 'table.tex'}")
    ending = place.suffix.removeprefix(".").lower()
    by_name = _ENDINGS.get(ending, ending)
    if not wanted and by_name and by_name not in COMPARISON_FORMATS:
        known = ", ".join(f".{one}" for one in COMPARISON_FORMATS)
        raise InputError(f"{str(output)!r} ends in .{ending}, which is none of {known}")
    if len(wanted) > 1:
        stem = place.with_suffix("") if by_name in COMPARISON_FORMATS else place
        return {one: stem.with_name(f"{stem.name}.{one}") for one in wanted}
    if wanted and by_name in COMPARISON_FORMATS and by_name != wanted[0]:
        raise InputError(f"{str(output)!r} ends in .{ending}, but the format is {wanted[0]!r}")
    return {(wanted or [by_name or "html"])[0]: place}


def _file_name(entry: ComparedRun) -> str:
    return entry.runs[0].name if len(entry.runs) == 1 else entry.name


def _content(
    comparison: Comparison, suffix: str, image_folder: str | Path | None, home: Path, *, fetch: bool
) -> bytes:
    if suffix in FIGURE_FORMATS:
        return render(draw_comparison(comparison), suffix)
    if suffix == "html":
        return comparison_page(comparison, image_folder, fetch=fetch, home=home).encode()
    if suffix == "csv":
        return comparison_csv(comparison)
    if suffix == "json":
        document = comparison_document(comparison)
        return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()
    write = comparison_markdown if suffix == "md" else comparison_latex
    return write(comparison).encode()
