"""What the console says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed.cli.console import Console

if TYPE_CHECKING:
    from fishembed.reports import Run


def tell_run(console: Console, run: Run) -> None:
    """Say the verdict and where the run lies, or give its scores as a document."""
    from fishembed.reports import verdict

    console.note(verdict(run.metrics))
    console.note(f"wrote {run.folder}")
    console.document({"run": str(run.folder), **run.metrics})
