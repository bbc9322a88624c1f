"""The report of a run: a page that needs no other file, and its figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_text
from fishembed._base.progress import NoProgress, Progress
from fishembed.errors import InputError
from fishembed.evaluation.confusion_counts import DENSE_UP_TO, count_cells
from fishembed.experiments.field_questions import field_answers
from fishembed.experiments.runs.run_files import PAGE_HTML
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.embedding_map import map_embeddings
from fishembed.reports.figures.all_figures import draw_figures, write_figures
from fishembed.reports.figures.figure_style import FIGURE_FORMATS, style, undrawn_note
from fishembed.reports.figures.mixup_figures import draw_map
from fishembed.reports.figures.score_figures import draw_field_figures
from fishembed.reports.page.galleries import read_run_images
from fishembed.reports.page.report_context import report_context
from fishembed.reports.page.report_texts import CONFUSION_CSV
from fishembed.reports.page_template import fill
from fishembed.reports.run_tables import latex_tables, markdown_summary

REPORT_FORMATS = ("html", "md", "tex", *FIGURE_FORMATS)
SCRIPTS = ("page.js", "report.js", "answer.js")
_DOCUMENTS = {"html": PAGE_HTML, "md": "report.md", "tex": "tables.tex"}


def write_report(
    run: str | Path | Run,
    *,
    photos: str | Path | None = None,
    formats: Sequence[str] = ("html", "png", "svg"),
    fetch: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a run's report into its folder: page, figures, `confusion.csv`.

    Parameters
    ----------
    run
        A run folder, or the run read from it.
    photos
        The folder the run's image paths are relative to; by default the one its store was
        encoded from. Without it the page has no images.
    formats
        Any of "html" (the page), "md" (a summary for a README), "tex" (tables for LaTeX),
        "png", "svg" and "pdf" (the figures).
    fetch
        Whether images that lie at URLs are fetched, and the run's store where it lies at one.
    progress
        Receives a sentence where class names cannot be drawn.

    Returns
    -------
    Path
        The page; without "html" the first document of `formats`, else the folder.

    Raises
    ------
    RunNotFoundError, RunFormatError
        When the folder holds no run, or one that cannot be read.
    InputError
        When a format is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, run_fit, write_report
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> write_report(run_fit(store, head="centroid"), formats=["md"]).name
    'report.md'
    """
    if unknown := sorted(set(formats) - set(REPORT_FORMATS)):
        raise InputError(f"no format {unknown[0]!r}; there are {', '.join(REPORT_FORMATS)}")
    progress = progress or NoProgress()
    run = run if isinstance(run, Run) else Run.open(run)
    result, folder, on_page = run.result, run.folder, "html" in formats
    _write_confusion(result, folder / CONFUSION_CSV)
    for key, document in (("md", markdown_summary), ("tex", latex_tables)):
        if key in formats:
            write_text(folder / _DOCUMENTS[key], document(run))
    if {"html", *FIGURE_FORMATS} & set(formats):
        # The map needs seconds in another process, images wait for the disk: meanwhile the
        # other figures are drawn.
        with ThreadPoolExecutor(2) as pool, style(result.classes.names):
            mapping = pool.submit(map_embeddings, run, fetch=fetch)
            reading = pool.submit(read_run_images, run, photos, fetch=fetch) if on_page else None
            found = field_answers(run)
            figures = draw_figures(result) | draw_field_figures(found)
            svgs = write_figures(folder, figures, formats, page=on_page)
            embedding_map = mapping.result()
            if isinstance(embedding_map, str):
                progress.message(embedding_map)
            else:
                drawn = {"map": draw_map(result, embedding_map)}
                write_figures(folder, drawn, formats, page=False)
            if reading is not None:
                context = report_context(run, svgs, embedding_map, reading.result(), found)
                write_text(folder / PAGE_HTML, fill("report.html", context, scripts=SCRIPTS))
    if set(formats) & set(FIGURE_FORMATS) and (numbered := undrawn_note(result.classes.names)):
        progress.message(numbered)
    documents = [name for key, name in _DOCUMENTS.items() if key in formats]
    return folder / documents[0] if documents else folder


def _write_confusion(result: RunResult, path: Path) -> None:
    """Write the confusion matrix: a row for each true class, a column for each predicted one.

    Above 1,000 classes nearly all would be zeros: then a row for each pair that occurs.
    """
    names = result.classes.names
    if len(names) > DENSE_UP_TO:
        cells = zip(*(column.tolist() for column in count_cells(result.confusion)), strict=True)
        pairs = ((names[true], names[called], count) for true, called, count in cells)
        write_csv(path, ["true", "called", "images"], pairs)
        return
    rows = [[name, *row] for name, row in zip(names, result.confusion.tolist(), strict=True)]
    write_csv(path, ["true \\ called", *names], rows)
