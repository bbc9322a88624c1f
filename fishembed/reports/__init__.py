"""A run folder, its figures, its page."""

from fishembed.reports.experiment import run_fit, run_zeroshot
from fishembed.reports.heads import HEADS
from fishembed.reports.page import write_report
from fishembed.reports.page_text import verdict
from fishembed.reports.run import Run, newest_run

__all__ = ["HEADS", "Run", "newest_run", "run_fit", "run_zeroshot", "verdict", "write_report"]
