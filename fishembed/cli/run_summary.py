"""Print a run: its scores, what its head was chosen from, its learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed.cli.console import Console, aligned

if TYPE_CHECKING:
    from fishembed.reports import Run


def print_run(console: Console, run: Run) -> None:
    """Print a run's scores and folder, or its metrics as JSON."""
    print_scores(console, run)
    console.message(f"wrote {run.folder}")
    console.document({"run": str(run.folder), **run.metrics})


def print_scores(console: Console, run: Run) -> None:
    """Print the scores, the five classes of lowest recall and the three largest mix-ups."""
    from fishembed.reports import verdict
    from fishembed.reports.confusion import confused_pairs, confusion_counts
    from fishembed.reports.outcome import read_outcome
    from fishembed.reports.sentences import class_lines, pair_lines

    console.message(verdict(run.metrics))
    outcome = read_outcome(run)
    pairs = confused_pairs(confusion_counts(outcome.predictions, len(outcome.classes.names)), 3)
    if not pairs:
        return
    tables = [
        aligned(*class_lines(outcome.classes)),
        aligned(*pair_lines(outcome.classes, pairs), left=2),
    ]
    for table in tables:
        console.message("")
        for line in table:
            console.message(f"  {line}")
    console.message("")


def print_selection(console: Console, run: Run) -> None:
    """Print what a head was chosen from; nothing where nothing was chosen."""
    from fishembed.reports.selection import best_of_each

    if not run.selection:
        return
    columns, rows = best_of_each(run.selection)
    for line in aligned(columns[:-1], [row[:-1] for row in rows]):
        console.message(line)
    taken = next((row[-1] for row in rows if row[0].startswith("*")), "")
    console.message(
        f"* chosen{f', with {taken}' if taken else ''}; each line is the best of its kind among "
        f"{len(run.selection)} candidates, compared on {run.selection[0]['rows']:,} rows"
    )


def print_learning_curve(console: Console, run: Run) -> None:
    """Print the scores by images per class; nothing where they were not asked for."""
    from fishembed.reports.shots import LEARNING_CURVE, curve_table

    if run.shots:
        for line in aligned(*curve_table(run.shots)):
            console.message(line)
        console.message(f"the learning curve is {run.folder / LEARNING_CURVE}.png")
