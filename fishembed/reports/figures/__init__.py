"""The figures of a run, drawn by matplotlib: PNG and SVG for papers, inline SVG for the page."""
