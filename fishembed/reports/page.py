"""The report of a run: one page that needs nothing else, and its figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed.errors import InputError
from fishembed.reports.figures import draw_figures
from fishembed.reports.figures_style import FIGURE_FORMATS, inline_svg, render
from fishembed.reports.names import printable
from fishembed.reports.outcome import Outcome, read_outcome
from fishembed.reports.page_parts import bar_groups, class_rows, how_made, tiles
from fishembed.reports.page_template import fill
from fishembed.reports.page_text import verdict
from fishembed.reports.run import PAGE_HTML, Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT_FORMATS = ("html", *FIGURE_FORMATS)


def write_report(
    run: str | Path | Run,
    *,
    photos: str | Path | None = None,
    formats: Sequence[str] = ("html", "png", "svg"),
) -> Path:
    """Write a run's page and figures into its folder.

    Parameters
    ----------
    run
        A run folder, or the run read from it.
    photos
        The folder the run's image paths are relative to; by default the one its store was
        encoded from. Without it the page comes out, without pictures.
    formats
        Any of "html" (the page), "png", "svg" and "pdf" (the figures).

    Returns
    -------
    Path
        The page; the run's folder where "html" was not asked for.

    Raises
    ------
    RunNotFoundError, RunFormatError
        When the folder holds no run, or one that cannot be read.
    InputError
        When a format is none of these.
    """
    unknown = sorted(set(formats) - set(REPORT_FORMATS))
    if unknown:
        raise InputError(f"no format {unknown[0]!r}; there are {', '.join(REPORT_FORMATS)}")
    run = run if isinstance(run, Run) else Run.open(run)
    outcome = read_outcome(run)
    figures = draw_figures(run, outcome)
    rendered = _write_figures(run.folder, figures, formats)
    if "html" not in formats:
        return run.folder
    page = run.folder / PAGE_HTML
    page.write_text(fill("report.html", _context(run, outcome, rendered)), encoding="utf-8")
    return page


def _write_figures(
    folder: Path, figures: dict[str, Figure], formats: Sequence[str]
) -> dict[str, bytes]:
    """Write the figures beside the page; give back their SVG where the page needs it."""
    svgs = {}
    for name, figure in figures.items():
        for suffix in FIGURE_FORMATS:
            on_page = suffix == "svg" and "html" in formats
            if suffix not in formats and not on_page:
                continue
            data = render(figure, suffix)
            if suffix in formats:
                (folder / f"{name}.{suffix}").write_bytes(data)
            if on_page:
                svgs[name] = data
    return svgs


def _context(run: Run, outcome: Outcome, svgs: dict[str, bytes]) -> dict[str, Any]:
    rows = class_rows(run, outcome.classes)
    return {
        "name": printable(run.name),
        "info": run.info,
        "verdict": verdict(run.metrics),
        "tiles": tiles(run.metrics),
        "figures": {name: inline_svg(svg, name) for name, svg in svgs.items()},
        "bars": bar_groups(rows),
        "rows": rows,
        "made": how_made(run),
        "command": printable(str(run.info.get("command", ""))),
        "data": {},
    }
