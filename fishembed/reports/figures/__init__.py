"""The figures of a run, drawn by matplotlib: PNG and SVG for papers, inline SVG for the page."""

from fishembed.reports.figures.draw import draw_figures, write_figures

__all__ = ["draw_figures", "write_figures"]
