"""The report of a run: one page that needs nothing else, and its figures beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_text
from fishembed.errors import InputError
from fishembed.reports.confusion import confusion_counts
from fishembed.reports.figures.draw import draw_figures, write_figures
from fishembed.reports.figures.fonts import undrawn_note
from fishembed.reports.figures.map import draw_map
from fishembed.reports.figures.style import FIGURE_FORMATS, style
from fishembed.reports.outcome import Outcome, read_outcome
from fishembed.reports.page.context import page_context
from fishembed.reports.page.latex import write_latex
from fishembed.reports.page.markdown import write_markdown
from fishembed.reports.page.template import fill
from fishembed.reports.projection import VectorMap, map_vectors
from fishembed.reports.run import PAGE_HTML, Run

REPORT_FORMATS = ("html", "md", "tex", *FIGURE_FORMATS)
CONFUSION_CSV = "confusion.csv"
_DOCUMENTS = {"html": PAGE_HTML, "md": "report.md", "tex": "tables.tex"}


def write_report(
    run: str | Path | Run,
    *,
    photos: str | Path | None = None,
    formats: Sequence[str] = ("html", "png", "svg"),
    say: Callable[[str], None] | None = None,
) -> Path:
    """Write a run's report into its folder: page, figures, `confusion.csv`.

    Parameters
    ----------
    run
        A run folder, or the run read from it.
    photos
        The folder the run's image paths are relative to; by default the one its store was
        encoded from. Without it the page comes out, without pictures.
    formats
        Any of "html" (the page), "md" (a summary for a README), "tex" (tables for LaTeX),
        "png", "svg" and "pdf" (the figures).
    say
        Hears what could not be drawn as it is.

    Returns
    -------
    Path
        The page; without "html" the first document that was asked for, else the folder.

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
    _write_confusion(run.folder / CONFUSION_CSV, outcome)
    if "md" in formats:
        write_text(run.folder / _DOCUMENTS["md"], write_markdown(run))
    if "tex" in formats:
        write_text(run.folder / _DOCUMENTS["tex"], write_latex(run))
    _write_page_and_figures(run, outcome, photos, formats)
    if say is not None and set(formats) & set(FIGURE_FORMATS):
        note = undrawn_note(outcome.classes.names)
        if note:
            say(note)
    documents = [name for key, name in _DOCUMENTS.items() if key in formats]
    return run.folder / documents[0] if documents else run.folder


def _write_page_and_figures(
    run: Run, outcome: Outcome, photos: str | Path | None, formats: Sequence[str]
) -> None:
    if not set(formats) & {"html", *FIGURE_FORMATS}:
        return
    # The map takes seconds in another process: meanwhile the other figures are drawn.
    with ThreadPoolExecutor(1) as pool, style(outcome.classes.names):
        mapped = pool.submit(map_vectors, run, outcome)
        figures = draw_figures(run, outcome)
        inline = write_figures(run.folder, figures, formats, page="html" in formats)
        layout = mapped.result()
        if isinstance(layout, VectorMap):
            drawn = {"map": draw_map(outcome, layout)}
            write_figures(run.folder, drawn, formats, page=False)
    if "html" in formats:
        context = page_context(run, outcome, inline, layout, photos)
        write_text(run.folder / PAGE_HTML, fill("report.html", context))


def _write_confusion(path: Path, outcome: Outcome) -> None:
    """Write the matrix of counts: a row for each true class, a column for what it was called."""
    names = outcome.classes.names
    counts = confusion_counts(outcome.predictions, len(names))
    rows = [[name, *row] for name, row in zip(names, counts.tolist(), strict=True)]
    write_csv(path, ["true \\ called", *names], rows)
