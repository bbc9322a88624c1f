"""Experiments on a store, their run folders, figures and pages.

The names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.lazy import lazy_names

if TYPE_CHECKING:
    from fishembed.reports.compare import compare_runs
    from fishembed.reports.experiment import run_fit, run_zeroshot
    from fishembed.reports.heads import HEADS
    from fishembed.reports.page.comparison import write_comparison
    from fishembed.reports.page.report import write_report
    from fishembed.reports.run import Run, newest_run
    from fishembed.reports.sentences import verdict

_HOMES = {
    "HEADS": "heads",
    "Run": "run",
    "compare_runs": "compare",
    "newest_run": "run",
    "run_fit": "experiment",
    "run_zeroshot": "experiment",
    "verdict": "sentences",
    "write_comparison": "page.comparison",
    "write_report": "page.report",
}

__all__ = [
    "HEADS",
    "Run",
    "compare_runs",
    "newest_run",
    "run_fit",
    "run_zeroshot",
    "verdict",
    "write_comparison",
    "write_report",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
