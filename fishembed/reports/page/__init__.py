"""The pages and documents that tell of runs."""

from fishembed.reports.page.comparison import write_comparison
from fishembed.reports.page.report import REPORT_FORMATS, write_report

__all__ = ["REPORT_FORMATS", "write_comparison", "write_report"]
