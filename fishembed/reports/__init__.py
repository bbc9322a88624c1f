"""Experiments on a store, their run folders, figures and pages."""

from fishembed.reports.compare import compare_runs
from fishembed.reports.experiment import run_fit, run_zeroshot
from fishembed.reports.heads import HEADS
from fishembed.reports.page import write_comparison, write_report
from fishembed.reports.run import Run, newest_run
from fishembed.reports.sentences import verdict

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
