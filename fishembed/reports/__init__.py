"""A run folder, its figures, its page."""

from fishembed.reports.run import Run, newest_run

__all__ = ["Run", "newest_run"]
