"""Everything a report's page shows, as plain values for its template."""

from __future__ import annotations

from typing import Any

from fishembed._base.text import printable
from fishembed.experiments.runs.repeat_command import repeat_commands
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_info import PRIOR_SENTENCES
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.embedding_map import EmbeddingMap
from fishembed.reports.figures.style import inline_svg
from fishembed.reports.page import captions
from fishembed.reports.page.field_section import field_parts
from fishembed.reports.page.galleries import RunPhotos
from fishembed.reports.page.overview import (
    headline,
    key_figures,
    trust_answers,
    trust_facts,
    worst_alarm,
)
from fishembed.reports.page.report_tables import (
    acceptance_view,
    class_rows,
    few_images_table,
    how_made,
    never_recognised,
    prompts,
    run_tables,
    selection_table,
)
from fishembed.reports.page.script_data import (
    are_uneven,
    map_data,
    matrix_data,
    named_points,
    small_data,
)
from fishembed.reports.run_sentences import (
    calibration_sentence,
    caveats,
    training_effect,
)
from fishembed.reports.shared_page_parts import IMAGES_BESIDE
from fishembed.reports.wording import split_photos

_SECTIONS = (
    ("overview", "Overview"),
    ("mixups", "Mix-ups"),
    ("species", "Every species"),
    ("matrix-section", "Matrix"),
    ("sure", "How sure"),
    ("more-photos", "More photos?"),
    ("places", "Everywhere?"),
    ("map-section", "Map"),
    ("choice", "Classifier"),
    ("made", "How made"),
)
"""Sections of the page by their ids, as its navigation leads to them."""


def report_context(
    run: Run,
    svgs: dict[str, bytes],
    embedding_map: EmbeddingMap | str,
    photos: RunPhotos,
    found: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Collect everything a report's page shows.

    Parameters
    ----------
    run
        The run.
    svgs
        Figures by name, as `write_figures` returned them.
    embedding_map
        The map, or why there is none.
    photos
        The images, see `run_photos`.
    found
        What `field.json` holds.
    """
    result = run.result
    drawn_map = None if isinstance(embedding_map, str) else embedding_map
    matrix = matrix_data(result, photos)
    texts = _texts(result)
    context = {
        "name": printable(run.name),
        **_overview(run),
        **_photos(photos),
        "rows": (rows := class_rows(result)),
        "faultless": sum(row["faultless"] for row in rows),
        "never": never_recognised(result),
        "what": split_photos(result.scored_split),
        "figures": {
            name: inline_svg(svg, name, _spoken(texts.get(name, name)))
            for name, svg in svgs.items()
        },
        "captions": texts,
        "accept": acceptance_view(result),
        "calibration": texts["reliability"],
        "prior": PRIOR_SENTENCES[run.assumed_prior],
        "why": texts["recall_by_training"],
        "few_images": few_images_table(result),
        "field": field_parts(found or {}, svgs),
        "selection": selection_table(result),
        "matrix": matrix,
        "uneven": are_uneven(result),
        "map": drawn_map,
        "missing_map": "" if drawn_map else embedding_map,
        "small": photos.small is not None,
        **_how_made(run, found or {}),
        "data": _script_data(result, photos, matrix, drawn_map),
        "image_places": IMAGES_BESIDE,
    }
    return context | {"parts": [part for part in _SECTIONS if _has(context, part[0])]}


def _overview(run: Run) -> dict[str, Any]:
    result, info = run.result, run.info
    answers, alarm = trust_answers(result), worst_alarm(result)
    names = [answer.name for answer in answers]
    first = 0 if alarm is None else names.index(result.classes.names[alarm])
    return {
        "head": printable(str(info.get("head", ""))),
        "encoder": printable(str((info.get("encoder") or {}).get("name", ""))),
        "headline": headline(result),
        "key_figures": key_figures(result),
        "trust": trust_facts(result) if result.metrics.get("n") else [],
        "grouped": result.images.groups is not None,
        "notes": caveats(result),
        "answers": answers,
        "asked": first if answers else None,
    }


def _photos(photos: RunPhotos) -> dict[str, Any]:
    return {
        "worst": photos.worst,
        "more": photos.more,
        "pairs": photos.pairs,
        "missing_images": photos.missing,
    }


def _spoken(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else " ".join(text)


def _texts(result: RunResult) -> dict[str, Any]:
    """Return what each figure shows, in words for screen readers."""
    bins = result.reliability
    return {
        "loss": captions.epoch_caption(result, "loss"),
        "accuracy": captions.epoch_caption(result, "accuracy")
        + captions.scored_line_caption(result),
        "selection": captions.selection_caption(result),
        "recall_by_training": training_effect(result.classes),
        "reliability": calibration_sentence(bins) if bins else "",
        "accept": captions.acceptance_caption(),
        "top_k": captions.top_k_caption(result),
        "learning_curve": captions.learning_curve_message(result),
    }


def _how_made(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "command": "\n".join(map(printable, repeat_commands(run, found))),
        "tables": run_tables(run.folder),
        "prompts": prompts(run.result),
        "made": how_made(run.result),
    }


def _script_data(
    result: RunResult,
    photos: RunPhotos,
    matrix: dict[str, Any] | None,
    embedding_map: EmbeddingMap | None,
) -> dict[str, Any]:
    bins, accepts = result.reliability, result.acceptance
    return {
        "matrix": matrix,
        "map": map_data(result, embedding_map, photos.number) if embedding_map else None,
        "small": small_data(result, photos),
        "tips": {
            "recall_by_training": captions.class_tips(result.classes),
            "reliability": captions.bin_tips(bins) if bins else [],
        },
        "named": named_points(result),
        "answers": [[answer.summary, answer.words] for answer in trust_answers(result)],
        "accept": None
        if accepts is None
        else {"n": accepts.n.tolist(), "right": [_hits(x) for x in accepts.right * accepts.n]},
        "answering": photos.answering,
    }


def _hits(count: float) -> int:
    return 0 if count != count else round(count)  # noqa: PLR0124 - NaN where none is accepted


def _has(context: dict[str, Any], section: str) -> bool:
    """Whether the page has a section to lead to."""
    figures, field = context["figures"], context["field"]
    needed = {
        "mixups": bool(context["pairs"] or context["more"]),
        "matrix-section": context["matrix"] is not None,
        "sure": bool(context["accept"] or field["sure"])
        or bool({"reliability", "top_k"} & set(figures)),
        "more-photos": "recall_by_training" in figures or context["few_images"] is not None,
        "places": bool(field["places"]),
        "choice": context["selection"] is not None or bool({"loss", "accuracy"} & set(figures)),
    }
    return needed.get(section, True)
