"""Print summaries of extractions and scores of runs, in sentences or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fishembed._base.text import counted, merge_sentence
from fishembed.cli.program.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fishembed.experiments import Run
    from fishembed.extraction import Extraction

_SHOWN = 5


def print_extraction(console: Console, result: Extraction, *, prune: bool) -> None:
    """Print counts of skipped and encoded images, the store, the dataset, and the next command."""
    for path, reason in result.skipped_files[:_SHOWN]:
        console.message(f"skipped {path!r}: {reason}")
    if result.skipped > _SHOWN:
        console.message(f"skipped {result.skipped - _SHOWN:,} more; 'fishembed info' lists them")
    left = " (gone from the store)" if prune else " (kept; --prune drops them)"
    console.message(
        f"{counted(result.rows, 'row')}: {result.new:,} new, {result.changed:,} changed, "
        f"{result.reused:,} reused, {result.skipped:,} skipped, "
        f"{result.removed:,} removed{left if result.removed else ''}"
    )
    if result.encoded:
        console.message(
            f"encoded {counted(result.encoded, 'image')} in {result.seconds:.1f} s "
            f"({result.images_per_second:,.0f} images/s)"
        )
        console.detail(str(result.stages))
    if (merge := merge_sentence(result.classes)) and merge not in result.notes:
        console.message(f"note: {merge}")
    for line in left_out_lines(result.left_out):
        console.message(f"note: {line}")
    if result.text_keys:
        console.detail(f"text features for prompts {', '.join(result.text_keys)}")
    console.message(
        f"{'wrote' if result.wrote else 'nothing to do for'} {result.store}; read as "
        f"{result.layout}"
    )
    console.message(result.sentence)
    console.message(f"next: {result.next_command}")


def left_out_lines(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each ending and reason that images were left out for."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, reason in left_out:
        kind = path.rpartition(".")[2].lower() if "not read" in reason else ""
        groups.setdefault((kind, reason), []).append(path)
    return [
        f"{counted(len(paths), f'.{kind} image' if kind else 'image')} left out, the first: "
        f"{paths[0]!r}: {reason}"
        for (kind, reason), paths in groups.items()
    ]


def extraction_document(result: Extraction) -> dict[str, Any]:
    """Return the summary of an extraction, as `extract --json` prints it."""
    from fishembed.extraction.extraction_result import unread_kinds

    return {
        "store": str(result.store),
        "rows": result.rows,
        "encoded": result.encoded,
        "reused": result.reused,
        "skipped": result.skipped,
        "new": result.new,
        "changed": result.changed,
        "removed": result.removed,
        "seconds": round(result.seconds, 3),
        "images_per_second": round(result.images_per_second, 2),
        "encoder": result.encoder,
        "device": result.device,
        "stages": result.stages.to_json(),
        "prompts": list(result.text_keys),
        "skipped_files": [
            {"path": path, "reason": reason} for path, reason in result.skipped_files
        ],
        "sentence": result.sentence,
        "next": result.next_command,
        "layout": result.layout,
        "understood": {
            "as": result.read_as,
            "manifest": result.manifest,
            "class_folders": result.read_as == "folder" and bool(result.classes),
            "splits": [split for split in result.splits if split],
            "boxes": result.boxes,
            "frames": result.frames,
            "videos": result.videos,
        },
        "scaled_by_content": {"count": len(result.scaled), "first": [*result.scaled[:_SHOWN]]},
        "metadata": list(result.metadata),
        "classes": dict(result.classes),
        "splits": dict(result.splits),
        "notes": list(result.notes),
        "left_out": [{"path": path, "reason": reason} for path, reason in result.left_out],
        "left_out_by_ending": unread_kinds(result.left_out),
    }


def print_run(console: Console, run: Run, found: Mapping[str, Any] | None = None) -> None:
    """Print a run's scores and folder, or its metrics and the scores of the field as JSON."""
    print_scores(console, run)
    print_field(console, found or {})
    console.message(f"wrote {run.folder}")
    console.document({"run": str(run.folder), **run.metrics, **(found or {})})


