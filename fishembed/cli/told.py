"""What the console says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed.cli.console import Console, aligned

if TYPE_CHECKING:
    from fishembed.reports import Run


def tell_run(console: Console, run: Run) -> None:
    """Say how a run went and where it lies, or give its scores as a document."""
    tell_scores(console, run)
    console.message(f"wrote {run.folder}")
    console.document({"run": str(run.folder), **run.metrics})


def tell_scores(console: Console, run: Run) -> None:
    """Say the verdict, the five classes of lowest recall and the three largest mix-ups."""
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
        aligned(*pair_lines(outcome.classes, pairs), words=2),
    ]
    for table in tables:
        console.message("")
        for line in table:
            console.message(f"  {line}")
    console.message("")


def tell_selection(console: Console, run: Run) -> None:
    """Say what a head was chosen from; nothing where nothing was chosen."""
    from fishembed.reports.selection import best_of_each

    if not run.selection:
        return
    columns, rows = best_of_each(run.selection)
    for line in aligned(columns[:-1], [row[:-1] for row in rows]):
        console.message(line)
    taken = next((row[-1] for row in rows if row[0].startswith("*")), "")
    console.message(
        f"* taken{f', with {taken}' if taken else ''}; each line is the best of its kind of "
        f"{len(run.selection)} candidates, compared on {run.selection[0]['rows']:,} rows"
    )


def tell_curve(console: Console, run: Run) -> None:
    """Say what few images of each class taught; nothing where it was not asked."""
    from fishembed.reports.shots import LEARNING_CURVE, curve_table

    if run.shots:
        for line in aligned(*curve_table(run.shots)):
            console.message(line)
        console.message(f"the learning curve is {run.folder / LEARNING_CURVE}.png")