def print_stale(console: Console, run: Run) -> None:
    """Print a warning where the store of a run has changed since."""
    from fishembed.experiments.runs.find_runs import stale_warning

    if warning := stale_warning(run):
        console.message(warning)


def print_each(console: Console, runs: Sequence[Run]) -> None:
    """Print one sentence for the run of each store, and the command that compares them."""
    from fishembed.reports.run_sentences import summary_sentence

    for run in runs:
        console.message(f"{run.name}: {summary_sentence(run.metrics)}")
    for run in runs:
        console.message(f"wrote {run.folder}")
    console.message(f"next: fishembed compare {' '.join(run.name for run in runs)}")
    console.document({"runs": [{"run": str(run.folder), **run.metrics} for run in runs]})


def print_logged(console: Console, runs: Sequence[Run], tracker: str | None) -> None:
    """Log runs to a tracker, where one is named, and print where they are."""
    from fishembed.experiments.runs.tracking import log_run

    if tracker is not None:
        for run in runs:
            console.message(f"logged {run.name} to {log_run(run, tracker)}")


def print_seeds(console: Console, runs: Sequence[Run]) -> None:
    """Print the scores of a series of seeds with their mean and standard deviation."""
    from fishembed.reports.run_tables import seeds_document, seeds_table

    console.table(*seeds_table(runs))
    for run in runs:
        console.message(f"wrote {run.folder}")
    console.document(seeds_document(runs))


def print_scores(console: Console, run: Run) -> None:
    """Print the scores, the five classes of lowest recall and the three largest mix-ups."""
    from fishembed.reports.run_sentences import summary_sentence, weakest_classes
    from fishembed.reports.run_tables import largest_mixups_table, lowest_recall_table

    for sentence in (summary_sentence(run.metrics), weakest_classes(run.metrics)):
        if sentence:
            console.message(sentence)
    columns, mixups = largest_mixups_table(run.result)
    if not mixups:
        return
    classes = lowest_recall_table(run.result.classes)
    console.message("")
    console.table(*classes, indent=2)
    console.message("")
    console.table(columns, mixups, left=2, indent=2)
    console.message("")


def print_field(console: Console, found: Mapping[str, Any]) -> None:
    """Print the sentences on places, bursts and taxa, and tables by value."""
    from fishembed.reports.field_sentences import field_sentences, values_table

    for key, sentence in field_sentences(found).items():
        console.message(sentence)
        if key in ("by", "leave_out"):
            console.table(*values_table(found[key]), indent=2)


def print_selection(console: Console, run: Run) -> None:
    """Print the candidates that a head was chosen from; nothing where nothing was chosen."""
    from fishembed.reports.run_tables import best_candidates_table

    if not run.selection:
        return
    columns, rows = best_candidates_table(run.selection)
    spare = ("seconds", "log loss", "macro F1 %")
    console.table(columns[:-1], [row[:-1] for row in rows], spare=spare)
    taken = next((row[-1] for row in rows if row[0].startswith("*")), "")
    console.message(
        f"* chosen{f', with {taken}' if taken else ''}; each line is the best of its kind among "
        f"{len(run.selection)} candidates, compared on {run.selection[0]['rows']:,} rows; these "
        "scores served to choose and are no estimate: those of the run are"
    )


def print_learning_curve(console: Console, run: Run) -> None:
    """Print the scores by images per class; nothing where they were not asked for."""
    from fishembed.reports.figures.all_figures import LEARNING_CURVE
    from fishembed.reports.run_tables import learning_curve_table

    if run.result.few_shot:
        console.table(*learning_curve_table(run.result.few_shot, run.info["head"]))
        console.message(f"the learning curve is {run.folder / LEARNING_CURVE}.png")
